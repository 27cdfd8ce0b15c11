from __future__ import annotations

import math

import attrs
import numpy as np
import pytest
from hypothesis import given, settings

import cxkit as cx
from cxkit.attribution import (
    LabelSets,
    LogisticCounterfactual,
    Paths,
    SetCredit,
    ShapleyConversions,
    ShapleyRate,
    attribute,
    attribute_paths,
    model_from_dict,
)
from cxkit.attribution.labelsets import counterfactual, counterfactual_fit
from cxkit.attribution.labelsets.counterfactual_fit import Design, fit, refit
from cxkit.attribution.labelsets.setrows import SetRows
from cxkit.core.intervals import jackknife_error
from cxkit.errors import CxWarning, DefinitionError
from tests.attribution.sets import path_rows, paths_of, players, random_rows, table
from tests.examples import some

pytestmark = pytest.mark.filterwarnings("ignore:every path ends in:cxkit.errors.CxWarning")

EVERY = np.ones(64, bool)


def sigma(z):
    return 1 / (1 + np.exp(-z))


def slope(X, paths, conversions, at, ridge):
    """The slope of the penalised log-likelihood, written out."""
    p = sigma(at[0] + X @ at[1:])
    rest = conversions - paths * p
    return np.append(rest.sum(), X.T @ rest - ridge * at[1:])


def answer_of(rows, ridge=1.0):
    return attribute_paths(paths_of(rows), LogisticCounterfactual(ridge))


def told(answer, name):
    labels = zip(answer.labels, answer.estimates[name].estimate.tolist(), strict=True)
    return dict(labels)


@settings(max_examples=some(50))
@given(rows=path_rows)
def test_the_definition(rows):
    answer = answer_of(rows)
    labels = players(rows)
    X, paths, conversions, value = table(rows)
    coefficient = np.array([told(answer, "coefficient")[k] for k in labels])
    if not 0 < conversions.sum() < paths.sum():
        assert not coefficient.any()
        assert not answer.estimates["incremental"].estimate.any()
    else:
        # The intercept is where the slope of the likelihood is zero; the rest must be too.
        low, high = -50.0, 50.0
        for _ in range(200):
            middle = (low + high) / 2
            off = (conversions - paths * sigma(middle + X @ coefficient)).sum()
            low, high = (middle, high) if off > 0 else (low, middle)
        at = np.append(low, coefficient)
        assert slope(X, paths, conversions, at, 1.0) == pytest.approx(0, abs=1e-7)
        for k, label in enumerate(labels):
            p, without = sigma(low + X @ coefficient), sigma(low + X @ coefficient - at[1 + k])
            lost = (X[:, k] * paths * (p - without)).sum()
            assert told(answer, "incremental")[label] == pytest.approx(lost, abs=1e-7)
            worth = (X[:, k] * value * (1 - without / p)).sum()
            assert told(answer, "value_incremental")[label] == pytest.approx(worth, abs=1e-6)
    assert answer.conversions.sum() == pytest.approx(sum(r[1] for r in rows if r[0]))
    assert answer.value.sum() == pytest.approx(sum(r[3] for r in rows if r[0]))
    assert (answer.conversions >= 0).all()


def test_the_same_as_direct_optimisation():
    optimize = pytest.importorskip("scipy.optimize")
    rows = random_rows(np.random.default_rng(1), list("abcdefg"), 300)
    X, paths, conversions, _ = table(rows)
    ridge = 0.3

    def height(at):
        z = at[0] + X @ at[1:]
        return -(conversions @ z - paths @ np.logaddexp(0, z)) + 0.5 * ridge * at[1:] @ at[1:]

    best = optimize.minimize(
        height, np.zeros(8), jac=lambda at: -slope(X, paths, conversions, at, ridge), tol=1e-12
    ).x
    found = answer_of(rows, ridge).estimates["coefficient"].estimate
    assert found == pytest.approx(best[1:], abs=1e-6)


def test_credit_is_what_is_positive_of_the_increments():
    rows = [("ad", 30, 170, 60.0), ("mail", 10, 190, 40.0), ("ad > mail > shop", 15, 185, 30.0),
            ("shop", 25, 75, 100.0)]  # fmt: skip
    answer = answer_of(rows)
    for name, amounts, whole in (("", "conversions", 80), ("value_", "value", 230.0)):
        lost = answer.estimates[f"{name}incremental"].estimate
        assert lost.min() < 0 < lost.max()
        expected = np.maximum(lost, 0) / np.maximum(lost, 0).sum() * whole
        assert answer.estimates[amounts].estimate == pytest.approx(expected)


