"""What a picture is made of before it is drawn: boxes, lines, areas and words.

A scene is measured in points from its upper left corner. It knows names of colours, not colours, so
that the same scene can be drawn on a light page and on a dark one, as SVG or by matplotlib.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import attrs

__all__ = ["Area", "Box", "Disc", "Line", "Scene", "Shape", "Words", "arrow_head"]

Anchor: TypeAlias = Literal["start", "middle", "end"]
Place: TypeAlias = tuple[float, float]


@attrs.frozen
class Box:
    """A rectangle.

    Attributes:
        x: Its left end.
        y: Its upper end.
        width: How wide.
        height: How high.
        fill: The name of its colour, ``None`` for none.
        opacity: How much of the colour covers what is below.
        outline: The colour of its border, if it has one.
        dashed: Whether the border is.
    """

    x: float
    y: float
    width: float
    height: float
    fill: str | None = "fill"
    opacity: float = 1.0
    outline: str | None = None
    dashed: bool = False


@attrs.frozen
class Line:
    """A line.

    Attributes:
        places: The places that it goes through.
        colour: The name of its colour.
        width: How wide.
        dashed: Whether it is broken.
        curved: The first place, and then three for each cubic Bezier curve.
        opacity: How much of the colour covers what is below.
    """

    places: tuple[Place, ...]
    colour: str = "ink"
    width: float = 1.0
    dashed: bool = False
    curved: bool = False
    opacity: float = 1.0


@attrs.frozen
class Area:
    """An area within a line.

    Attributes:
        places: The places that the line goes through.
        fill: The name of its colour.
        opacity: How much of the colour covers what is below.
        curved: The first place, and then three for each cubic Bezier curve.
    """

    places: tuple[Place, ...]
    fill: str = "fill"
    opacity: float = 1.0
    curved: bool = False


@attrs.frozen
class Disc:
    """A filled circle.

    Attributes:
        x: Its middle, from the left.
        y: Its middle, from above.
        radius: How large.
        fill: The name of its colour.
        outline: The colour of its border, if it has one.
    """

    x: float
    y: float
    radius: float
    fill: str = "s1"
    outline: str | None = None


@attrs.frozen
class Words:
    """A text on one line.

    Attributes:
        x: Where it begins, has its middle or ends.
        y: The line that the letters stand on.
        text: The text.
        size: Of the letters.
        colour: The name of their colour.
        anchor: Which part of the text is at ``x``.
        bold: Whether it is bold.
        italic: Whether it is in italics.
        turn: Degrees by which it is turned against the clock.
        halo: Whether the background is drawn around the letters, over what they cover.
    """

    x: float
    y: float
    text: str
    size: float = 10.0
    colour: str = "ink"
    anchor: Anchor = "start"
    bold: bool = False
    italic: bool = False
    turn: float = 0.0
    halo: bool = False


Shape: TypeAlias = Box | Line | Area | Disc | Words


@attrs.frozen
class Scene:
    """A picture ready to be drawn.

    Attributes:
        width: In points.
        height: In points.
        shapes: What is drawn, the first below the others.
        title: What it shows.
        description: The same for those who do not see it.
    """

    width: float
    height: float
    shapes: tuple[Shape, ...]
    title: str
    description: str


def arrow_head(tip: Place, towards: Place, size: float, fill: str, opacity: float = 1.0) -> Area:
    """A triangle that ends at ``tip`` and comes from the direction of ``towards``."""
    dx, dy = towards[0] - tip[0], towards[1] - tip[1]
    length = max((dx * dx + dy * dy) ** 0.5, 1e-9)
    dx, dy = dx / length * size, dy / length * size
    side = 0.42
    left = (tip[0] + dx - dy * side, tip[1] + dy + dx * side)
    right = (tip[0] + dx + dy * side, tip[1] + dy - dx * side)
    return Area((tip, left, right), fill=fill, opacity=opacity)
