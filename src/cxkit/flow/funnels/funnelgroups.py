"""Funnels by segment and over time: how far the journeys of each label, or each period, get."""

from __future__ import annotations

from typing import Any, Final, Literal, Self, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.codes import Codes, Vocabulary
from cxkit.core.intervals import check_level, divide
from cxkit.core.periods import (
    check_period,
    local_days,
    period_begins,
    period_begins_us,
    period_of_days,
)
from cxkit.core.ragged import segment_sum
from cxkit.core.spans import InstantLike, instant_us, span_us
from cxkit.core.summary import PARAMETER, SHARDS, parameter, total
from cxkit.errors import DefinitionError
from cxkit.flow.cells import CellSummary, cells_of, cells_of_keys, spread, starts
from cxkit.flow.funnels.funnel import Funnel
from cxkit.flow.funnels.funnelcounts import at_least, share_ends, step_before
from cxkit.flow.funnels.funneltables import FunnelPeriodTable, FunnelSegmentTable
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys

__all__ = ["FunnelPeriods", "FunnelSegments", "LabelOf"]

LabelOf: TypeAlias = Literal["first", "entry"]
"""The touchpoint whose label a journey has: its first, or its entry into the funnel."""

_LABELS_AT_ONCE: Final = 4_096


@attrs.frozen(eq=False, repr=False, kw_only=True)
class _GroupCounts(CellSummary):
    """Counts of a funnel in groups; a label, or the number of a period, is a cell.

    Attributes:
        funnel: The funnel.
        journeys: (R,) journeys of the group, in the row's shard.
        reached: (R, steps) journeys that reach each step.
        outside: (64,) journeys in no group: they do not enter.
    """

    funnel: Funnel = attrs.field(metadata=parameter(Funnel.from_dict))
    journeys: IntArray = attrs.field(metadata=total("cell"))
    reached: IntArray = attrs.field(metadata=total("cell", "step"))
    outside: IntArray = attrs.field(metadata=total("shard"))

    def _shares(self, level: float) -> tuple[NDArray[Any], dict[str, Any]]:
        """(L,) the code of each group, and the columns of its table."""
        check_level(level)
        occupied, code = self.occupied(), self.codes[:, 0]
        first = starts(code)
        bounds = np.append(first, len(code))
        # No group has no steps: their number is lost in the sum.
        reached = segment_sum(self.reached, bounds).reshape(-1, len(self.funnel.steps))
        ends = np.empty((4, *reached.shape))
        for l0 in range(0, len(first), _LABELS_AT_ONCE):
            some = slice(l0, l0 + _LABELS_AT_ONCE)
            rows = bounds[l0 : l0 + _LABELS_AT_ONCE + 1]
            columns = [spread(column, self.shard, rows) for column in self.reached.T]
            part = np.stack(columns, axis=-1)  # (SHARDS, labels, steps)
            ends[:, some] = share_ends(part, occupied, level)
        low, high, step_low, step_high = ends
        return code[first], {
            "journeys": segment_sum(self.journeys, bounds),
            "reached": reached,
            "share": divide(reached, reached[:, :1]),
            "share_low": low,
            "share_high": high,
            "step_share": divide(reached, step_before(reached)),
            "step_share_low": step_low,
            "step_share_high": step_high,
        }


@attrs.frozen(eq=False, repr=False, kw_only=True)
class FunnelSegments(_GroupCounts):
    """How far the journeys of each label get, as a summary that adds up.

    Attributes:
        by: The column of labels.
        label_of: ``"first"``: a journey has the label of its first touchpoint, which is known
            before anything else happened. ``"entry"``: that of the touchpoint with which it entered
            (see :meth:`Funnel.passages`).
        codes: (R, 1) the labels; K is missing.

    Example:
        >>> len(FunnelSegments.zero(funnel=Funnel(["view", "buy"]), by="channel"))
        0
    """

    by: str = attrs.field(metadata=PARAMETER)
    label_of: LabelOf = attrs.field(metadata=PARAMETER)

    @classmethod
    def of(
        cls,
        journeys: Journeys | Journey,
        /,
        *,
        funnel: Funnel,
        by: str = "channel",
        label_of: LabelOf = "first",
    ) -> Self:
        """Count; a step that this part of the data lacks is reached by none.

        Args:
            journeys: The journeys.
            funnel: The funnel.
            by: A column of labels. A missing label is a segment of its own.
            label_of: Whose label a journey has: of its ``"first"`` touchpoint or its ``"entry"``.

        Raises:
            SchemaError: There is no such column, or it holds numbers.
            DefinitionError: ``label_of`` is neither.
        """
        if label_of not in {"first", "entry"}:
            raise DefinitionError(f"label_of is 'first' or 'entry'; found {label_of!r}")
        many = as_journeys(journeys)
        column = many.codes(by)
        if label_of == "first":
            depth, rows = np.asarray(funnel.reached(many)), many.offsets[:-1]
            inside = np.ones(len(many), dtype=bool)
        else:
            depth, rows = _entries(funnel, many)
            inside = rows >= 0
        codes = column.codes[rows[inside]]
        counts = _counted(codes, column.vocabulary, many.shards, depth, inside, len(funnel.steps))
        return cls(funnel=funnel, by=by, label_of=label_of, **counts)

    def result(self, *, level: float = 0.95) -> FunnelSegmentTable:
        """Shares of each segment, with intervals; the segment that most journeys enter first."""
        code, columns = self._shares(level)
        order = np.argsort(-columns["reached"][:, 0], kind="stable")
        return FunnelSegmentTable(
            funnel=self.funnel,
            by=self.by,
            label_of=self.label_of,
            labels=Codes(code[order], self.labels),
            not_entered=int(self.outside.sum()),
            **{name: column[order] for name, column in columns.items()},
        )


