"""The pen: elements with escaped text, widths of texts, round ticks.

Every picture is ``WIDTH`` units wide, about the pixels of a phone, and grows with the page up to a
third more, so that no text is unreadable on either.
"""

from __future__ import annotations

import html
from typing import Final

from cxkit.report.show import cut, show_name, width_of

__all__ = [
    "BOLD",
    "FONT",
    "SMALL",
    "WIDTH",
    "element",
    "fit",
    "picture",
    "text",
]

WIDTH: Final = 400.0
FONT: Final = 13.5
SMALL: Final = 12.5
BOLD: Final = 1.15
"""How much wider bold letters are."""

_EM: Final = 0.6
"""Mean width of a letter of a sans-serif font, in font sizes; generous, as fonts differ."""


def element(name: str, *inside: str, **attributes: object) -> str:
    """An SVG element; names of attributes are written with ``_`` for ``-`` and ``class_``.

    ``inside`` is markup already; attributes are escaped here.
    """
    told = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_attribute(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{told}>{''.join(inside)}</{name}>"


def text(x: float, y: float, content: str, *, size: float = FONT, **attributes: object) -> str:
    """A text at a place; the content is escaped."""
    return element("text", html.escape(content), x=x, y=y, font_size=size, **attributes)


def picture(key: str, title: str, description: str, height: float, *body: str) -> str:
    """The whole drawing, named and described for those who do not see it."""
    ids = f"{key}-title", f"{key}-desc"
    return element(
        "svg",
        element("title", html.escape(title), id=ids[0]),
        element("desc", html.escape(description), id=ids[1]),
        *body,
        class_="chart",
        viewBox=f"0 0 {_number(WIDTH)} {_number(height)}",
        role="img",
        aria_labelledby=f"{ids[0]} {ids[1]}",
        preserveAspectRatio="xMidYMin meet",
    )


def fit(label: object, room: float, size: float = FONT) -> str:
    """A name cut to the room there is."""
    return cut(show_name(label), max(int(room / (size * _EM) + 0.01), 2))


def breadth(content: str, size: float = FONT) -> float:
    """About how wide a text will be."""
    return width_of(content) * size * _EM


def _attribute(value: object) -> str:
    if isinstance(value, float):
        return _number(value)
    return html.escape(str(value), quote=True)


def _number(value: float) -> str:
    """At most two digits after the point: small files, and the same on every machine."""
    return f"{round(value, 2) + 0.0:.2f}".rstrip("0").rstrip(".")
