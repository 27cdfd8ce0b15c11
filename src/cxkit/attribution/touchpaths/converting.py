"""The touches of converting paths: all that a rule looks at."""

from __future__ import annotations

from functools import cached_property
from typing import Self

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.attribution.touchpaths.cutting import PathRule, sum_by
from cxkit.attribution.touchpaths.runs import CutJourneys, gather
from cxkit.core.arrays import IntArray
from cxkit.core.codes import Vocabulary
from cxkit.core.counting import count_codes
from cxkit.core.ragged import per_row
from cxkit.core.summary import SHARDS
from cxkit.errors import DefinitionError

__all__ = ["ConvertingPaths", "Touches", "spread"]

FloatArray = NDArray[np.float64]


@attrs.frozen(eq=False, kw_only=True, slots=False)
class Touches:
    """The touches of converting paths, as a rule sees them. P paths, T touches.

    Attributes:
        offsets: (P + 1,) path p is the touches ``offsets[p]:offsets[p + 1]``, in order of time;
            none is empty.
        codes: (T,) the label of each touch, as a code of ``labels``; K where it is missing.
        labels: The K labels.
        times: (E,) when every row of the data was; ``None`` where that is not known.
        rows: (T,) the row of each touch, if times are known.
    """

    offsets: IntArray
    codes: NDArray[np.unsignedinteger]
    labels: Vocabulary
    times: IntArray | None = None
    rows: IntArray | None = None

    @cached_property
    def ticks(self) -> IntArray:
        """(T,) when, in microseconds since 1970.

        Raises:
            DefinitionError: The touches come from counted paths, which do not keep times.
        """
        if self.times is None or self.rows is None:
            raise DefinitionError(
                "this model needs the times of the touches, which paths do not keep; attribute the "
                "journeys themselves"
            )
        return self.times[self.rows]


@attrs.frozen(eq=False, kw_only=True, slots=False)
class ConvertingPaths:
    """The touches of converting paths: all that a rule looks at, shared by every rule.

    Attributes:
        rule: What a path and a touch are.
        rows: (T,) the rows of the touches, path after path.
        offsets: (P + 1,) attributed path p is the touches ``offsets[p]:offsets[p + 1]``.
        times: (E,) when every row was, in microseconds.
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
    times: IntArray
    slots: NDArray[np.unsignedinteger]
    shard: NDArray[np.uint8]
    value: FloatArray
    labels: Vocabulary
    touchpoints: IntArray
    unattributed_conversions: IntArray
    unattributed_value: FloatArray
    null_paths: IntArray

    @cached_property
    def touches(self) -> Touches:
        """The touches as a rule sees them."""
        return Touches(
            offsets=self.offsets,
            codes=self.slots,
            labels=self.labels,
            times=self.times,
            rows=self.rows,
        )

    @cached_property
    def cells(self) -> IntArray:
        """(T,) shard and label of each touch as one number: ``shard * (K + 1) + code``."""
        slots = len(self.labels) + 1
        cells = per_row(self.shard.astype(np.int64) * slots, self.offsets)
        cells += self.slots
        return cells

    @cached_property
    def worth(self) -> FloatArray:
        """(T,) what the conversion of each touch is worth."""
        return spread(self.value, self.offsets)

    @classmethod
    def of(cls, found: CutJourneys) -> Self:
        """Find them."""
        journeys, rule = found.journeys, found.rule
        labels = journeys.codes(rule.by)
        runs = found.converting_runs
        some = runs.end > runs.begin
        touches, offsets = gather(runs.begin[some], runs.end[some])
        rows = found.rows(touches)
        value, shard = found.value(runs), found.shard(runs)
        # A journey has a null path unless its last row is a conversion.
        ends = runs.last + 1 == journeys.offsets[runs.journey + 1]
        if not found.tiled:
            seen = found.strip.take(labels.codes)
        elif found.touches is None:
            seen = labels.codes
        else:
            seen = labels.codes[found.touches]
        return cls(
            rule=rule,
            rows=rows,
            offsets=offsets,
            times=journeys.time.view(np.int64),
            slots=np.take(labels.codes, rows, mode="clip"),  # in place, and half the time
            shard=shard[some],
            value=value[some],
            labels=labels.vocabulary,
            touchpoints=labels.counts if seen is labels.codes else count_codes(seen, labels.slots),
            unattributed_conversions=np.bincount(shard[~some], minlength=SHARDS),
            unattributed_value=sum_by(shard[~some], value[~some], SHARDS),
            null_paths=journeys.shard_journeys - np.bincount(shard[ends], minlength=SHARDS),
        )


def spread(values: FloatArray, offsets: IntArray) -> FloatArray:
    """(T,) the number of its path at each touch; as whole numbers of the same bits, for speed.

    Example:
        >>> spread(np.array([0.5, 2.0]), np.array([0, 2, 3])).tolist()
        [0.5, 0.5, 2.0]
    """
    return np.asarray(per_row(values.view(np.int64), offsets).view(np.float64))
