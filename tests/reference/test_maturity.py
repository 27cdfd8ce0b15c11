"""The worked numbers of maturity models, and two public models in our format."""

import csv
import gzip
import json
from functools import cache

import numpy as np
import pytest

from cxkit import Journeys
from cxkit.core.canonical import canonical_json, digest
from cxkit.maturity import (
    Answer,
    Answers,
    AnswerScale,
    Benchmark,
    ChannelMaturity,
    Criterion,
    Dimension,
    MaturityModel,
    Stage,
    equivalent_stage,
    krippendorff_alpha,
    level_chances,
    messages_that_ask_nothing,
    roadmap,
)
from tests.shared import shared

QUARTERS = AnswerScale("quarters", {str(v): v for v in (0.0, 0.25, 0.5, 0.75, 1.0)})
ANY = AnswerScale("share", {})


@cache
def oracles(name):
    data = json.loads(shared(f"oracles/domain/{name}.json").read_text(encoding="utf-8"))
    return {entry["id"]: entry for entry in data["oracles"]}


def case(name):
    entry = oracles("maturity")[name]
    return entry["inputs"], entry["expected"]


def equal(found, expected, tolerance=1e-9):
    """Equality as the oracles define it, through dictionaries and lists."""
    if isinstance(expected, dict):
        assert {str(k) for k in found} == set(expected)
        for key, value in found.items():
            equal(value, expected[str(key)], tolerance)
    elif isinstance(expected, list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            equal(one, other, tolerance)
    elif isinstance(expected, float):
        assert abs(found - expected) <= tolerance * max(1, abs(expected))
    else:
        assert found == expected


# ---------------------------------------------------------------------- SAMM and DSOMM


def samm(practices, function_of, streams=2):
    """Practices of some streams in three levels: the structure of SAMM."""
    functions = dict.fromkeys(function_of)
    return MaturityModel(
        id="samm-like",
        version="1.0.0",
        stages=[Stage(n, f"level {n}") for n in range(4)],
        dimensions=[
            *functions,
            *(Dimension(p, parent=f) for p, f in zip(practices, function_of, strict=True)),
        ],
        criteria=[
            Criterion(f"{p}.{s}.{n}", n, p)
            for p in practices
            for s in "AB"[:streams]
            for n in (1, 2, 3)
        ],
        answer_scale=AnswerScale("coverage", {"no": 0, "some": 0.25, "half": 0.5, "most": 1}),
    )


def test_mat_01_a_practice():
    given, expected = case("MAT-01")
    model = samm(["p"], ["f"])
    answers = {f"p.{s}.{n}": given[f"stream_{s}"][n - 1] for s in "AB" for n in (1, 2, 3)}
    found = model.assess(answers)
    assert list(found.attainment.values()) == expected["level_scores"]
    assert found.profile["p"] * 3 == expected["practice_score"]


def test_mat_02_functions_and_overall():
    given, expected = case("MAT-02")
    practices = [f"p{i}" for i in range(15)]
    model = samm(practices, [f"f{i // 3}" for i in range(15)])
    values = np.repeat(given["answer_per_practice"], 6)[None, :]
    found = model.assess(Answers.from_array(model, values))[0]
    equal([found.profile[p] * 3 for p in practices], expected["practice_scores"])
    equal([found.profile[f"f{i}"] * 3 for i in range(5)], expected["function_scores"])
    equal(found.overall["mean"] * 3, expected["overall"])


def test_mat_03_progress_of_teams():
    given, expected = case("MAT-03")
    states = AnswerScale("dsomm", given["states"])
    model = MaturityModel(
        id="d",
        version="1.0.0",
        stages=[Stage(0, "a"), Stage(1, "b")],
        dimensions=["sector"],
        criteria=[Criterion(f"activity{i}", 1, "sector") for i in range(3)],
        answer_scale=states,
    )
    teams = model.assess(Answers.from_array(model, list(given["progress"].values())))
    equal(teams.answers.values.mean(axis=0).tolist(), expected["activity"])
    equal(float(teams.profile.mean()), expected["sector"])


def test_mat_04_equivalent_staging():
    given, expected = case("MAT-04")
    areas = given["area_stage"]
    model = MaturityModel(
        id="cmmi-like",
        version="1.0.0",
        stages=[
            Stage(1, "one"),
            Stage(2, "two", targets={a: 2 for a, s in areas.items() if s == 2}),
            Stage(3, "three", targets=dict.fromkeys(areas, 3)),
        ],
        dimensions=list(areas),
        criteria=[Criterion(a, s, a) for a, s in areas.items()],
    )
    assert [int(equivalent_stage(model, levels)[0]) for levels in given["cases"]] == expected[
        "levels"
    ]


# ---------------------------------------------------------------------- staged and continuous


def seven(given, changes=None):
    """The model and the answers of MAT-05."""
    fields = [{k: v for k, v in c.items() if k != "value"} for c in given["criteria"]]
    model = MaturityModel(
        id="m",
        version="1.0.0",
        stages=[Stage(n, f"s{n}") for n in range(given["base_stage"], given["top_stage"] + 1)],
        dimensions=["people", "process", "technology"],
        criteria=[Criterion(**f) for f in fields],
        stage_threshold=given["stage_threshold"],
        answer_scale=QUARTERS,
    )
    answers = {c["id"]: c["value"] for c in given["criteria"]} | (changes or {})
    return model.assess(answers)


def staged(found):
    return {
        "attainment": found.attainment,
        "achieved": found.achieved,
        "level": found.level,
        "progress": found.progress,
        "staged_score": found.staged_score,
        "out_of_order": found.out_of_order,
    }


def test_mat_05_staged_and_continuous():
    given, expected = case("MAT-05")
    found = seven(given)
    equal(staged(found), expected["staged"])
    equal(found.profile, expected["continuous"])
    equal(found.capability, expected["capability_level"])
    equal(found.overall, expected["overall"])
    equal(1 + 6 * found.overall["mean"], expected["mean_on_1_to_7"])
    variant = expected["variant_gate_fails"]
    equal(staged(seven(given, variant["change"])), variant["staged"])
    turned = {c["id"]: {3: 0.0, 4: 1.0}.get(c["stage"], c["value"]) for c in given["criteria"]}
    equal(staged(seven(given, turned)), expected["variant_out_of_order"]["staged"])


@pytest.mark.parametrize("name", [f"MOD-0{i}" for i in range(1, 7)])
def test_the_candidate_model(name):
    path = shared("oracles/domain/cx_seven_stage_model.json")
    model = MaturityModel.from_file(path)
    entry = oracles("cx_seven_stage_cases")[name]
    found = model.assess(entry["inputs"])
    expected = entry["expected"]
    assert found.level == expected["level"]
    assert found.phase == expected["phase"]
    assert found.failing_gates == expected["failing_gates"]
    assert found.out_of_order == expected["out_of_order"]
    equal(found.progress, expected["progress"])
    equal(found.attainment, expected["attainment"])
    equal(found.achieved, expected["achieved"])
    equal(found.profile, expected["dimension"])


# ---------------------------------------------------------------------- around it


def test_mat_06_channels():
    given, expected = case("MAT-06")
    levels, traffic = given["levels"], given["traffic"]
    found = ChannelMaturity.of(
        levels, stages=given["stages"], switches=given["switches"], traffic=traffic
    )
    assert found.range == expected["channel_range"]
    assert found.weakest == [expected["weakest_channel"]]
    equal(found.disconnect, expected["disconnect_abs"])
    equal(found.disconnect_down, expected["disconnect_down"])
    equal(float(found.silo_lead[0]), expected["silo_lead_email"])
    more = ChannelMaturity.of(levels, stages=7, switches=given["switches_extended"])
    equal(more.disconnect, expected["extended"]["disconnect_abs"])
    equal(more.disconnect_down, expected["extended"]["disconnect_down"])


def test_mat_07_roadmap():
    given, expected = case("MAT-07")
    stage = given["stage"]
    model = MaturityModel(
        id="r",
        version="1.0.0",
        stages=[Stage(stage - 1, "now"), Stage(stage, "next")],
        dimensions=list(given["current"]),
        criteria=[Criterion(d, stage, d) for d in given["current"]],
        stage_threshold=given["threshold"],
        answer_scale=QUARTERS,
    )
    costs = {
        name: {given["current"][name] + gain: cost for gain, cost in options if gain}
        for name, options in given["options_gain_cost"].items()
    }
    plan = roadmap(model.assess(given["current"]), costs=costs)
    equal(plan.cost, expected["optimal_cost"])
    found = {step.criterion: [step.end - step.start, step.cost] for step in plan.steps}
    for name, (gain, cost) in expected["optimal_plan"].items():
        equal(found.get(name, [0, 0]), [float(gain), float(cost)])


def test_mat_08_and_09_percentiles():
    given, expected = case("MAT-08")
    known = Benchmark.builtin()
    assert known.shares == {1: given["distribution"]["1"], 2: given["distribution"]["2"]}
    assert known.above == given["distribution"]["3-7"]
    equal(known.percentile(1).mid, expected["percentile_stage_1"])
    equal(known.percentile(2).mid, expected["percentile_stage_2"])
    third = known.percentile(3)
    assert not third.exact
    equal(third.mid, expected["percentile_stage_3_lower_bound"])
    equal(known.percentile(2).at_or_below, expected["share_first_two"])
    given, expected = case("MAT-09")
    found = Benchmark.of(given["peers"]).percentile(given["value"])
    equal(found.mid, expected["percentile"])
    equal(found.below, expected["strictly_below"])
    equal(found.at_or_below, expected["at_or_below"])


def test_mat_10_chances():
    given, expected = case("MAT-10")
    yes_no = AnswerScale("yes-no", {"no": 0, "yes": 1})
    gates = [(int(k[-1]), p) for k, ps in given["p_gate_pass"].items() for p in ps]
    model = MaturityModel(
        id="g",
        version="1.0.0",
        stages=[Stage(n, f"s{n}") for n in (1, 2, 3)],
        dimensions=["d"],
        criteria=[Criterion(f"c{i}", s, "d", gate=True) for i, (s, _) in enumerate(gates)],
        answer_scale=yes_no,
    )
    now = model.assess({f"c{i}": Answer("yes", confidence=p) for i, (_, p) in enumerate(gates)})
    found = level_chances(now)
    equal(found.chance, expected["P_level"], 1e-12)
    equal(found.expected, expected["expected_level"], 1e-12)
    drawn = level_chances(now, draws=40_000, rng=1)
    assert drawn.chance == pytest.approx(found.chance, abs=0.01)


def test_mat_11_evidence():
    given, expected = case("MAT-11")
    model = MaturityModel(
        id="e",
        version="1.0.0",
        stages=[Stage(1, "a"), Stage(2, "b")],
        dimensions=["d"],
        criteria=[Criterion(f"c{i}", 2, "d", evidence_required=True) for i in range(3)],
        evidence_cap=given["cap_without_evidence"],
    )
    answers = {
        f"c{i}": Answer(c["declared"], evidence=["proof"] if c["evidence"] else [])
        for i, c in enumerate(given["cases"])
    }
    assert model.assess(answers).worth.tolist() == expected["values"]


def test_mat_12_digest():
    given, expected = case("MAT-12")
    assert canonical_json(given["model"]) == expected["canonical"]
    assert digest(given["model"]) == expected["sha256"]


def test_the_published_example_of_alpha():
    """Krippendorff 2011, section C: four observers, twelve units, ratings missing."""
    nan = np.nan
    ratings = [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, nan, nan, nan],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, nan, 3],
        [nan, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, nan],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, nan],
    ]
    found = [round(krippendorff_alpha(ratings, m), 3) for m in ("nominal", "ordinal", "interval")]
    assert found == [0.743, 0.815, 0.849]


