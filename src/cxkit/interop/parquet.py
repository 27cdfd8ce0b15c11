"""Parquet that is sorted by customer already: counted file by file, without an engine."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar, Unpack

import attrs

from cxkit.core.progress import ProgressLike, steps
from cxkit.core.summary import Summary
from cxkit.errors import DataError, MissingExtraError, SchemaError, did_you_mean
from cxkit.interop.asked import Counters, Roles, check_batch_rows, roles_of, source_columns
from cxkit.interop.fold import Folder
from cxkit.interop.folded import Folded
from cxkit.interop.sniff import look_at

__all__ = ["Paths", "find_files", "fold", "open_parquet"]

S = TypeVar("S", bound=Summary)
Paths: TypeAlias = "str | os.PathLike[str] | Iterable[str | os.PathLike[str]]"
"""A file, a folder, a pattern such as ``"logs/2024-*.parquet"``, or several of these."""

_BATCH: Final = 262_144
_PATTERN: Final = "*?["


def fold(
    source: Paths,
    summary: Counters[S],
    *,
    batch_rows: int = _BATCH,
    progress: ProgressLike = None,
    **roles: Unpack[Roles],
) -> Folded[S]:
    """Count Parquet files that are sorted by customer, a batch of rows at a time.

    Args:
        source: A file, a folder (with the folders within), a pattern such as
            ``"logs/part-*.parquet"``, or several of these. Files are read in the order of their
            names, where ``part-2`` comes before ``part-10``. Over all of them, rows are sorted by
            customer, numbers by size and text by code point; the rows of one customer may come in
            any order, and may begin in one file and go on in the next. In a folder, what begins
            with ``_`` or ``.`` is left out.
        summary: What to count; see :func:`cxkit.interop.fold.fold`.
        batch_rows: How many rows are in memory at once.
        progress: ``True`` for a bar on stderr when it takes longer than a second, or a function
            that is called with ``(done, total)`` in rows.
        **roles: Which column is what, and how to read it, as in :func:`cxkit.ingest`.

    Returns:
        The summaries, and an account of every row. Rows are counted from 0 over all files.

    Raises:
        DataError: A file is not there, damaged, or not sorted by customer; the error names file
            and row. Or a customer has more than 2,147,483,647 touchpoints.
        SchemaError: A file lacks a column, or a column is text in one file and numbers in another;
            otherwise as in :func:`cxkit.ingest`.
        DefinitionError: ``summary`` or ``batch_rows`` is none; otherwise as in
            :func:`cxkit.ingest`.
        MissingExtraError: pyarrow is not installed.

    Example:
        >>> import pathlib, tempfile
        >>> import pyarrow as pa, pyarrow.parquet as pq
        >>> from cxkit import flow
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> for part, customers in enumerate([["ann", "bob"], ["bob", "cid"]]):
        ...     table = pa.table({"who": customers, "at": [5, 9], "what": ["see", "buy"]})
        ...     pq.write_table(table, folder / f"part-{part}.parquet")
        >>> fold(folder, flow.Transitions, customer="who", time="at", event="what", time_unit="s")
        <Folded: 4 rows, 4 touchpoints in 3 journeys, 0 rejected; Transitions>
    """
    size = check_batch_rows(batch_rows)
    folder: Folder[S] = Folder(summary, **roles)
    columns = source_columns(roles_of(roles))
    files = open_parquet(find_files(source), columns)
    with steps("folding", sum(file.rows for file in files), progress) as step:
        for file in files:
            first = 0
            for batch in file.batches(list(columns), size):
                folder.feed(batch, where=repr(file.name), first_row=first)
                first += batch.num_rows
                step(batch.num_rows)
    return folder.finish()


@attrs.frozen
class ParquetFile:
    """One file: how it is called in errors, where it is, and its size.

    Attributes:
        name: Its path, short enough to be told apart from the others.
        path: Where it is.
        rows: How many rows it has.
    """

    name: str
    path: Path
    rows: int

    def batches(self, columns: Sequence[str], size: int) -> Iterator[Any]:
        """Its rows as Arrow record batches.

        Raises:
            DataError: It is damaged.
        """
        import pyarrow as pa
        from pyarrow import parquet

        try:
            with parquet.ParquetFile(self.path) as opened:
                yield from opened.iter_batches(batch_size=size, columns=list(columns))
        except (pa.ArrowException, OSError) as error:
            raise _damaged(self.name, error) from error


def find_files(source: Paths) -> list[Path]:
    """The files of a folder, a pattern or a list, in the order of their names.

    Raises:
        DataError: There is none.
    """
    if not isinstance(source, (str, os.PathLike)):
        return [file for each in source for file in find_files(each)]
    text = os.fspath(source)
    path = Path(text)
    if path.is_dir():
        found = [file for file in path.rglob("*.parquet") if not _hidden(file.relative_to(path))]
        if not found:
            raise DataError(f"no Parquet file (*.parquet) in the folder {text!r}")
    elif any(sign in text for sign in _PATTERN) and not path.exists():
        found = [Path(name) for name in glob.glob(text, recursive=True)]  # noqa: PTH207  # absolute patterns too
        if not found:
            raise DataError(f"no file matches {text!r}")
    else:
        found = [path]
    return sorted(found, key=_natural)


def open_parquet(paths: Sequence[Path], columns: Mapping[str, str]) -> list[ParquetFile]:
    """Look at the end of every file, where Parquet keeps names and kinds of columns.

    Args:
        paths: The files.
        columns: The columns that will be read -> their role.

    Raises:
        DataError: There is none, or one is not there or damaged.
        SchemaError: One lacks a column, has it twice, or has it of another kind than one before.
        MissingExtraError: pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtraError.of("pyarrow", "arrow", "reading Parquet") from error
    if not paths:
        raise DataError("there is no file to fold")
    files: list[ParquetFile] = []
    kinds: dict[str, tuple[str, str]] = {}
    top = os.path.commonpath([path.absolute().parent for path in paths])
    for path in paths:
        look_at(path, "utf-8")
        name = path.absolute().relative_to(top).as_posix()
        try:
            metadata = parquet.read_metadata(path)
            schema = metadata.schema.to_arrow_schema()
        except (pa.ArrowException, OSError) as error:
            raise _damaged(name, error) from error
        files.append(ParquetFile(name, path, metadata.num_rows))
        for column, role in columns.items():
            _check_column(schema, column, role, name, files[0].name)
            kind = _kind(schema.field(column).type, role)
            before, where = kinds.setdefault(column, (kind, name)) if kind else ("", "")
            if before != kind:
                raise SchemaError(
                    f"column {column!r} for {role} holds {kind} in {name!r}, but {before} in "
                    f"{where!r}; write the files with one schema"
                )
    return files


