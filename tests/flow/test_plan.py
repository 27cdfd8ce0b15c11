"""Plans beside journeys: the least cost by brute force, labels that add up, states of steps."""

from __future__ import annotations

import itertools
import json
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import cxkit as cx
from cxkit.errors import DataError, DefinitionError
from cxkit.flow import JourneyPlan, PlanCounts, PlanStage, PlanStep
from cxkit.flow.plans.plantouches import STATES, TOUCHES
from tests.examples import some
from tests.shared import shared

NAMES = "abc"
STEPS = st.builds(
    PlanStep,
    st.sampled_from(NAMES),
    optional=st.booleans(),
    repeats=st.booleans(),
    failed=st.lists(st.sampled_from("xy"), max_size=1),
)
ORDERS = st.sampled_from(["fixed", "any"])


@st.composite
def plans(draw):
    stages = [
        PlanStage(
            f"stage {k}",
            draw(st.lists(STEPS, min_size=1, max_size=3)),
            optional=draw(st.booleans()),
            order=draw(ORDERS),
        )
        for k in range(draw(st.integers(1, 3)))
    ]
    unplanned = draw(st.sampled_from(["extra", "ignored"]))
    return JourneyPlan(stages, order=draw(ORDERS), unplanned=unplanned)


PATHS = st.lists(st.lists(st.sampled_from(NAMES + "xyz"), min_size=1, max_size=7), max_size=6)


def journeys_of(paths, seconds=None):
    who = [f"c{k:03d}" for k, path in enumerate(paths) for _ in path]
    times = list(range(len(who))) if seconds is None else seconds
    return cx.Journeys.from_table(
        {"who": who, "sec": times, "what": [e for path in paths for e in path]},
        customer="who",
        time="sec",
        event="what",
        time_unit="s",
    )


def allowed(plan):
    """Every sequence of steps that the plan allows, by their numbers."""
    stages, number = [], 0
    for stage in plan.stages:
        found = set()
        own = range(number, number + len(stage.steps))
        orders = [tuple(own)] if stage.order == "fixed" else itertools.permutations(own)
        for order in orders:
            for keep in itertools.product([False, True], repeat=len(order)):
                if all(k or plan.steps[n].optional for n, k in zip(order, keep, strict=True)):
                    found.add(tuple(n for n, k in zip(order, keep, strict=True) if k))
        if stage.optional:
            found.add(())
        stages.append(found)
        number += len(stage.steps)
    orders = [stages] if plan.order == "fixed" else itertools.permutations(stages)
    return {
        tuple(itertools.chain(*chosen)) for order in orders for chosen in itertools.product(*order)
    }


def distance(path, word, steps):
    """Steps missing and touchpoints too many; a step that repeats may until the next is done."""

    @lru_cache(None)
    def least(i, k):
        if i == len(path):
            return len(word) - k
        ways = [1 + least(i + 1, k)]
        if k < len(word):
            ways.append(1 + least(i, k + 1))
            if path[i] == steps[word[k]].goal.event:
                ways.append(least(i + 1, k + 1))
                if steps[word[k]].repeats:
                    ways.append(again(i + 1, k))
        return min(ways)

    @lru_cache(None)
    def again(i, k):
        """Step k is done, and may come again."""
        ways = [least(i, k + 1)]
        if i < len(path):
            ways.append(1 + again(i + 1, k))
            if path[i] == steps[word[k]].goal.event:
                ways.append(again(i + 1, k))
        return min(ways)

    return least(0, 0)


@settings(max_examples=some(30), deadline=None)
@given(plans(), PATHS)
def test_the_cost_is_the_least_over_all_that_the_plan_allows(plan, paths):
    found = plan.align(journeys_of(paths))
    known = {goal.event for goal in plan.goals}
    words = allowed(plan)
    for at, path in enumerate(paths):
        seen = [e for e in path if plan.unplanned == "extra" or e in known]
        assert found.cost[at] == min(distance(tuple(seen), word, plan.steps) for word in words)
        assert found.most[at] == max(len(seen) + min(map(len, words)), 1)