# ---------------------------------------------------------------------- public models


def rows(name):
    with gzip.open(shared(f"data/odm-2023-maturity/{name}.csv.gz"), "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def open_data(most):
    """The questionnaire as a model, and the answers of all countries to it.

    Args:
        most: question -> the points that it gives at most.
    """
    answers = rows("answers")
    parents = {r["subdimension"]: r["dimension"] for r in answers}
    where = {r["question"]: r["subdimension"] for r in answers if r["question"] in most}
    model = MaturityModel(
        id="open-data-2023",
        version="2023.0.0",
        stages=[Stage(1, "open"), Stage(2, "all of it")],
        dimensions=[
            *sorted(set(parents.values())),
            *(Dimension(s, parent=d) for s, d in sorted(parents.items())),
        ],
        criteria=[Criterion(q, 2, d, weight=most[q]) for q, d in where.items()],
        answer_scale=ANY,
    )
    countries = sorted({r["country"] for r in answers})
    values = np.full((len(countries), len(model.criteria)), np.nan)
    for r in answers:
        if r["question"] in where and r["score"] not in {"", "N/A"}:
            at = countries.index(r["country"]), model.positions[r["question"]]
            values[at] = float(r["score"]) / most[r["question"]]
    return model, Answers.from_array(model, values, subjects=countries)


def test_open_data_maturity_of_35_countries():
    """All countries in one call; their totals are those reported, but for Ireland.

    Ireland's reported total is 2,341, its question scores sum to 2,351: ten points stand at
    question 24a, which has no maximum (its weight is N/A) and is scored for no other country. Left
    out as the weights say, Ireland has what was reported; counted, it has ten more.
    """
    facts = json.loads(shared("data/odm-2023-maturity/facts.json").read_text(encoding="utf-8"))
    published = {r["question"]: r["max_score"] for r in rows("weights")}
    most = {q: float(w) for q, w in published.items() if w != "N/A" and float(w) > 0}
    assert sum(most.values()) == facts["sum_of_weights"]
    reported = {
        r["country"]: float(r["reported_score"])
        for r in rows("reported_totals")
        if r["level"] == "TotalScore"
    }
    assert published["24a"] == "N/A"
    scored = [r for r in rows("answers") if r["question"] == "24a" and r["score"] != "N/A"]
    assert [(r["country"], r["score"]) for r in scored] == [("IE", "10")]

    model, answers = open_data(most | {"24a": 10.0})
    found = model.assess(answers)
    countries = answers.subjects
    assert len(found) == facts["countries"]
    totals = dict(zip(countries, found.points.round(6).tolist(), strict=True))
    assert totals == facts["recomputed_totals"]
    wrong = {c: [reported[c], totals[c]] for c in countries if reported[c] != totals[c]}
    assert wrong == facts["totals_that_do_not_reconcile"] == {"IE": [2341.0, 2351.0]}
    weight = {
        d.id: sum(c.weight for c in model.criteria if c.dimension.startswith(d.id))
        for d in model.dimensions
    }
    for country, scores in facts["dimension_scores"].items():
        profile = found[countries.index(country)].profile
        for name, score in scores.items():
            assert profile[name] * weight[name] == pytest.approx(score)

    model, answers = open_data(most)
    found = model.assess(answers)
    assert dict(zip(countries, found.points.round(6).tolist(), strict=True)) == reported
    france = countries.index("FR")
    assert 100 * found.points[france] / found.maximum[france] == pytest.approx(
        facts["france_percent_of_max"]
    )


def test_owasp_samm_loads():
    """Functions, practices, streams, levels, questions and answer sets as one of our models."""
    folder = "data/owasp-samm-model"
    facts = json.loads(shared(f"{folder}/facts.json").read_text(encoding="utf-8"))
    with gzip.open(shared(f"{folder}/samm_core_model.json.gz"), "rt", encoding="utf-8") as file:
        core = json.load(file)
    by_id = {kind: {o["id"]: o for o in objects} for kind, objects in core.items()}
    practice_of = {s["id"]: s["practice"] for s in core["streams"]}
    level_of = {
        p["id"]: by_id["maturity_levels"][p["maturityLevel"]]["number"]
        for p in core["practice_levels"]
    }
    scales = []
    for answer_set in core["answer_sets"]:
        labels = [str(v["text"] or "No") for v in answer_set["values"]]  # "No" came as false
        scales.append(
            {
                "id": answer_set["id"],
                "values": [
                    {"label": text, "value": float(v["value"])}
                    for text, v in zip(labels, answer_set["values"], strict=True)
                ],
            }
        )
    criteria = []
    for question in core["questions"]:
        activity = by_id["activities"][question["activity"]]
        criteria.append(
            {
                "id": question["id"],
                "stage": level_of[activity["level"]],
                "dimension": activity["stream"],
                "scale": question["answerSet"],
            }
        )
    model = MaturityModel.from_dict(
        {
            "schema": "cxkit/maturity-model/1",
            "id": "samm",
            "version": "2.0.0",
            "stages": [{"n": n, "id": f"level {n}"} for n in range(4)],
            "dimensions": [
                *({"id": f["id"], "title": f["name"]} for f in core["business_functions"]),
                *({"id": p["id"], "parent": p["function"]} for p in core["security_practices"]),
                *({"id": s["id"], "parent": practice_of[s["id"]]} for s in core["streams"]),
            ],
            "answer_scales": scales,
            "criteria": criteria,
        }
    )
    assert len(model.criteria) == facts["questions"] == 90
    assert len(model.answer_scales) == facts["answer_sets"]
    tree = {d.id: d.parent for d in model.dimensions}
    depth = {
        name: 0 if parent is None else 1 if tree[parent] is None else 2
        for name, parent in tree.items()
    }
    counts = [list(depth.values()).count(n) for n in range(3)]
    assert counts == [facts["business_functions"], facts["security_practices"], facts["streams"]]
    assert len(model.stages) - 1 == facts["maturity_levels"]
    assert MaturityModel.from_dict(model.to_dict()) == model
    best = model.assess(Answers.from_array(model, np.ones((1, 90))))[0]
    assert best.level == 3
    # The published rule: the score of a practice is the sum over levels of the mean of its streams.
    rng = np.random.default_rng(0)
    picked = np.array([[rng.choice(model.scale_of(c).steps()) for c in model.criteria]])
    found = model.assess(Answers.from_array(model, picked))[0]
    for practice in by_id["security_practices"]:
        streams = [s for s, p in practice_of.items() if p == practice]
        score = 0.0
        for level in (1, 2, 3):
            own = [
                picked[0, i]
                for i, c in enumerate(model.criteria)
                if c.dimension in streams and c.stage == level
            ]
            score += sum(own) / len(own)
        assert found.profile[practice] * 3 == pytest.approx(score)


def test_seed_04_messages_that_ask_for_no_sale():
    path = shared("oracles/domain/seed_concepts.json")
    entries = json.loads(path.read_text(encoding="utf-8"))["oracles"]
    entry = next(e for e in entries if e["id"] == "SEED-04")
    rows = entry["inputs"]["touchpoints"]
    journeys = Journeys.from_table(
        {
            "who": ["one"] * len(rows),
            "t": list(range(len(rows))),
            "initiator": [r["initiator"] for r in rows],
            "intent": [r["intent"] for r in rows],
        },
        customer="who",
        time="t",
        time_unit="s",
        columns=["initiator", "intent"],
    )
    assert messages_that_ask_nothing(journeys) == entry["expected"]["non_sales_share"]
