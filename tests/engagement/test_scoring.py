import math
import pickle
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from cxkit.core.codes import Codes
from cxkit.engagement import EngagementScale, PointRule
from cxkit.errors import CxWarning, DefinitionError, SchemaError
from cxkit.model.goal import Goal
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys
from cxkit.model.touchpoint import Touchpoint
from tests.engagement.scales import (
    MINUTE,
    quiet,
    scales,
    slow_counts,
    slow_due,
    slow_points,
    slow_score,
    worth,
)
from tests.examples import some
from tests.strategies import grouped, journeys_of, touchpoint_rows

DAY = 86_400_000_000


def at_of(us):
    return np.datetime64(int(us), "us")


def of(minutes, events, customer="ann", channel=None):
    """One customer's journeys from minutes and events."""
    columns = {"event": Codes.of(events)}
    if channel is not None:
        columns["channel"] = Codes.of(channel)
    time = np.array(minutes, np.int64) * MINUTE
    return Journeys.from_codes(
        customer=Codes.of([customer] * len(time)), time=time, columns=columns
    )


# ---------------------------------------------------------------- against the slow ones


@settings(max_examples=some(60))
@given(touchpoint_rows(), scales())
def test_points_are_those_of_the_slow_count(rows, scale):
    expected = [p for journey in grouped(rows).values() for p in slow_points(scale, journey)]
    found = scale.points(journeys_of(rows))
    assert found.tolist() == expected
    assert not found.flags.writeable


@settings(max_examples=some(60))
@given(touchpoint_rows(), scales(), st.integers(-10, 400))
def test_scores_are_those_of_the_slow_sum(rows, scale, minute):
    scores = quiet(scale, journeys_of(rows), at_of(minute * MINUTE))
    expected = grouped(rows)
    assert len(scores) == len(expected)
    for value, late, journey in zip(
        scores.values.tolist(), scores.excluded.tolist(), expected.values(), strict=True
    ):
        right, rounding = slow_score(scale, journey, minute * MINUTE)
        assert abs(value - right) <= rounding
        assert late == sum(row[1] > minute * MINUTE for row in journey)


@given(touchpoint_rows(min_rows=1), scales(), st.integers(0, 400))
@settings(max_examples=some(60))
def test_an_explanation_adds_up_and_gives_a_reason_for_whatever_is_taken(rows, scale, minute):
    at = at_of(minute * MINUTE)
    scores = quiet(scale, journeys_of(rows), at)
    for i, journey in enumerate(grouped(rows).values()):
        told = scores.explain(i)
        assert told.score == scores.values[i]
        rounding = slow_score(scale, journey, minute * MINUTE)[1] + 1e-12 * abs(told.score)
        assert abs(math.fsum(told.earned) - told.score) <= rounding
        counts = slow_counts(scale, journey)
        matched = sorted((k, r) for r, (found, _) in enumerate(counts) for k in found)
        lines = told.to_dicts()
        if told.rule[-1:] == ("inactivity",):
            assert lines[-1]["event"] is None
            assert lines[-1]["earned"] == lines[-1]["points"] < 0
            assert -lines[-1]["earned"] <= slow_due(scale, journey, minute * MINUTE)
            lines.pop()
        assert [line["rule"] for line in lines] == [scale.rules[r].goal.name for _, r in matched]
        assert told.time[: len(lines)].view(np.int64).tolist() == [
            journey[k][1] for k, _ in matched
        ]
        for (k, r), line in zip(matched, lines, strict=True):
            late, counted = line["time"] > at.item(), k in counts[r][1]
            assert line["points"] == worth(scale.rules[r], journey[k])
            assert ("after the instant" in line["reason"]) == late
            if late or not counted:
                assert line["earned"] == 0
                assert line["reason"]
            else:
                taken = line.get("capped", 0.0)
                assert bool(taken) == bool(line["reason"])
                assert line["earned"] == line["points"] * line["decay"] - taken


@given(st.integers(0, 300 * 366 * DAY), st.integers(1, 400 * DAY))
def test_ageing_is_exact_at_every_age(age, half_life):
    scale = EngagementScale([PointRule("a", 1)], half_life=np.timedelta64(half_life, "us"))
    first = np.int64(-2_208_988_800_000_000)  # 1900
    journeys = Journeys.from_codes(
        customer=np.array([1]), time=np.array([first]), columns={"event": Codes.of(["a"])}
    )
    found = scale.score(journeys[0], at=at_of(first + age))
    with localcontext() as context:
        context.prec = 60
        right = Decimal(2) ** (-Decimal(age) / Decimal(half_life))
        if right < Decimal(2) ** -1022:
            assert found <= 2.0**-1021
        else:
            # A time span beyond 2**53 us (285 years) is itself rounded to 1 us.
            slack = Decimal("5e-16") + (Decimal(2) / half_life if age > 2**53 else 0)
            assert abs(Decimal(found) / right - 1) <= slack


