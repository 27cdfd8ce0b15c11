"""Whole numbers to codes and back: their distinct values, and tables looked up by code."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, smallest_unsigned
from cxkit.core.rows import in_row_parts, pieces
from cxkit.core.sorting import sort_rows
from cxkit.errors import DataError

__all__ = ["factorize", "translate", "used_numbers"]

_SMALL_TABLE: Final = 1 << 16


def factorize(values: NDArray[Any]) -> tuple[IntArray, NDArray[Any]]:
    """The distinct values, sorted, and the code of each row.

    Args:
        values: (E,) whole numbers, at least one.

    Returns:
        (K,) int64 labels, and (E,) codes of the smallest dtype that holds K.

    Raises:
        DataError: A number does not fit 64 bits with a sign.

    Example:
        >>> [x.tolist() for x in factorize(np.array([70, -5, 70]))]
        [[-5, 70], [1, 0, 1]]
    """
    low, high = int(values.min()), int(values.max())
    if not -(2**63) <= low <= high < 2**63:
        raise DataError(f"whole-number labels must fit 64 bits with sign; found {high}")
    span = high - low
    if span <= max(4 * len(values), _SMALL_TABLE):
        return _factorize_close(values, low, span)
    return _factorize_sparse(values.astype(np.int64, copy=False))


def _factorize_close(values: NDArray[Any], low: int, span: int) -> tuple[IntArray, NDArray[Any]]:
    """Numbers that lie close together: a table of flags finds the distinct ones in one pass."""
    used = used_numbers(values, span + 1, low=low)
    labels = np.flatnonzero(used) + low
    wide = smallest_unsigned(len(labels))
    table = None if len(labels) == span + 1 else (np.cumsum(used) - 1).astype(wide)
    codes = np.empty(len(values), wide)

    def part(begin: int, end: int) -> None:
        for first, last in pieces(begin, end):
            shifted = _above(values[first:last], low)
            if table is None:
                codes[first:last] = shifted
            else:
                np.take(table, shifted, mode="clip", out=codes[first:last])

    in_row_parts(part, len(values))
    return labels, codes


def _factorize_sparse(values: IntArray) -> tuple[IntArray, NDArray[Any]]:
    """Numbers far apart: the packed sort, in which they stand where times do elsewhere."""
    found = sort_rows(np.broadcast_to(np.uint8(0), values.shape), values)
    ordered, order = found.times, found.order

    def new_ones(begin: int, end: int) -> IntArray:
        # The first row of all has none before it, so a part begins with the row after it.
        at = [
            np.flatnonzero(ordered[first:last] != ordered[first - 1 : last - 1]) + first
            for first, last in pieces(max(begin, 1), end)
        ]
        return np.concatenate([np.zeros(int(begin == 0), np.int64), *at])

    starts = np.concatenate(in_row_parts(new_ones, len(values)))
    labels = ordered[starts]
    codes = np.empty(len(values), smallest_unsigned(len(labels)))

    def part(begin: int, end: int) -> None:
        for first, last in pieces(begin, end):
            k0, k1 = np.searchsorted(starts, [first, last])
            step = np.zeros(last - first, np.int64)
            step[starts[k0:k1] - first] = 1
            step[0] += k0 - 1
            code = np.cumsum(step, out=step)
            if order is None:
                codes[first:last] = code
            else:
                codes[order[first:last]] = code

    in_row_parts(part, len(values))
    return labels, codes


def used_numbers(
    values: NDArray[Any], size: int, *, low: int = 0, beyond: int = 0
) -> NDArray[np.bool_]:
    """(size,) which of the ``size`` numbers from ``low`` on occur; stops when all were seen.

    Args:
        values: (E,) whole numbers from ``low`` to before ``low + size + beyond``.
        size: How many numbers are looked for.
        low: The first of them.
        beyond: How many numbers after them may occur, but are not looked for.

    Example:
        >>> used_numbers(np.array([5, 7, 5]), 3, low=5).tolist()
        [True, False, True]
    """
    used = np.zeros(size + beyond, dtype=bool)
    looks = 0
    # In one thread: numpy does not let go of the interpreter while it sets values by index.
    for first, last in pieces(0, len(values)):
        used[_above(values[first:last], low)] = True
        looks += last - first
        if looks >= size:
            if used[:size].all():
                break
            looks = 0
    return used[:size]


def translate(codes: NDArray[Any], table: NDArray[Any]) -> NDArray[Any]:
    """``table[codes]`` for codes that are known to be in range.

    Example:
        >>> translate(np.array([1, 0, 1], np.uint8), np.array([7, 9])).tolist()
        [9, 7, 9]
    """
    out = np.empty(len(codes), table.dtype)

    def part(begin: int, end: int) -> None:
        for first, last in pieces(begin, end):
            np.take(table, codes[first:last], mode="clip", out=out[first:last])

    in_row_parts(part, len(codes))
    return out


def _above(values: NDArray[Any], low: int) -> IntArray:
    wide = values.astype(np.int64)
    wide -= low
    return wide
