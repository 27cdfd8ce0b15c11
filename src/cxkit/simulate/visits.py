"""Who the customers are, when they are in the market, and the visits that they make then.

A visit to the web shop, the app or a store is a chance to buy. When visits happen depends on a need
that nobody can see, and neither on the contacts before nor on what anybody buys.
"""

from __future__ import annotations

from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.logistic import logistic
from cxkit.simulate.rows import DAY, Calendar, FloatArray, Rows, draw_clock, whole
from cxkit.simulate.world import CHANNELS, NONE, device, kind

__all__ = ["People", "Visits", "draw_people", "draw_visits"]

_VISITED: Final = tuple(CHANNELS.index(c) for c in ("app", "store", "web"))
_APP, _STORE, _WEB = _VISITED


@attrs.frozen(eq=False)
class People:
    """The customers, and what sets them apart; all (N,).

    Attributes:
        activity: How often they do anything, around 1; lognormal.
        loyalty: Log-odds by which they are readier to buy than the average.
        digital: How much they live online, around 0.
        owner: Whether they have the app.
        subscriber: Whether they get the mails.
    """

    activity: FloatArray
    loyalty: FloatArray
    digital: FloatArray
    owner: NDArray[np.bool_]
    subscriber: NDArray[np.bool_]


def draw_people(rng: np.random.Generator, customers: int) -> People:
    """Draw the customers."""
    activity = np.exp(0.6 * rng.standard_normal(customers) - 0.18)
    loyalty = 0.5 * rng.standard_normal(customers)
    digital = rng.standard_normal(customers)
    owner = rng.random(customers) < logistic(-0.7 + 0.8 * digital + 0.8 * loyalty)
    subscriber = rng.random(customers) < logistic(0.4 + 0.2 * digital + 1.0 * loyalty)
    return People(activity, loyalty, digital, owner, subscriber)


@attrs.frozen(eq=False)
class Visits:
    """Visits to the web shop, the app or a store, each a chance to buy; all (V,).

    Attributes:
        customer: From 0.
        channel: Codes into ``CHANNELS``.
        device: Codes into ``DEVICES``, or ``NONE`` in a store.
        need: How much the customer wants something at that time, around 0. Nobody can see it.
        start: Second at which it begins.
        end: Second at which the customer decides: after the last of its ``rows``.
        rows: What happens in the visit before that.
    """

    customer: IntArray
    channel: NDArray[np.uint8]
    device: NDArray[np.uint8]
    need: FloatArray
    start: IntArray
    end: IntArray
    rows: Rows


def draw_visits(rng: np.random.Generator, people: People, calendar: Calendar) -> Visits:
    """Draw when customers need something, the visits that they make for it, and what they do there.

    A need comes up at random, 0.45 times in 30 days for the average customer, and brings one visit
    or several within days of each other, the more of them the stronger it is.
    """
    needs = rng.poisson(0.45 / 30 * calendar.days * people.activity)
    whose = np.repeat(np.arange(len(needs)), needs)
    strength = rng.standard_normal(len(whose))
    first_day = calendar.draw_days(rng, len(whose), "shopping")
    visits = 1 + rng.poisson(0.8 * np.exp(0.3 * strength))
    need = np.repeat(np.arange(len(whose)), visits)
    follows = np.arange(len(need)) > np.repeat(np.cumsum(visits) - visits, visits)
    later = whole(4.0 * rng.standard_exponential(len(need)))
    day = first_day[need] + np.where(follows, later, 0)
    customer = whose[need]

    # Where: the more digital, the rarer in a store; the app only for those who have it.
    digital = people.digital[customer]
    appeal = np.exp(np.stack([0.2 + 0.5 * digital, -0.2 - 0.7 * digital, 0.3 + 0.3 * digital]))
    appeal[0] *= people.owner[customer]
    shares = np.cumsum(appeal, axis=0) / appeal.sum(axis=0)
    place = (rng.random(len(customer)) >= shares[:-1]).sum(axis=0)
    channel = np.array(_VISITED, np.uint8)[place]
    clock = np.where(
        channel == _STORE,
        draw_clock(rng, len(customer), "store"),
        draw_clock(rng, len(customer), "online"),
    )
    start = day * DAY + clock
    phone = rng.random(len(customer)) < 0.55
    screen = np.where(phone | (channel == _APP), device("mobile"), device("desktop"))
    screen = np.where(channel == _STORE, NONE, screen).astype(np.uint8)

    # What: a first look, then more looks and searches a minute apart; in a store, perhaps advice.
    in_store = channel == _STORE
    more = rng.poisson(np.where(in_store, 0.35, 2.2))
    sizes = 1 + np.minimum(more, np.where(in_store, 1, 30))
    visit = np.repeat(np.arange(len(sizes)), sizes)
    begins = np.cumsum(sizes) - sizes
    first = np.arange(len(visit)) == np.repeat(begins, sizes)
    pause = 4 + whole(55 * rng.standard_exponential(len(visit)))
    pause = np.minimum(pause * np.where(in_store[visit], 6, 1), 1500)
    passed = np.cumsum(pause)
    second = start[visit] + passed - passed[begins][visit]
    looks = np.minimum(kind("page_view", "web", "app"), kind("store_visit", "store"))
    turns = np.minimum(kind("search", "web", "app"), kind("advice", "store"))
    turn = ~first & (in_store[visit] | (rng.random(len(visit)) < 0.3))
    what = np.where(turn, turns[channel[visit]], looks[channel[visit]])
    rows = Rows.of(customer[visit], second, what, device=screen[visit])
    think = 60 + np.minimum(whole(90 * rng.standard_exponential(len(sizes))), 600)
    end = second[begins + sizes - 1] + think * np.where(in_store, 2, 1)

    # A visit that the end of the period would cut in two is left out.
    kept = end < calendar.seconds
    return Visits(
        customer=customer[kept],
        channel=channel[kept],
        device=screen[kept],
        need=strength[need][kept],
        start=start[kept],
        end=end[kept],
        rows=rows.take(kept[visit]),
    )
