import math
import pickle
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from cxkit.core.codes import Codes
from cxkit.engagement import EngagementScale, Inactivity, LiveScores, PointRule, RollingWindow
from cxkit.engagement.livebytes import pack, unpack
from cxkit.errors import DataError, DefinitionError
from cxkit.model.goal import Goal
from cxkit.model.journeys import Journeys
from cxkit.model.touchpoint import Touchpoint
from tests.engagement.scales import MINUTE, plain_scales, quiet, scales, slow_score
from tests.examples import some
from tests.strategies import grouped, journeys_of, touchpoint_rows

ONCE = EngagementScale(
    [PointRule("a", 1), PointRule("b", 10, count="once_per_customer")], half_life="1d"
)


def feed(live, row):
    who, when, what, where, campaign, value = row
    return live.update_raw(who, what, when, where, value, {"campaign": campaign})


def fed(scale, rows):
    live = scale.live()
    for row in rows:
        feed(live, row)
    return live


def instant(us):
    return np.datetime64(us, "us")


# ---------------------------------------------------------------- equal to the batch


@given(touchpoint_rows(min_rows=1), scales(), st.integers(0, 100))
@settings(max_examples=some(60))
def test_one_at_a_time_is_the_batch(rows, scale, later):
    ordered = sorted(rows, key=lambda row: row[1])
    live = scale.live()
    found = [feed(live, row) for row in ordered]
    journeys, groups = journeys_of(rows), grouped(rows)
    running = iter(scale.running(journeys).tolist())
    expected = {who: [next(running) for _ in journey] for who, journey in groups.items()}
    rounding = {who: 4 * slow_score(scale, j, j[-1][1])[1] for who, j in groups.items()}
    for row, score in zip(ordered, found, strict=True):
        assert abs(score - expected[row[0]].pop(0)) <= rounding[row[0]]
    at = instant(ordered[-1][1] + later * MINUTE)
    for who, value in zip(groups, quiet(scale, journeys, at).values.tolist(), strict=True):
        assert abs(live.score(who, at=at) - value) <= rounding[who]


@st.composite
def arrivals(draw, tolerance):
    """Rows in an order of arrival in which none is later than the tolerance for its customer."""
    rows = draw(touchpoint_rows(min_rows=1))
    delay = st.integers(0, tolerance)
    keyed = [(row[1] + draw(delay) * MINUTE, row[1], n, row) for n, row in enumerate(rows)]
    # Equal times keep the order of arrival, as equal rows of a table keep theirs.
    return [row for *_, row in sorted(keyed, key=lambda key: key[0])]


@given(arrivals(tolerance=60), scales(), st.integers(0, 100), st.integers(0, 40))
@settings(max_examples=some(150))
def test_any_arrival_within_the_tolerance_is_the_batch(rows, scale, later, cut):
    live = scale.live(tolerance="1h")
    known = {}
    for n, row in enumerate(rows):
        if n == cut:  # a state that was saved goes on as if nothing had happened
            live = LiveScores.from_bytes(live.to_bytes())
        score = feed(live, row)
        journey = known.setdefault(row[0], [])
        journey.append(row)
        journey.sort(key=lambda row: row[1])
        right, rounding = slow_score(scale, journey, journey[-1][1])
        assert abs(score - right) <= 4 * rounding
    assert live.too_late == 0
    at = max(row[1] for row in rows) + later * MINUTE
    live.advance(instant(at))
    for who, journey in known.items():
        right, rounding = slow_score(scale, journey, at)
        assert abs(live.score(who, at=instant(at)) - right) <= 4 * rounding


@given(touchpoint_rows(min_rows=1), plain_scales(), st.randoms(use_true_random=False))
@settings(max_examples=some(60))
def test_any_order_is_the_batch_where_every_touchpoint_counts(rows, scale, random):
    mixed = list(rows)
    random.shuffle(mixed)
    live = fed(scale, mixed)
    at = max(row[1] for row in rows)
    groups = grouped(mixed)
    for who, journey in groups.items():
        value, rounding = slow_score(scale, journey, at)
        # Terms are aged to the customer's latest touchpoint and then to the instant.
        assert abs(live.score(who, at=instant(at)) - value) <= 4 * rounding


