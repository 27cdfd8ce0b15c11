"""A microinteraction written down the way it is told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, Self

import attrs

from cxkit.core.spans import SpanLike, span_us
from cxkit.errors import DefinitionError, did_you_mean
from cxkit.microinteraction.parts import (
    Feedback,
    FeedbackLike,
    LongLoop,
    Loop,
    Mode,
    Rule,
    State,
    Timer,
    Trigger,
    as_feedback,
)
from cxkit.microinteraction.spec import Microinteraction

__all__ = ["Telling"]


@attrs.define(eq=False)
class _Told:
    on: dict[str, list[Rule]] = attrs.field(factory=dict)
    after: Timer | None = None
    entry: tuple[Feedback, ...] = ()
    final: bool = False
    failure: bool = False


class Telling:
    """What is told so far; :meth:`done` makes the microinteraction of it.

    States are told in order, the first is where it begins. What follows ``when`` is said of that
    state. Events are the user's unless ``system`` names them.

    Example:
        >>> from cxkit.microinteraction import Microinteraction
        >>> like = (
        ...     Microinteraction.told("like")
        ...     .trigger("tap", label="Like")
        ...     .when("idle")
        ...     .on("tap", to="liked", show="visual", within_ms=100)
        ...     .when("liked")
        ...     .on("undo", to="idle", show="visual")
        ...     .after("5s", to="kept")
        ...     .ends("kept", show="haptic")
        ...     .undo("undo")
        ...     .done()
        ... )
        >>> like.lint().pairs()
        []
    """

    def __init__(self, id: str, *, version: str = "1.0.0", title: str = "") -> None:  # noqa: A002  # its name in the definition
        self._given: dict[str, str] = {"id": id, "version": version, "title": title}
        self._trigger: Trigger | None = None
        self._states: dict[str, _Told] = {}
        self._current: _Told | None = None
        self._events: dict[str, Literal["user", "system"]] = {}
        self._system: list[str] = []
        self._errors: list[str] = []
        self._undo: list[str] = []
        self._modes: list[Mode] = []
        self._loops: list[Loop] = []
        self._long_loops: list[LongLoop] = []

    def trigger(
        self,
        event: str,
        *,
        kind: Literal["manual", "system"] = "manual",
        control: str = "",
        label: str = "",
        visible: bool = True,
        manual_control: bool = True,
        condition: str = "",
    ) -> Self:
        """What starts it; see :class:`Trigger`."""
        self._trigger = Trigger(kind, event, control, label, visible, manual_control, condition)
        self._events.setdefault(event, "user")
        if kind == "system":
            self._system.append(event)
        return self

    def when(self, state: str, *, show: FeedbackLike = (), within_ms: float | None = None) -> Self:
        """In this state; ``show`` is perceived whenever it is entered."""
        self._current = self._states.setdefault(state, _Told())
        self._current.entry += _shown(show, within_ms)
        return self

    def on(
        self,
        event: str,
        to: str | None = None,
        *,
        unless: str | None = None,
        given: str | None = None,
        show: FeedbackLike = (),
        within_ms: float | None = None,
        destructive: bool = False,
        confirmed: bool = False,
    ) -> Self:
        """On this event it goes to a state, or stays; said again, it is the next rule to be tried.

        Args:
            event: The event.
            to: The state that follows; ``None`` to stay.
            unless: A condition that must not hold.
            given: A condition that must hold.
            show: What the user perceives.
            within_ms: Within how many milliseconds.
            destructive: Whether it takes something away.
            confirmed: Whether the user has confirmed it before.

        Raises:
            DefinitionError: No state was named before, or both conditions are given.
        """
        if unless is not None and given is not None:
            raise DefinitionError(f"on {event!r}: say given or unless, a rule has one condition")
        guard = f"!{unless}" if unless is not None else given
        rule = Rule(to, guard, _shown(show, within_ms), destructive, confirmed)
        self._here("on").on.setdefault(event, []).append(rule)
        self._events.setdefault(event, "user")
        return self

    def after(
        self, span: SpanLike, to: str, *, show: FeedbackLike = (), within_ms: float | None = None
    ) -> Self:
        """When nothing was handled for so long, it goes to a state.

        Raises:
            DefinitionError: No state was named before, or it has a timer already.
        """
        here = self._here("after")
        if here.after is not None:
            raise DefinitionError(f"after {span!r}: the state has a timer already, and has one")
        here.after = Timer(span_us(span, name="after") / 1000, to, _shown(show, within_ms))
        return self

    def ends(
        self,
        *states: str,
        failure: bool = False,
        show: FeedbackLike = (),
        within_ms: float | None = None,
    ) -> Self:
        """In these states it ends, well or as a failure.

        Of a state that was named before, it adds to what is shown there; one with rules or a timer
        cannot be an end, which :meth:`done` refuses.
        """
        for name in states:
            told = self._states.setdefault(name, _Told())
            told.entry += _shown(show, within_ms)
            told.final, told.failure = True, told.failure or failure
        self._current = None
        return self

    def system(self, *events: str) -> Self:
        """These events are the system's."""
        self._system += events
        return self

    def failures(self, *events: str) -> Self:
        """These events are failures, and the system's."""
        self._system += events
        self._errors += events
        return self

    def undo(self, *events: str) -> Self:
        """These events take something back."""
        self._undo += events
        return self

    def mode(
        self,
        id: str,  # noqa: A002  # its name in the definition
        *states: str,
        kind: Literal["ordinary", "one_off", "spring_loaded"] = "ordinary",
        release: str | None = None,
    ) -> Self:
        """These states are a mode; see :class:`Mode`."""
        self._modes.append(Mode(id, states, kind, release))
        return self

    def loop(
        self,
        id: str,  # noqa: A002  # its name in the definition
        *states: str,
        at_most: int | None = None,
        then: str | None = None,
        until: str | None = None,
        over: str | None = None,
        stop: str | None = None,
        closed: bool = False,
    ) -> Self:
        """These states are a loop, of the kind that its end says; see :class:`Loop`."""
        kind: Literal["count", "condition", "collection", "infinite"] = "infinite"
        if at_most is not None:
            kind = "count"
        elif until is not None:
            kind = "condition"
        elif over is not None:
            kind = "collection"
        self._loops.append(Loop(id, states, kind, at_most, then, until, over, stop, closed))
        return self

    def long_loop(self, id: str, *, counts: str, guard: str, at_least: int) -> Self:  # noqa: A002  # its name in the definition
        """A condition that hangs on what the customer did before; see :class:`LongLoop`."""
        self._long_loops.append(LongLoop(id, counts, guard, at_least))
        return self

    def done(self) -> Microinteraction:
        """The microinteraction.

        Raises:
            DefinitionError: It has no trigger or no state, or contradicts itself.
        """
        if self._trigger is None or not self._states:
            raise DefinitionError(
                f"{self._given['id']!r} needs a trigger and a state: .trigger('tap').when('idle')"
            )
        for event in self._system:
            self._events[event] = "system"
        # A definition in a file may name one that is still to come; what is told is told whole, so
        # that it is a slip of the pen, and undo rates would miss it without a word.
        for event in self._undo:
            if event not in self._events:
                raise DefinitionError(
                    f"undo: there is no event {event!r}; name one that on(...) or system(...) has."
                    f"{did_you_mean(event, list(self._events))}"
                )
        return Microinteraction(
            id=self._given["id"],
            version=self._given["version"],
            title=self._given["title"],
            trigger=self._trigger,
            events=self._events,
            initial=next(iter(self._states)),
            states={
                name: State(told.on, told.after, told.entry, told.final, told.failure)
                for name, told in self._states.items()
            },
            modes=self._modes,
            loops=self._loops,
            long_loops=self._long_loops,
            errors=self._errors,
            undo=self._undo,
        )

    def _here(self, word: str) -> _Told:
        if self._current is None:
            raise DefinitionError(f"say when(state) before {word}(...), so that it has a place")
        return self._current


def _shown(show: FeedbackLike, within_ms: float | None) -> tuple[Feedback, ...]:
    given: Iterable[Feedback] = as_feedback(show)
    if within_ms is None:
        return tuple(given)
    return tuple(attrs.evolve(f, max_ms=within_ms) if f.max_ms is None else f for f in given)
