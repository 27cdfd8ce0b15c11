"""Logs of objects in SQLite: OCEL 2.0, as most public logs of it are published."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

from cxkit.errors import DataError
from cxkit.interop.objectlog import ObjectEvent, ObjectLog, not_ocel
from cxkit.interop.sniff import FileKind

if TYPE_CHECKING:
    import sqlite3

__all__ = ["log_of_sqlite"]


def log_of_sqlite(file: FileKind) -> ObjectLog:
    """Read OCEL 2.0 in SQLite, in order of time.

    Tables ``event`` and ``object`` hold ids and types, ``event_object`` which event touches which
    object, and for each type of event a table of its own holds times and attributes.

    Raises:
        DataError: The database is damaged, or no such log.
    """
    import sqlite3

    address = f"{file.path.absolute().as_uri()}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(address, uri=True)) as database:
            database.execute("PRAGMA trusted_schema = OFF")
            return _read(file, database)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise DataError(f"{file.path.name!r} cannot be read by SQLite: {error}") from error


def _read(file: FileKind, database: sqlite3.Connection) -> ObjectLog:
    names = database.execute("SELECT name FROM sqlite_master WHERE typeof(name) = 'text'")
    known = {name.lower(): name for (name,) in names}
    missing = [
        name for name in ("event", "object", "event_object", "event_map_type") if name not in known
    ]
    if missing:
        raise not_ocel(file, f"it has no table {missing[0]!r}; it has {sorted(known)[:20]}")
    log = ObjectLog()
    for row in _rows(file, database, "object", ("ocel_id", "ocel_type")):
        log.types[row["ocel_id"]] = row["ocel_type"]
    events: dict[Any, ObjectEvent] = {}
    for row in _rows(file, database, "event", ("ocel_id", "ocel_type")):
        events[row["ocel_id"]] = ObjectEvent(row["ocel_id"], row["ocel_type"])
    for kind in _rows(file, database, "event_map_type", ("ocel_type", "ocel_type_map")):
        table = f"event_{kind['ocel_type_map']}"
        if table.lower() not in known:
            raise not_ocel(file, f"it has no table {table!r}")
        for row in _rows(file, database, known[table.lower()], ("ocel_id", "ocel_time")):
            event = events.get(row.pop("ocel_id"))
            if event is not None:
                event.time = row.pop("ocel_time")
                event.values = {name: value for name, value in row.items() if value is not None}
    columns = ("ocel_event_id", "ocel_object_id")
    for row in _rows(file, database, "event_object", columns):
        event = events.get(row["ocel_event_id"])
        if event is not None:
            event.objects.setdefault(row["ocel_object_id"], row.get("ocel_qualifier"))
    # A table has no order of its own; events of one instant keep that of the table.
    log.events = sorted(events.values(), key=lambda event: str(event.time or ""))
    return log


def _rows(
    file: FileKind, database: sqlite3.Connection, table: str, needed: tuple[str, ...]
) -> Iterator[dict[str, Any]]:
    found = database.execute('SELECT * FROM "' + table.replace('"', '""') + '"')  # noqa: S608  # quoted
    names = [name for name, *_ in found.description]
    for name in needed:
        if name not in names:
            raise not_ocel(file, f"table {table!r} has no column {name!r}; it has {names}")
    return (dict(zip(names, row, strict=True)) for row in found)
