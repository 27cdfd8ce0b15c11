"""Event logs in XES (IEEE 1849), the format of process mining, read as a stream.

A case becomes a customer, unless another column is named. Attributes of an event are columns under
their keys; attributes of its case under ``case:`` and the key. Nested attributes, which say
something of an attribute, are left out, and so are the defaults of the log's ``global`` part, which
are what tools write where they know nothing.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import IO, Any, Final
from xml.parsers import expat

import attrs
import numpy as np

from cxkit.core.codes import Codes
from cxkit.core.numerals import parse_floats, parse_wholes
from cxkit.core.progress import ProgressLike, steps
from cxkit.errors import DataError
from cxkit.interop.sniff import FileKind, open_bytes
from cxkit.model.columns import Column
from cxkit.model.ingest import Ingested
from cxkit.model.tables import Table

__all__ = ["load_xes", "parse_xml", "read_xes"]

_BYTES_AT_ONCE: Final = 1 << 18
_CASE: Final = "case:"
_FURTHER: Final = {"resource": "org:resource?", "status": "lifecycle:transition?"}


@attrs.define
class _Sparse:
    """The cells of one key: where, what, and by which elements they were written."""

    rows: list[int] = attrs.field(factory=list)
    values: list[str] = attrs.field(factory=list)
    tags: set[str] = attrs.field(factory=set)

    def add(self, row: int, tag: str, value: str) -> None:
        self.rows.append(row)
        self.values.append(value)
        self.tags.add(tag)

    def column(self, name: str, rows: int, at: Any = None) -> Column:
        """(rows,) a column; ``at`` (E,) repeats its rows, -1 for none."""
        place = {value: code for code, value in enumerate(dict.fromkeys(self.values))}
        codes = np.full(rows + 1, len(place), np.int64)  # beyond the last value: none
        codes[self.rows] = np.fromiter(map(place.__getitem__, self.values), np.int64)
        codes = codes[:rows] if at is None else codes[at]
        lost = codes == len(place)
        null = lost if lost.any() else None
        kind, values = self._typed(list(place))
        if kind == "text":
            return Column(name, "text", "XES text", values, null, codes)
        return Column(name, kind, "XES " + "".join(self.tags), values[codes], null)

    def _typed(self, values: list[str]) -> tuple[Any, Any]:
        """Numbers and truth values, where every element says so and is so; else text."""
        if self.tags == {"float"}:
            floats, bad = parse_floats(values)
            if not bad.any():
                return "decimal", np.append(floats, np.nan)
        if self.tags == {"int"}:
            wholes, bad = parse_wholes(values)
            if not bad.any() and wholes.dtype.kind == "i":
                return "whole", np.append(wholes, 0)
        if self.tags == {"boolean"} and set(values) <= {"true", "false", "1", "0"}:
            truths = [value in {"true", "1"} for value in values]
            return "truth", np.array([*truths, False])
        return "text", [*values, ""]


class _Log:
    """What a stream of elements has said so far."""

    def __init__(self, wanted: Collection[str] | None) -> None:
        self.wanted = wanted
        self.events: dict[str, _Sparse | None] = {}
        self.cases: dict[str, _Sparse | None] = {}
        self.case_of: list[int] = []
        self._case = -1
        self._case_count = 0
        self._within = 0  # how deep in an attribute, whose own children say nothing of the event
        self._level = ""

    def start(self, tag: str, found: Mapping[str, str]) -> None:
        """An element opens."""
        if self._within:
            self._within += 1
            return
        tag = tag.rpartition(":")[2]
        if tag == "event":
            self.case_of.append(self._case)
            self._level = tag
        elif tag == "trace":
            self._case = self._case_count
            self._case_count += 1
            self._level = tag
        elif tag == "log" and not self._level:
            self._level = tag
        elif not self._level:
            raise DataError(f"no XES: the outermost element is <{tag}>, not <log>")
        else:
            self._within = 1
            key, value = found.get("key"), found.get("value")
            if key is None or value is None:
                return
            if self._level == "event":
                self._add(self.events, key, len(self.case_of) - 1, tag, value)
            elif self._level == "trace":
                self._add(self.cases, _CASE + key, self._case, tag, value)

    def _add(
        self, cells: dict[str, _Sparse | None], name: str, row: int, tag: str, value: str
    ) -> None:
        if name not in cells:
            # What is not wanted is still named, for the error about a column that is not there.
            cells[name] = _Sparse() if self.wanted is None or name in self.wanted else None
        column = cells[name]
        if column is not None:
            column.add(row, tag, value)

    def end(self, tag: str) -> None:
        """An element closes."""
        if self._within:
            self._within -= 1
        elif self._level == "event":
            self._level = "log" if self._case < 0 else "trace"
        elif tag.rpartition(":")[2] == "trace":
            self._level, self._case = "log", -1

    def table(self) -> Table:
        """Everything as columns."""
        rows = len(self.case_of)
        of = np.array(self.case_of, np.int64)
        names = (*self.events, *(name for name in self.cases if name not in self.events))

        def read(at: int) -> Column:
            name = names[at]
            own = self.events.get(name)
            if own is not None:
                return own.column(name, rows)
            return (self.cases.get(name) or _Sparse()).column(name, self._case_count, of)

        return Table("XES log", names, rows, read)


def read_xes(
    path: str | os.PathLike[str],
    *,
    customer: str = "case:concept:name",
    time: str = "time:timestamp",
    event: str | None = "concept:name?",
    columns: Iterable[str] | Mapping[str, str] = _FURTHER,
    **options: Any,
) -> Ingested:
    """Read journeys from a log in XES: :func:`cxkit.read_events` with the names of the standard.

    Args:
        path: The file, ``.xes``, also packed, or a folder of such files.
        customer: The column of the customer: the case by default; ``"customer"`` is an attribute of
            events called so, ``"case:customer"`` one of cases.
        time: The column of the time.
        event: The column of what happened.
        columns: Further columns; by default ``resource`` and ``status`` (the transition in the
            lifecycle of an activity), where the log has them.
        options: ``channel``, ``value``, ``tz``, ``null_values`` and ``progress``, as in
            :func:`cxkit.read_events`.

    Returns:
        The journeys; events without a time or a case are rejected.

    Raises:
        DataError: The file is no XES, is cut off, or declares a document type, which is refused.
        SchemaError: As in :func:`cxkit.read_events`.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp(), "log.xes")
        >>> _ = path.write_text(
        ...     '<log><trace><string key="concept:name" value="7"/><event>'
        ...     '<string key="concept:name" value="call"/>'
        ...     '<date key="time:timestamp" value="2024-03-01T10:00:00+01:00"/>'
        ...     "</event></trace></log>"
        ... )
        >>> read_xes(path).journeys
        <Journeys: 1 journeys of 1 customers, 1 touchpoints, 2024-03-01 to 2024-03-01; event (1),
          resource (0), status (0)>
    """
    from cxkit.interop.files import read_events

    got = read_events(path, customer=customer, time=time, event=event, columns=columns, **options)
    status = got.journeys.columns.get("status")
    if not isinstance(status, Codes) or len(status.vocabulary) < 2:
        return got
    note = (
        f"events are steps in the life of an activity ({', '.join(map(str, status.vocabulary))}): "
        "an activity that starts and completes is two touchpoints; keep one step before counting, "
        "such as journeys.where(journeys['status'].equals(...))"
    )
    return attrs.evolve(got, notes=(*got.notes, note))


def load_xes(
    file: FileKind, *, wanted: Collection[str] | None, progress: ProgressLike = None
) -> Table:
    """The events of a log as a table, in the order of the file.

    Args:
        file: The file.
        wanted: The columns to keep; ``None`` keeps all.
        progress: See :func:`cxkit.core.progress.steps`; counts bytes.

    Raises:
        DataError: The file is no XES, is cut off, or declares a document type.
    """
    log = _Log(wanted)
    parse_xml(file, log.start, log.end, progress)
    return log.table()


def parse_xml(
    file: FileKind,
    start: Callable[[str, Mapping[str, str]], object],
    end: Callable[[str], object],
    progress: ProgressLike = None,
    *,
    text: Callable[[str], object] | None = None,
) -> None:
    """Walk through the elements of an XML file, refusing what can harm.

    Args:
        file: The file.
        start: Called with the name and the attributes of an element that opens.
        end: Called with the name of an element that closes.
        progress: See :func:`cxkit.core.progress.steps`.
        text: Called with what stands between tags, perhaps in several pieces.

    Raises:
        DataError: It is not well-formed, is cut off, or declares a document type.
    """
    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    if text is not None:
        parser.CharacterDataHandler = text

    def refuse(*_: object) -> None:
        # No event log needs one, and its entities can grow to gigabytes or name other files.
        raise DataError(
            f"{file.path.name!r} declares a document type (<!DOCTYPE ...>), which is not read, for "
            "it can make a small file grow without end; remove the declaration"
        )

    parser.StartDoctypeDeclHandler = refuse
    size = file.path.stat().st_size
    try:
        with (
            open_bytes(file) as stream,
            steps(f"reading {file.path.name}", size, progress) as step,
        ):
            before = 0
            while part := stream.read(_BYTES_AT_ONCE):
                parser.Parse(part, False)
                now = _place(stream)
                step(now - before)
                before = now
            parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise DataError(
            f"{file.path.name!r} is no well-formed XML: {expat.ErrorString(error.code)} at line "
            f"{error.lineno:,}, column {error.offset:,}"
        ) from None
    except (OSError, EOFError, zlib.error, LookupError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{file.path.name!r} cannot be read to its end: {error}") from error


def _place(stream: IO[bytes]) -> int:
    """How many bytes of the file, which may be packed, were read."""
    inner = getattr(stream, "fileobj", None)  # of gzip
    try:
        return int((inner or stream).tell())
    except (OSError, ValueError):
        return 0
