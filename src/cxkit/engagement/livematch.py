"""Which rules one touchpoint reaches, and what it is worth to each."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from cxkit.core.codes import Label
from cxkit.engagement.amounts import MOST_POINTS
from cxkit.engagement.rules import PointRule
from cxkit.engagement.scale import EngagementScale
from cxkit.errors import DataError
from cxkit.model.goal import Goal

__all__ = ["Matcher", "Matches"]

Matches = tuple[tuple[int, float], ...]
"""Positions of rules, and what the touchpoint is worth to them."""

_NONE: Final[Matches] = ()


class Matcher:
    """The rules of a scale by event.

    Example:
        >>> matcher = Matcher(
        ...     EngagementScale([PointRule("buy", 5), PointRule(Goal("buy", "web"), 1)])
        ... )
        >>> matcher.matches("buy", "web", math.nan, {}), matcher.matches("view", "web", 1.0, {})
        (((0, 5.0), (1, 1.0)), ())
    """

    __slots__ = ("_asking", "_fixed")

    def __init__(self, scale: EngagementScale) -> None:
        """Sort the rules by event."""
        fixed: dict[Label | None, list[tuple[int, float]]] = {}
        # event -> (position, rule, channel or None, the goal if it asks more than that)
        self._asking: dict[Label | None, list[tuple[int, PointRule, Label | None, Goal | None]]]
        self._asking = {}
        for place, rule in enumerate(scale.rules):
            goal = rule.goal
            if goal.channel is None and not goal.conditional and rule.points_from is None:
                fixed.setdefault(goal.event, []).append((place, rule.points))
            else:
                more = goal if goal.conditional else None
                self._asking.setdefault(goal.event, []).append((place, rule, goal.channel, more))
        self._fixed: dict[Label | None, Matches] = {k: tuple(v) for k, v in fixed.items()}

    @property
    def fixed(self) -> dict[Label | None, Matches]:
        """What the rules that ask nothing but the event give, by event."""
        return self._fixed

    @property
    def asking(self) -> bool:
        """Whether a rule asks more than the event."""
        return bool(self._asking)

    def matches(
        self, event: Label | None, channel: Label | None, value: float, columns: Mapping[str, Any]
    ) -> Matches:
        """The rules that a touchpoint reaches.

        Raises:
            DataError: What replaces the points of a rule is no finite number.
        """
        found = self._fixed.get(event, _NONE)
        asking = self._asking.get(event)
        if asking is None:
            return found
        more = []
        for place, rule, where, goal in asking:
            if where is not None and where != channel:
                continue
            if goal is not None and not goal.reached_by(event, channel, value, columns):
                continue
            if rule.points_from is None:
                more.append((place, rule.points))
            else:
                own = {"value": value, "channel": channel, "event": event}
                name = rule.points_from
                given = own[name] if name in own else columns.get(name)
                more.append((place, _worth(rule, given)))
        return found + tuple(more)


def _worth(rule: PointRule, given: Any) -> float:
    if given is None:
        return rule.points
    if isinstance(given, (bool, np.bool_)) or not isinstance(
        given, (int, float, np.integer, np.floating)
    ):
        raise DataError(f"points_from={rule.points_from!r} needs a number; found {given!r}")
    number = float(given)
    if math.isnan(number):
        return rule.points
    if abs(number) > MOST_POINTS:
        raise DataError(
            f"points_from={rule.points_from!r}: points must be finite, at most {MOST_POINTS:g}; "
            f"found {given!r}"
        )
    return number
