"""k-medoids of weighted points, from their distances: numpy only, nothing random.

Build and swap as in PAM (Kaufman and Rousseeuw 1990, "Finding Groups in Data"), all swaps of a
round priced at once by the decomposition of Schubert and Rousseeuw (2021, Information Systems 101).
A medoid is one of the points, so it can be shown; a mean of paths cannot.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.intervals import divide

__all__ = ["adjusted_rand", "k_medoids", "silhouettes"]

_ROUNDS: Final = 200
_LEAST: Final = 1e-12


def k_medoids(matrix: NDArray[np.float64], weight: NDArray[Any], k: int) -> IntArray:
    """(k,) points such that the weighted distance of all points to the nearest is small.

    No swap of a medoid for another point makes it smaller; that need not be the least there is.

    Args:
        matrix: (n, n) distances.
        weight: (n,) how much each point counts, 0 or more.
        k: How many, at most n.

    Example:
        >>> points = np.array([0.0, 1.0, 2.0, 10.0, 11.0])
        >>> k_medoids(np.abs(points - points[:, None]), np.ones(5), 2).tolist()
        [1, 3]
    """
    chosen: list[int] = []
    near = np.full(len(matrix), np.inf)
    for _ in range(k):  # the point that helps most, again and again
        gain = weight @ np.minimum(matrix, near[:, np.newaxis]) if chosen else weight @ matrix
        gain[chosen] = np.inf
        chosen.append(int(gain.argmin()))
        near = np.minimum(near, matrix[:, chosen[-1]])
    medoids = np.array(chosen)
    for _ in range(_ROUNDS):
        far = matrix[:, medoids]
        order = np.argsort(far, axis=1, kind="stable")
        rows = np.arange(len(far))
        first, nearest = order[:, 0], far[rows, order[:, 0]]
        second = far[rows, order[:, 1]] if k > 1 else np.full(len(far), np.inf)
        # A point is nearer to the newcomer, or stays; where its medoid goes, its second is next.
        stays = np.minimum(matrix, nearest[:, np.newaxis])
        moves = np.minimum(matrix, second[:, np.newaxis]) - stays
        base = weight @ (stays - nearest[:, np.newaxis])
        change = np.empty((k, len(matrix)))
        for place in range(k):
            of = first == place
            change[place] = base + weight[of] @ moves[of]
        change[:, medoids] = np.inf
        place, newcomer = divmod(int(change.argmin()), change.shape[1])
        if not change[place, newcomer] < -_LEAST * max(float(weight @ nearest), 1.0):
            break
        medoids[place] = newcomer
    return np.sort(medoids)


def silhouettes(
    matrix: NDArray[np.float64], weight: NDArray[Any], cluster: IntArray, k: int
) -> NDArray[np.float64]:
    """(n,) how much better each point fits its cluster than the next best, from -1 to 1.

    ``(b - a) / max(a, b)``: a is the mean distance to the others of its cluster, b the least mean
    distance to those of another (Rousseeuw 1987, Journal of Computational and Applied Mathematics
    20). A point of weight w stands for w points in one place. Alone in its cluster it has 0, and so
    has every point where there is one cluster.

    Example:
        >>> points = np.array([0.0, 1.0, 10.0])
        >>> matrix = np.abs(points - points[:, None])
        >>> silhouettes(matrix, np.ones(3), np.array([0, 0, 1]), 2).round(3).tolist()
        [0.9, 0.889, 0.0]
    """
    if k < 2:
        return np.zeros(len(matrix))
    member = np.zeros((len(matrix), k))
    member[np.arange(len(matrix)), cluster] = weight
    sums, size = matrix @ member, member.sum(axis=0)
    rows = np.arange(len(matrix))
    alone = size[cluster] <= 1
    own = divide(sums[rows, cluster], np.where(alone, 1, size[cluster] - 1))
    other = divide(sums, np.broadcast_to(size, sums.shape))
    other[rows, cluster] = np.inf
    next_best = np.nanmin(np.where(np.isnan(other), np.inf, other), axis=1)
    told = ~alone & np.isfinite(next_best)
    own, next_best = np.where(told, own, 0.0), np.where(told, next_best, 0.0)
    most = np.maximum(own, next_best)
    return np.asarray((next_best - own) / np.where(most > 0, most, 1.0))


def adjusted_rand(one: IntArray, two: IntArray, weight: NDArray[Any]) -> float:
    """How far two clusterings agree: 1 for the same, 0 for no more than by chance.

    Hubert and Arabie (1985, Journal of Classification 2), over pairs of the things that points
    stand for.

    Args:
        one: (n,) cluster of each point.
        two: (n,) in the other clustering.
        weight: (n,) how many things each point stands for.

    Example:
        >>> adjusted_rand(np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0]), np.ones(4))
        1.0
    """
    table = np.zeros((int(one.max(initial=0)) + 1, int(two.max(initial=0)) + 1))
    np.add.at(table, (one, two), weight)
    cells, rows, columns, whole = (
        float((t * (t - 1) / 2).sum())
        for t in (table, table.sum(axis=1), table.sum(axis=0), table.sum())
    )
    expected = rows * columns / whole if whole else 0.0
    most = (rows + columns) / 2
    return 1.0 if most == expected else (cells - expected) / (most - expected)
