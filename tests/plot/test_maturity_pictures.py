import re
from pathlib import Path

import pytest

import cxkit as cx
from cxkit.errors import DefinitionError
from cxkit.maturity import (
    Answer,
    Answers,
    ChannelMaturity,
    Criterion,
    Roadmap,
    Stage,
    assess_channels,
    roadmap,
)
from cxkit.strategy import KPI, DigitalGoal, MarketingObjective, StrategicObjective, Tactic, Theme

DOCS = Path(__file__).parents[2] / "docs" / "concepts"
MODEL = cx.MaturityModel.builtin("cx-seven-stage")
LOW = {c.id: 1 for c in MODEL.criteria if c.stage <= 3} | {"ali.scale": Answer(1, "proof")}


def texts(picture):
    return re.findall(r">([^<>]+)</text>", picture.svg())


def test_a_ladder_has_every_stage_with_its_attainment_and_failing_gates():
    found = MODEL.assess(LOW | {"opt.linked": 0, "lif.board": 1, "nur.give": "n/a"})
    picture = cx.plot.ladder(found)
    told = picture.data().to_dicts()
    assert [row["attainment"] for row in told] == list(found.attainment.values())
    assert [row["failing_gates"] for row in told] == [
        "",
        "",
        "opt.linked",
        "",
        "eng.view",
        "lif.worth",
    ]
    said = texts(picture)
    assert {"3  align", "100.0%", "gate fails: opt.linked"} <= set(said)
    assert "Level 3 of 7" in said[0]


def test_a_radar_has_a_figure_for_each_subject():
    both = MODEL.assess(Answers.of(MODEL, [LOW, {}], ["north", "south"]))
    picture = cx.plot.radar(both[0], both[1])
    columns = picture.data().columns()
    assert list(columns) == ["dimension", "north", "south"]
    assert columns["north"] == list(both[0].profile.values())
    assert {"people", "process", "technology", "north", "south"} <= set(texts(picture))
    same = cx.plot.radar(both[0], both[0]).data().columns()
    assert list(same) == ["dimension", "north", "north (2)"]


def test_what_makes_no_radar_is_refused():
    flat = cx.MaturityModel(
        id="flat",
        version="1.0.0",
        stages=[Stage(1, "a"), Stage(2, "b")],
        dimensions=["x", "y"],
        criteria=[Criterion("c", 2, "x")],
    )
    with pytest.raises(DefinitionError, match="has 2 dimensions at the top"):
        cx.plot.radar(flat.assess({}))
    with pytest.raises(DefinitionError, match="1 to 7 assessments; found 0"):
        cx.plot.radar()
    other = cx.MaturityModel.builtin("five-level")
    with pytest.raises(DefinitionError, match="different models"):
        cx.plot.radar(MODEL.assess({}), other.assess({}))


def test_channels_by_stages():
    own = dict.fromkeys(["rad.owner", "rad.publish", "rad.source"], 1)
    found = assess_channels(MODEL, {"web": own, "<b>": {}}, switches=[("web", "<b>", 1)])
    picture = cx.plot.channel_stages(found)
    assert picture.data().columns()["radiate"].tolist() == [1, 0]
    assert "<b>" not in picture.svg()
    assert "web  level 2" in texts(picture)
    with pytest.raises(DefinitionError, match="these levels were given, not assessed"):
        cx.plot.channel_stages(ChannelMaturity.of({"web": 1}, stages=7))


def test_a_roadmap_has_every_step_with_its_cost():
    plan = roadmap(MODEL.assess(LOW))
    picture = cx.plot.roadmap(plan)
    assert picture.data().columns()["cost"] == [step.cost for step in plan.steps]
    said = texts(picture)
    assert said[0] == plan.title() == f"Level 3 to 4, optimize, at cost {plan.cost:g}"
    for place, step in enumerate(plan.steps, 1):
        assert f"{place}  {step.criterion}" in said
    dear = {c.id: {1.0: 1_250_000} for c in MODEL.criteria}
    plan = roadmap(MODEL.assess(LOW), costs=dear)
    said = texts(cx.plot.roadmap(plan))
    assert "1,250,000" in said
    assert plan.title().endswith(f"at cost {len(plan.steps) * 1_250_000:,}")
    done = Roadmap(MODEL, "x", 3, 4, (), 0.0, ())
    assert "nothing to do" in texts(cx.plot.roadmap(done))


def test_a_strategy_map_has_every_item_and_its_findings():
    made = cx.StrategyMap(
        [
            Theme("<loyal>", owner="ann"),
            StrategicObjective("back", "<loyal>", owner="ann"),
            MarketingObjective("again", "back", owner="bob"),
            DigitalGoal("buy", "again", points=10, owner="bob"),
            KPI("buyers", "buy", target=3, owner="bob"),
            Tactic("button", kind="test"),
        ],
        name="shop",
    )
    picture = cx.plot.strategy(made)
    told = picture.data().to_dicts()
    assert [row["item"] for row in told] == ["<loyal>", "back", "again", "buy", "buyers", "button"]
    assert [row["findings"] for row in told] == [*[""] * 5, "AL004"]
    assert told[3]["supports"] == "again 100%"
    said = texts(picture)
    assert {"buy", "tactic, AL004", "KPI", "dashed: 1 findings, told by .lint()"} <= set(said)
    assert "<loyal>" not in picture.svg()
    assert picture.svg().count("<path") >= 4  # a line for each link
    assert len(cx.plot.strategy(cx.StrategyMap([])).data()) == 0


def test_the_pictures_of_the_docs_are_of_today():
    answers = {c.id: "most or all" for c in MODEL.criteria if c.stage <= 3}
    answers["ali.scale"] = Answer("most or all", evidence="wiki/engagement-scale")
    now = MODEL.assess(answers | {"opt.rules": "some", "opt.compare": "at least half"})
    for name, picture in (
        ("maturity-ladder", cx.plot.ladder(now)),
        ("maturity-roadmap", cx.plot.roadmap(roadmap(now))),
    ):
        assert (DOCS / f"{name}.svg").read_text("utf-8") == picture.svg() + "\n"


def test_they_are_saved_as_pictures(tmp_path):
    pytest.importorskip("matplotlib")
    cx.plot.ladder(MODEL.assess(LOW)).save(tmp_path / "ladder.png")
    assert (tmp_path / "ladder.png").read_bytes()[:4] == b"\x89PNG"
