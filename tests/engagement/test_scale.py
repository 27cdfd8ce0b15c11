import json
import pickle
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given

from cxkit.engagement import EngagementScale, PointRule
from cxkit.errors import DataError, DefinitionError
from cxkit.model.goal import Goal
from tests.engagement.scales import scales


@given(scales())
def test_round_trip_through_json(scale):
    again = EngagementScale.from_dict(json.loads(json.dumps(scale.to_dict())))
    assert again == scale
    assert hash(again) == hash(scale)
    assert pickle.loads(pickle.dumps(scale)) == scale


def test_spans_are_compared_by_length_not_by_spelling():
    rules = [PointRule("buy", 1)]
    one = EngagementScale(rules, half_life="14d", session_gap="30min")
    two = EngagementScale(
        rules, half_life=timedelta(days=14), session_gap=np.timedelta64(1800, "s")
    )
    assert one == two
    assert one.half_life_us == two.half_life_us == 14 * 86_400_000_000
    assert one.to_dict() == two.to_dict()
    assert one != EngagementScale(rules, half_life="15d")


def test_repr_reads_as_it_is_written():
    scale = EngagementScale(
        [
            PointRule("buy", 100),
            PointRule(Goal("view", channel="web"), 0.5, count="once_per_session"),
        ]
    )
    shown = repr(scale)
    assert "PointRule('buy', 100)" in shown
    assert "no ageing" in shown
    assert "count='once_per_session'" in shown
    assert "channel='web'" in shown
    assert repr(scale.rules[0]) == "PointRule('buy', 100)"


def test_a_rule_takes_a_name_or_a_goal():
    assert PointRule("buy", 1) == PointRule(Goal("buy"), 1.0)
    assert PointRule(event="buy", points=np.float32(1)).points == 1.0
    assert PointRule(7, -3).goal.event == 7


@pytest.mark.parametrize(
    "points", [float("nan"), float("inf"), -float("inf"), 1e101, 10**400, "5", None, True, [1]]
)
def test_points_must_be_a_finite_number(points):
    with pytest.raises(DefinitionError, match="points of a rule must be"):
        PointRule("buy", points)


def test_an_unknown_way_of_counting_gets_a_hint():
    with pytest.raises(DefinitionError, match="Did you mean 'once_per_session'"):
        PointRule("buy", 1, count="once_per_sesion")


@pytest.mark.parametrize(
    ("rules", "what"),
    [
        ([], "needs at least one rule"),
        (["buy"], "rules of a scale are PointRules"),
        (None, "rules of a scale are PointRules"),
        ({"buy": 1}, "rules of a scale are PointRules"),
    ],
)
def test_rules_must_be_rules(rules, what):
    with pytest.raises(DefinitionError, match=what):
        EngagementScale(rules)


def test_one_rule_alone_is_a_scale():
    assert EngagementScale(PointRule("buy", 1)).rules == (PointRule("buy", 1),)


def test_the_same_goal_counted_the_same_way_twice_is_refused():
    with pytest.raises(DefinitionError, match="two rules count the same goal the same way"):
        EngagementScale([PointRule("buy", 1), PointRule(Goal("buy", name="other"), 2)])
    # A bonus for the first is another way of counting, and a channel makes it another goal.
    EngagementScale(
        [
            PointRule("buy", 1),
            PointRule("buy", 5, count="once_per_customer"),
            PointRule(Goal("buy", channel="web"), 1),
        ]
    )


@pytest.mark.parametrize(
    "options",
    [{"half_life": "0d"}, {"half_life": 14}, {"session_gap": None}, {"session_gap": "soon"}],
)
def test_spans_are_checked(options):
    with pytest.raises(DefinitionError, match=next(iter(options))):
        EngagementScale([PointRule("buy", 1)], **options)


@pytest.mark.parametrize("name", ["", "  ", None, 5])
def test_a_name_is_text(name):
    with pytest.raises(DefinitionError, match="name of a scale"):
        EngagementScale([PointRule("buy", 1)], name=name)


def _changed(**changes):
    return EngagementScale([PointRule("buy", 1)]).to_dict() | changes


@pytest.mark.parametrize(
    ("data", "what"),
    [
        ([], "no engagement scale"),
        ({}, "no engagement scale"),
        (_changed(schema="cxkit/engagement-scale/2"), "engagement-scale/2"),
        (_changed(caps=5), "unknown field 'caps'"),
        ({k: v for k, v in _changed().items() if k != "name"}, "field 'name' is missing"),
        (_changed(rules=7), "rules of an engagement scale must be a list"),
        (_changed(rules=["buy"]), "no point rule: found 'buy'"),
        (_changed(rules=[{"goal": "buy", "points": 1, "count": "every"}]), "no goal: found 'buy'"),
        (_changed(rules=[{"goal": {}, "points": 1}]), "field 'count' is missing"),
    ],
)
def test_data_that_is_no_scale_is_refused(data, what):
    with pytest.raises(DataError, match=what):
        EngagementScale.from_dict(data)
