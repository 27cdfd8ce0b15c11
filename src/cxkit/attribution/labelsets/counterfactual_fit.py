"""Logistic regression of conversion on label sets: one row for each distinct set.

Everything is summed by label and by pair of labels, never as a product of matrices: sets are short,
and the sums have the same bits on every machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Final, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.attribution.touchpaths.cutting import sum_by
from cxkit.core.arrays import IntArray
from cxkit.core.logistic import logistic

__all__ = ["MOST_NARROW", "Design", "curvature", "fit", "refit"]

FloatArray: TypeAlias = NDArray[np.float64]

MOST_NARROW: Final = 200
_MOST_PAIRS: Final = 1 << 26
_KEPT_PAIRS: Final = 1 << 22
_CELLS_AT_ONCE: Final = 1 << 20
_STEPS: Final = 60
_CHORDS: Final = 40
_CLOSE: Final = 1e-11


@attrs.frozen(eq=False)
class Design:
    """Distinct label sets as the rows of a regression. U rows, L labels, M members.

    Attributes:
        codes: (M,) the labels of the sets, numbered from 0 without gaps.
        offsets: (U + 1,) the sets, none empty.
        labels: L.
        ridge: What the squares of the coefficients cost: ``ridge / 2 * sum(b**2)``.
    """

    codes: IntArray
    offsets: IntArray
    labels: int
    ridge: float

    @property
    def sets(self) -> int:
        """U."""
        return len(self.offsets) - 1

    @property
    def narrow(self) -> bool:
        """Whether labels are few enough for a matrix of the curvature."""
        pairs = float(np.square(np.diff(self.offsets).astype(np.float64)).sum())
        return self.labels <= MOST_NARROW and pairs <= _MOST_PAIRS

    @cached_property
    def rows(self) -> IntArray:
        """(M,) the set of each member."""
        return np.repeat(np.arange(self.sets), np.diff(self.offsets))

    @cached_property
    def penalty(self) -> FloatArray:
        """(1 + L,) the ridge of each coefficient; the intercept is free."""
        return np.append(0.0, np.full(self.labels, self.ridge))

    def pairs(self) -> Iterator[tuple[IntArray, IntArray]]:
        """Every two members of one set, some at a time: the places of the earlier and the later."""
        size = np.diff(self.offsets)
        if int((size * (size - 1) // 2).sum()) <= _KEPT_PAIRS:
            yield from self._kept
        else:
            yield from self._pairs()

    @cached_property
    def _kept(self) -> list[tuple[IntArray, IntArray]]:
        return list(self._pairs())

    def _pairs(self) -> Iterator[tuple[IntArray, IntArray]]:
        size = np.diff(self.offsets)
        for members in np.unique(size[size > 1]).tolist():
            earlier, later = np.triu_indices(members, 1)
            begin = self.offsets[:-1][size == members, None]
            at_once = max(_CELLS_AT_ONCE // len(earlier), 1)
            for first in range(0, len(begin), at_once):
                some = begin[first : first + at_once]
                yield (some + earlier).ravel(), (some + later).ravel()

    def over_sets(self, coefficients: FloatArray) -> FloatArray:
        """(G, U) log-odds of each set, from (G, 1 + L) coefficients."""
        if not self.sets:
            return np.zeros((len(coefficients), 0))
        each = np.take(coefficients[:, 1:], self.codes, axis=1)
        summed = np.add.reduceat(each, self.offsets[:-1], axis=1)
        return np.asarray(coefficients[:, :1] + summed)

    def by_label(self, members: FloatArray) -> FloatArray:
        """(G, L) sums by label of (G, M) amounts of the members."""
        count = len(members)
        at = (np.arange(count) * self.labels)[:, None] + self.codes
        sums = sum_by(at.ravel(), members.ravel(), count * self.labels)
        return sums.reshape(count, self.labels)

    def over_labels(self, amounts: FloatArray) -> FloatArray:
        """(G, 1 + L) sums of (G, U) amounts: of all sets, and of those with each label."""
        whole = amounts.sum(axis=1, keepdims=True)
        return np.concatenate([whole, self.by_label(amounts[:, self.rows])], axis=1)

    def over_pairs(self, members: FloatArray) -> FloatArray:
        """(L, L) for labels k and l, the sum of the (M,) amounts of k's members, where l is too."""
        up, down = np.zeros((2, self.labels**2))
        for earlier, later in self.pairs():
            one, other = self.codes[earlier], self.codes[later]
            up += np.bincount(one * self.labels + other, members[earlier], len(up))
            down += np.bincount(other * self.labels + one, members[later], len(down))
        return self._both_ways(up + down, members)

    def over_pairs_of_sets(self, amounts: FloatArray) -> FloatArray:
        """(L, L) for labels k and l, the sum of the (U,) amounts of the sets that have both."""
        members = amounts[self.rows]
        up = np.zeros(self.labels**2)
        for earlier, later in self.pairs():
            at = self.codes[earlier] * self.labels + self.codes[later]
            up += np.bincount(at, members[earlier], len(up))
        table = up.reshape(self.labels, self.labels)
        return self._both_ways((table + table.T).ravel(), members)

    def _both_ways(self, pairs: FloatArray, members: FloatArray) -> FloatArray:
        """The table of pairs, with those of every member and itself."""
        table = pairs.reshape(self.labels, self.labels)
        table[np.diag_indices_from(table)] += np.bincount(self.codes, members, self.labels)
        return table


