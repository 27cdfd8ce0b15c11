"""The step Sankey: how journeys flow from step to step."""

from __future__ import annotations

from typing import Any, Final

import attrs

from cxkit.flow.paths import END, OTHER, START
from cxkit.flow.steps.stepresults import Sankey
from cxkit.plot.colours import SERIES
from cxkit.plot.picture import Drawn, Picture, page
from cxkit.plot.scene import Area, Box, Scene, Shape, Words
from cxkit.plot.words import fit_middle, show_name, show_share

__all__ = ["SankeyPicture", "sankey"]

_HEIGHT: Final = 330.0
_HEAD: Final = 18.0
_STEP: Final = 138.0
_NODE: Final = 11.0
_GAP: Final = 7.0
_SIZE: Final = 9.5
_LINE: Final = 11.5
_FAR: Final = 9.0
_NAMED: Final = 0.005

_Node = tuple[int, str | None]


def sankey(result: Sankey) -> SankeyPicture:
    """A picture of how journeys flow from step to step.

    Every column is a step. Bands are as wide as there are journeys; what narrows from one column to
    the next has ended, and says so.

    Args:
        result: What :func:`cxkit.flow.sankey` returned.

    Example:
        >>> import cxkit as cx
        >>> journeys = cx.simulate.retail(300, rng=1).journeys
        >>> picture = sankey(cx.flow.sankey(journeys, by="channel", steps=3))
        >>> sum(row["count"] for row in picture.data().to_dicts() if row["step"] == 0) == 300
        True
    """
    return SankeyPicture(result)


@attrs.frozen(eq=False, repr=False)
class SankeyPicture(Picture):
    """A picture of how journeys flow from step to step.

    Attributes:
        result: What it draws.
    """

    result: Sankey

    def data(self) -> Drawn:
        """One row per band."""
        found = self.result
        said = [f"{found.title()}; shares are of these"]
        if OTHER in (*found.source, *found.target):
            said.append(f"{OTHER}: all labels beyond the most frequent ones")
        if END in found.target:
            said.append(f"{END}: over after the step before")
        said.append("nodes of less than 0.5% have no name here")
        return Drawn(
            named=found.columns(),
            heading=f"Step by step, by {show_name(found.by)}",
            said=("; ".join(said),),
        )

    def scene(self) -> Scene:
        """Columns of nodes, and bands between them."""
        found = self.result
        rows = list(
            zip(found.step.tolist(), found.source, found.target, found.count.tolist(), strict=True)
        )
        nodes = self._nodes()
        names = self._order(nodes)
        colours = _colours(names)
        steps = sorted({step for step, _ in nodes})
        tall = max((sum(s == step for s, _ in nodes) for step in steps), default=1)
        scale = (_HEIGHT - _GAP * (tall - 1)) / max(found.total, 1)
        tops: dict[_Node, float] = {}
        for step in steps:
            y = _HEAD
            for name in names:
                if (step, name) in nodes:
                    tops[step, name] = y
                    y += nodes[step, name] * scale + _GAP
        left = {step: place * _STEP for place, step in enumerate(steps)}
        shapes: list[Shape] = [
            Words(left[step], 8, self._heading(step), _SIZE, "muted") for step in steps
        ]
        rank = {name: place for place, name in enumerate(names)}
        out, into = dict(tops), dict(tops)
        places: dict[tuple[_Node, _Node], tuple[float, float]] = {}
        for step, a, b, count in sorted(rows, key=lambda r: (r[0], rank[r[1]], rank[r[2]])):
            places[(step, a), (step + 1, b)] = (out[step, a], 0.0)
            out[step, a] += count * scale
        for step, a, b, count in sorted(rows, key=lambda r: (r[0], rank[r[2]], rank[r[1]])):
            key = ((step, a), (step + 1, b))
            places[key] = (places[key][0], into[step + 1, b])
            into[step + 1, b] += count * scale
        for step, a, b, count in sorted(rows, key=lambda r: -r[3]):
            y0, y1 = places[(step, a), (step + 1, b)]
            band = _band(left[step] + _NODE, y0, left[step + 1], y1, max(count * scale, 0.4))
            grey = b == END
            shapes.append(
                Area(band, "line" if grey else colours[a], 0.5 if grey else 0.38, curved=True)
            )
        shapes += [
            Box(left[step], tops[step, name], _NODE, max(count * scale, 0.8), colours[name])
            for (step, name), count in nodes.items()
        ]
        shapes += self._labels(nodes, names, tops, left, scale)
        width = max(left.values(), default=0.0) + _NODE + _STEP - 30
        return page(
            shapes,
            width,
            _HEAD + _HEIGHT,
            self.data(),
            f"{len(nodes)} nodes in {len(steps)} columns, {len(rows)} bands.",
        )

    def _nodes(self) -> dict[_Node, int]:
        told: dict[str, list[Any]] = self.result.nodes()
        return dict(zip(zip(told["step"], told["label"], strict=True), told["count"], strict=True))

    def _order(self, nodes: dict[_Node, int]) -> list[str | None]:
        """From above: not begun, then the largest, the others, and the end."""
        weight: dict[str | None, int] = {}
        for (_, name), count in nodes.items():
            weight[name] = weight.get(name, 0) + count
        last = {START: -1, OTHER: 1, END: 2}
        return sorted(weight, key=lambda n: (last.get(str(n), 0), -weight[n], str(n)))

    def _heading(self, step: int) -> str:
        event = self.result.window.event
        if event is None:
            return f"touchpoint {step + 1}"
        return show_name(event.name) if step == 0 else f"{step:+d}"

    def _labels(
        self,
        nodes: dict[_Node, int],
        names: list[str | None],
        tops: dict[_Node, float],
        left: dict[int, float],
        scale: float,
    ) -> list[Shape]:
        """Names beside the nodes, where there is room for them."""
        shapes: list[Shape] = []
        for step, x in left.items():
            free = 0.0
            for name in names:
                if (step, name) not in nodes:
                    continue
                count = nodes[step, name]
                middle = tops[step, name] + count * scale / 2 + _SIZE * 0.35
                y = max(middle, free)
                if y - middle > _FAR or count < _NAMED * self.result.total:
                    continue
                share = show_share(count / self.result.total, 0)
                room = _STEP - _NODE - 34
                told = f"{fit_middle(name, room - 6 * len(share), _SIZE)} {share}"
                shapes.append(Words(x + _NODE + 4, y, told, _SIZE, halo=True))
                free = y + _LINE
        return shapes


def _colours(names: list[str | None]) -> dict[str | None, str]:
    """Colours of their own for the largest; grey for the others."""
    own = [name for name in names if name not in {START, OTHER, END}]
    found: dict[str | None, str] = dict.fromkeys(names, "s6")
    found |= dict(zip(own, SERIES[:-1], strict=False))
    return found | {name: "line" for name in (START, END) if name in found}


def _band(
    x0: float, y0: float, x1: float, y1: float, thick: float
) -> tuple[tuple[float, float], ...]:
    middle = (x0 + x1) / 2
    return (
        (x0, y0),
        (middle, y0),
        (middle, y1),
        (x1, y1),
        (x1, y1 + thick / 3),
        (x1, y1 + thick * 2 / 3),
        (x1, y1 + thick),
        (middle, y1 + thick),
        (middle, y0 + thick),
        (x0, y0 + thick),
    )