@given(touchpoint_rows(min_rows=1), scales(), st.integers(1, 40), st.randoms(use_true_random=False))
@settings(max_examples=some(60))
def test_many_at_once_are_one_by_one(rows, scale, size, random):
    rows = rows * 3
    random.shuffle(rows)
    one, many = scale.live(tolerance="3h"), scale.live(tolerance="3h")
    for first in range(0, len(rows), size):
        some = rows[first : first + size]
        who, when, what, where, campaign, value = map(list, zip(*some, strict=True))
        found = many.update_many(who, what, when, where, value, {"campaign": campaign})
        expected = []
        for row in some:
            try:
                expected.append(feed(one, row))
            except DataError:
                expected.append(math.nan)
        assert np.allclose(found, expected, rtol=1e-11, atol=1e-9, equal_nan=True)
    assert (list(one), one.too_late) == (list(many), many.too_late)
    at = instant(10**12)
    for who in one:
        assert math.isclose(one.score(who, at=at), many.score(who, at=at), abs_tol=1e-9)


@given(
    st.integers(0, 10**6),
    st.sampled_from([None, "1min", "45min", "7d"]),
    st.integers(25, 300),
    st.sampled_from([1, 3, 40, 10_000]),
    st.booleans(),
)
@settings(max_examples=some(60))
def test_many_at_once_of_a_plain_scale(seed, half_life, size, customers, ordered):
    rng = np.random.default_rng(seed)
    scale = EngagementScale([PointRule("a", 1.5), PointRule("b", -4)], half_life)
    one, many = scale.live(), scale.live()
    for _ in range(3):
        who = rng.integers(0, customers, size).tolist()
        what = [["a", "b", "c", None][n] for n in rng.integers(0, 4, size)]
        when = rng.integers(0, 300, size) * MINUTE
        when = np.sort(when) if ordered else when
        found = many.update_many(who, Codes.of(what) if ordered else what, when)
        expected = [
            one.update_raw(w, e, t) for w, e, t in zip(who, what, when.tolist(), strict=True)
        ]
        assert np.allclose(found, expected, rtol=1e-11, atol=1e-11)
    assert list(one) == list(many)
    at = instant(10**12)
    for name in one:
        assert math.isclose(one.score(name, at=at), many.score(name, at=at), abs_tol=1e-9)


def test_many_events_that_nobody_knows():
    live = EngagementScale([PointRule("a", 1)]).live()
    for first in (0, 15_000):
        events = [f"e{n}" for n in range(first, first + 12_000)] + ["a"] * 30
        found = live.update_many([1] * len(events), events, [0] * len(events))
        assert found[-1] == 30 * (1 + (first > 0))
    assert len(live._worth) == 1  # what earns nothing is noted as long as it is little


@given(touchpoint_rows(min_rows=1), scales(), st.integers(0, 4))
@settings(max_examples=some(40))
def test_a_forgotten_customer_was_never_seen(rows, scale, number):
    ordered = sorted(rows, key=lambda row: row[1])
    who = f"c{number}"
    live, without = scale.live(tolerance="1h"), scale.live(tolerance="1h")
    for row in ordered:
        feed(live, row)
    known = who in live
    assert live.forget(who) == known
    assert not live.forget(who)
    others = [row for row in ordered if row[0] != who]
    for row in others:
        feed(without, row)
    assert live.to_bytes() == without.to_bytes()
    assert live.nbytes == without.nbytes
    for row in ordered:  # rows that were given back are as good as new
        if row[0] == who:
            assert feed(live, row) == feed(without, row)


# ---------------------------------------------------------------- worked examples


def test_touchpoints_and_raw_updates_are_the_same():
    scale = EngagementScale([PointRule(Goal("buy", channel="web"), 8)], half_life="1d")
    live = scale.live()
    when = datetime(2024, 1, 1, tzinfo=UTC)
    assert live.update(Touchpoint("ann", when, "buy", "web")) == 8
    us = int(when.timestamp()) * 1_000_000
    assert live.update_raw("ann", "buy", us + 86_400_000_000, "store") == 4
    assert live.update_raw("ann", "buy", np.int64(us + 86_400_000_000), "web") == 12
    assert live.score("ann", at="2024-01-03") == 6
    assert (len(live), "ann" in live, "bob" in live) == (1, True, False)
    assert "LiveScores of 1 customers" in repr(live)


