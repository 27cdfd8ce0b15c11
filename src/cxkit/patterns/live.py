"""Patterns found one touchpoint at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final, Self

import numpy as np
from numpy.typing import NDArray

from cxkit.core.batches import of_one_length, plain_list, whole_ticks
from cxkit.core.codes import Codes, Label
from cxkit.core.spans import SpanLike, show_span
from cxkit.model.goal import Goal
from cxkit.model.touchpoint import Touchpoint
from cxkit.patterns.livebytes import pack_rows, unpack_rows
from cxkit.patterns.livematch import PatternMatch
from cxkit.patterns.livestate import DROPPED, NEVER
from cxkit.patterns.sequence import Pattern
from cxkit.patterns.waiting import InOrder, plain_goal

__all__ = ["LivePattern", "PatternMatch"]

_NONE: Final = -NEVER

# What a touchpoint is to the pattern: the steps it can be, the last first; whether it comes
# between steps where it must not; whether it answers an absence.
_Plan = tuple[tuple[int, ...], bool, bool]


class LivePattern(InOrder[PatternMatch]):
    """A pattern, looked for one touchpoint at a time. Made by :meth:`Pattern.live`.

    It reports what ``pattern.matches`` reports for the whole journey of each customer, as soon as
    no touchpoint that may still come can change it: a match once its last touchpoint is older than
    the customer's latest by the tolerance, an absence once its deadline is. ``advance`` tells
    the time when no touchpoint does.

    A touchpoint that comes later than the tolerance is left out and counted in ``too_late``. For a
    customer are kept two instants and a byte, two more instants for each step but the last, and
    what waits: at most ``most_waiting`` touchpoints that are steps or refusals, no others. One more
    is not lost: the oldest is taken at once (``released_early``), and what comes before that one
    afterwards is too late. With ``report="overlapping"``, at most ``most_waiting`` absences are
    open; one more is left out (``dropped``). It is not for use by several threads at once.

    Attributes:
        pattern: The pattern.

    Example:
        >>> from cxkit import Touchpoint
        >>> abandoned = Pattern(["cart"], then_no="purchase", within="1h")
        >>> live = abandoned.live(tolerance="5min")
        >>> live.update(Touchpoint("ann", "2024-01-01T10:00Z", event="cart"))
        []
        >>> live.update(Touchpoint("bob", "2024-01-01T10:01Z", event="cart"))
        []
        >>> live.update(Touchpoint("bob", "2024-01-01T10:30Z", event="purchase"))
        []
        >>> [match.customer for match in live.advance("2024-01-01T12:00Z")]
        ['ann']
    """

    WHAT: ClassVar[str] = "live patterns"
    SCHEMA: ClassVar[str] = "cxkit/live-pattern/1"
    STATE: ClassVar[tuple[tuple[str, str, int], ...]] = (
        ("start", "<i8", _NONE),
        ("last", "<i8", _NONE),
    )

    def __init__(
        self, pattern: Pattern, *, tolerance: SpanLike | None = None, most_waiting: int = 256
    ) -> None:
        """Begin without customers.

        Raises:
            DefinitionError: ``tolerance`` is no span, or ``most_waiting`` no whole number from 1.
        """
        self.pattern: Pattern = pattern
        self._top = len(pattern.steps) - 1
        self._limit = pattern.within_us
        self._gaps = pattern.step_within_us
        self._absence = bool(pattern.then_no)
        self._report = pattern.report
        # event -> (channel or None, bits): a bit per step, one for without, one for then_no
        self._rules: dict[Label, list[tuple[Label | None, int]]] = {}
        groups: list[tuple[int, tuple[Goal, ...]]]
        groups = [(1 << k, (step,)) for k, step in enumerate(pattern.steps)]
        groups += [(1 << self._top + 1, pattern.without), (1 << self._top + 2, pattern.then_no)]
        for bit, goals in groups:
            for goal in map(plain_goal, goals):
                self._rules.setdefault(goal.event, []).append((goal.channel, bit))
        self._plans: dict[int, _Plan] = {}
        self._open: dict[int, list[tuple[int, int]]] = {}
        self._done: set[int] = set()
        super().__init__(tolerance=tolerance, most_waiting=most_waiting, width=self._top)

    def update(self, touchpoint: Touchpoint) -> list[PatternMatch]:
        """Take one touchpoint.

        Returns:
            The matches of its customer that are certain now, in order; most often none.
        """
        return self.update_raw(
            touchpoint.customer, touchpoint.event, touchpoint.time_us, touchpoint.channel
        )

    def update_raw(
        self, customer: Label, event: Label | None, time_us: int, channel: Label | None = None
    ) -> list[PatternMatch]:
        """The same as :meth:`update` without making a :class:`~cxkit.Touchpoint`.

        Args:
            customer: Text or a whole number.
            event: What happened, or ``None``.
            time_us: When: whole microseconds since 1970, UTC.
            channel: Where, or ``None``.

        Raises:
            DataError: The time is no whole number or lies outside the years 1900 to 2200, or the
                customer is no label, or is text where those before are whole numbers, or the other
                way round. Nothing has changed then.
        """
        return self._feed(customer, time_us, self._bits(event, channel))

    def update_many(
        self,
        customer: Sequence[Label] | NDArray[Any] | Codes,
        event: Sequence[Label | None] | NDArray[Any] | Codes,
        time_us: Sequence[int] | NDArray[Any],
        channel: Sequence[Label | None] | NDArray[Any] | Codes | None = None,
    ) -> list[PatternMatch]:
        """Take many touchpoints, one after another: the same as an update for each.

        Args:
            customer: (n,) the customers.
            event: (n,) what happened.
            time_us: (n,) when: whole microseconds since 1970, UTC, or datetime64.
            channel: (n,) where.

        Returns:
            The matches that are certain now, in the order in which the updates would give them.

        Raises:
            DataError: The lengths differ, a time is none, a customer is no label, or some are text
                and some whole numbers. Nothing has changed then.
        """
        ticks = whole_ticks(time_us)
        of_one_length(len(ticks), customer=customer, event=event, channel=channel)
        events = plain_list(event)
        if channel is None:
            table = {what: self._bits(what, None) for what in dict.fromkeys(events)}
            return self._feed_many(customer, ticks, map(table.__getitem__, events))
        return self._feed_many(customer, ticks, map(self._bits, events, plain_list(channel)))

    # ------------------------------------------------------------------ the engine

    def _bits(self, event: Label | None, channel: Label | None) -> int | None:
        """What a touchpoint is to the pattern; ``None`` if it is nothing."""
        bits = 0
        if event in self._rules:
            for where, bit in self._rules[event]:
                if where is None or where == channel:
                    bits |= bit
        return bits or None

    def _take(self, slot: int, time_us: int, item: int, out: list[PatternMatch]) -> None:
        if self._absence:
            self._pass(slot, time_us - 1, out)
        plan = self._plans.get(item)
        if plan is None:
            plan = self._plans[item] = self._plan(item)
        steps, barrier, refusal = plan
        if refusal:
            self._open.pop(slot, None)
        if slot in self._done:
            return
        base, fresh = slot * self._top, 0
        for step in steps:
            began = time_us if step == 0 else self._began(base + step - 1, step, time_us)
            if began == _NONE:
                continue
            if step == self._top:
                if self._complete(slot, began, time_us, out):
                    return
            else:
                self._starts[base + step], self._lasts[base + step] = began, time_us
                fresh |= 1 << step
        if barrier:
            for step in range(self._top):
                if not fresh >> step & 1:
                    self._starts[base + step] = _NONE

    def _began(self, at: int, step: int, time_us: int) -> int:
        """The start of the match that the step can go on with, if there is one."""
        began: int = self._starts[at]
        limit, gap = self._limit, self._gaps[step - 1]
        if limit is not None and time_us - began > limit:
            return _NONE  # also where there is none, for that began before all times
        if gap is not None and time_us - self._lasts[at] > gap:
            return _NONE
        return began

    def _plan(self, bits: int) -> _Plan:
        steps = tuple(k for k in range(self._top, -1, -1) if bits >> k & 1)
        return steps, bool(bits >> self._top + 1 & 1), bool(bits >> self._top + 2 & 1)

    def _complete(self, slot: int, began: int, time_us: int, out: list[PatternMatch]) -> bool:
        """Note that the steps are complete; whether the search begins anew."""
        if not self._absence:
            out.append(PatternMatch(self._names[slot], began, time_us))
            return self._reported(slot)
        limit, gap = self._limit, self._gaps[-1]
        deadline = NEVER if limit is None else began + limit
        if gap is not None:
            deadline = min(deadline, time_us + gap)
        absences = self._open.get(slot)
        if absences is None:
            self._open[slot] = [(began, deadline)]
        elif self._report == "overlapping":
            if len(absences) < self.most_waiting:
                absences.append((began, deadline))
            else:
                self._lost[DROPPED] += 1
        # Otherwise the first one decides: what answers it answers those after it, and if nothing
        # does, they begin before its deadline.
        return False

    def _reported(self, slot: int) -> bool:
        """A match was reported; whether the search begins anew."""
        if self._report == "overlapping":
            return False
        if self._report == "first":
            self._done.add(slot)
        for at in range(slot * self._top, (slot + 1) * self._top):
            self._starts[at] = _NONE
        return True

    def _pass(self, slot: int, final: int, out: list[PatternMatch]) -> int:
        absences = self._open.get(slot) if self._open else None
        if absences is None:
            return NEVER
        while absences and absences[0][1] <= final:
            began, deadline = absences.pop(0)
            out.append(PatternMatch(self._names[slot], began, deadline))
            self._reported(slot)
        if not absences:
            del self._open[slot]
            return NEVER
        return absences[0][1]

    def _told(self) -> str:
        late = show_span(self.tolerance_us) if self.tolerance_us else "none"
        return f"{self.pattern!r}, tolerance {late}"

    # ------------------------------------------------------------------ state

    def _hold(self, size: int, old: dict[str, NDArray[Any]]) -> None:
        super()._hold(size, old)
        self._starts, self._lasts = self._view("start"), self._view("last")

    def _header(self) -> dict[str, Any]:
        return {
            "pattern": self.pattern.to_dict(),
            "tolerance_us": self.tolerance_us,
            "most_waiting": self.most_waiting,
        }

    @classmethod
    def _from_header(cls, header: dict[str, Any]) -> Self:
        live = cls(Pattern.from_dict(header["pattern"]), most_waiting=header["most_waiting"])
        live.tolerance_us = header["tolerance_us"]
        return live

    def _rows(self) -> dict[str, NDArray[Any]]:
        absences = pack_rows("open", self._open, ("<i8", "<i8"))
        return {**super()._rows(), **absences, "done": np.array(sorted(self._done), "<i8")}

    def _take_rows(self, arrays: dict[str, NDArray[Any]]) -> None:
        super()._take_rows(arrays)
        self._open = unpack_rows("open", arrays, len(self), 2)
        self._done = set(arrays["done"].tolist())
