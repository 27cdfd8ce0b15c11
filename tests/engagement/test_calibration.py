"""Points from what customers did next, and tests of a score against what followed."""

import itertools
import json
import math
import pickle
import sys

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from cxkit.core.codes import Codes
from cxkit.core.intervals import shard_draws
from cxkit.engagement import (
    EngagementScale,
    GoalOutcomes,
    OutcomePlan,
    PointRule,
    Validation,
    auc,
    calibrate,
    isotonic_rates,
    nonnegative_logistic,
    points_of_effects,
    points_of_log_odds,
    reached_after,
    trend_test,
    validate,
)
from cxkit.errors import DataError, DefinitionError, MissingExtraError, UnknownLabelError
from cxkit.model.goal import Goal
from cxkit.model.journeys import Journeys
from tests.engagement.scales import MINUTE
from tests.examples import some
from tests.strategies import grouped, journeys_of, touchpoint_rows

GOALS = (Goal("view"), Goal("cart", channel="web"), Goal("mail", value=(0, None)))


def instant(minute):
    return np.datetime64(minute * MINUTE, "us")


def slow_sets(rows, goals, outcome, at, until):
    """The set of goals that each customer reached, and whether the customer converted."""
    found = []
    for journey in grouped(rows).values():
        bought = [row[1] for row in journey if row[2] == outcome]
        last = math.inf if until is None else until * MINUTE
        if at is None:
            place = next((k for k, row in enumerate(journey) if row[2] == outcome), len(journey))
            known = [row for row in journey[:place] if row[1] <= last]
            if journey[0][1] > last:
                continue
            converted = any(us <= last for us in bought)
        else:
            known = [row for row in journey if row[1] <= at * MINUTE]
            converted = any(at * MINUTE < us <= last for us in bought)
            if not known:
                continue
        reached = tuple(
            any(goal.reached_by(row[2], row[3], row[5]) for row in known) for goal in goals
        )
        found.append((reached, converted))
    return found


@settings(max_examples=some(60))
@given(touchpoint_rows(), st.sampled_from([None, 100]), st.sampled_from([None, 200]))
def test_outcomes_are_those_of_the_slow_count(rows, at, until):
    plan = OutcomePlan(
        GOALS,
        "buy",
        None if at is None else at * MINUTE,
        None if until is None else until * MINUTE,
    )
    assert OutcomePlan.from_dict(json.loads(json.dumps(plan.to_dict()))) == plan
    outcomes = GoalOutcomes.of(journeys_of(rows), plan=plan)
    expected = slow_sets(rows, GOALS, "buy", at, until)
    assert outcomes.customers.sum() == len(expected)
    assert outcomes.converted.sum() == sum(converted for _, converted in expected)
    members = outcomes.members
    for bits in itertools.product([False, True], repeat=3):
        same = (members == bits).all(axis=1)[:-1]
        for counts, wanted in (
            (outcomes.customers, [s for s, _ in expected]),
            (outcomes.converted, [s for s, converted in expected if converted]),
        ):
            assert counts[:, :-1][:, same].sum() == wanted.count(bits)


def customers(counts):
    """One customer for each: who reached which goals, and then converted or not."""
    rows = []
    for goals, bought in counts:
        who = len(rows) and rows[-1][0] + 1
        rows += [(who, 0, "start")] + [(who, 1, goal) for goal in goals]
        rows += [(who, 2, "buy")] * bought
    who, minute, event = zip(*rows, strict=True)
    return Journeys.from_codes(
        customer=np.array(who), time=np.array(minute) * MINUTE, columns={"event": Codes.of(event)}
    )


@pytest.mark.parametrize("at", [None, "1970-01-01T00:01Z"])
def test_customers_who_first_appear_after_the_end_change_nothing(at):
    until = "1970-01-01T00:02Z"
    late = Journeys.from_codes(
        customer=np.arange(10_000, 10_500),
        time=np.full(500, 3 * MINUTE),
        columns={"event": Codes.of(["a", "buy"] * 250)},
    )
    for method in ("conditional", "uplift", "shrunk"):
        found = calibrate(SHOP, ["a", "b"], "buy", method, at=at, until=until, draws=20)
        with_late = Journeys.concat([SHOP, late])
        again = calibrate(with_late, ["a", "b"], "buy", method, at=at, until=until, draws=20)
        assert again.to_dicts() == found.to_dicts()
        assert again.base == found.base == 0.215


