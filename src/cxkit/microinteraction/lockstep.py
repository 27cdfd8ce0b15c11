"""Many streams through one machine at once: step k takes the k-th event of all that have one.

Streams are ordered by length, so that those still running are always the first ones. A few very
long streams are cut into pieces that run beside each other from guessed beginnings; the pieces
whose guess was wrong run again from where the piece before really ended, until none was. A machine
forgets where it came from at most events, so that is a few rounds; one that does not is run event
by event.
"""

from __future__ import annotations

from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.microinteraction.table import Table

__all__ = ["Trace", "final_states", "fire_timers", "trace"]

_STREAMS_AT_ONCE: Final = 1 << 18
_FEW: Final = 64
_LONG: Final = 4096
_PIECE: Final = 512
_MOST_ROUNDS: Final = 6


@attrs.frozen(eq=False)
class Trace:
    """What happened at each event.

    Attributes:
        state: (E,) the state after it.
        handled: (E,) whether a rule took it.
        since: (E,) the instant from which the timer of that state runs, microseconds.
        fired: (E,) how many timers fired since the event before, up to its instant; those of no
            time that the event itself brought about are among them.
    """

    state: IntArray
    handled: NDArray[np.bool_]
    since: IntArray
    fired: IntArray


def final_states(
    table: Table, offsets: IntArray, symbols: NDArray[Any]
) -> NDArray[np.integer[Any]]:
    """(J,) the state at the end of each stream, of a machine without timers.

    Args:
        table: The machine.
        offsets: (J + 1,) the streams.
        symbols: (E,) the events.
    """
    states = np.full(len(offsets) - 1, table.machine.initial, np.int64)
    order, lengths = _by_length(offsets)
    cells, width = _premultiplied(table)
    for block in range(0, len(order), _STREAMS_AT_ONCE):
        mine = order[block : block + _STREAMS_AT_ONCE]
        state = np.full(len(mine), table.machine.initial * width, cells.dtype)
        at = offsets[mine].copy()
        for active in _active(lengths[mine]):
            cell = state[:active]
            cell += symbols.take(at[:active])
            cells.take(cell, out=cell, mode="clip")
            at[:active] += 1
        states[mine] = state // width
    return states


def trace(
    table: Table, offsets: IntArray, symbols: NDArray[Any], time: IntArray, begin: IntArray
) -> Trace:
    """What happens at each event of each stream.

    Args:
        table: The machine.
        offsets: (J + 1,) the streams; an empty stream has no event.
        symbols: (E,) the events.
        time: (E,) their instants in microseconds, never falling within a stream.
        begin: (J,) the instant at which each stream begins.
    """
    out = Trace(
        np.empty(len(symbols), np.int64),
        np.empty(len(symbols), bool),
        np.empty(len(symbols), np.int64),
        np.zeros(len(symbols), np.int64),
    )
    order, lengths = _by_length(offsets)
    long = lengths >= _LONG
    few = int(long.sum())
    if few > _FEW and float(lengths[long].mean()) < _LONG * _FEW:
        few = 0  # enough of them to run beside each other whole
    for stream in order[:few].tolist():
        _one_long(table, int(offsets[stream]), int(offsets[stream + 1]), symbols, time,
                  int(begin[stream]), out)  # fmt: skip
    rest, initial = order[few:], table.machine.initial
    for block in range(0, len(rest), _STREAMS_AT_ONCE):
        mine = rest[block : block + _STREAMS_AT_ONCE]
        _run(
            table,
            offsets[mine].copy(),
            lengths[few + block : few + block + len(mine)],
            np.full(len(mine), initial, np.int64),
            begin[mine].astype(np.int64),
            symbols,
            time,
            out,
        )
    return out


