"""A retailer with a web shop, an app and stores, whose channels have effects that are known."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final, Literal, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import freeze
from cxkit.core.codes import Codes
from cxkit.core.sorting import order_by_code_and_time
from cxkit.core.spans import LAST_US, InstantLike, instant_us
from cxkit.errors import DefinitionError
from cxkit.model.journeys import Journeys
from cxkit.simulate.arguments import RandomLike, at_least_one, generator as make_generator
from cxkit.simulate.contacts import draw_contacts
from cxkit.simulate.outcomes import CHANNEL_OF_KIND, draw_outcomes, reached_by_channel
from cxkit.simulate.rows import DAY, Calendar, Rows
from cxkit.simulate.truth import Truth, true_effects
from cxkit.simulate.visits import draw_people, draw_visits
from cxkit.simulate.world import (
    CAMPAIGNS,
    CHANNELS,
    DEVICES,
    ENVIRONMENTS,
    KINDS,
    NONE,
    read_effects,
)

__all__ = ["Simulation", "retail"]

World: TypeAlias = Literal["positive", "mixed"]

_SECOND: Final = 1_000_000

_BASE_LOG_ODDS: Final = -3.4
_LOG_ODDS_OF_NEED: Final = 0.8


@attrs.frozen(eq=False, repr=False)
class Simulation:
    """A simulated event log, together with what caused the purchases in it.

    Attributes:
        customers: How many there are; one whom nothing reached leaves no touchpoint.
        days: Length of the period.
        start: Its first instant, UTC.
        truth: What each channel caused.

    Example:
        >>> import cxkit.simulate
        >>> world = cxkit.simulate.retail(100, rng=1)
        >>> world.journeys.touchpoints == len(world.table["time"])
        True
    """

    customers: int
    days: int
    start: np.datetime64
    truth: Truth
    _rows: Rows = attrs.field(alias="rows")
    _opportunities: Mapping[str, NDArray[Any]] = attrs.field(alias="opportunities")

    @property
    def table(self) -> dict[str, NDArray[Any]]:
        """The touchpoints as (E,) columns, sorted by customer and time; the arrays are read-only.

        ``customer`` (whole numbers from 1), ``time`` (datetime64, UTC), ``event``, ``channel``,
        ``environment``, ``initiator``, ``intent``, ``campaign`` and ``device`` (``None`` where
        there is none), and ``value`` (money, NaN where there is none). Every data frame library
        takes it as it is.
        """
        return dict(self._table)

    @cached_property
    def _table(self) -> dict[str, NDArray[Any]]:
        columns = {
            "customer": self._rows.customer + 1,
            "time": self._time,
            **{name: _labels(labels)[codes] for name, (codes, labels) in self._coded.items()},
            "value": self._rows.value,
        }
        return {name: freeze(column) for name, column in columns.items()}

    @cached_property
    def journeys(self) -> Journeys:
        """The touchpoints as journeys, one for each customer who has any; with every column."""
        columns: dict[str, Codes | NDArray[Any]] = {
            name: Codes.from_codes(codes, labels, missing=NONE)
            for name, (codes, labels) in self._coded.items()
        }
        return Journeys.from_codes(
            customer=self._rows.customer + 1,
            time=self._time,
            columns={**columns, "value": self._rows.value},
        )

    @property
    def _time(self) -> NDArray[np.datetime64]:
        return self.start + (self._rows.second * _SECOND).astype("timedelta64[us]")

    @property
    def _coded(self) -> dict[str, tuple[NDArray[np.uint8], tuple[str, ...]]]:
        """Codes and labels of the columns that hold labels."""
        of_kind = {
            "event": [k.event for k in KINDS],
            "channel": [k.channel for k in KINDS],
            "environment": [ENVIRONMENTS[k.channel] for k in KINDS],
            "initiator": [k.initiator for k in KINDS],
            "intent": [k.intent for k in KINDS],
        }
        coded: dict[str, tuple[NDArray[np.uint8], tuple[str, ...]]] = {}
        for name, values in of_kind.items():
            labels = tuple(sorted(set(values)))
            table = np.array([labels.index(value) for value in values], np.uint8)
            coded[name] = table[self._rows.kind], labels
        coded["campaign"] = self._rows.campaign, CAMPAIGNS
        coded["device"] = self._rows.device, DEVICES
        return coded

    @property
    def opportunities(self) -> dict[str, NDArray[Any]]:
        """The visits that could have ended in a purchase, with what no log can show: (V,) columns.

        ``customer``, ``time`` (of the decision), ``channel``, ``base_log_odds`` (without any
        contact), ``probability`` (with the contacts that there were) and ``purchased``.
        """
        return dict(self._opportunities)

    def __repr__(self) -> str:
        """What there is, in one line."""
        return (
            f"<Simulation: {self.customers:,} customers, {self.days:,} days from "
            f"{self.start.astype('datetime64[D]')}, {len(self._rows):,} touchpoints, "
            f"{self.truth.conversions:,} purchases>"
        )


def retail(
    customers: int = 1000,
    *,
    days: int = 90,
    effects: World | Mapping[str, float] = "positive",
    start: InstantLike = "2024-01-01",
    rng: RandomLike = 0,
) -> Simulation:
    """Simulate the customers of a retailer over 8 channels, with known effects of each.

    Customers come into the market at random, with a need of some strength that nobody can see. Each
    need brings visits to the web shop, the app or a store, and every visit is a chance to buy.
    Meanwhile they get mails, pushes and calls, see ads, search and click, and call for help.

    At the end of a visit the customer buys with the probability ``1 / (1 + exp(-z))``, where ::

        z = -3.4 + loyalty + 0.8 * need + sum over channels of effect * reached

    ``reached`` is 1 if any contact in that channel lies in the 14 days before (the visit itself
    included), else 0: once counts as much as five times, a day ago as much as ten. Adding to a
    cart, checking out and buying are outcomes, not contacts (their ``intent`` is ``"transact"``).
    So what a channel caused is known without noise; ``Truth`` has the formula.

    Everything but these outcomes depends neither on ``effects`` nor on earlier purchases: the same
    ``rng`` gives the same contacts in every world. Deleting a channel therefore deletes its
    influence and nothing else. A visit remains a chance to buy (the need would have led elsewhere),
    and a reminder that followed a visit remains too.

    Confounding is there in every world, as in life. Need raises the number of visits and the odds
    of a click on a search ad; retargeting ads and cart reminders follow visits; loyalty brings mail
    subscriptions and app installs; active and digital customers have more contacts. Need and
    loyalty raise the odds of buying by themselves, and no column shows them.

    A named world is one choice of effects, and a rank correlation over 8 channels is a rough
    measure: judge an estimator by its mean over many worlds, with effects drawn at random.

    Args:
        customers: N, at least 1.
        days: Length of the period, at least 1.
        effects: ``"positive"``: every channel helps. ``"mixed"``: mails and support calls cost
            sales, search ads reach only those who were coming anyway. Or the log-odds by channel;
            channels that are not named have no effect. See ``EFFECTS`` and ``CHANNELS``.
        start: The first instant; as a date, midnight UTC. Times are UTC and local at once.
        rng: Seed or generator. The same seed gives the same world.

    Returns:
        About 19 touchpoints per customer in 90 days. The goal is the event ``"purchase"``.

    Raises:
        DefinitionError: An argument is out of range, or names no channel.

    Example:
        >>> import cxkit.simulate
        >>> cxkit.simulate.retail(1_000, rng=1)
        <Simulation: 1,000 customers, 90 days from 2024-01-01, 18,708 touchpoints, 442 purchases>
    """
    size = at_least_one(customers, "customers")
    first_us = instant_us(start, name="start")
    calendar = _calendar(at_least_one(days, "days"), first_us)
    by_channel = read_effects(effects)
    effect = np.array([by_channel[channel] for channel in CHANNELS])
    generator = make_generator(rng)

    people = draw_people(generator, size)
    visits = draw_visits(generator, people, calendar)
    contacts = draw_contacts(generator, people, visits, calendar)
    reached = reached_by_channel(contacts, visits, calendar)
    base = _BASE_LOG_ODDS + people.loyalty[visits.customer] + _LOG_ODDS_OF_NEED * visits.need
    probability, caused, baseline = true_effects(base, reached, effect)
    purchased = generator.random(len(probability)) < probability

    rows = Rows.concat([contacts, draw_outcomes(generator, people, visits, purchased)])
    order, _ = order_by_code_and_time(rows.customer, rows.second)
    truth = Truth(
        touchpoints=np.bincount(CHANNEL_OF_KIND[contacts.kind], minlength=len(CHANNELS)),
        effect=effect,
        caused=caused,
        conversions=int(purchased.sum()),
        expected=float(probability.sum()),
        baseline=baseline,
    )
    begin = np.datetime64(first_us, "us")
    opportunities = {
        "customer": visits.customer + 1,
        "time": begin + (visits.end * _SECOND).astype("timedelta64[us]"),
        "channel": np.array(CHANNELS, object)[visits.channel],
        "base_log_odds": base,
        "probability": probability,
        "purchased": purchased,
    }
    return Simulation(
        customers=size,
        days=calendar.days,
        start=begin,
        truth=truth,
        rows=rows if order is None else rows.take(order),
        opportunities={name: freeze(column) for name, column in opportunities.items()},
    )


def _labels(labels: tuple[str, ...]) -> NDArray[np.object_]:
    """(256,) the labels at their codes, and ``None`` at every other."""
    table = np.full(256, None, dtype=object)
    table[: len(labels)] = labels
    return table


def _calendar(days: int, first_us: int) -> Calendar:
    room = (LAST_US + 1 - first_us) // (DAY * _SECOND)
    if days > room:
        raise DefinitionError(
            f"days={days} would end after the year 2200; from that start there is room for {room}"
        )
    # 1970-01-01 was a Thursday, which is 3 when Monday is 0.
    return Calendar(days, (first_us // (DAY * _SECOND) + 3) % 7)
