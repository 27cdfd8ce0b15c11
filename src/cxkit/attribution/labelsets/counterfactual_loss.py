"""What deleting a label loses, under a fitted response, and how it moves with a shard."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from cxkit.attribution.labelsets.counterfactual_fit import Design, curvature
from cxkit.attribution.touchpaths.cutting import sum_by
from cxkit.core.arrays import IntArray
from cxkit.core.logistic import logistic
from cxkit.core.summary import SHARDS

__all__ = ["losses", "shifts"]

FloatArray: TypeAlias = NDArray[np.float64]

_CELLS_AT_ONCE = 1 << 20


def losses(
    design: Design, coefficients: FloatArray, paths: FloatArray, value: FloatArray
) -> FloatArray:
    """(2, G, L) conversions, and value, that are lost when each label is deleted from its sets.

    A set loses the difference of its chances times its paths; and of its value the same part as of
    its chance.

    Args:
        design: The sets.
        coefficients: (G, 1 + L).
        paths: (G, U) paths with each set.
        value: (G, U) what its conversions are worth.
    """
    found = np.empty((2, len(coefficients), design.labels))
    at_once = max(_CELLS_AT_ONCE // max(len(design.codes), 1), 1)
    for start in range(0, len(coefficients), at_once):
        some = slice(start, start + at_once)
        p, without = _chances(design, coefficients[some])
        found[0, some] = design.by_label((p - without) * paths[some][:, design.rows])
        found[1, some] = design.by_label(_part(p, without) * value[some][:, design.rows])
    return found


def _chances(design: Design, coefficients: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(G, M) for each member of a set: the chance of the set, and that without the member."""
    log_odds = design.over_sets(coefficients)
    own = np.take(coefficients[:, 1:], design.codes, axis=1)
    return logistic(log_odds)[:, design.rows], logistic(log_odds[:, design.rows] - own)


def _part(p: FloatArray, without: FloatArray) -> FloatArray:
    """The part of a chance that is lost; one that rounds to nothing has nothing to lose."""
    return 1 - without / np.maximum(p, 1e-300)


def shifts(
    design: Design,
    group: IntArray,
    shard: IntArray,
    rows: list[FloatArray],
    best: FloatArray,
) -> FloatArray:
    """What the answer changes, to first order, with the weight of each shard.

    The coefficients move by the inverse curvature times the slope of the shard's likelihood (the
    implicit function theorem); the losses move with them, and with the shard's own paths.

    Args:
        design: The distinct sets.
        group: (R,) the set of each row.
        shard: (R,) its shard.
        rows: (R,) paths, conversions and value of each row.
        best: (1 + L,) the coefficients of all customers.

    Returns:
        (3, SHARDS, L) of the losses in conversions, of those in value, of the coefficients.
    """
    labels, cells = design.labels, SHARDS * design.labels
    paths, value = (sum_by(group, rows[i], design.sets) for i in (0, 2))
    p, without = (chances[0] for chances in _chances(design, best[None]))

    # How each member's loss moves with the log-odds of its set, and without it.
    kept = value[design.rows] * (1 - _part(p, without))
    often = paths[design.rows]
    steep = [
        (often * p * (1 - p), often * without * (1 - without)),
        (kept * (1 - p), kept * (1 - without)),
    ]
    slopes = np.zeros((2, labels, labels + 1))
    for slope, (inside, outside) in zip(slopes, steep, strict=True):
        change = inside - outside
        slope[:, 0] = np.bincount(design.codes, change, labels)
        slope[:, 1:] = design.over_pairs(change)
        # Where the label itself is deleted, its own coefficient no longer counts.
        slope[np.arange(labels), 1 + np.arange(labels)] += np.bincount(
            design.codes, outside, labels
        )

    size = np.diff(design.offsets)[group]
    owner = np.repeat(np.arange(len(group)), size)
    begin = np.repeat(design.offsets[:-1][group] - (np.cumsum(size) - size), size)
    member = np.arange(len(owner)) + begin
    at = shard[owner] * labels + design.codes[member]

    def per_shard(amounts: FloatArray) -> FloatArray:
        return sum_by(at, amounts, cells).reshape(SHARDS, labels)

    rest = rows[1] - rows[0] * logistic(design.over_sets(best[None])[0])[group]
    pull = np.concatenate([sum_by(shard, rest, SHARDS)[:, None], per_shard(rest[owner])], axis=1)
    moved = np.linalg.solve(curvature(design, paths, best), pull.T).T
    own = [
        per_shard((p - without)[member] * rows[0][owner]),
        per_shard(_part(p, without)[member] * rows[2][owner]),
    ]
    turned = [moved @ slope.T for slope in slopes]
    return np.stack([own[0] + turned[0], own[1] + turned[1], moved[:, 1:]])
