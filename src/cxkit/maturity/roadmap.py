"""The cheapest way to the next stage: exactly, of the answers that may be chosen.

Every criterion may be raised to any higher answer of its scale. A raise costs its effort times the
worth that it gains, or what the caller says; a scale that takes any number is climbed in steps of
0.05. The plan must make every stage up to the target met, attainment and gates; and where a
criterion is raised, those that it requires must be met first (worth at least their gate threshold),
raised by the plan itself if need be.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import attrs

from cxkit.core.result import ColumnLike, Result, show_amount
from cxkit.errors import DataError
from cxkit.maturity.leastcost import CLIMB, TIE, Problem, Step

if TYPE_CHECKING:
    from cxkit.maturity.assessed import Assessed
    from cxkit.maturity.model import MaturityModel

__all__ = ["Roadmap", "roadmap"]

_NAMED: Final = 5
"""How many criteria a note names."""


@attrs.frozen(eq=False, repr=False)
class Roadmap(Result):
    """The least-cost steps to a stage, those that others require first.

    Attributes:
        model: The model.
        subject: Who it is for; ``""`` if that was not said.
        level: Where the subject stands.
        target: The stage that the steps reach.
        steps: What to raise.
        cost: What they cost together.
        ties: Other steps that cost the same, one plan for each step that could be done without.
        climbed: The criteria on scales that take any number which were open to be raised: in steps
            of 0.05, so that a finer raise of them may cost less.
    """

    model: MaturityModel
    subject: str
    level: int
    target: int
    steps: tuple[Step, ...]
    cost: float
    ties: tuple[tuple[Step, ...], ...]
    climbed: tuple[str, ...] = ()

    def columns(self) -> dict[str, ColumnLike]:
        """A row for each step."""
        told = [self.model.criterion(step.criterion) for step in self.steps]
        return {
            "criterion": [step.criterion for step in self.steps],
            "stage": [self.model.stage(c.stage).id for c in told],
            "dimension": [c.dimension for c in told],
            "from": [step.start for step in self.steps],
            "to": [step.end for step in self.steps],
            "cost": [step.cost for step in self.steps],
            "text": [c.text for c in told],
        }

    def title(self) -> str:
        """From where to where, at what cost."""
        goal = self.model.stage(self.target).id
        who = f"{self.subject}: level" if self.subject else "Level"
        return f"{who} {self.level} to {self.target}, {goal}, at cost {show_amount(self.cost)}"

    def notes(self) -> list[str]:
        """Why these steps and no others, where others cost the same."""
        if not self.steps:
            return ["the stage is met already; there is nothing to do"]
        rough = []
        if self.climbed:
            names = ", ".join(self.climbed[:_NAMED]) + (", ..." if self.climbed[_NAMED:] else "")
            rough = [f"raised in steps of {CLIMB:g}, a finer raise may cost less: {names}"]
        if not self.ties:
            return rough or ["no other steps are as cheap"]
        told = [*rough, "the same cost; these have fewer steps, or come first in the model:"]
        for plan in self.ties:
            steps = ", ".join(f"{step.criterion} to {step.end:g}" for step in plan)
            told.append(f"  or {steps}")
        return told


def roadmap(
    assessed: Assessed,
    target: int | None = None,
    *,
    costs: Mapping[str, Mapping[float, float]] | None = None,
) -> Roadmap:
    """The least-cost set of steps to a stage.

    Unknown answers count as nothing, and missing evidence as a cap: raising such a criterion means
    to find out, or to bring the evidence. Of plans that cost the same, the one with the fewest
    steps is given, then the one whose criteria come first in the model.

    On a scale that takes any number, worths are chosen in steps of 0.05 unless ``costs`` name
    others. The cost is the least of these choices; a finer raise may cost less, which the notes of
    the roadmap say.

    Args:
        assessed: Where the subject stands.
        target: The stage to reach; by default the next.
        costs: criterion -> worth to reach -> cost from where it stands, in place of effort times
            gain; worths that are left out cannot be chosen.

    Raises:
        DataError: The target is no stage above the present one, costs name an unknown criterion, or
            the costs leave no way to the target.
        DefinitionError: A cost is negative, or the model is too large to be solved exactly.

    Example:
        >>> from cxkit import MaturityModel
        >>> model = MaturityModel.builtin("five-level")
        >>> now = model.assess({"managed.people": "always", "managed.process": "as a rule"})
        >>> for step in roadmap(now).steps:
        ...     print(step.criterion, step.start, "to", step.end, "cost", step.cost)
        managed.process 0.75 to 1.0 cost 0.25
        managed.technology 0.0 to 0.25 cost 0.25
    """
    model = assessed.model
    goal = assessed.level + 1 if target is None else target
    if not assessed.level < goal <= model.top_stage:
        raise DataError(
            f"{assessed.subject!r} is at stage {assessed.level} of {model.top_stage}; the target "
            f"is a higher stage of the model, found {goal}"
        )
    problem = Problem.of(assessed, goal, costs or {})
    best = problem.solve()
    if best is None:
        raise DataError(
            f"with these costs no steps lead from stage {assessed.level} to {goal}; allow higher "
            "worths for the criteria of the stages between"
        )
    steps = problem.steps(best)
    ties = []
    for step in steps:
        other = problem.other(step, best.cost)
        if other is not None and other.cost <= best.cost + TIE:
            ties.append(problem.steps(other))
    return Roadmap(
        model,
        "" if len(assessed.of) == 1 and assessed.subject == "1" else assessed.subject,
        assessed.level,
        goal,
        steps,
        sum(step.cost for step in steps),
        tuple(dict.fromkeys(ties)),
        problem.climbed(costs or {}),
    )
