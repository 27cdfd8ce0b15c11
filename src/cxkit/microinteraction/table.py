"""A machine as tables of integers, and streams of events as symbols into them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, smallest_unsigned
from cxkit.errors import DataError, DefinitionError, did_you_mean
from cxkit.microinteraction.machine import Machine, Move, machine_of

if TYPE_CHECKING:
    from cxkit.core.codes import Codes
    from cxkit.microinteraction.spec import Microinteraction

__all__ = ["NEVER", "Table", "table_of"]

NEVER: Final = 1 << 62
"""The delay of a state without a timer, in microseconds."""
_MOST_CELLS: Final = 1 << 25
_MOST_GUARDS: Final = 12
_ROWS: Final = 1 << 16


@attrs.frozen(eq=False)
class Table:
    """What follows on what: S states, A symbols.

    A symbol is an event together with the outcomes of the guards that its rules ask; the last
    symbol is an event that the microinteraction does not know, which nothing handles.

    Attributes:
        machine: What it was made of.
        following: (S, A) the state after a symbol; the same where nothing handles it.
        handled: (S, A) whether a rule takes it.
        delay: (S,) microseconds of the timer; ``NEVER`` without one.
        timeout: (S,) the state after the timer.
        period: (S,) microseconds once round the circle of timers that the state is on; 0 if none.
        circle: (S,) how many timers there are on that circle.
        first: event -> its first symbol.
        guards: event -> the guards that its rules ask, the first one in the lowest bit.
    """

    machine: Machine
    following: NDArray[np.integer[Any]]
    handled: NDArray[np.bool_]
    delay: IntArray
    timeout: IntArray
    period: IntArray
    circle: IntArray
    first: Mapping[str, int]
    guards: Mapping[str, tuple[str, ...]]

    @property
    def timed(self) -> bool:
        """Whether any state has a timer."""
        return bool((self.delay < NEVER).any())

    @property
    def step(self) -> int:
        """What lies between the entries of two states in :attr:`cells`."""
        return 2 * int(self.following.shape[1])

    @property
    def entry(self) -> int:
        """The entry of the initial state."""
        return self.machine.initial * self.step

    @cached_property
    def cells(self) -> NDArray[np.unsignedinteger[Any]]:
        """(2 S A,) entry + symbol -> the entry that follows, in the narrowest type.

        The entry of a state says besides whether the event that led to it was handled: it is
        ``(2 * state + handled) * A``. So one look-up gives both.
        """
        states, width = self.following.shape
        entries = (2 * self.following + self.handled) * width
        narrow = entries.astype(smallest_unsigned(2 * states * width))
        return np.repeat(narrow, 2, axis=0).ravel()

    @property
    def unknown(self) -> int:
        """The symbol of an event that the microinteraction does not know."""
        return int(self.following.shape[1]) - 1

    def symbols(self, events: Codes, guards: Mapping[str, NDArray[np.bool_]]) -> NDArray[Any]:
        """(E,) the symbol of each event.

        Args:
            events: (E,) the events.
            guards: condition -> (E,) whether it holds at each event.

        Raises:
            DataError: A guard that is asked is not given, or has another length.
        """
        names = list(events.vocabulary)
        base = np.full(len(names) + 1, self.unknown, smallest_unsigned(self.unknown))
        for place, name in enumerate(names):
            base[place] = self.first.get(str(name), self.unknown)
        symbols = np.empty(len(events), base.dtype)
        for row in range(0, len(events), _ROWS):  # in the cache
            some = slice(row, row + _ROWS)
            base.take(events.codes[some], out=symbols[some], mode="clip")
        for name, asked in self.guards.items():
            code = events.vocabulary.find(name)
            if not asked or code is None:
                continue
            rows = np.flatnonzero(events.codes == code)
            for bit, guard in enumerate(asked):
                if guard not in guards:
                    raise DataError(
                        f"rules for {name!r} ask {guard!r}; give guards={{{guard!r}: column}} with "
                        f"a truth value for each of the {len(events):,} events."
                        f"{did_you_mean(guard, list(guards))}"
                    )
                column = np.asarray(guards[guard])
                if column.shape != (len(events),) or column.dtype != np.bool_:
                    raise DataError(
                        f"guard {guard!r} is {len(events):,} truth values, one for each event; "
                        f"found {column.dtype} of shape {column.shape}"
                    )
                symbols[rows] += column[rows].astype(base.dtype) << np.array(bit, base.dtype)
        return symbols


def table_of(spec: Microinteraction) -> Table:
    """The tables of a microinteraction.

    Raises:
        DefinitionError: The rules for one event ask more than 12 guards, or the table would be too
            large.
    """
    machine = machine_of(spec)
    asked: dict[str, list[str]] = {event: [] for event in spec.events}
    for on in machine.moves:
        for event, moves in on.items():
            for move in moves:
                if move.guard is not None and move.guard[0] not in asked[event]:
                    asked[event].append(move.guard[0])
    first, width = {}, 0
    for event, guards in asked.items():
        if len(guards) > _MOST_GUARDS:
            raise DefinitionError(
                f"the rules for {event!r} ask {len(guards)} guards; at most {_MOST_GUARDS} can be "
                "replayed. Fold them into fewer conditions"
            )
        first[event] = width
        width += 1 << len(guards)
    states = len(machine.names)
    if states * (width + 1) > _MOST_CELLS:
        raise DefinitionError(
            f"{spec.id!r} has {states:,} states and {width:,} symbols, too many for a table"
        )
    following = np.repeat(np.arange(states)[:, None], width + 1, axis=1)
    handled = np.zeros((states, width + 1), bool)
    for state, on in enumerate(machine.moves):
        for event, moves in on.items():
            for outcome in range(1 << len(asked[event])):
                taken = _taken(moves, asked[event], outcome)
                if taken is not None:
                    following[state, first[event] + outcome] = taken.target
                    handled[state, first[event] + outcome] = True
    delay = np.array([NEVER if d is None else d for d in machine.delay], np.int64)
    timeout = np.array(
        [s if move is None else move.target for s, move in enumerate(machine.timeout)], np.int64
    )
    period, circle = _circles(delay, timeout)
    return Table(
        machine=machine,
        following=following,
        handled=handled,
        delay=delay,
        timeout=timeout,
        period=period,
        circle=circle,
        first=first,
        guards={event: tuple(guards) for event, guards in asked.items()},
    )


def _taken(moves: tuple[Move, ...], asked: list[str], outcome: int) -> Move | None:
    for move in moves:
        if move.guard is None:
            return move
        name, wanted = move.guard
        if bool(outcome >> asked.index(name) & 1) is wanted:
            return move
    return None


def _circles(delay: IntArray, timeout: IntArray) -> tuple[IntArray, IntArray]:
    """The period and the length of the circle of timers that each state is on."""
    period, circle = np.zeros_like(delay), np.zeros_like(delay)
    seen = np.zeros(len(delay), np.int64)
    for start in range(len(delay)):
        path: list[int] = []
        state = start
        while not seen[state] and delay[state] < NEVER:
            seen[state] = start + 1
            path.append(state)
            state = int(timeout[state])
        if state in path and seen[state] == start + 1:
            own = path[path.index(state) :]
            period[own], circle[own] = delay[own].sum(), len(own)
    return period, circle
