import itertools
import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from cxkit.core.intervals import (
    divide,
    interval,
    jackknife_error,
    leave_one_out,
    p_value,
    paired_difference,
    percentile_interval,
    shard_draws,
    share_interval,
)
from cxkit.core.summary import SHARDS
from cxkit.errors import DefinitionError

ALL = np.ones(SHARDS, bool)


def test_jackknife_of_a_mean_is_its_standard_error():
    rng = np.random.default_rng(0)
    values = rng.normal(size=SHARDS)  # one value per shard: the textbook case
    sums, counts = leave_one_out(values), leave_one_out(np.ones(SHARDS))
    error = jackknife_error(sums / counts, np.ones(SHARDS, bool))
    assert error == pytest.approx(values.std(ddof=1) / math.sqrt(SHARDS), rel=1e-12)


def test_empty_shards_do_not_count():
    values = np.zeros(SHARDS)
    values[:12] = np.random.default_rng(1).normal(size=12)
    held = np.arange(SHARDS) < 12
    mean = leave_one_out(values) / leave_one_out(held.astype(float))
    error = jackknife_error(mean, held)
    assert error == pytest.approx(values[:12].std(ddof=1) / math.sqrt(12), rel=1e-12)


def test_too_few_shards_give_no_interval():
    error = jackknife_error(np.zeros((SHARDS, 3)), np.arange(SHARDS) < 9)
    assert np.isnan(error).all()


@pytest.mark.parametrize("groups", [10, 20, 64])
@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.99])
def test_interval_uses_students_t(groups, level):
    stats = pytest.importorskip("scipy.stats")
    held = np.arange(SHARDS) < groups
    low, high = interval(np.array([0.0]), np.array([1.0]), held, level=level)
    quantile = stats.t.ppf(0.5 + level / 2, groups - 1)
    assert high[0] == pytest.approx(quantile, rel=2e-3)
    assert low[0] == -high[0]


def test_interval_stays_within_bounds():
    low, high = interval(np.array([0.99]), np.array([0.1]), np.ones(64, bool), bounds=(0, 1))
    assert high[0] == 1
    assert 0 < low[0] < 0.99


def test_divide_knows_no_infinity():
    assert divide([1, 0, -1, 3], [0, 0, 0, 2])[:3] == pytest.approx([math.nan] * 3, nan_ok=True)
    assert divide(np.int64(3), 2) == 1.5


def test_share_interval_is_that_of_the_jackknife():
    rng = np.random.default_rng(3)
    whole = rng.integers(5, 20, (SHARDS, 2))
    part = rng.binomial(whole, 0.4)
    low, high = share_interval(part, whole, ALL, level=0.9)
    left = [
        (part.sum(0) - part[g]) / (whole.sum(0) - whole[g])
        for g in range(SHARDS)  # by hand, one shard at a time
    ]
    error = np.sqrt((SHARDS - 1) / SHARDS * ((left - np.mean(left, 0)) ** 2).sum(0))
    share = part.sum(0) / whole.sum(0)
    assert (high - low) / 2 == pytest.approx(1.669402 * error, rel=1e-3)  # t of 63 degrees
    assert (high + low) / 2 == pytest.approx(share)
    with pytest.raises(DefinitionError, match="level must lie between 0 and 1"):
        share_interval(part, whole, ALL, level=1)


def test_none_and_all_leave_room_for_chance():
    """Clopper and Pearson: beyond the end, 64 of 64 alike come up in less than 2.5 of 100 cases."""
    whole = np.ones((SHARDS, 1), np.int64)
    part = np.concatenate([0 * whole, whole, whole], axis=1)
    low, high = share_interval(part, whole, ALL, level=0.95, certain=np.array([False, False, True]))
    assert low.tolist()[0] == 0
    assert high.tolist()[1:] == [1, 1]
    assert (1 - high[0]) ** SHARDS == pytest.approx(0.025)
    assert low[1] ** SHARDS == pytest.approx(0.025)
    assert low[2] == 1


# ---------------------------------------------------------------------- bootstrap


