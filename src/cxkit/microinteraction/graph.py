"""The rules of a microinteraction as a graph: what follows on what, modes folded in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from cxkit.microinteraction.parts import Rule
    from cxkit.microinteraction.spec import Microinteraction

__all__ = ["Step", "effective_rules", "live_rules", "reach", "steps"]


class Step(NamedTuple):
    """One way from a state to a state: by an event, or by the timer (``event`` is ``None``)."""

    source: str
    event: str | None
    target: str


def effective_rules(spec: Microinteraction) -> dict[str, dict[str, tuple[Rule, ...]]]:
    """State -> event -> the rules that are tried, in order: the state's own, then its mode's.

    A final state has none. A spring-loaded mode's release does not appear here: it is a rule like
    any other, and has to be written down to lead anywhere.
    """
    mode_of = {name: mode for mode in spec.modes for name in mode.states}
    found: dict[str, dict[str, tuple[Rule, ...]]] = {}
    for name, state in spec.states.items():
        if state.final:
            found[name] = {}
            continue
        on = dict(state.on)
        if name in mode_of:
            for event, rules in mode_of[name].on.items():
                on[event] = (*on.get(event, ()), *rules)
        found[name] = on
    return found


def live_rules(rules: Iterable[Rule]) -> list[bool]:
    """Which of the rules for one event can be taken at all.

    A rule after an unguarded one cannot, nor one whose guard an earlier rule has taken, nor one
    after a guard and its opposite.
    """
    alive, closed, taken = [], False, set()
    for rule in rules:
        alive.append(not closed and rule.guard not in taken)
        if rule.guard is None:
            closed = True
        else:
            taken.add(rule.guard)
            opposite = rule.guard[1:] if rule.guard.startswith("!") else f"!{rule.guard}"
            closed = closed or opposite in taken
    return alive


def steps(spec: Microinteraction) -> list[Step]:
    """Every way from a state to another, of rules that can be taken, and of timers."""
    found = []
    for name, on in effective_rules(spec).items():
        for event, rules in on.items():
            for rule, alive in zip(rules, live_rules(rules), strict=True):
                if alive:
                    found.append(Step(name, event, name if rule.target is None else rule.target))
        after = spec.states[name].after
        if after is not None and not spec.states[name].final:
            found.append(Step(name, None, after.target))
    found += [
        Step(loop.states[0], None, loop.then)
        for loop in spec.loops
        if loop.then is not None and loop.states
    ]
    return found


def reach(starts: Iterable[str], edges: Mapping[str, Iterable[str]]) -> set[str]:
    """Everything that can be reached, the starts included."""
    found, rest = set(starts), list(starts)
    while rest:
        for name in edges.get(rest.pop(), ()):
            if name not in found:
                found.add(name)
                rest.append(name)
    return found
