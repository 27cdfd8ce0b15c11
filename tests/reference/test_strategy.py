"""The worked alignment of objectives and goals."""

import json

import pytest

from cxkit.strategy import (
    KPI,
    DigitalGoal,
    MarketingObjective,
    StrategicObjective,
    StrategyMap,
    Tactic,
    Theme,
)
from tests.shared import shared

KINDS = {
    kind.level: kind
    for kind in (Theme, StrategicObjective, MarketingObjective, DigitalGoal, KPI, Tactic)
}


def oracles():
    data = json.loads(shared("oracles/domain/alignment.json").read_text(encoding="utf-8"))
    return {entry["id"]: entry for entry in data["oracles"]}


def alignment():
    given = oracles()["ALI-01"]["inputs"]
    items = []
    for node in given["nodes"]:
        more = (
            {"points": given["points"].get(node["id"])} if node["level"] == "digital_goal" else {}
        )
        items.append(KINDS[node["level"]](node["id"], node["supports"], **more))
    return StrategyMap(items)


def test_ali_01_lints_and_traces():
    expected = oracles()["ALI-01"]["expected"]
    strategy = alignment()
    codes = {"AL001", "AL002", "AL003", "AL004", "AL005", "AL006"}  # others are ours
    assert [list(p) for p in strategy.lint().pairs() if p[0] in codes] == expected["lints"]
    for name, up in expected["trace"].items():
        assert list(strategy.trace(name).up) == up
    coverage = strategy.coverage()
    assert coverage.goals_traced == pytest.approx(expected["coverage_goals_traced"], abs=1e-12)
    assert coverage.tactics_traced == pytest.approx(expected["coverage_tactics_traced"], abs=1e-12)


def test_ali_02_roll_up():
    entry = oracles()["ALI-02"]
    found = alignment().rollup(entry["inputs"]["conversions"])
    assert found.by_theme() == pytest.approx(entry["expected"]["by_theme"], abs=1e-9)
    assert found.total == entry["expected"]["total"]
    assert found.untraced == 0
