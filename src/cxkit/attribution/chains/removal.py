"""Removal effects of Markov chains, all labels of a chain from one matrix inverse."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.attribution.chains.contextchain import ContextChain
from cxkit.attribution.summaries import weigh
from cxkit.errors import DataError

__all__ = ["Chains", "direct_effects", "removal_effects", "removal_slopes"]

FloatArray = NDArray[np.float64]


@attrs.frozen(eq=False, kw_only=True)
class Chains:
    """Chains over the same K labels as matrices, a batch of any shape ``...``.

    Attributes:
        steps: (..., K, K) how often the second label followed the first.
        visits: (..., K) how often each label was touched.
        conversions: (..., K) how often a conversion came next.
        value: (..., K) what those conversions are worth.
    """

    steps: FloatArray
    visits: FloatArray
    conversions: FloatArray
    value: FloatArray

    def weighted(self, weights: FloatArray) -> Chains:
        """Sums of the chains of a batch, one per row of weights.

        Args:
            weights: (B, G) for a batch of G chains.
        """
        return Chains(
            steps=weigh(weights, self.steps),
            visits=weigh(weights, self.visits),
            conversions=weigh(weights, self.conversions),
            value=weigh(weights, self.value),
        )


def removal_effects(chains: Chains) -> tuple[FloatArray, FloatArray]:
    """The removal effects of every label, in conversions and in value.

    With N the fundamental matrix (``N[k, l]``: the expected visits to l from k on) and ``b = N r``
    the chance of a conversion from k on, the share of conversions lost when every step into k leads
    to NULL is the chance to come by k at all, times that of a conversion from there, over that of a
    conversion: ``a[k] / N[k, k] * b[k] / p``, where a are the expected visits from START. In a
    chain counted from paths those are the observed ones: ``a[k] / p = visits[k] / conversions``.
    For the value, r is the mean value that a visit to k earns at once, and p that of a path.

    After Anderl et al. 2016; N is in Kemeny and Snell 1960, "Finite Markov Chains", chapter 3.

    Args:
        chains: Chains, each with a way out from every label that is visited.

    Returns:
        (..., K) and (..., K); 0 where there is nothing to lose.

    Raises:
        DataError: There is a loop of labels that no path leaves.

    Example:
        >>> a_b = Chains(
        ...     steps=np.array([[0, 1], [0, 0]]),
        ...     visits=np.array([2, 1]),
        ...     conversions=np.array([0, 1]),
        ...     value=np.array([0.0, 5.0]),
        ... )
        >>> [x.tolist() for x in removal_effects(a_b)]
        [[1.0, 1.0], [1.0, 1.0]]
    """
    visited = np.where(chains.visits > 0, chains.visits, 1.0)
    fundamental = _fundamental(chains.steps / visited[..., None])
    arrivals: FloatArray = chains.visits / np.diagonal(fundamental, axis1=-2, axis2=-1)

    def effect(gained: FloatArray) -> FloatArray:
        onward = np.matmul(fundamental, (gained / visited)[..., None])[..., 0]
        lost, whole = arrivals * onward, gained.sum(axis=-1, keepdims=True)
        return np.asarray(np.divide(lost, whole, out=np.zeros(lost.shape), where=whole != 0))

    # A part of a whole, which rounding may have put a hair outside of 0 and 1.
    conversions, value = effect(chains.conversions), effect(chains.value)
    gains = (chains.value >= 0).all(axis=-1, keepdims=True)
    return np.clip(conversions, 0.0, 1.0), np.where(gains, np.clip(value, 0.0, 1.0), value)


def removal_slopes(chains: Chains) -> tuple[FloatArray, FloatArray]:
    """How the removal effects of the whole move with the weight of each chain of a batch.

    The derivative of the closed form of :func:`removal_effects`. When a chain g counts more, with
    steps ``S``, visits ``v`` and conversions ``c`` of its own, the chance b of a conversion moves
    by ``N ((S b + c - v b) / visits)``, and the fundamental matrix N by ``N dQ N``, of which only
    the diagonal is asked: ``dQ N = (S N - v (N - I)) / visits``. One product of matrices per chain
    in place of an inverse.

    Args:
        chains: (G, K) chains; every label is visited in one of them.

    Returns:
        (G, K) and (G, K): in conversions and in value; 0 where there is nothing to lose.
    """
    visits = chains.visits.sum(axis=0)
    fundamental = _fundamental(chains.steps.sum(axis=0) / visits[:, None])
    onward = fundamental - np.eye(len(visits))
    ahead = (fundamental / visits).T
    diagonal = np.diagonal(fundamental)
    turned = np.empty_like(chains.visits)
    for g, own in enumerate(chains.visits):
        moved = chains.steps[g] @ fundamental
        moved -= own[:, None] * onward
        moved *= ahead
        turned[g] = moved.sum(axis=0) / diagonal

    def slope(gained: FloatArray) -> FloatArray:
        paid = gained.sum(axis=0)
        whole = paid.sum()
        if not whole:
            return np.zeros_like(turned)
        chance = fundamental @ (paid / visits)
        moved = (chains.steps @ chance + gained - chains.visits * chance) / visits
        effect = visits / diagonal * chance / whole
        change = chains.visits / visits - turned - gained.sum(axis=1, keepdims=True) / whole
        return np.asarray(effect * change + visits / diagonal / whole * (moved @ fundamental.T))

    return slope(chains.conversions), slope(chains.value)


def _fundamental(steps: FloatArray) -> FloatArray:
    """The inverse of I less the chances of each step."""
    try:
        return np.asarray(np.linalg.inv(np.eye(steps.shape[-1]) - steps))
    except np.linalg.LinAlgError:
        raise DataError(
            "this chain has a loop of labels that no path leaves; count it from paths"
        ) from None


def direct_effects(chain: ContextChain, steps: FloatArray, ends: FloatArray) -> FloatArray:
    """(2, V) the removal effects of a small chain of any order, one dense system per label.

    Args:
        chain: The contexts and transitions, whose counts may be others here.
        steps: (P,) how often each transition occurs.
        ends: (3, n) conversions, null paths and value after each context.

    Raises:
        DataError: There is a loop of contexts that no path leaves.
    """
    n, V = len(chain.visits), chain.labels
    effects = np.zeros((2, V))
    visits = np.bincount(chain.source, steps, n) + ends[0] + ends[1]
    if not n or not visits[chain.start]:
        return effects
    whole = ends[[0, 2]].sum(axis=1) / visits[chain.start]
    visited = np.where(visits > 0, visits, 1.0)
    step = np.zeros((n, n))
    step[chain.target, chain.source] = steps / visited[chain.source]
    begin = np.zeros(n)
    begin[chain.start] = 1.0
    kept = chain.last != np.arange(V)[:, None]
    try:
        left = np.linalg.solve(np.eye(n) - kept[:, :, None] * step, begin[:, None])[..., 0]
    except np.linalg.LinAlgError:
        raise DataError(
            "this chain has a loop of labels that no path leaves; count it from paths"
        ) from None
    payoff = left @ (ends[[0, 2]] / visited).T
    touched = np.bincount(chain.last, visits, V + 1)[:V] > 0
    for what in (0, 1):
        if whole[what]:
            effects[what] = np.where(touched, 1.0 - payoff[:, what] / whole[what], 0.0)
    effects[0] = np.clip(effects[0], 0.0, 1.0)
    return effects
