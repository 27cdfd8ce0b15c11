import math
import pickle

import attrs
import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st

from cxkit import MaturityModel
from cxkit.errors import DataError, DefinitionError
from cxkit.maturity import Answer, Answers, AnswerScale, Criterion, Stage, level_chances
from tests.examples import some
from tests.maturity.models import answered, small


def by_hand(model, answers):
    """The rules as they are written down, one criterion at a time."""
    worth = {}
    for c in model.criteria:
        said = answers.get(c.id)
        said = said if isinstance(said, Answer) else Answer(said)
        if said.value == "n/a":
            continue
        v = 0.0 if said.value is None else model.scale_of(c).worth(said.value)
        if c.evidence_required and not said.evidence and said.value is not None:
            v = min(v, model.evidence_cap)
        worth[c.id] = v

    def mean(criteria):
        own = [c for c in criteria if c.id in worth]
        whole = sum(c.weight for c in own)
        return sum(c.weight * worth[c.id] for c in own) / whole if own else math.nan

    def met(criteria, stage):
        bar = stage.threshold or model.stage_threshold
        gates = (
            worth.get(c.id, 1) >= (c.gate_threshold or model.gate_threshold) - 1e-12
            for c in criteria
            if c.gate
        )
        return mean(criteria) >= bar - 1e-12 and all(gates)

    level = model.base_stage
    for stage in model.stages[1:]:
        if not met([c for c in model.criteria if c.stage == stage.n], stage):
            break
        level = stage.n
    capability = {}
    for d in model.dimensions:
        capability[d.id] = model.base_stage
        for stage in model.stages[1:]:
            own = [c for c in model.criteria if c.stage == stage.n and c.dimension == d.id]
            if not [c for c in own if c.id in worth]:
                continue
            if not met(own, stage):
                break
            capability[d.id] = stage.n
    profile = {
        d.id: mean([c for c in model.criteria if c.dimension == d.id]) for d in model.dimensions
    }
    attainment = {
        s.n: mean([c for c in model.criteria if c.stage == s.n]) for s in model.stages[1:]
    }
    return level, attainment, profile, capability


@given(answered(), st.randoms())
def test_it_is_the_rules(given_, rng):
    model, answers = given_
    answers = {
        k: Answer(v, evidence=["x"] if rng.random() < 0.5 else []) for k, v in answers.items()
    }
    found = model.assess(answers)
    level, attainment, profile, capability = by_hand(model, answers)
    assert found.level == level
    assert found.attainment == pytest.approx(attainment)
    assert found.profile == pytest.approx(profile, nan_ok=True)
    assert found.capability == capability


@given(answered(), st.data())
def test_raising_an_answer_lowers_nothing(given_, data):
    model, answers = given_
    before = model.assess(answers)
    name = data.draw(st.sampled_from([c.id for c in model.criteria]))
    assume(answers[name] != "n/a")
    steps = model.scale_of(model.criterion(name)).steps()
    now = answers[name] or 0.0
    after = model.assess(
        answers | {name: data.draw(st.sampled_from([s for s in steps if s >= now]))}
    )
    assert after.level >= before.level
    assert after.level_interval[0] <= after.level_interval[1]
    for measure in ("attainment", "profile", "capability"):
        old, new = getattr(before, measure), getattr(after, measure)
        assert all(not new[k] < old[k] - 1e-12 for k in old)


@given(answered(), st.sampled_from([0.5, 3, 7]), st.randoms())
def test_weights_of_a_stage_are_relative_and_order_is_nothing(given_, factor, rng):
    model, answers = given_
    criteria = [
        attrs.evolve(c, weight=c.weight * factor) if c.stage == 2 else c for c in model.criteria
    ]
    rng.shuffle(criteria)
    other = attrs.evolve(model, criteria=criteria)
    found, expected = other.assess(answers), model.assess(answers)
    assert found.level == expected.level
    assert found.attainment == pytest.approx(expected.attainment)
    assert found.achieved == expected.achieved


