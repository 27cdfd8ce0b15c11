"""Intervals from the shards of a summary: jackknife, bootstrap, differences.

A summary keeps its totals in :data:`~cxkit.core.summary.SHARDS` parts by a hash of the customer.
The parts are alike, as customers fall into them by chance, so that what an answer does when parts
are left out (jackknife) or drawn anew (bootstrap) tells how far it would vary from one set of
customers to another. All of it takes the customers for independent draws from a large population.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cxkit.core.arrays import IntArray
from cxkit.errors import DefinitionError

__all__ = [
    "FEWEST_CASES",
    "FEWEST_SHARDS",
    "Difference",
    "TwoRates",
    "check_level",
    "divide",
    "interval",
    "jackknife_error",
    "leave_one_out",
    "p_value",
    "paired_difference",
    "percentile_interval",
    "rate_difference",
    "shard_draws",
    "share_interval",
]

FEWEST_SHARDS: Final = 10
"""With fewer shards that hold a customer there is no interval."""
FEWEST_CASES: Final = 5
"""With fewer cases, or fewer without, chance alone may leave nothing that varies."""


def check_level(level: float) -> float:
    """The level of an interval.

    Raises:
        DefinitionError: It does not lie between 0 and 1.
    """
    if not 0 < level < 1:
        raise DefinitionError(f"level must lie between 0 and 1, such as 0.95; found {level!r}")
    return level


def divide(part: ArrayLike, whole: ArrayLike) -> NDArray[np.float64]:
    """``part / whole``, NaN where the whole is nothing.

    Example:
        >>> divide([1, 0, 2], [2, 0, 0]).tolist()
        [0.5, nan, nan]
    """
    wholes = np.asarray(whole, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.asarray(part) / np.where(wholes == 0, np.nan, wholes))


def leave_one_out(totals: NDArray[Any]) -> NDArray[Any]:
    """(SHARDS, ...) the totals without each shard in turn.

    Args:
        totals: (SHARDS, ...) the totals of each shard.
    """
    return np.asarray(totals.sum(axis=0) - totals)


def jackknife_error(estimates: NDArray[np.float64], occupied: NDArray[np.bool_]) -> NDArray[Any]:
    """Standard error of an estimate from its values without each shard.

    The delete-a-group jackknife: ``sqrt((G - 1) / G * sum((t_g - mean(t))**2))`` over the G shards
    that hold a customer (Kott 2001, "The delete-a-group jackknife", Journal of Official Statistics
    17). It takes the customers for a sample of independent ones.

    Args:
        estimates: (SHARDS, ...) the estimate without each shard.
        occupied: (SHARDS,) which shards hold anything.

    Returns:
        (...) standard errors; NaN where fewer than 10 shards are occupied, for no interval can be
        had from so few customers.
    """
    kept = estimates[occupied]
    groups = len(kept)
    if groups < FEWEST_SHARDS:
        return np.full(estimates.shape[1:], np.nan)
    spread = kept - kept.mean(axis=0)
    return np.asarray(np.sqrt((groups - 1) / groups * np.square(spread).sum(axis=0)))


def interval(
    estimate: NDArray[np.float64],
    error: NDArray[np.float64],
    occupied: NDArray[np.bool_],
    *,
    level: float = 0.95,
    bounds: tuple[float, float] = (-math.inf, math.inf),
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Low and high end: estimate -+ t * error, kept within ``bounds``.

    The quantile of Student's t with one degree of freedom less than there are shards is the
    Cornish-Fisher expansion (Abramowitz and Stegun 1964, 26.7.5), within 0.0005 from 9 degrees up.
    """
    freedom = max(int(occupied.sum()) - 1, 1)
    z = NormalDist().inv_cdf(0.5 + level / 2)
    t = (
        z
        + (z**3 + z) / (4 * freedom)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    )
    low = np.clip(estimate - t * error, *bounds)
    return low, np.clip(estimate + t * error, *bounds)


