"""Credit by rule: per touchpoint, and summed by label in a summary that adds up."""

from __future__ import annotations

from typing import Self

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.attribution.cutting import (
    PathRule,
    TouchesLike,
    conversion_values,
    cut_paths,
    find_touches,
    sum_by,
)
from cxkit.attribution.models import model_from_dict
from cxkit.attribution.paths import Paths
from cxkit.attribution.results import Attribution, make_attribution, safe_share
from cxkit.attribution.rule_models import RuleModel
from cxkit.core.arrays import IntArray
from cxkit.core.codes import Codes, Vocabulary
from cxkit.core.intervals import leave_one_out
from cxkit.core.ragged import CHUNK
from cxkit.core.spans import SpanLike
from cxkit.core.summary import AXIS, SHARDS, parameter, total
from cxkit.errors import DefinitionError
from cxkit.model.goal import GoalLike
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys
from cxkit.model.summaries import JourneySummary

__all__ = ["ConvertingPaths", "RuleCredit"]

FloatArray = NDArray[np.float64]


@attrs.frozen(eq=False, kw_only=True)
class ConvertingPaths:
    """The touches of converting paths: all that a rule looks at, shared by every rule.

    Attributes:
        rule: What a path and a touch are.
        rows: (T,) the rows of the touches, path after path.
        offsets: (P + 1,) attributed path p is the touches ``offsets[p]:offsets[p + 1]``.
        ticks: (T,) when, in microseconds.
        slots: (T,) the label of each touch, as a code.
        shard: (P,) the shard of each attributed path.
        value: (P,) what its conversion is worth.
        labels: The labels.
        touchpoints: (K + 1,) touches with each label, on null paths too.
        unattributed_conversions: (SHARDS,) conversions whose path has no touch.
        unattributed_value: (SHARDS,) what they are worth.
        null_paths: (SHARDS,) paths without conversion.
    """

    rule: PathRule
    rows: IntArray
    offsets: IntArray
    ticks: IntArray
    slots: NDArray[np.unsignedinteger]
    shard: NDArray[np.uint8]
    value: FloatArray
    labels: Vocabulary
    touchpoints: IntArray
    unattributed_conversions: IntArray
    unattributed_value: FloatArray
    null_paths: IntArray

    @classmethod
    def of(cls, journeys: Journeys, rule: PathRule) -> Self:
        """Find them."""
        labels = journeys.codes(rule.by)
        goals = rule.goal.matches(journeys)
        keep = rule.is_touch(journeys, goals)
        paths = cut_paths(journeys.offsets, goals, nulls=False)
        rows, counts = find_touches(journeys, rule, paths, keep)
        value = conversion_values(journeys, paths.last)
        shard = journeys.row_shards[paths.last]
        if rule.lookback is None:
            touchpoints = _count_slots(labels, keep)
        else:
            every = cut_paths(journeys.offsets, goals)
            seen, _ = find_touches(journeys, rule, every, keep, labels.codes)
            touchpoints = np.bincount(seen, minlength=labels.slots)
        some = counts > 0
        # A journey has a null path unless its last row is a conversion.
        ends = paths.last + 1 == journeys.offsets[paths.journey + 1]
        return cls(
            rule=rule,
            rows=rows,
            offsets=np.append(0, np.cumsum(counts[some])),
            ticks=journeys.time.view(np.int64)[rows],
            slots=labels.codes[rows],
            shard=shard[some],
            value=value[some],
            labels=labels.vocabulary,
            touchpoints=touchpoints,
            unattributed_conversions=np.bincount(shard[~some], minlength=SHARDS),
            unattributed_value=sum_by(shard[~some], value[~some], SHARDS),
            null_paths=np.bincount(journeys.shards, minlength=SHARDS)
            - np.bincount(shard[ends], minlength=SHARDS),
        )


