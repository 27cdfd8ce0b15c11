"""What the touchpoints of journeys are to a plan: letters, labels, and the states of steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, smallest_unsigned
from cxkit.core.ragged import segment_ids, take_segments
from cxkit.core.uniques import unique_sequences
from cxkit.flow.plans.planpaths import align_paths, least_cost
from cxkit.flow.plans.planstates import plan_states
from cxkit.model.recut import kept_rows

if TYPE_CHECKING:
    from cxkit.flow.plans.plan import JourneyPlan
    from cxkit.model.journeys import Journeys

__all__ = ["STATES", "TOUCHES", "PlannedPaths"]

TOUCHES: Final = ("done", "repeated", "misplaced", "failed", "extra", "ignored")
"""What a touchpoint is to a plan."""
STATES: Final = ("done", "misplaced", "failed", "skipped", "left_out")
"""What a step of a plan is to a journey."""

_DONE, _REPEATED, _MISPLACED, _FAILED = range(4)


@attrs.frozen(eq=False)
class PlannedPaths:
    """Journeys beside a plan, the distinct ones aligned once.

    Only touchpoints that the plan knows are looked at: what it knows nothing of is too many
    wherever it stands, and does not change how the others are aligned. U distinct paths of R
    known touchpoints; path U stands for journeys that have none.

    Attributes:
        rows: (M,) the rows of the journeys that the plan knows.
        place: (M,) where each is among the R.
        path: (J,) the path of each journey.
        cost: (U + 1,) steps missing and known touchpoints too many.
        label: (R,) what each known touchpoint is, an index into :data:`TOUCHES`.
        step: (R,) the step that it does, repeats, misplaces or fails.
        state: (U + 1, steps) what each step is, an index into :data:`STATES`.
        counts: (U + 1, 4) known touchpoints done, repeated, misplaced and failed.
        needed: The steps missing in a journey without touchpoints: the least the plan asks.
    """

    rows: IntArray
    place: IntArray
    path: IntArray
    cost: IntArray
    label: NDArray[np.uint8]
    step: NDArray[np.int16]
    state: NDArray[np.uint8]
    counts: IntArray
    needed: int

    @classmethod
    def of(cls, journeys: Journeys, plan: JourneyPlan) -> PlannedPaths:
        """Compare the journeys with the plan."""
        states, steps = plan_states(plan), plan.steps
        letters, known = _letters(journeys, plan)
        rows, offsets, which = kept_rows(journeys.offsets, letters > 0)
        letters = letters[rows]
        first, group = unique_sequences(offsets, letters)
        bounds, chosen = take_segments(offsets, first)
        path = np.full(len(journeys), len(first), np.int64)
        path[which] = group
        goals = plan.goals
        wanted = np.array([known[goals.index(step.goal)] for step in steps])
        cost, step = align_paths(states, wanted, bounds, letters[chosen])
        failing = np.array(
            [np.any([known[goals.index(g)] for g in s.failed] or [known[0] & False], axis=0)
             for s in steps]
        )  # fmt: skip
        told = _Told(plan, wanted, failing, bounds, letters[chosen], step)
        needed = int(least_cost(states)[0])
        begin = np.repeat(bounds[:-1][group] - offsets[:-1], np.diff(offsets))
        return cls(
            rows=rows,
            place=np.arange(len(rows)) + begin,
            path=path,
            cost=np.append(cost, needed),
            label=told.label,
            step=told.step,
            state=told.states(),
            counts=told.counts(),
            needed=needed,
        )


def _letters(journeys: Journeys, plan: JourneyPlan) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """(E,) a letter for each kind of touchpoint, 0 if unknown; (goals, letters) what it reaches."""
    goals = plan.goals
    masks = np.zeros(journeys.touchpoints, smallest_unsigned((1 << len(goals)) - 1))
    for place, goal in enumerate(goals):
        masks |= goal.matches(journeys).astype(masks.dtype) << masks.dtype.type(place)
    if masks.dtype.itemsize <= 2:
        used = np.bincount(masks, minlength=1 << len(goals)) > 0
        used[0] = True
        table = (np.cumsum(used) - 1).astype(smallest_unsigned(int(used.sum())))
        kinds, letters = np.flatnonzero(used).astype(np.uint64), table[masks]
    else:
        kinds, inverse = np.unique(np.append(masks, masks.dtype.type(0)), return_inverse=True)
        letters = inverse[:-1].astype(smallest_unsigned(len(kinds)))
        kinds = kinds.astype(np.uint64)
    bits = np.arange(len(goals), dtype=np.uint64)[:, None]
    return letters, (kinds[None, :] >> bits & np.uint64(1)).astype(bool)


class _Told:
    """Labels of the touchpoints that do no step, and states of the steps that none does."""

    def __init__(
        self,
        plan: JourneyPlan,
        wanted: NDArray[np.bool_],
        failing: NDArray[np.bool_],
        bounds: IntArray,
        letters: NDArray[Any],
        step: NDArray[np.int16],
    ) -> None:
        paths, many = len(bounds) - 1, len(wanted)
        self._plan, self._path, self._paths = plan, segment_ids(bounds), paths
        self.step = step.copy()
        self.label = np.full(len(step), _REPEATED, np.uint8)
        self.label[step >= 0] = _DONE
        self._done = np.zeros((paths + 1, many), dtype=bool)
        self._done[self._path[step >= 0], step[step >= 0]] = True
        self._misplaced = np.zeros_like(self._done)
        self._failed = np.zeros_like(self._done)
        others = np.flatnonzero(step < 0)
        for number in range(many):
            self._place(number, others[wanted[number, letters[others]]])
        only_failing = np.asarray(~wanted.any(axis=0))
        for number in range(many):
            rows = others[failing[number, letters[others]]]
            self._failed[self._path[rows], number] = True
            rows = rows[only_failing[letters[rows]]]
            self.label[rows] = _FAILED
            self.step[rows[self.step[rows] < 0]] = number

    def _place(self, number: int, rows: IntArray) -> None:
        """The touchpoints that would do a step and do none."""
        rows = rows[self.label[rows] != _MISPLACED]
        lost = rows[~self._done[self._path[rows], number]]
        _, at = np.unique(self._path[lost], return_index=True)
        self.label[lost[at]] = _MISPLACED
        self.step[lost[at]] = number
        self._misplaced[self._path[lost[at]], number] = True
        again = rows[self.label[rows] != _MISPLACED]
        self.step[again[self.step[again] < 0]] = number

    def states(self) -> NDArray[np.uint8]:
        """(U + 1, steps) what each step is."""
        may = np.zeros_like(self._done)
        number = 0
        for stage in self._plan.stages:
            inside = slice(number, number + len(stage.steps))
            may[:, inside] = [step.optional for step in stage.steps]
            if stage.optional:
                may[:, inside] |= ~self._done[:, inside].any(axis=1, keepdims=True)
            number = inside.stop
        return np.select([self._done, self._misplaced, self._failed, ~may], [0, 1, 2, 3], 4).astype(
            np.uint8
        )

    def counts(self) -> IntArray:
        """(U + 1, 4) touchpoints of each label."""
        key = self._path * 4 + self.label
        return np.bincount(key, minlength=4 * (self._paths + 1)).reshape(-1, 4)
