"""The parts of a plan: stages, and the touchpoints expected in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

import attrs

from cxkit.core.records import check_fields
from cxkit.core.vocabulary import Label
from cxkit.errors import DefinitionError
from cxkit.flow.asked import as_goals, one_of
from cxkit.model.goal import Goal, GoalLike, as_goal

__all__ = [
    "Order",
    "PlanStage",
    "PlanStep",
    "StepLike",
    "is_name",
    "stage_from_dict",
    "stage_to_dict",
]

Order: TypeAlias = Literal["fixed", "any"]
StepLike: TypeAlias = "PlanStep | GoalLike"


def is_name(_: object, __: object, value: Any) -> None:
    """A validator of a field that is a name."""
    if not isinstance(value, str) or not value:
        raise DefinitionError(f"a stage or a plan has a name; found {value!r}")


def _as_steps(steps: Sequence[StepLike]) -> tuple[PlanStep, ...]:
    if isinstance(steps, str) or not isinstance(steps, Sequence):
        raise DefinitionError(
            f"a stage has a list of expected touchpoints, such as ['view']; found {steps!r}"
        )
    return tuple(step if isinstance(step, PlanStep) else PlanStep(step) for step in steps)


@attrs.frozen
class PlanStep:
    """One expected touchpoint of a plan.

    Attributes:
        goal: What is expected: an event, or an event in one channel.
        optional: It may be left out without being missed.
        repeats: It may come again, until the next step is done, without being too many.
        failed: What tells that it was tried and did not succeed, such as ``"payment_declined"``.
            These touchpoints are not expected either.

    Example:
        >>> PlanStep("payment", failed=["payment_declined"]).name
        'payment'
    """

    goal: Goal = attrs.field(converter=as_goal)
    optional: bool = attrs.field(default=False, kw_only=True)
    repeats: bool = attrs.field(default=False, kw_only=True)
    failed: tuple[Goal, ...] = attrs.field(default=(), kw_only=True, converter=as_goals)

    @property
    def name(self) -> str:
        """The name of what is expected."""
        return self.goal.name


@attrs.frozen
class PlanStage:
    """A named part of a plan.

    Attributes:
        name: The name.
        steps: The expected touchpoints: steps, goals or names of events, one at least.
        optional: The stage as a whole may be left out. Once one of its steps is done, the others
            are expected too.
        order: ``"fixed"``: the steps come in the order of the list. ``"any"``: in any.

    Raises:
        DefinitionError: There is no step, or an option is unknown.

    Example:
        >>> PlanStage("orient", ["view", "ask"], order="any").steps[1].name
        'ask'
    """

    name: str = attrs.field(validator=is_name)
    steps: tuple[PlanStep, ...] = attrs.field(converter=_as_steps)
    optional: bool = attrs.field(default=False, kw_only=True)
    order: Order = attrs.field(
        default="fixed", kw_only=True, validator=one_of("a plan", "fixed", "any")
    )

    def __attrs_post_init__(self) -> None:
        """A stage without a step could not be told from no stage."""
        if not self.steps:
            raise DefinitionError(f"stage {self.name!r} has no step; name what is expected in it")


def stage_to_dict(stage: PlanStage) -> dict[str, Any]:
    """A stage as plain data."""
    steps = [
        {
            "goal": step.goal.to_dict(),
            "optional": step.optional,
            "repeats": step.repeats,
            "failed": [goal.to_dict() for goal in step.failed],
        }
        for step in stage.steps
    ]
    return {"name": stage.name, "optional": stage.optional, "order": stage.order, "steps": steps}


def stage_from_dict(data: Mapping[str, Any]) -> PlanStage:
    """Read back what :func:`stage_to_dict` wrote."""
    check_fields(data, None, "stage of a plan", ["name", "steps"], ["optional", "order"])
    options = {name: data[name] for name in ("optional", "order") if name in data}
    return PlanStage(data["name"], [_step_from_dict(step) for step in data["steps"]], **options)


def _step_from_dict(data: Mapping[str, Any] | Label) -> PlanStep:
    if not isinstance(data, Mapping):
        return PlanStep(data)
    check_fields(data, None, "step of a plan", ["goal"], ["optional", "repeats", "failed"])
    options = {name: data[name] for name in ("optional", "repeats") if name in data}
    failed = [_goal_from(goal) for goal in data.get("failed", ())]
    return PlanStep(_goal_from(data["goal"]), failed=failed, **options)


def _goal_from(data: Mapping[str, Any] | Label) -> Goal:
    return Goal.from_dict(data) if isinstance(data, Mapping) else as_goal(data)
