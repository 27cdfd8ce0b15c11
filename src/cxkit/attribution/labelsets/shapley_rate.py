"""The rate game on label sets: exact from a table of all subsets, or by drawn orders."""

from __future__ import annotations

from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cxkit.attribution.labelsets.setrows import SetRows
from cxkit.attribution.labelsets.shapley_math import (
    MOST_EXACT,
    ranks_of_orders,
    shapley_of_table,
    subset_sums,
    superset_sums,
    weights_by_size,
)
from cxkit.attribution.summaries import weigh
from cxkit.attribution.touchpaths.cutting import sum_by
from cxkit.core.arrays import IntArray
from cxkit.core.intervals import divide
from cxkit.core.summary import SHARDS

__all__ = ["RateGame", "rate_game"]

FloatArray = NDArray[np.float64]

_MOST_ANEW: Final = 14
"""Up to so many labels the game is played anew under every set of weights; above, its first
differential says what weights change."""
_CELLS_AT_ONCE: Final = 1 << 22


class RateGame(NamedTuple):
    """Shapley values of the rate game under B sets of weights. L labels that occur.

    Attributes:
        slots: (L,) which labels, as codes.
        conversions: (B, L) in conversions per path; they sum to the rate of all touched paths.
        value: (B, L) the same in value per path.
        sampling_error: (L,) standard error of ``conversions`` from drawing orders; ``None`` if
            every subset was looked at.
    """

    slots: IntArray
    conversions: FloatArray
    value: FloatArray
    sampling_error: FloatArray | None


def rate_game(
    sets: SetRows, weights: FloatArray | None, *, orders: int, rng: int | np.random.Generator
) -> RateGame:
    """Play the rate game.

    Args:
        sets: The label sets.
        weights: (B, SHARDS) how often the customers of each shard count; ``None``: once each.
        orders: How many orders to draw if there are more than 20 labels.
        rng: Seed of the draws: the same orders under all weights.
    """
    slots = np.flatnonzero(np.bincount(sets.codes, minlength=len(sets.labels) + 1))
    players = _Players(sets, slots)
    if len(slots) > MOST_EXACT and weights is None:
        return _drawn(_Players(sets.whole(), slots), None, orders, np.random.default_rng(rng))
    if len(slots) > MOST_EXACT:
        return _drawn(players, weights, orders, np.random.default_rng(rng))
    if weights is None or len(slots) > _MOST_ANEW:
        return _from_whole(players, weights)
    return _anew(players, weights)


class _Players:
    """The label sets, with the labels that occur numbered from 0. R rows, L labels."""

    def __init__(self, sets: SetRows, slots: IntArray) -> None:
        place = np.zeros(len(sets.labels) + 1, np.int64)
        place[slots] = np.arange(len(slots))
        self.slots = slots
        self.codes = place[sets.codes]
        self.offsets = sets.offsets
        self.shard = sets.shard.astype(np.int64)
        self.conversions = sets.conversions.astype(np.float64)
        self.paths = (sets.conversions + sets.nulls).astype(np.float64)
        self.value = sets.value

    @property
    def masks(self) -> IntArray:
        """(R,) the sets; only for labels that fit."""
        if not len(self.shard):
            return np.zeros(0, np.int64)
        return np.asarray(np.add.reduceat(np.int64(1) << self.codes, self.offsets[:-1]))


def _rate(part: FloatArray, paths: FloatArray) -> FloatArray:
    """Per path; a subset that no path is inside is worth nothing."""
    return np.asarray(part / np.where(paths > 0, paths, 1.0))


