"""Worked numbers for the engagement scale, kept outside with their sources."""

import json

import numpy as np
import pytest

import cxkit as cx
from cxkit.core.codes import Codes
from cxkit.engagement import (
    EngagementScale,
    Inactivity,
    LinearDecay,
    PointRule,
    RollingWindow,
    Validation,
    VisitValue,
    calibrate,
    draw_effects,
    geometric_points,
    isotonic_rates,
    linear_points,
    nonnegative_logistic,
    points_of_effects,
    points_of_log_odds,
    trend_test,
    value_per_visit,
    worth_of_goal,
)
from cxkit.model.journeys import Journeys
from tests.shared import shared

DAY = 86_400_000_000
MINUTE = 60_000_000


@pytest.fixture(scope="module")
def oracles():
    stored = json.loads(shared("oracles/domain/engagement.json").read_text("utf-8"))
    return {entry["id"]: entry for entry in stored["oracles"]}


def same(oracle, found, expected):
    """The rule of the store: within tolerance * max(1, |expected|); none means exact."""
    for left, right in zip(np.ravel(found).tolist(), np.ravel(expected).tolist(), strict=True):
        assert abs(left - right) <= oracle.get("tolerance", 0) * max(1, abs(right))


def one_customer(us, events):
    return Journeys.from_codes(
        customer=np.zeros(len(us), np.int64),
        time=np.array(us, np.int64),
        columns={"event": Codes.of(events)},
    )


def test_evs_02_value_per_visit_and_quadrants(oracles):
    oracle = oracles["EVS-02"]
    campaigns, expected = oracle["inputs"]["campaigns"], oracle["expected"]
    names = [name for name, c in campaigns.items() for _ in range(c["visits"])]
    journeys = Journeys.from_codes(
        customer=np.arange(len(names)),
        time=np.zeros(len(names), np.int64),
        columns={"event": Codes.of(names), "campaign": Codes.of(names)},
    )
    scale = EngagementScale(
        [PointRule(name, c["engagement_value"] / c["visits"]) for name, c in campaigns.items()]
    )
    table = value_per_visit(journeys, scale, by="campaign")
    assert list(table.labels) == sorted(campaigns)
    assert table.visits.tolist() == [campaigns[name]["visits"] for name in table.labels]
    assert table.site_visits == expected["site_visits"]
    same(oracle, table.site_value, expected["site_value"])
    same(oracle, table.site_value_per_visit, expected["site_value_per_visit"])
    same(oracle, table.mean_visits, expected["mean_visits"])
    for column in ("value_per_visit", "relative_value"):
        same(oracle, getattr(table, column), [expected[column][name] for name in table.labels])
    assert dict(zip(table.labels, table.quadrant, strict=True)) == expected["quadrant"]


def test_evs_03_half_life_adds_up(oracles):
    oracle = oracles["EVS-03"]
    events = oracle["inputs"]["events"]
    names = [f"e{k}" for k in range(len(events))]
    times = [e["day"] * DAY for e in events]
    journeys = one_customer(times, names)
    scale = EngagementScale(
        [PointRule(name, e["points"]) for name, e in zip(names, events, strict=True)],
        half_life=f"{oracle['inputs']['half_life_days']}d",
    )
    instants = [np.datetime64(day * DAY, "us") for day in oracle["inputs"]["evaluate_at"]]
    same(oracle, [scale.score(journeys[0], at=at) for at in instants], oracle["expected"]["score"])
    live = scale.live()
    for name, us in zip(names, times, strict=True):
        live.update_raw("ann", name, us)
    same(oracle, [live.score("ann", at=at) for at in instants], oracle["expected"]["score"])
    # S(21) = S(14) * 2 ** -1
    assert live.score("ann", at=instants[1]) == live.score("ann", at=instants[0]) / 2


def test_evs_01_points_from_an_order(oracles):
    oracle = oracles["EVS-01"]
    names = [f"g{rank}" for rank in oracle["inputs"]["ranks"]]
    ends = {"lowest": oracle["inputs"]["lowest"], "highest": oracle["inputs"]["highest"]}
    for name, assign in (("geometric", geometric_points), ("linear", linear_points)):
        same(oracle, list(assign(names, **ends).values()), oracle["expected"][name])
        whole = assign(names, **ends, whole=True)
        same(oracle, list(whole.values()), oracle["expected"][f"{name}_rounded"])


def test_evs_04_linear_decay_of_the_original_points(oracles):
    oracle = oracles["EVS-04"]
    month = 30
    over = f"{month / oracle['inputs']['rate_per_period']:g}d"
    scale = EngagementScale([PointRule("a", oracle["inputs"]["points"])], ageing=LinearDecay(over))
    journey = one_customer([0], ["a"])[0]
    live = scale.live()
    live.update_raw("ann", "a", 0)
    for periods, expected in zip(
        oracle["inputs"]["periods"], oracle["expected"]["score"], strict=True
    ):
        at = np.datetime64(int(periods * month * DAY), "us")
        same(oracle, [scale.score(journey, at=at), live.score("ann", at=at)], [expected] * 2)


