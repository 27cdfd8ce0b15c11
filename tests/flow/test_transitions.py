import sys
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from cxkit import DefinitionError, Journeys, SchemaError
from cxkit.core.codes import Codes
from cxkit.flow import Transitions, TransitionTable, cells, transitions
from tests.examples import some
from tests.strategies import grouped, journeys_of, touchpoint_rows

COLUMN = {"event": 2, "channel": 3, "campaign": 4}


def slow_pairs(rows, by):
    pairs, first, last = Counter(), Counter(), Counter()
    for part in grouped(rows).values():
        labels = [row[COLUMN[by]] for row in part]
        pairs.update(pairwise(labels))
        first[labels[0]] += 1
        last[labels[-1]] += 1
    return pairs, first, last


def in_order(label):
    return (label is None, label or 0)


@given(touchpoint_rows(), st.sampled_from(sorted(COLUMN)))
def test_transitions_are_those_counted_one_by_one(rows, by):
    table = transitions(journeys_of(rows), by=by)
    pairs, first, last = slow_pairs(rows, by)
    leaving = Counter()
    for (source, _), count in pairs.items():
        leaving[source] += count
    want = sorted(pairs.items(), key=lambda p: (-p[1], *map(in_order, p[0])))
    got = table.to_dicts()
    assert [((row["from"], row["to"]), row["count"]) for row in got] == want
    for row in got:
        assert row["share"] == pytest.approx(row["count"] / leaving[row["from"]])
    labels, counts = table.matrix()
    assert len(table) == len(pairs)
    assert counts.shape == (len(labels), len(labels))
    for i, source in enumerate(labels):
        assert table.first[i] == first[source]
        assert table.last[i] == last[source]
        for k, target in enumerate(labels):
            assert counts[i, k] == pairs[source, target]


@given(touchpoint_rows(max_rows=80), st.sampled_from([1, 7, 1 << 22]))
@settings(max_examples=some(50))
def test_counting_by_sorting_gives_what_the_dense_table_gives(rows, pending):
    journeys = journeys_of(rows * 300)  # enough of them that the table is worth its size
    usual = cells._DENSE_BINS, cells._PENDING
    want = Transitions.of(journeys)
    try:
        cells._DENSE_BINS, cells._PENDING = 0, pending
        assert Transitions.of(journeys) == want
    finally:
        cells._DENSE_BINS, cells._PENDING = usual


def test_the_dense_table_is_used_for_a_large_log():
    counts = cells.CellCounts(16, 10_000)
    assert counts._dense is not None
    assert cells.CellCounts(16, 10)._dense is None


def test_the_end_of_one_journey_does_not_lead_to_the_next():
    rows = [(f"c{j}", 0, "buy", None, None, 0.0) for j in range(300)]
    table = transitions(journeys_of(rows))
    assert len(table) == 0
    assert table.first.tolist() == table.last.tolist() == [300, 0]


def test_ten_thousand_labels():
    rng = np.random.default_rng(5)
    n, k = 60_000, 10_000
    code = rng.integers(0, k, n)
    customer = np.sort(rng.integers(0, 5000, n))
    journeys = Journeys.from_codes(
        customer=customer, time=np.arange(n), columns={"event": Codes.of(code)}
    )
    table = transitions(journeys)
    inside = customer[1:] == customer[:-1]
    want = Counter(zip(code[:-1][inside].tolist(), code[1:][inside].tolist(), strict=True))
    got = {(row["from"], row["to"]): row["count"] for row in table.to_dicts()}
    assert got == want
    with pytest.raises(DefinitionError, match="too many for a matrix of all pairs"):
        table.matrix()
    half = Transitions.of(journeys[:2000]) + Transitions.of(journeys[2000:])
    assert half == Transitions.of(journeys)


def test_more_labels_than_two_bytes_hold():
    k = 70_000
    journeys = Journeys.from_codes(
        customer=np.zeros(k, int), time=np.arange(k), columns={"event": Codes.of(np.arange(k))}
    )
    got = transitions(journeys)
    assert got.source.tolist() == list(range(k - 1))
    assert got.target.tolist() == list(range(1, k))
    assert got.last[k - 1] == 1


def test_one_journey_of_a_million_touchpoints():
    n = 1_000_000
    journeys = Journeys.from_codes(
        customer=np.zeros(n, int), time=np.arange(n), columns={"event": Codes.of(np.arange(n) % 3)}
    )
    table = transitions(journeys)
    assert sorted(table.count.tolist()) == [333_333, 333_333, 333_333]
    assert table.share.tolist() == [1, 1, 1]
    assert np.isnan(table.share_low).all()  # one customer tells nothing of others


def test_shares_of_many_sources_at_a_time_are_those_of_all_at_once(monkeypatch):
    rng = np.random.default_rng(8)
    n = 4000
    journeys = Journeys.from_codes(
        customer=rng.integers(0, 400, n),
        time=np.arange(n),
        columns={"event": Codes.of(rng.integers(0, 9, n))},
    )
    want = transitions(journeys).to_dicts()
    # By way of sys.modules: cxkit.flow.transitions is the function of that name.
    monkeypatch.setattr(sys.modules["cxkit.flow.steps.nextsteps"], "_PAIRS_AT_ONCE", 5)
    assert transitions(journeys).to_dicts() == want


def test_the_interval_is_that_of_the_jackknife_by_hand():
    rng = np.random.default_rng(4)
    n = 3000
    journeys = Journeys.from_codes(
        customer=rng.integers(0, 600, n),
        time=np.arange(n),
        columns={"event": Codes.of(rng.integers(0, 3, n))},
    )
    row = transitions(journeys).to_dicts()[0]
    estimates = []
    for shard in range(64):
        kept = transitions(journeys[journeys.shards != shard]).to_dicts()
        (one,) = [k for k in kept if (k["from"], k["to"]) == (row["from"], row["to"])]
        estimates.append(one["share"])
    assert len(set(journeys.shards.tolist())) == 64
    error = np.sqrt(63 / 64 * np.sum((np.array(estimates) - np.mean(estimates)) ** 2))
    assert row["share"] - row["share_low"] == pytest.approx(1.9983 * error, rel=1e-3)  # t, 63 df
    assert row["share_high"] - row["share"] == pytest.approx(1.9983 * error, rel=1e-3)


def test_a_column_that_is_not_there_or_holds_numbers_is_refused():
    journeys = journeys_of([("c", 0, "a", None, 1, 2.0)])
    with pytest.raises(SchemaError, match=r"no column 'chanel'.*Did you mean 'channel'\?"):
        transitions(journeys, by="chanel")
    with pytest.raises(SchemaError, match="holds numbers"):
        Transitions.of(journeys, by="value")


def test_the_table_says_what_it_shows():
    shown = repr(
        transitions(journeys_of([("c", 0, "a", None, 1, 2.0), ("c", 1, None, None, 1, 2.0)]))
    )
    assert shown.startswith("transitions by event: 1 steps in 1 journeys")
    assert "(missing)" in shown
    assert "share: of all steps on" in shown


def test_no_journeys_give_an_empty_table():
    table = transitions(Journeys.empty())
    assert isinstance(table, TransitionTable)
    assert table.to_dicts() == []
    assert table.matrix()[0] == [None]
    assert "0 steps in 0 journeys" in repr(table)
