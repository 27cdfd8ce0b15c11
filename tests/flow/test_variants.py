from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from cxkit import DefinitionError, Journeys
from cxkit.core.codes import Codes
from cxkit.flow import PathVariants, variants
from tests.examples import some
from tests.strategies import grouped, journeys_of, touchpoint_rows

COLUMN = {"event": 2, "channel": 3, "campaign": 4}


def slow_variants(rows, by):
    """Most frequent first, then the shorter, then in order of labels, missing last."""
    found = Counter(tuple(row[COLUMN[by]] for row in part) for part in grouped(rows).values())
    return sorted(
        found.items(),
        key=lambda f: (-f[1], len(f[0]), [(label is None, label or 0) for label in f[0]]),
    )


def of_words(*words):
    """Journeys whose events are the letters of each word."""
    return Journeys.from_codes(
        customer=np.repeat(np.arange(len(words)), [len(w) for w in words]),
        time=np.arange(sum(map(len, words))),
        columns={"event": Codes.of(list("".join(words)))},
    )


@given(touchpoint_rows(customers=12), st.sampled_from(sorted(COLUMN)), st.integers(1, 8))
def test_variants_are_those_counted_one_by_one(rows, by, top):
    table = variants(journeys_of(rows), by=by, top=top)
    want = slow_variants(rows, by)
    got = list(zip(table.paths, table.journeys.tolist(), strict=True))
    assert got == want[:top]
    assert table.total_variants == len(want)
    assert table.total_journeys == sum(n for _, n in want)
    assert table.other_variants == len(want[top:])
    assert table.other_journeys == sum(n for _, n in want[top:])
    assert table.share.tolist() == pytest.approx([n / table.total_journeys for _, n in want[:top]])
    assert table.to_dicts()[:1] == [] if not want else table.to_dicts()[0]["rank"] == 1


@given(
    st.lists(st.text("abc", min_size=1, max_size=6), min_size=1, max_size=120), st.integers(1, 200)
)
@settings(max_examples=some(60))
def test_of_many_that_are_as_frequent_the_first_are_listed(words, top):
    want = sorted(Counter(words).items(), key=lambda w: (-w[1], len(w[0]), w[0]))[:top]
    table = variants(of_words(*words), top=top)
    assert [("".join(p), n) for p, n in zip(table.paths, table.journeys, strict=True)] == want


def test_thousands_of_variants_that_occurred_once():
    rng = np.random.default_rng(2)
    words = {"".join(rng.choice(list("abcd"), rng.integers(4, 9))) for _ in range(5000)}
    want = sorted(words, key=lambda w: (len(w), w))
    for top in (1, 63, 64, 65, 300, len(words) - 1, len(words)):
        table = variants(of_words(*sorted(words)), top=top)
        assert ["".join(p) for p in table.paths] == want[:top]


def test_a_variant_in_several_shards_is_one():
    table = variants(of_words(*["ab"] * 500, *["b"] * 300))
    assert [(row["path"], row["journeys"]) for row in table.to_dicts()] == [
        ("a > b", 500),
        ("b", 300),
    ]
    assert table.share_low[0] < 500 / 800 < table.share_high[0]
    assert table.share_high[0] - table.share_low[0] == pytest.approx(
        2 * 1.96 * np.sqrt(5 / 8 * 3 / 8 / 800), rel=0.3
    )


def test_the_same_letters_in_another_order_are_another_variant():
    assert variants(of_words("ab", "ba", "aab", "abb")).total_variants == 4


def test_one_journey_of_a_million_touchpoints_prints_short_and_leaves_in_full():
    n = 1_000_000
    journeys = Journeys.from_codes(
        customer=np.zeros(n, int), time=np.arange(n), columns={"event": Codes.of(np.arange(n) % 10)}
    )
    table = variants(journeys)
    (path,) = table.columns()["path"]
    assert path.split(" > ") == [str(i % 10) for i in range(n)]
    line = repr(table).splitlines()[2]
    assert "0 > 1 > 2 > 3 > 4 > 5 > ... > 5 > 6 > 7 > 8 > 9" in line
    assert len(repr(table)) < 500
    assert len(table._repr_html_()) < 2000
    both = PathVariants.of(journeys) + PathVariants.of(journeys)
    assert both.journeys.tolist() == [2]


def test_twelve_labels_are_printed_in_full_and_thirteen_are_not():
    assert "..." not in repr(variants(of_words("abcdefghijkl")))
    assert "a > b > c > d > e > f > ... > i > j > k > l > m" in repr(
        variants(of_words("abcdefghijklm"))
    )


def test_what_is_not_listed_is_told():
    table = variants(of_words("a", "a", "b", "c"), top=1)
    few = "no interval (-): too few customers"
    assert table.notes() == ("other: 2 variants with 2 journeys", few)
    assert repr(table).endswith(few)
    assert variants(of_words("a", "b")).notes() == (few,)
    assert variants(of_words(*["a"] * 200)).notes() == ()
    assert repr(table).startswith("path variants by event: 3 variants of 4 journeys")


def test_a_missing_label_is_shown_as_such():
    table = variants(journeys_of([("c", 0, None, None, None, 0.0), ("c", 1, "a", None, None, 0.0)]))
    assert table.paths == ((None, "a"),)
    assert table.columns()["path"] == ["(missing) > a"]


@pytest.mark.parametrize("top", [0, -1, 2.5, "5", None])
def test_top_is_a_whole_number_from_one_up(top):
    with pytest.raises(DefinitionError, match="top must be a whole number from 1 up"):
        variants(of_words("a"), top=top)


def test_no_journeys_give_an_empty_table():
    table = variants(Journeys.empty(), by="campaign")
    assert table.to_dicts() == []
    assert table.total_journeys == 0
    assert "0 variants of 0 journeys" in repr(table)
