"""Touchpoints put back in order, customer by customer, before an engine takes them.

A touchpoint waits until no earlier one of the same customer can come any more. For each customer is
kept the last instant that is *final*: every touchpoint up to it has come. A touchpoint moves it to
just before its own time less the tolerance, a clock moves it for all customers at once.
"""

from __future__ import annotations

from abc import abstractmethod
from bisect import insort_right
from collections.abc import Iterable
from operator import attrgetter, itemgetter
from typing import Any, ClassVar, Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.batches import check_customers, checked_us, plain_list
from cxkit.core.codes import Label
from cxkit.core.spans import FIRST_US, LAST_US, InstantLike, SpanLike, instant_us, span_us
from cxkit.core.whole import whole_number
from cxkit.errors import DefinitionError
from cxkit.model.goal import Goal, GoalLike, as_goal
from cxkit.patterns.livebytes import pack_rows, unpack_rows
from cxkit.patterns.livestate import EARLY, LATE, NEVER, LiveState

__all__ = ["InOrder", "late_us", "plain_goal"]

_time: Final = itemgetter(0)

HappenedT = TypeVar("HappenedT")


class InOrder(LiveState, Generic[HappenedT]):
    """A live engine that takes each customer's touchpoints in order, whatever order they come in.

    Attributes:
        tolerance_us: How late a touchpoint may come, in microseconds.
        most_waiting: The most touchpoints that wait for one customer.
    """

    ITEM: ClassVar[str] = "<i8"

    def __init__(self, *, tolerance: SpanLike | None, most_waiting: int, width: int = 1) -> None:
        """Begin without customers.

        Args:
            tolerance: How late a touchpoint may come.
            most_waiting: The most touchpoints that wait for one customer.
            width: How many numbers of each STATE a customer has.

        Raises:
            DefinitionError: ``tolerance`` is no span, or ``most_waiting`` no whole number from 1.
        """
        self.tolerance_us: int = late_us(tolerance)
        self.most_waiting: int = whole_number(most_waiting, "most_waiting")
        self._waiting: dict[int, list[tuple[int, Any]]] = {}
        super().__init__(width)

    def __repr__(self) -> str:
        """How many customers, what waits, and what was lost."""
        return (
            f"<{type(self).__name__} of {len(self):,} customers, {self.waiting:,} touchpoints "
            f"waiting, {self.too_late:,} too late, {self.released_early:,} released early, "
            f"{self.dropped:,} dropped: {self._told()}>"
        )

    @property
    def waiting(self) -> int:
        """How many touchpoints wait for earlier ones."""
        return sum(map(len, self._waiting.values()))

    def advance(self, at: InstantLike, *, complete: bool = False) -> list[HappenedT]:
        """Tell the time, so that what waits for it can happen.

        Looks at every customer if anything is due: about half a millisecond for a million of them.
        Call it from a timer, not for each touchpoint.

        Args:
            at: What the clock says. Touchpoints up to the tolerance before it may still come.
            complete: Every touchpoint up to and including ``at`` has come; none is waited for.

        Returns:
            What happened, in order of time.

        Raises:
            DefinitionError: ``at`` is no instant.
        """
        final = instant_us(at, name="at")
        if not complete:
            final -= self.tolerance_us + 1
        self._clock = max(self._clock, final)
        out: list[HappenedT] = []
        if self._soonest <= self._clock:
            due = self._arrays["due"][: len(self)]
            for slot in np.flatnonzero(due <= self._clock).tolist():
                self._settle(slot, max(self._finals[slot], self._clock), out)
            self._soonest = int(due.min())
            out.sort(key=attrgetter("end_us"))
        return out

    def _feed(self, customer: Label, time_us: int, item: Any) -> list[HappenedT]:
        """Take one touchpoint; ``None`` for one that only tells the time.

        Raises:
            DataError: The time is none, or the customer is no label or of another kind than those
                before. Nothing has changed then.
        """
        if type(time_us) is not int or not FIRST_US <= time_us <= LAST_US:
            time_us = checked_us(time_us)
        slot = self._slots.get(customer)
        if slot is None:
            slot = self._add(customer)
        final = max(self._finals[slot], self._clock)
        if time_us <= final:
            self._lost[LATE] += 1
            return []
        final = max(final, time_us - self.tolerance_us - 1)
        out: list[HappenedT] = []
        if item is not None:
            if time_us <= final + 1 and slot not in self._waiting:
                self._take(slot, time_us, item, out)  # nothing earlier is here or can come
            else:
                final = self._wait(slot, time_us, item, final)
        self._settle(slot, final, out)
        return out

    def _feed_many(self, customers: Any, ticks: IntArray, items: Iterable[Any]) -> list[HappenedT]:
        """Take many touchpoints, one after another: what :meth:`_feed` does, without its calls.

        Raises:
            DataError: A customer is no label, or some are text and some whole numbers. Nothing has
                changed then.
        """
        names = plain_list(customers)
        # Before the first is taken: what is certain by then would be lost with the error.
        check_customers(names, self._slots, text=self._text)
        out: list[HappenedT] = []
        slots, waiting, clock = self._slots, self._waiting, self._clock
        for customer, time_us, item in zip(names, ticks.tolist(), items, strict=True):
            slot = slots.get(customer)
            if slot is None:
                slot = self._add(customer)
            final = max(self._finals[slot], clock)
            if time_us <= final:
                self._lost[LATE] += 1
                continue
            final = max(final, time_us - self.tolerance_us - 1)
            if item is not None:
                if time_us <= final + 1 and slot not in waiting:
                    self._take(slot, time_us, item, out)
                else:
                    final = self._wait(slot, time_us, item, final)
            self._settle(slot, final, out)
        return out

    def _wait(self, slot: int, time_us: int, item: Any, final: int) -> int:
        """Let a touchpoint wait; the instant that is final then."""
        waiting = self._waiting.setdefault(slot, [])
        if not waiting or time_us >= waiting[-1][0]:
            waiting.append((time_us, item))
        else:
            insort_right(waiting, (time_us, item), key=_time)
        if len(waiting) > self.most_waiting:
            oldest = waiting[0][0]
            if oldest > final + 1:
                self._lost[EARLY] += sum(1 for row in waiting if row[0] == oldest)
                return oldest - 1
        return final

    def _settle(self, slot: int, final: int, out: list[HappenedT]) -> None:
        """Do everything that can be done once the customer's touchpoints up to ``final`` are in."""
        due = NEVER
        waiting = self._waiting.get(slot)
        if waiting is not None:
            # One at the very next microsecond need not wait: equals come after it.
            ready = 0
            for time_us, item in waiting:
                if time_us > final + 1:
                    due = time_us - 1
                    break
                self._take(slot, time_us, item, out)
                ready += 1
            if ready == len(waiting):
                del self._waiting[slot]
            elif ready:
                del waiting[:ready]
        self._finals[slot] = final
        due = min(due, self._pass(slot, final, out))
        self._dues[slot] = due
        self._soonest = min(self._soonest, due)

    @abstractmethod
    def _take(self, slot: int, time_us: int, item: Any, out: list[HappenedT]) -> None:
        """Take a touchpoint whose turn it is."""

    @abstractmethod
    def _pass(self, slot: int, final: int, out: list[HappenedT]) -> int:
        """Note that ``final`` has passed; the instant that matters next, or NEVER."""

    @abstractmethod
    def _told(self) -> str:
        """The definition, for ``repr``."""

    def _rows(self) -> dict[str, NDArray[Any]]:
        return pack_rows("waiting", self._waiting, ("<i8", self.ITEM))

    def _take_rows(self, arrays: dict[str, NDArray[Any]]) -> None:
        self._waiting = unpack_rows("waiting", arrays, len(self), 2)


def late_us(tolerance: SpanLike | None) -> int:
    """A tolerance in microseconds; 0 for none."""
    return 0 if tolerance is None else span_us(tolerance, name="tolerance")


def plain_goal(goal: GoalLike) -> Goal:
    """A goal that can be told from the event and the channel, all that these engines are given.

    Raises:
        DefinitionError: It asks for values or further columns too.
    """
    goal = as_goal(goal)
    if goal.conditional:
        raise DefinitionError(
            f"live patterns and windows look at event and channel only, and {goal.name!r} asks "
            "more; match it in a batch, or give such touchpoints an event of their own"
        )
    return goal
