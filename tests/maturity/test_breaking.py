"""What would break an assessment: bad input at every door, and models larger than the others."""

import datetime as dt
import json
import math
import time

import attrs
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import cxkit as cx
from cxkit.errors import DataError, DefinitionError
from cxkit.maturity import (
    Answer,
    Answers,
    AnswerScale,
    Assessment,
    Benchmark,
    ChannelMaturity,
    Criterion,
    MaturityModel,
    Stage,
    assess_channels,
    combine,
    equivalent_stage,
    level_chances,
    measured,
    roadmap,
)
from cxkit.maturity.bounds import Floor, hull
from tests.examples import some
from tests.maturity.models import answered, small

MODEL = small(
    [
        Criterion("a", 2, "people", evidence_required=True),
        Criterion("b", 2, "process"),
        Criterion("c", 3, "people", requires="a"),
    ]
)


def large(criteria, stages, rng):
    """Weights and efforts that are no round numbers, so that no two sums are the same."""
    return MaturityModel(
        id="large",
        version="1.0.0",
        stages=[Stage(n, f"s{n}") for n in range(1, stages + 2)],
        dimensions=["d"],
        criteria=[
            Criterion(
                f"c{i}",
                2 + i % stages,
                "d",
                weight=float(rng.uniform(0.5, 3)),
                effort=float(rng.uniform(0.5, 5)),
                requires=[f"c{rng.integers(i)}"] if i and rng.random() < 0.3 else [],
            )
            for i in range(criteria)
        ],
    )


@pytest.mark.parametrize("stages", [1, 4])
def test_a_way_of_many_criteria_is_found_soon(stages):
    model = large(24, stages, np.random.default_rng(5))
    now = model.assess({})
    start = time.process_time()
    plan = roadmap(now, model.top_stage)
    assert time.process_time() - start < 20  # without a bound, minutes
    done = now.what_if({step.criterion: Answer(step.end) for step in plan.steps})
    assert done.level == model.top_stage
    for step in plan.steps:  # no step can be left out, or be smaller
        rest = {s.criterion: s.end for s in plan.steps if s is not step}
        assert now.what_if(rest).level < model.top_stage or any(
            step.criterion in model.criterion(name).requires for name in rest
        )


def test_the_built_in_model_from_anywhere():
    model, rng = MaturityModel.builtin("cx-seven-stage"), np.random.default_rng(3)
    for _ in range(5):
        steps = {c.id: model.scale_of(c).steps() for c in model.criteria}
        now = model.assess({name: float(rng.choice(own)) for name, own in steps.items()})
        for target in range(now.level + 1, model.top_stage + 1):
            plan = roadmap(now, target)
            assert now.what_if({s.criterion: s.end for s in plan.steps}).level >= target


POINTS = st.tuples(st.integers(0, 6), st.integers(0, 9))


@given(st.lists(st.lists(POINTS, min_size=1, max_size=4), min_size=1, max_size=3))
def test_no_choice_is_below_the_floor(choices):
    floor = Floor.of(choices)
    ways = [(0, 0)]
    for points in choices:
        ways = [(g + a, c + b) for g, c in ways for a, b in points]
    for gain, cost in ways:
        assert floor.cost(gain, 0) <= cost + 1e-9
    most = max(gain for gain, _ in ways)
    assert floor.cost(most + 1, 0) == math.inf
    assert floor.cost(0, 0) == min(cost for _, cost in ways)
    assert hull([(0, 3), (1, 3), (2, 1)]) == [(2, 1)]


@settings(max_examples=some(30), deadline=None)
@given(answered(), st.integers(2, 5000))
def test_many_have_the_bits_of_one(given_, copies):
    model, answers = given_
    one = Answers.of(model, [answers])
    many = attrs.evolve(
        one,
        values=np.repeat(one.values, copies, axis=0),
        applies=None if one.applies is None else np.repeat(one.applies, copies, axis=0),
        evidenced=np.repeat(one.evidenced, copies, axis=0),
        subjects=("x",) * copies,
    )
    alone, found = model.assess(one), model.assess(many)
    for field in ("attainment", "attainment_high", "profile", "points", "completeness", "maximum"):
        last = getattr(found, field)[-1]
        np.testing.assert_array_equal(last, getattr(alone, field)[0], strict=True)


