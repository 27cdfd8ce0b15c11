"""The chain against deleting states one by one with exact fractions."""

from __future__ import annotations

import math
import warnings

import attrs
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from cxkit.attribution import (
    ChainCounts,
    Markov,
    Paths,
    PresenceShare,
    attribute,
    attribute_paths,
    tally,
)
from cxkit.attribution.chains import chaincredit, contextchain, grams
from cxkit.attribution.chains.removal import Chains, removal_effects, removal_slopes
from cxkit.core import threads
from cxkit.core.codes import Codes
from cxkit.core.ragged import chunks
from cxkit.errors import CxWarning, DataError, DefinitionError, MergeError
from cxkit.model.journeys import Journeys
from tests.attribution.brute import Row, chain, cut, logs, options, removal, rows, to_journeys
from tests.examples import some

ORDERS = (1, 2, 3, 4)
short_logs = st.lists(rows, max_size=22)


@pytest.mark.parametrize("solver", ["small", "blocked", "listed"])
@pytest.mark.parametrize("order", ORDERS)
@settings(max_examples=some(12))
@given(log=short_logs, given_options=options)
def test_the_chain_equals_deleting_states(order, solver, log, given_options):
    paths = cut(log, **given_options)
    effects, value_effects = removal(paths, order)
    counts = ChainCounts.of(to_journeys(log), goal="buy", order=order, **given_options)
    with pytest.MonkeyPatch.context() as patch:
        if solver != "small":
            patch.setattr(chaincredit, "_SMALL_CHAIN", -1)
            patch.setattr(contextchain, "_MOST_CELLS", 1 << 30 if solver == "blocked" else 0)
            patch.setattr(contextchain, "_CELLS_PER_GRAM", 0)
        got = counts.result()
    conversions = sum(p.converted and bool(p.touches) for p in paths)
    value = sum(p.value for p in paths if p.touches)
    whole, value_whole = sum(effects.values()), sum(value_effects.values())
    told = got.estimates["value_removal_effect"].estimate
    for at, label in enumerate(got.labels):
        effect = effects.get(label, 0)
        assert got.removal_effect[at] == pytest.approx(float(effect), abs=1e-9)
        assert told[at] == pytest.approx(float(value_effects.get(label, 0)), abs=1e-9)
        share = effect / whole if whole else 0
        assert got.conversions[at] == pytest.approx(float(share * conversions), abs=1e-8)
        of_value = value_effects.get(label, 0) / value_whole if value_whole else 0
        assert got.value[at] == pytest.approx(float(of_value) * value, abs=1e-7)
        visits = sum(label == c for p in paths for _, c, _ in p.touches)
        assert got.touchpoints[at] == visits
    assert got.total_conversions == sum(p.converted for p in paths)
    assert got.null_paths == sum(not p.converted for p in paths)
    assert got.unattributed_conversions == sum(p.converted and not p.touches for p in paths)


def counted(summary):
    """The counts of a ChainCounts as those of the brute chain, over all shards."""
    labels = [*summary.labels, None, "("]
    found = {}
    for gram, often in zip(summary.grams.tolist(), summary.steps.tolist(), strict=True):
        read = tuple(labels[c] for c in gram)
        key = read[:-1], read[1:]
        found[key] = found.get(key, 0) + often
    ends = zip(summary.contexts.tolist(), summary.conversions, summary.nulls, strict=True)
    for context, conversions, nulls in ends:
        read = tuple(labels[c] for c in context)
        for key, often in (((read, "conversion"), conversions), ((read, "null"), nulls)):
            found[key] = found.get(key, 0) + int(often)
    return {key: often for key, often in found.items() if often}


@pytest.mark.parametrize("way", ["cells", "sorting", "columns"])
@pytest.mark.parametrize("order", ORDERS)
@settings(max_examples=some(20))
@given(log=logs, given_options=options)
def test_the_counts_equal_plain_python(order, way, log, given_options):
    with pytest.MonkeyPatch.context() as patch:
        if way != "cells":  # as over thousands of labels
            patch.setattr(grams, "_FEW_BINS", 0)
        if way == "columns":
            patch.setattr(grams, "_MOST_KEYS", 1000)
        summary = ChainCounts.of(to_journeys(log), goal="buy", order=order, **given_options)
    expected, gains = chain(cut(log, **given_options), order)
    start = ("(",) * order
    flat = {
        (a, b): n for a, to in expected.items() for b, n in to.items() if (a, b) != (start, "null")
    }
    assert counted(summary) == flat
    assert summary.untouched_nulls.sum() == expected[start]["null"]
    assert summary.value.sum() == pytest.approx(float(sum(gains.values())), abs=1e-9)


