"""Parquet files, one or many of one schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cxkit.errors import MissingExtraError
from cxkit.interop.oneschema import check_schemas, damaged, kind_of
from cxkit.interop.paths import short_names
from cxkit.model.tables import Table, open_table

__all__ = ["read_parquet"]


def read_parquet(paths: Sequence[Path], wanted: Mapping[str, str] | None) -> Table:
    """Read the wanted columns of files that belong together.

    Args:
        paths: The files, in the order of their rows.
        wanted: The columns to keep -> their role; ``None`` keeps all.

    Raises:
        DataError: A file is damaged.
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
    table = open_table(parts[0] if len(parts) == 1 else _together(parts))
    # Columns that were not read are still named, for the error about one that is not there.
    every: tuple[str, ...] = tuple(schemas[names[0]].names)
    return Table("Parquet file", every, rows, lambda at: table.column(every[at], every[at]))


def _together(parts: list[Any]) -> Any:
    import pyarrow as pa

    order = parts[0].column_names
    parts = [part.select(order) for part in parts]
    columns = []
    for name in order:
        arrays = [part.column(name) for part in parts]
        if len({array.type for array in arrays}) > 1:
            kind = _wide(arrays)
            # Numbers too large for a decimal are refused by the reader of their role, row by row.
            arrays = [array.cast(kind, safe=kind != pa.float64()) for array in arrays]
        chunks = [chunk for array in arrays for chunk in array.chunks]
        columns.append(pa.chunked_array(chunks, type=arrays[0].type))
    return pa.table(columns, names=order)


def _wide(arrays: list[Any]) -> Any:
    """A type that holds all of one kind."""
    import pyarrow as pa

    kinds = [array.type for array in arrays if not pa.types.is_null(array.type)]
    if not kinds:
        return arrays[0].type
    what = {kind_of(kind) for kind in kinds}
    if what == {"text"}:
        return pa.large_string()
    if what <= {"times", "times with a zone"}:
        units = ("s", "ms", "us", "ns")
        finest = max((kind.unit for kind in kinds), key=units.index)
        return pa.timestamp(finest, "UTC" if what == {"times with a zone"} else None)
    if what == {"whole numbers"}:
        unsigned = all(pa.types.is_unsigned_integer(kind) for kind in kinds)
        return pa.uint64() if unsigned else pa.int64()
    return pa.float64() if "decimal numbers" in what else kinds[0]
