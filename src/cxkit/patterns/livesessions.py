"""Sessions, one touchpoint at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar, Final, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.batches import floats, of_one_length, whole_ticks
from cxkit.core.codes import Codes, Label
from cxkit.core.spans import SpanLike, show_span, span_us
from cxkit.model.touchpoint import Touchpoint
from cxkit.patterns.livestate import NEVER
from cxkit.patterns.waiting import InOrder

__all__ = ["LiveSessions", "SessionClosed"]

_NONE: Final = -NEVER


@attrs.frozen
class SessionClosed:
    """A session that is over.

    Attributes:
        customer: Who.
        start_us: When its first touchpoint was, in microseconds since 1970.
        end_us: When its last was.
        touchpoints: How many.
        value: The sum of their values, NaN left out.
    """

    customer: Label
    start_us: int
    end_us: int
    touchpoints: int
    value: float


class LiveSessions(InOrder[SessionClosed]):
    """:meth:`Journeys.sessions <cxkit.Journeys.sessions>`, one touchpoint at a time.

    It gives each session once it is over: once a pause longer than the gap is certain, which time
    alone may tell (``advance``). A session is kept as four numbers, however long it is; what is
    late beyond the tolerance, or more than may wait, is counted as for
    :class:`~cxkit.patterns.LivePattern`. It is not for use by several threads at once.

    Attributes:
        gap_us: The longest pause within a session, in microseconds.

    Example:
        >>> live = LiveSessions("30min")
        >>> for minute in ("00", "20", "45"):
        ...     _ = live.update(Touchpoint("ann", f"2024-01-01T10:{minute}Z"))
        >>> [session.touchpoints for session in live.advance("2024-01-01T12:00Z")]
        [3]
    """

    WHAT: ClassVar[str] = "live sessions"
    SCHEMA: ClassVar[str] = "cxkit/live-sessions/1"
    ITEM: ClassVar[str] = "<f8"
    STATE: ClassVar[tuple[tuple[str, str, int], ...]] = (
        ("start", "<i8", _NONE),
        ("last", "<i8", _NONE),
        ("touchpoints", "<i8", 0),
        ("value", "<f8", 0),
    )

    def __init__(
        self,
        gap: SpanLike = "30min",
        *,
        tolerance: SpanLike | None = None,
        most_waiting: int = 256,
    ) -> None:
        """Begin without customers.

        Raises:
            DefinitionError: A span is none, or ``most_waiting`` no whole number from 1.
        """
        self.gap_us: int = span_us(gap, name="gap")
        super().__init__(tolerance=tolerance, most_waiting=most_waiting)

    def update(self, touchpoint: Touchpoint) -> list[SessionClosed]:
        """Take one touchpoint; the sessions of its customer that are over now."""
        return self.update_raw(touchpoint.customer, touchpoint.time_us, touchpoint.value)

    def update_raw(
        self, customer: Label, time_us: int, value: float = math.nan
    ) -> list[SessionClosed]:
        """The same as :meth:`update` without making a :class:`~cxkit.Touchpoint`.

        Raises:
            DataError: The time is none, or the customer is no label, or is text where those before
                are whole numbers, or the other way round. Nothing has changed then.
        """
        return self._feed(customer, time_us, 0.0 if math.isnan(value) else float(value))

    def update_many(
        self,
        customer: Sequence[Label] | NDArray[Any] | Codes,
        time_us: Sequence[int] | NDArray[Any],
        value: Sequence[float] | NDArray[Any] | None = None,
    ) -> list[SessionClosed]:
        """Take many touchpoints, one after another: the same as an update for each.

        Args:
            customer: (n,) the customers.
            time_us: (n,) when: whole microseconds since 1970, UTC, or datetime64.
            value: (n,) values.

        Returns:
            The sessions that are over now, in the order in which the updates would give them.

        Raises:
            DataError: The lengths differ, a time is none, a customer is no label, some are text and
                some whole numbers, or values are no numbers. Nothing has changed then.
        """
        ticks = whole_ticks(time_us)
        of_one_length(len(ticks), customer=customer, value=value)
        worth = floats(value, len(ticks))
        return self._feed_many(customer, ticks, np.where(np.isnan(worth), 0.0, worth).tolist())

    def _take(self, slot: int, time_us: int, item: float, out: list[SessionClosed]) -> None:
        self._pass(slot, time_us - 1, out)
        if self._starts[slot] == _NONE:
            self._starts[slot] = time_us
        self._lasts[slot] = time_us
        self._counts[slot] += 1
        self._values[slot] += item

    def _pass(self, slot: int, final: int, out: list[SessionClosed]) -> int:
        start = self._starts[slot]
        if start == _NONE:
            return NEVER
        last: int = self._lasts[slot]
        if last + self.gap_us > final:  # one more touchpoint may still belong to it
            return last + self.gap_us
        name, count, value = self._names[slot], self._counts[slot], self._values[slot]
        out.append(SessionClosed(name, start, last, count, value))
        self._starts[slot] = self._lasts[slot] = _NONE
        self._counts[slot], self._values[slot] = 0, 0.0
        return NEVER

    def _told(self) -> str:
        return f"gap {show_span(self.gap_us)}"

    def _hold(self, size: int, old: dict[str, NDArray[Any]]) -> None:
        super()._hold(size, old)
        self._starts, self._lasts = self._view("start"), self._view("last")
        self._counts, self._values = self._view("touchpoints"), self._view("value")

    def _header(self) -> dict[str, Any]:
        return {
            "gap_us": self.gap_us,
            "tolerance_us": self.tolerance_us,
            "most_waiting": self.most_waiting,
        }

    @classmethod
    def _from_header(cls, header: dict[str, Any]) -> Self:
        live = cls(show_span(header["gap_us"]), most_waiting=header["most_waiting"])
        live.tolerance_us = header["tolerance_us"]
        return live
