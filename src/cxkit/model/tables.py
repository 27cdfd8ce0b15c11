"""Any table -> named columns, importing no library that the caller has not imported.

A table is a mapping of arrays or lists, a list of dictionaries or of :class:`~cxkit.Touchpoint`, a
pandas or Polars frame, an Arrow table, or anything else that hands out Arrow, such as a DuckDB
relation. Only columns that are asked for are read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

import attrs
import numpy as np

from cxkit.errors import MissingExtraError, SchemaError, did_you_mean
from cxkit.model import columns, nested
from cxkit.model.columns import Column
from cxkit.model.touchpoint import Touchpoint

__all__ = ["Table", "open_table"]

_OWN = ("customer", "time", "event", "channel", "value")
_TAKES = (
    "a mapping of columns, a list of dicts or Touchpoints, a pandas or Polars frame, an Arrow "
    "table, or anything with __arrow_c_stream__"
)


@attrs.frozen(eq=False)
class Table:
    """Named columns of any table.

    Attributes:
        kind: What it is, for errors and notes.
        names: The columns.
        rows: E, the number of rows.
        hint: Where a column that is not there may be found, for errors.
    """

    kind: str
    names: tuple[str, ...]
    rows: int
    _read: Callable[[int], Column] = attrs.field(repr=False, alias="read")
    hint: str = ""

    def column(self, name: str, role: str) -> Column:
        """The column of a role, or the field that a path finds; see :mod:`cxkit.model.nested`.

        Raises:
            SchemaError: There is none of this name, or several, or its length is not the table's.
        """
        if not isinstance(name, str):
            raise SchemaError(
                f"{role} must be the name of a column; found {name!r}; the table has "
                f"{_listed(self.names)}"
            )
        count = self.names.count(name)
        if count > 1:
            raise SchemaError(f"the table has {count} columns named {name!r}; rename one")
        if not count:
            if not self.names and not self.rows and self.kind == "list":
                return columns.from_objects(name, [])
            found = nested.find(name, self.names, self.rows, self._checked)
            if found is not None:
                return found
            raise SchemaError(
                f"no column {name!r} for {role}; the table has {_listed(self.names)}."
                f"{did_you_mean(name, self.names)}{self.hint}"
            )
        return self._checked(self.names.index(name))

    def _checked(self, at: int) -> Column:
        column, name = self._read(at), self.names[at]
        if len(column) != self.rows:
            raise SchemaError(
                f"column {name!r} has {len(column):,} rows, column {self.names[0]!r} has "
                f"{self.rows:,}; all columns of a table are of one length"
            )
        return column


def open_table(table: object) -> Table:
    """Find out what a table is.

    Args:
        table: Any table; see this module.

    Raises:
        SchemaError: It is no table.
        MissingExtraError: It hands out Arrow, and pyarrow is not installed.

    Example:
        >>> open_table({"who": [1, 2], "when": ["2024-01-01", "2024-01-02"]}).names
        ('who', 'when')
    """
    if isinstance(table, Table):
        return table
    family = type(table).__module__.partition(".")[0]
    name = type(table).__name__
    if family == "pandas" and hasattr(table, "columns"):
        return _pandas(table)
    if family == "polars" and name == "LazyFrame":
        raise SchemaError("a Polars LazyFrame has no rows yet; hand in frame.collect()")
    if family == "polars" and name == "DataFrame":
        return _polars(table)
    if isinstance(table, Mapping):
        return _mapping("mapping", table)
    if isinstance(table, np.ndarray):
        if table.dtype.names:
            fields = {field: table[field] for field in table.dtype.names}
            return _mapping("structured array", fields)
        raise SchemaError(
            f"an array of shape {table.shape} has no column names; hand in a mapping such as "
            '{"customer": ids, "time": times}'
        )
    if family == "pyspark" or name == "Series":
        raise SchemaError(
            f"cannot read a {family} {name}; hand in {_TAKES}"
            + ("; df.toArrow() makes one" if family == "pyspark" else "")
        )
    if hasattr(table, "__arrow_c_stream__") or hasattr(table, "__arrow_c_array__"):
        return _arrow(table, f"{family} {name}")
    if isinstance(table, (str, bytes, os.PathLike)):
        raise SchemaError(f"{str(table)!r} is text, not a table; cx.read_events(path) reads a file")
    if isinstance(table, Iterable):
        return _records(list(table))
    raise SchemaError(f"cannot read a {name} as a table; hand in {_TAKES}")


def _pandas(frame: Any) -> Table:
    from cxkit.model.frames import from_pandas

    names = tuple(map(str, frame.columns))
    index = [str(level) for level in frame.index.names if level is not None]
    hint = f" The index has {index}: frame.reset_index() makes columns of it." if index else ""
    return Table(
        "pandas DataFrame",
        names,
        len(frame),
        lambda at: from_pandas(names[at], frame.iloc[:, at]),
        hint,
    )


def _polars(frame: Any) -> Table:
    from cxkit.model.frames import from_polars

    names = tuple(frame.columns)
    return Table(
        "Polars DataFrame",
        names,
        frame.height,
        lambda at: from_polars(names[at], frame.to_series(at)),
    )


def _arrow(source: Any, kind: str) -> Table:
    try:
        import pyarrow as pa
    except ImportError as error:
        raise MissingExtraError.of("pyarrow", "arrow", f"reading a {kind}") from error

    from cxkit.model.arrow import from_arrow

    try:
        table = source if isinstance(source, pa.Table) else pa.table(source)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise SchemaError(f"a {kind} hands out no table of columns: {error}") from error
    names = tuple(table.column_names)
    return Table(
        "Arrow table", names, table.num_rows, lambda at: from_arrow(names[at], table.column(at))
    )


def _mapping(kind: str, table: Mapping[Any, Any]) -> Table:
    names = tuple(map(str, table))
    values = list(table.values())
    rows = 0
    for at, column in enumerate(table.values()):
        if isinstance(column, (str, bytes)) or not isinstance(column, Iterable):
            raise SchemaError(
                f"column {names[at]!r} is {column!r} ({type(column).__name__}), not a list or array"
            )
        if not hasattr(column, "__len__"):
            values[at] = list(column)  # a generator gives its values once
        size = len(values[at]) if getattr(column, "ndim", 1) else 0
        rows = rows if at else size
        if size != rows:
            raise SchemaError(
                f"column {names[at]!r} has {size:,} rows, column {names[0]!r} has {rows:,}; all "
                "columns of a table are of one length"
            )
    return Table(kind, names, rows, lambda at: _column(names[at], values[at]))


def _column(name: str, values: Any) -> Column:
    """A column on its own: an array, a list, or a column of a frame library."""
    family = type(values).__module__.partition(".")[0]
    if isinstance(values, np.ndarray):
        return columns.from_array(name, values)
    if family == "pandas":
        from cxkit.model.frames import from_pandas

        return from_pandas(name, values if hasattr(values, "array") else _as_series(values))
    if family == "polars":
        from cxkit.model.frames import from_polars

        return from_polars(name, values)
    if family == "pyarrow":
        from cxkit.model.arrow import from_arrow

        return from_arrow(name, values)
    return columns.from_objects(name, values)


def _as_series(values: Any) -> Any:
    import pandas as pd  # an extension array of pandas: its library is there

    return pd.Series(values)


def _records(rows: Sequence[Any]) -> Table:
    if all(isinstance(row, Touchpoint) for row in rows) and rows:
        further = dict.fromkeys(chain.from_iterable(row.properties for row in rows))
        names = (*_OWN, *(name for name in further if name not in _OWN))

        def read(at: int) -> Column:
            name = names[at]
            if at < len(_OWN):
                return columns.from_objects(name, [getattr(row, name) for row in rows])
            return columns.from_objects(name, [row.properties.get(name) for row in rows])

        return Table("list of Touchpoints", names, len(rows), read)
    for at, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise SchemaError(
                f"row {at} is {columns.shorten(repr(row))} ({type(row).__name__}); a list of rows "
                "holds dicts or Touchpoints, all of one kind"
            )
    keys = tuple(dict.fromkeys(chain.from_iterable(rows)))
    return Table(
        "list",
        tuple(map(str, keys)),
        len(rows),
        lambda at: columns.from_objects(str(keys[at]), [row.get(keys[at]) for row in rows]),
    )


def _listed(names: Sequence[str]) -> str:
    if len(names) <= 30:
        return str(sorted(names)) if names else "no columns"
    return f"{sorted(names)[:30]} and {len(names) - 30} more"
