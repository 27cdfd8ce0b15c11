"""Many labels in few rows: the largest, and what the others come to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

import numpy as np

from cxkit.core.arrays import IntArray
from cxkit.core.codes import Codes
from cxkit.report.document import Cell
from cxkit.report.show import show_name

__all__ = ["SHOWN", "Row", "count_labels", "fold", "fold_note", "other_label", "plural", "slug"]

Row: TypeAlias = tuple[Cell, ...]

SHOWN: Final = 12
"""How many labels are shown by themselves."""


def fold(
    rows: Sequence[Row], together: Callable[[Sequence[Row]], Row], shown: int = SHOWN
) -> tuple[Row, ...] | None:
    """The first rows, and the rest as one row; ``None`` if all rows can be shown.

    Args:
        rows: All rows, the most important first.
        together: Makes one row of many.
        shown: How many stay by themselves.

    Example:
        >>> fold([("a", 3), ("b", 2), ("c", 1)], lambda rest: ("other", sum(r[1] for r in rest)), 1)
        (('a', 3), ('other', 3))
    """
    # A single row put together with nothing would only lose its name.
    if len(rows) <= shown + 1:
        return None
    return (*rows[:shown], together(rows[shown:]))


def other_label(rest: Sequence[Row], what: str) -> str:
    """What the row of all others is called."""
    return f"other ({len(rest):,} {what})"


def fold_note(rows: Sequence[Row], what: str, shown: int = SHOWN) -> str:
    """Says that labels were put together, if they were."""
    if len(rows) <= shown + 1:
        return ""
    return (
        f"The first {shown} of {len(rows):,} {what}; the others are put together in one row, so "
        "that totals match. The JSON report has them all."
    )


def count_labels(column: Codes) -> IntArray:
    """(K + 1,) rows of each label; the last slot counts the missing."""
    return np.bincount(column.codes, minlength=column.slots)


def plural(by: str) -> str:
    """The labels of a column in words: ``channels`` of ``channel``."""
    text = show_name(by)
    return text if text.endswith("s") else f"{text}s"


def slug(name: str) -> str:
    """The name of a column as part of an id in HTML."""
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in name)