# a and b overlap: b is reached by those who reach a, and does nothing of its own.
SHOP = customers(
    [(["a", "b"], True)] * 60
    + [(["a", "b"], False)] * 40
    + [(["a"], True)] * 120
    + [(["a"], False)] * 80
    + [(["b"], True)] * 5
    + [(["b"], False)] * 95
    + [([], True)] * 30
    + [([], False)] * 570
)


@pytest.mark.parametrize("at", [None, "1970-01-01T00:01Z"])
def test_worked_points(at):
    n, c, base = np.array([300, 200]), np.array([180, 65]), 215 / 1000
    other = np.array([35 / 700, 150 / 800])
    for method, expected in {
        "conditional": 100 * c / n,
        "uplift": 100 * (c / n - other),
        "shrunk": 100 * (c + 50 * base) / (n + 50),
    }.items():
        found = calibrate(SHOP, ["a", "b"], "buy", method, at=at, prior=50, draws=60)
        assert found.customers.tolist() == n.tolist()
        assert found.converted.tolist() == c.tolist()
        assert found.points == pytest.approx(expected)
        assert found.base == base
        assert (found.low < found.points).all()
        assert (found.points < found.high).all()
    joint = calibrate(SHOP, ["a", "b"], "buy", "logistic", at=at, draws=20, ridge=1e-6)
    # Those who reach b convert as those who do not: the joint model gives all points to a.
    assert joint.points[1] < 0.05 * joint.points[0]
    assert joint.points[0] == pytest.approx(20 * math.log2((0.6 / 0.4) / (0.05 / 0.95)), rel=1e-3)


def test_the_draws_are_those_of_the_shards():
    plan = OutcomePlan(["a", "b"], "buy")
    outcomes = GoalOutcomes.of(SHOP, plan=plan)
    found = outcomes.calibrate("uplift", draws=30, rng=5, level=0.9)
    occupied = outcomes.customers.sum(axis=1) > 0
    weights = shard_draws(5, 30, occupied)
    for draw, points in zip(weights, found.draws, strict=True):
        n, y = draw @ outcomes.customers, draw @ outcomes.converted
        for g in range(2):
            inside = outcomes.members[:, g] == 1
            p = y[inside].sum() / n[inside].sum()
            q = (y.sum() - y[inside].sum()) / (n.sum() - n[inside].sum())
            assert points[g] == pytest.approx(100 * (p - q))
    assert found.low == pytest.approx(np.quantile(found.draws, 0.05, axis=0))
    assert found.stable == pytest.approx((found.draws[:, 0] > found.draws[:, 1]).mean())
    again = outcomes.calibrate("uplift", draws=30, rng=5, level=0.9)
    assert np.array_equal(again.draws, found.draws)
    assert repr(pickle.loads(pickle.dumps(found))) == repr(found)


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(11)
    inside = 0
    for _ in range(60):
        reached = rng.random(1500) < 0.3
        bought = rng.random(1500) < np.where(reached, 0.4, 0.1)
        journeys = customers(
            [(["a"] * r, bool(y)) for r, y in zip(reached.tolist(), bought, strict=True)]
        )
        found = calibrate(journeys, ["a"], "buy", "uplift", draws=200)
        inside += bool(found.low[0] <= 30 <= found.high[0])
    assert 50 <= inside <= 60


def test_a_calibrated_scale():
    found = calibrate(SHOP, ["a", "b"], "buy", "uplift", draws=20)
    scale = found.scale(half_life="30d", name="mine")
    assert scale.primary_goal == Goal("buy")
    assert [rule.count for rule in scale.rules] == ["every", *["once_per_customer"] * 2]
    assert [rule.points for rule in scale.rules] == [100, *found.points.tolist()]
    assert scale.name == "mine"
    assert found.scale(count="every").rules[1].count == "every"
    text = repr(found)
    assert "points for 'buy' by uplift, 100 for itself" in text
    assert "of all customers 21.50% converted" in text
    few = calibrate(SHOP[:4], ["a"], "buy", "conditional")
    assert len(few.draws) == 0
    assert np.isnan(few.low).all()
    assert "too few customers for intervals" in repr(few)


