"""Calendar days of a time zone, for a column of instants and for one."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.timezones import find_zone

__all__ = ["Days"]

_DAY: Final = 86_400_000_000
_MICROSECOND: Final = timedelta(microseconds=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_AHEAD: Final = 370  # days that are looked up at once where one instant after another is asked


class Days:
    """The days of a zone, numbered from 1970-01-01 on.

    A day begins when its clock first shows midnight, or, where clocks go forward over midnight, at
    that moment. So days may have 23 or 25 hours, and their numbers never descend with time.

    Example:
        >>> days = Days("Europe/Amsterdam")
        >>> half_past_eleven = 1_719_786_600_000_000  # 2024-06-30T22:30Z
        >>> days.number(half_past_eleven) - half_past_eleven // 86_400_000_000
        1
    """

    __slots__ = ("_begins", "_first", "_zone")

    def __init__(self, zone: str) -> None:
        """Know no day yet."""
        self._zone = find_zone(zone)
        self._first = 0
        self._begins: list[int] = []

    def numbers(self, ticks: NDArray[Any]) -> IntArray:
        """(n,) the day of each instant, in microseconds since 1970."""
        if self._zone is UTC:
            return np.asarray(ticks // _DAY)
        if not len(ticks):
            return np.zeros(0, np.int64)
        self._know(int(ticks.min()), int(ticks.max()))
        begins = np.array(self._begins, np.int64)
        return np.searchsorted(begins, ticks, side="right") + np.int64(self._first - 1)

    def number(self, us: int) -> int:
        """The day of one instant."""
        if self._zone is UTC:
            return us // _DAY
        begins = self._begins
        if not begins or not begins[0] <= us < begins[-1]:
            self._know(us, us + _AHEAD * _DAY)
        return self._first - 1 + bisect_right(self._begins, us)

    def _know(self, low: int, high: int) -> None:
        """Look up when the days begin from ``low`` to ``high``, with a margin for the offset."""
        first, last = low // _DAY - 2, high // _DAY + 3
        if self._begins:
            known = self._first + len(self._begins) - 1
            if self._first <= first and last <= known:
                return
            first, last = min(first, self._first), max(last, known)
        day = datetime(1970, 1, 1, tzinfo=self._zone)
        # Where clocks skip midnight, the offset before the change still holds (fold=0): what comes
        # out is the moment of the change.
        self._begins = [
            (((day + timedelta(days=n)).astimezone(UTC)) - _EPOCH) // _MICROSECOND
            for n in range(first, last + 1)
        ]
        self._first = first
