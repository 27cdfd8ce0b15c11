"""Event logs in files: CSV and its like, Parquet, JSON lines."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Collection, Iterable, Mapping
from datetime import tzinfo
from typing import Any

from cxkit.core.progress import ProgressLike
from cxkit.errors import DataError, MissingExtraError
from cxkit.interop.delimited import Broken, read_delimited
from cxkit.interop.sniff import FileKind, look_at, open_bytes
from cxkit.model.ingest import Ingested, further_columns, ingest_table
from cxkit.model.rejects import RejectLog
from cxkit.model.tables import Table, open_table

__all__ = ["read_events", "read_table"]


def read_events(
    path: str | os.PathLike[str],
    *,
    customer: str,
    time: str,
    event: str | None = None,
    channel: str | None = None,
    value: str | None = None,
    columns: Iterable[str] | Mapping[str, str] = (),
    tz: str | tzinfo | None = None,
    time_unit: str | None = None,
    time_format: str | None = None,
    null_values: Iterable[str] = ("",),
    delimiter: str | None = None,
    encoding: str = "utf-8-sig",
    progress: ProgressLike = None,
) -> Ingested:
    r"""Read journeys from a file: ``.csv``, ``.tsv``, ``.txt``, ``.jsonl``, ``.parquet``.

    Text and JSON lines may be packed (``.gz``; ``.zst`` with ``cxkit[arrow]``). In text every
    column is text, whatever it looks like: an id ``007`` stays what it is. With ``cxkit[arrow]``
    clean text is read several times faster, with the same result.

    Args:
        path: The file.
        customer: The column of the customer's id; this and the roles below as in
            :func:`cxkit.ingest`.
        time: The column of the time.
        event: The column of what happened.
        channel: The column of where it happened.
        value: The column of the money of outcomes.
        columns: Further columns to carry, or a mapping of new names to columns.
        tz: The zone of times that do not say theirs.
        time_unit: For times that are numbers: ``"s"``, ``"ms"``, ``"us"`` or ``"ns"``.
        time_format: How times are written, as in ``datetime.strptime``.
        null_values: Texts that mean missing.
        delimiter: Of text; ``None`` finds out which of ``, ; tab |`` the header has most of.
        encoding: Of text.
        progress: ``True`` for a bar on stderr when it takes longer than a second, or a function
            that is called with ``(done, total)`` in bytes, and then in columns.

    Returns:
        The journeys and the rejected rows. Rows are counted from 0 after the header, blank lines
        left out. A row with too few or too many fields is rejected.

    Raises:
        DataError: The file is not there, is empty, damaged, or not what its ending says.
        SchemaError: As in :func:`cxkit.ingest`.
        DefinitionError: The delimiter or encoding is none; otherwise as in :func:`cxkit.ingest`.
        MissingExtraError: It is a Parquet file, and pyarrow is not installed.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp(), "log.csv")
        >>> _ = path.write_text("who,at\nann,2024-03-01T10:00Z\nbob,soon\n")
        >>> read_events(path, customer="who", time="at").rejected.to_dicts()
        [{'row': 1, 'column': 'at', 'found': 'soon',
          'reason': 'not an ISO 8601 time; time_format= reads other forms'}]
    """
    further = further_columns(columns)
    roles = (customer, time, event, channel, value)
    wanted = {*(name for name in roles if name is not None), *further.values()}
    table, broken = _load(path, delimiter, encoding, wanted, progress)
    log = RejectLog(table.rows)
    log.add_rows(broken.rows, broken.found, broken.reasons)
    return ingest_table(
        table,
        log,
        customer=customer,
        time=time,
        event=event,
        channel=channel,
        value=value,
        columns=further,
        tz=tz,
        time_unit=time_unit,
        time_format=time_format,
        null_values=null_values,
        progress=progress,
    )


def read_table(
    path: str | os.PathLike[str],
    *,
    delimiter: str | None = None,
    encoding: str = "utf-8-sig",
    progress: ProgressLike = None,
) -> dict[str, list[Any]]:
    r"""The columns of a file as lists of Python values: for a look, or for :func:`cxkit.ingest`.

    Args:
        path: The file; see :func:`read_events`, also for the other arguments.
        delimiter: Of text.
        encoding: Of text.
        progress: See :func:`read_events`.

    Returns:
        name -> values; text for text files, ``None`` where missing.

    Raises:
        DataError: As in :func:`read_events`, or a row does not fit the header.
        SchemaError: Two columns have one name.
        MissingExtraError: It is a Parquet file, and pyarrow is not installed.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp(), "log.tsv")
        >>> _ = path.write_text("who\tat\n007\t2024-03-01\n")
        >>> read_table(path)
        {'who': ['007'], 'at': ['2024-03-01']}
    """
    table, broken = _load(path, delimiter, encoding, None, progress)
    if broken.rows:
        raise DataError(
            f"{len(broken.rows):,} rows of {os.fspath(path)!r} do not fit; the first is row "
            f"{broken.rows[0]}: {broken.reasons[0]}. read_events(path) rejects such rows, and goes "
            "on"
        )
    return {name: table.column(name, "a column").to_list() for name in table.names}


def _load(
    path: str | os.PathLike[str],
    delimiter: str | None,
    encoding: str,
    wanted: Collection[str] | None,
    progress: ProgressLike,
) -> tuple[Table, Broken]:
    file = look_at(path, encoding)
    if file.kind == "parquet":
        return _parquet(file, wanted), Broken()
    if file.kind == "json lines":
        return _json_lines(file, wanted)
    return read_delimited(
        file, delimiter=delimiter, encoding=encoding, wanted=wanted, progress=progress
    )


def _parquet(file: FileKind, wanted: Collection[str] | None) -> Table:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtraError.of("pyarrow", "arrow", "reading Parquet") from error
    try:
        opened = parquet.ParquetFile(file.path)
        names = opened.schema_arrow.names
        keep = None if wanted is None else [name for name in names if name in wanted]
        table = open_table(opened.read(columns=keep))
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{file.path.name!r} is damaged: {error}") from error
    # Columns that were not read are still named, for the error about one that is not there.
    rows = opened.metadata.num_rows
    return Table("Parquet file", tuple(names), rows, lambda at: table.column(names[at], names[at]))


def _json_lines(file: FileKind, wanted: Collection[str] | None) -> tuple[Table, Broken]:
    broken = Broken()
    rows: list[dict[str, Any]] = []
    names: dict[str, None] = {}
    try:
        with open_bytes(file) as stream:
            for line in stream:
                text = line.removeprefix(b"\xef\xbb\xbf").strip()
                if not text:
                    continue
                record, reason = _json_object(text)
                if reason:
                    broken.add(len(rows), text.decode("utf-8", "replace"), reason)
                names.update(dict.fromkeys(record))
                rows.append(
                    record if wanted is None else {k: record[k] for k in wanted if k in record}
                )
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{file.path.name!r} cannot be read to its end: {error}") from error
    if not names and rows:
        raise DataError(f"{file.path.name!r} holds no JSON object in any line")
    found = tuple(names)
    inner = open_table({name: [row.get(name) for row in rows] for name in found})
    return Table(
        "JSON lines", found, len(rows), lambda at: inner.column(found[at], found[at])
    ), broken


def _json_object(text: bytes) -> tuple[dict[str, Any], str]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}, "not JSON"
    if not isinstance(found, dict):
        return {}, "not a JSON object"
    return found, ""
