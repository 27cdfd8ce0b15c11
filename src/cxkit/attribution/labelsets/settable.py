"""The most frequent label sets as a table."""

from __future__ import annotations

from typing import ClassVar

import attrs

from cxkit.attribution.touchpaths.outcometable import OutcomeTable
from cxkit.core.arrays import IntArray
from cxkit.core.result import ColumnLike

__all__ = ["SetTable"]


@attrs.frozen(eq=False, repr=False, kw_only=True)
class SetTable(OutcomeTable):
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

    _rows_are: ClassVar[str] = "label sets"

    labels: list[str]
    size: IntArray
    sets: int

    def _what(self) -> dict[str, ColumnLike]:
        """labels, size."""
        return {"labels": self.labels, "size": self.size}

    def _hidden(self) -> str:
        """How many sets more."""
        return f"{self.sets - len(self.labels):,} more sets and paths without a touch"
