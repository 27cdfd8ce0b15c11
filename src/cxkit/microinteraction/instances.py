"""What became of each instance of a microinteraction: one row for each recorded stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.result import ColumnLike, Result
from cxkit.microinteraction.measuring import Measuring
from cxkit.microinteraction.replay import Replay
from cxkit.microinteraction.visits import Visits, visits_of

__all__ = ["Events", "Instances", "events_of", "instances_of"]


@attrs.frozen(eq=False)
class Events:
    """The M events of a replay by name and place.

    Attributes:
        names: The events of the microinteraction.
        event: (M,) which one, as a place in ``names``.
        stream: (M,) the stream.
        states: The states of the microinteraction.
        plain: (S,) the place in ``states`` of each state of the machine.
        state: (M,) the state in which the event was met, as a place in ``states``.
    """

    names: tuple[str, ...]
    event: IntArray
    stream: IntArray
    states: tuple[str, ...]
    plain: IntArray
    state: IntArray

    def are(self, names: frozenset[str] | set[str]) -> NDArray[np.bool_]:
        """(M,) which events are one of some."""
        return np.asarray(np.array([n in names for n in self.names], bool)[self.event])


def events_of(replay: Replay, visits: Visits) -> Events:
    """The events of a replay, each with the state that it met."""
    names = tuple(replay.table.first)
    firsts = np.array(list(replay.table.first.values()), np.int64)
    place = {name: i for i, name in enumerate(replay.spec.states)}
    plain = np.array([place[name] for name in replay.table.machine.names], np.int64)
    met = replay.states.astype(np.int64)  # where nothing handled the event, it changed nothing
    by_event = np.flatnonzero(visits.event >= 0)
    met[visits.event[by_event]] = visits.state[by_event - 1]
    return Events(
        names,
        np.searchsorted(firsts, replay.symbols, side="right") - 1,
        np.repeat(np.arange(len(replay)), np.diff(replay.offsets)),
        tuple(place),
        plain,
        plain[met],
    )


@attrs.frozen(eq=False, repr=False, kw_only=True)
class Instances(Result):
    """What became of each of J instances.

    Attributes:
        measuring: What was measured.
        customer: The customer of each.
        started: (J,) whether the trigger was handled.
        ended: (J,) whether it came to a final state.
        success: (J,) whether that is one of success.
        failed: (J,) whether it entered a state that an event of failure leads to.
        undoable: (J,) whether it entered a state in which something can be taken back.
        undone: (J,) whether something was taken back.
        state: The last state of each.
        first_ms: (J,) milliseconds from the trigger to the first answer of the system: its first
            event that is handled, or the first timer; NaN if none came, or without a trigger.
        end_ms: (J,) milliseconds from the trigger to the end; NaN without one of them.
        events: (J,) events that it knows.
        user_events: (J,) those of the user.
        unhandled: (J,) those that no rule took.
        dead: (J,) those of the user that no rule took: dead clicks.
        repeats: (J,) triggers soon after a trigger, handled or not.
        rages: (J,) bursts of the same event of the user.
        timers: (J,) timers that fired.
    """

    measuring: Measuring
    customer: list[Any]
    started: NDArray[np.bool_] = attrs.field(converter=freeze)
    ended: NDArray[np.bool_] = attrs.field(converter=freeze)
    success: NDArray[np.bool_] = attrs.field(converter=freeze)
    failed: NDArray[np.bool_] = attrs.field(converter=freeze)
    undoable: NDArray[np.bool_] = attrs.field(converter=freeze)
    undone: NDArray[np.bool_] = attrs.field(converter=freeze)
    state: list[str]
    first_ms: NDArray[np.float64] = attrs.field(converter=freeze)
    end_ms: NDArray[np.float64] = attrs.field(converter=freeze)
    events: IntArray = attrs.field(converter=freeze)
    user_events: IntArray = attrs.field(converter=freeze)
    unhandled: IntArray = attrs.field(converter=freeze)
    dead: IntArray = attrs.field(converter=freeze)
    repeats: IntArray = attrs.field(converter=freeze)
    rages: IntArray = attrs.field(converter=freeze)
    timers: IntArray = attrs.field(converter=freeze)

    def columns(self) -> Mapping[str, ColumnLike]:
        """A row for each instance; what is so or not so is yes or no."""
        columns: dict[str, ColumnLike] = {}
        for field in attrs.fields(Instances)[1:]:
            value = getattr(self, field.name)
            flag = isinstance(value, np.ndarray) and value.dtype == np.bool_
            columns[field.name] = ["yes" if v else "no" for v in value.tolist()] if flag else value
        return columns

    def title(self) -> str:
        """How many."""
        return f"{self.measuring.spec.id}: {len(self.started):,} instances"


def instances_of(replay: Replay, measuring: Measuring) -> Instances:
    """What became of each stream of a replay."""
    visits = visits_of(replay)
    events = events_of(replay, visits)
    return measured(replay, measuring, visits, events)


def measured(
    replay: Replay, measuring: Measuring, visits: Visits, events: Events
) -> Instances:  # fmt: skip
    """See :func:`instances_of`; with what was found before."""
    spec, streams = replay.spec, len(replay)
    answers = _after_the_trigger(visits, events, spec.trigger.event, streams, system={
        name for name, kind in spec.events.items() if kind == "system"
    })  # fmt: skip
    trigger, first = answers
    state = events.plain[visits.state]
    ended = replay.ended
    last = np.append(np.flatnonzero(np.diff(visits.stream)), len(visits.stream) - 1)[:streams]
    started = trigger >= 0
    triggered = np.where(started, visits.enter[np.maximum(trigger, 0)], 0) if streams else trigger
    names = np.array(events.states, object)[events.plain[replay.final]]

    def reached(some: frozenset[str]) -> NDArray[np.bool_]:
        inside = np.array([name in some for name in events.states], bool)[state]
        return np.bincount(visits.stream[inside], minlength=streams) > 0

    def count(rows: NDArray[np.bool_]) -> IntArray:
        return np.bincount(events.stream[rows], minlength=streams)

    user = events.are({name for name, kind in spec.events.items() if kind == "user"})
    handled = np.asarray(replay.handled)
    triggers = np.flatnonzero(events.are({spec.trigger.event}))
    return Instances(
        measuring=measuring,
        customer=replay.journeys.customer.to_list(),
        started=started,
        ended=ended,
        success=np.isin(names, list(measuring.success)) if streams else ended,
        failed=reached(measuring.failing),
        undoable=reached(measuring.undoable),
        undone=count(events.are(set(spec.undo)) & handled) > 0,
        state=names.tolist(),
        first_ms=np.where(
            first >= 0, (visits.enter[np.maximum(first, 0)] - triggered) / 1000, np.nan
        )
        if streams
        else np.zeros(0),
        end_ms=np.where(started & ended, (visits.enter[last] - triggered) / 1000, np.nan),
        events=np.diff(replay.offsets),
        user_events=count(user),
        unhandled=count(~handled),
        dead=count(user & ~handled),
        repeats=np.bincount(
            events.stream[triggers][1:][_close(replay, events, triggers, measuring.repeat_within)],
            minlength=streams,
        ),
        rages=_bursts(replay, events, np.flatnonzero(user), measuring, streams),
        timers=replay.timers,
    )


def _after_the_trigger(
    visits: Visits, events: Events, trigger: str, streams: int, system: set[str]
) -> tuple[IntArray, IntArray]:
    """(J,) the stay that the trigger began, and the first that the system began after; -1: none."""
    by_event = visits.event >= 0
    begun = np.full(len(visits.stream), -1)
    begun[by_event] = events.event[visits.event[by_event]]
    places = {name: i for i, name in enumerate(events.names)}
    start = _firsts(np.flatnonzero(begun == places[trigger]), visits.stream, streams)
    ours = np.isin(begun, [places[name] for name in system]) | visits.by_timer
    origin = start[visits.stream]
    after = ours & (origin >= 0) & (np.arange(len(ours)) > origin)
    return start, _firsts(np.flatnonzero(after), visits.stream, streams)


def _firsts(rows: IntArray, stream: IntArray, streams: int) -> IntArray:
    """(J,) the first of some rows in each stream; -1 where there is none."""
    found = np.full(streams, -1)
    found[stream[rows[::-1]]] = rows[::-1]
    return found


def _close(replay: Replay, events: Events, rows: IntArray, within: int) -> NDArray[np.bool_]:
    """Of some events, which but the first follow soon on the one before in the same stream."""
    near = np.diff(replay.time[rows]) <= within
    return np.asarray(near & (events.stream[rows[1:]] == events.stream[rows[:-1]]))


def _bursts(
    replay: Replay, events: Events, user: IntArray, measuring: Measuring, streams: int
) -> IntArray:
    """(J,) runs of so many of the same event of the user, each soon after the one before."""
    close = _close(replay, events, user, measuring.rage_within)
    close &= events.event[user[1:]] == events.event[user[:-1]]
    # A run of n is n - 1 close ones in a row: count where that many are first reached.
    run = np.flatnonzero(~np.concatenate([[False], close, [False]]))
    length = np.diff(run)
    hits = run[:-1][length >= measuring.rage]
    return np.bincount(events.stream[user[hits]], minlength=streams)
