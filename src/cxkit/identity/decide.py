"""From pairs and rules to customers: a function of the set of pairs, never of their order."""

from __future__ import annotations

from functools import cached_property
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.factorize import translate
from cxkit.identity.blocked import blocked_values
from cxkit.identity.conflicts import grouped
from cxkit.identity.guards import Rules, widely_shared
from cxkit.identity.identifiers import Identifiers
from cxkit.identity.pairs import Pairs
from cxkit.identity.status import ACCEPTED, BLOCKED_VALUE, FOR_A_TIME, SELF, SHARED, SPLIT, refuse
from cxkit.identity.timeline import Timeline
from cxkit.identity.unionfind import Hooks

__all__ = ["Decision", "decide", "identified"]

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
        refuse(status, self.pairs, self.shared, SHARED)
        rows, why = self.conflicts
        status[rows] = why
        return freeze(status)


def decide(pairs: Pairs, rules: Rules) -> Decision:
    """Decide of every pair."""
    ids, left, right = pairs.identifiers, pairs.left, pairs.right
    begun = np.zeros(len(pairs), np.uint8)
    blocked = blocked_values(ids, rules.blocked)
    refuse(begun, pairs, blocked, BLOCKED_VALUE)
    one, other = pairs.ranges
    if one.start < other.stop and other.start < one.stop:
        begun[left == right] = SELF
    _split(begun, pairs, rules)
    hooks = Hooks.of(left, right, begun == ACCEPTED, len(ids))
    shared = widely_shared(hooks, ids, rules)
    if rules.devices:
        refuse(begun, pairs, shared, SHARED)
        device = ids.within(rules.devices)
        begun[(begun == ACCEPTED) & (device[left] != device[right])] = FOR_A_TIME
        hooks = Hooks.of(left, right, begun == ACCEPTED, len(ids))
    elif shared.any():
        hooks = hooks.without(shared)
    group, conflicts = grouped(pairs, begun, shared, hooks, rules)
    customer = _called(group, _first_seen(pairs), ids)
    customer[blocked | shared] = _NOBODY
    timeline = _timeline(pairs, begun, group, customer, rules)
    return Decision(pairs, group, customer, shared, timeline, begun, conflicts)


def _split(status: NDArray[np.uint8], pairs: Pairs, rules: Rules) -> None:
    for a, b in rules.apart:
        one, other = pairs.identifiers.find(*a), pairs.identifiers.find(*b)
        if one is None or other is None:
            continue
        rows = np.flatnonzero((pairs.left == one) | (pairs.right == one))
        both = (pairs.left[rows] == other) | (pairs.right[rows] == other)
        status[rows[both]] = SPLIT


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