def _check_column(schema: Any, column: str, role: str, name: str, first: str) -> None:
    count = schema.names.count(column)
    if count > 1:
        raise SchemaError(f"{name!r} has {count} columns named {column!r}; rename one")
    if not count:
        beside = f", which {first!r} has" if name != first else ""
        raise SchemaError(
            f"{name!r} has no column {column!r} for {role}{beside}; it has "
            f"{sorted(schema.names)}.{did_you_mean(column, schema.names)}"
        )


def _kind(kind: Any, role: str) -> str:
    """What must be the same in every file; empty where every row is missing."""
    from pyarrow import types

    if types.is_dictionary(kind):
        return _kind(kind.value_type, role)
    if types.is_null(kind):
        return ""
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return "text"
    if types.is_temporal(kind):
        return "times"
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind):
        # Whole numbers are floats where some are missing; only further columns tell them apart.
        if role != "columns":
            return "numbers"
        return "whole numbers" if types.is_integer(kind) else "decimal numbers"
    return str(kind)


def _hidden(path: Path) -> bool:
    return any(part.startswith(("_", ".")) for part in path.parts)


def _natural(path: Path) -> list[tuple[int, int, str]]:
    """A key by which part-2 comes before part-10."""
    parts = re.split(r"(\d+)", path.as_posix())
    return [(1, int(p), p) if p.isdecimal() and p.isascii() else (0, 0, p) for p in parts]


def _damaged(name: str, error: Exception) -> DataError:
    return DataError(f"{name!r} is damaged, perhaps cut short: {error}")