def test_goals_that_all_or_nobody_reached():
    journeys = customers([(["a"], True)] * 40 + [(["a"], False)] * 60)
    uplift = calibrate(journeys, ["a"], "buy", "uplift", draws=5)
    assert np.isnan(uplift.points).all()
    assert "no points for goals that nobody, or everybody, reached" in repr(uplift)
    assert len(uplift.scale().rules) == 1
    empty = GoalOutcomes.zero(plan=OutcomePlan(["a"], "buy"))
    for method in ("conditional", "uplift", "shrunk", "logistic"):
        assert np.isnan(empty.calibrate(method).points).all()


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ({"method": "uplif"}, "Did you mean 'uplift'"),
        ({"goals": []}, "1 to 60 different goals"),
        ({"goals": ["a", Goal("a", name="x")]}, "1 to 60 different goals"),
        ({"goals": ["a", "buy"]}, "the outcome 'buy' is among the goals"),
        ({"at": "1970-01-02", "until": "1970-01-01"}, "until=.* must lie after at="),
        ({"at": "1970-01-01", "until": "1970-01-01"}, "must lie after at=1970-01-01 UTC"),
        ({"at": "1970-01-01", "until": "1969-12-01"}, "must lie after at=1970-01-01 UTC"),
        ({"prior": -1}, "prior must be 0 or more"),
        ({"draws": 0}, "draws must be a whole number"),
        ({"highest": math.nan}, "highest must be finite"),
        ({"level": 1.5}, "level must lie between"),
    ],
)
def test_calibrations_that_are_refused(arguments, what):
    with pytest.raises(DefinitionError, match=what):
        calibrate(SHOP, **{"goals": ["a"], "outcome": "buy", **arguments})


def test_unknown_goals_are_refused_and_scipy_is_asked_for(monkeypatch):
    with pytest.raises(UnknownLabelError, match="no event 'bay'"):
        calibrate(SHOP, ["a"], "bay")
    with pytest.raises(UnknownLabelError, match="no event 'z'"):
        calibrate(SHOP, ["z"], "buy")
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    with pytest.raises(MissingExtraError, match=r"cxkit\[stats\]"):
        calibrate(SHOP, ["a"], "buy", "logistic")


@settings(max_examples=some(15))
@given(st.integers(0, 10**6), st.integers(1, 3))
def test_no_point_near_the_fit_is_better(seed, goals):
    rng = np.random.default_rng(seed)
    members = np.array(list(itertools.product([0.0, 1.0], repeat=goals)))
    count = rng.integers(1, 200, len(members)).astype(float)
    converted = np.floor(count * rng.random(len(members)))
    beta = nonnegative_logistic(members, count, converted, ridge=0.5)
    assert (beta[1:] >= 0).all()

    def loss(b):
        z = b[0] + members @ b[1:]
        return (count * np.logaddexp(0, z) - converted * z).sum() + 0.25 * (b[1:] ** 2).sum()

    for step in rng.normal(0, 1e-3, (20, goals + 1)):
        near = np.append(beta[0] + step[0], np.maximum(beta[1:] + step[1:], 0))
        assert loss(near) >= loss(beta) - 1e-7 * abs(loss(beta))


def test_points_of_effects():
    found = points_of_effects({"a": 0.5, "b": 0.0}, [[0.4, 0.0], [0.6, 0.1]], highest=50)
    assert found["a"] == pytest.approx((25, 20.25, 29.75))
    assert math.isnan(points_of_effects({"a": 0.5})["a"][1])
    with pytest.raises(DefinitionError, match="between 0 and 1"):
        points_of_effects({"a": 1.2})
    with pytest.raises(DefinitionError, match=r"draws must be \(B, 1\)"):
        points_of_effects({"a": 0.2}, [0.1, 0.2])
    assert points_of_log_odds(1.0, doubling=20) == pytest.approx(28.85390081777927)


# ---------------------------------------------------------------- validation


@settings(max_examples=some(60))
@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=1, max_size=40))
def test_the_area_is_the_share_of_pairs_in_order(pairs):
    scores, outcome = map(list, zip(*pairs, strict=True))
    found = auc(scores, outcome)
    good = [s for s, y in pairs if y]
    bad = [s for s, y in pairs if not y]
    if not good or not bad:
        assert math.isnan(found.auc)
        return
    wins = [[(g > b) + (g == b) / 2 for b in bad] for g in good]
    assert found.auc == pytest.approx(np.mean(wins))
    if min(len(good), len(bad)) > 1:
        grid = np.array(wins)
        variance = grid.mean(axis=1).var(ddof=1) / len(good)
        variance += grid.mean(axis=0).var(ddof=1) / len(bad)
        assert found.error == pytest.approx(math.sqrt(variance))
    if not math.isnan(found.low):
        assert 0 < found.low <= found.auc <= found.high < 1
    opposite = auc(-np.array(scores), outcome)
    assert opposite.auc == pytest.approx(1 - found.auc)
    assert opposite.error == pytest.approx(found.error, nan_ok=True)


