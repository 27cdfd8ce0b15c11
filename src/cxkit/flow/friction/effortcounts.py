"""The effort of journeys, as a summary that adds up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.intervals import check_level, divide, interval, jackknife_error, leave_one_out
from cxkit.core.ragged import segment_sum
from cxkit.core.result import ColumnLike, Result
from cxkit.core.summary import SHARDS, parameter, total
from cxkit.flow.friction.effort import Efforts, in_minutes, weights_of
from cxkit.flow.friction.friction import PARTS, Friction
from cxkit.model.goal import Goal, GoalLike, as_goal
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys
from cxkit.model.summaries import JourneySummary

__all__ = ["EffortCounts", "EffortTable", "count_effort"]

_ENDS: Final = ("", "_low", "_high")


@attrs.frozen(eq=False, repr=False, kw_only=True)
class EffortCounts(JourneySummary):
    """The effort of journeys, as a summary that adds up.

    Attributes:
        friction: How it is measured.
        goal: Journeys that reach it are counted apart; ``None`` for all together.
        journeys: (64, 2) journeys that do not reach the goal, and those that do.
        parts: (64, 2, 5) their steps, microseconds, repeats, errors and switches.

    Example:
        >>> EffortCounts.of(Journeys.empty(), friction=Friction({"steps": 1})).journeys.sum()
        np.int64(0)
    """

    friction: Friction = attrs.field(metadata=parameter(Friction.from_dict))
    goal: Goal | None = attrs.field(metadata=parameter(Goal.from_dict))
    journeys: IntArray = attrs.field(metadata=total("shard", "reached"))
    parts: IntArray = attrs.field(metadata=total("shard", "reached", "part"))

    @classmethod
    def of(
        cls,
        journeys: Journeys | Journey,
        /,
        *,
        friction: Friction,
        goal: GoalLike | None = None,
    ) -> Self:
        """Count.

        Args:
            journeys: The journeys.
            friction: How effort is measured.
            goal: The goal, or the name of its event.

        Raises:
            SchemaError: There is no such column of channels.
        """
        many = as_journeys(journeys)
        wanted = None if goal is None else as_goal(goal)
        found = Efforts.of(many, friction)
        key = many.shards.astype(np.int64) * 2
        if wanted is not None:
            key += segment_sum(wanted.matches(many).astype(np.int64), many.offsets) > 0
        parts = np.zeros((2 * SHARDS, len(PARTS)), np.int64)
        np.add.at(parts, key, found.parts)
        return cls(
            friction=friction,
            goal=wanted,
            journeys=np.bincount(key, minlength=2 * SHARDS).reshape(SHARDS, 2),
            parts=parts.reshape(SHARDS, 2, len(PARTS)),
        )

    def result(self, *, level: float = 0.95) -> EffortTable:
        """Means per journey, with intervals."""
        check_level(level)
        every = _with_effort(self.parts.sum(axis=1), self.friction)
        occupied = self.occupied()

        def mean(parts: NDArray[np.float64], journeys: IntArray) -> NDArray[np.float64]:
            """(3, 6) means and the ends of their intervals."""
            value = divide(parts.sum(axis=0), journeys.sum())
            left = divide(leave_one_out(parts), leave_one_out(journeys)[:, None])
            ends = interval(value, jackknife_error(left, occupied), occupied, level=level)
            return np.stack([value, np.maximum(ends[0], 0.0), ends[1]])

        groups = [
            mean(_with_effort(self.parts[:, k], self.friction), self.journeys[:, k])
            for k in range(2)
        ]
        return EffortTable(
            friction=self.friction,
            goal=self.goal,
            journeys=int(self.journeys.sum()),
            reached=None if self.goal is None else int(self.journeys[:, 1].sum()),
            total=every.sum(axis=0),
            mean=mean(every, self.journeys.sum(axis=1)),
            lost_mean=groups[0],
            reached_mean=groups[1],
        )


@attrs.frozen(eq=False, repr=False, kw_only=True)
class EffortTable(Result):
    """The mean effort of journeys: a row for each part, and one for the effort they make.

    Attributes:
        friction: How it was measured.
        goal: Which goal sets journeys apart, or ``None``.
        journeys: J, all journeys.
        reached: How many of them reach the goal; ``None`` without one.
        total: (6,) steps, minutes, repeats, errors, switches and effort of all journeys.
        mean: (3, 6) per journey, with the ends of the interval; NaN without journeys.
        lost_mean: (3, 6) the same of journeys that do not reach the goal.
        reached_mean: (3, 6) the same of those that do.
    """

    friction: Friction
    goal: Goal | None
    journeys: int
    reached: int | None
    total: NDArray[np.float64] = attrs.field(converter=freeze)
    mean: NDArray[np.float64] = attrs.field(converter=freeze)
    lost_mean: NDArray[np.float64] = attrs.field(converter=freeze)
    reached_mean: NDArray[np.float64] = attrs.field(converter=freeze)

    def columns(self) -> Mapping[str, ColumnLike]:
        """A row per part; ``effort_share`` is its part in the effort."""
        weights = np.append(weights_of(self.friction), 1.0)
        columns: dict[str, ColumnLike] = {
            "part": [*PARTS, "effort"],
            "weight": weights,
            "total": self.total,
            **{f"mean{end}": self.mean[k] for k, end in enumerate(_ENDS)},
            "effort_share": divide(self.total * weights, self.total[-1]),
        }
        if self.goal is not None:
            for name, found in (("reached", self.reached_mean), ("lost", self.lost_mean)):
                columns |= {f"{name}_mean{end}": found[k] for k, end in enumerate(_ENDS)}
        return columns

    def title(self) -> str:
        """How many journeys."""
        if self.goal is None:
            return f"effort of {self.journeys:,} journeys"
        return (
            f"effort of {self.journeys:,} journeys, {self.reached:,} of which reach "
            f"{self.goal.name}"
        )

    def notes(self) -> tuple[str, ...]:
        """What the means are not."""
        idle = f"minutes: pauses up to {self.friction.idle} each"
        if self.goal is None:
            return (idle,)
        why = "who reaches the goal differs in more than effort from who does not"
        return (idle, f"{why}: the difference of the two groups is not what effort costs")


def count_effort(
    friction: Friction, journeys: Journeys | Journey, goal: GoalLike | None, level: float
) -> EffortTable:
    """See :meth:`Friction.count`."""
    many = as_journeys(journeys)
    if many.touchpoints:
        for each in (*friction.errors, *([] if goal is None else [as_goal(goal)])):
            each.require(many)
    return EffortCounts.of(many, friction=friction, goal=goal).result(level=level)


def _with_effort(parts: IntArray, friction: Friction) -> NDArray[np.float64]:
    """(..., 6) the parts and the effort that they make."""
    each = in_minutes(parts)
    return np.concatenate([each, (each * weights_of(friction)).sum(-1, keepdims=True)], axis=-1)
