"""Logs of objects: OCEL 1.0 in JSON and XML, OCEL 2.0 in JSON, XML and SQLite.

In such a log an event touches any number of objects: an order, its items, the customer. Journeys
are those of the objects of one type, so an event is a touchpoint of each object of that type that
it touches, and of none if it touches none. That is a choice which loses something: counts over all
journeys count an event once per object.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import tzinfo
from typing import Any, Final

import attrs

from cxkit.core.progress import ProgressLike
from cxkit.errors import DefinitionError, did_you_mean
from cxkit.interop.objectlog import ObjectEvent, ObjectLog, log_of_json
from cxkit.interop.objectsqlite import log_of_sqlite
from cxkit.interop.objectxml import log_of_xml
from cxkit.interop.sniff import FileKind, look_at
from cxkit.model import columns
from cxkit.model.ingest import Ingested, further_columns, ingest_table
from cxkit.model.rejects import RejectLog
from cxkit.model.tables import Table

__all__ = ["read_ocel"]

_OWN: Final = ("ocel:oid", "ocel:timestamp", "ocel:activity", "ocel:eid", "ocel:qualifier")


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
    null_values: Iterable[str | float] = (),
    progress: ProgressLike = None,
) -> Ingested:
    """Read the journeys of the objects of one type from a log of objects.

    Args:
        path: The file: ``.jsonocel``, ``.json``, ``.xmlocel`` or ``.xml``, also as ``.gz``, or
            ``.sqlite``.
        object_type: Of which objects: one journey each.
        customer: The column of the customer's id; the object by default.
        time: The column of the time.
        event: The column of what happened: the activity (OCEL 1.0) or type (2.0).
        channel: The column of where it happened, such as an attribute of events.
        value: The column of the money of outcomes.
        columns: Further columns: attributes of events by their names, ``ocel:eid`` for the event's
            id, ``ocel:qualifier`` for what the object is to the event (OCEL 2.0).
        tz: The zone of times that do not say theirs, as in OCEL 1.0.
        null_values: What means missing, as in :func:`cxkit.ingest`.
        progress: See :func:`cxkit.ingest`.

    Returns:
        The journeys. Rows are pairs of an event and an object of the type; an event without any is
        a row too, and rejected. An object that an event names twice counts once.

    Raises:
        DataError: The file is damaged or no such log.
        DefinitionError: No object has this type.
        SchemaError: As in :func:`cxkit.ingest`.

    Example:
        >>> import json, pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp(), "log.jsonocel")
        >>> event = {"id": "e1", "type": "pay", "time": "2024-03-01T10:00Z"}
        >>> event["relationships"] = [{"objectId": "o1"}, {"objectId": "i1"}]
        >>> kinds = [{"id": "o1", "type": "order"}, {"id": "i1", "type": "item"}]
        >>> _ = path.write_text(json.dumps({"events": [event], "objects": kinds}))
        >>> read_ocel(path, "order").journeys
        <Journeys: 1 journeys of 1 customers, 1 touchpoints, 2024-03-01 to 2024-03-01; event (1)>
    """
    file = look_at(path, objects=True)
    log = _log_of(file, progress)
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


def _log_of(file: FileKind, progress: ProgressLike) -> ObjectLog:
    if file.kind == "ocel json":
        return log_of_json(file)
    return log_of_xml(file, progress) if file.kind == "ocel xml" else log_of_sqlite(file)


def _pairs(log: ObjectLog, object_type: str) -> tuple[list[tuple[ObjectEvent, Any]], list[int]]:
    """Every event with every object of the type, and the rows of those that have none."""
    pairs: list[tuple[ObjectEvent, Any]] = []
    alone = []
    for event in log.events:
        of_type = [thing for thing in event.objects if log.types.get(thing) == object_type]
        if not of_type:
            alone.append(len(pairs))
        pairs.extend((event, thing) for thing in of_type or [None])
    return pairs, alone


def _notes(
    log: ObjectLog, pairs: list[tuple[ObjectEvent, Any]], alone: list[int], object_type: str
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


def _table(pairs: list[tuple[ObjectEvent, Any]]) -> Table:
    further = dict.fromkeys(name for event, _ in pairs for name in event.values)
    names = (*_OWN, *(name for name in further if name not in _OWN))

    def cell(name: str, event: ObjectEvent, thing: Any) -> Any:
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
