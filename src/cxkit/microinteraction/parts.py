"""What a microinteraction is made of: trigger, rules, feedback, modes and loops.

The parts and their names are those of Saffer 2013, "Microinteractions" (O'Reilly).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, TypeAlias

import attrs

from cxkit.errors import DefinitionError

__all__ = [
    "Feedback",
    "FeedbackLike",
    "LongLoop",
    "Loop",
    "Mode",
    "Rule",
    "State",
    "Timer",
    "Trigger",
]

CHANNELS: Final = ("visual", "audio", "haptic")
LOOP_KINDS: Final = ("count", "condition", "collection", "infinite")
MODE_KINDS: Final = ("ordinary", "one_off", "spring_loaded")


def _one_of(*choices: str) -> Any:
    def check(_: Any, field: attrs.Attribute[Any], value: Any) -> None:
        if value not in choices:
            raise DefinitionError(f"{field.name} is one of {list(choices)}; found {value!r}")

    return check


def _check_name(owner: Any, field: attrs.Attribute[Any], value: Any) -> None:
    if not isinstance(value, str) or not value:
        kind = type(owner).__name__.lower()
        raise DefinitionError(f"{field.name} of a {kind} is some text; found {value!r}")


def _check_ms(owner: Any, field: attrs.Attribute[Any], value: Any) -> None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if value is not None and not (number and 0 <= value < math.inf):
        kind = type(owner).__name__.lower()
        raise DefinitionError(
            f"{field.name} of a {kind} is a number of milliseconds from 0 up; found {value!r}"
        )


def _whole(value: Any) -> Any:
    """2000.0 is 2000, so that definitions that say the same are the same."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


@attrs.frozen
class Feedback:
    """What the user perceives.

    Attributes:
        channel: ``"visual"``, ``"audio"`` or ``"haptic"``.
        max_ms: Within how many milliseconds it has to come; ``None`` if nothing is promised.
        text: What it is, for those who build it.

    Example:
        >>> Feedback("haptic", 100)
        Feedback(channel='haptic', max_ms=100, text='')
    """

    channel: Literal["visual", "audio", "haptic"] = attrs.field(validator=_one_of(*CHANNELS))
    max_ms: float | None = attrs.field(default=None, converter=_whole, validator=_check_ms)
    text: str = ""


FeedbackLike: TypeAlias = "Feedback | str | Iterable[Feedback | str]"


def as_feedback(given: FeedbackLike) -> tuple[Feedback, ...]:
    """Feedback from itself, from the name of its channel, or from several of them."""
    if isinstance(given, (Feedback, str)):
        given = [given]
    return tuple(f if isinstance(f, Feedback) else Feedback(f) for f in given)  # type: ignore[arg-type]  # a wrong channel is refused


def _texts(values: str | Iterable[str]) -> tuple[str, ...]:
    return (values,) if isinstance(values, str) else tuple(values)


@attrs.frozen
class Trigger:
    """What starts it.

    Attributes:
        kind: ``"manual"``, by the user, or ``"system"``, by an error, a place, a time, data, or
            another microinteraction.
        event: The event of the trigger.
        control: What the user touches.
        label: What it says.
        visible: Whether a user can see that it is there.
        manual_control: Of a system trigger: whether the user can start, stop or switch it off.
        condition: When the system starts it, in words.
    """

    kind: Literal["manual", "system"] = attrs.field(validator=_one_of("manual", "system"))
    event: str = attrs.field(validator=_check_name)
    control: str = ""
    label: str = ""
    visible: bool = True
    manual_control: bool = True
    condition: str = ""


@attrs.frozen
class Rule:
    """What happens on an event in a state.

    Attributes:
        target: The state that follows; ``None`` to stay, which is no less of an answer: the event
            is handled, and timers start anew.
        guard: The name of a condition that must hold; ``"!name"`` for one that must not.
        feedback: What the user perceives.
        destructive: Whether it takes something away that the user may want back.
        confirmed: Whether the user has confirmed it before.
    """

    target: str | None = None
    guard: str | None = None
    feedback: tuple[Feedback, ...] = attrs.field(default=(), converter=as_feedback)
    destructive: bool = False
    confirmed: bool = False


