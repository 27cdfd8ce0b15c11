from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import cxkit as cx
from cxkit.errors import DefinitionError
from cxkit.simulate import DECISION_WORLDS, decisions
from cxkit.simulate.decision_worlds import BASE_LOG_ODDS, World
from tests.examples import some

DAY = np.timedelta64(1, "D")


def sigma(z):
    return 1 / (1 + np.exp(-z))


def contacts_of(world):
    """{customer: {channel: [days before the decision]}}."""
    found = {}
    table = world.table
    end = np.datetime64("2024-01-01", "us") + 30 * DAY
    for customer, time, event, channel in zip(
        table["customer"].tolist(), table["time"], table["event"], table["channel"], strict=True
    ):
        if event == "contact":
            mine = found.setdefault(customer, {}).setdefault(channel, [])
            mine.append((end - time) / DAY)
    return found


@pytest.mark.parametrize("name", ["positive", "mixed", "mixed_complex"])
def test_the_truth_is_what_is_lost_when_the_contacts_are_deleted_from_the_log(name):
    world = decisions(300, name, channels=5, rng=3, effects_rng=4)
    made = World.draw(np.random.default_rng(4), name, 5)
    assert made.effect.tolist() == world.truth.effect.tolist()
    names, found = world.truth.channels, contacts_of(world)

    def chance(customer, without=None):
        reached = []
        for channel in names:
            days = [] if channel == without else found.get(customer, {}).get(channel, [])
            if name == "mixed_complex":
                reached.append(1 - np.exp(-sum(2 ** (-d / 10) for d in days)))
            else:
                reached.append(float(bool(days)))
        z = BASE_LOG_ODDS + sum(e * r for e, r in zip(made.effect, reached, strict=True))
        if name == "mixed_complex":
            for (a, b), both in zip(made.pairs.tolist(), made.together, strict=True):
                z += both * reached[a] * reached[b]
        return sigma(z)

    everybody = range(1, 301)
    expected = sum(chance(c) for c in everybody)
    assert world.truth.expected == pytest.approx(expected, rel=1e-9)
    for channel in names:
        lost = expected - sum(chance(c, channel) for c in everybody)
        assert world.truth.caused_by(channel) == pytest.approx(lost, rel=1e-6, abs=1e-9)


def test_signs_are_those_of_the_world():
    for seed in range(5):
        assert (decisions(500, "positive", rng=seed).truth.caused >= 0).all()
        mixed = decisions(500, "mixed", rng=seed).truth
        assert (mixed.effect < 0).sum() == 6
        assert (np.sign(mixed.effect) * mixed.caused >= 0).all()
        assert (np.abs(mixed.effect) >= 0.1).all()
        assert (np.abs(mixed.effect) <= 1).all()


def test_purchases_come_as_often_as_expected():
    for name in DECISION_WORLDS:
        truth = decisions(30_000, name, rng=1).truth
        assert abs(truth.conversions - truth.expected) < 5 * np.sqrt(truth.expected)


def test_hidden_intent_brings_contacts_to_those_who_buy_anyway():
    def naive(name):
        world = decisions(30_000, name, rng=2, effects_rng=3)
        answer = cx.attribution.attribute(
            world.journeys, "purchase", cx.attribution.LogisticCounterfactual(), goal_is_touch=False
        )
        return answer.estimates["incremental"].estimate.sum() / world.truth.caused.sum()

    assert naive("positive") == pytest.approx(1, abs=0.1)
    assert naive("hidden_intent") > 1.2


def test_the_same_world_with_other_customers():
    one, two = (decisions(2000, "mixed", rng=seed, effects_rng=5) for seed in (1, 2))
    assert one.truth.effect.tolist() == two.truth.effect.tolist()
    assert one.journeys != two.journeys
    share = one.truth.touchpoints / one.truth.touchpoints.sum()
    assert share == pytest.approx(two.truth.touchpoints / two.truth.touchpoints.sum(), abs=0.02)


@settings(max_examples=some(30))
@given(
    customers=st.integers(1, 60),
    world=st.sampled_from(sorted(DECISION_WORLDS)),
    channels=st.integers(2, 60),
    rng=st.integers(0, 2**32),
)
def test_every_world_adds_up(customers, world, channels, rng):
    made = decisions(customers, world, channels=channels, rng=rng)
    table = made.table
    bought = table["event"] == "purchase"
    assert made.truth.conversions == bought.sum()
    assert made.truth.touchpoints.sum() == (~bought).sum()
    assert [c is None for c in table["channel"].tolist()] == bought.tolist()
    assert np.array_equal(~np.isnan(table["value"]), bought)
    assert made.journeys.touchpoints == len(bought)
    assert np.array_equal(made.journeys.time, table["time"])
    assert made.journeys["customer"].to_list() == table["customer"].tolist()
    assert made.journeys.channel.to_list() == table["channel"].tolist()
    # The decision comes last, and once.
    assert len(set(table["customer"][bought].tolist())) == bought.sum()
    assert (table["time"][~bought] < np.datetime64("2024-01-31")).all()
    again = decisions(customers, world, channels=channels, rng=np.random.default_rng(rng))
    assert again.journeys == made.journeys


def test_it_prints_and_is_read_only():
    world = decisions(100, rng=1)
    assert repr(world).startswith("<Decisions: mixed, 100 customers, 12 channels")
    assert pickle.loads(pickle.dumps(world)).journeys == world.journeys
    for column in world.table.values():
        with pytest.raises(ValueError, match="read-only"):
            column[:1] = column[:1]


GOLDEN = (1989, 64, 2_689_519_019)  # touchpoints, purchases, sum of seconds


def test_a_seed_gives_the_same_world_in_every_release():
    world = decisions(500, rng=7)
    seconds = (world.table["time"] - np.datetime64("2024-01-01")) // np.timedelta64(1, "s")
    assert (len(seconds), world.truth.conversions, int(seconds.sum())) == GOLDEN


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"customers": 0}, "customers must be a whole number"),
        ({"channels": 1}, "channels must be 2 to 60; found 1"),
        ({"channels": 61}, "channels must be 2 to 60"),
        ({"channels": 2.5}, "channels must be a whole number"),
        ({"world": "mixd"}, "Did you mean 'mixed'"),
        ({"rng": -1}, "rng must be a seed"),
        ({"effects_rng": "x"}, "rng must be a seed"),
    ],
)
def test_bad_arguments(options, message):
    with pytest.raises(DefinitionError, match=message):
        decisions(**options)


def test_models_are_ranked_by_increments_where_they_tell_them():
    world = decisions(3000, rng=1)
    models = [cx.attribution.Linear(), cx.attribution.LogisticCounterfactual()]
    table = cx.attribution.compare(world.journeys, "purchase", models, goal_is_touch=False)
    found = world.truth.compare(table)
    logistic = table.attributions[1]
    lost = dict(
        zip(logistic.labels, logistic.estimates["incremental"].estimate.tolist(), strict=True)
    )
    by_hand = world.truth.compare({"lost": lost})
    assert found.rank_correlation[1] == by_hand.rank_correlation[0]
    assert found.error[1] == by_hand.error[0]
    credit = dict(zip(logistic.labels, logistic.conversions.tolist(), strict=True))
    assert found.misallocated[1] == world.truth.compare({"credit": credit}).misallocated[0]
    assert world.truth.compare({"one": logistic}).to_dicts()[0]["credited"] == pytest.approx(
        logistic.conversions.sum()
    )
