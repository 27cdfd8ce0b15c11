"""Paths of text: in and out, many at once."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from cxkit.attribution import Paths
from cxkit.errors import DataError, DefinitionError
from cxkit.model.goal import Goal
from tests.attribution.brute import logs, options, to_journeys
from tests.examples import some

words = st.text(
    st.characters(exclude_characters=">", exclude_categories=["Cs", "Zs", "Cc", "Zl", "Zp"]),
    min_size=1,
    max_size=12,
)
rows = st.lists(
    st.tuples(
        st.lists(words, max_size=4), st.integers(0, 3), st.integers(0, 3), st.sampled_from([0, 2.5])
    ),
    max_size=12,
)


@settings(max_examples=some(50))
@given(rows, st.sampled_from([">", "=>", "|", "→"]), st.sampled_from(["", " ", "  "]))
def test_text_is_read_as_row_by_row(given_, separator, blank):
    clean = str.maketrans("|=→", "___")
    given_ = [([w.translate(clean) for w in p], c, n, v if c else 0) for p, c, n, v in given_]
    texts = [f"{blank}{separator}{blank}".join(path) for path, *_ in given_]
    whole = [(path, c, n, v) for path, c, n, v in given_]
    got = Paths.from_strings(
        texts,
        conversions=[r[1] for r in whole],
        nulls=[r[2] for r in whole],
        value=[r[3] for r in whole],
        separator=separator,
    )
    assert got == Paths.from_counts(whole)
    again = Paths.from_counts(got.to_counts(separator), separator=separator)
    assert again == got
    assert Paths.from_counts(got.to_counts(None)) == got


@given(logs, options)
@settings(max_examples=some(25))
def test_out_and_in_again_but_for_the_customers(log, given_options):
    paths = Paths.of(to_journeys(log), goal="buy", **given_options)
    rows = paths.to_counts(None)
    again = Paths.from_counts(rows, goal=paths.rule.goal)
    assert again.to_counts(None) == rows
    assert [(len(r[0]), r[0].count(None)) for r in rows] == sorted(
        ((len(r[0]), r[0].count(None)) for r in rows), key=lambda k: k[0]
    )
    for name in ("conversions", "nulls", "value"):
        assert getattr(again, name).sum() == pytest.approx(getattr(paths, name).sum())
    assert again.unattributed_conversions.sum() == paths.unattributed_conversions.sum()


def test_a_line_break_in_a_label_is_part_of_it():
    texts = ["a\nb > c", "c", "d\x1fe"]
    got = Paths.from_strings(texts, conversions=[1, 1, 1])
    assert list(got.labels) == ["a\nb", "c", "d\x1fe"]
    assert [r[0] for r in got.to_counts()] == ["c", "d\x1fe", "a\nb > c"]


def test_columns_of_any_kind():
    texts = np.array(["ad>mail", "ad>mail", ""], dtype=np.dtypes.StringDType())
    got = Paths.from_strings(
        texts, conversions=np.array([1.0, 2.0, 1.0]), value=[math.nan, 3, 4], goal=Goal("signup"),
        by="campaign",
    )  # fmt: skip
    assert got.to_counts() == [("", 1, 0, 4.0), ("ad > mail", 3, 0, 3.0)]
    assert (got.rule.goal, got.rule.by) == (Goal("signup"), "campaign")
    assert Paths.from_strings([], conversions=[]).to_counts() == []


@pytest.mark.parametrize(
    ("texts", "columns", "error", "message"),
    [
        (
            ["a", "b > > c"],
            {"conversions": [1, 1]},
            DataError,
            "row 1: a label is empty in 'b > > c'",
        ),
        (["a >"], {"conversions": [1]}, DataError, "row 0: a label is empty"),
        (["a\nb >"], {"conversions": [1]}, DataError, "row 0: a label is empty"),
        (["a", None], {"conversions": [1, 1]}, DataError, "row 1: a path must be text; found None"),
        (["a"], {"conversions": [1, 2]}, DataError, "conversions must have 1 numbers"),
        (["a"], {"conversions": [1.5]}, DataError, "conversions must be whole numbers from 0 up"),
        (["a"], {"conversions": [1], "nulls": [-1]}, DataError, "nulls must be whole numbers"),
        (["a"], {"conversions": ["x"]}, DataError, "conversions must be whole numbers"),
        (["a"], {"conversions": [math.nan]}, DataError, "conversions must be whole numbers"),
        (["a"], {"conversions": [1], "value": [math.inf]}, DataError, "1 finite numbers"),
        (["a"], {"conversions": [0], "value": [3]}, DataError, "row 0: a value of 3.0 without"),
        (["a"], {"conversions": [1], "separator": " "}, DefinitionError, "more than blanks"),
    ],
    ids=map(str, range(12)),
)
def test_text_that_cannot_be_read_is_refused(texts, columns, error, message):
    with pytest.raises(error, match=message):
        Paths.from_strings(texts, **columns)


def test_labels_that_text_cannot_hold_are_refused():
    paths = Paths.from_counts([(["a>b", None], 1, 0, 0)])
    with pytest.raises(DataError, match="a label is 'a>b', which a path of text"):
        paths.to_counts()
    with pytest.raises(DataError, match="a label is missing"):
        paths.to_counts("|")
    assert paths.to_counts(None) == [(("a>b", None), 1, 0, 0.0)]
