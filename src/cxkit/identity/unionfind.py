"""Connected components of pairs, by arrays alone.

Every round hooks each node to its smallest neighbour, follows the hooks to their end, and looks
from there on only at the pairs that still lie between two trees. This is algorithm S of Liu and
Tarjan, "Simple concurrent labeling algorithms for connected components" (2019), which needs at most
O(log^2 n) rounds on any graph; two or three are usual for devices and customers.
"""

from __future__ import annotations

import numpy as np

from cxkit.core.arrays import IntArray

__all__ = ["components"]


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
    if not _few_on_top(left, right):
        return _hooked(left, right, nodes)
    # Many devices below few customers: turned over, each device hooks to a customer at once.
    last = nodes - 1
    largest = last - _hooked(last - left, last - right, nodes)[::-1]
    smallest = np.full(nodes, nodes)
    np.minimum.at(smallest, largest, np.arange(nodes))
    return np.asarray(np.take(smallest, largest, mode="clip"))


def _few_on_top(left: IntArray, right: IntArray) -> bool:
    """Whether the pairs go from a wide range of nodes up to a narrow one."""
    if not len(left):
        return False
    ranges = sorted((int(side.min()), int(side.max())) for side in (left, right))
    (low, below), (above, high) = ranges
    return below < above and high - above < below - low


def _hooked(left: IntArray, right: IntArray, nodes: int) -> IntArray:
    root = np.arange(nodes)
    # The ends are trusted: mode="clip" spares the check of every index.
    low, high = np.minimum(left, right), np.maximum(left, right)
    # The smallest neighbour, not any: a node with a million of them is done in two rounds.
    np.minimum.at(root, high, low)
    # Most pairs are hooks now, and done with.
    open_ = np.take(root, high, mode="clip") != low
    low, high = low[open_], high[open_]
    root = _flat(root)
    while len(low):
        up, other = np.take(root, high, mode="clip"), np.take(root, low, mode="clip")
        open_ = up != other
        up, other = up[open_], other[open_]
        low, high = np.minimum(up, other), np.maximum(up, other)
        np.minimum.at(root, high, low)
        # Only ends of open pairs were hooked, so only these hooks are followed.
        up = np.take(root, high, mode="clip")
        while not np.array_equal(further := np.take(root, up, mode="clip"), up):
            root[high] = up = further
    # A tree that was hooked in one round may have been hooked again, as a whole, in a later one.
    return _flat(root)


def _flat(root: IntArray) -> IntArray:
    """Every node straight at the end of its hooks."""
    while not np.array_equal(up := np.take(root, root, mode="clip"), root):
        root = up
    return root
