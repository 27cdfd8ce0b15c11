"""From the counts of a chain to removal effects, and to credit in proportion to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from cxkit.attribution.chains.contextchain import GramRows, build_chain
from cxkit.attribution.chains.contextremoval import ContextRemoval
from cxkit.attribution.chains.removal import (
    Chains,
    direct_effects,
    removal_effects,
    removal_slopes,
)
from cxkit.attribution.summaries import Estimates, weigh
from cxkit.attribution.touchpaths.cutting import sum_by
from cxkit.core.arrays import IntArray
from cxkit.core.intervals import divide
from cxkit.core.summary import SHARDS
from cxkit.errors import DefinitionError

if TYPE_CHECKING:
    from cxkit.attribution.chains.markov import ChainCounts

__all__ = [
    "chain_estimates",
    "chain_removal",
    "chain_rows",
    "has_costly_label",
    "visited_slots",
    "why_bare",
]

FloatArray = NDArray[np.float64]

_MOST_LABELS: Final = 5000
_MOST_LABELS_WITH_INTERVALS: Final = 500
_MOST_SOLVED_ANEW: Final = 128
"""Up to so many labels a chain of order 1 is solved anew for every replicate."""
_CELLS_AT_ONCE: Final = 1 << 22
_ROUNDING: Final = 1e-11
_SMALL_CHAIN: Final = 1 << 21
"""A chain of n contexts and V labels is solved anew for every replicate if V * n**3 is less."""


def chain_estimates(counts: ChainCounts, weights: FloatArray | None) -> Estimates:
    """The credit under some weights of the shards.

    Args:
        counts: The chain.
        weights: (B, SHARDS); ``None`` is one set, of ones.
    """
    slots = visited_slots(counts)
    if len(slots) > _MOST_LABELS:
        raise DefinitionError(
            f"{counts.rule.by!r} has {len(slots):,} labels, and a Markov chain over them needs a "
            f"matrix of that size; choose a coarser column (up to {_MOST_LABELS:,} labels)"
        )
    given = np.ones((1, SHARDS)) if weights is None else weights
    wide = np.zeros((2, len(given), len(counts.labels) + 1))
    if weights is not None and len(slots) > _MOST_LABELS_WITH_INTERVALS:
        wide[:] = np.nan
    elif counts.order == 1:
        wide[..., slots] = _first_order(counts, slots, weights)
    else:
        wide[..., slots] = _higher_order(counts.removal, weights)
    conversions = weigh(given, sum_by(counts.context_shard, counts.conversions, SHARDS))
    value = weigh(given, sum_by(counts.context_shard, counts.value, SHARDS))
    effect, value_effect = wide
    share = divide(effect, effect.sum(axis=-1, keepdims=True))
    share = np.where(np.isnan(effect), np.nan, np.nan_to_num(share))
    if weights is None and not counts.costly:
        value_effect = np.maximum(value_effect, 0.0)  # not below by rounding
    value_share = divide(value_effect, value_effect.sum(axis=-1, keepdims=True))
    # No value, or effects of both signs, whose shares mean nothing: as the conversions.
    value_share = np.where(counts.costly | np.isnan(value_share), share, value_share)
    return Estimates(
        conversions=share * conversions[:, None],
        value=value_share * value[:, None],
        measures={"removal_effect": effect, "value_removal_effect": value_effect},
    )


def has_costly_label(counts: ChainCounts) -> bool:
    """Whether more would be earned without a label than with it."""
    if not (counts.value < 0).any():
        return False
    if counts.order > 1:
        effects = _higher_order(counts.removal, None)
    else:
        effects = _first_order(counts, visited_slots(counts), None)
    # Nothing is told apart from 0 that rounding could make of it: effects are parts of the sum of
    # the values, which is small where they cancel each other.
    least = _ROUNDING * divide(np.abs(counts.value).sum(), abs(counts.value.sum()))
    return bool((effects[1] < -least).any())


def why_bare(counts: ChainCounts) -> str:
    """Why there are no intervals."""
    most, labels = _MOST_LABELS_WITH_INTERVALS, len(visited_slots(counts))
    return f"no intervals: a chain has them up to {most:,} labels, and visits {labels:,}"


def chain_rows(counts: ChainCounts, slots: IntArray) -> GramRows:
    """The counted rows over the visited labels alone; V, their number, is START."""
    table = np.zeros(len(counts.labels) + 2, np.int64)
    table[slots] = np.arange(len(slots))
    table[-1] = len(slots)
    return GramRows(
        grams=table[counts.grams],
        steps=counts.steps.astype(np.float64),
        contexts=table[counts.contexts],
        ends=np.stack([counts.conversions, counts.nulls, counts.value]).astype(np.float64),
        labels=len(slots),
    )


def _first_order(counts: ChainCounts, slots: IntArray, weights: FloatArray | None) -> FloatArray:
    """(2, B, V) removal effects by one inverse per chain."""
    rows = chain_rows(counts, slots)
    V = len(slots)
    groups = 1 if weights is None else SHARDS
    of_gram, of_end = (
        np.zeros(len(shard), np.int64) if weights is None else shard.astype(np.int64)
        for shard in (counts.gram_shard, counts.context_shard)
    )
    cells = sum_by(
        of_gram * (V + 1) * V + rows.grams[:, 0] * V + rows.grams[:, 1],
        rows.steps,
        groups * (V + 1) * V,
    ).reshape(groups, V + 1, V)
    at = of_end * V + rows.contexts[:, 0]
    conversions, _, value = (sum_by(at, e, groups * V).reshape(groups, V) for e in rows.ends)
    chains = Chains(
        steps=cells[:, :V], visits=cells.sum(axis=1), conversions=conversions, value=value
    )
    if weights is None:
        return np.stack(removal_effects(chains))
    if V > _MOST_SOLVED_ANEW:
        return _moved(chains, weights)
    effects = np.empty((2, len(weights), V))
    at_once = max(_CELLS_AT_ONCE // max(V * V, 1), 1)
    for start in range(0, len(weights), at_once):
        some = slice(start, start + at_once)
        effects[:, some] = removal_effects(chains.weighted(weights[some]))
    return effects


def _moved(chains: Chains, weights: FloatArray) -> FloatArray:
    """(2, B, V) the effects of the whole, moved along their derivative by the weights."""
    whole = np.stack(removal_effects(chains.weighted(np.ones((1, SHARDS)))))
    # Effects do not change when all weights do: only their ratio to the mean counts, which is that
    # of the shards with customers in them.
    some = chains.visits.any(axis=1)
    ratio = weights / weights[:, some].mean(axis=1, keepdims=True)
    effects = whole + (ratio - 1.0) @ np.stack(removal_slopes(chains))
    effects[0] = np.clip(effects[0], 0.0, 1.0)
    return np.asarray(effects)


def chain_removal(counts: ChainCounts) -> ContextRemoval:
    """The chain of order 2 or more, to be solved."""
    rows = chain_rows(counts, visited_slots(counts))
    return ContextRemoval(
        chain=build_chain(rows),
        rows=rows,
        gram_shard=counts.gram_shard,
        end_shard=counts.context_shard,
    )


def _higher_order(solved: ContextRemoval, weights: FloatArray | None) -> FloatArray:
    """(2, B, V) removal effects by a linear system per label."""
    chain = solved.chain
    if chain.labels * len(chain.visits) ** 3 <= _SMALL_CHAIN:
        return _anew(solved, np.ones((1, SHARDS)) if weights is None else weights)
    if weights is None:
        return solved.effect[:, None]
    moved = solved.effect[:, None] + np.matmul(weights - 1.0, solved.slope)
    moved[0] = np.clip(moved[0], 0.0, 1.0)
    return np.asarray(moved)


def _anew(solved: ContextRemoval, weights: FloatArray) -> FloatArray:
    """(2, B, V) every set of weights as a chain that is solved by itself."""
    chain, rows = solved.chain, solved.rows
    effects = np.empty((2, len(weights), chain.labels))
    n = len(chain.visits)
    for at, weight in enumerate(weights):
        steps = sum_by(chain.gram, rows.steps * weight[solved.gram_shard], len(chain.source))
        ends = [sum_by(chain.context, e * weight[solved.end_shard], n) for e in rows.ends]
        effects[:, at] = direct_effects(chain, steps, np.stack(ends))
    return effects


def visited_slots(counts: ChainCounts) -> IntArray:
    """The labels, as codes, that occur in a chain."""
    seen = np.zeros(len(counts.labels) + 2, dtype=bool)
    seen[counts.grams[:, -1]] = True
    return np.flatnonzero(seen)
