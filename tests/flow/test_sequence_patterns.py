"""Sequences that journeys hold, by looking at all of them."""

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import cxkit as cx
from cxkit import DefinitionError, Journeys, UnknownLabelError
from cxkit.core.codes import Codes
from cxkit.core.intervals import jackknife_error, paired_difference
from cxkit.core.multiplicity import holm
from cxkit.core.summary import SHARDS
from cxkit.flow import PatternRule, SequencePatterns, sequence_patterns
from cxkit.flow.pathways import subsequences
from tests.examples import some
from tests.strategies import grouped, journeys_of, touchpoint_rows

few = settings(max_examples=some(25))


def held(path, longest, *, gaps):
    if gaps:
        return {c for n in range(1, longest + 1) for c in combinations(path, n)}
    return {tuple(path[i : i + n]) for n in range(1, longest + 1) for i in range(len(path) - n + 1)}


def slow_support(rows, longest, *, gaps, goal=None):
    count, won = Counter(), Counter()
    reached = 0
    for part in grouped(rows).values():
        path = [row[2] for row in part]
        hit = goal in path if goal else False
        reached += hit
        if hit:
            path = path[: path.index(goal)]
        for pattern in held(path, longest, gaps=gaps):
            count[pattern] += 1
            won[pattern] += hit
    return count, won, reached


@few
@given(
    touchpoint_rows(customers=6), st.integers(1, 3), st.booleans(), st.sampled_from([None, "buy"])
)
def test_support_is_that_of_all_sequences(rows, longest, gaps, goal):
    count, won, reached = slow_support(rows, longest, gaps=gaps, goal=goal)
    journeys = journeys_of(rows)
    summary = SequencePatterns.of(journeys, longest=longest, gaps=gaps, goal=goal)
    table = summary.result(support=0, top=10**6)
    assert dict(zip(table.patterns, table.journeys.tolist(), strict=True)) == count
    assert (table.total_patterns, table.total_reached) == (len(count), reached)
    for at, pattern in enumerate(table.patterns):
        assert table.support[at] == pytest.approx(count[pattern] / len(journeys))
        if goal:
            assert table.rate[at] == pytest.approx(won[pattern] / count[pattern])
            rest = len(journeys) - count[pattern]
            told = (reached - won[pattern]) / rest if rest else np.nan
            assert table.rest_rate[at] == pytest.approx(told, nan_ok=True)


@few
@given(touchpoint_rows(customers=8), st.booleans(), st.sampled_from([0.2, 0.5, 1.0]))
def test_leaving_rare_ones_out_early_changes_nothing(rows, gaps, support):
    journeys = journeys_of([*rows, ("z", 0, "buy", None, None, 0.0)])
    whole = SequencePatterns.of(journeys, gaps=gaps, goal="buy").result(support=support)
    assert repr(sequence_patterns(journeys, gaps=gaps, goal="buy", support=support)) == repr(whole)


@few
@given(touchpoint_rows(customers=8))
def test_a_few_rows_at_a_time_give_the_same(rows):
    usual = subsequences._AT_ONCE
    want = SequencePatterns.of(journeys_of(rows))
    try:
        subsequences._AT_ONCE = 3
        assert SequencePatterns.of(journeys_of(rows)) == want
    finally:
        subsequences._AT_ONCE = usual


def shop(seed, customers=2000, effect=0.3):
    """Those that saw a demo convert more; blogs do nothing."""
    rng = np.random.default_rng(seed)
    rows = []
    for c in range(customers):
        path = ["visit"] + [x for x in ("demo", "blog") if rng.random() < 0.4]
        chance = 0.2 + effect * ("demo" in path)
        path += ["buy"] if rng.random() < chance else []
        rows += [(f"c{c}", at, x, None, None, 0.0) for at, x in enumerate(path)]
    return journeys_of(rows)


