"""Engagement value carried up from digital goals to the themes, nothing lost on the way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

from cxkit.core.result import ColumnLike, Result
from cxkit.errors import DataError
from cxkit.model.journeys import Journeys
from cxkit.strategy.items import LEVELS, DigitalGoal, Theme

if TYPE_CHECKING:
    from cxkit.strategy.map import StrategyMap

__all__ = ["RollUp", "roll_up"]


@attrs.frozen(eq=False, repr=False)
class RollUp(Result):
    """What each item earned through the goals below it.

    Attributes:
        strategy: The map.
        value: item -> points times conversions that reach it.
        total: Of all goals.
        untraced: What did not reach a theme, because a link is missing on its way.
    """

    strategy: StrategyMap
    value: Mapping[str, float]
    total: float
    untraced: float

    def by_theme(self) -> dict[str, float]:
        """What each theme earned; with ``untraced`` it sums to the total."""
        return {theme.id: self.value[theme.id] for theme in self.strategy.of(Theme)}

    def columns(self) -> dict[str, ColumnLike]:
        """A row for each item, level by level from the top."""
        rows = [i for level in LEVELS for i in self.strategy.items if i.level == level]
        return {
            "level": [item.level for item in rows],
            "item": [item.id for item in rows],
            "value": [self.value[item.id] for item in rows],
            "share": [self.value[i.id] / self.total if self.total else 0.0 for i in rows],
        }

    def title(self) -> str:
        """The total."""
        return f"engagement value by strategy: {self.total:,.1f} points"

    def notes(self) -> list[str]:
        """What was left on the way."""
        if not self.untraced:
            return []
        return [f"{self.untraced:,.1f} points reach no theme: a link is missing (see lint())"]


def roll_up(strategy: StrategyMap, reached: Mapping[str, float] | Journeys) -> RollUp:
    """See :meth:`StrategyMap.rollup`."""
    goals = strategy.of(DigitalGoal)
    if isinstance(reached, Journeys):
        counts = {g.id: float(g.as_goal().matches(reached).sum()) for g in goals}
    else:
        counts = {str(name): float(count) for name, count in reached.items()}
    for name, count in counts.items():
        if strategy.item(name).level != "digital_goal":
            raise DataError(f"{name!r} is a {strategy.item(name).level}, not a digital goal")
        if not 0 <= count < float("inf"):
            raise DataError(f"goal {name!r} was reached {count} times; a count is 0 or more")
    value = {item.id: 0.0 for item in strategy.items}
    for goal in goals:
        value[goal.id] = (goal.points or 0.0) * counts.get(goal.id, 0.0)
    total = sum(value[goal.id] for goal in goals)
    for level in reversed(LEVELS[1:]):  # goals first, so that each item is whole when it gives
        for item in strategy.items:
            if item.level == level:
                for parent, weight in item.supports.items():
                    value[parent] += weight * value[item.id]
    stranded = sum(
        value[item.id] for item in strategy.items if item.level in LEVELS[1:] and not item.supports
    )
    return RollUp(strategy, value, total, stranded)
