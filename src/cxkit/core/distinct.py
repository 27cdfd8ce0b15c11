"""How many different labels a segment holds, and which."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.ragged import chunks
from cxkit.core.rows import PIECE
from cxkit.core.threads import in_parts
from cxkit.errors import DefinitionError

__all__ = ["code_masks", "distinct_codes"]

_BITS: Final = 64
_NARROW: Final = 32
_FEW_ROWS: Final = 32  # on average, below which calls for every segment cost more than its rows
_LEVEL: Final = np.frexp(np.arange(1 << 12))[1].astype(np.int64) - 1  # the logarithm, rounded down


def code_masks(codes: NDArray[Any], offsets: IntArray, slots: int) -> NDArray[np.uint64]:
    """(J,) which of at most 64 codes each segment holds, one bit each: bit ``c`` is code ``c``.

    "Any of", "all of" and "none of" are then one operation on two masks.

    Args:
        codes: (E,) unsigned codes below ``slots``; one of ``slots`` itself or more has no bit.
        offsets: (J + 1,) segments.
        slots: How many codes there are, 64 at most.

    Raises:
        DefinitionError: There are more than 64.

    Example:
        >>> code_masks(np.array([0, 2, 1], np.uint8), np.array([0, 2, 3]), 3).tolist()
        [5, 2]
    """
    if slots > _BITS:
        raise DefinitionError(f"a mask has room for {_BITS} codes, not for {slots:,}")
    # Half as wide, twice as many at once. A bit beyond the last one of a number is none.
    kind = np.uint32 if slots <= _NARROW and codes.dtype.itemsize < 4 else np.uint64
    known = kind((1 << slots) - 1)
    out = np.empty(len(offsets) - 1, np.uint64)

    def part(begin: int, end: int) -> None:
        for j0, j1, e0, e1 in chunks(offsets, PIECE, within=(begin, end)):
            bits = codes[e0:e1].astype(kind)
            np.left_shift(kind(1), bits, out=bits)
            np.bitwise_and(_union(bits, offsets[j0 : j1 + 1] - e0), known, out=out[j0:j1])

    in_parts(part, offsets)
    return out


def _union(bits: NDArray[Any], offsets: IntArray) -> NDArray[Any]:
    """(J,) the bits of each segment together.

    A segment of n rows is two runs of ``2**k <= n`` rows, one from its beginning and one to its
    end: what they share does no harm. The runs from every row on are had from those half as long
    (a sparse table; Bender and Farach-Colton 2000, "The LCA problem revisited").
    """
    size = np.diff(offsets)
    longest = int(size.max())
    if longest >= len(_LEVEL) or len(bits) >= _FEW_ROWS * len(size):
        return np.asarray(np.bitwise_or.reduceat(bits, offsets[:-1]))
    runs = np.empty((longest.bit_length(), len(bits)), bits.dtype)
    runs[0] = bits
    for k in range(1, len(runs)):
        half, there = 1 << (k - 1), len(bits) - (1 << (k - 1))
        # Runs that reach beyond the last row are never asked for.
        np.bitwise_or(runs[k - 1, :there], runs[k - 1, half:], out=runs[k, :there])
    level = _LEVEL[size]
    at = level * len(bits)
    at += offsets[:-1]
    found = np.take(runs, at, mode="clip")
    at += size
    at -= np.left_shift(1, level)
    found |= np.take(runs, at, mode="clip")
    return found


def distinct_codes(codes: NDArray[Any], offsets: IntArray, slots: int) -> IntArray:
    """(J,) how many different codes each segment holds.

    Args:
        codes: (E,) unsigned codes; those of ``slots`` and above (missing) are not counted.
        offsets: (J + 1,) segments.
        slots: How many codes there are. Up to 64 a segment is one mask, above it is sorted.

    Example:
        >>> distinct_codes(np.array([0, 2, 0, 1], np.uint8), np.array([0, 3, 4]), 3).tolist()
        [2, 1]
    """
    if slots <= _BITS:
        return np.bitwise_count(code_masks(codes, offsets, slots)).astype(np.int64)
    out = np.empty(len(offsets) - 1, np.int64)

    def part(begin: int, end: int) -> None:
        for j0, j1, e0, e1 in chunks(offsets, PIECE, within=(begin, end)):
            # The segment stands above the code: one sort of values sorts within all segments.
            size = np.diff(offsets[j0 : j1 + 1])
            key = np.repeat(np.arange(j1 - j0, dtype=np.uint64) << np.uint64(40), size)
            key |= codes[e0:e1].astype(np.uint64)
            key.sort()
            new = np.ones(e1 - e0, dtype=bool)
            np.not_equal(key[1:], key[:-1], out=new[1:])
            new &= (key & np.uint64((1 << 40) - 1)) < np.uint64(slots)
            out[j0:j1] = np.add.reduceat(new, offsets[j0:j1] - e0, dtype=np.int64)

    in_parts(part, offsets)
    return out
