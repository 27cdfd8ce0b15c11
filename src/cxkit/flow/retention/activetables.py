"""What stickiness looks like: active journeys day by day, and on how many days of a period."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.intervals import check_level, divide, share_interval
from cxkit.core.periods import period_begins
from cxkit.core.ragged import segment_sum
from cxkit.core.result import Result
from cxkit.core.summary import SHARDS
from cxkit.flow.cells import spread, starts
from cxkit.flow.retention.stickiness import Stickiness

if TYPE_CHECKING:
    from cxkit.flow.retention.activecounts import ActiveCounts, ActiveDayCounts

__all__ = ["ActiveDayTable", "StickinessTable", "days_of", "table_of"]


@attrs.frozen(eq=False, repr=False, kw_only=True)
class StickinessTable(Result):
    """Active journeys: one row per day, whether anybody was active or not.

    Attributes:
        stickiness: The definition.
        day: (D,) datetime64[D].
        active: (D, W) journeys that are active in each window that ends with the day.
        complete: (D,) whether the longest window begins after the data did.
        ratio: (D,) active in the shortest window / in the longest; NaN if nobody was.
        ratio_low: (D,) low end of its interval; NaN for too few customers.
        ratio_high: (D,) high end.
        overall: (3,) the sum of the shortest over that of the longest, over all complete days, and
            the ends of its interval; NaN without a complete day.
    """

    stickiness: Stickiness
    day: NDArray[np.datetime64] = attrs.field(converter=freeze)
    active: IntArray = attrs.field(converter=freeze)
    complete: NDArray[np.bool_] = attrs.field(converter=freeze)
    ratio: NDArray[np.float64] = attrs.field(converter=freeze)
    ratio_low: NDArray[np.float64] = attrs.field(converter=freeze)
    ratio_high: NDArray[np.float64] = attrs.field(converter=freeze)
    overall: NDArray[np.float64] = attrs.field(converter=freeze)

    def columns(self) -> Mapping[str, Any]:
        """One row per day; ``active_7`` are those of the seven days that end with it."""
        windows = {
            f"active_{days}": self.active[:, w] for w, days in enumerate(self.stickiness.windows)
        }
        return {
            "day": self.day.tolist(),
            **windows,
            "ratio": self.ratio,
            "ratio_low": self.ratio_low,
            "ratio_high": self.ratio_high,
            "complete": self.complete,
        }

    def title(self) -> str:
        """The ratio over all days."""
        short, long = self.stickiness.windows[0], self.stickiness.windows[-1]
        ratio, low, high = self.overall
        if np.isnan(ratio):
            return f"active journeys, {short} against {long} days"
        ends = "" if np.isnan(low) else f" ({low:.1%} to {high:.1%})"
        return f"active journeys, {short} against {long} days: {ratio:.1%}{ends}"

    def notes(self) -> tuple[str, ...]:
        """What is counted, and which days are low."""
        rule = self.stickiness
        act = "any touchpoint" if rule.act is None else rule.act.name
        told = [
            f"unit: journeys; active: {act}; days of {rule.tz}",
            f"ratio: active_{rule.windows[0]} / active_{rule.windows[-1]}",
        ]
        if open_ := int((~self.complete).sum()):
            told.append(
                f"not complete: {open_:,} days, whose longest window begins before the data does; "
                "they are not in the ratio of all days"
            )
        return tuple(told)


@attrs.frozen(eq=False, repr=False, kw_only=True)
class ActiveDayTable(Result):
    """On how many days of each period journeys are active: one row per period and number of days.

    Attributes:
        stickiness: The definition.
        every: The period.
        period: (P,) datetime64[D], the first day of each period in which anybody was active.
        complete: (P,) whether the data has all days of the period.
        journeys: (P, N) journeys that are active on exactly 1, 2 ... N days.
        share: (P, N) of those that are active at all.
        share_low: (P, N) low end of its interval; NaN for too few customers.
        share_high: (P, N) high end.
    """

    stickiness: Stickiness
    every: str
    period: NDArray[np.datetime64] = attrs.field(converter=freeze)
    complete: NDArray[np.bool_] = attrs.field(converter=freeze)
    journeys: IntArray = attrs.field(converter=freeze)
    share: NDArray[np.float64] = attrs.field(converter=freeze)
    share_low: NDArray[np.float64] = attrs.field(converter=freeze)
    share_high: NDArray[np.float64] = attrs.field(converter=freeze)

    def columns(self) -> Mapping[str, Any]:
        """One row per period and number of days that anybody was active on."""
        some = self.journeys.ravel() > 0
        days = self.journeys.shape[1]
        period = np.repeat(self.period, days)[some]
        names = ("journeys", "share", "share_low", "share_high")
        return {
            self.every: period.tolist(),
            "days": np.tile(np.arange(1, days + 1), len(self.period))[some],
            **{name: getattr(self, name).ravel()[some] for name in names},
            "complete": np.repeat(self.complete, days)[some],
        }

    def title(self) -> str:
        """What is counted."""
        return f"on how many days of a {self.every} journeys are active"

    def notes(self) -> tuple[str, ...]:
        """Which periods are short."""
        open_ = int((~self.complete).sum())
        if not open_:
            return ("unit: journeys that are active at all",)
        return (
            "unit: journeys that are active at all",
            f"not complete: {open_:,} periods, of which the data lacks days",
        )


def table_of(counts: ActiveCounts, level: float) -> StickinessTable:
    """The table of a summary."""
    check_level(level)
    rule = counts.stickiness
    first, end = rule.days
    days = np.arange(first, end)
    parts = np.zeros((SHARDS, end - first, len(rule.windows)), np.int64)
    day = (
        np.asarray(counts.labels.labels, np.int64)[counts.codes[:, 0]] - first if len(counts) else 0
    )
    parts[counts.shard, day] = counts.active
    complete = days >= first + rule.windows[-1] - 1
    occupied = counts.occupied()
    low, high = share_interval(parts[..., 0], parts[..., -1], occupied, level=level)
    part, whole = (parts[:, complete][..., w].sum(axis=1, keepdims=True) for w in (0, -1))
    ends = share_interval(part, whole, occupied, level=level)
    active = parts.sum(axis=0)
    return StickinessTable(
        stickiness=rule,
        day=days.astype("datetime64[D]"),
        active=active,
        complete=complete,
        ratio=divide(active[:, 0], active[:, -1]),
        ratio_low=low,
        ratio_high=high,
        overall=np.concatenate([divide(part.sum(axis=0), whole.sum(axis=0)), *ends]),
    )


def days_of(counts: ActiveDayCounts, level: float) -> ActiveDayTable:
    """The table of a summary of days."""
    check_level(level)
    code, days = counts.codes[:, 0], counts.journeys.shape[1]
    begins = starts(code)
    bounds = np.append(begins, len(code))
    journeys = segment_sum(counts.journeys, bounds).reshape(-1, days)
    part = np.stack([spread(column, counts.shard, bounds) for column in counts.journeys.T], axis=-1)
    whole = part.sum(axis=2, keepdims=True)
    low, high = share_interval(part, whole, counts.occupied(), level=level)
    numbers = np.asarray(counts.labels.labels, np.int64)[code[begins]]
    first, end = counts.stickiness.days
    inside = (period_begins(x, counts.every).astype(np.int64) for x in (numbers, numbers + 1))
    begin, after = inside
    return ActiveDayTable(
        stickiness=counts.stickiness,
        every=counts.every,
        period=period_begins(numbers, counts.every),
        complete=(begin >= first) & (after <= end),
        journeys=journeys,
        share=divide(journeys, journeys.sum(axis=1, keepdims=True)),
        share_low=low,
        share_high=high,
    )
