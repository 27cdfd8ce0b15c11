"""Where journeys are cut anew: by pauses, by conversions, by what is kept of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.ragged import per_row
from cxkit.core.rows import in_row_parts, pieces

if TYPE_CHECKING:
    from cxkit.model.journeys import Journeys

__all__ = ["kept_rows", "recent", "session_starts", "starts_after"]


def session_starts(journeys: Journeys, gap: int) -> NDArray[np.bool_]:
    """(E,) whether the pause before a touchpoint is longer than ``gap`` microseconds.

    Journeys begin sessions too, but are not marked here for that.
    """
    ticks = journeys.time.view(np.int64)
    starts = np.ones(len(ticks), dtype=bool)

    def part(begin: int, end: int) -> None:
        for first, last in pieces(max(begin, 1), end):
            np.greater(ticks[first:last] - ticks[first - 1 : last - 1], gap, out=starts[first:last])

    in_row_parts(part, len(ticks))
    return starts


def starts_after(ends: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(E,) whether the row before is an end.

    Example:
        >>> starts_after(np.array([True, False, True])).tolist()
        [False, True, False]
    """
    starts = np.zeros(len(ends), dtype=bool)
    starts[1:] = ends[:-1]
    return starts


def recent(journeys: Journeys, span: int) -> NDArray[np.bool_]:
    """(E,) whether a touchpoint is at most ``span`` microseconds older than its journey's last."""
    ticks = journeys.time.view(np.int64)
    earliest = ticks[journeys.offsets[1:] - 1] - span
    return np.asarray(ticks >= per_row(earliest, journeys.offsets))


def kept_rows(offsets: IntArray, keep: NDArray[np.bool_]) -> tuple[IntArray, IntArray, IntArray]:
    """The rows that stay, the offsets over them, and the journeys that keep any.

    Example:
        >>> [x.tolist() for x in kept_rows(np.array([0, 2, 3]), np.array([False, False, True]))]
        [[2], [0, 1], [1]]
    """
    rows = np.flatnonzero(keep)
    of = np.searchsorted(offsets, rows, side="right") - 1
    first = np.ones(len(rows), dtype=bool)
    np.not_equal(of[1:], of[:-1], out=first[1:])
    return rows, np.append(np.flatnonzero(first), len(rows)), of[first]
