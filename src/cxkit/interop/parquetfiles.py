"""Parquet files, one or many of one schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cxkit.errors import DataError, MissingExtraError
from cxkit.interop.oneschema import check_schemas, common_type, damaged, exceeds_int64
from cxkit.interop.paths import short_names
from cxkit.model.tables import Table, open_table

__all__ = ["read_parquet"]


def read_parquet(paths: Sequence[Path], wanted: Mapping[str, str] | None) -> Table:
    """Read the wanted columns of files that belong together.

    Args:
        paths: The files, in the order of their rows.
        wanted: The columns to keep -> their role; ``None`` keeps all.

    Raises:
        DataError: A file is damaged, or a value has no place in the type of the others.
        SchemaError: A wanted column is missing in some file, or of another kind than in the first.
        MissingExtraError: pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtraError.of("pyarrow", "arrow", "reading Parquet") from error
    names = short_names(paths)
    schemas: dict[str, Any] = {}
    parts: list[Any] = []
    for path, name in zip(paths, names, strict=True):
        try:
            with parquet.ParquetFile(path) as opened:
                schemas[name] = opened.schema_arrow
        except (pa.ArrowException, OSError) as error:
            raise damaged(name, error) from error
    found = dict.fromkeys(column for schema in schemas.values() for column in schema.names)
    chosen = {
        c: "" if wanted is None else wanted[c] for c in found if wanted is None or c in wanted
    }
    if len(paths) > 1:
        check_schemas(schemas, chosen)
    rows = 0
    for path, name in zip(paths, names, strict=True):
        try:
            with parquet.ParquetFile(path) as opened:
                part = opened.read(columns=list(chosen))
                rows += opened.metadata.num_rows
        except (pa.ArrowException, OSError) as error:
            raise damaged(name, error) from error
        # pyarrow takes "a" for the beginning of a path, and reads a column "a.b" too.
        parts.append(part.select([at for at, n in enumerate(part.column_names) if n in chosen]))
    table = open_table(parts[0] if len(parts) == 1 else _together(parts, names))
    # Columns that were not read are still named, for the error about one that is not there.
    every: tuple[str, ...] = tuple(schemas[names[0]].names)
    return Table("Parquet file", every, rows, lambda at: table.column(every[at], every[at]))


def _together(parts: list[Any], files: Sequence[str]) -> Any:
    import pyarrow as pa

    order = parts[0].column_names
    parts = [part.select(order) for part in parts]
    columns = []
    for name in order:
        arrays = [part.column(name) for part in parts]
        if len({array.type for array in arrays}) > 1:
            arrays = _cast(name, arrays, files)
        chunks = [chunk for array in arrays for chunk in array.chunks]
        columns.append(pa.chunked_array(chunks, type=arrays[0].type))
    return pa.table(columns, names=order)


def _cast(column: str, arrays: list[Any], files: Sequence[str]) -> list[Any]:
    """One column of all files in a type that holds every value."""
    import pyarrow as pa

    kind = common_type([array.type for array in arrays], lambda: any(map(exceeds_int64, arrays)))
    cast = []
    for array, file in zip(arrays, files, strict=True):
        try:
            # Numbers too large for a decimal are refused by the reader of their role, row by row.
            cast.append(array.cast(kind, safe=kind != pa.float64()))
        except pa.ArrowException as error:
            raise DataError(
                f"column {column!r} of {file!r} is {array.type}, and does not fit into {kind}, "
                f"which holds the other files: {error}; write the files with one schema"
            ) from error
    return cast