# ---------------------------------------------------------------- worked examples


def test_the_field_example_of_half_lives():
    journeys = of([0, 7 * 1440, 14 * 1440], ["a", "b", "c"])
    scale = EngagementScale(
        [PointRule("a", 10), PointRule("b", 50), PointRule("c", 100)], half_life="7d"
    )
    assert scale.score(journeys[0], at="1970-01-15") == 127.5
    assert scale.score(journeys[0], at="1970-01-22") == 63.75


def test_every_rule_counts_on_its_own():
    journeys = of([0, 10, 100], ["view"] * 3)
    scale = EngagementScale(
        [
            PointRule("view", 1),
            PointRule("view", 10, count="once_per_session"),
            PointRule("view", 100, count="once_per_customer"),
        ]
    )
    assert scale.points(journeys).tolist() == [111, 1, 11]


def test_a_session_ends_with_any_longer_pause_and_only_then():
    # The touchpoint without points at 30 keeps the session going; the pause of exactly 30 too.
    journeys = of([0, 30, 60, 91], ["view", None, "view", "view"])
    scale = EngagementScale([PointRule("view", 1, count="once_per_session")])
    assert scale.points(journeys).tolist() == [1, 0, 0, 1]


def test_a_goal_with_a_channel():
    journeys = of([0, 1, 2], ["buy"] * 3, channel=["web", None, "store"])
    scale = EngagementScale([PointRule(Goal("buy", channel="store"), 5), PointRule("buy", -1)])
    assert scale.points(journeys).tolist() == [-1, -1, 4]


def test_labels_that_are_numbers_are_not_text():
    time = np.arange(3) * MINUTE
    journeys = Journeys.from_codes(
        customer=np.array([1, 1, 1]), time=time, columns={"event": np.array([1, 2, 1])}
    )
    assert EngagementScale([PointRule(1, 3)]).points(journeys).tolist() == [3, 0, 3]
    assert EngagementScale([PointRule("1", 3)]).points(journeys).tolist() == [0, 0, 0]
    assert EngagementScale([PointRule(2**70, 3)]).points(journeys).tolist() == [0, 0, 0]
    assert EngagementScale([PointRule(1, 3)]).points(of([0], ["1"])).tolist() == [0]


def test_equal_times_keep_the_order_of_the_input():
    scale = EngagementScale([PointRule("a", 1, count="once_per_customer"), PointRule("b", 2)])
    assert scale.points(of([5, 5, 5], ["a", "b", "a"])).tolist() == [1, 2, 0]
    assert scale.points(of([5, 5, 5], ["b", "a", "a"])).tolist() == [2, 1, 0]


def test_once_per_customer_needs_uncut_journeys():
    journeys = of([0, 100], ["view", "view"])
    scale = EngagementScale([PointRule("view", 1, count="once_per_customer")])
    with pytest.raises(DefinitionError, match=r"2 journeys of 1 customers.*score the uncut"):
        scale.score(journeys.sessions("30min"), at="2024-01-01")
    per_session = EngagementScale([PointRule("view", 1, count="once_per_session")])
    cut = per_session.score(journeys.sessions("30min"), at="2024-01-01")
    assert cut.values.tolist() == [1, 1]


# ---------------------------------------------------------------- bounds


def test_no_journeys_have_no_scores_and_no_warning():
    scale = EngagementScale([PointRule("a", 1)], half_life="1d")
    scores = scale.score(Journeys.empty(), at="2024-01-01")
    assert len(scores) == 0
    assert scale.points(Journeys.empty()).shape == (0,)
    assert scores.top().values.shape == (0,)
    assert "engagement at 2024-01-01 UTC" in repr(scores)