def test_evs_05_inactivity_takes_steps_off_the_total(oracles):
    oracle = oracles["EVS-05"]
    steps = {f"{rule['after_days']}d": rule["minus"] for rule in oracle["inputs"]["rules"]}
    for case, expected in zip(oracle["inputs"]["cases"], oracle["expected"]["score"], strict=True):
        scale = EngagementScale([PointRule("a", case["score"])], ageing=Inactivity(steps))
        at = np.datetime64(case["idle_days"] * DAY, "us")
        live = scale.live()
        live.update_raw("ann", "a", 0)
        found = scale.score(one_customer([0], ["a"])[0], at=at), live.score("ann", at=at)
        same(oracle, found, [expected] * 2)


# The oracle's bucket of 30 minutes is a calendar day where every minute is 48.
COUNTS = {
    "every": ({}, 1),
    "once_per_session": ({"count": "once_per_session"}, 1),
    "cooldown": ({"count": "cooldown", "within": "30min"}, 1),
    "debounce": ({"count": "debounce", "within": "30min"}, 1),
    "calendar_bucket": ({"count": "calendar_day"}, 48),
}


@pytest.mark.parametrize("count", COUNTS)
def test_evs_06_ways_of_counting(oracles, count):
    oracle = oracles["EVS-06"]
    options, stretch = COUNTS[count]
    minutes = oracle["inputs"]["minutes"]
    assert oracle["inputs"]["window"] == 30
    scale = EngagementScale([PointRule("a", 1, **options)], session_gap="30min")
    times = [minute * stretch * MINUTE for minute in minutes]
    journeys = one_customer(times, ["a"] * len(minutes))
    assert np.flatnonzero(scale.points(journeys)).tolist() == oracle["expected"][count]
    live = scale.live()
    scores = [0.0, *(live.update_raw("ann", "a", time) for time in times)]
    assert np.flatnonzero(np.diff(scores)).tolist() == oracle["expected"][count]


def test_evs_07_so_many_a_day_within_a_window(oracles):
    oracle = oracles["EVS-07"]
    given, expected = oracle["inputs"], oracle["expected"]
    days = [int(day) for day, count in given["events_per_day"].items() for _ in range(count)]
    rule = PointRule("a", given["points_each"], per_day=given["cap_per_day"])
    scale = EngagementScale([rule], ageing=RollingWindow(f"{given['window_days']}d"))
    journeys = one_customer([day * DAY for day in days], ["a"] * len(days))
    late = expected["score_evaluated_day_29"]
    for day, counted, score in (
        (given["evaluate_day"], expected["counted"], expected["score"]),
        (29, late["counted"], late["score"]),
    ):
        at = np.datetime64(day * DAY, "us")
        same(oracle, scale.score(journeys[0], at=at), score)
        told = scale.explain(journeys, at=at)
        on = told.time.view(np.int64)[told.earned > 0] // DAY
        assert {int(d): int((on == int(d)).sum()) for d in counted} == {
            int(d): count for d, count in counted.items()
        }


def test_evs_08_goal_value_from_a_close_rate(oracles):
    oracle = oracles["EVS-08"]
    cases = oracle["inputs"]["cases"]
    found = [worth_of_goal(c["close_rate"], c["avg_transaction"]) for c in cases]
    same(oracle, found, oracle["expected"]["goal_value"])


def test_evs_09_page_value_is_a_ratio_of_sums(oracles):
    oracle = oracles["EVS-09"]
    for case, expected in zip(
        oracle["inputs"]["cases"], oracle["expected"]["page_value"], strict=True
    ):
        views = case["unique_pageviews"]
        total = case["revenue"] + case["goal_value_total"]
        # All points fall to the first view; the others share in the divisor.
        journeys = Journeys.from_codes(
            customer=np.arange(views),
            time=np.zeros(views, np.int64),
            columns={
                "event": Codes.of(["view"] * views),
                "channel": Codes.of(["page"] * views),
                "worth": np.array([float(total), *[0.0] * (views - 1)]),
            },
        )
        scale = EngagementScale([PointRule("view", 1, points_from="worth")])
        same(oracle, value_per_visit(journeys, scale).value_per_visit, [expected])


