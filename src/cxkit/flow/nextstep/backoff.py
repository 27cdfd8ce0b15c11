"""Counts of what came next after contexts of every length up to the longest, and back-off.

A context of length m is found from the one of length m - 1 and the label before that, so contexts
form a tree from the most recent label backwards. Where a context was seen rarely, its
probabilities lean on those of the shorter one, by Witten and Bell (1991, IEEE Transactions on
Information Theory 37), in the interpolated form of Chen and Goodman (1998, Harvard TR-10-98)::

    p(w | h) = (c(h, w) + T(h) p(w | h')) / (c(h) + T(h))

c counts, T(h) is how many different labels came after h, and h' is h without its oldest label.
Below the empty context lies the uniform distribution over everything that can come.
"""

from __future__ import annotations

from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.flow.cells import starts

__all__ = ["NONE", "Backoff", "Histories", "Level", "histories"]

NONE: Final = -1
"""Stands before the start in a history, and for a label that the counts do not know."""


@attrs.frozen(eq=False)
class Histories:
    """Weighted histories and what came next.

    Attributes:
        back: (N, order) the label 1, 2, ... places back; K is missing, K + 1 the start of the
            journey, then :data:`NONE`.
        next: (N,) the label that came next; K + 1 is the end.
        weight: (N,) how often.
    """

    back: IntArray
    next: IntArray
    weight: IntArray


def histories(offsets: IntArray, codes: NDArray[np.generic], order: int, slots: int) -> IntArray:
    """(S, order) the last labels of sequences, the most recent first; see :class:`Histories`.

    Args:
        offsets: (S + 1,) the sequences; one may be empty.
        codes: their codes.
        order: How many labels to look back.
        slots: K + 1, the code of the start.

    Example:
        >>> histories(np.array([0, 1, 4]), np.array([5, 6, 7, 8]), 2, 9).tolist()
        [[5, 9], [8, 7]]
    """
    size = np.diff(offsets)
    back = np.full((len(size), order), NONE, np.int64)
    for place in range(order):
        back[size == place, place] = slots
        has = np.flatnonzero(size > place)
        back[has, place] = codes[offsets[1:][has] - 1 - place]
    return back


@attrs.frozen(eq=False)
class Level:
    """The contexts of one length.

    Attributes:
        keys: (C,) ``parent * base + label``, ascending; the parent is the shorter context.
        total: (C,) how often the context came.
        kinds: (C,) how many different labels came after it.
        begins: (C + 1,) where its next labels begin in the two that follow.
        next: (M,) labels that came next.
        count: (M,) how often.
    """

    keys: IntArray
    total: IntArray
    kinds: IntArray
    begins: IntArray
    next: IntArray
    count: IntArray

    def find(self, key: IntArray) -> IntArray:
        """(n,) which context each key is; :data:`NONE` where it is none, or the key is below 0."""
        if not len(self.keys):
            return np.full(len(key), NONE)
        at = np.searchsorted(self.keys, key)
        at[at == len(self.keys)] = 0
        return np.where((key >= 0) & (self.keys[at] == key), at, NONE)


@attrs.frozen(eq=False)
class Backoff:
    """The tree of contexts.

    Attributes:
        levels: By length of the context, from the empty one.
        base: K + 2: labels, missing, and the edge (the start going back, the end going on).
        possible: (base,) what can come next at all.
    """

    levels: tuple[Level, ...]
    base: int
    possible: NDArray[np.bool_]

    @classmethod
    def of(cls, seen: Histories, base: int, possible: NDArray[np.bool_]) -> Backoff:
        """Count; rows of weight 0 are not seen."""
        live = seen.weight > 0
        back, following, weight = seen.back[live], seen.next[live], seen.weight[live]
        node = np.zeros(len(weight), np.int64)
        levels = [_level(np.zeros(1, np.int64), node, following, weight, base)]
        for place in range(back.shape[1]):
            deep = back[:, place] != NONE
            back, following, weight = back[deep], following[deep], weight[deep]
            keys, node = np.unique(node[deep] * base + back[:, place], return_inverse=True)
            levels.append(_level(keys, node, following, weight, base))
        return cls(tuple(levels), base, possible)

    def nodes(self, back: IntArray, depth: int | None = None) -> list[IntArray]:
        """For every length of context, (n,) which one each history ends with, or NONE."""
        depth = len(self.levels) - 1 if depth is None else depth
        at = np.zeros(len(back), np.int64)
        found = [at]
        for place in range(depth):
            symbol = back[:, place]
            known = (at != NONE) & (symbol != NONE)
            at = self.levels[place + 1].find(np.where(known, at * self.base + symbol, NONE))
            found.append(at)
        return found

    def probabilities(self, back: IntArray, depth: int | None = None) -> NDArray[np.float64]:
        """(n, base) the probability of each label, and of the end, after each history.

        Args:
            back: (n, order) histories.
            depth: The longest context to use; all by default.
        """
        out = np.where(self.possible, 1 / max(int(self.possible.sum()), 1), 0.0)
        out = np.repeat(out[np.newaxis], len(back), axis=0)
        for level, at in zip(self.levels, self.nodes(back, depth), strict=False):
            rows = np.flatnonzero(at != NONE)
            node = at[rows]
            real = level.total[node] > 0
            rows, node = rows[real], node[real]
            size = np.diff(level.begins)[node]
            ends = np.cumsum(size)
            edge = np.arange(ends[-1] if len(ends) else 0)
            edge += np.repeat(level.begins[node] - (ends - size), size)
            lean = level.kinds[node].astype(np.float64)[:, np.newaxis]
            part = out[rows] * lean
            part[np.repeat(np.arange(len(rows)), size), level.next[edge]] += level.count[edge]
            out[rows] = part / (level.total[node][:, np.newaxis] + lean)
        return out


def _level(
    keys: IntArray, node: IntArray, following: IntArray, weight: IntArray, base: int
) -> Level:
    order = np.argsort(pair := node * base + following, kind="stable")
    pair = pair[order]
    first = starts(pair)
    count = np.add.reduceat(weight[order], first) if len(first) else weight[:0]
    of = pair[first] // base
    kinds = np.bincount(of, minlength=len(keys))
    total = np.zeros(len(keys), np.int64)
    np.add.at(total, of, count)
    begins = np.append(0, np.cumsum(kinds))
    return Level(keys, total, kinds, begins, pair[first] % base, count)
