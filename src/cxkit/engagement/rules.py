"""A rule: points for a goal, and how repeats of it count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, get_args

import attrs
import numpy as np

from cxkit.core.records import check_fields
from cxkit.errors import DefinitionError, did_you_mean
from cxkit.model.goal import Goal, as_goal

__all__ = ["Count", "PointRule"]

Count = Literal["every", "once_per_session", "once_per_customer"]
"""The named ways in which repeats of a goal count."""

_COUNTS: Final[tuple[str, ...]] = get_args(Count)
_MOST_POINTS: Final = 1e100
"""Far above any use; below it neither a sum of points nor a sum of their squares can overflow."""


def _points(value: float) -> float:
    if isinstance(value, (bool, np.bool_)) or not isinstance(
        value, (int, float, np.integer, np.floating)
    ):
        raise DefinitionError(f"points of a rule must be a number; found {value!r}")
    plain = value.item() if isinstance(value, np.generic) else value
    if not abs(plain) <= _MOST_POINTS:  # refuses NaN too
        raise DefinitionError(
            f"points of a rule must be finite, at most {_MOST_POINTS:g}; found {value!r}"
        )
    return float(plain)


def _count(value: str) -> Count:
    if value not in _COUNTS:
        raise DefinitionError(
            f"count={value!r} is not a way of counting; there are {list(_COUNTS)}."
            f"{did_you_mean(value, _COUNTS)}"
        )
    return value  # type: ignore[return-value]  # it is one of them


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
            in the customer's journey.

    Raises:
        DefinitionError: The points are not a finite number, or the way of counting is unknown.

    Example:
        >>> PointRule("purchase", 100).goal.event
        'purchase'
        >>> PointRule("page_view", 1, count="once_per_session")
        PointRule('page_view', 1, count='once_per_session')
    """

    goal: Goal = attrs.field(converter=as_goal, alias="event")
    points: float = attrs.field(converter=_points)
    count: Count = attrs.field(default="every", converter=_count)

    def __repr__(self) -> str:
        """As it would be written."""
        plain = self.goal == as_goal(self.goal.event)
        what = repr(self.goal.event) if plain else repr(self.goal)
        how = "" if self.count == "every" else f", count={self.count!r}"
        return f"PointRule({what}, {self.points:g}{how})"

    def to_dict(self) -> dict[str, Any]:
        """The rule as plain data for JSON."""
        return {"goal": self.goal.to_dict(), "points": self.points, "count": self.count}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> PointRule:
        """Read back what :meth:`to_dict` wrote.

        Raises:
            DataError: A key is missing or unknown.
        """
        check_fields(data, None, "point rule", ["goal", "points", "count"])
        return cls(Goal.from_dict(data["goal"]), data["points"], count=data["count"])
