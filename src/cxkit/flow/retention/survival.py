"""How long it lasts until something happens, where for many it has not happened yet.

Kaplan and Meier 1958, "Nonparametric estimation from incomplete observations", Journal of the
American Statistical Association 53: of those who had waited until a time, the share to whom it then
happened; and the product of all shares to whom it did not. Journeys whose data ended before count
for as long as they were seen. It takes their ends for unrelated to what they would have done, and
journeys for independent.
"""

from __future__ import annotations

from typing import Any, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, smallest_unsigned
from cxkit.core.codes import Codes, Vocabulary
from cxkit.core.factorize import used_numbers
from cxkit.core.spans import InstantLike, SpanLike, instant_us, show_span, span_us
from cxkit.core.summary import AXIS, PARAMETER, parameter, total
from cxkit.errors import DefinitionError
from cxkit.flow.retention.beginnings import as_until
from cxkit.flow.retention.logrank import LogRank, log_rank_of
from cxkit.flow.retention.survivaltables import SurvivalTable, table_of
from cxkit.flow.retention.waits import Wait, wait_from_dict, waits_of
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys
from cxkit.model.summaries import JourneySummary

__all__ = ["SurvivalCounts", "survival"]


def survival(
    journeys: Journeys | Journey,
    wait: Wait,
    *,
    until: InstantLike,
    by: str | None = None,
    unit: SpanLike = "1d",
    level: float = 0.95,
) -> SurvivalTable:
    """How many are still waiting after each time: Kaplan-Meier, with intervals.

    Args:
        journeys: The journeys; whole customers, not their visits.
        wait: What is waited for: :class:`~cxkit.flow.TimeTo` a goal, or
            :class:`~cxkit.flow.Churn`.
        until: The instant at which the data ends; touchpoints from then on are left out.
        by: A column: one curve for each label of the touchpoint at which the wait begins.
        unit: Times are counted in whole units, those begun left out.
        level: Of the intervals.

    Raises:
        UnknownLabelError: The data does not have the event or channel of a goal.
        SchemaError: There is no such column, or it holds numbers.
        DefinitionError: ``wait`` is none, ``until`` no instant, or ``unit`` no span.

    Example:
        >>> from cxkit.flow import TimeTo
        >>> journeys = Journeys.from_table(
        ...     {
        ...         "who": ["ann", "ann", "bob", "cid", "cid"],
        ...         "when": ["2024-01-01", "2024-01-03", "2024-01-02", "2024-01-01", "2024-01-06"],
        ...         "what": ["look", "buy", "look", "look", "buy"],
        ...     },
        ...     customer="who",
        ...     time="when",
        ...     event="what",
        ...     tz="UTC",
        ... )
        >>> found = survival(journeys, TimeTo("buy"), until="2024-01-06T12:00Z")
        >>> for row in found.to_dicts():
        ...     print(row["time"], row["at_risk"], row["events"], row["censored"], row["survival"])
        2 3 1 0 0.6666666666666667
        4 2 0 1 0.6666666666666667
        5 1 1 0 0.0
        >>> found.quantile(0.5)[0].tolist()
        [5.0]
    """
    many = as_journeys(journeys)
    if not isinstance(wait, Wait):
        raise DefinitionError(f"wait is TimeTo(...) a goal, or Churn(...); found {wait!r}")
    for goal in wait.goals():
        if many.touchpoints:
            goal.require(many)
    return SurvivalCounts.of(many, wait=wait, until=until, by=by, unit=unit).result(level=level)