@pytest.mark.parametrize(
    "answer", [[1], {"value": 1}, (), b"yes", np.array([1.0, 0.0]), "1", math.inf, 1j]
)
def test_answers_of_a_strange_kind_are_named(answer):
    with pytest.raises(DataError, match="subject '1', criterion 'b': answer"):
        MODEL.assess({"b": answer})


def test_empty_evidence_is_none():
    assert Answer(1, evidence="").evidence == ()
    assert Answer(1, evidence=[" ", "x"]).evidence == ("x",)
    assert Answer(1, evidence=None).evidence == ()
    assert MODEL.assess({"a": Answer(1, evidence="")}).worth[0] == 0.5


def test_confidences():
    for value in (math.nan, -0.1, "high", True):
        with pytest.raises(DefinitionError, match="confidence is 0 to 1"):
            Answer(1, confidence=value)
    with pytest.raises(DataError, match="criterion 'b': confidence is 0 to 1; found nan"):
        Answers.from_array(MODEL, [[1, 1, np.nan]], confidence=[[1, np.nan, np.nan]])
    fine = Answers.from_array(MODEL, [[1, 1, np.nan]], confidence=[[1, 1, np.nan]])
    assert level_chances(MODEL.assess(fine)[0]).chance[1] == 0
    doubted = MODEL.assess({"b": Answer(1, confidence=0.1), "a": Answer(1, "x")})
    assert doubted.chances().chance[1] > 0
    assert doubted.what_if({"b": 1}).chances().chance[1] == 0  # what if it were so, for sure


def test_chances_of_too_many_cases_say_what_to_do():
    model = large(40, 1, np.random.default_rng(1))
    now = model.assess({})
    with pytest.raises(DefinitionError, match="say how many to draw"):
        now.chances()
    assert sum(now.chances(draws=200).chance.values()) == pytest.approx(1)


def say(answers, **more):
    return Assessment.of(MODEL, "shop", "2026-03-01", answers, **more)


def test_several_assessors_of_one_subject():
    ann = say({"a": 1, "b": 1}, assessor="ann")
    bob = say({"a": Answer(0, "seen"), "b": 1}, assessor="bob")
    found = MODEL.assess([ann, bob])
    assert found.answers.values[0, 0] == 0.25  # ann's word counts up to the cap, bob's proof whole
    assert len(found) == 1
    assert not math.isnan(found[0].agreement)
    assert "agreement of the assessors: alpha" in repr(found[0])
    assert "agreement" in found.columns()
    assert math.isnan(MODEL.assess([ann])[0].agreement)
    with pytest.raises(DataError, match="'ann' assessed 'shop' more than once on 2026-03-01"):
        combine(MODEL, [ann, ann])
    nobody = say({"b": 0.5})
    assert combine(MODEL, [nobody, nobody]).values[0, 1] == 0.5


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"assessed_at": "2026-03-01 noon"}, "assessed_at is a day"),
        ({"assessed_at": 20260301}, "assessed_at is a day"),
        ({"subject": ""}, "the subject of an assessment is some text"),
        ({"answers": []}, "answers are criterion -> answer"),
        ({"model": []}, "this is no model of an assessment"),
        ({"model": {"id": "small", "version": "1"}}, "version is three numbers"),
    ],
)
def test_files_of_assessments_that_are_broken(change, told):
    with pytest.raises(DataError, match=told):
        Assessment.from_dict(say({"b": 1}).to_dict() | change)


def test_a_day_may_be_a_date():
    when = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
    assert Assessment.of(MODEL, "x", when, {}).assessed_at == "2026-03-01"
    assert Assessment.of(MODEL, "x", when.date(), {}).assessed_at == "2026-03-01"


def test_old_names_that_meet_in_one():
    merged = MaturityModel.from_dict(
        MODEL.to_dict() | {"version": "1.1.0", "migrates": {"old": "b", "older": "b"}}
    )
    one = attrs.evolve(say({"b": 1}), answers={"old": 1, "older": 0.5})
    with pytest.raises(DataError, match=r"answers 'b' twice under its older names, 1 and 0\.5"):
        one.against(merged)
    with pytest.raises(DefinitionError, match="there is a criterion 'a' still"):
        MaturityModel.from_dict(MODEL.to_dict() | {"migrates": {"a": "b"}})