@attrs.frozen
class Timer:
    """What happens when nothing was handled for a time.

    Attributes:
        ms: After how many milliseconds since the state was entered, or an event was last handled in
            it.
        target: The state that follows.
        feedback: What the user perceives.
    """

    ms: float = attrs.field(converter=_whole, validator=_check_ms)
    target: str = attrs.field(validator=_check_name)
    feedback: tuple[Feedback, ...] = attrs.field(default=(), converter=as_feedback)


def _rules(given: Mapping[str, Any]) -> dict[str, tuple[Rule, ...]]:
    found: dict[str, tuple[Rule, ...]] = {}
    for event, rules in given.items():
        several = [rules] if isinstance(rules, (str, Rule)) or rules is None else list(rules)
        found[event] = tuple(r if isinstance(r, Rule) else Rule(r) for r in several)
    return found


@attrs.frozen
class State:
    """A state of the microinteraction.

    Attributes:
        on: event -> the rules for it, tried in order: the first whose guard holds is taken. A state
            may be given in place of a rule.
        after: The timer of the state.
        entry: Feedback whenever the state is entered.
        final: Whether it ends here.
        failure: Of a final state: whether this end is a failure.
    """

    on: Mapping[str, tuple[Rule, ...]] = attrs.field(factory=dict, converter=_rules)
    after: Timer | None = None
    entry: tuple[Feedback, ...] = attrs.field(default=(), converter=as_feedback)
    final: bool = False
    failure: bool = False


@attrs.frozen
class Mode:
    """A fork in the rules: states in which things work differently.

    Attributes:
        id: Its name.
        states: The states that belong to it.
        kind: ``"ordinary"``; ``"one_off"``, for one action, which must time out; or
            ``"spring_loaded"``, which lasts while a control is held.
        release: Of a spring-loaded mode: the event that ends it.
        on: Rules that hold in all its states, where the state has none for the event.
    """

    id: str = attrs.field(validator=_check_name)
    states: tuple[str, ...] = attrs.field(converter=_texts)
    kind: Literal["ordinary", "one_off", "spring_loaded"] = attrs.field(
        default="ordinary", validator=_one_of(*MODE_KINDS)
    )
    release: str | None = None
    on: Mapping[str, tuple[Rule, ...]] = attrs.field(factory=dict, converter=_rules)


def _check_max(owner: Any, _: Any, value: Any) -> None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise DefinitionError(
            f"loop {owner.id!r}: max is a whole number from 1 up; found {value!r}"
        )


@attrs.frozen
class Loop:
    """A cycle of the rules that repeats.

    Attributes:
        id: Its name.
        states: The states that it goes through; each entry to the first from another of them is one
            more pass.
        kind: ``"count"``, so many times; ``"condition"``, while something holds; ``"collection"``,
            for each of some things; or ``"infinite"``, until it is stopped.
        max: Of a count loop: how many passes there are at most.
        then: Of a count loop: the state that takes the place of one pass too many. Without it the
            count is said, and measured, but not enforced.
        until: Of a condition loop: what ends it, in words.
        over: Of a collection loop: what it goes over, in words.
        stop: Of an infinite loop: the event that stops it.
        closed: Whether the loop adjusts itself by its feedback (closed) or ignores it (open).
            That is Saffer's sense of the words, not "finite" and "endless".
    """

    id: str = attrs.field(validator=_check_name)
    states: tuple[str, ...] = attrs.field(converter=_texts)
    kind: Literal["count", "condition", "collection", "infinite"] = attrs.field(
        validator=_one_of(*LOOP_KINDS)
    )
    max: int | None = attrs.field(default=None, validator=_check_max)
    then: str | None = None
    until: str | None = None
    over: str | None = None
    stop: str | None = None
    closed: bool = False


def _check_least(owner: Any, _: Any, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise DefinitionError(
            f"long loop {owner.id!r}: at_least is a whole number from 1 up; found {value!r}"
        )


@attrs.frozen
class LongLoop:
    """Behaviour that changes over visits: a guard on a counter that outlives the microinteraction.

    Attributes:
        id: Its name.
        counts: The event that is counted, over all the customer's past.
        guard: The name of the guard that it decides.
        at_least: From how many earlier events on the guard holds.
    """

    id: str = attrs.field(validator=_check_name)
    counts: str = attrs.field(validator=_check_name)
    guard: str = attrs.field(validator=_check_name)
    at_least: int = attrs.field(validator=_check_least)
