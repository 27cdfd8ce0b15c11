"""The most frequent paths."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.attribution.touchpaths.cutting import PathRule
from cxkit.core.arrays import IntArray
from cxkit.core.result import ColumnLike, Result

__all__ = ["PathTable"]


@attrs.frozen(eq=False, repr=False, kw_only=True)
class PathTable(Result):
    """The most frequent paths, those with most conversions first.

    Attributes:
        rule: What a path and a touch are.
        path: The labels of the touches, joined by ``" > "``.
        touches: How many touches each has.
        conversions: How often each led to a conversion.
        nulls: How often to none.
        value: What the conversions are worth.
        paths: How many distinct paths there are, shown or not.
        total_conversions: All conversions, also of paths not shown, or without a touch.
        total_value: What they are worth.
        null_paths: All null paths.
    """

    rule: PathRule
    path: list[str]
    touches: IntArray
    conversions: IntArray
    nulls: IntArray
    value: NDArray[np.float64]
    paths: int
    total_conversions: int
    total_value: float
    null_paths: int

    def columns(self) -> dict[str, ColumnLike]:
        """path, touches, conversions, nulls, value, and the rate of conversion."""
        return {
            "path": self.path,
            "touches": self.touches,
            "conversions": self.conversions,
            "nulls": self.nulls,
            "value": self.value,
            "rate": self.conversions / (self.conversions + self.nulls),
        }

    def title(self) -> str:
        """How many there are in all."""
        return (
            f"paths by {self.rule.by}: {self.total_conversions:,} conversions worth "
            f"{self.total_value:,.1f}, {self.null_paths:,} null paths"
        )

    def notes(self) -> list[str]:
        """What is left out."""
        conversions = self.total_conversions - int(self.conversions.sum())
        nulls = self.null_paths - int(self.nulls.sum())
        if not conversions and not nulls:
            return []
        hidden = self.paths - len(self.path)
        told = f"{hidden:,} more paths and those without a touch"
        return [f"not shown: {told}, with {conversions:,} conversions and {nulls:,} null paths"]
