"""From pairs and rules to customers: a function of the set of pairs, never of their order."""

from __future__ import annotations

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

__all__ = ["ACCEPTED", "FOR_A_TIME", "Decision", "decide", "reason_of"]

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
        status: (P,) uint8: accepted, holds for a time, or why it was refused.
        group: (I,) the smallest identifier that each is joined with.
        customer: (I,) the identifier that each one's customer is called by: the first seen of its
            group; -1 for nobody.
        shared: (I,) which identifiers are too widely shared.
        timeline: Who identified on which device and when.
    """

    status: NDArray[np.uint8] = attrs.field(converter=freeze)
    group: IntArray = attrs.field(converter=freeze)
    customer: IntArray = attrs.field(converter=freeze)
    shared: NDArray[np.bool_] = attrs.field(converter=freeze)
    timeline: Timeline


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
    status = np.zeros(len(pairs), np.uint8)
    blocked = blocked_values(ids, rules.blocked)
    _refuse(status, pairs, blocked, BLOCKED_VALUE)
    one, other = pairs.ranges
    if one.start < other.stop and other.start < one.stop:
        status[left == right] = SELF
    _split(status, pairs, rules)
    hooks = Hooks.of(left, right, status == ACCEPTED, len(ids))
    shared = widely_shared(hooks, ids, rules)
    _refuse(status, pairs, shared, SHARED)
    if rules.devices:
        device = ids.within(rules.devices)
        status[(status == ACCEPTED) & (device[left] != device[right])] = FOR_A_TIME
        hooks = Hooks.of(left, right, status == ACCEPTED, len(ids))
    elif shared.any():
        hooks = hooks.without(shared)
    group = hooks.components()
    _resolve(pairs, status, group, rules)
    customer = _called(group, _first_seen(pairs), ids)
    customer[blocked | shared] = _NOBODY
    timeline = _timeline(pairs, status, group, customer, rules)
    return Decision(status, group, customer, shared, timeline)


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


def _resolve(pairs: Pairs, status: NDArray[np.uint8], group: IntArray, rules: Rules) -> None:
    """Cut the groups that hold two of one exclusive namespace; sets their group and status."""
    ids = pairs.identifiers
    wrong = np.zeros(len(ids), dtype=bool)
    for namespace in rules.exclusive:
        holders = group[ids.range(namespace)]
        held = np.bincount(holders, minlength=1)
        wrong[holders[np.take(held, holders, mode="clip") > 1]] = True
    if not wrong.any():
        return
    inside = translate(group, wrong)
    # Both ends of a pair that was accepted are in one group: the side of fewer nodes tells it.
    narrow, _ = min(zip((pairs.left, pairs.right), pairs.ranges, strict=True), key=_reach)
    rows = _rows_where(inside, narrow)
    rows = rows[status[rows] == ACCEPTED]
    nodes = np.flatnonzero(inside)
    place = np.empty(len(ids), np.int64)
    place[nodes] = np.arange(len(nodes))
    left, right = place[pairs.left[rows]], place[pairs.right[rows]]
    kinds = np.full(len(nodes), -1, np.int64)
    for kind, namespace in enumerate(rules.exclusive):
        mine = ids.range(namespace)
        kinds[(nodes >= mine.start) & (nodes < mine.stop)] = kind
    links = distinct_links(left, right, None if pairs.time is None else pairs.time[rows])
    apart = held_apart(links, kinds, len(nodes), earliest=rules.prefer == "earliest")
    a, b = apart[left], apart[right]
    for kind in reversed(range(len(rules.exclusive))):
        holds = np.zeros(len(nodes), dtype=bool)
        holds[apart[kinds == kind]] = True
        status[rows[(a != b) & holds[a] & holds[b]]] = CONFLICT + kind
    group[nodes] = nodes[apart]


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


def _timeline(
    pairs: Pairs, status: NDArray[np.uint8], group: IntArray, customer: IntArray, rules: Rules
) -> Timeline:
    rows = np.flatnonzero(status == FOR_A_TIME) if rules.devices else np.zeros(0, np.int64)
    left, right = pairs.left[rows], pairs.right[rows]
    device = pairs.identifiers.within(rules.devices)
    swap = device[right]
    device_of, person = np.where(swap, right, left), np.where(swap, left, right)
    time = np.zeros(0, np.int64) if pairs.time is None else pairs.time[rows]
    return Timeline.of(
        group[device_of], time, customer[person], within=rules.within, after=rules.after
    )
