import math
import pickle
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, strategies as st

import cxkit as cx
from cxkit.model.goal import as_goal
from tests.strategies import journeys_of, touchpoint_rows


def test_a_touchpoint_keeps_an_aware_time():
    when = datetime(2024, 3, 1, 10, tzinfo=UTC)
    point = cx.Touchpoint(
        "ann", "2024-03-01T12:00+02:00", event="open", properties={"campaign": "a"}
    )
    assert point.time == when
    assert point.time_us == 1_709_287_200_000_000
    assert math.isnan(point.value)
    assert point == cx.Touchpoint("ann", when, event="open", properties={"campaign": "a"})
    assert pickle.loads(pickle.dumps(point)) == point
    with pytest.raises(TypeError):
        point.properties["campaign"] = "b"


@pytest.mark.parametrize("nothing", [None, "", "NaN", math.nan, Decimal("NaN"), Decimal("sNaN")])
def test_no_value_is_nan_as_in_a_column(nothing):
    point = cx.Touchpoint("a", "2024-01-01T00:00Z", value=nothing)
    assert math.isnan(point.value)
    table = {"c": ["a"], "t": ["2024-01-01T00:00Z"], "v": [nothing]}
    assert math.isnan(cx.ingest(table, customer="c", time="t", value="v").journeys.value[0])


@pytest.mark.parametrize("value", [2, "2.0", " 2", np.float32(2), np.int8(2), Decimal(2)])
def test_a_value_is_any_number(value):
    point = cx.Touchpoint("a", "2024-01-01T00:00Z", value=value)
    assert (type(point.value), point.value) == (float, 2.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"customer": ""}, "needs a customer; found ''"),
        ({"customer": None}, "needs a customer"),
        ({"customer": 1.5}, "customer of a touchpoint is text or a whole number; found 1.5"),
        ({"customer": True}, "found True"),
        ({"time": "2024-03-01T10:00"}, "has no zone"),
        ({"event": ["x"]}, "event of a touchpoint"),
        ({"channel": 1.5}, "channel of a touchpoint"),
        ({"value": math.inf}, "finite number or NaN; found inf"),
        ({"value": "inf"}, "finite number or NaN; found inf"),
        ({"value": "x"}, "value of a touchpoint is a finite number, NaN or None; found 'x'"),
        ({"value": "1_0"}, "value of a touchpoint .* found '1_0'"),
        ({"value": b"1"}, "value of a touchpoint .* found b'1'"),
        ({"value": [1]}, r"value of a touchpoint .* found \[1\]"),
        ({"value": True}, "value of a touchpoint .* found True"),
        ({"value": np.True_}, "value of a touchpoint .* found .*True"),
        ({"value": np.timedelta64(1, "s")}, "value of a touchpoint .* found .*timedelta64"),
        ({"value": 10**400}, "value of a touchpoint .* found 1000"),
    ],
)
def test_a_touchpoint_validates_itself(change, message):
    good = {"customer": "ann", "time": "2024-03-01"}
    with pytest.raises(cx.CxError, match=message):
        cx.Touchpoint(**{**good, **change})


@given(touchpoint_rows(min_rows=1))
def test_a_journey_is_its_touchpoints(rows):
    journeys = journeys_of(rows)
    for journey in journeys:
        again = cx.Journey.of(list(journey))
        assert again.customer == journey.customer
        assert [repr(t) for t in again] == [repr(t) for t in journey]
        assert len(journey) == journey.journeys.touchpoints
        assert journey[-1] == journey[len(journey) - 1]
        assert pickle.loads(pickle.dumps(journey)) == journey


def test_a_journey_has_one_customer():
    points = [cx.Touchpoint(c, "2024-03-01", event="x") for c in ("ann", "bob")]
    with pytest.raises(cx.DataError, match="2 customers"):
        cx.Journey.of(points)
    with pytest.raises(cx.DataError, match="found 0 touchpoints"):
        cx.Journey.of([])
    journey = cx.Journey.of(points[:1])
    with pytest.raises(IndexError, match="touchpoint 1 of 1"):
        journey[1]
    assert journey != points
    assert repr(journey) == "<Journey of 'ann': 1 touchpoints, 2024-03-01 to 2024-03-01: x>"


@given(touchpoint_rows(), st.sampled_from([("buy", None), ("buy", "store"), ("gone", None)]))
def test_goals_match_rows(rows, wanted):
    journeys = journeys_of(rows)
    event, channel = wanted
    expected = [
        e == event and (channel is None or c == channel)
        for e, c in zip(journeys.event.to_list(), journeys.channel.to_list(), strict=True)
    ]
    assert cx.Goal(event, channel).matches(journeys).tolist() == expected


def test_goals():
    assert cx.Goal("buy", "store").name == "buy in store"
    assert as_goal("buy") == cx.Goal("buy")
    assert as_goal(cx.Goal("buy")) == cx.Goal("buy")
    goal = cx.Goal("buy", "store", name="bought")
    assert cx.Goal.from_dict(goal.to_dict()) == goal
    with pytest.raises(cx.DataError, match="schema"):
        cx.Goal.from_dict({"schema": "cxkit/goal/9"})
    for odd in ("", None, True, 1.5):
        with pytest.raises(cx.DefinitionError, match="name of an event"):
            cx.Goal(odd)


def test_a_goal_that_cannot_be_reached_is_refused():
    journeys = journeys_of([("c1", 0, "buy", "web", 1, 2.0)])
    cx.Goal("buy", "web").require(journeys)
    with pytest.raises(cx.UnknownLabelError, match=r"no event 'bye'.* Did you mean 'buy'\?"):
        cx.Goal("bye").require(journeys)
    with pytest.raises(cx.UnknownLabelError, match="no channel 'store'"):
        cx.Goal("buy", "store").require(journeys)


def test_times_beyond_datetime_are_not_needed():
    point = cx.Touchpoint("a", np.datetime64("2200-12-31T23:59:59.999999"))
    assert point.time.year == 2200
