"""Plan against actual: how far journeys follow the plan that was given."""

from __future__ import annotations

from cxkit.flow import JourneyPlan
from cxkit.model.journeys import Journeys
from cxkit.plot import plan as plan_picture
from cxkit.report.document import Block, Column, Fact, Facts, Figure, Paragraph, Section
from cxkit.report.plan import Plan
from cxkit.report.sections.tables import told_table
from cxkit.report.show import show_name

__all__ = ["planned_section"]

_STEPS = (
    Column("stage", "stage"),
    Column("step", "step"),
    Column("done", "done", "count"),
    Column("misplaced", "misplaced", "count"),
    Column("failed", "failed", "count"),
    Column("skipped", "skipped", "count"),
    Column("left_out", "left out", "count"),
    Column("share", "done", "share"),
    Column("share_low", "low", "share"),
    Column("share_high", "high", "share"),
)
_STAGES = (
    Column("stage", "stage"),
    Column("reached", "reached", "count"),
    Column("reached_share", "share", "share"),
    Column("reached_share_low", "low", "share"),
    Column("reached_share_high", "high", "share"),
    Column("completed", "completed", "count"),
    Column("completed_share", "share", "share"),
    Column("median_seconds_to_reach", "seconds to reach", "number", 0),
    Column("median_seconds_within", "seconds within", "number", 0),
)


def planned_section(journeys: Journeys, plan: Plan, wanted: JourneyPlan) -> Section:
    """Fitness, coverage, and each step and stage."""
    found = wanted.count(journeys.until(plan.goal))
    goal = show_name(plan.goal.name)
    odd = wanted.lint(journeys)
    blocks: list[Block] = [
        Facts(
            (
                Fact("journeys", "paths compared", found.journeys),
                Fact("fitness", "mean fitness", found.fitness[0], "share"),
                Fact("fitness_low", "from", found.fitness[1], "share"),
                Fact("fitness_high", "to", found.fitness[2], "share"),
                Fact("perfect", "exactly as planned", found.perfect[0], "share"),
                Fact("coverage", "stages touched, of those planned", found.coverage[0], "share"),
            )
        ),
        *([Paragraph(" ".join(f"{line[0].upper()}{line[1:]}." for line in odd))] if odd else []),
        Figure("plan-picture", plan_picture(found).scene()),
        told_table(found, "steps", "Each step: to how many paths it is what", _STEPS, shown=60),
        told_table(found.stages, "stages", "Each stage, with median times", _STAGES, shown=60),
    ]
    touches = ", ".join(f"{count:,} {name}" for name, count in found.touches.items() if count)
    return Section(
        "plan",
        f"Planned and done: {show_name(wanted.name)}",
        f"Each path, up to {goal} or to a customer's last touchpoint, is laid beside the sequence "
        "of the plan from which it differs least. Fitness is 100% where nothing is missing and "
        f"nothing too many. Of the touchpoints, {touches or 'none were counted'}.",
        "A plan is an opinion: a step that nobody misses may be one that nobody needs.",
        tuple(blocks),
    )