@pytest.mark.parametrize("order", ORDERS)
def test_chunks_and_threads_join_without_a_seam(order, monkeypatch):
    rng = np.random.default_rng(5)
    E, J = 30_000, 3_000
    journeys = Journeys.from_codes(
        customer=rng.integers(0, J, E),
        time=rng.integers(0, 10**9, E),
        columns={"channel": rng.integers(0, 7, E), "event": rng.integers(0, 5, E)},
    )
    plain = ChainCounts.of(journeys, goal=3, order=order)
    # The general way, over paths that are gathered, is another implementation of the same.
    general = ChainCounts.of(journeys, goal=3, lookback="1000d", order=order)
    assert plain == attrs.evolve(general, rule=plain.rule)
    with monkeypatch.context() as patch:
        patch.setattr(
            grams, "chunks", lambda offsets, *_, within: chunks(offsets, 100, within=within)
        )
        patch.setattr(threads, "FEWEST_ROWS", 0)
        patch.setenv("CXKIT_THREADS", "2")
        assert plain == ChainCounts.of(journeys, goal=3, order=order)
        patch.setattr(grams, "_FEW_BINS", 0)
        assert plain == ChainCounts.of(journeys, goal=3, order=order)
        patch.setattr(grams, "_MOST_KEYS", 1000)
        assert plain == ChainCounts.of(journeys, goal=3, order=order)
    for lower in range(1, order):
        assert plain.lower(lower) == ChainCounts.of(journeys, goal=3, order=lower)


@pytest.mark.parametrize("order", ORDERS)
@settings(max_examples=some(25))
@given(log=logs, given_options=options)
def test_the_chain_is_in_the_paths(order, log, given_options):
    journeys = to_journeys(log)
    paths = Paths.of(journeys, goal="buy", **given_options)
    direct, through = (
        ChainCounts.of(journeys, goal="buy", order=order, **given_options),
        ChainCounts.from_paths(paths, order=order),
    )
    assert direct == through  # values are multiples of a half: their sums are exact


def test_untouched_null_paths_change_no_removal_effect():
    rows = [("a > b", 3, 1, 0), ("b", 1, 2, 0), ("a", 0, 2, 0)]
    without = attribute_paths(Paths.from_counts(rows))
    with_them = attribute_paths(Paths.from_counts([*rows, ("", 0, 50, 0)]))
    assert with_them.null_paths == without.null_paths + 50
    assert with_them.removal_effect.tolist() == without.removal_effect.tolist()


def test_intervals_are_those_of_counting_without_each_shard():
    rng = np.random.default_rng(3)
    E = 4_000
    journeys = Journeys.from_codes(
        customer=rng.integers(0, 500, E),
        time=rng.integers(0, 10**9, E),
        columns={"channel": rng.integers(0, 5, E), "event": rng.integers(0, 10, E)},
    )
    got = attribute(journeys, 3, Markov(), level=0.9)
    shares = []
    for shard in np.unique(journeys.shards):
        rest = journeys.take(np.flatnonzero(journeys.shards != shard))
        shares.append(attribute(rest, 3, Markov()).share)
    groups = len(shares)
    error = np.sqrt((groups - 1) * np.var(shares, axis=0))
    t = 1.6694  # Student's t, 63 degrees, 95%
    assert groups == 64
    np.testing.assert_allclose(got.share_high - got.share, t * error, rtol=1e-3)
    np.testing.assert_allclose(got.share - got.share_low, t * error, rtol=1e-3)


def random_journeys(seed, customers=300, labels=5, rows=2_000, goals=10):
    rng = np.random.default_rng(seed)
    return Journeys.from_codes(
        customer=rng.integers(0, customers, rows),
        time=rng.integers(0, 10**9, rows),
        columns={
            "channel": rng.integers(0, labels, rows),
            "event": rng.integers(0, goals, rows),
            "value": rng.integers(1, 9, rows).astype(float),
        },
    )


