"""Pictures of a microinteraction: for Mermaid, for Graphviz, and as SVG of its own."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Final

from cxkit.core.spans import show_span
from cxkit.errors import DefinitionError
from cxkit.microinteraction.graph import effective_rules

if TYPE_CHECKING:
    from cxkit.microinteraction.spec import Microinteraction

__all__ = ["to_graphviz", "to_mermaid", "to_svg"]

_MOST_DRAWN: Final = 60
_WIDE, _HIGH, _GAP_X, _GAP_Y, _EDGE = 130, 44, 150, 46, 50  # of boxes, in pixels


def ways(spec: Microinteraction) -> dict[tuple[str, str], list[str]]:
    """From and to -> what leads there, as words; in the order of the specification."""
    found: dict[tuple[str, str], list[str]] = {}
    for name, on in effective_rules(spec).items():
        for event, rules in on.items():
            for rule in rules:
                guard = "" if rule.guard is None else f" [{rule.guard}]"
                found.setdefault((name, rule.target or name), []).append(f"{event}{guard}")
        after = spec.states[name].after
        if after is not None:
            span = show_span(round(after.ms * 1000)) if after.ms else "0s"
            found.setdefault((name, after.target), []).append(f"after {span}")
    return found


def to_mermaid(spec: Microinteraction) -> str:
    """The text of a state diagram for Mermaid.

    Args:
        spec: The microinteraction.

    Example:
        >>> from cxkit.microinteraction import Microinteraction
        >>> lamp = Microinteraction.told("lamp").trigger("press").when("off").on("press", "on")
        >>> print(to_mermaid(lamp.ends("on").done()))
        stateDiagram-v2
            s0: off
            s1: on
            [*] --> s0
            s0 --> s1: press
            s1 --> [*]
    """
    number = {name: f"s{i}" for i, name in enumerate(spec.states)}
    inside = {name for mode in spec.modes for name in mode.states}
    lines = ["stateDiagram-v2"]
    lines += [f"    {number[n]}: {_mermaid(n)}" for n in spec.states if n not in inside]
    for place, mode in enumerate(spec.modes):
        lines.append(f'    state "{_mermaid(mode.id)}" as m{place} {{')
        lines += [f"        {number[name]}: {_mermaid(name)}" for name in mode.states]
        lines.append("    }")
    lines.append(f"    [*] --> {number[spec.initial]}")
    for (a, b), words in ways(spec).items():
        lines.append(f"    {number[a]} --> {number[b]}: {_mermaid(', '.join(words))}")
    lines += [f"    {number[n]} --> [*]" for n, state in spec.states.items() if state.final]
    return "\n".join(lines)


def _mermaid(text: str) -> str:
    """What would end a label, or the diagram, is written by its number."""
    return "".join(c if c.isalnum() or c in " ,._-[]!" else f"#{ord(c)};" for c in text)


def to_graphviz(spec: Microinteraction) -> str:
    """The text of a graph for Graphviz (``dot``).

    Args:
        spec: The microinteraction.

    Example:
        >>> from cxkit.microinteraction import Microinteraction
        >>> lamp = Microinteraction.told("lamp").trigger("press").when("off").on("press", "on")
        >>> print(to_graphviz(lamp.ends("on").done()))
        digraph "lamp" {
            rankdir=LR; node [shape=box, style=rounded];
            start [shape=point]; start -> "off";
            "off";
            "on" [peripheries=2];
            "off" -> "on" [label="press"];
        }
    """
    lines = [f"digraph {_dot(spec.id)} {{", "    rankdir=LR; node [shape=box, style=rounded];"]
    lines.append(f"    start [shape=point]; start -> {_dot(spec.initial)};")
    for name, state in spec.states.items():
        lines.append(f"    {_dot(name)}{' [peripheries=2]' if state.final else ''};")
    for place, mode in enumerate(spec.modes):
        inside = "; ".join(map(_dot, mode.states))
        lines.append(f"    subgraph cluster_{place} {{ label={_dot(mode.id)}; {inside}; }}")
    for (a, b), words in ways(spec).items():
        lines.append(f"    {_dot(a)} -> {_dot(b)} [label={_dot(', '.join(words))}];")
    return "\n".join([*lines, "}"])


def _dot(text: str) -> str:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{quoted}"'


def to_svg(spec: Microinteraction, notes: Mapping[str, str] | None = None) -> str:
    """A picture of its states as SVG: columns are steps from the beginning.

    Args:
        spec: The microinteraction.
        notes: State -> a second line in its box, such as how many instances came there.

    Raises:
        DefinitionError: It has more than 60 states; draw it with Graphviz.

    Example:
        >>> from cxkit.microinteraction import Microinteraction
        >>> lamp = Microinteraction.told("lamp").trigger("press").when("off").on("press", "on")
        >>> to_svg(lamp.ends("on").done()).startswith('<svg xmlns="http://www.w3.org/2000/svg"')
        True
    """
    if len(spec.states) > _MOST_DRAWN:
        raise DefinitionError(
            f"{spec.id!r} has {len(spec.states):,} states; more than {_MOST_DRAWN} cannot be read "
            "in a picture. to_graphviz gives text for a program that lays them out"
        )
    edges = ways(spec)
    place = _places(spec, edges)
    columns = 1 + max(x for x, _ in place.values())
    rows = 1 + max(y for _, y in place.values())
    width = _EDGE * 2 + columns * _WIDE + (columns - 1) * _GAP_X
    height = _EDGE * 2 + rows * _HIGH + (rows - 1) * _GAP_Y
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"',
        f'width="{width}" height="{height}" font-family="sans-serif" font-size="12" role="img">',
        f"<title>{escape(spec.id)}</title>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7"',
        'markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#666"/></marker></defs>',
    ]
    corner = {n: (_EDGE + x * (_WIDE + _GAP_X), _EDGE + y * (_HIGH + _GAP_Y))
              for n, (x, y) in place.items()}  # fmt: skip
    for (a, b), words in edges.items():
        parts.append(_edge(corner[a], corner[b], ", ".join(words), both=(b, a) in edges))
    mode_of = {name: mode.id for mode in spec.modes for name in mode.states}
    for name, at in corner.items():
        parts.append(_box(spec, name, at, mode_of.get(name), (notes or {}).get(name)))
    return "\n".join([*parts, "</svg>"])


def _places(
    spec: Microinteraction, edges: Mapping[tuple[str, str], list[str]]
) -> dict[str, tuple[int, int]]:
    """Column (steps from the beginning) and row of each state; those out of reach come last."""
    depth = {spec.initial: 0}
    rest = [spec.initial]
    while rest:
        name = rest.pop(0)
        for a, b in edges:
            if a == name and b not in depth:
                depth[b] = depth[a] + 1
                rest.append(b)
    last = max(depth.values()) + 1
    used: dict[int, int] = {}
    place = {}
    for name in sorted(spec.states, key=lambda n: spec.states[n].final):
        column = depth.get(name, last)
        place[name] = (column, used.setdefault(column, 0))
        used[column] += 1
    return {name: place[name] for name in spec.states}


def _box(
    spec: Microinteraction, name: str, at: tuple[int, int], mode: str | None, note: str | None
) -> str:
    x, y = at
    state = spec.states[name]
    fill = "#f3d9d9" if state.failure else "#dcefdc" if state.final else "#eef2f8"
    line = 3 if name == spec.initial else 1
    dash = ' stroke-dasharray="4 3"' if mode is not None else ""
    second = note if note is not None else mode
    middle = x + _WIDE / 2
    words = (
        f'<text x="{middle}" y="{y + (27 if second is None else 20)}" text-anchor="middle">'
        f"{escape(_short(name, 18))}</text>"
    )
    if second is not None:
        words += (
            f'<text x="{middle}" y="{y + 36}" text-anchor="middle" fill="#555" font-size="11">'
            f"{escape(_short(second, 22))}</text>"
        )
    return (
        f'<rect x="{x}" y="{y}" width="{_WIDE}" height="{_HIGH}" rx="9" fill="{fill}" '
        f'stroke="#345" stroke-width="{line}"{dash}/>{words}'
    )


def _edge(a: tuple[int, int], b: tuple[int, int], words: str, *, both: bool) -> str:
    """A curve from box to box; one back, or beside another, bends away."""
    ax, ay, bx, by = map(float, (*a, *b))
    if a == b:
        x, y = ax + _WIDE / 2, ay
        path, tx, ty = f"M{x - 18} {y}C{x - 26} {y - 34} {x + 26} {y - 34} {x + 18} {y}", x, y - 29
    elif bx > ax:
        x1, y1, x2, y2 = ax + _WIDE, ay + _HIGH / 2, bx, by + _HIGH / 2
        bend = -12 if both else 0
        path = f"M{x1} {y1 + bend}C{x1 + 60} {y1 + bend} {x2 - 60} {y2 + bend} {x2} {y2 + bend}"
        tx, ty = (x1 + x2) / 2, (y1 + y2) / 2 + bend - 5
    elif bx == ax:
        down = by > ay
        x1, y1 = ax + _WIDE / 2 + (24 if down else -24), ay + (_HIGH if down else 0)
        y2 = by + (0 if down else _HIGH)
        path, tx, ty = f"M{x1} {y1}L{x1} {y2}", x1, (y1 + y2) / 2 + 4
    else:
        x1, y1, x2, y2 = ax, ay + _HIGH / 2 + 12, bx + _WIDE, by + _HIGH / 2 + 12
        path = f"M{x1} {y1}C{x1 - 60} {y1 + 30} {x2 + 60} {y2 + 30} {x2} {y2}"
        tx, ty = (x1 + x2) / 2, (y1 + y2) / 2 + 30
    return (
        f'<path d="{path}" fill="none" stroke="#666" marker-end="url(#arrow)"/>'
        f'<text x="{tx}" y="{ty}" text-anchor="middle" fill="#333" font-size="10" '
        f'paint-order="stroke" stroke="#fff" stroke-width="3">{escape(_short(words, 30))}</text>'
    )


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
