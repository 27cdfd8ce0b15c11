"""Every state that every stream was in, and when: what a replay went through, timers included."""

from __future__ import annotations

from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.errors import DataError
from cxkit.microinteraction.replay import Replay
from cxkit.microinteraction.table import NEVER, Table

__all__ = ["Visits", "visits_of"]

_MOST_TIMERS: Final = 50_000_000


@attrs.frozen(eq=False)
class Visits:
    """V stays in states, stream by stream and in order.

    Attributes:
        stream: (V,) the stream.
        state: (V,) the state, as a number into ``machine.names``.
        enter: (V,) when it was entered, microseconds.
        leave: (V,) when it was left, or last looked at.
        by_timer: (V,) whether a timer brought it about.
        event: (V,) the event that did, as a row of the replay; -1 for the first state of a stream
            and for timers.
    """

    stream: IntArray
    state: IntArray
    enter: IntArray
    leave: IntArray
    by_timer: NDArray[np.bool_]
    event: IntArray


def visits_of(replay: Replay) -> Visits:
    """The stays of all streams.

    Raises:
        DataError: More than 50 million timers fired: a circle of timers ran for long.
    """
    table, streams = replay.table, len(replay)
    sizes = np.diff(replay.offsets)
    stream = np.repeat(np.arange(streams), sizes)
    if int(replay.timers.sum()) > _MOST_TIMERS:
        raise DataError(
            f"{int(replay.timers.sum()):,} timers fired, too many to follow one by one; end the "
            "replay earlier (until), or give the circle of timers an end"
        )
    initial = np.full(streams, table.machine.initial, np.int64)
    parts = [_part(np.arange(streams), initial, replay.begin, np.full(streams, -2), timer=False)]
    before, since = _before(replay, initial)
    entered = replay.handled
    if table.timed:
        rows = np.flatnonzero(replay.fired)
        state, from_ = before[rows], since[rows]
        parts += _chain(table, stream[rows], 4 * rows, state, from_, replay.time[rows])
        # What the event itself led to, before timers of no time went on from there.
        reached = replay.states.astype(np.int64)
        reached[rows] = table.following[state, replay.symbols[rows]]
        starts = np.where(replay.handled[rows], replay.time[rows], from_)
        parts += _chain(table, stream[rows], 4 * rows + 2, reached[rows], starts, replay.time[rows])
    else:
        reached = replay.states.astype(np.int64)
    hits = np.flatnonzero(entered)
    parts.append(_part(stream[hits], reached[hits], replay.time[hits], 4 * hits + 1, timer=False))
    if table.timed:
        some = np.flatnonzero(sizes > 0)
        last_state, last_since = initial.copy(), replay.begin.copy()
        last = replay.offsets[1:][some] - 1
        last_state[some], last_since[some] = replay.states[last], replay.since[last]
        order = 4 * replay.offsets[1:] + 3
        parts += _chain(table, np.arange(streams), order, last_state, last_since, replay.end)
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    order = np.lexsort((columns[3], columns[0]))  # stable: chains are in order already
    who, state, enter, key, timer = (column[order] for column in columns)
    leave = np.empty_like(enter)
    leave[:-1] = enter[1:]
    ends = np.ones(len(who), bool)
    ends[:-1] = who[1:] != who[:-1]
    final = np.flatnonzero(ends)
    leave[final] = replay.end[who[final]]
    event = np.where((key >= 0) & (key % 4 == 1), key // 4, -1)
    return Visits(who, state, enter, leave, timer.astype(bool), event)


def _before(replay: Replay, initial: IntArray) -> tuple[IntArray, IntArray]:
    """(M,) the state before each event and from when its timer ran."""
    before = np.empty(len(replay.states), np.int64)
    before[1:] = replay.states[:-1]
    since = np.zeros(len(before), np.int64)
    if len(replay.since):
        since[1:] = replay.since[:-1]
    some = np.diff(replay.offsets) > 0
    firsts = replay.offsets[:-1][some]
    before[firsts], since[firsts] = initial[some], replay.begin[some]
    return before, since


def _chain(
    table: Table,
    stream: IntArray,
    key: IntArray,
    state: IntArray,
    since: IntArray,
    until: IntArray,
) -> list[tuple[NDArray[np.generic], ...]]:
    """The states that timers lead through up to an instant; ``state`` and ``since`` are changed."""
    parts = []
    due = np.flatnonzero((table.delay[state] < NEVER) & (since + table.delay[state] <= until))
    while len(due):
        since[due] += table.delay[state[due]]
        state[due] = table.timeout[state[due]]
        parts.append(_part(stream[due], state[due], since[due], key[due], timer=True))
        due = due[since[due] + table.delay[state[due]] <= until[due]]
    return parts


def _part(
    stream: IntArray, state: IntArray, enter: IntArray, key: IntArray, *, timer: bool
) -> tuple[NDArray[np.generic], ...]:
    return stream.copy(), state.copy(), enter.copy(), key.copy(), np.full(len(stream), timer)
