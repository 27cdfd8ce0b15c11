"""From pairs and rules to customers: a function of the set of pairs, never of their order."""

from __future__ import annotations

from functools import cached_property
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.factorize import translate
from cxkit.core.rows import in_row_parts, pieces
from cxkit.identity.blocked import blocked_values
from cxkit.identity.exclusive import distinct_links, held_apart
from cxkit.identity.guards import Rules, widely_shared
from cxkit.identity.identifiers import Identifiers
from cxkit.identity.pairs import Pairs
from cxkit.identity.timeline import Timeline
from cxkit.identity.unionfind import Hooks

__all__ = ["ACCEPTED", "FOR_A_TIME", "Decision", "decide", "identified", "reason_of"]

ACCEPTED: Final = 0
FOR_A_TIME: Final = 1
SELF: Final = 2
BLOCKED_VALUE: Final = 3
SPLIT: Final = 4
SHARED: Final = 5
CONFLICT: Final = 6  # and beyond: one for each exclusive namespace

_REASONS: Final = {
    SELF: "self-pair",
    BLOCKED_VALUE: "blocked value",
    SPLIT: "split by hand",
    SHARED: "too widely shared",
}
_NOBODY: Final = -1


@attrs.frozen(eq=False)
class Decision:
    """What was decided of pairs and identifiers.

    Attributes:
        pairs: The pairs.
        group: (I,) the smallest identifier that each is joined with.
        customer: (I,) the identifier that each one's customer is called by: the first seen of its
            group; -1 for nobody.
        shared: (I,) which identifiers are too widely shared.
        timeline: Who identified on which device and when.
        begun: (P,) the status of the pairs as far as it does not follow from what was found later.
        conflicts: Which pairs were refused for an exclusive namespace, and their status.
    """

    pairs: Pairs
    group: IntArray = attrs.field(converter=freeze)
    customer: IntArray = attrs.field(converter=freeze)
    shared: NDArray[np.bool_] = attrs.field(converter=freeze)
    timeline: Timeline
    begun: NDArray[np.uint8] = attrs.field(converter=freeze)
    conflicts: tuple[IntArray, NDArray[np.uint8]]

    @cached_property
    def status(self) -> NDArray[np.uint8]:
        """(P,) accepted, holds for a time, or why it was refused.

        Customers are known without it, so it is told of every pair only when somebody asks.
        """
        status = self.begun.copy()
        _refuse(status, self.pairs, self.shared, SHARED)
        rows, why = self.conflicts
        status[rows] = why
        return freeze(status)


def reason_of(status: int, rules: Rules) -> str:
    """Why a pair was refused; empty if it was not."""
    if status < SELF:
        return ""
    if status < CONFLICT:
        return _REASONS[status]
    return f"would give a customer two of {rules.exclusive[status - CONFLICT]!r}"


def decide(pairs: Pairs, rules: Rules) -> Decision:
    """Decide of every pair."""
    ids, left, right = pairs.identifiers, pairs.left, pairs.right
    begun = np.zeros(len(pairs), np.uint8)
    blocked = blocked_values(ids, rules.blocked)
    _refuse(begun, pairs, blocked, BLOCKED_VALUE)
    one, other = pairs.ranges
    if one.start < other.stop and other.start < one.stop:
        begun[left == right] = SELF
    _split(begun, pairs, rules)
    hooks = Hooks.of(left, right, begun == ACCEPTED, len(ids))
    shared = widely_shared(hooks, ids, rules)
    if rules.devices:
        _refuse(begun, pairs, shared, SHARED)
        device = ids.within(rules.devices)
        begun[(begun == ACCEPTED) & (device[left] != device[right])] = FOR_A_TIME
        hooks = Hooks.of(left, right, begun == ACCEPTED, len(ids))
    elif shared.any():
        hooks = hooks.without(shared)
    kind = None if rules.devices else _owners(pairs, hooks, rules)
    if kind is None:
        group = hooks.components()
        conflicts = _resolve(pairs, begun, shared, group, rules)
    else:
        group, conflicts = _to_the_best(pairs, begun, shared, hooks, rules, kind)
    customer = _called(group, _first_seen(pairs), ids)
    customer[blocked | shared] = _NOBODY
    timeline = _timeline(pairs, begun, group, customer, rules)
    return Decision(pairs, group, customer, shared, timeline, begun, conflicts)


def _refuse(status: NDArray[np.uint8], pairs: Pairs, nodes: NDArray[np.bool_], reason: int) -> None:
    """Refuse the pairs of some identifiers that nothing has refused so far."""
    for side, reach in zip((pairs.left, pairs.right), pairs.ranges, strict=True):
        if nodes[reach].any():
            rows = _rows_where(nodes, side)
            status[rows[status[rows] == ACCEPTED]] = reason


