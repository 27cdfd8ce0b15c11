"""What contexts look like, and their shares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.codes import Codes, Vocabulary
from cxkit.core.intervals import divide, share_interval
from cxkit.core.ragged import chunks
from cxkit.core.result import Result
from cxkit.flow.cells import spread
from cxkit.flow.paths import JOIN, START, few_customers, show_path

__all__ = ["COLUMNS", "ContextTable", "context_shares"]

_AT_ONCE: Final = 16_384
COLUMNS: Final = ("count", "share", "share_low", "share_high")


@attrs.frozen(eq=False, repr=False, kw_only=True)
class ContextTable(Result):
    """How often each label comes after each context: one row per pair that occurs.

    Attributes:
        by: The column that was counted.
        order: How many labels make a context.
        labels: The K labels.
        context: (P, order) codes of the labels before, the last one directly before; K is missing,
            K + 1 stands before the start of the journey.
        target: (P,) codes of the labels that follow.
        count: (P,) how often, most frequent first.
        share: (P,) of all steps on from the same context. The end of a journey is no step.
        share_low: (P,) low end of its interval; NaN for too few customers.
        share_high: (P,) high end.
    """

    by: str
    order: int
    labels: Vocabulary
    context: IntArray = attrs.field(converter=freeze)
    target: IntArray = attrs.field(converter=freeze)
    count: IntArray = attrs.field(converter=freeze)
    share: NDArray[np.float64] = attrs.field(converter=freeze)
    share_low: NDArray[np.float64] = attrs.field(converter=freeze)
    share_high: NDArray[np.float64] = attrs.field(converter=freeze)

    def columns(self) -> Mapping[str, Any]:
        """One row per pair; the context is its labels joined by ``" > "``."""
        names = [*self.labels, None]
        beyond = len(names)
        shown = [
            JOIN.join(
                [START] * (row[0] == beyond)
                + [show_path([names[code]]) for code in row if code != beyond]
            )
            for row in self.context.tolist()
        ]
        numbers = {name: getattr(self, name) for name in COLUMNS}
        return {"context": shown, "to": Codes(self.target, self.labels).to_list(), **numbers}

    def title(self) -> str:
        """What was counted."""
        return (
            f"next {self.by} after the last {self.order}: {len(self.count):,} pairs, "
            f"{int(self.count.sum()):,} steps"
        )

    def notes(self) -> tuple[str, ...]:
        """What the share is a share of."""
        told = "share: of all steps on from the same context, ends of journeys not counted"
        return (told, *few_customers(self.share_low))


def context_shares(
    count: IntArray,
    shard: NDArray[np.uint8],
    pairs: IntArray,
    context: IntArray,
    occupied: NDArray[np.bool_],
    level: float,
) -> tuple[NDArray[Any], ...]:
    """Counts and shares of pairs; rows are in pairs, pairs in contexts."""
    many = len(pairs) - 1
    whole_count = np.zeros(many, np.int64)
    share, low, high = (np.empty(many) for _ in range(3))
    for c0, c1, p0, p1 in chunks(context, _AT_ONCE):
        part = spread(count, shard, pairs[p0 : p1 + 1])
        leaving = np.add.reduceat(part, context[c0:c1] - p0, axis=1)
        whole = np.repeat(leaving, np.diff(context[c0 : c1 + 1]), axis=1)
        whole_count[p0:p1] = part.sum(axis=0)
        share[p0:p1] = divide(part.sum(axis=0), whole.sum(axis=0))
        low[p0:p1], high[p0:p1] = share_interval(part, whole, occupied, level=level)
    return whole_count, share, low, high
