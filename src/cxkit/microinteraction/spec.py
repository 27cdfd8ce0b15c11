"""A microinteraction: one definition that is checked, run and measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import attrs

from cxkit.core.canonical import digest
from cxkit.errors import DefinitionError
from cxkit.microinteraction.parts import LongLoop, Loop, Mode, State, Trigger
from cxkit.microinteraction.speccheck import check_spec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cxkit.core.codes import Codes
    from cxkit.core.findings import Findings
    from cxkit.core.spans import InstantLike
    from cxkit.microinteraction.building import Telling
    from cxkit.microinteraction.live import Running
    from cxkit.microinteraction.replay import Replay, StreamLike

__all__ = ["Microinteraction"]


def _copied(given: Mapping[str, Any]) -> dict[str, Any]:
    return dict(given)


def _all_modes(given: Iterable[Mode]) -> tuple[Mode, ...]:
    return tuple(given)


def _all_loops(given: Iterable[Loop]) -> tuple[Loop, ...]:
    return tuple(given)


def _all_long_loops(given: Iterable[LongLoop]) -> tuple[LongLoop, ...]:
    return tuple(given)


def _all_names(given: Iterable[str]) -> tuple[str, ...]:
    return tuple(given)


def _check_id(_: Any, field: attrs.Attribute[Any], value: Any) -> None:
    if not isinstance(value, str) or not value.strip():
        raise DefinitionError(f"{field.name} of a microinteraction is some text; found {value!r}")


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Microinteraction:
    """A single-purpose moment: what triggers it, its rules, its feedback, its loops and modes.

    It is a machine of states. An event in a state takes the first rule for it whose guard holds,
    the state's own rules before those of its mode. An event without such a rule is not handled, and
    counted. A timer fires when nothing was handled for its time, at exactly that instant and before
    an event of the same instant; timers chain.

    Attributes:
        id: Its name.
        trigger: What starts it.
        events: event -> ``"user"`` or ``"system"``.
        initial: The state in which it begins.
        states: state -> what happens in it.
        modes: Forks in the rules; a state is in one mode at most.
        loops: Cycles of the rules.
        long_loops: Guards that hang on what the customer did in the past.
        errors: Events that are failures.
        undo: Events that take something back.
        version: Three numbers.
        title: What it is called.

    Raises:
        DefinitionError: Something in it names what is not there, or timers that take no time lead
            in a circle; the error names the place.

    Example:
        >>> from cxkit.microinteraction import Rule, State, Timer, Trigger
        >>> like = Microinteraction(
        ...     id="like",
        ...     trigger=Trigger("manual", "tap"),
        ...     events={"tap": "user", "undo": "user"},
        ...     initial="idle",
        ...     states={
        ...         "idle": State({"tap": Rule("liked", feedback="visual")}),
        ...         "liked": State({"undo": Rule("idle", feedback="visual")},
        ...                        after=Timer(5000, "done")),
        ...         "done": State(final=True, entry="haptic"),
        ...     },
        ...     undo=["undo"],
        ... )  # fmt: skip
        >>> now = like.run()
        >>> now.send("tap", at=0).state, now.send("undo", at=4999).state
        ('liked', 'idle')
    """

    id: str = attrs.field(validator=_check_id)
    trigger: Trigger
    events: Mapping[str, Literal["user", "system"]] = attrs.field(converter=_copied)
    initial: str
    states: Mapping[str, State] = attrs.field(converter=_copied)
    modes: tuple[Mode, ...] = attrs.field(default=(), converter=_all_modes)
    loops: tuple[Loop, ...] = attrs.field(default=(), converter=_all_loops)
    long_loops: tuple[LongLoop, ...] = attrs.field(default=(), converter=_all_long_loops)
    errors: tuple[str, ...] = attrs.field(default=(), converter=_all_names)
    undo: tuple[str, ...] = attrs.field(default=(), converter=_all_names)
    version: str = "1.0.0"
    title: str = ""

    def __attrs_post_init__(self) -> None:
        """Check it as a whole."""
        check_spec(self)

    def __eq__(self, other: object) -> bool:
        """Equal when the digests are."""
        if not isinstance(other, Microinteraction):
            return NotImplemented
        return self.digest == other.digest

    def __hash__(self) -> int:
        """Of the digest."""
        return hash(self.digest)

    def __repr__(self) -> str:
        """Which it is, and how large."""
        return (
            f"<Microinteraction {self.id!r} {self.version}: {len(self.states)} states, "
            f"{len(self.events)} events, starts by {self.trigger.event!r}>"
        )

    @staticmethod
    def told(id: str, *, version: str = "1.0.0", title: str = "") -> Telling:  # noqa: A002  # its name here
        """Begin to write one down the way it is told; see :class:`Telling`.

        Args:
            id: Its name.
            version: Three numbers.
            title: What it is called.
        """
        from cxkit.microinteraction.building import Telling

        return Telling(id, version=version, title=title)

    # ------------------------------------------------------------------ verbs

    def lint(self, *, first_feedback_ms: float = 100) -> Findings:
        """What is wrong with it, each finding with a code, its place and a suggestion.

        Args:
            first_feedback_ms: Within how long the trigger has to be answered. 100 ms feels like an
                answer at once, 1,000 ms keeps the flow of thought, 10,000 ms the attention (Miller
                1968, "Response time in man-computer conversational transactions").
        """
        from cxkit.microinteraction.lint import lint

        return lint(self, first_feedback_ms)

    def run(self, at: float = 0, *, counters: Mapping[str, int] | None = None) -> Running:
        """A live instance for an app.

        Args:
            at: When it begins, in milliseconds on any clock.
            counters: event -> how often the customer had it before, for long loops.
        """
        from cxkit.microinteraction.live import Running

        return Running(self, at, counters)

    def replay(
        self,
        streams: StreamLike,
        *,
        guards: Mapping[str, NDArray[np.bool_]] | None = None,
        until: InstantLike | None = None,
    ) -> Replay:
        """Recorded streams, equal to the live instance event by event.

        Args:
            streams: Journeys, each of which is one instance; or one stream as events, or as pairs
                of event and milliseconds. An event without a time comes at once.
            guards: condition -> (E,) whether it holds at each touchpoint, evaluated beforehand.
                Those of long loops are counted from the customer's own past.
            until: The instant to which time passes after the last event, so that timers fire;
                ``None``: it stops at the last touchpoint, whether its event is known or not.

        Raises:
            DataError: A guard that rules ask is not given, or ``until`` lies before an event.

        Example:
            >>> from cxkit.microinteraction import State, Trigger
            >>> lamp = Microinteraction(
            ...     id="lamp",
            ...     trigger=Trigger("manual", "press"),
            ...     events={"press": "user"},
            ...     initial="off",
            ...     states={"off": State({"press": "on"}), "on": State({"press": "off"})},
            ... )
            >>> lamp.replay(["press", "press", "press"]).states_after()
            ['on', 'off', 'on']
        """
        from cxkit.microinteraction.replay import replay

        return replay(self, streams, guards or {}, until)

    def end_states(
        self, streams: StreamLike, *, guards: Mapping[str, NDArray[np.bool_]] | None = None
    ) -> Codes:
        """(J,) only the state at the last touchpoint of each stream: fast without timers.

        Args:
            streams: See :meth:`replay`.
            guards: See :meth:`replay`.
        """
        from cxkit.microinteraction.replay import end_states

        return end_states(self, streams, guards or {})

    # ------------------------------------------------------------------ pictures

    def to_svg(self, notes: Mapping[str, str] | None = None) -> str:
        """A picture of its states as SVG.

        Args:
            notes: State -> a second line in its box, such as how many instances came there.

        Raises:
            DefinitionError: It has more than 60 states; draw it with Graphviz.
        """
        from cxkit.microinteraction.pictures import to_svg

        return to_svg(self, notes)

    def _repr_html_(self) -> str:
        """The picture in a notebook, or the line of text where it has too many states."""
        try:
            return self.to_svg()
        except DefinitionError:
            from html import escape

            return f"<pre>{escape(repr(self))}</pre>"

    # ------------------------------------------------------------------ files

    @cached_property
    def digest(self) -> str:
        """SHA-256 of its canonical JSON, in hexadecimal."""
        return digest(self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON; what is as by default is left out."""
        from cxkit.microinteraction.specdata import spec_data

        return spec_data(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Microinteraction:
        """Read back what :meth:`to_dict` wrote.

        Raises:
            DataError: It does not have the shape of a microinteraction; the error says where.
            DefinitionError: It names what is not there.
        """
        from cxkit.microinteraction.specdata import read_spec

        return read_spec(data)
