"""Every rule against plain Python; credits per touchpoint; what a rule refuses."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given

from cxkit.attribution import (
    FirstTouch,
    LastTouch,
    Linear,
    Markov,
    PositionBased,
    TimeDecay,
    attribute,
    credit,
)
from cxkit.attribution.models import DEFAULT_MODELS, check_model, model_from_dict
from cxkit.errors import DataError, DefinitionError
from tests.attribution.brute import Row, cut, logs, options, to_journeys, weights

RULES = [
    (FirstTouch(), None),
    (LastTouch(), None),
    (Linear(), None),
    (PositionBased(), (Fraction(2, 5), Fraction(2, 5))),
    (PositionBased(first=0.5, last=0.25), (Fraction(1, 2), Fraction(1, 4))),
    (PositionBased(first=0, last=0), (Fraction(0), Fraction(0))),
    (PositionBased(first=0.25, last=0.75), (Fraction(1, 4), Fraction(3, 4))),
    (TimeDecay("4s"), 4.0),
]


@pytest.mark.parametrize(("model", "parameter"), RULES, ids=lambda x: getattr(x, "name", ""))
@given(logs, options)
def test_a_rule_equals_plain_python(model, parameter, log, given_options):
    log = [*log, Row(99, 0, "ad", "view", math.nan), Row(99, 1, "ad", "buy", 1.0)]
    log.append(Row(98, 1, "ad", "click", 1.0))
    paths = cut(log, **given_options)
    expected = np.zeros((2, len(log)))
    totals = {}
    lost, lost_value = 0, 0.0
    for path in paths:
        for _, channel, _ in path.touches:
            totals.setdefault(channel, [0, 0.0, 0.0])[0] += 1
        if path.converted and not path.touches:
            lost, lost_value = lost + 1, lost_value + path.value
        elif path.converted:
            for touch, w in zip(path.touches, weights(model.kind, path, parameter), strict=True):
                expected[:, touch[0]] += float(w), float(w) * path.value
                totals[touch[1]][1] += float(w)
                totals[touch[1]][2] += float(w) * path.value
    journeys = to_journeys(log)

    each = credit(journeys, "buy", model, **given_options)
    np.testing.assert_allclose(each.credit, expected[0], rtol=0, atol=1e-12)
    np.testing.assert_allclose(each.value, expected[1], rtol=0, atol=1e-11)
    assert (each.unattributed_conversions, each.unattributed_value) == (lost, lost_value)

    whole = attribute(journeys, "buy", model, **given_options)
    assert None not in whole.labels or None in totals
    for at, label in enumerate(whole.labels):
        touchpoints, conversions, value = totals.pop(label, (0, 0.0, 0.0))
        assert whole.touchpoints[at] == touchpoints
        assert whole.conversions[at] == pytest.approx(conversions, abs=1e-12)
        assert whole.value[at] == pytest.approx(value, abs=1e-11)
    assert not totals
    assert whole.total_conversions == sum(p.converted for p in paths)
    assert whole.total_value == pytest.approx(sum(p.value for p in paths), abs=1e-10)
    assert whole.null_paths == sum(not p.converted for p in paths)
    assert (whole.unattributed_conversions, whole.unattributed_value) == (lost, lost_value)


@given(logs, options)
def test_credits_of_a_conversion_sum_to_one(log, given_options):
    log = [*log, Row(99, 0, "ad", "view", 1.0), Row(99, 1, "ad", "buy", 1.0)]
    log.append(Row(98, 1, "ad", "click", 1.0))
    journeys = to_journeys(log)
    for model, _ in RULES:
        earned = credit(journeys, "buy", model, **given_options).credit
        for path in cut(log, **given_options):
            of_path = sum(earned[place] for place, _, _ in path.touches)
            expected = 1.0 if path.converted and path.touches else 0.0
            assert of_path == pytest.approx(expected, abs=1e-12)


def test_a_path_of_a_century_of_touches_still_sums_to_one():
    # The oldest weights underflow; the sum must not become 0/0.
    ticks = np.array([0, 10**15, 2 * 10**15, 3 * 10**15], np.int64)
    got = TimeDecay("1s").credit(np.array([0, 3, 4]), ticks)
    assert got.tolist() == [0.0, 0.0, 1.0, 1.0]


def test_long_paths_conserve_credit():
    n = 1_000_000
    ticks = np.arange(n) * 1_000_000
    for model in DEFAULT_MODELS[:-1]:
        assert model.credit(np.array([0, n]), ticks).sum() == pytest.approx(1, abs=1e-10)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: PositionBased(first=1.2), "between 0 and 1"),
        (lambda: PositionBased(last=math.nan), "between 0 and 1"),
        (lambda: PositionBased(first=0.7, last=0.7), "exceed 1 together"),
        (lambda: TimeDecay("0d"), "half_life must be longer than zero"),
        (lambda: TimeDecay("soon"), "half_life='soon' is not a span"),
        (lambda: Markov(order=2), "exist in order 1 now"),
        (lambda: Markov(order=True), "exist in order 1 now"),
        (lambda: check_model("linear"), r"model must be one of FirstTouch\(\).*found 'linear'"),
        (lambda: check_model(Linear), "found Linear"),
        (lambda: TimeDecay().credit(np.array([0, 1]), None), "needs the times"),
    ],
    ids=map(str, range(10)),
)
def test_a_model_that_cannot_be_is_refused(made, message):
    with pytest.raises(DefinitionError, match=message):
        made()


def test_models_go_to_json_and_back():
    for model in (*DEFAULT_MODELS, TimeDecay("36h"), PositionBased(first=0.1, last=0.2)):
        assert model_from_dict(model.to_dict()) == model
    with pytest.raises(DataError, match="not an attribution model"):
        model_from_dict({"schema": "cxkit/attribution-model/1", "model": "astrology"})


def test_a_name_tells_what_is_not_the_default():
    assert TimeDecay("168h").name == "time_decay"
    assert TimeDecay("90min").name == "time_decay(half_life=90min)"
    assert PositionBased(last=0.1).name == "position_based(last=0.1)"


def test_a_chain_gives_no_credit_to_single_touchpoints():
    journeys = to_journeys([Row(1, 1, "ad", "buy", 1.0)])
    with pytest.raises(DefinitionError, match="markov gives credit to labels"):
        credit(journeys, "buy", Markov())


def test_credits_print():
    got = credit(to_journeys([Row(1, 1, "ad", "view", 1.0), Row(1, 2, "ad", "buy", 4.0)]), "buy",
                 Linear(), touches="view")  # fmt: skip
    assert got.to_dicts() == [{"credit": 1.0, "value": 4.0}, {"credit": 0.0, "value": 0.0}]
    assert repr(got).startswith("linear: credit per touchpoint, buy")
    lost = credit(to_journeys([Row(1, 1, "ad", "view", 1.0), Row(2, 2, "ad", "buy", 4.0)]), "buy",
                  Linear(), touches="view")  # fmt: skip
    assert "1 conversions worth 4.0 have no touch" in repr(lost)
