import math
import pickle
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, strategies as st

from cxkit.engagement import EngagementScale, LiveScores, PointRule
from cxkit.errors import DataError, DefinitionError
from cxkit.model.goal import Goal
from cxkit.model.touchpoint import Touchpoint
from tests.engagement.scales import MINUTE, quiet, scales, slow_score
from tests.strategies import grouped, journeys_of, touchpoint_rows

ONCE = EngagementScale(
    [PointRule("a", 1), PointRule("b", 10, count="once_per_customer")], half_life="1d"
)


def fed(scale, rows):
    live = scale.live()
    for row in rows:
        live.update_raw(row[0], row[2], row[1], row[3])
    return live


def instant(us):
    return np.datetime64(us, "us")


# ---------------------------------------------------------------- equal to the batch


@given(touchpoint_rows(min_rows=1), scales(), st.integers(0, 100))
def test_one_at_a_time_is_the_batch(rows, scale, later):
    ordered = sorted(rows, key=lambda row: row[1])
    live = scale.live()
    journeys = journeys_of(rows)
    batch = {}
    for j, (who, journey) in enumerate(grouped(rows).items()):
        last = journey[-1][1]
        batch[who] = quiet(scale, journeys[j], instant(last)), slow_score(scale, journey, last)[1]
    latest = {}
    for row in ordered:
        latest[row[0]] = live.update_raw(row[0], row[2], row[1], row[3])
    assert set(live) == set(batch)
    for j, who in enumerate(batch):
        value, rounding = batch[who]
        assert abs(latest[who] - value) <= rounding
        at = instant(ordered[-1][1] + later * MINUTE)
        expected = quiet(scale, journeys[j], at)
        assert abs(live.score(who, at=at) - expected) <= rounding


@given(touchpoint_rows(min_rows=1), scales(counts=("every",)), st.randoms(use_true_random=False))
def test_any_order_is_the_batch_where_every_touchpoint_counts(rows, scale, random):
    mixed = list(rows)
    random.shuffle(mixed)
    live = fed(scale, mixed)
    at = max(row[1] for row in rows)
    for who, journey in grouped(rows).items():
        value, rounding = slow_score(scale, journey, at)
        # Terms are aged to the customer's latest touchpoint and then to the instant.
        assert abs(live.score(who, at=instant(at)) - value) <= 2 * rounding


@given(touchpoint_rows(min_rows=1), scales(), st.integers(0, 40))
def test_a_saved_state_goes_on_as_if_nothing_had_happened(rows, scale, cut):
    ordered = sorted(rows, key=lambda row: row[1])
    straight = fed(scale, ordered)
    halted = LiveScores.from_bytes(fed(scale, ordered[:cut]).to_bytes())
    for row in ordered[cut:]:
        halted.update_raw(row[0], row[2], row[1], row[3])
    assert halted.to_bytes() == straight.to_bytes()
    assert halted.scale == scale


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
    assert live.to_bytes() == before
    assert live.update_raw("bob", "a", 9 * MINUTE) == 1  # another customer's clock is their own
    assert live.update_raw("ann", "a", 10 * MINUTE) == 2  # the same instant is not late


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


def test_sixty_four_rules_that_count_once_fit_in_a_word():
    def of(n):
        once = [PointRule(f"e{i}", 1, count="once_per_session") for i in range(n)]
        plain = [PointRule(Goal(f"e{i}", channel="web"), 5) for i in range(9)]
        return EngagementScale([*plain, *once])  # rules that always count take no bit

    live = of(64).live()
    for turn in (0, 1, 100):
        for i in range(64):
            score = live.update_raw("ann", f"e{i}", turn * MINUTE)
    assert score == 128
    with pytest.raises(DefinitionError, match=r"at most 64 rules that count once.*has 65"):
        of(65).live()


# ---------------------------------------------------------------- bytes


def test_names_of_every_kind_survive():
    live = ONCE.live()
    names = ["ann", 5, -(2**80), "5", "a\0b", "\ud800", "😀", np.int64(7)]
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


def test_damaged_bytes_are_refused():
    live = ONCE.live()
    live.update_raw("ann", "b", 0)
    whole = live.to_bytes()
    for size in range(len(whole)):
        with pytest.raises(DataError):
            LiveScores.from_bytes(whole[:size])
    with pytest.raises(DataError, match="damaged or cut short"):
        LiveScores.from_bytes(whole + b"x")
    with pytest.raises(DataError, match="no live scores; they begin with b'PK"):
        LiveScores.from_bytes(b"PK\3\4" + whole)
    with pytest.raises(DataError, match="another schema"):
        LiveScores.from_bytes(whole.replace(b"live-scores/1", b"live-scores/9"))
