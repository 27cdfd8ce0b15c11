"""Curves of waiting: the share that still waits, with its interval."""

from __future__ import annotations

import math
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.flow.retention.survivaltables import SurvivalTable
from cxkit.plot.colours import SERIES
from cxkit.plot.folding import check_top
from cxkit.plot.picture import Drawn, Picture, page
from cxkit.plot.scene import Area, Line, Place, Scene, Shape, Words
from cxkit.plot.ticks import ticks
from cxkit.plot.words import fit_middle, short_number, show_name

__all__ = ["SurvivalPicture", "survival"]

_WIDTH: Final = 560.0
_HEIGHT: Final = 260.0
_LEFT: Final = 38.0
_SIZE: Final = 9.5
_NAMES: Final = 110.0
_LINE: Final = 12.0
_AT_RISK: Final = 14.0


def survival(result: SurvivalTable, *, top: int = 6, reached: bool = False) -> SurvivalPicture:
    """A picture of Kaplan-Meier curves, with their intervals and how many are at risk.

    Args:
        result: What :func:`cxkit.flow.survival` returned.
        top: How many groups are drawn, the largest; the picture says how many are not.
        reached: Draw the share that has reached it, which grows, not the share that still waits.

    Raises:
        DefinitionError: ``top`` is no whole number from 1 up.

    Example:
        >>> import cxkit as cx
        >>> journeys = cx.simulate.retail(300, rng=1).journeys
        >>> waits = cx.flow.survival(journeys, cx.flow.TimeTo("purchase"), until="2024-05-01")
        >>> survival(waits).data().to_dicts()[0]["survival"]
        1.0
    """
    return SurvivalPicture(result, check_top(top), reached)


