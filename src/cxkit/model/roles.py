"""Columns of numbers and of times.

A column of the wrong kind as a whole is an error, because nothing of it could be used; a wrong cell
costs its row, which goes to the rejects.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import tzinfo
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxkit.core import instants
from cxkit.core.arrays import IntArray
from cxkit.core.counted import from_counted
from cxkit.core.isotime import UNREADABLE
from cxkit.core.numerals import parse_floats, parse_wholes
from cxkit.errors import SchemaError
from cxkit.model.columns import EXACT, Column, is_null, wrong_kind
from cxkit.model.rejects import RejectLog

__all__ = ["read_numbers", "read_times"]


def read_numbers(
    column: Column, nulls: Collection[str], role: str, log: RejectLog
) -> NDArray[np.float64]:
    """A value: numbers, also written as text. Missing is NaN.

    Args:
        column: The column.
        nulls: Texts that mean missing.
        role: What the column is for, for errors.
        log: Takes rows whose cell is infinite or no number.

    Returns:
        (E,) float64; NaN where a row is missing or was rejected.

    Raises:
        SchemaError: The column is of a kind that has no numbers.
    """
    if column.kind in {"truth", "instant", "other"}:
        raise wrong_kind(column, role, "numbers")
    null = column.is_null()
    if column.kind == "empty":
        return np.full(len(column), np.nan)
    if column.kind in {"text", "objects"}:
        texts = column.values
        if column.kind == "objects":
            texts = ["" if is_null(v) else _number_text(v) for v in texts]
        values, bad = parse_floats(texts)
        lost = _which(texts, nulls)
        if lost is not None:
            values[lost], bad[lost] = np.nan, False
        if column.codes is not None:
            at = np.where(null, 0, column.codes)
            values, bad = (
                (values[at], bad[at])
                if texts
                else (np.full(len(at), np.nan), np.zeros(len(at), dtype=bool))
            )
        log.add(bad & ~null, column, "not a number")
    else:
        values = column.values.astype(np.float64)  # a copy: the caller's array stays as it is
    infinite = np.isinf(values) & ~null
    log.add(infinite, column, "infinite")
    values[infinite | null] = np.nan
    return values


def read_times(
    column: Column,
    nulls: Collection[str],
    log: RejectLog,
    *,
    zone: tzinfo | None,
    unit: str | None,
    pattern: str | None,
) -> tuple[IntArray, int]:
    """When: instants of any library, ISO text, text by a pattern, or numbers of a unit.

    Args:
        column: The column.
        nulls: Texts that mean no time.
        log: Takes rows without a usable time.
        zone: The zone of times that do not say theirs.
        unit: Unit of numbers since 1970: s, ms, us or ns.
        pattern: How text is written, in the letters of ``strptime``.

    Returns:
        ``(us, repeated)``: (E,) int64 microseconds since 1970, UTC, 0 where a row was rejected; and
        how many local times came twice.

    Raises:
        SchemaError: The column is of a kind that is no time; numbers without ``unit``; times
            without a zone, and ``zone`` is ``None``.
    """
    clock = _clock(column, nulls, unit, pattern)
    unknown = clock.naive & (clock.reason == instants.FINE)
    if zone is None and unknown.any():
        row = int(np.argmax(unknown))
        count = int(unknown.sum())
        some = "" if count == len(unknown) else f" in {count:,} of {len(unknown):,} rows"
        raise SchemaError(
            f"column {column.name!r} for time has naive times{some}, for instance "
            f"{column.show(row)!r} in row {row}: nobody can tell which instant that was. Pass "
            'tz="UTC", or the zone they were recorded in, such as tz="Europe/Amsterdam"'
        )
    found = instants.to_utc(clock, zone)
    if found.reason.any():
        for code in np.unique(found.reason[found.reason > 0]).tolist():
            log.add(found.reason == code, column, instants.REASONS[code])
    return found.us, found.repeated


def _clock(
    column: Column, nulls: Collection[str], unit: str | None, pattern: str | None
) -> instants.Clock:
    kind, null = column.kind, column.is_null()
    if kind in {"truth", "other"}:
        raise wrong_kind(column, "time", "times")
    if kind == "empty":
        return instants.from_objects([None]).take(np.zeros(len(column), np.int64))
    if kind == "text":
        clock = _text_clock(column, nulls, unit, pattern)
        return clock.take(np.arange(len(column)) if column.codes is None else column.codes, null)
    if kind == "objects":
        return _mixed_clock(column.values, nulls, unit, pattern)
    if kind == "instant":
        clock = instants.from_datetime64(column.values, naive=not column.aware)
    else:
        if unit is None:
            raise _no_unit(column, column.values, "numbers")
        exact = column.values.dtype.kind == "O"
        read = from_counted if exact else instants.from_numbers
        clock = read(column.values, unit)
    return clock if column.null is None else clock.take(np.arange(len(column)), null)


def _text_clock(
    column: Column, nulls: Collection[str], unit: str | None, pattern: str | None
) -> instants.Clock:
    texts = column.values
    if unit is not None:
        numbers, bad = parse_wholes(texts)
        if numbers.dtype.kind == "f" and (np.abs(numbers) >= EXACT).any():
            clock = from_counted(texts, unit)
        else:
            clock = instants.from_numbers(numbers, unit)
            clock.reason[bad] = instants.NOT_A_NUMBER
    elif pattern is not None:
        clock = instants.from_pattern(texts, pattern)
    else:
        clock = instants.from_iso(texts)
    lost = _which(texts, nulls)
    if lost is not None:
        clock.reason[lost] = instants.MISSING
    if unit is None and pattern is None and len(texts) and not (clock.reason == 0).any():
        numbers, bad = parse_wholes(texts)
        if not bad.all() and (~bad).sum() > len(texts) / 2:
            raise _no_unit(column, numbers[~bad], "numbers written as text")
    return clock


def _mixed_clock(
    values: list[Any], nulls: Collection[str], unit: str | None, pattern: str | None
) -> instants.Clock:
    """Times of several kinds in one column: each cell as in a column of its own kind."""
    apart = unit is not None or pattern is not None  # text is not ISO then
    clock = instants.from_objects(
        [None if apart and isinstance(value, str) else value for value in values]
    )
    if unit is not None:
        counts = [
            row
            for row, value in enumerate(values)
            if isinstance(value, str) or clock.reason[row] == UNREADABLE
        ]
        _put(clock, counts, from_counted([values[row] for row in counts], unit))
    elif pattern is not None:
        texts = [row for row, value in enumerate(values) if isinstance(value, str)]
        _put(clock, texts, instants.from_pattern([str(values[row]) for row in texts], pattern))
    lost = [row for row, value in enumerate(values) if _means_missing(value, nulls)]
    clock.us[lost], clock.naive[lost], clock.reason[lost] = 0, False, instants.MISSING
    return clock


def _put(clock: instants.Clock, rows: list[int], found: instants.Clock) -> None:
    clock.us[rows], clock.naive[rows], clock.reason[rows] = found.us, found.naive, found.reason


def _means_missing(value: object, nulls: Collection[str]) -> bool:
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        value = int(value)  # -1.0 is what "-1" means
    return isinstance(value, (str, int, np.integer, float, Decimal)) and str(value) in nulls


def _no_unit(column: Column, numbers: NDArray[Any], what: str) -> SchemaError:
    size = float(np.median(np.abs(numbers.astype(np.float64)))) if len(numbers) else 0.0
    likely = next((u for u, top in (("s", 1e11), ("ms", 1e14), ("us", 1e17)) if size < top), "ns")
    example = f", for instance {column.show(0)!r} in row 0" if len(column) else ""
    return SchemaError(
        f"column {column.name!r} for time holds {what} ({column.dtype}){example}; pass "
        f'time_unit="s", "ms", "us" or "ns" since 1970 (these look like {likely!r}), or '
        'time_format="%Y%m%d" where digits write a date'
    )


def _number_text(value: object) -> str:
    return "no" if isinstance(value, (bool, np.bool_)) else str(value)


def _which(texts: list[str], nulls: Collection[str]) -> NDArray[np.bool_] | None:
    """Which texts mean missing, or ``None`` if none does."""
    lost = np.fromiter(map(nulls.__contains__, texts), bool, len(texts))
    return lost if lost.any() else None
