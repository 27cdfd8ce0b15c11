"""Summaries that answer a model: totals that add up, and estimates with intervals from them."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.attribution.models import AttributionModel
from cxkit.attribution.results import Attribution, Estimated
from cxkit.attribution.touchpaths.cutting import PathRule
from cxkit.core.arrays import IntArray
from cxkit.core.codes import Vocabulary
from cxkit.core.intervals import (
    FEWEST_SHARDS,
    check_level,
    divide,
    interval,
    jackknife_error,
    percentile_interval,
    shard_draws,
)
from cxkit.core.summary import SHARDS
from cxkit.errors import DefinitionError
from cxkit.model.summaries import JourneySummary

__all__ = ["VALUE_AS_CONVERSIONS", "AttributionSummary", "Base", "Estimates", "weigh"]

FloatArray = NDArray[np.float64]

_ANY: Final = (-math.inf, math.inf)

VALUE_AS_CONVERSIONS: Final = (
    "value is shared like the conversions: a label has cost more than it brought in, and shares of "
    "gains and losses together mean nothing"
)
"""What a model says that shares in proportion to effects, if those in value have both signs."""


@attrs.frozen(eq=False, kw_only=True)
class Base:
    """What there was to share, whoever gets it.

    Attributes:
        touchpoints: (K + 1,) touches with each label, on paths with a conversion or without.
        conversions: (SHARDS,) conversions whose path has a touch.
        value: (SHARDS,) what they are worth.
        unattributed_conversions: (SHARDS,) conversions whose path has no touch.
        unattributed_value: (SHARDS,) what they are worth.
        null_paths: (SHARDS,) paths without conversion, with a touch or without.
        untouched_nulls: (SHARDS,) those of them without a touch, which no model counts; 0 for a
            model that looks at no null path at all.
        unknown_customers: Paths of which nobody knows whose they are.
    """

    touchpoints: IntArray
    conversions: IntArray
    value: FloatArray
    unattributed_conversions: IntArray
    unattributed_value: FloatArray
    null_paths: IntArray
    untouched_nulls: IntArray = attrs.field(factory=lambda: np.zeros(SHARDS, np.int64))
    unknown_customers: int = 0


@attrs.frozen(eq=False, kw_only=True)
class Estimates:
    """The credit under some weights of the shards. B sets of weights.

    Attributes:
        conversions: (B, K + 1) credit in conversions.
        value: (B, K + 1) credit in value.
        measures: name -> (B, K + 1) what else the model tells of a label, such as
            ``removal_effect``.
    """

    conversions: FloatArray
    value: FloatArray
    measures: Mapping[str, FloatArray] = attrs.field(factory=dict)


class AttributionSummary(JourneySummary):
    """A summary that answers an attribution model.

    A subclass has the fields or properties below, :meth:`base` and :meth:`estimate`; results,
    intervals, bootstraps and differences follow.

    Class attributes:
        bounds: measure -> lowest and highest value that it can have; for those of ``estimate``.
        amounts: What grows with the number of customers, as conversions do and shares do not.
    """

    __slots__ = ()

    bounds: ClassVar[Mapping[str, tuple[float, float]]] = {}
    amounts: ClassVar[frozenset[str]] = frozenset({"conversions", "value"})

    rule: PathRule
    labels: Vocabulary
    value: FloatArray

    @property
    @abstractmethod
    def model(self) -> AttributionModel:
        """The model that is answered; a subclass may have a field of this name."""

    @abstractmethod
    def base(self) -> Base:
        """What there was to share."""

    @abstractmethod
    def estimate(self, weights: FloatArray | None) -> Estimates:
        """The credit if the customers of each shard counted so many times.

        Args:
            weights: (B, SHARDS) from 0 up; ``None`` is one set, of ones.

        Returns:
            Estimates; NaN in place of any that would take too long, but never where ``weights`` is
            ``None``.
        """

    def result(self, level: float = 0.95, *, draws: int | None = None, rng: int = 0) -> Attribution:
        """The credit of each label, with intervals.

        Args:
            level: Of the intervals.
            draws: Replicates of a bootstrap over the shards, whose middle ``level`` is the
                interval; ``None``: the delete-a-group jackknife.
            rng: Seed of the bootstrap.

        Raises:
            DefinitionError: The level does not lie between 0 and 1, or there are fewer than two
                draws.
        """
        check_level(level)
        base = self.base()
        whole = self.quantities(None)
        occupied = self.occupied()
        ends = self._ends(whole, occupied, level, draws, rng)
        # The missing label has a row only if there is something in it.
        shown = len(self.labels) + bool(base.touchpoints[-1])
        lost, lost_value = (
            int(base.unattributed_conversions.sum()),
            float(base.unattributed_value.sum()),
        )
        return Attribution(
            rule=self.rule,
            model=self.model,
            labels=(*self.labels, None)[:shown],
            touchpoints=base.touchpoints[:shown],
            estimates={
                name: Estimated(values[0, :shown], low[:shown], high[:shown])
                for (name, values), (low, high) in zip(whole.items(), ends, strict=True)
            },
            total_conversions=int(base.conversions.sum()) + lost,
            total_value=float(base.value.sum()) + lost_value,
            unattributed_conversions=lost,
            unattributed_value=lost_value,
            null_paths=int(base.null_paths.sum()),
            untouched_nulls=int(base.untouched_nulls.sum()),
            level=level,
            draws=draws,
            remarks=(*_unknown(base), *self.remarks(whole, bare=_bare(whole, ends, occupied))),
        )

    def remarks(self, whole: Mapping[str, FloatArray], *, bare: bool) -> list[str]:  # noqa: ARG002  # for those who look
        """What must be said of an answer, unless it goes without saying.

        Args:
            whole: The answer, as :meth:`quantities` gives it without weights.
            bare: Whether there are no intervals though there are customers enough.
        """
        return [f"no intervals: {self.model.name} has none for so many labels"] if bare else []

    def quantities(self, weights: FloatArray | None) -> dict[str, FloatArray]:
        """Everything that has an interval: conversions, value, their shares, and the measures.

        Args:
            weights: As for :meth:`estimate`.

        Returns:
            name -> (B, K + 1); shares are NaN where there is nothing to share.
        """
        base, found = self.base(), self.estimate(weights)
        given = np.ones((1, SHARDS)) if weights is None else weights
        return {
            "conversions": found.conversions,
            "value": found.value,
            "share": divide(found.conversions, weigh(given, base.conversions)[:, None]),
            "value_share": divide(found.value, weigh(given, base.value)[:, None]),
            **found.measures,
        }

    def without_each_shard(self, occupied: NDArray[np.bool_]) -> dict[str, FloatArray]:
        """Everything of :meth:`quantities` without each shard in turn.

        Amounts (such as conversions) are scaled up by the shard that is missing.

        Args:
            occupied: (SHARDS,) the shards to leave out; fewer than ten are not worth the work.

        Returns:
            name -> (SHARDS, K + 1); NaN for the shards that are not left out.
        """
        some = np.flatnonzero(occupied)
        if len(some) < FEWEST_SHARDS:
            some = some[:0]
        left = self.quantities(1.0 - np.eye(SHARDS)[some])
        spread = {name: np.full((SHARDS, v.shape[1]), np.nan) for name, v in left.items()}
        whole = len(some) / max(len(some) - 1, 1)
        for name, values in left.items():
            spread[name][some] = values * whole if name in self.amounts else values
        return spread

    def limits(self, name: str) -> tuple[float, float]:
        """The lowest and the highest value that a quantity can have.

        Where a conversion has cost money, nothing bounds what is told in value.
        """
        if name.startswith("value") and (self.value < 0).any():
            return _ANY
        if name in self.bounds:
            return self.bounds[name]
        if self.model.signed:
            return _ANY
        return (0.0, 1.0) if name in {"share", "value_share"} else (0.0, math.inf)

    def _ends(
        self,
        whole: Mapping[str, FloatArray],
        occupied: NDArray[np.bool_],
        level: float,
        draws: int | None,
        rng: int,
    ) -> list[tuple[FloatArray, FloatArray]]:
        """The interval of each quantity."""
        if draws is None:
            left = self.without_each_shard(occupied)
            return [
                interval(
                    values[0],
                    jackknife_error(left[name], occupied),
                    occupied,
                    level=level,
                    bounds=self.limits(name),
                )
                for name, values in whole.items()
            ]
        if draws < 2:
            raise DefinitionError(f"draws must be 2 or more, such as 500; found {draws!r}")
        if occupied.sum() < FEWEST_SHARDS:
            nothing = np.full(len(self.labels) + 1, np.nan)
            return [(nothing, nothing)] * len(whole)
        drawn = self.quantities(shard_draws(rng, draws, occupied).astype(np.float64))
        return [percentile_interval(drawn[name], level=level) for name in whole]


def _unknown(base: Base) -> list[str]:
    """Why there are no intervals where customers are not known."""
    if not base.unknown_customers:
        return []
    return [f"no intervals: nobody knows the customers behind {base.unknown_customers:,} paths"]


def _bare(
    whole: Mapping[str, FloatArray],
    ends: Sequence[tuple[FloatArray, FloatArray]],
    occupied: NDArray[np.bool_],
) -> bool:
    """Whether no credit has an interval though there are customers enough."""
    if occupied.sum() < FEWEST_SHARDS:
        return False
    low = dict(zip(whole, ends, strict=True))["conversions"][0]
    return bool(len(low) and np.isnan(low).all())


def weigh(weights: FloatArray, totals: NDArray[Any]) -> FloatArray:
    """(B, ...) sums of the totals of the shards, each as often as its weight says.

    Where a set of weights is all ones but for one shard, as in the jackknife, that one is taken off
    the whole: much less work than a product of matrices.

    Args:
        weights: (B, SHARDS).
        totals: (SHARDS, ...).

    Example:
        >>> weigh(np.array([[1.0, 0.0, 1.0]]), np.array([[1, 2], [3, 4], [5, 6]])).tolist()
        [[6.0, 8.0]]
    """
    change = weights - 1.0
    if len(change) and (np.count_nonzero(change, axis=1) <= 1).all():
        shard = np.abs(change).argmax(axis=1)
        by = change[np.arange(len(change)), shard].reshape(-1, *[1] * (totals.ndim - 1))
        return np.asarray(totals.sum(axis=0) + by * totals[shard], np.float64)
    return np.asarray(np.tensordot(weights, totals, axes=1), np.float64)
