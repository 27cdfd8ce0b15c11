"""Where an answer must say what it is not: refunds, unknown customers, names that do not occur."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import cxkit as cx
from cxkit.attribution import (
    ChainCounts,
    LabelWeights,
    LastNonDirect,
    LastTouch,
    Linear,
    LogisticCounterfactual,
    Markov,
    Paths,
    PositionBased,
    PresenceShare,
    ShapleyRate,
    attribute,
    attribute_paths,
    audit,
    compare,
)
from cxkit.attribution.chains import chaincredit
from cxkit.core.intervals import shard_draws
from cxkit.errors import CxWarning, DataError, DefinitionError

QUIET = {"lookbacks": (), "gaps": (), "split": (), "lost": (), "duplicated": ()}


def table(**columns):
    names = {"customer": "c", "time": "t", "channel": "ch", "event": "e", "time_unit": "s"}
    if "v" in columns:
        names["value"] = "v"
    extra = [name for name in columns if name not in {"c", "t", "ch", "e", "v"}]
    return cx.Journeys.from_table(columns, **names, columns=extra)


@pytest.mark.parametrize("order", [1, 2])
def test_refunds_do_not_blow_up_the_value_of_a_chain(order):
    paths = Paths.from_counts([("a > b", 1, 1, 10.0), ("c", 1, 1, -19.9)])
    answer = attribute_paths(paths, Markov(order))
    assert answer.value == pytest.approx(answer.share * -9.9)
    assert "value is shared like the conversions" in " ".join(answer.notes())
    gains = attribute_paths(Paths.from_counts([("a > b", 1, 1, 10.0), ("c", 1, 1, 20.0)]))
    assert gains.value == pytest.approx([7.5, 7.5, 15])  # effects of 1/3, 1/3 and 2/3
    assert "like the conversions" not in " ".join(gains.notes())


@pytest.mark.parametrize("refund", [-19.9, -20.0, -1000.0])
def test_refunds_do_not_blow_up_shares_of_presence(refund):
    paths = Paths.from_counts([("a > b", 1, 1, 10.0), ("c", 1, 1, refund * 1.0)])
    answer = attribute_paths(paths, PresenceShare())
    assert answer.value == pytest.approx(answer.share * (10 + refund))
    assert "like the conversions" in " ".join(answer.notes())
    zero = attribute_paths(
        Paths.from_counts([("a > b", 1, 1, 10.0), ("c", 1, 1, -20.0)]), PresenceShare()
    )
    assert zero.value.sum() == pytest.approx(-10)


def test_the_interval_of_a_loss_holds_it():
    n = 150
    journeys = table(
        c=list(range(3 * n)),
        t=[0] * (3 * n),
        ch=["a"] * n + ["c"] * n + ["a", "c", "d"] * (n // 3),
        e=["buy"] * (2 * n) + ["view"] * n,
        v=[3.0] * n + [-1.0] * n + [None] * n,
    )
    effect = attribute(journeys, "buy").estimates["value_removal_effect"]
    assert effect.estimate[1] == pytest.approx(-0.5)
    assert effect.low[1] < -0.5 < effect.high[1]


def test_paths_of_unknown_customers_have_no_intervals_in_any_company():
    known = Paths.of(cx.simulate.retail(400, rng=1).journeys, goal="purchase")
    other = Paths.of(cx.simulate.retail(800, rng=2).journeys, goal="purchase")
    both = known + Paths.from_counts(other.to_counts(None), goal="purchase")
    for model in (Linear(), Markov(), Markov(2), ShapleyRate()):
        assert not np.isnan(attribute_paths(known, model).share_low).any()
        answer = attribute_paths(both, model)
        assert np.isnan(answer.share_low).all()
        many = int((other.conversions + other.nulls).sum())
        many += int((other.unattributed_conversions + other.untouched_nulls).sum())
        assert f"nobody knows the customers behind {many:,} paths" in " ".join(answer.notes())
    again = Paths.from_bytes(both.to_bytes())
    assert again.unknown_customers.sum() == both.unknown_customers.sum() > 0


def test_null_paths_without_a_touch_are_no_comparison():
    journeys = table(
        c=[1, 1, 2, 2, 3, 4],
        t=[0, 1, 0, 1, 0, 0],
        ch=["ad", "shop", "mail", "shop", "web", "web"],
        e=["click", "buy", "click", "buy", "view", "view"],
    )
    for model in (Markov(), ShapleyRate()):
        with pytest.warns(CxWarning, match="'buy' but for 2 null paths without a touch"):
            answer = attribute(journeys, "buy", model, touches=["click"])
        assert answer.untouched_nulls == 2
        told = " ".join(answer.notes())
        assert (
            f"paths without conversion: 2, of which {model.name} counts the 0 with a touch" in told
        )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        attribute(journeys, "buy", Linear(), touches=["click"])
        whole = compare(journeys, "buy", [LastTouch(), Markov()])
    assert "paths without conversion: 2, which markov counts" in " ".join(whole.notes())


def test_names_that_do_not_occur_are_told():
    paths = Paths.from_counts([("ad > Direct", 5, 1, 0)])
    told = attribute_paths(paths, LastNonDirect()).remarks
    assert told[1:] == (
        "last_non_direct names 'direct', and no touch has that channel. Did you mean 'Direct'?",
    )
    weighted = attribute_paths(paths, LabelWeights({"Ad": 3, "ad": 1})).remarks
    assert len(weighted) == 2
    assert "label_weights names 'Ad'" in weighted[1]
    assert len(attribute_paths(paths, LastNonDirect("Direct")).remarks) == 1


def test_an_audit_takes_conditions_and_finds_touches_without_a_label():
    journeys = table(
        c=[1, 1], t=[0, 10 * 86_400], ch=[None, "ad"], e=["view", "buy"], plan=["pro", "pro"]
    )
    changed = QUIET | {"lookbacks": ["30d"]}
    found = audit(journeys, "buy", Linear(), **changed, lookback="1d")
    assert found.labels == ("ad", None)
    assert found.share.tolist() == [1, 0]
    assert found.shares.tolist() == [[0.5, 0.5]]
    assert found.columns()["reshared"].tolist() == [0.5]
    goal = cx.Goal("buy", where={"plan": "pro"})
    assert audit(journeys, goal, Linear(), **changed).labels == ("ad", None)


def test_effects_are_never_a_hair_below_nothing():
    for often in range(1, 12):
        for repeats in range(2, 60, 3):
            rows = [(["b"] * often + ["a"] * repeats, 0, 3, 0), (["b"] * often, 2, 0, 0),
                    ("a", 0, 1, 0)]  # fmt: skip
            answer = attribute_paths(Paths.from_counts(rows))
            assert answer.removal_effect.min() >= 0
            assert answer.removal_effect.max() <= 1
            LabelWeights.of_removal(answer)


def test_few_shards_do_not_widen_the_bootstrap_of_wide_chains(monkeypatch):
    rng = np.random.default_rng(1)
    E = 20_000
    journeys = cx.Journeys.from_codes(
        customer=rng.integers(0, 30, E),
        time=rng.integers(0, 10**9, E),
        columns={"channel": rng.integers(0, 140, E), "event": rng.integers(0, 20, E)},
    )
    counts = ChainCounts.of(journeys, goal=3)
    weights = shard_draws(0, 100, counts.occupied()).astype(float)
    moved = np.std(counts.quantities(weights)["share"][:, :-1], axis=0)
    monkeypatch.setattr(chaincredit, "_MOST_SOLVED_ANEW", 10**6)
    anew = np.std(counts.quantities(weights)["share"][:, :-1], axis=0)
    assert np.median(moved / anew) == pytest.approx(1, abs=0.2)


# Exact removal effects in value: 1/2, 1, 1, 0; and 0, 4/11, 14/11.
NEARLY_NOTHING = [
    (
        [("b > c > a", 2, 1, -3), ("c > d > d", 0, 1, 0), ("b > c", 1, 0, -3)],
        [-1.2, -2.4, -2.4, 0],
    ),
    (
        [
            *(("c > d", 1, 2, 7), ("c > c", 2, 0, -3), ("d", 1, 1, 10), ("a", 0, 2, 0)),
            *(("d", 1, 1, -3), ("a > a > d", 0, 2, 0)),
        ],
        [0, 22 / 9, 77 / 9],
    ),
]


@pytest.mark.parametrize(("rows", "value"), NEARLY_NOTHING)
def test_rounding_is_no_label_that_costs(rows, value):
    answer = attribute_paths(Paths.from_counts(rows), Markov(2))
    assert answer.value == pytest.approx(value, abs=1e-12)
    assert not any("cost more" in told for told in answer.remarks)


def test_rounding_is_no_presence_that_costs():
    rows = [("a", 1, 0, 0.3), ("a > b", 1, 0, -0.1), ("a > c", 1, 0, -0.2), ("b > c", 1, 0, 5)]
    counted = PresenceShare().count_paths(Paths.from_counts(rows))
    assert -1e-15 < counted.value.sum(axis=0)[0] < 0
    assert not any("cost more" in told for told in counted.result().remarks)


def test_where_nothing_converts_the_answer_says_so():
    journeys = table(c=[1, 1, 2], t=[0, 1, 0], ch=["a", "b", "a"], e=["view", "buy", "view"])
    told = attribute(journeys, cx.Goal("buy", channel="a"), Linear()).notes()
    assert any("there is no conversion, so nothing is shared" in note for note in told)
    told = attribute(journeys, "buy", Linear(), touches=[cx.Goal("view", channel="b")]).notes()
    assert any("no conversion has a touch, so nothing is shared" in note for note in told)


def test_no_row_of_a_conversion_is_a_touch_of_a_later_one():
    journeys = table(
        c=[1, 1, 1], t=[0, 10, 20], ch=["a", "b", "c"], e=["view", "buy", "buy"], v=[None, 5.0, 7.0]
    )
    answer = attribute(journeys, "buy", LastTouch(), goal_is_touch=False, restart=False)
    assert answer.conversions.tolist() == [2, 0, 0]
    assert "no conversion's touchpoint is a touch" in " ".join(answer.notes())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PositionBased("x"), "a part of PositionBased must be a number; found 'x'"),
        (lambda: LogisticCounterfactual("x"), "ridge of LogisticCounterfactual must be a number"),
        (lambda: LabelWeights({"a": None}), "the weight of 'a' must be a number; found None"),
        (lambda: LabelWeights(5), "a mapping of labels to numbers, or pairs of them; found 5"),
        (lambda: LabelWeights({"a": 1e308}), "must lie between 0 and 1e.100; found 1e.308"),
        (lambda: LastNonDirect(5.5), "direct names labels: text or whole numbers; found 5.5"),
    ],
)
def test_what_is_no_number_is_told(make, message):
    with pytest.raises(DefinitionError, match=message):
        make()


def test_counts_that_are_not_exact_are_refused():
    with pytest.raises(DataError, match=r"conversions are 9.22e.18 in all, more than 2..53"):
        Paths.from_counts([("a", 2**62, 0, 0), ("b", 2**62, 0, 0)])
    with pytest.raises(DataError, match="nulls must be whole numbers"):
        Paths.from_counts([("a", 1, 2**70, 0)])


def test_one_model_is_a_comparison_of_one():
    journeys = table(c=[1, 1, 2], t=[0, 1, 0], ch=["a", "b", "a"], e=["view", "buy", "view"])
    assert [a.model for a in compare(journeys, "buy", Linear()).attributions] == [Linear()]
