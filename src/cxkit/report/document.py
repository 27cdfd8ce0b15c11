"""What a report is made of, before it becomes text, HTML or JSON.

A :class:`Document` holds sections, a section holds blocks, and blocks hold plain values. The three
renderings read the same blocks, so that they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import attrs

from cxkit.plot.scene import Scene

__all__ = [
    "BarChart",
    "Block",
    "Cell",
    "Column",
    "Document",
    "Fact",
    "Facts",
    "Figure",
    "FunnelChart",
    "HeatMap",
    "Paragraph",
    "People",
    "Person",
    "Point",
    "ScatterChart",
    "Section",
    "Series",
    "Step",
    "Table",
]

Cell: TypeAlias = str | int | float | bool | None
Kind: TypeAlias = Literal["label", "text", "count", "number", "share"]


@attrs.frozen
class Column:
    """A column of a table.

    Attributes:
        key: Its name in JSON.
        heading: Its name for people.
        kind: ``"label"`` is a name out of the data, which may hold anything; ``"text"`` is our own;
            ``"count"`` is whole; ``"number"`` has ``decimals``; ``"share"`` is shown in percent.
        decimals: Digits after the point of a number.
    """

    key: str
    heading: str
    kind: Kind = "label"
    decimals: int = 1

    @property
    def is_number(self) -> bool:
        """Whether cells are set to the right."""
        return self.kind in {"count", "number", "share"}


@attrs.frozen
class Table:
    """Rows of plain values.

    Attributes:
        key: Its name in JSON.
        caption: What the rows are.
        columns: The columns.
        rows: All rows; these are what JSON holds.
        shown: The rows that people see, where there are too many: the first, and what the others
            come to. All rows if ``None``.
        bar: The key of the column whose values the text shows as bars too.
        note: What was left out or put together.
        audience: ``"all"``; or ``"people"``, who read the same numbers elsewhere in JSON; or
            ``"data"``, for JSON only.
    """

    key: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    shown: tuple[tuple[Cell, ...], ...] | None = None
    bar: str | None = None
    note: str = ""
    audience: Literal["all", "people", "data"] = "all"

    @property
    def visible(self) -> tuple[tuple[Cell, ...], ...]:
        """The rows that people see."""
        return self.rows if self.shown is None else self.shown


@attrs.frozen
class Paragraph:
    """A sentence or two."""

    text: str


@attrs.frozen
class Fact:
    """One figure with its name."""

    key: str
    name: str
    value: Cell
    kind: Kind = "count"
    decimals: int = 1


@attrs.frozen
class Facts:
    """The figures that are looked for first."""

    facts: tuple[Fact, ...]


@attrs.frozen
class Series:
    """One colour of a bar chart: a value per group, with intervals or NaN."""

    name: str
    values: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()


@attrs.frozen
class BarChart:
    """Groups of horizontal bars."""

    key: str
    title: str
    description: str
    groups: tuple[Cell, ...]
    series: tuple[Series, ...]
    kind: Kind = "number"


@attrs.frozen
class Point:
    """One labelled point of a scatter chart."""

    label: Cell
    x: float
    y: float
    error: float
    quadrant: str


@attrs.frozen
class ScatterChart:
    """Labelled points in four quadrants."""

    key: str
    title: str
    description: str
    points: tuple[Point, ...]
    x_title: str
    y_title: str
    x_split: float
    y_split: float
    """Where the quadrants part; no lines are drawn if either is NaN."""
    corners: tuple[str, str, str, str]
    """What the quadrants are called: upper left, upper right, lower left, lower right."""


@attrs.frozen
class Step:
    """One step of a funnel: how many reach it, and the share of those who entered."""

    label: Cell
    reached: int
    share: float


@attrs.frozen
class FunnelChart:
    """Steps that fewer and fewer reach."""

    key: str
    title: str
    description: str
    steps: tuple[Step, ...]


@attrs.frozen
class HeatMap:
    """Shares from each row to each column; NaN leaves a cell empty."""

    key: str
    title: str
    description: str
    rows: tuple[Cell, ...]
    columns: tuple[Cell, ...]
    shares: tuple[tuple[float, ...], ...]


@attrs.frozen
class Figure:
    """A picture of :mod:`cxkit.plot`.

    Attributes:
        key: Its name in links.
        scene: What is drawn; the text and JSON have its numbers in tables.
    """

    key: str
    scene: Scene


@attrs.frozen
class Person:
    """One customer, and what is behind the score."""

    rank: int
    customer: Cell
    score: float
    touchpoints: int
    reasons: tuple[tuple[Cell, int, float], ...]
    """Per event: how often it earned points, and how many."""
    table: Table


@attrs.frozen
class People:
    """Customers by rank, each of which opens to its touchpoints."""

    key: str
    people: tuple[Person, ...]


Block: TypeAlias = (
    Paragraph | Facts | Table | BarChart | ScatterChart | FunnelChart | HeatMap | Figure | People
)


@attrs.frozen
class Section:
    """One question and its answer.

    Attributes:
        key: Its name in JSON and in links.
        title: The heading.
        reading: How to read it, in a sentence.
        caution: What may mislead, in a sentence.
        blocks: The answer.
    """

    key: str
    title: str
    reading: str
    caution: str
    blocks: tuple[Block, ...]


@attrs.frozen
class Document:
    """A whole report.

    Attributes:
        title: The heading; it may hold names out of the data.
        lead: The first sentences: what was counted and how.
        definition: The goal, scale, funnel and options, as plain data, so that the report can be
            made again.
        sections: In order of reading.
    """

    title: str
    lead: tuple[str, ...]
    definition: Mapping[str, Any]
    sections: tuple[Section, ...]
