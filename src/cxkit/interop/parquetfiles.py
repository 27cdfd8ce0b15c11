"""Parquet files, one or many of one schema."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from cxkit.errors import DataError, MissingExtraError, SchemaError
from cxkit.model.tables import Table, open_table

__all__ = ["read_parquet"]


def read_parquet(paths: Sequence[Path], wanted: Collection[str] | None) -> Table:
    """Read the wanted columns of files that belong together.

    Args:
        paths: The files, in the order of their rows.
        wanted: The columns to keep; ``None`` keeps all.

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
    parts: list[Any] = []
    rows = 0
    first: Any = None
    for path in paths:
        try:
            with parquet.ParquetFile(path) as opened:
                schema = opened.schema_arrow
                first = first or schema
                if len(paths) > 1:
                    _check(paths[0], first, path, schema, wanted)
                names = [n for n in schema.names if wanted is None or n in wanted]
                part = opened.read(columns=list(dict.fromkeys(names)))
                rows += opened.metadata.num_rows
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{path.name!r} is damaged: {error}") from error
        # pyarrow takes "a" for the beginning of a path, and reads a column "a.b" too.
        parts.append(part.select([at for at, n in enumerate(part.column_names) if n in names]))
    table = open_table(parts[0] if len(parts) == 1 else _together(parts))
    found: tuple[str, ...] = tuple(first.names)
    # Columns that were not read are still named, for the error about one that is not there.
    return Table("Parquet file", found, rows, lambda at: table.column(found[at], found[at]))


def _kind(kind: Any) -> str:
    """What a column is, however wide: files of one table may differ in width, not in kind."""
    from pyarrow import types

    if types.is_dictionary(kind):
        kind = kind.value_type
    if types.is_timestamp(kind):
        return "times" if kind.tz is None else "times with a zone"
    for test, what in (
        (types.is_integer, "whole numbers"),
        (types.is_floating, "decimal numbers"),
        (types.is_boolean, "truth values"),
        (types.is_null, ""),
    ):
        if test(kind):
            return what
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return "text"
    return str(kind)


def _check(
    first_path: Path, first: Any, path: Path, schema: Any, wanted: Collection[str] | None
) -> None:
    both = dict.fromkeys([*first.names, *schema.names])
    for name in both if wanted is None else [name for name in both if name in wanted]:
        if name not in schema.names or name not in first.names:
            there, not_there = (first_path, path) if name in first.names else (path, first_path)
            raise SchemaError(
                f"column {name!r} is in {there.name!r} but not in {not_there.name!r}; files of "
                "one folder must have the same columns"
            )
        if schema.names.count(name) > 1:
            continue  # named when the column is asked for
        one, other = _kind(first.field(name).type), _kind(schema.field(name).type)
        if one and other and one != other:
            raise SchemaError(
                f"column {name!r} holds {one} in {first_path.name!r} and {other} in "
                f"{path.name!r}; files of one folder must have the same columns"
            )


def _together(parts: list[Any]) -> Any:
    import pyarrow as pa

    order = parts[0].column_names
    parts = [part.select(order) for part in parts]
    columns = []
    for name in order:
        arrays = [part.column(name) for part in parts]
        if len({array.type for array in arrays}) > 1:
            kind = _wide(arrays)
            arrays = [array.cast(kind) for array in arrays]
        chunks = [chunk for array in arrays for chunk in array.chunks]
        columns.append(pa.chunked_array(chunks, type=arrays[0].type))
    return pa.table(columns, names=order)


def _wide(arrays: list[Any]) -> Any:
    """A type that holds all of one kind."""
    import pyarrow as pa

    kinds = [array.type for array in arrays if not pa.types.is_null(array.type)]
    what = _kind(kinds[0])
    if what == "text":
        return pa.large_string()
    if what.startswith("times"):
        units = ("s", "ms", "us", "ns")
        finest = max((kind.unit for kind in kinds), key=units.index)
        return pa.timestamp(finest, "UTC" if what == "times with a zone" else None)
    if what == "whole numbers":
        unsigned = all(pa.types.is_unsigned_integer(kind) for kind in kinds)
        return pa.uint64() if unsigned else pa.int64()
    return pa.float64() if what == "decimal numbers" else kinds[0]