def test_flags_are_kept_apart():
    scale = EngagementScale(
        [
            PointRule("a", 1, count="once_per_session"),
            PointRule("b", 10, count="once_per_session"),
            PointRule("a", 100, count="once_per_customer"),
            PointRule("b", 1000, count="every"),
        ]
    )
    live = scale.live()
    got = [
        live.update_raw(1, event, minute * MINUTE)
        for event, minute in [
            ("a", 0),
            ("a", 30),
            ("b", 60),
            (None, 90),
            ("b", 120),
            ("a", 151),
            ("b", 152),
            ("b", 153),
        ]
    ]
    assert got == [101, 101, 1111, 1111, 2111, 2112, 3122, 4122]


def test_a_customer_who_was_never_seen_has_earned_nothing():
    live = ONCE.live()
    assert live.score("nobody", at="2024-01-01") == 0.0
    assert len(live) == 0


def test_more_customers_than_at_first():
    scale = EngagementScale([PointRule("a", 1)])
    live = scale.live()
    for turn in range(3):
        for who in range(1000):
            assert live.update_raw(who, "a", turn * MINUTE) == turn + 1
    assert len(live) == 1000
    assert [live.score(who, at="2024-01-01") for who in range(1000)] == [3.0] * 1000
    again = LiveScores.from_bytes(live.to_bytes())
    assert again.update_raw(1000, "a", 5) == 1
    assert again.update_raw(999, "a", 5 * MINUTE) == 4


def test_long_silence_ages_to_nothing():
    live = EngagementScale([PointRule("a", 1)], half_life="1us").live()
    live.update_raw("ann", "a", 0)
    assert live.update_raw("ann", "a", 10**15) == 1.0
    assert live.score("ann", at="2200-01-01") == 0.0


# ---------------------------------------------------------------- refused


def test_a_late_touchpoint_is_refused_where_order_matters():
    live = ONCE.live()
    live.update_raw("ann", "a", 10 * MINUTE)
    before = live.to_bytes()
    with pytest.raises(DataError, match="'ann' at 1970-01-01 00:09:00 UTC came after one at"):
        live.update_raw("ann", "a", 9 * MINUTE)
    live.too_late = 0
    assert live.to_bytes() == before
    assert live.update_raw("bob", "a", 9 * MINUTE) == 1  # another customer's clock is their own
    assert live.update_raw("ann", "a", 10 * MINUTE) == 2  # the same instant is not late


def test_a_late_touchpoint_is_refused_where_some_events_are_activity():
    scale = EngagementScale([PointRule("a", 1)], ageing=Inactivity({"1d": 1}, events=["a"]))
    live = scale.live()
    live.update_raw("ann", "a", 10 * MINUTE)
    with pytest.raises(DataError, match="live scores of this scale take touchpoints in order"):
        live.update_raw("ann", "a", 9 * MINUTE)
    any_event = EngagementScale([PointRule("a", 1)], ageing=Inactivity({"1d": 1})).live()
    any_event.update_raw("ann", "a", 10 * MINUTE)
    assert any_event.update_raw("ann", "a", 9 * MINUTE) == 2


def test_a_late_touchpoint_returns_the_score_at_the_latest():
    scale = EngagementScale([PointRule("a", 8), PointRule(Goal("a", channel="web"), 8)], "1min")
    live = scale.live()
    assert live.update_raw("ann", "a", 2 * MINUTE) == 8
    assert live.update_raw("ann", "a", 1 * MINUTE, "web") == 16
    assert live.update_raw("ann", None, 0) == 16
    assert live.score("ann", at=instant(3 * MINUTE)) == 8


def test_the_past_cannot_be_asked():
    live = ONCE.live()
    live.update_raw("ann", "a", 10 * MINUTE)
    with pytest.raises(DataError, match="lies before the latest touchpoint of 'ann'"):
        live.score("ann", at="1970-01-01")
    with pytest.raises(DefinitionError, match="at="):
        live.score("ann", at="1970-01-01T10:00")


