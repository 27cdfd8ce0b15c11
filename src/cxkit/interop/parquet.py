"""Parquet that is sorted by customer already: counted file by file, without an engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar, Unpack

import attrs

from cxkit.core.progress import ProgressLike, steps
from cxkit.core.summary import Summary
from cxkit.errors import DataError, MissingExtraError
from cxkit.interop.asked import (
    Counters,
    Roles,
    check_batch_rows,
    roles_of,
    source_columns,
    spelled_out,
)
from cxkit.interop.fold import Folder
from cxkit.interop.folded import Folded
from cxkit.interop.oneschema import check_schemas, damaged
from cxkit.interop.paths import Paths, find_files, short_names
from cxkit.interop.sniff import look_at
from cxkit.model.journeys import Journeys

__all__ = ["fold", "open_parquet"]

S = TypeVar("S", bound=Summary)
_BATCH: Final = 262_144


@spelled_out
def fold(
    source: Paths,
    summary: Counters[S],
    *,
    each: Callable[[Journeys], object] | None = None,
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
            with ``_`` or ``.`` is left out, and every other file must be Parquet (``.parquet`` or
            ``.pq``).
        summary: What to count; see :func:`cxkit.interop.fold.fold`.
        each: Called with the journeys of every batch; see there.
        batch_rows: How many rows are in memory at once.
        progress: ``True`` for a bar on stderr when it takes longer than a second, or a function
            that is called with ``(done, total)`` in rows.
        **roles: Which column is what, and how to read it, as in :func:`cxkit.ingest`.

    Returns:
        The summaries, and an account of every row. Rows are counted from 0 over all files.

    Raises:
        DataError: A file is not there, damaged, not Parquet, or not sorted by customer; the error
            names file and row. Or a customer has more than 2,147,483,647 touchpoints.
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
    folder: Folder[S] = Folder(summary, each=each, **roles)
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
        schema: The Arrow schema of its columns.
    """

    name: str
    path: Path
    rows: int
    schema: Any

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
            raise damaged(self.name, error) from error


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
    schemas: dict[str, Any] = {}
    for path, name in zip(paths, short_names(paths), strict=True):
        kind = look_at(path, "utf-8").kind
        if kind != "parquet":
            raise DataError(f"{name!r} is {kind} by its ending, not Parquet; fold files of Parquet")
        try:
            metadata = parquet.read_metadata(path)
            schemas[name] = metadata.schema.to_arrow_schema()
        except (pa.ArrowException, OSError) as error:
            raise damaged(name, error) from error
        files.append(ParquetFile(name, path, metadata.num_rows, schemas[name]))
    check_schemas(schemas, columns)
    return files
