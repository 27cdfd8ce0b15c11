"""A microinteraction that runs in an app, one event at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cxkit.core.records import check_fields
from cxkit.errors import DataError, DefinitionError, UnknownLabelError, did_you_mean
from cxkit.microinteraction.machine import Machine, machine_of
from cxkit.microinteraction.parts import Feedback

if TYPE_CHECKING:
    from cxkit.microinteraction.spec import Microinteraction

__all__ = ["Fired", "Moment", "Running"]

_SCHEMA: Final = "cxkit/running-microinteraction/1"
_NOTHING: Final[Mapping[str, bool]] = {}


class Fired(NamedTuple):
    """A timer that fired.

    Attributes:
        state: The state whose timer it was.
        target: The state that followed.
        at: When, in milliseconds.
        feedback: What the user perceives.
    """

    state: str
    target: str
    at: float
    feedback: tuple[Feedback, ...]


class Moment(NamedTuple):
    """What came of an event.

    Attributes:
        state: The state now.
        handled: Whether a rule took the event. One that no rule takes is a dead click, if it was
            the user's.
        feedback: What the user perceives of it.
        fired: The timers that fired before it, in order.
        due: When the timer of the present state fires, in milliseconds; ``None`` if it has none.
        ended: Whether the microinteraction has come to an end.
    """

    state: str
    handled: bool
    feedback: tuple[Feedback, ...]
    fired: tuple[Fired, ...]
    due: float | None
    ended: bool


class Running:
    """A live instance: deterministic, without threads and without a clock of its own.

    Time is what the caller says, in milliseconds on any clock. A time before the one of the last
    event counts as that one: a clock that jumps back does not undo what happened.

    Attributes:
        spec: The microinteraction.
        events: How many events were sent.
        unhandled: How many of them no rule took.
        timers: How many timers fired.
        backwards: How many came with a time before the last one.
    """

    __slots__ = (
        "_counts", "_guarded", "_machine", "_now", "_since", "_state", "backwards", "events",
        "spec", "timers", "unhandled",
    )  # fmt: skip

    def __init__(
        self, spec: Microinteraction, at: float = 0, counters: Mapping[str, int] | None = None
    ) -> None:
        """Begin in the initial state."""
        self.spec: Microinteraction = spec
        self._machine: Machine = machine_of(spec)
        self._state = self._machine.initial
        self._since = self._now = _us(at)
        self._counts = {loop.counts: 0 for loop in spec.long_loops}
        for event, count in (counters or {}).items():
            if event not in self._counts:
                raise DefinitionError(
                    f"no long loop of {spec.id!r} counts {event!r}; there are {list(self._counts)}"
                )
            self._counts[event] = count
        self._guarded = {loop.guard: (loop.counts, loop.at_least) for loop in spec.long_loops}
        self.events: int = 0
        self.unhandled: int = 0
        self.timers: int = 0
        self.backwards: int = 0

    @property
    def state(self) -> str:
        """The state now."""
        return self._machine.names[self._state]

    @property
    def ended(self) -> bool:
        """Whether it has come to an end."""
        return self._machine.final[self._state]

    @property
    def due(self) -> float | None:
        """When the timer of the present state fires, in milliseconds; ``None`` if it has none."""
        delay = self._machine.delay[self._state]
        return None if delay is None else (self._since + delay) / 1000

    @property
    def counters(self) -> dict[str, int]:
        """Event -> how often it came, for long loops: to be kept for the next time."""
        return dict(self._counts)

    def send(self, event: str, at: float, guards: Mapping[str, bool] = _NOTHING) -> Moment:
        """An event happens.

        Args:
            event: Its name.
            at: When, in milliseconds.
            guards: condition -> whether it holds now; those that the rules for this event ask. The
                conditions of long loops need not be given.

        Raises:
            UnknownLabelError: The microinteraction has no such event.
            DefinitionError: A rule asks a condition that is not given, or ``at`` is no number.

        Example:
            >>> from cxkit.microinteraction import Microinteraction, Rule, State, Trigger
            >>> spec = Microinteraction(
            ...     id="lamp",
            ...     trigger=Trigger("manual", "press"),
            ...     events={"press": "user"},
            ...     initial="off",
            ...     states={"off": State({"press": "on"}), "on": State({"press": "off"})},
            ... )
            >>> lamp = spec.run()
            >>> [lamp.send("press", at=ms).state for ms in (0, 50, 80)]
            ['on', 'off', 'on']
        """
        machine = self._machine
        if event not in self.spec.events:
            known = list(self.spec.events)
            raise UnknownLabelError(
                f"{self.spec.id!r} has no event {event!r}; there are {known}."
                f"{did_you_mean(event, known)}"
            )
        now = _us(at)
        if now < self._now:
            now = self._now
            self.backwards += 1
        self._now = now
        delay = machine.delay[self._state]
        fired: tuple[Fired, ...] = ()
        if delay is not None and self._since + delay <= now:
            fired = self._fire(now)
        moves = machine.moves[self._state].get(event)
        feedback: tuple[Feedback, ...] = ()
        handled = False
        if moves is not None:
            for move in moves:
                if move.guard is None or self._holds(move.guard, event, guards):
                    handled, feedback = True, move.feedback
                    self._state, self._since = move.target, now
                    break
        self.events += 1
        if not handled:
            self.unhandled += 1
        if event in self._counts:
            self._counts[event] += 1
        if machine.delay[self._state] == 0:
            fired += self._fire(now)
        delay = machine.delay[self._state]
        return Moment(
            machine.names[self._state],
            handled,
            feedback,
            fired,
            None if delay is None else (self._since + delay) / 1000,
            machine.final[self._state],
        )

    def tick(self, at: float) -> tuple[Fired, ...]:
        """Time passes: the timers that fire up to an instant, that instant included."""
        self._now = max(self._now, _us(at))
        return self._fire(self._now)

    def _fire(self, now: int) -> tuple[Fired, ...]:
        machine, fired = self._machine, []
        delay = machine.delay[self._state]
        while delay is not None and self._since + delay <= now:
            move = machine.timeout[self._state]
            assert move is not None  # noqa: S101  # a delay has a move
            self._since += delay
            names = machine.names
            told = Fired(names[self._state], names[move.target], self._since / 1000, move.feedback)
            fired.append(told)
            self._state = move.target
            delay = machine.delay[self._state]
        self.timers += len(fired)
        return tuple(fired)

    def _holds(self, guard: tuple[str, bool], event: str, given: Mapping[str, bool]) -> bool:
        name, wanted = guard
        if name in given:
            return bool(given[name]) is wanted
        if name in self._guarded:
            counted, at_least = self._guarded[name]
            return (self._counts[counted] >= at_least) is wanted
        raise DefinitionError(
            f"{self.spec.id!r}: a rule for {event!r} in state {self.state!r} asks {name!r}; give "
            f"it as send({event!r}, at=..., guards={{{name!r}: True}})"
        )

    def to_dict(self) -> dict[str, Any]:
        """Where it stands, as plain data for JSON; the microinteraction itself is not in it."""
        return {
            "schema": _SCHEMA,
            "spec": {"id": self.spec.id, "version": self.spec.version, "digest": self.spec.digest},
            "state": self.state,
            "pass": self._machine.passes[self._state],
            "since_us": self._since,
            "now_us": self._now,
            "counters": self.counters,
            "events": self.events,
            "unhandled": self.unhandled,
            "timers": self.timers,
            "backwards": self.backwards,
        }

    @classmethod
    def from_dict(cls, spec: Microinteraction, data: Mapping[str, Any]) -> Running:
        """Go on where :meth:`to_dict` left off.

        Args:
            spec: The microinteraction.
            data: What was kept.

        Raises:
            DataError: It was kept of another microinteraction, or is damaged.
        """
        counts = ("events", "unhandled", "timers", "backwards")
        names = ("spec", "state", "pass", "since_us", "now_us", "counters", *counts)
        check_fields(data, _SCHEMA, "running microinteraction", names)
        if data["spec"].get("digest") != spec.digest:
            raise DataError(
                f"this was kept of {data['spec'].get('id')!r} {data['spec'].get('version')}, whose "
                f"content is not that of {spec.id!r} {spec.version}; let it end, or begin anew"
            )
        running = cls(spec, 0, data["counters"])
        places = list(zip(running._machine.names, running._machine.passes, strict=True))
        where = (data["state"], data["pass"])
        if where not in places:
            raise DataError(f"{spec.id!r} has no state {where[0]!r} in pass {where[1]!r}")
        running._state = places.index(where)
        running._since, running._now = int(data["since_us"]), int(data["now_us"])
        for name in counts:
            setattr(running, name, int(data[name]))
        return running


def _us(at: float) -> int:
    """Whole microseconds of a time in milliseconds."""
    try:
        return round(at * 1000)
    except (TypeError, ValueError, OverflowError):
        raise DefinitionError(f"at is a finite number of milliseconds; found {at!r}") from None