def test_order_and_repeats_of_touches_change_nothing():
    one = answer_of([("a > b", 3, 5, 9.0), ("b", 1, 5, 1.0)])
    two = answer_of([("b > a > b", 3, 5, 9.0), ("b > b", 1, 5, 1.0)])
    for name in ("conversions", "value", "incremental"):
        assert one.estimates[name].estimate.tolist() == two.estimates[name].estimate.tolist()


def test_labels_that_always_occur_together_share_one_effect():
    answer = answer_of([("a > b", 30, 70, 0), ("c", 10, 90, 0), ("a > b > c", 20, 80, 0)])
    assert told(answer, "coefficient")["a"] == pytest.approx(told(answer, "coefficient")["b"])


@pytest.mark.parametrize(
    ("rows", "credit"),
    [
        ([], {}),
        ([("", 3, 5, 0.0)], {}),
        ([("a", 0, 3, 0.0), ("a > b", 0, 3, 0.0)], {"a": 0, "b": 0}),
        ([("a", 3, 0, 9.0), ("a > b", 2, 0, 5.0)], {"a": 4, "b": 1}),  # nothing to compare with
        ([("a", 3, 5, 1.0)], {"a": 3}),
        ([("a > b", 3, 5, 1.0)], {"a": 1.5, "b": 1.5}),
        ([("a", 50, 0, 1.0), ("b", 0, 50, 0)], {"a": 50, "b": 0}),  # separated by the labels
    ],
)
def test_defined_answers_for_poor_data(rows, credit):
    answer = answer_of(rows)
    assert told(answer, "conversions") == pytest.approx(credit)
    for number in answer.estimates.values():
        assert np.isfinite(number.estimate).all() or not sum(r[3] for r in rows)


def test_value_that_is_negative_or_nothing_is_shared_as_the_conversions():
    answer = answer_of([("a", 30, 50, -40.0), ("b", 10, 50, 0.0), ("a > b", 20, 50, 5.0)])
    assert answer.value == pytest.approx(answer.share * -35.0)
    nothing = answer_of([("a", 30, 50, 0.0), ("b", 10, 50, 0.0)])
    assert nothing.value.tolist() == [0, 0]
    assert np.isnan(nothing.value_share).all()


def test_when_no_label_has_a_positive_increment_the_credit_is_even(monkeypatch):
    def nothing(design, coefficients, *_):
        return -np.ones((2, len(coefficients), design.labels))

    monkeypatch.setattr(counterfactual, "losses", nothing)
    answer = answer_of([("a > b", 4, 5, 8.0), ("b", 2, 5, 1.0)])
    assert answer.conversions.tolist() == [2, 4]
    assert answer.value.tolist() == [4, 5]


def test_a_chain_of_every_path_converting_is_told():
    journeys = cx.Journeys.from_table(
        {"c": [1, 1, 2], "t": [0, 9, 0], "channel": ["ad", "shop", "ad"], "e": ["v", "buy", "buy"]},
        customer="c", time="t", time_unit="s", event="e", channel="channel",
    )  # fmt: skip
    with pytest.warns(CxWarning, match="every path ends in 'buy'"):
        attribute(journeys, "buy", LogisticCounterfactual())


def test_thousands_of_labels():
    rng = np.random.default_rng(2)
    rows = random_rows(rng, 2000, 3000)
    answer = answer_of(rows)
    assert answer.conversions.sum() == pytest.approx(answer.total_conversions)
    assert np.isnan(answer.share_low).all()  # no intervals, and the docstring says so
    sets = SetCredit.from_paths(paths_of(rows), model=LogisticCounterfactual())
    assert np.isnan(sets.estimate(np.ones((1, 64))).conversions).all()


def test_an_even_split_is_said():
    harmful = [("a > b", 1, 9, 5.0), ("a", 9, 1, 9.0), ("b", 1, 9, 0.0)]
    answer = attribute_paths(Paths.from_counts(harmful), LogisticCounterfactual())
    assert not any("positive" in note for note in answer.notes())
    every = attribute_paths(Paths.from_counts([("a", 1, 0, 2.0), ("a > b", 2, 0, 2.0)]),
                            LogisticCounterfactual())  # fmt: skip
    assert every.conversions.tolist() == [2.0, 1.0]
    notes = [note for note in every.notes() if "no label has a positive increment" in note]
    assert ["conversions" in note for note in notes] == [True, False]
    free = attribute_paths(Paths.from_counts([("a", 3, 1, -4.0), ("b", 1, 5, 0.0)]),
                           LogisticCounterfactual())  # fmt: skip
    assert free.notes()[-1] == "the value, which is not positive, is shared like the conversions"


