from __future__ import annotations

import numpy as np
import pytest

import cxkit as cx
from cxkit.attribution import LastTouch, Linear, Markov, PathRule, TimeDecay, attribute, audit
from cxkit.attribution.checks.audit_changes import every_change, needed_columns
from cxkit.errors import DefinitionError, UnknownLabelError

NONE = {"lookbacks": (), "gaps": (), "split": (), "lost": (), "duplicated": ()}


@pytest.fixture(scope="module")
def journeys():
    return cx.simulate.retail(400, rng=1).journeys


def shares(answer):
    return dict(zip(answer.labels, answer.share.tolist(), strict=True))


@pytest.mark.parametrize("model", [Linear(), Markov(), TimeDecay("2d")])
def test_settings_are_what_attribute_says_with_them(journeys, model):
    found = audit(
        journeys, "purchase", model,
        **NONE | {"lookbacks": ["2d", None], "gaps": ["1h"]}, goal_is_touch=False, lookback="9d",
    )  # fmt: skip
    options = {"goal_is_touch": False}
    before = shares(attribute(journeys, "purchase", model, lookback="9d", **options))
    assert dict(zip(found.labels, found.share.tolist(), strict=True)) == pytest.approx(before)
    expected = [
        attribute(journeys, "purchase", model, lookback="2d", **options),
        attribute(journeys, "purchase", model, **options),
        attribute(journeys.sessions("1h"), "purchase", model, lookback="9d", **options),
    ]
    assert found.change == ("lookback", "lookback", "session gap")
    assert found.setting == ("2d", "none", "1h")
    for row, answer in zip(found.shares, expected, strict=True):
        given = dict(zip(found.labels, row.tolist(), strict=True))
        assert given == pytest.approx({k: shares(answer).get(k, 0.0) for k in given})
    table = found.columns()
    assert table["reshared"] == pytest.approx(np.abs(found.shift).sum(axis=1) / 2)
    assert table["mean_shift"] == pytest.approx(np.abs(found.shift).mean(axis=1))
    for row, largest, label in zip(
        found.shift, table["largest_shift"], table["moved_most"], strict=True
    ):
        assert abs(largest) == np.abs(row).max()
        assert row[found.labels.index(label)] == largest


def changed(journeys, rule, **given):
    (change,) = every_change(**NONE | given)
    return change.make(needed_columns(journeys, rule), rule, np.random.default_rng(1))[0]


def test_what_is_done_to_the_log(journeys):
    rule = PathRule("purchase")
    goals = int(rule.goal.matches(journeys).sum())

    lost = changed(journeys, rule, lost=[0.3])
    assert rule.goal.matches(lost).sum() == goals
    kept = (lost.touchpoints - goals) / (journeys.touchpoints - goals)
    assert kept == pytest.approx(0.7, abs=0.03)

    double = changed(journeys, rule, duplicated=[0.3])
    assert rule.goal.matches(double).sum() == goals
    more = (double.touchpoints - goals) / (journeys.touchpoints - goals)
    assert more == pytest.approx(1.3, abs=0.03)
    assert (np.diff(double.offsets) >= np.diff(journeys.offsets)).all()
    assert double.customer == journeys.customer
    for j in range(5):
        times = double[j].journeys.time.tolist()
        assert times == sorted(times)
        assert set(times) == set(journeys[j].journeys.time.tolist())

    split = changed(journeys, rule, split=[0.3])
    assert np.array_equal(split.time, journeys.time)
    assert set(journeys.offsets.tolist()) <= set(split.offsets.tolist())
    assert len(split) / len(journeys) == pytest.approx(1.3, abs=0.07)
    assert split.customers == journeys.customers


def test_chance_is_repeated_and_seeded(journeys):
    def once(**more):
        return audit(
            journeys, "purchase", Linear(), **NONE | {"split": [0.5], "lost": [0.2]}, **more
        )

    one, two = once(), once()
    assert one.shares.tolist() == two.shares.tolist()
    assert once(rng=1).shares.tolist() != one.shares.tolist()
    assert one.repeats.tolist() == [5, 5]
    assert (one.spread > 0).any()
    assert np.isnan(once(repeats=1).spread).all()
    assert one.shares.sum(axis=1) == pytest.approx(1)


def test_duplicates_do_not_move_a_model_that_does_not_count_them(journeys):
    found = audit(journeys, "purchase", LastTouch(), **NONE | {"duplicated": [0.5]})
    assert not found.shift.any()


def test_it_tells_how_far_it_is(journeys):
    seen = []
    audit(journeys, "purchase", Linear(), repeats=2, progress=lambda *n: seen.append(n))
    assert seen[-1] == (5 + 6 * 2, 5 + 6 * 2)


def test_it_prints_and_leaves(journeys):
    found = audit(journeys, "purchase", Linear(), repeats=1)
    assert len(found) == 11
    assert "identity split" in repr(found)
    assert "earlier visits earns nothing" in repr(found)
    long = found.by_label()
    assert len(long) == 11 * len(found.labels)
    assert long.title() == found.title()
    assert list(long.columns())[:3] == ["change", "setting", "channel"]
    assert long.columns()["shift"] == pytest.approx(found.shift.ravel())
    with pytest.raises(ValueError, match="read-only"):
        found.shares[0] = 1


def test_without_conversions_nothing_moves(journeys):
    calm = journeys.where(~PathRule("purchase").goal.matches(journeys))
    rule = PathRule(cx.Goal("purchase"))
    vocabulary_has_it = "purchase" in calm.event.vocabulary
    if vocabulary_has_it:
        found = audit(calm, rule, Linear(), **NONE | {"lost": [0.1]}, repeats=1)
        assert np.isnan(found.shares).all()
        assert np.isnan(found.columns()["reshared"]).all()
    else:
        with pytest.raises(UnknownLabelError):
            audit(calm, rule, Linear())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lost": [0]}, "touches lost: 0 must be a part between 0 and 1"),
        ({"split": [1.0]}, "identity split: 1.0"),
        ({"duplicated": [True]}, "touches duplicated"),
        ({"repeats": 0}, "repeats must be"),
        ({"gaps": ["x"]}, "gap"),
        ({"lookbacks": ["0d"]}, "lookback"),
        ({"model": "linear"}, "model must be"),
    ],
)
def test_bad_arguments(journeys, options, message):
    with pytest.raises(DefinitionError, match=message):
        audit(journeys, "purchase", **options)
