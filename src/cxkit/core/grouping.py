"""Rows that are alike, found by a hash of 64 bits that is sorted with the row's number below it.

The number costs the hash its low bits, so rows of one group may still differ: whoever groups by
hash compares every row with the first of its group afterwards, and puts right what differs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.rows import in_row_parts, pieces
from cxkit.core.sorting import sort_keys

__all__ = ["group_by_hash"]


def group_by_hash(
    hashed: Callable[[int, int], NDArray[np.uint64]], rows: int
) -> tuple[IntArray, NDArray[Any]]:
    """Groups of rows whose hashes have equal leading bits, in order of those.

    Args:
        hashed: Gives the hashes of the rows from the first number to before the second.
        rows: How many rows there are, at least one.

    Returns:
        (G,) the first row of each group, and (rows,) unsigned, the group of each row.

    Example:
        >>> hashes = np.array([7 << 60, 1 << 60, 7 << 60], np.uint64)
        >>> [x.tolist() for x in group_by_hash(lambda a, b: hashes[a:b], 3)]
        [[1, 0], [1, 0, 1]]
    """
    mask = np.uint64((1 << (rows - 1).bit_length()) - 1)
    keys = np.empty(rows, np.uint64)

    def pack(begin: int, end: int) -> None:
        for first, last in pieces(begin, end):
            key = keys[first:last]
            np.bitwise_and(hashed(first, last), ~mask, out=key)
            key |= np.arange(first, last, dtype=np.uint64)

    in_row_parts(pack, rows)
    sort_keys(keys)

    def begins(begin: int, end: int) -> IntArray:
        found = [np.zeros(int(begin == 0), np.int64)]
        for first, last in pieces(max(begin, 1), end):
            other = (keys[first:last] ^ keys[first - 1 : last - 1]) > mask
            found.append(np.flatnonzero(other) + first)
        return np.concatenate(found)

    starts = np.concatenate(in_row_parts(begins, rows))
    group: NDArray[Any] = np.empty(rows, np.uint32 if rows < 2**32 else np.uint64)

    def number(begin: int, end: int) -> None:
        for first, last in pieces(begin, end):
            low, high = np.searchsorted(starts, [first, last])
            step = np.zeros(last - first, group.dtype)
            step[starts[low:high] - first] = 1
            step[0] = int(step[0]) + int(low) - 1
            np.cumsum(step, out=step)
            group[(keys[first:last] & mask).view(np.int64)] = step

    in_row_parts(number, rows)
    return (keys[starts] & mask).view(np.int64), group
