"""The sections on strategy and maturity: what was given is told whole, in text, HTML and JSON."""

import pytest

import cxkit as cx
from cxkit.errors import DefinitionError
from cxkit.maturity import Answer, ChannelMaturity, assess_channels, roadmap
from cxkit.report import report
from cxkit.strategy import (
    KPI,
    Capability,
    DigitalGoal,
    MarketingObjective,
    StrategicObjective,
    Tactic,
    Theme,
)
from tests.report.pages import check_page

MODEL = cx.MaturityModel.builtin("cx-seven-stage")
LOW = {c.id: Answer(1, "proof") for c in MODEL.criteria if c.stage <= 3} | {"nur.give": 1}
EVIL = "<script>alert(1)</script>"
STRATEGY = cx.StrategyMap(
    [
        Theme("loyal", owner="ann"),
        StrategicObjective("back", "loyal", owner="ann"),
        MarketingObjective("again", "back", owner="bob"),
        DigitalGoal("purchase", "again", points=100, owner="bob"),
        DigitalGoal(EVIL, "again", points=1, owner="bob"),
        KPI("buyers", "purchase", metric="conversion_rate", target=0.9, owner="bob"),
        KPI("given", "purchase", metric="given", target=0.9, owner="bob"),
        Tactic("button", kind="test"),
        Capability("mailer", "purchase", phases=["convert"]),
    ],
    name="the shop",
)


@pytest.fixture(scope="module")
def journeys():
    return cx.simulate.retail(150, rng=4).journeys


@pytest.fixture(scope="module")
def made(journeys):
    now = MODEL.assess(LOW)
    own = {name: {"rad.owner": 1} for name in journeys.channel.vocabulary}
    channels = assess_channels(MODEL, own, switches=journeys)
    return report(
        journeys, goal="purchase", strategy=STRATEGY, maturity=[now, channels, roadmap(now)]
    )


def test_a_strategy_is_told(made, journeys):
    section = made.to_dict()["sections"]["strategy"]
    tables, facts = section["tables"], section["facts"]
    assert facts["items"] == len(STRATEGY.items)
    assert facts["findings"] == len(tables["lints"]) == len(STRATEGY.lint())
    bought = int(cx.Goal("purchase").matches(journeys).sum())
    assert facts["points"] == 100 * bought
    assert tables["rollup"][0] == {
        "item": "loyal",
        "level": "theme",
        "value": 100 * bought,
        "share": 1.0,
    }
    states = {row["kpi"]: row["state"] for row in tables["kpis"]}
    assert states == {"buyers": "missed", "given": "open"}
    assert [row["capabilities"] for row in tables["coverage"]] == [0, 1, 0]


def test_where_the_firm_stands_is_told(made):
    section = made.to_dict()["sections"]["maturity"]
    tables, facts = section["tables"], section["facts"]
    now = MODEL.assess(LOW)
    assert facts["level"] == now.level == 3
    assert facts["stage"] == "align"
    assert [row["attainment"] for row in tables["stages"]] == list(now.attainment.values())
    assert {row["dimension"]: row["profile"] for row in tables["dimensions"]} == now.profile
    assert facts["disconnect_2"] == 0
    plan = roadmap(now)
    assert [row["criterion"] for row in tables["steps_3"]] == [s.criterion for s in plan.steps]
    assert sum(row["cost"] for row in tables["steps_3"]) == pytest.approx(plan.cost)
    definition = made.to_dict()["definition"]
    assert definition["strategy"] == STRATEGY.to_dict()
    assert [m["digest"] for m in definition["maturity"]] == [MODEL.digest] * 3


def test_the_page_holds_and_the_text_fits(made):
    page = made.html()
    check_page(page)
    assert EVIL not in page
    assert page.count('<figure class="drawn">') >= 5
    text = made.text(width=80)
    assert "Where the firm stands" in text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_one_thing_alone_and_nothing_at_all(journeys):
    levels = ChannelMaturity.of({"web": 2, "store": 1}, stages=7)
    alone = report(journeys, goal="purchase", maturity=levels).to_dict()
    assert alone["definition"]["maturity"] == [None]
    assert alone["sections"]["maturity"]["facts"]["disconnect"] is None
    assert "strategy" not in alone["sections"]
    assert "maturity" not in report(journeys, goal="purchase", maturity=[]).to_dict()["sections"]
    with pytest.raises(DefinitionError, match="found int"):
        report(journeys, goal="purchase", maturity=[3])


def test_a_map_without_fault_or_measure(journeys):
    small = cx.StrategyMap([i for i in STRATEGY.items if i.id in {"loyal", "back", "again"}][:3])
    fine = cx.StrategyMap(
        [
            *small.items,
            DigitalGoal("purchase", "again", points=1, owner="x"),
            KPI("k", "purchase", target=1, owner="x"),
        ]
    )
    told = report(journeys, goal="purchase", strategy=fine).to_dict()["sections"]["strategy"]
    assert told["facts"]["findings"] == 0
    assert "Nothing is wrong with the map." in told["notes"]
    assert "coverage" not in told["tables"]
