import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from cxkit.errors import DataError, DefinitionError
from cxkit.maturity import Answer, Answers, AnswerScale, Criterion, MaturityModel, Stage
from cxkit.maturity.roadmap import roadmap
from tests.examples import some
from tests.maturity.models import answered, small


def every_plan(assessed, target, costs=None):
    """Brute force: every combination of answers, by assessing each anew."""
    model, worth = assessed.model, dict(zip(assessed.model.positions, assessed.worth, strict=True))
    row, answers = assessed.position, assessed.of.answers
    options = []
    for place, c in enumerate(model.criteria):
        gone = answers.applies is not None and not answers.applies[row, place]
        steps = [] if gone else [s for s in model.scale_of(c).steps() if s > worth[c.id] + 1e-12]
        options.append([None, *steps])
    for ends in itertools.product(*options):
        changes = {c.id: e for c, e in zip(model.criteria, ends, strict=True) if e is not None}
        final = {**worth, **changes}
        open_end = any(
            final[need] < model.gate_threshold - 1e-12
            and not (
                answers.applies is not None and not answers.applies[row, model.positions[need]]
            )
            for name in changes
            for need in model.criterion(name).requires
        )
        if open_end:
            continue
        after = assessed.what_if({k: Answer(v) for k, v in changes.items()})
        if after.level >= target:
            cost = sum(model.criterion(k).effort * (v - worth[k]) for k, v in changes.items())
            yield cost, len(changes)


@settings(max_examples=some(40), deadline=None)
@given(answered(most=4))
def test_no_plan_is_cheaper(given_):
    model, answers = given_
    assessed = model.assess(answers)
    if assessed.level == model.top_stage:
        with pytest.raises(DataError, match="a higher stage"):
            roadmap(assessed)
        return
    for target in range(assessed.level + 1, model.top_stage + 1):
        best = min(every_plan(assessed, target), default=None)
        if best is None:
            with pytest.raises(DataError, match="no steps lead"):
                roadmap(assessed, target)
            continue
        plan = roadmap(assessed, target)
        assert plan.cost == pytest.approx(best[0], abs=1e-9)
        assert len(plan.steps) == best[1]
        done = assessed.what_if({s.criterion: Answer(s.end) for s in plan.steps})
        assert done.level >= target
        seen = []
        for step in plan.steps:  # in an order in which it can be done
            needs = set(model.criterion(step.criterion).requires)
            assert not needs & {s.criterion for s in plan.steps} - set(seen)
            seen.append(step.criterion)
        for tie in plan.ties:
            assert sum(s.cost for s in tie) == pytest.approx(plan.cost, abs=1e-6)
            assert set(tie) != set(plan.steps)


def test_twelve_criteria_are_solved_exactly():
    criteria = [
        Criterion(f"c{i}", 2, "people", weight=1 + i % 3, effort=1 + (i * 7) % 5, gate=i == 3)
        for i in range(6)
    ] + [
        Criterion(f"d{i}", 3, "process", effort=1 + i, requires=[f"c{i}"] if i % 2 else [])
        for i in range(6)
    ]
    model = small(criteria)
    now = model.assess(dict.fromkeys(model.positions, 0.5))
    plan = roadmap(now, 3)
    # stages apart where no prerequisite joins them: each by brute force over its own six
    best = None
    steps = (0.5, 0.75, 1.0)
    for low in itertools.product(steps, repeat=6):
        if sum((1 + i % 3) * v for i, v in enumerate(low)) < 0.75 * 12 - 1e-9 or low[3] < 0.75:
            continue
        base = sum((1 + (i * 7) % 5) * (v - 0.5) for i, v in enumerate(low))
        if best is not None and base >= best:
            continue
        free = [steps if not i % 2 or low[i] >= 0.75 else (0.5,) for i in range(6)]
        for high in itertools.product(*free):
            if sum(high) >= 4.5 - 1e-9:
                cost = base + sum((1 + i) * (v - 0.5) for i, v in enumerate(high))
                best = cost if best is None else min(best, cost)
    assert plan.cost == pytest.approx(best)


def test_ties_are_explained():
    twins = small(
        [Criterion("a", 2, "people"), Criterion("b", 2, "people"), Criterion("c", 3, "people")]
    )
    plan = roadmap(twins.assess({"a": 0.5, "b": 0.5}))
    assert [s.criterion for s in plan.steps] == ["a"]
    assert [s.criterion for s in plan.ties[0]] == ["b"]
    assert "or b to 1" in repr(plan)