@pytest.mark.parametrize(
    "when", [1.5, "2024-01-01", None, math.nan, datetime(2024, 1, 1, tzinfo=UTC)]
)
def test_a_time_is_whole_microseconds(when):
    live = ONCE.live()
    with pytest.raises(DataError, match="whole microseconds"):
        live.update_raw("ann", "a", when)
    assert len(live) == 0


@pytest.mark.parametrize("when", [-(2**62), 2**53, 2**70])
def test_a_time_lies_in_the_years_of_the_store(when):
    live = ONCE.live()
    with pytest.raises(DataError, match="outside the years 1900 to 2200"):
        live.update_raw("ann", "a", when)
    assert len(live) == 0


@pytest.mark.parametrize("who", [None, "", "  ", 1.5, True])
def test_a_customer_is_a_label(who):
    live = ONCE.live()
    with pytest.raises(DataError, match="customer"):
        live.update_raw(who, "a", 0)
    assert len(live) == 0


def test_any_number_of_rules_that_count_once():
    n = 150
    once = [PointRule(f"e{i}", 1, count="once_per_session") for i in range(n)]
    ever = [PointRule(f"e{i}", 100, count="once_per_customer") for i in range(n)]
    plain = [PointRule(Goal(f"e{i}", channel="web"), 5) for i in range(9)]
    live = EngagementScale([*plain, *once, *ever]).live()
    for turn in (0, 1, 100):
        for i in range(n):
            score = live.update_raw("ann", f"e{i}", turn * MINUTE)
    assert score == 102 * n
    assert LiveScores.from_bytes(live.to_bytes()).to_bytes() == live.to_bytes()


def test_a_touchpoint_beyond_the_tolerance_is_refused_and_counted():
    live = ONCE.live(tolerance="10min")
    live.update_raw("ann", "a", 100 * MINUTE)
    assert live.update_raw("ann", "b", 90 * MINUTE) > 10.9
    with pytest.raises(DataError, match=r"later than the tolerance.*scale.live\(tolerance=...\)"):
        live.update_raw("ann", "a", 90 * MINUTE - 1)
    assert live.too_late == 1
    assert "tolerance 10min, 1 too late" in repr(live)
    found = live.update_many(["ann", "bob"], ["a", "a"], [80 * MINUTE, 80 * MINUTE])
    assert math.isnan(found[0])
    assert (found[1], live.too_late) == (1, 2)


def test_the_clock_lets_go_of_what_waits():
    live = ONCE.live(tolerance="10min")
    live.update_raw("ann", "a", 100 * MINUTE)
    live.update_raw("bob", "a", 108 * MINUTE)
    waiting = live.nbytes
    assert live.advance(instant(111 * MINUTE)) == 1
    assert live.nbytes < waiting
    with pytest.raises(DataError, match="tolerance"):
        live.update_raw("ann", "b", 99 * MINUTE)
    assert live.update_raw("bob", "b", 105 * MINUTE) > 10.9
    assert live.update_raw("ann", "b", 100 * MINUTE) == 11  # its latest is not late
    assert live.advance(instant(200 * MINUTE)) == 2


def test_points_in_a_window_are_kept_until_they_are_gone():
    scale = EngagementScale([PointRule("a", 1, per_day=3)], ageing=RollingWindow("1h"))
    live, sizes = scale.live(tolerance="10min"), []
    for minute in (0, 30, 59, 90, 1440, 1445, 1446, 1447):
        score = live.update_raw("ann", "a", minute * MINUTE)
        assert (
            score
            == quiet(scale, journeys_of(live_rows(minute)), instant(minute * MINUTE)).values[0]
        )
        sizes.append(live.nbytes)
    assert score == 3  # the fourth on its day did not count
    assert sizes[4] < max(sizes[:4])
    assert live.score("ann", at=instant(1504 * MINUTE)) == 2
    assert LiveScores.from_bytes(live.to_bytes()).to_bytes() == live.to_bytes()


def live_rows(last):
    minutes = [m for m in (0, 30, 59, 90, 1440, 1445, 1446, 1447) if m <= last]
    return [("ann", m * MINUTE, "a", None, None, math.nan) for m in minutes]