def test_evs_10_a_visit_adds_up(oracles):
    oracle = oracles["EVS-10"]
    pages = oracle["inputs"]["page_scores"]
    journeys = Journeys.from_codes(
        customer=np.zeros(len(pages), np.int64),
        time=np.arange(len(pages)) * MINUTE,
        columns={"event": Codes.of(["view"] * len(pages)), "worth": np.array(pages)},
    )
    scale = EngagementScale([PointRule("view", 0, points_from="worth")])
    visit = scale.score_by(journeys, "visit", at="1970-01-02")
    same(oracle, visit.score, [oracle["expected"]["visit_score"]])
    requests = oracle["inputs"]["requests"]
    rules = [PointRule("request", requests["per_request"][0]), PointRule("url", 5)]
    events = ["request"] * len(requests["per_request"]) + ["url"] * 4
    assert requests["url_value_each_of_4"] == 5
    journey = one_customer(list(range(len(events))), events)[0]
    same(oracle, EngagementScale(rules).score(journey, at="1970-01-02"), 50)


def test_evs_11_points_from_what_followed(oracles):
    oracle = oracles["EVS-11"]
    given = oracle["inputs"]
    for name, goal in given["goals"].items():
        reached = np.arange(given["contacts"]) < goal["reached"]
        bought = np.zeros(given["contacts"], dtype=bool)
        bought[: goal["reached_and_converted"]] = True
        bought[goal["reached"] :][: given["converted"] - goal["reached_and_converted"]] = True
        who = np.arange(given["contacts"])
        events = np.concatenate([np.where(reached, name, "start"), ["buy"] * given["converted"]])
        journeys = Journeys.from_codes(
            customer=np.concatenate([who, who[bought]]),
            time=np.concatenate([np.zeros(len(who)), np.ones(given["converted"])]).astype(np.int64),
            columns={"event": Codes.of(events.tolist())},
        )
        expected = oracle["expected"][name]
        for method in ("conditional", "uplift", "shrunk"):
            prior = given["prior_strength"]
            found = calibrate(journeys, [name], "buy", method, prior=prior, draws=2)
            same(oracle, found.points, [expected[f"points_{method}"]])
        same(oracle, found.to_dicts()[0]["share"], expected["conditional"])
        members = np.array([[0.0], [1.0]])
        counts = np.array([given["contacts"] - goal["reached"], goal["reached"]], float)
        won = np.array([given["converted"], 0.0]) + goal["reached_and_converted"] * np.array(
            [-1, 1]
        )
        beta = nonnegative_logistic(members, counts, won, ridge=1e-9)
        assert np.exp(beta[1]) == pytest.approx(expected["odds_ratio"], rel=1e-4)


def test_evs_12_predictive_validity(oracles):
    oracle = oracles["EVS-12"]
    n, converted = oracle["inputs"]["n"], oracle["inputs"]["converted"]
    expected = oracle["expected"]
    trend = trend_test(n, converted)
    same(oracle, trend.statistic, expected["T"])
    same(oracle, trend.variance, expected["variance"])
    same(oracle, trend.z, expected["z"])
    same(oracle, trend.p, expected["p_one_sided"])
    scores = np.repeat(np.array(oracle["inputs"]["bands"], float), n)
    outcome = np.concatenate([np.arange(k) < c for k, c in zip(n, converted, strict=True)])
    found = Validation.of(scores, outcome, bands=len(n))
    same(oracle, found.auc.auc, expected["auc"])
    same(oracle, found.gini, expected["gini"])
    assert found.trend == trend


def test_evs_13_monotone_bands(oracles):
    oracle = oracles["EVS-13"]
    rate, n = oracle["inputs"]["rate"], oracle["inputs"]["n"]
    same(oracle, isotonic_rates(rate, n), oracle["expected"]["isotonic"])
    scores = np.repeat(np.arange(len(n), dtype=float), n)
    outcome = np.concatenate([np.arange(k) < round(r * k) for k, r in zip(n, rate, strict=True)])
    found = Validation.of(scores, outcome, bands=len(n))
    same(oracle, found.violation, oracle["expected"]["max_violation"])
    assert found.monotone == oracle["expected"]["monotone"]


def test_evs_14_points_that_double_the_odds(oracles):
    oracle = oracles["EVS-14"]
    found = points_of_log_odds(oracle["inputs"]["beta"], doubling=oracle["inputs"]["pdo"])
    same(oracle, found, oracle["expected"]["points"])


