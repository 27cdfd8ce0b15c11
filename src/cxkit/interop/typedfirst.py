"""Parquet files of several widths, for an engine that casts all to the types of the first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from cxkit.interop.oneschema import common_type, exceeds_int64
from cxkit.interop.parquet import ParquetFile

__all__ = ["typed_first"]

_BATCH: Final = 262_144


def typed_first(files: Sequence[ParquetFile], columns: Iterable[str], folder: Path) -> list[Path]:
    """Where the files are; before them one without rows, if they differ in a type.

    DuckDB casts every file to the types of the first: 2.5 became 2 where that one held whole
    numbers, and the answer changed with the names of files. So the first is one that has the types
    which hold the values of all, as :func:`cxkit.read_events` finds them.

    Args:
        files: The files, of one schema but for widths.
        columns: The columns that will be read.
        folder: Where to write the file without rows.
    """
    import pyarrow as pa
    from pyarrow import parquet

    paths = [file.path for file in files]
    types: dict[str, Any] = {}
    differ = False
    for column in columns:
        kinds = [file.schema.field(column).type for file in files]
        types[column] = kinds[0]
        if any(kind != kinds[0] for kind in kinds):
            differ = True
            types[column] = common_type(kinds, lambda: _beyond(files, column))  # noqa: B023  # asked at once
    if not differ:
        return paths
    first = folder / "types.parquet"
    parquet.write_table(pa.schema(types).empty_table(), first)
    return [first, *paths]


def _beyond(files: Sequence[ParquetFile], column: str) -> bool:
    """Whether a column needs unsigned 64 bits; only files that may hold such numbers are read."""
    import pyarrow as pa

    return any(
        exceeds_int64(batch.column(column))
        for file in files
        if file.schema.field(column).type == pa.uint64()
        for batch in file.batches([column], _BATCH)
    )
