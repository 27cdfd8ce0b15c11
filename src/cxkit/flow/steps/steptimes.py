"""How long steps take: the time from each touchpoint to the next one of its journey."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, smallest_unsigned
from cxkit.core.codes import Codes, Vocabulary
from cxkit.core.intervals import check_level, divide
from cxkit.core.ragged import chunks, segment_sum
from cxkit.core.sorting import sort_rows
from cxkit.core.summary import PARAMETER
from cxkit.core.threads import in_parts
from cxkit.core.timebins import bin_middles, bin_quantiles, bins_of, woodruff
from cxkit.errors import DefinitionError
from cxkit.flow.cells import CellCounts, starts
from cxkit.flow.numbered import NUMBERS, NumberedCells, numbered_rows
from cxkit.flow.steps.steptimetable import StepTimeTable
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys

__all__ = ["StepTimes", "dwell_times", "step_times"]

_USUAL: Final = (0.1, 0.5, 0.9)
_AT_ONCE: Final = 8_192
_SECOND: Final = 1e6


def step_times(
    journeys: Journeys | Journey,
    by: str = "event",
    *,
    quantiles: Sequence[float] = _USUAL,
    exact: bool = False,
    level: float = 0.95,
) -> StepTimeTable:
    """How long each kind of step takes: quantiles of the time from one label to the next.

    Args:
        journeys: The journeys; cut them into sessions first to look within visits only.
        by: A column of labels. A missing label counts as a label of its own.
        quantiles: Which, between 0 and 1.
        exact: Quantiles and means from the times themselves, not from bins, which are within 0.8
            percent. Only in one call: exact quantiles do not add up.
        level: Of the intervals.

    Raises:
        SchemaError: There is no such column, or it holds numbers.
        DefinitionError: A quantile is not between 0 and 1.

    Example:
        >>> journeys = Journeys.from_table(
        ...     {"who": [1, 1, 2, 2], "sec": [0, 60, 0, 100], "what": ["view", "buy"] * 2},
        ...     customer="who",
        ...     time="sec",
        ...     event="what",
        ...     time_unit="s",
        ... )
        >>> table = step_times(journeys, quantiles=[0.5], exact=True)
        >>> [(row["from"], row["to"], row["mean"], row["p50"]) for row in table.to_dicts()]
        [('view', 'buy', 80.0, 60.0)]
    """
    return _one_call(as_journeys(journeys), by, quantiles, exact=exact, level=level, onward=True)


def dwell_times(
    journeys: Journeys | Journey,
    by: str = "event",
    *,
    quantiles: Sequence[float] = _USUAL,
    exact: bool = False,
    level: float = 0.95,
) -> StepTimeTable:
    """How long journeys stay at each label: until the next touchpoint, whatever it is.

    The last touchpoint of a journey has no next one, so nobody knows how long it lasted; it is not
    counted. Where people leave for good, dwell times are therefore those of the others.

    Takes the arguments of :func:`step_times`; ``target`` of the table is empty.
    """
    return _one_call(as_journeys(journeys), by, quantiles, exact=exact, level=level, onward=False)


@attrs.frozen(eq=False, repr=False)
class StepTimes(NumberedCells):
    """Times of steps in bins, as a summary that adds up.

    Attributes:
        by: The column.
        codes: (R, 2) from and to; K is missing.
        number: (R,) the bin of time, see ``cxkit.core.timebins``.

    Example:
        >>> len(StepTimes.of(Journeys.empty(), by="channel"))
        0
    """

    by: str = attrs.field(kw_only=True, metadata=PARAMETER)

    @classmethod
    def of(cls, journeys: Journeys | Journey, /, *, by: str = "event") -> Self:
        """Count.

        Args:
            journeys: The journeys.
            by: A column of labels.

        Raises:
            SchemaError: There is no such column, or it holds numbers.
        """
        many = as_journeys(journeys)
        column = many.codes(by)
        parts = in_parts(partial(_count_part, many, column), many.offsets)
        keys, counts = CellCounts.merged(parts).found()
        return cls(by=by, count=counts, **numbered_rows(keys, column.vocabulary, 2))

    def result(self, *, quantiles: Sequence[float] = _USUAL, level: float = 0.95) -> StepTimeTable:
        """Quantiles of each pair of labels, with intervals; most frequent pairs first.

        Raises:
            DefinitionError: A quantile is not between 0 and 1.
        """
        return self._table(quantiles, level, onward=True)

    def dwell(self, *, quantiles: Sequence[float] = _USUAL, level: float = 0.95) -> StepTimeTable:
        """Quantiles of each label, whatever came next.

        Raises:
            DefinitionError: A quantile is not between 0 and 1.
        """
        return self._table(quantiles, level, onward=False)

    def _table(self, quantiles: Sequence[float], level: float, *, onward: bool) -> StepTimeTable:
        wanted = _checked(quantiles)
        check_level(level)
        codes = self.codes[:, : 1 + onward].astype(np.int64)
        pair = codes[:, 0] if not onward else codes[:, 0] * (len(self.labels) + 2) + codes[:, 1]
        bins, shard, count = self.number.astype(np.int64), self.shard, self.count
        if not onward:  # the rows of a label are in order of what came next
            order = np.lexsort([shard, bins, pair])
            pair, bins, shard, count = pair[order], bins[order], shard[order], count[order]
            codes = codes[order]
        first = starts(pair)
        offsets = np.append(first, len(pair))
        occupied = self.occupied()
        middle, low, high = (np.empty((len(first), len(wanted))) for _ in range(3))
        for p0, p1, r0, r1 in chunks(offsets, _AT_ONCE * 8):
            here = offsets[p0 : p1 + 1] - r0
            rows = (count[r0:r1], bins[r0:r1], shard[r0:r1], here)
            for q, share in enumerate(wanted.tolist()):
                at = bin_quantiles(rows[0], rows[1], here, np.full(p1 - p0, share))
                ends = woodruff(rows, at, share, occupied, level)
                middle[p0:p1, q] = at
                for out, end in zip((low, high), ends, strict=True):
                    out[p0:p1, q] = bin_quantiles(rows[0], rows[1], here, end)
        total_count = segment_sum(count, offsets)
        mean = divide(segment_sum(count * bin_middles(bins), offsets), total_count)
        return _sorted_table(
            self.by, self.labels, codes[first], total_count, mean, (middle, low, high), wanted
        )


def _checked(quantiles: Sequence[float]) -> NDArray[np.float64]:
    wanted = np.asarray(quantiles, np.float64)
    if wanted.ndim != 1 or not np.all((wanted >= 0) & (wanted <= 1)):
        raise DefinitionError(
            f"quantiles must be numbers between 0 and 1, such as [0.5, 0.9]; found {quantiles!r}"
        )
    return wanted


def _count_part(journeys: Journeys, column: Codes, begin: int, end: int) -> CellCounts:
    """The steps of the journeys ``begin:end``, in cells of two labels and a bin."""
    offsets, codes, shard = journeys.offsets, column.codes, journeys.row_shards
    ticks, slots = journeys.time.view(np.int64), column.slots + 1
    counts = CellCounts(slots * slots * NUMBERS, int(offsets[end] - offsets[begin]))
    for j0, j1, e0, e1 in chunks(offsets, within=(begin, end)):
        cell = codes[e0 : e1 - 1].astype(np.int64)
        cell *= slots
        cell += codes[e0 + 1 : e1]
        cell *= NUMBERS
        cell += bins_of(np.diff(ticks[e0:e1]))
        inner = np.ones(e1 - e0, dtype=bool)
        inner[offsets[j0 + 1 : j1 + 1] - (e0 + 1)] = False
        counts.add(cell[inner[:-1]], shard[e0 : e1 - 1][inner[:-1]])
    return counts


def _one_call(
    journeys: Journeys,
    by: str,
    quantiles: Sequence[float],
    *,
    exact: bool,
    level: float,
    onward: bool,
) -> StepTimeTable:
    summary = StepTimes.of(journeys, by=by)
    table = (summary.result if onward else summary.dwell)(quantiles=quantiles, level=level)
    if not exact or not len(table.count):
        return attrs.evolve(table, exact=exact)
    column, ticks = journeys.codes(by), journeys.time.view(np.int64)
    inner = np.ones(journeys.touchpoints, dtype=bool)
    inner[journeys.offsets[1:] - 1] = False
    rows = np.flatnonzero(inner)
    pair = column.codes[rows].astype(np.int64)
    if onward:
        pair = pair * column.slots + column.codes[rows + 1]
    known, code = np.unique(pair, return_inverse=True)
    order = sort_rows(code.astype(smallest_unsigned(len(known))), ticks[rows + 1] - ticks[rows])
    offsets = np.append(order.starts, len(rows))
    size = np.diff(offsets)
    place = np.argsort(-size, kind="stable")  # the order of the table: frequent first, then labels
    wanted = _checked(quantiles)
    rank = np.clip(np.ceil(wanted * size[:, np.newaxis] - 1e-9), 1, size[:, np.newaxis])
    at = offsets[:-1, np.newaxis] + rank.astype(np.int64) - 1
    # As floats: the microseconds of a million journeys of a hundred days exceed 64 bits.
    whole = segment_sum(order.times.astype(np.float64), offsets)
    seconds = (order.times[at] / _SECOND)[place]
    return attrs.evolve(
        table,
        exact=True,
        mean=(whole / size / _SECOND)[place],
        seconds=seconds,
        # Ends come from bins, up to one percent beside the times themselves.
        seconds_low=np.minimum(table.seconds_low, seconds),
        seconds_high=np.maximum(table.seconds_high, seconds),
    )


def _sorted_table(
    by: str,
    labels: Vocabulary,
    codes: IntArray,
    count: IntArray,
    mean: NDArray[np.float64],
    times: tuple[NDArray[np.float64], ...],
    quantiles: NDArray[np.float64],
) -> StepTimeTable:
    order = np.argsort(-count, kind="stable")
    seconds, low, high = (t[order] / _SECOND for t in times)
    return StepTimeTable(
        by=by,
        labels=labels,
        onward=codes.shape[1] > 1,
        source=codes[order, 0],
        target=codes[order, 1] if codes.shape[1] > 1 else codes[:0, 0],
        count=count[order],
        mean=mean[order] / _SECOND,
        quantiles=tuple(quantiles.tolist()),
        seconds=seconds,
        seconds_low=low,
        seconds_high=high,
    )
