"""What times of steps look like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.codes import Codes, Vocabulary
from cxkit.core.result import Result
from cxkit.flow.paths import few_customers

__all__ = ["StepTimeTable"]


@attrs.frozen(eq=False, repr=False, kw_only=True)
class StepTimeTable(Result):
    """How long steps take: one row per pair of labels, or per label for dwell times.

    Attributes:
        by: The column.
        labels: The K labels.
        onward: Whether rows are pairs of labels; else they are labels, and ``target`` is empty.
        source: (P,) codes of the labels that are left; K is missing.
        target: (P,) codes of the labels that follow.
        count: (P,) how often.
        mean: (P,) seconds.
        quantiles: The Q quantiles.
        seconds: (P, Q) quantiles in seconds.
        seconds_low: (P, Q) low ends of their intervals; NaN for too few customers.
        seconds_high: (P, Q) high ends.
        exact: Whether mean and quantiles come from the times themselves.
    """

    by: str
    labels: Vocabulary
    onward: bool
    source: NDArray[Any] = attrs.field(converter=freeze)
    target: NDArray[Any] = attrs.field(converter=freeze)
    count: IntArray = attrs.field(converter=freeze)
    mean: NDArray[np.float64] = attrs.field(converter=freeze)
    quantiles: tuple[float, ...]
    seconds: NDArray[np.float64] = attrs.field(converter=freeze)
    seconds_low: NDArray[np.float64] = attrs.field(converter=freeze)
    seconds_high: NDArray[np.float64] = attrs.field(converter=freeze)
    exact: bool = False

    def columns(self) -> Mapping[str, Any]:
        """One row per pair; quantiles are ``p50`` and so on, in seconds."""
        label = Codes(self.source, self.labels).to_list()
        if self.onward:
            names: dict[str, Any] = {"from": label, "to": Codes(self.target, self.labels).to_list()}
        else:
            names = {"label" if self.by in {"count", "mean"} else self.by: label}
        columns = {**names, "count": self.count, "mean": self.mean}
        for q, share in enumerate(self.quantiles):
            name = f"p{100 * share:g}"
            columns[name] = self.seconds[:, q]
            columns[f"{name}_low"] = self.seconds_low[:, q]
            columns[f"{name}_high"] = self.seconds_high[:, q]
        return columns

    def title(self) -> str:
        """What was measured."""
        what = "time of steps" if self.onward else "time until the next touchpoint"
        return f"{what} by {self.by}: {int(self.count.sum()):,} steps, seconds"

    def notes(self) -> tuple[str, ...]:
        """How exact it is."""
        bins = () if self.exact else ("mean and quantiles from bins: within 0.8 percent",)
        last = "last touchpoints of journeys have no next one and are not counted"
        return (*bins, last, *few_customers(self.seconds_low))
