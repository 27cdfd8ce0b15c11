"""What came through the door, and what is worth knowing of it."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.codes import Codes
from cxkit.model.journeys import Journeys
from cxkit.model.rejects import Rejected

__all__ = ["Ingested", "count_duplicates", "notes_on"]

# What tools write for a missing id. It is kept, since a customer may be called so, but it is named.
_NULL_WORDS: Final = (
    *(
        "NA",
        "N/A",
        "n/a",
        "na",
        "#N/A",
        "NaN",
        "nan",
        "NAN",
        "null",
        "NULL",
        "Null",
        "None",
        "none",
    ),
    *("NONE", "nil", "undefined", "unknown", "Unknown", "UNKNOWN", "(not set)", "-", "?"),
)


@attrs.frozen(eq=False, repr=False)
class Ingested:
    """What came through the door.

    Attributes:
        journeys: The touchpoints that could be used, one journey per customer.
        rejected: The rows that could not, with their reasons.
        rows: How many rows the table has: ``journeys.touchpoints + len(rejected)``.
        duplicates: How many accepted rows equal an earlier row in every column that was read. They
            are kept: two equal clicks in one second can both be true.
        notes: What a reader should know, such as how many local times were ambiguous.
    """

    journeys: Journeys
    rejected: Rejected
    rows: int
    duplicates: int
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """One screen: rows, journeys, rejects by reason, duplicates, notes."""
        accepted, rejected = self.journeys.touchpoints, len(self.rejected)
        lines = [
            f"<Ingested: {self.rows:,} rows, {accepted:,} accepted, {rejected:,} rejected>",
            repr(self.journeys),
            *(f"rejected {line}" for line in self.rejected.summary()),
        ]
        if self.duplicates:
            lines.append(f"rows that repeat an earlier row, and are kept: {self.duplicates:,}")
        return "\n".join([*lines, *self.notes])


def count_duplicates(journeys: Journeys) -> int:
    """Count the touchpoints that equal an earlier one of their customer in every column.

    Only touchpoints that share customer and instant can be equal, so only these are compared.
    """
    ticks = journeys.time.view(np.int64)
    if len(ticks) < 2:
        return 0
    same = np.zeros(len(ticks), dtype=bool)
    np.equal(ticks[1:], ticks[:-1], out=same[1:])
    same[journeys.offsets[:-1]] = False
    shared = same.copy()
    shared[:-1] |= same[1:]
    rows = np.flatnonzero(shared)
    if not len(rows):
        return 0
    keys: list[NDArray[Any]] = [
        column.codes[rows] if isinstance(column, Codes) else _float_key(column[rows])
        for column in journeys.columns.values()
    ]
    keys.append(np.cumsum(~same[rows]))
    order = np.lexsort(keys)
    equal = np.ones(len(rows) - 1, dtype=bool)
    for key in keys:
        ordered = key[order]
        equal &= ordered[1:] == ordered[:-1]
    return int(equal.sum())


def _float_key(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Integers that are equal where floats are: NaN equals NaN, and 0.0 equals -0.0."""
    return np.where(np.isnan(values), np.nan, values + 0.0).view(np.int64)


def notes_on(journeys: Journeys, customer: str, repeated: int, zone: tzinfo | None) -> list[str]:
    """What a reader should know of journeys that came from a table.

    Args:
        journeys: What came of it.
        customer: The column of the customer.
        repeated: How many local times came twice.
        zone: Where.
    """
    notes = []
    if repeated:
        notes.append(
            f"local times that came twice in {zone}, when clocks went back: {repeated:,}; the "
            "earlier instant was taken"
        )
    vocabulary = journeys.customer.vocabulary
    for word in _NULL_WORDS:
        if word in vocabulary:
            code = vocabulary.index(word)
            size = int(np.diff(journeys.offsets)[journeys.customer.codes == code].sum())
            notes.append(
                f"customer {word!r} (rows: {size:,}) is taken for a customer of that name; if it "
                f"means that {customer!r} is missing, pass null_values=[{word!r}]"
            )
    return notes