def test_draws_are_those_of_a_bootstrap():
    held = np.arange(SHARDS) % 2 == 0
    weights = shard_draws(7, 4000, held)
    assert (weights.sum(axis=1) == 32).all()
    assert not weights[:, ~held].any()
    assert weights[:, held].mean(axis=0) == pytest.approx(np.ones(32), abs=0.08)
    assert weights[:, held].var() == pytest.approx(31 / 32, rel=0.05)  # of a multinomial
    assert np.array_equal(weights, shard_draws(np.random.default_rng(7), 4000, held))
    assert not shard_draws(0, 5, ~ALL).any()


def test_bootstrap_and_jackknife_agree_on_a_mean():
    values = np.random.default_rng(5).normal(size=SHARDS)
    means = shard_draws(0, 5000, ALL) @ values / SHARDS
    low, high = percentile_interval(means, level=0.95)
    error = jackknife_error(leave_one_out(values) / (SHARDS - 1), ALL)
    assert means.std() == pytest.approx(float(error), rel=0.05)
    assert high - low == pytest.approx(2 * 1.96 * error, rel=0.05)


def test_a_replicate_without_an_estimate_gives_no_interval():
    low, high = percentile_interval(np.array([[1.0, 1.0], [math.nan, 3.0]]))
    assert np.isnan(low).tolist() == np.isnan(high).tolist() == [True, False]


# ---------------------------------------------------------------------- tests


@pytest.mark.parametrize("freedom", [*range(1, 12), 62, 63])
def test_p_values_are_students(freedom):
    stats = pytest.importorskip("scipy.stats")
    t = np.array([0.0, 0.3, -1.0, 2.0, -4.0, 9.0])
    assert p_value(t, freedom) == pytest.approx(2 * stats.t.sf(np.abs(t), freedom), abs=1e-13)


def test_p_value_of_nothing_is_nothing():
    assert math.isnan(p_value(math.nan, 9))
    assert p_value(math.inf, 9) == 0


def test_a_difference_of_pairs_is_the_paired_t_test():
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(8)
    first = rng.normal(size=SHARDS)
    second = first + rng.normal(0.05, 0.1, size=SHARDS)  # much in common
    means = [leave_one_out(x) / (SHARDS - 1) for x in (first, second)]
    found = paired_difference(first.mean(), second.mean(), *means, ALL)
    expected = stats.ttest_rel(second, first)
    ends = expected.confidence_interval()
    assert found.p == pytest.approx(expected.pvalue, rel=1e-9)
    assert [found.low, found.high] == pytest.approx([ends.low, ends.high], rel=1e-3)
    assert found.difference == pytest.approx(second.mean() - first.mean())


def test_a_difference_that_never_varies():
    same = np.zeros(SHARDS)
    nothing = paired_difference(np.float64(0), np.float64(0), same, same, ALL)
    assert nothing == (0, 0, 0, 1)
    always = paired_difference(np.float64(0), np.float64(2), same, same + 2, ALL)
    assert always == (2, 2, 2, 0)
    few = paired_difference(np.float64(0), np.float64(2), same, same + 2, np.arange(SHARDS) < 9)
    assert few.difference == 2
    assert np.isnan([few.low, few.high, few.p]).all()


@given(st.lists(st.floats(-1, 1), min_size=SHARDS, max_size=SHARDS))
def test_a_difference_turned_round_is_its_negative(values):
    left = np.array(values)
    there = paired_difference(np.float64(1), np.float64(2), left, 2 * left, ALL)
    back = paired_difference(np.float64(2), np.float64(1), 2 * left, left, ALL)
    assert (back.low, back.high) == (-there.high, -there.low)
    assert back.p == there.p


def test_coverage_of_the_mean_of_unequal_shards():
    """Of 400 samples of customers, about 95 in 100 intervals hold the truth."""
    rng = np.random.default_rng(0)
    held = 0
    for _ in itertools.repeat(None, 400):
        whole = rng.poisson(30, (SHARDS, 1)) + 1
        part = rng.binomial(whole, 0.2)
        low, high = share_interval(part, whole, ALL, level=0.95)
        held += int(low[0] <= 0.2 <= high[0])
    assert 0.92 < held / 400 < 0.98
