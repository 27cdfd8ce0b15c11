"""What is wrong with a microinteraction, found in its specification."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

import attrs

from cxkit.core.findings import Finding, Findings
from cxkit.core.result import show_amount
from cxkit.microinteraction.graph import effective_rules, live_rules, reach, steps

if TYPE_CHECKING:
    from cxkit.microinteraction.parts import Rule
    from cxkit.microinteraction.spec import Microinteraction

__all__ = ["CODES", "lint"]

CODES: Final = {
    "MI001": "state that cannot be reached",
    "MI002": "rule that can never fire",
    "MI003": "ambiguous rule",
    "MI004": "rule without feedback",
    "MI005": "failure without feedback",
    "MI006": "mode without an exit",
    "MI007": "one-off mode without a timeout",
    "MI008": "loop without an end",
    "MI009": "state from which no end can be reached",
    "MI010": "slow first feedback",
    "MI011": "destructive rule without undo or confirmation",
    "MI012": "manual trigger that nobody can see",
    "MI013": "system trigger that the user cannot control",
}
"""Code -> what it means."""


def lint(spec: Microinteraction, first_feedback_ms: float) -> Findings:
    """See :meth:`Microinteraction.lint`."""
    shape = _Shape.of(spec)
    checks: tuple[Callable[[_Shape], Iterator[Finding]], ...] = (
        _unreachable,
        _dead_rules,
        _ambiguous,
        _silent,
        _modes,
        _loops,
        _no_end,
        _destructive,
        _trigger,
    )
    found = {f for check in checks for f in check(shape)}
    found |= set(_slow(shape, first_feedback_ms))
    return Findings(tuple(sorted(found, key=lambda f: (f.code, f.place))))


@attrs.frozen
class _Shape:
    """The specification, and what can be reached in it."""

    spec: Microinteraction
    rules: dict[str, dict[str, tuple[Rule, ...]]]
    after: dict[str, list[str]]
    before: dict[str, list[str]]
    reachable: set[str]

    @classmethod
    def of(cls, spec: Microinteraction) -> _Shape:
        after: dict[str, list[str]] = {}
        before: dict[str, list[str]] = {}
        for step in steps(spec):
            after.setdefault(step.source, []).append(step.target)
            before.setdefault(step.target, []).append(step.source)
        return cls(spec, effective_rules(spec), after, before, reach([spec.initial], after))


def _unreachable(shape: _Shape) -> Iterator[Finding]:
    for name in shape.spec.states:
        if name not in shape.reachable:
            yield Finding(
                "MI001",
                name,
                f"no rule and no timer leads from {shape.spec.initial!r} to state {name!r}",
                "add the rule that leads there, or drop the state",
            )


def _dead_rules(shape: _Shape) -> Iterator[Finding]:
    for name, on in shape.rules.items():
        for event, rules in on.items():
            for alive in live_rules(rules):
                if name not in shape.reachable or not alive:
                    why = (
                        f"state {name!r} cannot be reached"
                        if name not in shape.reachable
                        else "an earlier rule takes the event in every case"
                    )
                    yield Finding(
                        "MI002",
                        f"{name}/{event}",
                        f"a rule for {event!r} in state {name!r} can never fire: {why}",
                        "drop the rule, or give the earlier one a guard",
                    )
        if shape.spec.states[name].after is not None and name not in shape.reachable:
            yield Finding(
                "MI002",
                f"{name}/@after",
                f"the timer of state {name!r} can never fire: the state cannot be reached",
                "add the rule that leads there, or drop the state",
            )


def _ambiguous(shape: _Shape) -> Iterator[Finding]:
    for name, state in shape.spec.states.items():
        for event, rules in state.on.items():
            guards = [rule.guard for rule in rules]
            if any(guards.count(guard) > 1 for guard in guards):
                yield Finding(
                    "MI003",
                    f"{name}/{event}",
                    f"two rules for {event!r} in state {name!r} hold under the same condition; the "
                    "first is taken",
                    "give each a guard of its own, or keep one",
                )


def _silent(shape: _Shape) -> Iterator[Finding]:
    spec = shape.spec
    for name, on in shape.rules.items():
        for event, rules in on.items():
            for rule in rules:
                entry = spec.states[rule.target].entry if rule.target is not None else ()
                if rule.feedback or entry:
                    continue
                yield Finding(
                    "MI004",
                    f"{name}/{event}",
                    f"{event!r} in state {name!r} is answered by nothing that a user perceives",
                    "show, sound or shake something, on the rule or on entry to its target",
                )
                if event in spec.errors:
                    yield Finding(
                        "MI005",
                        f"{name}/{event}",
                        f"the failure {event!r} in state {name!r} passes in silence",
                        "say that it failed, and what the user can do",
                    )


def _modes(shape: _Shape) -> Iterator[Finding]:
    for mode in shape.spec.modes:
        inside = set(mode.states)
        leaves = any(set(shape.after.get(name, ())) - inside for name in inside)
        ends = any(shape.spec.states[name].final for name in inside)
        if inside and not leaves and not ends:
            yield Finding(
                "MI006",
                mode.id,
                f"nothing leads out of mode {mode.id!r}, and it does not end in it",
                "add a rule that leaves the mode",
            )
        timeless = [n for n in mode.states if shape.spec.states[n].after is None]
        timeless = [n for n in timeless if not shape.spec.states[n].final]
        if mode.kind == "one_off" and timeless:
            yield Finding(
                "MI007",
                mode.id,
                f"the one-off mode {mode.id!r} does not time out in state {timeless[0]!r}",
                "give the state a timer that leads out of the mode",
            )


def _loops(shape: _Shape) -> Iterator[Finding]:
    needs = {"count": "max", "condition": "until", "collection": "over", "infinite": "stop"}
    for loop in shape.spec.loops:
        if getattr(loop, needs[loop.kind]) is None:
            yield Finding(
                "MI008",
                loop.id,
                f"the {loop.kind} loop {loop.id!r} has no {needs[loop.kind]}, so nothing ends it",
                f"give it {needs[loop.kind]}",
            )


def _no_end(shape: _Shape) -> Iterator[Finding]:
    ends = [name for name, state in shape.spec.states.items() if state.final]
    able = reach(ends, shape.before)
    for name in shape.spec.states:
        if name in shape.reachable and name not in able:
            yield Finding(
                "MI009",
                name,
                f"from state {name!r} no end can be reached",
                "lead it to a final state, or make one of the states final",
            )


def _slow(shape: _Shape, limit: float) -> Iterator[Finding]:
    spec = shape.spec
    event = spec.trigger.event
    for rule in shape.rules[spec.initial].get(event, ()):
        entry = spec.states[rule.target].entry if rule.target is not None else ()
        promised = [f.max_ms for f in (*rule.feedback, *entry) if f.max_ms is not None]
        if promised and min(promised) > limit:
            yield Finding(
                "MI010",
                f"{spec.initial}/{event}",
                f"the first feedback to the trigger may take {show_amount(min(promised))} ms; "
                f"the limit is {show_amount(limit)} ms",
                "answer at once, if only to say that it was heard",
            )


def _destructive(shape: _Shape) -> Iterator[Finding]:
    undo = set(shape.spec.undo)
    for name, on in shape.rules.items():
        for event, rules in on.items():
            for rule in rules:
                if not rule.destructive or rule.confirmed:
                    continue
                target = name if rule.target is None else rule.target
                if undo & set(shape.rules[target]):
                    continue
                yield Finding(
                    "MI011",
                    f"{name}/{event}",
                    f"{event!r} in state {name!r} takes something away at once and for good",
                    "offer undo in the state that follows, or ask before",
                )


def _trigger(shape: _Shape) -> Iterator[Finding]:
    trigger = shape.spec.trigger
    if trigger.kind == "manual" and not trigger.visible:
        yield Finding(
            "MI012",
            trigger.event,
            f"nothing shows that {trigger.event!r} can be done",
            "make the control visible, or offer a second, visible way",
        )
    if trigger.kind == "system" and not trigger.manual_control:
        yield Finding(
            "MI013",
            trigger.event,
            f"the system starts it by {trigger.event!r}, and the user cannot start, stop or switch "
            "it off",
            "give the user a control",
        )
