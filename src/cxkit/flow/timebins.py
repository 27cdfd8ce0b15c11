"""Bins of time: quantiles that add up.

A time in microseconds falls into one of :data:`BINS` bins: 64 to every power of two, which are as
wide as 1/64 of where they begin at most. A quantile that is read off the counts of bins is then
off by less than :data:`RELATIVE_ERROR` of itself, and counts of bins add up, which quantiles do
not. Bins of equal width within each power of two are those of HdrHistogram (Tene 2012); bins of
equal ratio, as in DDSketch (Masson, Rim and Lee 2019, VLDB 12), have the same error and need a
logarithm per row.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.intervals import divide, interval, jackknife_error, leave_one_out
from cxkit.core.summary import SHARDS

__all__ = ["BINS", "RELATIVE_ERROR", "bin_middles", "bin_quantiles", "bins_of", "woodruff"]

_BITS: Final = 6
_SHIFT: Final = 52 - _BITS
_ONE: Final = int(np.float64(1).view(np.int64)) >> _SHIFT

BINS: Final = 1 + (54 << _BITS)
"""How many bins there are: one for no time at all, and 64 for each power of two up to 2**54 us."""
RELATIVE_ERROR: Final = 2.0 ** -(_BITS + 1)
"""The largest error of a quantile from bins: 0.8 percent of it."""


def bins_of(microseconds: IntArray) -> IntArray:
    """(E,) the bin of each time.

    Args:
        microseconds: (E,) times from 0 to 2**54 (570 years); a time below 0 counts as 0.

    Example:
        >>> bins_of(np.array([0, 1, 2, 1_000_000, 1_010_000])).tolist()
        [0, 1, 65, 1275, 1276]
    """
    # The bits of a double are its power of two, then its fraction: their head is the bin.
    found = np.maximum(microseconds, 0).astype(np.float64).view(np.int64)
    found >>= _SHIFT
    found -= _ONE - 1
    return np.maximum(found, 0, out=found)


def bin_middles(bins: IntArray) -> NDArray[np.float64]:
    """(n,) the time in the middle of each bin, in microseconds.

    Example:
        >>> bin_middles(np.array([0, 1, 1275])).round(2).tolist()
        [0.0, 1.01, 1003520.0]
    """
    bins = np.asarray(bins, np.int64)
    low = ((np.maximum(bins, 1) + (_ONE - 1)) << _SHIFT).view(np.float64)
    high = ((np.maximum(bins, 1) + _ONE) << _SHIFT).view(np.float64)
    return np.where(bins == 0, 0.0, (low + high) / 2)


def bin_quantiles(
    counts: IntArray, bins: IntArray, offsets: IntArray, shares: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(P,) a quantile of each segment of counted bins, in microseconds.

    The quantile q is the middle of the bin that holds the ``ceil(q * n)``-th smallest of n times
    (the first of them for q = 0): the inverse of the distribution function, type 1 of Hyndman and
    Fan (1996, The American Statistician 50). numpy's default, type 7, lies between two times; with
    many times they agree.

    Args:
        counts: (R,) how many times fell into each bin, 1 or more.
        bins: (R,) which bins, ascending within a segment.
        offsets: (P + 1,) segments, none empty.
        shares: (P,) which quantile of each segment, between 0 and 1; NaN gives NaN.

    Example:
        >>> bins = bins_of(np.array([10, 20, 40, 80]))
        >>> bin_quantiles(np.ones(4, np.int64), bins, np.array([0, 4]), np.array([0.5])).round(1)
        array([20.1])
    """
    so_far = np.concatenate([[0], np.cumsum(counts)])
    before, size = so_far[offsets[:-1]], np.diff(so_far[offsets])
    # A share a hair above a whole number of times is that number.
    rank = np.clip(np.ceil(np.nan_to_num(shares) * size - 1e-9), 1, size)
    at = np.searchsorted(so_far, before + rank.astype(np.int64), side="left") - 1
    return np.where(np.isnan(shares), np.nan, bin_middles(bins[at]))


def woodruff(
    rows: tuple[IntArray, IntArray, NDArray[np.uint8], IntArray],
    quantile: NDArray[np.float64],
    share: float,
    occupied: NDArray[np.bool_],
    level: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The shares whose quantiles are the ends of the interval of a quantile.

    Woodruff (1952, Journal of the American Statistical Association 47): the interval of the share
    of times up to the quantile, whose error the jackknife over shards gives, is carried back
    through the distribution. The jackknife of the quantile itself would not do: it jumps.

    Args:
        rows: (R,) counts, bins and shards, and the (P + 1,) segments they are in.
        quantile: (P,) the quantile of each segment, in microseconds.
        share: Which quantile it is.
        occupied: (SHARDS,) which shards hold anything at all.
        level: Of the intervals.

    Returns:
        (P,) low and (P,) high shares; NaN where fewer than 10 shards are occupied, or where a
        single shard holds the whole segment.
    """
    counts, bins, shard, offsets = rows
    many, size = len(offsets) - 1, np.diff(offsets)
    cell = np.repeat(np.arange(many), size) + shard.astype(np.int64) * many
    below = np.where(bin_middles(bins) <= np.repeat(quantile, size), counts, 0)
    whole, part = (
        np.bincount(cell, weights, SHARDS * many).reshape(SHARDS, many)
        for weights in (counts, below)
    )
    error = jackknife_error(divide(leave_one_out(part), leave_one_out(whole)), occupied)
    return interval(np.full(many, share), error, occupied, level=level, bounds=(0.0, 1.0))
