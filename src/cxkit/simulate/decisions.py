"""Plain worlds to judge attribution by: many contacts, one decision, and every effect is known.

Each customer has contacts in some channels over 30 days and then decides once. What each channel
caused is known exactly, as the difference of two expectations: nothing need be simulated twice, and
the random numbers are common to all counterfactuals.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.codes import Codes
from cxkit.core.logistic import logistic
from cxkit.errors import DefinitionError, did_you_mean
from cxkit.model.journeys import Journeys
from cxkit.simulate.arguments import RandomLike, at_least_one, generator
from cxkit.simulate.decision_worlds import DECISION_WORLDS, DecisionWorld, World
from cxkit.simulate.rows import DAY, FloatArray, whole
from cxkit.simulate.truth import Truth

__all__ = ["Decisions", "decisions"]

_DAYS: Final = 30
_MOST_CHANNELS: Final = 60


@attrs.frozen(eq=False, repr=False)
class Decisions:
    """A simulated log in which each customer decides once, with what caused the decisions.

    Attributes:
        customers: How many there are. One without a contact who does not buy leaves no row.
        world: The name of the world.
        truth: What each channel caused.

    Example:
        >>> import cxkit.simulate
        >>> world = cxkit.simulate.decisions(500, "mixed", rng=1)
        >>> world.journeys.touchpoints == len(world.table["time"])
        True
    """

    customers: int
    world: str
    truth: Truth
    _rows: Mapping[str, NDArray[Any]] = attrs.field(alias="rows")

    @property
    def table(self) -> dict[str, NDArray[Any]]:
        """The touchpoints as (E,) columns, by customer and time; the arrays are read-only.

        ``customer`` (whole numbers from 1), ``time`` (datetime64, UTC), ``event`` (``contact`` or
        ``purchase``), ``channel`` (``None`` for a purchase) and ``value`` (money, NaN for a
        contact).
        """
        return dict(self._table)

    @cached_property
    def _table(self) -> dict[str, NDArray[Any]]:
        channel = np.array([*self.truth.channels, None], dtype=object)[self._rows["channel"]]
        bought = self._rows["channel"] == len(self.truth.channels)
        return {
            "customer": self._rows["customer"],
            "time": self._rows["time"],
            "event": freeze(np.where(bought, "purchase", "contact").astype(object)),
            "channel": freeze(channel),
            "value": self._rows["value"],
        }

    @cached_property
    def journeys(self) -> Journeys:
        """The touchpoints as journeys, one for each customer who has any."""
        channel = self._rows["channel"]
        names = self.truth.channels
        bought = (channel == len(names)).astype(np.uint8)
        return Journeys.from_codes(
            customer=self._rows["customer"],
            time=self._rows["time"],
            columns={
                "event": Codes.from_codes(bought, ["contact", "purchase"]),
                "channel": Codes.from_codes(channel, names, missing=len(names)),
                "value": self._rows["value"],
            },
        )

    def __repr__(self) -> str:
        """What there is, in one line."""
        return (
            f"<Decisions: {self.world}, {self.customers:,} customers, {len(self.truth.channels)} "
            f"channels, {len(self._rows['time']):,} touchpoints, "
            f"{self.truth.conversions:,} purchases>"
        )


def decisions(
    customers: int = 20_000,
    world: DecisionWorld = "mixed",
    *,
    channels: int = 12,
    rng: RandomLike = 0,
    effects_rng: RandomLike | None = None,
) -> Decisions:
    """Simulate customers who have contacts for 30 days and then decide once.

    A customer has ``Poisson(rate[k] * activity)`` contacts in channel k at random times; rates fall
    like 1, 1/2, 1/3 ... in a random order of the channels and make 4 contacts for the average
    customer; activity is lognormal. Then they buy with the probability ``1 / (1 + exp(-z))``::

        z = -3 + sum over channels k of effect[k] * reached[k]

    where ``reached`` is 1 if there was a contact at all. Sizes of effects are drawn evenly from 0.1
    to 1. Worlds:

    - ``"positive"``: every effect is above 0.
    - ``"mixed"``: half of them are below.
    - ``"hidden_intent"``: as positive, and there is an *intent*, standard normal, that adds to z
      and multiplies the contacts in channel k by ``exp(s[k] * intent)``, with s drawn evenly from 0
      to 1. No column shows it.
    - ``"mixed_complex"``: as mixed, but not of a form that any model of this library assumes.
      ``reached`` is ``1 - exp(-sum of 2 ** (-days before the decision / 10))`` over the contacts,
      and each of K pairs of channels, drawn at random, adds ``interaction * reached * reached``
      with an interaction between -0.5 and 0.5.

    What a channel caused is the sum over customers of ``p(z) - p(z without contacts in it)``.

    Args:
        customers: N, at least 1.
        world: One of ``DECISION_WORLDS``.
        channels: K, 2 to 60, called ``channel_01`` and so on.
        rng: Seed or generator of everything that is drawn.
        effects_rng: Seed or generator of the effects, rates and selection alone: the same world
            with other customers. ``None``: they are drawn from ``rng`` too.

    Returns:
        About 4 touchpoints per customer. The goal is the event ``"purchase"``, which has no
        channel: attribute with ``goal_is_touch=False``.

    Raises:
        DefinitionError: An argument is out of range, or there is no such world.

    Example:
        >>> import cxkit as cx
        >>> world = cx.simulate.decisions(5_000, "mixed", rng=1)
        >>> answer = cx.attribution.attribute(
        ...     world.journeys, "purchase", cx.attribution.LogisticCounterfactual(),
        ...     goal_is_touch=False,
        ... )  # fmt: skip
        >>> result = world.truth.compare({"logistic": answer})
        >>> bool(result.rank_correlation[0] > 0.7)
        True
    """
    size = at_least_one(customers, "customers")
    count = at_least_one(channels, "channels")
    if not 2 <= count <= _MOST_CHANNELS:
        raise DefinitionError(f"channels must be 2 to {_MOST_CHANNELS}; found {channels!r}")
    if world not in DECISION_WORLDS:
        raise DefinitionError(
            f"no world {world!r}; there are {sorted(DECISION_WORLDS)}."
            f"{did_you_mean(world, DECISION_WORLDS)}"
        )
    random = generator(rng)
    made = World.draw(random if effects_rng is None else generator(effects_rng), world, count)
    contacts = _draw_contacts(random, made, size)
    return _decide(random, made, contacts, size, world)


@attrs.frozen(eq=False)
class _Contacts:
    customer: IntArray
    channel: IntArray
    second: IntArray
    intent: FloatArray


def _draw_contacts(rng: np.random.Generator, world: World, size: int) -> _Contacts:
    activity = np.exp(0.6 * rng.standard_normal(size) - 0.18)
    intent = rng.standard_normal(size)
    rate = world.rate[:, None] * activity * np.exp(world.selection[:, None] * intent)
    counts = rng.poisson(rate)
    which = np.repeat(np.arange(counts.size), counts.ravel())
    return _Contacts(
        customer=which % size,
        channel=which // size,
        second=whole(_DAYS * DAY * rng.random(len(which))),
        intent=intent,
    )


def _decide(
    rng: np.random.Generator, world: World, contacts: _Contacts, size: int, name: str
) -> Decisions:
    channels = len(world.effect)
    weight = np.ones(len(contacts.second))
    if world.complex:
        weight = np.exp2((contacts.second / DAY - _DAYS) / 10)
    at = contacts.channel * size + contacts.customer
    felt = np.bincount(at, weight, channels * size).reshape(channels, size)
    reached = 1 - np.exp(-felt) if world.complex else (felt > 0).astype(np.float64)
    p = logistic(world.log_odds(reached, contacts.intent))
    caused = np.empty(channels)
    for k in range(channels):
        without = reached.copy()
        without[k] = 0.0
        caused[k] = (p - logistic(world.log_odds(without, contacts.intent))).sum()
    nothing = logistic(world.log_odds(np.zeros_like(reached), contacts.intent))
    buyers = np.flatnonzero(rng.random(size) < p)
    value = np.exp(3.5 + 0.6 * rng.standard_normal(len(buyers))).round(2)

    customer = np.concatenate([contacts.customer, buyers]) + 1
    second = np.concatenate([contacts.second, np.full(len(buyers), _DAYS * DAY)])
    order = np.argsort(customer * (2 * _DAYS * DAY) + second, kind="stable")
    channel = np.append(contacts.channel, np.full(len(buyers), channels)).astype(np.uint8)
    worth = np.append(np.full(len(contacts.second), np.nan), value)
    start = np.datetime64("2024-01-01", "us")
    rows = {
        "customer": customer[order],
        "time": start + second[order].astype("timedelta64[s]"),
        "channel": channel[order],
        "value": worth[order],
    }
    return Decisions(
        customers=size,
        world=name,
        truth=Truth(
            channels=tuple(f"channel_{k:02d}" for k in range(1, channels + 1)),
            touchpoints=np.bincount(contacts.channel, minlength=channels),
            effect=world.effect,
            caused=caused,
            conversions=len(buyers),
            expected=float(p.sum()),
            baseline=float(nothing.sum()),
        ),
        rows={key: freeze(column) for key, column in rows.items()},
    )