def test_a_lift_is_found_and_chance_is_not():
    table = sequence_patterns(shop(1), goal="buy")
    got = dict(zip(table.patterns, table.to_dicts(), strict=True))
    demo = got["demo",]
    assert demo["lift"] == pytest.approx(0.5 / 0.2, rel=0.15)
    assert demo["lift_low"] < 2.5 < demo["lift_high"]
    assert demo["p_adjusted"] < 1e-6
    assert table.patterns[0] in {("demo",), ("visit", "demo")}
    null = [sequence_patterns(shop(seed, 1000, 0.0), goal="buy").p_adjusted for seed in range(30)]
    assert sum(np.nanmin(p) < 0.05 for p in null) <= 5  # Holm: 1.5 of 30 expected, at most


def test_lift_and_its_interval_are_those_of_the_jackknife_by_hand():
    journeys = shop(2, 700)
    table = sequence_patterns(journeys, goal="buy")
    at = table.patterns.index(("demo",))
    has = np.array([any(t.event == "demo" for t in j) for j in journeys])
    won = np.array([any(t.event == "buy" for t in j) for j in journeys])

    def rates(keep):
        return won[keep & has].mean(), won[keep & ~has].mean()

    rate, rest = rates(np.ones(len(journeys), bool))
    assert table.lift[at] == pytest.approx(rate / rest)
    without = np.array([rates(journeys.shards != shard) for shard in range(SHARDS)])
    error = jackknife_error(np.log(without[:, 0] / without[:, 1]), np.ones(SHARDS, bool))
    assert np.log(table.lift_high[at] / table.lift[at]) == pytest.approx(1.9983 * error, rel=1e-3)
    found = paired_difference(
        np.array(rest), np.array(rate), without[:, 1], without[:, 0], np.ones(SHARDS, bool)
    )
    assert table.p[at] == pytest.approx(float(found.p))
    assert table.p_adjusted == pytest.approx(holm(table.p), nan_ok=True)


def test_patterns_hold_nothing_of_the_goal_or_after_it():
    rows = [("a", at, x, None, None, 0.0) for at, x in enumerate(["view", "buy", "thank", "buy"])]
    table = sequence_patterns(journeys_of(rows), goal="buy", support=0)
    assert table.patterns == (("view",),)
    assert table.columns()["pattern"] == ["view"]


def test_too_many_candidates_are_refused_with_a_way_out():
    n = 20_000
    journeys = Journeys.from_codes(
        customer=np.zeros(n, int), time=np.arange(n), columns={"event": Codes.of(np.arange(n))}
    )
    with pytest.raises(DefinitionError, match="too many sequences with gaps"):
        sequence_patterns(journeys)
    assert sequence_patterns(journeys, gaps=False).total_patterns == 3 * n - 3


def test_bad_questions_and_nothing_to_count():
    journeys = journeys_of([("a", 0, "view", None, None, 0.0)])
    for longest in (0, 13, 2.5):
        with pytest.raises(DefinitionError, match="longest must be a whole number from 1 to 12"):
            sequence_patterns(journeys, longest=longest)
    with pytest.raises(DefinitionError, match="support must lie between 0 and 1"):
        sequence_patterns(journeys, support=2)
    with pytest.raises(DefinitionError, match="control must be one of"):
        sequence_patterns(journeys, control="fdr")
    with pytest.raises(UnknownLabelError, match="no event 'bye'"):
        sequence_patterns(journeys, goal="bye")
    assert sequence_patterns(Journeys.empty(), goal="buy").to_dicts() == []
    assert sequence_patterns(Journeys.empty(), gaps=False).to_dicts() == []
    rule = PatternRule("channel", longest=2, gaps=False, goal=cx.Goal("buy", "web"))
    assert PatternRule.from_dict(rule.to_dict()) == rule
    # Everyone converts, no one else is left to compare with.
    all_win = sequence_patterns(
        journeys_of([("a", 0, "view", None, None, 0.0), ("a", 1, "buy", None, None, 0.0)]),
        goal="buy",
    )
    assert all_win.to_dicts()[0]["rate"] == 1
    assert np.isnan(all_win.lift).all()
    assert np.isnan(all_win.p).all()
