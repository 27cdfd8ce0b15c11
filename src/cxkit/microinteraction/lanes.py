"""Machines side by side, one in each lane: step k takes the k-th event of every lane that has one.

Lanes are in order of length, so that those still running are always the first ones.
"""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, smallest_unsigned
from cxkit.microinteraction.firing import fire_timers
from cxkit.microinteraction.table import Table

__all__ = ["Lanes", "Trace", "by_length", "run_plain", "run_timed"]


@attrs.frozen(eq=False)
class Trace:
    """What happened at each event.

    Attributes:
        state: (E,) the state after it.
        handled: (E,) whether a rule took it.
        since: (E,) the instant from which the timer of that state runs, microseconds; it says
            nothing of a state without a timer, and is (0,) for a machine without any.
        fired: (E,) how many timers fired since the event before, up to its instant; those of no
            time that the event itself brought about are among them.
    """

    state: NDArray[np.unsignedinteger[Any]]
    handled: NDArray[np.bool_]
    since: IntArray
    fired: IntArray

    @classmethod
    def empty(cls, table: Table, events: int) -> Trace:
        """Room for it."""
        return cls(
            np.empty(events, smallest_unsigned(len(table.machine.names))),
            np.empty(events, bool),
            np.empty(events if table.timed else 0, np.int64),
            np.zeros(events, np.int64),
        )


@attrs.frozen(eq=False)
class Lanes:
    """Stretches of events, the longest first.

    Attributes:
        start: (L,) where each begins.
        length: (L,) how many events it has; falling.
    """

    start: IntArray
    length: IntArray

    def active(self) -> list[int]:
        """(longest,) how many lanes have a k-th event."""
        if not len(self.length):
            return []
        counts = np.bincount(self.length, minlength=int(self.length[0]) + 1)
        return (len(self.length) - np.cumsum(counts)[:-1]).tolist()  # type: ignore[no-any-return]  # whole numbers


def by_length(lengths: IntArray) -> IntArray:
    """The numbers of the stretches from the longest to the shortest; empty ones left out."""
    longest = int(lengths.max(initial=0))
    # Few bits are sorted by counting.
    order = np.argsort((longest - lengths).astype(smallest_unsigned(longest)), kind="stable")
    return np.asarray(order[: int(np.count_nonzero(lengths))])


def run_plain(
    table: Table,
    lanes: Lanes,
    entry: NDArray[Any],
    symbols: NDArray[Any],
    out: NDArray[Any] | None,
) -> None:
    """A machine without timers; an entry says the state and whether the event was handled.

    Args:
        table: The machine.
        lanes: The stretches.
        entry: (L,) the entries of the table that the lanes begin with; they are changed.
        symbols: (E,) the events.
        out: (E,) where the entry after each event goes, if anywhere.
    """
    cells = table.cells
    heard = np.empty(len(entry), symbols.dtype)
    for k, active in enumerate(lanes.active()):
        rows, now = lanes.start[:active], entry[:active]
        symbol = symbols[k:].take(rows, out=heard[:active], mode="clip")
        np.add(now, symbol, out=now, casting="unsafe")
        cells.take(now, out=now, mode="clip")
        if out is not None:
            out[k:][rows] = now


def run_timed(
    table: Table,
    lanes: Lanes,
    state: IntArray,
    since: IntArray,
    symbols: NDArray[Any],
    time: IntArray,
    out: Trace | None,
) -> None:
    """A machine with timers; ``state`` and ``since``, one of each lane, are changed.

    Args:
        table: The machine.
        lanes: The stretches.
        state: (L,) the states that the lanes begin with.
        since: (L,) from when their timers run.
        symbols: (E,) the events.
        time: (E,) their instants.
        out: What happened at each event, if it is to be kept.
    """
    width = table.following.shape[1]
    following, handled = table.following.ravel(), table.handled.ravel()
    instant = (table.delay == 0) if (table.delay == 0).any() else None
    for k, active in enumerate(lanes.active()):
        rows, now, from_ = lanes.start[:active], state[:active], since[:active]
        when = time[k:].take(rows, mode="clip")
        fired = None if out is None else out.fired[k:]
        _fire(table, np.flatnonzero(from_ + table.delay.take(now) <= when), now, from_, when,
              rows, fired)  # fmt: skip
        cell = now * width
        cell += symbols[k:].take(rows, mode="clip")
        taken = handled.take(cell)
        following.take(cell, out=now, mode="clip")
        np.copyto(from_, when, where=taken)
        if instant is not None:  # timers of no time fire in the instant of the event
            _fire(table, np.flatnonzero(instant.take(now)), now, from_, when, rows, fired)
        if out is not None:
            out.handled[k:][rows] = taken
            out.since[k:][rows] = from_
            out.state[k:][rows] = now


def _fire(
    table: Table,
    due: IntArray,
    now: IntArray,
    from_: IntArray,
    when: IntArray,
    rows: IntArray,
    fired: IntArray | None,
) -> None:
    if not len(due):
        return
    some, starts = now[due], from_[due]
    count = fire_timers(table, some, starts, when[due])
    now[due], from_[due] = some, starts
    if fired is not None:
        fired[rows[due]] += count
