"""The scale: which goals earn how many points, how points age, and what caps them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.spans import InstantLike, SpanLike, instant_us
from cxkit.engagement.definition import ScaleDefinition
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys

if TYPE_CHECKING:
    from cxkit.engagement.explain import Explanation
    from cxkit.engagement.history import ScoreHistory
    from cxkit.engagement.live import LiveScores
    from cxkit.engagement.parts import ScoreParts
    from cxkit.engagement.scoring import Scores

__all__ = ["EngagementScale"]


@attrs.frozen(repr=False)
class EngagementScale(ScaleDefinition):
    """Goals with relative points, how points age and what caps them: what engagement is worth.

    With a half-life, the score of a customer at an instant ``at`` is

        sum of points * 2 ** (-(at - time) / half_life)

    over the touchpoints up to ``at`` that count. A touchpoint that several rules match earns the
    sum of their points; every rule counts repeats on its own, so that a bonus for the first view is
    written as ``PointRule("view", 1)`` beside ``PointRule("view", 5, count="once_per_customer")``.

    The order is always the same: what ``count`` lets through, then ``per_day``, then
    ``points_from``, then ageing; of the aged sums the rule's ``cap``, the group's, the scale's;
    then inactivity, and ``floor`` at last. So caps bound the score at an instant, not what may be
    earned in a life: points that fade make room.

    A session ends with a pause longer than ``session_gap`` between two touchpoints of the journey,
    whatever their events are, and with the journey.

    Attributes:
        rules: The rules; two for the same goal and the same way of counting are refused.
        half_life: The span in which points lose half their worth: short for
            ``ageing=HalfLife(...)``.
        session_gap: The longest pause within a session.
        name: What the scale is called.
        ageing: How points age: a :class:`HalfLife`, :class:`LinearDecay`, :class:`RollingWindow` or
            :class:`Inactivity`; ``None``: they do not.
        group_caps: The most that the rules of each group add to a score, given as a mapping.
        cap: The highest score.
        floor: The lowest score, 0 or below; ``None``: negative points may lower it without end.
        zone: The time zone of calendar days.
        primary: The name of the goal that all others lead to. It must have the most points.
        version: Another version of a scale is another scale: scores of two are never mixed.

    Raises:
        DefinitionError: There is no rule, two are the same, a span is not longer than zero, or a
            field contradicts another.

    Example:
        >>> from cxkit import Journeys, PointRule
        >>> journeys = Journeys.from_table(
        ...     {
        ...         "who": ["ann", "ann", "bob"],
        ...         "when": ["2024-01-01", "2024-01-15", "2024-01-15"],
        ...         "what": ["view", "buy", "view"],
        ...     },
        ...     customer="who",
        ...     time="when",
        ...     event="what",
        ...     tz="UTC",
        ... )
        >>> scale = EngagementScale([PointRule("buy", 100), PointRule("view", 8)], half_life="14d")
        >>> scores = scale.score(journeys, at="2024-01-29")
        >>> scores.values.tolist()
        [52.0, 4.0]
        >>> scale.score(journeys[0], at="2024-01-29")
        52.0
    """

    def points(self, journeys: Journeys | Journey) -> NDArray[np.float64]:
        """What each touchpoint earns, before ageing and caps.

        Args:
            journeys: The journeys, or one.

        Returns:
            (E,) points; 0 where no rule matches or none counts the touchpoint. Read-only.

        Raises:
            DefinitionError: What counts depends on a customer's whole history, and a customer has
                several journeys.
            SchemaError: A rule asks for a column that is not there, or is of another kind.

        Example:
            >>> from cxkit import PointRule
            >>> from cxkit.simulate import retail
            >>> scale = EngagementScale([PointRule("purchase", 100)])
            >>> journeys = retail(50).journeys
            >>> set(scale.points(journeys).tolist()) == {0.0, 100.0}
            True
        """
        from cxkit.engagement.earning import points

        return points(self, journeys)

    @overload
    def score(self, journeys: Journey, *, at: InstantLike) -> float: ...
    @overload
    def score(self, journeys: Journeys, *, at: InstantLike) -> Scores: ...
    def score(self, journeys: Journeys | Journey, *, at: InstantLike) -> Scores | float:
        """The engagement score of each journey at an instant.

        Args:
            journeys: The journeys, or one.
            at: The instant. There is no default: "now" and "the latest touchpoint" would give the
                same customer another score in another batch. Touchpoints after it earn nothing and
                are counted in ``Scores.excluded``.

        Returns:
            Scores of many; the plain number for one, equal to the last bit.

        Raises:
            DefinitionError: ``at`` is not an instant, or what counts depends on a customer's whole
                history and a customer has several journeys.
            SchemaError: A rule asks for a column that is not there, or is of another kind.

        Warns:
            CxWarning: Not one event of the scale occurs in the data.
        """
        from cxkit.engagement.scoring import score

        return score(self, journeys, instant_us(at, name="at"))

    def score_at(
        self, journeys: Journeys | Journey, instants: Sequence[InstantLike]
    ) -> ScoreHistory:
        """The scores of the journeys at several instants, each as :meth:`score` gives it.

        Args:
            journeys: The journeys, or one.
            instants: The instants, in any order.

        Returns:
            One row per journey, one column per instant.

        Raises:
            DefinitionError: As for :meth:`score`, or there is no instant.
            SchemaError: As for :meth:`score`.
        """
        from cxkit.engagement.history import score_at

        return score_at(self, journeys, instants)

    def running(self, journeys: Journeys | Journey) -> NDArray[np.float64]:
        """The score of the journey just after each touchpoint: what a live score says then.

        Returns:
            (E,) the score at the touchpoint's time from it and those before it in the journey; of
            touchpoints at the same instant, each has those that stand before it. Read-only.

        Raises:
            DefinitionError: As for :meth:`points`.
            SchemaError: As for :meth:`points`.

        Example:
            >>> from cxkit import Journey, PointRule, Touchpoint
            >>> days = ["2024-01-01", "2024-01-08", "2024-01-15"]
            >>> journey = Journey.of([Touchpoint("ann", day, "view") for day in days])
            >>> EngagementScale([PointRule("view", 8)], half_life="7d").running(journey).tolist()
            [8.0, 12.0, 14.0]
        """
        from cxkit.engagement.running import running

        return running(self, journeys)

    def contributions(
        self, journeys: Journeys | Journey, *, at: InstantLike
    ) -> NDArray[np.float64]:
        """What each touchpoint adds to the score of its journey, after ageing and caps.

        Touchpoints are added in their order; what a cap takes is taken from the one that goes over
        it.

        Returns:
            (E,) parts that add up to the score of the journey. What inactivity takes off the total
            is no touchpoint's doing and is not in them: see :meth:`score_by`. Read-only.

        Raises:
            DefinitionError: As for :meth:`score`.
            SchemaError: As for :meth:`score`.
        """
        from cxkit.engagement.running import contributions

        return contributions(self, journeys, instant_us(at, name="at"))

    def score_by(
        self,
        journeys: Journeys | Journey,
        by: str = "channel",
        *,
        at: InstantLike,
        gap: SpanLike | None = None,
    ) -> ScoreParts:
        """The scores of all journeys, taken apart by a column or by visit.

        Args:
            journeys: The journeys, or one.
            by: A column of labels, or ``"visit"`` for a row per session.
            at: The instant.
            gap: The longest pause within a visit; the scale's ``session_gap`` by default.

        Returns:
            What touchpoints with each label add to the scores; it adds up to their sum.

        Raises:
            DefinitionError: As for :meth:`score`, or ``gap`` is no span.
            SchemaError: There is no such column, or it holds numbers.
        """
        from cxkit.engagement.parts import score_by

        return score_by(self, journeys, by, at=instant_us(at, name="at"), gap=gap)

    def explain(self, journey: Journey | Journeys, *, at: InstantLike) -> Explanation:
        """What each touchpoint of one journey adds to its score.

        Args:
            journey: One journey.
            at: The instant of the score.

        Raises:
            DefinitionError: It is not one journey, or ``at`` is not an instant.
        """
        from cxkit.engagement.explain import explain

        return explain(self, journey, instant_us(at, name="at"))

    def live(self, *, tolerance: SpanLike | None = None) -> LiveScores:
        """Scores that are kept up to date one touchpoint at a time.

        Args:
            tolerance: How late a touchpoint may come: how much older than the latest of its
                customer it may be. It is not asked where the order of touchpoints does not matter:
                see :class:`~cxkit.engagement.LiveScores`.

        Raises:
            DefinitionError: ``tolerance`` is not a span.
        """
        from cxkit.engagement.live import live

        return live(self, tolerance)
