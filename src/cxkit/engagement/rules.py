"""A rule: points for a goal, and how repeats of it count."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final, Literal, get_args

import attrs

from cxkit.core.numerals import write_number
from cxkit.core.records import check_fields
from cxkit.core.spans import SpanLike, show_span, span_us
from cxkit.engagement.amounts import finite_number, positive_count, some_points
from cxkit.errors import DefinitionError, did_you_mean
from cxkit.model.goal import Goal, as_goal

__all__ = ["Count", "PointRule"]

Count = Literal[
    "every", "once_per_session", "once_per_customer", "cooldown", "debounce", "calendar_day"
]
"""The named ways in which repeats of a goal count."""

_COUNTS: Final[tuple[str, ...]] = get_args(Count)
_WITH_SPAN: Final = ("cooldown", "debounce")


def _points(value: Any) -> float:
    return finite_number(value, "points of a rule")


def _count(value: Any) -> Count:
    if value not in _COUNTS:
        raise DefinitionError(
            f"count={value!r} is not a way of counting; there are {list(_COUNTS)}."
            f"{did_you_mean(value, _COUNTS)}"
        )
    return value  # type: ignore[no-any-return]  # it is one of them


def _within(value: SpanLike | None) -> str | None:
    return None if value is None else show_span(span_us(value, name="within"))


def _per_day(value: Any) -> int | None:
    return None if value is None else positive_count(value, "per_day of a rule")


def _cap(value: Any) -> float | None:
    return None if value is None else some_points(value, "cap of a rule")


def _name(_: object, field: attrs.Attribute[Any], value: Any) -> None:
    if value is not None and (not isinstance(value, str) or not value.strip()):
        raise DefinitionError(f"{field.name} of a rule is a name; found {value!r}")


@attrs.frozen(repr=False)
class PointRule:
    """Points for reaching a goal.

    Points are relative: the goal that matters most has the most, 100 by custom. They are never
    money. Negative points are for what speaks against engagement, such as an unsubscription.

    Attributes:
        goal: The goal; given as ``event``, the name of an event or a :class:`~cxkit.Goal`.
        points: A finite number.
        count: How repeats count. ``"every"``: each touchpoint that reaches the goal earns.
            ``"once_per_session"``: the first in each session. ``"once_per_customer"``: the first
            in the customer's journey. ``"cooldown"``: one that comes ``within`` or more after the
            last that *counted*. ``"debounce"``: one that comes ``within`` or more after the one
            *before* it, whether that counted or not. ``"calendar_day"``: the first on each day of
            the scale's ``zone``.
        within: The span of a cooldown or a debounce, such as ``"30min"``.
        per_day: At most so many touchpoints count on a day of the scale's ``zone``; the first ones
            of those that ``count`` lets through.
        points_from: A column whose number replaces the points, where a touchpoint has one: numbers,
            or labels that are whole numbers. Where it is missing (NaN), the points are the rule's.
        cap: The most that the rule adds to a score, after ageing.
        group: The group of rules that it belongs to; the scale may cap groups.

    Raises:
        DefinitionError: A number is not finite or has the wrong sign, the way of counting is
            unknown, or ``within`` is missing or given where no span is needed.

    Example:
        >>> PointRule("purchase", 100).goal.event
        'purchase'
        >>> PointRule("page_view", 1, count="cooldown", within="30min", cap=20)
        PointRule('page_view', 1, count='cooldown', within='30min', cap=20)
    """

    goal: Goal = attrs.field(converter=as_goal, alias="event")
    points: float = attrs.field(converter=_points)
    count: Count = attrs.field(default="every", converter=_count)
    within: str | None = attrs.field(default=None, converter=_within, kw_only=True)
    per_day: int | None = attrs.field(default=None, converter=_per_day, kw_only=True)
    points_from: str | None = attrs.field(default=None, validator=_name, kw_only=True)
    cap: float | None = attrs.field(default=None, converter=_cap, kw_only=True)
    group: str | None = attrs.field(default=None, validator=_name, kw_only=True)

    def __attrs_post_init__(self) -> None:
        """Check that a span is given where one is needed, and only there."""
        if self.count in _WITH_SPAN and self.within is None:
            raise DefinitionError(
                f"count={self.count!r} needs a span: PointRule({self.goal.event!r}, "
                f"{write_number(self.points)}, count={self.count!r}, within='30min')"
            )
        if self.count not in _WITH_SPAN and self.within is not None:
            raise DefinitionError(
                f"within={self.within!r} is for count='cooldown' or 'debounce'; this rule counts "
                f"{self.count!r}"
            )

    @cached_property
    def within_us(self) -> int:
        """The span of a cooldown or a debounce in microseconds; 0 for other rules."""
        return 0 if self.within is None else span_us(self.within, name="within")

    @property
    def plain(self) -> bool:
        """Whether every touchpoint of an event, and no others, earns the same points."""
        goal = self.goal
        return (
            self.count == "every"
            and self.per_day is None
            and self.points_from is None
            and goal.channel is None
            and not goal.conditional
        )

    @property
    def remembers(self) -> bool:
        """Whether what counts depends on earlier touchpoints of the whole history."""
        return self.count not in {"every", "once_per_session"} or self.per_day is not None

    def __repr__(self) -> str:
        """As it would be written."""
        plain = self.goal == as_goal(self.goal.event)
        what = repr(self.goal.event) if plain else repr(self.goal)
        how = "" if self.count == "every" else f", count={self.count!r}"
        rest = [(name, getattr(self, name)) for name in _OPTIONS]
        shown = "".join(
            f", {name}={write_number(value)}" if name == "cap" else f", {name}={value!r}"
            for name, value in rest
            if value is not None
        )
        return f"PointRule({what}, {write_number(self.points)}{how}{shown})"

    def to_dict(self) -> dict[str, Any]:
        """The rule as plain data for JSON."""
        data = {"goal": self.goal.to_dict(), "points": self.points, "count": self.count}
        rest = {name: getattr(self, name) for name in _OPTIONS}
        return data | {name: value for name, value in rest.items() if value is not None}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> PointRule:
        """Read back what :meth:`to_dict` wrote.

        Raises:
            DataError: A key is missing or unknown.
            DefinitionError: What it says is not a rule.
        """
        check_fields(data, None, "point rule", ["goal", "points", "count"], _OPTIONS)
        rest = {name: data[name] for name in _OPTIONS if name in data}
        return cls(Goal.from_dict(data["goal"]), data["points"], count=data["count"], **rest)


_OPTIONS: Final = ("within", "per_day", "points_from", "cap", "group")
