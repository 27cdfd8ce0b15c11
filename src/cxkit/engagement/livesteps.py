"""One touchpoint in order: how the state of a customer changes, rule by rule."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import attrs

from cxkit.core.codes import Label
from cxkit.engagement.ageing import HalfLife, Inactivity, LinearDecay, RollingWindow
from cxkit.engagement.days import Days
from cxkit.engagement.livematch import Matches
from cxkit.engagement.livestate import NEVER, LiveState
from cxkit.engagement.scale import EngagementScale

__all__ = ["Kept", "Steps"]

_EVERY, _ONCE, _COOLDOWN, _DEBOUNCE, _DAY = range(5)
_KINDS: Final = {
    "every": _EVERY,
    "cooldown": _COOLDOWN,
    "debounce": _DEBOUNCE,
    "calendar_day": _DAY,
}
_WORD: Final = 62  # bits of a whole number that are flags

Kept = list[tuple[int, int, float]]
"""Touchpoints whose points are kept one by one: time, cell, points."""


@attrs.frozen(eq=False)
class _Rule:
    """How a rule counts, and where its numbers are in a row.

    Attributes:
        kind: The way of counting.
        place: Where its flags, its last time or its last day are; -1 if it needs none.
        number: Its flag or its span.
        per_day: How many count on a day; 0 for any number.
        day_place: Where the day is for which it counts them, and after it how many they are.
        cell: Where its points go.
    """

    kind: int
    place: int
    number: int
    per_day: int
    day_place: int
    cell: int


class Steps:
    """The layout of a row, and what a touchpoint does to it.

    A row begins with the time of the latest touchpoint and that of the latest activity. Then come
    words of flags for the rules that count once, and the numbers of the other rules.
    """

    __slots__ = (
        "_activity",
        "_cells",
        "_customer",
        "_days",
        "_gap",
        "_half_life",
        "_keeps",
        "_rules",
        "_span",
        "_words",
        "blank",
    )

    def __init__(self, scale: EngagementScale) -> None:
        """Lay out the rows."""
        once = [r for r in scale.rules if r.count.startswith("once_")]
        words = -(-len(once) // _WORD)
        self._words = range(2, 2 + words)
        self._customer = [0] * words  # flags that a new session leaves as they are
        blank = [NEVER, NEVER, *[0] * words]
        rules, flag = [], 0
        for rule, cell in zip(scale.rules, scale.caps.cell, strict=True):
            place, number, kind = -1, rule.within_us, _KINDS.get(rule.count, _ONCE)
            if kind == _ONCE:
                place, number = 2 + flag // _WORD, 1 << flag % _WORD
                if rule.count == "once_per_customer":
                    self._customer[flag // _WORD] |= number
                flag += 1
            elif kind != _EVERY:
                place = len(blank)
                blank.append(NEVER)
            day_place = -1
            if rule.per_day is not None:
                day_place = len(blank)
                blank += [NEVER, 0]
            rules.append(_Rule(kind, place, number, rule.per_day or 0, day_place, cell))
        self.blank: list[int] = blank
        self._rules = rules
        self._cells = scale.caps.cells
        self._gap = scale.session_gap_us
        self._days = Days(scale.zone)
        ageing = scale.ageing
        self._half_life = ageing.us if isinstance(ageing, HalfLife) else None
        self._keeps = isinstance(ageing, (LinearDecay, RollingWindow))
        self._span = ageing.us if isinstance(ageing, (LinearDecay, RollingWindow)) else 0
        events = ageing.events if isinstance(ageing, Inactivity) else None
        self._activity = None if events is None else frozenset(events)

    @property
    def keeps(self) -> bool:
        """Whether points are kept one by one."""
        return self._keeps

    def active(self, event: Label | None) -> bool:
        """Whether an event is activity."""
        return self._activity is None or event in self._activity

    def take(
        self,
        state: LiveState,
        kept: Mapping[int, Kept],
        row: int,
        time: int,
        active: bool,  # noqa: FBT001  # one of the things that a touchpoint is
        matches: Matches,
    ) -> None:
        """Take a touchpoint that is not earlier than those before it.

        Args:
            state: The rows.
            kept: The points kept one by one, by row.
            row: Whose it is.
            time: Microseconds since 1970.
            active: Whether it is activity.
            matches: The rules that it reaches.
        """
        ints, cells = state.ints, state.cells
        base, first = row * len(self.blank), row * self._cells
        pause = time - ints[base]
        ints[base] = time
        if active or ints[base + 1] == NEVER:
            ints[base + 1] = time
        if pause > self._gap:
            for place, customer in zip(self._words, self._customer, strict=True):
                ints[base + place] &= customer
        if self._half_life is not None and pause:
            left = math.exp2(-pause / self._half_life)
            for cell in range(first, first + self._cells):
                cells[cell] *= left
        if self._keeps:
            self._drop(kept[row], time)
        for position, points in matches:
            rule = self._rules[position]
            if rule.kind and not self._counts(rule, ints, base, time):
                continue
            if rule.per_day and not self._within_day(rule, ints, base, time):
                continue
            if self._keeps:
                kept[row].append((time, rule.cell, points))
            else:
                cells[first + rule.cell] += points

    def _counts(self, rule: _Rule, ints: memoryview[int], base: int, time: int) -> bool:
        """Whether a repeat counts; its trace in the row."""
        place = base + rule.place
        if rule.kind == _ONCE:
            if ints[place] & rule.number:
                return False
            ints[place] |= rule.number
            return True
        if rule.kind == _DAY:
            day = self._days.number(time)
            fits = ints[place] != day
            ints[place] = day
            return fits
        fits = time - ints[place] >= rule.number
        if fits or rule.kind == _DEBOUNCE:
            ints[place] = time
        return fits

    def _within_day(self, rule: _Rule, ints: memoryview[int], base: int, time: int) -> bool:
        """Whether fewer than ``per_day`` have counted on this day."""
        place, day = base + rule.day_place, self._days.number(time)
        if ints[place] != day:
            ints[place], ints[place + 1] = day, 0
        ints[place + 1] += 1
        return ints[place + 1] <= rule.per_day

    def _drop(self, kept: Kept, time: int) -> None:
        """Let go of points of which nothing is left."""
        gone = 0
        for when, _, _ in kept:
            if time - when < self._span:
                break
            gone += 1
        if gone:
            del kept[:gone]

    def sums(
        self, state: LiveState, kept: Mapping[int, Kept], row: int, at: int, *, linear: bool
    ) -> list[float]:
        """The aged sum of each cell at an instant that is not before the latest touchpoint."""
        first = row * self._cells
        if self._keeps:
            sums = [0.0] * self._cells
            for when, cell, points in kept[row]:
                age = at - when
                if age < self._span:
                    sums[cell] += points * ((self._span - age) / self._span) if linear else points
            return sums
        sums = state.cells[first : first + self._cells].tolist()
        if self._half_life is not None:
            left = math.exp2(-(at - state.ints[row * len(self.blank)]) / self._half_life)
            sums = [one * left for one in sums]
        return sums
