"""Recorded streams through a microinteraction: the same as the live instance, millions at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.codes import Codes
from cxkit.core.result import ColumnLike, Result
from cxkit.core.spans import InstantLike, SpanLike, instant_us
from cxkit.errors import DataError
from cxkit.microinteraction.firing import fire_timers
from cxkit.microinteraction.guardcolumns import long_loop_columns
from cxkit.microinteraction.lanes import Trace
from cxkit.microinteraction.lockstep import final_states, trace
from cxkit.microinteraction.table import Table, table_of
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys

if TYPE_CHECKING:
    from cxkit.microinteraction.instances import Instances
    from cxkit.microinteraction.spec import Microinteraction

__all__ = ["Replay", "StreamLike", "end_states", "replay"]

StreamLike: TypeAlias = "Journeys | Journey | Iterable[str | tuple[str, float]]"


@attrs.frozen(eq=False, repr=False, kw_only=True)
class Replay(Result):
    """What recorded streams did to a microinteraction, event by event.

    Attributes:
        spec: The microinteraction.
        journeys: The streams: each journey is one instance. Touchpoints whose event the
            microinteraction does not know are passed over, and counted.
        offsets: (J + 1,) the streams without the touchpoints that were passed over.
        rows: (M,) the rows of the journeys that the events are.
        states: (M,) the state after each event, as a number into ``machine.names``.
        handled: (M,) whether a rule took it.
        fired: (M,) how many timers fired since the event before, up to its instant.
        since: (M,) from when the timer of the state runs, microseconds; it says nothing of a state
            without a timer, and is (0,) for a machine without any.
        symbols: (M,) each event with the outcomes of its guards, as columns of the table.
        time: (M,) when each event happened, microseconds.
        begin: (J,) when each stream begins, microseconds.
        end: (J,) when each was looked at last: at its last touchpoint, or at ``until``.
        final: (J,) the state at ``end``.
        timers: (J,) how many timers fired in all, up to ``end``.
        unknown: (J,) how many touchpoints were passed over.
        backwards: How many events had a time before the one before them, and count at that time.
        table: The machine.
    """

    spec: Microinteraction
    journeys: Journeys
    offsets: IntArray = attrs.field(converter=freeze)
    rows: IntArray = attrs.field(converter=freeze)
    states: NDArray[np.unsignedinteger[Any]] = attrs.field(converter=freeze)
    handled: NDArray[np.bool_] = attrs.field(converter=freeze)
    fired: IntArray = attrs.field(converter=freeze)
    since: IntArray = attrs.field(converter=freeze)
    symbols: NDArray[np.integer[Any]] = attrs.field(converter=freeze)
    time: IntArray = attrs.field(converter=freeze)
    begin: IntArray = attrs.field(converter=freeze)
    end: IntArray = attrs.field(converter=freeze)
    final: IntArray = attrs.field(converter=freeze)
    timers: IntArray = attrs.field(converter=freeze)
    unknown: IntArray = attrs.field(converter=freeze)
    backwards: int
    table: Table

    def __len__(self) -> int:
        """J, how many streams."""
        return len(self.final)

    @property
    def state(self) -> list[str]:
        """(J,) the name of the state at the end of each stream."""
        names = np.array(self.table.machine.names, object)
        return names[self.final].tolist()  # type: ignore[no-any-return]  # names are texts

    def states_after(self, stream: int = 0) -> list[str]:
        """The name of the state after each event of one stream."""
        names = self.table.machine.names
        rows = slice(int(self.offsets[stream]), int(self.offsets[stream + 1]))
        return [names[s] for s in self.states[rows].tolist()]

    def instances(
        self,
        *,
        repeat_within: SpanLike = "1s",
        rage: int = 3,
        rage_within: SpanLike = "1s",
        success: Sequence[str] | None = None,
    ) -> Instances:
        """What became of each stream, one row for each; see :class:`ReplayCounts` for totals.

        Args:
            repeat_within: How soon a trigger after a trigger is a repeat.
            rage: How many times the same event of the user, each soon after the one before, make a
                burst of rage clicks.
            rage_within: How soon.
            success: The final states that are a success; ``None``: those not marked as a failure.

        Raises:
            DefinitionError: A state in ``success`` is no final state, or ``rage`` is below 2.
        """
        from cxkit.microinteraction.instances import instances_of
        from cxkit.microinteraction.measuring import Measuring

        measuring = Measuring.of(
            self.spec,
            repeat_within=repeat_within,
            rage=rage,
            rage_within=rage_within,
            success=None if success is None else tuple(success),
        )
        return instances_of(self, measuring)

    @property
    def ended(self) -> NDArray[np.bool_]:
        """(J,) which streams came to an end."""
        return np.asarray(np.array(self.table.machine.final)[self.final])

    def columns(self) -> dict[str, ColumnLike]:
        """A row for each stream."""
        counts = np.diff(self.offsets)
        taken = np.append(0, np.cumsum(self.handled))
        done = np.diff(taken[self.offsets])
        return {
            "customer": self.journeys.customer.to_list(),
            "events": counts,
            "unhandled": counts - done,
            "timers": self.timers,
            "state": self.state,
            "ended": ["yes" if e else "no" for e in self.ended.tolist()],
        }

    def title(self) -> str:
        """How many streams, and how many ended."""
        return (
            f"{self.spec.id}: {len(self):,} streams, {len(self.rows):,} events, "
            f"{int(self.ended.sum()):,} came to an end"
        )

    def notes(self) -> list[str]:
        """What was passed over."""
        notes = []
        if passed := int(self.unknown.sum()):
            notes.append(f"{passed:,} touchpoints of events that it does not know, passed over")
        if self.backwards:
            notes.append(f"{self.backwards:,} events before the one before them, taken as at once")
        return notes


def replay(
    spec: Microinteraction,
    streams: StreamLike,
    guards: Mapping[str, NDArray[np.bool_]],
    until: InstantLike | None,
) -> Replay:
    """See :meth:`Microinteraction.replay`."""
    journeys, backwards = as_streams(streams)
    table = table_of(spec)
    columns = {**long_loop_columns(spec, journeys), **guards}
    symbols = table.symbols(journeys.event, columns)
    known = symbols != table.unknown
    offsets, rows = journeys.offsets, np.arange(journeys.touchpoints)
    if not known.all():
        rows = np.flatnonzero(known)
        symbols = symbols[rows]
        offsets = np.append(0, np.cumsum(known))[offsets]
    time = journeys.time.view(np.int64)
    begin = time[journeys.offsets[:-1]]
    stop = time[journeys.offsets[1:] - 1]
    time = time[rows] if len(rows) < len(time) else time
    found = trace(table, offsets, symbols, time, begin)
    final, since = _at_the_end(table, offsets, found, begin)
    timers = _sums(found.fired, offsets) if table.timed else np.zeros(len(journeys), np.int64)
    if until is not None:
        end = instant_us(until, name="until")
        if len(time) and end < int(time.max()):
            raise DataError("until lies before the last event; take the events up to it first")
        stop = np.full(len(journeys), end)
    if table.timed:  # time passes to the last touchpoint, also where it is of no known event
        timers = timers + fire_timers(table, final, since, stop)
    unknown = np.diff(journeys.offsets) - np.diff(offsets)
    return Replay(
        spec=spec,
        journeys=journeys,
        offsets=offsets,
        rows=rows,
        states=found.state,
        handled=found.handled,
        fired=found.fired,
        since=found.since,
        symbols=symbols,
        time=time,
        begin=begin,
        end=stop,
        final=final,
        timers=timers,
        unknown=unknown,
        backwards=backwards,
        table=table,
    )


def end_states(
    spec: Microinteraction, streams: StreamLike, guards: Mapping[str, NDArray[np.bool_]]
) -> Codes:
    """See :meth:`Microinteraction.end_states`."""
    journeys, _ = as_streams(streams)
    table = table_of(spec)
    if table.timed:
        final = replay(spec, journeys, guards, None).final
    else:
        columns = {**long_loop_columns(spec, journeys), **guards}
        symbols = table.symbols(journeys.event, columns)
        final = final_states(table, journeys.offsets, symbols)
    names = sorted(set(table.machine.names))
    place = {name: i for i, name in enumerate(names)}
    codes = np.array([place[name] for name in table.machine.names], np.int64)
    return Codes.from_codes(codes[final], names)


def as_streams(streams: StreamLike) -> tuple[Journeys, int]:
    """Journeys, or one stream of events in the order given; and how many went back in time."""
    if isinstance(streams, (Journeys, Journey)):
        return as_journeys(streams), 0
    events: list[str] = []
    times: list[int] = []
    for number, item in enumerate(streams):
        try:
            name, ms = (item, 0.0) if isinstance(item, str) else item
            times.append(round(ms * 1000))
        except (TypeError, ValueError, OverflowError):
            name = None
        if not isinstance(name, str):
            raise DataError(f"event {number} is a name, or a name and milliseconds; found {item!r}")
        events.append(name)
    given = np.array(times, np.int64)
    running = np.maximum.accumulate(given) if len(given) else given
    journeys = Journeys.from_codes(
        customer=np.zeros(len(events), np.int64),
        time=running.view("datetime64[us]"),
        columns={"event": Codes.of(events)},
    )
    return journeys, int((given[1:] < running[:-1]).sum()) if len(given) else 0


def _at_the_end(
    table: Table, offsets: IntArray, found: Trace, begin: IntArray
) -> tuple[IntArray, IntArray]:
    """(J,) the state after the last known event of each stream, and from when its timer runs."""
    state = np.full(len(offsets) - 1, table.machine.initial, np.int64)
    since = begin.astype(np.int64)
    some = np.diff(offsets) > 0
    last = offsets[1:][some] - 1
    state[some] = found.state[last]
    if table.timed:
        since[some] = found.since[last]
    return state, since


def _sums(values: IntArray, offsets: IntArray) -> IntArray:
    upto = np.append(0, np.cumsum(values))
    return np.asarray(np.diff(upto[offsets]))