def test_labels_without_intervals_are_said(monkeypatch):
    journeys = cx.simulate.retail(400, rng=1).journeys
    monkeypatch.setattr(counterfactual_fit, "MOST_NARROW", 2)
    models = [LogisticCounterfactual(), ShapleyConversions()]
    notes = cx.attribution.compare(journeys, "purchase", models).notes()
    assert notes[-1].startswith("logistic_counterfactual: no intervals: they are made for up to")


def test_label_sets_are_counted_once(monkeypatch):
    counted = []
    of_cut = LabelSets.of_cut.__func__
    monkeypatch.setattr(
        SetRows, "of_cut", classmethod(lambda cls, cut: counted.append(cls) or of_cut(cls, cut))
    )
    journeys = cx.simulate.retail(200, rng=1).journeys
    models = [LogisticCounterfactual(), ShapleyRate(), ShapleyRate(orders=8)]
    cx.attribution.compare(journeys, "purchase", models)
    assert counted == [LabelSets]


def test_both_ways_to_a_step_agree(monkeypatch):
    rows = random_rows(np.random.default_rng(3), list("abcdefg"), 300)
    by_matrix = answer_of(rows).estimates["coefficient"].estimate
    monkeypatch.setattr(counterfactual_fit, "MOST_NARROW", 2)
    assert answer_of(rows).estimates["coefficient"].estimate == pytest.approx(by_matrix, abs=1e-9)
    monkeypatch.undo()
    monkeypatch.setattr(counterfactual_fit, "_KEPT_PAIRS", 1)
    monkeypatch.setattr(counterfactual_fit, "_CELLS_AT_ONCE", 40)
    assert answer_of(rows).estimates["coefficient"].estimate == pytest.approx(by_matrix, abs=1e-12)


def design_of(rows, ridge=1.0):
    X, paths, conversions, _ = table(rows)
    codes = np.concatenate([np.flatnonzero(row) for row in X])
    offsets = np.append(0, np.cumsum(X.sum(axis=1).astype(int)))
    return Design(codes, offsets, X.shape[1], ridge), paths, conversions


@pytest.mark.parametrize("kept", [0, 1 << 22])
def test_sums_over_pairs_of_members(monkeypatch, kept):
    monkeypatch.setattr(counterfactual_fit, "_KEPT_PAIRS", kept)
    monkeypatch.setattr(counterfactual_fit, "_CELLS_AT_ONCE", 5)
    rng = np.random.default_rng(8)
    sets = [rng.permutation(6)[:size] for size in (3, 1, 6, 2, 2, 6, 4, 5, 1)]
    offsets = np.append(0, np.cumsum([len(s) for s in sets]))
    design = Design(np.concatenate(sets), offsets, 6, 1.0)
    of_sets, of_members = rng.integers(1, 9, 9) * 1.0, rng.integers(1, 9, offsets[-1]) * 1.0
    by_sets, by_members = np.zeros((2, 6, 6))
    for u, labels in enumerate(sets):
        for i, k in enumerate(labels):
            by_sets[k, labels] += of_sets[u]
            by_members[k, labels] += of_members[offsets[u] + i]
    assert design.over_pairs_of_sets(of_sets).tolist() == by_sets.tolist()
    assert design.over_pairs(of_members).tolist() == by_members.tolist()


def test_weights_of_one_leave_the_increments_as_they_are():
    sets = by_shards(np.random.default_rng(9), list("abcd"), 1280)
    plain, weighed = sets.quantities(None), sets.quantities(np.ones((3, 64)))
    for name in ("incremental", "value_incremental", "coefficient"):
        assert weighed[name].tolist() == np.repeat(plain[name], 3, axis=0).tolist()


def test_fitting_many_counts_at_once_is_fitting_each():
    rng = np.random.default_rng(4)
    design, paths, conversions = design_of(random_rows(rng, list("abcde"), 200))
    near = fit(design, paths, conversions)
    often = paths * rng.integers(0, 3, (9, len(paths)))
    some = np.minimum(rng.binomial(often.astype(int), 0.3), often).astype(float)
    some[0] = 0.99 * often[0]  # far from where the chords begin
    found = refit(design, often, some, near)
    for one, n, c in zip(found, often, some, strict=True):
        assert one == pytest.approx(fit(design, n, c), abs=1e-9)
    assert refit(design, often[:0], some[:0], near).shape == (0, 6)


