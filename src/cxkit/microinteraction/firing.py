"""Timers that fire while nothing happens, over many machines at once."""

from __future__ import annotations

import numpy as np

from cxkit.core.arrays import IntArray
from cxkit.microinteraction.table import Table

__all__ = ["fire_timers"]


def fire_timers(table: Table, state: IntArray, since: IntArray, until: IntArray | int) -> IntArray:
    """Let the timers fire up to an instant, that instant included.

    Whole rounds of a circle of timers are taken in one step.

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
