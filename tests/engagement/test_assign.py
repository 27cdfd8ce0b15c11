"""Points from an order, from worth, and from comparisons; conditions of goals and rules."""

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from cxkit.core.codes import Codes
from cxkit.engagement import (
    EngagementScale,
    HalfLife,
    Inactivity,
    LinearDecay,
    PointRule,
    RollingWindow,
    Scores,
    ahp_points,
    bradley_terry_points,
    geometric_points,
    linear_points,
    points_of_worth,
    worth_of_goal,
)
from cxkit.engagement.days import Days
from cxkit.errors import DataError, DefinitionError, MergeError, SchemaError
from cxkit.model.goal import Goal
from cxkit.model.journeys import Journeys
from tests.engagement.scales import day_of, goals, reaches
from tests.examples import some
from tests.strategies import grouped, journeys_of, touchpoint_rows


@settings(max_examples=some(60))
@given(touchpoint_rows(), goals())
def test_goals_reach_what_they_say(rows, goal):
    journeys = journeys_of(rows)
    expected = [reaches(goal, row) for journey in grouped(rows).values() for row in journey]
    assert goal.matches(journeys).tolist() == expected
    find = goal.finder(journeys)
    assert ([] if find is None else find(0, len(rows)).tolist()) == np.flatnonzero(
        expected
    ).tolist()
    if find is not None and len(rows) > 4:
        assert find(2, 4).tolist() == np.flatnonzero(expected[2:4]).tolist()
    alone = [goal.reached_by(r[2], r[3], r[5], {"campaign": r[4]}) for r in rows]
    assert sorted(alone) == sorted(expected)
    assert Goal.from_dict(json.loads(json.dumps(goal.to_dict()))) == goal
    assert hash(Goal.from_dict(goal.to_dict())) == hash(goal)


def test_goals_are_equal_however_they_are_written():
    one = Goal("buy", value=[50, None], where={"plan": ["pro", "team", "pro"], "n": 3})
    two = Goal("buy", value=(50.0, None), where={"n": [3], "plan": ("team", "pro")})
    assert one == two
    assert one.name == "buy, value from 50, n 3, plan 'pro' or 'team'"
    assert Goal("buy", value=(None, 9)).name == "buy, value to 9"
    assert Goal("buy", value=(1_234_567, None)).name == "buy, value from 1234567"
    assert one.conditional
    assert not Goal("buy", "web").conditional
    assert Goal("buy", name="x").same == Goal("buy").same


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"value": 5}, "pair such as"),
        ({"value": (1, 2, 3)}, "pair such as"),
        ({"value": (None, None)}, "asks nothing"),
        ({"value": (5, 1)}, "no value lies in the range"),
        ({"value": (math.nan, 1)}, "pair such as"),
        ({"where": {"plan": []}}, "no label is given"),
        ({"where": {"plan": 1.5}}, "text or a whole number"),
        ({"where": {"plan": [True]}}, "text or a whole number"),
        ({"where": {"": "x"}}, "a column is a name"),
        ({"where": {"event": "x"}}, "is not for conditions"),
        ({"where": "plan"}, "where of a goal is a mapping"),
    ],
)
def test_conditions_are_checked(options, what):
    with pytest.raises(DefinitionError, match=what):
        Goal("buy", **options)


def test_a_condition_on_a_column_that_is_not_there():
    journeys = journeys_of([("c", 0, "buy", "web", 1, 2.0)])
    with pytest.raises(SchemaError, match="no column 'plan'"):
        Goal("buy", where={"plan": "pro"}).matches(journeys)
    with pytest.raises(SchemaError, match="holds numbers"):
        Goal("buy", where={"worth": "pro"}).finder(
            Journeys.from_codes(
                customer=np.array([1]), time=np.array([0]), columns={"worth": np.array([1.5])}
            )
        )
    Goal("buy", where={"campaign": [1, 9]}).require(journeys)
    with pytest.raises(LookupError, match="no campaign 9"):
        Goal("buy", where={"campaign": 9}).require(journeys)
    assert Goal("buy", where={"plan": "pro"}).matches(Journeys.empty()).shape == (0,)


