"""The laws: merge, zero, order, conservation, subset, purity, bytes, pickle."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from cxkit.attribution import (
    ChainCounts,
    FirstTouch,
    LastTouch,
    Linear,
    Paths,
    PositionBased,
    RuleCredit,
    TimeDecay,
    credit,
)
from cxkit.core.codes import Codes
from cxkit.core.summary import merge_all
from cxkit.errors import DataError, MergeError
from cxkit.model.goal import Goal
from tests.attribution.brute import Row, logs, options, to_journeys
from tests.examples import some

RULES = [FirstTouch(), LastTouch(), Linear(), PositionBased(), TimeDecay("4s")]
KINDS = [
    (Paths, {}),
    (ChainCounts, {}),
    (ChainCounts, {"order": 3}),
    *((RuleCredit, {"model": m}) for m in RULES),
]
kinds = pytest.mark.parametrize(("kind", "model"), KINDS, ids=lambda x: str(x)[:60])


def same(left, right):
    """Equal; sums of credits to rounding, as they are added in another order."""
    assert type(left) is type(right)
    assert left.labels == right.labels
    for field in left.fields("parameter"):
        assert getattr(left, field.name) == getattr(right, field.name)
    for field in left.fields("total"):
        a, b = getattr(left, field.name), getattr(right, field.name)
        if a.dtype.kind == "f":
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)
        else:
            assert np.array_equal(a, b)


def part(log, keep):
    """Whole customers: a part of the data, made from scratch."""
    return to_journeys([r for r in log if keep(r.customer)])


@kinds
@settings(max_examples=some(30))
@given(log=logs, given_options=options, modulus=st.integers(1, 5))
def test_counting_parts_and_adding_is_counting_the_whole(kind, model, log, given_options, modulus):
    arguments = {"goal": "buy", **model, **given_options}
    whole = kind.of(to_journeys(log), **arguments)
    parts = [
        kind.of(part(log, lambda c, i=i: c % modulus == i), **arguments) for i in range(modulus)
    ]
    same(merge_all(parts), whole)
    same(merge_all(parts[::-1]), whole)
    zero = kind.zero(**arguments)
    assert whole + zero == whole
    assert zero + whole == whole


@kinds
@settings(max_examples=some(30))
@given(log=logs, given_options=options, seed=st.randoms(use_true_random=False))
def test_the_order_of_input_rows_changes_nothing(kind, model, log, given_options, seed):
    # Rows of one customer at one instant keep the order of input: give them instants of their own.
    log = [r._replace(time=i) for i, r in enumerate(log)]
    shuffled = list(log)
    seed.shuffle(shuffled)
    arguments = {"goal": "buy", **model, **given_options}
    assert kind.of(to_journeys(shuffled), **arguments) == kind.of(to_journeys(log), **arguments)


@kinds
@settings(max_examples=some(30))
@given(log=logs, given_options=options)
def test_bytes_and_pickle_give_the_summary_back(kind, model, log, given_options):
    summary = kind.of(to_journeys(log), goal=Goal("buy", name="Bought"), **model, **given_options)
    assert kind.from_bytes(summary.to_bytes()) == summary
    again = pickle.loads(pickle.dumps(summary))
    assert again == summary
    assert not again.conversions.flags.writeable


@kinds
@settings(max_examples=some(30))
@given(log=logs, given_options=options)
def test_nothing_is_lost_and_nothing_made_up(kind, model, log, given_options):
    journeys = to_journeys(log)
    summary = kind.of(journeys, goal="buy", **model, **given_options)
    bought = Goal("buy").matches(journeys)
    worth = np.nan_to_num(journeys.value[bought]).sum()
    conversions = summary.conversions.sum() + summary.unattributed_conversions.sum()
    value = summary.value.sum() + summary.unattributed_value.sum()
    assert conversions == pytest.approx(bought.sum(), rel=1e-12)
    assert value == pytest.approx(worth, rel=1e-12)
    result = summary.result()
    assert result.total_conversions == bought.sum()
    assert result.total_value == pytest.approx(worth, rel=1e-12)


@pytest.mark.parametrize("model", RULES)
@settings(max_examples=some(30))
@given(log=logs, given_options=options, data=st.data())
def test_credit_of_a_subset_is_the_subset_of_the_credit(model, log, given_options, data):
    log = [*log, *(Row(77, 0, "ad", event, 1.0) for event in ("view", "click", "buy"))]
    journeys = to_journeys(log)
    which = data.draw(st.lists(st.integers(0, len(journeys) - 1), max_size=5))
    chosen = journeys.take(np.array(which, np.int64))
    whole = credit(journeys, "buy", model, **given_options)
    got = credit(chosen, "buy", model, **given_options)
    rows = [r for j in which for r in range(journeys.offsets[j], journeys.offsets[j + 1])]
    assert got.credit.tolist() == whole.credit[rows].tolist()
    assert got.value.tolist() == whole.value[rows].tolist()


@kinds
def test_inputs_stay_as_they_are_and_answers_are_read_only(kind, model):
    log = [
        Row(1, 0, "ad", "view", 1.0),
        Row(1, 1, "shop", "buy", 2.0),
        Row(2, 0, None, "view", 1.0),
    ]
    journeys, copy = to_journeys(log), to_journeys(log)
    summary = kind.of(journeys, goal="buy", lookback="9s", **model)
    answer = ChainCounts.from_paths(summary).result() if kind is Paths else summary.result()
    assert journeys == copy
    for array in (summary.conversions, summary.value, answer.conversions, answer.share_low):
        assert not array.flags.writeable


def test_labels_that_only_one_part_has_unite():
    arguments = {"goal": "buy"}
    a = ChainCounts.of(to_journeys([Row(1, 0, "zoo", "buy", 1.0)]), **arguments)
    b = ChainCounts.of(to_journeys([Row(2, 0, "ad", "buy", 1.0)]), **arguments)
    assert list((a + b).labels) == ["ad", "zoo"]
    assert (a + b).result().conversions.tolist() == [1.0, 1.0]


def test_different_questions_do_not_add_up():
    journeys = to_journeys([Row(1, 0, "ad", "buy", 1.0)])
    with pytest.raises(MergeError, match="different rule"):
        Paths.of(journeys, goal="buy") + Paths.of(journeys, goal="buy", lookback="1d")
    with pytest.raises(MergeError, match="different model"):
        RuleCredit.of(journeys, goal="buy", model=Linear()) + RuleCredit.of(
            journeys, goal="buy", model=LastTouch()
        )
    with pytest.raises(DataError, match="not a ChainCounts"):
        ChainCounts.from_bytes(Paths.of(journeys, goal="buy").to_bytes())


def test_a_part_without_the_goal_or_the_label_counts():
    journeys = to_journeys([Row(1, 0, None, "view", 1.0)])
    assert Paths.of(journeys, goal="buy", touches="click").untouched_nulls.sum() == 1
    assert ChainCounts.of(journeys, goal="buy").result().labels == (None,)
    assert isinstance(journeys.channel, Codes)
