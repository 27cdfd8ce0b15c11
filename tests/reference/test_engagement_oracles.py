"""Worked numbers for the engagement scale, kept outside with their sources."""

import json

import numpy as np
import pytest

from cxkit.core.codes import Codes
from cxkit.engagement import EngagementScale, PointRule, VisitValue, value_per_visit
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


@pytest.mark.parametrize("count", ["every", "once_per_session"])
def test_evs_06_ways_of_counting(oracles, count):
    oracle = oracles["EVS-06"]
    minutes = oracle["inputs"]["minutes"]
    scale = EngagementScale(
        [PointRule("a", 1, count=count)], session_gap=f"{oracle['inputs']['window']}min"
    )
    journeys = one_customer([minute * MINUTE for minute in minutes], ["a"] * len(minutes))
    assert np.flatnonzero(scale.points(journeys)).tolist() == oracle["expected"][count]


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
