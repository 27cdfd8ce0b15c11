"""Microinteractions to SCXML."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

from cxkit.core.numerals import write_number
from cxkit.errors import DefinitionError
from cxkit.microinteraction.graph import effective_rules
from cxkit.microinteraction.parts import Feedback, Mode, Rule, State
from cxkit.microinteraction.scxmltree import CX, SCXML

if TYPE_CHECKING:
    from cxkit.microinteraction.spec import Microinteraction

__all__ = ["to_scxml"]


def to_scxml(spec: Microinteraction) -> str:
    """State Chart XML of a microinteraction; :func:`from_scxml` reads it back.

    Modes become compound states, and a timer a send that is delayed and cancelled on the way out.
    What SCXML has no word for, such as feedback, is in a namespace of its own, which an interpreter
    passes over. Loops that are only said, versions, titles and texts are left out: they change
    nothing of what the machine does.

    Args:
        spec: The microinteraction.

    Raises:
        DefinitionError: It has what the subset cannot say: a loop that is enforced, a long loop, a
            timer in a state with a rule that stays, or one event as name and as beginning of
            another.

    Example:
        >>> from cxkit.microinteraction import Microinteraction, State, Trigger
        >>> lamp = Microinteraction(
        ...     id="lamp",
        ...     trigger=Trigger("manual", "press"),
        ...     events={"press": "user"},
        ...     initial="off",
        ...     states={"off": State({"press": "on"}), "on": State({"press": "off"})},
        ... )
        >>> from_there = to_scxml(lamp)
        >>> print(from_there.splitlines()[3].strip())
        <state id="off">
    """
    _check(spec)
    lines = [
        f'<scxml xmlns={quoteattr(SCXML)} xmlns:cx={quoteattr(CX)} version="1.0"',
        f"    name={quoteattr(spec.id)} initial={quoteattr(spec.initial)}",
        f"    cx:trigger={quoteattr(spec.trigger.event)}{_lists(spec)}>",
    ]
    mode_of = {name: mode for mode in spec.modes for name in mode.states}
    done: set[str] = set()
    for name in spec.states:
        mode = mode_of.get(name)
        if mode is None:
            lines += _state_lines(spec, name, "  ")
        elif mode.id not in done:
            done.add(mode.id)
            lines += _mode_lines(spec, mode)
    return "\n".join([*lines, "</scxml>", ""])


def _check(spec: Microinteraction) -> None:
    for loop in spec.loops:
        if loop.then is not None:
            raise DefinitionError(f"loop {loop.id!r} is enforced, which SCXML states cannot say")
    for long in spec.long_loops:
        raise DefinitionError(f"long loop {long.id!r} counts over visits, which SCXML cannot say")
    _check_names(spec)
    for mode in spec.modes:
        if any(spec.states[name].final for name in mode.states):
            raise DefinitionError(f"mode {mode.id!r} holds a final state, which ends only the mode")
    for name, on in effective_rules(spec).items():
        stays = any(rule.target is None for rules in on.values() for rule in rules)
        if spec.states[name].after is not None and stays:
            raise DefinitionError(
                f"state {name!r} has a timer and a rule that stays, which restarts it; SCXML lets "
                "it run on. Lead the rule to the state itself"
            )


def _check_names(spec: Microinteraction) -> None:
    for name in [*spec.states, *spec.events, *(mode.id for mode in spec.modes)]:
        if len(name.split()) != 1 or "*" in name:
            raise DefinitionError(f"{name!r} is no name in SCXML: it has a space or a star")
    for event in spec.events:
        for other in spec.events:
            if other.startswith(f"{event}."):
                raise DefinitionError(
                    f"event {event!r} stands in SCXML for {other!r} too; rename one of them"
                )
    for mode in spec.modes:
        if mode.id in spec.states:
            raise DefinitionError(f"mode {mode.id!r} has the name of a state")


def _lists(spec: Microinteraction) -> str:
    system = [event for event, kind in spec.events.items() if kind == "system"]
    told = {"system": system, "errors": spec.errors, "undo": spec.undo}
    return "".join(f" cx:{k}={quoteattr(' '.join(v))}" for k, v in told.items() if v)


def _mode_lines(spec: Microinteraction, mode: Mode) -> list[str]:
    kind = "" if mode.kind == "ordinary" else f' cx:mode="{mode.kind}"'
    release = "" if mode.release is None else f" cx:release={quoteattr(mode.release)}"
    lines = [f"  <state id={quoteattr(mode.id)}{kind}{release}>"]
    for name in mode.states:
        lines += _state_lines(spec, name, "    ")
    for event, rules in mode.on.items():
        for rule in rules:
            lines += _rule_lines(event, rule, "    ")
    return [*lines, "  </state>"]


def _state_lines(spec: Microinteraction, name: str, indent: str) -> list[str]:
    state: State = spec.states[name]
    tag = "final" if state.final else "state"
    failure = ' cx:failure="true"' if state.failure else ""
    inner = indent + "  "
    body: list[str] = []
    timer, waits = state.after, f"{name}.after"
    entry = _feedback_lines(state.entry, inner + "  ")
    if timer is not None and timer.ms:
        delay = f"{write_number(timer.ms)}ms"
        send = f'<send event={quoteattr(waits)} delay="{delay}" id={quoteattr(waits)}/>'
        entry.append(f"{inner}  {send}")
        body.append(f"{inner}<onexit><cancel sendid={quoteattr(waits)}/></onexit>")
    if entry:
        body = [f"{inner}<onentry>", *entry, f"{inner}</onentry>", *body]
    if timer is not None:
        way = Rule(timer.target, None, timer.feedback)
        body += _rule_lines(waits if timer.ms else None, way, inner)
    for event, rules in state.on.items():
        for rule in rules:
            body += _rule_lines(event, rule, inner)
    if not body:
        return [f"{indent}<{tag} id={quoteattr(name)}{failure}/>"]
    return [f"{indent}<{tag} id={quoteattr(name)}{failure}>", *body, f"{indent}</{tag}>"]


def _rule_lines(event: str | None, rule: Rule, indent: str) -> list[str]:
    told = {"event": event, "cond": rule.guard, "target": rule.target}
    head = "".join(f" {k}={quoteattr(v)}" for k, v in told.items() if v is not None)
    head += "".join(f' cx:{k}="true"' for k in ("destructive", "confirmed") if getattr(rule, k))
    if not rule.feedback:
        return [f"{indent}<transition{head}/>"]
    shown = _feedback_lines(rule.feedback, indent + "  ")
    return [f"{indent}<transition{head}>", *shown, f"{indent}</transition>"]


def _feedback_lines(shown: Iterable[Feedback], indent: str) -> list[str]:
    return [
        f'{indent}<cx:feedback channel="{f.channel}"'
        + ("" if f.max_ms is None else f' max-ms="{write_number(f.max_ms)}"')
        + "/>"
        for f in shown
    ]
