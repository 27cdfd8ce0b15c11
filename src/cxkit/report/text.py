"""The report for a terminal: aligned tables within a width, and bars made of letters."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

from cxkit.report.document import Block, Document, Facts, Paragraph, People, Section, Table
from cxkit.report.show import cut, show_cell, show_name, show_value, width_of

__all__ = ["render_text"]

_NARROWEST: Final = 40
_SHORTEST_LABEL: Final = 12
_SHORT_LABEL: Final = 24
_LONGEST_LABEL: Final = 48
_BAR: Final = 20
_SHORTEST_BAR: Final = 6
_PEOPLE_REASONS: Final = 3
_GAP: Final = "  "
_EIGHTHS: Final = " ▏▎▍▌▋▊▉"


def render_text(document: Document, *, width: int = 80) -> str:
    """The document as lines of at most ``width`` columns."""
    width = max(width, _NARROWEST)
    lines = [cut(document.title, width), "=" * min(width, width_of(document.title)), ""]
    for sentence in document.lead:
        lines += _wrap(sentence, width)
    for section in document.sections:
        lines += ["", *_section(section, width)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _section(section: Section, width: int) -> list[str]:
    title = cut(section.title, width)
    lines = [title, "-" * width_of(title), *_wrap(section.reading, width)]
    if section.caution:
        lines += _wrap(f"Take care: {section.caution}", width)
    for block in section.blocks:
        if isinstance(block, Table) and block.audience == "data":
            continue
        if (render := _RENDER.get(type(block))) is not None:
            lines += ["", *render(block, width)]
    return lines


def _wrap(sentence: str, width: int, indent: str = "") -> list[str]:
    """Lines of whole words; unlike textwrap, it knows that some letters take two columns."""
    lines: list[str] = []
    line = ""
    for word in sentence.split():
        if line and width_of(line) + 1 + width_of(word) > width:
            lines.append(line)
            line = indent
        room = width - len(indent)
        line = f"{line} {cut(word, room)}" if line.strip() else f"{line}{cut(word, room)}"
    return [*lines, line] if line else lines


def _paragraph(block: Paragraph, width: int) -> list[str]:
    return _wrap(block.text, width)


def _facts(block: Facts, width: int) -> list[str]:
    shown = [
        show_value(fact.value, fact.kind, fact.decimals)
        if isinstance(fact.value, (int, float))
        else show_name(fact.value)
        for fact in block.facts
    ]
    names = max((len(fact.name) for fact in block.facts), default=0)
    room = width - names - len(_GAP)
    return [
        f"{fact.name.ljust(names)}{_GAP}{cut(value, room)}"
        for fact, value in zip(block.facts, shown, strict=True)
    ]


def _table(block: Table, width: int) -> list[str]:
    lines = _wrap(block.caption, width)
    if all(column.kind == "text" for column in block.columns):
        lines += _prose(block, width)
    else:
        for number, part in enumerate(_parts(block, width)):
            lines += [""] * (number > 0) + _columns(block, part, width)
    return lines + (_wrap(block.note, width) if block.note else [])


def _prose(block: Table, width: int) -> list[str]:
    """A table of sentences, which must not be cut: one paragraph per row."""
    lines = []
    for row in block.visible:
        name, *cells = (show_cell(c, column) for c, column in zip(row, block.columns, strict=True))
        told = [f"{c.heading} {cell}" for c, cell in zip(block.columns[1:], cells, strict=True)]
        lines += _wrap(f"- {name}: {', '.join(told)}", width, indent="  ")
    return lines


def _parts(block: Table, width: int) -> list[list[int]]:
    """Which columns go side by side: a wide table is told in parts, each with the first column."""
    if not block.columns:
        return []
    sizes = [
        max([width_of(c.heading), *(width_of(show_cell(row[i], c)) for row in block.visible)])
        for i, c in enumerate(block.columns)
    ]
    # A name may be cut, down to a length at which it can still be told from others.
    sizes = [
        min(size, _SHORT_LABEL) if not column.is_number else size
        for size, column in zip(sizes, block.columns, strict=True)
    ]
    parts = [[0]]
    used = sizes[0]
    for i in range(1, len(sizes)):
        need = sizes[i] + len(_GAP)
        if used + need > width and len(parts[-1]) > 1:
            parts.append([0])
            used = sizes[0]
        parts[-1].append(i)
        used += need
    return parts


def _columns(block: Table, which: Sequence[int], width: int) -> list[str]:
    columns = [block.columns[i] for i in which]
    rows = [[show_cell(row[i], block.columns[i]) for i in which] for row in block.visible]
    cells = [[c.heading for c in columns], *rows]
    sizes = [
        min(max(map(width_of, texts)), max(_LONGEST_LABEL, width // 2))
        for texts in zip(*cells, strict=True)
    ]
    gaps = len(_GAP) * (len(columns) - 1)
    spare = width - gaps - sum(sizes)
    while spare < 0:
        labels = [
            i for i, c in enumerate(columns) if not c.is_number and sizes[i] > _SHORTEST_LABEL
        ]
        if not labels:
            break
        widest = max(labels, key=sizes.__getitem__)
        others = max((sizes[i] for i in labels if i != widest), default=_SHORTEST_LABEL)
        smaller = max(sizes[widest] + spare, min(others, sizes[widest] - 1), _SHORTEST_LABEL)
        spare += sizes[widest] - smaller
        sizes[widest] = smaller
    lines = [
        _GAP.join(
            _pad(cut(cell, size), size, right=column.is_number)
            for cell, size, column in zip(row, sizes, columns, strict=True)
        )
        for row in cells
    ]
    return _with_bars(block, which, lines, width)


def _with_bars(block: Table, which: Sequence[int], lines: list[str], width: int) -> list[str]:
    """Bars behind the rows, if there is room for them."""
    keys = [block.columns[i].key for i in which]
    used = max(map(width_of, lines))
    room = min(width - used - len(_GAP), _BAR)
    if block.bar not in keys or room < _SHORTEST_BAR:
        return lines
    at = which[keys.index(block.bar)]
    values = [row[at] for row in block.visible]
    numbers = [float(v) if isinstance(v, (int, float)) else math.nan for v in values]
    top = max((v for v in numbers if math.isfinite(v)), default=0.0)
    if top <= 0:
        return lines
    return [
        lines[0],
        *(
            _pad(line, used, right=False) + _GAP + _bar(value / top, room)
            for line, value in zip(lines[1:], numbers, strict=True)
        ),
    ]


def _bar(part: float, room: int) -> str:
    if not 0 < part < math.inf:
        return ""
    eighths = max(round(part * room * 8), 1)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _pad(text: str, size: int, *, right: bool) -> str:
    space = " " * (size - width_of(text))
    return space + text if right else text + space


def _people(block: People, width: int) -> list[str]:
    lines = []
    for person in block.people:
        score = show_value(person.score)
        lines.append(cut(f"{person.rank:>2}. {show_name(person.customer)}: {score} points", width))
        told = [
            f"{show_name(event)} {times:,}x = {show_value(points)}"
            for event, times, points in person.reasons[:_PEOPLE_REASONS]
        ]
        if rest := person.reasons[_PEOPLE_REASONS:]:
            points = show_value(sum(r[2] for r in rest))
            told.append(f"other {sum(r[1] for r in rest):,}x = {points}")
        lines += ["    " + line for line in _wrap("; ".join(told), width - 4)]
    return lines


_RENDER: Final[dict[type[Block], Callable[[Any, int], list[str]]]] = {
    Paragraph: _paragraph,
    Facts: _facts,
    Table: _table,
    People: _people,
}
