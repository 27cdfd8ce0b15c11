"""Many touchpoints at once, for live scores that are one fading sum per customer."""

from __future__ import annotations

import struct
from operator import itemgetter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.batches import check_customers, plain_list
from cxkit.core.codes import Codes, Label
from cxkit.engagement.livestate import LiveState

__all__ = ["many_plain"]

FloatArray = NDArray[np.float64]

_LOW: Final = (1 << 32) - 1
_MOST_NOTED: Final = 10_000


def many_plain(
    state: LiveState,
    worth: dict[Label | None, float],
    half_life: int | None,
    customer: Any,
    event: Any,
    ticks: IntArray,
) -> FloatArray:
    """(n,) the score after each touchpoint, taken in the order given.

    Touchpoints are put together by customer, and all customers go on at once: every score is the
    one before it, aged, and what was earned. Pairs of such steps are one step, so that steps double
    from turn to turn (Hillis and Steele 1986, "Data parallel algorithms"), which leaves the last
    digit or two to rounding.

    Args:
        state: The rows.
        worth: The points of events; events that earn nothing are noted in it.
        half_life: Microseconds; ``None`` if points do not age.
        customer: (n,) customers.
        event: (n,) events.
        ticks: (n,) microseconds since 1970.

    Raises:
        DataError: A customer is no label; nothing has changed then.
    """
    earned = _earned(worth, event)
    rows = _rows_of(state, customer, ticks)
    ints, cells = state.columns()
    latest, sums = ints[:, 0], cells[:, 0]
    key = rows << 32  # a column of its own
    key |= np.arange(len(rows))
    key.sort()  # by row, then in the order given
    places = key & _LOW
    key >>= 32
    rows, ticks, earned = key, ticks[places], earned[places]
    first = np.empty(len(rows), dtype=bool)
    first[0] = True
    np.not_equal(rows[1:], rows[:-1], out=first[1:])
    begins = np.flatnonzero(first)
    last = np.append(begins[1:] - 1, len(rows) - 1)
    own = rows[begins]
    longest = int((last - begins).max()) + 1
    age = np.empty(len(rows), np.int64)
    np.subtract(ticks[1:], ticks[:-1], out=age[1:])
    age[begins] = ticks[begins] - latest[own]
    if age.min() < 0:  # a late one adds what is left of it, and the clock stays
        clock = _clock(ticks, latest[own], begins, last, longest)
        np.subtract(clock[1:], clock[:-1], out=age[1:])
        age[begins] = clock[begins] - latest[own]
        if half_life is not None:
            earned = earned * np.exp2((ticks - clock) / half_life)
        ticks = clock
    kept = np.ones(len(rows)) if half_life is None else np.exp2(age / -half_life)
    earned[begins] += kept[begins] * sums[own]
    kept[begins] = 0.0
    step = 1
    while step < longest:
        earned[step:] += kept[step:] * earned[:-step]
        step *= 2
        if step < longest:
            kept[step // 2 :] *= kept[: -(step // 2)].copy()
    sums[own] = earned[last]
    latest[own] = ticks[last]
    out = np.empty(len(rows))
    out[places] = earned
    return out


def _clock(
    ticks: IntArray, latest: IntArray, begins: IntArray, last: IntArray, longest: int
) -> IntArray:
    """(n,) the latest time so far, of the touchpoints of each run and what was before it."""
    clock = ticks.copy()
    clock[begins] = np.maximum(clock[begins], latest)
    rank = np.arange(len(ticks)) - np.repeat(begins, last - begins + 1)
    step = 1
    while step < longest:
        later = np.maximum(clock[step:], clock[:-step])
        np.copyto(clock[step:], later, where=rank[step:] >= step)
        step *= 2
    return clock


def _rows_of(state: LiveState, customer: Any, ticks: IntArray) -> IntArray:
    """(n,) the row of each customer; those not seen before get one.

    Raises:
        DataError: A customer is no label, or some are text and some whole numbers; nobody got one
            then.
    """
    names = plain_list(customer)
    try:
        return _looked_up(state.slots, names, "q")
    except (KeyError, TypeError):  # some are new, or are nothing that a dict can hold
        check_customers(names, state.slots, text=state.text)
    for name, tick in zip(names, ticks.tolist(), strict=True):
        if name not in state.slots:
            row = state.add(name)
            state.ints[row] = tick
    return _looked_up(state.slots, names, "q")


def _looked_up(table: Any, names: list[Any], kind: str) -> NDArray[Any]:
    """(n,) what a table says of two or more names, in half the time of a loop over them.

    Raises:
        KeyError: It does not know one.
    """
    return np.frombuffer(struct.pack(f"{len(names)}{kind}", *itemgetter(*names)(table)), kind)


def _earned(worth: dict[Label | None, float], event: Any) -> FloatArray:
    if isinstance(event, Codes):
        table = np.array([worth.get(label, 0.0) for label in event.slot_labels()])
        return np.asarray(table[event.codes])
    names = plain_list(event)
    try:
        return _looked_up(worth, names, "d")
    except KeyError:
        # Looking up is twice as fast where nothing lacks: note the events that earn nothing, as
        # long as they are few.
        different = set(names) - worth.keys()
        if len(worth) + len(different) > _MOST_NOTED:
            return np.array([worth.get(name, 0.0) for name in names])
        worth.update(dict.fromkeys(different, 0.0))
        return _looked_up(worth, names, "d")