def by_shards(rng, labels, rows):
    """Label sets of customers in all 64 shards."""
    whole = None
    for shard in range(64):
        part = paths_of(random_rows(rng, labels, rows // 64))
        sets = SetCredit.from_paths(part, model=LogisticCounterfactual())
        known = {"unknown_customers": np.zeros(64, np.int64)}
        sets = attrs.evolve(sets, shard=np.full_like(sets.shard, shard), **known)
        whole = sets if whole is None else whole + sets
    return whole


def test_the_differential_is_the_derivative(monkeypatch):
    # The differential leaves out that the ridge weighs more where there are fewer customers.
    model = LogisticCounterfactual(ridge=1e-4)
    sets = attrs.evolve(by_shards(np.random.default_rng(5), list("abcd"), 1280), model=model)
    step = np.ones((2, 64))
    step[0, 5] += 1e-5
    step[1, 7:20] -= 1e-5
    exact = sets.quantities(step)
    monkeypatch.setattr(counterfactual, "_MOST_ANEW", 0)
    near = sets.quantities(step)
    base = sets.quantities(np.ones((1, 64)))
    for name, values in exact.items():
        moved = values - base[name]
        assert near[name] - base[name] == pytest.approx(moved, rel=2e-3, abs=1e-9), name


def test_intervals_are_the_jackknife_of_the_increments():
    sets = by_shards(np.random.default_rng(6), list("abcd"), 1280)
    answer = sets.result()
    left = [sets.quantities(row[None])["incremental"][0, :4] for row in 1.0 - np.eye(64)]
    error = jackknife_error(np.array(left) * 64 / 63, EVERY)  # it grows with the customers
    lost = answer.estimates["incremental"]
    assert lost.high - lost.estimate == pytest.approx(error * 1.998, rel=1e-3)
    assert (lost.low < 0).any()


def test_the_share_of_a_harmful_label_is_nothing_and_its_interval_begins_there():
    world = cx.simulate.decisions(20_000, "mixed", channels=4, rng=3)
    answer = attribute(world.journeys, "purchase", LogisticCounterfactual(), goal_is_touch=False)
    lost, share = answer.estimates["incremental"], answer.estimates["share"]
    harmful = lost.high < 0
    assert harmful.any()
    assert share.estimate[harmful].tolist() == [0] * harmful.sum()
    assert share.low[harmful].tolist() == [0] * harmful.sum()
    assert share.high[harmful].tolist() == [0] * harmful.sum()
    inner = share.estimate > 0.05
    assert (share.low[inner] < share.estimate[inner]).all()
    assert (share.estimate[inner] < share.high[inner]).all()
    drawn = attribute(
        world.journeys, "purchase", LogisticCounterfactual(), goal_is_touch=False, draws=200
    ).estimates["share"]
    assert (drawn.low >= 0).all()
    assert drawn.high[inner] - drawn.low[inner] == pytest.approx(
        share.high[inner] - share.low[inner], rel=0.4
    )


def test_it_finds_what_caused_the_conversions():
    world = cx.simulate.decisions(30_000, "mixed", rng=5)
    answer = attribute(world.journeys, "purchase", LogisticCounterfactual(), goal_is_touch=False)
    lost = answer.estimates["incremental"]
    caused = world.truth.caused
    assert np.corrcoef(lost.estimate, caused)[0, 1] > 0.97
    assert ((lost.low <= caused) & (caused <= lost.high)).mean() > 0.7


def test_definitions():
    model = LogisticCounterfactual(ridge=2)
    assert model.name == "logistic_counterfactual(ridge=2.0)"
    assert model_from_dict(model.to_dict()) == model
    assert model.sees_nulls
    for ridge in (0, -1, math.inf, math.nan):
        with pytest.raises(DefinitionError, match="must be a number above 0"):
            LogisticCounterfactual(ridge)


def test_the_stronger_the_ridge_the_smaller_the_coefficients():
    rows = [("a", 50, 1, 0), ("b", 1, 50, 0), ("a > b", 20, 20, 0)]
    sizes = [
        float(np.abs(answer_of(rows, ridge).estimates["coefficient"].estimate).sum())
        for ridge in (0.001, 1.0, 100.0)
    ]
    assert sizes == sorted(sizes, reverse=True)
    assert Paths.from_counts(rows).result().total_conversions == 71
