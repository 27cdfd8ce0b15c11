"""Distinct paths beside a plan: the least cost, and which touchpoint does which step.

Paths are aligned to the plan's states by dynamic programming from their ends, all paths of a batch
at once; the numbers of a batch are kept, so that a second pass from the beginnings can read the
alignment off them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.flow.plans.planstates import NEVER, PlanStates

__all__ = ["align_paths", "least_cost"]

_CELLS: Final = 1 << 22
"""Numbers that a batch of paths may keep."""

_Costs = NDArray[np.int32]


@attrs.frozen(eq=False)
class _Pass:
    """What the pass from the ends of a batch of paths found, position by position.

    Attributes:
        letters: (L, V) the paths, longest first; only the first of a row are paths so long.
        doing: L times (S, a) least cost if the touchpoint here does a step, by state.
        after: L times (S, a) least cost after it.
        cost: (S, V) least cost of the whole.
    """

    letters: NDArray[Any]
    doing: list[_Costs]
    after: list[_Costs]
    cost: _Costs


def least_cost(states: PlanStates) -> NDArray[np.int32]:
    """(S,) the least number of steps that are missing if nothing more comes."""
    cost = np.full(states.count, NEVER, np.int32)
    cost[-1] = 0
    for move in reversed(states.moves):
        cost[move.source] = min(cost[move.source], move.cost + cost[move.target])
    return cost


def align_paths(
    states: PlanStates,
    matches: NDArray[np.bool_],
    offsets: IntArray,
    letters: NDArray[Any],
) -> tuple[IntArray, NDArray[np.int16]]:
    """Align paths to a plan.

    Args:
        states: The plan.
        matches: (steps, letters) whether a touchpoint of that letter would do the step.
        offsets: (U + 1,) paths; none is empty.
        letters: (R,) their touchpoints, as unsigned letters.

    Returns:
        ``(cost, step)``: (U,) steps missing and touchpoints too many, and (R,) the step that each
        touchpoint does, -1 for none.
    """
    size = np.diff(offsets)
    cost = np.empty(len(size), np.int64)
    step = np.full(len(letters), -1, np.int16)
    order = np.argsort(-size, kind="stable")
    for which in _batches(order, size, max(_CELLS // states.count, 1)):
        long = size[which]
        rows = offsets[:-1][which] + np.arange(long[0])[:, None]  # (L, V), beyond short ones too
        inside = np.arange(long[0])[:, None] < long
        found = _from_ends(states, matches, letters[np.where(inside, rows, 0)], long)
        cost[which] = found.cost[0]
        done = _from_beginnings(states, matches, found, long)
        step[rows[inside]] = done[inside]
    return cost, step


def _batches(order: IntArray, size: IntArray, room: int) -> Iterator[IntArray]:
    """Paths of about one length, as many at a time as there is room for."""
    filled = np.cumsum(size[order])
    begin = 0
    while begin < len(order):
        used = filled[begin - 1] if begin else 0
        end = max(int(np.searchsorted(filled, used + room, side="right")), begin + 1)
        yield order[begin:end]
        begin = end


def _from_ends(
    states: PlanStates, matches: NDArray[np.bool_], letters: NDArray[Any], size: IntArray
) -> _Pass:
    barred = np.where(matches, np.int32(0), np.int32(NEVER))
    now = np.repeat(least_cost(states)[:, None], len(size), axis=1)
    doing: list[_Costs] = []
    after: list[_Costs] = []
    for at in reversed(range(len(letters))):
        many = int(np.searchsorted(-size, -at))  # paths longer than this
        then = now[:, :many].copy()
        bar = barred[:, letters[at, :many]]
        best = np.full_like(then, NEVER)
        for state, step in states.loops:
            np.minimum(best[state], then[state] + bar[step], out=best[state])
        for move in reversed(states.moves):
            here = best[move.source]
            if move.step >= 0:
                np.minimum(here, then[move.target] + bar[move.step], out=here)
            # Or go on without the step, to where the touchpoint does another one.
            np.minimum(here, best[move.target] + np.int32(move.cost), out=here)
        np.minimum(best, then + np.int32(1), out=now[:, :many])
        doing.append(best)
        after.append(then)
    return _Pass(letters, doing[::-1], after[::-1], now)


def _from_beginnings(
    states: PlanStates, matches: NDArray[np.bool_], found: _Pass, size: IntArray
) -> NDArray[np.int16]:
    """(L, V) the step that each touchpoint does, -1 for none."""
    onward = _Ways.of(states)
    out = np.full(found.letters.shape, -1, np.int16)
    state = np.zeros(len(size), np.int64)
    for at, (doing, after) in enumerate(zip(found.doing, found.after, strict=True)):
        path = np.arange(doing.shape[1])
        here = state[path]
        path = path[doing[here, path] <= after[here, path] + 1]
        while len(path):
            path = onward.follow(at, path, state, matches, found, out)
    return out


@attrs.frozen(eq=False)
class _Ways:
    """The moves out of each state as a table, filled up with ways that are never open.

    Attributes:
        target: (S, M) where they lead; loops, which lead back, come last.
        step: (S, M) the step, or -1.
        cost: (S, M) the cost of going on without it.
    """

    target: IntArray
    step: IntArray
    cost: IntArray

    @classmethod
    def of(cls, states: PlanStates) -> _Ways:
        ways: list[list[tuple[int, int, int]]] = [[] for _ in range(states.count)]
        for move in states.moves:
            ways[move.source].append((move.target, move.step, move.cost))
        for state, step in states.loops:
            ways[state].append((state, step, NEVER))
        most = max(map(len, ways))
        table = np.array([w + [(0, -1, NEVER)] * (most - len(w)) for w in ways], np.int64)
        return cls(table[..., 0], table[..., 1], table[..., 2])

    def follow(
        self,
        at: int,
        path: IntArray,
        state: IntArray,
        matches: NDArray[np.bool_],
        found: _Pass,
        out: NDArray[np.int16],
    ) -> IntArray:
        """Do a step where one can be done at the least cost; the others go on without one.

        Returns:
            The paths that have gone on without a step, and have yet to do one.
        """
        here = state[path]
        target, step, cost = self.target[here], self.step[here], self.cost[here]
        best = found.doing[at][here, path][:, None]
        letter = found.letters[at, path]
        fits = (step >= 0) & matches[step, letter[:, None]]
        fits &= found.after[at][target, path[:, None]] == best
        does = fits.any(axis=1)
        way = np.where(does, fits.argmax(axis=1), 0)
        if not does.all():
            leads = cost + found.doing[at][target, path[:, None]] == best
            way = np.where(does, way, leads.argmax(axis=1))
        row = np.arange(len(path))
        state[path] = target[row, way]
        out[at, path[does]] = step[row, way][does]
        return np.asarray(path[~does])
