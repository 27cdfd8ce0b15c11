"""Windows of time within segments: how much of the recent past there is at each row.

A window of ``span`` at a row holds the rows of its segment that came less than ``span`` before it,
and the row itself: of two rows exactly one day apart, neither is in the other's window of a day.
Times ascend within a segment; rows of the same time stand in an order of their own, and a window
ends with its row.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.ragged import chunks, per_row
from cxkit.core.rows import PIECE
from cxkit.core.threads import in_parts

__all__ = ["after_cooldown", "rolling_count", "rolling_sum", "window_starts"]

_LONGEST: Final = 1 << 60
_NEAR: Final = 12  # so far back a look is faster than a search
_REST: Final = 6  # one row in 2 ** so many is searched for at once
_FEW: Final = 16  # so many runs are faster one by one than step by step


def window_starts(ticks: IntArray, offsets: IntArray, span: int) -> IntArray:
    """(E,) the first row in the window of each row.

    Args:
        ticks: (E,) times, ascending within each segment.
        offsets: (J + 1,) segments.
        span: How long a window is, in the unit of the times; above 0.

    Example:
        >>> window_starts(np.array([0, 3, 5, 5]), np.array([0, 4]), span=5).tolist()
        [0, 0, 1, 1]
    """
    out = np.empty(len(ticks), np.int64)

    def part(begin: int, end: int) -> None:
        for j0, j1, _, _ in chunks(offsets, PIECE, within=(begin, end)):
            for first, last in _that_fit(ticks, offsets, j0, j1, span):
                b, e = int(offsets[first]), int(offsets[last])
                line, width = _one_line(ticks, offsets[first : last + 1], span)
                np.add(_begins(line, width), b, out=out[b:e])

    in_parts(part, offsets)
    return out


def rolling_count(ticks: IntArray, offsets: IntArray, span: int) -> IntArray:
    """(E,) how many rows are in the window of each row, itself among them.

    Args:
        ticks: (E,) times, ascending within each segment.
        offsets: (J + 1,) segments.
        span: How long a window is, in the unit of the times; above 0.

    Example:
        >>> rolling_count(np.array([0, 3, 5, 5]), np.array([0, 4]), span=5).tolist()
        [1, 2, 2, 3]
    """
    count = window_starts(ticks, offsets, span)
    np.subtract(np.arange(1, len(ticks) + 1), count, out=count)
    return count


def rolling_sum(values: NDArray[Any], ticks: IntArray, offsets: IntArray, span: int) -> IntArray:
    """(E,) the sum of whole numbers over the window of each row, exactly.

    Args:
        values: (E,) whole numbers or flags.
        ticks: (E,) times, ascending within each segment.
        offsets: (J + 1,) segments.
        span: How long a window is, in the unit of the times; above 0.

    Example:
        >>> rolling_sum(np.array([1, 2, 4]), np.array([0, 3, 5]), np.array([0, 3]), 5).tolist()
        [1, 3, 6]
    """
    before = np.zeros(len(values) + 1, np.int64)
    np.cumsum(values, out=before[1:])
    return before[1:] - before[window_starts(ticks, offsets, span)]


def after_cooldown(ticks: IntArray, offsets: IntArray, span: int) -> NDArray[np.bool_]:
    """(E,) the rows that count where a row that counts keeps others from counting for ``span``.

    The first row of a segment counts, then each that comes ``span`` or more after the last one that
    counted.

    Args:
        ticks: (E,) times, ascending within each segment.
        offsets: (J + 1,) segments.
        span: How long a row keeps others from counting, in the unit of the times; above 0.

    Example:
        >>> after_cooldown(np.array([0, 3, 5, 6, 9, 10]), np.array([0, 6]), span=5).tolist()
        [True, False, True, False, False, True]
    """
    counts = np.empty(len(ticks), dtype=bool)

    def part(begin: int, end: int) -> None:
        for j0, j1, e0, e1 in chunks(offsets, PIECE, within=(begin, end)):
            # A row that comes so long after the one before it counts, whatever counted before. It
            # begins a run; only runs that last for the span can hold another row that counts.
            here, ticking = counts[e0:e1], ticks[e0:e1]
            here[0] = True
            np.greater_equal(ticking[1:] - ticking[:-1], span, out=here[1:])
            here[offsets[j0:j1] - e0] = True
            begins = np.flatnonzero(here)
            ends = np.append(begins[1:], e1 - e0)
            long = ticking[ends - 1] - ticking[begins] >= span
            _count_on(ticking, begins[long], ends[long], span, here)

    in_parts(part, offsets)
    return counts


def _count_on(
    ticks: IntArray, at: IntArray, ends: IntArray, span: int, counts: NDArray[np.bool_]
) -> None:
    """Mark the rows that count after the rows ``at``, in runs that end before ``ends``."""
    while len(at) > _FEW:
        low, high, due = at + 1, ends.copy(), ticks[at] + span
        while (open_ := low < high).any():  # bisection, all runs at once
            middle = (low + high) >> 1
            early = open_ & (ticks[np.minimum(middle, len(ticks) - 1)] < due)
            low = np.where(early, middle + 1, low)
            high = np.where(open_ & ~early, middle, high)
        found = low < ends
        at, ends = low[found], ends[found]
        counts[at] = True
    for first, end in zip(at.tolist(), ends.tolist(), strict=True):  # long runs, one by one
        times = ticks[first:end].tolist()
        here = 0
        while (here := bisect_left(times, times[here] + span, here + 1)) < len(times):
            counts[first + here] = True


def _begins(line: IntArray, width: int) -> IntArray:
    """(n,) the first of all rows on one line that is less than ``width`` before each."""
    low = line - width
    # Most windows hold a few rows: those are counted, all at once, by looking ever further back.
    before = np.zeros(len(line), np.uint8)
    near, back = np.zeros(0, dtype=bool), 0
    while back < min(_NEAR, len(line) - 1):
        back += 1
        near = line[:-back] > low[back:]
        before[back:] += near.view(np.uint8)
        if np.count_nonzero(near) <= len(line) >> _REST:
            break
    begins = np.arange(len(line)) - before
    rest = np.flatnonzero(near) + back
    begins[rest] = np.searchsorted(line, low[rest], side="right")
    return begins


def _that_fit(
    ticks: IntArray, offsets: IntArray, j0: int, j1: int, span: int
) -> Iterator[tuple[int, int]]:
    """The segments ``j0:j1`` in runs whose times fit one line of 60 bits."""
    lasting = ticks[offsets[j0 + 1 : j1 + 1] - 1] - ticks[offsets[j0:j1]]
    longest = int(lasting.max()) + 1
    at_once = max(_LONGEST // (longest + min(span, longest) + 1), 1)
    for first in range(j0, j1, at_once):
        yield first, min(first + at_once, j1)


def _one_line(ticks: IntArray, offsets: IntArray, span: int) -> tuple[IntArray, int]:
    """Times of all segments on one ascending line, segments more than a window apart."""
    begins = ticks[offsets[:-1]]
    lasting = ticks[offsets[1:] - 1] - begins
    width = min(span, int(lasting.max()) + 1)
    start = np.zeros(len(begins), np.int64)
    np.cumsum(lasting[:-1] + width, out=start[1:])
    line = per_row(start - begins, offsets)
    line += ticks[offsets[0] : offsets[-1]]
    return line, width
