"""What must hold of a microinteraction as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from cxkit.errors import DefinitionError, did_you_mean

if TYPE_CHECKING:
    from cxkit.microinteraction.spec import Microinteraction

__all__ = ["check_spec"]


def check_spec(spec: Microinteraction) -> None:
    """Refuse one that contradicts itself.

    Raises:
        DefinitionError: The error names the place.
    """
    for event, kind in spec.events.items():
        if kind not in {"user", "system"}:
            raise DefinitionError(f"event {event!r} is 'user' or 'system'; found {kind!r}")
    _known("trigger", spec.trigger.event, spec.events, "event")
    _known("initial", spec.initial, spec.states, "state")
    for event in spec.errors:
        _known("errors", event, spec.events, "event")
    for name, state in spec.states.items():
        _check_rules(f"state {name!r}", state.on, spec)
        if state.after is not None:
            _known(f"state {name!r}, after", state.after.target, spec.states, "state")
        if state.final and (state.on or state.after):
            raise DefinitionError(f"state {name!r} is final, so it has neither rules nor a timer")
        if state.failure and not state.final:
            raise DefinitionError(f"state {name!r} is no final state, so it cannot be a failed end")
    _check_modes(spec)
    _check_loops(spec)
    _check_timers(spec)


def _check_rules(where: str, on: Mapping[str, Iterable[Any]], spec: Microinteraction) -> None:
    for event, rules in on.items():
        _known(where, event, spec.events, "event")
        for rule in rules:
            if rule.target is not None:
                _known(f"{where}, on {event!r}", rule.target, spec.states, "state")


def _check_modes(spec: Microinteraction) -> None:
    owner: dict[str, str] = {}
    for mode in spec.modes:
        for name in mode.states:
            _known(f"mode {mode.id!r}", name, spec.states, "state")
            if name in owner:
                raise DefinitionError(
                    f"state {name!r} is in the modes {owner[name]!r} and {mode.id!r}; a state is "
                    "in one mode at most"
                )
            owner[name] = mode.id
        if mode.release is not None:
            _known(f"mode {mode.id!r}, release", mode.release, spec.events, "event")
        _check_rules(f"mode {mode.id!r}", mode.on, spec)
    _unique("mode", [mode.id for mode in spec.modes])


def _check_loops(spec: Microinteraction) -> None:
    _unique("loop", [*(loop.id for loop in spec.loops), *(loop.id for loop in spec.long_loops)])
    counted: dict[str, str] = {}
    for loop in spec.loops:
        for name in (*loop.states, *([loop.then] if loop.then is not None else [])):
            _known(f"loop {loop.id!r}", name, spec.states, "state")
        if loop.stop is not None:
            _known(f"loop {loop.id!r}, stop", loop.stop, spec.events, "event")
        if loop.then is not None:
            if loop.kind != "count" or loop.max is None:
                raise DefinitionError(
                    f"loop {loop.id!r}: then needs a count loop with max, to know when"
                )
            if loop.then in loop.states:
                raise DefinitionError(f"loop {loop.id!r}: then leads back into the loop")
            for name in loop.states:
                if name in counted:
                    raise DefinitionError(
                        f"state {name!r} is in the counted loops {counted[name]!r} and "
                        f"{loop.id!r}; a state is in one counted loop at most"
                    )
                counted[name] = loop.id
    for long in spec.long_loops:
        _known(f"long loop {long.id!r}", long.counts, spec.events, "event")


def _check_timers(spec: Microinteraction) -> None:
    """Timers of no time must not lead in a circle: nothing would ever happen after."""
    done: set[str] = set()
    for start in spec.states:
        path: list[str] = []
        name: str | None = start
        while name is not None and name not in done:
            if name in path:
                circle = [*path[path.index(name) :], name]
                raise DefinitionError(
                    f"timers of 0 ms lead in a circle: {' -> '.join(circle)}; give one of them time"
                )
            path.append(name)
            after = spec.states[name].after
            name = after.target if after is not None and after.ms == 0 else None
        done.update(path)


def _known(where: str, name: str, known: Mapping[str, Any], kind: str) -> None:
    if name not in known:  # a mapping: quick for ten thousand states too
        hint = did_you_mean(name, list(known))
        raise DefinitionError(f"{where}: there is no {kind} {name!r}.{hint}")


def _unique(kind: str, ids: list[str]) -> None:
    for name in ids:
        if ids.count(name) > 1:
            raise DefinitionError(f"{kind} {name!r} occurs more than once")
