"""Many streams through one machine at once."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.threads import in_parts
from cxkit.microinteraction.lanes import Lanes, Trace, by_length, run_plain, run_timed
from cxkit.microinteraction.pieces import long_plain, long_timed
from cxkit.microinteraction.table import Table

__all__ = ["final_states", "trace"]

_LANES: Final = 1 << 16
_LONG: Final = 4096
_FEW: Final = 1024


def final_states(table: Table, offsets: IntArray, symbols: NDArray[Any]) -> IntArray:
    """(J,) the state at the end of each stream, of a machine without timers.

    Args:
        table: The machine.
        offsets: (J + 1,) the streams; an empty stream has no event.
        symbols: (E,) the events.
    """
    entry = np.full(len(offsets) - 1, table.entry, table.cells.dtype)
    in_parts(lambda j0, j1: _plain(table, offsets[j0 : j1 + 1], symbols, entry[j0:j1], None),
             offsets)  # fmt: skip
    return np.asarray(entry // table.step, np.int64)


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
    out = Trace.empty(table, len(symbols))

    def part(j0: int, j1: int) -> None:
        some = offsets[j0 : j1 + 1]
        if table.timed:
            _timed(table, some, symbols, time, begin[j0:j1], out)
            return
        rows = slice(int(some[0]), int(some[-1]))
        kept = np.empty(rows.stop - rows.start, table.cells.dtype)
        entry = np.full(j1 - j0, table.entry, table.cells.dtype)
        _plain(table, some - some[0], symbols[rows], entry, kept)
        np.floor_divide(kept, table.step, out=out.state[rows], casting="unsafe")
        kept //= table.following.shape[1]
        kept &= 1
        out.handled[rows] = kept

    in_parts(part, offsets)
    return out


def _long(lengths: IntArray) -> int:
    """How many of the longest streams are to be cut into pieces."""
    many = int((lengths >= _LONG).sum())
    return many if many < _FEW else 0  # enough of them to run beside each other whole


def _plain(
    table: Table,
    offsets: IntArray,
    symbols: NDArray[Any],
    entry: NDArray[Any],
    out: NDArray[Any] | None,
) -> None:
    lengths = np.diff(offsets)
    order = by_length(lengths)
    few = _long(lengths)
    if few:
        mine = order[:few]
        entry[mine] = long_plain(table, offsets[mine], offsets[mine + 1], symbols, out)
    for block in range(few, len(order), _LANES):
        mine = order[block : block + _LANES]
        now = entry[mine]
        run_plain(table, Lanes(offsets[mine], lengths[mine]), now, symbols, out)
        entry[mine] = now


def _timed(
    table: Table,
    offsets: IntArray,
    symbols: NDArray[Any],
    time: IntArray,
    begin: IntArray,
    out: Trace,
) -> None:
    lengths = np.diff(offsets)
    order = by_length(lengths)
    few = _long(lengths)
    if few:
        mine = order[:few]
        long_timed(table, offsets[mine], offsets[mine + 1], symbols, time, begin[mine], out)
    for block in range(few, len(order), _LANES):
        mine = order[block : block + _LANES]
        state = np.full(len(mine), table.machine.initial, np.int64)
        since = begin[mine].astype(np.int64)
        run_timed(table, Lanes(offsets[mine], lengths[mine]), state, since, symbols, time, out)
