"""How far along labels are: a number for each, so that steps go from lower to higher ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["levels"]


def levels(weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) the level of each node of a weighted graph, the lowest 0.

    Levels are such that steps lead one level up, as nearly as can be: they make the weighted sum of
    ``(level of target - level of source - 1)**2`` least (MacKay, Johnson and Sansom 2020, "How
    directed is a directed network?", Royal Society Open Science 7).

    Args:
        weight: (n, n) steps from each node (row) to each (column); steps from a node to itself do
            not matter.

    Example:
        >>> levels(np.array([[0, 3, 0], [0, 0, 3], [0, 0, 0.0]])).round(6).tolist()
        [0.0, 1.0, 2.0]
    """
    between = weight - np.diag(np.diag(weight))
    out, into = between.sum(axis=1), between.sum(axis=0)
    laplacian = np.diag(out + into) - between - between.T
    # The level of one node is free in every part of the graph: the least squares take the mean.
    found = np.linalg.lstsq(laplacian, into - out, rcond=None)[0]
    return np.asarray(found - found.min()) if len(found) else found
