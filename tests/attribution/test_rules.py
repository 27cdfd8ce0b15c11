"""Every rule against plain Python; credits per touchpoint; what a rule refuses."""

from __future__ import annotations

import json
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings

from cxkit.attribution import (
    DEFAULT_MODELS,
    Custom,
    FirstTouch,
    LabelWeights,
    LastNonDirect,
    LastTouch,
    Linear,
    LinearDistinct,
    Markov,
    Participation,
    Paths,
    PositionBased,
    PresenceShare,
    RuleCredit,
    TimeDecay,
    Touches,
    attribute,
    attribute_paths,
    credit,
)
from cxkit.attribution.models import check_model, model_from_dict
from cxkit.core.codes import Vocabulary
from cxkit.errors import DataError, DefinitionError
from tests.attribution.brute import Row, cut, logs, options, to_journeys, weights
from tests.examples import some

RULES = [
    (FirstTouch(), None),
    (LastTouch(), None),
    (Linear(), None),
    (PositionBased(), (Fraction(2, 5), Fraction(2, 5))),
    (PositionBased(first=0.5, last=0.25), (Fraction(1, 2), Fraction(1, 4))),
    (PositionBased(first=0, last=0), (Fraction(0), Fraction(0))),
    (PositionBased(first=0.25, last=0.75), (Fraction(1, 4), Fraction(3, 4))),
    (PositionBased.w(), (Fraction(3, 10), Fraction(3, 10), Fraction(3, 10))),
    (PositionBased.j(), (Fraction(1, 5), Fraction(3, 5))),
    (PositionBased(0.0, 0.0, 1.0), (Fraction(0), Fraction(0), Fraction(1))),
    (PositionBased(0.5, 0.25, 0.25), (Fraction(1, 2), Fraction(1, 4), Fraction(1, 4))),
    (LastNonDirect(["mail", None]), ("mail", None)),
    (LastNonDirect("nobody"), ("nobody",)),
    (LinearDistinct(), None),
    (LabelWeights({"ad": 2, "shop": 0.5}), {"ad": Fraction(2), "shop": Fraction(1, 2)}),
    (LabelWeights([(None, 1), ("mail", 3)]), {None: Fraction(1), "mail": Fraction(3)}),
    (TimeDecay("4s"), 4.0),
]


@pytest.mark.parametrize(
    ("model", "parameter"), RULES, ids=[f"{i}-{m.name}" for i, (m, _) in enumerate(RULES)]
)
@settings(max_examples=some(40))
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


@settings(max_examples=some(40))
@given(logs, options)
def test_credits_of_a_conversion_sum_to_one(log, given_options):
    given_options = {**given_options, "restart": True}  # else a touch earns of several at once
    log = [*log, Row(99, 0, "ad", "view", 1.0), Row(99, 1, "ad", "buy", 1.0)]
    log.append(Row(98, 1, "ad", "click", 1.0))
    journeys = to_journeys(log)
    for model, _ in RULES:
        earned = credit(journeys, "buy", model, **given_options).credit
        for path in cut(log, **given_options):
            of_path = sum(earned[place] for place, _, _ in path.touches)
            expected = 1.0 if path.converted and path.touches else 0.0
            assert of_path == pytest.approx(expected, abs=1e-12)


def touches_of(offsets, ticks=None):
    offsets = np.array(offsets)
    return Touches(
        offsets=offsets,
        codes=np.zeros(offsets[-1], np.uint8),
        labels=Vocabulary.of(["a"]),
        times=ticks,
        rows=np.arange(offsets[-1]),
    )


def test_a_path_of_a_century_of_touches_still_sums_to_one():
    # The oldest weights underflow; the sum must not become 0/0.
    ticks = np.array([0, 10**15, 2 * 10**15, 3 * 10**15], np.int64)
    got = TimeDecay("1s").credit(touches_of([0, 3, 4], ticks))
    assert got.tolist() == [0.0, 0.0, 1.0, 1.0]


def test_long_paths_conserve_credit():
    n = 1_000_000
    touches = touches_of([0, n], np.arange(n) * 1_000_000)
    for model, _ in RULES:
        assert model.credit(touches).sum() == pytest.approx(1, abs=1e-10)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: PositionBased(first=1.2), "between 0 and 1"),
        (lambda: PositionBased(last=math.nan), "between 0 and 1"),
        (lambda: PositionBased(first=0.7, last=0.7), "exceed 1 together"),
        (lambda: TimeDecay("0d"), "half_life must be longer than zero"),
        (lambda: TimeDecay("soon"), "half_life='soon' is not a span"),
        (lambda: PositionBased(0.5, 0.3, 0.3), "middle=0.3 exceed 1 together"),
        (lambda: Markov(order=5), "order=5: a chain may look back 1 to 4 touches"),
        (lambda: Markov(order=True), "order=True"),
        (lambda: Markov(order=0), "order=0"),
        (lambda: check_model("linear"), r"such as .*FirstTouch\(\).*found 'linear'"),
        (lambda: check_model(Linear), "found Linear"),
        (lambda: TimeDecay().credit(touches_of([0, 1])), "needs the times"),
        (lambda: LastNonDirect([]), "direct is empty"),
        (lambda: LabelWeights({"a": -1}), "the weight of 'a' must lie between 0 and"),
        (lambda: LabelWeights({"a": math.inf}), "must lie between 0 and"),
        (lambda: Custom(3), "weigh must be a function"),
    ],
    ids=map(str, range(16)),
)
def test_a_model_that_cannot_be_is_refused(made, message):
    with pytest.raises(DefinitionError, match=message):
        made()


