import pickle

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import cxkit as cx
from cxkit.errors import DataError, DefinitionError, UnknownLabelError
from cxkit.model.goal import Goal
from cxkit.patterns import Pattern, PatternCounts
from tests.examples import some
from tests.patterns.patterns import MINUTE, busy_rows, patterns, slow_matches
from tests.strategies import grouped, journeys_of, touchpoint_rows


def instant(us):
    return np.datetime64(us, "us")


def quiet_matches(pattern, journeys, at=None):
    """Matches without the check of labels: random data may lack one."""
    found = []
    for part in (pattern.matches(journey, at=at) for journey in journeys):
        ends = part.end.view(np.int64).tolist()
        found.append(list(zip(part.start_row.tolist(), part.end_row.tolist(), ends, strict=True)))
    return found


def found_in(journeys, pattern, at=None):
    """All matches of many journeys at once: (journey, start row in it, last row in it, end)."""
    from cxkit.patterns.match import search

    columns = search(journeys, pattern, at, 0, len(journeys))
    rows = []
    for journey, start, last, end in zip(*(c.tolist() for c in columns), strict=True):
        first = int(journeys.offsets[journey])
        rows.append((journey, start - first, last - first, end))
    return rows


@settings(max_examples=some(400))
@given(st.one_of(touchpoint_rows(customers=3), busy_rows()), patterns(), st.integers(0, 1800))
def test_the_search_is_the_definition(rows, pattern, minutes):
    at = minutes * MINUTE
    journeys = journeys_of(rows)
    expected = [
        (j, *match)
        for j, journey in enumerate(grouped(rows).values())
        for match in slow_matches(journey, pattern, at)
    ]
    assert found_in(journeys, pattern, at) == expected


@given(touchpoint_rows(min_rows=1), patterns(), st.integers(0, 500))
def test_one_journey_has_the_matches_it_has_among_many(rows, pattern, minutes):
    journeys, at = journeys_of(rows), minutes * MINUTE
    many = found_in(journeys, pattern, at)
    alone = quiet_matches(pattern, journeys, instant(at))
    assert many == [(j, *match) for j, part in enumerate(alone) for match in part]


@given(touchpoint_rows(min_rows=1), patterns(), st.integers(0, 500), st.data())
def test_a_subset_has_its_matches(rows, pattern, minutes, data):
    journeys, at = journeys_of(rows), minutes * MINUTE
    which = data.draw(st.lists(st.integers(0, len(journeys) - 1), unique=True))
    whole = found_in(journeys, pattern, at)
    part = [(k, *m[1:]) for k, j in enumerate(which) for m in whole if m[0] == j]
    assert found_in(journeys.take(which), pattern, at) == part


@given(touchpoint_rows(), patterns(), st.integers(0, 500), st.integers(0, 500))
def test_what_is_known_at_an_instant_stays_known(rows, pattern, one, other):
    journeys = journeys_of(rows)
    early, late = sorted((one * MINUTE, other * MINUTE))
    known = [m for m in found_in(journeys, pattern, late) if m[3] <= early]
    assert found_in(journeys, pattern, early) == known


def shop(*rows):
    return journeys_of([(who, m * MINUTE, what, "web", None, 1.0) for who, m, what in rows])