# ---------------------------------------------------------------- rules and scales


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"count": "cooldown"}, "needs a span"),
        ({"within": "1h"}, "is for count='cooldown'"),
        ({"count": "debounce", "within": "0min"}, "within"),
        ({"per_day": 0}, "per_day of a rule must be a whole number"),
        ({"per_day": 2.0}, "per_day of a rule must be a whole number"),
        ({"per_day": True}, "per_day of a rule must be a whole number"),
        ({"cap": -1}, "cap of a rule must be 0 or more"),
        ({"group": " "}, "group of a rule is a name"),
        ({"points_from": 5}, "points_from of a rule is a name"),
    ],
)
def test_rules_are_checked(options, what):
    with pytest.raises(DefinitionError, match=what):
        PointRule("buy", 1, **options)


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"half_life": "1d", "ageing": RollingWindow("1d")}, "two answers to one question"),
        ({"half_life": "1d", "ageing": HalfLife("2d")}, "two answers to one question"),
        ({"ageing": "14d"}, "ageing is one of"),
        ({"group_caps": {"sale": 5}}, "no rule is in that group.*Did you mean 'sales'"),
        ({"group_caps": {"sales": -5}}, "must be 0 or more"),
        ({"group_caps": 5}, "group_caps is a mapping"),
        ({"cap": math.inf}, "cap of a scale must be finite"),
        ({"floor": 1}, "floor of a scale must be 0 or less"),
        ({"zone": "Mars/Base"}, "no time zone"),
        ({"zone": None}, "zone is the name"),
        ({"primary": "view"}, "must have the most points"),
        ({"primary": "by"}, "Did you mean 'buy'"),
        ({"version": ""}, "version of a scale is text"),
    ],
)
def test_scales_are_checked(options, what):
    rules = [PointRule("buy", 10, group="sales"), PointRule("view", 1)]
    with pytest.raises(DefinitionError, match=what):
        EngagementScale(rules, **options)


@pytest.mark.parametrize(
    ("steps", "what"),
    [
        ({}, "one or more steps"),
        (5, "steps of inactivity"),
        ({"1d": -1}, "0 or more"),
        ([1], "mapping"),
    ],
)
def test_inactivity_is_checked(steps, what):
    with pytest.raises(DefinitionError, match=what):
        Inactivity(steps)


def test_events_of_inactivity_are_labels():
    for wrong in ([], [1.5], [True]):
        with pytest.raises(DefinitionError, match=r"events"):
            Inactivity({"1d": 1}, events=wrong)
    assert Inactivity({"1d": 1}, events="view").events == ("view",)


def test_a_half_life_is_one_thing_in_two_spellings():
    rules = [PointRule("buy", 1)]
    one, two = EngagementScale(rules, "14d"), EngagementScale(rules, ageing=HalfLife("14d"))
    assert one == two
    assert (one.half_life, two.half_life, one.digest) == ("14d", "14d", two.digest)
    line = EngagementScale(rules, ageing=LinearDecay("60d"))
    assert line.half_life is None
    assert "linear to 0 over 60d" in repr(line)


def test_ageing_that_is_no_ageing_is_refused_when_read():
    data = EngagementScale([PointRule("buy", 1)], ageing=LinearDecay("60d")).to_dict()
    assert EngagementScale.from_dict(data).ageing == LinearDecay("60d")
    for wrong in (
        {"kind": "lines"},
        5,
        {"kind": "linear"},
        {"kind": "linear", "over": "1d", "x": 1},
    ):
        with pytest.raises(DataError, match="ageing"):
            EngagementScale.from_dict(data | {"ageing": wrong})