@attrs.frozen(eq=False, repr=False, kw_only=True)
class SurvivalCounts(JourneySummary):
    """To how many it happened after how long, and how many were seen no longer; it adds up.

    Attributes:
        wait: What is waited for.
        until: The instant at which the data ends.
        unit: What times are counted in.
        by: The column of groups; ``None`` for all in one.
        labels: The K labels.
        code: (R,) the label of each row; K is missing, and also everybody where ``by`` is ``None``.
        time: (R,) whole units. Rows are in order of (code, time).
        events: (R,) journeys to which it happened then.
        censored: (R,) journeys that were seen no longer.
    """

    wait: Wait = attrs.field(metadata=parameter(wait_from_dict))
    until: str = attrs.field(metadata=PARAMETER)
    unit: str = attrs.field(metadata=PARAMETER)
    by: str | None = attrs.field(metadata=PARAMETER)
    labels: Vocabulary = attrs.field(metadata=AXIS)
    code: NDArray[Any] = attrs.field(metadata=total("time"))
    time: IntArray = attrs.field(metadata=total("time"))
    events: IntArray = attrs.field(metadata=total("time"))
    censored: IntArray = attrs.field(metadata=total("time"))

    @classmethod
    def of(
        cls,
        journeys: Journeys | Journey,
        /,
        *,
        wait: Wait,
        until: InstantLike,
        by: str | None = None,
        unit: SpanLike = "1d",
    ) -> Self:
        """Count; a goal that this part of the data lacks is reached by none.

        Args:
            journeys: The journeys.
            wait: What is waited for.
            until: The instant at which the data ends.
            by: A column of labels.
            unit: What times are counted in.

        Raises:
            SchemaError: There is no such column, or it holds numbers.
            DefinitionError: ``until`` is no instant, or ``unit`` no span.
        """
        end, size = instant_us(until, name="until"), span_us(unit, name="unit")
        many = as_journeys(journeys)
        waits = waits_of(wait, many, end)
        column = Codes.all_missing(many.touchpoints) if by is None else many.codes(by)
        code = column.codes[waits.start].astype(np.int64)
        rows = _rows(code, waits.us // size, waits.happened.astype(np.int64), ~waits.happened)
        return cls(
            wait=wait,
            until=as_until(until),
            unit=show_span(size),
            by=by,
            **_over_used(rows, column.vocabulary),
        )

    def _merged(self, other: Self) -> dict[str, Any]:
        labels = self.labels.union(other.labels)
        parts = [(part.labels.positions_in(labels)[part.code], part) for part in (self, other)]
        rows = _rows(
            np.concatenate([code for code, _ in parts]),
            *(
                np.concatenate([getattr(part, name) for _, part in parts])
                for name in ("time", "events", "censored")
            ),
        )
        return _over_used(rows, labels)

    def result(self, *, level: float = 0.95) -> SurvivalTable:
        """The curve of each group, with intervals."""
        return table_of(self, level)

    def log_rank(self) -> LogRank:
        """Whether the groups wait differently long; see :class:`LogRank`."""
        return log_rank_of(self)


def _rows(
    code: NDArray[Any], time: IntArray, events: NDArray[Any], censored: NDArray[Any]
) -> tuple[NDArray[Any], ...]:
    """Rows in order of (code, time), each once."""
    known, place = np.unique(code, return_inverse=True)
    longest = int(time.max(initial=0)) + 1
    if len(known) * longest < 2**62:
        keys, cell = np.unique(place * longest + time, return_inverse=True)
        codes, times = known[keys // longest], keys % longest
    else:  # times in microseconds, and many labels
        both, cell = np.unique(np.stack([place, time]), axis=1, return_inverse=True)
        codes, times = known[both[0]], both[1]
    counts = [
        np.bincount(cell.ravel(), column, len(codes)).astype(np.int64)
        for column in (events, censored)
    ]
    return codes, times, *counts


def _over_used(rows: tuple[NDArray[Any], ...], labels: Vocabulary) -> dict[str, Any]:
    """The fields of a summary, over the labels that occur."""
    code, time, events, censored = rows
    used = used_numbers(code, len(labels), beyond=1)
    table = np.append(np.cumsum(used) - 1, used.sum()).astype(smallest_unsigned(int(used.sum())))
    kept = labels.kept(used)
    fields = {"labels": kept, "code": table[code], "time": time}
    return {**fields, "events": events, "censored": censored}
