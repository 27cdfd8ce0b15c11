"""Which sequences of labels journeys hold: runs, or with other labels in between.

Found breadth first: sequences of n labels, then each with one more. A journey holds a sequence with
gaps if it holds it at its earliest places, so that one row per journey and sequence is enough to go
on from (the projection of PrefixSpan: Pei et al. 2001, ICDE).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.factorize import factorize
from cxkit.core.ragged import segment_ids
from cxkit.errors import DefinitionError
from cxkit.flow.cells import starts

__all__ = ["Held", "held_runs", "held_subsequences"]

_AT_ONCE: Final = 1 << 21
_MOST: Final = 1 << 28
_ROOM: Final = 1 << 62


class Held(NamedTuple):
    """Sequences of one length, and the journeys that hold them.

    Attributes:
        patterns: (P, n) codes.
        journey: (H,) journeys, each once for a sequence.
        pattern: (H,) the sequence that it holds.
    """

    patterns: IntArray
    journey: IntArray
    pattern: IntArray


def held_runs(offsets: IntArray, codes: NDArray[Any], longest: int, fewest: int) -> Iterator[Held]:
    """Runs of 1 to ``longest`` labels that follow each other directly, length by length.

    Args:
        offsets: (J + 1,) journeys.
        codes: (E,) labels.
        longest: How many labels at most.
        fewest: Only runs that so many journeys hold.
    """
    slots = int(codes.max(initial=0)) + 1
    journey = segment_ids(offsets)
    end = offsets[1:][journey]
    row = np.arange(len(codes))  # where a run begins
    patterns, pattern = np.zeros((1, 0), np.int64), np.zeros(len(codes), np.int64)
    for length in range(1, longest + 1):
        inside = row + length <= end[row] if len(row) else row.astype(bool)
        row, pattern = row[inside], pattern[inside]
        grown = pattern * slots + codes[row + (length - 1)]
        known, which = _numbered(grown)
        pair = which * len(offsets) + journey[row]
        pair.sort()
        pair = pair[starts(pair)]  # a journey holds a run once, however often it comes
        of, held = pair // len(offsets), pair % len(offsets)
        enough = np.bincount(of, minlength=len(known)) >= fewest
        place = np.cumsum(enough) - 1
        patterns = np.column_stack([patterns[known // slots], known % slots])[enough]
        yield Held(patterns, held[enough[of]], place[of[enough[of]]])
        stays = enough[which]
        row, pattern = row[stays], place[which[stays]]
        if not len(row):
            return


def held_subsequences(
    offsets: IntArray, codes: NDArray[Any], longest: int, fewest: int
) -> Iterator[Held]:
    """Sequences of 1 to ``longest`` labels in this order, anything in between, length by length.

    Takes the arguments of :func:`held_runs`.

    Raises:
        DefinitionError: There are too many to look at.
    """
    slots, rows = int(codes.max(initial=0)) + 1, len(codes)
    journey = segment_ids(offsets)
    # All places of a label in a journey, one group after another: (journey, label, row).
    label, order = _by_label(journey * slots + codes)
    first = starts(label)
    group_of = np.zeros(rows, np.int64)
    group_of[first[1:]] = 1
    place = np.cumsum(group_of) * rows + order  # ascending
    of, group_code = label[first] // slots, label[first] % slots  # of each group
    begins = np.searchsorted(of, np.arange(len(offsets)))
    held = np.arange(len(offsets) - 1)
    at, pattern = offsets[:-1] - 1, np.zeros(len(held), np.int64)
    patterns = np.zeros((1, 0), np.int64)
    for _ in range(longest):
        size = begins[held + 1] - begins[held]
        if size.sum() > _MOST:
            raise DefinitionError(
                f"{int(size.sum()):,} candidates are too many sequences with gaps: take a shorter "
                "length, fewer labels (group them), sessions, or gaps=False"
            )
        grown = [_grow(held, at, pattern, size, begins, place, rows, some) for some in _parts(size)]
        held, at, pattern, group = (
            np.concatenate([part[i] for part in grown] or [np.zeros(0, np.int64)]) for i in range(4)
        )
        key = pattern * slots + group_code[group]
        known, which = _numbered(key)
        enough = np.bincount(which, minlength=len(known)) >= fewest
        stays = enough[which]
        patterns = np.column_stack([patterns[known // slots], known % slots])[enough]
        held, at = held[stays], at[stays]
        pattern = (np.cumsum(enough) - 1)[which[stays]]
        yield Held(patterns, held, pattern)
        if not len(held):
            return


def _numbered(keys: IntArray) -> tuple[IntArray, IntArray]:
    """The distinct keys, sorted, and (n,) which one each is."""
    if not len(keys):
        return keys, keys
    known, which = factorize(keys)
    return known, which.astype(np.int64)


def _by_label(label: IntArray) -> tuple[IntArray, IntArray]:
    """Labels in order, rows of one label in order, and which row each is."""
    rows = len(label)
    if int(label.max(initial=0)) >= _ROOM // max(rows, 1):
        order = np.argsort(label, kind="stable")
        return label[order], order
    keys = label * max(rows, 1) + np.arange(rows)  # sorting values is faster than an argsort
    keys.sort()
    label = keys // max(rows, 1)
    return label, keys - label * rows


def _parts(size: IntArray) -> Iterator[slice]:
    """Rows that grow to about so many at once."""
    so_far = np.cumsum(size)
    begin = 0
    while begin < len(size):
        before = int(so_far[begin - 1]) if begin else 0
        end = max(int(np.searchsorted(so_far, before + _AT_ONCE, side="right")), begin + 1)
        yield slice(begin, end)
        begin = end


def _grow(
    held: IntArray,
    at: IntArray,
    pattern: IntArray,
    size: IntArray,
    begins: IntArray,
    place: IntArray,
    rows: int,
    some: slice,
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Each row with every label that its journey has after its last place."""
    size = size[some]
    row = np.repeat(np.arange(some.start, some.start + len(size)), size)
    group = np.arange(len(row)) - np.repeat(np.cumsum(size) - size, size) + begins[held[row]]
    found = np.searchsorted(place, group * rows + at[row], side="right")
    real = np.flatnonzero(found < len(place))
    real = real[place[found[real]] // rows == group[real]]
    row, group, found = row[real], group[real], found[real]
    return held[row], place[found] - group * rows, pattern[row], group
