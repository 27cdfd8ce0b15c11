"""Event logs in files: CSV and its like, Parquet, JSON lines, XES."""

from __future__ import annotations

import os
from typing import Any, Final, Unpack

from cxkit.core.progress import ProgressLike
from cxkit.errors import DataError
from cxkit.interop.asked import Roles, roles_of, source_columns, spelled_out
from cxkit.interop.load import load
from cxkit.interop.unfold import unfold_rows
from cxkit.model import nested
from cxkit.model.ingest import Ingested, ingest_table
from cxkit.model.rejects import RejectLog

__all__ = ["read_events", "read_rows", "read_table"]

_NONE: Final[dict[str, Any]] = dict.fromkeys(
    ("event", "channel", "value", "tz", "time_unit", "time_format")
)


@spelled_out
def read_events(
    path: str | os.PathLike[str],
    *,
    delimiter: str | None = None,
    encoding: str = "utf-8-sig",
    progress: ProgressLike = None,
    **roles: Unpack[Roles],
) -> Ingested:
    r"""Read journeys from a file: ``.csv``, ``.tsv``, ``.txt``, ``.jsonl``, ``.parquet``, ``.xes``.

    All but Parquet may be packed (``.gz``; ``.zst`` with ``cxkit[arrow]``). In text every column is
    text, whatever it looks like: an id ``007`` stays what it is. With ``cxkit[arrow]`` clean text
    and JSON lines are read several times faster, with the same result.

    Args:
        path: The file, or a folder of files of one kind and schema, read in the order of their
            names, where ``part-2`` comes before ``part-10``.
        delimiter: Of text; ``None`` finds out which of ``, ; tab |`` the header has most of.
        encoding: Of text.
        progress: ``True`` for a bar on stderr when it takes longer than a second, or a function
            that is called with ``(done, total)`` in bytes, and then in columns.
        **roles: Which column is what, and how to read it, as in :func:`cxkit.ingest`.

    Returns:
        The journeys and the rejected rows. Rows are counted from 0 after the header, blank lines
        left out. A row with too few or too many fields is rejected.

    Raises:
        DataError: The file is not there, is empty, damaged, or not what its ending says; a folder
            holds no files, or files of several kinds.
        SchemaError: Files of one folder differ in a column; otherwise as in :func:`cxkit.ingest`.
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
    return read_rows(
        path, rows_in="", delimiter=delimiter, encoding=encoding, progress=progress, **roles
    )


def read_rows(
    path: str | os.PathLike[str],
    *,
    rows_in: str,
    delimiter: str | None = None,
    encoding: str = "utf-8-sig",
    progress: ProgressLike = None,
    **roles: Unpack[Roles],
) -> Ingested:
    """:func:`read_events`, with the events in lists of the column ``rows_in`` if it has a name."""
    kept = roles_of(roles)
    columns = source_columns(kept)
    wanted = {root: role for name, role in columns.items() for root in nested.roots(str(name))}
    if rows_in:
        wanted[rows_in] = "rows"
    table, broken = load(
        path, delimiter=delimiter, encoding=encoding, wanted=wanted, progress=progress
    )
    rows = broken.rows
    if rows_in:
        table, first = unfold_rows(table, rows_in)
        rows = first[rows].tolist()
    log = RejectLog(table.rows)
    log.add_rows(rows, broken.found, broken.reasons)
    return ingest_table(table, log, progress=progress, **{**_NONE, **kept})


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
    table, broken = load(path, delimiter=delimiter, encoding=encoding, progress=progress)
    if broken.rows:
        raise DataError(
            f"{len(broken.rows):,} rows of {os.fspath(path)!r} do not fit; the first is row "
            f"{broken.rows[0]}: {broken.reasons[0]}. read_events(path) rejects such rows, and goes "
            "on"
        )
    return {name: table.column(name, "a column").to_list() for name in table.names}