@attrs.frozen(eq=False, repr=False)
class SurvivalPicture(Picture):
    """A picture of Kaplan-Meier curves.

    Attributes:
        result: What it draws.
        top: How many groups are drawn.
        reached: Whether the share that has reached it is drawn.
    """

    result: SurvivalTable
    top: int
    reached: bool

    def data(self) -> Drawn:
        """One row per group and time, from time 0."""
        found = self.result
        named: dict[str, list[Any]] = {"group": [], "time": [], "at_risk": []}
        kind = "reached" if self.reached else "survival"
        named |= {kind: [], f"{kind}_low": [], f"{kind}_high": []}
        for g in self._groups():
            rows = self._curve(g)
            label = found.groups.take(np.array([g])).to_list()[0]
            named["group"] += [label] * len(rows[0])
            for name, values in zip(list(named)[1:], rows, strict=True):
                named[name] += values.tolist()
        shown, every = len(self._groups()), len(found.groups)
        said = [str(found.notes()[0]), f"bands: {100 * found.level:g}% intervals"]
        if shown < every:
            said.append(f"the {shown} largest of {every:,} groups are drawn")
        what = "Happened so far" if self.reached else "Still waiting"
        return Drawn(
            named=named,
            heading=f"{what}: {found.wait.told()}",
            said=("; ".join(said),),
        )

    def scene(self) -> Scene:
        """Steps, and below them how many are at risk."""
        groups = self._groups()
        curves = [self._curve(g) for g in groups]
        longest = max((float(c[0].max()) for c in curves), default=0.0) or 1.0
        right = _WIDTH - (_NAMES if len(groups) > 1 else 12.0)
        scale = (right - _LEFT) / longest

        def x_of(time: float) -> float:
            return _LEFT + time * scale

        largest = max((float(np.nan_to_num(c[4]).max()) for c in curves), default=1.0)
        top = max(largest, 0.02) if self.reached else 1.0

        def y_of(share: float) -> float:
            return _HEIGHT - 10 - (_HEIGHT - 18) * share / top

        shapes: list[Shape] = []
        for share in ticks(0, top, 5):
            y = y_of(share)
            shapes.append(Line(((_LEFT, y), (right, y)), "line"))
            told = f"{100 * share:.3g}%"
            shapes.append(Words(_LEFT - 6, y + 3.5, told, _SIZE, "muted", anchor="end"))
        marks = ticks(0, longest, 6)
        for mark in marks:
            at, told = x_of(mark), short_number(mark)
            shapes.append(Words(at, _HEIGHT + 6, told, _SIZE, "muted", anchor="middle"))
        unit = f"time in units of {self.result.unit}"
        shapes.append(Words(right, _HEIGHT + 20, unit, _SIZE, "muted", anchor="end"))
        ends: list[tuple[float, int]] = []
        lines: list[Shape] = []
        for place, curve in enumerate(curves):
            colour = SERIES[min(place, len(SERIES) - 1)]
            time, _, value, low, high = curve
            known = np.isfinite(low) & np.isfinite(high)
            band = [*_steps(time[known], high[known]), *_steps(time[known], low[known])[::-1]]
            if len(band) > 2:
                shapes.append(Area(tuple((x_of(t), y_of(s)) for t, s in band), colour, 0.14))
            line = tuple((x_of(t), y_of(s)) for t, s in _steps(time, value))
            lines.append(Line(line, colour, 1.8))
            ends.append((y_of(float(value[-1])), place))
        shapes += lines
        if len(groups) > 1:
            shapes += self._names(groups, ends, right)
        bottom = _HEIGHT + 30
        shapes.append(Words(0, bottom, "at risk", _SIZE, "muted"))
        for place, (time, at_risk, *_) in enumerate(curves):
            y = bottom + _AT_RISK * (place + 1)
            colour = SERIES[min(place, len(SERIES) - 1)]
            if len(groups) > 1:
                told = fit_middle(self._name(groups[place]), _NAMES - 22, _SIZE)
                shapes.append(Words(right + 20, y, told, _SIZE, colour))
            for mark in marks:
                row = np.searchsorted(time, mark, side="left")
                left = int(at_risk[row]) if row < len(time) else 0
                told = short_number(left)
                shapes.append(Words(x_of(mark), y, told, _SIZE, colour, anchor="middle"))
        height = bottom + _AT_RISK * len(curves) + 4
        drawn = self.data()
        return page(shapes, _WIDTH, height, drawn, f"{len(groups)} curves.")

    def _groups(self) -> list[int]:
        """The largest groups, in order of size."""
        found = self.result
        begin = found.offsets[:-1]
        some = np.diff(found.offsets) > 0
        size = np.zeros(len(begin), np.int64)
        size[some] = found.at_risk[begin[some]]
        order = np.argsort(-size, kind="stable")
        return [int(g) for g in order[: self.top] if size[g]]

    def _curve(self, group: int) -> tuple[NDArray[Any], ...]:
        """Time, at risk, the share, and the ends of its interval, from time 0 on."""
        found = self.result
        rows = slice(int(found.offsets[group]), int(found.offsets[group + 1]))
        time = np.concatenate([[0], found.time[rows]])
        at_risk = np.concatenate([found.at_risk[rows][:1], found.at_risk[rows]])
        value, low, high = (
            np.concatenate([[1.0], s[rows]])
            for s in (found.survival, found.survival_low, found.survival_high)
        )
        if self.reached:
            value, low, high = 1 - value, 1 - high, 1 - low
        return time, at_risk, value, low, high

    def _name(self, group: int) -> str:
        return show_name(self.result.groups.take(np.array([group])).to_list()[0])

    def _names(self, groups: list[int], ends: list[tuple[float, int]], right: float) -> list[Shape]:
        """Names at the ends of the curves, moved apart."""
        shapes: list[Shape] = []
        free = -math.inf
        for y, place in sorted(ends):
            at = max(y + 3.5, free)
            free = at + _LINE
            told = fit_middle(self._name(groups[place]), _NAMES - 8, _SIZE, bold=True)
            colour = SERIES[min(place, len(SERIES) - 1)]
            shapes.append(Words(right + 6, at, told, _SIZE, colour, bold=True))
        return shapes


def _steps(time: NDArray[Any], value: NDArray[np.float64]) -> list[Place]:
    """The corners of a curve that keeps its value until the next time."""
    places: list[Place] = []
    for at, (t, v) in enumerate(zip(time.tolist(), value.tolist(), strict=True)):
        if at:
            places.append((t, places[-1][1]))
        places.append((t, v))
    return places
