import json
import pickle

import pytest
from hypothesis import given, strategies as st

from cxkit import MaturityModel
from cxkit.core.canonical import canonical_json
from cxkit.errors import DataError, DefinitionError
from cxkit.maturity import (
    AnswerScale,
    Criterion,
    Dimension,
    Phase,
    Stage,
    builtin_models,
    model_schema,
)
from tests.maturity.models import models, small

C = Criterion


def plain(**changes):
    return small([C("a", 2, "people"), C("b", 3, "process")]).to_dict() | changes


@pytest.mark.parametrize("name", builtin_models())
def test_built_in_models(name):
    model = MaturityModel.builtin(name)
    assert MaturityModel.from_dict(model.to_dict()) == model
    assert all(c.text for c in model.criteria)
    assert model.assess({}).level == model.base_stage
    best = model.assess({c.id: 1 for c in model.criteria})
    needs = {c.stage for c in model.criteria if c.evidence_required}
    assert best.level == (min(needs) - 1 if needs else model.top_stage)
    with pytest.raises(DataError, match=r"no built-in model 'cx-seven'.*Did you mean"):
        MaturityModel.builtin("cx-seven")


def test_the_schema_that_ships_is_a_schema():
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(model_schema())
    for name in builtin_models():
        jsonschema.validate(MaturityModel.builtin(name).to_dict(), model_schema())


@given(models())
def test_round_trips(model):
    again = MaturityModel.from_dict(json.loads(json.dumps(model.to_dict())))
    assert again == model
    assert again.digest == model.digest
    assert hash(again) == hash(model)
    assert pickle.loads(pickle.dumps(model)) == model


@given(models(), st.randoms())
def test_the_order_of_keys_changes_no_digest(model, rng):
    def shuffled(data):
        if isinstance(data, dict):
            keys = list(data)
            rng.shuffle(keys)
            return {k: shuffled(data[k]) for k in keys}
        return [shuffled(x) for x in data] if isinstance(data, list) else data

    data = shuffled(model.to_dict())
    assert MaturityModel.from_dict(data).digest == model.digest
    assert canonical_json(data) == canonical_json(model.to_dict())


def test_a_digest_in_the_file_is_checked():
    data = plain()
    signed = data | {"digest": MaturityModel.from_dict(data).digest}
    assert MaturityModel.from_dict(signed).to_dict() == data
    signed["criteria"][0]["weight"] = 3
    with pytest.raises(DataError, match="changed after it was signed off"):
        MaturityModel.from_dict(signed)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            {"criteria": [{"id": "a", "stage": 2, "dimension": "people", "weight": 0}]},
            r"criteria\[0\].weight: found 0, expected more than 0",
        ),
        (
            {"criteria": [{"id": "a", "stage": "2", "dimension": "people"}]},
            r"criteria\[0\].stage: found '2', expected an integer",
        ),
        (
            {"criteria": [{"id": "a", "stage": 2}]},
            r"criteria\[0\]: the field 'dimension' is missing",
        ),
        (
            {"criteria": [{"id": "a", "stage": 2, "dimension": "people", "wieght": 1}]},
            r"criteria\[0\]: unknown field 'wieght'.*Did you mean 'weight'",
        ),
        (
            {"criteria": [{"id": "a", "stage": 2, "dimension": "people", "weight": float("nan")}]},
            r"criteria\[0\].weight: found nan, expected a number",
        ),
        ({"stages": [{"n": 1, "id": "x"}]}, r"stages: found 1 items, expected at least 2"),
        ({"stages": {}}, r"stages: found \{\}, expected an array"),
        ({"version": "1.0"}, r"version: found '1.0'"),
        ({"schema": "cxkit/maturity-model/2"}, r"schema: found 'cxkit/maturity-model/2'"),
        ({"stage_threshold": 1.5}, r"stage_threshold: found 1.5, expected 1 or less"),
        ({"dimensions": [3]}, r"dimensions\[0\]: found 3, expected a string or an object"),
        ({"id": ""}, r"id: found an empty text"),
        ({"migrates": {"x": 1}}, r"migrates\['x'\]: found 1"),
        (
            {"answer_scale": {"id": "s", "values": [{"label": "x", "value": 2}]}},
            r"answer_scale.values\[0\].value: found 2, expected 1 or less",
        ),
    ],
)
def test_a_file_of_another_shape_is_refused_with_the_path(change, told):
    with pytest.raises(DataError, match=told):
        MaturityModel.from_dict(plain(**change))


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (
            lambda: small([C("a", 2, "people")]),
            "stage 3 has no criterion, so everybody would meet it",
        ),
        (lambda: small([C("a", 4, "people")]), "criterion 'a' is of stage 4; criteria belong"),
        (lambda: small([C("a", 1, "people")]), "criterion 'a' is of stage 1"),
        (
            lambda: small([C("a", 2, "people"), C("a", 3, "people")]),
            "criterion 'a' occurs more than once",
        ),
        (
            lambda: small([C("a", 2, "peopel")], 2),
            "names dimension 'peopel'.*Did you mean 'people'",
        ),
        (lambda: small([C("a", 2, "people", scale="x")], 2), "names answer scale 'x'"),
        (lambda: small([C("a", 2, "people", requires=["b"])], 2), "names criterion 'b'"),
        (
            lambda: small(
                [C("a", 2, "people", requires=["b"]), C("b", 2, "people", requires=["a"])], 2
            ),
            "criteria require each other: a -> b -> a",
        ),
        (
            lambda: small([C("a", 2, "people")], 2, phases=[Phase("p", [1])]),
            "every stage is in exactly one phase",
        ),
        (lambda: small([C("a", 2, "people")], 2, migrates={"x": "y"}), "migrates 'x' to 'y'"),
        (lambda: small([C("a", 2, "people")], 2, base_stage=2), "base_stage is the first stage"),
        (lambda: small([C("a", 2, "people")], 2, evidence_cap=2), "evidence_cap is 0 to 1"),
        (lambda: small([C("a", 2, "people")], 2, stage_threshold=0), "stage_threshold is above 0"),
        (lambda: C("a", 2, "people", weight=-1), "a: weight is a number above 0; found -1"),
        (lambda: C("a", 2, "people", gate_threshold=2), "gate_threshold is more than 0 to 1"),
        (lambda: C("", 2, "people"), "the id of a Criterion is some text"),
        (lambda: AnswerScale("s", {"no": 0, "yes": 0.5}), "no answer is worth 1"),
        (lambda: AnswerScale("s", {"no": -1, "yes": 1}), "'no' is worth -1"),
    ],
)
def test_a_model_that_contradicts_itself_is_refused(make, told):
    with pytest.raises(DefinitionError, match=told):
        make()


