"""How names and numbers are written on pictures and in reports, and how wide they are."""

from __future__ import annotations

import math
import unicodedata
from typing import Final

from cxkit.core.result import MISSING

__all__ = [
    "breadth",
    "cut",
    "fit",
    "fit_middle",
    "short_number",
    "show_name",
    "show_share",
    "width_of",
]

_JOINERS: Final = frozenset("\u200c\u200d\ufe0f")
"""They cannot be seen, but make one picture of several emoji, and words in Persian or Hindi."""
_EM: Final = 0.6
"""Mean width of a letter of a sans-serif font, in font sizes; generous, as fonts differ."""
_BOLD: Final = 1.15
"""How much wider bold letters are."""


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


def fit(label: object, room: float, size: float, *, bold: bool = False) -> str:
    """A name cut to the room there is, in the unit of the font size.

    Example:
        >>> fit("newsletter", 40, 10)
        'newsl…'
    """
    return cut(show_name(label), max(int(room / (size * _EM * (_BOLD if bold else 1)) + 0.01), 2))


def fit_middle(label: object, room: float, size: float, *, bold: bool = False) -> str:
    """A name cut in its middle: names that begin alike are still told apart.

    Example:
        >>> fit_middle("campaign spring 17", 60, 10)
        'campai… 17'
    """
    text = show_name(label)
    most = max(int(room / (size * _EM * (_BOLD if bold else 1)) + 0.01), 3)
    if width_of(text) <= most:
        return text
    tail = (most - 1) * 2 // 5
    behind = cut(text[::-1], tail, "")[::-1]
    return cut(text, most - 1 - width_of(behind), "") + "…" + behind


def breadth(content: str, size: float, *, bold: bool = False) -> float:
    """About how wide a text will be, in the unit of the font size."""
    return width_of(content) * size * _EM * (_BOLD if bold else 1)


def show_share(share: float, decimals: int = 1) -> str:
    """A share in percent; NaN is a dash.

    Example:
        >>> show_share(0.1234), show_share(float("nan"))
        ('12.3%', '-')
    """
    return f"{100 * share:.{decimals}f}%" if math.isfinite(share) else "-"


def short_number(value: float) -> str:
    """A number in four signs or so.

    Example:
        >>> [short_number(v) for v in (0.25, 12, 3456, 999_700, 1_200_000, 12.345, float("nan"))]
        ['0.25', '12', '3,456', '1M', '1.2M', '12.3', '-']
    """
    if not math.isfinite(value):
        return "-"
    rounded = float(f"{value:.3g}")  # before the unit is chosen: 999,700 is a million, not 1000k
    for unit, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(rounded) >= unit and abs(value) >= 1e4:
            many = rounded / unit
            return f"{many:.3g}{letter}" if abs(many) < 1000 else f"{many:,.0f}{letter}"
    if value == int(value):
        return f"{value:,.0f}"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:,.1f}" if abs(value) >= 1 else f"{value:.3g}"
