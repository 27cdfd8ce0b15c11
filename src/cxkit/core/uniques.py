"""Which sequences are the same: journeys that went the same way."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.grouping import group_by_hash
from cxkit.core.hashing import mix64
from cxkit.core.ragged import CHUNK, chunks, per_row
from cxkit.core.threads import in_parts

__all__ = ["unique_sequences"]

_BASE: Final = 0x9E3779B97F4A7C15  # odd, so that its powers have an inverse
_U64 = np.uint64


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
    hashed = _hash_sequences(offsets, codes, key)
    first, narrow = group_by_hash(lambda begin, end: hashed[begin:end], count)
    group = narrow.astype(np.int64)
    wrong = _unlike(first, group, offsets, codes, key)
    if len(wrong):
        first, group = _repair(first, group, wrong, offsets, codes, key)
    return first, group


def _hash_sequences(
    offsets: IntArray, codes: NDArray[Any], key: NDArray[Any] | None
) -> NDArray[np.uint64]:
    """(J,) the polynomial whose coefficients are the mixed codes, modulo 2^64.

    All terms of a chunk are summed up in one go; what a segment adds, divided by the power at which
    it begins, does not depend on where it stands.
    """
    size = np.diff(offsets)
    table = mix64(np.arange(1, int(codes.max(initial=0)) + 2, dtype=np.uint64))
    # A chunk ends with a whole segment, so it may be that much longer than a chunk should be.
    powers = _powers(_BASE, min(CHUNK + int(size.max()), len(codes)))
    inverse = _powers(pow(_BASE, -1, 1 << 64), len(powers))
    out = np.empty(len(size), np.uint64)

    def part(begin: int, end: int) -> None:
        for j0, j1, e0, e1 in chunks(offsets, within=(begin, end)):
            terms = np.take(table, codes[e0:e1], mode="clip")
            terms *= powers[: e1 - e0]
            np.cumsum(terms, out=terms)
            here = terms[offsets[j0 + 1 : j1 + 1] - (e0 + 1)]
            here[1:] -= here[:-1].copy()
            here *= np.take(inverse, offsets[j0:j1] - e0, mode="clip")
            here ^= mix64(size[j0:j1].view(np.uint64))
            if key is not None:
                here ^= mix64(key[j0:j1].astype(np.uint64) << _U64(40))
            out[j0:j1] = mix64(here)

    in_parts(part, offsets)
    return out


def _powers(base: int, count: int) -> NDArray[np.uint64]:
    """Powers from the 0th on, modulo 2^64."""
    found = np.full(count, base, np.uint64)
    found[:1] = 1
    return np.cumprod(found, out=found)


def _unlike(
    first: IntArray,
    group: IntArray,
    offsets: IntArray,
    codes: NDArray[Any],
    key: NDArray[Any] | None,
) -> IntArray:
    """The segments that do not equal the first of their group."""
    # Most sequences there are occur once: only the others need a look.
    again = np.ones(len(group), dtype=bool)
    again[first] = False
    which = np.flatnonzero(again)
    other = first[group[which]]
    size, start = np.diff(offsets), offsets[:-1]
    unlike = size[which] != size[other]
    if key is not None:
        unlike |= key[which] != key[other]
    alike = np.flatnonzero(~unlike)
    mine, theirs = which[alike], other[alike]
    bounds = np.append(0, np.cumsum(size[mine]))
    for j0, j1, e0, e1 in chunks(bounds):
        part = bounds[j0 : j1 + 1]
        rows = per_row(start[mine[j0:j1]] - part[:-1], part) + np.arange(e0, e1)
        ahead = per_row(start[theirs[j0:j1]] - start[mine[j0:j1]], part)
        differs = codes[rows] != codes[rows + ahead]
        unlike[alike[j0:j1]] = np.logical_or.reduceat(differs, part[:-1] - e0)
    return np.asarray(which[unlike])


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
