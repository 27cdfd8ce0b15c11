"""Sliding windows, one touchpoint at a time."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from typing import Any, ClassVar, Self

import attrs
from numpy.typing import NDArray
from typing_extensions import override

from cxkit.core.batches import floats, of_one_length, plain_list, whole_ticks
from cxkit.core.codes import Codes, Label
from cxkit.core.spans import SpanLike, show_span, span_us
from cxkit.core.whole import whole_number
from cxkit.model.goal import Goal, GoalLike
from cxkit.model.touchpoint import Touchpoint
from cxkit.patterns.livebytes import pack_rows, unpack_rows
from cxkit.patterns.livestate import DROPPED, NEVER
from cxkit.patterns.waiting import InOrder, plain_goal

__all__ = ["LiveSliding", "SlidingTotal"]


@attrs.frozen
class SlidingTotal:
    """The window of one touchpoint.

    Attributes:
        customer: Who.
        end_us: When the touchpoint was, in microseconds since 1970: the end of its window.
        total: How many touchpoints, or the sum of their values.
    """

    customer: Label
    end_us: int
    total: float


class LiveSliding(InOrder[SlidingTotal]):
    """:func:`~cxkit.patterns.sliding` over each customer's journey, one touchpoint at a time.

    For each touchpoint it gives the total of its window, in order of time, once no touchpoint that
    may still come can change it. What is late beyond the tolerance, or more than may wait, is
    counted as for :class:`~cxkit.patterns.LivePattern`. At most ``most_kept`` touchpoints of a
    customer are kept for the window; where there are more, the oldest is left out of it and counted
    in ``dropped``. It is not for use by several threads at once.

    Attributes:
        span_us: How long the window is, in microseconds.
        goal: What is counted or summed, or ``None`` for every touchpoint.
        values: Whether values are summed, not touchpoints counted.
        most_kept: The most touchpoints that are kept for one window.

    Example:
        >>> live = LiveSliding("1h")
        >>> [
        ...     total.total
        ...     for minute in ("00", "30", "59")
        ...     for total in live.update(Touchpoint("ann", f"2024-01-01T10:{minute}Z"))
        ... ]
        [1, 2, 3]
    """

    WHAT: ClassVar[str] = "live sliding windows"
    SCHEMA: ClassVar[str] = "cxkit/live-sliding/1"
    ITEM: ClassVar[str] = "<f8"

    def __init__(
        self,
        span: SpanLike,
        *,
        goal: GoalLike | None = None,
        values: bool = False,
        tolerance: SpanLike | None = None,
        most_waiting: int = 256,
        most_kept: int = 4096,
    ) -> None:
        """Begin without customers.

        Raises:
            DefinitionError: A span is none, or a number is no whole number from 1.
        """
        self.span_us: int = span_us(span, name="span")
        self.goal: Goal | None = None if goal is None else plain_goal(goal)
        self.values: bool = values
        self.most_kept: int = whole_number(most_kept, "most_kept")
        self._kept: dict[int, deque[tuple[int, float]]] = {}
        super().__init__(tolerance=tolerance, most_waiting=most_waiting)

    def update(self, touchpoint: Touchpoint) -> list[SlidingTotal]:
        """Take one touchpoint; the totals of its customer that are certain now."""
        return self.update_raw(
            touchpoint.customer,
            touchpoint.event,
            touchpoint.time_us,
            touchpoint.channel,
            touchpoint.value,
        )

    def update_raw(
        self,
        customer: Label,
        event: Label | None,
        time_us: int,
        channel: Label | None = None,
        value: float = math.nan,
    ) -> list[SlidingTotal]:
        """The same as :meth:`update` without making a :class:`~cxkit.Touchpoint`.

        Raises:
            DataError: The time is none, or the customer is no label, or is text where those before
                are whole numbers, or the other way round. Nothing has changed then.
        """
        return self._feed(customer, time_us, self._weight(event, channel, value))

    def update_many(
        self,
        customer: Sequence[Label] | NDArray[Any] | Codes,
        event: Sequence[Label | None] | NDArray[Any] | Codes,
        time_us: Sequence[int] | NDArray[Any],
        channel: Sequence[Label | None] | NDArray[Any] | Codes | None = None,
        value: Sequence[float] | NDArray[Any] | None = None,
    ) -> list[SlidingTotal]:
        """Take many touchpoints, one after another: the same as an update for each.

        Args:
            customer: (n,) the customers.
            event: (n,) what happened.
            time_us: (n,) when: whole microseconds since 1970, UTC, or datetime64.
            channel: (n,) where.
            value: (n,) values.

        Returns:
            The totals that are certain now, in the order in which the updates would give them.

        Raises:
            DataError: The lengths differ, a time is none, a customer is no label, some are text and
                some whole numbers, or values are no numbers. Nothing has changed then.
        """
        ticks = whole_ticks(time_us)
        of_one_length(len(ticks), customer=customer, event=event, channel=channel, value=value)
        worth = floats(value, len(ticks)).tolist()
        where = [None] * len(ticks) if channel is None else plain_list(channel)
        return self._feed_many(customer, ticks, map(self._weight, plain_list(event), where, worth))

    def _weight(self, event: Label | None, channel: Label | None, value: float) -> float:
        """What a touchpoint adds to the windows that it is in."""
        goal, weight = self.goal, 1.0
        if self.values:
            weight = 0.0 if math.isnan(value) else float(value)
        if goal is not None and (
            event != goal.event or (goal.channel is not None and channel != goal.channel)
        ):
            weight = 0.0
        return weight

    def _take(self, slot: int, time_us: int, item: float, out: list[SlidingTotal]) -> None:
        kept = self._kept.get(slot)
        if kept is not None:
            begin = time_us - self.span_us
            while kept and kept[0][0] <= begin:
                kept.popleft()
        if item:
            if kept is None:
                kept = self._kept[slot] = deque()
            if len(kept) == self.most_kept:
                kept.popleft()
                self._lost[DROPPED] += 1
            kept.append((time_us, item))
        elif kept is not None and not kept:
            del self._kept[slot]
            kept = None
        found: float = 0
        if kept is not None:
            found = math.fsum(weight for _, weight in kept) if self.values else len(kept)
        out.append(SlidingTotal(self._names[slot], time_us, found))

    @override
    def _pass(self, slot: int, final: int, out: list[SlidingTotal]) -> int:
        return NEVER

    def _told(self) -> str:
        of = "" if self.goal is None else f" of {self.goal.name}"
        return f"{'value' if self.values else 'touchpoints'}{of} in {show_span(self.span_us)}"

    def _header(self) -> dict[str, Any]:
        return {
            "span_us": self.span_us,
            "goal": None if self.goal is None else self.goal.to_dict(),
            "values": self.values,
            "tolerance_us": self.tolerance_us,
            "most_waiting": self.most_waiting,
            "most_kept": self.most_kept,
        }

    @classmethod
    def _from_header(cls, header: dict[str, Any]) -> Self:
        goal = header["goal"]
        live = cls(
            show_span(header["span_us"]),
            goal=None if goal is None else Goal.from_dict(goal),
            values=header["values"],
            most_waiting=header["most_waiting"],
            most_kept=header["most_kept"],
        )
        live.tolerance_us = header["tolerance_us"]
        return live

    def _rows(self) -> dict[str, NDArray[Any]]:
        return {**super()._rows(), **pack_rows("kept", self._kept, ("<i8", "<f8"))}

    def _take_rows(self, arrays: dict[str, NDArray[Any]]) -> None:
        super()._take_rows(arrays)
        kept = unpack_rows("kept", arrays, len(self), 2)
        self._kept = {slot: deque(rows) for slot, rows in kept.items()}
