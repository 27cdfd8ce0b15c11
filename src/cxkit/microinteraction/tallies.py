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
from cxkit.microinteraction.usage import Symbols
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


def count_loops(found: Replay, visits: Visits, events: Events, shards: IntArray) -> IntArray:
    """(64, L, 3) instances in each loop, repeats, and instances with one pass too many.

    A pass is one too many where one visit to the loop has ``max`` repeats: who leaves the loop and
    comes back later begins anew, as in the machine. An enforced loop never gets so far; there it is
    the step that was led to ``then`` instead.
    """
    spec = found.spec
    out = np.zeros((SHARDS, len(spec.loops), 3), np.int64)
    state = events.plain[visits.state]
    follows = np.zeros(len(state), bool)
    follows[1:] = visits.stream[1:] == visits.stream[:-1]
    streams = len(shards)
    aim = _aims(found, visits, events) if any(loop.then for loop in spec.loops) else state
    passes = np.array(found.table.machine.passes)[visits.state]
    for place, loop in enumerate(spec.loops):
        inside = np.isin(state, [events.states.index(name) for name in loop.states])
        stays = np.zeros(len(state), bool)
        stays[1:] = inside[1:] & inside[:-1] & follows[1:]
        again, led = np.zeros(len(state), bool), np.zeros(len(state), bool)
        if loop.states:
            start = events.states.index(loop.states[0])
            away = inside & (state != start)
            again[1:] = stays[1:] & away[:-1] & (state[1:] == start)
            led[1:] = away[:-1] & follows[1:] & (passes[:-1] == loop.max) & (aim[1:] == start)
        if loop.then is None:
            begins = np.flatnonzero(inside & ~stays)
            visit = np.cumsum(inside & ~stays) - 1
            repeats = np.bincount(visit[again], minlength=len(begins))
            most = loop.max if loop.max is not None else np.iinfo(np.int64).max
            wrong = visits.stream[begins[repeats >= most]]
        else:
            wrong = visits.stream[led]
        columns = (
            np.bincount(visits.stream[inside], minlength=streams) > 0,
            np.bincount(visits.stream[again], minlength=streams),
            np.bincount(wrong, minlength=streams) > 0,
        )
        for column, values in enumerate(columns):
            np.add.at(out[:, place, column], shards, values.astype(np.int64))
    return out


def _aims(found: Replay, visits: Visits, events: Events) -> IntArray:
    """(V,) where the rule or timer leads that began each stay, before loops have a say.

    Only of states in enforced loops; -1 elsewhere.
    """
    spec = found.spec
    asked = [name for loop in spec.loops if loop.then is not None for name in loop.states]
    rules = Symbols.of(spec).targets(spec, asked)
    timers = np.full(len(events.states), -1)
    for name in asked:
        after = spec.states[name].after
        if after is not None:
            timers[events.states.index(name)] = events.states.index(after.target)
    aim = np.full(len(visits.state), -1)
    before = events.plain[np.roll(visits.state, 1)]
    aim[visits.by_timer] = timers[before[visits.by_timer]]
    rows = np.flatnonzero(visits.event >= 0)
    aim[rows] = rules[before[rows], found.symbols[visits.event[rows]]]
    return aim


def count_times(instances: Instances, shards: IntArray) -> tuple[IntArray, IntArray]:
    """Bins of the times from the trigger that occur, sorted, and how many are in each."""
    keys = []
    for kind, name in enumerate(_TIMED):
        ms: NDArray[np.float64] = getattr(instances, name)
        some = np.flatnonzero(~np.isnan(ms))
        bins = bins_of(np.rint(ms[some] * 1000).astype(np.int64))
        keys.append((kind * BINS + bins) * SHARDS + shards[some])
    return np.unique(np.concatenate(keys), return_counts=True)
