"""What is the same for all customers of the worlds of :func:`cxkit.simulate.decisions`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

import attrs
import numpy as np

from cxkit.core.arrays import IntArray
from cxkit.simulate.rows import FloatArray, whole

__all__ = ["BASE_LOG_ODDS", "DECISION_WORLDS", "DecisionWorld", "World"]

DecisionWorld: TypeAlias = Literal["positive", "mixed", "hidden_intent", "mixed_complex"]

DECISION_WORLDS: Final[Mapping[str, str]] = {
    "positive": "every channel helps",
    "mixed": "half of the channels cost conversions",
    "hidden_intent": "every channel helps, and an intent that no column shows brings contacts too",
    "mixed_complex": "mixed, where effects grow with contacts, fade with time and hang together",
}
"""The worlds of :func:`decisions`, in a few words."""

BASE_LOG_ODDS: Final = -3.0
_CONTACTS: Final = 4.0
_SMALLEST: Final = 0.1
_LARGEST: Final = 1.0


@attrs.frozen(eq=False)
class World:
    """What is the same for all customers. K channels.

    Attributes:
        effect: (K,) log-odds.
        rate: (K,) contacts of the average customer.
        selection: (K,) how the intent multiplies contacts.
        intent: Log-odds of one standard deviation of the intent.
        pairs: (P, 2) channels that work together.
        together: (P,) log-odds of the pair.
        complex: Whether contacts add up and fade.
    """

    effect: FloatArray
    rate: FloatArray
    selection: FloatArray
    intent: float
    pairs: IntArray
    together: FloatArray
    complex: bool

    @classmethod
    def draw(cls, rng: np.random.Generator, world: str, channels: int) -> World:
        """Draw the channels; every world takes the same numbers from the generator."""
        effect = _SMALLEST + (_LARGEST - _SMALLEST) * rng.random(channels)
        costs = np.argsort(rng.random(channels)) < channels // 2
        rate = 1.0 / (1 + np.argsort(rng.random(channels)))
        selection = rng.random(channels)
        pairs = whole(channels * rng.random((channels, 2)))
        together = rng.random(channels) - 0.5
        mixed, hidden = world.startswith("mixed"), world == "hidden_intent"
        return cls(
            effect=np.where(costs, -effect, effect) if mixed else effect,
            rate=_CONTACTS * rate / rate.sum(),
            selection=selection * hidden,
            intent=1.0 * hidden,
            pairs=pairs,
            together=together * (pairs[:, 0] != pairs[:, 1]),
            complex=world == "mixed_complex",
        )

    def log_odds(self, reached: FloatArray, intent: FloatArray) -> FloatArray:
        """(N,) of a purchase, from (K, N) how much each channel reached."""
        z = BASE_LOG_ODDS + self.intent * intent
        # Channel by channel, not as a matrix product, whose last bit depends on the machine.
        for effect, by in zip(self.effect, reached, strict=True):
            z = z + effect * by
        if self.complex:
            for (left, right), both in zip(self.pairs.tolist(), self.together, strict=True):
                z = z + both * reached[left] * reached[right]
        return z
