"""What it is all for: the strategy map that was given, and what journeys say of it."""

from __future__ import annotations

from cxkit.model.journeys import Journeys
from cxkit.plot import strategy as strategy_picture
from cxkit.report.document import Block, Column, Fact, Facts, Figure, Paragraph, Section, Table
from cxkit.report.plan import Plan
from cxkit.report.sections.tables import sentences, told_table
from cxkit.report.show import show_name
from cxkit.strategy import KPI, Capability, StrategyMap

__all__ = ["strategy_section"]

_FINDINGS = (
    Column("code", "code", "text"),
    Column("sentence", "what is wrong:", "text"),
    Column("suggestion", "what to do:", "text"),
)
_ROLLUP = (
    Column("item", "item"),
    Column("level", "level", "text"),
    Column("value", "points", "number"),
    Column("share", "share", "share"),
)
_STATUS = (
    Column("kpi", "KPI"),
    Column("state", "target is", "text"),
    Column("value", "value", "number", 3),
    Column("low", "low", "number", 3),
    Column("high", "high", "number", 3),
    Column("target", "target", "number", 3),
    Column("better", "better", "text"),
)
_COVERAGE = (
    Column("name", "phase or stage"),
    Column("of", "is a", "text"),
    Column("capabilities", "tools", "count"),
    Column("which", "which", "text"),
)


def strategy_section(journeys: Journeys, plan: Plan, given: StrategyMap) -> Section:
    """Findings, points by theme, and each KPI against its target."""
    found, earned = given.lint(), given.rollup(journeys)
    covered = given.coverage()
    blocks: list[Block] = [
        Facts(
            (
                Fact("items", "items", len(given.items)),
                Fact("findings", "findings", len(found)),
                Fact("points", "points earned", earned.total, "number"),
                Fact("untraced", "of them for no theme", earned.untraced, "number"),
                Fact("goals_traced", "goals that lead to a theme", covered.goals_traced, "share"),
                Fact("tactics_traced", "tactics that do", covered.tactics_traced, "share"),
            )
        ),
        Figure("strategy-picture", strategy_picture(given).scene()),
        Paragraph("Nothing is wrong with the map.")
        if not len(found)
        else Table(
            "lints",
            "What is wrong with the map",
            _FINDINGS,
            # Sentences are not cut, so whatever cannot be seen in a name is written out here.
            tuple((f.code, show_name(f.sentence), f.suggestion) for f in found.found),
        ),
        told_table(
            earned,
            "rollup",
            "Points of the goals that customers reached, carried up to the themes",
            _ROLLUP,
            shown=60,
            note=sentences(earned.notes()),
        ),
    ]
    if given.of(KPI):
        status = given.status(journeys, plan.at)
        blocks.append(
            told_table(
                status,
                "kpis",
                f"KPIs: {status.title()}",
                _STATUS,
                shown=60,
                note=sentences(status.notes()),
            )
        )
    if given.of(Capability):
        blocks.append(
            told_table(
                covered,
                "coverage",
                "What of a customer's life tools serve",
                _COVERAGE,
                shown=60,
                note=sentences(covered.notes()),
            )
        )
    return Section(
        "strategy",
        f"What it is for: {show_name(given.name)}",
        "Each item serves what is one level up, by its weights. A goal earns its points each time "
        "it is reached, in all of the data; KPIs are as of the instant of the scores, over their "
        "windows.",
        "That a goal hangs on a theme is what somebody decided, not what was measured.",
        tuple(blocks),
    )
