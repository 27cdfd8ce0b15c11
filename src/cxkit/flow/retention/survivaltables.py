"""What waiting looks like: curves of those who still wait, their quantiles, groups compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.codes import Codes
from cxkit.core.intervals import check_level
from cxkit.core.ragged import segment_sum
from cxkit.core.result import Result
from cxkit.errors import DefinitionError
from cxkit.flow.cells import starts
from cxkit.flow.retention.waits import Wait

if TYPE_CHECKING:
    from cxkit.flow.retention.survival import SurvivalCounts

__all__ = ["SurvivalQuantiles", "SurvivalTable", "table_of"]

_EQUAL = 1e-12  # a share this near is the share: products of fractions are off in the last bits


@attrs.frozen(eq=False, repr=False, kw_only=True)
class SurvivalTable(Result):
    """How many still wait: one row for each time at which something happened or the data ended.

    Attributes:
        wait: What is waited for.
        until: The instant at which the data ends.
        unit: What times are counted in: time 3 is from 3 units to less than 4.
        by: The column of groups, or ``None``.
        groups: (G,) the label of each group; one missing label where there are none.
        offsets: (G + 1,) group ``g`` is the rows ``offsets[g]:offsets[g + 1]``.
        time: (n,) whole units.
        at_risk: (n,) journeys that had waited at least so long.
        events: (n,) those of them to whom it happened then.
        censored: (n,) those who were seen no longer; they are at risk until after the events.
        survival: (n,) estimated share that still waits after that time (Kaplan-Meier).
        survival_low: (n,) low end of its interval (Greenwood 1926, on the scale of log(-log S),
            which keeps it between 0 and 1); 1 before anything happened, NaN once nobody is left.
        survival_high: (n,) high end.
        level: Of the intervals.
    """

    wait: Wait
    until: str
    unit: str
    by: str | None
    groups: Codes
    offsets: IntArray = attrs.field(converter=freeze)
    time: IntArray = attrs.field(converter=freeze)
    at_risk: IntArray = attrs.field(converter=freeze)
    events: IntArray = attrs.field(converter=freeze)
    censored: IntArray = attrs.field(converter=freeze)
    survival: NDArray[np.float64] = attrs.field(converter=freeze)
    survival_low: NDArray[np.float64] = attrs.field(converter=freeze)
    survival_high: NDArray[np.float64] = attrs.field(converter=freeze)
    level: float

    def columns(self) -> Mapping[str, Any]:
        """One row per group and time."""
        names = ("time", "at_risk", "events", "censored")
        shares = ("survival", "survival_low", "survival_high")
        group: dict[str, Any] = {}
        if self.by is not None:
            label = "label" if self.by in {*names, *shares} else self.by
            of = np.repeat(np.arange(len(self.groups)), np.diff(self.offsets))
            group = {label: self.groups.take(of).to_list()}
        return {**group, **{name: getattr(self, name) for name in (*names, *shares)}}

    def at(self, times: ArrayLike) -> NDArray[np.float64]:
        """(G, T) the share that still waits after each time.

        Args:
            times: (T,) units, from 0 up. After the last journey of a group was censored nothing is
                known of it, and NaN says so.
        """
        wanted = np.atleast_1d(np.asarray(times, np.float64))
        out = np.empty((len(self.groups), len(wanted)))
        for g in range(len(self.groups)):
            rows = slice(self.offsets[g], self.offsets[g + 1])
            place = np.searchsorted(self.time[rows], wanted, side="right")
            out[g] = np.append(1.0, self.survival[rows])[place]
            if out[g].size and self.survival[rows][-1] > 0:
                out[g][wanted > self.time[rows][-1]] = np.nan
        return out

    def quantile(
        self, share: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """(G,) the time by which it has happened to this share, and the ends of its interval.

        The smallest time at which no more than ``1 - share`` still wait; likewise for the ends,
        read off the interval of the curve (Brookmeyer and Crowley 1982, Biometrics 38). NaN if the
        curve does not come down so far while the data goes.

        Args:
            share: Between 0 and 1; 0.5 for the median.

        Raises:
            DefinitionError: It is not.
        """
        if not 0 < share < 1:
            raise DefinitionError(f"a quantile lies between 0 and 1, such as 0.5; found {share!r}")
        found = []
        for curve in (self.survival, self.survival_low, self.survival_high):
            down = np.append(np.flatnonzero(curve <= 1 - share + _EQUAL), len(curve))
            row = down[np.searchsorted(down, self.offsets[:-1])]
            reached = row < self.offsets[1:]
            found.append(np.where(reached, np.append(self.time, 0)[row], np.nan))
        return found[0], found[1], found[2]

    def quantiles(self, shares: Sequence[float] = (0.25, 0.5, 0.75)) -> SurvivalQuantiles:
        """The times by which it has happened to these shares, group by group.

        Raises:
            DefinitionError: A share is not between 0 and 1.
        """
        columns = [self.quantile(share) for share in shares]
        none = np.zeros((len(self.groups), 0))
        return SurvivalQuantiles(
            table=self,
            shares=tuple(shares),
            journeys=segment_sum(self.events + self.censored, self.offsets),
            events=segment_sum(self.events, self.offsets),
            times=np.stack([c[0] for c in columns], axis=1) if columns else none,
            times_low=np.stack([c[1] for c in columns], axis=1) if columns else none,
            times_high=np.stack([c[2] for c in columns], axis=1) if columns else none,
        )

    def title(self) -> str:
        """What is waited for."""
        return f"still waiting: {self.wait.told()}; time in units of {self.unit}"

    def notes(self) -> tuple[str, ...]:
        """How many there are, and what the numbers rest on."""
        events, every = int(self.events.sum()), int((self.events + self.censored).sum())
        told = [f"unit: journeys; it happened to {events:,} of {every:,}; until {self.until}"]
        if every and not events:
            told.append("it never happened: nothing can be said but how long they were seen")
        if np.isnan(self.survival_low).any():
            told.append("no interval (-) where nobody was left")
        return tuple(told)


@attrs.frozen(eq=False, repr=False, kw_only=True)
class SurvivalQuantiles(Result):
    """By when it has happened to which share: one row per group.

    Attributes:
        table: The curves.
        shares: The Q shares.
        journeys: (G,) journeys of each group.
        events: (G,) those to whom it happened.
        times: (G, Q) whole units; NaN if the curve does not come down so far.
        times_low: (G, Q) low ends of their intervals.
        times_high: (G, Q) high ends; NaN if the upper curve does not come down so far.
    """

    table: SurvivalTable
    shares: tuple[float, ...]
    journeys: IntArray = attrs.field(converter=freeze)
    events: IntArray = attrs.field(converter=freeze)
    times: NDArray[np.float64] = attrs.field(converter=freeze)
    times_low: NDArray[np.float64] = attrs.field(converter=freeze)
    times_high: NDArray[np.float64] = attrs.field(converter=freeze)

    def columns(self) -> Mapping[str, Any]:
        """One row per group; quantiles are ``p50`` and so on."""
        by = self.table.by
        name = "label" if by in {"journeys", "events"} else by
        columns: dict[str, Any] = {} if name is None else {name: self.table.groups.to_list()}
        columns |= {"journeys": self.journeys, "events": self.events}
        for q, share in enumerate(self.shares):
            label = f"p{100 * share:g}"
            columns[label] = self.times[:, q]
            columns[f"{label}_low"] = self.times_low[:, q]
            columns[f"{label}_high"] = self.times_high[:, q]
        return columns

    def title(self) -> str:
        """What is waited for."""
        return f"by when it happens: {self.table.wait.told()}; in units of {self.table.unit}"

    def notes(self) -> tuple[str, ...]:
        """What a dash means."""
        if not (np.isnan(self.times) | np.isnan(self.times_high)).any():
            return ()
        return (f"-: not reached by {self.table.until}, while {self.table.unit} counts",)


def table_of(counts: SurvivalCounts, level: float) -> SurvivalTable:
    """The curves of a summary."""
    check_level(level)
    first = starts(counts.code)
    offsets = np.append(first, len(counts.code))
    z = NormalDist().inv_cdf(0.5 + level / 2)
    at_risk, curve, low, high = (
        np.empty(len(counts.time), np.int64),
        *np.empty((3, len(counts.time))),
    )
    for begin, end in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
        events, gone = counts.events[begin:end], (counts.events + counts.censored)[begin:end]
        risk = gone[::-1].cumsum()[::-1]
        at_risk[begin:end] = risk
        still = np.cumprod(1 - events / risk)
        curve[begin:end] = still
        low[begin:end], high[begin:end] = _log_log(still, events, risk, z)
    return SurvivalTable(
        wait=counts.wait,
        until=counts.until,
        unit=counts.unit,
        by=counts.by,
        groups=Codes(counts.code[first], counts.labels),
        offsets=offsets,
        time=counts.time,
        at_risk=at_risk,
        events=counts.events,
        censored=counts.censored,
        survival=curve,
        survival_low=low,
        survival_high=high,
        level=level,
    )


def _log_log(
    still: NDArray[np.float64], events: IntArray, risk: IntArray, z: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ends of the interval of a curve: S ** exp(+-z se), se = sqrt(Greenwood's sum) / |log S|."""
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.cumsum(events / (risk * (risk - events).astype(np.float64)))
        wide = np.exp(z * np.sqrt(greenwood) / np.abs(np.log(still)))
        low, high = still**wide, still ** (1 / wide)
    sure, nobody = still == 1, still == 0
    return (
        np.where(sure, 1.0, np.where(nobody, np.nan, low)),
        np.where(sure, 1.0, np.where(nobody, np.nan, high)),
    )
