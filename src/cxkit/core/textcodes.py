"""Texts in a buffer of bytes -> codes and sorted labels, exactly, at the speed of whole numbers.

Where the bits that differ among the texts are few, they are one whole number per text that compares
as the text does, and :mod:`cxkit.core.factorize` does the rest. Else a hash of each text is sorted
with the row's number in its low bits, every text is compared with the first of its hash, and those
that differ from it are sorted by all their bytes. So equal hashes of different texts cost time,
never a wrong code.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, smallest_unsigned
from cxkit.core.factorize import factorize, translate
from cxkit.core.grouping import group_by_hash
from cxkit.core.hashing import mix64
from cxkit.core.lanes import Squeeze, Texts, endings, sort_words
from cxkit.core.rows import in_row_parts, pieces
from cxkit.core.vocabulary import TEXT, Vocabulary

__all__ = ["factorize_texts"]

_MOST_BITS: Final = 63
_HIGH: Final = 0x8080808080808080
_M1: Final = np.uint64(0x9FB21C651E98DF25)  # odd; from the mixing of rrmxmx (P. Evensen, 2018)


def factorize_texts(
    data: NDArray[np.uint8], offsets: NDArray[Any]
) -> tuple[Vocabulary, NDArray[Any]]:
    """The distinct texts, sorted, and the code of each.

    Args:
        data: Bytes of UTF-8.
        offsets: (n + 1,) where each text begins, and where the last one ends.

    Returns:
        The K labels, with their endings, and (n,) codes of the smallest dtype that holds K.

    Raises:
        UnicodeDecodeError: A text is no UTF-8.

    Example:
        >>> vocabulary, codes = factorize_texts(
        ...     np.frombuffer(b"id-7id-10id-7", np.uint8), np.array([0, 4, 9, 13])
        ... )
        >>> list(vocabulary), codes.tolist()
        (['id-10', 'id-7'], [1, 0, 1])
    """
    if len(offsets) < 2:
        return Vocabulary.of(()), np.zeros(0, np.uint8)
    texts = Texts.of(data, offsets)
    if texts.size >= 0 or not _has_nul(texts):
        # Without NUL, what is zero lies beyond the end, so that lanes tell lengths too.
        squeeze = Squeeze.of(texts, _MOST_BITS)
        if squeeze is not None:
            return _by_bits(texts, squeeze)
    return _by_hash(texts)


def _has_nul(texts: Texts) -> bool:
    used = texts.data[int(texts.offsets[0]) : int(texts.offsets[-1])]
    return any(
        bool((used[first:last] == 0).any())
        for low in range(0, len(used), 1 << 20)
        for first, last in [(low, min(low + (1 << 20), len(used)))]
    )


def _by_bits(texts: Texts, squeeze: Squeeze) -> tuple[Vocabulary, NDArray[Any]]:
    """Texts that are one whole number each."""
    keys = np.zeros(len(texts), np.uint64)

    def part(begin: int, end: int) -> None:
        for first, last in pieces(begin, end):
            key = keys[first:last]
            for k, lane in enumerate(texts.read(first, last)):
                if squeeze.varies[k]:
                    key <<= np.uint64(squeeze.bits[k])
                    key |= squeeze.squeeze(k, lane)

    in_row_parts(part, len(texts))
    numbers, codes = factorize(keys.view(np.int64))
    left = numbers.view(np.uint64).copy()
    table = np.empty((len(numbers), texts.lanes + 1), np.uint64)
    for k in reversed(range(texts.lanes)):
        table[:, k] = squeeze.spread(k, left & np.uint64((1 << squeeze.bits[k]) - 1))
        left >>= np.uint64(squeeze.bits[k])
    if texts.size >= 0:
        table[:, -1] = texts.size
    else:
        table[:, -1] = np.count_nonzero(table[:, :-1].copy().view(np.uint8), axis=1)
    return Vocabulary(_as_labels(table), endings(table)), codes


def _as_labels(table: NDArray[np.uint64]) -> NDArray[Any]:
    """Rows of lanes, and of sizes last, as text."""
    lanes, sizes = np.ascontiguousarray(table[:, :-1], "<u8"), table[:, -1]
    if not lanes.shape[1]:
        return np.array([""] * len(table), dtype=TEXT)
    inside = lanes.view(np.uint8)
    # Text of fixed width is the fast way, but knows ASCII only, and drops the NULs that end it.
    ascii_only = not bool((lanes & np.uint64(_HIGH)).any())
    if ascii_only and int(np.count_nonzero(inside)) == int(sizes.sum()):
        return lanes.view(f"S{inside.shape[1]}")[:, 0].astype(TEXT)
    rows = zip(map(bytes, inside), sizes.tolist(), strict=True)
    return np.array([row[:size].decode() for row, size in rows], dtype=TEXT)


def _by_hash(texts: Texts) -> tuple[Vocabulary, NDArray[Any]]:
    """Texts of any bytes."""
    firsts, codes = group_by_hash(partial(_hash, texts), len(texts))
    known = texts.table(firsts)
    wrong = _unlike_their_first(texts, codes, known)
    if len(wrong):
        known = np.concatenate([known, _split_off(texts, codes, len(firsts), wrong)])
    lanes, sizes = [*known.T[:-1]], known[:, -1]
    varies = np.bitwise_or.reduce(known[:, :-1] ^ known[0, :-1], axis=0)
    squeeze = Squeeze.made_of(known[0, :-1], varies)
    words = [squeeze.squeeze(k, lane) for k, lane in enumerate(lanes)]
    order = sort_words([*words, sizes], [*squeeze.bits, int(sizes.max()).bit_length()])
    rank = np.empty(len(order), smallest_unsigned(len(order)))
    rank[order] = np.arange(len(order), dtype=rank.dtype)
    known = known[order]
    return Vocabulary(_as_labels(known), endings(known)), translate(codes, rank)


def _hash(texts: Texts, first: int, last: int) -> NDArray[np.uint64]:
    state = texts.sizes(first, last)  # as lanes alone do not tell "a" from "a" and a NUL
    for lane in texts.read(first, last):
        state ^= lane
        state *= _M1
        state ^= state >> np.uint64(32)
    return mix64(state)


def _unlike_their_first(texts: Texts, codes: NDArray[Any], known: NDArray[np.uint64]) -> IntArray:
    """The rows whose text is another than that of the first row of their group."""
    # Narrow rows of this table are what the time goes into: they are looked up at random.
    known = known if texts.size < 0 else np.ascontiguousarray(known[:, :-1])

    def part(begin: int, end: int) -> IntArray:
        found = [np.zeros(0, np.int64)]
        for first, last in pieces(begin, end):
            like = np.take(known, codes[first:last], axis=0, mode="clip")
            unlike = np.zeros(last - first, dtype=bool)
            for k, lane in enumerate(texts.read(first, last)):
                unlike |= lane != like[:, k]
            if texts.size < 0:
                unlike |= texts.sizes(first, last) != like[:, -1]
            if unlike.any():
                found.append(np.flatnonzero(unlike) + first)
        return np.concatenate(found)

    return np.concatenate(in_row_parts(part, len(texts)))


def _split_off(
    texts: Texts, codes: NDArray[Any], groups: int, rows: IntArray
) -> NDArray[np.uint64]:
    """Groups of their own, by all their bytes, for rows that shared a hash with another text.

    Equal texts have equal hashes, so none of these is equal to the first row of any group.
    """
    table = texts.table(rows)
    order = np.lexsort(table.T)
    ordered = table[order]
    new = np.ones(len(rows), dtype=bool)
    new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    codes[rows[order]] = np.cumsum(new) - 1 + groups
    return ordered[new]
