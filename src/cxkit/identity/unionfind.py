"""Connected components of pairs, by arrays alone.

Every round hooks the larger end of each pair to the smaller one, follows the hooks to their end,
and looks from there on only at the pairs that still lie between two trees. This is of the family
of Liu and Tarjan, "Simple concurrent labeling algorithms for connected components" (2019); from the
second round on it is their algorithm S, which needs at most O(log^2 n) rounds on any graph. Three
or four are usual for devices and customers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.factorize import translate
from cxkit.core.rows import in_row_parts, pieces
from cxkit.core.threads import in_parts

__all__ = ["Hooks", "components"]

_NARROW: Final = 2**31
"""Fewer nodes than this are numbered with 32 bits: what is looked up at random is half as large."""

Nodes = NDArray[np.signedinteger[Any]]


def components(left: IntArray, right: IntArray, nodes: int) -> IntArray:
    """The smallest node that each node is connected with.

    Args:
        left: (P,) one end of each pair, whole numbers from 0 to ``nodes - 1``.
        right: (P,) the other. Self-pairs, repeats and cycles do no harm.
        nodes: How many nodes there are.

    Returns:
        (nodes,) int64; a node that is its own answer is the smallest of its component.

    Example:
        >>> components(np.array([4, 1, 3]), np.array([1, 0, 3]), 5).tolist()
        [0, 0, 2, 3, 0]
    """
    return Hooks.of(left, right, np.ones(len(left), dtype=bool), nodes).components()


@attrs.frozen(eq=False)
class Hooks:
    """The first round: each node is hooked to one of its smaller neighbours, if it has any.

    Most pairs are hooks then. A node has at most one hook, so one with k different smaller
    neighbours has k - 1 of them left among the open pairs.

    Attributes:
        root: (I,) the neighbour that each node hangs from, or the node itself.
        low: (O,) the smaller end of the pairs that are no hooks.
        high: (O,) the larger one.
        hooked_on: In which range the nodes lie that others hang from.
        turned: Whether nodes are numbered from the other end: node n is ``I - 1 - n``.
    """

    root: Nodes
    low: Nodes
    high: Nodes
    hooked_on: slice
    turned: bool

    @classmethod
    def of(cls, left: IntArray, right: IntArray, among: NDArray[np.bool_], nodes: int) -> Self:
        """Hook.

        Args:
            left: (P,) one end of each pair.
            right: (P,) the other.
            among: (P,) which pairs connect.
            nodes: How many nodes there are.
        """
        # Many devices below few customers: turned over, each device hooks to a customer at once.
        turned = _few_on_top(left, right)
        low, high = _ends(left, right, among, nodes, turned=turned)
        root = np.arange(nodes, dtype=low.dtype)
        # Any smaller neighbour will do, be it written over by another or by the node itself.
        root[high] = low
        hooked_on = slice(int(low.min()), int(low.max()) + 1) if len(low) else slice(0, 0)
        return cls(root, *_still_open(root, low, high), hooked_on, turned)

    def paired_with_more(self, limits: Sequence[tuple[slice, int]]) -> NDArray[np.bool_]:
        """(I,) which nodes have more different neighbours than they may.

        Args:
            limits: Ranges of nodes, and how many neighbours one of each may have.
        """
        size = len(self.root)
        if self.turned:
            limits = [(slice(size - r.stop, size - r.start), most) for r, most in limits]
        neighbours = np.zeros(size, np.int64)  # no fewer than there are
        for ends in (self.low, self.high):
            np.add.at(neighbours, ends, 1)
        on = self.hooked_on
        if any(r.start < on.stop and on.start < r.stop for r, _ in limits):
            neighbours[on] += np.bincount(self.root, minlength=on.stop)[on]
        many = np.zeros(size, dtype=bool)
        for part, most in limits:
            np.greater_equal(neighbours[part], most, out=many[part])  # one more is its own hook
        if many.any():
            neighbours = self._neighbours(many)
            for part, most in limits:
                np.greater(neighbours[part], most, out=many[part])
        return many[::-1] if self.turned else many

    def _neighbours(self, some: NDArray[np.bool_]) -> IntArray:
        """(I,) how many different neighbours some nodes have; 0 for the others."""
        size = len(self.root)
        low, high = self.low.astype(np.int64), self.high.astype(np.int64)
        nodes = np.flatnonzero(some)
        hooks = nodes[self.root[nodes] != nodes]
        keys = [low[some[low]] * size + high[some[low]]]  # fits: fewer than 2**31 identifiers
        keys += [high[some[high]] * size + low[some[high]], hooks * size + self.root[hooks]]
        if some[self.hooked_on].any():
            hung = np.flatnonzero(translate(self.root, some))
            hung = hung[self.root[hung] != hung]
            keys.append(self.root[hung].astype(np.int64) * size + hung)
        every = np.sort(np.concatenate(keys))
        first = np.ones(len(every), dtype=bool)
        np.not_equal(every[1:], every[:-1], out=first[1:])
        return np.bincount(every[first] // size, minlength=size)

    def without(self, nodes: NDArray[np.bool_]) -> Self:
        """As if no pair had any of some nodes (I,)."""
        gone = nodes[::-1] if self.turned else nodes
        root = self.root.copy()
        cut = np.flatnonzero(translate(root, gone) if gone[self.hooked_on].any() else gone)
        root[cut] = cut
        cut = np.flatnonzero(gone)
        root[cut] = cut
        kept = ~(gone[self.low] | gone[self.high])
        return attrs.evolve(self, root=root, low=self.low[kept], high=self.high[kept])

    def components(self) -> IntArray:
        """(I,) the smallest node that each node is connected with."""
        return self._smallest(_connected(self.root, self.low, self.high))

    def hung(self, nodes: IntArray, on: IntArray) -> IntArray:
        """(I,) the same where some nodes hang from others, and no open pair counts.

        Args:
            nodes: (n,) nodes that others do not hang from.
            on: (n,) what each hangs from, which hangs from nothing.
        """
        root, last = self.root.copy(), len(self.root) - 1
        root[last - nodes if self.turned else nodes] = last - on if self.turned else on
        return self._smallest(root)

    def several(self) -> NDArray[np.bool_]:
        """(I,) which nodes have more than one of those that come before them."""
        mask = np.zeros(len(self.root), dtype=bool)
        mask[self.high] = True
        return mask[::-1] if self.turned else mask

    def _smallest(self, root: Nodes) -> IntArray:
        """(I,) the smallest node of the tree of each, from the roots."""
        if not self.turned:
            return root.astype(np.int64)
        largest = (len(root) - 1) - root[::-1]
        smallest = np.full(len(root), len(root), root.dtype)
        np.minimum.at(smallest, largest, np.arange(len(root), dtype=root.dtype))
        return translate(largest, smallest).astype(np.int64)


def _few_on_top(left: IntArray, right: IntArray) -> bool:
    """Whether the pairs go from a wide range of nodes up to a narrow one."""
    if not len(left):
        return False
    ranges = sorted((int(side.min()), int(side.max())) for side in (left, right))
    (low, below), (above, high) = ranges
    return below < above and high - above < below - low


def _ends(
    left: IntArray, right: IntArray, among: NDArray[np.bool_], nodes: int, *, turned: bool
) -> tuple[Nodes, Nodes]:
    """The smaller and the larger end of some pairs; of all nodes turned over, if they are."""
    parts = list(pieces(0, len(left)))
    bounds = np.zeros(len(parts) + 1, np.int64)
    np.cumsum([np.count_nonzero(among[a:b]) for a, b in parts], out=bounds[1:])
    low, high = (np.empty(int(bounds[-1]), _width(nodes)) for _ in range(2))

    def part(begin: int, end: int) -> None:
        for at in range(begin, end):
            here = slice(*parts[at])
            out = slice(int(bounds[at]), int(bounds[at + 1]))
            a, b = left[here], right[here]
            if out.stop - out.start < len(a):
                a, b = a[among[here]], b[among[here]]
            if turned:
                a, b = (nodes - 1) - a, (nodes - 1) - b
            np.minimum(a, b, out=low[out], casting="same_kind")
            np.maximum(a, b, out=high[out], casting="same_kind")

    in_parts(part, bounds)
    return low, high


def _connected(root: Nodes, low: Nodes, high: Nodes) -> Nodes:
    """The smallest node that each is connected with by hooks and open pairs."""
    root = _flat(root)
    hooked = [high[:0]]
    while len(low):
        up, other = np.take(root, high, mode="clip"), np.take(root, low, mode="clip")
        open_ = up != other
        up, other = up[open_], other[open_]
        low, high = np.minimum(up, other), np.maximum(up, other)
        # The smallest neighbour, not any: a node with a million of them is done in two rounds.
        np.minimum.at(root, high, low)
        # Only ends of open pairs were hooked, so only these hooks are followed.
        _follow(root, high)
        hooked.append(high)
    # A tree that was hooked in one round may have been hooked again, as a whole, in a later one.
    # All others hung from the end of their hooks before: they are one step away.
    _follow(root, np.concatenate(hooked))
    return translate(root, root)


def _still_open(root: Nodes, low: Nodes, high: Nodes) -> tuple[Nodes, Nodes]:
    """The pairs whose larger end is not hooked to the smaller one."""

    def part(begin: int, end: int) -> list[tuple[Nodes, Nodes]]:
        found = []
        for first, last in pieces(begin, end):
            a, b = low[first:last], high[first:last]
            at = np.flatnonzero(np.take(root, b, mode="clip") != a)
            found.append((a[at], b[at]))
        return found

    found = [piece for some in in_row_parts(part, len(low)) for piece in some]
    if not found:
        return low, high
    a, b = zip(*found, strict=True)
    return np.concatenate(a), np.concatenate(b)


def _follow(root: Nodes, some: Nodes) -> None:
    """Hook some nodes straight to the end of their hooks."""
    up = np.take(root, some, mode="clip")
    while not np.array_equal(further := np.take(root, up, mode="clip"), up):
        root[some] = up = further


def _flat(root: Nodes) -> Nodes:
    """Every node straight at the end of its hooks."""
    while not np.array_equal(up := translate(root, root), root):
        root = up
    return up


def _width(nodes: int) -> type[np.signedinteger[Any]]:
    return np.int32 if nodes < _NARROW else np.int64