def _anew(players: _Players, weights: FloatArray) -> RateGame:
    """From a table of its own for every set of weights."""
    bins = 1 << len(players.slots)
    rows = players.shard * bins + players.masks
    tables = [
        subset_sums(sum_by(rows, amounts, SHARDS * bins).reshape(SHARDS, bins))
        for amounts in (players.conversions, players.value, players.paths)
    ]
    found = np.empty((2, len(weights), len(players.slots)))
    at_once = max(_CELLS_AT_ONCE // bins, 1)
    for start in range(0, len(weights), at_once):
        some = slice(start, start + at_once)
        converted, value, paths = (weigh(weights[some], table) for table in tables)
        found[0, some] = shapley_of_table(_rate(converted, paths))
        found[1, some] = shapley_of_table(_rate(value, paths))
    return RateGame(players.slots, found[0], found[1], None)


def _from_whole(players: _Players, weights: FloatArray | None) -> RateGame:
    """From one table of all customers, and its differential where there are weights."""
    bins = 1 << len(players.slots)
    masks = players.masks
    converted, value, paths = (
        subset_sums(np.bincount(masks, amounts, bins).astype(np.float64))
        for amounts in (players.conversions, players.value, players.paths)
    )
    rates = _rate(np.stack([converted, value]), paths)
    found = shapley_of_table(rates)[:, None]
    if weights is not None:
        # Rates do not change when all weights do: only their ratio to the mean counts.
        often = np.bincount(players.shard, players.paths, SHARDS)
        ratio = divide(weights * often.sum(), (weights @ often)[:, None])
        found = found + ratio @ _differential(players, masks, rates, paths)
    return RateGame(players.slots, found[0], found[1], None)


def _differential(
    players: _Players, masks: IntArray, rates: FloatArray, paths: FloatArray
) -> FloatArray:
    """(2, SHARDS, L) what the values change, to first order, with the weight of each shard.

    A little more of shard g changes the rate of a subset by ``(C_g - rate * N_g) / N``. What its
    paths with the set T add to label k's value is hence a sum over all S that hold T, of the weight
    of S over N(S); by the form of the weights that is two sums over supersets, one of them taken at
    T with k. The sum over all shards is 0.
    """
    labels = len(players.slots)
    joined, apart = weights_by_size(labels)
    size = np.bitwise_count(np.arange(len(paths)))
    per_path = (paths > 0) / np.maximum(paths, 1.0)
    every = (per_path, per_path * rates[0], per_path * rates[1])
    with_k = [superset_sums((joined + apart)[size] * each) for each in every]
    less = [superset_sums(apart[size] * each)[masks] for each in every]
    found = np.empty((2, SHARDS, labels))
    for k in range(labels):
        reached = masks | 1 << k
        one, *lost = (w[reached] - sums for w, sums in zip(with_k, less, strict=True))
        for what, amounts in enumerate((players.conversions, players.value)):
            gained = amounts * one
            gained -= players.paths * lost[what]
            found[what, :, k] = np.bincount(players.shard, gained, SHARDS)
    return found


def _drawn(
    players: _Players, weights: FloatArray | None, orders: int, rng: np.random.Generator
) -> RateGame:
    """Means over drawn orders, each together with its reverse.

    In one order a path is inside the first i labels once the last of its own has come, so that one
    sum by that place gives every rate along the order.
    """
    labels, pairs = len(players.slots), orders // 2
    given = np.ones((1, SHARDS)) if weights is None else weights
    bins = SHARDS * (labels + 1)
    last = _LastComers(players)
    base = players.shard * (labels + 1) + 1
    won = np.flatnonzero((players.conversions != 0) | (players.value != 0))
    found = np.zeros((2, len(given), labels))
    square = np.zeros(labels)
    for _ in range(pairs):
        both = np.zeros((2, len(given), labels))
        for rank in ranks_of_orders(rng, 1, labels):
            at = base + last.places(rank)
            counted = [
                np.bincount(at[won], players.conversions[won], bins),
                np.bincount(at[won], players.value[won], bins),
                np.bincount(at, players.paths, bins),
            ]
            converted, value, paths = (
                weigh(given, np.asarray(a, np.float64).reshape(SHARDS, -1).cumsum(axis=1))
                for a in counted
            )
            gained = np.diff(_rate(np.stack([converted, value]), paths), axis=2)
            both += gained[..., rank] / 2
        found += both / pairs
        square += both[0, :1].sum(axis=0) ** 2 / pairs
    variance = np.maximum(square - found[0, :1].sum(axis=0) ** 2, 0.0) / max(pairs - 1, 1)
    return RateGame(players.slots, found[0], found[1], np.sqrt(variance))


class _LastComers:
    """Where in an order the last label of each set stands: sets of one size are done at once."""

    def __init__(self, players: _Players) -> None:
        size = np.diff(players.offsets)
        order = np.argsort(size, kind="stable")
        bounds = np.flatnonzero(np.diff(size[order], prepend=0, append=0))
        self.sets = [order[i:j] for i, j in pairwise(bounds)]
        begins = players.offsets[:-1]
        # (members, sets): the largest of each column is had row by row, many sets at a time.
        self.members = [
            players.codes[begins[r] + np.arange(size[r[0]])[:, None]] for r in self.sets
        ]
        self.rows = len(size)

    def places(self, rank: IntArray) -> IntArray:
        """(R,) the place of the last label of each set."""
        out = np.empty(self.rows, np.int64)
        narrow = rank.astype(np.uint16)
        for sets, members in zip(self.sets, self.members, strict=True):
            out[sets] = np.take(narrow, members).max(axis=0)
        return out
