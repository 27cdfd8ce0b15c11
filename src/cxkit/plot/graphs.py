"""The transition graph: what comes after what, the strongest steps between the largest labels."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.flow.steps.nextsteps import TransitionTable
from cxkit.plot.colours import SERIES
from cxkit.plot.folding import Folded, check_top, fold_labels, other_name
from cxkit.plot.layers import levels
from cxkit.plot.picture import Drawn, Picture, moved, page
from cxkit.plot.scene import Disc, Line, Place, Scene, Shape, Words, arrow_head
from cxkit.plot.words import fit_middle, short_number, show_name, show_share

__all__ = ["GraphPicture", "graph"]

_WIDTH: Final = 820.0
_HEIGHT: Final = 500.0
_ACROSS: Final = 250.0
_DOWN: Final = 165.0
_ROOM: Final = 150.0
_SIZE: Final = 10.5
_LEAST: Final = 5.0
_MOST: Final = 17.0
_WIDEST: Final = 8.0
_BESIDE: Final = 0.55
_CROWDED: Final = 104.0
_READING: Final = "Arrows: the wider, the more steps. Discs: the larger, the more touchpoints."
_START: Final = "(start)"
_END: Final = "(end)"


def graph(table: TransitionTable, *, top: int = 12, edges: int = 30) -> GraphPicture:
    """A picture of transitions: labels on an ellipse, from the start on the left to the end.

    Labels are placed by how far along journeys they come. Discs are as large as there are
    touchpoints, arrows as wide as there are steps, in the colour of the label that they leave.

    Args:
        table: What :func:`cxkit.flow.transitions` returned.
        top: How many labels are drawn by themselves, the most frequent; all others are one.
        edges: How many arrows are drawn, the widest; the picture says how many steps they are.

    Raises:
        DefinitionError: ``top`` or ``edges`` is no whole number from 1 up.

    Example:
        >>> import cxkit as cx
        >>> journeys = cx.simulate.retail(300, rng=1).journeys
        >>> rows = graph(cx.flow.transitions(journeys, by="channel"), top=3).data().to_dicts()
        >>> sum(row["count"] for row in rows if row["from"] == "(start)")  # one for each journey
        300
    """
    return GraphPicture(table, check_top(top), check_top(edges))


@attrs.frozen(eq=False, repr=False)
class GraphPicture(Picture):
    """A picture of transitions.

    Attributes:
        table: What it draws.
        top: How many labels are drawn by themselves.
        edges: How many arrows are drawn.
    """

    table: TransitionTable
    top: int
    edges: int

    def data(self) -> Drawn:
        """One row per pair that occurs after putting together; ``drawn`` says which are arrows."""
        names, counts, folded = self._counts()
        chosen = self._chosen(counts)
        source, target = np.nonzero(counts)
        order = np.argsort(-counts[source, target], kind="stable")
        source, target = source[order], target[order]
        whole = counts.sum(axis=1)[source]
        drawn = chosen[source, target]
        steps = int(counts.sum())
        covered = int(counts[chosen | np.eye(len(names), dtype=bool)].sum())
        pairs = int((counts > 0).sum() - (np.diag(counts) > 0).sum())
        part = show_share(covered / steps if steps else math.nan)
        drawn_pairs = f"{int(chosen.sum()):,} of {pairs:,} pairs are drawn as arrows"
        said = [f"{drawn_pairs}; with repeats (again) they are {part} of all steps. {_READING}"]
        if folded.others:
            share = self._seen()[folded.group == len(folded.kept)].sum() / max(
                self._seen().sum(), 1
            )
            most = f"all labels beyond the {len(folded.kept)} most frequent"
            part = show_share(share)
            said.append(f"other ({folded.others:,}): {most}, with {part} of the touchpoints")
        return Drawn(
            named={
                "from": [names[k] for k in source.tolist()],
                "to": [names[k] for k in target.tolist()],
                "count": counts[source, target],
                "share": counts[source, target] / np.maximum(whole, 1),
                "drawn": drawn.tolist(),
            },
            heading=f"What comes after what, by {show_name(self.table.by)}",
            said=tuple(said),
        )

    def scene(self) -> Scene:
        """The ellipse of labels, and the arrows within."""
        names, counts, folded = self._counts()
        chosen = self._chosen(counts)
        places = _places(names, counts)
        seen = counts.sum(axis=0)
        seen[0] = counts[0].sum()
        largest = max(int(seen[1:-1].max(initial=0)), 1)
        radius = np.clip(_MOST * np.sqrt(seen / largest), _LEAST, _MOST)
        colours = self._colours(len(names), folded)
        widest = max(int(counts[chosen].max(initial=0)), 1)
        shapes: list[Shape] = []
        pairs = np.argwhere(chosen)
        for a, b in sorted(pairs.tolist(), key=lambda p: counts[p[0], p[1]]):
            part = counts[a, b] / widest
            shapes += _arrow(places[a], places[b], radius[a], radius[b], part, colours[a])
        rooms = _rooms(places, radius)
        for k, (x, y) in enumerate(places):
            edge = k in {0, len(places) - 1}
            fill, outline = ("bg", "muted") if edge else (colours[k], "bg")
            shapes.append(Disc(x, y, float(radius[k]), fill, outline))
            told = int(seen[k]), int(counts[k, k])
            shapes += _label(names[k], (x, y), float(radius[k]), told, rooms.get(k))
        high = [s.y for s in shapes if isinstance(s, Words)] + [y for _, y in places]
        top = min(high) - _SIZE
        return page(
            [moved(shape, 0, -top) for shape in shapes],
            _WIDTH,
            max(high) + 8 - top,
            self.data(),
            f"{len(names) - 2} labels between start and end, and {len(pairs)} arrows.",
        )

    def _seen(self) -> IntArray:
        seen = self.table.first.copy()
        np.add.at(seen, self.table.target, self.table.count)
        return seen

    def _counts(self) -> tuple[list[str], IntArray, Folded]:
        """Names, and counts between them: the start first, the end last."""
        table = self.table
        labels: list[Any] = [*table.labels, None]
        folded = fold_labels(self._seen(), self.top)
        names = [show_name(labels[k]) for k in folded.kept.tolist()]
        names += [other_name(folded.others)] * bool(folded.others)
        many = len(names) + 2
        counts = np.zeros((many, many), np.int64)
        group = folded.group + 1
        np.add.at(counts, (group[table.source], group[table.target]), table.count)
        inside = np.flatnonzero(group < many - 1)  # labels that occur
        np.add.at(counts[0], group[inside], table.first[inside])
        np.add.at(counts[:, -1], group[inside], table.last[inside])
        return [_START, *names, _END], counts, folded

    def _chosen(self, counts: IntArray) -> NDArray[np.bool_]:
        """(n, n) which pairs are arrows: the widest into and out of each label, and the widest."""
        between = counts - np.diag(np.diag(counts))
        many = np.arange(len(counts))
        first = np.zeros_like(between)
        first[many, between.argmax(axis=1)] = 1
        first[between.argmax(axis=0), many] = 1
        first[between == 0] = 0
        order = np.lexsort((-between.ravel(), -first.ravel()))[: max(self.edges, int(first.sum()))]
        chosen = np.zeros(counts.size, dtype=bool)
        chosen[order] = between.ravel()[order] > 0
        return chosen.reshape(counts.shape)

    def _colours(self, many: int, folded: Folded) -> list[str]:
        last = len(SERIES) - 1  # the grey one is for all that have no colour of their own
        found = ["muted", *(SERIES[min(k, last)] for k in range(many - 2)), "muted"]
        if folded.others:
            found[-2] = SERIES[last]
        return found


def _places(names: list[str], counts: IntArray) -> list[Place]:
    """Where the discs are: on an ellipse, by level, alternately above and below."""
    level = levels(counts.astype(np.float64))[1:-1]
    order = np.argsort(level, kind="stable").tolist()
    middle = (_WIDTH / 2, _HEIGHT / 2)
    places: list[Place] = [(0.0, 0.0)] * len(names)
    places[0] = (middle[0] - _ACROSS, middle[1])
    places[-1] = (middle[0] + _ACROSS, middle[1])
    above, below = order[::2], order[1::2]
    for side, some in ((-1, above), (1, below)):
        for rank, k in enumerate(some):
            angle = math.pi * (1 - (rank + 1) / (len(some) + 1))
            x = middle[0] + _ACROSS * math.cos(angle)
            places[k + 1] = (x, middle[1] + side * _DOWN * math.sin(angle))
    return places


def _arrow(a: Place, b: Place, out: float, into: float, part: float, colour: str) -> list[Shape]:
    """A curve that bends inwards, there less than back, so that they are two."""
    width = max(_WIDEST * part, 0.8)
    opacity = 0.35 + 0.4 * math.sqrt(part)
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = math.hypot(dx, dy) or 1.0
    # To which side the middle of the picture lies; ways through it keep to their right.
    inward = dx * (_HEIGHT / 2 - a[1]) - dy * (_WIDTH / 2 - a[0])
    bend = 0.12
    if abs(inward) > 0.15 * length * length:
        bend = math.copysign(0.1 if (a[0], a[1]) < (b[0], b[1]) else 0.2, inward)
    first = (a[0] + dx * 0.33 - dy * bend, a[1] + dy * 0.33 + dx * bend)
    second = (a[0] + dx * 0.67 - dy * bend, a[1] + dy * 0.67 + dx * bend)
    head = 6.0 + 1.1 * width
    start = _towards(a, first, out)
    tip = _towards(b, second, into + 1.0)
    stop = _towards(b, second, into + 1.0 + head * 0.8)
    if length < out + into + head:
        return []
    line = Line((start, first, second, stop), colour, width, curved=True, opacity=opacity)
    return [line, arrow_head(tip, second, head, colour, min(opacity + 0.15, 1.0))]


def _towards(place: Place, other: Place, by: float) -> Place:
    dx, dy = other[0] - place[0], other[1] - place[1]
    length = math.hypot(dx, dy) or 1.0
    return place[0] + dx / length * by, place[1] + dy / length * by


def _rooms(places: list[Place], radius: NDArray[np.float64]) -> dict[int, tuple[float, float]]:
    """For each disc whose name stands above or below: the room for it, and the line it is on."""
    found: dict[int, tuple[float, float]] = {}
    for side in (-1, 1):
        some = [
            (x, k)
            for k, (x, y) in enumerate(places)
            if (y - _HEIGHT / 2) * side > 0 and abs(x - _WIDTH / 2) <= _ACROSS * _BESIDE
        ]
        some.sort()
        apart = min((b[0] - a[0] for a, b in pairwise(some)), default=_ROOM)
        crowded = apart < _CROWDED
        # All names of a side are on one line, or on two in turn, whatever the size of the discs.
        outer = max((side * places[k][1] + radius[k] for _, k in some), default=0.0)
        line = side * (outer + 6) + (-13 if side < 0 else 9)
        for rank, (_, k) in enumerate(some):
            away = 27.0 * side if crowded and rank % 2 else 0.0
            found[k] = (min(2 * apart - 8 if crowded else apart - 8, _ROOM), line + away)
    return found


def _label(
    name: str,
    place: Place,
    radius: float,
    told: tuple[int, int],
    room: tuple[float, float] | None,
) -> list[Shape]:
    """The name outside of the ellipse, and with it how many, and how many come again."""
    x, y = place
    seen, again = told
    below = short_number(seen) + (f", again {short_number(again)}" if again else "")
    away = radius + 6
    if room is None:
        left = x < _WIDTH / 2
        at = x - away if left else x + away
        name = fit_middle(name, _ROOM, _SIZE, bold=True)
        anchor: Any = "end" if left else "start"
        top = y - 1
    else:
        name = fit_middle(name, room[0], _SIZE, bold=True)
        at, anchor, top = x, "middle", room[1]
    return [
        Words(at, top, name, _SIZE, bold=True, anchor=anchor, halo=True),
        Words(at, top + 12, below, _SIZE - 1.5, "muted", anchor=anchor, halo=True),
    ]
