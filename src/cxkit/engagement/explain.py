"""The touchpoints behind a score."""

from __future__ import annotations

from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import freeze
from cxkit.core.codes import Codes
from cxkit.core.result import ColumnLike, Result, show_number
from cxkit.engagement.ageing import age_in_place, show_ageing, show_instant
from cxkit.engagement.counting import counted, edges_of, matching_rows
from cxkit.engagement.scale import EngagementScale
from cxkit.engagement.scoring import aged_sums
from cxkit.errors import DefinitionError
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys

__all__ = ["Explanation", "explain"]

_ONCE: Final = {
    "once_per_session": "counted already in this session",
    "once_per_customer": "counted already for this customer",
}
_AFTER: Final = "after the instant of the score"


@attrs.frozen(eq=False, repr=False)
class Explanation(Result):
    """What each touchpoint of one journey adds to its score.

    There is a row for every touchpoint and rule that matches it, also for those that earn nothing
    because the goal was counted already or the touchpoint came later; touchpoints that no rule
    matches are left out. ``earned`` adds up to the score.

    Attributes:
        score: The score.
        time: (M,) datetime64[us], UTC.
        event: (M,) what happened.
        channel: (M,) where.
        rule: (M,) the name of the rule's goal.
        points: (M,) the rule's points.
        decay: (M,) the share that is left of them by age; NaN after the instant of the score.
        earned: (M,) what the touchpoint adds to the score.
        reason: (M,) why it earned nothing; empty where it did.
        title_text: The line above the table.

    Example:
        >>> from cxkit import EngagementScale, Journey, PointRule, Touchpoint
        >>> journey = Journey.of(
        ...     [Touchpoint("ann", "2024-01-01", "view"), Touchpoint("ann", "2024-01-03", "view")]
        ... )
        >>> scale = EngagementScale([PointRule("view", 8, count="once_per_customer")])
        >>> scale.explain(journey, at="2024-01-03").to_dicts()[1]["reason"]
        'counted already for this customer'
    """

    score: float
    time: NDArray[np.datetime64] = attrs.field(converter=freeze)
    event: Codes
    channel: Codes
    rule: tuple[str, ...]
    points: NDArray[np.float64] = attrs.field(converter=freeze)
    decay: NDArray[np.float64] = attrs.field(converter=freeze)
    earned: NDArray[np.float64] = attrs.field(converter=freeze)
    reason: tuple[str, ...]
    title_text: str

    def columns(self) -> dict[str, ColumnLike]:
        """Time, event, channel, rule, points, decay, earned and the reason for earning nothing."""
        return {
            "time": self.time,
            "event": self.event.to_list(),
            "channel": self.channel.to_list(),
            "rule": self.rule,
            "points": self.points,
            "decay": self.decay,
            "earned": self.earned,
            "reason": self.reason,
        }

    def title(self) -> str:
        """Whose score, and when."""
        return self.title_text


def explain(scale: EngagementScale, journey: Journey | Journeys, at: int) -> Explanation:
    """See :meth:`EngagementScale.explain`; ``at`` in microseconds since 1970."""
    given = as_journeys(journey)
    if len(given) != 1:
        raise DefinitionError(f"explain takes one journey, such as journeys[0]; found {len(given)}")
    found = [matching_rows(rule, given) for rule in scale.rules]
    fits = [counted(r, edges_of(s, scale, given)) for s, r in zip(scale.rules, found, strict=True)]
    sizes = [len(rows) for rows in found]
    rows, counts = np.concatenate(found), np.concatenate(fits)
    which = np.repeat(np.arange(len(sizes)), sizes)
    order = np.argsort(rows, kind="stable")  # by touchpoint, then in the order of the rules
    rows, counts, which = rows[order], counts[order], which[order]
    age = at - given.time.view(np.int64)[rows]
    late = age < 0
    worth = np.array([rule.points for rule in scale.rules])[which]
    decay = np.ones(len(rows))
    if scale.half_life_us is not None:
        age_in_place(decay, np.maximum(age, 0), scale.half_life_us)
    earned = np.where(counts & ~late, worth * decay, 0.0)
    decay[late] = np.nan
    rules = [scale.rules[k] for k in which.tolist()]
    value = float(aged_sums(scale, given, at)[0][0])
    who = given.customer.to_list()[0]
    return Explanation(
        value,
        given.time[rows],
        given.event.take(rows),
        given.channel.take(rows),
        tuple(rule.goal.name for rule in rules),
        worth,
        decay,
        earned,
        tuple(
            _AFTER if after else "" if counts_ else _ONCE[rule.count]
            for rule, after, counts_ in zip(rules, late.tolist(), counts.tolist(), strict=True)
        ),
        f"{scale.name} of {who!r} at {show_instant(at)}: {show_number(value)}, "
        f"{show_ageing(scale.half_life)}",
    )