def test_the_idle_are_forgotten():
    for scale in (ONCE, EngagementScale([PointRule("a", 1)])):
        live = scale.live()
        for n in range(50):
            live.update_raw(n, "a", n * MINUTE)
        assert live.forget_idle("30min", at=instant(49 * MINUTE)) == 20
        assert list(live) == list(range(20, 50))
        assert live.score(3, at="1970-01-02") == 0
        assert live.update_raw(3, "a", 50 * MINUTE) == 1
        assert live.forget_idle("30min", at=instant(49 * MINUTE)) == 0


def test_bytes_per_customer():
    live = EngagementScale([PointRule("a", 1)], half_life="1d").live()
    for n in range(100):
        live.update_raw(n, "a", n)
    assert live.nbytes == 1600
    once = ONCE.live()
    once.update_raw("ann", "a", 0)
    assert once.nbytes == 32  # two times, a word of flags, a sum


def test_columns_of_many():
    scale = EngagementScale([PointRule("a", 1), PointRule("b", 4)], half_life="1min")
    who = np.arange(100) % 3
    live, one = scale.live(), scale.live()
    codes = Codes.of(["a", "b", None, "c"] * 25)
    time = np.arange(100).astype("datetime64[s]")
    found = live.update_many(who, codes, time)
    expected = [
        one.update_raw(int(w), e, int(t) * 1_000_000)
        for w, e, t in zip(who, codes.to_list(), range(100), strict=True)
    ]
    assert np.allclose(found, expected, rtol=1e-12)
    assert live.update_many([], [], []).shape == (0,)
    for wrong in ([1.5], ["2024"], [[1]], [2**60], np.array([None])):
        with pytest.raises(DataError, match="time_us"):
            live.update_many(["x"], ["a"], wrong)
    with pytest.raises(DataError, match="customer has 2 entries, time_us has 1"):
        live.update_many(["x", "y"], ["a"], [0])
    plain = EngagementScale([PointRule("a", 1)])
    asking = EngagementScale([PointRule("a", 1, points_from="value")])
    for few, engine in [(n, s.live()) for n in (3, 40) for s in (plain, asking, ONCE)]:
        rows = ["x"] * few, ["a"] * few, [0] * few
        with pytest.raises(DataError, match=f"value has {few - 1} entries, time_us has {few}"):
            engine.update_many(*rows, value=[1.0] * (few - 1))
        with pytest.raises(DataError, match=rf"columns\['plan'\] has {few + 1} entries, time_us"):
            engine.update_many(*rows, columns={"n": [1] * few, "plan": [1] * (few + 1)})
        assert "x" not in engine
    with pytest.raises(DataError, match="a touchpoint needs a customer"):
        live.update_many([99] * 40 + [""], ["a"] * 41, [0] * 41)
    assert 99 not in live


@pytest.mark.parametrize("wrong", [True, None, " ", 1.5, ["ann"]])
@pytest.mark.parametrize("few", [3, 40])
@pytest.mark.parametrize(
    "scale",
    [
        EngagementScale([PointRule("a", 1)]),
        EngagementScale([PointRule("a", 1)], cap=5),
        EngagementScale([PointRule("a", 1, points_from="value")]),
        ONCE,
    ],
)
def test_a_batch_with_what_is_no_customer_changes_nothing(scale, few, wrong):
    live = scale.live()
    live.update_many(["ann"] * few, ["a"] * few, range(few))
    before = live.to_bytes()
    with pytest.raises(DataError, match=f"customer.*in row {few - 1}"):
        live.update_many(["ann", *["bob"] * (few - 2), wrong], ["a"] * few, [few] * few)
    assert live.to_bytes() == before
    assert live.update_many(["bob"] * few, ["a"] * few, [few] * few)[0] == 1


def test_what_a_batch_leaves_whose_points_are_no_number():
    for few in (3, 40):
        live = EngagementScale([PointRule("a", 1, points_from="n")]).live()
        with pytest.raises(DataError, match="points_from='n'"):
            live.update_many(
                ["ann", *["bob"] * (few - 1)],
                ["a"] * few,
                [0] * few,
                columns={"n": [2, "x", *[3] * (few - 2)]},
            )
        assert list(live) == ["ann"]
        assert live.score("ann", at="1970-01-01") == 2