def test_one_customer_with_more_rows_than_a_piece():
    rows = 200_000
    rng = np.random.default_rng(3)
    time = np.sort(rng.integers(0, 100 * DAY, rows))
    customer = np.where(np.arange(rows) < 5, 0, 1)
    names = Codes.of(rng.choice(np.array(["a", "b", "c"]), rows).tolist())
    journeys = Journeys.from_codes(customer=customer, time=time, columns={"event": names})
    scale = EngagementScale([PointRule("a", 1), PointRule("b", -2)], half_life="10d")
    scores = scale.score(journeys, at=at_of(90 * DAY))
    weight = np.exp2(-(90 * DAY - time) / (10 * DAY)) * (time <= 90 * DAY)
    points = np.array([{"a": 1.0, "b": -2.0, "c": 0.0}[e] for e in names.to_list()])
    assert scores.values[1] == pytest.approx(math.fsum((points * weight)[5:]), rel=1e-11)
    assert scores.excluded.tolist() == [0, int((time[5:] > 90 * DAY).sum())]
    assert scale.score(journeys[1], at=at_of(90 * DAY)) == scores.values[1]


def test_many_customers_over_many_pieces():
    rng = np.random.default_rng(5)
    rows = 150_000
    journeys = Journeys.from_codes(
        customer=rng.integers(0, 20_000, rows),
        time=rng.integers(0, 300 * DAY, rows),
        columns={"event": rng.integers(0, 9, rows), "channel": rng.integers(0, 3, rows)},
    )
    scale = EngagementScale(
        [
            PointRule(1, 0.1),
            PointRule(2, 3, count="once_per_session"),
            PointRule(3, 7, count="once_per_customer"),
            PointRule(Goal(4, channel=2), -0.3),
        ],
        half_life="9d",
    )
    at = at_of(200 * DAY)
    scores = scale.score(journeys, at=at)
    assert scores.excluded.sum() == (journeys.time > at).sum()
    for i in rng.integers(0, len(journeys), 300).tolist():
        assert scale.score(journeys[i], at=at) == scores.values[i]
    some = rng.permutation(len(journeys))[:7000]
    part = scale.score(journeys.take(some), at=at)
    assert np.array_equal(part.values, scores.values[some])
    assert np.array_equal(part.excluded, scores.excluded[some])
    whole = scale.points(journeys)
    for i in range(100):
        rows_ = slice(*journeys.offsets[i : i + 2])
        assert np.array_equal(scale.points(journeys[i]), whole[rows_])


def test_very_old_touchpoints_fade_to_nothing_in_silence():
    journeys = of([0, 1], ["a", "a"])
    scale = EngagementScale([PointRule("a", 1)], half_life="1us")
    with np.errstate(all="raise"):
        assert scale.score(journeys[0], at="2200-01-01") == 0.0
        assert scale.score(journeys[0], at=at_of(MINUTE)) == 1.0
        assert scale.score(journeys[0], at="1900-01-01") == 0.0


def test_the_largest_points_do_not_overflow():
    journeys = of(range(1000), ["a"] * 1000)
    assert EngagementScale([PointRule("a", 1e100)]).score(journeys[0], at="2024-01-01") < math.inf


# ---------------------------------------------------------------- instants, warnings, results


@pytest.mark.parametrize("at", ["2024-01-01T10:00", "soon", 5, None, "2300-01-01"])
def test_the_instant_is_checked(at):
    with pytest.raises(DefinitionError, match="at"):
        EngagementScale([PointRule("a", 1)]).score(of([0], ["a"]), at=at)


def test_the_instant_has_no_default():
    with pytest.raises(TypeError, match="at"):
        EngagementScale([PointRule("a", 1)]).score(of([0], ["a"]))


def test_only_journeys_are_scored():
    with pytest.raises(SchemaError, match="expected Journeys"):
        EngagementScale([PointRule("a", 1)]).score([1, 2], at="2024-01-01")


def test_a_scale_that_fits_nothing_warns_once_where_it_was_called():
    scale = EngagementScale([PointRule("purchse", 100), PointRule("vew", 1)], name="shop")
    journeys = of([0, 1], ["purchase", "view"])
    with pytest.warns(CxWarning, match="not one event.*'shop'.*Did you mean 'purchase'") as seen:
        assert scale.score(journeys, at="2024-01-01").values.tolist() == [0]
    assert [w.filename for w in seen] == [__file__]
    with pytest.warns(CxWarning, match="no touchpoint has an event"):
        scale.score(of([0], [None]), at="2024-01-01")


def test_one_unknown_event_or_one_journey_does_not_warn():
    journeys = of([0, 1], ["purchase", "view"])
    scale = EngagementScale([PointRule("purchse", 100), PointRule("view", 1)])
    assert scale.score(journeys, at="2024-01-01").values.tolist() == [1]
    assert EngagementScale([PointRule("x", 1)]).score(journeys[0], at="2024-01-01") == 0


