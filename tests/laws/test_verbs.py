"""Duality, subset, order and purity, over every verb that answers per journey or per touchpoint."""

import inspect
import pickle

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import cxkit as cx
from tests.examples import some
from tests.strategies import journeys_of, reordered, touchpoint_rows

A = cx.attribution
SCALE = cx.EngagementScale(
    [
        cx.PointRule("buy", 100),
        cx.PointRule("cart", 7.3, count="once_per_session"),
        cx.PointRule(cx.Goal("view", "web"), 1.7),
        cx.PointRule("mail", -1.1, count="once_per_customer"),
    ],
    half_life="45min",
)
WHOLE = cx.EngagementScale(
    [
        cx.PointRule("buy", 100, cap=150),
        cx.PointRule("cart", 7.3, count="cooldown", within="40min", group="g"),
        cx.PointRule("view", 1.7, count="debounce", within="10min", per_day=2, group="g"),
        cx.PointRule("mail", -1.1, count="calendar_day", points_from="value"),
    ],
    ageing=cx.engagement.LinearDecay("5h"),
    group_caps={"g": 9},
    floor=-2,
)
FUNNEL = cx.flow.Funnel(["view", "cart", "buy"], within="2h")
FRICTION = cx.flow.Friction({"steps": 1, "minutes": 0.3, "switches": 2}, errors="mail")
PLAN = cx.flow.JourneyPlan({"look": ["view"], "buy": ["cart", "buy"]})
STRICT = cx.flow.Funnel(["view", "buy"], entry="first", ties="strict")
RULES = [
    *(A.FirstTouch(), A.LastTouch(), A.Linear(), A.PositionBased(), A.TimeDecay("1h")),
    *(A.LastNonDirect("web"), A.LinearDistinct(), A.LabelWeights({"web": 2, "app": 1})),
]

PER_JOURNEY = {
    "score": lambda js: np.asarray(SCALE.score(js, at="1970-01-01T03:00Z")),
    "score, no ageing": lambda js: np.asarray(
        cx.EngagementScale(SCALE.rules).score(js, at="2000-01-01")
    ),
    "score, whole": lambda js: np.asarray(WHOLE.score(js, at="1970-01-01T03:00Z")),
    "funnel": FUNNEL.reached,
    "strict funnel": STRICT.reached,
    "funnel of one campaign": cx.flow.Funnel(
        ["view", "buy"], ties="any", hold="campaign", without=["mail"]
    ).reached,
    "funnel in any order": cx.flow.Funnel(["view", "cart"], "1h", order="any").reached,
    "effort": lambda js: (
        FRICTION.effort(js) if isinstance(js, cx.Journey) else FRICTION.effort(js).effort
    ),
    "fitness": lambda js: (
        PLAN.align(js).fitness[0] if isinstance(js, cx.Journey) else PLAN.align(js).fitness
    ),
    "shard": lambda js: js.journeys.shards[0] if isinstance(js, cx.Journey) else js.shards,
}
PER_TOUCHPOINT = {
    "points": SCALE.points,
    "points, whole": WHOLE.points,
    "running": SCALE.running,
    "running, whole": WHOLE.running,
    "contributions": lambda js: WHOLE.contributions(js, at="1970-01-01T03:00Z"),
    **{
        rule.name: lambda js, rule=rule: A.credit(js, "buy", rule, lookback="3h").credit
        for rule in RULES
    },
    "credit without restart": lambda js: (
        A.credit(js, "buy", A.Linear(), restart=False, most_touches=3).credit
    ),
    "worth": lambda js: A.credit(js, "buy", A.Linear(), goal_is_touch=False).value,
}
# Journeys always hold every event, for a verb refuses a goal that the data does not have.
FILL = [("z", 0, event, "web", 1, 1.0) for event in ("view", "cart", "buy", "mail")]
few = settings(max_examples=some(8))


def bits(values):
    return np.asarray(values).tobytes()


@pytest.mark.parametrize("verb", PER_JOURNEY.values(), ids=PER_JOURNEY)
@few
@given(rows=touchpoint_rows())
def test_one_journey_has_the_number_it_has_among_many(verb, rows):
    journeys = journeys_of(rows + FILL)
    many = verb(journeys)
    assert len(many) == len(journeys)
    for j, journey in enumerate(journeys):
        assert float(verb(journey)) == float(many[j])


@pytest.mark.parametrize("verb", PER_JOURNEY.values(), ids=PER_JOURNEY)
@few
@given(rows=touchpoint_rows(), data=st.data())
def test_the_answer_for_a_subset_is_the_subset_of_the_answer(verb, rows, data):
    journeys = journeys_of(rows + FILL)
    which = data.draw(st.lists(st.integers(0, len(journeys) - 1), unique=True))
    assert bits(verb(journeys.take(which))) == bits(np.asarray(verb(journeys))[which])


@pytest.mark.parametrize("verb", PER_TOUCHPOINT.values(), ids=PER_TOUCHPOINT)
@few
@given(rows=touchpoint_rows(), data=st.data())
def test_touchpoints_of_a_subset_have_what_they_have_among_all(verb, rows, data):
    journeys = journeys_of(rows + FILL)
    whole = verb(journeys)
    assert len(whole) == journeys.touchpoints
    j = data.draw(st.integers(0, len(journeys) - 1))
    rows_of_j = slice(int(journeys.offsets[j]), int(journeys.offsets[j + 1]))
    assert bits(verb(journeys[j])) == bits(whole[rows_of_j])
    assert bits(verb(journeys.take([j]))) == bits(whole[rows_of_j])


@pytest.mark.parametrize(
    "verb", [*PER_JOURNEY.values(), *PER_TOUCHPOINT.values()], ids=[*PER_JOURNEY, *PER_TOUCHPOINT]
)
@few
@given(rows=touchpoint_rows(), data=st.data())
def test_order_of_the_input_and_asking_twice_change_nothing(verb, rows, data):
    rows = rows + FILL
    journeys, again = journeys_of(rows), journeys_of(data.draw(reordered(rows)))
    before = pickle.dumps(journeys)
    first = bits(verb(journeys))
    assert bits(verb(again)) == first
    assert bits(verb(journeys)) == first
    assert pickle.dumps(journeys) == before


@pytest.mark.parametrize("verb", PER_TOUCHPOINT.values(), ids=PER_TOUCHPOINT)
def test_what_is_handed_out_is_read_only(verb):
    with pytest.raises(ValueError, match="read-only"):
        verb(journeys_of(FILL))[0] = 1


def test_equal_times_keep_the_order_of_the_input():
    a = [("c", 0, "view", "web", 1, 1.0), ("c", 0, "buy", "web", 1, 1.0)]
    funnel = cx.flow.Funnel(["view", "buy"])
    assert funnel.reached(journeys_of(a)).tolist() == [2]
    assert funnel.reached(journeys_of(a[::-1])).tolist() == [1]


def test_no_verb_takes_its_instant_from_the_batch():
    assert inspect.signature(cx.EngagementScale.score).parameters["at"].default is inspect._empty
    assert "at" in inspect.signature(SCALE.explain).parameters


def test_rng_alone_decides():
    one, two = (cx.simulate.retail(200, rng=7).journeys for _ in range(2))
    assert one == two
    assert one != cx.simulate.retail(200, rng=8).journeys
