"""Who is active when: the counts of stickiness that add up."""

from __future__ import annotations

from typing import Final, Self

import attrs
import numpy as np

from cxkit.core.arrays import IntArray
from cxkit.core.codes import Codes, Vocabulary
from cxkit.core.periods import local_days, period_of_days
from cxkit.core.ragged import segment_ids
from cxkit.core.summary import PARAMETER, SHARDS, parameter, total
from cxkit.errors import DefinitionError
from cxkit.flow.cells import CellSummary, cells_of, cells_of_keys, starts
from cxkit.flow.retention.activetables import (
    ActiveDayTable,
    StickinessTable,
    days_of,
    table_of,
)
from cxkit.flow.retention.stickiness import Stickiness
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys

__all__ = ["ActiveCounts", "ActiveDayCounts"]

_LONGEST: Final = {"week": 7, "month": 31}


@attrs.frozen(eq=False, repr=False, kw_only=True)
class ActiveCounts(CellSummary):
    """How many are active on each day and in the windows up to it, as a summary that adds up.

    Attributes:
        stickiness: The definition.
        codes: (R, 1) places in ``labels``, which are days since 1970.
        active: (R, W) journeys that are active in each window that ends with the day.

    Example:
        >>> rule = Stickiness(since="2024-01-01", until="2024-02-01")
        >>> len(ActiveCounts.zero(stickiness=rule))
        0
    """

    stickiness: Stickiness = attrs.field(metadata=parameter(Stickiness.from_dict))
    active: IntArray = attrs.field(metadata=total("cell", "step"))

    @classmethod
    def of(cls, journeys: Journeys | Journey, /, *, stickiness: Stickiness) -> Self:
        """Count; what this part of the data lacks nobody did.

        Args:
            journeys: The journeys.
            stickiness: The definition.
        """
        many = as_journeys(journeys)
        journey, day = _active_days(many, stickiness)
        first, end = stickiness.days
        shard, days = many.shards[journey], end - first
        # A journey is active in the windows that end with the day and so many after it, until it
        # is active again: one more from the day on, one fewer from then.
        again = np.append(day[1:], end)
        again[np.append(journey[1:] != journey[:-1], True)[: len(day)]] = end
        counts = np.zeros((SHARDS, days, len(stickiness.windows)), np.int64)
        for w, length in enumerate(stickiness.windows):
            stop = np.minimum(np.minimum(day + length, again[: len(day)]), end)
            more = np.bincount(shard * (days + 1) + day - first, minlength=SHARDS * (days + 1))
            less = np.bincount(shard * (days + 1) + stop - first, minlength=SHARDS * (days + 1))
            counts[..., w] = (more - less).reshape(SHARDS, -1)[:, :-1].cumsum(axis=1)
        rows = np.flatnonzero(counts.any(axis=2).T)  # in order of day, then shard
        return cls(
            stickiness=stickiness,
            active=counts.transpose(1, 0, 2).reshape(-1, len(stickiness.windows))[rows],
            **cells_of_keys(rows, Vocabulary(np.arange(first, end)), 1),
        )

    def result(self, *, level: float = 0.95) -> StickinessTable:
        """Counts of every day and their ratio, with intervals."""
        return table_of(self, level)


@attrs.frozen(eq=False, repr=False, kw_only=True)
class ActiveDayCounts(CellSummary):
    """On how many days of each period journeys are active, as a summary that adds up.

    Attributes:
        stickiness: The definition; its windows are not used.
        every: ``"week"`` or ``"month"``.
        codes: (R, 1) places in ``labels``, which are the numbers of periods since 1970.
        journeys: (R, 7 or 31) journeys that are active on exactly so many days, from 1 up.

    Example:
        >>> rule = Stickiness(since="2024-01-01", until="2024-02-01")
        >>> len(ActiveDayCounts.zero(stickiness=rule, every="week"))
        0
    """

    stickiness: Stickiness = attrs.field(metadata=parameter(Stickiness.from_dict))
    every: str = attrs.field(metadata=PARAMETER)
    journeys: IntArray = attrs.field(metadata=total("cell", "step"))

    @classmethod
    def of(
        cls, journeys: Journeys | Journey, /, *, stickiness: Stickiness, every: str = "month"
    ) -> Self:
        """Count.

        Args:
            journeys: The journeys.
            stickiness: The definition.
            every: ``"week"`` or ``"month"``.

        Raises:
            DefinitionError: ``every`` is neither.
        """
        if every not in _LONGEST:
            raise DefinitionError(f"every is one of {list(_LONGEST)}; found {every!r}")
        many = as_journeys(journeys)
        journey, day = _active_days(many, stickiness)
        period = period_of_days(day, every)
        new = np.zeros(len(day), dtype=bool)
        new[starts(journey)] = True
        new[starts(period)] = True
        first = np.flatnonzero(new)
        active = np.diff(first, append=len(day))
        labels = Codes.of(period[first])
        keys, cell = cells_of(labels.codes, many.shards[journey[first]])
        most = _LONGEST[every]
        counts = np.bincount(cell * most + active - 1, minlength=len(keys) * most)
        return cls(
            stickiness=stickiness,
            every=every,
            journeys=counts.reshape(len(keys), most),
            **cells_of_keys(keys, labels.vocabulary, 1),
        )

    def result(self, *, level: float = 0.95) -> ActiveDayTable:
        """Shares of the journeys that are active in a period, with intervals."""
        return days_of(self, level)


def _active_days(journeys: Journeys, stickiness: Stickiness) -> tuple[IntArray, IntArray]:
    """(n,) journeys and (n,) the days on which they are active, each pair once, in order."""
    first, end = stickiness.days
    days = local_days(journeys.time.view(np.int64), stickiness.tz)
    inside = (days >= first) & (days < end)
    if stickiness.act is not None:
        inside &= stickiness.act.matches(journeys)
    journey = segment_ids(journeys.offsets)
    if not inside.all():
        rows = np.flatnonzero(inside)
        journey, days = journey[rows], days[rows]
    # Days never go back within a journey: each is there once where it differs from the one before.
    new = np.ones(len(days), dtype=bool)
    np.not_equal(days[1:], days[:-1], out=new[1:])
    new[1:] |= journey[1:] != journey[:-1]
    return journey[new], days[new]
