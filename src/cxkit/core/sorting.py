"""The packed-key sort: rows by (code, time, input order).

Sorting values is several times faster than sorting positions (``argsort``) or columns
(``lexsort``). So code, time and row number are packed into one 64-bit key, high to low, and the
keys are sorted; the low bits then hold the permutation, and make the sort stable. Where the three
do not fit, the low bits of the time are left out, and the few rows that this leaves in the wrong
order are put right in a second sort.

No two keys are equal, so there is one sorted order of them, however many threads sort: the keys are
parted about their quantiles first, and each thread sorts its part where it lies.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.rows import in_row_parts, part_bounds, pieces
from cxkit.core.threads import side_by_side
from cxkit.errors import DataError

__all__ = ["SortedRows", "is_sorted", "order_by_code_and_time", "sort_keys", "sort_rows"]

Keys = NDArray[np.uint64]


class SortedRows(NamedTuple):
    """Rows by code, then time, then input order.

    Attributes:
        order: (E,) the permutation that sorts the rows; ``None`` when they are sorted already.
        times: (E,) the times in that order.
        starts: (C,) where each code that occurs begins.
    """

    order: IntArray | None
    times: IntArray
    starts: IntArray


def is_sorted(codes: NDArray[Any], times: IntArray) -> bool:
    """Whether rows are in order of (code, time) already; stops at the first that is not."""
    for start, stop in pieces(0, max(len(codes) - 1, 0)):
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

    Raises:
        DataError: There are more rows and codes than a key has bits for: 2^32 of each fit.

    Example:
        >>> order, _ = order_by_code_and_time(np.array([1, 0, 1], np.uint8), np.array([5, 9, 2]))
        >>> order.tolist()
        [1, 2, 0]
    """
    found = sort_rows(codes, times)
    return found.order, found.times


def sort_rows(codes: NDArray[Any], times: IntArray) -> SortedRows:
    """Sort rows by code, then time, then input order, and find where each code begins.

    Args:
        codes: (E,) unsigned integers.
        times: (E,) int64, of any range.

    Raises:
        DataError: There are more rows and codes than a key has bits for: 2^32 of each fit.

    Example:
        >>> found = sort_rows(np.array([1, 0, 1], np.uint8), np.array([5, 9, 2]))
        >>> found.times.tolist(), found.starts.tolist()
        ([9, 2, 5], [0, 1])
    """
    if is_sorted(codes, times):
        return SortedRows(None, times, _starts(codes))
    layout = _Layout.of(codes, times)
    keys = np.empty(layout.rows, np.uint64)
    if not _pack(keys, layout, codes, times):
        # Not all rows have times as coarse as the sample did.
        layout = layout.with_unit(1)
        _pack(keys, layout, codes, times)
    sort_keys(keys)
    return _unpack(layout, keys, times)


def _starts(codes: NDArray[Any]) -> IntArray:
    """Where each run of equal codes begins."""
    found = [np.zeros(min(len(codes), 1), np.int64)]
    for first, last in pieces(1, len(codes)):
        found.append(np.flatnonzero(codes[first:last] != codes[first - 1 : last - 1]) + first)
    return np.concatenate(found)


