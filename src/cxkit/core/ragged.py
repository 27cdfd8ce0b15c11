"""Offsets algebra: segment sums, firsts, ranks, cuts and unique sequences.

Segments (journeys, sessions) are kept as in Arrow's list type: segment ``j`` is the rows
``offsets[j]:offsets[j + 1]``. No segment is empty: ``np.add.reduceat`` would answer wrongly for it.

``np.add.reduceat`` is the one way in which cxkit sums a segment, because it gives the same bits
wherever a chunk or a thread begins, so that a sum over a part is the part of the sums.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.hashing import mix64
from cxkit.core.threads import in_parts

__all__ = [
    "CHUNK",
    "chunks",
    "cut_offsets",
    "lengths",
    "ranks",
    "segment_ids",
    "segment_max",
    "segment_min",
    "segment_sum",
    "take_segments",
    "unique_sequences",
]

CHUNK: Final = 65_536
"""Rows that are worked on at once: their temporaries stay in the second-level cache."""

ScalarT = TypeVar("ScalarT", bound=np.generic)


def lengths(offsets: IntArray) -> IntArray:
    """(J,) rows of each segment."""
    return np.diff(offsets)


def segment_ids(offsets: IntArray) -> IntArray:
    """(E,) the segment of each row."""
    return np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))


def ranks(offsets: IntArray) -> IntArray:
    """(E,) the position of each row in its segment, from 0."""
    return np.arange(offsets[-1]) - np.repeat(offsets[:-1], np.diff(offsets))


def segment_sum(values: NDArray[Any], offsets: IntArray) -> NDArray[Any]:
    """(J,) sum of each segment; NaN where a segment holds one.

    Example:
        >>> segment_sum(np.array([1.0, 2.0, 4.0]), np.array([0, 2, 3])).tolist()
        [3.0, 4.0]
    """
    return _reduce(np.add, values, offsets)


def segment_min(values: NDArray[Any], offsets: IntArray) -> NDArray[Any]:
    """(J,) smallest value of each segment."""
    return _reduce(np.minimum, values, offsets)


def segment_max(values: NDArray[Any], offsets: IntArray) -> NDArray[Any]:
    """(J,) largest value of each segment."""
    return _reduce(np.maximum, values, offsets)


def _reduce(how: np.ufunc, values: NDArray[Any], offsets: IntArray) -> NDArray[Any]:
    if len(offsets) == 1:  # reduceat refuses an empty list of starts
        return np.zeros(0, how.reduce(values[:0], initial=0).dtype)
    return np.asarray(how.reduceat(values, offsets[:-1]))


def chunks(
    offsets: IntArray, target: int = CHUNK, *, within: tuple[int, int] | None = None
) -> Iterator[tuple[int, int, int, int]]:
    """Whole segments, about ``target`` rows at a time.

    Args:
        offsets: (J + 1,) segments.
        target: How many rows a chunk should have.
        within: Only the segments from the first of these to before the second; all by default.

    Yields:
        ``(j0, j1, e0, e1)``: segments ``j0:j1`` are the rows ``e0:e1``. A segment longer than
        ``target`` comes alone.

    Example:
        >>> list(chunks(np.array([0, 2, 5, 6]), target=4))
        [(0, 1, 0, 2), (1, 3, 2, 6)]
    """
    begin, end = within or (0, len(offsets) - 1)
    if begin >= end:
        return
    starts = np.arange(offsets[begin], offsets[end], target)
    cuts = np.unique(np.searchsorted(offsets, starts, side="right") - 1)
    ends = np.append(cuts[1:], end)
    bounds = offsets[cuts].tolist(), offsets[ends].tolist()
    yield from zip(cuts.tolist(), ends.tolist(), *bounds, strict=True)


def cut_offsets(offsets: IntArray, starts: NDArray[np.bool_]) -> tuple[IntArray, IntArray]:
    """Cut segments further, before every marked row.

    Args:
        offsets: (J + 1,) segments.
        starts: (E,) whether a new segment begins at the row; first rows begin one anyway.

    Returns:
        The new offsets, and (J,) into how many each old segment was cut.

    Example:
        >>> [x.tolist() for x in cut_offsets(np.array([0, 3, 4]), np.array([0, 0, 1, 0], bool))]
        [[0, 2, 3, 4], [2, 1]]
    """
    count = np.empty(len(offsets) - 1, np.int64)

    def part(begin: int, end: int) -> list[IntArray]:
        found = []
        for j0, j1, e0, e1 in chunks(offsets, within=(begin, end)):
            marked = starts[e0:e1].copy()
            first = offsets[j0:j1] - e0
            marked[first] = True
            new = np.flatnonzero(marked)
            new += e0
            found.append(new)
            so_far = np.cumsum(marked, dtype=np.int64)[offsets[j0 + 1 : j1 + 1] - (e0 + 1)]
            count[j0:j1] = np.diff(so_far, prepend=0)
        return found

    new = [piece for some in in_parts(part, offsets) for piece in some]
    return np.concatenate([*new, offsets[-1:]]), count


def take_segments(offsets: IntArray, which: NDArray[np.integer[Any]]) -> tuple[IntArray, IntArray]:
    """Choose segments in any order, repeats allowed.

    Returns:
        The new offsets, and the rows to take from the columns.

    Example:
        >>> [x.tolist() for x in take_segments(np.array([0, 2, 3]), np.array([1, 0]))]
        [[0, 1, 3], [2, 0, 1]]
    """
    size = np.diff(offsets)[which]
    new = np.zeros(len(which) + 1, np.int64)
    np.cumsum(size, out=new[1:])
    rows = np.arange(new[-1]) + np.repeat(offsets[:-1][which] - new[:-1], size)
    return new, rows


def unique_sequences(
    offsets: IntArray, codes: NDArray[Any], key: NDArray[Any] | None = None
) -> tuple[IntArray, IntArray]:
    """Which segments hold the same sequence of codes.

    Sequences meet by a 64-bit hash and are then compared code by code with the first of their
    group, so a collision of hashes cannot put two sequences together.

    Args:
        offsets: (J + 1,) segments.
        codes: (E,) unsigned codes.
        key: (J,) whole numbers that must be equal too, such as a shard.

    Returns:
        ``(first, group)``: (U,) one segment of every distinct sequence, the earliest, and (J,) the
        distinct sequence of each segment. The order of the U depends on the sequences alone.

    Example:
        >>> first, group = unique_sequences(np.array([0, 2, 3, 5]), np.array([7, 8, 7, 7, 8]))
        >>> first[group].tolist()
        [0, 1, 0]
    """
    count = len(offsets) - 1
    if count == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    first, group = _group(_hash_sequences(offsets, codes, key))
    wrong = _unlike(first[group], offsets, codes, key)
    if len(wrong):
        first, group = _repair(first, group, wrong, offsets, codes, key)
    return first, group


def _hash_sequences(
    offsets: IntArray, codes: NDArray[Any], key: NDArray[Any] | None
) -> NDArray[np.uint64]:
    size = np.diff(offsets)
    top = int(codes.max(initial=0))
    table = mix64(np.arange(1, top + 2, dtype=np.uint64))
    place = mix64(np.arange(int(size.max(initial=0)), dtype=np.uint64) << np.uint64(32))
    place |= np.uint64(1)  # odd factors lose no bits
    out = np.empty(len(size), np.uint64)

    def part(begin: int, end: int) -> None:
        for j0, j1, e0, e1 in chunks(offsets, within=(begin, end)):
            starts = offsets[j0:j1]
            rank = np.arange(e0, e1)
            rank -= np.repeat(starts, size[j0:j1])
            mixed = np.take(table, codes[e0:e1], mode="clip")
            mixed *= np.take(place, rank, mode="clip")
            np.add.reduceat(mixed, starts - e0, out=out[j0:j1])

    in_parts(part, offsets)
    out ^= mix64(size.view(np.uint64))
    if key is not None:
        out ^= mix64(key.astype(np.uint64) << np.uint64(40))
    return mix64(out)


def _group(hashed: NDArray[np.uint64]) -> tuple[IntArray, IntArray]:
    # The row number rides in the low bits of the hash: sorting values is faster than an argsort,
    # and the bits that it costs are only more work for the comparison that follows anyway.
    bits = np.uint64(max((len(hashed) - 1).bit_length(), 1))
    low = (np.uint64(1) << bits) - np.uint64(1)
    keys = (hashed & ~low) | np.arange(len(hashed), dtype=np.uint64)
    keys.sort()
    order = (keys & low).view(np.int64)
    keys >>= bits
    begins = np.ones(len(order), dtype=bool)
    np.not_equal(keys[1:], keys[:-1], out=begins[1:])
    group = np.empty(len(order), np.int64)
    group[order] = np.cumsum(begins) - 1
    return order[begins], group


def _unlike(
    other: IntArray, offsets: IntArray, codes: NDArray[Any], key: NDArray[Any] | None
) -> IntArray:
    """The segments j that do not equal segment ``other[j]``."""
    size, start = np.diff(offsets), offsets[:-1]
    unlike = size != size[other]
    if key is not None:
        unlike |= key != key[other]
    # Only segments that are not their own representative, and may be equal, are read.
    which = np.flatnonzero(~unlike & (other != np.arange(len(other))))
    bounds = np.append(0, np.cumsum(size[which]))
    for j0, j1, e0, e1 in chunks(bounds):
        part, rows = which[j0:j1], np.arange(e0, e1)
        mine = rows + np.repeat(start[part] - bounds[j0:j1], size[part])
        theirs = rows + np.repeat(start[other[part]] - bounds[j0:j1], size[part])
        differs = codes[mine] != codes[theirs]
        unlike[part] = np.logical_or.reduceat(differs, bounds[j0:j1] - e0)
    return np.flatnonzero(unlike)


def _repair(
    first: IntArray,
    group: IntArray,
    wrong: IntArray,
    offsets: IntArray,
    codes: NDArray[Any],
    key: NDArray[Any] | None,
) -> tuple[IntArray, IntArray]:
    """Give the segments whose hash collided groups of their own; there are hardly ever any."""
    found: dict[tuple[int, bytes], int] = {}
    added: list[int] = []
    for j in wrong.tolist():
        sequence = codes[offsets[j] : offsets[j + 1]].tobytes()
        at = found.setdefault(
            (0 if key is None else int(key[j]), sequence), len(first) + len(added)
        )
        if at == len(first) + len(added):
            added.append(j)
        group[j] = at
    return np.append(first, np.array(added, np.int64)), group
