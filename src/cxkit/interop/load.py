"""A file, or a folder of files of one kind, as a table."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import attrs
import numpy as np

from cxkit.core.progress import ProgressLike
from cxkit.interop.delimited import Broken, read_delimited
from cxkit.interop.jsonlines import read_json_lines
from cxkit.interop.oneschema import check_names
from cxkit.interop.parquetfiles import read_parquet
from cxkit.interop.paths import files_of, short_names
from cxkit.interop.sniff import FileKind, look_at
from cxkit.interop.xes import load_xes
from cxkit.model import columns
from cxkit.model.columns import Column
from cxkit.model.tables import Table

__all__ = ["load"]

_LOOSE: Final = ("json lines", "xes")  # kinds whose rows need not all have the same fields


def load(
    path: str | os.PathLike[str],
    *,
    delimiter: str | None = None,
    encoding: str = "utf-8-sig",
    wanted: Mapping[str, str] | None = None,
    progress: ProgressLike = None,
) -> tuple[Table, Broken]:
    """Read a file or a folder.

    Args:
        path: The file or folder; of a folder all files, also in folders within, in the order of
            their names, where ``part-2`` comes before ``part-10``.
        delimiter: Of text; ``None`` finds it out.
        encoding: Of text.
        wanted: The columns to keep -> their role; ``None`` keeps all.
        progress: See :func:`cxkit.core.progress.steps`.

    Returns:
        The table, and the rows that are no rows of it. Rows of a folder are counted through.

    Raises:
        DataError: A file is damaged or not what its ending says; a folder has no files, or files
            of several kinds.
        SchemaError: Files of one folder differ in their columns.
        MissingExtraError: A file needs pyarrow, which is not installed.
    """
    if not Path(path).is_dir():
        return _load(look_at(path, encoding), delimiter, encoding, wanted, progress)
    files = files_of(Path(path), encoding)
    if files[0].kind == "parquet":
        return read_parquet([file.path for file in files], wanted), Broken()
    parts = [_load(file, delimiter, encoding, wanted, progress) for file in files]
    return _stack(files, [table for table, _ in parts], wanted), _stack_broken(parts)


def _load(
    file: FileKind,
    delimiter: str | None,
    encoding: str,
    wanted: Mapping[str, str] | None,
    progress: ProgressLike,
) -> tuple[Table, Broken]:
    if file.kind == "parquet":
        return read_parquet([file.path], wanted), Broken()
    if file.kind == "json lines":
        return read_json_lines(file, wanted)
    if file.kind == "xes":
        return load_xes(file, wanted=wanted, progress=progress), Broken()
    return read_delimited(
        file, delimiter=delimiter, encoding=encoding, wanted=wanted, progress=progress
    )


def _stack_broken(parts: Sequence[tuple[Table, Broken]]) -> Broken:
    together = Broken()
    before = 0
    for table, broken in parts:
        together.rows += [row + before for row in broken.rows]
        together.found += broken.found
        together.reasons += broken.reasons
        before += table.rows
    return together


def _stack(
    files: Sequence[FileKind], tables: Sequence[Table], wanted: Mapping[str, str] | None
) -> Table:
    """Tables one below the other."""
    names = tuple(dict.fromkeys(name for table in tables for name in table.names))
    repeated = {n for t in tables for n in t.names if t.names.count(n) > 1}
    if files[0].kind not in _LOOSE:
        called = short_names(file.path for file in files)
        roles = dict.fromkeys(names, "") if wanted is None else wanted
        check_names(
            {name: table.names for name, table in zip(called, tables, strict=True)},
            {name: roles[name] for name in names if name in roles},
        )

    def read(at: int) -> Column:
        name = names[at]
        return _below(name, [_or_absent(table, name) for table in tables])

    rows = sum(table.rows for table in tables)
    # A name that is twice in some file stays twice, so that asking for it is an error.
    names = (*names, *(name for name in names if name in repeated))
    return Table("folder of files", names, rows, read)


def _or_absent(table: Table, name: str) -> Column:
    if name in table.names:
        return table.column(name, name)
    lost = np.ones(table.rows, dtype=bool)
    return Column(name, "empty", "absent", np.zeros(table.rows), lost)


def _below(name: str, parts: list[Column]) -> Column:
    """Columns one below the other; missing rows are of any kind."""
    kinds = {part.kind for part in parts if part.kind != "empty" and len(part)}
    null = np.concatenate([part.is_null() for part in parts])
    lost = null if null.any() else None
    dtype = next((part.dtype for part in parts if part.kind in kinds), parts[0].dtype)
    if not kinds:
        return Column(name, "empty", dtype, np.zeros(len(null)), np.ones(len(null), dtype=bool))
    if kinds == {"text"}:
        labels: list[str] = []
        codes = []
        for part in parts:
            if part.kind == "text":
                own, texts = part.encoded()
                codes.append(np.where(own < 0, 0, own) + len(labels))
                labels += texts
            else:
                codes.append(np.zeros(len(part), np.int64))
        return Column(name, "text", dtype, labels or [""], lost, np.concatenate(codes))
    if kinds <= {"whole", "decimal"} or kinds == {"truth"}:
        values: list[Any] = [
            part.values if part.kind in kinds else np.zeros(len(part), bool) for part in parts
        ]
        if kinds == {"whole", "decimal"}:
            floats = [value.astype(np.float64) for value in values]
            # Large ids of one file must not lose their last digits to fractions in another.
            exact = any(
                bool((np.abs(as_float) >= columns.EXACT).any())
                for value, as_float in zip(values, floats, strict=True)
                if value.dtype.kind != "f"
            )
            values = [value.astype(object) for value in values] if exact else floats
        kind: columns.Kind = "decimal" if "decimal" in kinds else min(kinds)
        return Column(name, kind, dtype, np.concatenate(values), lost)
    return attrs.evolve(
        columns.from_objects(name, [value for part in parts for value in part.to_list()]),
        dtype=dtype,
    )
