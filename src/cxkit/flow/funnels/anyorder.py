"""Funnels whose steps may come in any order: how many different ones are done within the window."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import numpy as np

from cxkit.core.arrays import IntArray
from cxkit.core.ragged import segment_ids, segment_max, segment_min
from cxkit.flow.funnels.policy import Rules
from cxkit.flow.funnels.scene import Scene, first_of_each

__all__ = ["any_order"]

_NEVER: Final = np.iinfo(np.int64).max


def any_order(scene: Scene, rules: Rules) -> IntArray:
    """(S, K) the touchpoint at which the first, second ... of the steps was done; -1 for none.

    From every touchpoint that is a step, the first touchpoint of each other step is looked up; as
    many as lie within the window, and before anything that must not come between, are done. Of the
    starts that get furthest, the one counts that gets there first; of those, the latest.

    Args:
        scene: The places of the steps; no goal of one overlaps that of another.
        rules: The funnel.
    """
    distinct = Counter(step.same for step in rules.steps)
    of_goal = {step.same: k for k, step in enumerate(rules.steps)}
    starts = _marked(len(scene.times), [scene.steps[k] for k in of_goal.values()])
    segment = segment_ids(scene.offsets)[starts]
    if rules.entry == "first":
        first = first_of_each(segment)
        starts, segment = starts[first], segment[first]
    out = np.full((len(scene.offsets) - 1, len(rules.steps)), -1)
    if not len(starts):
        return out
    end = scene.offsets[segment + 1]
    for without in scene.without:
        following = np.append(without, _NEVER)[np.searchsorted(without, starts)]
        end = np.minimum(end, following)
    done = _done(scene, rules, distinct, of_goal, starts, end)
    done.sort(axis=1)
    count = (done < _NEVER).sum(axis=1)
    # The best start of each segment, one sieve after another.
    bounds = np.append(np.flatnonzero(first_of_each(segment)), len(segment))
    size = np.diff(bounds)
    last = np.take_along_axis(done, count[:, np.newaxis] - 1, axis=1)[:, 0]
    best = count == np.repeat(segment_max(count, bounds), size)
    last[~best] = _NEVER
    best &= last == np.repeat(segment_min(last, bounds), size)
    chosen = segment_max(np.where(best, np.arange(len(starts)), -1), bounds)
    found = done[chosen]
    if scene.at is not None:
        found = np.where(found < _NEVER, np.take(scene.at, found, mode="clip"), _NEVER)
    out[segment[chosen]] = np.where(found < _NEVER, found, -1)
    return out


def _marked(places: int, some: list[IntArray]) -> IntArray:
    """The places in any of several lists, in order."""
    mark = np.zeros(places, dtype=bool)
    for here in some:
        mark[here] = True
    return np.flatnonzero(mark)


def _done(
    scene: Scene,
    rules: Rules,
    distinct: Counter[tuple[Any, ...]],
    of_goal: dict[tuple[Any, ...], int],
    starts: IntArray,
    end: IntArray,
) -> IntArray:
    """(n, K) where each step is done from each start; a step that comes twice is done twice."""
    done = np.empty((len(rules.steps), len(starts)), np.int64)
    column = 0
    due = None if rules.limit is None else scene.times[starts] + rules.limit
    for goal, times in distinct.items():
        # So many more may be looked for past the last one; they are never found.
        places = np.append(scene.steps[of_goal[goal]], np.full(times, len(scene.times)))
        before = np.zeros(len(scene.times) + 1, np.int64)
        before[1:][places[:-times]] = 1
        at = np.cumsum(before)[starts]
        for more in range(times):
            place = np.take(places, at + more, out=done[column])
            late = place >= end
            if due is not None:
                late |= np.take(scene.times, place, mode="clip") > due
            place[late] = _NEVER
            column += 1
    return np.ascontiguousarray(done.T)