def _rows_where(nodes: NDArray[np.bool_], side: IntArray) -> IntArray:
    """The rows whose identifier is marked."""

    def part(begin: int, end: int) -> list[IntArray]:
        return [
            np.flatnonzero(np.take(nodes, side[first:last], mode="clip")) + first
            for first, last in pieces(begin, end)
        ]

    return np.concatenate([rows for some in in_row_parts(part, len(side)) for rows in some])


def _split(status: NDArray[np.uint8], pairs: Pairs, rules: Rules) -> None:
    for a, b in rules.apart:
        one, other = pairs.identifiers.find(*a), pairs.identifiers.find(*b)
        if one is None or other is None:
            continue
        rows = np.flatnonzero((pairs.left == one) | (pairs.right == one))
        both = (pairs.left[rows] == other) | (pairs.right[rows] == other)
        status[rows[both]] = SPLIT


def _resolve(
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
    rows, left, right = _accepted_within(pairs, group, wrong, begun, shared)
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


def _accepted_within(
    pairs: Pairs,
    group: IntArray,
    wrong: NDArray[np.bool_],
    begun: NDArray[np.uint8],
    shared: NDArray[np.bool_],
) -> tuple[IntArray, IntArray, IntArray]:
    """The accepted pairs of some groups: their rows and both ends."""
    # Both ends of a pair that was accepted are in one group: the side of fewer nodes tells it.
    side, reach = min(zip((pairs.left, pairs.right), pairs.ranges, strict=True), key=_reach)
    inside = np.zeros(len(wrong), dtype=bool)
    inside[reach] = translate(group[reach], wrong)

    def part(begin: int, end: int) -> list[tuple[IntArray, IntArray, IntArray]]:
        found = []
        for first, last in pieces(begin, end):
            rows = np.flatnonzero(np.take(inside, side[first:last], mode="clip")) + first
            left, right = pairs.left[rows], pairs.right[rows]
            kept = (begun[rows] == ACCEPTED) & ~(shared[left] | shared[right])
            found.append((rows[kept], left[kept], right[kept]))
        return found

    found = [piece for some in in_row_parts(part, len(side)) for piece in some]
    rows, left, right = (np.concatenate(column) for column in zip(*found, strict=True))
    return rows, left, right


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
    rows = _rows_where(hooks.several(), side)
    left, right = pairs.left[rows], pairs.right[rows]
    kept = (begun[rows] == ACCEPTED) & ~(shared[left] | shared[right])
    rows, left, right = rows[kept], left[kept], right[kept]
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


def _reach(side: tuple[IntArray, slice]) -> int:
    return int(side[1].stop - side[1].start)


def _first_seen(pairs: Pairs) -> IntArray | None:
    """(I,) the earliest time of each identifier, on any usable row."""
    if pairs.time is None or pairs.alone_time is None:
        return None
    first = np.full(len(pairs.identifiers), np.iinfo(np.int64).max)
    np.minimum.at(first, pairs.left, pairs.time)
    np.minimum.at(first, pairs.right, pairs.time)
    np.minimum.at(first, pairs.alone, pairs.alone_time)
    return first


def _called(group: IntArray, first: IntArray | None, ids: Identifiers) -> IntArray:
    """(I,) the identifier that names the customer: the first seen, of these the smallest."""
    if first is None:
        return group.copy()
    size = len(ids)
    earliest = np.full(size, np.iinfo(np.int64).max)
    np.minimum.at(earliest, group, first)
    nodes = np.flatnonzero(first == translate(group, earliest))
    name = np.full(size, size)
    np.minimum.at(name, group[nodes], nodes)
    return np.asarray(translate(group, name))


def identified(
    pairs: Pairs, begun: NDArray[np.uint8], rules: Rules
) -> tuple[IntArray, IntArray, IntArray]:
    """Every identification on a device: the row, the device and who it was, as identifiers."""
    rows = np.flatnonzero(begun == FOR_A_TIME) if rules.devices else np.zeros(0, np.int64)
    left, right = pairs.left[rows], pairs.right[rows]
    device = pairs.identifiers.within(rules.devices)
    swap = device[right]
    return rows, np.where(swap, right, left), np.where(swap, left, right)


def _timeline(
    pairs: Pairs, begun: NDArray[np.uint8], group: IntArray, customer: IntArray, rules: Rules
) -> Timeline:
    rows, device, person = identified(pairs, begun, rules)
    time = np.zeros(0, np.int64) if pairs.time is None else pairs.time[rows]
    return Timeline.of(
        group[device], time, customer[person], within=rules.within, after=rules.after
    )