def share_interval(
    part: NDArray[Any],
    whole: NDArray[Any],
    occupied: NDArray[np.bool_],
    *,
    level: float,
    certain: NDArray[np.bool_] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The ends of the interval of a share, from its counts in every shard.

    Args:
        part: (SHARDS, n) counts.
        whole: (SHARDS, n) or (SHARDS, 1) counts that ``part`` is a part of.
        occupied: (SHARDS,) which shards hold anything at all.
        level: How often intervals made like this hold the true share, between 0 and 1.
        certain: (n,) shares that are 1 by what they mean, such as that of a first step.

    Returns:
        (n,) low and (n,) high ends, within 0 and 1: the share without each shard in turn tells how
        much it would vary from one set of customers to another (delete-a-group jackknife). NaN
        where fewer than 10 shards hold anything of the whole. Of none of n and of all of n, where
        nothing varies, the other end is the exact one of a binomial share (Clopper and Pearson
        1934, "The use of confidence or fiducial limits", Biometrika 26), but of all by definition.

    Raises:
        DefinitionError: ``level`` is not between 0 and 1.
    """
    check_level(level)
    share = divide(part.sum(axis=0), whole.sum(axis=0))
    error = jackknife_error(divide(leave_one_out(part), leave_one_out(whole)), occupied)
    # Of six customers in a table of thousands nothing may vary by chance, and seem certain.
    error = np.where((whole > 0).sum(axis=0) < FEWEST_SHARDS, np.nan, error)
    low, high = interval(share, error, occupied, level=level, bounds=(0.0, 1.0))
    # None or all of n: nothing varies either, but the share may be any that does so by chance.
    beyond = 1 - ((1 - level) / 2) ** divide(1.0, whole.sum(axis=0))
    every = share == 1 if certain is None else (share == 1) & ~certain
    return np.where(every, low - beyond, low), np.where(share == 0, high + beyond, high)


def shard_draws(
    rng: int | np.random.Generator, draws: int, occupied: NDArray[np.bool_]
) -> IntArray:
    """How often each shard is drawn in each replicate of a bootstrap.

    As many shards are drawn, with replacement, as are occupied (Efron 1979, "Bootstrap methods",
    Annals of Statistics 7; the shards are the units). The totals of the replicates are
    ``weights @ totals.reshape(SHARDS, -1)``.

    Args:
        rng: A seed or a generator; the same seed gives the same draws.
        draws: How many replicates.
        occupied: (SHARDS,) which shards hold anything.

    Returns:
        (draws, SHARDS) counts; no draw takes a shard that is not occupied.

    Example:
        >>> occupied = np.arange(64) < 40
        >>> weights = shard_draws(0, 500, occupied)
        >>> weights.shape, int(weights.sum(axis=1).max()), int(weights[:, 40:].sum())
        ((500, 64), 40, 0)
    """
    groups = int(occupied.sum())
    weights = np.zeros((draws, len(occupied)), np.int64)
    if groups:
        rng = np.random.default_rng(rng)
        weights[:, occupied] = rng.multinomial(groups, np.full(groups, 1 / groups), size=draws)
    return weights


def percentile_interval(
    estimates: NDArray[np.float64], *, level: float = 0.95
) -> tuple[NDArray[Any], NDArray[Any]]:
    """The middle ``level`` of the replicates of a bootstrap.

    Args:
        estimates: (B, ...) the estimate of each replicate.
        level: How much of them lies between the ends.

    Returns:
        (...) low and high ends; NaN where a replicate has no estimate.
    """
    tail = (1 - check_level(level)) / 2
    low, high = np.quantile(estimates, [tail, 1 - tail], axis=0)
    return np.asarray(low), np.asarray(high)


def p_value(statistic: ArrayLike, freedom: int) -> NDArray[np.float64]:
    """Two-sided chance of Student's t to lie as far from 0.

    The finite series for whole degrees of freedom (Abramowitz and Stegun 1964, 26.7.3 and 26.7.4),
    exact but for rounding: p-values below 1e-13 are not told apart from 0.

    Args:
        statistic: (...) values of t; NaN stays NaN.
        freedom: Degrees of freedom, 1 or more.

    Example:
        >>> p_value([0.0, 2.2281388519649385, -12.706204736], 10).round(6).tolist()
        [1.0, 0.05, 0.0]
    """
    angle = np.arctan(np.abs(np.asarray(statistic, np.float64)) / math.sqrt(freedom))
    sine, cosine = np.sin(angle), np.cos(angle)
    odd = freedom % 2
    term = cosine.copy() if odd else np.ones_like(cosine)
    series = term.copy() if freedom > 1 else np.zeros_like(cosine)
    for k in range(2 + odd, freedom - 1, 2):
        term = term * np.square(cosine) * ((k - 1) / k)
        series = series + term
    inside = (angle + sine * series) * (2 / math.pi) if odd else sine * series
    return np.asarray(np.clip(1 - inside, 0.0, 1.0))


class Difference(NamedTuple):
    """A difference, with its interval and the chance of one as large where there is none.

    Attributes:
        difference: (...) the second estimate less the first.
        low: (...) the low end of its interval.
        high: (...) the high end.
        p: (...) two-sided p-value of Student's t.
    """

    difference: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    p: NDArray[np.float64]


def paired_difference(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    first_without: NDArray[np.float64],
    second_without: NDArray[np.float64],
    occupied: NDArray[np.bool_],
    *,
    level: float = 0.95,
    least: NDArray[np.float64] | float = 0.0,
) -> Difference:
    """The difference of two answers over the same hash of customers.

    A shard is left out of both at once: a customer who is in both (two periods, two models) is then
    left out of both, and what the answers have in common cancels as it should.

    Args:
        first: (...) an estimate.
        second: (...) another.
        first_without: (SHARDS, ...) the first without each shard.
        second_without: (SHARDS, ...) the second.
        occupied: (SHARDS,) which shards hold anything of either.
        level: Of the interval.
        least: (...) the least standard error that the difference can have.

    Returns:
        Second less first. Everything but the difference is NaN where fewer than 10 shards are
        occupied. Where the difference is the same without any shard, p is 1 if it is 0, else 0.
    """
    check_level(level)
    difference = np.asarray(second - first, np.float64)
    error = np.maximum(jackknife_error(second_without - first_without, occupied), least)
    low, high = interval(difference, error, occupied, level=level)
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.where((error == 0) & (difference == 0), 0.0, difference / error)
    return Difference(difference, low, high, p_value(statistic, max(int(occupied.sum()) - 1, 1)))


class TwoRates(NamedTuple):
    """Two rates and their difference.

    Attributes:
        first: (n,) the rates of the one group; NaN of nothing.
        second: (n,) those of the other.
        found: Their difference, second less first.
        few: (n,) where there are too few to tell, so that interval and p are NaN.
    """

    first: NDArray[np.float64]
    second: NDArray[np.float64]
    found: Difference
    few: NDArray[np.bool_]


def rate_difference(
    first: tuple[NDArray[Any], NDArray[Any]],
    second: tuple[NDArray[Any], NDArray[Any]],
    occupied: NDArray[np.bool_],
    *,
    level: float = 0.95,
) -> TwoRates:
    """The difference of the rates of two groups, honest also where hardly anything varies.

    Of six customers none may convert by chance. Then nothing varies from shard to shard, and the
    jackknife alone would be certain. So where a group has fewer than 5 cases, or fewer than 5
    without, there is no interval and no test if fewer than 5 were to be expected there (the usual
    rule for tables of counts, Cochran 1954, "Some methods for strengthening the common chi-squared
    tests", Biometrics 10); and else the standard error is at least that of equal binomial rates,
    ``sqrt(p (1 - p) (1 / m + 1 / n))`` with p the rate of both groups together. Where all of both
    are cases, or none, p is 1 and there is no interval.

    Args:
        first: (SHARDS, n) counts of the one group, and (SHARDS, n) or (SHARDS, 1) what they are of.
        second: The same of the other.
        occupied: (SHARDS,) which shards hold anything of either.
        level: Of the interval.
    """
    parts = np.stack([first[0], second[0]])
    wholes = np.stack([np.broadcast_to(whole, part.shape) for part, whole in (first, second)])
    without = [
        divide(leave_one_out(part), leave_one_out(whole))
        for part, whole in zip(parts, wholes, strict=True)
    ]
    part, whole = parts.sum(axis=1), wholes.sum(axis=1)
    rates = divide(part, whole)
    fewest = np.minimum(part, whole - part).min(axis=0)
    pooled = divide(part.sum(axis=0), whole.sum(axis=0))
    expected = whole.min(axis=0) * np.minimum(pooled, 1 - pooled)
    # Some rates are means of counts, which have no cases without.
    rare = (fewest < FEWEST_CASES) & (part <= whole).all(axis=0)
    same = (pooled == 0) | (pooled == 1)
    few = rare & ~same & ~(expected >= FEWEST_CASES)
    few |= ((wholes > 0).sum(axis=1) < FEWEST_SHARDS).any(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        least = np.sqrt(pooled * (1 - pooled) * (1 / whole).sum(axis=0))
    found = paired_difference(
        rates[0],
        rates[1],
        without[0],
        without[1],
        occupied,
        level=level,
        least=np.where(few, np.nan, np.where(rare, least, 0.0)),
    )
    low, high = (np.where(same & rare, np.nan, end) for end in (found.low, found.high))
    return TwoRates(rates[0], rates[1], found._replace(low=low, high=high), few)
