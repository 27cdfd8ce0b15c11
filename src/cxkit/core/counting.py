"""How often each code occurs."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray

__all__ = ["count_codes"]

_CHUNK: Final = 1 << 16
"""Codes that are widened to 64 bits at once, so that they stay in the cache."""


def count_codes(codes: NDArray[Any], slots: int) -> IntArray:
    """(slots,) how often each code occurs.

    Codes of one byte are counted two at a time: half as many to widen to 64 bits.

    Example:
        >>> count_codes(np.array([0, 2, 2], np.uint8), 3).tolist()
        [1, 0, 2]
    """
    counts = np.zeros(slots, np.int64)
    odd = len(codes) % 2
    if codes.dtype == np.uint8 and len(codes) > _CHUNK and codes.flags.c_contiguous:
        counts[codes[:odd]] += 1
        pairs = np.zeros(1 << 16, np.int64)
        both = codes[odd:].view(np.uint8)
        both = both[: len(both) // 2 * 2]
        wide = np.frombuffer(both, np.uint16)
        for start in range(0, len(wide), 2 * _CHUNK):
            pairs += np.bincount(wide[start : start + 2 * _CHUNK], minlength=1 << 16)
        table = pairs.reshape(256, 256)
        return np.asarray(counts + (table.sum(axis=0) + table.sum(axis=1))[:slots])
    for start in range(0, len(codes), _CHUNK):
        counts += np.bincount(codes[start : start + _CHUNK], minlength=slots)
    return counts
