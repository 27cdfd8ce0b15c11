"""What is odd about a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cxkit.errors import did_you_mean

if TYPE_CHECKING:
    from cxkit.flow.plans.plan import JourneyPlan
    from cxkit.model.journeys import Journeys

__all__ = ["absent_goals", "lint_plan"]


def lint_plan(plan: JourneyPlan, journeys: Journeys | None = None) -> tuple[str, ...]:
    """See :meth:`JourneyPlan.lint`."""
    told = [*_twice(plan), *_never_needed(plan), *_both(plan)]
    if journeys is not None:
        told += absent_goals(plan, journeys)
    return tuple(told)


def absent_goals(plan: JourneyPlan, journeys: Journeys) -> list[str]:
    """Goals of the plan that the journeys' labels cannot reach."""
    told = []
    for goal in plan.goals:
        for role, label in (("event", goal.event), ("channel", goal.channel)):
            labels = journeys.codes(role).vocabulary
            if label is not None and label not in labels:
                hint = did_you_mean(label, labels)
                told.append(f"no touchpoint has the {role} {label!r} of the plan.{hint}")
    return list(dict.fromkeys(told))


def _twice(plan: JourneyPlan) -> list[str]:
    where: dict[tuple[Any, ...], list[str]] = {}
    for stage in plan.stages:
        for step in stage.steps:
            where.setdefault(step.goal.same, []).append(stage.name)
    names = {step.goal.same: step.name for step in plan.steps}
    return [
        f"{names[goal]!r} is expected in the stages {' and '.join(map(repr, stages))}: "
        "touchpoints go to the earlier one first"
        for goal, stages in where.items()
        if len(set(stages)) > 1
    ]


def _never_needed(plan: JourneyPlan) -> list[str]:
    if all(stage.optional or all(s.optional for s in stage.steps) for stage in plan.stages):
        return ["every step may be left out: a journey with none of them fits the plan"]
    return [
        f"stage {stage.name!r} has optional steps only, so it may be left out although it is not "
        "optional"
        for stage in plan.stages
        if not stage.optional and all(step.optional for step in stage.steps)
    ]


def _both(plan: JourneyPlan) -> list[str]:
    wanted = {step.goal.same for step in plan.steps}
    return [
        f"{goal.name!r} tells that {step.name!r} failed, and is itself a step of the plan"
        for step in plan.steps
        for goal in step.failed
        if goal.same in wanted
    ]
