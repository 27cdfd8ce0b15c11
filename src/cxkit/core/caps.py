"""At most so many of a kind in a period: which rows are within the cap."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.ragged import chunks
from cxkit.core.rows import PIECE
from cxkit.core.threads import in_parts

__all__ = ["within_caps"]

_KEY_BITS: Final = 63


def within_caps(
    codes: NDArray[Any], periods: NDArray[Any], offsets: IntArray, caps: NDArray[Any]
) -> NDArray[np.bool_]:
    """(E,) the rows that are among the first ``caps[code]`` of their code, segment and period.

    Args:
        codes: (E,) unsigned codes below K.
        periods: (E,) whole numbers that do not descend within a segment, such as days.
        offsets: (J + 1,) segments.
        caps: (K,) how many of each code count in a period; 0 or more. A huge one is no cap.

    Example:
        >>> codes, days = np.array([0, 0, 1, 0], np.uint8), np.array([1, 1, 1, 2])
        >>> within_caps(codes, days, np.array([0, 4]), np.array([1, 9])).tolist()
        [True, False, True, True]
    """
    keep = np.ones(len(codes), dtype=bool)
    if not len(codes):
        return keep
    least = int(caps.min())

    def part(begin: int, end: int) -> None:
        for j0, j1, e0, e1 in chunks(offsets, PIECE, within=(begin, end)):
            day, here = periods[e0:e1], codes[e0:e1]
            begins = np.empty(e1 - e0, dtype=bool)
            np.not_equal(day[1:], day[:-1], out=begins[1:])
            begins[offsets[j0:j1] - e0] = True
            first = np.flatnonzero(begins)
            size = np.diff(first, append=e1 - e0)
            full = np.flatnonzero(size > least)  # no other run can be over a cap
            if len(full):
                _drop(keep[e0:e1], here, first[full], size[full], caps)

    in_parts(part, offsets)
    return keep


def _drop(
    keep: NDArray[np.bool_],
    codes: NDArray[Any],
    first: IntArray,
    size: IntArray,
    caps: NDArray[Any],
) -> None:
    """Mark what is over the cap in the runs of ``size`` rows from ``first`` on."""
    ends = np.cumsum(size)
    rows = np.arange(ends[-1]) + np.repeat(first - (ends - size), size)
    run = np.repeat(np.arange(len(first)), size)
    code = codes[rows].astype(np.int64)
    row_bits, code_bits = int(rows[-1]).bit_length(), int(code.max()).bit_length()
    if row_bits + code_bits + len(first).bit_length() <= _KEY_BITS:
        key = ((run << code_bits | code) << row_bits) | rows
        key.sort()
        rows = key & ((1 << row_bits) - 1)
        key >>= row_bits
    else:  # one segment of very many rows
        order = np.lexsort((code, run))
        rows, key = rows[order], run[order] * len(caps) + code[order]
    begins = np.ones(len(key), dtype=bool)
    np.not_equal(key[1:], key[:-1], out=begins[1:])
    start = np.flatnonzero(begins)
    rank = np.arange(len(key)) - np.repeat(start, np.diff(start, append=len(key)))
    keep[rows[rank >= caps[codes[rows]]]] = False
