"""How labels and numbers are shown to people, in every rendering alike."""

from __future__ import annotations

import math
import unicodedata
from typing import Final

from cxkit.core.result import MISSING
from cxkit.report.document import Cell, Column, Kind

__all__ = ["cut", "show_cell", "show_name", "show_value", "width_of"]

_JOINERS: Final = frozenset("\u200c\u200d\ufe0f")
"""They cannot be seen, but make one picture of several emoji, and words in Persian or Hindi."""
_MILLION: Final = 1e6


def show_name(label: object) -> str:
    r"""A name out of the data on one line: whatever cannot be seen is written as an escape.

    That includes the marks that turn the direction of writing, with which a name could rewrite the
    line that it stands in.

    Example:
        >>> show_name(None), show_name("a\x00b"), show_name(" "), show_name("café")
        ('(missing)', 'a\\x00b', '" "', 'café')
    """
    if label is None:
        return MISSING
    text = str(label)
    if text != text.strip() or not text:
        # Blanks at an end would be lost, and a name of blanks alone could not be seen.
        text = f'"{text}"'
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() or c in _JOINERS else c.encode("unicode_escape").decode("ascii")
        for c in text
    )


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


def width_of(text: str) -> int:
    """Columns that a text takes in a terminal: wide letters take two, accents none.

    Example:
        >>> width_of("abc"), width_of("日本"), width_of("e\u0301")
        (3, 4, 1)
    """
    if text.isascii():
        return len(text)
    return sum(
        0
        if unicodedata.combining(c) or c in _JOINERS
        else 2
        if unicodedata.east_asian_width(c) in "WF"
        else 1
        for c in text
    )


def cut(text: str, width: int, mark: str = "…") -> str:
    """A text cut to a width, and a mark where it was cut.

    Example:
        >>> cut("abcdef", 4), cut("abc", 4)
        ('abc…', 'abc')
    """
    if width_of(text) <= width:
        return text
    room = max(width - width_of(mark), 0)
    kept, used = [], 0
    for c in text:
        used += width_of(c)
        if used > room:
            break
        kept.append(c)
    return "".join(kept) + mark
