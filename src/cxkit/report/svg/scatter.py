"""Labelled points in four quadrants: value per visit against traffic."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, TypeAlias

from cxkit.plot.ticks import log_ticks, ticks
from cxkit.report.document import Point, ScatterChart
from cxkit.report.show import show_value
from cxkit.report.svg.draw import (
    SMALL,
    WIDTH,
    breadth,
    element,
    fit,
    picture,
    text,
)

__all__ = ["draw_scatter"]

Box: TypeAlias = tuple[float, float, float, float]
Scale: TypeAlias = Callable[[float], float]

_LEFT: Final = 40.0
_RIGHT: Final = WIDTH - 6
_TOP: Final = 20.0
_BOTTOM: Final = 318.0
_HEIGHT: Final = 358.0
_DOT: Final = 5.0
_LINE: Final = 15.0
_LABEL: Final = 130.0


def draw_scatter(chart: ScatterChart) -> str:
    """The chart: traffic to the right on a logarithmic axis, value per visit upwards."""
    points = [p for p in chart.points if math.isfinite(p.y) and 1 <= p.x < math.inf]
    if not points:
        return picture(chart.key, chart.title, chart.description, 1.0)
    to_x, x_ticks = _traffic(chart, points)
    to_y, y_ticks = _value(chart, points)
    parts = [_frame()]
    if math.isfinite(chart.x_split) and math.isfinite(chart.y_split):
        parts.append(_corners(chart, to_x(chart.x_split), to_y(chart.y_split)))
    parts += [_note(to_x(tick), _BOTTOM + 16, _short(tick), "middle") for tick in x_ticks]
    parts += [_note(_LEFT - 5, to_y(tick) + 4, _short(tick), "end") for tick in y_ticks]
    parts.append(_note((_LEFT + _RIGHT) / 2, _HEIGHT - 6, chart.x_title, "middle"))
    parts.append(_note(0.0, 11.0, chart.y_title, "start"))
    places = [(to_x(p.x), to_y(p.y)) for p in points]
    for p, (x, y) in zip(points, places, strict=True):
        parts.append(_whisker(p, x, to_y))
        parts.append(element("circle", cx=x, cy=y, r=_DOT, class_="dot"))
    parts += _labels(points, places)
    return picture(chart.key, chart.title, chart.description, _HEIGHT, *parts)


def _note(x: float, y: float, told: str, side: str) -> str:
    """A quiet text beside an axis, kept within the picture."""
    if side == "middle":
        half = breadth(told, SMALL) / 2 + 2
        x = min(max(x, half), WIDTH - half)
    return text(x, y, told, size=SMALL, text_anchor=side, class_="muted")


def _traffic(chart: ScatterChart, points: list[Point]) -> tuple[Scale, list[float]]:
    ends = [p.x for p in points] + ([chart.x_split] if 1 <= chart.x_split < math.inf else [])
    low, high = min(ends), max(ends)
    # Some air at both ends, on a logarithmic axis; also where all points are one.
    pad = max((high / low) ** 0.12, 1.25)
    low, high = low / pad, high * pad
    span = math.log(high / low)

    def to_x(value: float) -> float:
        return _LEFT + (_RIGHT - _LEFT) * math.log(max(value, low) / low) / span

    return to_x, log_ticks(low, high)


def _value(chart: ScatterChart, points: list[Point]) -> tuple[Scale, list[float]]:
    ends = [chart.y_split] if math.isfinite(chart.y_split) else []
    for p in points:
        error = p.error if math.isfinite(p.error) else 0.0
        ends += [max(p.y - 1.96 * error, 0.0) if p.y >= 0 else p.y, p.y + 1.96 * error]
    low, high = min(ends), max(ends)
    pad = 0.1 * (high - low) or max(abs(high), 1.0) * 0.5
    low, high = (max(low - pad, 0.0) if low >= 0 else low - pad), high + pad

    def to_y(value: float) -> float:
        inside = min(max(value, low), high)
        return _BOTTOM - (_BOTTOM - _TOP) * (inside - low) / (high - low)

    return to_y, ticks(low, high)


def _frame() -> str:
    size = {"width": _RIGHT - _LEFT, "height": _BOTTOM - _TOP}
    return element("rect", x=_LEFT, y=_TOP, class_="frame", **size)


def _corners(chart: ScatterChart, x: float, y: float) -> str:
    """The lines that part the quadrants, and their names in the corners."""
    cross = f"M{x:.1f} {_TOP:g}V{_BOTTOM:g}M{_LEFT:g} {y:.1f}H{_RIGHT:g}"
    lines = element("path", d=cross, class_="split")
    spots = [
        (_LEFT + 5, _TOP + 14, "start"),
        (_RIGHT - 5, _TOP + 14, "end"),
        (_LEFT + 5, _BOTTOM - 6, "start"),
        (_RIGHT - 5, _BOTTOM - 6, "end"),
    ]
    names = [
        text(at, down, name, size=SMALL, text_anchor=side, class_="corner")
        for name, (at, down, side) in zip(chart.corners, spots, strict=True)
    ]
    return "".join([lines, *names])


def _whisker(point: Point, x: float, to_y: Scale) -> str:
    if not (math.isfinite(point.error) and point.error > 0):
        return ""
    high, low = to_y(point.y + 1.96 * point.error), to_y(point.y - 1.96 * point.error)
    return element("path", d=f"M{x:.1f} {low:.1f}V{high:.1f}", class_="whisker")


def _labels(points: list[Point], places: list[tuple[float, float]]) -> list[str]:
    """Each name where it hides no other, nearest places first; a line leads back if it is far."""
    taken: list[Box] = [(x - _DOT, y - _DOT, x + _DOT, y + _DOT) for x, y in places]
    # The names of the quadrants are in the corners already.
    corners = [(x, y) for x in (_LEFT, _RIGHT - 95) for y in (_TOP, _BOTTOM - 18)]
    taken += [(x, y, x + 95, y + 18) for x, y in corners]
    parts = []
    for p, (x, y) in zip(points, places, strict=True):
        name = fit(p.label, _LABEL, SMALL)
        long = breadth(name, SMALL)
        box = _free(x, y, long, taken)
        taken.append(box)
        near_x, near_y = min(max(x, box[0]), box[2]), min(max(y, box[1]), box[3])
        if math.hypot(near_x - x, near_y - y) > 3 * _DOT:
            line = f"M{x:.1f} {y:.1f}L{near_x:.1f} {near_y:.1f}"
            parts.append(element("path", d=line, class_="leader"))
        parts.append(text(box[0], box[3] - 3, name, size=SMALL, class_="halo"))
    return parts


def _free(x: float, y: float, long: float, taken: list[Box]) -> Box:
    """A place for a label: right, left, above, below, then further and further away."""
    best: Box = (x + 8, y - _LINE / 2, x + 8 + long, y + _LINE / 2)
    least = math.inf
    for away in (8.0, 14.0, 24.0, 36.0, 50.0, 66.0, 84.0):
        for turn in (0, 180, 270, 90, 315, 225, 45, 135):
            dx, dy = math.cos(math.radians(turn)), math.sin(math.radians(turn))
            centre_x = x + dx * (away + long / 2)
            centre_y = y + dy * (away + _LINE / 2)
            # Kept inside the frame; a label that would leave it slides along its edge.
            left = min(max(centre_x - long / 2, _LEFT + 2), _RIGHT - long - 2)
            top = min(max(centre_y - _LINE / 2, _TOP + 2), _BOTTOM - _LINE - 2)
            box = (left, top, left + long, top + _LINE)
            hidden = sum(_overlap(box, other) for other in taken)
            if hidden == 0:
                return box
            if hidden < least:
                best, least = box, hidden
    return best


def _overlap(a: Box, b: Box) -> float:
    wide = min(a[2], b[2]) - max(a[0], b[0])
    tall = min(a[3], b[3]) - max(a[1], b[1])
    return wide * tall if wide > 0 and tall > 0 else 0.0


def _short(value: float) -> str:
    """A tick: 20k, 1.5M, 0.25."""
    for unit, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= unit:
            return f"{value / unit:g}{letter}"
    return f"{value:g}" if abs(value) >= 1e-3 or value == 0 else show_value(value, "number", 4)
