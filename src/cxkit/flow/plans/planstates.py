"""A plan as states: how far one has come, and which steps lead on from there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Final, TypeAlias

import attrs

from cxkit.errors import DefinitionError

if TYPE_CHECKING:
    from cxkit.flow.plans.plan import JourneyPlan
    from cxkit.flow.plans.planstages import PlanStage, PlanStep

__all__ = ["NEVER", "Move", "PlanStates", "plan_states"]

NEVER: Final = 1 << 28
"""A cost that is never paid: this way can only be gone by doing the step."""
_MOST_STATES: Final = 4096
_MOST_IN_ANY_ORDER: Final = 12


@attrs.frozen
class Move:
    """A way from one state to the next.

    Attributes:
        source: The state that is left.
        target: The state that is reached.
        step: The step that is done on the way, -1 for none.
        cost: What it costs to go this way without doing the step.
    """

    source: int
    target: int
    step: int
    cost: int


@attrs.frozen
class PlanStates:
    """The states of a plan, numbered so that every move goes to a higher number.

    Attributes:
        count: S; state 0 is the beginning, state S - 1 the end.
        moves: All moves, by source and then in the order of the plan.
        loops: ``(state, step)``: a step that may be repeated in a state.
    """

    count: int
    moves: tuple[Move, ...]
    loops: tuple[tuple[int, int], ...]


_Fragment: TypeAlias = "Callable[[_Builder, int, int | None], int]"


@attrs.define
class _Builder:
    """States and moves as they are added; a fragment adds its own between a start and an end."""

    count: int = 1
    moves: list[Move] = attrs.field(factory=list)
    loops: list[tuple[int, int]] = attrs.field(factory=list)

    def state(self) -> int:
        self.count += 1
        if self.count > _MOST_STATES:
            raise DefinitionError(
                f"a plan with so many steps or stages in any order has more than {_MOST_STATES:,} "
                "states; fix the order of some, or leave some out"
            )
        return self.count - 1

    def step(self, number: int, step: PlanStep, start: int, end: int | None) -> int:
        end = self.state() if end is None else end
        missing = int(not step.optional)
        if not step.repeats:
            self.moves.append(Move(start, end, number, missing))
            return end
        # The state in which it may come again is reached only by doing it.
        again = self.state()
        self.moves.append(Move(start, again, number, NEVER))
        self.moves.append(Move(again, end, -1, 0))
        self.moves.append(Move(start, end, -1, missing))
        self.loops.append((again, number))
        return end

    def in_order(self, parts: Sequence[_Fragment], start: int, end: int | None) -> int:
        for part in parts[:-1]:
            start = part(self, start, None)
        return parts[-1](self, start, end)

    def in_any_order(self, parts: Sequence[_Fragment], start: int, end: int | None) -> int:
        if len(parts) > _MOST_IN_ANY_ORDER:
            raise DefinitionError(
                f"at most {_MOST_IN_ANY_ORDER} steps or stages can be in any order; "
                f"found {len(parts)}"
            )
        full = (1 << len(parts)) - 1
        after = {0: start, full: self.state() if end is None else end}
        for done in range(full):
            for place, part in enumerate(parts):
                if not done >> place & 1:
                    then = done | 1 << place
                    after[then] = part(self, after[done], after.get(then))
        return after[full]


@lru_cache(maxsize=64)
def plan_states(plan: JourneyPlan) -> PlanStates:
    """The states of a plan.

    Raises:
        DefinitionError: There are too many.

    Example:
        >>> from cxkit.flow import JourneyPlan
        >>> plan_states(JourneyPlan({"look": ["view"], "buy": ["pay"]})).count
        3
    """
    build = _Builder()
    stages: list[_Fragment] = []
    number = 0
    for stage in plan.stages:
        stages.append(partial(_add_stage, stage, number))
        number += len(stage.steps)
    arrange = _Builder.in_order if plan.order == "fixed" else _Builder.in_any_order
    end = arrange(build, stages, 0, None)
    return _numbered(build, end)


def _add_stage(stage: PlanStage, number: int, build: _Builder, start: int, end: int | None) -> int:
    steps: list[_Fragment] = [
        partial(_add_step, number + place, step) for place, step in enumerate(stage.steps)
    ]
    arrange = build.in_order if stage.order == "fixed" else build.in_any_order
    end = arrange(steps, start, end)
    if stage.optional:
        build.moves.append(Move(start, end, -1, 0))
    return end


def _add_step(number: int, step: PlanStep, build: _Builder, start: int, end: int | None) -> int:
    return build.step(number, step, start, end)


def _numbered(build: _Builder, end: int) -> PlanStates:
    """The same states, numbered along the moves."""
    before: dict[int, set[int]] = {state: set() for state in range(build.count)}
    for move in build.moves:
        before[move.target].add(move.source)
    order = [state for state in TopologicalSorter(before).static_order() if state != end]
    number = {state: place for place, state in enumerate([*order, end])}
    moves = [attrs.evolve(m, source=number[m.source], target=number[m.target]) for m in build.moves]
    moves.sort(key=lambda m: m.source)  # moves of one source stay in the order of the plan
    return PlanStates(
        build.count, tuple(moves), tuple((number[state], step) for state, step in build.loops)
    )
