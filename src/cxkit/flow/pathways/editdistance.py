"""How many labels must be put in, taken out or exchanged to make one path of another.

The bit-vector algorithm of Myers (1999, Journal of the ACM 46) in the form of Hyyro (2003, "A
bit-vector algorithm for computing Levenshtein and Damerau edit distances"): a column of the table
of distances is kept as the differences between its neighbours, 64 to a machine word, so that one
label of the one path meets 64 of the other at once; and here many pairs of paths at once.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.errors import DefinitionError

__all__ = ["LONGEST", "edit_distances"]

LONGEST: Final = 4096
"""Paths may have at most so many labels, the shorter of two so that it fits 64 words."""
_WORD: Final = 64
_TABLE: Final = 1 << 21
_PAIRS: Final = 1 << 16
_ONE, _ALL = np.uint64(1), ~np.uint64(0)


def edit_distances(
    offsets: IntArray, codes: NDArray[Any], left: IntArray, right: IntArray
) -> IntArray:
    """(P,) the edit distance of each pair of sequences (Levenshtein 1966).

    Args:
        offsets: (S + 1,) sequences, none empty.
        codes: their codes.
        left: (P,) one sequence of each pair.
        right: (P,) the other.

    Raises:
        DefinitionError: A sequence is longer than 4,096.

    Example:
        >>> offsets, codes = np.array([0, 3, 5, 7]), np.array([0, 1, 2, 0, 2, 2, 0], np.uint8)
        >>> edit_distances(offsets, codes, np.array([0, 0, 1]), np.array([1, 2, 2])).tolist()
        [1, 3, 2]
    """
    size = np.diff(offsets)
    if len(left) and (longest := int(max(size[left].max(), size[right].max()))) > LONGEST:
        raise DefinitionError(
            f"a path of {longest:,} labels is too long for edit distances (at most {LONGEST:,}); "
            "collapse repeats, truncate, or compare the labels only: metric='jaccard'"
        )
    # The shorter one is cut into words. Pairs with the same one come together: its masks are made
    # once; within a group the longer ones come first, so that those that are done drop off the end.
    swap = size[left] > size[right]
    pattern, text = np.where(swap, right, left), np.where(swap, left, right)
    order = np.argsort(pattern, kind="stable")
    out = np.empty(len(left), np.int64)
    slots = int(codes.max(initial=0)) + 1
    words = -(-int(size[pattern].max(initial=1)) // _WORD)
    at_once = max(_TABLE // (slots * words), 1)
    begin = 0
    while begin < len(order):
        some = order[begin : begin + _PAIRS]
        known, which = np.unique(pattern[some], return_inverse=True)
        if len(known) > at_once:
            known = known[:at_once]
            some = some[: int(np.searchsorted(which, at_once))]
            which = which[: len(some)]
        longest_first = np.argsort(-size[text[some]], kind="stable")
        some, which = some[longest_first], which[longest_first]
        out[some] = _distances(offsets, codes, known, which, text[some], slots)
        begin += len(some)
    return out


def _distances(
    offsets: IntArray,
    codes: NDArray[Any],
    patterns: IntArray,
    which: IntArray,
    text: IntArray,
    slots: int,
) -> IntArray:
    """Pair i: ``patterns[which[i]]`` and ``text[i]``; the longest texts come first."""
    size = np.diff(offsets)
    length = size[patterns]
    words = -(-int(length.max()) // _WORD)
    masks = _masks(offsets, codes, patterns, slots, words)
    score = length[which].copy()
    final = ((length - 1) // _WORD)[which]
    shift = ((length - 1) % _WORD).astype(np.uint64)[which]
    plus = np.full((words, len(which)), _ALL)
    minus = np.zeros((words, len(which)), np.uint64)
    lengths, start = size[text], offsets[:-1][text]
    for step in range(int(lengths[0])):
        live = int(np.searchsorted(-lengths, -step, side="left"))
        code = codes[start[:live] + step]
        carry_plus = np.ones(live, np.uint64)  # above the first label every column grows by one
        carry_minus = np.zeros(live, np.uint64)
        for word in range(words):
            up, down = plus[word, :live], minus[word, :live]
            equal = masks[word, which[:live], code]
            vertical = equal | down
            equal |= carry_minus
            across = (((equal & up) + up) ^ up) | equal
            grow = down | ~(across | up)
            shrink = up & across
            last = final[:live] == word
            if last.any():
                bits = shift[:live][last]
                change = ((grow[last] >> bits) & _ONE).astype(np.int64)
                change -= ((shrink[last] >> bits) & _ONE).astype(np.int64)
                score[:live][last] += change
            out_plus, out_minus = grow >> np.uint64(63), shrink >> np.uint64(63)
            grow = (grow << _ONE) | carry_plus
            shrink = (shrink << _ONE) | carry_minus
            plus[word, :live] = shrink | ~(vertical | grow)
            minus[word, :live] = grow & vertical
            carry_plus, carry_minus = out_plus, out_minus
    return score


def _masks(
    offsets: IntArray, codes: NDArray[Any], patterns: IntArray, slots: int, words: int
) -> NDArray[np.uint64]:
    """(words, patterns, slots) where each pattern has each code, a bit to a place."""
    masks = np.zeros((words, len(patterns), slots), np.uint64)
    size = np.diff(offsets)[patterns]
    of = np.repeat(np.arange(len(patterns)), size)
    place = np.arange(len(of)) - np.repeat(np.cumsum(size) - size, size)
    code = codes[np.repeat(offsets[:-1][patterns], size) + place]
    bit = _ONE << (place % _WORD).astype(np.uint64)
    np.bitwise_or.at(masks, (place // _WORD, of, code), bit)
    return masks
