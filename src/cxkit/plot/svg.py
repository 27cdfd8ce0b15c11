"""A scene as SVG: text stays text, every label is escaped, nothing is loaded or run."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from cxkit.plot.colours import LIGHT
from cxkit.plot.scene import Area, Box, Disc, Line, Place, Scene, Words

__all__ = ["CSS", "scene_to_svg"]

CSS: Final[Mapping[str, str]] = {name: f"var(--{name})" for name in LIGHT}
"""Colours as variables of a page's style sheet, so that the page decides between light and dark."""
_FONT: Final = "system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', Arial, sans-serif"


def scene_to_svg(
    scene: Scene, *, colours: Mapping[str, str] = LIGHT, key: str | None = None
) -> str:
    """The scene as an SVG element.

    Args:
        scene: What to draw.
        colours: A colour for each name.
        key: The beginning of ids for title and description; without it, they have none, and the
            element is labelled by its title.
    """
    paint = _Paint(colours)
    told = {"role": "img", "aria-label": scene.title}
    ids: list[dict[str, str]] = [{}, {}]
    if key is not None:
        ids = [{"id": f"{key}-title"}, {"id": f"{key}-desc"}]
        told = {"role": "img", "aria-labelledby": f"{key}-title {key}-desc", "class": "chart"}
    size = f"{_number(scene.width)} {_number(scene.height)}"
    back = paint.box(Box(0, 0, scene.width, scene.height, "bg")) if key is None else ""
    wide = {"width": scene.width, "height": scene.height} if key is None else {}
    return _element(
        "svg",
        _element("title", html.escape(scene.title), **ids[0]),
        _element("desc", html.escape(scene.description), **ids[1]),
        back,
        *(paint.shape(shape) for shape in scene.shapes),
        **{"xmlns": "http://www.w3.org/2000/svg"} if key is None else {},
        viewBox=f"0 0 {size}",
        **wide,
        **told,
        **{"font-family": _FONT} if key is None else {},
    )


class _Paint:
    """Shapes as elements, with the colours of one background."""

    def __init__(self, colours: Mapping[str, str]) -> None:
        self._colours = colours
        self._draw: dict[type, Callable[[Any], str]] = {
            Box: self.box,
            Line: self._line,
            Area: self._area,
            Disc: self._disc,
            Words: self._words,
        }

    def shape(self, shape: object) -> str:
        return self._draw[type(shape)](shape)

    def box(self, box: Box) -> str:
        return _element(
            "rect",
            x=box.x,
            y=box.y,
            width=max(box.width, 0.0),
            height=max(box.height, 0.0),
            **self._style(
                fill=box.fill,
                stroke=box.outline,
                fill_opacity=_unless_one(box.opacity),
                stroke_dasharray="3 2" if box.dashed else None,
            ),
        )

    def _line(self, line: Line) -> str:
        return _element(
            "path",
            d="".join(_path(line.places, curved=line.curved)),
            **self._style(
                fill=None,
                stroke=line.colour,
                stroke_width=line.width,
                stroke_opacity=_unless_one(line.opacity),
                stroke_dasharray="3 3" if line.dashed else None,
                stroke_linecap=None if line.dashed else "round",
                stroke_linejoin="round",
            ),
        )

    def _area(self, area: Area) -> str:
        path = "".join(_path(area.places, curved=area.curved)) + "Z"
        return _element(
            "path", d=path, **self._style(fill=area.fill, fill_opacity=_unless_one(area.opacity))
        )

    def _disc(self, disc: Disc) -> str:
        style = self._style(fill=disc.fill, stroke=disc.outline)
        return _element("circle", cx=disc.x, cy=disc.y, r=disc.radius, **style)

    def _words(self, words: Words) -> str:
        turn = f"rotate({_number(-words.turn)} {_number(words.x)} {_number(words.y)})"
        style = self._style(fill=words.colour)
        if words.halo:
            style |= self._style(fill=words.colour, stroke="bg", stroke_width=3.0)
            style |= {"paint-order": "stroke", "stroke-linejoin": "round"}
        return _element(
            "text",
            html.escape(words.text),
            x=words.x,
            y=words.y,
            **{
                "font-size": words.size,
                "text-anchor": None if words.anchor == "start" else words.anchor,
                "font-weight": "600" if words.bold else None,
                "font-style": "italic" if words.italic else None,
                "transform": turn if words.turn else None,
                # A name in Arabic or Hebrew keeps its own direction within its place.
                "unicode-bidi": "plaintext",
            },
            **style,
        )

    def _style(self, **given: Any) -> dict[str, Any]:
        style: dict[str, Any] = {}
        for name, value in given.items():
            told = name.replace("_", "-")
            if told in {"fill", "stroke"}:
                if value is not None:
                    style[told] = self._colours[value]
                elif told == "fill":
                    style[told] = "none"
            elif value is not None:
                style[told] = value
        # Variables of a style sheet are known to styles only, not to attributes.
        colours = {k: style.pop(k) for k in ("fill", "stroke") if str(style.get(k))[:3] == "var"}
        if colours:
            style["style"] = ";".join(f"{k}:{v}" for k, v in colours.items())
        return style


def _path(places: tuple[Place, ...], *, curved: bool) -> Iterator[str]:
    for at, (x, y) in enumerate(places):
        if at == 0:
            yield f"M{_number(x)} {_number(y)}"
        elif curved:
            yield f"{'C' if at % 3 == 1 else ' '}{_number(x)} {_number(y)}"
        else:
            yield f"L{_number(x)} {_number(y)}"


def _element(tag: str, *inside: str, **attributes: Any) -> str:
    told = "".join(
        f' {name}="{_attribute(value)}"' for name, value in attributes.items() if value is not None
    )
    return f"<{tag}{told}>{''.join(inside)}</{tag}>"


def _attribute(value: object) -> str:
    if isinstance(value, (int, float)):
        return _number(value)
    return html.escape(str(value), quote=True)


def _number(value: float) -> str:
    """At most two digits after the point: small files, and the same on every machine."""
    return f"{round(value, 2) + 0.0:.2f}".rstrip("0").rstrip(".")


def _unless_one(value: float) -> float | None:
    return None if value >= 1 else round(value, 3)
