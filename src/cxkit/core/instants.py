"""Columns of times -> int64 microseconds since 1970, UTC, with a reason for each row that is none.

There are as many ways to hold a time as there are tools. Each has one function here, which returns
:class:`Clock`: what the clock showed, and whether that is UTC already. :func:`to_utc` does the
rest: it puts clocks that do not say their zone into one, and holds every time to the years 1900 to
2200. What is finer than a microsecond is cut off, towards the past.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.isotime import FINE, UNREADABLE, parse_iso
from cxkit.core.spans import FIRST_US, LAST_US
from cxkit.core.timezones import local_to_utc

__all__ = [
    "FINE",
    "MISSING",
    "NOT_A_NUMBER",
    "REASONS",
    "TIME_UNITS",
    "Clock",
    "Instants",
    "from_datetime64",
    "from_iso",
    "from_numbers",
    "from_objects",
    "from_pattern",
    "is_null",
    "to_utc",
]

MISSING: Final = 3
OUTSIDE: Final = 4
SKIPPED: Final = 5
NOT_FINITE: Final = 6
NO_MATCH: Final = 7
NOT_A_NUMBER: Final = 8

REASONS: Final = (
    "",
    "not an ISO 8601 time; time_format= reads other forms",
    "no such day or time of day",
    "no time",
    "time lies outside the years 1900 to 2200",
    "no such local time: clocks went forward over it",
    "not a finite number",
    "does not match time_format",
    "not a number",
)
"""What each code of ``Instants.reason`` says; 0 is fine."""

TIME_UNITS: Final = {"s": 1_000_000, "ms": 1_000, "us": 1, "ns": -1_000}
"""Microseconds per unit; a negative number divides."""

_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001  # the origin of a clock, in no zone
_UTC_EPOCH: Final = _EPOCH.replace(tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_FINER: Final = {"ns": 1_000, "ps": 10**6, "fs": 10**9, "as": 10**12}


@attrs.frozen(eq=False)
class Clock:
    """What clocks showed.

    Attributes:
        us: (n,) int64 microseconds since 1970; 0 where there is no time.
        naive: (n,) bool, whether ``us`` is on a local clock of an unknown zone, not UTC.
        reason: (n,) uint8 code into ``REASONS``.
    """

    us: NDArray[np.int64]
    naive: NDArray[np.bool_]
    reason: NDArray[np.uint8]

    def take(self, codes: NDArray[Any], missing: NDArray[np.bool_] | None = None) -> Clock:
        """The times of rows that point into these times; rows that are ``missing`` have none."""
        if missing is None or not missing.any():
            return Clock(self.us[codes], self.naive[codes], self.reason[codes])
        padded = Clock(
            np.append(self.us, 0), np.append(self.naive, False), np.append(self.reason, MISSING)
        )
        return padded.take(np.where(missing, len(self.us), codes))


@attrs.frozen(eq=False)
class Instants:
    """Instants, UTC.

    Attributes:
        us: (n,) int64 microseconds since 1970; 0 where there is none.
        reason: (n,) uint8 code into ``REASONS``.
        repeated: How many local times came twice (clocks went back); the earlier was taken.
    """

    us: NDArray[np.int64]
    reason: NDArray[np.uint8]
    repeated: int


def to_utc(clock: Clock, zone: tzinfo | None) -> Instants:
    """Turn clock times into instants.

    Args:
        clock: The times.
        zone: The zone of the naive ones; may be ``None`` if there are none.

    Returns:
        The instants; times outside the years 1900 to 2200 and times that never were have a reason.

    Example:
        >>> from cxkit.core.timezones import find_zone
        >>> clock = from_iso(["2024-03-31 02:30", "2024-03-31 03:30", "1024-01-01"])
        >>> found = to_utc(clock, find_zone("Europe/Amsterdam"))
        >>> [REASONS[r] for r in found.reason]  # doctest: +NORMALIZE_WHITESPACE
        ['no such local time: clocks went forward over it', '',
         'time lies outside the years 1900 to 2200']
    """
    us, reason = clock.us.copy(), clock.reason.copy()
    repeated = 0
    # A local clock is within a day or so of UTC: what lies far outside is not worth a look.
    near = (us >= FIRST_US - 2 * 86_400_000_000) & (us <= LAST_US + 2 * 86_400_000_000)
    local = np.flatnonzero(clock.naive & near) if clock.naive.any() else np.zeros(0, np.int64)
    if len(local) and zone is not None:
        found = local_to_utc(us[local], zone)
        us[local] = found.us
        reason[local[found.skipped]] = SKIPPED
        repeated = int(found.repeated.sum())
    reason[((us < FIRST_US) | (us > LAST_US)) & (reason == FINE)] = OUTSIDE
    us[reason != FINE] = 0
    return Instants(us, reason, repeated)


def from_iso(texts: Sequence[str]) -> Clock:
    """Times written in ISO 8601.

    Example:
        >>> from_iso(["2024-03-01T10:00:00+01:00"]).us.tolist()
        [1709283600000000]
    """
    return Clock(*parse_iso(texts))


def from_pattern(texts: Sequence[str], time_format: str) -> Clock:
    """Times written as ``time_format`` says, in the letters of ``datetime.strptime``.

    Each distinct text is read once, by Python, which takes about ten microseconds.

    Example:
        >>> from_pattern(["01/02/1970"], "%d/%m/%Y").us.tolist()
        [2678400000000]
    """
    distinct = dict.fromkeys(texts)
    clock = from_objects([_strptime(text, time_format) for text in distinct])
    clock = attrs.evolve(clock, reason=np.where(clock.reason == FINE, FINE, NO_MATCH).astype("u1"))
    if len(distinct) == len(texts):
        return clock
    at = {text: position for position, text in enumerate(distinct)}
    return clock.take(np.fromiter(map(at.__getitem__, texts), np.int64, len(texts)))


def _strptime(text: str, time_format: str) -> datetime | None:
    try:
        return datetime.strptime(text, time_format)  # noqa: DTZ007  # the zone is asked for later
    except (ValueError, OverflowError):
        return None


def from_datetime64(values: NDArray[np.datetime64], *, naive: bool = True) -> Clock:
    """Times of numpy, in any unit; NaT is no time.

    Args:
        values: (n,) datetime64.
        naive: Whether the zone is unknown; else the values are UTC.

    Example:
        >>> from_datetime64(np.array(["1970-01-02", "NaT"], "M8[D]")).reason.tolist()
        [0, 3]
    """
    unit, step = np.datetime_data(values.dtype)
    lost = np.isnat(values)
    reason = np.where(lost, MISSING, FINE).astype(np.uint8)
    # In the machine's order of bytes, because a view takes the bytes as they stand.
    raw = np.ascontiguousarray(values, values.dtype.newbyteorder("=")).view(np.int64)
    if unit == "generic":
        us = np.zeros(len(raw), np.int64)
        reason[~lost] = UNREADABLE
    elif unit in _FINER:
        whole, rest = np.divmod(raw, _FINER[unit])
        us = whole * step + rest * step // _FINER[unit]
    else:
        # Bounds first: a second or a day too many would overflow on its way to microseconds.
        low, high = (
            int(np.datetime64(bound, "us").astype(f"M8[{unit}]").astype(np.int64)) // step
            for bound in (FIRST_US, LAST_US)
        )
        inside = (raw >= low) & (raw <= high)
        reason[~inside & ~lost] = OUTSIDE
        safe = raw if inside.all() else np.where(inside, raw, 0)
        us = (safe * step).view(f"M8[{unit}]").astype("M8[us]").view(np.int64)
    us = np.where(reason == FINE, us, 0)
    return Clock(us, (reason == FINE) & naive, reason)


def from_numbers(values: NDArray[Any], unit: str) -> Clock:
    """Times counted since 1970, UTC.

    Args:
        values: (n,) integers or floats; floats are rounded to the nearest microsecond.
        unit: ``"s"``, ``"ms"``, ``"us"`` or ``"ns"``.

    Example:
        >>> from_numbers(np.array([1.5, np.nan, 1e300]), "s").reason.tolist()
        [0, 6, 4]
    """
    scale = TIME_UNITS[unit]
    reason = np.zeros(len(values), np.uint8)
    low, high = (b // scale if scale > 0 else b * -scale for b in (FIRST_US, LAST_US))
    if values.dtype.kind == "f":
        reason[~np.isfinite(values)] = NOT_FINITE
        inside = (values >= low) & (values <= high + 1)
    else:
        inside = values <= min(high, np.iinfo(values.dtype).max)
        inside &= values >= max(low, np.iinfo(values.dtype).min)
    reason[~inside & (reason == FINE)] = OUTSIDE
    safe = np.where(inside, values, values.dtype.type(0))
    if values.dtype.kind != "f":
        whole = safe.astype(np.int64)
        us = whole * scale if scale > 0 else whole // -scale
    elif scale > 0:
        # The whole part apart from the rest, so that the product of neither loses a microsecond.
        floor = np.floor(safe.astype(np.float64))
        us = floor.astype(np.int64) * scale + np.rint((safe - floor) * scale).astype(np.int64)
    else:
        us = np.floor(safe.astype(np.float64) / -scale).astype(np.int64)
    return Clock(us, np.zeros(len(values), dtype=bool), reason)


def from_objects(values: Sequence[object]) -> Clock:
    """Times as Python objects, mixed at will: datetimes, dates, datetime64, ISO text, ``None``.

    Example:
        >>> clock = from_objects([datetime(1970, 1, 1, tzinfo=UTC), "1970-01-01", 3.0])
        >>> clock.naive.tolist(), clock.reason.tolist()
        ([False, True, False], [0, 0, 1])
    """
    n = len(values)
    us = np.zeros(n, np.int64)
    naive = np.zeros(n, dtype=bool)
    reason = np.full(n, UNREADABLE, np.uint8)
    texts: list[int] = []
    for row, value in enumerate(values):
        if isinstance(value, str):
            texts.append(row)
        elif is_null(value):
            reason[row] = MISSING
        elif isinstance(value, date):
            us[row], naive[row] = _of_date(value)
            reason[row] = FINE
        elif isinstance(value, np.datetime64):
            one = from_datetime64(np.array([value]))
            us[row], naive[row], reason[row] = one.us[0], one.naive[0], one.reason[0]
    if texts:
        us[texts], naive[texts], reason[texts] = parse_iso([str(values[row]) for row in texts])
    return Clock(us, naive, reason)


def _of_date(value: date) -> tuple[int, bool]:
    """Microseconds of a date or datetime on its clock (UTC if it is aware), and if it is naive."""
    if not isinstance(value, datetime):
        return (value.toordinal() - _EPOCH.toordinal()) * 86_400_000_000, True
    # A Timestamp of pandas keeps nanoseconds, which Python does not know.
    cut = getattr(value, "to_pydatetime", None)
    moment: datetime = value if cut is None else cut(warn=False)
    if moment.utcoffset() is None:
        return (moment.replace(tzinfo=None) - _EPOCH) // _MICROSECOND, True
    return (moment - _UTC_EPOCH) // _MICROSECOND, False


def is_null(value: object) -> bool:
    """Whether a value stands for nothing: None, NaN, NaT of pandas or numpy, NA of pandas.

    Example:
        >>> is_null(float("nan")), is_null(np.datetime64("NaT", "us")), is_null("")
        (True, True, False)
    """
    if value is None or type(value).__name__ in {"NAType", "NaTType"}:
        return True
    if isinstance(value, Decimal):
        return value.is_nan()
    # NaN and NaT, and nothing else, differ from themselves.
    floats = (float, np.floating, np.datetime64)
    return isinstance(value, floats) and bool(value != value)  # noqa: PLR0124
