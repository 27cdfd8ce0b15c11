"""Live scores where the order of touchpoints matters, with a tolerance for late ones.

The row of a customer is the state after every touchpoint that came. For as long as a late one may
come, the touchpoints that it could precede are kept too, with a second row: the state before them.
A late touchpoint takes its place among them, and they are taken again from there.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from cxkit.core.batches import checked_us
from cxkit.core.codes import Label
from cxkit.core.spans import FIRST_US, LAST_US
from cxkit.engagement import liverows
from cxkit.engagement.ageing import Inactivity, LinearDecay, show_instant
from cxkit.engagement.live import LiveScores
from cxkit.engagement.liverows import Item, Waiting
from cxkit.engagement.livestate import NEVER, LiveState
from cxkit.engagement.livesteps import Kept, Steps
from cxkit.engagement.scale import EngagementScale
from cxkit.errors import DataError

__all__ = ["RuleScores"]

_NOTHING: Final[Mapping[str, Any]] = {}
_BYTES_OF_KEPT: Final = 24


class RuleScores(LiveScores):
    """Live scores of any scale; see :class:`LiveScores`."""

    __slots__ = ("_clock", "_kept", "_linear", "_steps", "_waiting")

    KIND: ClassVar[str] = "rules"

    def __init__(self, scale: EngagementScale, tolerance_us: int | None) -> None:
        """Begin without customers; see :meth:`EngagementScale.live`."""
        super().__init__(scale, tolerance_us or 0)
        self._steps = Steps(scale)
        self._state = LiveState(self._steps.blank, scale.caps.cells)
        self._linear = isinstance(scale.ageing, LinearDecay)
        self._waiting: dict[int, Waiting] = {}
        self._kept: dict[int, Kept] = {}
        self._clock = NEVER

    @property
    @override
    def nbytes(self) -> int:
        held = sum(len(w.items) * _BYTES_OF_KEPT for w in self._waiting.values())
        return self._state.nbytes + held + sum(map(len, self._kept.values())) * _BYTES_OF_KEPT

    @override
    def update_raw(
        self,
        customer: Label,
        event: Label | None,
        time_us: int,
        channel: Label | None = None,
        value: float = math.nan,
        columns: Mapping[str, Any] = _NOTHING,
    ) -> float:
        if type(time_us) is not int or not FIRST_US <= time_us <= LAST_US:
            time_us = checked_us(time_us)
        matches = self._matcher.matches(event, channel, value, columns)
        active = self._steps.active(event)
        state = self._state
        row = state.slots.get(customer)
        if row is None:
            row = state.add(customer)
            if self._steps.keeps:
                self._kept[row] = []
        latest = self._latest(row)
        if time_us < latest:
            self._late(row, customer, (time_us, active, matches), latest)
            return self._score(row, latest)
        if self.tolerance_us:
            self._wait(row, (time_us, active, matches))
        self._steps.take(state, self._kept, row, time_us, active, matches)
        return self._score(row, time_us)

    def _wait(self, row: int, item: Item) -> None:
        """Keep a touchpoint that is in order, before it is taken."""
        final = item[0] - self.tolerance_us  # type: ignore[operator]  # there is a tolerance
        waiting = self._waiting.get(row)
        if waiting is None:
            waiting = self._waiting[row] = Waiting(self._state.new_row(), [])
            self._copy(row, waiting.before)
        elif waiting.items[-1][0] <= final:
            # None can precede them any more: the state after them is that before this one.
            self._copy(row, waiting.before)
            waiting.items.clear()
        elif waiting.items[0][0] <= final:
            done = bisect_right(waiting.items, final, key=_time)
            for time, active, matches in waiting.items[:done]:
                self._steps.take(self._state, self._kept, waiting.before, time, active, matches)
            del waiting.items[:done]
        waiting.items.append(item)

    def _late(self, row: int, customer: Label, item: Item, latest: int) -> None:
        """Take a touchpoint that is older than the latest of its customer."""
        time = item[0]
        waiting = self._waiting.get(row)
        last = latest - (self.tolerance_us or 0)
        if waiting is None or time < last or time < self._clock:
            self._count_late()
            raise DataError(
                f"a touchpoint of {customer!r} at {show_instant(time)} came after one at "
                f"{show_instant(latest)}, which is later than the tolerance, and live scores of "
                "this scale take touchpoints in order: keep it for a run over the whole journey, "
                "or give scale.live(tolerance=...) more"
            )
        waiting.items.insert(bisect_right(waiting.items, time, key=_time), item)
        self._copy(waiting.before, row)
        for when, active, matches in waiting.items:
            self._steps.take(self._state, self._kept, row, when, active, matches)

    def _copy(self, source: int, target: int) -> None:
        self._state.copy_row(source, target)
        if self._steps.keeps:
            self._kept[target] = list(self._kept[source])

    @override
    def _score(self, row: int, us: int) -> float:
        sums = self._steps.sums(self._state, self._kept, row, us, linear=self._linear)
        caps = self.scale.caps
        total = max(caps.total_of(sums), caps.floor)
        if isinstance(self.scale.ageing, Inactivity):
            idle = us - self._state.ints[row * len(self._steps.blank) + 1]
            if idle:
                left = self.scale.ageing.left(np.array([total]), np.array([idle]))
                return float(left[0])
        return total

    @override
    def _forgotten(self, row: int) -> None:
        self._kept.pop(row, None)
        waiting = self._waiting.pop(row, None)
        if waiting is not None:
            self._kept.pop(waiting.before, None)
            self._state.free_row(waiting.before)

    @override
    def _advance(self, us: int) -> int:
        self._clock = max(self._clock, us - (self.tolerance_us or 0))
        done = [row for row, w in self._waiting.items() if w.items[-1][0] <= self._clock]
        for row in done:
            waiting = self._waiting.pop(row)
            self._kept.pop(waiting.before, None)
            self._state.free_row(waiting.before)
        return len(done)

    @override
    def _header(self) -> dict[str, Any]:
        return {"clock": self._clock}

    @override
    def _more(self) -> dict[str, NDArray[Any]]:
        rows = list(self._state.slots.values())
        return liverows.pack(self._state, rows, self._waiting, self._kept)

    @override
    def _restore(
        self, header: dict[str, Any], customers: list[Label], arrays: dict[str, NDArray[Any]]
    ) -> None:
        limits = len(self.scale.rules), self.scale.caps.cells
        liverows.check(header, arrays, len(customers), len(self._steps.blank), limits)
        self._clock = header["clock"]
        rows = [self._state.add(customer) for customer in customers]
        self._state.put(rows, arrays["ints"], arrays["cells"])
        self._waiting, self._kept = liverows.unpack(
            self._state, rows, arrays, keeps=self._steps.keeps
        )


def _time(item: Item) -> int:
    return item[0]
