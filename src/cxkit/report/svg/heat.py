"""A heat map: the share of each row that goes to each column."""

from __future__ import annotations

import math
from typing import Final

from cxkit.report.document import HeatMap
from cxkit.report.show import show_name
from cxkit.report.svg.draw import BOLD, SMALL, WIDTH, breadth, element, fit, picture, text

__all__ = ["STRONGEST", "draw_heat"]

STRONGEST: Final = 0.75
"""How much of the colour the fullest cell has: text on it must stay readable."""

_SIDE: Final = 124.0
_HEAD: Final = 98.0
_ROW: Final = 27.0
_TILT: Final = 50.0


def draw_heat(chart: HeatMap) -> str:
    """The chart: from the name on the left to the name above."""
    columns = max(len(chart.columns), 1)
    widest = max((breadth(show_name(c), SMALL) for c in chart.columns), default=0.0)
    slope = math.radians(_TILT)
    # A tilted name must end before the right edge, that of the last column too.
    overhang = min(widest, _HEAD / math.sin(slope)) * math.cos(slope)
    cell = min((WIDTH - _SIDE - min(overhang, 52.0)) / columns, 60.0)
    head = min(widest * math.sin(slope) + 16, _HEAD)
    parts = []
    for place, label in enumerate(chart.columns):
        x = _SIDE + cell * (place + 0.5)
        left = (WIDTH - x) / math.cos(slope) - 4
        room = min(left, (head - 16) / math.sin(slope))
        turn = f"rotate(-{_TILT:g} {x:.1f} {head - 6:.1f})"
        parts.append(text(x, head - 6, fit(label, room, SMALL), size=SMALL, transform=turn))
    for row, label in enumerate(chart.rows):
        top = head + _ROW * row
        name = fit(label, _SIDE - 8, BOLD * SMALL)
        parts.append(text(0, top + 18, name, size=SMALL, class_="name"))
        for place, share in enumerate(chart.shares[row]):
            parts.append(_cell(share, _SIDE + cell * place, top, cell))
    height = head + _ROW * len(chart.rows) + 2
    return picture(chart.key, chart.title, chart.description, height, *parts)


def _cell(share: float, x: float, top: float, width: float) -> str:
    known = math.isfinite(share)
    box = element(
        "rect",
        x=x + 0.5,
        y=top + 0.5,
        width=width - 1,
        height=_ROW - 1,
        class_="fill" if known else "track",
        fill_opacity=round(STRONGEST * math.sqrt(max(share, 0.0)), 3) if known else None,
    )
    told = f"{100 * share:.0f}" if known and share >= 0.005 else ""
    return box + text(x + width / 2, top + 18, told, size=SMALL, text_anchor="middle")
