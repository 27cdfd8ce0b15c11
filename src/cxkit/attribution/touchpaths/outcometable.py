"""A table of the most frequent rows of paths: what each led to, and what is not shown."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.attribution.touchpaths.cutting import PathRule
from cxkit.core.arrays import IntArray
from cxkit.core.result import ColumnLike, Result

__all__ = ["OutcomeTable"]


@attrs.frozen(eq=False, repr=False, kw_only=True)
class OutcomeTable(Result):
    """What rows of paths led to; a subclass says what a row is.

    Attributes:
        rule: What a path and a touch are.
        conversions: (n,) paths of each row that led to a conversion.
        nulls: (n,) and those that led to none.
        value: (n,) what the conversions are worth.
        total_conversions: All conversions, also of rows not shown, or without a touch.
        total_value: What they are worth.
        null_paths: All null paths.
    """

    _rows_are: ClassVar[str]
    """What the rows are, for the title."""

    rule: PathRule
    conversions: IntArray
    nulls: IntArray
    value: NDArray[np.float64]
    total_conversions: int
    total_value: float
    null_paths: int

    @abstractmethod
    def _what(self) -> dict[str, ColumnLike]:
        """The columns that say what each row is."""

    @abstractmethod
    def _hidden(self) -> str:
        """What is not shown, in words."""

    def columns(self) -> dict[str, ColumnLike]:
        """What each row is; its conversions, nulls and value, and the rate of conversion."""
        return {
            **self._what(),
            "conversions": self.conversions,
            "nulls": self.nulls,
            "value": self.value,
            "rate": self.conversions / (self.conversions + self.nulls),
        }

    def title(self) -> str:
        """How many there are in all."""
        return (
            f"{self._rows_are} by {self.rule.by}: {self.total_conversions:,} conversions worth "
            f"{self.total_value:,.1f}, {self.null_paths:,} null paths"
        )

    def notes(self) -> list[str]:
        """What is left out."""
        conversions = self.total_conversions - int(self.conversions.sum())
        nulls = self.null_paths - int(self.nulls.sum())
        if not conversions and not nulls:
            return []
        told = f"with {conversions:,} conversions and {nulls:,} null paths"
        return [f"not shown: {self._hidden()}, {told}"]
