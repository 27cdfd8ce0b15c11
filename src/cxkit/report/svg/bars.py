"""Groups of horizontal bars, with intervals where there are any."""

from __future__ import annotations

import math
from typing import Final

from cxkit.report.document import BarChart, Series
from cxkit.report.show import show_value
from cxkit.report.svg.draw import BOLD, FONT, SMALL, WIDTH, breadth, element, fit, picture, text

__all__ = ["COLOURS", "draw_bars"]

COLOURS: Final = 7
"""How many colours the page defines; ``--s1`` and so on."""

_BAR: Final = 12.0
_STEP: Final = 14.0
_HEAD: Final = 20.0
_BETWEEN: Final = 8.0
_LEGEND_LINE: Final = 18.0
_NOTHING: Final = 1e-12


def draw_bars(chart: BarChart) -> str:
    """The chart: a name above each group, a number at the end of each bar."""
    room = max((breadth(_end(chart, s, g), SMALL) for s, g in _all(chart)), default=0) + 8
    longest = max((_reach(s, g) for s, g in _all(chart)), default=0.0)
    scale = (WIDTH - room) / longest if longest > _NOTHING else 0.0
    legend, top = _legend(chart)
    parts = [legend] if legend else []
    for group, label in enumerate(chart.groups):
        parts.append(text(0, top + FONT, fit(label, WIDTH, BOLD * FONT), class_="name"))
        top += _HEAD
        for place, series in enumerate(chart.series):
            parts.append(_bar(chart, series, group, place, top, scale))
            top += _STEP
        top += _BETWEEN
    return picture(chart.key, chart.title, chart.description, max(top, 1.0), *parts)


def _bar(chart: BarChart, series: Series, group: int, place: int, top: float, scale: float) -> str:
    value, low, high = _at(series, group)
    length = max(value, 0) * scale if math.isfinite(value) else 0.0
    parts = [
        element(
            "rect",
            x=0.0,
            y=top,
            width=max(length, 0.5),
            height=_BAR,
            class_=f"s{place % COLOURS + 1}",
        )
    ]
    middle = top + _BAR / 2
    end = length
    if math.isfinite(low) and math.isfinite(high):
        from_x, end = max(low, 0) * scale, max(max(high, 0) * scale, length)
        path = f"M{from_x:.1f} {middle - 3:.1f}v6m0 -3H{end:.1f}m0 -3v6"
        parts.append(element("path", d=path, class_="whisker"))
    told = _end(chart, series, group)
    parts.append(text(end + 4, top + _BAR - 1.5, told, size=SMALL))
    return "".join(parts)


def _legend(chart: BarChart) -> tuple[str, float]:
    """The names of the colours, in the order of the bars; none for a single colour."""
    if len(chart.series) < 2:
        return "", 0.0
    parts = []
    x, y = 0.0, 0.0
    for place, series in enumerate(chart.series):
        width = 16 + breadth(series.name, SMALL) + 10
        if x and x + width > WIDTH:
            x, y = 0.0, y + _LEGEND_LINE
        colour = f"s{place % COLOURS + 1}"
        parts.append(element("rect", x=x, y=y + 2, width=11, height=11, class_=colour))
        parts.append(text(x + 15, y + 12, series.name, size=SMALL))
        x += width
    return "".join(parts), y + _LEGEND_LINE + _BETWEEN


def _all(chart: BarChart) -> list[tuple[Series, int]]:
    return [(series, group) for series in chart.series for group in range(len(chart.groups))]


def _at(series: Series, group: int) -> tuple[float, float, float]:
    low = series.low[group] if series.low else math.nan
    high = series.high[group] if series.high else math.nan
    return series.values[group], low, high


def _reach(series: Series, group: int) -> float:
    return max((v for v in _at(series, group) if math.isfinite(v)), default=0.0)


def _end(chart: BarChart, series: Series, group: int) -> str:
    return show_value(series.values[group], chart.kind)
