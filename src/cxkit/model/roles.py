"""What a column must hold to be a customer, a time, a label or a number, row by row.

A column of the wrong kind as a whole is an error, because nothing of it could be used; a wrong cell
costs its row, which goes to the rejects.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date, tzinfo
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cxkit.core import instants
from cxkit.core.arrays import IntArray
from cxkit.core.codes import Codes
from cxkit.core.numerals import parse_floats, parse_wholes
from cxkit.errors import SchemaError
from cxkit.model.columns import Column, is_null
from cxkit.model.rejects import RejectLog

__all__ = ["read_customers", "read_labels", "read_numbers", "read_times"]

_EXACT: Final = 2.0**53  # from here on a float no longer tells whole numbers apart
_LARGEST: Final = 2**63 - 1


def read_customers(column: Column, nulls: Collection[str], log: RejectLog) -> Codes:
    """Who: text, or whole numbers, also as floats.

    Args:
        column: The column.
        nulls: Texts that mean nobody.
        log: Takes the rows without a usable customer.

    Returns:
        (E,) codes; a row that was rejected is missing.

    Raises:
        SchemaError: The column is of a kind that is nobody's id.
    """
    if column.kind in {"truth", "instant", "other"}:
        raise _wrong(column, "customer", "text or whole numbers")
    null = column.is_null()
    if column.kind == "decimal":
        column = _whole(column, log, "not a whole number, so not an id")
    codes = _labelled(column, nulls, log, lambda text: not text or text.isspace(), truths=False)
    nobody = codes.is_missing()
    if column.kind == "objects" and len(codes) and nobody[~null].all() and not null.all():
        raise _wrong(column, "customer", "text or whole numbers")
    log.add(nobody, column, "no customer")
    return codes


def read_labels(column: Column, nulls: Collection[str], role: str, log: RejectLog) -> Codes:
    """A channel, an event or another category: text, whole numbers or truth values.

    Args:
        column: The column.
        nulls: Texts that mean missing.
        role: What the column is for, for errors.
        log: Takes rows whose cell is no label. A missing label is none of them.

    Raises:
        SchemaError: The column is of a kind that has no labels.
    """
    if column.kind in {"instant", "other"}:
        raise _wrong(column, role, "text or whole numbers")
    if column.kind == "decimal":
        column = _whole(column, log, f"not a whole number, so no label for {role}")
    return _labelled(column, nulls, log, lambda _: False, truths=True)


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
        raise _wrong(column, role, "numbers")
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
                if len(texts)
                else (np.full(len(at), np.nan), np.zeros(len(at), dtype=bool))
            )
        log.add(bad & ~null, column, "not a number")
    else:
        values = column.values.astype(np.float64)  # a copy: the caller's array stays as it is
    infinite = np.isinf(values) & ~null
    log.add(infinite, column, "infinite")
    values[infinite | null] = np.nan
    return values


def read_times(  # noqa: PLR0913
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
        raise _wrong(column, "time", "times")
    if kind == "empty":
        return instants.from_objects([None]).take(np.zeros(len(column), np.int64))
    if kind == "text":
        clock = _text_clock(column, nulls, unit, pattern)
        return clock.take(np.arange(len(column)) if column.codes is None else column.codes, null)
    if kind == "objects":
        return instants.from_objects(column.values)
    if kind == "instant":
        clock = instants.from_datetime64(column.values, naive=not column.aware)
    else:
        if unit is None:
            raise _no_unit(column, column.values, "numbers")
        clock = instants.from_numbers(column.values, unit)
    return clock if column.null is None else clock.take(np.arange(len(column)), null)


def _text_clock(
    column: Column, nulls: Collection[str], unit: str | None, pattern: str | None
) -> instants.Clock:
    texts = column.values
    if unit is not None:
        numbers, bad = parse_wholes(texts)
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


def _no_unit(column: Column, numbers: NDArray[Any], what: str) -> SchemaError:
    size = float(np.median(np.abs(numbers.astype(np.float64)))) if len(numbers) else 0.0
    likely = next((u for u, top in (("s", 1e11), ("ms", 1e14), ("us", 1e17)) if size < top), "ns")
    example = f", for instance {column.show(0)!r} in row 0" if len(column) else ""
    return SchemaError(
        f"column {column.name!r} for time holds {what} ({column.dtype}){example}; pass "
        f'time_unit="s", "ms", "us" or "ns" since 1970 (these look like {likely!r}), or '
        'time_format="%Y%m%d" where digits write a date'
    )


def _labelled(
    column: Column,
    nulls: Collection[str],
    log: RejectLog,
    blank: Callable[[str], bool],
    *,
    truths: bool,
) -> Codes:
    """Codes of a column of labels; a label that is blank or in ``nulls`` is missing."""
    null = column.null
    if column.kind == "empty":
        return Codes.all_missing(len(column))
    if column.kind == "whole":
        return _whole_codes(column.values, null)
    if column.kind == "truth":
        raw = column.values.astype(np.int64)
        return Codes.from_codes(raw if null is None else np.where(null, -1, raw), ["False", "True"])
    if column.kind == "objects":
        texts = [_label_text(v, truths=truths) for v in column.values]
        bad = np.fromiter((t is None for t in texts), bool, len(texts)) & ~column.is_null()
        log.add(bad, column, "neither text nor a whole number")
        lost = bad | column.is_null()
        column = Column(column.name, "text", column.dtype, [t or "" for t in texts], lost)
    codes, labels = column.encoded()
    broken = _unencodable(labels)
    drop = np.fromiter((label in nulls or blank(label) for label in labels), bool, len(labels))
    if broken is not None:
        log.add(np.where(codes < 0, False, broken[codes]), column, "text that is not valid Unicode")
        labels = ["" if bad else label for label, bad in zip(labels, broken, strict=True)]
        drop |= broken
    if drop.any():
        codes = np.where((codes < 0) | drop[codes], -1, codes)
    return Codes.from_codes(codes, labels)


def _whole_codes(values: NDArray[Any], null: NDArray[np.bool_] | None) -> Codes:
    if values.dtype.kind == "u" and len(values) and int(values.max()) > _LARGEST:
        texts = values.astype(np.dtypes.StringDType())
        distinct, raw = np.unique(texts, return_inverse=True)
        return Codes.from_codes(raw if null is None else np.where(null, -1, raw), distinct)
    codes = Codes.of(values)
    if null is None:
        return codes
    return Codes.from_codes(np.where(null, -1, codes.codes.astype(np.int64)), codes.vocabulary)


def _whole(column: Column, log: RejectLog, reason: str) -> Column:
    """Floats as whole numbers: how pandas holds whole numbers where some are missing."""
    values = column.values
    null = column.is_null() | np.isnan(values)
    whole = np.isfinite(values) & (np.floor(values) == values)
    log.add(~whole & ~null, column, reason)
    large = whole & (np.abs(values) >= _EXACT) & ~null
    log.add(large, column, "a float this large is not exact; hand in text or integers")
    lost = null | ~whole | large
    exact = np.where(lost, 0.0, values).astype(np.int64)
    return Column(column.name, "whole", column.dtype, exact, lost if lost.any() else None)


def _label_text(value: object, *, truths: bool) -> str | None:
    """A label of mixed kinds as text: 1, 1.0 and "1" are one label."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value)) if truths else None
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if is_null(value) or isinstance(value, (date, np.generic)) and not isinstance(value, np.floating):
        return None
    if type(value).__name__ == "UUID":
        return str(value)
    try:
        number = float(value)  # type: ignore[arg-type]  # a float or a Decimal
    except (TypeError, ValueError, OverflowError):
        return None
    return str(int(number)) if number.is_integer() and abs(number) < _EXACT else None


