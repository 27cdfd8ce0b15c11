"""What reaches the customers.

None of this depends on the effects of the channels, nor on what anybody buys: the same ``rng``
gives the same contacts in every world, and a contact stays where it is when another is deleted.
That is what makes the counterfactuals of :mod:`cxkit.simulate.truth` exact.

Whatever makes a contact likelier for those who buy anyway is marked *selection* below: it is what
misleads everyone who compares the customers whom a channel reached with the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.logistic import logistic
from cxkit.simulate.rows import DAY, Calendar, FloatArray, Rows, chance, draw_clock, whole
from cxkit.simulate.visits import People, Visits
from cxkit.simulate.world import CHANNELS, campaign, kind

__all__ = ["draw_contacts"]

_WEB: Final = CHANNELS.index("web")
_STORE: Final = CHANNELS.index("store")
_MONTH: Final = 30


def draw_contacts(
    rng: np.random.Generator, people: People, visits: Visits, calendar: Calendar
) -> Rows:
    """Draw every touchpoint that is no outcome: the visits, what led to them, and all the rest."""
    active, online = people.activity, np.exp(0.4 * people.digital)
    streams = [
        _Stream("impression", "display", ("brand_awareness", "new_collection"), 0.9 * online),
        _Stream("impression", "social", ("creators", "new_collection"), 0.8 * online),
        _Stream("comment", "social", ("",), 0.1 * active * online),
        # Selection: the loyal subscribe, and so do the loyal keep the app.
        _Stream(
            "open",
            "email",
            ("newsletter", "newsletter", "loyalty_offers"),
            1.6 * active * people.subscriber,
            weekdays="mail",
            hours="mail",
        ),
        _Stream("push", "app", ("price_drop", "new_collection"), 0.9 * active * people.owner),
        _Stream("support_call", "call_centre", ("",), 0.12 * active, "office", "office"),
        _Stream(
            "sales_call",
            "call_centre",
            ("welcome_back",),
            np.full(len(active), 0.04),
            "office",
            "office",
        ),
    ]
    subscribed = people.subscriber[visits.customer]
    parts = [
        visits.rows,
        *(stream.draw(rng, calendar) for stream in streams),
        *_clicks(rng, visits, subscribed),
        # Selection: both follow those who came to look.
        _pursuit(
            rng, visits, 0.45 * (visits.channel == _WEB), "impression", "display", "retargeting"
        ),
        _pursuit(
            rng,
            visits,
            0.25 * ((visits.channel != _STORE) & subscribed),
            "reminder",
            "email",
            "cart_reminder",
        ),
    ]
    rows = Rows.concat(parts)
    return rows.take(rows.second < calendar.seconds)


@attrs.frozen(eq=False)
class _Stream:
    """Contacts that come at random, at a rate of each customer's own.

    Attributes:
        event: What happens.
        channel: Where.
        campaigns: Equally likely; an empty name is none.
        rate: (N,) contacts in 30 days.
        weekdays: On which days.
        hours: At what time.
    """

    event: str
    channel: str
    campaigns: tuple[str, ...]
    rate: FloatArray
    weekdays: str = "any"
    hours: str = "online"

    def draw(self, rng: np.random.Generator, calendar: Calendar) -> Rows:
        """Draw the contacts of the whole period."""
        counts = rng.poisson(self.rate * (calendar.days / _MONTH))
        customer = np.repeat(np.arange(len(counts)), counts)
        day = calendar.draw_days(rng, len(customer), self.weekdays)
        second = day * DAY + draw_clock(rng, len(customer), self.hours)
        return Rows.of(
            customer,
            second,
            kind(self.event, self.channel)[CHANNELS.index(self.channel)],
            campaign=_one_of(rng, self.campaigns, len(customer)),
        )


def _clicks(
    rng: np.random.Generator, visits: Visits, subscribed: NDArray[np.bool_]
) -> Sequence[Rows]:
    """The click that led to a visit of the web shop, seconds before it.

    The visit would have come about anyway, by typing the address: a click decides the way, not
    whether. Selection: the stronger the need, the likelier a search.
    """
    on_web = visits.channel == _WEB
    free = on_web
    routes = (
        ("paid_search", logistic(-1.2 + 1.1 * visits.need)),
        ("email", 0.07 * subscribed),
        ("social", np.full(len(on_web), 0.05)),
        ("display", np.full(len(on_web), 0.04)),
    )
    campaigns = {
        "paid_search": ("brand_terms", "brand_terms", "generic_terms", "shopping_ads"),
        "email": ("newsletter", "loyalty_offers"),
        "social": ("creators", "new_collection"),
        "display": ("brand_awareness", "new_collection", "retargeting"),
    }
    parts = []
    for channel, probability in routes:
        which = chance(rng, probability * free)
        free = free.copy()
        free[which] = False
        before = 3 + whole(40 * rng.random(len(which)))
        parts.append(
            Rows.of(
                visits.customer[which],
                np.maximum(visits.start[which] - before, 0),
                kind("click", channel)[CHANNELS.index(channel)],
                campaign=_one_of(rng, campaigns[channel], len(which)),
                device=visits.device[which],
            )
        )
    return parts


def _pursuit(
    rng: np.random.Generator,
    visits: Visits,
    probability: FloatArray,
    event: str,
    channel: str,
    name: str,
) -> Rows:
    """Contacts in the three days after a visit, whether or not it ended in a purchase."""
    followed = chance(rng, probability)
    which = np.repeat(followed, 1 + (rng.random(len(followed)) < 0.5))
    after = 3600 + whole(3 * DAY * rng.random(len(which)))
    return Rows.of(
        visits.customer[which],
        visits.end[which] + after,
        kind(event, channel)[CHANNELS.index(channel)],
        campaign=int(campaign(name)[0]),
    )


def _one_of(rng: np.random.Generator, names: tuple[str, ...], size: int) -> NDArray[np.uint8]:
    return campaign(*names)[whole(len(names) * rng.random(size))]
