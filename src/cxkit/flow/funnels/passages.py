"""The way of each journey through a funnel: which touchpoint was which step, under any policy.

A journey may hold several chains of touchpoints that make the steps. Its passage is one that gets
furthest; of those, one whose last step is earliest; of those, the one whose step before is latest,
and so on back to the entry. So the passage ends when the journey first got that far, and it took no
longer than it had to.

For each step, kept are the places at which a chain so far may end, and for each the time of the
latest entry that leads there. Within a journey that entry never decreases from place to place: of
two chains that end at places p < q, where the first has the later entry, some step of the second
lies before its fellow in the first and the next one does not, and there the two can be joined. The
pause at the joint is neither shorter than the one in the first chain nor longer than that in the
second, and nothing is between that was not between in the second. So of all places before a
candidate that keep the least distance, the last one has the latest entry, the shortest pause and
the least between; and if even that is not allowed, none is.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.flow.funnels.anyorder import any_order
from cxkit.flow.funnels.policy import Rules
from cxkit.flow.funnels.sametime import can_serve
from cxkit.flow.funnels.scene import Scene, first_of_each, scene_of
from cxkit.model.journeys import Journeys

__all__ = ["passages_of"]

_NONE: Final = -1


class _Level(NamedTuple):
    """The places at which the first so many steps may be done.

    Attributes:
        at: (n,) which of the places of the step.
        place: (n,) the places, in order.
        journey: (n,) their segments.
        entered: (n,) the latest entry that leads there.
        begins: (n,) the first step that is done at this place; the step itself but for ties.
        before: (n,) where in the level of the step before that the chain comes from.
    """

    at: IntArray
    place: IntArray
    journey: IntArray
    entered: IntArray
    begins: IntArray
    before: IntArray


def passages_of(journeys: Journeys, rules: Rules) -> IntArray:
    """(J, K) the touchpoint that was each step of each journey's passage; -1 where there is none.

    Args:
        journeys: The journeys.
        rules: The funnel. If its steps come in any order, column k is the (k + 1)-th step done.
    """
    scene = scene_of(journeys, rules)
    rows = _in_order(scene, rules) if rules.ordered else any_order(scene, rules)
    return rows if scene.owner is None else _best(rows, scene.owner, len(journeys))


def _best(rows: IntArray, owner: IntArray, journeys: int) -> IntArray:
    """The furthest of the passages of each journey, of those the one that got there first."""
    depth = (rows >= 0).sum(axis=1)
    last = np.take_along_axis(rows, np.maximum(depth - 1, 0)[:, np.newaxis], axis=1)[:, 0]
    order = np.lexsort([last, -depth, owner])
    chosen = order[first_of_each(owner[order])]
    out = np.full((journeys, rows.shape[1]), _NONE)
    out[owner[chosen]] = rows[chosen]
    return out


def _in_order(scene: Scene, rules: Rules) -> IntArray:
    levels: list[_Level] = []
    runs: dict[int, IntArray] = {}
    for step in range(len(rules.steps)):
        runs = _runs(scene, rules, step, runs)
        level = _level(scene, rules, step, runs, levels)
        levels.append(level)
        if not len(level.place):
            break
    return _walk_back(scene, levels, len(rules.steps))


def _level(
    scene: Scene, rules: Rules, step: int, runs: dict[int, IntArray], levels: list[_Level]
) -> _Level:
    """Where the steps up to this one may be done; ``runs`` says where several at one instant."""
    parts = []
    # The more steps are done at one instant, the later the step before: those go first.
    for begins in sorted({*runs, step}):
        at = runs.get(begins, np.arange(len(scene.steps[step])))
        place = scene.steps[step][at]
        if begins == 0:
            journey = np.searchsorted(scene.offsets[1:], place, side="right")
            keep = _entries(scene, rules, place)
            entered, before = scene.times[place], np.full(len(place), _NONE)
        else:
            before, keep = _before(scene, rules, begins - 1, place, levels[begins - 1])
            entered, journey = (
                x[before] for x in (levels[begins - 1].entered, levels[begins - 1].journey)
            )
        columns = (at, place, journey, entered, np.full(len(place), begins), before)
        parts.append(_Level(*(column[keep] for column in columns)))
    if len(parts) == 1:
        return parts[0]
    joined = [np.concatenate(columns) for columns in zip(*parts, strict=True)]
    _, first = np.unique(joined[1], return_index=True)
    return _Level(*(column[first] for column in joined))


def _entries(scene: Scene, rules: Rules, place: IntArray) -> NDArray[np.bool_]:
    """(n,) which places of the first step are entries."""
    if rules.entry == "any":
        return np.ones(len(place), dtype=bool)
    # Counted among all places of the first step: with ties, not all of them need be given here.
    every = scene.steps[0]
    of = np.searchsorted(scene.offsets[1:], every, side="right")
    chosen = first_of_each(of) if rules.entry == "first" else first_of_each(of[::-1])[::-1]
    return np.isin(place, every[chosen])


def _before(
    scene: Scene, rules: Rules, gap: int, place: IntArray, level: _Level
) -> tuple[IntArray, NDArray[np.bool_]]:
    """(n,) the last place of the step before that may lead to each place, and whether any may."""
    if not len(level.place):
        return np.zeros(0, np.int64), np.zeros(0, dtype=bool)
    time = scene.times[place]
    before = np.searchsorted(level.place, place) - 1
    inside = before >= 0
    before = np.maximum(before, 0)
    inside &= place < scene.offsets[level.journey[before] + 1]
    due = time - max(rules.least[gap], int(rules.ties == "strict" and rules.adjacent))
    if rules.adjacent:
        inside &= level.place[before] == place - 1
    elif rules.least[gap]:
        before, inside = _until(scene.times[level.place], level.journey, before, inside, due)
    earlier = scene.times[level.place[before]]
    inside &= earlier <= due
    most, limit = rules.most[gap], rules.limit
    if most is not None:
        inside &= time - earlier <= most
    if limit is not None:
        inside &= time - level.entered[before] <= limit
    for (_, first, end), without in zip(rules.without, scene.without, strict=True):
        if first <= gap < end and len(without):
            last = np.searchsorted(without, place) - 1
            inside &= (last < 0) | (without[np.maximum(last, 0)] <= level.place[before])
    return before, inside


def _until(
    times: IntArray,
    journey: IntArray,
    last: IntArray,
    inside: NDArray[np.bool_],
    due: IntArray,
) -> tuple[IntArray, NDArray[np.bool_]]:
    """Step back to the last place of the same journey whose time is not after ``due``."""
    late = np.flatnonzero(inside & (times[last] > due))
    begins = np.maximum.accumulate(np.where(first_of_each(journey), np.arange(len(journey)), 0))
    low, high, due = begins[last[late]], last[late], due[late]  # times[high] is after due
    while (open_ := low < high).any():  # bisection, all at once
        middle = (low + high) >> 1
        early = open_ & (times[middle] <= due)
        low = np.where(early, middle + 1, low)
        high = np.where(open_ & ~early, middle, high)
    last, inside = last.copy(), inside.copy()
    found = low > begins[last[late]]
    inside[late] = found
    last[late] = np.where(found, low - 1, last[late])
    return last, inside


def _runs(scene: Scene, rules: Rules, step: int, runs: dict[int, IntArray]) -> dict[int, IntArray]:
    """Where all steps from a first to this one can be done at one instant: {first: places}.

    Args:
        scene: The places.
        rules: The funnel.
        step: This step.
        runs: The same for the step before.

    Returns:
        For each first step, which of the places of this one.
    """
    if scene.shared is None or step == 0 or rules.least[step - 1]:
        return {}
    found = {}
    own, earlier = scene.steps[step], scene.steps[step - 1]
    for first in [*runs, step - 1]:
        so_far = earlier[runs[first]] if first in runs else earlier
        at = np.flatnonzero(np.isin(own, so_far, assume_unique=True))
        at = at[can_serve(scene.shared, own[at], rules.steps[first : step + 1])]
        if len(at):
            found[first] = at
    return found


def _walk_back(scene: Scene, levels: list[_Level], steps: int) -> IntArray:
    """(S, steps) the touchpoints of each passage, from its last step to the first."""
    segments = len(scene.offsets) - 1
    out = np.full((segments, steps), _NONE)
    entered = np.zeros(segments, dtype=bool)
    next_step = np.full(segments, _NONE)
    next_at = np.zeros(segments, np.int64)
    for step in reversed(range(len(levels))):
        level = levels[step]
        first = np.flatnonzero(first_of_each(level.journey))
        furthest = first[~entered[level.journey[first]]]
        ends = level.journey[furthest]
        entered[ends], next_step[ends], next_at[ends] = True, step, furthest
        here = np.flatnonzero(next_step == step)
        at = next_at[here]
        begins, place = level.begins[at], level.place[at]
        for done in range(int(begins.min(initial=step)), step + 1):
            some = begins <= done
            row = np.searchsorted(scene.steps[done], place[some])
            out[here[some], done] = scene.rows[done][row]
        next_step[here] = begins - 1
        next_at[here] = level.before[at]
    return out
