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
    FEWEST_SHARDS,
    check_level,
    divide,
    interval,
    jackknife_error,
    leave_one_out,
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
    groups = int(occupied.sum())
    rate = kpi.metric == "conversion_rate"
    if rate:
        value = divide(part.sum(), seen.sum())
        without = divide(leave_one_out(part), leave_one_out(seen))
    else:  # a total without a shard is that of fewer customers: scaled up to as many
        value = np.asarray(part.sum())
        without = leave_one_out(part) * (groups / max(groups - 1, 1))
    error = jackknife_error(without, occupied)
    # Of a handful of customers nothing may vary by chance, and of no goal at all nobody knows what
    # it would be worth: neither is certain, so there is no interval.
    few = rate and int((seen > 0).sum()) < FEWEST_SHARDS
    if few or (kpi.metric == "value" and not hit.any()):
        error = np.full_like(error, np.nan)
    low, high = interval(value, error, occupied, level=level, bounds=(kpi.low, kpi.high))
    if not hit.any() and not np.isnan(high):
        high = _none_seen(kpi, seen, level)
    if rate and value == 1 and not np.isnan(low):
        low = _all_seen(kpi, seen, level)
    return float(value), float(low), float(high)


def _none_seen(kpi: KPI, seen: FloatArray, level: float) -> NDArray[np.float64]:
    """The high end where nothing was counted: shards that are all 0 do not say how sure that is.

    The exact interval of a Poisson count of 0, over the customers for a share (Garwood 1936,
    "Fiducial limits for the Poisson distribution", Biometrika 28).
    """
    most = -math.log((1 - level) / 2)
    whole = divide(most, seen.sum()) if kpi.metric == "conversion_rate" else np.asarray(most)
    return np.minimum(whole, kpi.high)


def _all_seen(kpi: KPI, seen: FloatArray, level: float) -> NDArray[np.float64]:
    """The low end where all customers converted: shards that are all 1 do not say how sure that is.

    The exact interval of a binomial share of n of n (Clopper and Pearson 1934, "The use of
    confidence or fiducial limits", Biometrika 26).
    """
    return np.maximum(((1 - level) / 2) ** divide(1.0, seen.sum()), kpi.low)


def _customers(journeys: Journeys, rows: NDArray[np.bool_]) -> FloatArray:
    """(SHARDS,) how many customers have such a touchpoint."""
    has = np.zeros(journeys.customer.slots, bool)
    found = np.add.reduceat(rows, journeys.offsets[:-1]) > 0 if len(journeys) else np.zeros(0, bool)
    has[journeys.customer.codes[found]] = True
    own = np.zeros(journeys.customer.slots, np.int64)
    own[journeys.customer.codes] = journeys.shards
    return np.bincount(own[has], minlength=SHARDS).astype(np.float64)
