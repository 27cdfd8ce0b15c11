"""Journeys as a log of objects in OCEL 2.0, for tools of process mining."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any, Final

import numpy as np

from cxkit.core.codes import Codes
from cxkit.core.ragged import chunks
from cxkit.errors import DefinitionError
from cxkit.model.journeys import Journeys

__all__ = ["write_ocel"]

_ENDINGS: Final = (".json", ".jsonocel", ".json.gz", ".jsonocel.gz")


def write_ocel(
    journeys: Journeys,
    path: str | os.PathLike[str],
    *,
    object_type: str = "customer",
    journey_type: str | None = None,
) -> None:
    """Write journeys as a log of objects (OCEL 2.0, JSON): one event per touchpoint.

    Each customer becomes an object, and each event is related to its customer. The event's label
    becomes its type, the other columns its attributes; what is missing is left out, and an event
    without a label has the empty text for a type (read it back with ``null_values=[""]``). Names
    and types are text, also where labels are numbers. :func:`cxkit.interop.read_ocel` reads the
    file back.

    Args:
        journeys: The journeys.
        path: Where to; ``.json`` or ``.jsonocel``, with ``.gz`` to pack it.
        object_type: The type of the customers.
        journey_type: Make an object of each journey too, of this type, such as ``"session"``; its
            events are related to both. Without it, cuts into several journeys per customer are
            lost, for the log has events of a customer in order of time.

    Raises:
        DefinitionError: The ending is another, or customers and journeys would have one name.

    Example:
        >>> import pathlib, tempfile
        >>> from cxkit.interop import read_ocel
        >>> path = pathlib.Path(tempfile.mkdtemp(), "log.jsonocel")
        >>> journeys = Journeys.from_codes(
        ...     customer=np.array([7, 7]),
        ...     time=np.array([0, 5]),
        ...     columns={"event": Codes.of(["view", "buy"])},
        ... )
        >>> write_ocel(journeys, path)
        >>> read_ocel(path, "customer").journeys.event.to_list()
        ['view', 'buy']
    """
    path = Path(path)
    name = path.name.lower()
    if not name.endswith(_ENDINGS):
        raise DefinitionError(f"{path.name!r} must end in one of {list(_ENDINGS)}")
    if journey_type == object_type:
        raise DefinitionError(
            f"customers and journeys cannot both be of type {object_type!r}; name one differently"
        )
    _check_names(journeys, journey_type)
    columns = {key: column for key, column in journeys.columns.items() if key != "event"}
    event = journeys.event
    kinds = [{"name": key, "type": _kind(column)} for key, column in columns.items()]
    used = np.unique(event.codes)
    types = [_text(event.slot_labels()[at]) for at in used.tolist()]
    objects = [object_type, *([] if journey_type is None else [journey_type])]
    head = {
        "objectTypes": [{"name": one, "attributes": []} for one in objects],
        "eventTypes": [{"name": one, "attributes": kinds} for one in dict.fromkeys(types)],
    }
    opened: Any = gzip.open if name.endswith(".gz") else open
    with opened(path, "wt", encoding="utf-8", newline="\n") as out:
        out.write(_dump(head)[:-1])
        out.write(',"objects":[')
        _write_objects(out, journeys, object_type, journey_type)
        out.write('],"events":[')
        _write_events(out, journeys, columns, journey_type)
        out.write("]}\n")


def _check_names(journeys: Journeys, journey_type: str | None) -> None:
    """Ids of objects are one space: no customer may be called as a journey is."""
    taken = () if journey_type is None else (f"{journey_type} {j}" for j in range(len(journeys)))
    customers = {_text(label) for label in journeys.customer.vocabulary}
    for name in taken:
        if name in customers:
            raise DefinitionError(
                f"a customer is called {name!r}, as a journey would be; choose another journey_type"
            )


def _write_objects(
    out: Any, journeys: Journeys, object_type: str, journey_type: str | None
) -> None:
    _, first = np.unique(journeys.customer.codes, return_index=True)
    ids = journeys.customer.take(first).to_list()
    separator = "\n"
    for customer in ids:
        row = {"id": _text(customer), "type": object_type, "attributes": []}
        out.write(separator + _dump(row))
        separator = ",\n"
    if journey_type is None:
        return
    for at, customer in enumerate(journeys.customer.to_list()):
        owner = {"objectId": _text(customer), "qualifier": "of"}
        row = {"id": f"{journey_type} {at}", "type": journey_type, "attributes": []}
        out.write(separator + _dump({**row, "relationships": [owner]}))
        separator = ",\n"


def _write_events(
    out: Any, journeys: Journeys, columns: dict[str, Any], journey_type: str | None
) -> None:
    types = np.array([_dump(_text(x)) for x in journeys.event.slot_labels()], dtype=object)
    whose = np.array([_dump(_text(x)) for x in journeys.customer.slot_labels()], dtype=object)
    cells = [_cells(key, column) for key, column in columns.items()]
    separator = "\n"
    for j0, j1, e0, e1 in chunks(journeys.offsets):
        times = np.datetime_as_string(journeys.time[e0:e1], unit="us", timezone="UTC").tolist()
        kinds = types[journeys.event.codes[e0:e1]].tolist()
        size = np.diff(journeys.offsets[j0 : j1 + 1])
        owners = np.repeat(whose[journeys.customer.codes[j0:j1]], size).tolist()
        of = np.repeat(np.arange(j0, j1), size).tolist()
        found = [cell(e0, e1) for cell in cells]
        values = zip(*found, strict=True) if found else [()] * len(times)
        for row, (kind, time, owner, journey, value) in enumerate(
            zip(kinds, times, owners, of, values, strict=True), start=e0
        ):
            related = f'{{"objectId":{owner},"qualifier":"customer"}}'
            if journey_type is not None:
                one = _dump(f"{journey_type} {journey}")
                related += f',{{"objectId":{one},"qualifier":"journey"}}'
            told = ",".join(cell for cell in value if cell)
            out.write(
                f'{separator}{{"id":"e{row}","type":{kind},"time":"{time}",'
                f'"attributes":[{told}],"relationships":[{related}]}}'
            )
            separator = ",\n"


def _cells(key: str, column: Any) -> Any:
    """What a chunk of a column is in JSON: a function of its bounds."""
    if isinstance(column, Codes):
        texts = [_dump({"name": key, "value": label}) for label in column.vocabulary]
        table = np.array([*texts, ""], dtype=object)
        return lambda e0, e1: table[column.codes[e0:e1]].tolist()
    name = _dump(key)

    def numbers(e0: int, e1: int) -> list[str]:
        found = column[e0:e1].tolist()
        return ["" if x != x else f'{{"name":{name},"value":{x!r}}}' for x in found]  # noqa: PLR0124  # NaN

    return numbers


def _kind(column: Any) -> str:
    if isinstance(column, Codes):
        return "integer" if column.vocabulary.labels.dtype.kind == "i" else "string"
    return "float"


def _text(label: Any) -> str:
    return "" if label is None else str(label)


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