@attrs.frozen(eq=False, repr=False, kw_only=True)
class FunnelPeriods(_GroupCounts):
    """How far the journeys that entered in each period get, as a summary that adds up.

    Attributes:
        every: The period: ``"day"``, ``"week"`` (from Monday), ``"month"``, ``"quarter"``,
            ``"year"``.
        tz: The time zone of the calendar.
        codes: (R, 1) places in ``labels``, which are the numbers of periods since 1970.

    Example:
        >>> len(FunnelPeriods.zero(funnel=Funnel(["view", "buy"]), every="week"))
        0
    """

    every: str = attrs.field(metadata=PARAMETER)
    tz: str = attrs.field(metadata=PARAMETER)

    @classmethod
    def of(
        cls,
        journeys: Journeys | Journey,
        /,
        *,
        funnel: Funnel,
        every: str = "week",
        tz: str = "UTC",
    ) -> Self:
        """Count by the period of the entry (see :meth:`Funnel.passages`).

        Args:
            journeys: The journeys.
            funnel: The funnel.
            every: The period.
            tz: The time zone of the calendar.

        Raises:
            DefinitionError: There is no such period, or no such zone.
        """
        check_period(every)
        many = as_journeys(journeys)
        depth, rows = _entries(funnel, many)
        inside = rows >= 0
        days = local_days(many.time.view(np.int64)[rows[inside]], tz)
        period = Codes.of(period_of_days(days, every))
        shards, steps = many.shards, len(funnel.steps)
        counts = _counted(period.codes, period.vocabulary, shards, depth, inside, steps)
        return cls(funnel=funnel, every=every, tz=tz, **counts)

    def result(self, *, until: InstantLike | None = None, level: float = 0.95) -> FunnelPeriodTable:
        """Shares of each period, with intervals.

        Args:
            until: Until when the data goes; a period is complete if its last journeys had all of
                the funnel's ``within`` by then. Only for ``entry="first"``: with another entry a
                journey may come again and be counted in a later period.
            level: Of the intervals.

        Raises:
            DefinitionError: ``until`` is no instant.
        """
        code, columns = self._shares(level)
        numbers = np.asarray(self.labels.labels[code], np.int64)
        complete = np.zeros(len(numbers), dtype=bool)
        settled = self.funnel.entry == "first" and self.funnel.within is not None
        known = until is not None and settled
        if until is not None:
            end = instant_us(until, name="until")
            if settled and self.funnel.within is not None:
                ends = period_begins_us(numbers + 1, self.every, self.tz)
                complete = ends + span_us(self.funnel.within, name="within") <= end
        return FunnelPeriodTable(
            funnel=self.funnel,
            every=self.every,
            tz=self.tz,
            period=period_begins(numbers, self.every),
            complete=complete,
            until=known,
            **columns,
        )


def _entries(funnel: Funnel, journeys: Journeys) -> tuple[NDArray[Any], IntArray]:
    """(J,) the steps that each journey reaches, and the touchpoint of its entry; -1 for none."""
    passages = funnel.passages(journeys)
    return (passages >= 0).sum(axis=1), passages[:, 0]


def _counted(
    codes: NDArray[Any],
    labels: Vocabulary,
    shards: IntArray,
    depth: NDArray[Any],
    inside: NDArray[np.bool_],
    steps: int,
) -> dict[str, Any]:
    keys, cell = cells_of(codes, shards[inside])
    counts = at_least(depth[inside], cell, len(keys), steps)
    return {
        "journeys": counts[:, 0],
        "reached": counts[:, 1:],
        "outside": np.bincount(shards[~inside], minlength=SHARDS),
        **cells_of_keys(keys, labels, 1),
    }