def test_batches_of_shards_give_the_same_intervals():
    summary = ChainCounts.of(random_journeys(4), goal=3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chaincredit, "_CELLS_AT_ONCE", 60)  # two shards at a time
        few = summary.result()
        patch.setattr(chaincredit, "_MOST_LABELS_WITH_INTERVALS", 4)
        none = summary.result()
        patch.setattr(chaincredit, "_MOST_LABELS", 4)
        with pytest.raises(DefinitionError, match="'channel' has 5 labels"):
            summary.result()
    assert few.share_low.tolist() == summary.result().share_low.tolist()
    assert np.isnan(none.share_low).all()
    assert none.share.tolist() == few.share.tolist()


@pytest.mark.parametrize("order", [2, 3, 4])
@pytest.mark.parametrize("cells", [0, 1 << 30], ids=["listed", "blocked"])
def test_large_chains_move_along_their_derivative(order, cells):
    journeys = random_journeys(
        8, customers=4_000, labels=3 if order == 2 else 2, rows=16_000, goals=4
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chaincredit, "_SMALL_CHAIN", 1 << 40)
        anew = ChainCounts.of(journeys, goal=3, order=order)
        exact = anew.without_each_shard(anew.occupied())
        patch.setattr(chaincredit, "_SMALL_CHAIN", -1)
        patch.setattr(contextchain, "_MOST_CELLS", cells)
        patch.setattr(contextchain, "_CELLS_PER_GRAM", 0)
        moved = ChainCounts.of(journeys, goal=3, order=order)
        linear = moved.without_each_shard(moved.occupied())
        whole = moved.quantities(None)
        for name, values in anew.quantities(None).items():
            np.testing.assert_allclose(whole[name], values, rtol=1e-9)
        # The derivative itself: as the weights go to one, the difference to it goes to zero.
        rng = np.random.default_rng(1)
        weights = 1 + 1e-5 * rng.normal(size=(3, 64))
        tilted = moved.quantities(weights), anew.quantities(weights)
    for name in ("removal_effect", "value_removal_effect", "share", "value_share"):
        np.testing.assert_allclose(tilted[0][name], tilted[1][name], atol=2e-9)
        near, far = (np.nanstd(left[name], axis=0)[:-1] for left in (exact, linear))
        np.testing.assert_allclose(far, near, rtol=0.1)


def test_wide_chains_of_order_one_move_along_their_derivative():
    journeys = random_journeys(8, customers=3_000, labels=7, rows=12_000, goals=4)
    summary = ChainCounts.of(journeys, goal=3)
    weights = 2 + 2e-5 * np.random.default_rng(1).normal(size=(3, 64))
    exact, near = summary.without_each_shard(summary.occupied()), summary.quantities(weights)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chaincredit, "_MOST_SOLVED_ANEW", 1)
        moved, tilted = summary.without_each_shard(summary.occupied()), summary.quantities(weights)
    for name in ("removal_effect", "value_removal_effect", "share", "value_share"):
        assert not np.array_equal(tilted[name], near[name])
        np.testing.assert_allclose(tilted[name], near[name], atol=2e-9)
        anew, along = (np.nanstd(left[name], axis=0)[:-1] for left in (exact, moved))
        np.testing.assert_allclose(along, anew, rtol=0.03)


def test_slopes_where_nothing_is_earned_are_zero():
    nothing = np.zeros((2, 1))
    chains = Chains(
        steps=np.array([[[1.0]], [[0.0]]]),
        visits=np.array([[2.0], [1.0]]),
        conversions=np.array([[0.0], [1.0]]),
        value=nothing,
    )
    conversions, value = removal_slopes(chains)
    assert value.tolist() == nothing.tolist()
    assert conversions == pytest.approx(nothing)  # one label has all of it, whatever the weights


@pytest.mark.parametrize("order", [1, 2])
def test_a_bootstrap_tells_what_the_jackknife_tells(order):
    summary = ChainCounts.of(random_journeys(9, customers=3_000, rows=12_000), goal=3, order=order)
    jackknife, bootstrap = summary.result(0.9), summary.result(0.9, draws=800, rng=4)
    assert summary.result(0.9, draws=800, rng=4).share_low.tolist() == bootstrap.share_low.tolist()
    for name in ("share", "value_share", "removal_effect", "value"):
        wide, other = jackknife.estimates[name], bootstrap.estimates[name]
        ratio = (other.high - other.low) / (wide.high - wide.low)
        assert ((ratio > 0.75) & (ratio < 1.25)).all()
        assert (other.low < wide.estimate).all()
    assert "bootstrap, 800 draws" in repr(bootstrap.intervals())
    with pytest.raises(DefinitionError, match="draws must be 2 or more"):
        summary.result(draws=1)


