"""Live scores where the order of touchpoints does not matter."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from cxkit.core.batches import checked_us
from cxkit.core.codes import Label
from cxkit.core.spans import FIRST_US, LAST_US
from cxkit.engagement.ageing import Inactivity
from cxkit.engagement.live import LiveScores
from cxkit.engagement.livebytes import damaged
from cxkit.engagement.livemany import many_plain
from cxkit.engagement.livestate import NEVER, LiveState
from cxkit.engagement.scale import EngagementScale

__all__ = ["PlainScores"]

_NOTHING: Final[Mapping[str, Any]] = {}
_FEW: Final = 24  # so many touchpoints are taken faster one by one


class PlainScores(LiveScores):
    """Live scores of a scale whose rules count every touchpoint: sums that only fade.

    A row holds the time of the latest touchpoint and the aged sum of each cell at that time; a late
    touchpoint is added with the age that it has by then.
    """

    __slots__ = ("_half_life", "_single", "_worth")

    KIND: ClassVar[str] = "plain"

    def __init__(self, scale: EngagementScale, tolerance_us: int | None) -> None:
        """Begin without customers; see :meth:`EngagementScale.live`."""
        super().__init__(scale, tolerance_us)
        self._half_life = scale.half_life_us
        self._state = LiveState([NEVER], scale.caps.cells)
        # The common case, one sum and no cap, has a path of its own.
        self._single = scale.caps.none
        self._worth: dict[Label | None, float] = {
            event: sum(points for _, points in matches)
            for event, matches in self._matcher.fixed.items()
        }

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
        if not self._single:
            return self._update_cells(customer, event, time_us, channel, value, columns)
        if self._matcher.asking:
            earned = sum(p for _, p in self._matcher.matches(event, channel, value, columns))
        else:
            earned = self._worth.get(event, 0.0)
        state = self._state
        row = state.slots.get(customer)
        if row is None:
            row = state.add(customer)
            state.ints[row] = time_us
            state.cells[row] = earned
            return earned
        age = time_us - state.ints[row]
        score: float = state.cells[row]
        if age < 0:
            if self._half_life is not None:
                earned *= math.exp2(age / self._half_life)
            score += earned
            state.cells[row] = score
            return score
        if self._half_life is not None:
            score *= math.exp2(-age / self._half_life)
        score += earned
        state.cells[row] = score
        state.ints[row] = time_us
        return score

    def _update_cells(
        self,
        customer: Label,
        event: Label | None,
        time_us: int,
        channel: Label | None,
        value: float,
        columns: Mapping[str, Any],
    ) -> float:
        matches = self._matcher.matches(event, channel, value, columns)
        state = self._state
        row = state.slots.get(customer)
        if row is None:
            row = state.add(customer)
            state.ints[row] = time_us
        age, left = time_us - state.ints[row], 1.0
        cells, caps = state.cells, self.scale.caps
        base = row * caps.cells
        if age < 0:
            if self._half_life is not None:
                left = math.exp2(age / self._half_life)
        else:
            state.ints[row] = time_us
            if self._half_life is not None and age:
                kept = math.exp2(-age / self._half_life)
                for place in range(base, base + caps.cells):
                    cells[place] *= kept
        for rule, points in matches:
            cells[base + caps.cell[rule]] += points * left
        return max(caps.total_of(cells[base : base + caps.cells]), caps.floor)

    @override
    def _many(
        self,
        customer: Any,
        event: Any,
        ticks: NDArray[np.int64],
        channel: Any,
        value: Any,
        columns: Mapping[str, Any],
    ) -> NDArray[np.float64]:
        if len(ticks) <= _FEW or not self._single or self._matcher.asking:
            return super()._many(customer, event, ticks, channel, value, columns)
        return many_plain(self._state, self._worth, self._half_life, customer, event, ticks)

    @override
    def _score(self, row: int, us: int) -> float:
        caps = self.scale.caps
        age = us - self._state.ints[row]
        left = 1.0 if self._half_life is None else math.exp2(-age / self._half_life)
        base = row * caps.cells
        cells = [cell * left for cell in self._state.cells[base : base + caps.cells]]
        total = max(caps.total_of(cells), caps.floor)
        if isinstance(self.scale.ageing, Inactivity):
            left_of = self.scale.ageing.left(np.array([total]), np.array([age]))
            return float(left_of[0])
        return total

    @override
    def _restore(
        self, header: dict[str, Any], customers: list[Label], arrays: dict[str, NDArray[Any]]
    ) -> None:
        count = len(customers)
        if arrays["ints"].shape != (count, 1) or arrays["cells"].shape != (
            count,
            self.scale.caps.cells,
        ):
            raise damaged()
        rows = [self._state.add(customer) for customer in customers]
        self._state.put(rows, arrays["ints"], arrays["cells"])
