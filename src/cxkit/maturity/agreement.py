"""How far several assessors agree: Krippendorff's alpha."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cxkit.errors import DataError, DefinitionError

__all__ = ["Metric", "krippendorff_alpha"]

Metric: TypeAlias = Literal["nominal", "ordinal", "interval"]
_Distance: TypeAlias = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]


def _nominal(values: NDArray[np.float64], _: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(values[:, None] != values, np.float64)


def _interval(values: NDArray[np.float64], _: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((values[:, None] - values) ** 2)


def _ordinal(_: NDArray[np.float64], totals: NDArray[np.float64]) -> NDArray[np.float64]:
    upto = np.cumsum(totals) - totals / 2  # how many lie before the middle of each rank
    return np.asarray((upto[:, None] - upto) ** 2)


_DISTANCES: Final[Mapping[str, _Distance]] = {
    "nominal": _nominal,
    "ordinal": _ordinal,
    "interval": _interval,
}


def krippendorff_alpha(ratings: ArrayLike, metric: Metric = "ordinal") -> float:
    """Agreement beyond chance between any number of raters, with ratings missing where they may.

    ``alpha = 1 - D_o / D_e``: the observed disagreement within units over the one that would be if
    all ratings were dealt out at random (Krippendorff 2011, "Computing Krippendorff's
    alpha-reliability"). 1 is perfect agreement, 0 is chance, below 0 is worse than chance.

    Args:
        ratings: (R, U) what each rater gave each unit; NaN where a rater gave none. Units with
            fewer than two ratings tell nothing and are left out.
        metric: How far apart two ratings are: different or not; by how many ratings lie between
            them; or by the square of their difference.

    Returns:
        Alpha; NaN where no unit has two ratings, or all ratings are the same, so that there is
        nothing to disagree about.

    Raises:
        DataError: It is no table.
        DefinitionError: There is no such metric.

    Example:
        >>> round(krippendorff_alpha([[1, 2, 3, 3], [1, 2, 3, 2]]), 3)
        0.79
    """
    table = np.array(ratings, np.float64)
    if table.ndim != 2:  # raters and units
        raise DataError(f"ratings are a table of raters and units; found {table.ndim} dimensions")
    if metric not in _DISTANCES:
        raise DefinitionError(f"metric is one of {list(_DISTANCES)}; found {metric!r}")
    known = ~np.isnan(table)
    table, known = table[:, known.sum(axis=0) > 1], known[:, known.sum(axis=0) > 1]
    values, codes = np.unique(table[known], return_inverse=True)
    if not len(values):
        return float("nan")
    places = np.nonzero(known)[1]
    units = table.shape[1]
    counts = np.zeros((units, len(values)))
    np.add.at(counts, (places, codes), 1)
    of_unit = counts.sum(axis=1, keepdims=True)
    coincidence = (counts / (of_unit - 1)).T @ counts - np.diag(
        (counts / (of_unit - 1)).sum(axis=0)
    )
    totals = coincidence.sum(axis=1)
    distance = _DISTANCES[metric](values, totals)
    expected = (np.outer(totals, totals) - np.diag(totals)) / (totals.sum() - 1)
    chance = (expected * distance).sum()
    return float(1 - (coincidence * distance).sum() / chance) if chance > 0 else float("nan")
