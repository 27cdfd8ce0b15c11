"""Rules: each shares a conversion among the touches of its own path; the credit as a summary."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Final, Self, Unpack

import attrs
import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from cxkit.attribution.models import AttributionModel, model_from_dict
from cxkit.attribution.summaries import (
    VALUE_AS_CONVERSIONS,
    AttributionSummary,
    Base,
    Estimates,
    weigh,
)
from cxkit.attribution.touchpaths.converting import ConvertingPaths, Touches
from cxkit.attribution.touchpaths.cutting import PathOptions, PathRule, as_path_rule, sum_by
from cxkit.attribution.touchpaths.journeypaths import JourneyPaths
from cxkit.attribution.touchpaths.paths import Paths
from cxkit.core.arrays import IntArray
from cxkit.core.codes import Label, Vocabulary
from cxkit.core.intervals import divide
from cxkit.core.ragged import take_segments
from cxkit.core.summary import AXIS, SHARDS, parameter, total
from cxkit.errors import DefinitionError, did_you_mean
from cxkit.model.goal import GoalLike
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys

__all__ = ["MOST_WEIGHT", "RuleCredit", "RuleModel"]

MOST_WEIGHT: Final = 1e100
"""Weights of touches go so far: their sums stay numbers."""
_ROUNDING: Final = 1e-11

FloatArray = NDArray[np.float64]


class RuleModel(AttributionModel):
    """A model that shares each conversion among the touches of its own path.

    It knows nothing of paths without conversion. A rule of your own is a frozen attrs class with a
    ``kind`` and :meth:`credit`. For one that need not be saved,
    :class:`~cxkit.attribution.Custom` takes a function.

    Class attributes:
        per_touch: Whether the credit of a touch is its own, so that it can be handed out touch by
            touch.
        proportional: Whether everything is shared in proportion to what the touches of each label
            earn, in place of handing out that itself.

    Example:
        >>> @attrs.frozen
        ... class SecondTouch(RuleModel):
        ...     kind = "second_touch"
        ...
        ...     def credit(self, touches):
        ...         credit = np.zeros(touches.offsets[-1])
        ...         begin, end = touches.offsets[:-1], touches.offsets[1:]
        ...         credit[np.minimum(begin + 1, end - 1)] = 1.0
        ...         return credit
        >>> paths = Paths.from_counts([("a > b > c", 1, 0, 0), ("a", 1, 0, 0)])
        >>> SecondTouch().count_paths(paths).result().conversions.tolist()
        [1.0, 1.0, 0.0]
    """

    __slots__ = ()

    sees_nulls: ClassVar[bool] = False
    per_touch: ClassVar[bool] = True
    proportional: ClassVar[bool] = False

    @abstractmethod
    def credit(self, touches: Touches) -> FloatArray:
        """The credit of every touch.

        Args:
            touches: The touches of converting paths, path after path.

        Returns:
            (T,) credits that sum to 1 in every path, if the model ``conserves``.
        """

    @property
    def names(self) -> tuple[Label | None, ...]:
        """The labels that the rule knows by name; an answer tells which of them do not occur."""
        return ()

    def count(self, found: JourneyPaths) -> RuleCredit:
        """The credit of each label, as a summary that adds up."""
        return RuleCredit.from_converting(found.converting, model=self)

    def count_paths(self, paths: Paths) -> RuleCredit:
        """The same from the distinct paths alone.

        Raises:
            DefinitionError: The rule needs the times of the touches, which paths do not keep.
        """
        return RuleCredit.from_paths(paths, model=self)


def _rule_from_dict(data: dict[str, object]) -> RuleModel:
    model = model_from_dict(data)
    if not isinstance(model, RuleModel):
        raise DefinitionError(f"{model.name} is no rule")
    return model


@attrs.frozen(eq=False, repr=False, kw_only=True)
class RuleCredit(AttributionSummary):
    """The credit that a rule gives to each label, per shard of customers.

    Attributes:
        model: The rule.
        rule: What a path and a touch are.
        labels: The K labels.
        touchpoints: (K + 1,) touches with each label, on paths with a conversion or without.
        conversions: (SHARDS, K + 1) credit in conversions.
        value: (SHARDS, K + 1) credit in value; a conversion whose value is NaN is worth nothing.
        attributed_conversions: (SHARDS,) conversions whose path has a touch.
        attributed_value: (SHARDS,) what they are worth.
        unattributed_conversions: (SHARDS,) conversions whose path has none.
        unattributed_value: (SHARDS,) what they are worth.
        null_paths: (SHARDS,) paths without conversion.
        unknown_customers: (SHARDS,) paths of which nobody knows whose they are, such as those that
            another tool has counted. One of them, and there are no intervals.

    Example:
        >>> from cxkit.attribution import Linear
        >>> paths = Paths.from_counts([("ad > mail", 2, 1, 100.0), ("mail", 1, 6, 30.0)])
        >>> RuleCredit.from_paths(paths, model=Linear()).result().conversions.tolist()
        [1.0, 2.0]
    """

    model: RuleModel = attrs.field(metadata=parameter(_rule_from_dict))
    rule: PathRule = attrs.field(metadata=parameter(PathRule.from_dict))
    labels: Vocabulary = attrs.field(metadata=AXIS)
    touchpoints: IntArray = attrs.field(metadata=total("labels"))
    conversions: FloatArray = attrs.field(metadata=total("shard", "labels"))
    value: FloatArray = attrs.field(metadata=total("shard", "labels"))
    attributed_conversions: IntArray = attrs.field(metadata=total("shard"))
    attributed_value: FloatArray = attrs.field(metadata=total("shard"))
    unattributed_conversions: IntArray = attrs.field(metadata=total("shard"))
    unattributed_value: FloatArray = attrs.field(metadata=total("shard"))
    null_paths: IntArray = attrs.field(metadata=total("shard"))
    unknown_customers: IntArray = attrs.field(
        factory=lambda: np.zeros(SHARDS, np.int64), metadata=total("shard"), kw_only=True
    )

    @classmethod
    def of(
        cls,
        journeys: Journeys | Journey,
        /,
        *,
        model: RuleModel,
        goal: GoalLike | PathRule,
        **options: Unpack[PathOptions],
    ) -> Self:
        """Share the conversions.

        Args:
            journeys: Journeys, or one journey.
            model: The rule.
            goal: The goal, or a whole path rule.
            options: The further arguments of :class:`PathRule`, if only the goal is given.

        Raises:
            SchemaError: There is no column ``by``, or it holds numbers.
            DefinitionError: An argument cannot be read.
        """
        rule = as_path_rule(goal, **options)
        found = JourneyPaths(as_journeys(journeys), rule)
        return cls.from_converting(found.converting, model=model)

    @classmethod
    def from_converting(cls, paths: ConvertingPaths, *, model: RuleModel) -> Self:
        """Share the conversions of paths that are found already."""
        credit = model.credit(paths.touches)
        slots = len(paths.labels) + 1
        at, worth = paths.cells, credit * paths.worth
        return cls(
            model=model,
            rule=paths.rule,
            labels=paths.labels,
            touchpoints=paths.touchpoints,
            conversions=sum_by(at, credit, SHARDS * slots).reshape(SHARDS, slots),
            value=sum_by(at, worth, SHARDS * slots).reshape(SHARDS, slots),
            attributed_conversions=np.bincount(paths.shard, minlength=SHARDS),
            attributed_value=sum_by(paths.shard, paths.value, SHARDS),
            unattributed_conversions=paths.unattributed_conversions,
            unattributed_value=paths.unattributed_value,
            null_paths=paths.null_paths,
        )

    @classmethod
    def from_paths(cls, paths: Paths, *, model: RuleModel) -> Self:
        """The same from the distinct paths alone, for a rule that needs no times.

        Raises:
            DefinitionError: The rule needs the times of the touches, which paths do not keep.
        """
        some = np.flatnonzero(paths.conversions)
        offsets, rows = take_segments(paths.offsets, some)
        codes = paths.codes[rows]
        credit = model.credit(Touches(offsets=offsets, codes=codes, labels=paths.labels))
        size = np.diff(offsets)
        slots = len(paths.labels) + 1
        at = np.repeat(paths.shard[some].astype(np.int64) * slots, size) + codes
        conversions = credit * np.repeat(paths.conversions[some], size)
        worth = credit * np.repeat(paths.value[some], size)
        often = np.repeat(paths.conversions + paths.nulls, np.diff(paths.offsets))
        return cls(
            model=model,
            rule=paths.rule,
            labels=paths.labels,
            touchpoints=sum_by(paths.codes, often, slots).astype(np.int64),
            conversions=sum_by(at, conversions, SHARDS * slots).reshape(SHARDS, slots),
            value=sum_by(at, worth, SHARDS * slots).reshape(SHARDS, slots),
            attributed_conversions=paths.per_shard(paths.conversions),
            attributed_value=sum_by(paths.shard, paths.value, SHARDS),
            unattributed_conversions=paths.unattributed_conversions,
            unattributed_value=paths.unattributed_value,
            null_paths=paths.per_shard(paths.nulls) + paths.untouched_nulls,
            unknown_customers=paths.unknown_customers,
        )

    def base(self) -> Base:
        """What there was to share."""
        return Base(
            touchpoints=self.touchpoints,
            conversions=self.attributed_conversions,
            value=self.attributed_value,
            unattributed_conversions=self.unattributed_conversions,
            unattributed_value=self.unattributed_value,
            null_paths=self.null_paths,
            unknown_customers=int(self.unknown_customers.sum()),
        )

    def occupied(self) -> NDArray[np.bool_]:
        """(SHARDS,) which shards hold anything; none, where customers are not known."""
        return super().occupied() & (not self.unknown_customers.any())

    @override
    def remarks(self, whole: Mapping[str, FloatArray], *, bare: bool) -> list[str]:
        """Labels that the rule names and no touch has, and where value follows conversions."""
        told = super().remarks(whole, bare=bare)
        known = set(self.labels)
        for label in self.model.names:
            if label is None or label in known:
                continue
            told.append(
                f"{self.model.name} names {label!r}, and no touch has that {self.rule.by}."
                f"{did_you_mean(label, self.labels)}"
            )
        if self.model.proportional and self._costly:
            told.append(VALUE_AS_CONVERSIONS)
        return told

    @property
    def _costly(self) -> bool:
        """Whether the touches of a label have earned a value below 0 in all."""
        # Parts of touches do not cancel to the last bit.
        least = _ROUNDING * np.abs(self.value).sum()
        return bool((self.value.sum(axis=0) < -least).any())

    def estimate(self, weights: FloatArray | None) -> Estimates:
        """The credit under some weights of the shards."""
        given = np.ones((1, SHARDS)) if weights is None else weights
        conversions, value = weigh(given, self.conversions), weigh(given, self.value)
        if not self.model.proportional:
            return Estimates(conversions=conversions, value=value)
        share = np.nan_to_num(divide(conversions, conversions.sum(axis=-1, keepdims=True)))
        value_share = divide(value, value.sum(axis=-1, keepdims=True))
        value_share = np.where(self._costly | np.isnan(value_share), share, value_share)
        return Estimates(
            conversions=share * weigh(given, self.attributed_conversions)[:, None],
            value=value_share * weigh(given, self.attributed_value)[:, None],
        )
