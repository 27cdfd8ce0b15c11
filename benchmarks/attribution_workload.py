"""The journeys of the attribution benchmark, and the right answers, plainly computed."""

from __future__ import annotations

import dataclasses
import functools
import math
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

CHANNELS = 20
LABELS = [f"channel_{code:02d}" for code in range(CHANNELS)]
START = CHANNELS
DAY_US = 24 * 3_600_000_000
YEAR_US = 365 * DAY_US
GAP_US = DAY_US // 48
"""The longest pause within a session."""
FUNNEL_STEPS = (0, 2, 4, 6)
FUNNEL_WITHIN_US = 7 * DAY_US
FEW = 12
"""Channels of the smaller Shapley game."""


@dataclasses.dataclass(frozen=True)
class PathLog:
    """J journeys of touches; some end in a conversion.

    Attributes:
        offsets: (J + 1,) int64.
        channel: (E,) uint8, by Zipf's law, one in four the same as the one before.
        converts: (J,) bool, whether the last touch is a conversion.
        value: (J,) float64, what it is worth, else 0.
        time: (E,) int64, microseconds.
    """

    offsets: NDArray[np.int64]
    channel: NDArray[np.uint8]
    converts: NDArray[np.bool_]
    value: NDArray[np.float64]
    time: NDArray[np.int64]

    def save(self, folder: Path) -> None:
        """Write one file per column."""
        for field in dataclasses.fields(self):
            np.save(folder / f"{field.name}.npy", getattr(self, field.name))

    @classmethod
    def load(cls, folder: Path) -> PathLog:
        """Read what ``save`` wrote."""
        return cls(**{f.name: np.load(folder / f"{f.name}.npy") for f in dataclasses.fields(cls)})

    @functools.cached_property
    def journey(self) -> NDArray[np.int64]:
        """(E,) the journey of each touch."""
        return np.repeat(np.arange(len(self.converts)), np.diff(self.offsets))

    @functools.cached_property
    def raw(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]]:
        """(E,) customers, times and channels as they come in: in order of time.

        The ids of customers are in no order that would help.
        """
        by_time = np.argsort(self.time, kind="stable")
        ids = np.random.default_rng(2).permutation(len(self.converts))
        return ids[self.journey][by_time], self.time[by_time], self.channel[by_time]

    def texts(self) -> list[str]:
        """(J,) the paths as text."""
        names = np.array(LABELS, object)[self.channel].tolist()
        bounds = self.offsets.tolist()
        return [" > ".join(names[i:j]) for i, j in pairwise(bounds)]


def make_paths(journeys: int, rng: int = 7) -> PathLog:
    """Draw journeys: 5 touches on average, 60 at most; one in twenty converts.

    Args:
        journeys: J.
        rng: the seed.
    """
    random = np.random.default_rng(rng)
    size = np.minimum(random.geometric(0.2, journeys), 60)
    offsets = np.append(0, np.cumsum(size))
    E = int(offsets[-1])
    weight = 1 / np.arange(1, CHANNELS + 1)
    edges = np.cumsum(weight / weight.sum())[:-1]
    channel = np.searchsorted(edges, random.random(E)).astype(np.uint8)
    stays = random.random(E) < 0.25
    stays[offsets[:-1]] = False
    channel = channel[np.maximum.accumulate(np.where(stays, 0, np.arange(E)))]
    # What converts depends on the first and the last channel, so that effects differ.
    chance = 0.02 + 0.003 * (channel[offsets[1:] - 1] + channel[offsets[:-1]] % 5)
    converts = random.random(journeys) < chance
    value = np.where(converts, np.round(random.lognormal(3.5, 1.0, journeys), 2), 0.0)
    # Pauses of ten minutes and of a day and a half on average: visits of a few touches each.
    mean = np.where(random.random(E) < 0.5, DAY_US / 144, 1.5 * DAY_US)
    passed = np.cumsum(1 + (random.exponential(1.0, E) * mean).astype(np.int64))
    begun = random.integers(0, YEAR_US, journeys) - passed[offsets[:-1]]
    time = np.repeat(begun, size) + passed
    return PathLog(offsets, channel, converts, value, time)


