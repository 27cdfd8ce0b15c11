"""Batches of rows that are sorted by customer -> complete journeys.

Only the last customer of a batch may go on in the next one, so that journey is kept back until
another customer comes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs
import numpy as np

from cxkit.core.arrays import IntArray
from cxkit.core.codes import TEXT, Codes
from cxkit.errors import CxError, DataError
from cxkit.interop.asked import roles_of
from cxkit.interop.folded import add_reasons, first_rejects, no_rejects
from cxkit.model.build import build, given_column
from cxkit.model.columnar import Column
from cxkit.model.ingest import ingest
from cxkit.model.journeys import Journeys
from cxkit.model.labels import read_customers
from cxkit.model.nulls import mark_missing
from cxkit.model.rejects import Rejected, RejectLog
from cxkit.model.tables import Table, open_table

__all__ = ["JourneyStream"]

_MOST_ROWS: Final = 2**31 - 1
_NUMBERS: Final = "decimal numbers"


class JourneyStream:
    """Makes complete journeys of sorted batches, and keeps account of every row.

    Args:
        roles: Which column is what, as in :func:`cxkit.ingest`.

    Attributes:
        rows: How many rows were read.
        touchpoints: How many of them could be used.
        rejected: The first 1,000 rows that could not.
        reasons: (column, reason) -> how many rows it cost.

    Example:
        >>> stream = JourneyStream({"customer": "who", "time": "at", "time_unit": "s"})
        >>> [len(j) for j in stream.feed({"who": [1, 2], "at": [0, 0]})]
        [1]
        >>> [len(j) for j in stream.feed({"who": [2, 2], "at": [5, 9]})]
        []
        >>> [j.touchpoints for j in stream.finish()]
        [3]
    """

    def __init__(self, roles: Mapping[str, Any]) -> None:
        """Nothing was read yet."""
        self.rows: int = 0
        self.touchpoints: int = 0
        self.rejected: Rejected = no_rejects()
        self.reasons: Mapping[tuple[str, str], int] = {}
        self._roles = roles_of(roles)
        self._open: list[Journeys] = []  # the pieces of the journey that may go on
        self._kinds: dict[str, str] = {}

    def feed(
        self, table: object, *, rows: IntArray | None = None, where: str = "", first_row: int = 0
    ) -> list[Journeys]:
        """Read one more batch.

        Args:
            table: The batch.
            rows: (E,) the number of each row in the source, for the list of rejected rows; by
                default they are counted on.
            where: What to call the batch in errors, such as the name of its file.
            first_row: The number of its first row there, likewise.

        Returns:
            The journeys that are complete now, in order of customer.

        Raises:
            DataError: It is not sorted, or does not come after the batch before; a column is of
                another kind than before; or a customer has too many touchpoints.
            SchemaError: As in :func:`cxkit.ingest`.
        """
        opened = open_table(table)
        if not opened.rows:
            return []
        if opened.rows > _MOST_ROWS:
            raise DataError(
                f"{where or 'a batch'} has {opened.rows:,} rows, more than {_MOST_ROWS:,}; hand "
                "them in as several batches"
            )
        try:
            self._check_order(table, opened, first_row)
            got = ingest(opened, **self._roles)
            journeys = self._as_before(got.journeys)
            self._check_kinds(journeys)
            if len(got.rejected):
                self._reject(got.rejected, rows)
            complete = self._take(journeys, first_row + _first_accepted(got.rejected))
        except CxError as error:
            raise _located(error, where) from None
        self.rows += opened.rows
        self.touchpoints += journeys.touchpoints
        return complete

    def finish(self) -> list[Journeys]:
        """The journey that was kept back, if there is one: no more rows will come."""
        if not self._open:
            return []
        whole = self._open[0]
        if len(self._open) > 1:
            pieces = Journeys.concat(self._open)
            who = pieces.customer.take(np.zeros(pieces.touchpoints, np.intp))
            whole = build(who, pieces.time.view(np.int64), pieces.columns)
        self._open = []
        return [whole]

    def _take(self, journeys: Journeys, first_row: int) -> list[Journeys]:
        """All journeys that are complete; the last may go on."""
        if not len(journeys):
            return []
        begins = 0
        if self._open:
            before, first = _label(self._open[0]), _label(journeys)
            if first < before:
                raise _unsorted(first, before, first_row)
            if first == before:
                self._keep(journeys[:1])
                begins = 1
        if begins == len(journeys):
            return []
        complete = self.finish()
        if begins < len(journeys) - 1:
            complete.append(journeys[begins:-1])
        self._keep(journeys[-1:])
        return complete

    def _keep(self, journey: Journeys) -> None:
        """Keep a journey that may go on, without what the rest of its batch needed."""
        size = journey.touchpoints + sum(piece.touchpoints for piece in self._open)
        if size > _MOST_ROWS:
            raise DataError(
                f"customer {_label(journey)!r} has more than {_MOST_ROWS:,} touchpoints, too "
                "many for one journey; if this means that nobody knows who it was, pass "
                f"null_values=[{str(_label(journey))!r}]"
            )
        columns: dict[str, Column] = {
            name: _compact(column) if isinstance(column, Codes) else column.copy()
            for name, column in journey.columns.items()
        }
        who, times = _compact(journey.customer), journey.time.copy()
        self._open.append(attrs.evolve(journey, customer=who, time=times, columns=columns))

    def _reject(self, rejected: Rejected, rows: IntArray | None) -> None:
        at = rejected.row + self.rows if rows is None else np.asarray(rows)[rejected.row]
        self.reasons = add_reasons(self.reasons, rejected.counts())
        # A row number of its own order: what is kept must not depend on where batches begin.
        self.rejected = first_rejects(self.rejected, attrs.evolve(rejected, row=at))

    def _check_order(self, table: object, opened: Table, first_row: int) -> None:
        name = self._roles["customer"]
        if _surely_sorted(table, name):
            return
        nulls = self._roles["null_values"]
        column = mark_missing(opened.column(name, "customer"), nulls)
        who = read_customers(column, nulls, RejectLog(opened.rows))
        there = np.flatnonzero(~who.is_missing())
        falls = np.flatnonzero(who.codes[there[1:]] < who.codes[there[:-1]])
        if len(falls):
            at = there[falls[0] : falls[0] + 2]
            before, after = who.take(at).to_list()
            raise _unsorted(after, before, first_row + int(at[1]))

    def _as_before(self, journeys: Journeys) -> Journeys:
        """Columns without a single cell as numbers, where they were numbers in batches before."""
        columns: dict[str, Column] = {
            name: np.full(journeys.touchpoints, np.nan)
            if self._kinds.get(name) == _NUMBERS and given_column(journeys, name) is None
            else column
            for name, column in journeys.columns.items()
        }
        return attrs.evolve(journeys, columns=columns)

    def _check_kinds(self, journeys: Journeys) -> None:
        """Labels are text in every batch or numbers in every batch: else none would be equal."""
        for name, column in {"customer": journeys.customer, **journeys.columns}.items():
            kind = _NUMBERS
            if isinstance(column, Codes):
                if not len(column.vocabulary):
                    continue
                kind = "text" if column.vocabulary.labels.dtype == TEXT else "whole numbers"
            before = self._kinds.setdefault(name, kind)
            if before != kind:
                # A batch of whole numbers is text if one of them is too large for the kind.
                large = {kind, before} == {"text", "whole numbers"}
                raise DataError(
                    f"{name!r} is read as {kind} here and as {before} before"
                    + (" (whole numbers from 2**63 on are read as text)" if large else "")
                    + "; make it one kind, such as text, in the source"
                )


def _label(journeys: Journeys) -> Any:
    """The customer of the first journey."""
    return journeys.customer.take(slice(0, 1)).to_list()[0]


def _compact(column: Codes) -> Codes:
    """A copy without the labels that only other rows have."""
    return Codes.from_codes(column.codes, column.vocabulary, missing=column.missing)


def _first_accepted(rejected: Rejected) -> int:
    """The first row of a batch that was not rejected, if there is one."""
    return int((rejected.row == np.arange(len(rejected))).cumprod().sum())


def _surely_sorted(table: object, name: str) -> bool:
    """Whether Arrow itself can tell that a column is sorted; it needs no dictionary for that."""
    if type(table).__module__.partition(".")[0] != "pyarrow":
        return False
    import pyarrow as pa
    from pyarrow import compute

    functions: Any = compute  # made at run time, unseen by type checkers
    batch: Any = table
    if batch.schema.names.count(name) != 1:
        return False
    column = batch.column(name)
    if not (pa.types.is_string(column.type) or pa.types.is_integer(column.type)):
        return False
    if column.null_count:
        column = column.drop_null()
    rises = functions.all(functions.less_equal(column[:-1], column[1:])).as_py()
    return rises is not False  # nothing to compare is sorted


def _unsorted(after: object, before: object, row: int) -> DataError:
    return DataError(
        f"row {row:,}: customer {after!r} comes after {before!r}, but rows must be sorted by "
        "customer, numbers by size and text by code point; sort them, or let "
        "cx.interop.duckdb.fold do it"
    )


def _located(error: CxError, where: str) -> CxError:
    return type(error)(f"{where}: {error}") if where else error