@given(answered())
def test_unknown_answers_span_all_that_they_could_be(given_):
    model, answers = given_
    found = model.assess(answers)
    low = model.assess({k: 0.0 if v is None else v for k, v in answers.items()})
    proven = {k: Answer(1.0, evidence=["x"]) if v is None else v for k, v in answers.items()}
    high = model.assess(proven)
    assert found.level_interval == (low.level, high.level)
    assert found.unknown == [k for k, v in answers.items() if v is None]
    assert (found.completeness == 1) == (not found.unknown)


@given(answered(), st.integers(1, 4))
def test_one_of_many_is_the_one(given_, copies):
    model, answers = given_
    blank = {c.id: 0.0 for c in model.criteria}
    rows = [blank] * copies + [answers]
    many = model.assess(Answers.of(model, rows))
    one = model.assess(answers)
    last = many[-1]
    assert last.level == one.level
    assert last.attainment == one.attainment
    assert last.profile == pytest.approx(one.profile, nan_ok=True, rel=0, abs=0)
    assert last.capability == one.capability
    again = pickle.loads(pickle.dumps(many))
    assert again.level.tolist() == many.level.tolist()
    assert not again.level.flags.writeable


def test_what_if_equals_an_assessment_anew():
    model = MaturityModel.builtin("cx-seven-stage")
    now = model.assess({"rad.owner": 1, "rad.publish": "n/a"})
    after = now.what_if({"rad.publish": 1, "rad.source": Answer(1), "ali.scale": 1})
    proof = Answer(1, evidence=["x"])
    anew = model.assess({"rad.owner": 1, "rad.publish": 1, "rad.source": 1, "ali.scale": proof})
    assert after.level == anew.level == 2
    assert after.attainment == anew.attainment
    with pytest.raises(DataError, match=r"no criterion 'rad.sourc'.*Did you mean 'rad.source'"):
        now.what_if({"rad.sourc": 1})


def test_a_stage_cannot_be_met_by_nothing():
    model = small([Criterion("a", 2, "people"), Criterion("b", 3, "people")])
    with pytest.raises(DataError, match="subject 'x': no criterion of stage 's3' applies"):
        model.assess(Answers.of(model, [{"a": 1}, {"b": "n/a"}], ["y", "x"]))


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ({"c": 1}, "no criterion 'c'"),
        ({"a": 0.3}, "subject '1', criterion 'a': answer 0.3 is not on the scale 'quarters'"),
        ({"a": "yess"}, "answer 'yess' is not on the scale"),
        ({"a": 2}, "answer 2 is not on the scale"),
        ({"a": True}, "answer True is not on the scale"),
    ],
)
def test_bad_answers_are_named(answers, told):
    model = small([Criterion("a", 2, "people"), Criterion("b", 3, "people")])
    with pytest.raises(DataError, match=told):
        model.assess(answers)


def test_bad_arrays_are_named():
    model = small([Criterion("a", 2, "people"), Criterion("b", 3, "people", scale="thirds")])
    for values, more, told in (
        ([[1.0]], {}, r"a column for each criterion of 'small'; found \(1, 1\)"),
        ([[1.0, 0.25]], {}, "subject '1', criterion 'b': answer 0.25 is not on the scale 'thirds'"),
        ([[-1.0, 1]], {}, "criterion 'a': answer -1.0"),
        ([[math.inf, 1]], {}, "criterion 'a': answer inf"),
        ([[1.0, 1]], {"confidence": [[2, 1]]}, "criterion 'a': confidence is 0 to 1; found 2.0"),
        ([[1.0, 1]], {"applies": [True]}, "applies has the shape of values"),
        ([[1.0, 1]], {"subjects": ["x", "y"]}, "1 rows of answers and 2 subjects"),
    ):
        with pytest.raises(DataError, match=told):
            Answers.from_array(model, values, **more)
    with pytest.raises(DefinitionError, match="confidence is 0 to 1, or None; found nan"):
        Answer(1, confidence=math.nan)


def test_other_peoples_answers_are_refused():
    one = small([Criterion("a", 2, "people"), Criterion("b", 3, "people")])
    other = MaturityModel.builtin("five-level")
    with pytest.raises(DataError, match="these answers are to 2 criteria, 'five-level'"):
        other.assess(Answers.of(one, [{}]))