@pytest.mark.parametrize("vip", [True, False, np.True_, np.False_, None])
@pytest.mark.parametrize("asked", ["True", "False", 1, 0])
def test_a_condition_on_a_truth_value_is_that_of_the_batch(vip, asked):
    scale = EngagementScale([PointRule(Goal("buy", where={"vip": asked}), 100)])
    touchpoint = Touchpoint("ann", "2024-01-01", event="buy", properties={"vip": vip})
    rows = [touchpoint, Touchpoint("bob", "2024-01-01", event="buy", properties={"vip": True})]
    journeys = Journeys.from_table(
        rows, customer="customer", time="time", event="event", columns=["vip"]
    )
    batch = quiet(scale, journeys, "2024-01-01").values.tolist()
    assert scale.live().update(touchpoint) == batch[0] == (100 if str(vip) == asked else 0)
    live = scale.live()
    time_us = [touchpoint.time_us] * 2
    many = live.update_many(["ann", "bob"], ["buy"] * 2, time_us, columns={"vip": [vip, True]})
    assert many.tolist() == batch


def test_a_rule_that_takes_its_points_from_a_column():
    live = EngagementScale([PointRule("a", 1, points_from="worth")]).live()
    assert live.update_raw("ann", "a", 0) == 1
    assert live.update_raw("ann", "a", 1, columns={"worth": 5}) == 6
    assert live.update_raw("ann", "a", 2, columns={"worth": math.nan}) == 7
    assert live.update(Touchpoint("ann", "1970-01-02", "a", properties={"worth": -2.5})) == 4.5
    for wrong in ("5", True, math.inf, [1]):
        with pytest.raises(DataError, match="points_from='worth'"):
            live.update_raw("bob", "a", 3, columns={"worth": wrong})
    assert "bob" not in live
    with pytest.raises(DataError, match="points_from='worth'"):
        live.update_many(["bob", "cee"], ["a", "a"], [4, 5], columns={"worth": ["x", 1.0]})
    assert list(live) == ["ann"]


@pytest.mark.parametrize("events", [None, ["a"]])
def test_idle_customers_lose_points_live(events):
    ageing = Inactivity({"1h": 3, "2h": 40}, events=events)
    scale = EngagementScale([PointRule("a", 10), PointRule("b", 1)], ageing=ageing)
    live = scale.live(tolerance="1d")
    rows = [("ann", m * MINUTE, e, None, None, math.nan) for m, e in ((0, "a"), (50, "b"))]
    for row in rows:
        feed(live, row)
    journeys = journeys_of(rows)
    for minute in (50, 59, 60, 109, 110, 119, 120, 170, 500):
        at = instant(minute * MINUTE)
        assert live.score("ann", at=at) == scale.score(journeys[0], at=at)


# ---------------------------------------------------------------- bytes


@pytest.mark.parametrize(
    "names",
    [["ann", "5", "a\0b", "\ud800", "😀"], [5, -(2**80), np.int64(7)]],
    ids=["text", "whole"],
)
def test_names_of_every_kind_survive(names):
    live = ONCE.live()
    for minute, who in enumerate(names):
        live.update_raw(who, "b", minute * MINUTE)
    again = LiveScores.from_bytes(live.to_bytes())
    assert list(again) == list(live) == names
    assert all(again.score(w, at="1970-01-02") == live.score(w, at="1970-01-02") for w in names)
    copy = pickle.loads(pickle.dumps(live))
    assert copy.to_bytes() == live.to_bytes()


def test_no_customers_survive_too():
    again = LiveScores.from_bytes(ONCE.live().to_bytes())
    assert len(again) == 0
    assert again.update_raw("ann", "b", 0) == 10


