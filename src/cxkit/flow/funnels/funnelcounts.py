"""How many journeys reach each step of a funnel: the counts that add up, and their shares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.intervals import divide, share_interval
from cxkit.core.result import Result
from cxkit.core.summary import SHARDS, parameter, total
from cxkit.flow.funnels.funnel import Funnel
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys
from cxkit.model.summaries import JourneySummary

__all__ = ["FunnelCounts", "FunnelResult", "at_least", "share_ends", "step_before"]


def at_least(reached: NDArray[Any], key: NDArray[Any], keys: int, steps: int) -> IntArray:
    """How many journeys of each key reach at least each number of steps.

    Args:
        reached: (J,) steps that each journey reaches.
        key: (J,) numbers below ``keys``.
        keys: How many keys there are.
        steps: How many steps.

    Returns:
        (keys, steps + 1) counts; the first column holds all journeys.

    Example:
        >>> at_least(np.array([0, 2, 1]), np.array([0, 0, 1]), 2, 2).tolist()
        [[2, 1, 1], [1, 1, 0]]
    """
    slots = steps + 1
    cells = key.astype(np.int64) * slots + reached
    exactly = np.bincount(cells, minlength=keys * slots).reshape(keys, slots)
    return exactly[:, ::-1].cumsum(axis=1)[:, ::-1]


def step_before(reached: NDArray[Any]) -> NDArray[Any]:
    """(..., steps) the counts of the step before; the first step is its own: all have entered."""
    return np.concatenate([reached[..., :1], reached[..., :-1]], axis=-1)


def share_ends(
    reached: NDArray[Any], occupied: NDArray[np.bool_], level: float
) -> list[NDArray[np.float64]]:
    """Intervals of the shares of all that entered, and of the step before: low, high, low, high.

    Args:
        reached: (SHARDS, ..., steps) counts.
        occupied: (SHARDS,) which shards hold anything.
        level: Of the intervals.
    """
    first = np.asarray(np.arange(reached.shape[-1]) == 0)  # its shares are 1 by what they mean
    return [
        end
        for whole in (reached[..., :1], step_before(reached))
        for end in share_interval(reached, whole, occupied, level=level, certain=first)
    ]


@attrs.frozen(eq=False, repr=False)
class FunnelCounts(JourneySummary):
    """How many journeys reach each step, as a summary that adds up.

    Attributes:
        funnel: The funnel.
        journeys: (64,) journeys in every shard.
        reached: (64, steps) journeys that reach each step.

    Example:
        >>> from cxkit import Journeys
        >>> FunnelCounts.of(Journeys.empty(), funnel=Funnel(["view", "buy"])).reached.sum()
        np.int64(0)
    """

    funnel: Funnel = attrs.field(kw_only=True, metadata=parameter(Funnel.from_dict))
    journeys: IntArray = attrs.field(kw_only=True, metadata=total("shard"))
    reached: IntArray = attrs.field(kw_only=True, metadata=total("shard", "step"))

    @classmethod
    def of(cls, journeys: Journeys | Journey, /, *, funnel: Funnel) -> Self:
        """Count; a step that this part of the data lacks is reached by none.

        Args:
            journeys: The journeys.
            funnel: The funnel, whose steps need not all occur.

        Raises:
            SchemaError: The column to hold is not there, or holds numbers.
        """
        many = as_journeys(journeys)
        counts = at_least(funnel.reached(many), many.shards, SHARDS, len(funnel.steps))
        return cls(funnel=funnel, journeys=counts[:, 0], reached=counts[:, 1:])

    def result(self, *, level: float = 0.95) -> FunnelResult:
        """Shares of the journeys that entered and of the step before, with intervals."""
        occupied, reached = self.occupied(), self.reached
        count, previous = reached.sum(axis=0), step_before(reached)
        low, high, step_low, step_high = share_ends(reached, occupied, level)
        return FunnelResult(
            funnel=self.funnel,
            journeys=int(self.journeys.sum()),
            reached=count,
            share=divide(count, count[0]),
            share_low=low,
            share_high=high,
            step_share=divide(count, previous.sum(axis=0)),
            step_share_low=step_low,
            step_share_high=step_high,
        )


@attrs.frozen(eq=False, repr=False, kw_only=True)
class FunnelResult(Result):
    """How far journeys get: one row per step.

    Attributes:
        funnel: The funnel that was counted.
        journeys: J, all journeys, whether they entered or not.
        reached: (steps,) journeys that reach each step; the first are those that entered.
        share: (steps,) of the journeys that entered; NaN if none did.
        share_low: (steps,) low end of its interval; NaN for too few customers.
        share_high: (steps,) high end.
        step_share: (steps,) of the journeys that reached the step before; NaN if none did.
        step_share_low: (steps,) low end of its interval.
        step_share_high: (steps,) high end.
    """

    funnel: Funnel
    journeys: int
    reached: IntArray = attrs.field(converter=freeze)
    share: NDArray[np.float64] = attrs.field(converter=freeze)
    share_low: NDArray[np.float64] = attrs.field(converter=freeze)
    share_high: NDArray[np.float64] = attrs.field(converter=freeze)
    step_share: NDArray[np.float64] = attrs.field(converter=freeze)
    step_share_low: NDArray[np.float64] = attrs.field(converter=freeze)
    step_share_high: NDArray[np.float64] = attrs.field(converter=freeze)

    @property
    def dropped(self) -> IntArray:
        """(steps,) journeys that reached the step before and not this one."""
        return freeze(-np.diff(self.reached, prepend=self.reached[:1]))

    def columns(self) -> Mapping[str, Any]:
        """One row per step."""
        names = (name + end for name in ("share", "step_share") for end in ("", "_low", "_high"))
        return {
            "step": self.funnel.step_names,
            "reached": self.reached,
            **{name: getattr(self, name) for name in names},
            "dropped": self.dropped,
        }

    def title(self) -> str:
        """How many entered."""
        return f"funnel: {self.reached[0]:,} of {self.journeys:,} journeys entered"

    def notes(self) -> tuple[str, ...]:
        """The policy in words, and why a share may be missing."""
        told = [self.funnel.told()]
        if not self.reached[0]:
            told.append("no journey entered, so there is no share of those that did")
        elif not self.reached[-2:-1].all():
            told.append("no journey reached the last steps; of none there is no share (-)")
        return tuple(told)