@settings(max_examples=some(50), deadline=None)
@given(plans(), PATHS)
def test_touchpoints_and_steps_are_each_one_thing(plan, paths):
    journeys = journeys_of(paths)
    found = plan.align(journeys)
    assert (found.counts.sum(axis=1) == found.touchpoints).all()
    assert (found.missing >= 0).all()
    assert (found.cost == found.missing + found.counts[:, 1:5].sum(axis=1)).all()
    assert ((found.fitness >= 0) & (found.fitness <= 1)).all()
    assert ((found.fitness == 1) == (found.cost == 0)).all()
    assert ((found.coverage >= 0) & (found.coverage <= 1)).all()
    stage = np.repeat(np.arange(len(plan.stages)), [len(s.steps) for s in plan.stages])
    for at in range(len(journeys)):
        rows = slice(*journeys.offsets[at : at + 2].tolist())
        touch, step = found.touch[rows].tolist(), found.step[rows].tolist()
        state = [STATES[k] for k in found.state[at]]
        done = {s for t, s in zip(touch, step, strict=True) if TOUCHES[t] == "done"}
        assert done == {k for k, name in enumerate(state) if name == "done"}
        moved = [s for t, s in zip(touch, step, strict=True) if TOUCHES[t] == "misplaced"]
        assert sorted(moved) == [k for k, name in enumerate(state) if name == "misplaced"]
        missing = 0
        for number, planned in enumerate(plan.steps):
            used = any(state[k] == "done" for k in np.flatnonzero(stage == stage[number]))
            free = planned.optional or (plan.stages[stage[number]].optional and not used)
            assert (state[number] == "left_out") <= free
            assert (state[number] == "skipped") <= (not free)
            missing += state[number] != "done" and not free
        # What may be left out costs nothing; an optional stage may cost as much either way.
        assert found.missing[at] == missing
        for t, s, event in zip(touch, step, paths[at], strict=True):
            if TOUCHES[t] in {"done", "repeated", "misplaced"}:
                assert plan.steps[s].goal.event == event
            if TOUCHES[t] == "failed":
                assert event in {g.event for g in plan.steps[s].failed}
            assert (s < 0) == (TOUCHES[t] in {"extra", "ignored"})


@settings(max_examples=some(25), deadline=None)
@given(plans(), PATHS)
def test_a_journey_does_not_depend_on_the_others(plan, paths):
    journeys = journeys_of(paths)
    whole = plan.align(journeys)
    for at in range(len(journeys)):
        one = plan.align(journeys[at])
        for name in ("cost", "most", "missing", "fitness", "coverage", "state", "counts"):
            assert np.array_equal(getattr(one, name)[0], getattr(whole, name)[at]), name


def test_steps_are_done_by_the_earliest_touchpoints_that_can():
    plan = JourneyPlan({"a": ["a"], "b": ["b"]})
    found = plan.align(journeys_of([["a", "a", "b", "b"], ["b", "a"]]))
    assert [TOUCHES[k] for k in found.touch] == [
        "done",
        "repeated",
        "done",
        "repeated",
        "done",
        "misplaced",
    ]


def test_what_failed_is_told():
    plan = JourneyPlan({"pay": [PlanStep("paid", failed=["declined"])]})
    found = plan.align(journeys_of([["declined"], ["declined", "paid"], ["look"]]))
    assert [STATES[k] for k in found.state[:, 0]] == ["failed", "done", "skipped"]
    assert found.counts[:, TOUCHES.index("failed")].tolist() == [1, 1, 0]


def test_coverage_is_of_stages_that_must_occur():
    stages = [PlanStage("a", ["a"]), PlanStage("b", ["b"], optional=True), PlanStage("c", ["c"])]
    found = JourneyPlan(stages).align(journeys_of([["a"], ["b"], ["c", "a"], ["z"], list("abc")]))
    assert found.coverage.tolist() == [0.5, 0.0, 1.0, 0.0, 1.0]


def test_explaining_one_journey_tells_every_touchpoint_and_every_step():
    plan = JourneyPlan({"look": ["a"], "buy": [PlanStep("b", optional=True), "c", "d"]})
    journeys = journeys_of([["a", "z", "d", "d"]])
    rows = plan.explain(journeys[0]).to_dicts()
    assert [(row["step"], row["status"]) for row in rows] == [
        ("a", "done"),
        (None, "extra"),
        ("b", "left out"),
        ("c", "skipped"),
        ("d", "done"),
        ("d", "repeated"),
    ]
    with pytest.raises(DefinitionError, match="explain takes one journey"):
        plan.explain(journeys_of([["a"], ["b"]]))


@settings(max_examples=some(25), deadline=None)
@given(plans(), PATHS)
def test_the_summary_counts_what_the_journeys_are(plan, paths):
    journeys = journeys_of(paths)
    each, told = plan.align(journeys), plan.count(journeys)
    assert told.journeys == len(journeys)
    assert sum(told.touches.values()) == journeys.touchpoints
    assert (told.states.sum(axis=1) == len(journeys)).all()
    for step in range(len(plan.steps)):
        counted = np.bincount(each.state[:, step], minlength=len(STATES))
        assert counted.tolist() == told.states[step].tolist()
    if len(journeys):
        assert told.fitness[0] == pytest.approx(each.fitness.mean())
        assert told.coverage[0] == pytest.approx(each.coverage.mean())
        assert told.log_fitness[0] == pytest.approx(1 - each.cost.sum() / each.most.sum())
        assert told.perfect[0] == pytest.approx((each.cost == 0).mean())
    halves = PlanCounts.of(journeys[::2], plan=plan) + PlanCounts.of(journeys[1::2], plan=plan)
    assert halves.result().states.tolist() == told.states.tolist()


