"""How long journeys take from step to step of a funnel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.codes import Vocabulary
from cxkit.core.intervals import check_level, divide
from cxkit.core.ragged import segment_sum
from cxkit.core.result import Result
from cxkit.core.spans import SpanLike, show_span, span_us
from cxkit.core.summary import SHARDS, parameter
from cxkit.core.timebins import RELATIVE_ERROR, bin_middles, bin_quantiles, bins_of, woodruff
from cxkit.errors import DefinitionError
from cxkit.flow.cells import starts
from cxkit.flow.funnels.funnel import Funnel
from cxkit.flow.numbered import NUMBERS, NumberedCells, numbered_rows
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys

__all__ = ["FunnelTimeTable", "FunnelTimes", "funnel_times"]

_USUAL: Final = (0.25, 0.5, 0.75, 0.9)
_FROM_ENTRY: Final = 256  # more than any funnel has steps


def funnel_times(
    journeys: Journeys | Journey,
    funnel: Funnel,
    *,
    quantiles: Sequence[float] = _USUAL,
    unit: SpanLike = "1h",
    exact: bool = True,
    level: float = 0.95,
) -> FunnelTimeTable:
    """How long it takes from the entry, and from the step before, to each step of a funnel.

    Only journeys that reach a step have a time to it: those that still would, had the data gone on,
    are the slow ones. For a time that counts them too, see :func:`survival`.

    Args:
        journeys: The journeys; their way through the funnel is that of :meth:`Funnel.passages`.
        funnel: The funnel.
        quantiles: Which, between 0 and 1: the smallest time that at least this share of the
            journeys do not exceed (type 1 of Hyndman and Fan 1996).
        unit: What times are counted in.
        exact: From the times themselves. Otherwise from bins, as :class:`FunnelTimes` has them,
            which are off by 0.8 percent at most and add up.
        level: Of the intervals.

    Raises:
        UnknownLabelError: The data does not have the event or channel of a step.
        DefinitionError: A quantile is not between 0 and 1, or ``unit`` no span.

    Example:
        >>> journeys = Journeys.from_table(
        ...     {"who": [1, 1, 2, 2], "sec": [0, 60, 0, 120], "what": ["view", "buy"] * 2},
        ...     customer="who",
        ...     time="sec",
        ...     event="what",
        ...     time_unit="s",
        ... )
        >>> times = funnel_times(journeys, Funnel(["view", "buy"]), quantiles=[0.5], unit="1min")
        >>> [(row["from"], row["to"], row["mean"], row["p50"]) for row in times.to_dicts()]
        [('view', 'buy', 1.5, 1.0), ('entry', 'buy', 1.5, 1.0)]
    """
    many = as_journeys(journeys)
    funnel.require(many)
    kinds, spans, shards = _spans(many, funnel)
    table = FunnelTimes._counted(funnel, kinds, spans, shards).result(  # noqa: SLF001  # its own
        quantiles=quantiles, unit=unit, level=level
    )
    if not exact:
        return table
    order = np.lexsort([spans, kinds])
    kinds, spans = kinds[order], spans[order]
    bounds = np.append(starts(kinds), len(kinds))
    size, us = np.diff(bounds)[:, np.newaxis], span_us(unit, name="unit")
    rank = np.clip(np.ceil(np.asarray(table.quantiles) * size - 1e-9), 1, size).astype(np.int64)
    times = spans[bounds[:-1, np.newaxis] + rank - 1] if len(spans) else table.times
    # As floats: the microseconds of a million journeys of a hundred days exceed 64 bits.
    mean = divide(segment_sum(spans.astype(np.float64), bounds), size[:, 0])
    times = times / us
    return attrs.evolve(
        table,
        exact=True,
        mean=mean / us,
        times=times,
        # Ends come from bins, up to one percent beside the times themselves.
        times_low=np.minimum(table.times_low, times),
        times_high=np.maximum(table.times_high, times),
    )


@attrs.frozen(eq=False, repr=False)
class FunnelTimes(NumberedCells):
    """Times between the steps of a funnel in bins, as a summary that adds up.

    Attributes:
        funnel: The funnel.
        labels: What is timed: number k is from step k - 1 to step k, 256 + k from the entry to it.
        codes: (R, 1) places in ``labels``.
        number: (R,) the bin of time, of 64 to every power of two.
        count: (R,) how many journeys.

    Example:
        >>> len(FunnelTimes.zero(funnel=Funnel(["view", "buy"])))
        0
    """

    funnel: Funnel = attrs.field(kw_only=True, metadata=parameter(Funnel.from_dict))

    @classmethod
    def of(cls, journeys: Journeys | Journey, /, *, funnel: Funnel) -> Self:
        """Count.

        Args:
            journeys: The journeys.
            funnel: The funnel, whose steps need not all occur.
        """
        return cls._counted(funnel, *_spans(as_journeys(journeys), funnel))

    @classmethod
    def _counted(cls, funnel: Funnel, kinds: IntArray, spans: IntArray, shards: IntArray) -> Self:
        labels, code = np.unique(kinds, return_inverse=True)
        cells = (code * NUMBERS + bins_of(spans)) * SHARDS + shards
        keys, count = np.unique(cells, return_counts=True)
        return cls(funnel=funnel, count=count, **numbered_rows(keys, Vocabulary(labels), 1))

    def result(
        self,
        *,
        quantiles: Sequence[float] = _USUAL,
        unit: SpanLike = "1h",
        level: float = 0.95,
    ) -> FunnelTimeTable:
        """Quantiles and means, with the intervals of the quantiles.

        Raises:
            DefinitionError: A quantile is not between 0 and 1, or ``unit`` no span.
        """
        wanted = _as_shares(quantiles)
        check_level(level)
        us, occupied, code = span_us(unit, name="unit"), self.occupied(), self.codes[:, 0]
        bounds = np.append(starts(code), len(code))
        kinds = np.asarray(self.labels.labels[code[bounds[:-1]]], np.int64)
        bins, many = self.number.astype(np.int64), len(kinds)
        rows = (self.count, bins, self.shard, bounds)
        times, low, high = np.empty((3, many, len(wanted)))
        for q, share in enumerate(wanted.tolist()):
            found = bin_quantiles(self.count, bins, bounds, np.full(many, share))
            ends = woodruff(rows, found, share, occupied, level)
            for out, shares in ((low, ends[0]), (high, ends[1])):
                out[:, q] = bin_quantiles(self.count, bins, bounds, shares) / us
            times[:, q] = found / us
        count = segment_sum(self.count, bounds)
        return FunnelTimeTable(
            funnel=self.funnel,
            unit=show_span(us),
            kinds=kinds,
            count=count,
            mean=divide(segment_sum(self.count * bin_middles(bins), bounds), count) / us,
            quantiles=tuple(wanted.tolist()),
            times=times,
            times_low=low,
            times_high=high,
        )


@attrs.frozen(eq=False, repr=False, kw_only=True)
class FunnelTimeTable(Result):
    """How long steps of a funnel take: first from step to step, then from the entry.

    Attributes:
        funnel: The funnel.
        unit: What times are counted in.
        kinds: (n,) k for the time from step k - 1 to step k, 256 + k for that from the entry to it.
        count: (n,) journeys that reach the step.
        mean: (n,) units.
        quantiles: The Q quantiles.
        times: (n, Q) quantiles in units.
        times_low: (n, Q) low ends of their intervals (Woodruff 1952); NaN for too few customers.
        times_high: (n, Q) high ends.
        exact: Whether mean and quantiles come from the times themselves.
    """

    funnel: Funnel
    unit: str
    kinds: IntArray = attrs.field(converter=freeze)
    count: IntArray = attrs.field(converter=freeze)
    mean: NDArray[np.float64] = attrs.field(converter=freeze)
    quantiles: tuple[float, ...]
    times: NDArray[np.float64] = attrs.field(converter=freeze)
    times_low: NDArray[np.float64] = attrs.field(converter=freeze)
    times_high: NDArray[np.float64] = attrs.field(converter=freeze)
    exact: bool = False

    def columns(self) -> Mapping[str, Any]:
        """One row per pair of steps; quantiles are ``p50`` and so on."""
        names, step = self.funnel.step_names, self.kinds % _FROM_ENTRY
        whole = (self.kinds > _FROM_ENTRY).tolist()
        columns: dict[str, Any] = {
            "from": [
                "entry" if entry else names[k - 2]
                for k, entry in zip(step.tolist(), whole, strict=True)
            ],
            "to": [names[k - 1] for k in step.tolist()],
            "journeys": self.count,
            "mean": self.mean,
        }
        for q, share in enumerate(self.quantiles):
            name = f"p{100 * share:g}"
            columns[name] = self.times[:, q]
            columns[f"{name}_low"] = self.times_low[:, q]
            columns[f"{name}_high"] = self.times_high[:, q]
        return columns

    def title(self) -> str:
        """What times are counted in."""
        return f"time between steps of the funnel, in units of {self.unit}"

    def notes(self) -> tuple[str, ...]:
        """The policy in words, and how exact it is."""
        error = f"mean and quantiles from bins: within {100 * RELATIVE_ERROR:.1f} percent"
        return (
            self.funnel.told(),
            "only journeys that reach the step; those that still would are not counted",
            "ends of intervals from bins" if self.exact else error,
        )


def _as_shares(quantiles: Sequence[float]) -> NDArray[np.float64]:
    try:
        wanted = np.asarray(quantiles, np.float64)
    except (TypeError, ValueError):
        wanted = np.full(1, np.nan)
    if wanted.ndim != 1 or not np.all((wanted >= 0) & (wanted <= 1)):
        raise DefinitionError(
            f"quantiles are numbers between 0 and 1, such as [0.5, 0.9]; found {quantiles!r}"
        )
    return wanted


def _spans(journeys: Journeys, funnel: Funnel) -> tuple[IntArray, IntArray, IntArray]:
    """(n,) what is timed, (n,) microseconds and (n,) shards: each time of each journey."""
    passages = funnel.passages(journeys)
    ticks = journeys.time.view(np.int64)
    kinds, spans, shards = [], [], []
    for base in (0, _FROM_ENTRY):
        for step in range(1, len(funnel.steps)):
            there = np.flatnonzero(passages[:, step] >= 0)
            since = passages[there, 0 if base else step - 1]
            kinds.append(np.full(len(there), base + step + 1))
            spans.append(ticks[passages[there, step]] - ticks[since])
            shards.append(journeys.shards[there])
    none = np.zeros(0, np.int64)
    return tuple(np.concatenate([none, *some]) for some in (kinds, spans, shards))  # type: ignore[return-value]  # three of them
