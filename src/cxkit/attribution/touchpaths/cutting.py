"""What a path is, and which of its touchpoints may earn credit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias, TypedDict, Unpack

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.records import check_fields
from cxkit.core.spans import SpanLike, show_span, span_us
from cxkit.core.summary import SHARDS
from cxkit.errors import DefinitionError
from cxkit.model.goal import Goal, GoalLike, as_goal
from cxkit.model.journeys import Journeys

__all__ = [
    "PathOptions",
    "PathRule",
    "TouchesLike",
    "as_path_rule",
    "conversion_values",
    "span_text",
    "sum_by",
    "sum_by_shard",
]

TouchesLike: TypeAlias = GoalLike | Iterable[GoalLike] | None

_SCHEMA: Final = "cxkit/path-rule/1"
_FIELDS: Final = ("by", "lookback", "most_touches", "restart", "goal_is_touch", "touches")
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


def _check_most(_: object, __: object, value: Any) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise DefinitionError(f"most_touches must be a whole number from 1 up; found {value!r}")


@attrs.frozen
class PathRule:
    """What a path is, and which of its touchpoints are touches.

    A journey is cut after every conversion: each piece is a *path*. The rows after the last
    conversion, if there are any, are a *null path*. The lookback is that of each conversion by
    itself. A lookback of zero is no lookback at all and is refused; what happened at the instant of
    the conversion is within any.

    Attributes:
        goal: The goal whose touchpoints are the conversions.
        by: The column whose labels earn the credit.
        lookback: Only touchpoints at most this long before the end of their path are touches:
            before the conversion, or before the last touchpoint of a null path. ``None``: all.
        most_touches: Only the last so many touches of a path count; ``None``: all.
        restart: Whether a path begins after the conversion before it, so that every touchpoint is
            on one path only. If not, every path, the null path too, reaches back to the beginning
            of its journey (within the lookback), so that a touchpoint may earn part of several
            conversions; ``touchpoints`` in results then counts it once for each path.
        goal_is_touch: Whether the conversion's own touchpoint is the last touch of its path. If
            not, no touchpoint that reaches the goal is a touch, and so none on the paths of later
            conversions either, which without ``restart`` reach back to it.
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
    most_touches: int | None = attrs.field(default=None, kw_only=True, validator=_check_most)
    restart: bool = attrs.field(default=True, kw_only=True)
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
            "most_touches": self.most_touches,
            "restart": self.restart,
            "goal_is_touch": self.goal_is_touch,
            "touches": None if self.touches is None else [g.to_dict() for g in self.touches],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> PathRule:
        """Read back what :meth:`to_dict` wrote.

        Raises:
            DataError: The data is of another schema.
        """
        check_fields(data, _SCHEMA, "path rule", ["goal"], _FIELDS)
        given: dict[str, Any] = {name: data[name] for name in _FIELDS if name in data}
        if (touches := given.get("touches")) is not None:
            given["touches"] = [Goal.from_dict(g) for g in touches]
        return cls(Goal.from_dict(data["goal"]), **given)


class PathOptions(TypedDict, total=False):
    """The arguments of a :class:`PathRule` besides the goal, by name; see there."""

    by: str
    lookback: SpanLike | None
    most_touches: int | None
    restart: bool
    goal_is_touch: bool
    touches: TouchesLike


def as_path_rule(goal: GoalLike | PathRule, **options: Unpack[PathOptions]) -> PathRule:
    """A path rule from a goal and what else it is made of, or the rule itself.

    Args:
        goal: The goal, the name of its event, or a rule that says everything.
        options: The further arguments of :class:`PathRule`.

    Raises:
        DefinitionError: An argument cannot be read, or there is one beside a rule.

    Example:
        >>> as_path_rule("buy", lookback="7d") == as_path_rule(PathRule("buy", lookback="7d"))
        True
    """
    if not isinstance(goal, PathRule):
        return PathRule(goal, **options)
    if options:
        raise DefinitionError(
            f"{sorted(options)} beside a path rule, which says that already; change the rule with "
            "attrs.evolve"
        )
    return goal


def conversion_values(journeys: Journeys, rows: IntArray) -> NDArray[np.float64]:
    """(C,) what the conversions at these rows are worth; a value of NaN is worth nothing."""
    return np.nan_to_num(journeys.value[rows])


def sum_by(at: NDArray[Any], amounts: NDArray[Any], slots: int) -> NDArray[np.float64]:
    """(slots,) sum of the amounts at each slot."""
    return np.asarray(np.bincount(at, amounts, slots), dtype=np.float64)


def sum_by_shard(shard: NDArray[np.uint8], amounts: NDArray[Any]) -> NDArray[Any]:
    """(SHARDS,) sum of the amounts of each shard; whole numbers stay whole numbers."""
    sums = sum_by(shard, amounts, SHARDS)
    return sums if amounts.dtype.kind == "f" else np.rint(sums).astype(np.int64)