def _shop():
    rows = [("ann", 0, "view"), ("bob", 1, "buy"), ("cee", 2, "buy"), ("cee", 60, "view")]
    who, minute, event = zip(*rows, strict=True)
    return Journeys.from_codes(
        customer=Codes.of(list(who)),
        time=np.array(minute) * MINUTE,
        columns={"event": Codes.of(list(event))},
    )


def test_scores_as_a_table_and_as_an_array():
    scale = EngagementScale([PointRule("buy", 100), PointRule("view", 1)], name="shop")
    scores = scale.score(_shop(), at="1970-01-01T00:30Z")
    assert scores.to_dicts() == [
        {"customer": "ann", "journey": 0, "score": 1.0, "touchpoints": 1, "excluded": 0},
        {"customer": "bob", "journey": 1, "score": 100.0, "touchpoints": 1, "excluded": 0},
        {"customer": "cee", "journey": 2, "score": 100.0, "touchpoints": 2, "excluded": 1},
    ]
    assert np.asarray(scores).tolist() == [1, 100, 100]
    assert np.asarray(scores, dtype=np.float32).dtype == np.float32
    assert scores.at.isoformat() == "1970-01-01T00:30:00+00:00"
    assert "shop at 1970-01-01 00:30:00 UTC, no ageing" in repr(scores)
    assert "1 touchpoints after this instant earn nothing" in repr(scores)
    with pytest.raises(ValueError, match="read-only"):
        scores.values[0] = 5
    with pytest.raises(ValueError, match="read-only"):
        np.asarray(scores)[0] = 5


def test_top_keeps_the_order_of_equals_and_what_it_came_from():
    scale = EngagementScale([PointRule("buy", 100), PointRule("view", 1)])
    scores = scale.score(_shop(), at="1970-01-02")
    top = scores.top(2)
    assert [row["customer"] for row in top.to_dicts()] == ["cee", "bob"]
    assert top.positions.tolist() == [2, 1]
    assert top.explain(0).score == 101
    assert top.explain(-1).score == 100
    assert scores.top(99).values.tolist() == [101, 100, 1]
    tied = scale.score(_shop(), at="1970-01-01T00:30Z").top(2)
    assert tied.positions.tolist() == [1, 2]
    assert len(scores.top(0)) == 0
    with pytest.raises(DefinitionError, match="n must not be negative"):
        scores.top(-1)
    with pytest.raises(IndexError, match="score 3 of 3"):
        scores.explain(3)


def test_an_explanation_as_a_table():
    journeys = of([0, 10, 1440], ["view", "view", "buy"], channel=["web", None, "app"])
    scale = EngagementScale(
        [PointRule("buy", 8), PointRule("view", 4, count="once_per_session")], half_life="1d"
    )
    told = scale.explain(journeys[0], at="1970-01-01T12:00Z")
    rows = told.to_dicts()
    assert [row["reason"] for row in rows] == [
        "",
        "counted already in this session",
        "after the instant of the score",
    ]
    assert rows[0]["decay"] == pytest.approx(0.5**0.5)
    assert math.isnan(rows[2]["decay"])
    assert [row["channel"] for row in rows] == ["web", None, "app"]
    assert "engagement of 'ann' at 1970-01-01 12:00:00 UTC: 2.828, half-life 1d" in repr(told)
    assert "<table>" in told._repr_html_()
    with pytest.raises(DefinitionError, match="explain takes one journey"):
        scale.explain(_shop(), at="1970-01-02")


def test_results_stay_read_only_when_pickled():
    scale = EngagementScale([PointRule("buy", 100)])
    scores = scale.score(_shop(), at="1970-01-02")
    again = pickle.loads(pickle.dumps(scores))
    assert again.to_dicts() == scores.to_dicts()
    assert not again.values.flags.writeable
    told = pickle.loads(pickle.dumps(scores.explain(1)))
    assert told.to_dicts() == scores.explain(1).to_dicts()
    assert not told.earned.flags.writeable


def test_one_journey_made_by_hand():
    journey = Journey.of(
        [Touchpoint("ann", "2024-01-02", "b"), Touchpoint("ann", "2024-01-01", "a")]
    )
    scale = EngagementScale([PointRule("a", 2), PointRule("b", 4)], half_life="1d")
    found = scale.score(journey, at="2024-01-03")
    assert type(found) is float
    assert found == 2.5
