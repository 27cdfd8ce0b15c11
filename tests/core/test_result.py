import attrs
import numpy as np
import pytest

from cxkit.core.result import Result, show_label, show_number


@attrs.frozen(repr=False)
class Table(Result):
    rows: dict
    head: str = ""
    below: tuple = ()

    def columns(self):
        return self.rows

    def title(self):
        return self.head

    def notes(self):
        return self.below


def test_prints_as_an_aligned_table():
    table = Table({"label": ["web", None], "n": np.array([1200, 3])}, "two rows", ("a note",))
    assert repr(table).splitlines() == [
        "two rows",
        "label          n",
        "web        1,200",
        "(missing)      3",
        "a note",
    ]
    assert len(table) == 2


def test_decimals_follow_the_largest_number():
    assert "0.1235" in repr(Table({"x": [0.12349, 0.5]}))
    assert "1.235" in repr(Table({"x": [1.2349, 0.5]}))
    assert "12,345.7" in repr(Table({"x": [12345.67, 0.5]}))
    assert repr(Table({"x": [float("nan"), 0.5]})).splitlines()[1].strip() == "-"


def test_long_tables_are_cut_and_say_so():
    lines = repr(Table({"x": np.arange(25)})).splitlines()
    assert len(lines) == 22
    assert lines[-1] == "... 5 more rows"
    assert "... 5 more rows" in Table({"x": np.arange(25)})._repr_html_()


def test_html_escapes_every_label():
    html = Table({"<b>": ["<script>"]}, "<title>", ("<note>",))._repr_html_()
    for raw in ("<b>", "<script>", "<title>", "<note>"):
        assert raw not in html


def test_empty_tables_print():
    assert repr(Table({"x": []})) == "x"
    assert repr(Table({})) == ""
    assert len(Table({})) == 0
    assert Table({}).to_dicts() == []
    assert Table({"x": []}).to_dicts() == []


def test_dicts_hold_plain_values():
    table = Table({"n": np.array([1], np.uint8), "t": np.array(["2024-01-01"], "M8[ns]")})
    (row,) = table.to_dicts()
    assert type(row["n"]) is int
    assert row["t"].year == 2024


def test_leaves_by_arrow():
    pa = pytest.importorskip("pyarrow")
    table = Table({"label": ["web", None], "n": np.array([1, 2])})
    assert pa.table(table).to_pylist() == [{"label": "web", "n": 1}, {"label": None, "n": 2}]


def test_labels_and_numbers_as_text():
    assert show_label("a\0\nb") == "a\\x00\\nb"
    assert show_label("é😀") == "é😀"
    assert show_label(3) == "3"
    assert show_number(float("inf")) == "inf"


def test_a_result_must_say_its_columns():
    with pytest.raises(NotImplementedError):
        Result().columns()