def fire_timers(table: Table, state: IntArray, since: IntArray, until: IntArray | int) -> IntArray:
    """Let the timers fire up to an instant, that instant included.

    Args:
        table: The machine.
        state: (n,) the states; they are changed.
        since: (n,) from when their timers run; they are changed.
        until: The instant of each.

    Returns:
        (n,) how many fired.
    """
    fired = np.zeros(len(state), np.int64)
    ends = np.broadcast_to(np.asarray(until, np.int64), state.shape)
    due = np.flatnonzero(since + table.delay[state] <= ends)
    while len(due):
        now, from_, end = state[due], since[due], ends[due]
        period = table.period[now]
        rounds = np.asarray(np.where(period > 0, (end - from_) // np.maximum(period, 1), 0))
        from_ = np.asarray(from_ + rounds * period, np.int64)
        fired[due] += rounds * table.circle[now]
        ripe = from_ + table.delay[now] <= end
        since[due] = np.where(ripe, from_ + table.delay[now], from_)
        state[due] = np.where(ripe, table.timeout[now], now)
        fired[due] += ripe
        still = since[due] + table.delay[state[due]] <= end
        due = due[still]
    return fired


def _run(
    table: Table,
    at: IntArray,
    lengths: IntArray,
    state: IntArray,
    since: IntArray,
    symbols: NDArray[Any],
    time: IntArray,
    out: Trace,
) -> None:
    """Streams in lock-step, longest first; ``at``, ``state`` and ``since`` are changed."""
    width = table.following.shape[1]
    following, handled = table.following.ravel(), table.handled.ravel()
    timed = table.timed
    from_ = when = since
    instant = (table.delay == 0) if (table.delay == 0).any() else None
    for active in _active(lengths):
        rows, now = at[:active], state[:active]
        if timed:
            from_, when = since[:active], time.take(rows)
            due = np.flatnonzero(from_ + table.delay.take(now) <= when)
            if len(due):
                some, starts = now[due], from_[due]
                out.fired[rows[due]] = fire_timers(table, some, starts, when[due])
                now[due], from_[due] = some, starts
        cell = now * width + symbols.take(rows)
        taken = handled.take(cell)
        following.take(cell, out=now, mode="clip")
        out.handled[rows] = taken
        if timed:
            np.copyto(from_, when, where=taken)
            if instant is not None:
                _at_once(table, instant, now, from_, when, out.fired, rows)
            out.since[rows] = from_
        out.state[rows] = now
        at[:active] += 1


def _at_once(
    table: Table,
    instant: NDArray[np.bool_],
    now: IntArray,
    from_: IntArray,
    when: IntArray,
    fired: IntArray,
    rows: IntArray,
) -> None:
    """Timers of no time fire in the instant of the event."""
    due = np.flatnonzero(instant.take(now))
    if len(due):
        some, starts = now[due], from_[due]
        fired[rows[due]] += fire_timers(table, some, starts, when[due])
        now[due], from_[due] = some, starts


def _one_long(
    table: Table,
    first: int,
    last: int,
    symbols: NDArray[Any],
    time: IntArray,
    begin: int,
    out: Trace,
) -> None:
    """One long stream, in pieces that run beside each other."""
    edges = np.append(np.arange(first, last, _PIECE), last)
    count = len(edges) - 1
    state = np.full(count, table.machine.initial, np.int64)
    since = np.full(count, begin, np.int64)
    since[1:] = time[edges[1:-1] - 1]
    start_state, start_since = state.copy(), since.copy()
    wrong = np.arange(count)
    for _ in range(_MOST_ROUNDS):
        # Every piece but the last is of one length, so that they are in order of length.
        ends_state, ends_since = start_state[wrong].copy(), start_since[wrong].copy()
        for edge, stop in zip(edges[wrong].tolist(), edges[wrong + 1].tolist(), strict=True):
            out.fired[edge:stop] = 0
        _run(table, edges[wrong].copy(), np.diff(edges)[wrong], ends_state, ends_since,
             symbols, time, out)  # fmt: skip
        state[wrong], since[wrong] = ends_state, ends_since
        apart = state[:-1] != start_state[1:]
        if table.timed:
            apart |= since[:-1] != start_since[1:]
        wrong = np.flatnonzero(apart) + 1
        if not len(wrong):
            return
        start_state[wrong], start_since[wrong] = state[wrong - 1], since[wrong - 1]
    _event_by_event(table, int(edges[wrong[0]]), last, symbols, time,
                    int(start_state[wrong[0]]), int(start_since[wrong[0]]), out)  # fmt: skip


def _event_by_event(
    table: Table,
    first: int,
    last: int,
    symbols: NDArray[Any],
    time: IntArray,
    state: int,
    since: int,
    out: Trace,
) -> None:
    """The plain loop, for a machine that remembers where it came from for long."""
    following = table.following.tolist()
    handled = table.handled.tolist()
    delay = table.delay.tolist()
    states, takens, sinces, fireds = [], [], [], []
    for symbol, when in zip(symbols[first:last].tolist(), time[first:last].tolist(), strict=True):
        fired = 0
        if since + delay[state] <= when:
            one, from_ = np.array([state]), np.array([since])
            fired = int(fire_timers(table, one, from_, when)[0])
            state, since = int(one[0]), int(from_[0])
        taken = handled[state][symbol]
        state = following[state][symbol]
        if taken:
            since = when
        if delay[state] == 0:
            one, from_ = np.array([state]), np.array([since])
            fired += int(fire_timers(table, one, from_, when)[0])
            state, since = int(one[0]), int(from_[0])
        states.append(state)
        takens.append(taken)
        sinces.append(since)
        fireds.append(fired)
    out.state[first:last], out.handled[first:last] = states, takens
    out.since[first:last], out.fired[first:last] = sinces, fireds


def _by_length(offsets: IntArray) -> tuple[IntArray, IntArray]:
    """The streams from the longest to the shortest, and their lengths; empty ones left out."""
    lengths = np.diff(offsets)
    order = np.argsort(-lengths, kind="stable")
    order = order[: int((lengths > 0).sum())]
    return order, lengths[order]


def _active(lengths: IntArray) -> IntArray:
    """(longest,) how many streams have a k-th event, of lengths that fall."""
    if not len(lengths):
        return np.zeros(0, np.int64)
    counts = np.bincount(lengths, minlength=int(lengths[0]) + 1)
    return np.asarray(len(lengths) - np.cumsum(counts)[:-1])


def _premultiplied(table: Table) -> tuple[NDArray[np.integer[Any]], int]:
    """The table with each state already times the width, in the narrowest type that holds it."""
    width = table.following.shape[1]
    dtype = np.min_scalar_type(table.following.size)
    return (table.following * width).astype(dtype).ravel(), width