def ends(journeys, pattern, at=None):
    table = pattern.matches(journeys, at=None if at is None else instant(at * MINUTE))
    minutes = [column.view(np.int64) // MINUTE for column in (table.start, table.end)]
    return list(zip(*(m.tolist() for m in minutes), strict=True))


def test_which_matches_are_reported():
    journeys = shop(*((1, m, what) for m, what in enumerate("aabbab")))
    assert ends(journeys, Pattern(["a", "b"])) == [(1, 2), (4, 5)]
    assert ends(journeys, Pattern(["a", "b"], report="first")) == [(1, 2)]
    assert ends(journeys, Pattern(["a", "b"], report="overlapping")) == [(1, 2), (1, 3), (4, 5)]


def test_without_stands_between_two_steps_and_may_be_a_step():
    journeys = shop(*((1, m, what) for m, what in enumerate("abcabxc")))
    assert ends(journeys, Pattern(["a", "c"], without=["b"])) == []
    assert ends(journeys, Pattern(["a", "b", "c"], without=["b"])) == [(0, 2), (3, 6)]
    assert ends(journeys, Pattern(["a", "b", "c"], without=["x"])) == [(0, 2)]


def test_times_are_included():
    journeys = shop((1, 0, "a"), (1, 10, "b"), (1, 20, "c"))
    assert ends(journeys, Pattern(["a", "b", "c"], within="20min")) == [(0, 20)]
    assert ends(journeys, Pattern(["a", "b", "c"], within="1199s")) == []
    assert ends(journeys, Pattern(["a", "b", "c"], step_within="10min")) == [(0, 20)]
    assert ends(journeys, Pattern(["a", "b", "c"], step_within=["10min", "9min"])) == []
    assert ends(journeys, Pattern(["a", "b", "c"], step_within=[None, "10min"])) == [(0, 20)]


def test_an_abandoned_cart():
    pattern = Pattern(["cart"], then_no="purchase", within="1h")
    journeys = shop(
        *(("a", 0, "cart"), ("a", 60, "purchase")),  # in time: the deadline is included
        *(("b", 0, "cart"), ("b", 61, "purchase")),  # too late
        *(("c", 0, "cart"), ("c", 30, "cart"), ("c", 61, "cart")),  # the second lies within
        *(("d", 0, "purchase"), ("d", 0, "cart")),  # a purchase before does not help
    )
    assert ends(journeys, pattern, at=300) == [(0, 60), (0, 60), (61, 121), (0, 60)]
    assert ends(journeys, pattern, at=120) == [(0, 60), (0, 60), (0, 60)]
    assert ends(journeys, pattern, at=59) == []
    restarted = Pattern(["cart"], then_no=["purchase", "cart"], within="1h")
    assert ends(journeys[2], restarted, at=300) == [(61, 121)]


def test_the_deadline_is_whichever_comes_first():
    journeys = shop((1, 0, "view"), (1, 30, "cart"))
    steps = ["view", "cart"]
    assert ends(journeys, Pattern(steps, "1h", then_no="view"), at=99) == [(0, 60)]
    late = Pattern(steps, "1h", then_no="view", step_within=[None, "20min"])
    assert ends(journeys, late, at=99) == [(0, 50)]
    only = Pattern(steps, then_no="view", step_within=["30min", "45min"])
    assert ends(journeys, only, at=99) == [(0, 75)]


def test_absence_asks_for_its_instant():
    pattern = Pattern(["cart"], then_no="purchase", within="1h")
    with pytest.raises(DefinitionError, match="give at="):
        pattern.matches(shop((1, 0, "cart"), (1, 1, "purchase")))
    with pytest.raises(DefinitionError, match="give at="):
        PatternCounts.of(cx.Journeys.empty(), pattern=pattern)


def test_matches_are_a_result():
    journeys = shop((7, 0, "a"), (7, 1, "b"), (8, 0, "b"), (9, 0, "a"), (9, 2, "b"))
    table = Pattern(["a", "b"]).matches(journeys)
    assert table.to_dicts()[1] == {
        "journey": 2,
        "customer": 9,
        "start_row": 3,
        "end_row": 4,
        "start": np.datetime64(0, "us").item(),
        "end": np.datetime64(2 * MINUTE, "us").item(),
    }
    assert repr(table).startswith("2 matches of Pattern(['a', 'b'])")
    copy = pickle.loads(pickle.dumps(table))
    assert copy.to_dicts() == table.to_dicts()
    for name in ("journey", "start_row", "end_row", "start", "end"):
        assert not getattr(copy, name).flags.writeable
    assert len(Pattern(["a"]).matches(cx.Journeys.empty())) == 0


def test_counts():
    journeys = shop(
        *((who, m, what) for who in range(40) for m, what in enumerate("ab" * (who % 3)))
    )
    counts = Pattern(["a", "b"]).count(journeys)
    share = counts.result()
    # One in three has no touchpoint at all, and so is no journey.
    assert (share.journeys, share.matched, share.matches, share.share) == (26, 26, 39, 1.0)
    one = Pattern(["a", "b", "a"]).count(journeys).result()
    assert (one.matched, one.share) == (13, 0.5)
    assert one.share_low < 0.5 < one.share_high
    assert one.to_dicts()[0]["pattern"] == "a > b > a"
    with pytest.raises(DefinitionError, match="level"):
        counts.result(level=1)
    empty = Pattern(["a"]).count(cx.Journeys.empty()).result()
    assert empty.journeys == 0
    assert np.isnan(empty.share)


def test_the_share_of_none_and_of_few_is_not_certain():
    pattern = Pattern(["a", "b"])
    none = pattern.count(shop(*((who, 0, "ab"[who % 2]) for who in range(300)))).result()
    assert (none.matched, none.share, none.share_low) == (0, 0.0, 0.0)
    assert none.share_high == pytest.approx(1 - 0.025 ** (1 / 300))
    few = shop(*((who, m, what) for who in range(6) for m, what in enumerate("ab")))
    share = pattern.count(few).result()
    assert share.share == 1
    assert np.isnan([share.share_low, share.share_high]).all()


def test_journeys_that_begin_after_the_instant_are_not_counted():
    early = [(who, m, what) for who in range(40) for m, what in enumerate("ab")]
    late = [(who, 20, "a") for who in range(100, 160)]
    for pattern in (Pattern(["a", "b"]), Pattern(["b"], then_no="a", within="5min")):
        known = pattern.count(shop(*early), at=instant(10 * MINUTE)).result()
        found = pattern.count(shop(*early, *late), at=instant(10 * MINUTE)).result()
        assert found.to_dicts() == known.to_dicts()
        assert (found.journeys, found.share) == (40, 1)
        edge = pattern.count(shop(*early, *late), at=instant(20 * MINUTE)).result()
        assert (edge.journeys, edge.share) == (100, 0.4)


def test_a_name_that_the_data_does_not_have():
    journeys = shop((1, 0, "cart"), (1, 5, "purchase"))
    for pattern in (
        Pattern(["crat"]),
        Pattern(["cart", "purchase"], without=["crat"]),
        Pattern(["cart"], then_no="prchase", within="1h"),
    ):
        with pytest.raises(UnknownLabelError, match="Did you mean"):
            pattern.matches(journeys, at="2024-01-01")
        with pytest.raises(UnknownLabelError, match="Did you mean"):
            pattern.count(journeys, at="2024-01-01")


def test_journeys_of_centuries_are_searched_in_parts():
    years = 365 * 24 * 60
    rows = [(who, m * years, "a") for who in range(1500) for m in (0, 200)]
    pattern = Pattern(["a"], then_no="b", within="36500d")
    many = journeys_of([(w, t * MINUTE, e, None, None, 1.0) for w, t, e in rows])
    found = found_in(many, pattern, 10**16)
    assert len(found) == 3000
    assert found[:2] == [(0, 0, 0, 36500 * 1440 * MINUTE), (0, 1, 1, 109500 * 1440 * MINUTE)]


def test_many_matches_in_one_journey():
    rows = [(1, m, "ab"[m % 2]) for m in range(20_001)]
    assert len(ends(shop(*rows), Pattern(["a", "b"]))) == 10_000
    quiet = Pattern(["a"], then_no="c", within="3min")
    assert len(ends(shop(*rows, (2, 0, "c")), quiet, at=10**5)) == 5001


# ---------------------------------------------------------------- definitions


@given(patterns())
def test_a_pattern_goes_through_json(pattern):
    import json

    assert Pattern.from_dict(json.loads(json.dumps(pattern.to_dict()))) == pattern
    scope = {"Pattern": Pattern, "Goal": Goal}
    assert eval(repr(pattern), scope) == pattern  # noqa: S307  # as it would be written
    assert hash(pattern) == hash(Pattern.from_dict(pattern.to_dict()))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Pattern("view"), "a list of steps"),
        (lambda: Pattern([]), "1 to 60 steps; found 0"),
        (lambda: Pattern(["a"] * 61), "1 to 60 steps; found 61"),
        (lambda: Pattern([3.5]), "name of an event"),
        (lambda: Pattern(["a"], within="soon"), "within='soon' is not a span"),
        (lambda: Pattern(["a"], without=2.5), "an event, a goal or a list"),
        (lambda: Pattern(["a"], report="all"), "one of"),
        (lambda: Pattern(["a"], then_no="b"), "needs a deadline"),
        (
            lambda: Pattern(["a", "c"], then_no="b", step_within=["1h", None]),
            "then_no needs a deadline",
        ),
        (lambda: Pattern(["a", "b"], step_within=["1h", "1h"]), "2 times; 2 steps need 1"),
        (lambda: Pattern(["a", "b"], step_within=["never"]), "step_within='never' is not a span"),
        (lambda: Pattern(["a"]).live(tolerance="late"), "tolerance='late' is not a span"),
        (lambda: Pattern(["a"]).live(most_waiting=0), "most_waiting"),
    ],
)
def test_what_is_no_pattern(make, message):
    with pytest.raises(DefinitionError, match=message):
        make()


def test_one_refusal_needs_no_list():
    pattern = Pattern(["a"], "1h", without="b", then_no=Goal("c"))
    assert pattern == Pattern([Goal("a")], "60min", without=["b", "b"], then_no=["c"])


def test_damaged_definitions():
    good = Pattern(["a"]).to_dict()
    with pytest.raises(DataError, match="schema"):
        Pattern.from_dict({**good, "schema": "x"})
    with pytest.raises(DefinitionError, match="a list of steps"):
        Pattern.from_dict({**good, "steps": "a"})
    with pytest.raises(DataError, match="unknown field"):
        Pattern.from_dict({**good, "witin": 1})
