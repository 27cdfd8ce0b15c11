"""Models that look at label sets alone, and the summary that answers them."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self, Unpack

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.attribution.labelsets.setrows import SetRows
from cxkit.attribution.labelsets.sets import LabelSets
from cxkit.attribution.models import AttributionModel, model_from_dict
from cxkit.attribution.summaries import AttributionSummary, Base, Estimates
from cxkit.attribution.touchpaths.cutting import PathOptions, PathRule, as_path_rule, sum_by
from cxkit.attribution.touchpaths.journeypaths import JourneyPaths
from cxkit.attribution.touchpaths.paths import Paths
from cxkit.core.arrays import IntArray
from cxkit.core.summary import SHARDS, parameter
from cxkit.errors import DefinitionError
from cxkit.model.goal import GoalLike
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys

__all__ = ["SetCredit", "SetModel"]

FloatArray = NDArray[np.float64]

_ANY = (-math.inf, math.inf)


class SetModel(AttributionModel):
    """A model that looks at nothing but which labels a path touched, and how it ended.

    Class attributes:
        floored: Whether a credit that would be negative is 0, but is left as it is under weights:
            an interval is made around the number as it is, and then cut off at 0.
    """

    __slots__ = ()

    floored: ClassVar[bool] = False

    @abstractmethod
    def credit_of_sets(self, sets: SetRows, weights: FloatArray | None) -> Estimates:
        """The credit if the customers of each shard counted so many times.

        Args:
            sets: The label sets.
            weights: (B, SHARDS) from 0 up; ``None`` is one set of weights, of ones.
        """

    def remarks(self, whole: Mapping[str, FloatArray], *, labels: int, bare: bool) -> list[str]:  # noqa: ARG002  # for those who look
        """What must be said of an answer; see :meth:`AttributionSummary.remarks`.

        Args:
            whole: name -> (1, K + 1) the answer.
            labels: How many labels occur.
            bare: Whether there are no intervals though there are customers enough.
        """
        return [f"no intervals: {self.name} has none for {labels:,} labels"] if bare else []

    def count(self, found: JourneyPaths) -> SetCredit:
        """The label sets of the journeys, as a summary that adds up."""
        return SetCredit.from_sets(found.sets, model=self)

    def count_paths(self, paths: Paths) -> SetCredit:
        """The same from the distinct paths alone."""
        return SetCredit.from_paths(paths, model=self)


def _set_model(data: Mapping[str, Any]) -> SetModel:
    model = model_from_dict(data)
    if not isinstance(model, SetModel):
        raise DefinitionError(f"{model.name} does not answer from label sets")
    return model


@attrs.frozen(eq=False, repr=False, kw_only=True)
class SetCredit(SetRows, AttributionSummary):
    """Label sets, and the model that shares the credit by them.

    A row is a set in one shard of customers; S rows.

    Attributes:
        model: The model.
        rule: What a path and a touch are.
        conversions: (S,) paths with exactly this set that led to a conversion.
        nulls: (S,) and those that led to none.
        value: (S,) what the conversions are worth; a value of NaN is worth nothing.
        touchpoints: (K + 1,) touches with each label.
        unattributed_conversions: (SHARDS,) conversions whose path has no touch.
        unattributed_value: (SHARDS,) what they are worth.
        untouched_nulls: (SHARDS,) null paths without a touch.
        unknown_customers: (SHARDS,) paths of which nobody knows whose they are.

    Example:
        >>> from cxkit.attribution import Paths, ShapleyRate
        >>> paths = Paths.from_counts(
        ...     [("ad", 1, 3, 0.0), ("mail", 0, 4, 0.0), ("ad > mail", 2, 2, 0)]
        ... )
        >>> SetCredit.from_paths(paths, model=ShapleyRate()).result().conversions.tolist()
        [3.0, 0.0]
    """

    model: SetModel = attrs.field(metadata=parameter(_set_model))

    bounds: ClassVar[Mapping[str, tuple[float, float]]] = {
        "added_rate": _ANY,
        "coefficient": _ANY,
        "incremental": _ANY,
        "value_incremental": _ANY,
    }
    amounts: ClassVar[frozenset[str]] = frozenset(
        {"conversions", "value", "incremental", "value_incremental"}
    )

    @classmethod
    def of(
        cls,
        journeys: Journeys | Journey,
        /,
        *,
        model: SetModel,
        goal: GoalLike | PathRule,
        **options: Unpack[PathOptions],
    ) -> Self:
        """Count the label sets of journeys.

        Args:
            journeys: Journeys, or one journey.
            model: The model.
            goal: The goal, or a whole path rule.
            options: The further arguments of :class:`PathRule`, if only the goal is given.

        Raises:
            SchemaError: There is no column ``by``, or it holds numbers.
            DefinitionError: An argument cannot be read.
        """
        return cls.of_rule(as_journeys(journeys), as_path_rule(goal, **options), model=model)

    @classmethod
    def from_sets(cls, sets: LabelSets, *, model: SetModel) -> Self:
        """The same from label sets that are counted already, such as parts added up."""
        every = [*sets.fields("parameter"), *sets.fields("axis"), *sets.fields("total")]
        return cls(model=model, **{f.name: getattr(sets, f.name) for f in every})

    def base(self) -> Base:
        """What there was to share."""
        return Base(
            touchpoints=self.touchpoints,
            conversions=self._by_shard(self.conversions),
            value=sum_by(self.shard, self.value, SHARDS),
            unattributed_conversions=self.unattributed_conversions,
            unattributed_value=self.unattributed_value,
            null_paths=self._by_shard(self.nulls) + self.untouched_nulls,
            untouched_nulls=self.untouched_nulls,
            unknown_customers=int(self.unknown_customers.sum()),
        )

    def estimate(self, weights: FloatArray | None) -> Estimates:
        """The credit under some weights of the shards; see the model."""
        return self.model.credit_of_sets(self, weights)

    def remarks(self, whole: Mapping[str, FloatArray], *, bare: bool) -> list[str]:
        """What must be said of an answer; see the model."""
        labels = int(np.count_nonzero(np.bincount(self.codes)))
        return self.model.remarks(whole, labels=labels, bare=bare)

    def _ends(
        self,
        whole: Mapping[str, FloatArray],
        occupied: NDArray[np.bool_],
        level: float,
        draws: int | None,
        rng: int,
    ) -> list[tuple[FloatArray, FloatArray]]:
        """The interval of each quantity."""
        if not self.model.floored:
            return super()._ends(whole, occupied, level, draws, rng)
        as_it_is = self.quantities(np.ones((1, SHARDS)))
        ends = super()._ends(as_it_is, occupied, level, draws, rng)
        limits = [self.limits(name) for name in whole]
        return [
            (np.clip(low, *limit), np.clip(high, *limit))
            for (low, high), limit in zip(ends, limits, strict=True)
        ]

    def _by_shard(self, counts: IntArray) -> IntArray:
        return np.rint(sum_by(self.shard, counts, SHARDS)).astype(np.int64)