def fit(design: Design, paths: FloatArray, conversions: FloatArray) -> FloatArray:
    """(1 + L,) the coefficients that make the penalised likelihood largest.

    Newton's method, which is iteratively reweighted least squares here (McCullagh and Nelder 1989,
    "Generalized Linear Models", 2.5), with steps halved while they do not climb. The ridge keeps
    coefficients finite where a label always or never converts (Le Cessie and van Houwelingen 1992,
    "Ridge estimators in logistic regression", Applied Statistics 41). With more than 200 labels the
    steps are found by conjugate gradients, without the matrix.

    Args:
        design: The sets.
        paths: (U,) paths with each set.
        conversions: (U,) and those that led to a conversion: some, but not all of them.
    """
    at = np.zeros(design.labels + 1)
    rate = conversions.sum() / paths.sum()
    at[0] = np.log(rate / (1 - rate))
    now = _height(design, paths, conversions, at)
    for _ in range(_STEPS):
        p = logistic(design.over_sets(at[None])[0])
        slope = design.over_labels((conversions - paths * p)[None])[0] - design.penalty * at
        weight = paths * p * (1 - p)
        if design.narrow:
            step = np.linalg.solve(_curved(design, weight), slope)
        else:
            step = _solve(design, weight, slope)
        if np.abs(step).max() <= _CLOSE * (1 + np.abs(at).max()):
            break
        there = _height(design, paths, conversions, at + step)
        while there < now - 1e-12 * abs(now):
            step = step / 2
            there = _height(design, paths, conversions, at + step)
        at, now = at + step, there
    return at


def refit(
    design: Design, paths: FloatArray, conversions: FloatArray, near: FloatArray
) -> FloatArray:
    """(G, 1 + L) the same for G counts of the same sets at once, from coefficients nearby.

    Newton's steps with the curvature of where they start (chords), which is close enough for them
    to end at the same place; what does not come to rest is fitted by itself.

    Args:
        design: The sets.
        paths: (G, U).
        conversions: (G, U), some but not all of the paths.
        near: (1 + L,) the coefficients of all together.
    """
    found = np.tile(near, (len(paths), 1))
    if not len(paths):
        return found
    matrix = np.linalg.inv(curvature(design, paths.mean(axis=0), near))
    at_once = max(_CELLS_AT_ONCE // max(len(design.codes), 1), 1)
    for start in range(0, len(paths), at_once):
        some = slice(start, start + at_once)
        at, going = found[some], np.ones(len(paths[some]), dtype=bool)
        for _ in range(_CHORDS):
            p = logistic(design.over_sets(at[going]))
            rest = conversions[some][going] - paths[some][going] * p
            step = (design.over_labels(rest) - design.penalty * at[going]) @ matrix
            at[going] += step
            limit = _CLOSE * (1 + np.abs(at[going]).max(axis=1))
            going[going] = ~(np.abs(step).max(axis=1) <= limit)
            if not going.any():
                break
        for g in np.flatnonzero(going).tolist():
            at[g] = fit(design, paths[some][g], conversions[some][g])
    return found


def curvature(design: Design, paths: FloatArray, at: FloatArray) -> FloatArray:
    """(1 + L, 1 + L) minus the second derivatives of the penalised log-likelihood."""
    p = logistic(design.over_sets(at[None])[0])
    return _curved(design, paths * p * (1 - p))


def _curved(design: Design, weight: FloatArray) -> FloatArray:
    matrix = np.empty((design.labels + 1, design.labels + 1))
    matrix[0] = matrix[:, 0] = design.over_labels(weight[None])[0]
    matrix[1:, 1:] = design.over_pairs_of_sets(weight)
    matrix[np.diag_indices_from(matrix)] += design.penalty
    # Where every path has the same labels, the free intercept may lie flat.
    matrix[0, 0] += 1e-12
    return matrix


def _height(design: Design, paths: FloatArray, conversions: FloatArray, at: FloatArray) -> float:
    """The penalised log-likelihood."""
    log_odds = design.over_sets(at[None])[0]
    likely = (conversions * log_odds - paths * np.logaddexp(0.0, log_odds)).sum()
    return float(likely - 0.5 * (design.penalty * at**2).sum())


def _solve(design: Design, weight: FloatArray, slope: FloatArray) -> FloatArray:
    """Newton's step by conjugate gradients, scaled by the diagonal (Shewchuk 1994)."""

    def curved(direction: FloatArray) -> FloatArray:
        over = design.over_labels((weight * design.over_sets(direction[None])[0])[None])[0]
        return np.asarray(over + design.penalty * direction)

    scale = np.maximum(design.over_labels(weight[None])[0] + design.penalty, 1e-12)
    return _conjugate_gradients(curved, slope, scale)


def _conjugate_gradients(
    curved: Callable[[FloatArray], FloatArray], slope: FloatArray, scale: FloatArray
) -> FloatArray:
    found, rest = np.zeros_like(slope), slope.copy()
    eased = rest / scale
    direction, size = eased, float((rest * eased).sum())
    enough = 1e-24 * size
    for _ in range(500):
        if size <= enough:
            break
        bent = curved(direction)
        length = size / float((direction * bent).sum())
        found += length * direction
        rest -= length * bent
        eased = rest / scale
        size, before = float((rest * eased).sum()), size
        direction = eased + (size / before) * direction
    return found