def test_scores_of_two_scales_are_never_put_together():
    rows = [("a", 0, "buy", "web", 1, 1.0), ("b", 0, "buy", "web", 1, 1.0)]
    journeys = journeys_of(rows)
    rules = [PointRule("buy", 1)]
    one = EngagementScale(rules).score(journeys[:1], at="1970-01-02")
    two = EngagementScale(rules).score(journeys[1:], at="1970-01-02")
    both = Scores.concat([one, two])
    assert both.values.tolist() == [1, 1]
    assert both.customer.to_list() == ["a", "b"]
    assert both.explain(1).score == 1
    for other in (
        EngagementScale(rules, version="2").score(journeys[1:], at="1970-01-02"),
        EngagementScale(rules, name="other").score(journeys[1:], at="1970-01-02"),
        EngagementScale([PointRule("buy", 2)]).score(journeys[1:], at="1970-01-02"),
        EngagementScale(rules).score(journeys[1:], at="1970-01-03"),
    ):
        with pytest.raises(MergeError, match="not on one scale"):
            Scores.concat([one, other])
    with pytest.raises(MergeError, match="no scores"):
        Scores.concat([])
    assert set(one.stamp) == {"scale", "version", "digest", "at"}
    assert "version 2" in repr(EngagementScale(rules, version="2").score(journeys, at="1970-01-02"))


def test_the_primary_goal_and_inversions():
    rules = [PointRule("view", 1), PointRule("buy", 100), PointRule("view", 5, "once_per_session")]
    scale = EngagementScale(rules, primary="buy")
    assert scale.primary_goal == Goal("buy")
    assert EngagementScale(rules).primary_goal == Goal("buy")
    assert scale.inversions(["view", "buy"]) == []
    assert scale.inversions(["buy", "view"]) == [("buy", "view")]
    with pytest.raises(DefinitionError, match="no goal 'bye'"):
        scale.inversions(["view", "bye"])


def test_a_column_of_points():
    rows = [("a", 0, "buy", "web", 7, 2.5), ("a", 1, "buy", "web", None, math.nan)]
    journeys = journeys_of(rows)
    assert EngagementScale([PointRule("buy", 1, points_from="value")]).points(
        journeys
    ).tolist() == [2.5, 1]
    assert EngagementScale([PointRule("buy", 1, points_from="campaign")]).points(
        journeys
    ).tolist() == [7, 1]
    for column, what in (
        ("channel", "holds text"),
        ("time", "names times"),
        ("x", "no column 'x'"),
    ):
        with pytest.raises(SchemaError, match=what):
            EngagementScale([PointRule("buy", 1, points_from=column)]).points(journeys)
    wrong = Journeys.from_codes(
        customer=np.array([1]),
        time=np.array([0]),
        columns={"event": Codes.of(["buy"]), "worth": np.array([math.inf])},
    )
    with pytest.raises(DataError, match="points must be finite"):
        EngagementScale([PointRule("buy", 1, points_from="worth")]).points(wrong)
    with pytest.raises(SchemaError, match="holds text"):
        EngagementScale([PointRule("buy", 1, points_from="channel")]).points(journeys)


@settings(max_examples=some(30))
@given(
    st.sampled_from(
        ["UTC", "Europe/Amsterdam", "America/Sao_Paulo", "Pacific/Apia", "Asia/Kolkata"]
    ),
    st.lists(st.integers(-(10**15), 17 * 10**14), min_size=1, max_size=20),
)
def test_days_are_those_of_the_calendar(zone, ticks):
    expected = [day_of(us, zone).toordinal() - 719_163 for us in ticks]
    assert Days(zone).numbers(np.array(ticks)).tolist() == expected
    one = Days(zone)
    assert [one.number(us) for us in ticks] == expected
    assert Days(zone).numbers(np.zeros(0, np.int64)).shape == (0,)


# ---------------------------------------------------------------- assigning points


