"""The touchpoints behind a score."""

from __future__ import annotations

from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.codes import Codes
from cxkit.core.result import ColumnLike, Result, show_number
from cxkit.engagement.ageing import age_in_place, show_ageing, show_instant
from cxkit.engagement.caps import LEVELS, Caps
from cxkit.engagement.counting import Piece, kept_rows, let_through
from cxkit.engagement.earning import Seeker
from cxkit.engagement.rules import PointRule
from cxkit.engagement.scale import EngagementScale
from cxkit.engagement.sums import aged_sums, idle_losses
from cxkit.errors import DefinitionError
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys

__all__ = ["Explanation", "explain"]

FloatArray = NDArray[np.float64]

_REPEAT: Final = {
    "every": "",
    "once_per_session": "counted already in this session",
    "once_per_customer": "counted already for this customer",
    "cooldown": "less than {} after the last that counted",
    "debounce": "less than {} after the one before",
    "calendar_day": "counted already on this day",
}
_AFTER: Final = "after the instant of the score"
_TAKEN: Final = {"rule": "its rule", "group": "its group", "scale": "the scale"}
_CLOSE: Final = 1e-12
_COUNTS, _REPEATS, _FULL = 0, 1, 2


@attrs.frozen(eq=False, repr=False)
class Explanation(Result):
    """What each touchpoint of one journey adds to its score.

    There is a row for every touchpoint and rule that matches it, also for those that earn nothing
    because the goal was counted already or the touchpoint came later; touchpoints that no rule
    matches are left out. What inactivity takes has a row of its own, the last, without an event.
    ``earned`` adds up to the score.

    Touchpoints are added in order of time, and what a cap takes is taken from the one that goes
    over it.

    Attributes:
        score: The score.
        time: (M,) datetime64[us], UTC.
        event: (M,) what happened.
        channel: (M,) where.
        rule: (M,) the name of the rule's goal.
        points: (M,) the rule's points, or the number that replaces them.
        decay: (M,) the share that is left of them by age; NaN after the instant of the score.
        capped: (M,) what caps take of it; below 0 where the floor gives something back.
        earned: (M,) what the touchpoint adds to the score: points x decay - capped where it counts.
        reason: (M,) why it earned less; empty where it did not.
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
    points: FloatArray = attrs.field(converter=freeze)
    decay: FloatArray = attrs.field(converter=freeze)
    capped: FloatArray = attrs.field(converter=freeze)
    earned: FloatArray = attrs.field(converter=freeze)
    reason: tuple[str, ...]
    title_text: str

    def columns(self) -> dict[str, ColumnLike]:
        """Time, event, channel, rule, points, decay, earned and the reason for earning less.

        What caps take stands in a column of its own where they take anything.
        """
        capped = {"capped": self.capped} if self.capped.any() else {}
        return {
            "time": self.time,
            "event": self.event.to_list(),
            "channel": self.channel.to_list(),
            "rule": self.rule,
            "points": self.points,
            "decay": self.decay,
            **capped,
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
    piece = Piece.of(scale, given, (0, 1, 0, given.touchpoints))
    matches = [_Match.of(rule, given, piece) for rule in scale.rules]
    sizes = [len(match.rows) for match in matches]
    rows = np.concatenate([match.rows for match in matches])
    order = np.argsort(rows, kind="stable")  # by touchpoint, then in the order of the rules
    rows, which = rows[order], np.repeat(np.arange(len(sizes)), sizes)[order]
    worth = np.concatenate([match.worth for match in matches])[order]
    why = np.concatenate([match.why for match in matches])[order]
    age = at - piece.ticks[rows]
    late = age < 0
    decay = np.ones(len(rows))
    age_in_place(decay, np.maximum(age, 0), scale.ageing)
    offered = np.where((why == _COUNTS) & ~late, worth * decay, 0.0)
    taken = _taken(scale.caps, np.array(scale.caps.cell, np.int64)[which], offered)
    capped = np.add.reduce(taken, axis=0)
    decay[late] = np.nan
    value, idle = float(aged_sums(scale, given, at)[0][0]), float(idle_losses(scale, given, at)[0])
    rules = [scale.rules[k] for k in which.tolist()]
    reasons = [
        _told(rule, after, how, some)
        for rule, after, how, some in zip(
            rules, late.tolist(), why.tolist(), taken.T.tolist(), strict=True
        )
    ]
    more = int(idle > 0)
    instant = np.full(more, at, np.int64).view("datetime64[us]")
    who = given.customer.to_list()[0]
    return Explanation(
        value,
        np.concatenate([given.time[rows], instant]),
        _then_missing(given.event.take(rows), more),
        _then_missing(given.channel.take(rows), more),
        (*(rule.goal.name for rule in rules), *["inactivity"] * more),
        np.append(worth, [-idle] * more),
        np.append(decay, [1.0] * more),
        np.append(capped, [0.0] * more),
        np.append(offered - capped, [-idle] * more),
        (*reasons, *["taken off the total for being idle"] * more),
        f"{scale.name} of {who!r} at {show_instant(at)}: {show_number(value)}, "
        f"{show_ageing(scale.ageing)}",
    )


@attrs.frozen
class _Match:
    """The rows that reach the goal of a rule, what they are worth, and whether they count."""

    rows: IntArray
    worth: FloatArray
    why: IntArray

    @classmethod
    def of(cls, rule: PointRule, journeys: Journeys, piece: Piece) -> _Match:
        seeker = Seeker.of(rule, 0, journeys)
        rows = seeker.matching(piece)
        worth = np.broadcast_to(np.float64(seeker.points(rows, piece)), rows.shape)
        passed = let_through(rule, rows, piece)
        kept = kept_rows(rule, rows, piece)
        return cls(rows, worth, np.where(kept, _COUNTS, np.where(passed, _FULL, _REPEATS)))


def _taken(caps: Caps, cell: IntArray, offered: FloatArray) -> FloatArray:
    """(4, M) what each level of caps takes of what rows add, one after another."""
    if caps.none or not len(offered):
        return np.zeros((len(LEVELS), len(offered)))
    sums = np.zeros((caps.cells, len(offered)))
    sums[cell, np.arange(len(offered))] = offered
    sums = np.cumsum(sums, axis=1)
    totals = np.array([sums.sum(axis=0), *caps.levels(sums)])
    added = np.diff(totals, axis=1, prepend=0.0)
    taken = added[:-1] - added[1:]
    size = np.abs(totals).max(axis=0) + np.abs(sums).max(axis=0)
    return np.where(np.abs(taken) <= _CLOSE * size, 0.0, taken)  # rounding is no cap


def _told(rule: PointRule, after: bool, why: int, taken: list[float]) -> str:  # noqa: FBT001  # a row's flag
    if after:
        return _AFTER
    if why == _REPEATS:
        return _REPEAT[rule.count].format(rule.within)
    if why == _FULL:
        return f"more than {rule.per_day} on this day"
    told = []
    for level, lost in zip(LEVELS, taken, strict=True):
        if lost and level == "floor":
            told.append("at the floor of the scale")
        elif lost:
            # Points below 0 may take from what was over the cap, and not from the score.
            how = "over" if lost > 0 else "makes room under"
            told.append(f"{how} the cap of {_TAKEN[level]}")
    return ", ".join(told)


def _then_missing(codes: Codes, more: int) -> Codes:
    """The labels, and as many missing ones after them."""
    rest = np.full(more, codes.missing, codes.codes.dtype)
    return Codes(np.concatenate([codes.codes, rest]), codes.vocabulary)
