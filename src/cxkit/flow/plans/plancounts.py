"""How far journeys follow a plan, as a summary that adds up."""

from __future__ import annotations

from typing import Any, Final, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.intervals import check_level, divide, interval, jackknife_error, leave_one_out
from cxkit.core.summary import SHARDS, parameter, total
from cxkit.core.timebins import BINS, bin_quantiles, bins_of
from cxkit.flow.plans.alignment import Alignments, touched
from cxkit.flow.plans.plan import JourneyPlan
from cxkit.flow.plans.planresults import PlanResult
from cxkit.flow.plans.plantouches import STATES, TOUCHES
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys
from cxkit.model.summaries import JourneySummary

__all__ = ["PlanCounts"]

_DONE: Final = 0


@attrs.frozen(eq=False, repr=False, kw_only=True)
class PlanCounts(JourneySummary):
    """How far journeys follow a plan, as a summary that adds up.

    Attributes:
        plan: The plan.
        journeys: (64,) journeys in every shard.
        perfect: (64,) those that are exactly as planned.
        fitness: (64,) sums of the fitness of journeys.
        coverage: (64,) sums of their coverage.
        cost: (64, 2) their cost, and the most that it could be.
        touches: (64, 6) touchpoints that are each of ``TOUCHES``.
        states: (64, steps, 5) journeys to which each step is each of ``STATES``.
        stages: (64, stages, 2) journeys in which something of a stage is done, and those in which
            all is that the stage asks.
        times: (64, stages, 3) journeys that have done a touchpoint of the stage in its place,
            microseconds from their first touchpoint to that of the stage, and microseconds from
            the stage's first touchpoint to its last.
        reaching: (stages, bins) how many journeys took how long to reach each stage.
        staying: (stages, bins) how many were how long in it.

    Example:
        >>> PlanCounts.of(Journeys.empty(), plan=JourneyPlan({"a": ["view"]})).journeys.sum()
        np.int64(0)
    """

    plan: JourneyPlan = attrs.field(metadata=parameter(JourneyPlan.from_dict))
    journeys: IntArray = attrs.field(metadata=total("shard"))
    perfect: IntArray = attrs.field(metadata=total("shard"))
    fitness: NDArray[np.float64] = attrs.field(metadata=total("shard"))
    coverage: NDArray[np.float64] = attrs.field(metadata=total("shard"))
    cost: IntArray = attrs.field(metadata=total("shard", "end"))
    touches: IntArray = attrs.field(metadata=total("shard", "touch"))
    states: IntArray = attrs.field(metadata=total("shard", "step", "state"))
    stages: IntArray = attrs.field(metadata=total("shard", "stage", "done"))
    times: IntArray = attrs.field(metadata=total("shard", "stage", "time"))
    reaching: IntArray = attrs.field(metadata=total("stage", "bin"))
    staying: IntArray = attrs.field(metadata=total("stage", "bin"))

    @classmethod
    def of(cls, journeys: Journeys | Journey, /, *, plan: JourneyPlan) -> Self:
        """Count.

        Args:
            journeys: The journeys.
            plan: The plan, whose goals need not all occur.
        """
        many = as_journeys(journeys)
        found = Alignments.of(many, plan)
        shard = many.shards.astype(np.int64)

        def count(flags: NDArray[Any]) -> IntArray:
            """(SHARDS, n) how often each of (J, n) flags holds."""
            return np.stack([np.bincount(shard[f], minlength=SHARDS) for f in flags.T], axis=1)

        def add(amounts: NDArray[Any]) -> NDArray[Any]:
            """(SHARDS, n) sums of (J, n) amounts; whole numbers stay whole."""
            out = np.zeros((SHARDS, amounts.shape[1]), amounts.dtype)
            np.add.at(out, shard, amounts)
            return out

        slots = len(STATES)
        states = [
            np.bincount(shard * slots + state, minlength=SHARDS * slots).reshape(SHARDS, slots)
            for state in found.state.T
        ]
        begun = touched(plan, found.state) > 0
        times, reaching, staying = _times(many, plan, found)
        return cls(
            plan=plan,
            journeys=np.bincount(shard, minlength=SHARDS),
            perfect=count((found.cost == 0)[:, None])[:, 0],
            fitness=np.asarray(np.bincount(shard, found.fitness, SHARDS), np.float64),
            coverage=np.asarray(np.bincount(shard, found.coverage, SHARDS), np.float64),
            cost=add(np.stack([found.cost, found.most], axis=1)),
            touches=add(found.counts),
            states=np.stack(states, axis=1),
            stages=np.stack([count(begun), count(_complete(plan, found.state))], axis=2),
            times=times,
            reaching=reaching,
            staying=staying,
        )

    def result(self, *, level: float = 0.95) -> PlanResult:
        """Shares by step and stage, fitness and coverage, with intervals."""
        check_level(level)
        occupied = self.occupied()

        def mean(part: NDArray[Any], whole: NDArray[Any]) -> NDArray[np.float64]:
            """(3, n) a mean and the ends of its interval, which lies within 0 and 1."""
            value = divide(part.sum(axis=0), whole.sum(axis=0))
            error = jackknife_error(divide(leave_one_out(part), leave_one_out(whole)), occupied)
            low, high = interval(value, error, occupied, level=level, bounds=(0.0, 1.0))
            return np.stack([value, low, high])

        each = self.journeys[:, None]
        parts = [self.fitness, self.coverage, self.perfect, self.cost[:, 1] - self.cost[:, 0]]
        wholes = [self.journeys, self.journeys, self.journeys, self.cost[:, 1]]
        whole = mean(np.stack(parts, axis=1), np.stack(wholes, axis=1))
        # As floats: the microseconds of all shards together may exceed 64 bits.
        times = self.times.sum(axis=0, dtype=np.float64)
        seconds = divide(times[:, 1:], times[:, :1] * 1e6)
        return PlanResult(
            plan=self.plan,
            journeys=int(self.journeys.sum()),
            fitness=tuple(whole[:, 0].tolist()),
            coverage=tuple(whole[:, 1].tolist()),
            perfect=tuple(whole[:, 2].tolist()),
            log_fitness=tuple(whole[:, 3].tolist()),
            touches=dict(zip(TOUCHES, self.touches.sum(axis=0).tolist(), strict=True)),
            states=self.states.sum(axis=0),
            done=mean(self.states[:, :, _DONE], each),
            reached=mean(self.stages[:, :, 0], each),
            completed=mean(self.stages[:, :, 1], each),
            stage_counts=self.stages.sum(axis=0),
            timed=self.times[:, :, 0].sum(axis=0),
            mean_seconds=seconds,
            median_seconds=np.stack([_medians(self.reaching), _medians(self.staying)], axis=1),
        )


