from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from cxkit.attribution import (
    LinearDistinct,
    Paths,
    SetCredit,
    ShapleyConversions,
    ShapleyRate,
    attribute_paths,
    model_from_dict,
    shapley_positions,
    shapley_values,
)
from cxkit.attribution.labelsets import shapley_rate
from cxkit.attribution.labelsets.shapley_math import (
    shapley_of_table,
    subset_sums,
    superset_sums,
    weights_by_size,
)
from cxkit.core.intervals import jackknife_error
from cxkit.errors import DataError, DefinitionError
from tests.attribution.sets import (
    conversions,
    path_rows,
    paths_of,
    players,
    random_rows,
    rate,
    shapley,
)
from tests.examples import some

pytestmark = pytest.mark.filterwarnings("ignore:every path ends in:cxkit.errors.CxWarning")


def by_label(answer, name="conversions"):
    numbers = answer.estimates[name].estimate.tolist()
    return dict(zip(answer.labels, numbers, strict=True))


# ------------------------------------------------------------------------------ named games


@settings(max_examples=some(30))
@given(rows=path_rows)
def test_conversions_by_all_orders(rows):
    answer = attribute_paths(paths_of(rows), ShapleyConversions())
    for name, amount in (("conversions", 1), ("value", 3)):
        game = shapley(players(rows), lambda s, amount=amount: conversions(rows, s, amount))
        found = by_label(answer, name)
        assert found == pytest.approx({k: float(game.get(k, 0)) for k in found})


@settings(max_examples=some(30))
@given(rows=path_rows)
def test_rate_by_all_orders(rows):
    answer = attribute_paths(paths_of(rows), ShapleyRate())
    paths = sum(r[1] + r[2] for r in rows if r[0])
    for name, amount in (("conversions", 1), ("value", 3)):
        game = shapley(players(rows), lambda s, amount=amount: rate(rows, s, amount))
        found = by_label(answer, name)
        expected = {k: float(game.get(k, 0) * paths) for k in found}
        assert found == pytest.approx(expected, abs=1e-12)
    added = by_label(answer, "added_rate")
    assert sum(added.values()) * paths == pytest.approx(sum(r[1] for r in rows if r[0]))
    assert answer.conversions.sum() + answer.unattributed_conversions == pytest.approx(
        answer.total_conversions
    )


@settings(max_examples=some(25))
@given(rows=path_rows, seed=st.integers(0, 99))
def test_the_rate_game_under_weights_is_that_of_the_weighted_data(rows, seed):
    # Every row in a shard of its own, some shards counted twice and some not at all.
    parts = [paths_of([row]) for row in rows[:60]]
    weights = np.random.default_rng(seed).integers(0, 3, len(parts))
    one = SetCredit.from_paths(paths_of([]), model=ShapleyRate())
    for shard, part in enumerate(parts):
        sets = SetCredit.from_paths(part, model=ShapleyRate())
        one += evolve_shard(sets, shard)
    given_weights = np.zeros((1, 64))
    given_weights[0, : len(parts)] = weights
    repeated = [
        row for row, often in zip(rows, weights.tolist(), strict=False) for _ in range(often)
    ]
    expected = by_label(attribute_paths(paths_of(repeated), ShapleyRate()))
    found = one.estimate(given_weights).conversions[0].tolist()
    for label, amount in zip([*one.labels, None], found, strict=True):
        assert amount == pytest.approx(expected.get(label, 0.0), abs=1e-9)


def evolve_shard(sets, shard):
    import attrs

    moved = {
        name: np.roll(getattr(sets, name), shard)
        for name in ("unattributed_conversions", "unattributed_value", "untouched_nulls")
    }
    known = {"unknown_customers": np.zeros(64, np.int64)}
    return attrs.evolve(sets, shard=np.full_like(sets.shard, shard), **moved, **known)