def test_times_of_stages():
    plan = JourneyPlan({"look": [PlanStep("a", repeats=True)], "buy": ["b"]})
    journeys = journeys_of([["z", "a", "a", "b"], ["a"]], [0, 10, 40, 100, 1000])
    stages = plan.count(journeys).stages.to_dicts()
    assert stages[0]["mean_seconds_to_reach"] == 5.0
    assert stages[0]["mean_seconds_within"] == 15.0
    assert stages[1]["reached"] == stages[1]["completed"] == 1
    assert stages[1]["mean_seconds_to_reach"] == 100.0
    assert stages[1]["median_seconds_to_reach"] == pytest.approx(100, rel=0.008)
    nobody = JourneyPlan({"x": ["nobody"]}).count(journeys).stages.to_dicts()[0]
    assert np.isnan(nobody["mean_seconds_within"])
    assert np.isnan(nobody["median_seconds_to_reach"])


def test_a_long_journey_and_many_distinct_ones():
    plan = JourneyPlan({"a": [PlanStep("a", repeats=True)], "b": ["b"]})
    found = plan.align(journeys_of([["a"] * 5_000 + ["b"] * 3]))
    assert (found.cost.tolist(), found.counts[0].tolist()) == ([2], [5_001, 2, 0, 0, 0, 0])


def test_no_journeys_and_goals_that_are_not_there():
    plan = JourneyPlan({"a": ["a"], "b": [cx.Goal("b", "web")]})
    empty = plan.count(cx.Journeys.empty())
    assert empty.journeys == 0
    assert np.isnan(empty.fitness[0])
    assert repr(empty)
    told = plan.count(journeys_of([["a"]]))
    assert "no journey holds b in web" in told.notes()[-1]
    assert plan.lint(journeys_of([["a"]])) == (
        "no touchpoint has the event 'b' of the plan.",
        "no touchpoint has the channel 'web' of the plan.",
    )


def test_lint():
    odd = JourneyPlan(
        [
            PlanStage("a", [PlanStep("a", optional=True)]),
            PlanStage("b", ["b", PlanStep("c", failed=["b"])]),
            PlanStage("d", ["b"]),
        ]
    )
    assert [line.split(":")[0] for line in odd.lint()] == [
        "'b' is expected in the stages 'b' and 'd'",
        "stage 'a' has optional steps only, so it may be left out although it is not optional",
        "'b' tells that 'c' failed, and is itself a step of the plan",
    ]
    assert JourneyPlan({"a": [PlanStep("a", optional=True)]}).lint() == (
        "every step may be left out: a journey with none of them fits the plan",
    )
    assert JourneyPlan({"a": ["a"], "b": ["b"]}).lint() == ()


@settings(max_examples=some(25))
@given(plans())
def test_round_trip(plan):
    assert JourneyPlan.from_dict(json.loads(json.dumps(plan.to_dict()))) == plan


def test_what_is_refused():
    with pytest.raises(DefinitionError, match="one stage at least"):
        JourneyPlan([])
    with pytest.raises(DefinitionError, match="stage 'a' has no step"):
        JourneyPlan({"a": []})
    with pytest.raises(DefinitionError, match="two stages of a plan have one name"):
        JourneyPlan([PlanStage("a", ["a"]), PlanStage("a", ["b"])])
    with pytest.raises(DefinitionError, match="a stage of a plan is a PlanStage"):
        JourneyPlan(["a"])
    with pytest.raises(DefinitionError, match="a plan has stages"):
        JourneyPlan("a")
    with pytest.raises(DefinitionError, match="a stage has a list"):
        PlanStage("a", "view")
    with pytest.raises(DefinitionError, match="order of a plan is one of"):
        PlanStage("a", ["a"], order="some")
    with pytest.raises(DefinitionError, match="has a name"):
        PlanStage("", ["a"])
    with pytest.raises(DefinitionError, match="at most 64 different goals"):
        JourneyPlan({"a": [f"e{k}" for k in range(65)]})
    with pytest.raises(DefinitionError, match="at most 12 steps"):
        JourneyPlan([PlanStage("a", [f"e{k}" for k in range(13)], order="any")])
    many = [PlanStage(f"s{k}", [f"e{j}" for j in range(9)], order="any") for k in range(6)]
    with pytest.raises(DefinitionError, match="more than 4,096 states"):
        JourneyPlan(many, order="any")
    with pytest.raises(DataError, match="unknown field"):
        JourneyPlan.from_dict({"schema": "cxkit/journey-plan/1", "stages": [], "oder": "any"})


def test_a_real_log_fits_as_well_as_pm4py_says():
    """The most frequent path of a log as its plan, the third step optional: pm4py 2.7 aligned it.

    Its fitness of the log counts silent moves with 1/10,000, hence the looser tolerance.
    """
    log = cx.interop.read_xes(shared("data/process-logs/receipt.xes.gz")).journeys
    path = cx.flow.variants(log, top=1).paths[0]
    steps = [PlanStep(event, optional=k == 2) for k, event in enumerate(path)]
    told = JourneyPlan([PlanStage("all", steps)]).count(log)
    assert told.fitness[0] == pytest.approx(0.8215108403399893, rel=1e-9)
    assert told.perfect[0] == pytest.approx(0.497907949790795, rel=1e-12)
    assert told.log_fitness[0] == pytest.approx(0.8306341961679221, rel=1e-5)