def _complete(plan: JourneyPlan, state: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(J, stages) whether all is done that a stage asks, and something is."""
    out = []
    number = 0
    for stage in plan.stages:
        here = state[:, number : number + len(stage.steps)]
        needed = np.array([not step.optional for step in stage.steps])
        out.append(((here == _DONE) | ~needed).all(axis=1) & (here == _DONE).any(axis=1))
        number += len(stage.steps)
    return np.stack(out, axis=1)


def _times(
    journeys: Journeys, plan: JourneyPlan, found: Alignments
) -> tuple[IntArray, IntArray, IntArray]:
    """The times of each stage: (SHARDS, stages, 3) sums, and (stages, bins) counts, twice."""
    stages = len(plan.stages)
    sums = np.zeros((SHARDS, stages, 3), np.int64)
    bins = np.zeros((2, stages, BINS), np.int64)
    stage_of = np.repeat(np.arange(stages), [len(stage.steps) for stage in plan.stages])
    rows = np.flatnonzero(found.touch == _DONE)
    stage = stage_of[found.step[rows]]
    ticks, offsets = journeys.time.view(np.int64), journeys.offsets
    for number in range(stages):
        mine = rows[stage == number]
        of = np.searchsorted(offsets, mine, side="right") - 1
        begins = np.ones(len(mine), dtype=bool)
        np.not_equal(of[1:], of[:-1], out=begins[1:])
        first = mine[begins]
        last = mine[np.append(begins[1:], True)] if len(mine) else mine
        of = of[begins]
        waited = ticks[first] - ticks[offsets[of]], ticks[last] - ticks[first]
        shard = journeys.shards[of]
        sums[:, number, 0] = np.bincount(shard, minlength=SHARDS)
        for which, spans in enumerate(waited):
            np.add.at(sums[:, number, which + 1], shard, spans)
            bins[which, number] = np.bincount(bins_of(spans), minlength=BINS)
    return sums, bins[0], bins[1]


def _medians(counts: IntArray) -> NDArray[np.float64]:
    """(stages,) the median time in seconds, NaN where there is none."""
    out = np.full(len(counts), np.nan)
    for number, row in enumerate(counts):
        bins = np.flatnonzero(row)
        if len(bins):
            bounds = np.array([0, len(bins)])
            out[number] = bin_quantiles(row[bins], bins, bounds, np.array([0.5]))[0] / 1e6
    return out
