"""A scene drawn by matplotlib, which is imported here and only when something is drawn."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from typing import Any, Final

from cxkit.errors import MissingExtraError
from cxkit.plot.colours import LIGHT
from cxkit.plot.scene import Area, Box, Disc, Line, Scene, Words

__all__ = ["draw_scene", "figure_bytes", "new_axes"]

_POINTS: Final = 72.0  # to the inch


def new_axes(scene: Scene) -> Any:
    """Axes that fill a figure of the size of the scene.

    Not by pyplot: nothing is kept that would have to be closed, and no window is asked for.
    """
    figure_of = _import("matplotlib.figure").Figure
    figure = figure_of(figsize=(scene.width / _POINTS, scene.height / _POINTS), facecolor="white")
    _import("matplotlib.backends.backend_agg").FigureCanvasAgg(figure)
    return figure.add_axes((0, 0, 1, 1))


def figure_bytes(scene: Scene, kind: str, dpi: float) -> bytes:
    """The scene as a file of matplotlib: ``"png"``, ``"pdf"`` and whatever else it writes."""
    axes = new_axes(scene)
    draw_scene(scene, axes)
    out = io.BytesIO()
    # The same scene gives the same bytes: no date goes into the file.
    extra = {"metadata": {"CreationDate": None}} if kind == "pdf" else {}
    with warnings.catch_warnings():
        # A letter that the font lacks is drawn as a box; the SVG and data() have it.
        warnings.filterwarnings("ignore", message="Glyph .* missing", category=UserWarning)
        axes.figure.savefig(out, format=kind, dpi=dpi, **extra)
    return out.getvalue()


def draw_scene(scene: Scene, axes: Any) -> None:
    """Draw the scene into axes, as large as they are."""
    axes.set_xlim(0, scene.width)
    axes.set_ylim(scene.height, 0)
    axes.set_aspect("equal", adjustable="box")
    axes.set_axis_off()
    figure = axes.figure
    box = axes.get_position()
    wide, high = (s * _POINTS for s in figure.get_size_inches())
    paint = _Paint(axes, min(box.width * wide / scene.width, box.height * high / scene.height))
    for order, shape in enumerate(scene.shapes):
        paint.shape(shape, 2 + order / max(len(scene.shapes), 1))


class _Paint:
    """Shapes as artists; widths and letters keep their size beside the rest."""

    def __init__(self, axes: Any, scale: float) -> None:
        self._axes, self._scale = axes, scale
        self._patches, self._path = _import("matplotlib.patches"), _import("matplotlib.path").Path
        self._effects = _import("matplotlib.patheffects")
        self._draw: dict[type, Callable[[Any, float], Any]] = {
            Box: self._box,
            Line: self._line,
            Area: self._area,
            Disc: self._disc,
            Words: self._words,
        }

    def shape(self, shape: object, order: float) -> None:
        self._draw[type(shape)](shape, order)

    def _box(self, box: Box, order: float) -> None:
        self._axes.add_patch(
            self._patches.Rectangle(
                (box.x, box.y),
                box.width,
                box.height,
                facecolor=_colour(box.fill, box.opacity),
                edgecolor=_colour(box.outline),
                linewidth=self._scale if box.outline else 0,
                linestyle=(0, (3, 2)) if box.dashed else "-",
                zorder=order,
            )
        )

    def _line(self, line: Line, order: float) -> None:
        self._axes.add_patch(
            self._patches.PathPatch(
                self._along(line.places, curved=line.curved),
                facecolor="none",
                edgecolor=_colour(line.colour, line.opacity),
                linewidth=line.width * self._scale,
                linestyle=(0, (3, 3)) if line.dashed else "-",
                capstyle="butt" if line.dashed else "round",
                joinstyle="round",
                zorder=order,
            )
        )

    def _area(self, area: Area, order: float) -> None:
        path = self._along(area.places, curved=area.curved)
        fill = _colour(area.fill, area.opacity)
        self._axes.add_patch(
            self._patches.PathPatch(path, facecolor=fill, linewidth=0, zorder=order)
        )

    def _disc(self, disc: Disc, order: float) -> None:
        self._axes.add_patch(
            self._patches.Circle(
                (disc.x, disc.y),
                disc.radius,
                facecolor=_colour(disc.fill),
                edgecolor=_colour(disc.outline),
                linewidth=self._scale if disc.outline else 0,
                zorder=order,
            )
        )

    def _words(self, words: Words, order: float) -> None:
        text = self._axes.text(
            words.x,
            words.y,
            words.text,
            fontsize=words.size * self._scale,
            color=LIGHT[words.colour],
            ha={"start": "left", "middle": "center", "end": "right"}[words.anchor],
            va="baseline",
            weight="bold" if words.bold else "normal",
            style="italic" if words.italic else "normal",
            rotation=words.turn,
            rotation_mode="anchor",
            parse_math=False,  # a dollar in a label is a dollar
            zorder=order,
        )
        if words.halo:
            stroke = self._effects.withStroke(linewidth=3 * self._scale, foreground=LIGHT["bg"])
            text.set_path_effects([stroke])

    def _along(self, places: tuple[tuple[float, float], ...], *, curved: bool) -> Any:
        step = self._path.CURVE4 if curved else self._path.LINETO
        return self._path(places, [self._path.MOVETO, *[step] * (len(places) - 1)])


def _colour(name: str | None, opacity: float = 1.0) -> Any:
    return "none" if name is None else (LIGHT[name], opacity)


def _import(name: str) -> Any:
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingExtraError.of("matplotlib", "plot", "drawing a picture") from error
