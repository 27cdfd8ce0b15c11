"""What comes next after the last few labels: transitions of any order."""

from __future__ import annotations

from typing import Any, Final, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, smallest_unsigned
from cxkit.core.codes import Codes
from cxkit.core.factorize import factorize
from cxkit.core.intervals import check_level
from cxkit.core.ragged import ranks, segment_ids
from cxkit.core.sequences import SequenceSummary, count_sequences
from cxkit.core.summary import PARAMETER, SHARDS, parameter, total
from cxkit.core.whole import whole_number
from cxkit.flow.steps.contexttable import COLUMNS, ContextTable, context_shares
from cxkit.model.goal import Goal, GoalLike, as_goal
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys
from cxkit.model.summaries import JourneySummary

__all__ = ["Contexts", "contexts", "grams_of"]

_LONGEST: Final = 32
_ROOM: Final = 1 << 56


def contexts(
    journeys: Journeys | Journey, by: str = "event", *, order: int = 2, level: float = 0.95
) -> ContextTable:
    """How often each label comes directly after the last ``order`` labels, within journeys.

    Near the start of a journey there are fewer labels than that; such a context begins with
    ``(start)`` and is counted apart from the same labels in the middle of a journey.

    Args:
        journeys: The journeys; cut them into sessions first to look within visits only.
        by: A column of labels. A missing label counts as a label of its own.
        order: How many labels make a context, 1 to 32.
        level: Of the intervals.

    Raises:
        SchemaError: There is no such column, or it holds numbers.
        DefinitionError: ``order`` is not a whole number from 1 to 32.

    Example:
        >>> journeys = Journeys.from_table(
        ...     {
        ...         "who": [1, 1, 1, 2, 2, 2],
        ...         "sec": [1, 2, 3, 1, 2, 3],
        ...         "what": ["ad", "view", "buy", "mail", "view", "view"],
        ...     },
        ...     customer="who",
        ...     time="sec",
        ...     event="what",
        ...     time_unit="s",
        ... )
        >>> for row in contexts(journeys).to_dicts()[:2]:
        ...     print(row["context"], "|", row["to"], row["count"], row["share"])
        ad > view | buy 1 1.0
        mail > view | view 1 1.0
    """
    return Contexts.of(journeys, by=by, order=order).result(level=level)


@attrs.frozen(eq=False, repr=False, kw_only=True)
class Contexts(SequenceSummary, JourneySummary):
    """Counts of runs of labels, as a summary that adds up: what a next step depends on.

    Its sequences are the last ``order + 1`` labels at each touchpoint, the touchpoint's own last,
    or all labels so far where there are fewer. Every shorter context is a sum of these rows.

    Attributes:
        by: The column.
        order: How many labels make a context.
        goal: What ``reaching`` counts; ``None`` to count nothing.
        count: (S,) touchpoints at which the run of labels ends, in the row's shard.
        ends: (S,) those of them that are the last of their journey.
        reaching: (S,) those after which the journey reaches the goal.
        wait: (S,) the time from each of those to the goal, in all, in microseconds.

    Example:
        >>> len(Contexts.of(Journeys.empty(), by="channel"))
        0
    """

    by: str = attrs.field(metadata=PARAMETER)
    order: int = attrs.field(metadata=PARAMETER)
    goal: Goal | None = attrs.field(default=None, metadata=parameter(Goal.from_dict))
    count: IntArray = attrs.field(metadata=total("sequence"))
    ends: IntArray = attrs.field(metadata=total("sequence"))
    reaching: IntArray = attrs.field(metadata=total("sequence"))
    wait: NDArray[np.float64] = attrs.field(metadata=total("sequence"))

    @classmethod
    def of(
        cls,
        journeys: Journeys | Journey,
        /,
        *,
        by: str = "event",
        order: int = 2,
        goal: GoalLike | None = None,
    ) -> Self:
        """Count.

        Args:
            journeys: The journeys.
            by: A column of labels.
            order: How many labels make a context, 1 to 32.
            goal: Count also after which contexts it is reached; a goal that this part of the data
                lacks is reached by none.

        Raises:
            SchemaError: There is no such column, or it holds numbers.
            DefinitionError: ``order`` is not a whole number from 1 to 32.
        """
        many = as_journeys(journeys)
        order = whole_number(order, "order", most=_LONGEST)
        wanted = None if goal is None else as_goal(goal)
        column = many.codes(by)
        codes, offsets, shard, rows = _counted_grams(many, column, order)
        totals = _totals(many, wanted, rows, len(shard))
        used = np.unique(codes)
        kept = column.vocabulary.pick(used[used < column.missing])
        table = np.full(column.slots, len(kept), smallest_unsigned(len(kept)))
        table[used[used < column.missing]] = np.arange(len(kept))
        return cls(
            by=by,
            order=order,
            goal=wanted,
            labels=kept,
            **count_sequences(offsets, table[codes], shard, totals),
        )

    def result(self, *, level: float = 0.95) -> ContextTable:
        """Shares of all next labels after a context, with intervals; most frequent first."""
        check_level(level)
        full, offsets = self.codes, self.offsets
        size = np.diff(offsets)
        # A row is a context and what came next if it has a label before its last: then it is one
        # label shorter. Rows meet again over shards.
        rows = np.flatnonzero(size > 1)
        wide = np.full((len(rows), self.order + 1), len(self.labels) + 1, np.int64)
        for back in range(self.order + 1):
            has = size[rows] > back
            wide[has, self.order - back] = full[offsets[1:][rows[has]] - 1 - back]
        order = np.lexsort([self.shard[rows], *wide.T[::-1]])
        wide, shard, count = wide[order], self.shard[rows][order], self.count[rows][order]
        same = (wide[1:] == wide[:-1]).all(axis=1)
        first = np.flatnonzero(np.append(True, ~same)) if len(wide) else np.zeros(0, np.int64)
        pairs = np.append(first, len(wide))
        keys = wide[first]
        context = np.append(
            np.flatnonzero(np.append(True, (keys[1:, :-1] != keys[:-1, :-1]).any(axis=1)))
            if len(keys)
            else np.zeros(0, np.int64),
            len(keys),
        )
        counted = context_shares(count, shard, pairs, context, self.occupied(), level)
        order = np.argsort(-counted[0], kind="stable")
        return ContextTable(
            by=self.by,
            order=self.order,
            labels=self.labels,
            context=keys[order, :-1],
            target=keys[order, -1],
            **dict(zip(COLUMNS, (c[order] for c in counted), strict=True)),
        )


