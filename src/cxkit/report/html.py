"""The report as one HTML file: no script, no network, every label escaped."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any, Final

from cxkit.plot.svg import CSS, scene_to_svg
from cxkit.report.document import (
    BarChart,
    Block,
    Column,
    Document,
    Facts,
    Figure,
    FunnelChart,
    HeatMap,
    Paragraph,
    People,
    Person,
    ScatterChart,
    Section,
    Table,
)
from cxkit.report.show import cut, show_cell, show_name, show_value
from cxkit.report.style import style_sheet
from cxkit.report.svg import draw_bars, draw_funnel, draw_heat, draw_scatter

__all__ = ["render_html"]

_WIDE_FROM: Final = 8
"""Tables with that many columns take the whole width of a page."""
_LONGEST: Final = 160
"""Longer names are cut, and told whole where the pointer rests on them."""


def render_html(document: Document) -> str:
    """The whole file as text, to be written as UTF-8."""
    title = html.escape(document.title)
    links = "".join(
        f'<li><a href="#{_id(s)}">{html.escape(s.title)}</a></li>' for s in document.sections
    )
    body = "\n".join(_section(s) for s in document.sections)
    lead = "".join(f"<p>{html.escape(line)}</p>" for line in document.lead)
    return (
        "<!DOCTYPE html>\n"
        '<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="generator" content="cxkit">\n'
        # Should a label ever slip through unescaped, it still could load and run nothing.
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{title}</title>\n<style>\n{style_sheet()}</style>\n</head>\n<body>\n<main>\n"
        f"<header>\n<h1>{title}</h1>\n{lead}\n</header>\n"
        f'<nav aria-label="Sections"><ul>{links}</ul></nav>\n{body}\n'
        "<footer><p>Made with cxkit. This file loads nothing and runs nothing.</p></footer>\n"
        "</main>\n</body>\n</html>\n"
    )


def _id(section: Section) -> str:
    return f"section-{section.key}"


def _section(section: Section) -> str:
    name = _id(section)
    blocks = "\n".join(_block(block) for block in section.blocks)
    caution = (
        f'<p class="caution"><strong>Take care:</strong> {html.escape(section.caution)}</p>'
        if section.caution
        else ""
    )
    return (
        f'<section id="{name}" aria-labelledby="{name}-title">\n'
        f'<h2 id="{name}-title">{html.escape(section.title)}</h2>\n'
        f"<p>{html.escape(section.reading)}</p>\n{caution}\n"
        f'<div class="blocks">\n{blocks}\n</div>\n</section>'
    )


def _block(block: Block) -> str:
    if isinstance(block, Table) and block.audience == "data":
        return ""
    return _RENDER[type(block)](block)


def _paragraph(block: Paragraph) -> str:
    return f'<p class="wide">{html.escape(block.text)}</p>'


def _facts(block: Facts) -> str:
    cells = []
    for fact in block.facts:
        if isinstance(fact.value, (int, float)):
            told = show_value(fact.value, fact.kind, fact.decimals)
        else:
            told = show_name(fact.value)
        cells.append(
            f"<div><dt>{html.escape(fact.name)}</dt><dd><bdi>{html.escape(told)}</bdi></dd></div>"
        )
    return f'<dl class="facts wide">{"".join(cells)}</dl>'


def _table(block: Table) -> str:
    head = "".join(
        f'<th scope="col"{_numeric(column.is_number)}>{html.escape(column.heading)}</th>'
        for column in block.columns
    )
    rows = []
    for row in block.visible:
        cells = []
        for place, (value, column) in enumerate(zip(row, block.columns, strict=True)):
            told = _name(show_cell(value, column), column)
            if place == 0 and not column.is_number:
                cells.append(f'<th scope="row">{told}</th>')
            else:
                kind = _numeric(column.is_number) or ' class="l"'
                cells.append(f"<td{kind}>{told}</td>")
        rows.append(f"<tr>{''.join(cells)}</tr>")
    note = f'<p class="note">{html.escape(block.note)}</p>' if block.note else ""
    wide = ' class="wide"' if len(block.columns) >= _WIDE_FROM else ""
    caption = html.escape(block.caption)
    # A box that scrolls must be reachable by keyboard, and say what it is.
    return (
        f"<div{wide}>"
        f'<div class="scroll" role="region" tabindex="0" aria-label="{caption}">'
        f"<table><caption><span>{caption}</span></caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>{note}</div>"
    )


def _name(told: str, column: Column) -> str:
    """A cell; a name of any length, in any direction of writing, keeps to its place."""
    if column.is_number:
        return html.escape(told)
    short = cut(told, _LONGEST)
    whole = "" if short == told else f' title="{html.escape(told, quote=True)}"'
    # A name of several words tied by "_" may break there rather than anywhere.
    return f"<bdi{whole}>{html.escape(short).replace('_', '_<wbr>')}</bdi>"


def _numeric(number: bool) -> str:  # noqa: FBT001  # a choice between two texts
    return ' class="n"' if number else ""


def _figure(draw: Callable[[Any], str], place: str = "") -> Callable[[Any], str]:
    def render(chart: Any) -> str:
        caption = html.escape(chart.title)
        return f"<figure{place}><figcaption>{caption}</figcaption>{draw(chart)}</figure>"

    return render


def _drawn(block: Figure) -> str:
    """A picture that may be wider than a phone: it scrolls in a box of its own."""
    told = html.escape(block.scene.title)
    svg = scene_to_svg(block.scene, colours=CSS, key=block.key)
    box = f'<div class="scroll" role="region" tabindex="0" aria-label="{told}">'
    # Not smaller than it was made, or its letters could not be read; and not much larger.
    size = f"min-width:{block.scene.width:.0f}px;max-width:{1.25 * block.scene.width:.0f}px"
    return f'<figure class="drawn">{box}<div style="{size}">{svg}</div></div></figure>'


def _people(block: People) -> str:
    return f'<ol class="people wide">{"".join(map(_person, block.people))}</ol>'


def _person(person: Person) -> str:
    who = html.escape(show_name(person.customer))
    score = html.escape(show_value(person.score))
    return (
        f"<li><details><summary>{person.rank}. <bdi>{who}</bdi>: "
        f'<span class="score">{score} points</span> from {person.touchpoints:,} touchpoints'
        f"</summary>{_table(person.table)}</details></li>"
    )


_RENDER: Final[dict[type, Callable[[Any], str]]] = {
    Paragraph: _paragraph,
    Facts: _facts,
    Table: _table,
    # A tall picture: the tables that belong to it stand beside it, where there is room.
    BarChart: _figure(draw_bars, ' class="tall"'),
    FunnelChart: _figure(draw_funnel),
    HeatMap: _figure(draw_heat),
    Figure: _drawn,
    ScatterChart: _figure(draw_scatter),
    People: _people,
}
