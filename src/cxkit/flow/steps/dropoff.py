"""Drop-off: where journeys end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.codes import Codes, Vocabulary
from cxkit.core.intervals import divide, share_interval
from cxkit.core.ragged import chunks, segment_max, segment_sum
from cxkit.core.records import check_fields
from cxkit.core.result import Result
from cxkit.core.summary import SHARDS, parameter, total
from cxkit.flow.cells import CellCounts, CellSummary, cells_of_keys, spread, starts
from cxkit.model.goal import Goal, GoalLike, as_goal
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys

__all__ = ["DropOff", "DropOffRule", "DropOffTable", "drop_off"]

_SCHEMA: Final = "cxkit/drop-off/1"
_LABELS_AT_ONCE: Final = 16_384
_RATES: Final = ("share", "share_low", "share_high", "end_rate", "end_rate_low", "end_rate_high")
_TOTALS: Final = ("touchpoints", "journeys", "ends", "reached")
_COLUMNS: Final = (*_TOTALS[:3], *_RATES, "reached")


def drop_off(
    journeys: Journeys | Journey,
    by: str = "event",
    *,
    goal: GoalLike | None = None,
    level: float = 0.95,
) -> DropOffTable:
    """Where journeys end, and which of the labels that they pass are ends.

    Args:
        journeys: The journeys.
        by: A column of labels. A missing label counts as a label of its own.
        goal: Count the ends of those journeys only that do not reach it: the lost ones.
        level: Of the intervals.

    Raises:
        SchemaError: There is no such column, or it holds numbers.
        UnknownLabelError: The data does not have the goal's event or channel.

    Example:
        >>> journeys = Journeys.from_table(
        ...     {
        ...         "who": [1, 1, 2, 2, 3],
        ...         "sec": [1, 2, 3, 4, 5],
        ...         "what": ["view", "cart", "view", "buy", "view"],
        ...     },
        ...     customer="who",
        ...     time="sec",
        ...     event="what",
        ...     time_unit="s",
        ... )
        >>> for row in drop_off(journeys, goal="buy").to_dicts():
        ...     print(row["event"], row["journeys"], row["ends"], row["end_rate"], row["reached"])
        cart 1 1 1.0 0
        view 2 1 0.5 1
        buy 0 0 nan 1
    """
    many = as_journeys(journeys)
    if goal is not None and many.touchpoints:
        as_goal(goal).require(many)
    return DropOff.of(many, by=by, goal=goal).result(level=level)


@attrs.frozen
class DropOffRule:
    """What a drop-off counts.

    Attributes:
        by: The column.
        goal: Journeys that reach it are not lost; without one, every journey counts.
    """

    by: str = "event"
    goal: Goal | None = None

    def to_dict(self) -> dict[str, Any]:
        """The rule as plain data for JSON."""
        goal = None if self.goal is None else self.goal.to_dict()
        return {"schema": _SCHEMA, "by": self.by, "goal": goal}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> DropOffRule:
        """Read back what :meth:`to_dict` wrote.

        Raises:
            DataError: The data is of another schema.
        """
        check_fields(data, _SCHEMA, "drop-off", [], ["by", "goal"])
        goal = data.get("goal")
        return cls(data.get("by", "event"), None if goal is None else Goal.from_dict(goal))


@attrs.frozen(eq=False, repr=False, kw_only=True)
class DropOff(CellSummary):
    """Where journeys end, as a summary that adds up.

    Attributes:
        rule: The column and the goal.
        touchpoints: (R,) touchpoints of lost journeys with the row's label, in the row's shard.
        journeys: (R,) lost journeys that pass the label.
        ends: (R,) lost journeys that end with it.
        reached: (R,) journeys that pass the label and reach the goal; 0 without a goal.
        all_journeys: (64,) journeys in every shard.
        all_reached: (64,) those that reach the goal.

    Example:
        >>> DropOff.of(Journeys.empty(), goal="buy").all_journeys.sum()
        np.int64(0)
    """

    rule: DropOffRule = attrs.field(metadata=parameter(DropOffRule.from_dict))
    touchpoints: IntArray = attrs.field(metadata=total("cell"))
    journeys: IntArray = attrs.field(metadata=total("cell"))
    ends: IntArray = attrs.field(metadata=total("cell"))
    reached: IntArray = attrs.field(metadata=total("cell"))
    all_journeys: IntArray = attrs.field(metadata=total("shard"))
    all_reached: IntArray = attrs.field(metadata=total("shard"))

    @classmethod
    def of(
        cls, journeys: Journeys | Journey, /, *, by: str = "event", goal: GoalLike | None = None
    ) -> Self:
        """Count. A goal that this part of the data lacks is reached by none.

        Args:
            journeys: The journeys.
            by: A column of labels.
            goal: Journeys that reach it are not lost.

        Raises:
            SchemaError: There is no such column, or it holds numbers.
        """
        many = as_journeys(journeys)
        rule = DropOffRule(by, None if goal is None else as_goal(goal))
        column = many.codes(by)
        won = np.zeros(len(many), dtype=bool)
        if rule.goal is not None:
            won = segment_max(rule.goal.matches(many), many.offsets)
        passed, ends = _count(many, column, won)
        keys = np.unique(np.concatenate([k for k, _ in passed]))
        totals: dict[str, Any] = {}
        for name, (found, counts) in zip(
            ("touchpoints", "journeys", "reached", "ends"), [*passed, ends], strict=True
        ):
            totals[name] = np.zeros(len(keys), np.int64)
            totals[name][np.searchsorted(keys, found)] = counts
        return cls(
            rule=rule,
            all_journeys=np.bincount(many.shards, minlength=SHARDS),
            all_reached=np.bincount(many.shards[won], minlength=SHARDS),
            **totals,
            **cells_of_keys(keys, column.vocabulary, 1),
        )

    def result(self, *, level: float = 0.95) -> DropOffTable:
        """Shares of all ends, and how often a label that is passed is the end, with intervals."""
        occupied, code = self.occupied(), self.codes[:, 0]
        first = starts(code)
        bounds = np.append(first, len(code))  # (L + 1,) rows of each label
        totals = {name: segment_sum(getattr(self, name), bounds) for name in _TOTALS}
        whole = (self.all_journeys - self.all_reached)[:, np.newaxis]
        low, high, rate_low, rate_high = (np.empty(len(first)) for _ in range(4))
        # All shards of all labels at once could be gigabytes: some labels at a time.
        for l0 in range(0, len(first), _LABELS_AT_ONCE):
            some = slice(l0, l0 + _LABELS_AT_ONCE)
            rows = bounds[l0 : l0 + _LABELS_AT_ONCE + 1]
            ends, passed = (spread(x, self.shard, rows) for x in (self.ends, self.journeys))
            low[some], high[some] = share_interval(ends, whole, occupied, level=level)
            rate_low[some], rate_high[some] = share_interval(ends, passed, occupied, level=level)
        order = np.argsort(-totals["ends"], kind="stable")  # equal ones stay in order of labels
        return DropOffTable(
            rule=self.rule,
            labels=self.labels,
            codes=code[first][order],
            **{name: totals[name][order] for name in _TOTALS},
            share=divide(totals["ends"], whole.sum())[order],
            share_low=low[order],
            share_high=high[order],
            end_rate=divide(totals["ends"], totals["journeys"])[order],
            end_rate_low=rate_low[order],
            end_rate_high=rate_high[order],
            all_journeys=int(self.all_journeys.sum()),
            all_reached=int(self.all_reached.sum()),
        )


@attrs.frozen(eq=False, repr=False, kw_only=True)
class DropOffTable(Result):
    """Where journeys end: one row per label, the most frequent end first.

    With a goal, the lost journeys alone are counted: those that do not reach it.

    Attributes:
        rule: The column and the goal.
        labels: The K labels.
        codes: (L,) the label of each row; K is missing.
        touchpoints: (L,) touchpoints with the label.
        journeys: (L,) journeys that pass it.
        ends: (L,) journeys that end with it.
        share: (L,) of all ends.
        share_low: (L,) low end of its interval; NaN for too few customers.
        share_high: (L,) high end.
        end_rate: (L,) of the journeys that pass it; NaN if none does.
        end_rate_low: (L,) low end of its interval.
        end_rate_high: (L,) high end.
        reached: (L,) journeys that pass the label and reach the goal.
        all_journeys: Journeys, lost or not.
        all_reached: Journeys that reach the goal.
    """

    rule: DropOffRule
    labels: Vocabulary
    codes: NDArray[Any] = attrs.field(converter=freeze)
    touchpoints: IntArray = attrs.field(converter=freeze)
    journeys: IntArray = attrs.field(converter=freeze)
    ends: IntArray = attrs.field(converter=freeze)
    share: NDArray[np.float64] = attrs.field(converter=freeze)
    share_low: NDArray[np.float64] = attrs.field(converter=freeze)
    share_high: NDArray[np.float64] = attrs.field(converter=freeze)
    end_rate: NDArray[np.float64] = attrs.field(converter=freeze)
    end_rate_low: NDArray[np.float64] = attrs.field(converter=freeze)
    end_rate_high: NDArray[np.float64] = attrs.field(converter=freeze)
    reached: IntArray = attrs.field(converter=freeze)
    all_journeys: int
    all_reached: int

    def columns(self) -> Mapping[str, Any]:
        """The label (under the name of the column) and its numbers; ``reached`` with a goal."""
        names = _COLUMNS if self.rule.goal is not None else _COLUMNS[:-1]
        numbers = {name: getattr(self, name) for name in names}
        label = "label" if self.rule.by in numbers else self.rule.by
        return {label: Codes(self.codes, self.labels).to_list(), **numbers}

    def title(self) -> str:
        """What was counted."""
        if self.rule.goal is None:
            return f"where {self.all_journeys:,} journeys end, by {self.rule.by}"
        lost = self.all_journeys - self.all_reached
        return f"where {lost:,} lost journeys end, by {self.rule.by}"

    def notes(self) -> tuple[str, ...]:
        """What is not counted."""
        if self.rule.goal is None:
            return ()
        goal, reached = self.rule.goal.name, f"{self.all_reached:,}"
        return (f"lost: journeys that do not reach {goal}; {reached} do, see column reached",)


_Counted = tuple[IntArray, IntArray]


def _count(
    journeys: Journeys, column: Codes, won: NDArray[np.bool_]
) -> tuple[list[_Counted], _Counted]:
    """Keys and counts: touchpoints and journeys of lost ones, journeys of the others; ends."""
    offsets, size = journeys.offsets, np.diff(journeys.offsets)
    codes, lost = column.codes, ~won
    slots = column.slots + 1
    touchpoints, passed, reached, ends = (CellCounts(slots, journeys.touchpoints) for _ in range(4))
    shards, shard = journeys.shards, journeys.row_shards
    last = offsets[1:] - 1
    ends.add(codes[last[lost]], shards[lost])
    bits = np.uint64((slots - 1).bit_length())
    for j0, j1, e0, e1 in chunks(offsets):
        code = codes[e0:e1]
        rows = np.repeat(lost[j0:j1], size[j0:j1])
        touchpoints.add(code[rows], shard[e0:e1][rows])
        # Which labels a journey passes: its (journey, label) pairs, sorted, each once.
        pairs = np.repeat(np.arange(j1 - j0, dtype=np.uint64) << bits, size[j0:j1])
        pairs |= code
        pairs.sort()
        first = np.ones(len(pairs), dtype=bool)
        np.not_equal(pairs[1:], pairs[:-1], out=first[1:])
        pairs = pairs[first]
        of = (pairs >> bits).astype(np.intp) + j0
        label = pairs & ((np.uint64(1) << bits) - np.uint64(1))
        passed.add(label[lost[of]].astype(codes.dtype), shards[of[lost[of]]])
        if won[j0:j1].any():
            reached.add(label[won[of]].astype(codes.dtype), shards[of[won[of]]])
    return [c.found() for c in (touchpoints, passed, reached)], ends.found()
