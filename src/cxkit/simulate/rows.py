"""Touchpoints while they are being drawn, and the calendar that they are drawn from.

Only ``random``, ``standard_normal``, ``standard_exponential`` and ``poisson`` of the generator are
called in this package: their streams have been the same in every numpy release since 1.17.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.simulate.world import NONE

__all__ = ["DAY", "Calendar", "FloatArray", "Rows", "chance", "draw_clock", "whole"]

FloatArray = NDArray[np.float64]

DAY: Final = 86_400
"""Seconds."""

# Shares of the hours 0..23. People browse in the evening, shops open at nine, mail is read early.
_HOURS: Final = {
    "online": (2, 1, 1, 1, 1, 2, 4, 6, 7, 7, 7, 7, 8, 8, 7, 7, 8, 9, 10, 12, 13, 12, 8, 4),
    "store": (0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 7, 9, 9, 8, 8, 9, 11, 12, 9, 5, 0, 0, 0, 0),
    "mail": (0, 0, 0, 0, 0, 1, 6, 14, 16, 12, 8, 6, 6, 4, 3, 3, 3, 3, 3, 4, 4, 2, 1, 0),
    "office": (0, 0, 0, 0, 0, 0, 0, 0, 4, 9, 11, 10, 8, 8, 9, 9, 8, 5, 0, 0, 0, 0, 0, 0),
}
# Shares of the days Monday..Sunday.
_WEEKDAYS: Final = {
    "shopping": (9, 9, 9, 10, 12, 14, 12),
    "mail": (6, 16, 8, 16, 8, 3, 5),
    "office": (12, 11, 10, 10, 10, 3, 0),
    "any": (1, 1, 1, 1, 1, 1, 1),
}


@attrs.frozen
class Calendar:
    """The days that are simulated.

    Attributes:
        days: How many.
        weekday: The weekday of the first: 0 is Monday.
    """

    days: int
    weekday: int

    @property
    def seconds(self) -> int:
        """The length of the period."""
        return self.days * DAY

    def draw_days(self, rng: np.random.Generator, size: int, weekdays: str) -> IntArray:
        """(size,) days from 0, in the proportions of the weekdays."""
        weight = np.array(_WEEKDAYS[weekdays], float)[(self.weekday + np.arange(self.days)) % 7]
        # A period of a Sunday alone has no office hours; then any day will do.
        weight = weight if weight.sum() > 0 else np.ones(self.days)
        return _draw(rng, size, weight)


def _draw(rng: np.random.Generator, size: int, weight: FloatArray) -> IntArray:
    upper = np.cumsum(weight) / weight.sum()
    drawn = np.searchsorted(upper[:-1], rng.random(size), side="right")
    return drawn.astype(np.int64, copy=False)


def draw_clock(rng: np.random.Generator, size: int, hours: str) -> IntArray:
    """(size,) seconds of the day, in the proportions of the hours."""
    hour = _draw(rng, size, np.array(_HOURS[hours], float))
    return hour * 3600 + whole(rng.random(size) * 3600)


def whole(values: FloatArray) -> IntArray:
    """Rounded down to whole numbers."""
    return np.floor(values).astype(np.int64)


def chance(rng: np.random.Generator, probability: FloatArray) -> IntArray:
    """The places at which a chance came true."""
    return np.flatnonzero(rng.random(len(probability)) < probability)


@attrs.frozen(eq=False)
class Rows:
    """Touchpoints, in any order.

    Attributes:
        customer: (E,) from 0.
        second: (E,) since the start.
        kind: (E,) codes into ``KINDS``.
        campaign: (E,) codes into ``CAMPAIGNS``, or ``NONE``.
        device: (E,) codes into ``DEVICES``, or ``NONE``.
        value: (E,) money, NaN where there is none.
    """

    customer: IntArray
    second: IntArray
    kind: NDArray[np.uint8]
    campaign: NDArray[np.uint8]
    device: NDArray[np.uint8]
    value: FloatArray

    @classmethod
    def of(
        cls,
        customer: IntArray,
        second: IntArray,
        kind: NDArray[np.uint8] | np.uint8,
        *,
        campaign: NDArray[np.uint8] | int = NONE,
        device: NDArray[np.uint8] | int = NONE,
        value: FloatArray | float = np.nan,
    ) -> Rows:
        """Rows of which several columns may be the same throughout."""
        columns = [(kind, np.uint8), (campaign, np.uint8), (device, np.uint8), (value, np.float64)]
        filled: list[Any] = [
            np.broadcast_to(np.asarray(column, dtype), customer.shape) for column, dtype in columns
        ]
        return cls(customer, second, *filled)

    @classmethod
    def concat(cls, parts: Sequence[Rows]) -> Rows:
        """All rows, in the order of the parts."""
        names = [field.name for field in attrs.fields(cls)]
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    def take(self, rows: NDArray[Any]) -> Rows:
        """The chosen rows."""
        return Rows(*(getattr(self, field.name)[rows] for field in attrs.fields(Rows)))

    def __len__(self) -> int:
        """E, the number of rows."""
        return len(self.customer)
