"""The profile of an assessment on spokes, one for each dimension."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import attrs
import numpy as np

from cxkit.errors import DefinitionError
from cxkit.maturity.assessed import Assessed
from cxkit.plot.colours import SERIES
from cxkit.plot.picture import Drawn, Picture, page
from cxkit.plot.scene import Anchor, Area, Box, Disc, Line, Place, Scene, Shape, Words
from cxkit.plot.words import breadth, fit_middle, show_name, show_share

__all__ = ["RadarPicture", "radar"]

_RADIUS: Final = 130.0
_SIZE: Final = 10.0
_MOST: Final = len(SERIES)


def radar(*assessed: Assessed) -> RadarPicture:
    """A picture of the profile: how much of each dimension there is.

    The order of the spokes is that of the model and means nothing, and nor does the area.

    Args:
        assessed: One subject or several of the same model, up to seven.

    Raises:
        DefinitionError: There is none, or too many, or they are of different models, or the model
            has fewer than three dimensions at the top, which make no figure.

    Example:
        >>> import cxkit as cx
        >>> model = cx.MaturityModel.builtin("five-level")
        >>> radar(model.assess({"managed.people": "always"})).data().columns()["dimension"]
        ['people', 'process', 'technology']
    """
    return RadarPicture(assessed)


@attrs.frozen(eq=False, repr=False)
class RadarPicture(Picture):
    """A picture of profiles.

    Attributes:
        assessed: What it draws.
    """

    assessed: tuple[Assessed, ...]

    def __attrs_post_init__(self) -> None:
        """Check that there is something to draw."""
        if not 0 < len(self.assessed) <= _MOST:
            raise DefinitionError(f"1 to {_MOST} assessments; found {len(self.assessed)}")
        if len({a.model.digest for a in self.assessed}) > 1:
            raise DefinitionError("these are assessments of different models")
        if len(self._dimensions()) < 3:  # a figure has three corners
            raise DefinitionError(
                f"the model has {len(self._dimensions())} dimensions at the top; a figure on "
                "spokes takes three. Draw a ladder"
            )

    def _dimensions(self) -> list[str]:
        return [d.id for d in self.assessed[0].model.dimensions if d.parent is None]

    def data(self) -> Drawn:
        """One row per dimension, one column per subject."""
        names = self._dimensions()
        columns: dict[str, Sequence[object]] = {"dimension": names}
        for place, one in enumerate(self.assessed):
            key = one.subject if one.subject not in columns else f"{one.subject} ({place + 1})"
            columns[key] = [one.profile[name] for name in names]
        notes = [
            "weighted mean worth of the criteria of each dimension, 0 in the middle, 1 outside"
        ]
        if any(math.isnan(v) for name, v in self._values()):
            notes.append("a dimension of which nothing applies is drawn in the middle")
        model = self.assessed[0].model
        return Drawn(
            named=columns, heading=f"Profile: {show_name(model.title or model.id)}",
            said=tuple(notes),
        )  # fmt: skip

    def _values(self) -> list[tuple[str, float]]:
        return [(n, a.profile[n]) for a in self.assessed for n in self._dimensions()]

    def scene(self) -> Scene:
        """Rings, spokes, and a figure for each subject."""
        names = self._dimensions()
        turns = [2 * math.pi * i / len(names) for i in range(len(names))]
        side = min(max(breadth(show_name(n), _SIZE) for n in names) + 14, 150.0)
        cx, cy = side + _RADIUS, _RADIUS + 24

        def at(turn: float, share: float) -> Place:
            return cx + _RADIUS * share * math.sin(turn), cy - _RADIUS * share * math.cos(turn)

        shapes: list[Shape] = []
        for ring in (0.25, 0.5, 0.75, 1.0):
            corners = [at(turn, ring) for turn in turns]
            shapes.append(Line((*corners, corners[0]), "line", 1.0))
        for turn, name in zip(turns, names, strict=True):
            shapes.append(Line((at(turn, 0), at(turn, 1)), "line", 1.0))
            x, y = at(turn, 1.06)
            lean = math.sin(turn)
            anchor: Anchor = "middle" if abs(lean) < 0.2 else "start" if lean > 0 else "end"
            shapes.append(Words(x, y + 3, fit_middle(name, side - 6, _SIZE), _SIZE, anchor=anchor))
        for place, one in enumerate(self.assessed):
            shares = np.nan_to_num([one.profile[name] for name in names])
            corners = [at(t, float(s)) for t, s in zip(turns, shares, strict=True)]
            shapes.append(Area(tuple(corners), SERIES[place], 0.14))
            shapes.append(Line((*corners, corners[0]), SERIES[place], 2.0))
            shapes += [Disc(x, y, 3.0, SERIES[place], "bg") for x, y in corners]
        x, y = at(0, 0.5)
        shapes.append(Words(x + 5, y - 3, show_share(0.5), 8.5, "muted", halo=True))
        height = max(at(turn, 1)[1] for turn in turns) + 26
        if len(self.assessed) > 1:
            for place, one in enumerate(self.assessed):
                shapes.append(Box(0, height + 2, 11, 11, SERIES[place]))
                told = fit_middle(one.subject, 2 * cx - 20, _SIZE)
                shapes.append(Words(16, height + 12, told, _SIZE))
                height += 17
        return page(shapes, 2 * cx, height, self.data(), "Profile on spokes.")
