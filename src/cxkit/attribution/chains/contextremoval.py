"""Removal effects of chains of order 2 and more, and how each shard of customers moves them."""

from __future__ import annotations

from functools import cached_property, partial
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.attribution.chains.contextchain import ContextChain, GramRows
from cxkit.attribution.chains.iterate import solve_chain
from cxkit.core.summary import SHARDS
from cxkit.core.threads import side_by_side

__all__ = ["ContextRemoval"]

FloatArray = NDArray[np.float64]

_CELLS_AT_ONCE: Final = 1 << 22
_CELLS_KEPT: Final = 1 << 22
_CLOSE: Final = 1e-12
_ROUNDING: Final = 1e-15
_ROWS_AT_ONCE: Final = 1 << 14


@attrs.frozen(eq=False, kw_only=True, slots=False)
class ContextRemoval:
    """What is lost if every step into a context that ends with a label leads to NULL. V labels.

    With x the expected visits of the contexts from START once a label is removed, the chance of a
    conversion is ``x @ r`` and the expected value ``x @ w``, r and w being what follows a visit at
    once, on average. Unremoved, the visits are the counted ones. So one linear system per label
    answers both measures.

    Attributes:
        chain: The chain.
        rows: What it was counted from.
        gram_shard: (S,) the shard of each of the rows' grams; ascending.
        end_shard: (Z,) that of each of the rows' contexts; ascending.
    """

    chain: ContextChain
    rows: GramRows
    gram_shard: NDArray[np.uint8]
    end_shard: NDArray[np.uint8]

    @cached_property
    def effect(self) -> FloatArray:
        """(2, V) removal effects in conversions and in value; 0 where there is nothing to lose.

        Raises:
            DataError: The chain hardly ever ends.
        """
        effect = np.zeros((2, self.chain.labels))
        for what in (0, 1):
            if self._per_path[what]:
                effect[what] = np.where(self._touched, 1.0 - self._left[what], 0.0)
        effect[0] = np.clip(effect[0], 0.0, 1.0)
        return effect

    @cached_property
    def slope(self) -> FloatArray:
        """(2, SHARDS, V) how each effect moves when a shard counts more, per unit of its weight.

        If a count of s to t grows by one, what the chain pays without a label grows by
        ``x[s] / visits[s] * (y[t] - z[s])``: y is what is paid from t on, nothing where t is
        removed, and z what is expected after s.
        """
        work = [partial(self._slope, 0), partial(self._slope, 1)]
        return np.stack(side_by_side(work, rows=len(self.gram_shard)))

    @cached_property
    def _paths(self) -> float:
        return float(self.chain.visits[self.chain.start]) if len(self.chain.visits) else 0.0

    @cached_property
    def _per_path(self) -> FloatArray:
        """(2,) conversions and value per path."""
        whole = self.chain.ends[[0, 2]].sum(axis=1)
        return np.asarray(whole / self._paths if self._paths else whole * 0.0)

    @cached_property
    def _touched(self) -> NDArray[np.bool_]:
        V = self.chain.labels
        return np.asarray(np.bincount(self.chain.last, self.chain.visits, V + 1)[:V] > 0)

    @cached_property
    def _rate(self) -> FloatArray:
        """(2, n) conversions and value right after a visit."""
        return np.stack([self.chain.per_visit(0), self.chain.per_visit(2)])

    @cached_property
    def _close(self) -> float:
        """How exact visits have to be, in all, for effects to be exact to 1e-12."""
        visits = float(self.chain.visits.sum()) / self._paths
        return max(_CLOSE * float(self._per_path[0]), _ROUNDING * visits)

    @cached_property
    def _columns(self) -> list[slice]:
        V, n = self.chain.labels, max(len(self.chain.visits), 1)
        at_once = max(_CELLS_AT_ONCE // n, 1)
        return [slice(first, min(first + at_once, V)) for first in range(0, V, at_once)]

    @cached_property
    def _kept(self) -> list[FloatArray]:
        """The visits without each label, if there is room to keep them."""
        return []

    def _visits(self, columns: slice) -> FloatArray:
        """(n, R) the expected visits from START without each of some labels."""
        chain, n = self.chain, len(self.chain.visits)
        begin = np.zeros((n, columns.stop - columns.start))
        begin[chain.start] = 1.0

        def step(mass: FloatArray) -> FloatArray:
            return chain.remove(chain.arrive(mass), columns.start)

        guess = np.repeat(chain.visits[:, None] / self._paths, begin.shape[1], axis=1)
        return solve_chain(step, begin, chain.remove(guess, columns.start), self._close)

    @cached_property
    def _left(self) -> FloatArray:
        """(2, V) what is left of conversions and of value without each label."""
        left = np.zeros((2, self.chain.labels))
        if not self._per_path[0]:
            return left
        for columns in self._columns:
            x = self._visits(columns)
            left[:, columns] = self._rate @ x
            if self.chain.labels * len(x) <= _CELLS_KEPT:
                self._kept.append(x)
        whole = self._per_path[:, None]
        return np.divide(left, whole, out=np.zeros(left.shape), where=whole != 0)

    def _slope(self, what: int) -> FloatArray:
        """(SHARDS, V) the slopes of one measure."""
        slope = np.zeros((SHARDS, self.chain.labels))
        if not self._per_path[0] or not self._per_path[what]:
            return slope
        left = self._left[what]
        for i, columns in enumerate(self._columns):
            x = self._kept[i] if self._kept else self._visits(columns)
            slope[:, columns] = self._payoff_slope(what, x, columns)
        # The quotient rule: what is left, over what the whole chain pays per path.
        starts = np.where(self.chain.source == self.chain.start, 1.0, 0.0)[self.chain.gram]
        begun = np.bincount(self.gram_shard, self.rows.steps * starts, SHARDS)
        gained = np.bincount(self.end_shard, self.rows.ends[2 * what], SHARDS)
        moved = (gained - self._per_path[what] * begun) / self._paths
        return np.asarray((left * moved[:, None] - slope) / self._per_path[what])

    def _payoff_slope(self, what: int, x: FloatArray, columns: slice) -> FloatArray:
        """(SHARDS, R) the derivative of what is paid without each label by each shard's weight."""
        chain, rows = self.chain, self.rows
        given = np.repeat(self._rate[what][:, None], x.shape[1], axis=1)

        def step(payoff: FloatArray) -> FloatArray:
            return chain.expect(chain.remove(payoff.copy(), columns.start))

        # The slopes are for intervals: nine digits are plenty.
        close = 1e-9 * float(np.abs(given).sum(axis=0).max(initial=0.0))
        z = solve_chain(step, given, given, close)
        y = chain.remove(z.copy(), columns.start)
        weight = x / np.where(chain.visits > 0, chain.visits, 1.0)[:, None]
        out = np.zeros((SHARDS, x.shape[1]))
        each = np.empty((len(chain.source), x.shape[1]))
        for some in _slices(len(each)):
            here = chain.source[some]
            np.subtract(y[chain.target[some]], z[here], out=each[some])
            each[some] *= weight[here]
        for some in _slices(len(rows.steps)):
            moved = each[chain.gram[some]]
            moved *= rows.steps[some, None]
            _add_shards(out, self.gram_shard[some], moved)
        for some in _slices(len(self.end_shard)):
            here = chain.context[some]
            gained = (
                rows.ends[2 * what, some, None] - z[here] * rows.ends[:2, some].sum(axis=0)[:, None]
            )
            gained *= weight[here]
            _add_shards(out, self.end_shard[some], gained)
        return out


def _slices(rows: int) -> list[slice]:
    return [slice(start, start + _ROWS_AT_ONCE) for start in range(0, rows, _ROWS_AT_ONCE)]


def _add_shards(out: FloatArray, shard: NDArray[np.uint8], amounts: FloatArray) -> None:
    """Add rows to those of their shards, which ascend."""
    begins = np.flatnonzero(np.append(True, shard[1:] != shard[:-1])[: len(shard)])
    out[shard[begins]] += np.add.reduceat(amounts, begins, axis=0)
