"""How labels and numbers are shown to people, in every rendering alike."""

from __future__ import annotations

import math
from typing import Final

from cxkit.plot.words import cut, show_name, width_of
from cxkit.report.document import Cell, Column, Kind

__all__ = ["cut", "show_cell", "show_name", "show_value", "width_of"]

_MILLION: Final = 1e6


def show_value(value: float, kind: Kind = "number", decimals: int = 1) -> str:
    """A number for people; NaN is a dash, a share is in percent.

    Example:
        >>> show_value(1234.5), show_value(0.1234, "share"), show_value(float("nan"))
        ('1,234.5', '12.3%', '-')
    """
    if not math.isfinite(value):
        return "-"
    if kind == "share":
        return f"{100 * value:.1f}%"
    if kind == "count" or (abs(value) >= _MILLION and kind == "number"):
        return f"{value:,.0f}"
    return f"{value:,.{decimals}f}"


def show_cell(value: Cell, column: Column) -> str:
    """One cell of a table."""
    if column.is_number:
        if value is None or isinstance(value, str):
            return value or "-"
        return show_value(value, column.kind, column.decimals)
    return show_name(value) if column.kind == "label" else str("-" if value is None else value)