def test_the_interval_of_the_area_covers():
    rng = np.random.default_rng(2)
    truth, inside = 0.76024993890652, 0  # of two normals one standard deviation apart
    for _ in range(200):
        outcome = rng.random(300) < 0.3
        found = auc(rng.normal(outcome.astype(float), 1), outcome)
        inside += found.low <= truth <= found.high
    assert 180 <= inside <= 200


@settings(max_examples=some(60))
@given(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 50)), min_size=1, max_size=12))
def test_isotonic_rates_are_the_nearest(pairs):
    rates, weights = map(np.array, zip(*pairs, strict=True))
    found = isotonic_rates(rates, weights)
    assert (np.diff(found) >= -1e-12).all()
    # The largest over starts of the smallest over ends of the means in between.
    for k in range(len(rates)):
        best = max(
            min(
                np.average(rates[i : j + 1], weights=weights[i : j + 1])
                for j in range(k, len(rates))
            )
            for i in range(k + 1)
        )
        assert found[k] == pytest.approx(best, abs=1e-12)


def test_a_validation_as_a_table():
    scores = np.repeat([0.0, 1, 2, 3], 100)
    converted = np.concatenate([np.arange(100) < k for k in (2, 9, 5, 16)])
    found = Validation.of(scores, converted, bands=4)
    assert found.customers.tolist() == [100] * 4
    assert found.rate.tolist() == [0.02, 0.09, 0.05, 0.16]
    assert found.monotone_rate.tolist() == pytest.approx([0.02, 0.07, 0.07, 0.16])
    assert found.violation == pytest.approx(0.04)
    assert not found.monotone
    assert found.gini == 2 * found.auc.auc - 1
    assert found.trend.z == pytest.approx((0 * 2 + 9 + 10 + 48 - 0.08 * 600) / math.sqrt(36.8))
    assert "not monotone: a share falls by 0.0400" in repr(found)
    assert "trend over the bands: z 3.13" in repr(found)
    one = Validation.of([5.0, 5.0, 5.0], [True, False, False], bands=3)
    assert one.customers.tolist() == [3]
    assert math.isnan(one.trend.z)
    assert one.auc.auc == 0.5


def test_a_score_is_validated_by_what_came_later():
    scale = EngagementScale([PointRule("a", 10), PointRule("b", 1)])
    found = validate(scale, SHOP, "buy", at="1970-01-01T00:01Z", bands=3)
    assert found.customers.sum() == 1000
    assert found.converted.sum() == 215
    assert found.auc.auc > 0.8
    late = validate(scale, SHOP, "buy", at="1970-01-01T00:01Z", until="1970-01-01T00:01:30Z")
    assert late.converted.sum() == 0
    assert math.isnan(late.auc.auc)
    assert reached_after(SHOP, "buy", "1970-01-01").sum() == 215
    with pytest.raises(DataError, match="there are no scores"):
        validate(scale, SHOP, "buy", at="1969-01-01")
    for until in ("1969-01-01", "1970-01-01"):
        with pytest.raises(DefinitionError, match=r"until=.* must lie after at=1970-01-01 UTC"):
            validate(scale, SHOP, "buy", at="1970-01-01", until=until)
    with pytest.raises(UnknownLabelError, match="bay"):
        validate(scale, SHOP, "bay", at="1970-01-01")
    assert reached_after(SHOP[:0], "buy", "1970-01-01").shape == (0,)


@pytest.mark.parametrize(
    ("scores", "converted", "what"),
    [
        ([1, 2], [True], "columns of one length"),
        ([1, math.nan], [True, False], "1 of 2 scores are NaN"),
        ([], [], "there are no scores"),
        ([1, 2], [0, 2], "a column of flags"),
    ],
)
def test_what_cannot_be_validated(scores, converted, what):
    with pytest.raises(DataError, match=what):
        auc(scores, converted)
    assert math.isnan(trend_test([], []).z)
