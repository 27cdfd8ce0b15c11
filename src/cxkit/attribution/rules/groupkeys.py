"""Groups of touchpoints by columns, by time and by cohort."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.codes import Codes, Label
from cxkit.errors import DefinitionError, SchemaError
from cxkit.model.journeys import Journeys

__all__ = ["Grouped", "group_rows"]

_UNITS: Final = {"day": "D", "week": "W", "month": "M", "year": "Y"}
_MOST_CELLS: Final = 1 << 22
_MONDAY: Final = 4
"""1970-01-01 was a Thursday: weeks of datetime64 begin on Thursdays, and are moved."""


@attrs.frozen(eq=False, kw_only=True)
class Grouped:
    """Touchpoints in G groups.

    Attributes:
        codes: (E,) the group of each touchpoint.
        labels: name of a key -> (G,) the labels of the groups.
    """

    codes: IntArray
    labels: Mapping[str, list[Label | None]]

    @property
    def count(self) -> int:
        """G."""
        return len(next(iter(self.labels.values())))


def group_rows(
    journeys: Journeys,
    keys: Sequence[str],
    columns: Mapping[str, Codes | Sequence[Label | None] | NDArray[Any]],
) -> Grouped:
    """Put touchpoints into groups, one for each combination of labels that occurs.

    Args:
        journeys: The journeys.
        keys: Columns, ``customer``, or parts of the time; see ``Credits.by``.
        columns: Further keys by name, one label per touchpoint.

    Raises:
        SchemaError: There is no such column, or it is of the wrong kind or length.
        DefinitionError: There is no key.
    """
    found = {key: _column(journeys, key) for key in keys}
    for name, given in columns.items():
        column = given if isinstance(given, Codes) else Codes.of(given)
        if len(column) != journeys.touchpoints:
            raise SchemaError(
                f"{name!r} has {len(column):,} labels for {journeys.touchpoints:,} touchpoints"
            )
        found[name] = column
    if not found:
        raise DefinitionError("name at least one key to sum by, such as 'channel'")
    codes, cells = np.zeros(journeys.touchpoints, np.int64), 1
    for column in found.values():
        if cells * column.slots >= 1 << 62:
            distinct, codes = np.unique(codes, return_inverse=True)
            cells = len(distinct)
        codes = codes * column.slots + column.codes
        cells *= column.slots
    if cells <= _MOST_CELLS:
        seen = np.flatnonzero(np.bincount(codes, minlength=cells))
        place = np.zeros(cells, np.int64)
        place[seen] = np.arange(len(seen))
        group = place[codes]
    else:
        seen, group = np.unique(codes, return_inverse=True)
    first = np.zeros(len(seen), np.int64)
    first[group[::-1]] = np.arange(len(group) - 1, -1, -1)
    labels = {name: column.take(first).to_list() for name, column in found.items()}
    return Grouped(codes=group, labels=labels)


def _column(journeys: Journeys, key: str) -> Codes:
    if key in journeys.columns or key == "customer":
        return journeys.codes(key)
    if key in _UNITS:
        return _instants(journeys.time, key)
    if key == "cohort":
        return _cohort(journeys)
    return journeys.codes(key)  # the error that names what there is


def _instants(time: NDArray[np.datetime64], key: str) -> Codes:
    """The day, week, month or year of instants, as text."""
    if key == "week":
        days = time.astype("datetime64[D]").view(np.int64)
        whole = ((days + _MONDAY - 1) // 7 * 7 - _MONDAY + 1).view("datetime64[D]")
    else:
        whole = time.astype(f"datetime64[{_UNITS[key]}]")
    number = whole.view(np.int64)
    low = int(number.min(initial=0)) if not len(number) else int(number.min())
    high = int(number.max()) if len(number) else low
    names = np.arange(low, high + 1).view(whole.dtype)
    return Codes.from_codes(number - low, [str(n) for n in names])


def _cohort(journeys: Journeys) -> Codes:
    """The month of the first touchpoint of each touchpoint's customer."""
    customer = journeys.customer
    first = np.full(customer.slots, np.iinfo(np.int64).max)
    begun = journeys.time[journeys.offsets[:-1]].view(np.int64)
    np.minimum.at(first, customer.codes, begun)
    of_journey = first[customer.codes].view("datetime64[us]")
    months = _instants(of_journey, "month")
    return months.take(np.repeat(np.arange(len(of_journey)), np.diff(journeys.offsets)))
