"""A strategy map as levels side by side: what serves what, and what is wrong where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs

from cxkit.plot.picture import Drawn, Picture, page
from cxkit.plot.scene import Box, Line, Scene, Shape, Words
from cxkit.plot.words import fit_middle, show_name
from cxkit.strategy.items import LEVELS, Item
from cxkit.strategy.map import StrategyMap

__all__ = ["StrategyPicture", "strategy"]

_BOX: Final = 124.0
_TALL: Final = 30.0
_ROW: Final = 42.0
_GAP: Final = 44.0
_HEAD: Final = 22.0
_SIZE: Final = 10.0
_SMALL: Final = 8.5
_HEADINGS: Final = {
    "theme": "themes",
    "strategic_objective": "strategic objectives",
    "marketing_objective": "marketing objectives",
    "digital_goal": "digital goals",
    "rest": "KPIs, tactics, tools",
}
_KINDS: Final = {"kpi": "KPI", "tactic": "tactic", "capability": "tool"}


def strategy(given: StrategyMap) -> StrategyPicture:
    """A picture of a strategy map: a column for each level, a line for each link.

    A line is the wider the more of an item leads there. Items about which
    :meth:`StrategyMap.lint <cxkit.StrategyMap.lint>` found something have a dashed border and the
    codes of the findings.

    Args:
        given: The map.

    Example:
        >>> import cxkit as cx
        >>> from cxkit.strategy import Theme, StrategicObjective
        >>> made = cx.StrategyMap(
        ...     [Theme("loyal", owner="ann"), StrategicObjective("back", "loyal")]
        ... )
        >>> strategy(made).data().columns()["findings"]
        ['', 'AL002, AL008']
    """
    return StrategyPicture(given)


@attrs.frozen(eq=False, repr=False)
class StrategyPicture(Picture):
    """A picture of a strategy map.

    Attributes:
        given: What it draws.
    """

    given: StrategyMap

    def data(self) -> Drawn:
        """One row per item, level by level, in the order of the picture."""
        rows = [item for column in self._columns() for item in column]
        codes = self._codes()
        found = self.given.lint()
        said = ["a wider line: more of the item leads there"]
        if len(found):
            said.append(f"dashed: {len(found)} findings, told by .lint()")
        return Drawn(
            named={
                "level": [item.level for item in rows],
                "item": [item.id for item in rows],
                "owner": [item.owner for item in rows],
                "supports": [
                    ", ".join(f"{n} {w:.0%}" for n, w in item.supports.items()) for item in rows
                ],
                "findings": [", ".join(codes.get(item.id, ())) for item in rows],
            },
            heading=f"Strategy map: {show_name(self.given.name)}",
            said=tuple(said),
        )

    def _codes(self) -> Mapping[str, list[str]]:
        codes: dict[str, list[str]] = {}
        for code, name in self.given.lint().pairs():
            codes.setdefault(name, []).append(code)
        return codes

    def _columns(self) -> list[list[Item]]:
        """The items of each column; each near what it supports, so that few lines cross."""
        columns: list[list[Item]] = []
        place: dict[str, float] = {}
        for level in (*LEVELS, None):
            own = [
                item
                for item in self.given.items
                if (item.level == level if level else item.level not in LEVELS)
            ]
            own.sort(key=lambda item: _middle(item, place))
            place |= {item.id: (i + 0.5) / len(own) for i, item in enumerate(own)}
            columns.append(own)
        return columns

    def scene(self) -> Scene:
        """The links first, the boxes over them."""
        columns, codes = self._columns(), self._codes()
        rows = max([len(column) for column in columns] + [1])
        high = _ROW * rows
        middle: dict[str, tuple[float, float]] = {}
        heads: list[Shape] = []
        for number, (column, heading) in enumerate(zip(columns, _HEADINGS.values(), strict=True)):
            x = number * (_BOX + _GAP)
            heads.append(Words(x, 11, heading, _SMALL + 0.5, "muted"))
            for i, item in enumerate(column):
                middle[item.id] = x, _HEAD + high * (i + 0.5) / len(column)
        boxes = [
            shape
            for column in columns
            for item in column
            for shape in _box(item, *middle[item.id], codes.get(item.id, []))
        ]
        links: list[Shape] = []
        for item in self.given.items:
            for parent, weight in item.supports.items():
                x, y = middle[item.id]
                a, b = middle[parent]
                a += _BOX
                half = (x - a) / 2
                places = ((a, b), (a + half, b), (x - half, y), (x, y))
                links.append(Line(places, "muted", 0.8 + 2.2 * weight, curved=True, opacity=0.55))
        width = len(columns) * _BOX + (len(columns) - 1) * _GAP
        told = f"{len(self.given.items)} items in {len(columns)} columns."
        return page([*links, *boxes, *heads], width, _HEAD + high, self.data(), told)


def _middle(item: Item, place: Mapping[str, float]) -> float:
    """Where its parents are on average; those without come last."""
    if not item.supports:
        return 2.0 if place else 0.0
    return sum(weight * place[parent] for parent, weight in item.supports.items())


def _box(item: Item, x: float, y: float, codes: list[str]) -> list[Shape]:
    kind = _KINDS.get(item.level, "")
    below = ", ".join([*([kind] if kind else []), *codes]) or item.owner
    top = y - _TALL / 2
    name = fit_middle(item.id, _BOX - 10, _SIZE)
    shapes: list[Shape] = [
        Box(x, top, _BOX, _TALL, "bg"),
        Box(x, top, _BOX, _TALL, "track", 1.0, "s2" if codes else "line", bool(codes)),
        Words(x + 6, top + (13 if below else 19), name, _SIZE),
    ]
    if below:
        told = fit_middle(below, _BOX - 10, _SMALL)
        shapes.append(Words(x + 6, top + 25, told, _SMALL, "s2" if codes else "muted"))
    return shapes