def test_thousands_of_labels():
    rng = np.random.default_rng(6)
    E = 20_000
    journeys = Journeys.from_codes(
        customer=rng.integers(0, 2_000, E),
        time=rng.integers(0, 10**9, E),
        columns={"channel": rng.integers(0, 1_000, E), "event": rng.integers(0, 20, E)},
    )
    got = attribute(journeys, 3, Markov())
    assert len(got) == 1_000
    assert got.conversions.sum() == pytest.approx(got.total_conversions)
    assert np.isnan(got.share_low).all()


def test_labels_without_a_touch_get_nothing():
    log = [
        Row(1, 1, "ad", "view", 1.0),
        Row(1, 2, "shop", "buy", 1.0),
        Row(2, 1, "mail", "view", 1.0),
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CxWarning)
        got = attribute(to_journeys(log)[0], "buy", Markov())
    assert got.to_dicts()[1] | {"share_low": 0, "share_high": 0} == {
        "channel": "mail",
        "touchpoints": 0,
        "conversions": 0.0,
        "value": 0.0,
        "share": 0.0,
        "share_low": 0,
        "share_high": 0,
        "removal_effect": 0.0,
    }


def test_no_conversion_gives_no_share():
    log = [Row(1, 1, "ad", "view", 1.0), Row(2, 1, "mail", "buy", 1.0)]
    got = attribute(to_journeys(log).take([0]), "buy", Markov())
    assert got.conversions.tolist() == [0.0, 0.0]
    assert np.isnan(got.share).all()
    assert got.removal_effect.tolist() == [0.0, 0.0]
    assert got.null_paths == 1


def test_values_that_cancel_out_follow_the_conversions():
    paths = Paths.from_counts([("a", 1, 1, 5.0), ("b", 1, 1, -5.0)])
    got = attribute_paths(paths)
    assert got.value.tolist() == [0.0, 0.0]
    assert got.conversions.tolist() == [1.0, 1.0]


def test_a_chain_without_null_paths_warns():
    log = [Row(1, 1, "ad", "view", 1.0), Row(1, 2, "shop", "buy", math.nan)]
    with pytest.warns(CxWarning, match="every path ends in 'buy'") as caught:
        attribute(to_journeys(log), "buy", Markov())
    assert caught[0].filename == __file__
    with pytest.warns(CxWarning, match="every path ends") as caught:
        attribute_paths(Paths.of(to_journeys(log), goal="buy"))
    assert caught[0].filename == __file__


@pytest.mark.parametrize("order", ORDERS)
def test_a_path_of_a_hundred_thousand_touches(order):
    rng = np.random.default_rng(order)
    codes = rng.integers(0, 3, 100_000)
    codes = np.append(codes, [0, 1, 2] * 60)
    who = np.append(np.zeros(100_000, int), np.repeat(np.arange(1, 61), 3))
    event = np.zeros(len(codes), int)
    event[-180::3] = 1  # sixty customers convert with their first touch, and go on in vain
    event[99_999] = 1
    journeys = Journeys.from_codes(
        customer=who,
        time=np.arange(len(codes)),
        columns={"channel": codes, "event": event},
    )
    got = attribute(journeys, 1, Markov(order))
    assert got.conversions.sum() == pytest.approx(61)
    # Whoever enters the long path meets every label; the others convert with label 0 at once.
    assert got.removal_effect[0] == pytest.approx(1.0, abs=1e-3)
    # In order 1 nothing tells their 0 from the 0s of the long path.
    assert (got.removal_effect[1] < 0.6) == (order > 1)


@pytest.mark.parametrize("order", ORDERS)
def test_every_journey_converts_or_there_is_one_label(order):
    with pytest.warns(CxWarning, match="every path ends in"):
        got = attribute_paths(
            Paths.from_counts([("a > b", 3, 0, 9.0), ("b", 1, 0, 0)]), Markov(order)
        )
    assert got.removal_effect.tolist() == pytest.approx([0.75, 1.0])
    alone = attribute_paths(Paths.from_counts([("a > a", 3, 1, 9.0), ("", 0, 4, 0)]), Markov(order))
    assert alone.removal_effect.tolist() == pytest.approx([1.0])
    assert alone.conversions.tolist() == pytest.approx([3.0])


