"""The retailer that :func:`cxkit.simulate.retail` simulates: what can happen, and what it does.

Everything here is a stated assumption. Effects are coefficients of log-odds: an effect of 0.5 on a
channel means that a customer whom it reached has ``exp(0.5)`` = 1.65 times the odds of buying.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cxkit.errors import DefinitionError, did_you_mean

__all__ = [
    "CAMPAIGNS",
    "CHANNELS",
    "DEVICES",
    "EFFECTS",
    "ENVIRONMENTS",
    "KINDS",
    "LOOKBACK",
    "NONE",
    "Kind",
    "campaign",
    "device",
    "kind",
    "read_effects",
]

CHANNELS: Final = (
    "app",
    "call_centre",
    "display",
    "email",
    "paid_search",
    "social",
    "store",
    "web",
)
"""The channels of the simulated retailer, sorted."""

ENVIRONMENTS: Final = {
    "app": "digital",
    "call_centre": "hybrid",  # a person, at the far end of a line
    "display": "digital",
    "email": "digital",
    "paid_search": "digital",
    "social": "digital",
    "store": "physical",
    "web": "digital",
}

LOOKBACK: Final = "14d"
"""How long a contact works: what lies further back than this has no effect on a purchase."""

EFFECTS: Final[Mapping[str, Mapping[str, float]]] = {
    # Every channel helps; what a customer seeks out works better than what is shown to them.
    "positive": {
        "app": 0.6,
        "call_centre": 0.4,
        "display": 0.15,
        "email": 0.35,
        "paid_search": 0.5,
        "social": 0.25,
        "store": 0.8,
        "web": 0.5,
    },
    # Mail nags, a problem call costs a sale, and the ads on the brand's own name reach only people
    # who were on their way to the shop: they change nothing.
    "mixed": {
        "app": 0.6,
        "call_centre": -0.5,
        "display": 0.1,
        "email": -0.4,
        "paid_search": 0.0,
        "social": 0.4,
        "store": 0.8,
        "web": 0.3,
    },
}
"""The two named worlds: channel -> change of the log-odds of a purchase."""

_LARGEST_EFFECT: Final = 20.0


class Kind(NamedTuple):
    """What a touchpoint can be."""

    event: str
    channel: str
    initiator: str
    intent: str


KINDS: Final = (
    Kind("impression", "display", "brand", "inform"),
    Kind("click", "display", "brand", "sell"),
    Kind("click", "paid_search", "customer", "sell"),
    Kind("impression", "social", "brand", "inform"),
    Kind("click", "social", "brand", "sell"),
    Kind("comment", "social", "customer", "relate"),
    Kind("open", "email", "brand", "inform"),
    Kind("click", "email", "brand", "sell"),
    Kind("reminder", "email", "system", "sell"),
    Kind("push", "app", "brand", "sell"),
    Kind("support_call", "call_centre", "customer", "support"),
    Kind("sales_call", "call_centre", "brand", "sell"),
    Kind("page_view", "web", "customer", "inform"),
    Kind("search", "web", "customer", "inform"),
    Kind("add_to_cart", "web", "customer", "transact"),
    Kind("checkout", "web", "customer", "transact"),
    Kind("purchase", "web", "customer", "transact"),
    Kind("page_view", "app", "customer", "inform"),
    Kind("search", "app", "customer", "inform"),
    Kind("add_to_cart", "app", "customer", "transact"),
    Kind("checkout", "app", "customer", "transact"),
    Kind("purchase", "app", "customer", "transact"),
    Kind("store_visit", "store", "customer", "inform"),
    Kind("advice", "store", "customer", "support"),
    Kind("purchase", "store", "customer", "transact"),
)

CAMPAIGNS: Final = (
    "brand_awareness",
    "brand_terms",
    "cart_reminder",
    "creators",
    "generic_terms",
    "loyalty_offers",
    "new_collection",
    "newsletter",
    "price_drop",
    "retargeting",
    "shopping_ads",
    "welcome_back",
)

DEVICES: Final = ("desktop", "mobile")

NONE: Final = 255
"""The code of no campaign and of no device."""

_KIND: Final = {(k.event, k.channel): i for i, k in enumerate(KINDS)}


def kind(event: str, *channels: str) -> NDArray[np.uint8]:
    """(8,) the code of ``event`` in each of ``channels``, at the place of the channel."""
    table = np.full(len(CHANNELS), NONE, np.uint8)
    for channel in channels:
        table[CHANNELS.index(channel)] = _KIND[event, channel]
    return table


def campaign(*names: str) -> NDArray[np.uint8]:
    """The codes of campaigns; an empty name is none."""
    return np.array([CAMPAIGNS.index(n) if n else NONE for n in names], np.uint8)


def device(name: str) -> int:
    """The code of a device."""
    return DEVICES.index(name)


def read_effects(effects: str | Mapping[str, float]) -> dict[str, float]:
    """The effect of every channel, from the name of a world or a mapping.

    Raises:
        DefinitionError: The world or a channel is unknown, or an effect is no number of at most
            20 in size.
    """
    if isinstance(effects, str):
        if effects not in EFFECTS:
            raise DefinitionError(
                f"no world {effects!r}; effects is one of {sorted(EFFECTS)}, or a mapping of "
                f"channel to log-odds.{did_you_mean(effects, EFFECTS)}"
            )
        return dict(EFFECTS[effects])
    if not isinstance(effects, Mapping):
        raise DefinitionError(
            f"effects must be one of {sorted(EFFECTS)}, or a mapping of channel to log-odds; "
            f"found {effects!r}"
        )
    for channel, effect in effects.items():
        if channel not in CHANNELS:
            raise DefinitionError(
                f"no channel {channel!r} for effects; the channels are {list(CHANNELS)}."
                f"{did_you_mean(channel, CHANNELS)}"
            )
        try:
            size = math.inf if isinstance(effect, (bool, str)) else abs(float(effect))
        except (TypeError, ValueError):
            size = math.inf
        if not size <= _LARGEST_EFFECT:
            raise DefinitionError(
                f"the effect of {channel!r} must be a number of log-odds from "
                f"{-_LARGEST_EFFECT:g} to {_LARGEST_EFFECT:g}; found {effect!r}"
            )
    return {channel: float(effects.get(channel, 0.0)) for channel in CHANNELS}