def _number_text(value: object) -> str:
    return "no" if isinstance(value, (bool, np.bool_)) else str(value)


def _which(texts: list[str], nulls: Collection[str]) -> NDArray[np.bool_] | None:
    """Which texts mean missing, or ``None`` if none does."""
    lost = np.fromiter(map(nulls.__contains__, texts), bool, len(texts))
    return lost if lost.any() else None


def _unencodable(labels: list[str]) -> NDArray[np.bool_] | None:
    """Which labels hold half of a surrogate pair, which no file can hold; ``None`` if none does."""
    try:
        "".join(labels).encode()
    except UnicodeEncodeError:
        return np.fromiter(map(_is_broken, labels), bool, len(labels))
    return None


def _is_broken(label: str) -> bool:
    return any("\ud800" <= letter <= "\udfff" for letter in label)


def _wrong(column: Column, role: str, wanted: str) -> SchemaError:
    what = {
        "truth": "truth values",
        "instant": "times",
        "decimal": "decimal numbers",
        "whole": "whole numbers",
    }.get(column.kind, "values that no role can use")
    first = ""
    if column.kind != "other" and len(column):
        first = f", for instance {column.show(0)!r} in row 0"
    advice = "decode the bytes to text" if _bytes(column.dtype) else f"convert it to {wanted}"
    return SchemaError(
        f"column {column.name!r} for {role} holds {what} ({column.dtype}){first}; {role} needs "
        f"{wanted}: choose another column, or {advice} first"
    )


def _bytes(dtype: str) -> bool:
    return dtype.startswith(("|S", "binary", "large_binary", "Binary", "list of bytes"))
