"""Which contacts a decision can feel, and what a log shows of the decision."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.spans import span_us
from cxkit.simulate.rows import Calendar, FloatArray, Rows, whole
from cxkit.simulate.visits import People, Visits
from cxkit.simulate.world import CHANNELS, KINDS, LOOKBACK, kind

__all__ = ["CHANNEL_OF_KIND", "draw_outcomes", "reached_by_channel"]

CHANNEL_OF_KIND: Final = np.array([CHANNELS.index(k.channel) for k in KINDS], np.uint8)
"""The channel of each kind of touchpoint."""

_WINDOW: Final = span_us(LOOKBACK, name="LOOKBACK") // 1_000_000
_STORE: Final = CHANNELS.index("store")


def reached_by_channel(contacts: Rows, visits: Visits, calendar: Calendar) -> NDArray[np.bool_]:
    """(8, V) whether the channel had a contact in the lookback before the decision.

    Customer and second make one number, with a gap between customers that no lookback can bridge;
    so the last contact before a decision is one search in the sorted numbers.
    """
    apart = calendar.seconds + _WINDOW + 1
    when = contacts.customer * apart + contacts.second
    decision = visits.customer * apart + visits.end
    channel = CHANNEL_OF_KIND[contacts.kind]
    reached = np.zeros((len(CHANNELS), len(decision)), bool)
    for code in range(len(CHANNELS)):
        known = np.sort(when[channel == code])
        if len(known):
            before = np.searchsorted(known, decision, side="left") - 1
            recent = known[np.maximum(before, 0)] >= decision - _WINDOW
            reached[code] = (before >= 0) & recent
    return reached


def draw_outcomes(
    rng: np.random.Generator, people: People, visits: Visits, purchased: NDArray[np.bool_]
) -> Rows:
    """Carts and checkouts, some of them abandoned, and purchases with their value."""
    size = len(purchased)
    digital = visits.channel != _STORE
    cart = digital & (purchased | (rng.random(size) < 0.22))
    checkout = cart & (purchased | (rng.random(size) < 0.35))
    # A decision comes at least a minute after the last look, which leaves room for both.
    cart_second = visits.end - 50 + whole(20 * rng.random(size))
    checkout_second = visits.end - 25 + whole(20 * rng.random(size))
    spread = rng.standard_normal(size)
    value = np.exp(3.7 + 0.3 * people.loyalty[visits.customer] + 0.7 * spread).round(2)

    def happened(
        event: str,
        channels: tuple[str, ...],
        which: NDArray[np.bool_],
        second: IntArray,
        value: FloatArray,
    ) -> Rows:
        return Rows.of(
            visits.customer[which],
            second[which],
            kind(event, *channels)[visits.channel[which]],
            device=visits.device[which],
            value=value[which],
        )

    nothing = np.full(size, np.nan, np.float64)
    return Rows.concat(
        [
            happened("add_to_cart", ("app", "web"), cart, cart_second, nothing),
            happened("checkout", ("app", "web"), checkout, checkout_second, nothing),
            happened("purchase", ("app", "store", "web"), purchased, visits.end, value),
        ]
    )
