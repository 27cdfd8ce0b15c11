"""Calendar days, weeks, months, quarters and years, in a time zone."""

from __future__ import annotations

from datetime import UTC
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.rows import in_row_parts, pieces
from cxkit.core.timezones import find_zone, local_to_utc
from cxkit.errors import DefinitionError

__all__ = [
    "PERIODS",
    "ROLLING",
    "check_period",
    "local_days",
    "period_begins",
    "period_begins_us",
    "period_of_days",
]

PERIODS: Final = ("day", "week", "month", "quarter", "year")
"""The periods there are; weeks begin on Monday, as in ISO 8601."""

_DAY_US: Final = 86_400_000_000
ROLLING: Final = {"day": _DAY_US, "week": 7 * _DAY_US}
"""Periods that are always of one length, in microseconds."""
_MONDAY: Final = 3  # 1970 began on a Thursday
_MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}


def check_period(every: str, *, name: str = "every") -> str:
    """The name of a period.

    Raises:
        DefinitionError: It is none.
    """
    if every not in PERIODS:
        raise DefinitionError(f"{name} is one of {list(PERIODS)}; found {every!r}")
    return every


def local_days(times: IntArray, tz: str) -> IntArray:
    """(n,) the day of each instant on the calendar of a time zone, as days since 1970.

    Args:
        times: (n,) microseconds since 1970, UTC.
        tz: The name of the zone.

    Raises:
        DefinitionError: There is no such zone.

    Example:
        >>> noon = np.array([12 * 3_600_000_000])
        >>> local_days(noon, "UTC").tolist(), local_days(noon, "Pacific/Auckland").tolist()
        ([0], [1])
    """
    zone, out = find_zone(tz), np.empty(len(times), np.int64)
    if not len(times):
        return out
    # A day to be safe, as no zone is further than that from UTC, and one for what begins next.
    first, last = int(times.min()) // _DAY_US - 2, int(times.max()) // _DAY_US + 4
    midnights = np.arange(first, last) * _DAY_US
    # A day begins when the clock first shows its midnight, or passes it in a leap forward.
    begins = np.maximum.accumulate(local_to_utc(midnights, zone).us)
    # Which day it is there when a day begins in UTC; until that is over, at most two more begin.
    there = np.searchsorted(begins, midnights, side="right") - 1

    def part(begin: int, end: int) -> None:
        for low, high in pieces(begin, end):
            time, day = times[low:high], out[low:high]
            np.floor_divide(time, _DAY_US, out=day)
            if zone is UTC:
                continue
            day -= first
            was = there[day]
            np.add(was, time >= begins[was + 1], out=day)
            day += time >= begins[was + 2]
            day += first

    in_row_parts(part, len(times))
    return out


def period_of_days(days: IntArray, every: str) -> IntArray:
    """(n,) the number of the period that each day is in; neighbours differ by one.

    Args:
        days: (n,) days since 1970.
        every: Which period.

    Example:
        >>> period_of_days(np.array([3, 4, 10, 11]), "week").tolist()
        [0, 1, 1, 2]
    """
    if every == "day":
        return days
    if every == "week":
        return (days + _MONDAY) // 7
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) // _MONTHS[every]


def period_begins(periods: IntArray, every: str) -> NDArray[np.datetime64]:
    """(n,) datetime64[D]: the first day of each period.

    Example:
        >>> period_begins(np.array([1, 2]), "quarter").tolist()
        [datetime.date(1970, 4, 1), datetime.date(1970, 7, 1)]
    """
    periods = np.asarray(periods, np.int64)
    if every == "day":
        return periods.astype("datetime64[D]")
    if every == "week":
        return (periods * 7 - _MONDAY).astype("datetime64[D]")
    return (periods * _MONTHS[every]).astype("datetime64[M]").astype("datetime64[D]")


def period_begins_us(periods: IntArray, every: str, tz: str) -> IntArray:
    """(n,) the instants at which periods begin on the calendar of a zone, microseconds since 1970.

    Example:
        >>> period_begins_us(np.array([0]), "day", "Asia/Tokyo").tolist()
        [-32400000000]
    """
    local = period_begins(periods, every).astype(np.int64) * _DAY_US
    return local_to_utc(local, find_zone(tz)).us
