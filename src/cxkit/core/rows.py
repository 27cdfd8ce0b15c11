"""Rows in equal parts, one to a thread, and each part in pieces that stay in the cache.

For work that goes row by row and knows nothing of journeys; :mod:`cxkit.core.threads` has the parts
that end where journeys end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from cxkit.core import threads
from cxkit.core.arrays import IntArray

__all__ = ["PIECE", "gather", "in_row_parts", "part_bounds", "pieces"]

PIECE: Final = 131_072
"""Rows that are worked on at once: few enough for the cache, and so many that two threads seldom
wait for each other between two steps."""
_LARGEST_KEPT: Final = 31 << 20

ResultT = TypeVar("ResultT")


def _keep_freed_memory() -> None:
    """Have the C library keep freed blocks the size of a piece, in place of returning them.

    Memory that went back to the system comes anew page by page, which can take longer than the
    work on it. glibc keeps what is smaller than the largest block that was ever freed, up to 32 MB.
    This one is never touched, and so costs nothing; other libraries take no notice.
    """
    np.empty(_LARGEST_KEPT, np.uint8)


_keep_freed_memory()


def part_bounds(rows: int) -> list[int]:
    """Where the parts begin, and where the last one ends: one part where there are few rows.

    Example:
        >>> part_bounds(1000)
        [0, 1000]
    """
    count = threads.threads() if rows >= threads.FEWEST_ROWS else 1
    return sorted({rows * part // count for part in range(count + 1)})


def in_row_parts(work: Callable[[int, int], ResultT], rows: int) -> list[ResultT]:
    """Call ``work(first, last + 1)`` for each part, side by side; what they gave, in order."""
    parts = [partial(work, *bounds) for bounds in pairwise(part_bounds(rows))]
    return threads.side_by_side(parts, rows=rows)


def pieces(begin: int, end: int) -> Iterator[tuple[int, int]]:
    """The rows ``begin:end``, about :data:`PIECE` at a time.

    Example:
        >>> list(pieces(5, 9))
        [(5, 9)]
    """
    for first in range(begin, end, PIECE):
        yield first, min(first + PIECE, end)


def gather(values: NDArray[Any], rows: IntArray) -> NDArray[Any]:
    """``values[rows]`` for rows that are known to be in range.

    Example:
        >>> gather(np.array([5, 6, 7]), np.array([2, 0])).tolist()
        [7, 5]
    """
    out = np.empty(len(rows), values.dtype)

    def part(begin: int, end: int) -> None:
        # mode="clip" skips the check of every index, and the copy that the check would need.
        np.take(values, rows[begin:end], mode="clip", out=out[begin:end])

    in_row_parts(part, len(rows))
    return out
