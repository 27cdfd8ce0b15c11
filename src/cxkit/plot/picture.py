"""What every picture can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import attrs

from cxkit.core.result import ColumnLike, Result
from cxkit.plot.canvas import draw_scene, figure_bytes, new_axes
from cxkit.plot.scene import Area, Line, Scene, Shape, Words
from cxkit.plot.svg import scene_to_svg
from cxkit.plot.words import breadth, fit

__all__ = ["NOTE", "TITLE", "Drawn", "Picture", "moved", "page"]

TITLE: Final = 14.0
NOTE: Final = 9.5
_MARGIN: Final = 16.0


@attrs.frozen(eq=False, repr=False, kw_only=True)
class Drawn(Result):
    """The quantities that a picture draws, as a table.

    Attributes:
        named: The columns by name.
        heading: What the picture shows.
        said: What it says below, such as what was put together.
    """

    named: Mapping[str, ColumnLike]
    heading: str
    said: tuple[str, ...]

    def columns(self) -> Mapping[str, ColumnLike]:
        """The columns by name."""
        return self.named

    def title(self) -> str:
        """What the picture shows."""
        return self.heading

    def notes(self) -> Sequence[str]:
        """What the picture says below."""
        return self.said


class Picture(ABC):
    """A picture that has not been drawn yet.

    It shows itself in a notebook. :meth:`data` gives the numbers, :meth:`svg` the drawing as text;
    neither needs any other library. :meth:`draw` draws into the axes of a figure of yours and
    :meth:`save` also writes PNG and PDF, with matplotlib (``pip install "cxkit[plot]"``).
    """

    __slots__ = ()

    @abstractmethod
    def data(self) -> Drawn:
        """The quantities that are drawn, as a table; what is put together is together here too."""

    @abstractmethod
    def scene(self) -> Scene:
        """The shapes, in points."""

    def svg(self) -> str:
        """The picture as an SVG file: texts are texts, every label is escaped."""
        return scene_to_svg(self.scene())

    def draw(self, ax: Any = None) -> Any:
        """Draw with matplotlib.

        Args:
            ax: Axes to draw into, as large as fits; by default those of a new figure of the
                picture's own size.

        Returns:
            The axes.

        Raises:
            MissingExtraError: matplotlib is not installed.
        """
        scene = self.scene()
        axes = new_axes(scene) if ax is None else ax
        draw_scene(scene, axes)
        return axes

    def save(self, path: str | Path, *, dpi: float = 200) -> None:
        """Write the picture to a file, in the format of its ending.

        Args:
            path: ``.svg`` needs no library; ``.png``, ``.pdf`` and the others of matplotlib do.
            dpi: Dots per inch of PNG and its like.

        Raises:
            MissingExtraError: matplotlib is needed and not installed.
            ValueError: matplotlib does not know the format.
        """
        path = Path(path)
        kind = path.suffix[1:].lower() or "png"
        if kind == "svg":
            path.write_text(self.svg() + "\n", encoding="utf-8", newline="\n")
        else:
            path.write_bytes(figure_bytes(self.scene(), kind, dpi))

    def _repr_svg_(self) -> str:
        return self.svg()

    def __repr__(self) -> str:
        """What it shows, and how to see it."""
        scene = self.scene()
        told = f"{scene.title}; {scene.width:.0f} x {scene.height:.0f} points"
        return f"<Picture: {told}; .draw(), .save('picture.png'), .data()>"


def page(
    body: Sequence[Shape],
    width: float,
    height: float,
    drawn: Drawn,
    description: str,
) -> Scene:
    """A picture with its title above and its notes below, and a margin around.

    Args:
        body: The shapes, measured from the upper left corner of their own area.
        width: Of that area.
        height: Of that area.
        drawn: For the title and the notes.
        description: For those who do not see it.
    """
    lines = [line for note in drawn.notes() for line in _wrap(note, width, NOTE)]
    titles = _wrap(drawn.title(), width, TITLE * 1.15)
    head = _MARGIN + (TITLE + 4) * len(titles) + 8
    foot = (NOTE + 4) * len(lines) + (8 if lines else 0)
    shapes: list[Shape] = [
        Words(_MARGIN, _MARGIN + TITLE - 2 + (TITLE + 4) * place, line, TITLE, bold=True)
        for place, line in enumerate(titles)
    ]
    shapes += [moved(shape, _MARGIN, head) for shape in body]
    top = head + height + 8
    for place, line in enumerate(lines):
        y = top + NOTE + place * (NOTE + 4)
        shapes.append(Words(_MARGIN, y, line, NOTE, "muted"))
    return Scene(
        width + 2 * _MARGIN, head + height + foot + _MARGIN, tuple(shapes), drawn.title(),
        description,
    )  # fmt: skip


def moved(shape: Shape, x: float, y: float) -> Shape:
    """The same shape elsewhere."""
    change: Any = attrs.evolve  # each kind of shape has other fields
    if isinstance(shape, (Line, Area)):
        return change(shape, places=tuple((a + x, b + y) for a, b in shape.places))  # type: ignore[no-any-return]
    return change(shape, x=shape.x + x, y=shape.y + y)  # type: ignore[no-any-return]


def _wrap(sentence: str, width: float, size: float) -> list[str]:
    lines: list[str] = []
    line = ""
    for word in sentence.split():
        longer = f"{line} {word}".strip()
        if line and breadth(longer, size) > width:
            lines.append(line)
            longer = word
        line = fit(longer, width, size)
    return [*lines, line] if line else lines
