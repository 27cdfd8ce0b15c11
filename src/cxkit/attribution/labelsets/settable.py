"""The most frequent label sets as a table."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.attribution.touchpaths.cutting import PathRule
from cxkit.core.arrays import IntArray
from cxkit.core.result import ColumnLike, Result

__all__ = ["SetTable"]


@attrs.frozen(eq=False, repr=False, kw_only=True)
class SetTable(Result):
    """The most frequent label sets, those with most conversions first.

    Attributes:
        rule: What a path and a touch are.
        labels: The labels of each set, joined by ``" + "``.
        size: How many labels it has.
        conversions: Paths with exactly this set that led to a conversion.
        nulls: And to none.
        value: What the conversions are worth.
        sets: How many distinct sets there are, shown or not.
        total_conversions: All conversions, also of sets not shown, or without a touch.
        total_value: What they are worth.
        null_paths: All null paths.
    """

    rule: PathRule
    labels: list[str]
    size: IntArray
    conversions: IntArray
    nulls: IntArray
    value: NDArray[np.float64]
    sets: int
    total_conversions: int
    total_value: float
    null_paths: int

    def columns(self) -> dict[str, ColumnLike]:
        """labels, size, conversions, nulls, value, and the rate of conversion."""
        return {
            "labels": self.labels,
            "size": self.size,
            "conversions": self.conversions,
            "nulls": self.nulls,
            "value": self.value,
            "rate": self.conversions / (self.conversions + self.nulls),
        }

    def title(self) -> str:
        """How many there are in all."""
        return (
            f"label sets by {self.rule.by}: {self.total_conversions:,} conversions worth "
            f"{self.total_value:,.1f}, {self.null_paths:,} null paths"
        )

    def notes(self) -> list[str]:
        """What is left out."""
        conversions = self.total_conversions - int(self.conversions.sum())
        nulls = self.null_paths - int(self.nulls.sum())
        if not conversions and not nulls:
            return []
        told = f"{self.sets - len(self.labels):,} more sets and paths without a touch"
        return [f"not shown: {told}, with {conversions:,} conversions and {nulls:,} null paths"]
