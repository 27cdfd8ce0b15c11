"""The chain against deleting states one by one with exact fractions."""

from __future__ import annotations

import math
import warnings

import attrs
import numpy as np
import pytest
from hypothesis import given, strategies as st

from cxkit.attribution import ChainCounts, Markov, Paths, attribute, attribute_paths, steps
from cxkit.attribution.removal import Chains, removal_effects
from cxkit.core.codes import Codes
from cxkit.errors import CxWarning, DataError, DefinitionError
from cxkit.model.journeys import Journeys
from tests.attribution.brute import Row, chain, cut, logs, options, removal, to_journeys


@given(logs, options)
def test_the_chain_equals_deleting_states(log, given_options):
    paths = cut(log, **given_options)
    effects, value_effects = removal(paths)
    counts = ChainCounts.of(to_journeys(log), goal="buy", **given_options)
    got = counts.result()
    conversions = sum(p.converted and bool(p.touches) for p in paths)
    value = sum(p.value for p in paths if p.touches)
    whole, value_whole = sum(effects.values()), sum(value_effects.values())
    for at, label in enumerate(got.labels):
        effect = effects.get(label, 0)
        assert got.removal_effect[at] == pytest.approx(float(effect), abs=1e-9)
        share = effect / whole if whole else 0
        assert got.conversions[at] == pytest.approx(float(share * conversions), abs=1e-9)
        of_value = value_effects.get(label, 0) / value_whole if value_whole else 0
        assert got.value[at] == pytest.approx(float(of_value) * value, abs=1e-9)
        visits = sum(label == c for p in paths for _, c, _ in p.touches)
        assert got.touchpoints[at] == visits
    assert got.total_conversions == sum(p.converted for p in paths)
    assert got.null_paths == sum(not p.converted for p in paths)
    assert got.unattributed_conversions == sum(p.converted and not p.touches for p in paths)


def counted(summary):
    """The counts of a ChainCounts as those of the brute chain, over all shards."""
    labels = [*summary.labels, None]
    found = {}
    for s in range(len(summary)):
        at = summary.codes[summary.offsets[s] : summary.offsets[s + 1]]
        if len(at) == 2:
            key = (labels[at[0]], labels[at[1]])
            found[key] = found.get(key, 0) + summary.steps[s]
        else:
            label = labels[at[0]]
            for key, often in (
                (("(", label), summary.steps[s]),
                ((label, "conversion"), summary.conversions[s]),
                ((label, "null"), summary.nulls[s]),
            ):
                found[key] = found.get(key, 0) + often
    return {key: often for key, often in found.items() if often}


@pytest.mark.parametrize("bins", [None, 0])
@given(log=logs, given_options=options)
def test_the_counts_equal_plain_python(bins, log, given_options):
    with pytest.MonkeyPatch.context() as patch:
        if bins is not None:  # count by sorting, as over thousands of labels
            patch.setattr(steps, "_MOST_BINS", bins)
            patch.setattr(steps, "_FEW_BINS", bins)
        summary = ChainCounts.of(to_journeys(log), goal="buy", **given_options)
    expected, gains = chain(cut(log, **given_options))
    flat = {
        (a, b): n for a, to in expected.items() for b, n in to.items() if (a, b) != ("(", "null")
    }
    assert counted(summary) == flat
    assert summary.untouched_nulls.sum() == expected["("]["null"]
    assert summary.value.sum() == pytest.approx(float(sum(gains.values())), abs=1e-9)


def test_chunks_join_without_a_seam():
    rng = np.random.default_rng(5)
    E, J = 30_000, 3_000
    journeys = Journeys.from_codes(
        customer=rng.integers(0, J, E),
        time=rng.integers(0, 10**9, E),
        columns={"channel": rng.integers(0, 7, E), "event": rng.integers(0, 5, E)},
    )
    plain = ChainCounts.of(journeys, goal=3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(steps, "CHUNK", 64)
        patch.setattr(steps, "chunks", lambda offsets, *_, **__: _small(offsets))
        small = ChainCounts.of(journeys, goal=3)
        patch.setattr(steps, "_MOST_BINS", 0)
        patch.setattr(steps, "_FEW_BINS", 0)
        by_sorting = ChainCounts.of(journeys, goal=3)
    assert plain == small
    assert plain == by_sorting
    # The general way, over cut paths, is another implementation of the same.
    general = ChainCounts.of(journeys, goal=3, lookback="1000d")
    assert plain == attrs.evolve(general, rule=plain.rule)


def _small(offsets):
    from cxkit.core.ragged import chunks

    return chunks(offsets, 100)


@given(logs, options)
def test_the_chain_is_in_the_paths(log, given_options):
    journeys = to_journeys(log)
    paths = Paths.of(journeys, goal="buy", **given_options)
    direct, through = (
        ChainCounts.of(journeys, goal="buy", **given_options),
        ChainCounts.from_paths(paths),
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


def test_batches_of_shards_give_the_same_intervals():
    rng = np.random.default_rng(4)
    journeys = Journeys.from_codes(
        customer=rng.integers(0, 300, 2_000),
        time=rng.integers(0, 10**9, 2_000),
        columns={"channel": rng.integers(0, 5, 2_000), "event": rng.integers(0, 10, 2_000)},
    )
    from cxkit.attribution import markov

    summary = ChainCounts.of(journeys, goal=3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(markov, "_CELLS_AT_ONCE", 60)  # two shards at a time
        few = summary.result()
        patch.setattr(markov, "_MOST_LABELS_WITH_INTERVALS", 4)
        none = summary.result()
        patch.setattr(markov, "_MOST_LABELS", 4)
        with pytest.raises(DefinitionError, match="'channel' has 5 labels"):
            summary.result()
    assert few.share_low.tolist() == summary.result().share_low.tolist()
    assert np.isnan(none.share_low).all()
    assert none.share.tolist() == few.share.tolist()


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


def test_a_loop_that_no_path_leaves_is_refused():
    one = Paths.from_counts([("a", 1, 0, 0)])
    stuck = attrs.evolve(ChainCounts.from_paths(one), conversions=np.zeros(1, np.int64))
    looped = Chains(
        steps=np.array([[1.0]]),
        visits=np.array([1.0]),
        conversions=np.array([0.0]),
        value=np.array([0.0]),
    )
    with pytest.raises(DataError, match="loop of labels that no path leaves"):
        removal_effects(looped)
    assert stuck.result().conversions.tolist() == [0.0]


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
