"""Within each segment, row by row: the row before, and sums so far.

Segments are those of :mod:`cxkit.core.ragged`: rows ``offsets[j]:offsets[j + 1]``, none empty.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.ragged import chunks, per_row
from cxkit.core.rows import PIECE
from cxkit.core.threads import in_parts

__all__ = ["lag", "running_sum"]


def lag(values: NDArray[Any], offsets: IntArray, *, by: int = 1, fill: Any = 0) -> NDArray[Any]:
    """(E,) the value ``by`` rows earlier in the same segment.

    Args:
        values: (E,) of any dtype, which the answer has too.
        offsets: (J + 1,) segments.
        by: How many rows earlier, 1 or more.
        fill: What stands where the segment has no such row.

    Example:
        >>> lag(np.array([5, 6, 7, 8]), np.array([0, 3, 4]), fill=-1).tolist()
        [-1, 5, 6, -1]
    """
    out = np.empty_like(values)
    out[:by] = fill
    out[by:] = values[: max(len(values) - by, 0)]
    out[offsets[:-1]] = fill
    for step in range(1, by):
        rows = offsets[:-1] + step
        out[rows[rows < offsets[1:]]] = fill
    return out


def running_sum(values: NDArray[Any], offsets: IntArray) -> NDArray[Any]:
    """(E,) the sum of each segment up to and with each row.

    Whole numbers are exact. Floats are summed a few thousand rows at a time and a segment's sum so
    far is a difference of two of those, so that the last bits depend on the rows before it: for
    sums that must not, hold money in cents, or use :func:`~cxkit.core.recurrence.running_state`
    with all of the state kept.

    Args:
        values: (E,) numbers. Whole numbers and flags are summed as int64.
        offsets: (J + 1,) segments.

    Example:
        >>> running_sum(np.array([1, 2, 4]), np.array([0, 2, 3])).tolist()
        [1, 3, 4]
    """
    out = np.empty(len(values), np.float64 if values.dtype.kind == "f" else np.int64)

    def part(begin: int, end: int) -> None:
        for j0, j1, e0, e1 in chunks(offsets, PIECE, within=(begin, end)):
            here = out[e0:e1]
            np.cumsum(values[e0:e1], out=here)
            starts = offsets[j0 + 1 : j1] - e0
            base = np.zeros(j1 - j0, here.dtype)
            base[1:] = here[starts - 1]
            here -= per_row(base, offsets[j0 : j1 + 1])

    in_parts(part, offsets)
    return out
