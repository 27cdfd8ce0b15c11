"""Whether scores tell those who convert from those who do not: three tests."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cxkit.core.intervals import check_level
from cxkit.errors import DataError

__all__ = ["Auc", "Trend", "auc", "checked", "isotonic_rates", "trend_test"]

FloatArray = NDArray[np.float64]


class Auc(NamedTuple):
    """The area under the ROC curve.

    Attributes:
        auc: The chance that one who converted has a higher score than one who did not, ties half.
        low: The low end of its interval.
        high: The high end.
        error: Its standard error.
    """

    auc: float
    low: float
    high: float
    error: float


class Trend(NamedTuple):
    """A test of whether shares rise from band to band.

    Attributes:
        statistic: Observed less expected sum of band numbers over those who converted.
        variance: Its variance where bands do not matter.
        z: The statistic over its standard deviation.
        p: One-sided chance of as large a z where bands do not matter.
    """

    statistic: float
    variance: float
    z: float
    p: float


def auc(scores: ArrayLike, converted: ArrayLike, *, level: float = 0.95) -> Auc:
    """The area under the ROC curve, with an interval.

    The interval is that of DeLong, DeLong and Clarke-Pearson (1988, Biometrics 44), from ranks (Sun
    and Xu 2014, IEEE Signal Processing Letters 21), on the scale of the log-odds, so that it stays
    between 0 and 1. Customers are taken for independent.

    Args:
        scores: (n,) scores.
        converted: (n,) whether each converted.
        level: The level of the interval.

    Returns:
        NaN where everyone converted, or nobody did; no interval where the scores divide the two
        without an exception, or either has one customer only.

    Raises:
        DataError: The lengths differ, a score is NaN, or there are no scores.
        DefinitionError: ``level`` is no share.

    Example:
        >>> auc([1, 2, 3, 4], [False, True, False, True]).auc
        0.75
    """
    values, outcome = checked(scores, converted)
    check_level(level)
    good, bad = values[outcome], values[~outcome]
    if not len(good) or not len(bad):
        return Auc(*[math.nan] * 4)
    # How many of the others each one beats, ties half.
    wins = _beaten(good, bad) / len(bad)
    losses = 1 - _beaten(bad, good) / len(good)
    area = float(wins.mean())
    if min(len(good), len(bad)) < 2:
        return Auc(area, math.nan, math.nan, math.nan)
    error = math.sqrt(wins.var(ddof=1) / len(good) + losses.var(ddof=1) / len(bad))
    if error == 0 or not 0 < area < 1:
        return Auc(area, math.nan, math.nan, error)
    half = NormalDist().inv_cdf(0.5 + level / 2) * error / (area * (1 - area))
    odds = math.log(area / (1 - area))
    low, high = (1 / (1 + math.exp(-(odds + side * half))) for side in (-1, 1))
    return Auc(area, low, high, error)


def trend_test(customers: ArrayLike, converted: ArrayLike) -> Trend:
    """Whether the share that converts rises from band to band.

    Cochran (1954, Biometrics 10) and Armitage (1955, Biometrics 11), bands numbered from 0. The
    variance is that of independent customers with one share; some packages divide by ``n - 1``.

    Args:
        customers: (B,) customers of each band.
        converted: (B,) those who converted.

    Returns:
        NaN for z and p with a single band, or where everyone or nobody converted.

    Example:
        >>> round(trend_test([100, 100, 100, 100], [2, 5, 9, 16]).z, 4)
        3.7914
    """
    n, c = np.asarray(customers, np.float64), np.asarray(converted, np.float64)
    place, size = np.arange(len(n)), float(n.sum())
    share = float(c.sum()) / size if size else math.nan
    statistic = float((place * (c - n * share)).sum())
    spread = float((n * place**2).sum()) - float((n * place).sum()) ** 2 / size if size else 0.0
    variance = share * (1 - share) * spread
    if not variance > 0:
        return Trend(statistic, variance, math.nan, math.nan)
    z = statistic / math.sqrt(variance)
    return Trend(statistic, variance, z, math.erfc(z / math.sqrt(2)) / 2)


def isotonic_rates(rates: ArrayLike, weights: ArrayLike) -> FloatArray:
    """(B,) the nearest rates, by weighted squares, that never fall: pool adjacent violators.

    Ayer, Brunk, Ewing, Reid and Silverman (1955, Annals of Mathematical Statistics 26).

    Args:
        rates: (B,) rates.
        weights: (B,) their weights, above 0.

    Example:
        >>> isotonic_rates([0.02, 0.05, 0.04, 0.16], [100, 100, 100, 100]).round(3).tolist()
        [0.02, 0.045, 0.045, 0.16]
    """
    pools: list[list[float]] = []  # mean, weight, how many bands
    pairs = zip(np.asarray(rates, float).tolist(), np.asarray(weights, float).tolist(), strict=True)
    for rate, weight in pairs:
        pools.append([rate, weight, 1])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            mean, heavy, bands = pools.pop()
            last = pools[-1]
            last[0] = (last[0] * last[1] + mean * heavy) / (last[1] + heavy)
            last[1] += heavy
            last[2] += bands
    return np.repeat([pool[0] for pool in pools], [int(pool[2]) for pool in pools])


def checked(scores: Any, converted: Any) -> tuple[FloatArray, NDArray[np.bool_]]:
    """(n,) scores and (n,) flags, or the reason why they are none.

    Raises:
        DataError: The lengths differ, a score is NaN, or there are no scores.
    """
    values, outcome = np.asarray(scores, np.float64), np.asarray(converted)
    if values.ndim != 1 or values.shape != outcome.shape:
        raise DataError(
            f"scores and converted are columns of one length; found {values.shape} and "
            f"{outcome.shape}"
        )
    if not len(values):
        raise DataError("there are no scores to validate")
    if np.isnan(values).any():
        raise DataError(f"{int(np.isnan(values).sum()):,} of {len(values):,} scores are NaN")
    if outcome.dtype != bool and not np.isin(outcome, (0, 1)).all():
        raise DataError(f"converted is a column of flags; found {outcome[:5].tolist()}")
    return values, outcome.astype(bool)


def _beaten(one: FloatArray, others: FloatArray) -> FloatArray:
    """(n,) how many of the others each value is above, ties half."""
    ranked = np.sort(others)
    below = np.searchsorted(ranked, one, side="left")
    return (below + np.searchsorted(ranked, one, side="right")) / 2
