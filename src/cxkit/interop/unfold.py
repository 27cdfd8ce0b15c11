"""Rows that hold a list of events each -> one row per event."""

from __future__ import annotations

import numpy as np

from cxkit.core.arrays import IntArray
from cxkit.errors import SchemaError
from cxkit.model import columns
from cxkit.model.columns import Column
from cxkit.model.tables import Table, open_table

__all__ = ["unfold", "unfold_rows"]


def unfold(table: object, column: str) -> Table:
    """One row per element of a column of lists; the other columns are repeated.

    A row whose list is empty or missing stays one row, without an element, so that nothing is lost
    unseen: what needs a field of the element rejects it.

    Args:
        table: Any table; see :func:`cxkit.ingest`.
        column: The column of lists, such as ``"Events"``. Afterwards it holds the elements, whose
            fields are ``"Events.Timestamp"`` and so on.

    Returns:
        A table for :func:`cxkit.ingest`.

    Raises:
        SchemaError: There is no such column, or it holds no lists.

    Example:
        >>> import cxkit as cx
        >>> visits = [{"who": "ann", "events": [{"at": 1, "what": "look"}, {"at": 2}]}]
        >>> rows = unfold(visits, "events")
        >>> got = cx.ingest(rows, customer="who", time="events.at", time_unit="s")
        >>> got.rows, got.journeys.touchpoints
        (2, 2)
    """
    opened = open_table(table)
    return unfold_rows(opened, column)[0]


def unfold_rows(table: Table, column: str) -> tuple[Table, IntArray]:
    """The unfolded table, and where each row of the given one begins in it.

    Example:
        >>> table, first = unfold_rows(open_table([{"x": [1, 2]}, {"x": []}, {"x": [3]}]), "x")
        >>> table.column("x", "a look").to_list(), first.tolist()
        ([1, 2, None, 3], [0, 2, 3])
    """
    lists = table.column(column, "unfolding")
    sizes, elements = _elements(column, lists)
    repeats = np.maximum(sizes, 1)
    first = np.cumsum(repeats) - repeats
    owner = np.repeat(np.arange(table.rows), repeats)
    # The place of each row's element; -1 for the row of a list without any.
    place = np.full(len(owner), -1, np.int64)
    place[np.repeat(sizes, repeats) > 0] = np.arange(len(elements))

    def read(at: int) -> Column:
        name = table.names[at]
        if name == column:
            return elements.take(place, elements.dtype)
        inner = table.column(name, name)
        return inner.take(owner, inner.dtype)

    return Table(table.kind, table.names, len(owner), read), first


def _elements(name: str, lists: Column) -> tuple[IntArray, Column]:
    """How many elements each row has, and all of them."""
    values = lists.values
    if type(values).__module__.startswith("pyarrow"):
        values = values.to_pylist()
    if lists.kind == "empty":
        values = [None] * len(lists)
    rows = [[] if row is None else row for row in values]
    odd = next((row for row in rows if not isinstance(row, (list, tuple, np.ndarray))), None)
    if odd is not None:
        raise SchemaError(
            f"column {name!r} for unfolding holds {columns.shorten(repr(odd))} "
            f"({type(odd).__name__}), not lists"
        )
    sizes = np.fromiter(map(len, rows), np.int64, len(rows))
    return sizes, columns.from_objects(name, [element for row in rows for element in row])
