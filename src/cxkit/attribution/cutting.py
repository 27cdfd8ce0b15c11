"""Cutting journeys into paths, and finding the touches of each.

A journey is cut after every conversion: each piece is a *path*. The rows after the last conversion,
if there are any, are a *null path*. What counts as a touch of a path is said by :class:`PathRule`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.ragged import chunks
from cxkit.core.records import check_fields
from cxkit.core.spans import SpanLike, show_span, span_us
from cxkit.errors import DefinitionError
from cxkit.model.goal import Goal, GoalLike, as_goal
from cxkit.model.journeys import Journeys

__all__ = [
    "Cut",
    "PathRule",
    "TouchesLike",
    "conversion_values",
    "cut_paths",
    "find_touches",
    "span_text",
    "sum_by",
]

TouchesLike: TypeAlias = GoalLike | Iterable[GoalLike] | None

_SCHEMA: Final = "cxkit/path-rule/1"
_DAY: Final = span_us("1d", name="day")


def span_text(value: SpanLike, *, name: str) -> str:
    """A span as the one text by which it is compared and shown, in days where it is whole days."""
    us = span_us(value, name=name)
    return f"{us // _DAY}d" if us % _DAY == 0 else show_span(us)


def _lookback(value: SpanLike | None) -> str | None:
    return None if value is None else span_text(value, name="lookback")


def _touches(value: TouchesLike) -> tuple[Goal, ...] | None:
    if value is None:
        return None
    given = [value] if isinstance(value, (Goal, str, int)) else list(value)
    if not given:
        raise DefinitionError("touches is empty: nothing could earn credit; None means every event")
    # Sorted, so that the same touches in another order are the same rule.
    return tuple(sorted({as_goal(g) for g in given}, key=lambda g: (str(g.event), g.name)))


@attrs.frozen
class PathRule:
    """What a path is, and which of its touchpoints are touches.

    Attributes:
        goal: The goal whose touchpoints are the conversions.
        by: The column whose labels earn the credit.
        lookback: Only touchpoints at most this long before the end of their path are touches:
            before the conversion, or before the last touchpoint of a null path. ``None``: all.
        goal_is_touch: Whether the conversion's own touchpoint is the last touch of its path.
        touches: The events, or goals, that count as touches; ``None``: every one. Other touchpoints
            stay part of the journey but earn nothing, and that holds for the conversion's own too.

    Raises:
        DefinitionError: The goal, the lookback or the touches cannot be read.

    Example:
        >>> PathRule("purchase", lookback="168h", touches=["view"]).lookback
        '7d'
    """

    goal: Goal = attrs.field(converter=as_goal)
    by: str = attrs.field(default="channel", kw_only=True)
    lookback: str | None = attrs.field(default=None, kw_only=True, converter=_lookback)
    goal_is_touch: bool = attrs.field(default=True, kw_only=True)
    touches: tuple[Goal, ...] | None = attrs.field(default=None, kw_only=True, converter=_touches)

    def require(self, journeys: Journeys) -> None:
        """Refuse what the data cannot answer.

        Raises:
            SchemaError: There is no column ``by``, or it holds numbers.
            UnknownLabelError: The goal or a touch does not occur in the data's vocabulary.
        """
        if self.by != "customer":
            _ = journeys[self.by]
        journeys.codes(self.by)
        for goal in (self.goal, *(self.touches or ())):
            goal.require(journeys)

    def is_touch(self, journeys: Journeys, goals: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
        """(E,) which touchpoints are touches, apart from the lookback; ``None`` if all are."""
        keep: NDArray[np.bool_] | None = None
        for goal in self.touches or ():
            matched = goal.matches(journeys)
            keep = matched if keep is None else keep | matched
        if self.goal_is_touch:
            return keep
        return ~goals if keep is None else keep & ~goals

    def to_dict(self) -> dict[str, Any]:
        """The rule as plain data for JSON."""
        return {
            "schema": _SCHEMA,
            "goal": self.goal.to_dict(),
            "by": self.by,
            "lookback": self.lookback,
            "goal_is_touch": self.goal_is_touch,
            "touches": None if self.touches is None else [g.to_dict() for g in self.touches],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> PathRule:
        """Read back what :meth:`to_dict` wrote.

        Raises:
            DataError: The data is of another schema.
        """
        names = ["goal", "by", "lookback", "goal_is_touch", "touches"]
        check_fields(data, _SCHEMA, "path rule", names)
        touches = data["touches"]
        return cls(
            Goal.from_dict(data["goal"]),
            by=data["by"],
            lookback=data["lookback"],
            goal_is_touch=data["goal_is_touch"],
            touches=None if touches is None else [Goal.from_dict(g) for g in touches],
        )


@attrs.frozen(eq=False)
class Cut:
    """Paths as runs of rows: first those with a conversion, then the null paths.

    Attributes:
        start: (P,) first row of each path.
        last: (P,) last row; of a converting path, that is the conversion.
        journey: (P,) the journey that it is cut from.
        conversions: The first so many paths have a conversion.
    """

    start: IntArray
    last: IntArray
    journey: IntArray
    conversions: int


def cut_paths(offsets: IntArray, goals: NDArray[np.bool_], *, nulls: bool = True) -> Cut:
    """Cut after every conversion; no pass over the rows but the one that finds the conversions.

    Args:
        offsets: (J + 1,) the journeys.
        goals: (E,) which rows are conversions.
        nulls: Whether the null paths are wanted too.
    """
    last = np.flatnonzero(goals)
    journey = np.searchsorted(offsets, last, side="right") - 1
    start = offsets[journey]
    again = np.flatnonzero(journey[1:] == journey[:-1]) + 1
    start[again] = last[again - 1] + 1
    if not nulls:
        return Cut(start, last, journey, len(last))
    # Where the null path of each journey would begin: of repeated positions the last one stays.
    tail = offsets[:-1].copy()
    tail[journey] = last + 1
    null = np.flatnonzero(tail < offsets[1:])
    return Cut(
        np.concatenate([start, tail[null]]),
        np.concatenate([last, offsets[1:][null] - 1]),
        np.concatenate([journey, null]),
        len(last),
    )


def find_touches(
    journeys: Journeys,
    rule: PathRule,
    cut: Cut,
    keep: NDArray[np.bool_] | None,
    column: NDArray[Any] | None = None,
) -> tuple[NDArray[Any], IntArray]:
    """The touches of paths, one path after another.

    Args:
        journeys: The journeys.
        rule: For the lookback.
        cut: The paths, P of them.
        keep: See :meth:`PathRule.is_touch`.
        column: (E,) what to pick from every touch; its row, if not given.

    Returns:
        (T,) what was picked, and (P,) how many touches each path has, which may be none.
    """
    size = cut.last - cut.start + 1
    counts = size.copy()
    offsets = np.zeros(len(size) + 1, np.int64)
    np.cumsum(size, out=offsets[1:])
    ticks = journeys.time.view(np.int64)
    span = None if rule.lookback is None else span_us(rule.lookback, name="lookback")
    picked = [np.zeros(0, np.int64 if column is None else column.dtype)]
    for p0, p1, e0, e1 in chunks(offsets):
        rows = np.arange(e0, e1)
        rows += np.repeat(cut.start[p0:p1] - offsets[p0:p1], size[p0:p1])
        kept = None if keep is None else keep[rows]
        if span is not None:
            recent = ticks[rows] >= np.repeat(ticks[cut.last[p0:p1]] - span, size[p0:p1])
            kept = recent if kept is None else kept & recent
        if kept is not None:
            counts[p0:p1] = np.add.reduceat(kept, offsets[p0:p1] - e0, dtype=np.int64)
            rows = rows[kept]
        picked.append(rows if column is None else column[rows])
    return np.concatenate(picked), counts


def conversion_values(journeys: Journeys, rows: IntArray) -> NDArray[np.float64]:
    """(C,) what the conversions at these rows are worth; a value of NaN is worth nothing."""
    return np.nan_to_num(journeys.value[rows])


def sum_by(at: NDArray[Any], amounts: NDArray[Any], slots: int) -> NDArray[np.float64]:
    """(slots,) sum of the amounts at each slot."""
    return np.asarray(np.bincount(at, amounts, slots), dtype=np.float64)
