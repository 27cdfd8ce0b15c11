"""A Markov chain of any order as a sparse or blocked operator over its contexts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.attribution.chains.grams import row_keys
from cxkit.attribution.touchpaths.cutting import sum_by
from cxkit.core.arrays import IntArray

__all__ = ["BlockedChain", "ContextChain", "GramRows", "ListedChain", "build_chain"]

FloatArray = NDArray[np.float64]

_MOST_CELLS: Final = 1 << 16
_CELLS_PER_GRAM: Final = 4
_CHUNK: Final = 1 << 15


@attrs.frozen(eq=False, kw_only=True)
class GramRows:
    """Counts of grams and of contexts that end a path; rows may repeat. V visited labels.

    Attributes:
        grams: (S, k + 1) labels below V; V is START.
        steps: (S,) how often each occurs.
        contexts: (Z, k) labels before the end of a path.
        ends: (3, Z) paths that ended there: in a conversion, in none, and the value.
        labels: V.
    """

    grams: NDArray[Any]
    steps: FloatArray
    contexts: NDArray[Any]
    ends: FloatArray
    labels: int


@attrs.frozen(eq=False, kw_only=True)
class ContextChain(ABC):
    """A chain over n contexts: the last k labels, or START where a path is younger than that.

    Attributes:
        labels: V, how many labels there are.
        gram: (S,) which transition each of the counted rows is.
        context: (Z,) which context each of the counted ends is.
        source: (P,) the context that each transition leaves.
        target: (P,) the one that it enters.
        chance: (P,) its probability.
        visits: (n,) how often each context was visited.
        ends: (3, n) conversions, null paths and value right after each context.
        last: (n,) the last label of each context; V for the beginning of a path.
        start: The context in which a path begins.
    """

    labels: int
    gram: IntArray
    context: IntArray
    source: IntArray
    target: IntArray
    chance: FloatArray
    visits: FloatArray
    ends: FloatArray
    last: IntArray
    start: int

    @abstractmethod
    def arrive(self, mass: FloatArray) -> FloatArray:
        """(n, R) the mass that one step brings to each context.

        Args:
            mass: (n, R) where it is.
        """

    @abstractmethod
    def expect(self, payoff: FloatArray) -> FloatArray:
        """(n, R) what is expected of the context that comes next.

        Args:
            payoff: (n, R) what each context is worth.
        """

    def remove(self, states: FloatArray, first: int) -> FloatArray:
        """Set to 0, in column j, the contexts that end with label ``first + j``; in place."""
        inside = self._entering(first, first + states.shape[1])
        states[inside, self.last[inside] - first] = 0.0
        return states

    def _entering(self, first: int, end: int) -> IntArray:
        return np.flatnonzero((self.last >= first) & (self.last < end))

    def per_visit(self, what: int) -> FloatArray:
        """(n,) conversions (0) or value (2) right after a visit, on average."""
        rate = np.zeros(len(self.visits))
        np.divide(self.ends[what], self.visits, out=rate, where=self.visits > 0)
        return rate


@attrs.frozen(eq=False, kw_only=True)
class ListedChain(ContextChain):
    """Only the contexts that occur, and a list of transitions sorted by source.

    Attributes:
        by_target: (P,) the transitions in order of what they enter.
    """

    by_target: IntArray

    def arrive(self, mass: FloatArray) -> FloatArray:
        """(n, R) the mass that one step brings to each context."""
        return self._sum(self.by_target, self.target, self.source, mass)

    def expect(self, payoff: FloatArray) -> FloatArray:
        """(n, R) what is expected of the context that comes next."""
        return self._sum(np.arange(len(self.source)), self.source, self.target, payoff)

    def _sum(self, order: IntArray, to: IntArray, of: IntArray, states: FloatArray) -> FloatArray:
        out = np.zeros(states.shape)
        for begin in range(0, len(order), _CHUNK):
            some = order[begin : begin + _CHUNK]
            moved = states[of[some]]
            moved *= self.chance[some, None]
            place = to[some]
            begins = np.flatnonzero(np.append(True, place[1:] != place[:-1]))
            # A context may go on in the next chunk, so that this adds and does not set.
            out[place[begins]] += np.add.reduceat(moved, begins, axis=0)
        return out


@attrs.frozen(eq=False, kw_only=True)
class BlockedChain(ContextChain):
    """Every context there could be, as one block per k - 1 labels in the middle of a gram.

    A context (a1, a2 ... ak) leads to (a2 ... ak, b) only. With the middle fixed, a step is a small
    matrix from a1 to b: all of them together are one batch of matrix products.

    Attributes:
        blocks: (U, V + 1, V + 1) chances by middle, first label and next label.
    """

    blocks: FloatArray

    def arrive(self, mass: FloatArray) -> FloatArray:
        """(n, R) the mass that one step brings to each context."""
        U, B, _ = self.blocks.shape
        before = mass.reshape(B, U, -1).transpose(1, 0, 2)
        return np.asarray(np.matmul(self.blocks.transpose(0, 2, 1), before)).reshape(U * B, -1)

    def expect(self, payoff: FloatArray) -> FloatArray:
        """(n, R) what is expected of the context that comes next."""
        U, B, _ = self.blocks.shape
        onward = np.matmul(self.blocks, payoff.reshape(U, B, -1))
        return np.asarray(onward).transpose(1, 0, 2).reshape(U * B, -1)


def build_chain(rows: GramRows) -> ContextChain:
    """The chain that is counted from paths, in the form that is cheaper for it."""
    base, order = rows.labels + 1, rows.contexts.shape[1]
    if base ** (order + 1) <= max(_MOST_CELLS, _CELLS_PER_GRAM * len(rows.grams)):
        return _blocked(rows, base, order)
    return _listed(rows)


def _number(rows: NDArray[Any], base: int) -> IntArray:
    keys = np.zeros(len(rows), np.int64)
    for column in rows.T:
        keys *= base
        keys += column
    return keys


def _blocked(rows: GramRows, base: int, order: int) -> BlockedChain:
    cells, n = base ** (order + 1), base**order
    gram, context = _number(rows.grams, base), _number(rows.contexts, base)
    steps = np.bincount(gram, rows.steps, cells)
    ends = np.stack([sum_by(context, e, n) for e in rows.ends])
    visits = steps.reshape(n, base).sum(axis=1) + ends[0] + ends[1]
    chance = steps.reshape(n, base) / np.where(visits > 0, visits, 1.0)[:, None]
    cell = np.arange(cells)
    middle = chance.reshape(base, n // base, base).transpose(1, 0, 2)
    return BlockedChain(
        labels=rows.labels,
        gram=gram,
        context=context,
        source=cell // base,
        target=cell % n,
        chance=chance.ravel(),
        visits=visits,
        ends=ends,
        last=np.arange(n) % base,
        start=n - 1,
        blocks=np.ascontiguousarray(middle),
    )


def _listed(rows: GramRows) -> ListedChain:
    sources, targets = rows.grams[:, :-1], rows.grams[:, 1:]
    every = np.concatenate([sources, targets, rows.contexts])
    distinct, number = np.unique(row_keys(every), return_inverse=True)
    n = len(distinct)
    source, target, context = np.split(number, [len(sources), 2 * len(sources)])
    moves, gram = np.unique(source * n + target, return_inverse=True)
    steps = np.bincount(gram, rows.steps, len(moves))
    ends = np.stack([sum_by(context, e, n) for e in rows.ends])
    source, target = moves // n, moves % n
    visits = np.bincount(source, steps, n) + ends[0] + ends[1]
    example = np.zeros((n, every.shape[1]), every.dtype)
    example[number] = every
    start = np.flatnonzero((example == rows.labels).all(axis=1))
    return ListedChain(
        labels=rows.labels,
        gram=gram,
        context=context,
        source=source,
        target=target,
        chance=steps / visits[source],
        visits=visits,
        ends=ends,
        last=example[:, -1].astype(np.int64),
        start=int(start[0]) if len(start) else 0,
        by_target=np.argsort(target, kind="stable"),
    )