@pytest.mark.parametrize("order", ORDERS)
def test_negative_values_have_an_answer(order):
    rows = [("a > b", 3, 2, -9.0), ("b", 1, 4, 30.0), ("a", 0, 3, 0)]
    got = attribute_paths(Paths.from_counts(rows), Markov(order))
    assert got.value.sum() == pytest.approx(21.0)
    assert np.isfinite(got.value).all()
    cancels = attribute_paths(
        Paths.from_counts([("a", 1, 1, 5.0), ("b", 1, 1, -5.0)]), Markov(order)
    )
    assert cancels.value.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("order", [2, 3])
def test_more_labels_than_intervals_are_worth(order, monkeypatch):
    monkeypatch.setattr(chaincredit, "_MOST_LABELS_WITH_INTERVALS", 99)
    journeys = random_journeys(6, customers=300, labels=100, rows=1_000, goals=20)
    got = attribute(journeys, 3, Markov(order))
    assert got.conversions.sum() == pytest.approx(got.total_conversions)
    assert np.isnan(got.share_low).all()
    assert got.notes()[-1] == "no intervals: a chain has them up to 99 labels, and visits 100"
    present = attribute(journeys, 3, PresenceShare())
    # So many labels that hardly two paths meet: the chain has them by heart.
    np.testing.assert_allclose(got.share, present.share, atol=2e-2)


def test_orders_do_not_add_up():
    journeys = random_journeys(1)
    one, two = (tally(journeys, 3, Markov(k)) for k in (1, 2))
    with pytest.raises(MergeError, match="different order"):
        one + two
    with pytest.raises(DefinitionError, match="a chain of order 1 does not hold one of 2"):
        one.lower(2)


def test_a_loop_that_no_path_leaves_is_refused():
    looped = Chains(
        steps=np.array([[1.0]]),
        visits=np.array([1.0]),
        conversions=np.array([0.0]),
        value=np.array([0.0]),
    )
    with pytest.raises(DataError, match="loop of labels that no path leaves"):
        removal_effects(looped)
    one = ChainCounts.from_paths(Paths.from_counts([("a", 1, 0, 0)]))
    stuck = attrs.evolve(one, conversions=np.zeros(1, np.int64))
    assert stuck.result().conversions.tolist() == [0.0]
    two = ChainCounts.from_paths(Paths.from_counts([("a > a", 1, 0, 0)]), order=2)
    endless = attrs.evolve(
        two,
        grams=np.array([[2, 2, 0], [2, 0, 0], [0, 0, 0]], np.uint8),
        gram_shard=np.zeros(3, np.uint8),
        steps=np.array([2, 1, 5]),
        contexts=np.array([[2, 0]], np.uint8),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chaincredit, "_SMALL_CHAIN", -1)
        # Visits to (a, a) that nobody leaves are removed with a: the answer exists all the same.
        assert endless.result().removal_effect.tolist() == [1.0]


@given(st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=6), min_size=1, max_size=12))
def test_repeats_do_not_matter_in_order_one(sequences):
    def collapse(path):
        return [x for i, x in enumerate(path) if i == 0 or path[i - 1] != x]

    kept = attribute_paths(Paths.from_counts([(p, i % 3, 1, 0) for i, p in enumerate(sequences)]))
    dropped = attribute_paths(
        Paths.from_counts([(collapse(p), i % 3, 1, 0) for i, p in enumerate(sequences)])
    )
    np.testing.assert_allclose(kept.removal_effect, dropped.removal_effect, atol=1e-9)


def test_a_missing_label_is_a_state_of_its_own():
    journeys = Journeys.from_codes(
        customer=np.array([1, 1, 2]),
        time=np.array([1, 2, 1]),
        columns={
            "channel": Codes.of([None, "ad", "ad"]),
            "event": Codes.of(["view", "buy", "view"]),
        },
    )
    got = attribute(journeys, "buy")
    assert got.labels == ("ad", None)
    assert got.removal_effect.tolist() == [1.0, 0.5]
