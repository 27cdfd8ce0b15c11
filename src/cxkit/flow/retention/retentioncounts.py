"""Who came back, by cohort and bracket: the counts that add up."""

from __future__ import annotations

from typing import Self

import attrs
import numpy as np

from cxkit.core.arrays import IntArray
from cxkit.core.codes import Codes
from cxkit.core.periods import local_days, period_of_days
from cxkit.core.spans import instant_us
from cxkit.core.summary import SHARDS, parameter, total
from cxkit.flow.cells import CellSummary, cells_of, cells_of_keys
from cxkit.flow.retention.beginnings import first_rows
from cxkit.flow.retention.retention import Retention
from cxkit.flow.retention.retentiontables import (
    RetentionCurve,
    RetentionTable,
    curve_of,
    table_of,
)
from cxkit.flow.retention.returning import brackets_over, brackets_returned, flags_summed
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys

__all__ = ["RetentionCounts"]


@attrs.frozen(eq=False, repr=False, kw_only=True)
class RetentionCounts(CellSummary):
    """Who came back, by cohort and bracket, as a summary that adds up.

    Attributes:
        retention: The definition.
        codes: (R, 1) places in ``labels``, which are the numbers of the cohorts' periods.
        journeys: (R,) journeys of the cohort, in the row's shard.
        eligible: (R, B) those for whom the bracket was over when the data ended.
        returned: (R, B) those of them who came back in it.
        outside: (64,) journeys in no cohort: they do not start before the data ends.

    Example:
        >>> len(RetentionCounts.zero(retention=Retention(until="2024-03-01")))
        0
    """

    retention: Retention = attrs.field(metadata=parameter(Retention.from_dict))
    journeys: IntArray = attrs.field(metadata=total("cell"))
    eligible: IntArray = attrs.field(metadata=total("cell", "step"))
    returned: IntArray = attrs.field(metadata=total("cell", "step"))
    outside: IntArray = attrs.field(metadata=total("shard"))

    @classmethod
    def of(cls, journeys: Journeys | Journey, /, *, retention: Retention) -> Self:
        """Count; a goal that this part of the data lacks is reached by none.

        Args:
            journeys: The journeys.
            retention: The definition.
        """
        many, end = as_journeys(journeys), instant_us(retention.until, name="until")
        start = first_rows(many, retention.start, end)
        begun = np.flatnonzero(start >= 0)
        start, times = start[begun], many.time.view(np.int64)
        days = local_days(times[start], retention.tz)
        eligible = brackets_over(retention, times[start], days, end)
        returned = brackets_returned(retention, many, begun, start, days, end) & eligible
        cohort = Codes.of(period_of_days(days, retention.cohort_every))
        shards = many.shards[begun]
        keys, cell = cells_of(cohort.codes, shards)
        inside = np.bincount(shards, minlength=SHARDS)
        return cls(
            retention=retention,
            journeys=np.bincount(cell, minlength=len(keys)),
            eligible=flags_summed(eligible, cell, len(keys)),
            returned=flags_summed(returned, cell, len(keys)),
            outside=np.bincount(many.shards, minlength=SHARDS) - inside,
            **cells_of_keys(keys, cohort.vocabulary, 1),
        )

    def result(self, *, level: float = 0.95) -> RetentionTable:
        """The rate of each cohort and bracket, with intervals."""
        return table_of(self, level)

    def curve(self, *, level: float = 0.95) -> RetentionCurve:
        """The rate of each bracket over all cohorts, with intervals."""
        return curve_of(self, level)
