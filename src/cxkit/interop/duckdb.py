"""DuckDB sorts, on disk if need be; cxkit counts what streams out of it."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar, Unpack

import numpy as np

from cxkit.core.progress import ProgressLike, steps
from cxkit.core.summary import Summary
from cxkit.errors import DataError, DefinitionError, MissingExtraError, SchemaError, did_you_mean
from cxkit.interop.asked import (
    Counters,
    Roles,
    check_batch_rows,
    roles_of,
    source_columns,
    spelled_out,
)
from cxkit.interop.delimited import _read_header as read_header
from cxkit.interop.fold import Folder
from cxkit.interop.folded import Folded
from cxkit.interop.parquet import ParquetFile, open_parquet
from cxkit.interop.paths import Paths, find_files
from cxkit.interop.sniff import PARQUET, look_at
from cxkit.interop.typedfirst import typed_first
from cxkit.model.journeys import Journeys

if TYPE_CHECKING:
    import duckdb

__all__ = ["Source", "fold"]

S = TypeVar("S", bound=Summary)
Source: TypeAlias = "duckdb.DuckDBPyRelation | Paths"
"""A relation, a query, or Parquet and CSV files."""

_BATCH: Final = 262_144
_ROW: Final = "cxkit row number"
# What follows the word tells a query from a path such as from/part.parquet or values.csv.
_QUERY: Final = re.compile(
    r"\s*((select|from|with|table|values|pivot|unpivot)[\s(\"']|select\*(\s|,|from\b))",
    re.IGNORECASE,
)
_PER_THREAD: Final = 512 * 2**20
_UNITS: Final = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_TEXTS: Final = ("VARCHAR", "ENUM", "UUID", "JSON")
_FILES: Final = (".csv", ".tsv", ".tab", ".psv", ".txt")


@spelled_out
def fold(
    source: Source,
    summary: Counters[S],
    *,
    each: Callable[[Journeys], object] | None = None,
    memory_limit: str | None = None,
    spill: str | os.PathLike[str] | None = None,
    batch_rows: int = _BATCH,
    progress: ProgressLike = None,
    **roles: Unpack[Roles],
) -> Folded[S]:
    """Count a log of any size: DuckDB sorts it by customer, and cxkit counts what streams out.

    Rows of one customer and instant keep the order of the source.

    Args:
        source: A DuckDB relation, such as ``connection.table("events")``; a query that begins with
            ``SELECT``, ``FROM`` or ``WITH`` and is not the name of a file; a Parquet or CSV file, a
            folder of Parquet, a pattern such as ``"logs/*.csv"``, or several of these. In CSV every
            column is text, so that an id ``007`` stays what it is.
        summary: What to count: a summary such as ``cx.flow.Transitions``; with parameters
            ``functools.partial(cx.flow.Transitions.of, by="channel")``; any function that makes a
            summary of journeys, such as ``lambda j: Transitions.of(j.sessions("30min"))``; or
            several by name, counted in one pass.
        each: Called with the journeys of every batch; see :func:`cxkit.interop.fold.fold`.
        memory_limit: How much memory DuckDB may use, such as ``"400MB"``; beyond it DuckDB writes
            to disk. By default it takes up to 80% of the machine's.
        spill: The folder for what DuckDB writes to disk; a temporary one by default.
        batch_rows: How many rows cxkit counts at once.
        progress: ``True`` for a bar on stderr when it takes longer than a second, or a function
            that is called with ``(done, total)`` in rows. DuckDB sorts before the first row.
        **roles: Which column is what, and how to read it, as in :func:`cxkit.ingest`.

    Returns:
        The summaries, equal to those of all rows at once, and an account of every row. Rows are
        counted from 0 in the order of the source.

    Raises:
        DataError: A file is not there or damaged, DuckDB cannot read it, or it ran out of memory
            and disk; or a customer has more than 2,147,483,647 touchpoints.
        SchemaError: A column is not there, or as in :func:`cxkit.ingest`.
        DefinitionError: The query makes no sense to DuckDB; ``memory_limit`` or ``spill`` is given
            with a relation, whose connection has its own; otherwise as in :func:`cxkit.ingest`.
        MissingExtraError: DuckDB or pyarrow is not installed.

    Example:
        >>> from functools import partial
        >>> from cxkit import flow
        >>> folded = fold(
        ...     "SELECT i % 3 AS who, i AS at, 'view' AS what FROM range(9) AS t(i)",
        ...     {"steps": flow.Transitions, "ends": partial(flow.DropOff.of, by="event")},
        ...     customer="who",
        ...     time="at",
        ...     event="what",
        ...     time_unit="s",
        ...     memory_limit="400MB",
        ... )
        >>> folded
        <Folded: 9 rows, 9 touchpoints in 3 journeys, 0 rejected; steps, ends>
        >>> folded["steps"].result().to_dicts()[0]["count"]
        6
    """
    size = check_batch_rows(batch_rows)
    folder: Folder[S] = Folder(summary, each=each, **roles)
    columns = source_columns(roles_of(roles))
    try:
        import duckdb
        import pyarrow as pa  # noqa: F401  # DuckDB needs it to hand out Arrow
    except ImportError as error:
        library = "pyarrow" if (error.name or "").startswith("pyarrow") else "duckdb"
        raise MissingExtraError.of(library, "duckdb", "cx.interop.duckdb.fold") from error
    if isinstance(source, duckdb.DuckDBPyRelation):
        if memory_limit is not None or spill is not None:
            raise DefinitionError(
                "memory_limit and spill are for paths and queries; a relation has a connection of "
                "its own: connection.execute(\"SET memory_limit = '400MB'\")"
            )
        with _translated():
            _run(folder, source, columns, size, progress)
        return folder.finish()
    with tempfile.TemporaryDirectory(prefix="cxkit-") as scratch, _translated():
        query = _query(source, columns, Path(scratch))
        config: dict[str, Any] = {"temp_directory": os.fspath(scratch if spill is None else spill)}
        if memory_limit is not None:
            config["memory_limit"] = memory_limit
        with _connected(config) as connection:
            _run(folder, connection.sql(query), columns, size, progress)
    return folder.finish()


def _run(
    folder: Folder[Any],
    relation: Any,
    columns: Mapping[str, str],
    batch_rows: int,
    progress: ProgressLike,
) -> None:
    """Sort, and feed batch after batch."""
    for column, role in columns.items():
        # DuckDB does not tell 'User' from 'user'; cxkit does, everywhere.
        if column not in relation.columns:
            raise SchemaError(
                f"no column {column!r} for {role}; the source has {sorted(relation.columns)}."
                f"{did_you_mean(column, relation.columns)}"
            )
    names = list(columns)
    by = _quoted(names[0])
    if str(relation.types[relation.columns.index(names[0])]).upper().startswith(_TEXTS):
        # By code point, whatever collation the connection has, and enumerations by their text.
        by = f"CAST({by} AS VARCHAR) COLLATE C"
    chosen = ", ".join(map(_quoted, names))
    row = _quoted(_ROW)
    # The number of the row keeps equal times in order, and says which row was rejected.
    ordered = relation.query(
        "cxkit_source",
        f"SELECT * FROM (SELECT {chosen}, row_number() OVER () - 1 AS {row} FROM cxkit_source) "  # noqa: S608  # quoted
        f"ORDER BY {by} NULLS LAST, {row}",
    )
    total = relation.aggregate("count(*)").fetchall()[0][0] if progress else 0
    with steps("folding", total, progress) as step:
        for batch in _stream(ordered, batch_rows):
            rows = np.asarray(batch.column(len(names)))
            folder.feed(batch.select(names), rows=rows)
            step(batch.num_rows)


def _connected(config: dict[str, Any]) -> Any:
    import duckdb

    try:
        connection = duckdb.connect(config=config)
    except duckdb.Error as error:
        limit = config.get("memory_limit")
        raise DefinitionError(
            f"DuckDB takes no memory_limit={limit!r}; give a size such as '400MB': {error}"
        ) from error
    if "memory_limit" in config:
        # Every thread of a sort holds on to memory: with many and little of it, none can go on.
        limit, threads = connection.sql(
            "SELECT current_setting('memory_limit'), current_setting('threads')"
        ).fetchall()[0]
        connection.execute(f"SET threads = {max(1, min(threads, _bytes(limit) // _PER_THREAD))}")
    return connection


def _bytes(size: str) -> int:
    """What DuckDB writes as ``"381.4 MiB"``."""
    number, unit = size.split()
    return int(float(number) * 1024 ** _UNITS.index(unit))


def _stream(relation: Any, batch_rows: int) -> Any:
    if hasattr(relation, "to_arrow_reader"):
        return relation.to_arrow_reader(batch_rows)
    return relation.fetch_arrow_reader(batch_rows)  # before DuckDB 1.5


def _query(source: Paths, columns: Mapping[str, str], scratch: Path) -> str:
    """The query that reads a source; a file that it needs is written into the scratch folder."""
    # Not Path.exists, which raises for a query that is too long for the name of a file.
    if isinstance(source, str) and _QUERY.match(source) and not os.path.exists(source):  # noqa: PTH110
        return source.strip().rstrip(";")
    files = find_files(source)
    if not files:
        raise DataError("there is no file to fold")
    kinds = {_kind(path) for path in files}
    if len(kinds) > 1:
        raise DataError(f"files of {' and '.join(sorted(kinds))}; fold one kind at a time")
    if kinds == {"Parquet"}:
        opened = open_parquet(files, columns)  # mixed kinds are refused by name
        _check_case(opened, columns)
        listed = _listed(typed_first(opened, columns, scratch))
        # Else a folder named channel=web says what the column holds, not the file.
        return f"FROM read_parquet([{listed}], hive_partitioning = false)"
    delimiter, names = _header(files)
    # All is said, so that DuckDB has nothing to guess: no line is skipped, no id becomes a number.
    columns_sql = ", ".join(f"{_literal(name)}: 'VARCHAR'" for name in names)
    return (
        f"FROM read_csv([{_listed(files)}], auto_detect = false, header = true, quote = '\"', "
        f"escape = '\"', delim = {_literal(delimiter)}, columns = {{{columns_sql}}})"
    )


def _check_case(files: list[ParquetFile], columns: Mapping[str, str]) -> None:
    """Refuse columns of which DuckDB, that does not tell 'User' from 'user', may take the wrong."""
    for file in files if len(files) > 1 else ():
        for column in columns:
            same = [name for name in file.schema.names if name.lower() == column.lower()]
            if len(same) > 1:
                raise SchemaError(
                    f"{file.name!r} has the columns {same}, which DuckDB does not tell apart in "
                    "several files; rename one, or leave it out"
                )


def _header(files: list[Path]) -> tuple[str, list[str]]:
    """Delimiter and columns of CSV files, which must all have the same."""
    found = [read_header(look_at(path, "utf-8-sig"), None, "utf-8-sig") for path in files]
    for path, (names, delimiter) in zip(files, found, strict=True):
        if (names, delimiter) != found[0]:
            raise SchemaError(
                f"{path.name!r} has the columns {names}, but {files[0].name!r} has {found[0][0]}; "
                "write the files with one header"
            )
    names, delimiter = found[0]
    for name in names:
        if names.count(name) > 1:
            raise SchemaError(f"{files[0].name!r} has several columns named {name!r}; rename one")
    return delimiter, names


def _kind(path: Path) -> str:
    endings = [ending.lower() for ending in path.suffixes]
    if endings and endings[-1] in PARQUET:
        return "Parquet"
    if set(endings[-2:]) & set(_FILES):
        return "CSV"
    raise DataError(
        f"{path.name!r} does not say by its ending that it is Parquet or CSV; give a query that "
        f"reads it, such as FROM read_json({_literal(path.name)})"
    )


@contextmanager
def _translated() -> Iterator[None]:
    """Errors of DuckDB as errors of cxkit."""
    import duckdb

    try:
        yield
    except (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException) as error:
        raise DefinitionError(f"DuckDB does not understand this: {error}") from error
    except duckdb.OutOfMemoryException as error:
        raise DataError(
            f"DuckDB ran out of memory: {error}. Give it more by memory_limit=, or more disk by "
            "spill="
        ) from error
    except duckdb.Error as error:
        raise DataError(f"DuckDB cannot read this: {error}") from error


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _listed(paths: list[Path]) -> str:
    """Paths as they are: in brackets, a sign that begins a pattern stands for itself."""
    return ", ".join(_literal(re.sub(r"([*?[])", r"[\1]", os.fspath(path))) for path in paths)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
