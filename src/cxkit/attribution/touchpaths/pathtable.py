"""The most frequent paths as a table."""

from __future__ import annotations

from typing import ClassVar

import attrs

from cxkit.attribution.touchpaths.outcometable import OutcomeTable
from cxkit.core.arrays import IntArray
from cxkit.core.result import ColumnLike

__all__ = ["PathTable"]


@attrs.frozen(eq=False, repr=False, kw_only=True)
class PathTable(OutcomeTable):
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

    _rows_are: ClassVar[str] = "paths"

    path: list[str]
    touches: IntArray
    paths: int

    def _what(self) -> dict[str, ColumnLike]:
        """path, touches."""
        return {"path": self.path, "touches": self.touches}

    def _hidden(self) -> str:
        """How many paths more."""
        return f"{self.paths - len(self.path):,} more paths and those without a touch"
