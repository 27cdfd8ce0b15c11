"""What is wrong with a strategy map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cxkit.core.findings import Finding, Findings
from cxkit.core.result import show_amount
from cxkit.strategy.items import (
    KPI,
    LEVELS,
    Capability,
    DigitalGoal,
    MarketingObjective,
    StrategicObjective,
    Tactic,
    Theme,
)

if TYPE_CHECKING:
    from cxkit.strategy.map import StrategyMap

__all__ = ["CODES", "lint"]

CODES: Final = {
    "AL001": "goal that leads to no marketing objective",
    "AL002": "theme or objective that nothing below supports",
    "AL003": "goal without points on the engagement scale",
    "AL004": "tactic or test that hangs on no goal",
    "AL005": "goal that no KPI measures",
    "AL006": "link that skips or reverses a level; refused when the map is made",
    "AL007": "target out of reach",
    "AL008": "item without an owner",
    "AL009": "capability or tool that serves no goal",
    "AL010": "objective that leads to nothing above",
    "AL011": "KPI without a target",
    "AL012": "KPI that measures no goal",
}
"""Code -> what it means."""
_OWNED: Final = (*LEVELS, "kpi")


def lint(strategy: StrategyMap) -> Findings:
    """See :meth:`StrategyMap.lint`."""
    found = [
        *_goals(strategy),
        *_objectives(strategy),
        *_tactics(strategy),
        *_kpis(strategy),
        *_owners(strategy),
        *_capabilities(strategy),
    ]
    place = {item.id: i for i, item in enumerate(strategy.items)}
    return Findings(tuple(sorted(found, key=lambda f: (f.code, place[f.place]))))


def _goals(strategy: StrategyMap) -> list[Finding]:
    found = []
    measured = {goal for kpi in strategy.of(KPI) for goal in kpi.supports}
    for goal in strategy.of(DigitalGoal):
        if not goal.supports:
            found.append(
                Finding(
                    "AL001",
                    goal.id,
                    f"goal {goal.id!r} leads to no marketing objective",
                    "name the objective that it serves, or drop the goal",
                )
            )
        if goal.points is None:
            found.append(
                Finding(
                    "AL003",
                    goal.id,
                    f"goal {goal.id!r} has no points, so reaching it counts for nothing",
                    "give it points between those of the goals before and after it",
                )
            )
        if goal.id not in measured:
            found.append(
                Finding(
                    "AL005",
                    goal.id,
                    f"no KPI measures goal {goal.id!r}",
                    "add a KPI with a target, or hang an existing one on the goal",
                )
            )
    return found


def _objectives(strategy: StrategyMap) -> list[Finding]:
    found = []
    for item in strategy.items:
        if isinstance(item, (Theme, StrategicObjective, MarketingObjective)):
            kinds = {strategy.by_id[name].level for name in strategy.supporters[item.id]}
            if not kinds:
                found.append(
                    Finding(
                        "AL002",
                        item.id,
                        f"{item.level} {item.id!r} is supported by nothing below",
                        "say what shall bring it about one level down, or drop it",
                    )
                )
        if isinstance(item, (StrategicObjective, MarketingObjective)) and not item.supports:
            found.append(
                Finding(
                    "AL010",
                    item.id,
                    f"{item.level} {item.id!r} leads to nothing above",
                    "name what it serves one level up, or drop it",
                )
            )
    return found


def _tactics(strategy: StrategyMap) -> list[Finding]:
    return [
        Finding(
            "AL004",
            tactic.id,
            f"{tactic.kind or 'tactic'} {tactic.id!r} hangs on no goal"
            + (f" and costs {show_amount(tactic.cost)}" if tactic.cost else ""),
            "name the goal that it shall move, or stop it",
        )
        for tactic in strategy.of(Tactic)
        if not tactic.supports
    ]


def _kpis(strategy: StrategyMap) -> list[Finding]:
    found = []
    for kpi in strategy.of(KPI):
        if not kpi.supports and kpi.metric != "given":
            found.append(
                Finding(
                    "AL012",
                    kpi.id,
                    f"KPI {kpi.id!r} measures no goal, so it has no value",
                    "name the goals that it measures, or drop it",
                )
            )
        if kpi.target is None:
            found.append(
                Finding(
                    "AL011",
                    kpi.id,
                    f"KPI {kpi.id!r} has no target, so no value of it is good or bad",
                    "set the value that it shall have",
                )
            )
        elif not kpi.low <= kpi.target <= kpi.high:
            found.append(
                Finding(
                    "AL007",
                    kpi.id,
                    f"the target {show_amount(kpi.target)} of KPI {kpi.id!r} is out of reach: "
                    f"{kpi.metric} lies between {show_amount(kpi.low)} and "
                    f"{show_amount(kpi.high)}",
                    "set a target within the range of the metric",
                )
            )
    return found


def _owners(strategy: StrategyMap) -> list[Finding]:
    return [
        Finding(
            "AL008",
            item.id,
            f"nobody answers for {item.level} {item.id!r}",
            "name one person",
        )
        for item in strategy.items
        if item.level in _OWNED and not item.owner
    ]


def _capabilities(strategy: StrategyMap) -> list[Finding]:
    return [
        Finding(
            "AL009",
            capability.id,
            f"capability {capability.id!r} serves no goal, at a cost of "
            f"{show_amount(capability.cost)}",
            "name the goals that it is needed for, or save the cost",
        )
        for capability in strategy.of(Capability)
        if not capability.supports
    ]
