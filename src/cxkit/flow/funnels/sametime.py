"""Touchpoints of one instant that serve as several steps of a funnel, each of them once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.model.goal import Goal

__all__ = ["MOST_GOALS", "MOST_ON_ONE_EVENT", "Instants", "can_serve", "instants_of"]

MOST_GOALS: Final = 64
"""So many different goals have a bit each."""
MOST_ON_ONE_EVENT: Final = 8
"""So many different goals on one event are tried out in every combination."""


class Instants(NamedTuple):
    """Places with at least two touchpoints that are steps.

    Attributes:
        places: (U,) the places, in order.
        of: (T,) for each touchpoint which of them it is in.
        goals: (T,) which goals it reaches, one bit each.
        bit: The bit of each goal, by what it asks.
    """

    places: IntArray
    of: IntArray
    goals: NDArray[np.uint64]
    bit: dict[tuple[Any, ...], int]


def instants_of(found: dict[Goal, IntArray], instant: IntArray, steps: Sequence[Goal]) -> Instants:
    """Find the instants that touchpoints share.

    Args:
        found: The touchpoints of each goal.
        instant: (E,) the instant of each touchpoint.
        steps: The steps.
    """
    asked = {step.same: step for step in steps}
    bit = {same: place for place, same in enumerate(asked)}
    rows = np.concatenate([found[goal] for goal in asked.values()])
    bits = np.concatenate(
        [np.full(len(found[goal]), 1 << bit[same], np.uint64) for same, goal in asked.items()]
    )
    order = np.argsort(rows, kind="stable")
    rows, bits = rows[order], bits[order]
    begins = np.flatnonzero(np.diff(rows, prepend=-1))
    goals = np.bitwise_or.reduceat(bits, begins) if len(begins) else bits
    places, of, count = np.unique(instant[rows[begins]], return_inverse=True, return_counts=True)
    shared = count > 1
    kept = shared[of]
    return Instants(places[shared], (np.cumsum(shared) - 1)[of[kept]], goals[kept], bit)


def can_serve(instants: Instants, places: IntArray, run: Sequence[Goal]) -> NDArray[np.bool_]:
    """(n,) at which places there are different touchpoints for all steps of a run.

    By Hall's theorem (1935, "On representatives of subsets") there are if, for every set of the
    goals, as many touchpoints reach any of them as steps ask for them. It is known of the run
    without its last step, so only sets with its last goal are looked at, and of goals on its event.

    Args:
        instants: The instants that touchpoints share.
        places: (n,) places.
        run: The steps, the last of which is new.
    """
    at = np.searchsorted(instants.places, places)
    at = np.minimum(at, max(len(instants.places) - 1, 0))
    fits = instants.places[at] == places if len(instants.places) else np.zeros(len(places), bool)
    asked = [goal.same for goal in run]
    others = sorted(
        {goal.same for goal in run if goal.event == run[-1].event} - {asked[-1]}, key=repr
    )
    for size in range(len(others) + 1):
        for some in combinations(others, size):
            goals = {asked[-1], *some}
            bits = np.uint64(sum(1 << instants.bit[same] for same in goals))
            reach = np.bincount(
                instants.of[(instants.goals & bits) != 0], minlength=len(instants.places)
            )
            needed = sum(same in goals for same in asked)
            fits &= reach[at] >= needed if len(reach) else False
    return np.asarray(fits)
