"""Journeys beside their plan, journey by journey."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.codes import Codes
from cxkit.core.result import ColumnLike, Result, show_number
from cxkit.errors import DefinitionError
from cxkit.flow.plans.plantouches import STATES, TOUCHES, PlannedPaths
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys

if TYPE_CHECKING:
    from cxkit.flow.plans.plan import JourneyPlan

__all__ = ["Alignments", "PlanExplanation", "explain_plan"]

_EXTRA: Final = TOUCHES.index("extra")
_IGNORED: Final = TOUCHES.index("ignored")


@attrs.frozen(eq=False, repr=False, kw_only=True)
class Alignments(Result):
    """How each journey compares with a plan: one row per journey.

    ``touchpoints == done + repeated + misplaced + failed + extra + ignored``, and
    ``cost == missing + repeated + misplaced + failed + extra``.

    Attributes:
        plan: The plan.
        customer: (J,) whose journey it is.
        touchpoints: (J,) touchpoints of any kind.
        counts: (J, 6) touchpoints that are each of ``TOUCHES``: done, repeated, misplaced, failed,
            extra, ignored.
        missing: (J,) expected steps that are not done.
        cost: (J,) missing steps and touchpoints too many.
        most: (J,) the most that it could be: all touchpoints too many, and the least that the plan
            asks missing; 1 where nothing counts on either side.
        fitness: (J,) ``1 - cost / most``. 1: exactly as planned.
        coverage: (J,) share of the stages that must occur of which something did, in its place or
            not; of all stages, if none must.
        touch: (E,) what each touchpoint is, as an index into ``TOUCHES``.
        step: (E,) the step that it does, repeats, misplaces or fails; -1 for none.
        state: (J, steps) what each step is, as an index into ``STATES``: done, misplaced, failed,
            skipped, left out.
    """

    plan: JourneyPlan
    customer: Codes
    touchpoints: IntArray = attrs.field(converter=freeze)
    counts: IntArray = attrs.field(converter=freeze)
    missing: IntArray = attrs.field(converter=freeze)
    cost: IntArray = attrs.field(converter=freeze)
    most: IntArray = attrs.field(converter=freeze)
    fitness: NDArray[np.float64] = attrs.field(converter=freeze)
    coverage: NDArray[np.float64] = attrs.field(converter=freeze)
    touch: NDArray[np.uint8] = attrs.field(converter=freeze)
    step: NDArray[np.int16] = attrs.field(converter=freeze)
    state: NDArray[np.uint8] = attrs.field(converter=freeze)

    @classmethod
    def of(cls, journeys: Journeys | Journey, plan: JourneyPlan) -> Alignments:
        """See :meth:`JourneyPlan.align`."""
        many = as_journeys(journeys)
        found = PlannedPaths.of(many, plan)
        rest = _EXTRA if plan.unplanned == "extra" else _IGNORED
        touch = np.full(many.touchpoints, rest, np.uint8)
        step = np.full(many.touchpoints, -1, np.int16)
        touch[found.rows], step[found.rows] = found.label[found.place], found.step[found.place]
        touchpoints = np.diff(many.offsets)
        counts = np.zeros((len(many), len(TOUCHES)), np.int64)
        counts[:, :_EXTRA] = found.counts[found.path]
        counts[:, rest] = touchpoints - counts.sum(axis=1)
        cost = found.cost[found.path] + counts[:, _EXTRA]
        most = np.maximum(touchpoints - counts[:, _IGNORED] + found.needed, 1)
        return cls(
            plan=plan,
            customer=many.customer,
            touchpoints=touchpoints,
            counts=counts,
            missing=cost - counts[:, 1:_IGNORED].sum(axis=1),
            cost=cost,
            most=most,
            fitness=1 - cost / most,
            coverage=(touched(plan, found.state) @ _needed_stages(plan))[found.path],
            touch=touch,
            step=step,
            state=found.state[found.path],
        )

    def columns(self) -> Mapping[str, ColumnLike]:
        """One row per journey."""
        return {
            "customer": self.customer.to_list(),
            "touchpoints": self.touchpoints,
            **{name: self.counts[:, place] for place, name in enumerate(TOUCHES)},
            "missing": self.missing,
            "cost": self.cost,
            "fitness": self.fitness,
            "coverage": self.coverage,
        }

    def title(self) -> str:
        """The plan, and how well the journeys fit it."""
        mean = float(self.fitness.mean()) if len(self.fitness) else float("nan")
        return f"{self.plan.name}: {len(self.cost):,} journeys, mean fitness {show_number(mean)}"


@attrs.frozen(eq=False, repr=False, kw_only=True)
class PlanExplanation(Result):
    """One journey beside its plan: its touchpoints, and the steps that are missing, in order.

    Attributes:
        fitness: See :class:`Alignments`.
        time: When, ``None`` for a step that is missing.
        stage: The stage of the step, ``None`` for a touchpoint that the plan does not know.
        step: The step that is done, repeated, misplaced, failed, skipped or left out.
        status: Which of these it is; ``extra`` or ``ignored`` for other touchpoints.
        event: What happened.
        channel: Where.
        title_text: The line above the table.
    """

    fitness: float
    time: tuple[Any, ...]
    stage: tuple[str | None, ...]
    step: tuple[str | None, ...]
    status: tuple[str, ...]
    event: tuple[Any, ...]
    channel: tuple[Any, ...]
    title_text: str

    def columns(self) -> Mapping[str, ColumnLike]:
        """One row per touchpoint and per missing step."""
        names = ("time", "stage", "step", "status", "event", "channel")
        return {name: getattr(self, name) for name in names}

    def title(self) -> str:
        """Whose journey, and how well it fits."""
        return self.title_text


def explain_plan(plan: JourneyPlan, journey: Journey | Journeys) -> PlanExplanation:
    """See :meth:`JourneyPlan.explain`."""
    one = as_journeys(journey)
    if len(one) != 1:
        raise DefinitionError(f"explain takes one journey, such as journeys[0]; found {len(one)}")
    found = Alignments.of(one, plan)
    steps = plan.steps
    stages = [stage.name for stage in plan.stages for _ in stage.steps]
    times = one.time.astype("datetime64[us]").tolist()
    rows: list[tuple[Any, ...]] = []
    first: dict[int, int] = {}  # the row in which each step is done first
    columns = zip(
        times,
        found.touch.tolist(),
        found.step.tolist(),
        one.event.to_list(),
        one.channel.to_list(),
        strict=True,
    )
    for at, (time, touch, step, event, channel) in enumerate(columns):
        told = (stages[step], steps[step].name) if step >= 0 else (None, None)
        rows.append((time, *told, TOUCHES[touch], event, channel))
        if touch == 0:
            first.setdefault(step, at)
    # A missing step stands where the plan goes on after it, or at the end.
    waiting: dict[int, list[tuple[Any, ...]]] = {}
    onward = len(rows)
    for number, state in reversed(list(enumerate(found.state[0].tolist()))):
        onward = min(onward, first.get(number, onward))
        if STATES[state] in {"skipped", "left_out"}:
            status = STATES[state].replace("_", " ")
            missing = (None, stages[number], steps[number].name, status, None, None)
            waiting.setdefault(onward, []).insert(0, missing)
    ordered = []
    for at, row in enumerate(rows):
        ordered += [*waiting.get(at, []), row]
    ordered += waiting.get(len(rows), [])
    many = int(found.counts[0, 1 : _EXTRA + 1].sum())
    fitness, who = float(found.fitness[0]), one.customer.to_list()[0]
    return PlanExplanation(
        fitness=fitness,
        **dict(
            zip(
                ("time", "stage", "step", "status", "event", "channel"),
                zip(*ordered, strict=True),
                strict=True,
            )
        ),
        title_text=(
            f"{plan.name} of {who!r}: fitness {show_number(fitness)}, "
            f"{int(found.missing[0])} of {len(steps)} steps missing, "
            f"{many} {'touchpoint' if many == 1 else 'touchpoints'} too many"
        ),
    )


def touched(plan: JourneyPlan, state: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(P, stages) 1 where something of the stage is done, in its place or not."""
    some = state <= STATES.index("misplaced")
    begins = np.cumsum([0, *(len(stage.steps) for stage in plan.stages[:-1])])
    return np.logical_or.reduceat(some, begins, axis=1).astype(np.float64)


def _needed_stages(plan: JourneyPlan) -> NDArray[np.float64]:
    """(stages,) the weight of each in the coverage."""
    needed = np.array(
        [not (stage.optional or all(s.optional for s in stage.steps)) for stage in plan.stages],
        np.float64,
    )
    if not needed.any():
        needed[:] = 1
    return np.asarray(needed / needed.sum())
