"""Predicted chances against what came."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.intervals import divide, share_interval
from cxkit.core.result import Result
from cxkit.core.summary import SHARDS
from cxkit.flow.paths import few_customers

__all__ = ["Calibration", "Curve"]

_BINS: Final = 10


@attrs.frozen(eq=False, repr=False, kw_only=True)
class Calibration(Result):
    """Predicted against observed: one row per bin of predicted probability that has any.

    Attributes:
        what: What was predicted.
        count: (B,) predictions in the bin. Each touchpoint makes one for every outcome.
        predicted: (B,) their mean.
        observed: (B,) how often what was predicted came.
        observed_low: (B,) low end of its interval; NaN for too few customers.
        observed_high: (B,) high end.
    """

    what: str
    count: IntArray = attrs.field(converter=freeze)
    predicted: NDArray[np.float64] = attrs.field(converter=freeze)
    observed: NDArray[np.float64] = attrs.field(converter=freeze)
    observed_low: NDArray[np.float64] = attrs.field(converter=freeze)
    observed_high: NDArray[np.float64] = attrs.field(converter=freeze)

    @property
    def error(self) -> float:
        """The expected calibration error: mean of ``|observed - predicted|`` over predictions."""
        gap = np.abs(self.observed - self.predicted)
        return float(divide((gap * self.count).sum(), self.count.sum()))

    def columns(self) -> Mapping[str, Any]:
        """One row per bin."""
        names = ("count", "predicted", "observed", "observed_low", "observed_high")
        return {name: getattr(self, name) for name in names}

    def title(self) -> str:
        """What was predicted, and how far off."""
        return f"calibration of {self.what}: expected error {self.error:.4f}"

    def notes(self) -> tuple[str, ...]:
        """What is not known."""
        return few_customers(self.observed_low)


class Curve:
    """Sums of predictions and of what came, by bin of the prediction and by shard."""

    def __init__(self) -> None:
        self.count: NDArray[np.float64] = np.zeros((SHARDS, _BINS))
        self.predicted: NDArray[np.float64] = np.zeros((SHARDS, _BINS))
        self.came: NDArray[np.float64] = np.zeros((SHARDS, _BINS))

    def add(
        self,
        found: NDArray[np.float64],
        own: IntArray,
        following: IntArray,
        weight: IntArray,
        shard: NDArray[np.uint8],
    ) -> None:
        """Every outcome of every history, against what came."""
        flat = np.zeros((len(found), SHARDS))
        np.add.at(flat, (own, shard), weight)
        history, at = np.nonzero(flat)
        for outcome in range(found.shape[1]):
            chance = found[history, outcome]
            real = chance > 0
            self._count(chance[real], flat[history, at][real], at[real])
        chance = np.take_along_axis(found[own], following[:, np.newaxis], 1)[:, 0]
        np.add.at(self.came, (shard, _bin(chance)), weight)

    def add_pairs(
        self,
        chance: NDArray[np.float64],
        came: NDArray[np.bool_],
        weight: IntArray,
        shard: NDArray[np.uint8],
    ) -> None:
        """Chances of one thing, and whether it came."""
        self._count(chance, weight, shard)
        np.add.at(self.came, (shard[came], _bin(chance[came])), weight[came])

    def _count(
        self, chance: NDArray[np.float64], weight: NDArray[Any], shard: NDArray[Any]
    ) -> None:
        cell = shard.astype(np.int64) * _BINS + _bin(chance)
        shape = self.count.shape
        self.count += np.bincount(cell, weight, self.count.size).reshape(shape)
        self.predicted += np.bincount(cell, weight * chance, self.count.size).reshape(shape)

    def table(self, what: str, occupied: NDArray[np.bool_], level: float) -> Calibration:
        """The bins that hold anything."""
        used = self.count.sum(axis=0) > 0
        count, came = self.count[:, used], self.came[:, used]
        low, high = share_interval(came, count, occupied, level=level)
        return Calibration(
            what=what,
            count=count.sum(axis=0).astype(np.int64),
            predicted=divide(self.predicted[:, used].sum(axis=0), count.sum(axis=0)),
            observed=divide(came.sum(axis=0), count.sum(axis=0)),
            observed_low=low,
            observed_high=high,
        )


def _bin(chance: NDArray[np.float64]) -> IntArray:
    return np.minimum((chance * _BINS).astype(np.int64), _BINS - 1)
