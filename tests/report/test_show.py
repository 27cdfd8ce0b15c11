from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, strategies as st

from cxkit.report.document import Column
from cxkit.report.show import cut, show_cell, show_name, show_value, width_of
from cxkit.report.terminal import encodable

ODD = ["\x00", "\x1b[31m", "a\nb", "\u202eabc", "\u2066x", "\ud800", "\u200b", "\ufeffx"]


@pytest.mark.parametrize("name", ODD)
def test_a_name_shows_what_cannot_be_seen(name):
    shown = show_name(name)
    assert shown.isprintable()
    assert "\\" in shown


def test_joined_emoji_stay_one_picture():
    assert show_name("👩\u200d👩\u200d👧") == "👩\u200d👩\u200d👧"


@pytest.mark.parametrize("name", ["", " ", "  a", "a "])
def test_blanks_at_an_end_are_seen(name):
    assert show_name(name) == f'"{name}"'


@given(st.text())
def test_a_name_is_one_line_and_safe_for_a_terminal(name):
    shown = show_name(name)
    assert len(shown.splitlines()) == 1
    kinds = {unicodedata.category(c) for c in shown if c not in "\u200c\u200d\ufe0f"}
    assert not kinds & {"Cc", "Cf", "Cs", "Zl", "Zp"}


@given(st.text(st.characters(codec="utf-8")), st.integers(1, 30))
def test_cut_fits_and_only_cuts_what_is_too_wide(text, width):
    short = cut(text, width)
    assert width_of(short) <= width
    assert (short == text) == (width_of(text) <= width) or text.endswith("…")
    assert text.startswith(short.removesuffix("…"))


def test_numbers():
    assert show_value(1838, "count") == "1,838"
    assert show_value(11423.5, decimals=2) == "11,423.50"
    assert show_value(0.2345, "share") == "23.4%"
    assert show_value(12_345_678.9) == "12,345,679"
    assert [show_value(v) for v in (float("nan"), float("inf"))] == ["-", "-"]


def test_cells():
    assert show_cell(None, Column("a", "a")) == "(missing)"
    assert show_cell(None, Column("a", "a", "text")) == "-"
    assert show_cell(None, Column("a", "a", "count")) == "-"
    assert show_cell(3, Column("a", "a")) == "3"
    assert show_cell("", Column("a", "a", "count")) == "-"


@given(
    st.text(st.characters(codec="utf-8")), st.sampled_from(["ascii", "latin-1", "cp437", "utf-8"])
)
def test_whatever_the_terminal_the_text_can_be_written(text, encoding):
    assert encodable(text, encoding).encode(encoding) is not None
    if encoding == "utf-8":
        assert encodable(text, encoding) == text


def test_a_terminal_without_an_encoding_takes_all():
    assert encodable("é", None) == "é"
