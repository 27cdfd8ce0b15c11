"""Where the steps of a funnel lie in journeys: the places that a search for chains goes through.

A place is a touchpoint where touchpoints of one instant count in their order, and an instant where
they do not. Where a property is held constant, a journey is looked at once for each label, as if it
had no other touchpoints.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.ragged import segment_ids
from cxkit.flow.funnels.policy import Rules
from cxkit.flow.funnels.sametime import Instants, instants_of
from cxkit.model.goal import Goal
from cxkit.model.journeys import Journeys

__all__ = ["Scene", "first_of_each", "scene_of"]


class Scene(NamedTuple):
    """The places of steps and exclusions, in order, segment by segment.

    Attributes:
        offsets: (S + 1,) the segments, in places.
        times: (P,) microseconds, never decreasing within a segment.
        steps: For each step its (n,) places.
        rows: For each step the (n,) touchpoints; of an instant, the first that is the step.
        without: For each exclusion its places.
        at: (P,) the touchpoint of each place; ``None`` where they are the same, or places are
            instants.
        owner: (S,) the journey of each segment; ``None`` where they are the same.
        shared: The instants that several touchpoints share, where those may serve in any order.
    """

    offsets: IntArray
    times: IntArray
    steps: list[IntArray]
    rows: list[IntArray]
    without: list[IntArray]
    at: IntArray | None
    owner: IntArray | None
    shared: Instants | None


def scene_of(journeys: Journeys, rules: Rules) -> Scene:
    """Find the places.

    Args:
        journeys: The journeys.
        rules: The funnel.

    Raises:
        SchemaError: The column to hold is not there, or holds numbers.
    """
    goals = dict.fromkeys([*rules.steps, *(goal for goal, _, _ in rules.without)])
    found = {goal: np.flatnonzero(goal.matches(journeys)) for goal in goals}
    offsets, times = journeys.offsets, journeys.time.view(np.int64)
    at: IntArray | None = None
    owner: IntArray | None = None
    if rules.hold is not None:
        held = journeys.codes(rules.hold)
        offsets, at, owner, found = _held(
            offsets, held.codes, held.missing, found, every=rules.adjacent
        )
        times = times[at]
    rows = {goal: places if at is None else at[places] for goal, places in found.items()}
    shared: Instants | None = None
    if rules.ties != "order" and not rules.adjacent:
        instant, offsets, times = _instants(offsets, times)
        firsts = {
            goal: np.flatnonzero(first_of_each(instant[places])) for goal, places in found.items()
        }
        if rules.ties == "any":
            shared = instants_of(found, instant, rules.steps)
        rows = {goal: rows[goal][first] for goal, first in firsts.items()}
        found, at = {goal: instant[found[goal][first]] for goal, first in firsts.items()}, None
    return Scene(
        offsets=offsets,
        times=times,
        steps=[found[step] for step in rules.steps],
        rows=[rows[step] for step in rules.steps],
        without=[found[goal] for goal, _, _ in rules.without],
        at=at,
        owner=owner,
        shared=shared,
    )


def first_of_each(segment: IntArray) -> NDArray[np.bool_]:
    """(n,) whether a segment, of segments in order, comes for the first time.

    Example:
        >>> first_of_each(np.array([3, 3, 7])).tolist()
        [True, False, True]
    """
    first = np.ones(len(segment), dtype=bool)
    np.not_equal(segment[1:], segment[:-1], out=first[1:])
    return first


def _held(
    offsets: IntArray,
    codes: NDArray[Any],
    missing: int,
    found: Mapping[Goal, IntArray],
    *,
    every: bool,
) -> tuple[IntArray, IntArray, IntArray, dict[Goal, IntArray]]:
    """Journeys cut by label: offsets, the touchpoint of each place, journeys, places of goals."""
    if every:  # neighbours are looked for among all touchpoints
        kept = codes != missing
    else:
        kept = np.zeros(int(offsets[-1]), dtype=bool)
        for some in found.values():
            kept[some] = True
        kept &= codes != missing
    rows = np.flatnonzero(kept)
    journey = segment_ids(offsets)[rows]
    # Sorted by value, with the place in the low bits: faster than an argsort, and stable.
    bits = max(len(rows) - 1, 1).bit_length()
    packed = journey * (missing + 1) + codes[rows].astype(np.int64)
    if int(packed.max(initial=0)).bit_length() + bits > 63:
        order = np.argsort(packed, kind="stable")
    else:
        packed <<= bits
        packed |= np.arange(len(rows))
        packed.sort()
        order = packed & ((1 << bits) - 1)
    at, journey = rows[order], journey[order]
    label = codes[at]
    begins = np.flatnonzero(first_of_each(journey) | first_of_each(label))
    place = np.full(int(offsets[-1]), -1)
    place[at] = np.arange(len(at))
    moved = {goal: place[rows] for goal, rows in found.items()}
    places = {goal: np.sort(new[new >= 0]) for goal, new in moved.items()}
    return np.append(begins, len(at)), at, journey[begins], places


def _instants(offsets: IntArray, times: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """(P,) the instant of each place; the segments of instants and their times."""
    begins = np.ones(len(times), dtype=bool)
    np.not_equal(times[1:], times[:-1], out=begins[1:])
    begins[offsets[:-1]] = True
    firsts = np.flatnonzero(begins)
    return np.cumsum(begins) - 1, np.searchsorted(firsts, offsets), times[firsts]
