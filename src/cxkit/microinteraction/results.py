"""The tables that the counts of a microinteraction give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.intervals import divide, share_interval
from cxkit.core.result import ColumnLike, Result
from cxkit.microinteraction.measuring import Measuring

__all__ = [
    "MEASURES",
    "RATES",
    "LoopTable",
    "ReplayMetrics",
    "StateTable",
    "loop_table",
    "metrics",
    "state_table",
]

MEASURES: Final = (
    "instances", "started", "ended", "success", "abandoned", "failed", "undoable", "undone",
    "events", "user_events", "unhandled", "dead", "repeats", "repeated", "rages", "raged", "timers",
)  # fmt: skip
"""What is counted, in order."""
RATES: Final = {
    "started": ("started", "instances"),
    "ended": ("ended", "instances"),
    "success": ("success", "instances"),
    "abandoned": ("abandoned", "started"),
    "error": ("failed", "instances"),
    "undo": ("undone", "undoable"),
    "unhandled": ("unhandled", "events"),
    "dead clicks": ("dead", "user_events"),
    "repeated trigger": ("repeated", "instances"),
    "rage clicks": ("raged", "instances"),
}
"""Rate -> what is counted, and of what."""


@attrs.frozen(eq=False, repr=False, kw_only=True)
class ReplayMetrics(Result):
    """How a microinteraction fares: one row for each rate.

    Attributes:
        measuring: What was measured.
        totals: Everything that was counted, by name.
        part: (n,) how many.
        whole: (n,) of how many.
        rate: (n,) ``part / whole``; NaN of nothing.
        low: (n,) low end of its interval; NaN for too few customers.
        high: (n,) high end.
    """

    measuring: Measuring
    totals: Mapping[str, int]
    part: IntArray = attrs.field(converter=freeze)
    whole: IntArray = attrs.field(converter=freeze)
    rate: NDArray[np.float64] = attrs.field(converter=freeze)
    low: NDArray[np.float64] = attrs.field(converter=freeze)
    high: NDArray[np.float64] = attrs.field(converter=freeze)

    def columns(self) -> Mapping[str, ColumnLike]:
        """A row for each rate."""
        return {
            "measure": list(RATES),
            "count": self.part,
            "of": [RATES[name][1] for name in RATES],
            "whole": self.whole,
            "rate": self.rate,
            "rate_low": self.low,
            "rate_high": self.high,
        }

    def title(self) -> str:
        """How many instances."""
        return f"{self.measuring.spec.id}: {self.totals['instances']:,} instances"

    def notes(self) -> list[str]:
        """What a rate is not."""
        told = self.totals
        notes = [
            f"{told['repeats']:,} repeated triggers, {told['rages']:,} bursts of rage clicks",
            f"{told['timers']:,} timers fired",
        ]
        if told["undoable"] == 0:
            notes.append("no instance came to where something can be taken back: no undo rate")
        return notes


def metrics(
    measuring: Measuring, measures: IntArray, occupied: NDArray[np.bool_], level: float
) -> ReplayMetrics:
    """The rates of counted instances."""
    totals = dict(zip(MEASURES, measures.sum(axis=0).tolist(), strict=True))
    part = measures[:, [MEASURES.index(p) for p, _ in RATES.values()]]
    whole = measures[:, [MEASURES.index(w) for _, w in RATES.values()]]
    low, high = share_interval(part, whole, occupied, level=level)
    return ReplayMetrics(
        measuring=measuring,
        totals=totals,
        part=part.sum(axis=0),
        whole=whole.sum(axis=0),
        rate=divide(part.sum(axis=0), whole.sum(axis=0)),
        low=low,
        high=high,
    )


@attrs.frozen(eq=False, repr=False, kw_only=True)
class StateTable(Result):
    """How far instances came: one row for each state, or mode.

    Attributes:
        kind: ``"state"`` or ``"mode"``.
        names: The states.
        stays: (S,) how often each was entered; every event that is handled begins a stay anew.
        reached: (S,) instances that were in it; of a mode, the states' added up.
        share: (S,) of all instances.
        share_low: (S,) low end of its interval.
        share_high: (S,) high end.
        last: (S,) instances whose last state it is: where they ended or were abandoned.
        seconds: (S,) seconds in it, of all instances.
    """

    kind: str = "state"
    names: Sequence[str | None]
    stays: IntArray = attrs.field(converter=freeze)
    reached: IntArray = attrs.field(converter=freeze)
    share: NDArray[np.float64] = attrs.field(converter=freeze)
    share_low: NDArray[np.float64] = attrs.field(converter=freeze)
    share_high: NDArray[np.float64] = attrs.field(converter=freeze)
    last: IntArray = attrs.field(converter=freeze)
    seconds: NDArray[np.float64] = attrs.field(converter=freeze)

    def columns(self) -> Mapping[str, ColumnLike]:
        """A row for each state; a mode has no shares."""
        columns: dict[str, ColumnLike] = {self.kind: list(self.names), "stays": self.stays}
        if self.kind == "state":
            columns |= {
                "reached": self.reached,
                "share": self.share,
                "share_low": self.share_low,
                "share_high": self.share_high,
            }
        return columns | {"last": self.last, "seconds": self.seconds}


def state_table(
    measuring: Measuring,
    names: Sequence[str | None],
    stays: IntArray,
    measures: IntArray,
    occupied: NDArray[np.bool_],
    level: float,
) -> StateTable:
    """The funnel of states, or of what else an instance stays in."""
    whole = measures[:, [MEASURES.index("instances")]]
    begin = np.array([name == measuring.spec.initial for name in names])  # where all have been
    low, high = share_interval(stays[:, :, 1], whole, occupied, level=level, certain=begin)
    totals = stays.sum(axis=0)
    return StateTable(
        names=list(names),
        stays=totals[:, 0],
        reached=totals[:, 1],
        share=divide(totals[:, 1], whole.sum()),
        share_low=low,
        share_high=high,
        last=totals[:, 2],
        seconds=totals[:, 3] / 1e6,
    )


@attrs.frozen(eq=False, repr=False, kw_only=True)
class LoopTable(Result):
    """How often the loops were gone through.

    Attributes:
        names: The loops.
        instances: (L,) instances that were in it.
        repeats: (L,) returns to its first state from another of its states.
        mean: (L,) repeats per instance that was in it; NaN where none was.
        over: (L,) instances with one pass too many: as many repeats as ``max`` or more in one visit
            to the loop. Of a loop that is enforced, those that were led to ``then``.
        rate: (L,) those, of the instances that were in it.
        low: (L,) low end of its interval.
        high: (L,) high end.
    """

    names: Sequence[str]
    instances: IntArray = attrs.field(converter=freeze)
    repeats: IntArray = attrs.field(converter=freeze)
    mean: NDArray[np.float64] = attrs.field(converter=freeze)
    over: IntArray = attrs.field(converter=freeze)
    rate: NDArray[np.float64] = attrs.field(converter=freeze)
    low: NDArray[np.float64] = attrs.field(converter=freeze)
    high: NDArray[np.float64] = attrs.field(converter=freeze)

    def columns(self) -> Mapping[str, ColumnLike]:
        """A row for each loop."""
        return {
            "loop": list(self.names),
            "instances": self.instances,
            "repeats": self.repeats,
            "mean": self.mean,
            "over": self.over,
            "over_rate": self.rate,
            "over_rate_low": self.low,
            "over_rate_high": self.high,
        }


def loop_table(
    measuring: Measuring, loops: IntArray, occupied: NDArray[np.bool_], level: float
) -> LoopTable:
    """How often the loops were gone through."""
    totals = loops.sum(axis=0)
    low, high = share_interval(loops[:, :, 2], loops[:, :, 0], occupied, level=level)
    return LoopTable(
        names=[loop.id for loop in measuring.spec.loops],
        instances=totals[:, 0],
        repeats=totals[:, 1],
        mean=divide(totals[:, 1], totals[:, 0]),
        over=totals[:, 2],
        rate=divide(totals[:, 2], totals[:, 0]),
        low=low,
        high=high,
    )
