from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings

import cxkit as cx
from cxkit.attribution import LabelSets, LogisticCounterfactual, Paths, SetCredit, ShapleyRate
from cxkit.attribution.labelsets.setkeys import MOST_BITS
from cxkit.core.codes import Codes
from cxkit.errors import DataError, DefinitionError
from tests.attribution.brute import cut, logs, options, to_journeys
from tests.attribution.sets import path_rows, paths_of
from tests.examples import some


def counted(sets):
    """{(members, shard): (conversions, nulls, value)} of a summary."""
    names = [*sets.labels, None]
    rows = {}
    for i in range(len(sets)):
        members = sets.codes[sets.offsets[i] : sets.offsets[i + 1]].tolist()
        key = tuple(names[code] for code in members), int(sets.shard[i])
        assert key not in rows
        assert members == sorted(set(members))
        rows[key] = (int(sets.conversions[i]), int(sets.nulls[i]), float(sets.value[i]))
    return rows


@settings(max_examples=some(50))
@given(log=logs, how=options)
def test_sets_are_those_of_the_paths(log, how):
    journeys = to_journeys(log)
    sets = LabelSets.of(journeys, goal="buy", **how)
    shards = dict(zip(journeys.customer.to_list(), journeys.shards.tolist(), strict=True))
    paths = cut(log, **how)
    expected = {}
    for path in paths:
        labels = {label for _, label, _ in path.touches}
        members = tuple(sorted(labels, key=lambda x: (x is None, str(x))))
        before = expected.get((members, shards[path.customer]), (0, 0, 0.0))
        gained = (path.converted, not path.converted, path.value)
        expected[members, shards[path.customer]] = tuple(
            a + b for a, b in zip(before, gained, strict=True)
        )
    bare = {shard: row for (members, shard), row in expected.items() if not members}
    assert counted(sets) == {key: row for key, row in expected.items() if key[0]}
    for shard in range(64):
        row = bare.get(shard, (0, 0, 0.0))
        assert sets.unattributed_conversions[shard] == row[0]
        assert sets.untouched_nulls[shard] == row[1]
        assert sets.unattributed_value[shard] == row[2]
    touched = Counter(label for path in paths for _, label, _ in path.touches)
    names = [*sets.labels, None]
    assert dict(zip(names, sets.touchpoints.tolist(), strict=True)) == {
        name: touched[name] for name in names
    }


@settings(max_examples=some(50))
@given(log=logs, how=options)
def test_the_same_from_the_distinct_paths(log, how):
    journeys = to_journeys(log)
    sets = LabelSets.of(journeys, goal="buy", **how)
    assert sets == LabelSets.from_paths(Paths.of(journeys, goal="buy", **how))
    model = ShapleyRate()
    assert SetCredit.from_sets(sets, model=model) == SetCredit.of(
        journeys, model=model, goal="buy", **how
    )


@pytest.mark.parametrize("labels", [20, MOST_BITS - 1, MOST_BITS, 70, 300])
def test_any_number_of_labels(labels):
    rng = np.random.default_rng(labels)
    size = rng.integers(1, 7, 500)
    codes = rng.integers(0, labels, size.sum())
    buys = rng.random(size.sum()) < 0.2
    journeys = cx.Journeys.from_codes(
        customer=np.repeat(np.arange(500), size),
        time=np.arange(size.sum()),
        columns={
            "channel": Codes.from_codes(codes, [f"c{i:03d}" for i in range(labels)]),
            "event": Codes.from_codes(buys.astype(int), ["view", "buy"]),
            "value": np.where(buys, 3.0, np.nan),
        },
    )
    whole = LabelSets.of(journeys, goal="buy")
    assert whole == LabelSets.from_paths(Paths.of(journeys, goal="buy"))
    halves = LabelSets.of(journeys[:200], goal="buy") + LabelSets.of(journeys[200:], goal="buy")
    assert halves == whole
    assert whole.conversions.sum() == buys.sum()
    assert LabelSets.from_bytes(whole.to_bytes()) == whole
    one = whole.whole()
    assert len(one) == len({key[0] for key in counted(whole)})
    assert one.conversions.sum() == whole.conversions.sum()


def test_labels_that_change_their_order_when_parts_are_added():
    # Numbers are sorted as numbers, and as text where the other part has text.
    numbers = LabelSets.from_paths(paths_of([([9, 10], 1, 0, 0.0), ([10], 0, 1, 0.0)]))
    texts = LabelSets.from_paths(paths_of([(["a", "9"], 1, 0, 0.0)]))
    both = numbers + texts
    assert {key[0] for key in counted(both)} == {("10", "9"), ("10",), ("9", "a")}
    assert both == texts + numbers


def test_parts_that_only_together_are_many_labels():
    left = LabelSets.from_paths(paths_of([([f"a{i}", f"a{i + 1}"], 1, 2, 1.0) for i in range(40)]))
    right = LabelSets.from_paths(paths_of([([f"b{i}", "a1"], 1, 2, 1.0) for i in range(40)]))
    both = left + right
    assert len(both.labels) > MOST_BITS
    assert len(both) == 80
    assert counted(both) == counted(left) | counted(right)


@settings(max_examples=some(25))
@given(rows=path_rows)
def test_the_table_holds_all(rows):
    table = LabelSets.from_paths(paths_of(rows)).result(top=None)
    touched = [r for r in rows if r[0]]
    assert table.conversions.sum() == sum(r[1] for r in touched)
    assert table.nulls.sum() == sum(r[2] for r in touched)
    assert table.total_conversions == sum(r[1] for r in rows)
    assert sorted(table.conversions.tolist(), reverse=True) == table.conversions.tolist()


def test_the_table_says_what_it_leaves_out():
    sets = LabelSets.from_paths(paths_of([("a > b", 3, 1, 9.0), ("a", 1, 1, 1.0), ("", 2, 5, 0)]))
    table = sets.result(top=1)
    assert table.labels == ["a + b"]
    assert "1 more sets and paths without a touch, with 3 conversions and 6 null paths" in repr(
        table
    )
    assert "<table>" in table._repr_html_()


def test_a_model_that_does_not_look_at_sets_is_refused():
    sets = SetCredit.from_paths(paths_of([("a", 1, 1, 0.0)]), model=ShapleyRate())
    data = sets.to_bytes().replace(b"shapley_rate", b"first_touch!")
    with pytest.raises((DefinitionError, DataError)):
        SetCredit.from_bytes(data)
    assert SetCredit.from_bytes(sets.to_bytes()).model == ShapleyRate()
    other = SetCredit.from_paths(paths_of([("a", 1, 1, 0.0)]), model=LogisticCounterfactual())
    with pytest.raises(cx.errors.MergeError, match="different model"):
        _ = sets + other