def test_scales_of_any_number_are_climbed_in_steps_and_say_so():
    def made(**more):
        names = ("a", "b", "c", "d")
        parts = [Criterion(n, max(2, "abcd".index(n)), "people", scale="any") for n in names]
        return MaturityModel(
            id="any", version="1.0.0", stages=[Stage(n, f"s{n}") for n in (1, 2, 3)],
            dimensions=["people"], criteria=parts, stage_threshold=0.52,
            answer_scales=[AnswerScale("any")], **more,
        )  # fmt: skip

    model = made()
    now = model.assess({"a": 0.5, "b": 0.5, "c": 0.5})
    plan = roadmap(now)
    # 0.06 more would do; steps of 0.05 make it 0.1.
    assert plan.cost == pytest.approx(0.1)
    assert plan.climbed == ("a", "b", "c")  # what lies above the target is not needed
    assert "raised in steps of 0.05, a finer raise may cost less: a, b, c" in plan.notes()
    assert "no other steps are as cheap" not in plan.notes()
    own = roadmap(now, costs={n: {0.56: 0.06} for n in "abc"})
    assert own.cost == pytest.approx(0.06)
    assert own.climbed == ()
    labelled = roadmap(small([Criterion("a", 2, "people"), Criterion("b", 3, "people")]).assess({}))
    assert labelled.notes() == ["no other steps are as cheap"]


def test_costs_of_ones_own():
    model = small([Criterion("a", 2, "people"), Criterion("b", 3, "people", requires=["a"])])
    now = model.assess({})
    plan = roadmap(now, costs={"a": {0.75: 1, 1.0: 9}})
    assert plan.cost == 1
    with pytest.raises(DataError, match="no steps lead"):
        roadmap(now, costs={"a": {0.5: 1}})
    with pytest.raises(DataError, match="no criterion 'aa'"):
        roadmap(now, costs={"aa": {1: 1}})
    with pytest.raises(DefinitionError, match="costs of 'a'"):
        roadmap(now, costs={"a": {1: -1}})
    assert [s.criterion for s in roadmap(now, 3).steps] == ["a", "b"]


@st.composite
def yes_no_models(draw):
    """Models of up to twelve criteria that are met or not, and what is met now."""
    stages = draw(st.integers(2, 4))
    count = draw(st.integers(stages - 1, 12))
    criteria = [
        Criterion(
            f"c{i}",
            i + 2 if i < stages - 1 else draw(st.integers(2, stages)),
            "people",
            weight=draw(st.sampled_from([1, 2, 0.5, 1.3])),
            gate=draw(st.booleans()),
            effort=draw(st.sampled_from([1, 2, 3.5])),
            requires=draw(st.lists(st.sampled_from([f"c{j}" for j in range(i)]), max_size=2))
            if i
            else [],
        )
        for i in range(count)
    ]
    model = MaturityModel(
        id="yes-no",
        version="1.0.0",
        stages=[Stage(n, f"s{n}") for n in range(1, stages + 1)],
        dimensions=["people"],
        criteria=criteria,
        stage_threshold=draw(st.sampled_from([0.5, 0.75, 1.0])),
        answer_scale=AnswerScale("yes-no", {"no": 0, "yes": 1}),
    )
    return model, draw(st.lists(st.booleans(), min_size=count, max_size=count))


@settings(max_examples=some(60), deadline=None)
@given(yes_no_models())
def test_of_all_choices_of_twelve_criteria_none_is_cheaper(given_):
    model, now = given_
    count = len(model.criteria)
    every = (np.arange(1 << count)[:, None] >> np.arange(count)) & 1 == 1
    level = model.assess(Answers.from_array(model, every.astype(float))).level
    held = np.array(now)
    raised = every & ~held
    allowed = ~(held & ~every).any(axis=1)  # nothing is given up
    for place, criterion in enumerate(model.criteria):
        for need in criterion.requires:
            allowed &= ~raised[:, place] | every[:, model.positions[need]]
    cost = raised @ np.array([c.effort for c in model.criteria], float)
    assessed = model.assess(Answers.from_array(model, held[None].astype(float)))[0]
    for target in range(assessed.level + 1, model.top_stage + 1):
        best = cost[allowed & (level >= target)].min(initial=math.inf)
        plan = roadmap(assessed, target)
        assert plan.cost == pytest.approx(best)