def grams_of(journeys: Journeys, column: Codes, order: int) -> list[IntArray]:
    """For each touchpoint, the code of the label 0, 1, ... ``order`` places before it.

    Returns:
        ``order + 1`` arrays (E,); K + 1 stands before the start of the journey.
    """
    place = ranks(journeys.offsets)
    own = column.codes.astype(np.int64)
    found = [own]
    for back in range(1, order + 1):
        earlier = np.full(len(own), column.slots, np.int64)
        earlier[back:] = own[: max(len(own) - back, 0)]
        earlier[place < back] = column.slots
        found.append(earlier)
    return found


def _counted_grams(
    journeys: Journeys, column: Codes, order: int
) -> tuple[NDArray[Any], IntArray, NDArray[np.uint8], NDArray[Any]]:
    """Distinct runs of labels: codes, offsets and shards of each, and (E,) which each row has."""
    places = grams_of(journeys, column, order)
    base = column.slots + 1
    key, room = journeys.row_shards.astype(np.int64), SHARDS
    for values in places:
        if room * base >= _ROOM and len(key):  # the distinct ones so far are numbered anew
            known, narrow = factorize(key)
            key, room = narrow.astype(np.int64), len(known)
        key = key * base + values
        room *= base
    known, group = factorize(key) if len(key) else (key, key)
    first = np.empty(len(known), np.int64)
    first[group[::-1]] = np.arange(len(key))[::-1]  # of equal ones the last write stays
    wide = np.stack([values[first] for values in reversed(places)], axis=1)
    real = wide != column.slots
    offsets = np.append(0, np.cumsum(real.sum(axis=1)))
    codes = wide[real].astype(smallest_unsigned(column.slots))
    return codes, offsets, journeys.row_shards[first], group


def _totals(
    journeys: Journeys, goal: Goal | None, group: NDArray[Any], size: int
) -> dict[str, Any]:
    last = journeys.offsets[1:] - 1
    totals: dict[str, Any] = {
        "count": np.bincount(group, minlength=size),
        "ends": np.bincount(group[last], minlength=size),
        "reaching": np.zeros(size, np.int64),
        "wait": np.zeros(size),
    }
    if goal is not None and len(group):
        wait = _until_goal(journeys, goal)
        ahead = np.flatnonzero(wait >= 0)
        totals["reaching"] = np.bincount(group[ahead], minlength=size)
        totals["wait"] = np.bincount(group[ahead], wait[ahead], size)
    return totals


def _until_goal(journeys: Journeys, goal: Goal) -> IntArray:
    """(E,) microseconds from each touchpoint to the next goal after it; -1 where there is none."""
    ticks, hits = journeys.time.view(np.int64), np.flatnonzero(goal.matches(journeys))
    at = np.searchsorted(hits, np.arange(len(ticks)), side="right")
    wait = np.full(len(ticks), -1, np.int64)
    if len(hits):
        following = hits[np.minimum(at, len(hits) - 1)]
        end = journeys.offsets[1:][segment_ids(journeys.offsets)]
        found = (at < len(hits)) & (following < end)
        wait[found] = ticks[following[found]] - ticks[found]
    return wait
