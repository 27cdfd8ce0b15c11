"""Offsets algebra: segment sums, ranks, cuts and choices.

Segments (journeys, sessions) are kept as in Arrow's list type: segment ``j`` is the rows
``offsets[j]:offsets[j + 1]``. No segment is empty: ``np.add.reduceat`` would answer wrongly for it.

``np.add.reduceat`` is the one way in which cxkit sums a segment, because it gives the same bits
wherever a chunk or a thread begins, so that a sum over a part is the part of the sums.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.threads import in_parts

__all__ = [
    "CHUNK",
    "chunks",
    "cut_offsets",
    "lengths",
    "next_row",
    "per_row",
    "ranks",
    "segment_ids",
    "segment_max",
    "segment_min",
    "segment_sum",
    "take_codes",
    "take_segments",
]

CHUNK: Final = 65_536
"""Rows that are worked on at once: their temporaries stay in the second-level cache."""

ScalarT = TypeVar("ScalarT", bound=np.generic)


def lengths(offsets: IntArray) -> IntArray:
    """(J,) rows of each segment."""
    return np.diff(offsets)


def segment_ids(offsets: IntArray) -> IntArray:
    """(E,) the segment of each row."""
    return per_row(np.arange(len(offsets) - 1), offsets)


def ranks(offsets: IntArray) -> IntArray:
    """(E,) the position of each row in its segment, from 0."""
    found = per_row(-offsets[:-1], offsets)
    found += np.arange(len(found))
    return found


def per_row(values: NDArray[Any], offsets: IntArray) -> NDArray[Any]:
    """(E,) the value of its segment at each row.

    Whole numbers are summed up from their differences, wherever a segment begins: for segments of
    a few rows that takes less than half the time of ``np.repeat``.

    Args:
        values: (J,) of any dtype, which the answer has too.
        offsets: (J + 1,) segments, which may begin at any row.

    Example:
        >>> per_row(np.array([7, 5]), np.array([0, 2, 3])).tolist()
        [7, 7, 5]
    """
    if values.dtype.kind not in "iu" or values.dtype.itemsize == 1 or not len(values):
        return np.repeat(values, np.diff(offsets))
    low = int(offsets[0])
    out = np.empty(int(offsets[-1]) - low, values.dtype)

    def part(begin: int, end: int) -> None:
        for j0, j1, e0, e1 in chunks(offsets, within=(begin, end)):
            step = _steps(values[j0:j1], offsets[j0:j1] - e0, e1 - e0)
            np.cumsum(step, dtype=out.dtype, out=out[e0 - low : e1 - low])

    in_parts(part, offsets)
    return out


def _steps(values: NDArray[Any], first: NDArray[np.integer[Any]], rows: int) -> NDArray[Any]:
    """(rows,) whose sums so far are values, from the row ``first`` of each on."""
    step = np.zeros(rows, values.dtype)
    step[0] = values[0]
    # Differences may wrap around, and so may their sums: what comes out is right all the same.
    step[first[1:]] = values[1:] - values[:-1]
    return step


def segment_sum(values: NDArray[Any], offsets: IntArray) -> NDArray[Any]:
    """(J,) sum of each segment; NaN where a segment holds one.

    Example:
        >>> segment_sum(np.array([1.0, 2.0, 4.0]), np.array([0, 2, 3])).tolist()
        [3.0, 4.0]
    """
    return _reduce(np.add, values, offsets)


def segment_min(values: NDArray[Any], offsets: IntArray) -> NDArray[Any]:
    """(J,) smallest value of each segment."""
    return _reduce(np.minimum, values, offsets)


def segment_max(values: NDArray[Any], offsets: IntArray) -> NDArray[Any]:
    """(J,) largest value of each segment."""
    return _reduce(np.maximum, values, offsets)


def _reduce(how: np.ufunc, values: NDArray[Any], offsets: IntArray) -> NDArray[Any]:
    if len(offsets) == 1:  # reduceat refuses an empty list of starts
        return np.zeros(0, how.reduce(values[:0], initial=0).dtype)
    return np.asarray(how.reduceat(values, offsets[:-1]))


def chunks(
    offsets: IntArray, target: int = CHUNK, *, within: tuple[int, int] | None = None
) -> Iterator[tuple[int, int, int, int]]:
    """Whole segments, about ``target`` rows at a time.

    Args:
        offsets: (J + 1,) segments.
        target: How many rows a chunk should have.
        within: Only the segments from the first of these to before the second; all by default.

    Yields:
        ``(j0, j1, e0, e1)``: segments ``j0:j1`` are the rows ``e0:e1``. A segment longer than
        ``target`` comes alone.

    Example:
        >>> list(chunks(np.array([0, 2, 5, 6]), target=4))
        [(0, 1, 0, 2), (1, 3, 2, 6)]
    """
    begin, end = within or (0, len(offsets) - 1)
    if begin >= end:
        return
    starts = np.arange(offsets[begin], offsets[end], target)
    cuts = np.unique(np.searchsorted(offsets, starts, side="right") - 1)
    ends = np.append(cuts[1:], end)
    bounds = offsets[cuts].tolist(), offsets[ends].tolist()
    yield from zip(cuts.tolist(), ends.tolist(), *bounds, strict=True)


def cut_offsets(
    offsets: IntArray, starts: NDArray[np.bool_], values: NDArray[Any]
) -> tuple[IntArray, NDArray[Any]]:
    """Cut segments further, before every marked row.

    Args:
        offsets: (J + 1,) segments.
        starts: (E,) whether a new segment begins at the row; first rows begin one anyway.
        values: (J,) whole numbers, such as the customer of each segment.

    Returns:
        The new offsets, and for each new segment the value of the one that it was cut from.

    Example:
        >>> marked = np.array([False, False, True, False])
        >>> [x.tolist() for x in cut_offsets(np.array([0, 3, 4]), marked, np.array([7, 8]))]
        [[0, 2, 3, 4], [7, 7, 8]]
    """
    marked = np.empty(len(starts), dtype=bool)

    def mark(begin: int, end: int) -> list[tuple[int, int]]:
        found = []
        for j0, j1, e0, e1 in chunks(offsets, within=(begin, end)):
            here = marked[e0:e1]
            here[:] = starts[e0:e1]
            here[offsets[j0:j1] - e0] = True
            found.append((j0, int(np.count_nonzero(here))))
        return found

    # Chunks are known by the segment that they begin with: where each writes what it marked.
    place, total = {}, 0
    for j0, count in [piece for some in in_parts(mark, offsets) for piece in some]:
        place[j0] = slice(total, total := total + count)
    new = np.empty(total + 1, np.int64)
    new[-1] = offsets[-1]
    of = np.empty(total, values.dtype)

    def write(begin: int, end: int) -> None:
        for j0, j1, e0, e1 in chunks(offsets, within=(begin, end)):
            rows, at = np.flatnonzero(marked[e0:e1]), place[j0]
            np.add(rows, e0, out=new[at])
            # The first row of each segment is marked: there the value steps to the next one.
            so_far = np.cumsum(marked[e0:e1], dtype=np.int32)
            step = _steps(values[j0:j1], so_far[offsets[j0:j1] - e0] - 1, len(rows))
            np.cumsum(step, dtype=of.dtype, out=of[at])

    in_parts(write, offsets)
    return new, of


def take_segments(offsets: IntArray, which: NDArray[np.integer[Any]]) -> tuple[IntArray, IntArray]:
    """Choose segments in any order, repeats allowed.

    Returns:
        The new offsets, and the rows to take from the columns.

    Example:
        >>> [x.tolist() for x in take_segments(np.array([0, 2, 3]), np.array([1, 0]))]
        [[0, 1, 3], [2, 0, 1]]
    """
    new, shift = _chosen(offsets, which)
    rows = per_row(shift, new)
    rows += np.arange(len(rows))
    return new, rows


def take_codes(
    offsets: IntArray, codes: NDArray[Any], which: NDArray[np.integer[Any]]
) -> tuple[IntArray, NDArray[Any]]:
    """Choose segments of one column, a chunk at a time: without a list of all rows.

    Returns:
        The new offsets, and the column of the chosen segments.

    Example:
        >>> [x.tolist() for x in take_codes(np.array([0, 2, 3]), np.array([5, 6, 7]), [1, 0])]
        [[0, 1, 3], [7, 5, 6]]
    """
    new, shift = _chosen(offsets, which)
    out = np.empty(int(new[-1]), codes.dtype)

    def part(begin: int, end: int) -> None:
        for j0, j1, e0, e1 in chunks(new, within=(begin, end)):
            rows = per_row(shift[j0:j1], new[j0 : j1 + 1])
            rows += np.arange(e0, e1)
            np.take(codes, rows, mode="clip", out=out[e0:e1])

    in_parts(part, new)
    return new, out


def _chosen(offsets: IntArray, which: Any) -> tuple[IntArray, IntArray]:
    """The offsets of chosen segments, and how far each of them came from."""
    new = np.zeros(len(which) + 1, np.int64)
    np.cumsum(np.diff(offsets)[which], out=new[1:])
    return new, offsets[:-1][which] - new[:-1]


def next_row(rows: IntArray, begin: IntArray, end: IntArray) -> IntArray:
    """(S,) the first of some rows from ``begin`` on and before ``end``, -1 where there is none.

    Args:
        rows: (n,) rows, in order.
        begin: (S,) where to begin.
        end: (S,) before which row to end.

    Example:
        >>> next_row(np.array([3, 7]), np.array([2, 4, 8]), np.array([9, 6, 9])).tolist()
        [3, -1, -1]
    """
    padded = np.append(rows, np.iinfo(np.int64).max)
    found = padded[np.searchsorted(rows, begin)]
    return np.where(found < end, found, -1)
