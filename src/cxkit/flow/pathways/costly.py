"""Rare but costly paths: few journeys that take much."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.codes import Label
from cxkit.core.intervals import check_level, divide, interval, jackknife_error, leave_one_out
from cxkit.core.ragged import segment_sum
from cxkit.core.result import Result
from cxkit.core.sequences import SequenceSummary, count_sequences
from cxkit.core.summary import PARAMETER, SHARDS, total
from cxkit.core.uniques import unique_sequences
from cxkit.core.whole import whole_number
from cxkit.errors import DefinitionError, SchemaError
from cxkit.flow.paths import cut_path, few_customers, show_path
from cxkit.flow.pathways.pathvariants import only_used, path_of
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys
from cxkit.model.summaries import JourneySummary

__all__ = ["CostlyPathTable", "PathCosts", "costly_paths"]

_SECOND: Final = 1e6


def costly_paths(
    journeys: Journeys | Journey,
    by: str = "event",
    *,
    cost: str = "time",
    rare: float = 0.01,
    top: int = 20,
    level: float = 0.95,
) -> CostlyPathTable:
    """Paths that few journeys take and that cost much: those with the most cost above the mean.

    Long paths are nearly all unique, and rare for that reason alone. Collapse repeats or group
    labels first (:class:`~cxkit.flow.Cleaning`), so that journeys that are alike meet.

    Args:
        journeys: The journeys.
        by: A column of labels. A missing label counts as a label of its own.
        cost: What a journey costs: ``"time"`` from its first to its last touchpoint, in seconds,
            its ``"touchpoints"``, or the sum of a column of numbers, missing ones as 0.
        rare: List only paths of at most this share of all journeys.
        top: How many paths to list.
        level: Of the intervals.

    Raises:
        SchemaError: There is no such column, or it does not hold labels, or numbers for ``cost``.
        DefinitionError: ``rare`` does not lie above 0 and up to 1, or ``top`` is no whole number.

    Example:
        >>> journeys = Journeys.from_table(
        ...     {
        ...         "who": [1, 1, 2, 2, 3, 3],
        ...         "sec": [0, 1, 0, 1, 0, 100],
        ...         "what": ["view", "buy", "view", "buy", "call", "buy"],
        ...     },
        ...     customer="who",
        ...     time="sec",
        ...     event="what",
        ...     time_unit="s",
        ... )
        >>> for row in costly_paths(journeys, rare=0.5).to_dicts():
        ...     print(row["path"], row["journeys"], row["cost"], round(row["excess"], 1))
        call > buy 1 100.0 66.0
    """
    return PathCosts.of(journeys, by=by, cost=cost).result(rare=rare, top=top, level=level)


@attrs.frozen(eq=False, repr=False, kw_only=True)
class PathCosts(SequenceSummary, JourneySummary):
    """What paths cost, as a summary that adds up.

    Attributes:
        by: The column.
        cost: What a journey costs, see :func:`costly_paths`.
        journeys: (S,) how many journeys are this sequence, in the row's shard.
        sums: (S,) what they cost: microseconds, touchpoints, or the unit of the column.
    """

    by: str = attrs.field(metadata=PARAMETER)
    cost: str = attrs.field(metadata=PARAMETER)
    journeys: IntArray = attrs.field(metadata=total("sequence"))
    sums: NDArray[np.float64] = attrs.field(metadata=total("sequence"))

    @classmethod
    def of(cls, journeys: Journeys | Journey, /, *, by: str = "event", cost: str = "time") -> Self:
        """Count.

        Args:
            journeys: The journeys.
            by: A column of labels.
            cost: ``"time"``, ``"touchpoints"``, or a column of numbers.

        Raises:
            SchemaError: There is no such column, or it does not hold labels, or numbers for
                ``cost``.
        """
        many = as_journeys(journeys)
        column = only_used(many.codes(by))
        totals = {"journeys": np.ones(len(many), np.int64), "sums": _costs(many, cost)}
        rows = count_sequences(many.offsets, column.codes, many.shards, totals)
        return cls(by=by, cost=cost, labels=column.vocabulary, **rows)

    def result(self, *, rare: float = 0.01, top: int = 20, level: float = 0.95) -> CostlyPathTable:
        """The rare paths with the most cost above the mean of all journeys.

        Raises:
            DefinitionError: ``rare`` does not lie above 0 and up to 1, or ``top`` is no whole
                number from 1 up.
        """
        check_level(level)
        if not 0 < rare <= 1:
            raise DefinitionError(f"rare must lie above 0 and up to 1; found {rare!r}")
        top = whole_number(top, "top")
        first, path = unique_sequences(self.offsets, self.codes)
        unit = _SECOND if self.cost == "time" else 1.0
        count, cost = np.zeros(len(first), np.int64), np.zeros(len(first))
        np.add.at(count, path, self.journeys)
        np.add.at(cost, path, self.sums / unit)
        journeys, whole = int(count.sum()), float(cost.sum())
        mean = whole / journeys if journeys else 0.0
        excess = cost - count * mean
        candidates = np.flatnonzero((count <= rare * journeys) & (excess > 0))
        shown = candidates[np.lexsort([-count[candidates], -excess[candidates]])][:top]
        place = np.full(len(first), -1)
        place[shown] = np.arange(len(shown))
        listed = place[path] >= 0
        n, c = np.zeros((SHARDS, len(shown)), np.int64), np.zeros((SHARDS, len(shown)))
        at = self.shard[listed], place[path[listed]]
        np.add.at(n, at, self.journeys[listed])
        np.add.at(c, at, self.sums[listed] / unit)
        occupied = (n > 0).sum(axis=0)
        means = divide(cost[shown], count[shown])
        error = jackknife_error(divide(leave_one_out(c), leave_one_out(n)), self.occupied())
        low, high = interval(means, error, self.occupied(), level=level)
        few = occupied < _FEWEST
        return CostlyPathTable(
            by=self.by,
            cost_of=self.cost,
            paths=tuple(path_of(self, row) for row in first[shown].tolist()),
            journeys=count[shown],
            share=divide(count[shown], np.full(len(shown), journeys)),
            cost=cost[shown],
            cost_share=divide(cost[shown], np.full(len(shown), whole)),
            excess=excess[shown],
            mean=means,
            mean_low=np.where(few, np.nan, low),
            mean_high=np.where(few, np.nan, high),
            rare=float(rare),
            candidates=len(candidates),
            overall_mean=mean,
            total_journeys=journeys,
            total_cost=whole,
        )


_FEWEST: Final = 10


@attrs.frozen(eq=False, repr=False, kw_only=True)
class CostlyPathTable(Result):
    """Rare paths that cost much: one row each, the most cost above the mean first.

    Attributes:
        by: The column.
        cost_of: What a journey costs.
        paths: The labels of each path.
        journeys: (P,) journeys that are this path.
        share: (P,) of all journeys.
        cost: (P,) of all these journeys.
        cost_share: (P,) of the cost of all journeys; NaN if that is 0.
        excess: (P,) cost above what as many journeys of mean cost would have.
        mean: (P,) cost of one journey.
        mean_low: (P,) low end of its interval; NaN where customers of fewer than 10 shards took it.
        mean_high: (P,) high end.
        rare: The largest share that counts as rare.
        candidates: Rare paths above the mean, listed or not.
        overall_mean: Mean cost of all journeys.
        total_journeys: All journeys.
        total_cost: Their cost.
    """

    by: str
    cost_of: str
    paths: tuple[tuple[Label | None, ...], ...]
    journeys: IntArray = attrs.field(converter=freeze)
    share: NDArray[np.float64] = attrs.field(converter=freeze)
    cost: NDArray[np.float64] = attrs.field(converter=freeze)
    cost_share: NDArray[np.float64] = attrs.field(converter=freeze)
    excess: NDArray[np.float64] = attrs.field(converter=freeze)
    mean: NDArray[np.float64] = attrs.field(converter=freeze)
    mean_low: NDArray[np.float64] = attrs.field(converter=freeze)
    mean_high: NDArray[np.float64] = attrs.field(converter=freeze)
    rare: float
    candidates: int
    overall_mean: float
    total_journeys: int
    total_cost: float

    def columns(self) -> Mapping[str, Any]:
        """One row per path."""
        names = (
            "journeys", "share", "cost", "cost_share", "excess", "mean", "mean_low", "mean_high",
        )  # fmt: skip
        shown = {"path": [show_path(cut_path(path)) for path in self.paths]}
        return {**shown, **{name: getattr(self, name) for name in names}}

    def title(self) -> str:
        """What a journey costs."""
        unit = ", seconds" if self.cost_of == "time" else ""
        return (
            f"rare but costly paths by {self.by} ({self.cost_of}{unit}): mean "
            f"{self.overall_mean:,.1f} of {self.total_journeys:,} journeys"
        )

    def notes(self) -> tuple[str, ...]:
        """What is listed."""
        rare = f"rare: at most {self.rare:g} of journeys"
        told = f"{rare}; {self.candidates:,} such paths cost more than the mean"
        return (told, *few_customers(self.mean_low))


def _costs(journeys: Journeys, cost: str) -> NDArray[np.float64]:
    """(J,) what each journey costs; times in microseconds, which add up exactly."""
    if cost == "touchpoints":
        return np.diff(journeys.offsets).astype(np.float64)
    if cost == "time":
        ticks = journeys.time.view(np.int64)
        return (ticks[journeys.offsets[1:] - 1] - ticks[journeys.offsets[:-1]]).astype(np.float64)
    if not journeys.touchpoints:
        return np.zeros(0)
    column = journeys.value if cost == "value" else journeys[cost]
    if not isinstance(column, np.ndarray) or column.dtype.kind != "f":
        raise SchemaError(
            f"cost must be 'time', 'touchpoints' or a column of numbers; {cost!r} holds no numbers"
        )
    return np.asarray(segment_sum(np.nan_to_num(column), journeys.offsets))
