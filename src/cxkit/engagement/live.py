"""Scores kept up to date one touchpoint at a time."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator
from typing import Any, Final, NoReturn, Self

import numpy as np

from cxkit.core.codes import Label
from cxkit.core.spans import FIRST_US, LAST_US, InstantLike, instant_us
from cxkit.engagement.ageing import show_instant
from cxkit.engagement.livebytes import pack, unpack
from cxkit.engagement.scale import EngagementScale
from cxkit.errors import DataError, DefinitionError
from cxkit.model.touchpoint import Touchpoint

__all__ = ["LiveScores"]

_MOST_ONCE: Final = 64  # one bit per rule in one word per customer
_SMALLEST: Final = 16

# What a rule needs beside its points: its channel or None, the points, and its bit or 0.
_Rule = tuple[Label | None, float, int]


class LiveScores:
    """The engagement scores of a scale, kept up to date one touchpoint at a time.

    Made by :meth:`EngagementScale.live`. It keeps 24 bytes per customer beside the customer's name:
    the score, its instant, and a bit for each rule that counts once; an update takes about a
    microsecond however long the history is, and gives what the scale gives for the whole journey.

    Touchpoints of different customers may come in any order. A touchpoint older than its
    customer's latest is taken if every rule counts every touchpoint; where a rule counts once, it
    is refused, because it could turn out to be the first. A touchpoint that comes twice counts
    twice. It is not for use by several threads at once.

    Example:
        >>> from cxkit import EngagementScale, PointRule, Touchpoint
        >>> live = EngagementScale([PointRule("view", 8)], half_life="7d").live()
        >>> live.update(Touchpoint("ann", "2024-01-01", event="view"))
        8.0
        >>> live.update(Touchpoint("ann", "2024-01-08", event="view"))
        12.0
        >>> live.score("ann", at="2024-01-15")
        6.0
    """

    __slots__ = (
        "_arrays",
        "_customer_bits",
        "_flags",
        "_gap",
        "_half_life",
        "_once",
        "_plain",
        "_rules",
        "_scores",
        "_slots",
        "_ticks",
        "scale",
    )

    def __init__(self, scale: EngagementScale) -> None:
        """Begin without customers.

        Raises:
            DefinitionError: More than 64 rules count once.
        """
        self.scale: EngagementScale = scale
        self._half_life = scale.half_life_us
        self._gap = scale.session_gap_us
        self._plain: dict[Label | None, float] = {}
        self._rules: dict[Label | None, list[_Rule]] = {}
        self._customer_bits = 0
        self._once = sum(rule.count != "every" for rule in scale.rules)
        if self._once > _MOST_ONCE:
            raise DefinitionError(
                f"live scores keep at most {_MOST_ONCE} rules that count once; "
                f"{scale.name!r} has {self._once}"
            )
        bit = 1
        for rule in scale.rules:
            event, once = rule.goal.event, rule.count != "every"
            if not once and rule.goal.channel is None:
                self._plain[event] = self._plain.get(event, 0.0) + rule.points
                continue
            entry = (rule.goal.channel, rule.points, bit if once else 0)
            self._rules.setdefault(event, []).append(entry)
            if rule.count == "once_per_customer":
                self._customer_bits |= bit
            bit <<= once
        self._slots: dict[Label, int] = {}
        self._hold(*(np.zeros(_SMALLEST, kind) for kind in (np.float64, np.int64, np.uint64)))

    def __len__(self) -> int:
        """How many customers were seen."""
        return len(self._slots)

    def __contains__(self, customer: object) -> bool:
        """Whether a touchpoint of the customer was seen."""
        return customer in self._slots

    def __iter__(self) -> Iterator[Label]:
        """The customers, in the order in which they were first seen."""
        return iter(self._slots)

    def __repr__(self) -> str:
        """How many customers, and the scale."""
        return f"<LiveScores of {len(self):,} customers: {self.scale!r}>"

    def update(self, touchpoint: Touchpoint) -> float:
        """Take one touchpoint.

        Returns:
            The customer's score at the touchpoint's time; after a late touchpoint, the score at the
            time of the customer's latest.

        Raises:
            DataError: The touchpoint is older than the customer's latest, and a rule counts once.
        """
        return self.update_raw(
            touchpoint.customer, touchpoint.event, touchpoint.time_us, touchpoint.channel
        )

    def update_raw(
        self, customer: Label, event: Label | None, time_us: int, channel: Label | None = None
    ) -> float:
        """The same as :meth:`update` without making a :class:`~cxkit.Touchpoint`.

        Args:
            customer: Text or a whole number.
            event: What happened, or ``None``.
            time_us: When: whole microseconds since 1970, UTC.
            channel: Where, or ``None``.

        Raises:
            DataError: The time is no whole number or lies outside the years 1900 to 2200, the
                customer is no label, or as for :meth:`update`. Nothing has changed then.
        """
        if type(time_us) is not int:
            time_us = _whole(time_us)
        if not FIRST_US <= time_us <= LAST_US:
            raise DataError(f"time_us={time_us} lies outside the years 1900 to 2200")
        earned = self._plain.get(event, 0.0)
        slot = self._slots.get(customer)
        if slot is None:
            slot = self._add(customer, time_us)
        age = time_us - self._ticks[slot]
        if age < 0:
            return self._late(slot, customer, event, channel, earned, age)
        if self._once and age > self._gap:
            self._flags[slot] &= self._customer_bits  # a new session begins
        if event in self._rules:
            earned = self._add_rules(slot, self._rules[event], channel, earned)
        score: float = self._scores[slot]
        if self._half_life is not None:
            score *= math.exp2(-age / self._half_life)
        score += earned
        self._scores[slot] = score
        self._ticks[slot] = time_us
        return score

    def score(self, customer: Label, *, at: InstantLike) -> float:
        """A customer's score at an instant; 0 for one who was never seen.

        Raises:
            DefinitionError: ``at`` is not an instant.
            DataError: ``at`` lies before the customer's latest touchpoint, whose points cannot be
                taken out again; score the journey with ``scale.score``.
        """
        us = instant_us(at, name="at")
        slot = self._slots.get(customer)
        if slot is None:
            return 0.0
        age = us - self._ticks[slot]
        if age < 0:
            raise DataError(
                f"at={show_instant(us)} lies before the latest touchpoint of {customer!r} "
                f"({show_instant(self._ticks[slot])}); live scores keep no past: "
                "score the journey with scale.score(journey, at=...)"
            )
        score: float = self._scores[slot]
        return score if self._half_life is None else score * math.exp2(-age / self._half_life)

    def to_bytes(self) -> bytes:
        """The scale and the state of every customer, for a file or another process.

        It is JSON and arrays; pickle is never read.
        """
        state = [array[: len(self)] for array in self._arrays]
        return pack(self.scale.to_dict(), list(self._slots), state)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read back what :meth:`to_bytes` wrote.

        Raises:
            DataError: The bytes are not those of live scores, or are damaged or cut short.
        """
        scale, customers, state = unpack(data)
        live = cls(EngagementScale.from_dict(scale))
        live._slots = {customer: slot for slot, customer in enumerate(customers)}
        live._hold(*state)
        return live

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle through bytes: views of memory cannot be pickled themselves."""
        return LiveScores.from_bytes, (self.to_bytes(),)

    def _hold(self, *arrays: Any) -> None:
        # Reading one element through a memoryview of an array costs a tenth of array indexing.
        self._arrays = arrays
        self._scores: Any = memoryview(arrays[0])
        self._ticks: Any = memoryview(arrays[1])
        self._flags: Any = memoryview(arrays[2])

    def _add(self, customer: Label, time_us: int) -> int:
        """A slot for a customer who was not seen before."""
        if isinstance(customer, bool) or not isinstance(customer, (str, int, np.integer)):
            raise DataError(f"a customer is text or a whole number; found {customer!r}")
        if isinstance(customer, str) and not customer.strip():
            raise DataError(f"a touchpoint needs a customer; found {customer!r}")
        slot = len(self._slots)
        if slot >= len(self._ticks):
            size = max(2 * slot, _SMALLEST)
            wide = [np.zeros(size, a.dtype) for a in self._arrays]
            for new, old in zip(wide, self._arrays, strict=True):
                new[:slot] = old
            self._hold(*wide)
        self._slots[customer] = slot
        self._ticks[slot] = time_us
        return slot

    def _add_rules(
        self, slot: int, rules: list[_Rule], channel: Label | None, earned: float
    ) -> float:
        """The points of the rules with a channel or a bit, on top of ``earned``."""
        flags = self._flags[slot]
        for where, points, bit in rules:
            if (where is None or where == channel) and not flags & bit:
                flags |= bit
                earned += points
        self._flags[slot] = flags
        return earned

    def _late(
        self,
        slot: int,
        customer: Label,
        event: Label | None,
        channel: Label | None,
        earned: float,
        age: int,
    ) -> float:
        """A touchpoint older than the latest of its customer."""
        if self._once:
            latest = self._ticks[slot]
            _refuse_late(customer, latest + age, latest)
        for where, points, _ in self._rules.get(event, ()):
            if where is None or where == channel:
                earned += points
        if self._half_life is not None:
            earned *= math.exp2(age / self._half_life)
        self._scores[slot] += earned
        return self._scores[slot]  # type: ignore[no-any-return]  # a memoryview of doubles


def _refuse_late(customer: Label, time_us: int, latest: int) -> NoReturn:
    raise DataError(
        f"a touchpoint of {customer!r} at {show_instant(time_us)} came after one at "
        f"{show_instant(latest)}, and a rule of the scale counts once: which touchpoint is the "
        "first depends on their order. Feed touchpoints in order of time; a tolerance for late "
        "ones is not built yet"
    )


def _whole(time_us: Any) -> int:
    try:
        return operator.index(time_us)
    except TypeError:
        raise DataError(f"time_us is whole microseconds since 1970; found {time_us!r}") from None