def test_orders_and_worth():
    assert geometric_points(["a"]) == {"a": 100.0}
    assert geometric_points(["a", "b"], lowest=2, highest=8) == {"a": 2.0, "b": 8.0}
    assert linear_points(["a", "b", "c"], whole=True) == {"a": 1.0, "b": 50.0, "c": 100.0}
    assert points_of_worth({"a": worth_of_goal(0.1, 500), "b": 100}) == {"a": 50.0, "b": 100.0}
    for call, what in (
        (lambda: geometric_points([]), "list of names"),
        (lambda: geometric_points("abc"), "list of names"),
        (lambda: geometric_points(["a", "a"]), "comes twice"),
        (lambda: geometric_points(["a", "b"], lowest=0), "above 0"),
        (lambda: linear_points(["a", "b"], lowest=5, highest=5), "less than"),
        (lambda: worth_of_goal(1.5, 10), "share between 0 and 1"),
        (lambda: worth_of_goal(0.5, math.nan), "finite"),
        (lambda: points_of_worth({"a": 0}), "no goal is worth anything"),
        (lambda: points_of_worth({}), "no goal is worth anything"),
    ):
        with pytest.raises(DefinitionError, match=what):
            call()


@settings(max_examples=some(30))
@given(st.lists(st.floats(0.2, 5), min_size=2, max_size=5))
def test_consistent_judgements_give_their_weights_back(weights):
    names = [f"g{k}" for k in range(len(weights))]
    pairs = {
        (names[i], names[j]): weights[i] / weights[j]
        for i, j in itertools.combinations(range(len(weights)), 2)
    }
    found = ahp_points(names, pairs)
    assert found.weight == pytest.approx(np.array(weights) / sum(weights), rel=1e-6)
    assert found.points.max() == pytest.approx(100)
    assert math.isnan(found.consistency) == (len(weights) < 3)
    assert math.isnan(found.consistency) or abs(found.consistency) < 1e-6


def test_a_textbook_hierarchy():
    # Three goals with judgements 3, 5 and 3: weights .637, .258 and .105, consistency ratio .033.
    found = ahp_points(list("abc"), {("a", "b"): 3, ("a", "c"): 5, ("c", "b"): 1 / 3})
    assert found.weight == pytest.approx([0.637, 0.258, 0.105], abs=5e-4)
    assert found.consistency == pytest.approx(0.033, abs=5e-4)
    assert "consistent enough" in repr(found)
    wild = ahp_points(list("abc"), {("a", "b"): 9, ("b", "c"): 9, ("c", "a"): 9})
    assert "judge again" in repr(wild)
    assert set(found.to_points()) == {"a", "b", "c"}


def test_comparisons_that_are_refused():
    for judgements, what in (
        ({("a", "b"): 2}, "are not judged"),
        ({("a", "b"): 2, ("b", "a"): 1, ("a", "c"): 1, ("b", "c"): 1}, "judged twice"),
        ({("a", "x"): 2}, "none of the goals"),
        ({("a", "a"): 2}, "compared with itself"),
        ({("a", "b"): 0}, "ratio above 0"),
    ):
        with pytest.raises(DefinitionError, match=what):
            ahp_points(["a", "b", "c"], judgements)
    with pytest.raises(DefinitionError, match="two or more different goals"):
        ahp_points(["a"], {})
    for wins, what in (
        ({("a", "b"): 2}, "so no finite weights fit"),
        ({("a", "b"): 2, ("b", "a"): 1, ("c", "a"): 1}, "so no finite weights fit"),
        ({("a", "b"): -1}, "counted from 0 up"),
        ({}, "two or more different goals"),
    ):
        with pytest.raises(DefinitionError, match=what):
            bradley_terry_points(wins)


@settings(max_examples=some(30))
@given(st.integers(0, 10**6), st.integers(2, 4))
def test_the_likelihood_is_the_largest(seed, count):
    rng = np.random.default_rng(seed)
    names = [f"g{k}" for k in range(count)]
    won = {(a, b): int(rng.integers(1, 9)) for a in names for b in names if a != b}
    found = bradley_terry_points(won)

    def likelihood(weight):
        w = dict(zip(names, weight, strict=True))
        return sum(n * math.log(w[a] / (w[a] + w[b])) for (a, b), n in won.items())

    best = likelihood(found.weight)
    for step in rng.normal(0, 1e-2, (30, count)):
        assert likelihood(found.weight * np.exp(step)) <= best + 1e-9
    assert found.points.max() == pytest.approx(100)
