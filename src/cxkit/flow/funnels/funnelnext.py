"""What those do who drop off: the touchpoint that comes after the last step they reached."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.codes import Label, Vocabulary
from cxkit.core.intervals import check_level, divide, share_interval
from cxkit.core.result import Result
from cxkit.core.summary import PARAMETER, SHARDS, parameter
from cxkit.flow.cells import starts
from cxkit.flow.funnels.funnel import Funnel
from cxkit.flow.numbered import NUMBERS, NumberedCells, numbered_rows
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys

__all__ = ["FunnelNext", "FunnelNextTable", "after_drop_off"]

_END: Final = "(end)"


def after_drop_off(
    journeys: Journeys | Journey, funnel: Funnel, by: str = "event", *, level: float = 0.95
) -> FunnelNextTable:
    """What comes right after the last step that a journey reaches, if that is not the last of all.

    Args:
        journeys: The journeys; their way through the funnel is that of :meth:`Funnel.passages`.
        funnel: The funnel.
        by: A column of labels. A missing label counts as a label of its own.
        level: Of the intervals.

    Raises:
        UnknownLabelError: The data does not have the event or channel of a step.
        SchemaError: There is no such column, or it holds numbers.

    Example:
        >>> journeys = Journeys.from_table(
        ...     {"who": [1, 1, 2, 3, 3], "sec": range(5), "what": ["a", "help", "a", "a", "b"]},
        ...     customer="who",
        ...     time="sec",
        ...     event="what",
        ...     time_unit="s",
        ... )
        >>> for row in after_drop_off(journeys, Funnel(["a", "b"])).to_dicts():
        ...     print(row["after"], "->", row["next"], row["journeys"], row["share"])
        a -> help 1 0.5
        a -> (end) 1 0.5
    """
    many = as_journeys(journeys)
    funnel.require(many)
    return FunnelNext.of(many, funnel=funnel, by=by).result(level=level)


@attrs.frozen(eq=False, repr=False)
class FunnelNext(NumberedCells):
    """What comes after the last step that was reached, as a summary that adds up.

    Attributes:
        funnel: The funnel.
        by: The column.
        codes: (R, 1) the label of the next touchpoint: K is missing, K + 1 the end of the journey.
        number: (R,) how many steps were reached.
        count: (R,) how many journeys.

    Example:
        >>> len(FunnelNext.zero(funnel=Funnel(["view", "buy"]), by="event"))
        0
    """

    funnel: Funnel = attrs.field(kw_only=True, metadata=parameter(Funnel.from_dict))
    by: str = attrs.field(kw_only=True, metadata=PARAMETER)

    @classmethod
    def of(cls, journeys: Journeys | Journey, /, *, funnel: Funnel, by: str = "event") -> Self:
        """Count.

        Args:
            journeys: The journeys.
            funnel: The funnel, whose steps need not all occur.
            by: A column of labels.

        Raises:
            SchemaError: There is no such column, or it holds numbers.
        """
        many = as_journeys(journeys)
        column = many.codes(by)
        passages = funnel.passages(many)
        depth = (passages >= 0).sum(axis=1)
        lost = np.flatnonzero((depth > 0) & (depth < len(funnel.steps)))
        after = passages[lost, depth[lost] - 1] + 1
        if funnel.ties == "any" and not funnel.adjacent:
            after = _later(many, after)
        ended = after == many.offsets[lost + 1]
        label = column.codes[np.where(ended, 0, after)].astype(np.int64) if len(lost) else after
        label[ended] = column.slots
        cells = (label * NUMBERS + depth[lost]) * SHARDS + many.shards[lost]
        keys, count = np.unique(cells, return_counts=True)
        return cls(funnel=funnel, by=by, count=count, **numbered_rows(keys, column.vocabulary, 1))

    def result(self, *, level: float = 0.95) -> FunnelNextTable:
        """Shares of those that dropped off after the same step, with intervals."""
        check_level(level)
        order = np.lexsort([self.shard, self.codes[:, 0], self.number])
        step, code = self.number[order].astype(np.int64), self.codes[order, 0].astype(np.int64)
        cell = step * (len(self.labels) + 2) + code
        first = starts(cell)
        many = len(first)
        part = np.zeros((SHARDS, many), np.int64)
        at = np.repeat(np.arange(many), np.diff(first, append=len(cell)))
        part[self.shard[order], at] = self.count[order]
        after = starts(step[first])
        whole = np.add.reduceat(part, after, axis=1) if many else part
        whole = np.repeat(whole, np.diff(after, append=many), axis=1)
        low, high = share_interval(part, whole, self.occupied(), level=level)
        count = part.sum(axis=0)
        place = np.lexsort([code[first], -count, step[first]])
        return FunnelNextTable(
            funnel=self.funnel,
            by=self.by,
            labels=self.labels,
            reached=step[first][place],
            next=code[first][place],
            journeys=count[place],
            share=divide(count, whole.sum(axis=0))[place],
            share_low=low[place],
            share_high=high[place],
        )


def _later(journeys: Journeys, after: IntArray) -> IntArray:
    """Step on, past touchpoints of the same instant as the one before, or to the journey's end."""
    ticks = journeys.time.view(np.int64)
    begins = np.ones(len(ticks) + 1, dtype=bool)
    np.not_equal(ticks[1:], ticks[:-1], out=begins[1:-1])
    begins[journeys.offsets] = True
    firsts = np.flatnonzero(begins)
    return firsts[np.searchsorted(firsts, after)]


@attrs.frozen(eq=False, repr=False, kw_only=True)
class FunnelNextTable(Result):
    """What comes after the last step that was reached: step by step, the most frequent first.

    Attributes:
        funnel: The funnel.
        by: The column.
        labels: The K labels.
        reached: (n,) how many steps were reached.
        next: (n,) the code of what comes next: K is missing, K + 1 the end of the journey.
        journeys: (n,) how many.
        share: (n,) of the journeys that dropped off after the same step.
        share_low: (n,) low end of its interval; NaN for too few customers.
        share_high: (n,) high end.
    """

    funnel: Funnel
    by: str
    labels: Vocabulary
    reached: IntArray = attrs.field(converter=freeze)
    next: IntArray = attrs.field(converter=freeze)
    journeys: IntArray = attrs.field(converter=freeze)
    share: NDArray[np.float64] = attrs.field(converter=freeze)
    share_low: NDArray[np.float64] = attrs.field(converter=freeze)
    share_high: NDArray[np.float64] = attrs.field(converter=freeze)

    def columns(self) -> Mapping[str, Any]:
        """One row per step and label; ``(end)`` where the journey ends with the step."""
        names = self.funnel.step_names
        shown: list[Label | None] = [*map(str, self.labels), None, _END]
        return {
            "after": [names[k - 1] for k in self.reached.tolist()],
            "next": [shown[code] for code in self.next.tolist()],
            "journeys": self.journeys,
            "share": self.share,
            "share_low": self.share_low,
            "share_high": self.share_high,
        }

    def title(self) -> str:
        """How many dropped off."""
        many = int(self.journeys.sum())
        return f"what comes next, by {self.by}, for {many:,} journeys that dropped off"

    def notes(self) -> tuple[str, ...]:
        """The policy in words."""
        return (self.funnel.told(), "(end): the journey ends with the step")
