"""What the comparison with a plan answers: by step, and by stage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.result import ColumnLike, Result, show_number
from cxkit.flow.plans.plantouches import STATES

if TYPE_CHECKING:
    from cxkit.flow.plans.plan import JourneyPlan

__all__ = ["PlanResult", "PlanStages"]

Estimate: TypeAlias = tuple[float, float, float]
"""A value, and the low and the high end of its interval."""
_ENDS = ("", "_low", "_high")


@attrs.frozen(eq=False, repr=False, kw_only=True)
class PlanResult(Result):
    """How far journeys follow a plan: one row per step.

    Attributes:
        plan: The plan.
        journeys: J, all journeys.
        fitness: Mean fitness of the journeys, and the ends of its interval; NaN without journeys,
            and the ends also for too few customers.
        log_fitness: 1 - all cost / the most that it could be: long journeys weigh more. With ends.
        coverage: Mean share of the stages that must occur in which something was done. With ends.
        perfect: Share of journeys exactly as planned. With ends.
        touches: Touchpoints that are done, repeated, misplaced, failed, extra and ignored.
        states: (steps, 5) journeys to which each step is each of ``STATES``.
        done: (3, steps) share of journeys in which the step is done, and the ends of its interval.
        stage_counts: (stages, 2) journeys in which something of the stage is done, in its place or
            not, and those in which all is that it asks.
        reached: (3, stages) the first of these as a share of journeys, with the ends.
        completed: (3, stages) the second.
        timed: (stages,) journeys with a touchpoint of the stage in its place, whose times count.
        mean_seconds: (stages, 2) mean time from the first touchpoint of the journey to that of the
            stage, and from the stage's first touchpoint to its last; NaN if nobody did.
        median_seconds: (stages, 2) the medians, within 0.8%.
    """

    plan: JourneyPlan
    journeys: int
    fitness: Estimate
    log_fitness: Estimate
    coverage: Estimate
    perfect: Estimate
    touches: Mapping[str, int]
    states: IntArray = attrs.field(converter=freeze)
    done: NDArray[np.float64] = attrs.field(converter=freeze)
    stage_counts: IntArray = attrs.field(converter=freeze)
    reached: NDArray[np.float64] = attrs.field(converter=freeze)
    completed: NDArray[np.float64] = attrs.field(converter=freeze)
    timed: IntArray = attrs.field(converter=freeze)
    mean_seconds: NDArray[np.float64] = attrs.field(converter=freeze)
    median_seconds: NDArray[np.float64] = attrs.field(converter=freeze)

    @property
    def stages(self) -> PlanStages:
        """The same journeys by stage."""
        return PlanStages(result=self)

    def columns(self) -> Mapping[str, ColumnLike]:
        """One row per step: journeys by what the step is to them, and the share of ``done``."""
        return {
            "stage": [stage.name for stage in self.plan.stages for _ in stage.steps],
            "step": [step.name for step in self.plan.steps],
            **{name: self.states[:, place] for place, name in enumerate(STATES)},
            **{f"share{end}": self.done[place] for place, end in enumerate(_ENDS)},
        }

    def title(self) -> str:
        """The plan, and how well journeys fit it."""
        fitness, low, high = map(show_number, self.fitness)
        return (
            f"{self.plan.name}: {self.journeys:,} journeys, mean fitness {fitness} "
            f"[{low}, {high}], {show_number(self.perfect[0])} of them exactly as planned"
        )

    def notes(self) -> tuple[str, ...]:
        """What touchpoints were, and what is odd."""
        told = ", ".join(f"{count:,} {name}" for name, count in self.touches.items() if count)
        absent = [
            step.name
            for step, states in zip(self.plan.steps, self.states, strict=True)
            if self.journeys and not states[:3].any()
        ]
        return (
            f"touchpoints: {told or 'none'}",
            f"coverage of the stages, end to end: {show_number(self.coverage[0])}",
            f"fitness of the log as a whole: {show_number(self.log_fitness[0])}",
            *([f"no journey holds {', '.join(absent)}: misspelled, or never done"] * bool(absent)),
        )


@attrs.frozen(eq=False, repr=False, kw_only=True)
class PlanStages(Result):
    """How far journeys follow a plan: one row per stage.

    Attributes:
        result: What was counted.
    """

    result: PlanResult

    def columns(self) -> Mapping[str, ColumnLike]:
        """Journeys that reach and that complete each stage, with shares and times in seconds."""
        found = self.result
        columns: dict[str, Any] = {"stage": [stage.name for stage in found.plan.stages]}
        for place, (name, share) in enumerate(
            (("reached", found.reached), ("completed", found.completed))
        ):
            columns[name] = found.stage_counts[:, place]
            columns |= {f"{name}_share{end}": share[k] for k, end in enumerate(_ENDS)}
        for place, name in enumerate(("seconds_to_reach", "seconds_within")):
            columns[f"mean_{name}"] = found.mean_seconds[:, place]
            columns[f"median_{name}"] = found.median_seconds[:, place]
        return columns

    def title(self) -> str:
        """The plan."""
        return f"{self.result.plan.name} by stage: {self.result.journeys:,} journeys"

    def notes(self) -> tuple[str, ...]:
        """What the words mean."""
        return (
            "reached: something of the stage is done, in its place or not; completed: all it asks",
            "times: of touchpoints in their place, from the journey's first touchpoint",
        )
