"""Many labels in few: the largest by themselves, the others together."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.errors import DefinitionError

__all__ = ["Folded", "check_top", "fold_labels", "other_name"]


@attrs.frozen(eq=False)
class Folded:
    """Labels put into groups.

    Attributes:
        kept: (n,) labels that stay by themselves, the largest first.
        group: (K,) the group of each label: its place in ``kept``, or n for all others.
        others: How many labels are together in the last group.
    """

    kept: IntArray
    group: IntArray
    others: int

    @property
    def groups(self) -> int:
        """How many groups there are, that of all others included."""
        return len(self.kept) + bool(self.others)


def fold_labels(weight: NDArray[np.number], top: int) -> Folded:
    """The ``top`` largest labels, and the others together.

    Labels of no weight are in no group of their own nor counted among the others; a single label
    left over stays by itself, as it would only lose its name.

    Args:
        weight: (K,) how much there is of each label.
        top: How many stay by themselves.

    Example:
        >>> fold_labels(np.array([5, 0, 9, 1, 1]), 2).kept.tolist()
        [2, 0]
    """
    order = np.argsort(-weight, kind="stable")
    order = order[weight[order] > 0]
    kept = order if len(order) <= top + 1 else order[:top]
    group = np.full(len(weight), len(kept), np.int64)
    group[kept] = np.arange(len(kept))
    return Folded(kept, group, len(order) - len(kept))


def other_name(count: int) -> str:
    """What the group of all others is called."""
    return f"other ({count:,})"


def check_top(top: int) -> int:
    """How many are shown by themselves.

    Raises:
        DefinitionError: It is no whole number from 1 up.
    """
    if type(top) is not int or top < 1:
        raise DefinitionError(f"top must be a whole number from 1 up; found {top!r}")
    return top