def test_evs_15_points_from_removal_effects(oracles):
    oracle = oracles["EVS-15"]
    rows = [
        (who, minute, event)
        for who, path in enumerate(oracle["inputs"]["paths"])
        for minute, event in enumerate([*path["path"], *["buy"] * path["converted"]])
    ]
    who, minute, event = zip(*rows, strict=True)
    journeys = Journeys.from_codes(
        customer=np.array(who),
        time=np.array(minute) * MINUTE,
        columns={"event": Codes.of(list(event))},
    )

    def effects_of(some):
        found = cx.attribution.attribute(
            some, "buy", cx.attribution.Markov(), by="event", goal_is_touch=False
        )
        return {r["event"]: r["removal_effect"] for r in found.to_dicts() if r["event"] != "buy"}

    effects = effects_of(journeys)
    expected = oracle["expected"]["removal_effect"]
    assert effects == pytest.approx(expected, abs=oracle["tolerance"])
    points = points_of_effects(effects)
    assert {name: p[0] for name, p in points.items()} == pytest.approx(
        {name: 100 * effect for name, effect in expected.items()}
    )
    many = journeys.take(np.tile(np.arange(3), 200))
    many = Journeys.from_codes(
        customer=np.repeat(np.arange(600), np.diff(many.offsets)),
        time=many.time,
        columns={"event": many.event},
    )
    draws = draw_effects(many, effects_of, draws=40)
    name, (middle, low, high) = next(iter(points_of_effects(effects_of(many), draws).items()))
    assert name == "C1"
    assert middle == pytest.approx(50)
    assert 40 < low < 50 < high < 60


def test_evs_16_points_against_the_order_of_goals(oracles):
    oracle = oracles["EVS-16"]
    goals = sorted(oracle["inputs"]["goals"], key=lambda goal: goal["order"])
    primary = next(goal["id"] for goal in goals if goal.get("primary"))
    scale = EngagementScale([PointRule(g["id"], g["points"]) for g in goals], primary=primary)
    assert scale.primary_goal.name == oracle["expected"]["primary"]
    found = scale.inversions([goal["id"] for goal in goals])
    assert [list(pair) for pair in found] == oracle["expected"]["violations"]


def test_evs_17_two_axes_are_not_one(oracles):
    oracle = oracles["EVS-17"]
    rows = oracle["inputs"]["rows"]
    journeys = Journeys.from_codes(
        customer=np.arange(len(rows)),
        time=np.zeros(len(rows), np.int64),
        columns={
            "event": Codes.of(["a"] * len(rows)),
            "worth": np.array([float(row["engagement"]) for row in rows]),
        },
    )
    scores = EngagementScale([PointRule("a", 0, points_from="worth")]).score(
        journeys, at="1970-01-02"
    )
    fit, engagement = np.array([row["fit"] for row in rows]), np.asarray(scores)
    both = (fit >= oracle["inputs"]["fit_cut"]) & (engagement >= oracle["inputs"]["eng_cut"])
    assert both.tolist() == oracle["expected"]["qualified"]
    assert (fit + engagement > 50).tolist() == oracle["expected"]["sum_over_50"]


def test_evs_18_caps_of_groups_and_of_all(oracles):
    oracle = oracles["EVS-18"]
    groups, expected = oracle["inputs"]["groups"], oracle["expected"]
    rules, events = [], []
    for name, group in groups.items():
        for k, points in enumerate(group["points"]):
            events.append(f"{name}{k}")
            rules.append(PointRule(events[-1], points, group=name))
    caps = {name: group["cap"] for name, group in groups.items()}
    journey = one_customer(list(range(len(events))), events)[0]

    def score(**options):
        return EngagementScale(rules, **options).score(journey, at="1970-01-02")

    every = {"cap": oracle["inputs"]["overall_cap"], "floor": oracle["inputs"]["floor"]}
    same(oracle, score(group_caps=caps, **every), expected["total"])
    same(oracle, score(group_caps=caps), expected["total_uncapped"])
    for name, value in expected["group"].items():
        of_group = EngagementScale(
            [rule for rule in rules if rule.group == name], group_caps={name: caps[name]}
        )
        same(oracle, of_group.score(journey, at="1970-01-02"), value)


def test_evs_19_two_contacts_become_one(oracles):
    oracle = oracles["EVS-19"]
    scale = EngagementScale([PointRule("a", 30), PointRule("b", 15)])
    parts = {}
    for name, event in (("a", "a"), ("b", "b")):
        given = oracle["inputs"][name]
        # Visits an hour apart; 120 = 4 * 30 and 30 = 2 * 15.
        times = [k * 60 * MINUTE for k in range(given["interactions"])]
        parts[name] = VisitValue.of(one_customer(times, [event] * len(times)), scale=scale)
        assert parts[name].result().site_value == given["total_value"]
    both = (parts["a"] + parts["b"]).result()
    expected = oracle["expected"]
    same(oracle, both.site_value, expected["total_value"])
    same(oracle, both.site_visits, expected["interactions"])
    same(oracle, both.site_value_per_visit, expected["value_per_interaction"])


def test_every_oracle_has_its_test(oracles):
    names = {name.split("_")[2] for name in globals() if name.startswith("test_evs_")}
    assert {f"EVS-{name}" for name in names} == set(oracles)
