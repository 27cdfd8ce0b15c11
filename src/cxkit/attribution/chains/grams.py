"""Grams: runs of touches and what comes before them on their path, counted.

A gram of order k is a label and the k labels before it on its path; where the path is not that
long yet, START stands in their place. Labels are codes below K, K is a missing label, and K + 1 is
START.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, smallest_unsigned
from cxkit.core.ragged import CHUNK, chunks
from cxkit.core.rows import PIECE
from cxkit.core.summary import SHARDS
from cxkit.core.threads import in_parts

__all__ = [
    "add_rows",
    "context_at",
    "count_grams",
    "grams_of_paths",
    "row_keys",
    "unpack_keys",
]

_FEW_BINS: Final = 1 << 16
_ROWS_PER_BIN: Final = 4
"""With more cells than that, grams are counted by sorting them."""
_MOST_KEYS: Final = 1 << 63


def count_grams(
    codes: NDArray[Any], offsets: IntArray, shard: NDArray[np.uint8], *, slots: int, order: int
) -> tuple[tuple[NDArray[Any], IntArray], tuple[NDArray[Any], IntArray]]:
    """Count the grams of paths, and those that end a path.

    Args:
        codes: (T,) the labels of the touches.
        offsets: (Q + 1,) the paths, none empty.
        shard: (T,) the shard of each touch.
        slots: K + 1.
        order: How many labels before the last one belong to a gram.

    Returns:
        The distinct rows ``(shard, k labels, label)`` in order, (S, k + 2), and how often each
        occurs; and the distinct ends of paths ``(shard, last k labels)``, (Z, k + 1), likewise.
    """
    base = slots + 1
    bins = SHARDS * base ** (order + 1)
    if bins >= _MOST_KEYS:
        return _count_by_columns(codes, offsets, shard, slots, order)
    narrow = smallest_unsigned(bins - 1).type
    read = partial(_keys, codes, offsets, shard, base, order, narrow)
    if bins <= max(_FEW_BINS, len(codes) // _ROWS_PER_BIN):
        parts = in_parts(partial(_count_part, read, offsets, bins), offsets)
        counts, last = (sum(arrays[1:], start=arrays[0]) for arrays in zip(*parts, strict=True))
        last = last.reshape(SHARDS, base, -1).sum(axis=1).ravel()
        found = [(np.flatnonzero(c), c[c > 0]) for c in (counts, last)]
    else:
        every = np.empty(len(codes), narrow)

        def fill(begin: int, end: int) -> NDArray[Any]:
            for _, _, e0, e1, keys in read(CHUNK, begin, end):
                every[e0:e1] = keys
            ends = every[offsets[begin + 1 : end + 1] - 1]
            every[offsets[begin] : offsets[end]].sort()
            return ends

        ends = np.concatenate([np.zeros(0, narrow), *in_parts(fill, offsets)])
        # Parts are sorted each: merging runs is what a stable sort does well.
        every.sort(kind="stable")
        contexts = narrow(base**order)
        ends = ends // (contexts * narrow(base)) * contexts + ends % contexts
        ends.sort()
        found = [_runs_of(every), _runs_of(ends)]
    (grams, steps), (ends, often) = found
    return (unpack_keys(grams, base, order + 2), steps), (
        unpack_keys(ends, base, order + 1),
        often,
    )


def _keys(
    codes: NDArray[Any],
    offsets: IntArray,
    shard: NDArray[np.uint8],
    base: int,
    order: int,
    narrow: Any,
    target: int,
    begin: int,
    end: int,
) -> Any:
    """The grams of whole paths as numbers, a chunk at a time: the shard is the first digit."""
    for j0, j1, e0, e1 in chunks(offsets, target, within=(begin, end)):
        starts = offsets[j0:j1] - e0
        here = codes[e0:e1].astype(narrow)
        before, last = [], here
        for _ in range(order):
            shifted = np.empty_like(last)
            shifted[1:] = last[:-1]
            shifted[starts] = base - 1
            before.append(shifted)
            last = shifted
        keys = shard[e0:e1].astype(narrow)
        for digit in (*before[::-1], here):
            keys *= narrow(base)
            keys += digit
        yield j0, j1, e0, e1, keys


def _count_part(
    read: Any, offsets: IntArray, bins: int, begin: int, end: int
) -> tuple[IntArray, IntArray]:
    """(bins,) how often each key occurs in paths ``begin:end``, and how often it ends one."""
    counts, last = np.zeros(bins, np.int64), np.zeros(bins, np.int64)
    ends: list[NDArray[Any]] = []
    for j0, j1, e0, _, keys in read(max(PIECE, bins), begin, end):
        counts += np.bincount(keys, minlength=bins)
        ends.append(keys[offsets[j0 + 1 : j1 + 1] - 1 - e0])
    if ends:
        last += np.bincount(np.concatenate(ends), minlength=bins)
    return counts, last


def _runs_of(keys: NDArray[Any]) -> tuple[NDArray[Any], IntArray]:
    """Distinct values of a sorted array, and how often each occurs."""
    new = np.ones(len(keys), dtype=bool)
    np.not_equal(keys[1:], keys[:-1], out=new[1:])
    begins = np.flatnonzero(new)
    return keys[begins], np.diff(np.append(begins, len(keys)))


def _count_by_columns(
    codes: NDArray[Any], offsets: IntArray, shard: NDArray[np.uint8], slots: int, order: int
) -> tuple[tuple[NDArray[Any], IntArray], tuple[NDArray[Any], IntArray]]:
    """The same where a gram does not fit into a number: many labels in a high order."""
    grams = grams_of_paths(codes, offsets, slots=slots, order=order)
    rows = np.column_stack([shard.astype(grams.dtype), grams])
    once = np.ones(len(codes), np.int64)
    last = offsets[1:] - 1
    grams, steps = add_rows(rows, [once])
    ends, often = add_rows(np.delete(rows[last], 1, axis=1), [once[last]])
    return (grams, steps), (ends, often)


def context_at(
    codes: NDArray[Any], offsets: IntArray, which: IntArray, *, slots: int, order: int
) -> NDArray[Any]:
    """(C, k) the last k labels of some paths; START where the path is shorter.

    Args:
        codes: (T,) the labels of the touches.
        offsets: (Q + 1,) the paths.
        which: (C,) which of them.
        slots: K + 1.
        order: k.
    """
    start, ends = offsets[which], offsets[which + 1] - 1
    found = np.empty((len(ends), order), smallest_unsigned(slots))
    for back in range(order):
        at = ends - back
        found[:, order - 1 - back] = np.where(at >= start, codes[np.maximum(at, 0)], slots)
    return found


def row_keys(rows: NDArray[Any], base: int | None = None) -> NDArray[np.uint64]:
    """(n,) one number per row, in the order of the rows compared column by column.

    Args:
        rows: (n, d) whole numbers from 0 up; none but those of the first column reach ``base``.
        base: Where keys are to be read back: the digits of a key; ``None``: whatever fits.
    """
    keys = rows[:, 0].astype(np.uint64)
    top = int(keys.max(initial=0)) + 1
    for column in rows.T[1:]:
        digits = int(column.max(initial=0)) + 1 if base is None else base
        if top * digits >= _MOST_KEYS:
            distinct, rank = np.unique(keys, return_inverse=True)
            keys = rank.astype(np.uint64)
            top = len(distinct)
        keys = keys * np.uint64(digits) + column.astype(np.uint64)
        top *= digits
    return keys


def unpack_keys(keys: NDArray[Any], base: int, digits: int) -> NDArray[Any]:
    """(n, digits) the digits of keys, the first of which may be larger than the base.

    Example:
        >>> unpack_keys(np.array([123]), 10, 2).tolist()
        [[12, 3]]
    """
    rows = np.empty((len(keys), digits), smallest_unsigned(max(base - 1, SHARDS - 1)))
    rest = keys.astype(np.uint64)
    if len(keys) and int(rest.max()) < 1 << 32:
        rest = rest.astype(np.uint32)
    for place in range(digits - 1, 0, -1):
        rest, rows[:, place] = np.divmod(rest, rest.dtype.type(base))
    rows[:, 0] = rest
    return rows


def add_rows(rows: NDArray[Any], totals: Sequence[NDArray[Any]]) -> tuple[Any, ...]:
    """The distinct rows in order, and the sums of the totals over rows that are the same.

    Args:
        rows: (n, d) whole numbers from 0 up.
        totals: (n,) each.

    Example:
        >>> rows, counts = add_rows(np.array([[1, 2], [0, 5], [1, 2]]), [np.array([1, 1, 1])])
        >>> rows.tolist(), counts.tolist()
        ([[0, 5], [1, 2]], [1, 2])
    """
    if not len(rows):
        return (rows, *totals)
    keys = row_keys(rows)
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    begins = np.flatnonzero(np.append(True, keys[1:] != keys[:-1]))
    return (rows[order[begins]], *(np.add.reduceat(t[order], begins) for t in totals))


def grams_of_paths(
    codes: NDArray[Any], offsets: IntArray, *, slots: int, order: int
) -> NDArray[Any]:
    """(T, k + 1) the gram at every touch of the paths."""
    rows = np.empty((len(codes), order + 1), smallest_unsigned(slots))
    rows[:, -1] = codes
    for place in range(order - 1, -1, -1):
        rows[1:, place] = rows[:-1, place + 1]
        rows[offsets[:-1], place] = slots
    return rows
