"""Totals of a replay by shard: what a :class:`ReplayCounts` is made of."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.summary import SHARDS
from cxkit.core.timebins import BINS, bins_of
from cxkit.microinteraction.instances import Events, Instances
from cxkit.microinteraction.replay import Replay
from cxkit.microinteraction.results import MEASURES
from cxkit.microinteraction.spec import Microinteraction
from cxkit.microinteraction.visits import Visits

__all__ = [
    "count_loops",
    "count_measures",
    "count_met",
    "count_stays",
    "count_timeouts",
    "count_times",
]

_TIMED: Final = ("first_ms", "end_ms")


def count_measures(instances: Instances, shards: IntArray) -> IntArray:
    """(64, n) what the instances did, by shard."""
    started, ended = instances.started, instances.ended
    columns = {
        "instances": np.ones(len(shards), np.int64),
        "started": started,
        "ended": ended,
        "success": instances.success,
        "abandoned": started & ~ended,
        "failed": instances.failed,
        "undoable": instances.undoable,
        "undone": instances.undone,
        "events": instances.events,
        "user_events": instances.user_events,
        "unhandled": instances.unhandled,
        "dead": instances.dead,
        "repeats": instances.repeats,
        "repeated": instances.repeats > 0,
        "rages": instances.rages,
        "raged": instances.rages > 0,
        "timers": instances.timers,
    }
    out = np.zeros((SHARDS, len(MEASURES)), np.int64)
    for place, name in enumerate(MEASURES):
        np.add.at(out[:, place], shards, columns[name])
    return out


def count_stays(found: Replay, visits: Visits, events: Events, shards: IntArray) -> IntArray:
    """(64, S, 4) stays, instances, last ones and microseconds, by shard and state."""
    states = len(events.states)
    state = events.plain[visits.state]
    cell = shards[visits.stream] * states + state
    each = np.unique(visits.stream * states + state)  # an instance counts once in a state
    once = shards[each // states] * states + each % states
    last = shards * states + events.plain[found.final]
    spent = np.zeros(SHARDS * states, np.int64)
    np.add.at(spent, cell, visits.leave - visits.enter)
    counts = [np.bincount(c, minlength=SHARDS * states) for c in (cell, once, last)]
    return np.stack([*counts, spent], axis=-1).reshape(SHARDS, states, 4)


def count_met(found: Replay, events: Events) -> IntArray:
    """(S, A) how often each symbol met each state."""
    symbols = found.table.unknown + 1
    states = len(events.states)
    cells = events.state * symbols + found.symbols
    return np.bincount(cells, minlength=states * symbols).reshape(states, symbols)


def count_timeouts(visits: Visits, events: Events) -> IntArray:
    """(S,) how often the timer of each state fired."""
    rows = np.flatnonzero(visits.by_timer)
    return np.bincount(events.plain[visits.state[rows - 1]], minlength=len(events.states))


def count_loops(
    spec: Microinteraction, visits: Visits, events: Events, shards: IntArray
) -> IntArray:
    """(64, L, 3) instances in each loop, repeats, and instances with too many."""
    out = np.zeros((SHARDS, len(spec.loops), 3), np.int64)
    state = events.plain[visits.state]
    follows = np.zeros(len(state), bool)
    follows[1:] = visits.stream[1:] == visits.stream[:-1]
    for place, loop in enumerate(spec.loops):
        inside = np.isin(state, [events.states.index(name) for name in loop.states])
        again = np.zeros(len(state), bool)
        if loop.states:
            first = state == events.states.index(loop.states[0])
            again[1:] = first[1:] & inside[:-1] & ~first[:-1]
        again &= follows
        streams = len(shards)
        went = np.bincount(visits.stream[inside], minlength=streams) > 0
        repeats = np.bincount(visits.stream[again], minlength=streams)
        over = repeats >= (loop.max if loop.max is not None else np.iinfo(np.int64).max)
        for column, values in enumerate((went, repeats, over)):
            np.add.at(out[:, place, column], shards, values.astype(np.int64))
    return out


def count_times(instances: Instances, shards: IntArray) -> tuple[IntArray, IntArray]:
    """Bins of the times from the trigger that occur, sorted, and how many are in each."""
    keys = []
    for kind, name in enumerate(_TIMED):
        ms: NDArray[np.float64] = getattr(instances, name)
        some = np.flatnonzero(~np.isnan(ms))
        bins = bins_of(np.rint(ms[some] * 1000).astype(np.int64))
        keys.append((kind * BINS + bins) * SHARDS + shards[some])
    return np.unique(np.concatenate(keys), return_counts=True)
