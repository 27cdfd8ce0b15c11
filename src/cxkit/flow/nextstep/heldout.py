"""How well next steps are predicted for customers that were not counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.intervals import (
    check_level,
    divide,
    interval,
    jackknife_error,
    leave_one_out,
)
from cxkit.core.result import Result
from cxkit.core.summary import SHARDS
from cxkit.core.whole import whole_number
from cxkit.errors import DefinitionError
from cxkit.flow.nextstep.backoff import Backoff, Histories
from cxkit.flow.nextstep.calibration import Calibration, Curve
from cxkit.flow.nextstep.nextmodel import NextStepModel, touch_histories
from cxkit.flow.paths import few_customers
from cxkit.flow.steps.contextcounts import Contexts

__all__ = ["HeldOut", "goal_calibration", "held_out"]

_CELLS: Final = 1 << 20
_TEMPERATURES: Final = 2.0 ** np.linspace(-1.5, 1.5, 13)
_TINY: Final = 1e-300


@attrs.frozen(eq=False, repr=False, kw_only=True)
class HeldOut(Result):
    """How well next steps are predicted, by the length of the context: one row per length.

    Attributes:
        by: The column.
        order: (M,) how many of the last labels were used, from 0.
        log_loss: (M,) mean of ``-log(probability of what came)``, in nats; smaller is better.
        log_loss_low: (M,) low end of its interval; NaN for too few customers.
        log_loss_high: (M,) high end.
        brier: (M,) mean of the summed squares of ``probability - outcome``, from 0 to 2.
        accuracy: (M,) how often the most probable outcome came.
        steps: How many next steps were predicted.
        temperature: (M,) with which each length predicts best.
        calibration: Of the best order, at temperature 1.
        cooled: Of the best order, at its temperature.
    """

    by: str
    order: IntArray = attrs.field(converter=freeze)
    log_loss: NDArray[np.float64] = attrs.field(converter=freeze)
    log_loss_low: NDArray[np.float64] = attrs.field(converter=freeze)
    log_loss_high: NDArray[np.float64] = attrs.field(converter=freeze)
    brier: NDArray[np.float64] = attrs.field(converter=freeze)
    accuracy: NDArray[np.float64] = attrs.field(converter=freeze)
    steps: int
    temperature: NDArray[np.float64] = attrs.field(converter=freeze)
    calibration: Calibration
    cooled: Calibration

    @property
    def best_order(self) -> int:
        """The length of context with the smallest log loss; 0 if nothing was predicted."""
        return int(self.order[_best(self.log_loss)])

    def model(self, contexts: Contexts) -> NextStepModel:
        """The model with the best order and its temperature.

        Args:
            contexts: The counts, these or newer ones.
        """
        best = self.best_order
        return NextStepModel(contexts, temperature=float(self.temperature[best]), depth=best)

    def columns(self) -> Mapping[str, Any]:
        """One row per length of context."""
        names = (
            "order",
            "log_loss",
            "log_loss_low",
            "log_loss_high",
            "brier",
            "accuracy",
            "temperature",
        )
        return {name: getattr(self, name) for name in names}

    def title(self) -> str:
        """What was predicted."""
        return f"next {self.by}, held out: {self.steps:,} steps, best order {self.best_order}"

    def notes(self) -> tuple[str, ...]:
        """How to read it."""
        without, cooled = self.calibration.error, self.cooled.error
        told = f"order {self.best_order}: calibration error {without:.4f}"
        return (f"{told}, {cooled:.4f} with the temperature", *few_customers(self.log_loss_low))


def held_out(contexts: Contexts, *, folds: int = 4, level: float = 0.95) -> HeldOut:
    """Predict the next steps of customers from those of all others.

    The customers are split by their shards into folds; each fold is predicted from the counts of
    the rest. All from the summary: no journey is read again.

    Args:
        contexts: The counts.
        folds: In how many parts to split, 2 to 64.
        level: Of the intervals, which hold the trained models for fixed.

    Raises:
        DefinitionError: ``folds`` is not a whole number from 2 to 64.

    Example:
        >>> import cxkit as cx
        >>> journeys = cx.simulate.retail(500, rng=1).journeys
        >>> held = held_out(Contexts.of(journeys, by="event", order=2))
        >>> bool(held.log_loss[1] < held.log_loss[0])
        True
    """
    check_level(level)
    depth = contexts.order
    loss, brier, right = (np.zeros((depth + 1, SHARDS)) for _ in range(3))
    whole = np.zeros(SHARDS)
    warm = np.zeros((depth + 1, len(_TEMPERATURES)))
    curves = [Curve(), Curve()]
    folded = list(_folds(contexts, folds))
    for tree, test, shard in folded:
        back, group = np.unique(test.back, axis=0, return_inverse=True)
        whole += np.bincount(shard, test.weight, SHARDS)
        for used in range(depth + 1):
            for rows, found, own in _predictions(tree, back, group, used):
                weight, row_shard = test.weight[rows], shard[rows]
                at = np.take_along_axis(found[own], test.next[rows, np.newaxis], 1)[:, 0]
                square = np.square(found).sum(axis=1)[own] - 2 * at + 1
                hit = found.argmax(axis=1)[own] == test.next[rows]
                for total, part in ((loss, -np.log(np.maximum(at, _TINY))), (brier, square)):
                    total[used] += np.bincount(row_shard, weight * part, SHARDS)
                right[used] += np.bincount(row_shard, weight * hit, SHARDS)
                warm[used] += _warmed(found, own, test.next[rows], weight)
    temperatures = np.array([_best_temperature(line) for line in warm])
    best = _best(divide(loss.sum(axis=1), whole.sum()))
    temperature = float(temperatures[best])
    for tree, test, shard in folded:
        back, group = np.unique(test.back, axis=0, return_inverse=True)
        for rows, found, own in _predictions(tree, back, group, best):
            told = (own, test.next[rows], test.weight[rows], shard[rows])
            curves[0].add(found, *told)
            cooled = found ** (1 / temperature)
            cooled /= cooled.sum(axis=1, keepdims=True)
            curves[1].add(cooled, *told)
    occupied = whole > 0
    estimate = divide(loss.sum(axis=1), whole.sum())
    error = jackknife_error(
        divide(leave_one_out(loss.T), leave_one_out(whole)[:, np.newaxis]), occupied
    )
    low, high = interval(estimate, error, occupied, level=level, bounds=(0.0, np.inf))
    what = f"next {contexts.by}"
    return HeldOut(
        by=contexts.by,
        order=np.arange(depth + 1),
        log_loss=estimate,
        log_loss_low=low,
        log_loss_high=high,
        brier=divide(brier.sum(axis=1), whole.sum()),
        accuracy=divide(right.sum(axis=1), whole.sum()),
        steps=int(whole.sum()),
        temperature=temperatures,
        calibration=curves[0].table(what, occupied, level),
        cooled=curves[1].table(f"{what}, temperature {temperature:.2f}", occupied, level),
    )


def goal_calibration(contexts: Contexts, *, folds: int = 4, level: float = 0.95) -> Calibration:
    """Chances of the goal against how often it came, for customers that were not counted.

    Args:
        contexts: The counts, with a goal.
        folds: In how many parts to split the customers, 2 to 64.
        level: Of the intervals.

    Raises:
        DefinitionError: The counts have no goal, or ``folds`` is not a whole number from 2 to 64.
    """
    if contexts.goal is None:
        raise DefinitionError("these counts have no goal; count with one, as in goal='buy'")
    check_level(level)
    curve = Curve()
    states = touch_histories(contexts)
    for fold in _fold_of_shards(folds):
        test = np.isin(contexts.shard, fold)
        model = NextStepModel(_without(contexts, test))
        chance, _ = model._goal_chances(states[test])  # noqa: SLF001  # its twin in this room
        for came in (True, False):
            weight = contexts.reaching[test]
            weight = weight if came else contexts.count[test] - weight
            curve.add_pairs(chance, np.full(len(chance), came), weight, contexts.shard[test])
    occupied = np.bincount(contexts.shard, minlength=SHARDS) > 0
    return curve.table(f"{contexts.goal.name} after a touchpoint", occupied, level)


def _fold_of_shards(folds: Any) -> list[IntArray]:
    folds = whole_number(folds, "folds", least=2, most=SHARDS)
    return [np.arange(fold, SHARDS, folds) for fold in range(folds)]


def _without(contexts: Contexts, test: NDArray[np.bool_]) -> Contexts:
    """The counts of the other customers; the labels stay, so that codes mean the same."""
    kept: dict[str, Any] = {
        name: np.where(test, 0, getattr(contexts, name))
        for name in ("count", "ends", "reaching", "wait")
    }
    return attrs.evolve(contexts, **kept)


def _folds(contexts: Contexts, folds: int) -> Any:
    """For each fold: the tree of the others, and the histories and shards of the fold."""
    shard = np.concatenate([contexts.shard, contexts.shard])
    for fold in _fold_of_shards(folds):
        test = np.isin(contexts.shard, fold)
        model = NextStepModel(_without(contexts, test))
        every = NextStepModel(contexts)._seen()  # noqa: SLF001  # its twin in this room
        chosen = np.isin(shard, fold) & (every.weight > 0)
        seen = Histories(every.back[chosen], every.next[chosen], every.weight[chosen])
        yield model._tree, seen, shard[chosen]  # noqa: SLF001


def _predictions(tree: Backoff, back: IntArray, group: IntArray, used: int) -> Any:
    """Some histories at a time: the rows that have them, probabilities, and which each row has."""
    order = np.argsort(group, kind="stable")
    at_once = max(_CELLS // tree.base, 1)
    bounds = np.searchsorted(group[order], np.arange(0, len(back) + at_once, at_once))
    for at, first in enumerate(range(0, len(back), at_once)):
        rows = order[bounds[at] : bounds[at + 1]]
        found = tree.probabilities(back[first : first + at_once], used)
        yield rows, found, group[rows] - first


def _warmed(
    found: NDArray[np.float64], own: IntArray, following: IntArray, weight: IntArray
) -> NDArray[np.float64]:
    """(temperatures,) the summed log loss at each temperature."""
    logs = np.log(np.maximum(found, _TINY))
    at = np.take_along_axis(logs[own], following[:, np.newaxis], 1)[:, 0]
    by_history = np.bincount(own, weight, len(found))
    out = np.empty(len(_TEMPERATURES))
    for place, temperature in enumerate(_TEMPERATURES.tolist()):
        scale = np.log(np.where(found > 0, np.exp(logs / temperature), 0).sum(axis=1))
        out[place] = (by_history * scale).sum() - (weight * at).sum() / temperature
    return out


def _best(loss: NDArray[np.float64]) -> int:
    return int(np.nan_to_num(loss, nan=np.inf).argmin())


def _best_temperature(loss: NDArray[np.float64]) -> float:
    """Where a parabola through the smallest loss and its neighbours is lowest."""
    best = int(loss.argmin())
    if not loss.any():
        return 1.0
    x = np.log(_TEMPERATURES)
    if not 0 < best < len(loss) - 1:
        return float(_TEMPERATURES[best])
    left, middle, right = loss[best - 1 : best + 2].tolist()
    bend = left - 2 * middle + right
    shift = 0.5 * (left - right) / bend if bend > 0 else 0.0
    return float(np.exp(x[best] + shift * (x[1] - x[0])))