class Answers:
    """What every contender has to say."""

    def __init__(self, log: PathLog) -> None:
        self.log = log

    def heuristics(self) -> dict[str, NDArray]:
        """First, last and linear touch, (3, K) conversions and value."""
        log = self.log
        size = np.diff(log.offsets)
        weight = np.zeros((3, len(log.channel)))
        weight[0, log.offsets[:-1]] = weight[1, log.offsets[1:] - 1] = 1.0
        weight[2] = np.repeat(1.0 / size, size)
        found = {}
        for name, amount in (("conversions", log.converts * 1.0), ("value", log.value)):
            of_touch = np.repeat(amount, size)
            found[name] = np.stack(
                [np.bincount(log.channel, w * of_touch, CHANNELS) for w in weight]
            )
        return found

    def markov(self, order: int) -> dict[str, NDArray]:
        """Removal effects in conversions and in value, (2, K), by one power series per channel."""
        log = self.log
        base = CHANNELS + 1
        state = np.full(len(log.channel), 0)
        shifted = log.channel.astype(np.int64)
        starts = log.offsets[:-1]
        for place in range(order):
            before = np.empty_like(shifted)
            before[1:] = shifted[:-1]
            before[starts] = START
            state += before * base**place
            shifted = before
        n = base**order
        target = (state * base + log.channel) % n
        pairs, often = np.unique(state * n + target, return_counts=True)
        source, target_of = pairs // n, pairs % n
        last = target[log.offsets[1:] - 1]
        ends = np.bincount(last, minlength=n)
        visits = np.bincount(source, often, n) + ends
        chance = often / visits[source]
        payoff = [
            np.bincount(last, w, n) / np.maximum(visits, 1) for w in (log.converts, log.value)
        ]

        def paid(removed: int) -> list[float]:
            kept = chance * (target_of % base != removed)
            mass = np.zeros(n)
            mass[n - 1] = 1.0
            whole = mass.copy()
            while mass.sum() > 1e-14:
                mass = np.bincount(target_of, kept * mass[source], n)
                whole += mass
            return [float(whole @ p) for p in payoff]

        everything = paid(-1)
        effects = [
            [1 - x / w for x, w in zip(paid(k), everything, strict=True)] for k in range(CHANNELS)
        ]
        return {"removal": np.array(effects).T}

    def sessions(self) -> dict[str, NDArray]:
        """(J,) sessions of each customer, by id."""
        log = self.log
        cut = np.diff(log.time, prepend=0) > GAP_US
        cut[log.offsets[:-1]] = True
        ids = np.random.default_rng(2).permutation(len(log.converts))
        return {"sessions": np.bincount(ids[log.journey], cut).astype(np.int64)}

    def transitions(self) -> dict[str, NDArray]:
        """(K, K) how often each channel comes after each other."""
        within = np.ones(len(self.log.channel), bool)
        within[self.log.offsets[:-1]] = False
        after = np.flatnonzero(within)
        channel = self.log.channel.astype(np.int64)
        pair = channel[after - 1] * CHANNELS + channel[after]
        counts = np.bincount(pair, minlength=CHANNELS**2)
        return {"counts": counts.reshape(CHANNELS, CHANNELS)}

    def funnel(self) -> dict[str, NDArray]:
        """Journeys that reach each step, within the window and at any time: place by place."""
        return {
            "journeys": self._funnel(FUNNEL_WITHIN_US),
            "anytime": self._funnel(np.iinfo(np.int64).max // 4),
        }

    def _funnel(self, within: int) -> NDArray:
        log = self.log
        size = np.diff(log.offsets)
        never = np.iinfo(np.int64).min // 4
        begun = np.full((len(FUNNEL_STEPS), len(size)), never)
        for place in range(int(size.max())):
            journey = np.flatnonzero(size > place)
            row = log.offsets[journey] + place
            for step in reversed(range(len(FUNNEL_STEPS))):
                here = log.channel[row] == FUNNEL_STEPS[step]
                who, at = journey[here], log.time[row[here]]
                since = begun[step - 1, who] if step else at
                in_time = (since > never) & (at - since <= within)
                begun[step, who[in_time]] = since[in_time]
        return (begun > never).sum(axis=1)

    def shapley_few(self) -> dict[str, NDArray]:
        """(12,) credit in the rate game, channels taken modulo 12."""
        return {"credit": self._shapley(FEW)}

    def shapley_all(self) -> dict[str, NDArray]:
        """(K,) credit in the rate game."""
        return {"credit": self._shapley(CHANNELS)}

    def logistic(self) -> dict[str, NDArray]:
        """(K,) coefficients and conversions lost without each channel, by dense matrices."""
        log = self.log
        bits = np.left_shift(1, log.channel.astype(np.int64))
        mask = np.bitwise_or.reduceat(bits, log.offsets[:-1])
        sets, which = np.unique(mask, return_inverse=True)
        paths = np.bincount(which).astype(float)
        won = np.bincount(which, log.converts)
        inside = (sets[:, None] >> np.arange(CHANNELS)) & 1
        design = np.column_stack([np.ones(len(sets)), inside])
        penalty = np.append(0.0, np.ones(CHANNELS))
        at = np.zeros(CHANNELS + 1)
        for _ in range(50):
            chance = 1 / (1 + np.exp(-(design @ at)))
            curvature = design.T @ (design * (paths * chance * (1 - chance))[:, None])
            slope = design.T @ (won - paths * chance) - penalty * at
            at += np.linalg.solve(curvature + np.diag(penalty), slope)
        odds = (design @ at)[:, None]
        lost = 1 / (1 + np.exp(-odds)) - 1 / (1 + np.exp(-(odds - at[1:])))
        return {"coefficient": at[1:], "incremental": (lost * inside * paths[:, None]).sum(axis=0)}

    def _shapley(self, players: int) -> NDArray:
        log = self.log
        bits = np.left_shift(1, log.channel.astype(np.int64) % players)
        mask = np.bitwise_or.reduceat(bits, log.offsets[:-1])
        won = np.bincount(mask, log.converts, 1 << players)
        paths = np.bincount(mask, minlength=1 << players).astype(float)
        for table in (won, paths):
            for k in range(players):
                halves = table.reshape(-1, 2, 1 << k)
                halves[:, 1] += halves[:, 0]
        rate = np.divide(won, paths, out=np.zeros_like(won), where=paths > 0)
        others = np.bitwise_count(np.arange(1 << players))
        weight = np.array([1 / (players * math.comb(players - 1, size)) for size in range(players)])
        credit = []
        for k in range(players):
            without = np.flatnonzero(~np.arange(1 << players) >> k & 1)
            gain = rate[without | 1 << k] - rate[without]
            credit.append(float(weight[others[without]] @ gain))
        return np.array(credit) * len(mask)

    def markov_1(self) -> dict[str, NDArray]:
        """Order 1."""
        return self.markov(1)

    def markov_2(self) -> dict[str, NDArray]:
        """Order 2."""
        return self.markov(2)

    def markov_3(self) -> dict[str, NDArray]:
        """Order 3."""
        return self.markov(3)
