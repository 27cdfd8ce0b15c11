"""Times written as ISO 8601 text, read by digit arithmetic on columns of bytes.

All texts of one length lie in a byte matrix, and each way of writing a time that has this length
is tried on the whole matrix at once. No text is ever looked at alone, so a million times take a
tenth of a second, and a text that fits no form costs no more than one that does.

Understood are ``YYYY-MM-DD`` and ``YYYY-MM-DD[T ]HH:MM[:SS[.f]]`` with 1 to 9 decimals, followed by
``Z``, `` UTC``, ``+HH``, ``+HHMM``, ``+HH:MM`` or nothing. Decimals beyond the microsecond are cut
off, towards the past.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["FINE", "IMPOSSIBLE", "UNREADABLE", "days_from_civil", "parse_iso"]

FINE: Final = 0
UNREADABLE: Final = 1
"""The text has none of the forms above."""
IMPOSSIBLE: Final = 2
"""The form is right, but there is no such day or no such time of day."""

# Letters: 0 a digit, T the mark between date and time, + a sign, Z or z; the rest is literal.
_DATE: Final = "0000-00-00"
_CLOCKS: Final = ("T00:00", "T00:00:00", *("T00:00:00." + "0" * k for k in range(1, 10)))
_ZONES: Final = ("", "Z", " UTC", "+00", "+0000", "+00:00", " +0000", " +00:00")
_CLASSES: Final = {"T": b"Tt ", "+": b"+-", "Z": b"Zz"}
_ROWS_AT_ONCE: Final = 16_384  # the columns of a block stay in the processor's cache
_BEFORE_MONTH: Final = np.array([0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334])
_DAYS_IN: Final = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_DAY: Final = 86_400


def _patterns() -> dict[int, list[tuple[str, str]]]:
    forms = [(_DATE, ""), *((_DATE + clock, zone) for clock in _CLOCKS for zone in _ZONES)]
    by_length: dict[int, list[tuple[str, str]]] = {}
    for local, zone in forms:
        by_length.setdefault(len(local + zone), []).append((local, zone))
    return by_length


_PATTERNS: Final = _patterns()


def parse_iso(
    texts: Sequence[str],
) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.uint8]]:
    """Read many times.

    Args:
        texts: n texts.

    Returns:
        ``(us, naive, reason)``, each (n,): microseconds since 1970, in UTC where the text says its
        offset and on the local clock where it does not (``naive``); ``reason`` is ``FINE``,
        ``UNREADABLE`` or ``IMPOSSIBLE``, and ``us`` is 0 where it is not fine.

    Example:
        >>> us, naive, reason = parse_iso(["1970-01-01T00:01Z", "1970-01-02", "soon"])
        >>> us.tolist(), naive.tolist(), reason.tolist()
        ([60000000, 86400000000, 0], [False, True, False], [0, 0, 1])
    """
    n = len(texts)
    us = np.zeros(n, np.int64)
    naive = np.zeros(n, dtype=bool)
    reason = np.full(n, UNREADABLE, np.uint8)
    sizes = np.fromiter(map(len, texts), np.int64, n)
    # Whatever is not ASCII becomes one "?", which no form allows, so that characters are bytes.
    data = np.frombuffer("".join(texts).encode("ascii", "replace"), np.uint8)
    starts = np.cumsum(sizes) - sizes
    distinct = np.unique(sizes).tolist()
    for size in distinct:
        if size not in _PATTERNS:
            continue
        rows = None if len(distinct) == 1 else np.flatnonzero(sizes == size)
        for first in range(0, n if rows is None else len(rows), _ROWS_AT_ONCE):
            part: Any
            if rows is None:
                part = slice(first, min(first + _ROWS_AT_ONCE, n))
                matrix = data[part.start * size : part.stop * size].reshape(-1, size)
            else:
                part = rows[first : first + _ROWS_AT_ONCE]
                matrix = data[starts[part][:, None] + np.arange(size)]
            us[part], naive[part], reason[part] = _parse_block(np.ascontiguousarray(matrix.T))
    return us, naive, reason


def _parse_block(
    columns: NDArray[np.uint8],
) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.uint8]]:
    """Read (L, n) bytes: column i holds the i-th character of each text."""
    n = columns.shape[1]
    us = np.zeros(n, np.int64)
    naive = np.zeros(n, dtype=bool)
    reason = np.full(n, UNREADABLE, np.uint8)
    for local, zone in _PATTERNS[len(columns)]:
        fits = _fits(columns, local + zone)
        if not fits.any():
            continue
        rows = slice(None) if fits.all() else np.flatnonzero(fits)
        us[rows], reason[rows] = _read_form(columns[:, rows], local, zone)
        naive[rows] = not zone
    naive &= reason == FINE
    return us, naive, reason


def _fits(columns: NDArray[np.uint8], pattern: str) -> NDArray[np.bool_]:
    fits = np.ones(columns.shape[1], dtype=bool)
    for column, letter in zip(columns, pattern, strict=True):
        if letter == "0":
            fits &= (column - np.uint8(48)) <= 9  # below "0" it wraps around to a large number
            continue
        either = np.zeros(len(fits), dtype=bool)
        for byte in _CLASSES.get(letter, letter.encode()):
            either |= column == byte
        fits &= either
        if not fits.any():  # most forms of one length differ in an early letter
            break
    return fits


def _read_form(
    columns: NDArray[np.uint8], local: str, zone: str
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    digits = columns - np.uint8(48)

    def two(at: int) -> NDArray[np.int64]:
        pair: NDArray[np.int64] = (digits[at] * np.uint8(10) + digits[at + 1]).astype(np.int64)
        return pair

    year, month, day = two(0) * 100 + two(2), two(5), two(8)
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    real_month = (month >= 1) & (month <= 12)
    month[~real_month] = 1
    good = real_month & (day >= 1) & (day <= _DAYS_IN[month] + (leap & (month == 2)))
    seconds = days_from_civil(year, month, day) * _DAY
    if len(local) > len(_DATE):
        hour, minute = two(11), two(14)
        good &= (hour <= 23) & (minute <= 59)
        seconds += hour * 3600 + minute * 60
    if len(local) >= len("0000-00-00T00:00:00"):
        second = two(17)
        good &= second <= 59
        seconds += second
    if zone[-1:] == "0":
        at = len(local) + zone.index("+")
        hour = two(at + 1)
        minute = two(len(columns) - 2) if zone.count("0") == 4 else np.zeros_like(hour)
        good &= (hour <= 23) & (minute <= 59)
        offset = hour * 3600 + minute * 60
        seconds -= np.where(columns[at] == ord("-"), -offset, offset)
    us = seconds * 1_000_000
    for place, at in enumerate(range(20, min(len(local), 26))):
        us += digits[at].astype(np.int64) * 10 ** (5 - place)
    us[~good] = 0
    return us, np.where(good, FINE, IMPOSSIBLE).astype(np.uint8)


def days_from_civil(
    year: NDArray[np.int64], month: NDArray[np.int64], day: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Days since 1970-01-01 in the Gregorian calendar; the month must be 1 to 12.

    Example:
        >>> days_from_civil(np.array([1970, 2000]), np.array([1, 3]), np.array([1, 1])).tolist()
        [0, 11017]
    """
    past = year - 1
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    days: NDArray[np.int64] = past * 365 + past // 4 - past // 100 + past // 400 - 719_162
    days += _BEFORE_MONTH[month] + (leap & (month > 2)) + day - 1
    return days
