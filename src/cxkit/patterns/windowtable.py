"""What tumbling windows give: counts per window and label, and each label's share of its window."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.codes import Codes, Label
from cxkit.core.intervals import FEWEST_SHARDS, jackknife_error
from cxkit.core.result import Result
from cxkit.core.summary import SHARDS

__all__ = ["WindowTable", "first_of_runs", "shares_of_windows"]

_CELLS: Final = 4096  # so many cells' shares without each shard are held at once


@attrs.frozen(eq=False, repr=False, kw_only=True)
class WindowTable(Result):
    """Touchpoints in tumbling windows by label: one row for each in which something happened.

    Attributes:
        every: How long a window is.
        by: The column that was counted by.
        window: (n,) datetime64[us], UTC: when the window begins.
        label: (n,) codes: the label.
        touchpoints: (n,) how many.
        value: (n,) the sum of their values, NaN left out.
        share: (n,) of the touchpoints of the window.
        share_low: (n,) low end of its interval (delete-a-group jackknife over the customers'
            shards); NaN where the window has too few customers: in fewer than 10 shards.
        share_high: (n,) high end.
    """

    every: str
    by: str
    window: NDArray[np.datetime64] = attrs.field(converter=freeze)
    label: Codes
    touchpoints: IntArray = attrs.field(converter=freeze)
    value: NDArray[np.float64] = attrs.field(converter=freeze)
    share: NDArray[np.float64] = attrs.field(converter=freeze)
    share_low: NDArray[np.float64] = attrs.field(converter=freeze)
    share_high: NDArray[np.float64] = attrs.field(converter=freeze)

    def __len__(self) -> int:
        """How many rows."""
        return len(self.window)

    def columns(self) -> Mapping[str, Any]:
        """One row per window and label."""
        names = ("touchpoints", "value", "share", "share_low", "share_high")
        labels: list[Label | None] = self.label.to_list()
        return {
            "window": self.window,
            self.by: labels,
            **{name: getattr(self, name) for name in names},
        }

    def title(self) -> str:
        """How long windows are."""
        return f"touchpoints every {self.every} by {self.by}"


def shares_of_windows(
    count: NDArray[np.float64],
    window: IntArray,
    cell: IntArray,
    shard: NDArray[np.uint8],
    touchpoints: IntArray,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The share of each cell in its window, and its standard error by the jackknife.

    Args:
        count: (n,) the touchpoints of each cell.
        window: (n,) the window of each cell, in order.
        cell: (R,) the cell of each row of the summary, in order.
        shard: (R,) its shard.
        touchpoints: (R,) its touchpoints.

    Returns:
        (n,) shares and (n,) standard errors; NaN where fewer than FEWEST_SHARDS shards hold a
        touchpoint of the window, for of a handful nothing may vary by chance, and seem certain.
    """
    occupied = np.zeros(SHARDS, dtype=bool)
    occupied[shard] = True
    cuts = np.append(first_of_runs(window), len(window))  # the cells of each window
    windows = len(cuts) - 1
    place = np.repeat(np.arange(windows), np.diff(cuts))
    whole = np.bincount(place, count, windows)[place]
    error, w0 = np.empty(len(count)), 0
    while w0 < windows:  # whole windows at a time: 64 shares of every cell take room
        w1 = max(int(np.searchsorted(cuts, cuts[w0] + _CELLS, side="right")) - 1, w0 + 1)
        c0, c1 = int(cuts[w0]), int(cuts[w1])
        rows = slice(*np.searchsorted(cell, [c0, c1]).tolist())
        part = np.zeros((SHARDS, c1 - c0))
        part[shard[rows], cell[rows] - c0] = touchpoints[rows]
        among = np.add.reduceat(part, cuts[w0:w1] - c0, axis=1)[:, place[c0:c1] - w0]
        with np.errstate(invalid="ignore"):
            without = (count[c0:c1] - part) / (whole[c0:c1] - among)
        few = np.count_nonzero(among, axis=0) < FEWEST_SHARDS
        error[c0:c1] = np.where(few, np.nan, jackknife_error(without, occupied))
        w0 = w1
    return count / whole, error


def first_of_runs(*columns: NDArray[Any]) -> IntArray:
    """Where a row differs from the one before in any of the columns."""
    begins = np.ones(len(columns[0]), dtype=bool)
    if len(begins):
        begins[1:] = False
    for column in columns:
        begins[1:] |= column[1:] != column[:-1]
    return np.flatnonzero(begins)
