"""Times of steps: exact by brute force, and from bins within the error that is stated."""

from collections import defaultdict
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from cxkit import DefinitionError, Journeys
from cxkit.core.codes import Codes
from cxkit.core.timebins import BINS, RELATIVE_ERROR, bin_middles, bin_quantiles, bins_of
from cxkit.flow import StepTimes, dwell_times, step_times
from tests.examples import some
from tests.strategies import grouped, journeys_of, touchpoint_rows

COLUMN = {"event": 2, "channel": 3, "campaign": 4}
QUANTILES = (0.0, 0.25, 0.5, 0.9, 1.0)
few = settings(max_examples=some(25))


def slow_times(rows, by, *, onward=True):
    found = defaultdict(list)
    for part in grouped(rows).values():
        for a, b in pairwise(part):
            key = (a[COLUMN[by]], b[COLUMN[by]]) if onward else a[COLUMN[by]]
            found[key].append((b[1] - a[1]) / 1e6)
    return found


def smallest(times, share):
    """The inverse of the distribution function: numpy's inverted_cdf."""
    return np.quantile(times, share, method="inverted_cdf")


@few
@given(touchpoint_rows(customers=9), st.sampled_from(sorted(COLUMN)))
def test_exact_times_are_those_one_by_one(rows, by):
    table = step_times(journeys_of(rows), by, quantiles=QUANTILES, exact=True)
    want = slow_times(rows, by)
    got = {(row["from"], row["to"]): row for row in table.to_dicts()}
    assert got.keys() == want.keys()
    for key, times in want.items():
        assert got[key]["count"] == len(times)
        assert got[key]["mean"] == pytest.approx(np.mean(times))
        for share in QUANTILES:
            assert got[key][f"p{100 * share:g}"] == smallest(times, share)


@few
@given(touchpoint_rows(customers=9), st.sampled_from(sorted(COLUMN)))
def test_times_from_bins_are_within_the_error_that_is_stated(rows, by):
    for onward, verb in ((True, step_times), (False, dwell_times)):
        table = verb(journeys_of(rows), by, quantiles=QUANTILES)
        exact = verb(journeys_of(rows), by, quantiles=QUANTILES, exact=True)
        assert table.count.tolist() == exact.count.tolist()
        assert np.allclose(table.seconds, exact.seconds, rtol=RELATIVE_ERROR, atol=0)
        assert np.allclose(table.mean, exact.mean, rtol=RELATIVE_ERROR, atol=1e-9)
        want = slow_times(rows, by, onward=onward)
        names = ["from", "to"] if onward else [by]
        keys = [tuple(row[n] for n in names) for row in exact.to_dicts()]
        assert {k if onward else k[0] for k in keys} == set(want)
        for key, values in zip(keys, exact.seconds, strict=True):
            times = want[key if onward else key[0]]
            assert values.tolist() == [smallest(times, share) for share in QUANTILES]


@given(st.lists(st.integers(0, 2**53), min_size=1))
def test_a_bin_holds_what_is_within_the_error_of_its_middle(times):
    values = np.array(times)
    bins = bins_of(values)
    assert bins.min() >= 0
    assert bins.max() < BINS
    assert np.array_equal(bins == 0, values == 0)
    assert (np.abs(bin_middles(bins) - values) <= RELATIVE_ERROR * values).all()
    order = np.argsort(values)
    assert (np.diff(bins[order]) >= 0).all()


def test_bins_are_numbered_without_holes():
    edges = np.array([2**k * (64 + i) // 64 for k in range(6, 50) for i in range(64)])
    assert np.array_equal(np.diff(bins_of(edges)), np.ones(len(edges) - 1))


def test_a_time_below_zero_is_none():
    assert bins_of(np.array([-5])).tolist() == [0]


def test_quantiles_of_several_segments_at_once():
    times = [np.array([1, 2, 3]) * 64, np.array([500])]
    bins = bins_of(np.concatenate(times))
    got = bin_quantiles(np.ones(4, np.int64), bins, np.array([0, 3, 4]), np.array([2 / 3, np.nan]))
    assert got[0] == pytest.approx(128, rel=RELATIVE_ERROR)
    assert np.isnan(got[1])


def lognormal(seed, customers=4000):
    rng = np.random.default_rng(seed)
    wait = np.exp(rng.normal(3, 1, customers)) * 1e6
    time = np.column_stack([np.zeros(customers), wait]).astype(np.int64).ravel()
    return Journeys.from_codes(
        customer=np.repeat(np.arange(customers), 2),
        time=time,
        columns={"event": Codes.of(["a", "b"] * customers)},
    )


def test_intervals_of_the_median_hold_the_truth_as_often_as_they_say():
    truth, held, width = np.exp(3), 0, []
    for seed in range(60):
        row = StepTimes.of(lognormal(seed, 1000)).result(quantiles=[0.5]).to_dicts()[0]
        held += row["p50_low"] <= truth * (1 + RELATIVE_ERROR)
        held += row["p50_high"] >= truth * (1 - RELATIVE_ERROR)
        width.append(row["p50_high"] - row["p50_low"])
    assert 120 * 0.95 <= held <= 120
    # The standard error of a median: 1 / (2 f sqrt(n)), f the density there.
    density = 1 / (truth * np.sqrt(2 * np.pi))
    assert np.mean(width) == pytest.approx(2 * 1.998 / (2 * density * np.sqrt(1000)), rel=0.15)


def test_few_customers_have_no_interval():
    table = step_times(journeys_of([("c", 0, "a", None, 1, 0.0), ("c", 5, "b", None, 1, 0.0)]))
    assert np.isnan(table.seconds_low).all()
    assert "p50_low" in table.columns()


@pytest.mark.parametrize("quantiles", [[-0.1], [1.1], [float("nan")], [[0.5]]])
def test_a_quantile_lies_between_0_and_1(quantiles):
    with pytest.raises(DefinitionError, match="between 0 and 1"):
        step_times(Journeys.empty(), quantiles=quantiles)


def test_it_says_what_it_shows():
    rows = [("c", 0, "a", None, 1, 0.0), ("c", 2_000_000, None, None, 1, 0.0)]
    shown = repr(step_times(journeys_of(rows)))
    assert shown.startswith("time of steps by event: 1 steps, seconds")
    assert "within 0.8 percent" in shown
    assert "within 0.8 percent" not in repr(step_times(journeys_of(rows), exact=True))
    assert repr(dwell_times(journeys_of(rows))).startswith("time until the next touchpoint")
    assert step_times(Journeys.empty()).to_dicts() == []
    assert list(step_times(Journeys.empty()).columns())[:2] == ["from", "to"]
