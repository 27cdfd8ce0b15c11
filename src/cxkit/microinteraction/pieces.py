"""Few long streams: cut into pieces that run beside each other from guessed beginnings.

A machine forgets where it came from at most events. So each piece guesses its beginning by running
over the events just before it, and the pieces whose guess was wrong run again from where the piece
before really ended, until none was. One that does not forget is run from every state there is, or,
if it has timers or many states, event by event.
"""

from __future__ import annotations

from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.microinteraction.firing import fire_timers
from cxkit.microinteraction.lanes import Lanes, Trace, by_length, run_plain, run_timed
from cxkit.microinteraction.table import NEVER, Table

__all__ = ["long_plain", "long_timed"]

_PIECE: Final = 512
_BEFORE: Final = 32
_MOST_ROUNDS: Final = 6
_MOST_STATES: Final = 64


@attrs.frozen(eq=False)
class _Pieces:
    """P pieces of streams, in order."""

    start: IntArray
    length: IntArray
    begins: NDArray[np.bool_]
    before: IntArray

    @classmethod
    def of(cls, first: IntArray, last: IntArray) -> _Pieces:
        count = -(-(last - first) // _PIECE)
        of = np.repeat(np.arange(len(first)), count)
        rank = np.arange(len(of)) - np.repeat(np.cumsum(count) - count, count)
        start = first[of] + rank * _PIECE
        return cls(
            start,
            np.minimum(last[of] - start, _PIECE),
            rank == 0,
            np.where(rank == 0, 0, min(_BEFORE, _PIECE)),
        )

    @property
    def ends(self) -> NDArray[np.bool_]:
        """(P,) whether a piece is the last of its stream."""
        return np.append(self.begins[1:], values=True)

    def lanes(self, which: IntArray) -> tuple[IntArray, Lanes]:
        """Some of the pieces from the longest to the shortest."""
        which = which[by_length(self.length[which])]
        return which, Lanes(self.start[which], self.length[which])

    def warm_up(self) -> tuple[IntArray, Lanes]:
        """The events just before each piece that has some."""
        which = np.flatnonzero(~self.begins)
        return which, Lanes((self.start - self.before)[which], self.before[which])


def long_plain(
    table: Table,
    first: IntArray,
    last: IntArray,
    symbols: NDArray[Any],
    out: NDArray[Any] | None,
) -> NDArray[Any]:
    """(n,) the entries at the end of long streams of a machine without timers.

    Args:
        table: The machine.
        first: (n,) where each stream begins; none is empty.
        last: (n,) where it ends.
        symbols: (E,) the events.
        out: See :func:`run_plain`.
    """
    pieces = _Pieces.of(first, last)
    begin = np.full(len(pieces.start), table.entry, table.cells.dtype)
    which, lanes = pieces.warm_up()
    warm = begin[which]
    run_plain(table, lanes, warm, symbols, None)
    begin[which] = warm
    ends = begin.copy()
    wrong = np.arange(len(begin))
    for _ in range(_MOST_ROUNDS):
        wrong, lanes = pieces.lanes(wrong)
        now = begin[wrong]
        run_plain(table, lanes, now, symbols, out)
        ends[wrong] = now
        wrong = _apart(pieces, begin, ends, table.step)
        begin[wrong] = ends[wrong - 1]
        if not len(wrong):
            return np.asarray(ends[pieces.ends])
    _plain_from_every_state(table, pieces, begin, ends, symbols)
    every, lanes = pieces.lanes(np.arange(len(begin)))
    if out is not None:
        run_plain(table, lanes, begin[every], symbols, out)
    return np.asarray(ends[pieces.ends])


def _apart(pieces: _Pieces, begin: NDArray[Any], ends: NDArray[Any], step: int) -> IntArray:
    """The pieces that began in another state than the one before ended in."""
    apart = np.zeros(len(begin), bool)
    apart[1:] = (begin[1:] // step != ends[:-1] // step) & ~pieces.begins[1:]
    return np.flatnonzero(apart)


def _plain_from_every_state(
    table: Table, pieces: _Pieces, begin: NDArray[Any], ends: NDArray[Any], symbols: NDArray[Any]
) -> None:
    """Where each piece begins and ends, by what it makes of every state; both are changed."""
    states = len(table.machine.names)
    every, lanes = pieces.lanes(np.arange(len(begin)))
    columns: list[list[int]] = []
    if states <= _MOST_STATES:
        leads = np.empty((states, len(begin)), table.cells.dtype)
        for state in range(states):
            now = np.full(len(every), state * table.step, table.cells.dtype)
            run_plain(table, lanes, now, symbols, None)
            leads[state, every] = now
        columns = leads.T.tolist()
    entry = table.entry
    cells = table.cells.tolist()
    stretches = zip(pieces.begins.tolist(), pieces.start.tolist(), pieces.length.tolist(),
                    strict=True)  # fmt: skip
    for piece, (first, start, length) in enumerate(stretches):
        entry = table.entry if first else entry
        begin[piece] = entry
        if columns:
            entry = columns[piece][entry // table.step]
        else:
            for symbol in symbols[start : start + length].tolist():
                entry = cells[entry + symbol]
        ends[piece] = entry


def long_timed(
    table: Table,
    first: IntArray,
    last: IntArray,
    symbols: NDArray[Any],
    time: IntArray,
    origin: IntArray,
    out: Trace,
) -> None:
    """Long streams of a machine with timers.

    Args:
        table: The machine.
        first: (n,) where each stream begins; none is empty.
        last: (n,) where it ends.
        symbols: (E,) the events.
        time: (E,) their instants.
        origin: (n,) the instant at which each stream begins.
        out: What happened at each event.
    """
    pieces = _Pieces.of(first, last)
    state = np.full(len(pieces.start), table.machine.initial, np.int64)
    since = time[pieces.start - pieces.before]
    since[pieces.begins] = origin
    which, lanes = pieces.warm_up()
    warm, from_ = state[which], since[which]
    run_timed(table, lanes, warm, from_, symbols, time, None)
    state[which], since[which] = warm, from_
    end_state, end_since = state.copy(), since.copy()
    wrong = np.arange(len(state))
    for _ in range(_MOST_ROUNDS):
        wrong, lanes = pieces.lanes(wrong)
        _forget(lanes, out)
        now, from_ = state[wrong], since[wrong]
        run_timed(table, lanes, now, from_, symbols, time, out)
        end_state[wrong], end_since[wrong] = now, from_
        apart = np.zeros(len(state), bool)
        # Since when does not matter to a state without a timer.
        apart[1:] = (since[1:] != end_since[:-1]) & (table.delay[state[1:]] < NEVER)
        apart[1:] |= state[1:] != end_state[:-1]
        wrong = np.flatnonzero(apart & ~pieces.begins)
        state[wrong], since[wrong] = end_state[wrong - 1], end_since[wrong - 1]
        if not len(wrong):
            return
    stream = np.cumsum(pieces.begins) - 1
    for n in np.unique(stream[wrong]).tolist():
        piece = int(wrong[stream[wrong] == n][0])
        _event_by_event(table, int(pieces.start[piece]), int(last[n]), symbols, time,
                        int(state[piece]), int(since[piece]), out)  # fmt: skip


def _forget(lanes: Lanes, out: Trace) -> None:
    """Timers are counted anew where a piece runs again."""
    for start, length in zip(lanes.start.tolist(), lanes.length.tolist(), strict=True):
        out.fired[start : start + length] = 0


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
    """The plain loop."""
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