def customers_in_shards(rng, labels, rows=500):
    """Paths of customers in all shards, as a summary of sets."""
    whole = None
    for shard in range(64):
        part = SetCredit.from_paths(
            paths_of(random_rows(rng, labels, rows // 64 + 1)), model=ShapleyRate(orders=800)
        )
        part = evolve_shard(part, shard)
        whole = part if whole is None else whole + part
    return whole


def test_exact_drawn_and_differential_agree(monkeypatch):
    sets = customers_in_shards(np.random.default_rng(1), list("abcdefgh"), rows=4000)
    weights = 1.0 - np.eye(64)
    exact, left = sets.estimate(None), sets.estimate(weights)
    monkeypatch.setattr(shapley_rate, "_MOST_ANEW", 2)
    near = sets.estimate(weights)
    every = np.ones(64, bool)
    for name in ("conversions", "value"):
        error = jackknife_error(getattr(left, name)[:, :8], every)
        assert jackknife_error(getattr(near, name)[:, :8], every) == pytest.approx(error, rel=0.05)
    monkeypatch.setattr(shapley_rate, "MOST_EXACT", 2)
    drawn = sets.estimate(None)
    rough = drawn.measures["sampling_error"][0, :8]
    assert (rough > 0).all()
    assert (np.abs(drawn.conversions - exact.conversions)[0, :8] < 4 * rough).all()
    assert drawn.conversions.sum() == pytest.approx(exact.conversions.sum())
    assert drawn.value.sum() == pytest.approx(exact.value.sum())
    assert "sampling_error" not in exact.measures
    again = sets.estimate(weights).conversions
    assert jackknife_error(again[:, :8], every) == pytest.approx(
        jackknife_error(left.conversions[:, :8], every), rel=0.15
    )


def test_the_differential_is_the_derivative(monkeypatch):
    sets = customers_in_shards(np.random.default_rng(2), list("abcde"), rows=800)
    monkeypatch.setattr(shapley_rate, "_MOST_ANEW", 2)
    step = np.ones((1, 64))
    step[0, 5] += 1e-6
    near = sets.estimate(step).measures["added_rate"]
    monkeypatch.undo()
    assert near == pytest.approx(sets.estimate(step).measures["added_rate"], abs=1e-11)


def test_intervals_of_the_rate_game_are_the_jackknife():
    sets = customers_in_shards(np.random.default_rng(3), list("abc"), rows=600)
    answer = sets.result()
    share = answer.estimates["share"]
    assert (share.low < share.estimate).all()
    left = []
    for shard in range(64):
        kept = 1.0 - np.eye(64)[[shard]]
        left.append(sets.quantities(kept)["share"][0, :3])
    error = jackknife_error(np.array(left), np.ones(64, bool))
    assert (share.high - share.estimate) == pytest.approx(error * 1.998, rel=1e-3)
    boot = sets.result(draws=300, rng=1).estimates["share"]
    assert (boot.high - boot.low) == pytest.approx(share.high - share.low, rel=0.35)


def test_many_labels_are_drawn_and_conserve():
    rows = random_rows(np.random.default_rng(4), 60, 300)
    answer = attribute_paths(paths_of(rows), ShapleyRate(orders=100))
    assert answer.conversions.sum() == pytest.approx(answer.total_conversions)
    assert attribute_paths(paths_of(rows), ShapleyRate(orders=100)).conversions.tolist() == (
        answer.conversions.tolist()
    )
    other = attribute_paths(paths_of(rows), ShapleyRate(orders=200, seed=1))
    assert other.conversions.tolist() != answer.conversions.tolist()


@pytest.mark.parametrize("model", [ShapleyConversions(), ShapleyRate()])
def test_defined_answers_for_poor_data(model):
    def credit(rows):
        return by_label(attribute_paths(paths_of(rows), model))

    assert credit([]) == {}
    assert credit([("", 3, 5, 0.0)]) == {}
    assert credit([("a", 0, 3, 0.0), ("a > b", 0, 3, 0.0)]) == {"a": 0, "b": 0}
    assert credit([("a", 3, 5, 0.0)]) == {"a": 3}
    assert credit([("a", 3, 0, 9.0)]) == {"a": 3}
    long = [(["a", "b"] * 50_000, 1, 0, 4.0), (["a"], 0, 1, 0.0)]
    assert sum(credit(long).values()) == pytest.approx(1)


def test_a_label_that_keeps_from_converting_costs():
    rows = [("ad", 10, 90, 0), ("mail", 2, 98, 0), ("ad > mail", 8, 92, 0)]
    answer = attribute_paths(Paths.from_counts(rows), ShapleyRate())
    assert by_label(answer)["mail"] < 0
    assert answer.model.signed
    assert by_label(attribute_paths(Paths.from_counts(rows), ShapleyConversions()))["mail"] > 0


def test_definitions():
    assert ShapleyRate(orders=50).name == "shapley_rate(orders=50)"
    for model in (ShapleyRate(seed=3), ShapleyConversions()):
        assert model_from_dict(model.to_dict()) == model
    for orders in (3, 0, 2.0, True, "10"):
        with pytest.raises(DefinitionError, match="even number, 4 or more"):
            ShapleyRate(orders=orders)


# ------------------------------------------------------------------------------ by position


@settings(max_examples=some(25))
@given(rows=path_rows, positions=st.integers(1, 6))
def test_positions_sum_to_the_game(rows, positions):
    paths = paths_of(rows)
    table = shapley_positions(paths, positions=positions)
    whole = attribute_paths(paths, LinearDistinct())
    assert table.labels == whole.labels
    assert table.conversions.shape == (len(whole.labels), positions)
    assert table.conversions.sum(axis=1) == pytest.approx(whole.conversions)
    assert table.value.sum(axis=1) == pytest.approx(whole.value)
    assert len(table.columns()) == positions + 2


def test_positions_by_hand():
    table = shapley_positions(paths_of([("a > b > a > a", 6, 0, 12.0)]), positions=3)
    assert table.conversions.round(12).tolist() == [[1, 0, 2], [0, 3, 0]]
    assert table.value.round(12).tolist() == [[2, 0, 4], [0, 6, 0]]
    assert list(table.columns()) == ["channel", "1", "2", "3+", "all"]
    for positions in (0, 1.5, True - 1):
        with pytest.raises(DefinitionError, match="positions must be"):
            shapley_positions(paths_of([]), positions=positions)


# ------------------------------------------------------------------------- games of one's own


@settings(max_examples=some(25))
@given(st.integers(1, 5), st.integers(0, 2**32))
def test_any_game_by_all_orders(count, seed):
    worth = np.random.default_rng(seed).normal(size=1 << count)
    found = shapley_of_table(worth)
    expected = shapley(range(count), lambda s: float(worth[sum(1 << k for k in s)]))
    assert found == pytest.approx([float(expected[k]) for k in range(count)], abs=1e-12)


@pytest.mark.parametrize("bits", [0, 1, 3, 6, 7, 10, 16])
def test_sums_over_subsets_and_supersets(bits):
    rng = np.random.default_rng(bits)
    table = rng.integers(0, 100, 1 << bits).astype(float)
    below, above = subset_sums(table), superset_sums(table)
    for S in [0, (1 << bits) - 1, *rng.integers(0, 1 << bits, 5).tolist()]:
        every = np.arange(1 << bits)
        assert below[S] == table[every & ~S == 0].sum()
        assert above[S] == table[S & ~every == 0].sum()
    batch = np.stack([table, 2 * table])
    assert subset_sums(batch).tolist() == [below.tolist(), (2 * below).tolist()]


def test_weights_are_those_of_the_definition():
    joined, apart = weights_by_size(5)
    f = math.factorial
    for s in range(1, 6):
        assert joined[s] == pytest.approx(f(s - 1) * f(5 - s) / f(5))
        assert apart[s - 1] == pytest.approx(f(s - 1) * f(5 - s) / f(5))


def test_a_game_of_ones_own():
    weight = np.array([1.0, 2.0, 4.0])

    def value(members):
        assert members.dtype == bool
        assert not members.flags.writeable
        return members @ weight + 6 * members[:, :2].all(axis=1)

    exact = shapley_values(["a", "b", "c"], value)
    assert exact.values.tolist() == pytest.approx([4, 5, 4])
    assert exact.total == 13
    assert exact.orders == 0
    assert exact.columns()["share"].sum() == pytest.approx(1)
    drawn = shapley_values(["a", "b", "c"], value, orders=2000, rng=1)
    assert drawn.orders == 2000
    assert drawn.values.sum() == pytest.approx(13)
    assert (np.abs(drawn.values - exact.values) <= 4 * drawn.standard_error + 1e-12).all()
    assert "2,000 orders drawn" in repr(drawn)


def test_a_game_of_more_labels_than_can_be_looked_at():
    weight = np.arange(1.0, 31.0)
    seen = []
    found = shapley_values(
        list(range(30)), lambda m: m @ weight, orders=20, rng=2, progress=lambda *n: seen.append(n)
    )
    assert found.values == pytest.approx(weight)  # an additive game has no chance in it
    assert found.standard_error == pytest.approx(np.zeros(30), abs=1e-12)
    assert seen[-1] == (10, 10)
    assert shapley_values(range(25), lambda m: m.sum(axis=1)).orders == 1000


def test_a_game_that_is_worth_nothing():
    found = shapley_values(["a"], lambda m: np.zeros(len(m)))
    assert math.isnan(found.columns()["share"][0])
    assert shapley_values([], lambda m: np.zeros(len(m))).values.tolist() == []


@pytest.mark.parametrize(
    ("labels", "value", "options", "error", "message"),
    [
        (["a"], 3, {}, DefinitionError, "value must be a function"),
        (["a", "a"], len, {}, DefinitionError, "labels must be different"),
        (["a"], len, {"orders": 3}, DefinitionError, "an even number"),
        (["a"], lambda _: 1.0, {}, DataError, "must answer with 2 finite numbers"),
        (["a"], lambda m: np.full(len(m), np.nan), {}, DataError, "finite"),
        (["a"], lambda _: "x", {}, DataError, "found 'x'"),
    ],
)
def test_games_that_are_none(labels, value, options, error, message):
    with pytest.raises(error, match=message):
        shapley_values(labels, value, **options)


def test_every_order_is_as_likely():
    from cxkit.attribution.labelsets.shapley_math import ranks_of_orders

    rank = ranks_of_orders(np.random.default_rng(0), 3000, 3)
    assert rank.shape == (6000, 3)
    seen = {tuple(r): 0 for r in itertools.permutations(range(3))}
    for row in rank.tolist():
        seen[tuple(row)] += 1
    assert min(seen.values()) > 850
    assert (rank[::2] + rank[1::2] == 2).all()
