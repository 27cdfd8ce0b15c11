from __future__ import annotations

import math

import numpy as np
import pytest

import cxkit as cx
from cxkit.attribution import LastTouch, LogisticCounterfactual, attribute_paths, calibrate
from cxkit.errors import DataError, DefinitionError, UnknownLabelError
from tests.attribution.sets import paths_of

ROWS = [("ad", 100, 50, 0), ("mail", 60, 50, 0), ("shop", 40, 50, 0), ("sms", 0, 50, 0)]


@pytest.fixture(scope="module")
def answer():
    return attribute_paths(paths_of(ROWS), LastTouch())


def by_label(found, name):
    return dict(zip(found.attribution.labels, getattr(found, name).tolist(), strict=True))


def test_pooling_by_the_letter(answer):
    # DerSimonian and Laird, written out for two ratios.
    found = calibrate(answer, {"ad": (20, 5), "mail": (30, 10)})
    y, v = [0.2, 0.5], [0.05**2, (10 / 60) ** 2]
    w = [1 / x for x in v]
    fixed = (w[0] * y[0] + w[1] * y[1]) / sum(w)
    q = sum(a * (b - fixed) ** 2 for a, b in zip(w, y, strict=True))
    tau2 = max((q - 1) / (sum(w) - (w[0] ** 2 + w[1] ** 2) / sum(w)), 0)
    star = [1 / (x + tau2) for x in v]
    ratio = (star[0] * y[0] + star[1] * y[1]) / sum(star)
    assert found.between == pytest.approx(math.sqrt(tau2))
    assert found.ratio == pytest.approx(ratio)
    assert found.ratio_error == pytest.approx(1 / math.sqrt(sum(star)))
    calibrated = by_label(found, "calibrated")
    weight = tau2 / (tau2 + v[0])
    assert calibrated["ad"] == pytest.approx(weight * 20 + (1 - weight) * ratio * 100)
    assert calibrated["shop"] == pytest.approx(ratio * 40)
    reach = 1.959964 * 40 * math.sqrt(tau2 + 1 / sum(star))
    assert by_label(found, "high")["shop"] == pytest.approx(ratio * 40 + reach)
    assert calibrated["sms"] == 0


def test_an_exact_test_counts_alone_and_a_rough_one_leans_on_the_others(answer):
    tests = {"ad": (20, 1e-6), "mail": (36, 1e-6), "shop": (400, 1e4)}
    found = by_label(calibrate(answer, tests), "calibrated")
    assert found["ad"] == pytest.approx(20)
    assert found["mail"] == pytest.approx(36)
    assert found["shop"] == pytest.approx(0.4 * 40, rel=0.02)


def test_tests_that_agree_leave_no_difference_between_labels(answer):
    found = calibrate(answer, {"ad": (50, 10), "mail": (30, 10), "shop": (20, 10)})
    assert found.between == 0
    assert found.ratio == pytest.approx(0.5)
    assert found.calibrated.tolist() == pytest.approx([50, 30, 20, 0])
    # Three tests that agree say more than each of them.
    assert (found.high - found.low)[0] < 2 * 1.96 * 10


def test_a_single_test(answer):
    found = calibrate(answer, {"mail": (30, 6)})
    assert found.ratio == 0.5
    assert math.isnan(found.between)
    assert found.calibrated.tolist() == [50, 30, 20, 0]
    assert by_label(found, "low")["mail"] == pytest.approx(30 - 1.959964 * 6)
    assert math.isnan(by_label(found, "low")["ad"])


def test_a_label_without_credit_gets_its_test(answer):
    found = calibrate(answer, {"sms": (7, 2), "ad": (50, 5), "mail": (33, 5)})
    assert by_label(found, "calibrated")["sms"] == 7
    assert by_label(found, "low")["sms"] == pytest.approx(7 - 1.959964 * 2)


def test_increments_are_what_is_calibrated_where_a_model_tells_them():
    answer = attribute_paths(paths_of(ROWS), LogisticCounterfactual())
    found = calibrate(answer, {"ad": (20, 5)})
    assert found.modelled.tolist() == answer.estimates["incremental"].estimate.tolist()


def test_conserving(answer):
    tests = {"ad": (50, 10), "mail": (30, 10)}
    found = calibrate(answer, tests, conserve=True)
    free = calibrate(answer, tests)
    assert found.calibrated.sum() == pytest.approx(200)
    assert found.calibrated[:2].tolist() == free.calibrated[:2].tolist()
    assert "were scaled" in repr(found)
    assert "the other 100.0 are credited to no label" in repr(free)
    assert free.columns()["tested"][0] == 50
    with pytest.raises(DataError, match="nothing to conserve with"):
        calibrate(answer, {"ad": (300, 10)}, conserve=True)


@pytest.mark.parametrize(
    ("tests", "error", "message"),
    [
        ({}, DefinitionError, "needs a test of at least one label"),
        ({"sms": (3, 1)}, DefinitionError, "to which the model gives something"),
        ({"mial": (3, 1)}, UnknownLabelError, "Did you mean 'mail'"),
        ({"ad": (3, 0)}, DataError, "standard error above 0"),
        ({"ad": (math.nan, 1)}, DataError, "found"),
        ({"ad": 3}, DataError, "incremental conversions, standard error"),
        ({"ad": ("x", 1)}, DataError, "found"),
    ],
)
def test_tests_that_are_none(answer, tests, error, message):
    with pytest.raises(error, match=message):
        calibrate(answer, tests)


def test_level(answer):
    wide = calibrate(answer, {"ad": (50, 10)}, level=0.99)
    assert (
        by_label(wide, "high")["ad"] > by_label(calibrate(answer, {"ad": (50, 10)}), "high")["ad"]
    )
    with pytest.raises(DefinitionError, match="level"):
        calibrate(answer, {"ad": (50, 10)}, level=95)


def test_tests_bring_a_wrong_model_nearer_to_the_truth():
    world = cx.simulate.decisions(20_000, "hidden_intent", rng=2)
    answer = cx.attribution.attribute(
        world.journeys, "purchase", cx.attribution.Linear(), goal_is_touch=False
    )
    truth = dict(zip(world.truth.channels, world.truth.caused.tolist(), strict=True))
    tests = {name: (truth[name], 0.1 * truth[name]) for name in world.truth.channels[:5]}
    found = calibrate(answer, tests)
    caused = np.array([truth.get(label, 0.0) for label in answer.labels])
    assert np.abs(found.calibrated - caused).sum() < np.abs(answer.conversions - caused).sum()
