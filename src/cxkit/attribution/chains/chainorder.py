"""How far a chain should look back: the order by BIC, and by what it says of unseen customers."""

from __future__ import annotations

from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.attribution.chains.grams import row_keys
from cxkit.attribution.chains.markov import ChainCounts
from cxkit.attribution.touchpaths.cutting import sum_by
from cxkit.attribution.touchpaths.paths import Paths
from cxkit.core.arrays import IntArray, freeze
from cxkit.core.intervals import check_level, divide, interval, jackknife_error, leave_one_out
from cxkit.core.result import ColumnLike, Result
from cxkit.core.summary import SHARDS
from cxkit.errors import DefinitionError

__all__ = ["OrderChoice", "choose_order"]

FloatArray = NDArray[np.float64]

_FOLDS: Final = 8
_HIGHEST: Final = 4


@attrs.frozen(eq=False, repr=False, kw_only=True)
class OrderChoice(Result):
    """Chains of order 1 and up, side by side.

    Attributes:
        order: Order of each chain.
        contexts: How many contexts occur.
        parameters: Chances that are free: per context, the outcomes there could be less one.
        log_likelihood: Natural logarithm of the chance of all paths under the chain.
        bic: ``parameters * log(steps) - 2 * log_likelihood``: lower is better.
        held_out: Log-likelihood per path of customers whom the chain has not seen; higher is
            better. NaN if there are too few customers, or nobody knows them.
        gain: How much that is above the order before; NaN for order 1.
        gain_low: Lower end of its interval.
        gain_high: Upper end.
        by_bic: The order with the lowest BIC.
        by_held_out: The lowest order that no higher one beats on unseen customers by more than
            chance (the lower end of its gain is above zero); ``None`` if that is not known.
        steps: Steps of all paths, their ends included.
        level: Of the intervals.
    """

    order: IntArray = attrs.field(converter=freeze)
    contexts: IntArray = attrs.field(converter=freeze)
    parameters: IntArray = attrs.field(converter=freeze)
    log_likelihood: FloatArray = attrs.field(converter=freeze)
    bic: FloatArray = attrs.field(converter=freeze)
    held_out: FloatArray = attrs.field(converter=freeze)
    gain: FloatArray = attrs.field(converter=freeze)
    gain_low: FloatArray = attrs.field(converter=freeze)
    gain_high: FloatArray = attrs.field(converter=freeze)
    by_bic: int
    by_held_out: int | None
    steps: int
    level: float

    def columns(self) -> dict[str, ColumnLike]:
        """One row per order."""
        names = ("order", "contexts", "parameters", "log_likelihood", "bic", "held_out")
        return {name: getattr(self, name) for name in (*names, "gain", "gain_low", "gain_high")}

    def title(self) -> str:
        """The orders that were chosen."""
        unseen = "unknown" if self.by_held_out is None else str(self.by_held_out)
        return f"order of the chain: {self.by_bic} by BIC, {unseen} on unseen customers"

    def notes(self) -> list[str]:
        """Why there may be no answer from unseen customers."""
        if self.by_held_out is None:
            return ["too few customers, or unknown ones, to hold some out"]
        return []


def choose_order(
    counts: ChainCounts | Paths, *, highest: int | None = None, level: float = 0.95
) -> OrderChoice:
    """Compare chains of order 1 up to that of the counts.

    BIC (Schwarz 1978; for chains Katz 1981, "On some criteria for estimating the order of a Markov
    chain", Technometrics 23) takes the contexts that occur, and counts for each the labels,
    conversion and null less one.

    On unseen customers: eight parts of the shards are held out in turn. A plain chain gives no
    chance at all to a step that it has not seen, so that the counts are mixed with those of the
    shorter contexts: ``(n(s, t) + d(s) * shorter) / (n(s) + d(s))``, with d(s) the distinct
    outcomes after s (Witten and Bell 1991, "The zero-frequency problem", IEEE Transactions on
    Information Theory 37).

    Args:
        counts: A chain of the highest order to look at, or paths.
        highest: The highest order, if paths are given; 4 by default.
        level: Of the intervals of the gains.

    Raises:
        DefinitionError: There is nothing to count, or an argument cannot be read.

    Example:
        >>> import cxkit as cx
        >>> journeys = cx.simulate.retail(400, rng=1).journeys
        >>> chain = cx.attribution.ChainCounts.of(journeys, goal="purchase", order=3)
        >>> choose_order(chain).by_bic
        1
    """
    check_level(level)
    if isinstance(counts, Paths):
        counts = ChainCounts.from_paths(counts, order=_HIGHEST if highest is None else highest)
    elif highest is not None:
        counts = counts.lower(highest)
    if not len(counts.grams):
        raise DefinitionError("there is no path with a touch, so no order can be chosen")
    pairs = _Pairs.of(counts)
    orders = np.arange(1, counts.order + 1)
    likelihood, contexts = np.zeros(len(orders)), np.zeros(len(orders), np.int64)
    for place, order in enumerate(orders.tolist()):
        pair, context = pairs.pair[order], pairs.context[order]
        total = sum_by(pair, pairs.total, int(pair.max()) + 1)
        whole = sum_by(context, pairs.total, int(context.max()) + 1)
        likelihood[place] = _xlogx(total) - _xlogx(whole)
        contexts[place] = len(whole)
    outcomes = len(np.unique(counts.grams[:, -1])) + 2
    # No path ends before it begins: START has two outcomes fewer.
    parameters = contexts * (outcomes - 1) - 2
    steps = int(pairs.total.sum())
    bic = parameters * np.log(steps) - 2 * likelihood
    unseen = pairs.unseen(counts)
    paths = np.bincount(counts.context_shard, counts.conversions + counts.nulls, SHARDS)
    occupied = paths > 0
    known = occupied.sum() >= _FOLDS + 2 and not np.isnan(unseen).any()
    per_path = divide(unseen.sum(axis=1), np.full(len(orders), paths.sum()))
    left = divide(leave_one_out(unseen.T), leave_one_out(paths)[:, None])
    gain = np.append(np.nan, np.diff(per_path))
    error = jackknife_error(np.diff(left, axis=1), occupied)
    low, high = interval(gain[1:], error, occupied, level=level)
    nothing = np.full(len(orders), np.nan)
    best = 1
    for order in range(2, len(orders) + 1):
        error = jackknife_error((left[:, order - 1] - left[:, best - 1])[:, None], occupied)
        ahead = per_path[[order - 1]] - per_path[best - 1]
        if interval(ahead, error, occupied, level=level)[0][0] > 0:
            best = order
    return OrderChoice(
        order=orders,
        contexts=contexts,
        parameters=parameters,
        log_likelihood=likelihood,
        bic=bic,
        held_out=per_path if known else nothing,
        gain=gain if known else nothing,
        gain_low=np.append(np.nan, low) if known else nothing,
        gain_high=np.append(np.nan, high) if known else nothing,
        by_bic=int(orders[np.argmin(bic)]),
        by_held_out=best if known else None,
        steps=steps,
        level=level,
    )


