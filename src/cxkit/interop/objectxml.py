"""Logs of objects in XML: OCEL 1.0 and 2.0, which have their outermost elements in common.

In 1.0 everything is an element with ``key`` and ``value``; in 2.0 events and objects say in
attributes what they are, and their own attributes are text within elements.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from cxkit.core.progress import ProgressLike
from cxkit.errors import DataError
from cxkit.interop.objectlog import ObjectEvent, ObjectLog, not_ocel
from cxkit.interop.sniff import FileKind
from cxkit.interop.xes import parse_xml

__all__ = ["log_of_xml"]

_KINDS: Final[Mapping[str, Callable[[str], Any]]] = {
    "float": float,
    "int": int,
    "integer": int,
    "boolean": {"true": True, "1": True, "false": False, "0": False}.__getitem__,
}


def log_of_xml(file: FileKind, progress: ProgressLike) -> ObjectLog:
    """Read OCEL 1.0 or 2.0 in XML.

    Raises:
        DataError: It is not well-formed, declares a document type, or is no such log.
    """
    walk = _Walk(file)
    parse_xml(file, walk.start, walk.end, progress, text=walk.text)
    log = walk.log
    if not log.events and not log.types:
        raise DataError(f"{file.path.name!r} is no log of objects: it has no <events>")
    for event in log.events:
        for name, value in event.values.items():
            event.values[name] = _typed(walk.kinds.get((event.activity, name), ""), value)
    return log


class _Walk:
    """What the elements have said so far."""

    def __init__(self, file: FileKind) -> None:
        self.log = ObjectLog()
        self.kinds: dict[tuple[Any, str], str] = {}  # of the attributes of a type of event, in 2.0
        self._file = file
        self._open: list[str] = []  # the elements that we are in; with their keys, in 1.0
        self._thing: dict[str, str] = {}  # the object that is open, in 1.0
        self._type = ""  # the type of event that is open, in 2.0
        self._name: str | None = None  # the attribute of an event whose text is read, in 2.0

    def start(self, tag: str, found: Mapping[str, str]) -> None:
        """An element opens."""
        self._open.append(f"{tag} {found.get('key', '')}".strip())
        part, inside = self._open[1:2], self._open[2:-1]  # of <log>, and what is open in that part
        if part == ["events"]:
            self._in_events(tag, found, inside)
        elif part == ["objects"]:
            self._in_objects(tag, found, inside)
        elif part == ["event-types"]:
            if tag == "event-type":
                self._type = found.get("name", "")
            elif tag == "attribute":
                self.kinds[self._type, found.get("name", "")] = found.get("type", "")

    def _in_events(self, tag: str, found: Mapping[str, str], inside: list[str]) -> None:
        if tag == "event" and not inside:
            event = ObjectEvent(found.get("id"), found.get("type"), found.get("time"))
            self.log.events.append(event)
            return
        if inside[:1] != ["event"]:
            return
        event, value = self.log.events[-1], found.get("value")
        if inside == ["event", "objects"]:  # <relationship>, or as the schema has it <object>
            if "object-id" not in found:
                raise not_ocel(self._file, f"<{tag}> of event {event.id!r} has no object-id")
            event.objects.setdefault(found["object-id"], found.get("qualifier"))
        elif inside == ["event", "attributes"] and "name" in found:
            self._name = found["name"]
            event.values[self._name] = ""
        elif value is None:
            return
        elif inside == ["event", "list omap"]:
            event.objects[value] = None
        elif inside == ["event", "list vmap"]:
            event.values[found.get("key", "")] = _typed(tag, value)
        elif inside == ["event"]:
            role = {"id": "id", "activity": "activity", "timestamp": "time"}.get(
                found.get("key", "")
            )
            if role is not None:
                setattr(event, role, value)

    def _in_objects(self, tag: str, found: Mapping[str, str], inside: list[str]) -> None:
        if tag == "object" and not inside:
            self._thing = {name: found[name] for name in ("id", "type") if name in found}
        elif inside == ["object"] and "value" in found:
            self._thing[found.get("key", "")] = found["value"]

    def text(self, data: str) -> None:
        """What stands between tags, perhaps in several pieces."""
        if self._name is not None:
            self.log.events[-1].values[self._name] += data

    def end(self, tag: str) -> None:
        """An element closes."""
        self._open.pop()
        self._name = None
        if tag == "object" and len(self._open) == 2 and "id" in self._thing:
            self.log.types[self._thing["id"]] = self._thing.get("type")
            self._thing = {}


def _typed(kind: str, value: Any) -> Any:
    """A value of the kind that the log says it has; text where it has not."""
    try:
        return _KINDS.get(kind, str)(value)
    except (ValueError, KeyError):
        return value
