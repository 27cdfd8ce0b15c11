"""The packed-key sort: rows by (code, time, input order).

Sorting values is several times faster than sorting positions (``argsort``) or columns
(``lexsort``). So code, time and row number are packed into one 64-bit key, high to low, and the
keys are sorted; the low bits then hold the permutation, and make the sort stable. Where the three
do not fit, the low bits of the time are left out, and the few rows that this leaves in the wrong
order are put right in a second sort.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray

__all__ = ["is_sorted", "order_by_code_and_time"]

_BLOCK: Final = 1 << 20
_SECOND: Final = 1_000_000


def is_sorted(codes: NDArray[Any], times: IntArray) -> bool:
    """Whether rows are in order of (code, time) already; stops at the first that is not."""
    for start in range(0, max(len(codes) - 1, 0), _BLOCK):
        stop = min(start + _BLOCK, len(codes) - 1)
        left, right = codes[start:stop], codes[start + 1 : stop + 1]
        later = times[start:stop] <= times[start + 1 : stop + 1]
        if not bool(np.all((left < right) | ((left == right) & later))):
            return False
    return True


def order_by_code_and_time(
    codes: NDArray[Any], times: IntArray
) -> tuple[IntArray | None, IntArray]:
    """The permutation that sorts rows by code, then time, then input order.

    Args:
        codes: (E,) unsigned integers.
        times: (E,) int64 microseconds.

    Returns:
        ``(order, sorted_times)``; ``order`` is ``None`` when the rows are sorted already.

    Example:
        >>> order, _ = order_by_code_and_time(np.array([1, 0, 1], np.uint8), np.array([5, 9, 2]))
        >>> order.tolist()
        [1, 2, 0]
    """
    if is_sorted(codes, times):
        return None, times
    low = times.min()
    # Most logs are kept to the second; without the six zeros of the microseconds they fit.
    unit = _SECOND if _whole_seconds(times) else 1
    row_bits = (len(codes) - 1).bit_length()
    code_bits = int(codes.max()).bit_length()
    time_bits = int((times.max() - low) // unit).bit_length()
    dropped = max(0, row_bits + code_bits + time_bits - 64)
    keys = (times - low).view(np.uint64)
    if unit > 1:
        keys //= np.uint64(unit)
    keys >>= np.uint64(dropped)
    keys |= codes.astype(np.uint64) << np.uint64(time_bits - dropped)
    keys <<= np.uint64(row_bits)
    keys |= np.arange(len(codes), dtype=np.uint64)
    keys.sort()
    order = (keys & np.uint64((1 << row_bits) - 1)).view(np.int64)
    keys >>= np.uint64(row_bits)
    if not dropped:
        keys &= np.uint64((1 << time_bits) - 1)
        if unit > 1:
            keys *= np.uint64(unit)
        ordered = keys.view(np.int64)
        ordered += low
        return order, ordered
    ordered = np.take(times, order, mode="clip")
    _repair(keys, order, ordered)
    return order, ordered


def _whole_seconds(times: IntArray) -> bool:
    sample = times[:: max(len(times) // 1000, 1)]
    if (sample % _SECOND).any():
        return False
    return not any(
        bool((times[start : start + _BLOCK] % _SECOND).any())
        for start in range(0, len(times), _BLOCK)
    )


def _repair(keys: NDArray[np.uint64], order: IntArray, ordered: IntArray) -> None:
    """Sort, in place, the runs of equal keys whose times came out in the wrong order."""
    wrong = np.flatnonzero((ordered[1:] < ordered[:-1]) & (keys[1:] == keys[:-1]))
    if not len(wrong):
        return
    bad = np.unique(keys[wrong])
    starts = np.searchsorted(keys, bad, side="left")
    sizes = np.searchsorted(keys, bad, side="right") - starts
    ends = np.cumsum(sizes)
    at = np.arange(ends[-1]) + np.repeat(starts - (ends - sizes), sizes)
    run = np.repeat(np.arange(len(bad)), sizes)
    # Rows of a run stand in input order already, so a stable sort by time is all it takes.
    within = np.lexsort((ordered[at], run))
    order[at] = order[at[within]]
    ordered[at] = ordered[at[within]]
