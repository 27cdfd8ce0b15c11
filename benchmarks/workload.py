"""The event log that every contender gets, the same for all of them in one run.

One customer per ten touchpoints, with log-normal activity (so some customers have none and a few
have hundreds), 20 channels, 50 event types and one year of microsecond timestamps, in uniformly
shuffled order. The columns go into plain ``.npy`` files, because the contenders live in processes
(and some in environments) of their own, and must not draw different numbers.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

CHANNELS = 20
EVENTS = 50
TOUCHPOINTS_PER_CUSTOMER = 10

DAY_US = 86_400_000_000
START_US = 1_735_689_600_000_000  # 2025-01-01, UTC
YEAR_US = 365 * DAY_US
AT_US = START_US + YEAR_US  # scores are as of the end of the year: every touchpoint counts
AT = "2026-01-01"

HALF_LIFE_US = 14 * DAY_US
HALF_LIFE = "14d"
POINTS = np.arange(2.0, 2.0 * EVENTS + 1.0, 2.0)  # 2, 4 ... 100: every event type earns points

GOAL = EVENTS - 1  # the event that is a conversion
FUNNEL_STEPS = (3, 7, 12, 18)
FUNNEL_WITHIN_US = 30 * DAY_US
FUNNEL_WITHIN = "30d"

CHANNEL_LABELS = [f"channel_{code:02d}" for code in range(CHANNELS)]
EVENT_LABELS = [f"event_{code:02d}" for code in range(EVENTS)]

COLUMNS = ("customer", "time", "channel", "event", "value")


@dataclasses.dataclass(frozen=True)
class Log:
    """An event log as integer codes: E rows in no order.

    Attributes:
        customer: (E,) int32, codes of the customers.
        time: (E,) int64, microseconds since 1970, UTC.
        channel: (E,) uint8, codes below ``CHANNELS``.
        event: (E,) uint8, codes below ``EVENTS``.
        value: (E,) float64, money; NaN unless the event is ``GOAL``.
    """

    customer: NDArray[np.int32]
    time: NDArray[np.int64]
    channel: NDArray[np.uint8]
    event: NDArray[np.uint8]
    value: NDArray[np.float64]

    def __len__(self) -> int:
        """E, the number of touchpoints."""
        return len(self.customer)

    @property
    def customers(self) -> int:
        """How many customers there can be (some have no touchpoint)."""
        return _customers(len(self))

    def save(self, folder: Path) -> None:
        """Write one ``.npy`` file per column into ``folder``."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in COLUMNS:
            np.save(folder / f"{name}.npy", getattr(self, name))

    @classmethod
    def load(cls, folder: Path) -> Log:
        """Read what ``save`` wrote."""
        return cls(**{name: np.load(folder / f"{name}.npy") for name in COLUMNS})


def make_log(touchpoints: int, *, skew: float = 0.0, ties: bool = True, rng: int = 7) -> Log:
    """Draw an event log.

    Args:
        touchpoints: E, the number of rows.
        skew: 0 draws channels and events uniformly; above 0 the k-th of them has a probability
            proportional to ``k ** -skew`` (1 is Zipf's law).
        ties: whether one row in a thousand shares its instant with another of its customer.
        rng: the seed.
    """
    random = np.random.default_rng(rng)
    activity = np.cumsum(random.lognormal(size=_customers(touchpoints)))
    # Independent draws of a customer for every row are a uniform shuffle already.
    draws = random.random(touchpoints) * activity[-1]
    customer = np.searchsorted(activity, draws, side="right").clip(max=len(activity) - 1)
    event = _draw(random, EVENTS, touchpoints, skew)
    value = np.full(touchpoints, np.nan)
    bought = np.flatnonzero(event == GOAL)
    value[bought] = np.round(random.lognormal(3.5, 1.0, size=len(bought)), 2)
    time = START_US + random.integers(0, YEAR_US, size=touchpoints)
    if ties:
        _tie(random, customer, time)
    return Log(
        customer=customer.astype(np.int32),
        time=time,
        channel=_draw(random, CHANNELS, touchpoints, skew),
        event=event,
        value=value,
    )


def _customers(touchpoints: int) -> int:
    return max(1, touchpoints // TOUCHPOINTS_PER_CUSTOMER)


def _draw(random: np.random.Generator, labels: int, size: int, skew: float) -> NDArray[np.uint8]:
    if skew == 0.0:
        return random.integers(0, labels, size=size, dtype=np.uint8)
    weight = np.arange(1.0, labels + 1.0) ** -skew
    edges = np.cumsum(weight / weight.sum())[:-1]
    return np.searchsorted(edges, random.random(size), side="right").astype(np.uint8)


def _tie(
    random: np.random.Generator, customer: NDArray[np.integer], time: NDArray[np.int64]
) -> None:
    """Give about one row in a thousand the time of another row of the same customer, in place.

    Without equal times a sort that forgets the input order would pass for a stable one.
    """
    order = np.argsort(customer, kind="stable")
    at = random.integers(1, max(len(time), 2), size=len(time) // 1000)
    left, right = order[at - 1], order[at]
    same = customer[left] == customer[right]
    time[right[same]] = time[left[same]]
