"""Microinteractions to XState."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from cxkit.core.numerals import write_number
from cxkit.errors import DefinitionError
from cxkit.microinteraction.graph import effective_rules
from cxkit.microinteraction.parts import Feedback, Rule, State

if TYPE_CHECKING:
    from cxkit.microinteraction.spec import Microinteraction

__all__ = ["to_xstate"]


def to_xstate(spec: Microinteraction) -> dict[str, Any]:
    """A machine of XState (version 5) as plain data for JSON.

    Rules of a mode are written into its states, after their own. Feedback becomes actions named by
    their channel. Guards keep their names, ``"!name"`` included, and are to be given to ``setup``.
    A rule that stays re-enters its state where there is a timer, so that the timer starts anew as
    it does here.

    Args:
        spec: The microinteraction.

    Raises:
        DefinitionError: It has a loop that is enforced, a long loop, or a rule that stays in a
            state with a timer and feedback on entry, which would be shown again.

    Example:
        >>> from cxkit.microinteraction import Microinteraction, State, Trigger
        >>> lamp = Microinteraction(
        ...     id="lamp",
        ...     trigger=Trigger("manual", "press"),
        ...     events={"press": "user"},
        ...     initial="off",
        ...     states={"off": State({"press": "on"}), "on": State({"press": "off"})},
        ... )
        >>> to_xstate(lamp)["states"]["off"]
        {'on': {'press': [{'target': 'on'}]}}
    """
    for loop in spec.loops:
        if loop.then is not None:
            raise DefinitionError(f"loop {loop.id!r} is enforced, which XState states cannot say")
    for long in spec.long_loops:
        raise DefinitionError(f"long loop {long.id!r} counts over visits, which XState cannot say")
    rules = effective_rules(spec)
    for name, state in spec.states.items():
        stays = any(rule.target is None for given in rules[name].values() for rule in given)
        if stays and state.after is not None and state.entry:
            raise DefinitionError(
                f"state {name!r} has a timer, feedback on entry and a rule that stays; XState "
                "restarts the timer only with the feedback. Give the feedback to the rules"
            )
    states = {name: _xstate(name, state, rules[name]) for name, state in spec.states.items()}
    return {"id": spec.id, "initial": spec.initial, "states": states}


def _xstate(name: str, state: State, on: dict[str, tuple[Rule, ...]]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if state.final:
        data["type"] = "final"
    if state.entry:
        data["entry"] = _actions(state.entry)
    if on:
        data["on"] = {
            event: [_xstate_rule(rule, name, timed=state.after is not None) for rule in given]
            for event, given in on.items()
        }
    if state.after is not None:
        way = _xstate_rule(Rule(state.after.target, None, state.after.feedback), name, timed=True)
        data["after"] = {write_number(state.after.ms): [way]}
    return data


def _xstate_rule(rule: Rule, name: str, *, timed: bool) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if rule.target is not None:
        data["target"] = rule.target
        if rule.target == name:
            data["reenter"] = True
    elif timed:
        data |= {"target": name, "reenter": True}
    if rule.guard is not None:
        data["guard"] = rule.guard
    if rule.feedback:
        data["actions"] = _actions(rule.feedback)
    return data


def _actions(shown: Iterable[Feedback]) -> list[dict[str, Any]]:
    found = []
    for feedback in shown:
        told = {"maxMs": feedback.max_ms, "text": feedback.text}
        params = {name: value for name, value in told.items() if value}
        found.append({"type": feedback.channel} | ({"params": params} if params else {}))
    return found
