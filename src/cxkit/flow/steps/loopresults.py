"""What loops look like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.codes import Label
from cxkit.core.intervals import divide
from cxkit.core.result import Result
from cxkit.flow.paths import cut_path, few_customers, show_path

__all__ = ["LoopTable"]


@attrs.frozen(eq=False, repr=False, kw_only=True)
class LoopTable(Result):
    """Loops and what they cost: one row each, those that took the longest in all first.

    Attributes:
        by: The column.
        paths: The labels of each loop.
        loops: (L,) how often.
        journeys: (L,) journeys that go through it.
        share: (L,) of all journeys.
        share_low: (L,) low end of its interval; NaN for too few customers.
        share_high: (L,) high end.
        touchpoints: (L,) steps of all these loops.
        seconds: (L,) from leaving the label to being back, of all these loops.
        total_loops: Loops, listed or not.
        total_journeys: Journeys in all.
        looping: Journeys with any loop.
        looping_low: Low end of the interval of their share.
        looping_high: High end.
        total_touchpoints: Touchpoints in all.
        returns: Touchpoints that are not the first of their journey with their label.
        total_seconds: How long all journeys last.
        return_seconds: How long they stay at returns, until the next touchpoint.
    """

    by: str
    paths: tuple[tuple[Label | None, ...], ...]
    loops: IntArray = attrs.field(converter=freeze)
    journeys: IntArray = attrs.field(converter=freeze)
    share: NDArray[np.float64] = attrs.field(converter=freeze)
    share_low: NDArray[np.float64] = attrs.field(converter=freeze)
    share_high: NDArray[np.float64] = attrs.field(converter=freeze)
    touchpoints: IntArray = attrs.field(converter=freeze)
    seconds: NDArray[np.float64] = attrs.field(converter=freeze)
    total_loops: int
    total_journeys: int
    looping: int
    looping_low: float
    looping_high: float
    total_touchpoints: int
    returns: int
    total_seconds: float
    return_seconds: float

    def columns(self) -> Mapping[str, Any]:
        """One row per loop."""
        return {
            "loop": [show_path(cut_path(path)) for path in self.paths],
            "loops": self.loops,
            "journeys": self.journeys,
            "share": self.share,
            "share_low": self.share_low,
            "share_high": self.share_high,
            "touchpoints": self.touchpoints,
            "seconds": self.seconds,
        }

    def title(self) -> str:
        """How many journeys come back, and what share of touches that is."""
        return (
            f"loops by {self.by}: {self.looping:,} of {self.total_journeys:,} journeys, "
            f"{self.returns:,} of {self.total_touchpoints:,} touchpoints are returns"
        )

    def notes(self) -> tuple[str, ...]:
        """What is not listed, and what does not add up."""
        hidden = self.total_loops - int(self.loops.sum())
        time = divide(self.return_seconds, self.total_seconds)
        told = f"time at returns: {float(time):.3f} of all" if self.total_seconds else ""
        other = f"other: {hidden:,} loops" if hidden else ""
        notes = (told, other, "loops overlap: their seconds do not add up")
        return (*(note for note in notes if note), *few_customers(self.share_low))
