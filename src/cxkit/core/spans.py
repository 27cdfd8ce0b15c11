"""Instants and spans: the one place where a time or a duration is read.

Instants are UTC, as int64 microseconds since 1970. A time of day without a zone is refused, because
nobody can tell which instant it was; a date alone is the midnight UTC that begins it. The instants
that cxkit works with lie in the years 1900 to 2200: what lies outside is a typing error or a
placeholder, and would make every span to it absurd.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final, TypeAlias

import numpy as np
from typing_extensions import TypeIs

from cxkit.errors import DefinitionError

__all__ = ["FIRST_US", "LAST_US", "InstantLike", "SpanLike", "instant_us", "show_span", "span_us"]

SpanLike: TypeAlias = str | timedelta | np.timedelta64
InstantLike: TypeAlias = str | date | datetime | np.datetime64

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

FIRST_US: Final = (datetime(1900, 1, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND
"""The first microsecond of the year 1900."""
LAST_US: Final = (datetime(2201, 1, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND - 1
"""The last microsecond of the year 2200."""

_UNITS: Final = {
    "us": 1,
    "ms": 1_000,
    "s": 1_000_000,
    "min": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
    "w": 604_800_000_000,
}
_COARSE: Final = {"W": "w", "D": "d", "h": "h", "m": "min", "s": "s", "ms": "ms"}  # as numpy says
_TOO_LONG: Final = 2**62  # an instant and a span together still fit 64 bits
_SPAN: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(us|ms|s|min|h|d|w)\s*")


def span_us(value: SpanLike, *, name: str) -> int:
    """Read a span of time.

    Args:
        value: ``"30min"``, ``"7d"`` (units us, ms, s, min, h, d, w; parts may follow one another,
            as in ``"1h30min"``), a ``timedelta`` or a ``timedelta64``.
        name: The argument's name, for the error.

    Returns:
        Microseconds, more than zero.

    Raises:
        DefinitionError: It is not a span, not longer than zero, or too long to be counted.

    Example:
        >>> span_us("30min", name="gap")
        1800000000
    """
    if isinstance(value, str):
        parts = _SPAN.findall(value)
        if not parts or _SPAN.sub("", value):
            raise DefinitionError(
                f"{name}={value!r} is not a span of time; write for instance '30min', '7d' or "
                f"'1h30min' (units: {', '.join(_UNITS)})"
            )
        total = sum(float(number) * _UNITS[unit] for number, unit in parts)
        us = round(min(total, _TOO_LONG))
    elif isinstance(value, timedelta):
        us = value // _MICROSECOND
    elif _is_exact(value):
        if np.isnat(value):
            raise DefinitionError(f"{name} is NaT; give a span such as '30min'")
        unit, number = np.datetime_data(value.dtype)
        if unit in _COARSE:  # in whole numbers without end: numpy would wrap around
            us = int(value.astype(np.int64)) * number * _UNITS[_COARSE[unit]]
        else:
            us = int(value.astype("timedelta64[us]").astype(np.int64))
    else:
        raise DefinitionError(
            f"{name} must be a span such as '30min' or timedelta(minutes=30); found {value!r}"
        )
    if us <= 0:
        raise DefinitionError(f"{name} must be longer than zero; found {value!r}")
    if us >= _TOO_LONG:
        raise DefinitionError(
            f"{name} is too long: give less than {_TOO_LONG // _UNITS['d']:,} days; found {value!r}"
        )
    return us


def _is_exact(value: object) -> TypeIs[np.timedelta64]:
    """Months and years differ in length, and a bare number has no unit at all."""
    if not isinstance(value, np.timedelta64):
        return False
    return np.datetime_data(value.dtype)[0] not in {"Y", "M", "generic"}


def show_span(us: int) -> str:
    """A span as text that :func:`span_us` reads back, in the largest unit that divides it.

    Weeks are shown as days: "7d" is what most people write.

    Example:
        >>> show_span(1_800_000_000), show_span(5_400_000_000)
        ('30min', '90min')
    """
    whole = (unit for unit, size in _UNITS.items() if us % size == 0 and unit != "w")
    unit = max(whole, key=_UNITS.__getitem__)
    return f"{us // _UNITS[unit]}{unit}"


def instant_us(value: InstantLike, *, name: str) -> int:
    """Read an instant.

    Args:
        value: ISO text with an offset (``"2024-03-01T10:00Z"``), a date (midnight UTC), an aware
            ``datetime``, or a ``datetime64``, which is UTC by definition.
        name: The argument's name, for the error.

    Returns:
        Microseconds since 1970, UTC.

    Raises:
        DefinitionError: It is not an instant, has no zone, or lies outside the years 1900 to 2200.

    Example:
        >>> instant_us("1970-01-02", name="at")
        86400000000
    """
    us = _instant(value, name)
    if not FIRST_US <= us <= LAST_US:
        raise DefinitionError(f"{name}={value!r} lies outside the years 1900 to 2200")
    return us


def _instant(value: InstantLike, name: str) -> int:
    if isinstance(value, np.datetime64):
        if np.isnat(value):
            raise DefinitionError(f"{name} is NaT; give an instant such as '2024-03-01'")
        return int((value.astype("datetime64[us]") - np.datetime64(0, "us")).astype(np.int64))
    if isinstance(value, str):
        value = _parse(value, name)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise DefinitionError(
                f"{name}={value.isoformat()!r} has no zone, so it is no instant; write "
                f"{value.isoformat() + 'Z'!r}, or datetime(..., tzinfo=timezone.utc)"
            )
        return (value - _EPOCH) // _MICROSECOND
    if isinstance(value, date):
        return (value.toordinal() - _EPOCH.toordinal()) * _UNITS["d"]
    raise DefinitionError(
        f"{name} must be an instant such as '2024-03-01' or '2024-03-01T10:00Z'; found {value!r}"
    )


def _parse(text: str, name: str) -> date | datetime:
    stripped = text.strip()
    try:
        if len(stripped) <= len("2024-03-01"):
            return date.fromisoformat(stripped)
        return datetime.fromisoformat(stripped)
    except ValueError:
        raise DefinitionError(
            f"{name}={text!r} is not a date or time; write '2024-03-01' or '2024-03-01T10:00Z'"
        ) from None