def test_models_go_to_json_and_back():
    for model in (
        *DEFAULT_MODELS,
        TimeDecay("36h"),
        PositionBased(first=0.1, last=0.2),
        LastNonDirect(["a", None]),
        LabelWeights({"a": 1.5, None: 2}),
        LabelWeights({3: 1.5}),
        Participation(),
        PresenceShare(),
        LinearDistinct(),
        Markov(3),
    ):
        assert model_from_dict(json.loads(json.dumps(model.to_dict()))) == model
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


@given(logs, options)
def test_participation_is_every_label_once(log, given_options):
    log = [*log, Row(99, 0, "ad", "view", math.nan), Row(99, 1, "ad", "buy", 1.0)]
    log.append(Row(98, 1, "ad", "click", 1.0))
    journeys = to_journeys(log)
    got = attribute(journeys, "buy", Participation(), **given_options)
    shared = attribute(journeys, "buy", PresenceShare(), **given_options)
    paths = [p for p in cut(log, **given_options) if p.converted and p.touches]
    present = [{channel for _, channel, _ in p.touches} for p in paths]
    whole = sum(map(len, present))
    for at, label in enumerate(got.labels):
        conversions = sum(label in labels for labels in present)
        value = sum(p.value for p, labels in zip(paths, present, strict=True) if label in labels)
        assert got.conversions[at] == pytest.approx(conversions, abs=1e-11)
        assert got.value[at] == pytest.approx(value, abs=1e-10)
        if paths:
            assert got.share[at] == pytest.approx(conversions / len(paths), abs=1e-12)
            expected = conversions / whole * len(paths)
            assert shared.conversions[at] == pytest.approx(expected, abs=1e-11)
    assert "do not sum to the conversions" in repr(got)
    assert "do not sum" not in repr(shared)


def test_presence_gives_no_credit_to_single_touchpoints():
    journeys = to_journeys([Row(1, 1, "ad", "buy", 1.0)])
    with pytest.raises(DefinitionError, match="presence_share gives credit to labels"):
        credit(journeys, "buy", PresenceShare())


def test_removal_effects_spread_over_touches():
    rows = [("a > b", 4, 1, 80.0), ("b > b > a", 1, 2, 9.0), ("b", 1, 5, 1.0)]
    chain = attribute_paths(Paths.from_counts(rows))
    model = LabelWeights.of_removal(chain)
    a, b = chain.removal_effect
    got = attribute_paths(Paths.from_counts(rows), model)
    assert model.name == "label_weights"
    assert got.conversions.tolist() == pytest.approx(
        [4 * a / (a + b) + a / (a + 2 * b), 4 * b / (a + b) + 2 * b / (a + 2 * b) + 1]
    )
    with pytest.raises(DefinitionError, match="linear has no removal effects"):
        LabelWeights.of_removal(attribute_paths(Paths.from_counts(rows), Linear()))


def test_a_function_is_a_rule():
    log = [Row(1, t, c, e, 2.0) for t, c, e in ((0, "ad", "view"), (3, "mail", "buy"))]
    journeys = to_journeys(log)
    by_age = Custom(lambda _, __, ticks: 1 + (ticks == ticks.max()), "newest twice")
    got = attribute(journeys, "buy", by_age)
    assert got.conversions.tolist() == pytest.approx([1 / 3, 2 / 3])
    assert got.model.name == "newest twice"
    by_code = Custom(lambda _, codes, __: codes + 1.0)
    assert credit(journeys, "buy", by_code).credit.tolist() == pytest.approx([1 / 3, 2 / 3])
    untimed = Custom(lambda offsets, _, ticks: np.full(offsets[-1], ticks is None))
    assert attribute_paths(Paths.of(journeys, goal="buy"), untimed).conversions.sum() == 1
    with pytest.raises(DefinitionError, match="is a function, which cannot be saved"):
        RuleCredit.of(journeys, model=by_age, goal="buy").to_bytes()


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1.0], "one number per touch, 2 in all; found float64 of shape"),
        (["a", "b"], "one number per touch"),
        ([1.0, -1.0], "not from 0 to 1e.100, first -1.0 to touch 1"),
        ([1.0, math.nan], "not from 0 to 1e.100"),
        ([0.0, 0.0], "no weight to any touch of 1 paths"),
    ],
)
def test_a_function_that_cannot_be_a_rule_is_refused(weights, message):
    paths = Paths.from_counts([("a > b", 1, 0, 0)])
    with pytest.raises(DefinitionError, match=message):
        attribute_paths(paths, Custom(lambda *_: np.array(weights)))


def test_the_last_touch_that_is_not_direct():
    rows = [("ad > direct > direct", 1, 0, 0), ("direct > mail", 1, 0, 0), ("direct", 1, 0, 0)]
    got = attribute_paths(Paths.from_counts(rows), LastNonDirect())
    assert dict(zip(got.labels, got.conversions.tolist(), strict=True)) == {
        "ad": 1.0,
        "direct": 1.0,
        "mail": 1.0,
    }
    assert LastNonDirect().name == "last_non_direct"
