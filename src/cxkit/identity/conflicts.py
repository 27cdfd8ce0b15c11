"""Groups without a conflict: no customer has two identifiers of which there is one at most.

Mostly all groups are found first, and the few that hold two of an exclusive namespace are cut
along their links (:mod:`cxkit.identity.exclusive`). Where one side of all pairs is exclusive, as
customers are to their devices, a look at each identifier's best link tells the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.factorize import translate
from cxkit.identity.exclusive import distinct_links, held_apart
from cxkit.identity.guards import Rules
from cxkit.identity.identifiers import Identifiers
from cxkit.identity.pairs import Pairs
from cxkit.identity.status import ACCEPTED, CONFLICT, rows_where
from cxkit.identity.unionfind import Hooks

__all__ = ["grouped"]


def grouped(
    pairs: Pairs,
    begun: NDArray[np.uint8],
    shared: NDArray[np.bool_],
    hooks: Hooks,
    rules: Rules,
) -> tuple[IntArray, tuple[IntArray, NDArray[np.uint8]]]:
    """The groups that the accepted pairs make.

    Args:
        pairs: All pairs.
        begun: (P,) their status so far.
        shared: (I,) which identifiers join nobody, as too many share them.
        hooks: What the accepted pairs hook together.
        rules: The guards.

    Returns:
        (I,) the smallest identifier that each is joined with; and the pairs that are refused for an
        exclusive namespace, with their status.
    """
    kind = None if rules.devices else _owners(pairs, hooks, rules)
    if kind is not None:
        return _to_the_best(pairs, begun, shared, hooks, rules, kind)
    group = hooks.components()
    return group, _cut(pairs, begun, shared, group, rules)


def _cut(
    pairs: Pairs, begun: NDArray[np.uint8], shared: NDArray[np.bool_], group: IntArray, rules: Rules
) -> tuple[IntArray, NDArray[np.uint8]]:
    """Cut the groups that hold two of one exclusive namespace.

    Returns:
        The pairs that are refused for it, and their status. The groups are set in place.
    """
    ids = pairs.identifiers
    wrong = _conflicting(group, ids, rules)
    if not wrong.any():
        return np.zeros(0, np.int64), np.zeros(0, np.uint8)
    rows, left, right = _accepted(pairs, _rows_within(pairs, group, wrong), begun, shared)
    inside = np.zeros(len(ids), dtype=bool)
    inside[left] = inside[right] = True
    nodes = np.flatnonzero(inside)
    place = np.empty(len(ids), np.int64)
    place[nodes] = np.arange(len(nodes))
    left, right = place[left], place[right]
    kinds = np.full(len(nodes), -1, np.int64)
    for kind, namespace in enumerate(rules.exclusive):
        mine = ids.range(namespace)
        kinds[(nodes >= mine.start) & (nodes < mine.stop)] = kind
    links = distinct_links(left, right, None if pairs.time is None else pairs.time[rows])
    apart = held_apart(links, kinds, len(nodes), earliest=rules.prefer == "earliest")
    a, b = apart[left], apart[right]
    why = np.zeros(len(rows), np.uint8)
    for kind in reversed(range(len(rules.exclusive))):
        holds = np.zeros(len(nodes), dtype=bool)
        holds[apart[kinds == kind]] = True
        why[(a != b) & holds[a] & holds[b]] = CONFLICT + kind
    group[nodes] = nodes[apart]
    refused = np.flatnonzero(why)
    return rows[refused], why[refused]


def _conflicting(group: IntArray, ids: Identifiers, rules: Rules) -> NDArray[np.bool_]:
    """(I,) which groups, by their smallest identifier, hold two of one exclusive namespace."""
    wrong = np.zeros(len(ids), dtype=bool)
    for namespace in rules.exclusive:
        mine = ids.range(namespace)
        # Whoever is the smallest of a group is its only one, unless others hang from it.
        hung = np.flatnonzero(group[mine] != np.arange(mine.start, mine.stop))
        roots = group[mine][hung]
        held = np.bincount(roots, minlength=1)
        twice = np.take(held, roots, mode="clip") > 1
        wrong[roots[twice | ((roots >= mine.start) & (roots < mine.stop))]] = True
    return wrong


def _rows_within(pairs: Pairs, group: IntArray, wrong: NDArray[np.bool_]) -> IntArray:
    """The rows of some groups, those included that were not accepted."""
    # Both ends of a pair that was accepted are in one group: the side of fewer nodes tells it.
    side, reach = min(zip((pairs.left, pairs.right), pairs.ranges, strict=True), key=_reach)
    inside = np.zeros(len(wrong), dtype=bool)
    inside[reach] = translate(group[reach], wrong)
    return rows_where(inside, side)


def _accepted(
    pairs: Pairs, rows: IntArray, begun: NDArray[np.uint8], shared: NDArray[np.bool_]
) -> tuple[IntArray, IntArray, IntArray]:
    """Those of some rows that are accepted so far, and both their ends."""
    left, right = pairs.left[rows], pairs.right[rows]
    kept = (begun[rows] == ACCEPTED) & ~(shared[left] | shared[right])
    return rows[kept], left[kept], right[kept]


def _reach(side: tuple[IntArray, slice]) -> int:
    return int(side[1].stop - side[1].start)


def _owners(pairs: Pairs, hooks: Hooks, rules: Rules) -> int | None:
    """Which exclusive namespace one side of all pairs is of, if the other side is of none.

    Then customers cannot be joined at all, and nothing needs to be searched: see
    :func:`_to_the_best`. ``None`` also where hooks do not lead to that side.
    """
    ids = pairs.identifiers
    spans = [ids.range(namespace) for namespace in rules.exclusive]
    for own, other in (pairs.ranges, pairs.ranges[::-1]):
        if any(span.start < other.stop and other.start < span.stop for span in spans):
            continue
        for kind, span in enumerate(spans):
            inside = span.start <= own.start and own.stop <= span.stop
            if inside and (own.start < other.start) != hooks.turned and own.stop > own.start:
                return kind
    return None


def _to_the_best(
    pairs: Pairs,
    begun: NDArray[np.uint8],
    shared: NDArray[np.bool_],
    hooks: Hooks,
    rules: Rules,
    kind: int,
) -> tuple[IntArray, tuple[IntArray, NDArray[np.uint8]]]:
    """Every identifier goes to the one exclusive identifier that its best link leads to.

    What links taken one by one come to where each of them has one exclusive end: the first link of
    an identifier stands, and all others of it would join two customers. Most identifiers have one
    link, which their hook is; only the others are looked at.

    Returns:
        (I,) the groups; the pairs that are refused, and their status.
    """
    ids = pairs.identifiers
    owners = ids.range(rules.exclusive[kind])
    mine = owners.start <= pairs.ranges[0].start < owners.stop
    side = pairs.right if mine else pairs.left
    rows, left, right = _accepted(pairs, rows_where(hooks.several(), side), begun, shared)
    links = distinct_links(left, right, None if pairs.time is None else pairs.time[rows])
    low_owns = (links.low >= owners.start) & (links.low < owners.stop)
    owner = np.where(low_owns, links.low, links.high)
    node = np.where(low_owns, links.high, links.low)
    # The sort is stable: links that are as good stay in order of their ends.
    earliest = rules.prefer == "earliest"
    keys = (-links.rows, links.first, node) if earliest else (links.first, -links.rows, node)
    best_first = np.lexsort(keys)
    node, owner = node[best_first], owner[best_first]
    first = np.ones(len(node), dtype=bool)
    np.not_equal(node[1:], node[:-1], out=first[1:])
    node, owner = node[first], owner[first]
    group = hooks.hung(node, owner)
    best = np.empty(len(ids), np.int64)
    best[node] = owner
    of, with_whom = (right, left) if mine else (left, right)
    refused = rows[best[of] != with_whom]
    return group, (refused, np.full(len(refused), CONFLICT + kind, np.uint8))
