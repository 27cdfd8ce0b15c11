"""Distinct label sets and how each ended: what the set summaries have in common."""

from __future__ import annotations

from typing import Any, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.attribution.labelsets.setkeys import (
    MOST_BITS,
    add_sets,
    count_masks,
    distinct_within,
    unmask,
)
from cxkit.attribution.touchpaths.cutting import (
    PathRule,
    conversion_values,
    sum_by,
)
from cxkit.attribution.touchpaths.paths import Paths
from cxkit.attribution.touchpaths.runs import CutJourneys
from cxkit.core.arrays import IntArray
from cxkit.core.counting import count_codes
from cxkit.core.distinct import code_masks
from cxkit.core.sequences import SequenceSummary
from cxkit.core.summary import SHARDS, parameter, total
from cxkit.model.journeys import Journeys
from cxkit.model.summaries import JourneySummary

__all__ = ["SetRows"]

FloatArray = NDArray[np.float64]


@attrs.frozen(eq=False, repr=False, kw_only=True)
class SetRows(SequenceSummary, JourneySummary):
    """How often each distinct set of labels led to a conversion, and how often to none. S rows.

    Attributes:
        rule: What a path and a touch are.
        conversions: (S,) paths with exactly this set that led to a conversion.
        nulls: (S,) and those that led to none.
        value: (S,) what the conversions are worth; a value of NaN is worth nothing.
        touchpoints: (K + 1,) touches with each label.
        unattributed_conversions: (SHARDS,) conversions whose path has no touch.
        unattributed_value: (SHARDS,) what they are worth.
        untouched_nulls: (SHARDS,) null paths without a touch.
        unknown_customers: (SHARDS,) paths of which nobody knows whose they are, such as those that
            another tool has counted. One of them, and there are no intervals.
    """

    rule: PathRule = attrs.field(metadata=parameter(PathRule.from_dict))
    conversions: IntArray = attrs.field(metadata=total("sequence"))
    nulls: IntArray = attrs.field(metadata=total("sequence"))
    value: FloatArray = attrs.field(metadata=total("sequence"))
    touchpoints: IntArray = attrs.field(metadata=total("labels"))
    unattributed_conversions: IntArray = attrs.field(metadata=total("shard"))
    unattributed_value: FloatArray = attrs.field(metadata=total("shard"))
    untouched_nulls: IntArray = attrs.field(metadata=total("shard"))
    unknown_customers: IntArray = attrs.field(
        factory=lambda: np.zeros(SHARDS, np.int64), metadata=total("shard"), kw_only=True
    )

    @classmethod
    def of_rule(cls, journeys: Journeys, rule: PathRule, **parameters: Any) -> Self:
        """Count the label sets of journeys; further parameters are fields of the class."""
        return cls.of_cut(CutJourneys(journeys, rule), **parameters)

    @classmethod
    def of_cut(cls, cut: CutJourneys, **parameters: Any) -> Self:
        """Count the label sets of journeys that are cut already."""
        journeys, strip = cut.journeys, cut.strip
        labels = journeys.codes(cut.rule.by)
        codes, offsets = strip.take(labels.codes), strip.offsets
        first = offsets[:-1] if strip.rows is None else strip.rows[offsets[:-1]]
        shard = journeys.row_shards[first]
        converting = strip.converting
        value = conversion_values(journeys, strip.conversions)
        mine, slots = value[strip.attributed], labels.slots
        if slots <= MOST_BITS:
            masks = code_masks(codes, offsets, slots)
            keys, totals = count_masks(masks, shard, slots, conversions=converting, value=mine)
            rows: dict[str, Any] = {**unmask(keys, slots), **totals}
        else:
            converted, worth = np.zeros(len(shard), np.int64), np.zeros(len(shard))
            converted[converting], worth[converting] = 1, mine
            totals = {"conversions": converted, "nulls": 1 - converted, "value": worth}
            rows = _rows_of_paths(codes, offsets, shard, slots, totals)
        lost = ~strip.attributed
        of_lost = journeys.row_shards[strip.conversions[lost]]
        return cls(
            **parameters,
            rule=cut.rule,
            labels=labels.vocabulary,
            touchpoints=labels.counts if strip.rows is None else count_codes(codes, slots),
            unattributed_conversions=np.bincount(of_lost, minlength=SHARDS),
            unattributed_value=sum_by(of_lost, value[lost], SHARDS),
            untouched_nulls=strip.untouched_nulls,
            **rows,
        )

    @classmethod
    def from_paths(cls, paths: Paths, **parameters: Any) -> Self:
        """The same from the distinct paths alone."""
        often = np.repeat(paths.conversions + paths.nulls, np.diff(paths.offsets))
        slots = len(paths.labels) + 1
        totals = {"conversions": paths.conversions, "nulls": paths.nulls, "value": paths.value}
        return cls(
            **parameters,
            rule=paths.rule,
            labels=paths.labels,
            touchpoints=sum_by(paths.codes, often, slots).astype(np.int64),
            unattributed_conversions=paths.unattributed_conversions,
            unattributed_value=paths.unattributed_value,
            untouched_nulls=paths.untouched_nulls,
            unknown_customers=paths.unknown_customers,
            **_rows_of_paths(paths.codes, paths.offsets, paths.shard, slots, totals),
        )

    def _merged(self, other: Self) -> dict[str, Any]:
        labels = self.labels.union(other.labels)
        merged: dict[str, Any] = {"labels": labels}
        for field in self.fields("total"):
            if field.metadata in (total("shard"), total("labels")):
                merged[field.name] = self._spread(field, merged) + other._spread(field, merged)
        named = ("conversions", "nulls", "value")
        merged |= _rows_of_paths(
            np.concatenate([self._over(labels), other._over(labels)]),
            np.concatenate([self.offsets, other.offsets[1:] + self.offsets[-1]]),
            np.concatenate([self.shard, other.shard]),
            len(labels) + 1,
            {n: np.concatenate([getattr(self, n), getattr(other, n)]) for n in named},
        )
        return merged

    def occupied(self) -> NDArray[np.bool_]:
        """(SHARDS,) which shards hold anything; none, where customers are not known."""
        return super().occupied() & (not self.unknown_customers.any())

    def whole(self) -> Self:
        """The same with all customers in one shard: every distinct set is one row."""
        totals = {"conversions": self.conversions, "nulls": self.nulls, "value": self.value}
        one = np.zeros_like(self.shard)
        rows = add_sets(self.codes, self.offsets, one, len(self.labels) + 1, totals)
        return attrs.evolve(self, **rows)


def _rows_of_paths(
    codes: NDArray[Any],
    offsets: IntArray,
    shard: NDArray[np.uint8],
    slots: int,
    totals: dict[str, NDArray[Any]],
) -> dict[str, Any]:
    """Rows from paths whose codes may repeat and stand in any order."""
    codes, offsets = distinct_within(codes, offsets)
    return add_sets(codes, offsets, shard, slots, totals)
