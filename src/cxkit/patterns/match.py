"""The search for a pattern: exact, over columns, without a loop over journeys.

For each step are kept the rows that can be the step, and for each the latest start that leads to
it. Within a journey that start never decreases from row to row, and every condition (not too long
ago, nothing refused in between) rules out the older rows first. So the last row before a candidate
of the next step is the best one, and if it will not do, none does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.model.goal import Goal
from cxkit.model.journeys import Journeys
from cxkit.patterns.axis import axis_chunks, one_axis
from cxkit.patterns.sequence import Pattern

__all__ = ["search"]

_CHUNK: Final = 1 << 18  # larger than elsewhere: a chunk costs several calls per step
_Rows = tuple[IntArray, IntArray, IntArray]


def search(
    journeys: Journeys, pattern: Pattern, at: int | None, begin: int, end: int
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """The matches of the journeys ``begin:end``.

    Args:
        journeys: All journeys.
        pattern: What to look for.
        at: Matches that end after this instant are left out, in microseconds.
        begin: The first journey to search.
        end: The one after the last.

    Returns:
        ``(journey, start, last, instant)``, each (M,): the journey, the rows of the first and the
        last step among all rows, and the microsecond at which the match ends; in order of rows.
    """
    found: list[tuple[IntArray, ...]] = []
    times = journeys.time.view(np.int64)
    for j0, j1, e0, _ in axis_chunks(times, journeys.offsets, _CHUNK, within=(begin, end)):
        part = journeys.take(slice(j0, j1))
        journey, start, last, instant = _search_part(part, pattern, at)
        if len(journey):
            found.append((journey + j0, start + e0, last + e0, instant))
    none = np.zeros(0, np.int64)
    columns = zip(*found, strict=True) if found else ((none,),) * 4
    journey, start, last, instant = (np.concatenate(column) for column in columns)
    return journey, start, last, instant


def _search_part(
    part: Journeys, pattern: Pattern, at: int | None
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    times, offsets = part.time.view(np.int64), part.offsets
    cache: dict[Goal, IntArray] = {}
    steps = [_rows_of([step], part, cache) for step in pattern.steps]
    barriers = _rows_of(pattern.without, part, cache)
    start, last, journey = _complete(steps, barriers, times, offsets, pattern)
    if pattern.then_no:
        refused = _rows_of(pattern.then_no, part, cache)
        instant = _deadlines(times[start], times[last], pattern)
        quiet = ~_answered(refused, last, journey, instant, times, offsets)
        start, last, journey, instant = (a[quiet] for a in (start, last, journey, instant))
    else:
        instant = times[last]
    if at is not None:  # what is reported up to an instant does not depend on what comes after
        known = instant <= at
        start, last, journey, instant = (a[known] for a in (start, last, journey, instant))
    kept = _reported(start, last, journey, instant, pattern, times, offsets)
    return journey[kept], start[kept], last[kept], instant[kept]


def _rows_of(goals: Sequence[Goal], part: Journeys, cache: dict[Goal, IntArray]) -> IntArray:
    """The rows that match any of the goals, in order."""
    for goal in goals:
        if goal not in cache:
            cache[goal] = np.flatnonzero(goal.matches(part))
    if len(goals) == 1:
        return cache[goals[0]]
    return np.unique(np.concatenate([np.zeros(0, np.int64), *(cache[goal] for goal in goals)]))


def _complete(
    steps: Sequence[IntArray],
    barriers: IntArray,
    times: IntArray,
    offsets: IntArray,
    pattern: Pattern,
) -> _Rows:
    """The rows that complete the steps: their latest start, themselves and their journey."""
    limit, gaps = pattern.within_us, pattern.step_within_us
    rows = start = steps[0]
    journey = np.searchsorted(offsets[1:], rows, side="right")
    for number, candidates in enumerate(steps[1:]):
        before = np.searchsorted(rows, candidates) - 1
        keep = before >= 0
        found, before = candidates[keep], before[keep]
        previous = rows[before]
        keep = found < offsets[journey[before] + 1]
        if limit is not None:
            keep &= times[found] - times[start[before]] <= limit
        gap = gaps[number]
        if gap is not None:
            keep &= times[found] - times[previous] <= gap
        if len(barriers):
            # The last refused row before the candidate may be the step before itself.
            place = np.searchsorted(barriers, found) - 1
            keep &= (place < 0) | (barriers[place] <= previous)
        before = before[keep]
        rows, start, journey = found[keep], start[before], journey[before]
    return start, rows, journey


def _deadlines(start: IntArray, last: IntArray, pattern: Pattern) -> IntArray:
    """(M,) when an absence is certain: never decreasing within a journey, as both times are not."""
    limit, gap = pattern.within_us, pattern.step_within_us[-1]
    if gap is None:
        return start + (limit or 0)
    return last + gap if limit is None else np.minimum(start + limit, last + gap)


def _answered(
    refused: IntArray,
    last: IntArray,
    journey: IntArray,
    deadline: IntArray,
    times: IntArray,
    offsets: IntArray,
) -> NDArray[np.bool_]:
    """(M,) whether a refused row comes after the last step, no later than the deadline."""
    if not len(refused):
        return np.zeros(len(last), dtype=bool)
    place = np.searchsorted(refused, last, side="right")
    row = refused.take(place, mode="clip")
    inside = (place < len(refused)) & (row < offsets[journey + 1])
    return np.asarray(inside & (times[row] <= deadline))


def _reported(
    start: IntArray,
    last: IntArray,
    journey: IntArray,
    instant: IntArray,
    pattern: Pattern,
    times: IntArray,
    offsets: IntArray,
) -> NDArray[Any]:
    """Which of the matches are reported, as positions or a mask."""
    count = len(last)
    if pattern.report == "overlapping" or not count:
        return np.arange(count)
    first = np.ones(count, dtype=bool)
    np.not_equal(journey[1:], journey[:-1], out=first[1:])
    if pattern.report == "first":
        return first
    if pattern.then_no:
        # The next match must start later than the deadline: a search in time, journey by journey.
        axis, base = one_axis(times, offsets)
        quiet = instant - times[offsets[journey]]  # since the journey began
        whole = times[offsets[journey + 1] - 1] - times[offsets[journey]]
        after = base[journey] + np.minimum(quiet, whole + 1)
        following = np.searchsorted(axis[start], after, side="right")
    else:
        following = np.searchsorted(start, last, side="right")
    # A match begins where the one before has ended: follow these arrows from each journey's first
    # match, all journeys at once, twice as far in every round.
    begins = np.flatnonzero(first)
    stop = np.append(begins[1:], count)[np.cumsum(first) - 1]
    jump = np.append(np.where(following < stop, following, count), count)
    reached = np.append(first, False)
    while True:
        ahead = jump[np.flatnonzero(reached)]
        fresh = ahead[~reached[ahead]]
        reached[fresh] = True
        reached[count] = False
        if not (fresh < count).any():
            return reached[:count]
        jump = jump[jump]