def test_files_of_models(tmp_path):
    path = tmp_path / "model.json"
    MODEL.to_file(path)
    assert MaturityModel.from_file(path) == MODEL
    data = json.loads(path.read_text())
    path.write_text(json.dumps(data | {"stage_threshold": 0.1}))
    with pytest.raises(DataError, match="changed after it was signed off"):
        MaturityModel.from_file(path)
    path.write_bytes(b"\xff\xfe{")
    with pytest.raises(DataError, match="is no JSON"):
        MaturityModel.from_file(path)
    with pytest.raises(DefinitionError, match="stages are numbered"):
        attrs.evolve(MODEL, stages=[Stage("1", "x"), Stage("2", "y")])
    with pytest.raises(DefinitionError, match="evidence_cap is 0 to 1"):
        attrs.evolve(MODEL, evidence_cap="half")
    with pytest.raises(DefinitionError, match="stage is a whole number"):
        Criterion("x", 2.0, "people")


def test_costs_are_for_answers_of_the_scale():
    with pytest.raises(DataError, match=r"costs of 'b': answer 0.6 is not on the scale"):
        roadmap(MODEL.assess({}), costs={"b": {0.6: 1}})
    for cost in (math.nan, math.inf, -1):
        with pytest.raises(DefinitionError, match="a cost is 0 or more and finite"):
            roadmap(MODEL.assess({}), costs={"b": {1: cost}})


def test_channels_that_make_no_sense():
    for more, told in (
        ({"switches": [("a", "a", 1)]}, "from 'a' to itself is no switch"),
        ({"switches": [("a", "b", math.nan)]}, "are counts; found"),
        ({"traffic": {"a": math.nan}}, "are counts; found"),
        ({"stages": 2}, "further apart than 2 stages allow"),
    ):
        with pytest.raises(DataError, match=told):
            ChannelMaturity.of({"a": 1, "b": 3}, **{"stages": 7, **more})


def test_switches_of_channels_without_a_level_are_told():
    journeys = cx.simulate.retail(100, rng=1).journeys
    model = MaturityModel.builtin("four-tier")
    found = assess_channels(model, {"web": {}, "store": {}}, switches=journeys)
    assert 0 < found.left_out < 1
    assert "of all switches touch a channel without a level" in repr(found)


def test_benchmarks_and_levels_that_make_no_sense():
    with pytest.raises(DefinitionError, match="sum to 1"):
        Benchmark({1: math.nan})
    with pytest.raises(DataError, match="levels are whole numbers"):
        Benchmark.of([1.5, math.nan])
    staged = attrs.evolve(
        MODEL, stages=[Stage(1, "x"), Stage(2, "y", targets={"people": 2}), Stage(3, "z")]
    )
    with pytest.raises(DataError, match="3 levels of one dimension, but of 'process'"):
        equivalent_stage(staged, {"people": [1, 2, 3], "process": [1, 2]})


def test_a_measurement_below_the_lowest_answer_is_the_lowest():
    low = AnswerScale("low", {"little": 0.2, "half": 0.6, "yes": 1.0})
    model = attrs.evolve(
        MODEL,
        answer_scale=low,
        criteria=[Criterion("a", 2, "people", measure="m"), Criterion("b", 3, "people")],
    )
    for value, worth in ((0.1, 0.2), (0.1 + 0.2 + 0.3 - 1e-16, 0.6), (1, 1)):
        assert measured(model, None, {"m": value})["a"].value == worth
        model.assess(measured(model, None, {"m": value}))


def test_a_dimension_may_be_called_like_a_column():
    model = MaturityModel(
        id="m",
        version="1.0.0",
        stages=[Stage(1, "a"), Stage(2, "b")],
        dimensions=["level", "people"],
        criteria=[Criterion("x", 2, "level"), Criterion("y", 2, "people")],
    )
    columns = model.assess(Answers.of(model, [{"x": 1}])).columns()
    assert columns["level"].tolist() == [1]
    assert columns["dimension level"].tolist() == [1.0]
