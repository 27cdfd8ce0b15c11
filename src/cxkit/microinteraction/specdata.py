"""Microinteractions to and from plain data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import resources
from typing import Any, Final

import attrs

from cxkit.core.shapes import check_shape
from cxkit.microinteraction.parts import (
    Feedback,
    LongLoop,
    Loop,
    Mode,
    Rule,
    State,
    Timer,
    Trigger,
)
from cxkit.microinteraction.spec import Microinteraction

__all__ = ["read_spec", "spec_data", "spec_schema"]

_SCHEMA: Final = "cxkit/microinteraction/1"


def spec_data(spec: Microinteraction) -> dict[str, Any]:
    """See :meth:`Microinteraction.to_dict`."""
    data: dict[str, Any] = {"schema": _SCHEMA, "id": spec.id, "version": spec.version}
    if spec.title:
        data["title"] = spec.title
    data |= {
        "trigger": _plain(spec.trigger),
        "events": dict(spec.events),
        "initial": spec.initial,
        "states": {name: _plain(state) for name, state in spec.states.items()},
    }
    for name in ("errors", "undo", "modes", "loops", "long_loops"):
        if given := getattr(spec, name):
            data[name] = [item if isinstance(item, str) else _plain(item) for item in given]
    return data


def read_spec(data: Mapping[str, Any]) -> Microinteraction:
    """See :meth:`Microinteraction.from_dict`."""
    check_shape(data, spec_schema(), "microinteraction")
    given = {name: value for name, value in data.items() if name != "schema"}
    given["trigger"] = Trigger(**data["trigger"])
    given["states"] = {name: _state(state) for name, state in data["states"].items()}
    given["modes"] = [
        Mode(**{**mode, "on": _on(mode.get("on", {}))}) for mode in data.get("modes", [])
    ]
    given["loops"] = [Loop(**loop) for loop in data.get("loops", [])]
    given["long_loops"] = [LongLoop(**loop) for loop in data.get("long_loops", [])]
    return Microinteraction(**given)


def spec_schema() -> dict[str, Any]:
    """The JSON schema of microinteractions, for editors and other programs.

    Example:
        >>> spec_schema()["title"]
        'A microinteraction of cxkit'
    """
    file = resources.files(__package__).joinpath("microinteraction-1.schema.json")
    data: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return data


def _state(data: Mapping[str, Any]) -> State:
    after = data.get("after")
    timer = None if after is None else Timer(**{**after, "feedback": _feedback(after)})
    given = {name: data[name] for name in ("final", "failure") if name in data}
    entry = [Feedback(**f) for f in data.get("entry", [])]
    return State(_on(data.get("on", {})), timer, entry, **given)


def _on(data: Mapping[str, Any]) -> dict[str, list[Rule]]:
    found = {}
    for event, rules in data.items():
        several = [rules] if isinstance(rules, Mapping) else rules
        found[event] = [Rule(**{**rule, "feedback": _feedback(rule)}) for rule in several]
    return found


def _feedback(data: Mapping[str, Any]) -> list[Feedback]:
    return [Feedback(**f) for f in data.get("feedback", [])]


def _plain(part: Any) -> dict[str, Any]:
    """The fields that are not as by default."""
    data: dict[str, Any] = {}
    for field in attrs.fields(type(part)):
        value, default = getattr(part, field.name), field.default
        if (factory := getattr(default, "factory", None)) is not None:
            default = factory()
        if value == default:
            continue
        if field.name == "on":
            data["on"] = {event: _rules_data(rules) for event, rules in value.items()}
        elif field.name in {"feedback", "entry"}:
            data[field.name] = [_plain(f) for f in value]
        elif field.name == "after":
            data["after"] = _plain(value)
        else:
            data[field.name] = list(value) if isinstance(value, tuple) else value
    return data


def _rules_data(rules: tuple[Rule, ...]) -> Any:
    """One rule as itself, several as a list."""
    plain = [_plain(rule) for rule in rules]
    return plain[0] if len(plain) == 1 else plain
