"""Cutting groups that hold two identifiers of which a customer has one at most.

The rule, exactly: the links of the group are taken one by one, the best first, and a link is
accepted unless it would put two identifiers of one exclusive namespace together. Best is the link
that was seen earliest; among equals the one on more rows; among these the one of the smaller
identifiers. (``prefer="most_rows"`` swaps the first two.) No row number enters, so the order of the
input cannot be seen; and links that come later in time never undo one that stands.

Taken literally that is a loop over links. Here all groups move at once, with the same answer:

- A group without any exclusive identifier can be joined along its best link at once: nothing can
  forbid it, and none of its other links comes before.
- A link that is the best of both its ends comes before everything that could change either, so it
  can be decided at once too.
- A link between two groups that conflict now will conflict for ever, and goes.
"""

from __future__ import annotations

from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.sorting import order_by_code_and_time
from cxkit.identity.unionfind import components

__all__ = ["Links", "distinct_links", "held_apart"]

_MOST_ROUNDS: Final = 64
_KEY_BITS: Final = 64


@attrs.frozen(eq=False)
class Links:
    """Distinct pairs of identifiers, in order of the smaller, then the larger number.

    Attributes:
        low: (L,) the smaller number.
        high: (L,) the larger.
        rows: (L,) on how many rows.
        first: (L,) earliest time in microseconds; 0 throughout without times.
        pair: (L,) the pair that shows it: the earliest, and of these the first row.
    """

    low: IntArray
    high: IntArray
    rows: IntArray
    first: IntArray
    pair: IntArray

    def __len__(self) -> int:
        """L, how many links."""
        return len(self.low)


def distinct_links(left: IntArray, right: IntArray, time: IntArray | None) -> Links:
    """The distinct pairs among some.

    Args:
        left: (P,) one end.
        right: (P,) the other.
        time: (P,) microseconds, or ``None``.
    """
    low, high = np.minimum(left, right), np.maximum(left, right)
    order = _in_order(low, high, time)
    low, high = low[order], high[order]
    begins = np.ones(len(low), dtype=bool)
    begins[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    at = np.flatnonzero(begins)
    pair = order[at]
    return Links(
        low=low[at],
        high=high[at],
        rows=np.diff(np.append(at, len(low))),
        first=np.zeros(len(at), np.int64) if time is None else time[pair],
        pair=pair,
    )


def _in_order(low: IntArray, high: IntArray, time: IntArray | None) -> IntArray:
    """The rows by both ends, then time, then as they come."""
    if not len(low):
        return np.zeros(0, np.int64)
    bits = int(high.max()).bit_length()
    if int(low.max()).bit_length() + bits > _KEY_BITS - len(low).bit_length():
        return np.lexsort((high, low) if time is None else (time, high, low))
    codes = (low << bits) | high
    ticks = np.zeros(len(low), np.int64) if time is None else time
    order, _ = order_by_code_and_time(codes.view(np.uint64), ticks)
    return np.arange(len(low)) if order is None else order


def held_apart(links: Links, kinds: IntArray, nodes: int, *, earliest: bool) -> IntArray:
    """The groups that remain when no group may hold two nodes of one kind.

    Args:
        links: The links between nodes, in order of their ends.
        kinds: (nodes,) the exclusive namespace of each node, -1 for none.
        nodes: How many nodes there are.
        earliest: Whether the earliest link is the best, or else that of most rows.

    Returns:
        (nodes,) the smallest node of the group of each.
    """
    # The sort is stable: links that are as good stay in order of their ends.
    keys = (-links.rows, links.first) if earliest else (links.first, -links.rows)
    best_first = np.lexsort(keys)
    a, b = links.low[best_first], links.high[best_first]
    group = np.arange(nodes)
    held = np.zeros((int(kinds.max(initial=-1)) + 1, nodes), dtype=bool)
    exclusive = np.flatnonzero(kinds >= 0)
    held[kinds[exclusive], exclusive] = True
    for _ in range(_MOST_ROUNDS):
        a, b = _open(a, b, held)
        if not len(a):
            return _smallest(group)
        chosen = _decided(a, b, held, nodes)
        moved = components(a[chosen], b[chosen], nodes)
        group, a, b = moved[group], moved[a], moved[b]
        for kind, of_kind in enumerate(held):
            held[kind, moved[of_kind]] = True
    return _smallest(_one_by_one(group, a, b, held))


def _open(a: IntArray, b: IntArray, held: NDArray[np.bool_]) -> tuple[IntArray, IntArray]:
    """The links that lie between two groups that do not conflict."""
    kept = a != b
    for row in held:
        kept &= ~(row[a] & row[b])
    return a[kept], b[kept]


def _decided(a: IntArray, b: IntArray, held: NDArray[np.bool_], nodes: int) -> NDArray[np.bool_]:
    """Which links, best first, can be accepted now whatever becomes of the others."""
    place = np.arange(len(a))
    best = np.full(nodes, len(a))
    np.minimum.at(best, a, place)
    np.minimum.at(best, b, place)
    neutral = ~np.logical_or.reduce(held, axis=0)
    of_a, of_b = best[a] == place, best[b] == place
    return np.asarray((of_a & of_b) | (of_a & neutral[a]) | (of_b & neutral[b]))


def _one_by_one(group: IntArray, a: IntArray, b: IntArray, held: NDArray[np.bool_]) -> IntArray:
    """The rule as it is written, for the few links that a long chain of conflicts leaves over."""
    parent: dict[int, int] = {}
    kinds = {n: set(np.flatnonzero(held[:, n]).tolist()) for n in {*a.tolist(), *b.tolist()}}

    def find(node: int) -> int:
        while (up := parent.get(node, node)) != node:
            parent[node] = node = parent.get(up, up)
        return node

    for x, y in zip(a.tolist(), b.tolist(), strict=True):
        p, q = find(x), find(y)
        if p != q and not kinds[p] & kinds[q]:
            parent[q] = p
            kinds[p] |= kinds[q]
    table = np.arange(len(group))
    for node in kinds:
        table[node] = find(node)
    return np.asarray(table[group])


def _smallest(group: IntArray) -> IntArray:
    """Each group by its smallest node."""
    smallest = np.full(len(group), len(group))
    np.minimum.at(smallest, group, np.arange(len(group)))
    return np.asarray(smallest[group])
