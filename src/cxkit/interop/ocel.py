"""Logs of objects: OCEL 1.0 in JSON and XML, OCEL 2.0 in JSON.

In such a log an event touches any number of objects: an order, its items, the customer. Journeys
are those of the objects of one type, so an event is a touchpoint of each object of that type that
it touches, and of none if it touches none. That is a choice which loses something: counts over all
journeys count an event once per object.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import tzinfo
from typing import Any, Final

import attrs

from cxkit.core.progress import ProgressLike
from cxkit.errors import DataError, DefinitionError, did_you_mean
from cxkit.interop.sniff import FileKind, look_at, open_bytes
from cxkit.interop.xes import parse_xml
from cxkit.model import columns
from cxkit.model.ingest import Ingested, further_columns, ingest_table
from cxkit.model.rejects import RejectLog
from cxkit.model.tables import Table

__all__ = ["read_ocel"]

_OWN: Final = ("ocel:oid", "ocel:timestamp", "ocel:activity", "ocel:eid", "ocel:qualifier")


@attrs.define
class _Event:
    """One event: what it is, and the objects that it touches with what they are to it."""

    id: Any = None
    activity: Any = None
    time: Any = None
    objects: dict[Any, Any] = attrs.field(factory=dict)
    values: dict[str, Any] = attrs.field(factory=dict)


@attrs.define
class _Log:
    """A log: its events in the order of the file, and the type of each object."""

    events: list[_Event] = attrs.field(factory=list)
    types: dict[Any, Any] = attrs.field(factory=dict)


def read_ocel(
    path: str | os.PathLike[str],
    object_type: str,
    *,
    customer: str = "ocel:oid",
    time: str = "ocel:timestamp",
    event: str | None = "ocel:activity",
    channel: str | None = None,
    value: str | None = None,
    columns: Iterable[str] | Mapping[str, str] = (),
    tz: str | tzinfo | None = None,
    null_values: Iterable[str] = ("",),
    progress: ProgressLike = None,
) -> Ingested:
    """Read the journeys of the objects of one type from a log of objects.

    Args:
        path: The file: ``.jsonocel``, ``.json`` or ``.xmlocel``, also as ``.gz``.
        object_type: Of which objects: one journey each.
        customer: The column of the customer's id; the object by default.
        time: The column of the time.
        event: The column of what happened: the activity (OCEL 1.0) or type (2.0).
        channel: The column of where it happened, such as an attribute of events.
        value: The column of the money of outcomes.
        columns: Further columns: attributes of events by their names, ``ocel:eid`` for the event's
            id, ``ocel:qualifier`` for what the object is to the event (OCEL 2.0).
        tz: The zone of times that do not say theirs, as in OCEL 1.0.
        null_values: Texts that mean missing.
        progress: See :func:`cxkit.ingest`.

    Returns:
        The journeys. Rows are pairs of an event and an object of the type; an event without any is
        a row too, and rejected. An object that an event names twice counts once.

    Raises:
        DataError: The file is damaged or no such log.
        DefinitionError: No object has this type.
        SchemaError: As in :func:`cxkit.ingest`.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp(), "log.jsonocel")
        >>> event = {"id": "e1", "type": "pay", "time": "2024-03-01T10:00Z"}
        >>> event["relationships"] = [{"objectId": "o1"}, {"objectId": "i1"}]
        >>> kinds = [{"id": "o1", "type": "order"}, {"id": "i1", "type": "item"}]
        >>> _ = path.write_text(json.dumps({"events": [event], "objects": kinds}))
        >>> read_ocel(path, "order").journeys
        <Journeys: 1 journeys of 1 customers, 1 touchpoints, 2024-03-01 to 2024-03-01; event (1)>
    """
    file = look_at(path, objects=True)
    log = _of_json(file) if file.kind == "ocel json" else _of_xml(file, progress)
    known = dict.fromkeys(log.types.values())
    if object_type not in known:
        raise DefinitionError(
            f"no object of type {object_type!r}; {file.path.name!r} has "
            f"{sorted(map(str, known))}.{did_you_mean(object_type, known)}"
        )
    pairs, alone = _pairs(log, object_type)
    table = _table(pairs)
    rejects = RejectLog(table.rows)
    reason = f"an event without any object of type {object_type!r}"
    rejects.add_rows(alone, [str(pairs[row][0].id) for row in alone], [reason] * len(alone))
    got = ingest_table(
        table,
        rejects,
        customer=customer,
        time=time,
        event=event,
        channel=channel,
        value=value,
        columns=further_columns(columns),
        tz=tz,
        time_unit=None,
        time_format=None,
        null_values=null_values,
        progress=progress,
    )
    return attrs.evolve(got, notes=(*got.notes, *_notes(log, pairs, alone, object_type)))


def _pairs(log: _Log, object_type: str) -> tuple[list[tuple[_Event, Any]], list[int]]:
    """Every event with every object of the type, and the rows of those that have none."""
    pairs: list[tuple[_Event, Any]] = []
    alone = []
    for event in log.events:
        of_type = [thing for thing in event.objects if log.types.get(thing) == object_type]
        if not of_type:
            alone.append(len(pairs))
        pairs.extend((event, thing) for thing in of_type or [None])
    return pairs, alone


def _notes(
    log: _Log, pairs: list[tuple[_Event, Any]], alone: list[int], object_type: str
) -> Iterator[str]:
    kept, events = len(pairs) - len(alone), len(log.events) - len(alone)
    if kept > events:
        yield (
            f"events that touch several objects of type {object_type!r} are in the journey of "
            f"each: {events:,} events, {kept:,} touchpoints"
        )
    unknown = {thing for event in log.events for thing in event.objects} - log.types.keys()
    if unknown:
        yield f"objects that events name and the log does not describe, left out: {len(unknown):,}"


def _table(pairs: list[tuple[_Event, Any]]) -> Table:
    further = dict.fromkeys(name for event, _ in pairs for name in event.values)
    names = (*_OWN, *(name for name in further if name not in _OWN))

    def cell(name: str, event: _Event, thing: Any) -> Any:
        own = {
            "ocel:oid": thing,
            "ocel:timestamp": event.time,
            "ocel:activity": event.activity,
            "ocel:eid": event.id,
            "ocel:qualifier": event.objects.get(thing),
        }
        return own[name] if name in own else event.values.get(name)

    def read(at: int) -> columns.Column:
        return columns.from_objects(names[at], [cell(names[at], *pair) for pair in pairs])

    return Table("log of objects", names, len(pairs), read)


def _of_json(file: FileKind) -> _Log:
    try:
        with open_bytes(file) as stream:
            data = json.loads(stream.read().removeprefix(b"\xef\xbb\xbf"))
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{file.path.name!r} cannot be read to its end: {error}") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{file.path.name!r} is no JSON: {error}") from None
    log = _Log()
    try:
        if "ocel:events" in data:
            _of_first(data, log)
        elif isinstance(data.get("events"), list):
            _of_second(data, log)
        else:
            raise DataError(
                f"{file.path.name!r} is no log of objects: it has neither 'ocel:events' (OCEL 1.0) "
                f"nor a list of 'events' (OCEL 2.0), but {sorted(data)[:10]}"
            )
    except (AttributeError, TypeError, KeyError) as error:
        raise DataError(f"{file.path.name!r} is not built as OCEL is: {error!r}") from None
    return log


def _of_first(data: dict[str, Any], log: _Log) -> None:
    for name, found in data["ocel:events"].items():
        log.events.append(
            _Event(
                name,
                found.get("ocel:activity"),
                found.get("ocel:timestamp"),
                dict.fromkeys(found.get("ocel:omap") or ()),
                dict(found.get("ocel:vmap") or {}),
            )
        )
    for name, found in (data.get("ocel:objects") or {}).items():
        log.types[name] = found.get("ocel:type")


def _of_second(data: dict[str, Any], log: _Log) -> None:
    for found in data["events"]:
        event = _Event(found.get("id"), found.get("type"), found.get("time"))
        for related in found.get("relationships") or ():
            event.objects.setdefault(related["objectId"], related.get("qualifier"))
        event.values = {one["name"]: one.get("value") for one in found.get("attributes") or ()}
        log.events.append(event)
    for found in data.get("objects") or ():
        log.types[found["id"]] = found.get("type")


def _of_xml(file: FileKind, progress: ProgressLike) -> _Log:
    log = _Log()
    open_tags: list[str] = []
    thing: dict[str, str] = {}

    def start(tag: str, found: Mapping[str, str]) -> None:
        open_tags.append(f"{tag} {found.get('key', '')}".strip())
        key, value = found.get("key", ""), found.get("value")
        inside = open_tags[2:-1]  # of <log><events> or <log><objects>
        if tag == "event":
            if "id" in found:
                raise DataError(
                    f"{file.path.name!r} is OCEL 2.0 in XML, which is not read; save it as JSON"
                )
            log.events.append(_Event())
        elif value is None or not inside:
            return
        elif inside == ["event"]:
            event = log.events[-1]
            event.id = value if key == "id" else event.id
            event.activity = value if key == "activity" else event.activity
            event.time = value if key == "timestamp" else event.time
        elif inside == ["event", "list omap"]:
            log.events[-1].objects[value] = None
        elif inside == ["event", "list vmap"]:
            log.events[-1].values[key] = _number(tag, value)
        elif inside == ["object"]:
            thing[key] = value

    def end(tag: str) -> None:
        open_tags.pop()
        if tag == "object" and "id" in thing:
            log.types[thing["id"]] = thing.get("type")
            thing.clear()

    parse_xml(file, start, end, progress)
    if not log.events and not log.types:
        raise DataError(f"{file.path.name!r} is no log of objects: it has no <events>")
    return log


def _number(tag: str, value: str) -> Any:
    try:
        return {"float": float, "int": int}.get(tag, str)(value)
    except ValueError:
        return value
