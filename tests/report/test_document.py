"""The three renderings of one document, made of the worst names."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings, strategies as st

from cxkit.report.document import (
    BarChart,
    Column,
    Document,
    Fact,
    Facts,
    FunnelChart,
    HeatMap,
    Paragraph,
    People,
    Person,
    Point,
    ScatterChart,
    Section,
    Series,
    Step,
    Table,
)
from cxkit.report.html import render_html
from cxkit.report.plain import render_dict
from cxkit.report.show import show_name, width_of
from cxkit.report.text import render_text
from tests.examples import some
from tests.report.pages import check_page

WORST = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'quotes' & \"more\" &amp;",
    "nul\x00 and \x1b[31m",
    "متجر",
    "\u202eevil",
    "👩\u200d👩\u200d👧",
    "日本語のとても長いチャネル名でございます",
    "x" * 500,
    "two words " * 30,
    "]]><!--",
    "</style></title></svg>",
    " ",
    None,
    7,
]


def document(names, numbers):
    """Every kind of block, with the names in every place where a name can be."""
    said = show_name(names[0])  # in sentences of ours a name is shown, not put as it is
    values = tuple(numbers)
    shares = tuple(n if 0 <= n <= 1 else math.nan for n in numbers)
    pairs = tuple(zip(names, numbers, strict=True))
    table = Table(
        "table",
        said,
        (Column("name", "name"), Column("n", "n", "number"), Column("s", "s", "share")),
        tuple((name, n, share) for (name, n), share in zip(pairs, shares, strict=True)),
        bar="n",
        note=said,
    )
    person = Person(1, names[0], 1.5, 2, ((names[0], 2, 1.5),) * 5, table)
    blocks = (
        Paragraph(f"words {said}"),
        Facts((Fact("a", "a", names[0], "label"), Fact("b", "b", values[0], "number"))),
        table,
        BarChart("bars", "t", "d", tuple(names), (Series("one", values, values, values),) * 8),
        BarChart("bar", "t", "d", tuple(names), (Series("one", values),), "share"),
        ScatterChart(
            "scatter",
            "t",
            "d",
            tuple(Point(name, n, n, n, "fix") for name, n in pairs),
            "x",
            "y",
            values[0],
            values[0],
            ("a", "b", "c", "d"),
        ),
        FunnelChart(
            "funnel",
            "t",
            "d",
            tuple(Step(name, 3, n) for name, n in zip(names, shares, strict=True)),
        ),
        HeatMap("heat", "t", "d", tuple(names), tuple(names), (shares,) * len(names)),
        People("people", (person,)),
    )
    sections = (Section("one", said, said, said, blocks), Section("two", "b", "c", "", ()))
    return Document(said, (said,), {"list": [math.nan, {"a": math.inf}]}, sections)


@pytest.mark.parametrize("name", WORST, ids=[f"name {i}" for i in range(len(WORST))])
def test_every_name_is_escaped_everywhere(name):
    page = render_html(document([name, "web"], [1.0, 2.0]))
    read = check_page(page)
    assert not {tag for tag, _ in read.tags} & {"script", "img", "b"}
    assert "\x00" not in page
    assert "\u202e" not in page


amounts = st.one_of(
    st.floats(0, 1e12), st.sampled_from([math.nan, math.inf, -math.inf, -5.0, 0.0, 1e-9])
)


@settings(max_examples=some(25))
@given(st.data(), st.integers(40, 160))
def test_any_document_renders_well(data, width):
    count = data.draw(st.integers(1, 14))
    names = [data.draw(st.sampled_from(WORST) | st.text(max_size=30)) for _ in range(count)]
    made = document(names, [data.draw(amounts) for _ in range(count)])
    check_page(render_html(made))
    assert max(map(width_of, render_text(made, width=width).split("\n"))) <= width
    json.dumps(render_dict(made), allow_nan=False)


def test_nan_is_null_in_json():
    told = render_dict(document(["a"], [math.nan]))
    assert told["definition"] == {"list": [None, {"a": None}]}
    assert told["sections"]["one"]["tables"]["table"] == [{"name": "a", "n": None, "s": None}]
    assert told["sections"]["one"]["facts"]["b"] is None


def test_a_wide_table_is_told_in_parts_with_its_names():
    columns = (Column("name", "name"), *(Column(f"c{i}", f"column {i}", "count") for i in range(9)))
    table = Table("t", "wide", columns, (("web", *range(9)), ("mail", *range(9))))
    made = Document("t", (), {}, (Section("s", "s", "r", "", (table,)),))
    lines = render_text(made, width=60).split("\n")
    assert max(map(len, lines)) <= 60
    assert sum(line.startswith("web ") for line in lines) == 2
    for i in range(9):
        assert any(f"column {i}" in line for line in lines)


def test_bars_are_as_long_as_their_values():
    rows = (("a", 8.0), ("b", 4.0), ("c", 0.0))
    table = Table("t", "bars", (Column("name", "name"), Column("n", "n", "number")), rows, bar="n")
    made = Document("t", (), {}, (Section("s", "s", "r", "", (table,)),))
    bars = {
        line[0]: line.count("█")
        for line in render_text(made).split("\n")
        if line[:2] in {"a ", "b ", "c "}
    }
    assert bars["a"] == 2 * bars["b"] > 0
    assert bars["c"] == 0


def test_sentences_are_not_cut():
    sentence = (
        "what paths with and without conversion differ by, which takes a while to say in words"
    )
    table = Table(
        "t", "c", (Column("a", "a", "text"), Column("b", "is", "text")), (("m", sentence),)
    )
    made = Document("t", (), {}, (Section("s", "s", "r", "", (table,)),))
    assert sentence in " ".join(render_text(made, width=60).split())


def test_shown_rows_stand_for_all_rows():
    table = Table("t", "c", (Column("a", "a"),), (("one",), ("two",)), shown=(("both",),))
    made = Document("t", (), {}, (Section("s", "s", "r", "", (table,)),))
    assert "both" in render_text(made)
    assert "two" not in render_html(made)
    assert [row["a"] for row in render_dict(made)["sections"]["s"]["tables"]["t"]] == ["one", "two"]


def test_long_names_are_cut_on_the_page_and_told_whole():
    table = Table("t", "c", (Column("a", "a"),), (("long" * 100,),))
    page = render_html(Document("t", (), {}, (Section("s", "s", "r", "", (table,)),)))
    (bdi,) = [attrs for attrs in check_page(page).all("bdi") if "title" in attrs]
    assert bdi["title"] == "long" * 100


def test_an_empty_table_and_chart():
    blocks = (
        Table("t", "c", (Column("a", "a", "count"),), ()),
        Table("u", "c", (), ()),
        BarChart("b", "t", "d", (), ()),
        HeatMap("h", "t", "d", (), (), ()),
        FunnelChart("f", "t", "d", ()),
        ScatterChart("s", "t", "d", (), "x", "y", math.nan, math.nan, ("a", "b", "c", "d")),
        People("p", ()),
    )
    made = Document("t", (), {}, (Section("s", "s", "r", "", blocks),))
    check_page(render_html(made))
    assert render_text(made).startswith("t\n=")