def test_no_subjects_at_all():
    model = MaturityModel.builtin("five-level")
    found = model.assess(Answers.of(model, []))
    assert len(found) == 0
    assert found.distribution() == {1: 0, 2: 0, 3: 0, 4: 0, 5: 0}
    assert "0 assessed" in repr(found)


def test_many_subjects_are_as_each_alone():
    model = MaturityModel.builtin("cx-seven-stage")
    rng = np.random.default_rng(3)
    values = rng.choice(
        [0, 0.25, 0.5, 1, np.nan], (9001, len(model.criteria)), p=[0.1, 0.1, 0.2, 0.5, 0.1]
    )
    found = model.assess(Answers.from_array(model, values))
    for row in (0, 4095, 4096, 9000):  # on both sides of the edge of a part
        alone = model.assess(Answers.from_array(model, values[row : row + 1]))
        assert alone.level[0] == found.level[row]
        assert alone.attainment[0] == pytest.approx(found.attainment[row], abs=1e-12)
    assert sum(found.distribution().values()) == pytest.approx(1)


@settings(max_examples=some(40))
@given(answered(most=4), st.data())
def test_chances_are_those_of_every_case(given_, data):
    """Against all combinations of what the answers might be."""
    model, answers = given_
    sure = {
        k: Answer(v, confidence=data.draw(st.sampled_from([None, 0.0, 0.7, 1.0])))
        for k, v in answers.items()
    }
    found = level_chances(model.assess(sure))
    cases = [({}, 1.0)]
    for c in model.criteria:
        answer, steps = sure[c.id], model.scale_of(c).steps()
        if answer.value == "n/a":
            options = [("n/a", 1.0)]
        elif answer.value is None:
            options = [(s, 1 / len(steps)) for s in steps]
        elif answer.confidence in {None, 1.0}:
            options = [(answer.value, 1.0)]
        else:
            others = [s for s in steps if s != answer.value]
            options = [(s, (1 - answer.confidence) / len(others)) for s in others]
            options.append((answer.value, answer.confidence))
        unknown = answer.value is None
        cases = [
            (chosen | {c.id: Answer(v, evidence=["x"] if unknown else [])}, p * q)
            for chosen, p in cases
            for v, q in options
            if q > 0
        ]
        assume(len(cases) <= 400)
    expected = {stage.n: 0.0 for stage in model.stages}
    for chosen, p in cases:
        expected[model.assess(chosen).level] += p
    assert found.chance == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("weight", [1.0, 1e-10, 1e7])
def test_what_is_met_for_certain_has_chance_1(weight):
    """Thirds have no end of digits: rounding after each criterion must not add up."""
    criteria = [Criterion(f"c{i}", 2, "people", weight=weight, scale="thirds") for i in range(8)]
    values = {"no": 0.0, "partly": 1 / 3, "mostly": 2 / 3, "yes": 1.0}
    model = MaturityModel(
        id="eight",
        version="1.0.0",
        stages=[Stage(1, "s1"), Stage(2, "s2")],
        dimensions=["people"],
        criteria=criteria,
        answer_scale=AnswerScale("thirds", values),
        stage_threshold=0.5,
    )
    for places in ((0, 1), (6, 7)):
        now = model.assess({c.id: 1.0 if i in places else 1 / 3 for i, c in enumerate(criteria)})
        assert now.level == 2
        assert level_chances(now).chance == {1: 0.0, 2: 1.0}
    less = model.assess({c.id: 1.0 if i == 0 else 1 / 3 for i, c in enumerate(criteria)})
    assert level_chances(less).chance == {1: 1.0, 2: 0.0}


def test_they_read_well():
    model = MaturityModel.builtin("cx-seven-stage")
    shown = repr(model.assess({"rad.owner": 1, "rad.publish": 1, "rad.source": 1}))
    assert (
        "Level 2 of 7, radiate, phase attract (up to 7 if what is not known were the best)" in shown
    )
    assert "gates that hold the next stage back: ali.scale" in shown
    many = model.assess(Answers.of(model, [{}, {"rad.owner": 1}], ["north", "<south>"]))
    assert "&lt;south&gt;" in many._repr_html_()
    assert "2 with answers that are not known" in repr(many)
