"""Tables of results, as they are: some of their columns, and only the first rows for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import groupby
from typing import Any, Final

import numpy as np

from cxkit.core.result import Result
from cxkit.report.document import Column, Table
from cxkit.report.fold import SHOWN

__all__ = ["sentences", "told_table"]

_KEPT: Final = 1000
_EACH: Final = 4


def told_table(
    result: Result,
    key: str,
    caption: str,
    columns: Sequence[Column],
    *,
    shown: int = SHOWN,
    each: str | None = None,
    what: str = "rows",
    bar: str | None = None,
    note: str = "",
) -> Table:
    """The columns of a result that are named, row by row.

    Args:
        result: The result.
        key: The name of the table in JSON.
        caption: What the rows are.
        columns: Which columns, by their names in the result.
        shown: How many rows people see.
        each: A column: people see the first few rows of each of its values instead.
        what: What rows are called, where there are more.
        bar: See :class:`~cxkit.report.document.Table`.
        note: What else is to be said.
    """
    given = result.columns()
    every = [list(given[column.key]) for column in columns]
    rows = [tuple(map(_plain, row)) for row in zip(*(c[:_KEPT] for c in every), strict=True)]
    many = len(every[0]) if every else 0
    seen = rows[:shown]
    more = f"The first {shown:,} of {many:,} {what}."
    if each is not None:
        place = [column.key for column in columns].index(each)
        groups = [list(some) for _, some in groupby(rows, key=lambda row: row[place])]
        seen = [row for some in groups for row in some[:_EACH]]
        more = f"At most {_EACH} {what} each, of {many:,}."
    more = more if many > len(seen) else ""
    return Table(
        key,
        caption,
        tuple(columns),
        tuple(rows),
        tuple(seen) if many > len(seen) else None,
        bar=bar,
        note=" ".join(part for part in (more, note) if part),
    )


def _plain(value: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    return value.isoformat() if isinstance(value, date) else value


def sentences(notes: Iterable[str]) -> str:
    """Notes of a result as sentences in a row."""
    told = (note.strip() for note in notes)
    return " ".join(
        f"{note[0].upper()}{note[1:]}" + ("" if note.endswith((":", ".")) else ".")
        for note in told
        if note
    )