@attrs.frozen(eq=False, kw_only=True)
class _Pairs:
    """Distinct pairs of a context and what came next: a label, a conversion or null. P pairs.

    Attributes:
        pair: order -> (P,) the pair, if only so many labels of the context are known; 0 labels too.
        context: order -> (P,) its context.
        total: (P,) how often.
        of_row: (S + 2 Z,) the pair of every counted row.
    """

    pair: dict[int, IntArray]
    context: dict[int, IntArray]
    total: FloatArray
    of_row: IntArray

    @classmethod
    def of(cls, counts: ChainCounts) -> _Pairs:
        """Find them."""
        slots = len(counts.labels) + 1
        wide = np.int64
        ends = counts.contexts.astype(wide)
        # START is slots; a conversion and null come after it.
        rows = np.concatenate(
            [
                counts.grams.astype(wide),
                np.column_stack([ends, np.full(len(ends), slots + 1)]),
                np.column_stack([ends, np.full(len(ends), slots + 2)]),
            ]
        )
        often = _often(counts)
        _, first, of_row = np.unique(row_keys(rows), return_index=True, return_inverse=True)
        total = sum_by(of_row, often, len(first))
        distinct = rows[first]
        pair, context = {}, {}
        for order in range(counts.order + 1):
            part = distinct[:, counts.order - order :]
            pair[order] = np.unique(row_keys(part), return_inverse=True)[1]
            context[order] = (
                np.unique(row_keys(part[:, :-1]), return_inverse=True)[1]
                if order
                else np.zeros(len(part), np.int64)
            )
        return cls(pair=pair, context=context, total=total, of_row=of_row)

    def unseen(self, counts: ChainCounts) -> FloatArray:
        """(orders, SHARDS) log-likelihood of the paths of each shard when its part is held out."""
        shard = np.concatenate([counts.gram_shard, counts.context_shard, counts.context_shard])
        often = _often(counts)
        out = np.zeros((counts.order, SHARDS))
        labels = len(np.unique(self.pair[0]))
        for fold in range(_FOLDS):
            mine = shard % _FOLDS == fold
            if not often[mine].any():
                continue
            seen = self.total - np.bincount(
                self.of_row[mine], often[mine], minlength=len(self.total)
            )
            chance = np.full(len(seen), 1.0 / labels)
            for order in range(counts.order + 1):
                pair, context = self.pair[order], self.context[order]
                together = np.bincount(pair, seen)
                of_pair = np.zeros(len(together), np.int64)
                of_pair[pair] = context
                whole = np.bincount(of_pair, together)
                distinct = np.bincount(of_pair, together > 0)
                mixed = together[pair] + distinct[context] * chance
                known = whole[context] + distinct[context]
                chance = np.where(known > 0, mixed / np.where(known > 0, known, 1), chance)
                if order:
                    with np.errstate(divide="ignore", invalid="ignore"):
                        told = often[mine] * np.log(chance[self.of_row[mine]])
                    told = np.where(often[mine] > 0, told, 0.0)
                    out[order - 1] += np.bincount(shard[mine], told, SHARDS)
        return np.where(np.isfinite(out), out, np.nan)


def _often(counts: ChainCounts) -> FloatArray:
    """(S + 2 Z,) how often each counted row: grams, conversions, nulls."""
    return np.concatenate([counts.steps, counts.conversions, counts.nulls]).astype(np.float64)


def _xlogx(counts: FloatArray) -> float:
    some = counts[counts > 0]
    return float(some @ np.log(some))