class _Layout(NamedTuple):
    """Where in a key the code, the time and the row number lie."""

    rows: int
    code_bits: int
    low: int
    high: int
    unit: int

    @classmethod
    def of(cls, codes: NDArray[Any], times: IntArray) -> Self:
        low, high = int(times.min()), int(times.max())
        layout = cls(len(codes), int(codes.max()).bit_length(), low, high, 1)
        _refuse_too_many(layout)
        if not layout.dropped:
            return layout
        # Most logs are kept to the second: without the zeros of the microseconds they fit.
        sample = times[:: max(len(times) // 1000, 1)]
        unit = int(np.gcd.reduce(sample.astype(np.uint64) - np.uint64(low % 2**64)))
        return layout.with_unit(max(unit, 1))

    def with_unit(self, unit: int) -> Self:
        return self._replace(unit=unit)

    @property
    def row_bits(self) -> int:
        return (self.rows - 1).bit_length()

    @property
    def time_bits(self) -> int:
        """Bits of the time that are in the key."""
        return min(self._whole_time_bits, 64 - self.row_bits - self.code_bits)

    @property
    def dropped(self) -> int:
        """Low bits of the time that are not in the key."""
        return self._whole_time_bits - self.time_bits

    @property
    def _whole_time_bits(self) -> int:
        return ((self.high - self.low) // self.unit).bit_length()


def _refuse_too_many(layout: _Layout) -> None:
    if layout.row_bits + layout.code_bits > 64:
        raise DataError(
            f"{layout.rows:,} touchpoints of up to {1 << layout.code_bits:,} customers are too "
            "many for one sort; build one Journeys per group of customers, and add the summaries"
        )


def _pack(keys: Keys, layout: _Layout, codes: NDArray[Any], times: IntArray) -> bool:
    """Write the keys of all rows; false if a time is no multiple of the unit."""
    # An unsigned difference wraps around rightly, whatever the range of the times.
    low, unit = np.uint64(layout.low % 2**64), np.uint64(layout.unit)
    dropped, time_bits = np.uint64(layout.dropped), np.uint64(layout.time_bits)
    row_bits = np.uint64(layout.row_bits)

    def part(begin: int, end: int) -> bool:
        for first, last in pieces(begin, end):
            key = keys[first:last]
            np.subtract(times[first:last].view(np.uint64), low, out=key)
            if unit > 1:
                whole = key // unit
                if (whole * unit != key).any():
                    return False
                key[:] = whole
            key >>= dropped
            wide = codes[first:last].astype(np.uint64)
            wide <<= time_bits
            key |= wide
            key <<= row_bits
            key |= np.arange(first, last, dtype=np.uint64)
        return True

    return all(in_row_parts(part, layout.rows))


def sort_keys(keys: Keys) -> None:
    """Sort numbers in place, in as many threads as pay.

    Args:
        keys: (n,) uint64, all different, so that there is one order of them.
    """
    cuts = part_bounds(len(keys))
    if len(cuts) > 2:
        keys.partition(cuts[1:-1])
    side_by_side([keys[a:b].sort for a, b in pairwise(cuts)], rows=len(keys))


class _Found(NamedTuple):
    """What one piece found: inside it, and at its ends."""

    first: int
    starts: IntArray
    wrong: IntArray
    codes: tuple[int, int]


def _unpack(layout: _Layout, keys: Keys, times: IntArray) -> SortedRows:
    """Read order, times and codes off sorted keys."""
    order = np.empty(layout.rows, np.int64)
    # Where the whole time is in the key, it takes the place of the key.
    ordered = np.empty(layout.rows, np.int64) if layout.dropped else keys.view(np.int64)
    row_bits, time_bits = np.uint64(layout.row_bits), np.uint64(layout.time_bits)
    row_mask = np.uint64((1 << layout.row_bits) - 1)
    time_mask = np.uint64((1 << layout.time_bits) - 1)
    unit, low = np.uint64(layout.unit), np.uint64(layout.low % 2**64)

    def part(begin: int, end: int) -> list[_Found]:
        found = []
        for first, last in pieces(begin, end):
            key = keys[first:last]
            rows = order[first:last]
            np.bitwise_and(key, row_mask, out=rows.view(np.uint64))
            key >>= row_bits
            code = key >> time_bits
            starts = np.flatnonzero(code[1:] != code[:-1]) + (first + 1)
            wrong = starts[:0]
            if layout.dropped:
                time = ordered[first:last]
                np.take(times, rows, mode="clip", out=time)
                wrong = np.flatnonzero((time[1:] < time[:-1]) & (key[1:] == key[:-1])) + first
            else:
                key &= time_mask
                if unit > 1:
                    key *= unit
                key += low
            found.append(_Found(first, starts, wrong, (int(code[0]), int(code[-1]))))
        return found

    found = [piece for some in in_row_parts(part, layout.rows) for piece in some]
    edges = [b.first for a, b in pairwise(found) if a.codes[1] != b.codes[0]]
    starts = np.concatenate([[0], edges, *(piece.starts for piece in found)]).astype(np.int64)
    starts.sort()
    if layout.dropped:
        last = np.array([piece.first for piece in found[1:]], np.int64) - 1
        crossing = (ordered[last + 1] < ordered[last]) & (keys[last + 1] == keys[last])
        wrong = np.concatenate([last[crossing], *(piece.wrong for piece in found)])
        _repair(keys, order, ordered, wrong)
    return SortedRows(order, ordered, starts)


def _repair(keys: Keys, order: IntArray, ordered: IntArray, wrong: IntArray) -> None:
    """Sort, in place, the runs of equal keys whose times came out in the wrong order."""
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
