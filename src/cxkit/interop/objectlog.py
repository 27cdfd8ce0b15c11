"""What a log of objects (OCEL) holds, in whatever form it is written, and the form of JSON."""

from __future__ import annotations

import json
import zlib
from typing import Any

import attrs

from cxkit.errors import DataError
from cxkit.interop.sniff import FileKind, open_bytes

__all__ = ["ObjectEvent", "ObjectLog", "log_of_json", "not_ocel"]


@attrs.define
class ObjectEvent:
    """One event: what it is, and the objects that it touches with what they are to it."""

    id: Any = None
    activity: Any = None
    time: Any = None
    objects: dict[Any, Any] = attrs.field(factory=dict)
    values: dict[str, Any] = attrs.field(factory=dict)


@attrs.define
class ObjectLog:
    """A log: its events in the order of the file, and the type of each object."""

    events: list[ObjectEvent] = attrs.field(factory=list)
    types: dict[Any, Any] = attrs.field(factory=dict)


def not_ocel(file: FileKind, error: object) -> DataError:
    """The error about a file whose parts are not those of OCEL."""
    return DataError(f"{file.path.name!r} is not built as OCEL is: {error}")


def log_of_json(file: FileKind) -> ObjectLog:
    """Read OCEL 1.0 or 2.0 in JSON.

    Raises:
        DataError: It is no JSON, or no such log.
    """
    try:
        with open_bytes(file) as stream:
            data = json.loads(stream.read().removeprefix(b"\xef\xbb\xbf"))
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{file.path.name!r} cannot be read to its end: {error}") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{file.path.name!r} is no JSON: {error}") from None
    log = ObjectLog()
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
        raise not_ocel(file, repr(error)) from None
    return log


def _of_first(data: dict[str, Any], log: ObjectLog) -> None:
    for name, found in data["ocel:events"].items():
        log.events.append(
            ObjectEvent(
                name,
                found.get("ocel:activity"),
                found.get("ocel:timestamp"),
                dict.fromkeys(found.get("ocel:omap") or ()),
                dict(found.get("ocel:vmap") or {}),
            )
        )
    for name, found in (data.get("ocel:objects") or {}).items():
        log.types[name] = found.get("ocel:type")


def _of_second(data: dict[str, Any], log: ObjectLog) -> None:
    for found in data["events"]:
        event = ObjectEvent(found.get("id"), found.get("type"), found.get("time"))
        for related in found.get("relationships") or ():
            event.objects.setdefault(related["objectId"], related.get("qualifier"))
        event.values = {one["name"]: one.get("value") for one in found.get("attributes") or ()}
        log.events.append(event)
    for found in data.get("objects") or ():
        log.types[found["id"]] = found.get("type")
