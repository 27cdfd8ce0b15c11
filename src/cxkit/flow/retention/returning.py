"""Which journeys came back in which bracket of time, and for which the bracket was over."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.periods import ROLLING, local_days, period_begins_us, period_of_days
from cxkit.core.ragged import chunks
from cxkit.core.threads import in_parts
from cxkit.flow.retention.retention import Retention
from cxkit.model.journeys import Journeys

__all__ = ["brackets_over", "brackets_returned", "flags_summed"]


def brackets_over(
    retention: Retention, starts: IntArray, days: IntArray, end: int
) -> NDArray[np.bool_]:
    """(n, B) whether the bracket of a journey was over when the data ended."""
    edges = np.array(retention.brackets[1:], np.int64)
    if retention.clock == "rolling":
        return starts[:, np.newaxis] + edges * ROLLING[retention.every] <= end
    period = period_of_days(days, retention.every)
    known, place = np.unique(period, return_inverse=True)
    # What ends long after the data does need not have a date at all.
    after = period_of_days(local_days(np.array([end]), retention.tz), retention.every) + 2
    last = np.minimum(known[:, np.newaxis] + edges, after)
    begins = period_begins_us(last.ravel(), retention.every, retention.tz)
    return (begins.reshape(last.shape) <= end)[place]


def brackets_returned(
    retention: Retention,
    journeys: Journeys,
    begun: IntArray,
    start: IntArray,
    days: IntArray,
    end: int,
) -> NDArray[np.bool_]:
    """(n, B) whether a journey came back in a bracket."""
    times, brackets = journeys.time.view(np.int64), len(retention.brackets) - 1
    rolling = retention.clock == "rolling"
    since = np.full(len(journeys), np.iinfo(np.int64).max)  # the row of the start, and its age 0
    origin = np.zeros(len(journeys), np.int64)
    place = np.zeros(len(journeys), np.int64)
    since[begun], place[begun] = start, np.arange(len(begun))
    origin[begun] = times[start] if rolling else period_of_days(days, retention.every)
    on = times if rolling else period_of_days(local_days(times, retention.tz), retention.every)
    backs = None if retention.back is None else retention.back.matches(journeys)
    # Which bracket each age is in: one more than it, and 0 for none.
    oldest = retention.brackets[-1]
    bracket = np.searchsorted(np.array(retention.brackets), np.arange(oldest + 1), side="right")
    if not retention.unbounded:
        bracket[oldest] = 0
    bracket = np.minimum(bracket, brackets)
    out = np.zeros((len(begun), brackets), dtype=bool)
    flat = out.reshape(-1)

    def part(first: int, last: int) -> None:
        for j0, j1, e0, e1 in chunks(journeys.offsets, within=(first, last)):
            size = np.diff(journeys.offsets[j0 : j1 + 1])
            later = np.arange(e0, e1) > np.repeat(since[j0:j1], size)
            later &= times[e0:e1] < end
            if backs is not None:
                later &= backs[e0:e1]
            age = on[e0:e1] - np.repeat(origin[j0:j1], size)
            if rolling:
                age //= ROLLING[retention.every]
            found = np.take(bracket, age, mode="clip")
            later &= found > 0
            cell = np.repeat(place[j0:j1] * brackets - 1, size)
            cell += found
            flat[cell[later]] = True

    in_parts(part, journeys.offsets)
    if retention.unbounded:
        np.logical_or.accumulate(out[:, ::-1], axis=1, out=out[:, ::-1])
    return out


def flags_summed(flags: NDArray[np.bool_], cell: IntArray, cells: int) -> IntArray:
    """(cells, B) how many flags of each cell are set."""
    columns = [np.bincount(cell[column], minlength=cells) for column in flags.T]
    return np.stack(columns, axis=1).astype(np.int64)