@attrs.frozen(eq=False, repr=False, kw_only=True)
class RuleCredit(JourneySummary):
    """The credit that a rule gives to each label, per shard of customers.

    Attributes:
        model: The rule.
        rule: What a path and a touch are.
        labels: The K labels.
        touchpoints: (K + 1,) touches with each label, on paths with a conversion or without.
        conversions: (SHARDS, K + 1) credit in conversions.
        value: (SHARDS, K + 1) credit in value; a conversion whose value is NaN is worth nothing.
        unattributed_conversions: (SHARDS,) conversions whose path has no touch.
        unattributed_value: (SHARDS,) what they are worth.
        null_paths: (SHARDS,) paths without conversion.

    Example:
        >>> from cxkit.attribution import Linear
        >>> paths = Paths.from_counts([("ad > mail", 2, 1, 100.0), ("mail", 1, 6, 30.0)])
        >>> RuleCredit.from_paths(paths, model=Linear()).result().conversions.tolist()
        [1.0, 2.0]
    """

    model: RuleModel = attrs.field(metadata=parameter(model_from_dict))
    rule: PathRule = attrs.field(metadata=parameter(PathRule.from_dict))
    labels: Vocabulary = attrs.field(metadata=AXIS)
    touchpoints: IntArray = attrs.field(metadata=total("labels"))
    conversions: FloatArray = attrs.field(metadata=total("shard", "labels"))
    value: FloatArray = attrs.field(metadata=total("shard", "labels"))
    unattributed_conversions: IntArray = attrs.field(metadata=total("shard"))
    unattributed_value: FloatArray = attrs.field(metadata=total("shard"))
    null_paths: IntArray = attrs.field(metadata=total("shard"))

    @classmethod
    def of(
        cls,
        journeys: Journeys | Journey,
        /,
        *,
        model: RuleModel,
        goal: GoalLike,
        by: str = "channel",
        lookback: SpanLike | None = None,
        goal_is_touch: bool = True,
        touches: TouchesLike = None,
    ) -> Self:
        """Share the conversions; the arguments but ``model`` are those of ``PathRule``.

        Raises:
            SchemaError: There is no column ``by``, or it holds numbers.
            DefinitionError: An argument cannot be read.
        """
        rule = PathRule(
            goal, by=by, lookback=lookback, goal_is_touch=goal_is_touch, touches=touches
        )
        return cls.from_converting(ConvertingPaths.of(as_journeys(journeys), rule), model=model)

    @classmethod
    def from_converting(cls, paths: ConvertingPaths, *, model: RuleModel) -> Self:
        """Share the conversions of paths that are found already."""
        credit = model.credit(paths.offsets, paths.ticks)
        size = np.diff(paths.offsets)
        slots = len(paths.labels) + 1
        at = np.repeat(paths.shard.astype(np.int64) * slots, size) + paths.slots
        worth = credit * np.repeat(paths.value, size)
        return cls(
            model=model,
            rule=paths.rule,
            labels=paths.labels,
            touchpoints=paths.touchpoints,
            conversions=sum_by(at, credit, SHARDS * slots).reshape(SHARDS, slots),
            value=sum_by(at, worth, SHARDS * slots).reshape(SHARDS, slots),
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
        if model.needs_times:
            raise DefinitionError(
                f"{model.name} needs the times of the touches, which paths do not keep; "
                "attribute the journeys themselves"
            )
        credit = model.credit(paths.offsets, None)
        size = np.diff(paths.offsets)
        slots = len(paths.labels) + 1
        at = np.repeat(paths.shard.astype(np.int64) * slots, size) + paths.codes
        conversions = credit * np.repeat(paths.conversions, size)
        worth = credit * np.repeat(paths.value, size)
        often = np.repeat(paths.conversions + paths.nulls, size)
        nulls = sum_by(paths.shard, paths.nulls, SHARDS) + paths.untouched_nulls
        return cls(
            model=model,
            rule=paths.rule,
            labels=paths.labels,
            touchpoints=sum_by(paths.codes, often, slots).astype(np.int64),
            conversions=sum_by(at, conversions, SHARDS * slots).reshape(SHARDS, slots),
            value=sum_by(at, worth, SHARDS * slots).reshape(SHARDS, slots),
            unattributed_conversions=paths.unattributed_conversions,
            unattributed_value=paths.unattributed_value,
            null_paths=nulls.astype(np.int64),
        )

    def result(self, level: float = 0.95) -> Attribution:
        """The credit of each label, with intervals of the shares at ``level``."""
        conversions, value = self.conversions.sum(axis=0), self.value.sum(axis=0)
        return make_attribution(
            rule=self.rule,
            model=self.model,
            labels=self.labels,
            touchpoints=self.touchpoints,
            conversions=conversions,
            value=value,
            shares_without=safe_share(leave_one_out(self.conversions)),
            occupied=self.occupied(),
            unattributed_conversions=self.unattributed_conversions,
            unattributed_value=self.unattributed_value,
            null_paths=int(self.null_paths.sum()),
            # Credits of a conversion sum to 1, so their sum is a whole number but for rounding.
            attributed=(round(conversions.sum()), float(value.sum())),
            level=level,
        )


def _count_slots(labels: Codes, keep: NDArray[np.bool_] | None) -> IntArray:
    """(K + 1,) rows per slot, a chunk at a time: bincount widens its input to 64 bits."""
    counts = np.zeros(labels.slots, np.int64)
    for start in range(0, len(labels), CHUNK):
        part = labels.codes[start : start + CHUNK]
        if keep is not None:
            part = part[keep[start : start + CHUNK]]
        counts += np.bincount(part, minlength=labels.slots)
    return counts
