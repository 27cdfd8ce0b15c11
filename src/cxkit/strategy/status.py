"""KPIs against their targets."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import freeze
from cxkit.core.intervals import (
    check_level,
    divide,
    interval,
    jackknife_error,
    leave_one_out,
    share_interval,
)
from cxkit.core.result import ColumnLike, Result
from cxkit.core.spans import InstantLike, instant_us, span_us
from cxkit.core.summary import SHARDS
from cxkit.errors import DataError
from cxkit.model.journeys import Journeys
from cxkit.strategy.items import KPI, DigitalGoal

if TYPE_CHECKING:
    from cxkit.strategy.map import StrategyMap

__all__ = ["Status", "status"]

FloatArray = NDArray[np.float64]


@attrs.frozen(eq=False, repr=False, kw_only=True)
class Status(Result):
    """Each KPI against its target.

    Attributes:
        kpi: (N,) the names.
        value: (N,) what was measured; NaN where nothing could be.
        low: (N,) the low end of its interval; NaN where there is none.
        high: (N,) the high end.
        target: (N,) the targets; NaN where none is set.
        direction: (N,) whether more or less is better.
        state: (N,) ``"reached"`` or ``"missed"`` where the whole interval says so; ``"open"`` where
            it does not, or there is none, or no target.
        level: Of the intervals.
    """

    kpi: list[str]
    value: FloatArray = attrs.field(converter=freeze)
    low: FloatArray = attrs.field(converter=freeze)
    high: FloatArray = attrs.field(converter=freeze)
    target: FloatArray = attrs.field(converter=freeze)
    direction: list[str]
    state: list[str]
    level: float

    def columns(self) -> dict[str, ColumnLike]:
        """A row for each KPI."""
        return {
            "kpi": self.kpi,
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "target": self.target,
            "better": self.direction,
            "state": self.state,
        }

    def title(self) -> str:
        """How many reached their target."""
        return f"{self.state.count('reached')} of {len(self.kpi)} KPIs reached their target"

    def notes(self) -> list[str]:
        """What the states mean, and what could not be measured."""
        told = [
            f"reached, missed: the whole {self.level:.0%} interval is on that side of the target"
        ]
        blank = [name for name, v in zip(self.kpi, self.value, strict=True) if np.isnan(v)]
        if blank:
            told.append(f"nothing to measure, or no value given: {', '.join(blank)}")
        return told


def status(
    strategy: StrategyMap,
    journeys: Journeys,
    at: InstantLike,
    given: Mapping[str, float],
    level: float,
) -> Status:
    """See :meth:`StrategyMap.status`."""
    check_level(level)
    kpis = strategy.of(KPI)
    for name in given:
        item = strategy.item(name)
        if not isinstance(item, KPI) or item.metric != "given":
            raise DataError(f"{name!r} is no KPI of metric 'given', so its value cannot be given")
    now = instant_us(at, name="at")
    rows = [
        (float(given.get(kpi.id, np.nan)), np.nan, np.nan)
        if kpi.metric == "given" or not kpi.supports
        else _measure(strategy, kpi, journeys, now, level)
        for kpi in kpis
    ]
    value, low, high = (np.array([row[i] for row in rows], np.float64) for i in range(3))
    target = np.array([np.nan if k.target is None else k.target for k in kpis], np.float64)
    return Status(
        kpi=[kpi.id for kpi in kpis],
        value=value,
        low=low,
        high=high,
        target=target,
        direction=[kpi.direction for kpi in kpis],
        state=[_state(k, *row) for k, row in zip(kpis, rows, strict=True)],
        level=level,
    )


def _state(kpi: KPI, value: float, low: float, high: float) -> str:
    if kpi.target is None or np.isnan(value):
        return "open"
    if kpi.metric == "given":
        low = high = value
    if np.isnan(low):
        return "open"
    above, below = low >= kpi.target, high <= kpi.target
    if kpi.direction == "down":
        above, below = below, above
    return "reached" if above else "missed" if below else "open"


def _measure(
    strategy: StrategyMap, kpi: KPI, journeys: Journeys, now: int, level: float
) -> tuple[float, float, float]:
    """Value and interval: the jackknife over shards of customers."""
    when = journeys.time.view(np.int64)
    inside = when <= now
    if kpi.window is not None:
        inside &= when > now - span_us(kpi.window, name="window")
    hit = np.zeros(len(inside), bool)
    for name in kpi.supports:
        goal = strategy.by_id[name]
        if isinstance(goal, DigitalGoal):
            hit |= goal.as_goal().matches(journeys)
    hit &= inside
    shard = journeys.row_shards
    part: FloatArray
    if kpi.metric == "conversions":
        part = np.bincount(shard[hit], minlength=SHARDS).astype(np.float64)
    elif kpi.metric == "value":
        worth = np.nan_to_num(journeys.value[hit])
        part = np.asarray(np.bincount(shard[hit], worth, minlength=SHARDS), np.float64)
    else:
        part = _customers(journeys, hit)
    seen = _customers(journeys, inside)
    occupied = np.asarray(np.bincount(shard, minlength=SHARDS) > 0)
    if kpi.metric == "conversion_rate":
        ends = share_interval(part[:, None], seen[:, None], occupied, level=level)
        (low,), (high,) = np.clip(ends, kpi.low, kpi.high)
        return float(divide(part.sum(), seen.sum())), float(low), float(high)
    # A total without a shard is that of fewer customers: scaled up to as many.
    groups = int(occupied.sum())
    error = jackknife_error(leave_one_out(part) * (groups / max(groups - 1, 1)), occupied)
    if kpi.metric == "value" and not hit.any():
        error = np.full_like(error, np.nan)  # nobody knows what a goal would be worth
    total = np.asarray(part.sum())
    low, high = interval(total, error, occupied, level=level, bounds=(kpi.low, kpi.high))
    if not hit.any() and not np.isnan(high):
        # Shards that are all 0 do not say how sure that is. The exact interval of a Poisson count
        # of 0 does (Garwood 1936, "Fiducial limits for the Poisson distribution", Biometrika 28).
        high = min(-math.log((1 - level) / 2), kpi.high)
    return float(total), float(low), float(high)


def _customers(journeys: Journeys, rows: NDArray[np.bool_]) -> FloatArray:
    """(SHARDS,) how many customers have such a touchpoint."""
    has = np.zeros(journeys.customer.slots, bool)
    found = np.add.reduceat(rows, journeys.offsets[:-1]) > 0 if len(journeys) else np.zeros(0, bool)
    has[journeys.customer.codes[found]] = True
    own = np.zeros(journeys.customer.slots, np.int64)
    own[journeys.customer.codes] = journeys.shards
    return np.bincount(own[has], minlength=SHARDS).astype(np.float64)
