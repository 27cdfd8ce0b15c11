"""Exact fractions worked out by others, the textbook chain, and a log of real touchpoints."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import groupby

import numpy as np
import pytest

import cxkit as cx
from cxkit.attribution import (
    FirstTouch,
    LastTouch,
    Linear,
    LinearDistinct,
    Markov,
    Paths,
    PositionBased,
    PresenceShare,
    attribute,
    attribute_paths,
    compare,
)
from cxkit.core.codes import Codes
from cxkit.model.goal import Goal
from cxkit.model.journeys import Journeys
from tests.shared import shared

ORACLE = {
    "first": FirstTouch(),
    "last": LastTouch(),
    "linear_touch": Linear(),
    "position_40_20_40": PositionBased.u(),
    "linear_unique_channel": LinearDistinct(),
}


@pytest.fixture(scope="module")
def tiny():
    return json.loads(shared("oracles/attribution/tiny_exact_fractions.json").read_text("utf-8"))


def from_counts(tiny):
    return Paths.from_counts(
        [(row["path"].split(), row["conversions"], row["nulls"], row["total_value"])
         for row in tiny["data"]]
    )  # fmt: skip


def as_journeys(tiny):
    """The same as customers: the conversion is a touchpoint without a channel, and no touch."""
    customer, channel, event, value = [], [], [], []
    for row in tiny["data"]:
        for i in range(row["conversions"] + row["nulls"]):
            who = (customer[-1] if customer else 0) + 1
            touches = row["path"].split()
            converts = i < row["conversions"]
            customer += [who] * (len(touches) + converts)
            channel += [*touches, None][: len(touches) + converts]
            event += ([*["view"] * len(touches), "buy"])[: len(touches) + converts]
            value += [0.0] * len(touches)
            value += [row["total_value"] / max(row["conversions"], 1)] * converts
    return Journeys.from_codes(
        customer=np.array(customer),
        time=np.arange(len(customer)),
        columns={"channel": Codes.of(channel), "event": Codes.of(event), "value": np.array(value)},
    )


def floats(fractions):
    return [float(Fraction(fractions[k])) for k in "ABC"]


@pytest.mark.parametrize("name", ORACLE)
def test_rules_equal_the_exact_fractions(tiny, name):
    expected = tiny["models"][name]
    for got in (
        attribute_paths(from_counts(tiny), ORACLE[name]),
        attribute(as_journeys(tiny), "buy", ORACLE[name], goal_is_touch=False),
    ):
        assert got.labels == ("A", "B", "C")
        np.testing.assert_allclose(got.conversions, floats(expected["conversions"]), rtol=1e-13)
        np.testing.assert_allclose(got.value, floats(expected["value"]), rtol=1e-13)
        assert got.total_conversions == tiny["total_conversions"]
        assert got.total_value == float(tiny["total_value"])


@pytest.mark.parametrize("order", [1, 2, 3])
def test_the_chain_equals_the_exact_fractions(tiny, order):
    expected = tiny["models"][f"markov_{order}"]
    for got in (
        attribute_paths(from_counts(tiny), Markov(order)),
        attribute(as_journeys(tiny), "buy", Markov(order), goal_is_touch=False),
    ):
        value_effect = got.estimates["value_removal_effect"].estimate
        told = floats(expected["value"]["removal_effect"])
        np.testing.assert_allclose(value_effect, told, rtol=1e-13)
        effect = floats(expected["conv"]["removal_effect"])
        np.testing.assert_allclose(got.removal_effect, effect, rtol=1e-13)
        np.testing.assert_allclose(got.conversions, floats(expected["conv"]["credit"]), rtol=1e-13)
        np.testing.assert_allclose(got.value, floats(expected["value"]["credit"]), rtol=1e-13)
        rate = got.total_conversions / (got.total_conversions + got.null_paths)
        assert rate == float(Fraction(expected["conv"]["p_conv_or_value_per_journey"]))


def test_repeats_may_be_left_out_beforehand(tiny):
    rows = [
        ([x for x, _ in groupby(row["path"].split())], row["conversions"], row["nulls"], 0)
        for row in tiny["data"]
    ]
    got = attribute_paths(Paths.from_counts(rows), Markov(2))
    expected = tiny["models"]["markov_2_collapsed_repeats"]["conv"]
    np.testing.assert_allclose(got.removal_effect, floats(expected["removal_effect"]), rtol=1e-13)


def test_presence_is_the_chain_that_has_every_path_by_heart(tiny):
    got = attribute_paths(from_counts(tiny), PresenceShare())
    present = np.array(floats(tiny["models"]["presence_share_order_infinity"]))
    np.testing.assert_allclose(got.share, present / present.sum(), rtol=1e-13)
    chain = attribute_paths(from_counts(tiny), Markov(4))
    np.testing.assert_allclose(chain.removal_effect, present, rtol=1e-13)


def test_the_three_paths_of_the_textbook():
    cases = json.loads(shared("oracles/domain/engagement.json").read_text("utf-8"))
    case = _find(cases, "EVS-15")
    rows = [
        (" > ".join(p["path"]), int(p["converted"]), int(not p["converted"]), 0)
        for p in case["inputs"]["paths"]
    ]
    got = attribute_paths(Paths.from_counts(rows))
    expected = case["expected"]
    effects = dict(zip(got.labels, got.removal_effect, strict=True))
    shares = dict(zip(got.labels, got.share, strict=True))
    assert effects == pytest.approx(expected["removal_effect"], abs=case["tolerance"])
    assert shares == pytest.approx(expected["share"], abs=case["tolerance"])


def _find(tree, case):
    if isinstance(tree, dict):
        if tree.get("id") == case:
            return tree
        tree = list(tree.values())
    if isinstance(tree, list):
        return next((hit for branch in tree if (hit := _find(branch, case))), None)
    return None


@pytest.fixture(scope="module")
def touchpoints():
    return cx.read_events(
        shared("data/attribution-touchpoints/attribution_data.csv.gz"),
        customer="customer_id",
        time="time",
        channel="channel",
        event="interaction",
        value="conversion_value",
    ).journeys


def test_last_touch_of_real_touchpoints(touchpoints):
    facts = json.loads(shared("data/attribution-touchpoints/facts.json").read_text("utf-8"))
    got = attribute(touchpoints, "conversion", LastTouch())
    conversions = dict(zip(got.labels, got.conversions.tolist(), strict=True))
    assert conversions == {
        "Facebook": 561,
        "Instagram": 237,
        "Online Display": 233,
        "Online Video": 350,
        "Paid Search": 457,
    }
    assert conversions == facts["conversions_by_channel_of_conversion_row"]
    assert (
        dict(zip(got.labels, got.touchpoints.tolist(), strict=True)) == facts["touches_by_channel"]
    )
    assert (got.total_conversions, got.total_value) == (1838, 11423.5)
    assert got.unattributed_conversions == 0


def test_every_model_of_real_touchpoints_shares_all_there_is(touchpoints):
    for goal_is_touch in (True, False):
        table = compare(touchpoints, Goal("conversion"), goal_is_touch=goal_is_touch)
        for got in table.attributions:
            assert got.total_conversions == 1838
            assert got.conversions.sum() + got.unattributed_conversions == pytest.approx(1838)
            assert got.value.sum() + got.unattributed_value == pytest.approx(11423.5)
            assert (got.share_low < got.share).all()
            assert (got.share < got.share_high).all()
            if got.model == FirstTouch() and goal_is_touch:
                assert got.null_paths == 7896 - _customers_that_end_converting(touchpoints)


def _customers_that_end_converting(journeys):
    event = journeys.event.to_list()
    return sum(event[end - 1] == "conversion" for end in journeys.offsets[1:])
