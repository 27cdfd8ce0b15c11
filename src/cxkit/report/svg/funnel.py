"""A funnel: one bar per step, and between them what is lost."""

from __future__ import annotations

from typing import Final

from cxkit.report.document import FunnelChart
from cxkit.report.show import show_value
from cxkit.report.svg.draw import BOLD, FONT, SMALL, WIDTH, element, fit, picture, text

__all__ = ["draw_funnel"]

_BAR: Final = 26.0
_HEAD: Final = 20.0
_GAP: Final = 24.0


def draw_funnel(chart: FunnelChart) -> str:
    """The chart, from the first step down."""
    parts = []
    top = 0.0
    for place, step in enumerate(chart.steps):
        if place:
            before = chart.steps[place - 1].reached
            lost = before - step.reached
            part = show_value(lost / before if before else float("nan"), "share")
            told = f"↓ {lost:,} do not go on ({part})"
            parts.append(text(4, top + 15, told, size=SMALL, class_="muted"))
            top += _GAP
        parts.append(text(0, top + FONT, fit(step.label, WIDTH, BOLD * FONT), class_="name"))
        top += _HEAD
        width = WIDTH * (step.share if step.share == step.share else 0.0)  # NaN
        parts.append(element("rect", x=0.0, y=top, width=WIDTH, height=_BAR, class_="track"))
        parts.append(
            element("rect", x=0.0, y=top, width=max(width, 1.0), height=_BAR, class_="fill")
        )
        told = f"{step.reached:,} ({show_value(step.share, 'share')})"
        parts.append(text(8, top + 18, told, size=FONT))
        top += _BAR + 2
    return picture(chart.key, chart.title, chart.description, max(top, 1.0), *parts)
