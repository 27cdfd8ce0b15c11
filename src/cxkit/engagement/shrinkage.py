"""Means of small groups, drawn towards the mean of all."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray

__all__ = ["Shrunk", "shrink"]

FloatArray = NDArray[np.float64]


class Shrunk(NamedTuple):
    """Group means after shrinkage.

    Attributes:
        mean: (K,) ``weight * own + (1 - weight) * all``.
        weight: (K,) how much a group's own mean counts, 0 to 1: its credibility.
        between: The variance of the true means from group to group, 0 if the data shows none.
    """

    mean: FloatArray
    weight: FloatArray
    between: float


def shrink(count: IntArray, value: FloatArray, spread: FloatArray) -> Shrunk:
    """Shrink the means of groups to the mean of all by as much as the data says.

    Empirical Bayes in the form of Buehlmann and Straub (1970, "Glaubwuerdigkeit fuer
    Schadensaetze"): ``weight = n / (n + k)`` with ``k`` the variance within groups over that
    between them, both estimated from the data without assuming a distribution.

    Args:
        count: (K,) sizes, 1 or more.
        value: (K,) sums.
        spread: (K,) sums of squared differences from the group's mean.

    Returns:
        Means and weights; NaN where there are fewer than two groups, or none has two members, for
        there is nothing to learn the variances from. Where the groups differ by no more than chance
        would make them, every mean is that of all.

    Example:
        >>> count, value = np.array([1000, 10]), np.array([2000.0, 50.0])
        >>> found = shrink(count, value, np.array([4000.0, 40.0]))
        >>> found.mean.round(2).tolist(), found.weight.round(2).tolist()
        ([2.0, 4.75], [1.0, 0.91])
    """
    groups, total = len(count), int(count.sum())
    freedom = total - groups
    if groups < 2 or freedom < 1:
        nothing = np.full(groups, np.nan)
        return Shrunk(nothing, nothing, float("nan"))
    own, every = value / count, value.sum() / total
    within = float(spread.sum()) / freedom
    among = float((count * np.square(own - every)).sum()) - (groups - 1) * within
    between = max(among / (total - float(np.square(count).sum()) / total), 0.0)
    if between == 0:
        return Shrunk(np.full(groups, every), np.zeros(groups), 0.0)
    weight = count * between / (count * between + within)
    return Shrunk(weight * own + (1 - weight) * every, weight, between)
