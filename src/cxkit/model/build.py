"""Putting journeys together: the one place where touchpoints are sorted into journeys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.codes import Codes
from cxkit.core.rows import gather
from cxkit.core.sorting import sort_rows
from cxkit.core.spans import FIRST_US, LAST_US
from cxkit.errors import DataError, SchemaError
from cxkit.model.columnar import Column
from cxkit.model.journeys import Journeys

__all__ = ["build", "concat", "from_codes", "given_column", "in_usual_order"]

_SPARSE: Final = 4  # a column is sparse where at most one row in so many has a value
_RESERVED: Final = ("customer", "time")
_ORDER: Final = ("channel", "event", "value")


def from_codes(
    *, customer: NDArray[Any] | Codes, time: NDArray[Any], columns: Mapping[str, Any]
) -> Journeys:
    """See :meth:`cxkit.Journeys.from_codes`."""
    who = customer if isinstance(customer, Codes) else _labels("customer", np.asarray(customer))
    times = _microseconds(np.asarray(time))
    kept: dict[str, Column] = {}
    for name, given in columns.items():
        if name in _RESERVED:
            raise SchemaError(f"{name!r} is an argument of its own, not one of columns")
        column = given if isinstance(given, Codes) else np.asarray(given)
        if isinstance(column, np.ndarray):
            column = _floats(column) if column.dtype.kind == "f" else _labels(name, column)
        kept[name] = column
    for name, array in {"time": times, **kept}.items():
        if len(array) != len(who):
            raise SchemaError(f"{name!r} has {len(array)} rows, customer has {len(who)}")
    # Looked for by the extremes first: a mask of all rows is only made for the error.
    if len(who) and int(who.codes.max()) == who.missing:
        lost = who.is_missing()
        raise DataError(
            f"row {int(np.flatnonzero(lost)[0])} has no customer; {_count(lost)} in all"
        )
    if len(times) and not FIRST_US <= int(times.min()) <= int(times.max()) <= LAST_US:
        outside = (times < FIRST_US) | (times > LAST_US)
        row = int(np.flatnonzero(outside)[0])
        raise DataError(
            f"row {row}: time {times[row]} us since 1970 lies outside the years 1900 to 2200; "
            f"{_count(outside)} in all"
        )
    for name in ("channel", "event"):
        if name in kept and not isinstance(kept[name], Codes):
            raise SchemaError(f"{name!r} must hold labels (codes or whole numbers), not floats")
    if isinstance(kept.get("value"), Codes):
        raise SchemaError("'value' must hold floats, not labels")
    if "value" in kept and (bad := np.isinf(kept["value"])).any():  # type: ignore[arg-type]
        raise DataError(
            f"row {int(np.flatnonzero(bad)[0])} has an infinite value; {_count(bad)} in all"
        )
    return build(who, times, kept)


def build(customer: Codes, times: IntArray, columns: Mapping[str, Column]) -> Journeys:
    """Sort touchpoints into journeys, one per customer. The arguments are trusted.

    Args:
        customer: (E,) codes, none missing.
        times: (E,) int64 microseconds since 1970.
        columns: name -> (E,) column.
    """
    named = {name: columns[name] for name in in_usual_order(columns)}
    if not len(customer):
        none = np.zeros(0, "datetime64[us]")
        return Journeys(np.zeros(1, np.int64), customer, none, named)
    found = sort_rows(customer.codes, times)
    offsets = np.append(found.starts, len(times))
    if found.order is None:
        who = customer.take(found.starts)
    else:
        who = customer.take(found.order[found.starts])
        named = {name: _gather(column, found.order) for name, column in named.items()}
    return Journeys(offsets, who, found.times.view("datetime64[us]"), named)


def in_usual_order(names: Iterable[str]) -> list[str]:
    """Names of columns, each once: channel, event and value first, then the others as they come."""
    given = dict.fromkeys(names)
    return [*(name for name in _ORDER if name in given), *(n for n in given if n not in _ORDER)]


def concat(parts: list[Journeys]) -> Journeys:
    """See :meth:`cxkit.Journeys.concat`."""
    if not parts:
        return Journeys.empty()
    sizes = [0, *np.cumsum([part.touchpoints for part in parts]).tolist()]
    begins = [part.offsets[:-1] + size for part, size in zip(parts, sizes, strict=False)]
    offsets = np.append(np.concatenate(begins), sizes[-1])
    names = list(dict.fromkeys(name for part in parts for name in part.columns))
    columns: dict[str, Column] = {}
    for name in names:
        given = [given_column(part, name) for part in parts]
        kinds = {isinstance(column, Codes) for column in given if column is not None}
        if len(kinds) > 1:
            raise SchemaError(
                f"column {name!r} holds labels in one part and numbers in another; make both the "
                "same before they are put together"
            )
        if kinds != {False}:
            columns[name] = _concat_codes(
                [
                    column if isinstance(column, Codes) else Codes.all_missing(part.touchpoints)
                    for column, part in zip(given, parts, strict=True)
                ]
            )
        else:
            columns[name] = np.concatenate(
                [
                    np.full(part.touchpoints, np.nan) if column is None else column
                    for column, part in zip(given, parts, strict=True)
                ]
            )
    customer = _concat_codes([part.customer for part in parts])
    return Journeys(offsets, customer, np.concatenate([part.time for part in parts]), columns)


def given_column(part: Journeys, name: str) -> Column | None:
    """A column of one part; ``None`` if the part lacks it, or it holds nothing in any row.

    A column without a single cell has no kind: read as labels that are all missing, it may well be
    the numbers of another part.
    """
    column = part.columns.get(name)
    return None if isinstance(column, Codes) and not len(column.vocabulary) else column


def _concat_codes(parts: list[Codes]) -> Codes:
    vocabulary = parts[0].vocabulary
    for part in parts[1:]:
        vocabulary = vocabulary.union(part.vocabulary)
    return Codes(np.concatenate([part.over(vocabulary).codes for part in parts]), vocabulary)


def _gather(column: Column, order: IntArray) -> Column:
    if isinstance(column, Codes):
        return Codes(gather(column.codes, order), column.vocabulary)
    given = ~np.isnan(column)
    if np.count_nonzero(given) > len(column) // _SPARSE:
        return gather(column, order)
    # Most touchpoints carry no value. Bytes are fetched in random order several times faster than
    # floats, so it pays to ask for them first where a value is.
    out = np.full(len(column), np.nan)
    at = np.flatnonzero(gather(given, order))
    out[at] = column[order[at]]
    return out


def _labels(name: str, array: NDArray[Any]) -> Codes:
    if array.dtype.kind not in "iu":
        raise SchemaError(
            f"{name!r} has dtype {array.dtype}; from_codes takes Codes or whole numbers, "
            "from_table takes text and categories"
        )
    return Codes.of(array)


def _floats(array: NDArray[Any]) -> NDArray[np.float64]:
    return array.astype(np.float64, copy=False)


def _microseconds(array: NDArray[Any]) -> IntArray:
    if array.dtype.kind == "M":
        if np.isnat(array).any():
            raise DataError(f"row {int(np.flatnonzero(np.isnat(array))[0])} has no time (NaT)")
        return array.astype("datetime64[us]").view(np.int64)
    if array.dtype.kind == "i":
        return array.astype(np.int64, copy=False)
    raise SchemaError(
        f"time has dtype {array.dtype}; from_codes takes datetime64 or int64 microseconds, "
        "from_table takes text and other units"
    )


def _count(mask: NDArray[np.bool_]) -> str:
    return f"{int(mask.sum()):,} of {len(mask):,} rows"