def test_more_contradictions():
    def model(**changes):
        return MaturityModel(
            **(
                {
                    "id": "m",
                    "version": "1.0.0",
                    "stages": [Stage(1, "a"), Stage(2, "b")],
                    "dimensions": ["d"],
                    "criteria": [C("x", 2, "d")],
                }
                | changes
            )
        )

    for changes, told in (
        ({"stages": [Stage(1, "a"), Stage(3, "b")]}, "numbered without a gap"),
        ({"stages": [Stage(1, "a"), Stage(2, "a")]}, "stage 'a' occurs more than once"),
        ({"stages": [Stage(1, "a"), Stage(2, "b", targets={"e": 1})]}, "a target for 'e'"),
        ({"dimensions": ["d", "d"]}, "dimension 'd' occurs more than once"),
        ({"dimensions": [Dimension("d", parent="e")]}, "part of 'e', which is no dimension"),
        (
            {"dimensions": [Dimension("d", parent="e"), Dimension("e", parent="d")]},
            "dimensions contain each other: d > e > d",
        ),
        ({"version": "one"}, "version is three numbers"),
        ({"id": " "}, "id of a maturity model"),
    ):
        with pytest.raises(DefinitionError, match=told):
            model(**changes)


def test_files(tmp_path):
    path = tmp_path / "model.json"
    path.write_text(json.dumps(plain()), encoding="utf-8")
    assert MaturityModel.from_file(path) == MaturityModel.from_dict(plain())
    path.write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match=r"model.json is no JSON"):
        MaturityModel.from_file(path)


def test_answers_on_their_scale():
    scale = AnswerScale("s", {"no": 0, "some": 0.25, "yes": 1})
    assert [scale.worth(a) for a in ("no", 0.25, 1)] == [0, 0.25, 1]
    for wrong in ("yess", 0.3, True, -1, float("nan")):
        with pytest.raises(DefinitionError, match="answer"):
            scale.worth(wrong)
    with pytest.raises(DefinitionError, match="Did you mean 'some'"):
        scale.worth("sone")
    assert AnswerScale("any").worth(0.123) == 0.123
    with pytest.raises(DefinitionError, match="takes numbers from 0 to 1"):
        AnswerScale("any").worth("yes")
    with pytest.raises(DefinitionError, match="a label occurs twice"):
        AnswerScale.from_dict({"id": "s", "values": [{"label": "a", "value": 1}] * 2})
