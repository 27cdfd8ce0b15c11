"""What of a customer's life the firm can serve, and how much of the map hangs together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cxkit.core.result import ColumnLike, Result
from cxkit.strategy.items import Capability, DigitalGoal, Item, Tactic, Theme

if TYPE_CHECKING:
    from cxkit.strategy.map import StrategyMap

__all__ = ["Coverage", "coverage"]


@attrs.frozen(eq=False, repr=False)
class Coverage(Result):
    """Capabilities and their cost by phase and by stage, and how much is traced to a theme.

    Attributes:
        phases: phase -> the capabilities that serve it, in the order of phases.
        stages: stage of the journey -> the capabilities that serve it; stages that only goals name
            are among them.
        cost: phase -> what its capabilities cost; one that serves several phases counts in each.
        goals_traced: The share of digital goals that lead to a theme.
        tactics_traced: The share of tactics that do.
    """

    phases: dict[str, tuple[str, ...]]
    stages: dict[str, tuple[str, ...]]
    cost: dict[str, float]
    goals_traced: float
    tactics_traced: float

    def gaps(self) -> list[str]:
        """The phases and stages that no capability serves."""
        return [
            name for part in (self.phases, self.stages) for name, own in part.items() if not own
        ]

    def columns(self) -> dict[str, ColumnLike]:
        """A row for each phase and stage."""
        rows = [("phase", *pair) for pair in self.phases.items()]
        rows += [("stage", *pair) for pair in self.stages.items()]
        return {
            "of": [row[0] for row in rows],
            "name": [row[1] for row in rows],
            "capabilities": [len(row[2]) for row in rows],
            "which": [", ".join(row[2]) for row in rows],
        }

    def title(self) -> str:
        """What is traced."""
        return (
            f"{self.goals_traced:.0%} of goals and {self.tactics_traced:.0%} of tactics lead to a "
            "theme"
        )

    def notes(self) -> list[str]:
        """What nothing serves."""
        return [f"no capability serves: {', '.join(self.gaps())}"] if self.gaps() else []


def coverage(strategy: StrategyMap, phases: tuple[str, ...]) -> Coverage:
    """See :meth:`StrategyMap.coverage`."""
    owned = strategy.of(Capability)
    named = [p for capability in owned for p in capability.phases]
    every = dict.fromkeys([*phases, *named])
    stages = dict.fromkeys(
        [s for goal in strategy.of(DigitalGoal) for s in goal.stages]
        + [s for capability in owned for s in capability.stages]
    )
    return Coverage(
        phases={p: tuple(c.id for c in owned if p in c.phases) for p in every},
        stages={s: tuple(c.id for c in owned if s in c.stages) for s in stages},
        cost={p: sum(c.cost for c in owned if p in c.phases) for p in every},
        goals_traced=_traced(strategy, strategy.of(DigitalGoal)),
        tactics_traced=_traced(strategy, strategy.of(Tactic)),
    )


def _traced(strategy: StrategyMap, items: list[DigitalGoal] | list[Tactic]) -> float:
    """The share that leads to a theme; NaN where there is none."""

    def leads(item: Item) -> bool:
        return any(isinstance(strategy.by_id[up], Theme) for up in strategy.trace(item.id).up)

    return sum(map(leads, items)) / len(items) if items else float("nan")
