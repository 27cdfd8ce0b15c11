"""Rows that could not be used, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.result import Result
from cxkit.model.columns import Column, shorten

__all__ = ["RejectLog", "Rejected"]

_REASONS_SHOWN = 8


def _texts(given: Iterable[str]) -> tuple[str, ...]:
    return tuple(given)


@attrs.frozen(eq=False, repr=False)
class Rejected(Result):
    """The rows of a table that were not used, in order of row; each is named once.

    Where a row has several faults, the first in the order customer, time, channel, event, value,
    further columns is the one that is named. Rows of a file that are broken as rows come before all
    of these.

    Attributes:
        row: (n,) int64, counted from 0; for a file, the first record after the header is row 0.
        column: The column of the fault; empty if the whole row is at fault.
        found: What stood there, shortened to 60 characters.
        reason: Why it cannot be used.

    Example:
        >>> import cxkit as cx
        >>> cx.ingest(
        ...     {"c": ["a", ""], "t": ["2024-01-01Z", "2024-01-01T00:00Z"]}, customer="c", time="t"
        ... ).rejected.to_dicts()[1]
        {'row': 1, 'column': 'c', 'found': '', 'reason': 'no customer'}
    """

    row: IntArray = attrs.field(converter=freeze)
    column: tuple[str, ...] = attrs.field(converter=_texts)
    found: tuple[str, ...] = attrs.field(converter=_texts)
    reason: tuple[str, ...] = attrs.field(converter=_texts)

    def columns(self) -> Mapping[str, Any]:
        """``row``, ``column``, ``found`` and ``reason``."""
        return {
            "row": self.row,
            "column": self.column,
            "found": self.found,
            "reason": self.reason,
        }

    def title(self) -> str:
        """How many rows were rejected."""
        return f"{len(self):,} rows rejected"

    def counts(self) -> dict[tuple[str, str], int]:
        """How many rows each (column, reason) cost, the most first."""
        return dict(Counter(zip(self.column, self.reason, strict=True)).most_common())

    def summary(self) -> list[str]:
        """One line per column and reason, with its rows and its first example."""
        first: dict[tuple[str, str], int] = {}
        for at, key in enumerate(zip(self.column, self.reason, strict=True)):
            first.setdefault(key, at)
        counts = self.counts()
        lines = []
        for key in list(counts)[:_REASONS_SHOWN]:
            column, reason = key
            at = first[key]
            where = f"column {column!r}: " if column else ""
            what = f", found {self.found[at]!r}" if self.found[at] else ""
            lines.append(f"{counts[key]:,} x {where}{reason} (first in row {self.row[at]}{what})")
        if len(counts) > _REASONS_SHOWN:
            lines.append(f"and {len(counts) - _REASONS_SHOWN} more kinds")
        return lines


class RejectLog:
    """Gathers rejects while a table is read: the first fault of a row stays."""

    def __init__(self, rows: int) -> None:
        """Nothing is rejected yet."""
        self._fault = np.zeros(rows, np.int32)
        self._faults: list[tuple[Column | None, str, str]] = []
        self._texts: dict[int, str] = {}

    def add(self, bad: NDArray[np.bool_], column: Column, reason: str) -> None:
        """Reject the rows of a mask, for what one column holds there."""
        if bad.any():
            self._faults.append((column, column.name, reason))
            self._fault[bad & (self._fault == 0)] = len(self._faults)

    def add_rows(self, rows: Sequence[int], found: Sequence[str], reasons: Sequence[str]) -> None:
        """Reject rows that are broken as rows."""
        known = len(self._faults)
        number = {reason: known + at for at, reason in enumerate(dict.fromkeys(reasons), 1)}
        self._faults.extend((None, "", reason) for reason in number)
        for row, text, reason in zip(rows, found, reasons, strict=True):
            self._fault[row] = number[reason]
            self._texts[row] = shorten(text)

    def kept(self) -> NDArray[np.bool_]:
        """(E,) which rows have no fault."""
        return np.asarray(self._fault == 0)

    def result(self) -> Rejected:
        """All that was rejected."""
        rows = np.flatnonzero(self._fault)
        faults = [self._faults[at - 1] for at in self._fault[rows].tolist()]
        found = [
            self._texts[row] if column is None else column.show(row)
            for row, (column, _, _) in zip(rows.tolist(), faults, strict=True)
        ]
        names = [name for _, name, _ in faults]
        return Rejected(rows, names, found, [reason for _, _, reason in faults])
