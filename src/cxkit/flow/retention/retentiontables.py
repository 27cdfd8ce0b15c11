"""What retention looks like: cohort by bracket, and all cohorts together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.intervals import check_level, divide, share_interval
from cxkit.core.periods import period_begins
from cxkit.core.ragged import segment_sum
from cxkit.core.result import Result
from cxkit.core.summary import SHARDS
from cxkit.errors import MergeError
from cxkit.flow.cells import spread, starts
from cxkit.flow.funnels.comparing import RateDifference, compare_rates
from cxkit.flow.retention.retention import Retention

if TYPE_CHECKING:
    from cxkit.flow.retention.retentioncounts import RetentionCounts

__all__ = ["RetentionCurve", "RetentionTable", "compare_retention", "curve_of", "table_of"]


@attrs.frozen(eq=False, repr=False, kw_only=True)
class RetentionTable(Result):
    """Who came back: one row per cohort and bracket, in order of time.

    Attributes:
        retention: The definition.
        cohort: (C,) datetime64[D], the first day of the period of each cohort.
        journeys: (C,) journeys of each.
        eligible: (C, B) those for whom the bracket was over when the data ended.
        returned: (C, B) those of them who came back in it.
        rate: (C, B) returned / eligible; NaN where the bracket is open for all.
        rate_low: (C, B) low end of its interval; NaN for too few customers.
        rate_high: (C, B) high end.
        outside: Journeys in no cohort: they do not start before the data ends.
    """

    retention: Retention
    cohort: NDArray[np.datetime64] = attrs.field(converter=freeze)
    journeys: IntArray = attrs.field(converter=freeze)
    eligible: IntArray = attrs.field(converter=freeze)
    returned: IntArray = attrs.field(converter=freeze)
    rate: NDArray[np.float64] = attrs.field(converter=freeze)
    rate_low: NDArray[np.float64] = attrs.field(converter=freeze)
    rate_high: NDArray[np.float64] = attrs.field(converter=freeze)
    outside: int

    @property
    def complete(self) -> NDArray[np.bool_]:
        """(C, B) whether the bracket was over for every journey of the cohort."""
        return freeze(self.eligible == self.journeys[:, np.newaxis])

    def columns(self) -> Mapping[str, Any]:
        """One row per cohort and bracket."""
        names = self.retention.bracket_names
        return {
            self.retention.cohort_every: [day for day in self.cohort.tolist() for _ in names],
            "bracket": names * len(self.cohort),
            "journeys": np.repeat(self.journeys, len(names)),
            **{
                name: getattr(self, name).ravel()
                for name in ("eligible", "returned", "rate", "rate_low", "rate_high", "complete")
            },
        }

    def title(self) -> str:
        """How many cohorts."""
        many = int(self.journeys.sum())
        every = self.retention.every
        return f"retention by {every}: {many:,} journeys in {len(self.cohort):,} cohorts"

    def notes(self) -> tuple[str, ...]:
        """The definition in words, and what is open."""
        open_ = int((~self.complete).sum())
        told = [_told(self.retention)]
        if open_:
            told.append(
                f"open when the data ended: {open_:,} of {self.complete.size:,} cells; their rates "
                "are of the journeys that had all of the bracket (-: none had)"
            )
        return (*told, *_told_outside(self.outside))


@attrs.frozen(eq=False, repr=False, kw_only=True)
class RetentionCurve(Result):
    """Who came back, all cohorts together: one row per bracket.

    Attributes:
        retention: The definition.
        eligible: (B,) journeys for whom the bracket was over when the data ended.
        returned: (B,) those of them who came back in it.
        rate: (B,) returned / eligible; NaN where the bracket is open for all.
        rate_low: (B,) low end of its interval; NaN for too few customers.
        rate_high: (B,) high end.
        journeys: Journeys of all cohorts.
        outside: Journeys in no cohort.
    """

    retention: Retention
    eligible: IntArray = attrs.field(converter=freeze)
    returned: IntArray = attrs.field(converter=freeze)
    rate: NDArray[np.float64] = attrs.field(converter=freeze)
    rate_low: NDArray[np.float64] = attrs.field(converter=freeze)
    rate_high: NDArray[np.float64] = attrs.field(converter=freeze)
    journeys: int
    outside: int

    def columns(self) -> Mapping[str, Any]:
        """One row per bracket."""
        names = ("eligible", "returned", "rate", "rate_low", "rate_high")
        numbers = {name: getattr(self, name) for name in names}
        return {"bracket": self.retention.bracket_names, **numbers}

    def title(self) -> str:
        """How many journeys."""
        return f"retention by {self.retention.every}: {self.journeys:,} journeys"

    def notes(self) -> tuple[str, ...]:
        """The definition in words, and that brackets rest on different journeys."""
        differ = (
            "" if (self.eligible == self.journeys).all() else "later brackets rest on older ones"
        )
        told = (_told(self.retention), *_told_outside(self.outside))
        return (*told, f"{differ}: see eligible") if differ else told


def table_of(counts: RetentionCounts, level: float) -> RetentionTable:
    """The table of a summary."""
    check_level(level)
    code, brackets = counts.codes[:, 0], len(counts.retention.brackets) - 1
    first = starts(code)
    bounds = np.append(first, len(code))
    # No cohort has no brackets: their number is lost in the sum.
    eligible, returned = (
        segment_sum(column, bounds).reshape(-1, brackets)
        for column in (counts.eligible, counts.returned)
    )
    low, high = np.empty((2, len(first), brackets))
    for b in range(brackets):
        part, whole = (
            spread(column[:, b], counts.shard, bounds)
            for column in (counts.returned, counts.eligible)
        )
        low[:, b], high[:, b] = share_interval(part, whole, counts.occupied(), level=level)
    numbers = np.asarray(counts.labels.labels[code[first]], np.int64)
    return RetentionTable(
        retention=counts.retention,
        cohort=period_begins(numbers, counts.retention.cohort_every),
        journeys=segment_sum(counts.journeys, bounds),
        eligible=eligible,
        returned=returned,
        rate=divide(returned, eligible),
        rate_low=low,
        rate_high=high,
        outside=int(counts.outside.sum()),
    )


def curve_of(counts: RetentionCounts, level: float) -> RetentionCurve:
    """The curve of a summary."""
    part, whole = _pooled(counts)
    low, high = share_interval(part, whole, counts.occupied(), level=level)
    return RetentionCurve(
        retention=counts.retention,
        eligible=whole.sum(axis=0),
        returned=part.sum(axis=0),
        rate=divide(part.sum(axis=0), whole.sum(axis=0)),
        rate_low=low,
        rate_high=high,
        journeys=int(counts.journeys.sum()),
        outside=int(counts.outside.sum()),
    )


def compare_retention(
    a: RetentionCounts,
    b: RetentionCounts,
    *,
    control: Literal["holm", "benjamini-hochberg", "none"] = "holm",
    level: float = 0.95,
) -> RateDifference:
    """Where two groups come back differently often: bracket by bracket, all cohorts together.

    A shard of customers is left out of both groups at once, so the test holds whether the groups
    share customers or not. It takes customers for independent draws.

    Args:
        a: The counts of the one group.
        b: Those of the other.
        control: Of chance findings among the brackets.
        level: Of the intervals, each taken alone.

    Raises:
        MergeError: The definitions are not the same.
        DefinitionError: ``control`` is none.
    """
    if a.retention != b.retention:
        raise MergeError("cannot compare two definitions of retention; count both with one")
    names = {"bracket": tuple(a.retention.bracket_names)}
    occupied = a.occupied() | b.occupied()
    tested = np.ones(len(names["bracket"]), dtype=bool)
    return compare_rates(
        _pooled(a), _pooled(b), occupied, names=names, tested=tested, control=control, level=level
    )


def _pooled(counts: RetentionCounts) -> tuple[IntArray, IntArray]:
    """(SHARDS, B) returned and eligible, all cohorts together."""
    part, whole = np.zeros((2, SHARDS, len(counts.retention.brackets) - 1), np.int64)
    np.add.at(part, counts.shard, counts.returned)
    np.add.at(whole, counts.shard, counts.eligible)
    return part, whole


def _told(retention: Retention) -> str:
    start = "the first touchpoint" if retention.start is None else retention.start.name
    back = "any later touchpoint" if retention.back is None else f"a later {retention.back.name}"
    clock = (
        f"{retention.every}s since the start, each of full length"
        if retention.clock == "rolling"
        else f"calendar {retention.every}s since that of the start, {retention.tz}"
    )
    return f"unit: journeys; from {start} to {back}; brackets are {clock}; until {retention.until}"


def _told_outside(outside: int) -> tuple[str, ...]:
    return (f"in no cohort: {outside:,} journeys that did not start",) if outside else ()