@pytest.mark.parametrize("kind", ["plain", "rules", "window"])
def test_damaged_bytes_are_refused(kind):
    rules = [PointRule("b", 2), PointRule("a", 1)]
    live = {
        "plain": EngagementScale(rules),
        "rules": ONCE,
        "window": EngagementScale(rules, ageing=RollingWindow("1h")),
    }[kind].live(tolerance="1h")
    live.update_raw("ann", "b", 0)
    live.update_raw("ann", "a", 1)
    whole = live.to_bytes()
    for size in range(len(whole)):
        with pytest.raises(DataError):
            LiveScores.from_bytes(whole[:size])
    with pytest.raises(DataError, match="damaged or cut short"):
        LiveScores.from_bytes(whole + b"x")
    with pytest.raises(DataError, match="no live scores; they begin with b'PK"):
        LiveScores.from_bytes(b"PK\3\4" + whole)
    with pytest.raises(DataError, match="another schema"):
        LiveScores.from_bytes(whole.replace(b"live-scores/2", b"live-scores/9"))
    header, customers, arrays = unpack(whole, {"plain", "rules"})
    del header["schema"], header["arrays"], header["customers"]
    assert pack(header, customers, arrays) == whole
    for name, array in arrays.items():
        wrong = [array.astype(np.float32), array[:-1]] if array.size else []
        if name.endswith(("_of", "_rule", "_cell", "_size")) and array.size:
            wrong += [array + 9, array - 9]
        for other in wrong:
            with pytest.raises(DataError, match="damaged or cut short"):
                LiveScores.from_bytes(pack(header, customers, arrays | {name: other}))
    for name, other in (("tolerance_us", -1), ("too_late", None), ("kind", "other")):
        with pytest.raises(DataError, match="damaged or cut short"):
            LiveScores.from_bytes(pack(header | {name: other}, customers, arrays))
    with pytest.raises(DataError, match="damaged or cut short"):
        LiveScores.from_bytes(pack(header, [*customers, *customers], arrays))


KINDS = [
    EngagementScale([PointRule("view", 1)], half_life="7d"),
    EngagementScale([PointRule("view", 1, cap=5), PointRule("buy", 2, cap=9)]),
    EngagementScale([PointRule("view", 1, count="once_per_customer")]),
]


@pytest.mark.parametrize("scale", KINDS, ids=["plain", "caps", "rules"])
@pytest.mark.parametrize(
    ("known", "other"),
    [(7, "7"), ("7", 7), ("ann", 7)],
    ids=["whole", "text", "other"],
)
def test_customers_of_two_kinds_are_refused_and_nothing_changes(scale, known, other):
    live = scale.live()
    live.update_raw(known, "view", 0)
    for engine in (live, pickle.loads(pickle.dumps(live))):
        before = engine.to_bytes()
        for update in (
            lambda e=engine: e.update_raw(other, "view", 1),
            lambda e=engine: e.update(Touchpoint(other, "2024-01-01", event="view")),
            lambda e=engine: e.update_many([known, other], ["view", "view"], [1, 2]),
        ):
            with pytest.raises(DataError, match=r"text.*whole numbers|whole numbers.*text") as told:
                update()
            assert "pass str(customer) for all" in str(told.value)
            assert engine.to_bytes() == before
        engine.update_raw(known, "view", 3)  # goes on as before
    live.forget(known)
    live.update_raw(other, "view", 4)  # nobody is left with whom it would be mixed
    with pytest.raises(DataError, match="would mix them"):
        live.update_raw(known, "view", 5)


@pytest.mark.parametrize("scale", KINDS, ids=["plain", "caps", "rules"])
def test_a_first_batch_of_two_kinds_is_refused(scale):
    live = scale.live()
    with pytest.raises(DataError, match="found '7' in row 1, which would mix them"):
        live.update_many([7, "7"], ["view", "view"], [1, 2])
    assert len(live) == 0
    live.update_many(["7", "8"], ["view", "view"], [1, 2])
    assert list(live) == ["7", "8"]


@pytest.mark.parametrize("scale", KINDS, ids=["plain", "caps", "rules"])
def test_bytes_with_customers_of_two_kinds_are_refused(scale):
    live = scale.live()
    live.update_many([7, 8], ["view", "view"], [1, 2])
    _, customers, arrays = unpack(live.to_bytes(), {live.KIND})
    header = {k: v for k, v in unpack(live.to_bytes(), {live.KIND})[0].items() if k != "customers"}
    with pytest.raises(DataError, match="would mix them"):
        LiveScores.from_bytes(pack(header, [customers[0], "7"], arrays))
