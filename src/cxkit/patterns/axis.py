"""One axis of time for many journeys, laid end to end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from cxkit.core.arrays import IntArray
from cxkit.core.ragged import chunks

__all__ = ["axis_chunks", "one_axis"]

_MOST: Final = 2.0**62


def one_axis(times: IntArray, offsets: IntArray) -> tuple[IntArray, IntArray]:
    """Lay journeys end to end, so that one sorted array holds the order of all of them.

    Args:
        times: (E,) microseconds, in order within each journey.
        offsets: (J + 1,) the journeys, at least one.

    Returns:
        (E,) places that never decrease, with the same differences within a journey, and (J,) the
        place of each journey's first row, two behind the last of the journey before.

    Example:
        >>> places, first = one_axis(np.array([5, 9, 1, 1]), np.array([0, 2, 4]))
        >>> places.tolist(), first.tolist()
        ([0, 4, 6, 6], [0, 6])
    """
    first = times[offsets[:-1]]
    length = times[offsets[1:] - 1] - first
    length += 2
    base = np.cumsum(length)
    base -= length
    return times + np.repeat(base - first, np.diff(offsets)), base


def axis_chunks(
    times: IntArray, offsets: IntArray, target: int, *, within: tuple[int, int] | None = None
) -> Iterator[tuple[int, int, int, int]]:
    """The chunks of :func:`~cxkit.core.ragged.chunks`, split where one axis would not hold them.

    64 bits of microseconds are 146,000 years: enough for any journey, not for any chunk of them.

    Args:
        times: (E,) microseconds, in order within each journey.
        offsets: (J + 1,) the journeys.
        target: How many rows a chunk should have.
        within: Only the segments from the first of these to before the second; all by default.

    Yields:
        ``(j0, j1, e0, e1)``: journeys ``j0:j1`` are the rows ``e0:e1``.
    """
    waiting = [(j0, j1) for j0, j1, _, _ in chunks(offsets, target, within=within)][::-1]
    while waiting:
        j0, j1 = waiting.pop()
        length = times[offsets[j0 + 1 : j1 + 1] - 1] - times[offsets[j0:j1]]
        if j1 - j0 > 1 and float(length.sum(dtype=np.float64)) > _MOST:
            middle = (j0 + j1) // 2
            waiting += [(middle, j1), (j0, middle)]
            continue
        yield j0, j1, int(offsets[j0]), int(offsets[j1])
