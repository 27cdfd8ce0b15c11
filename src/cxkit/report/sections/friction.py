"""How much effort journeys take, and where channels do not hold together."""

from __future__ import annotations

from cxkit.flow import DisconnectRule, Friction, SwitchTable
from cxkit.flow.friction.friction import PARTS
from cxkit.model.journeys import Journeys
from cxkit.plot import switches
from cxkit.report.document import Block, Column, Fact, Facts, Figure, Paragraph, Section
from cxkit.report.plan import Plan
from cxkit.report.sections.tables import told_table
from cxkit.report.show import show_name

__all__ = ["friction_section"]

_EFFORT = (
    Column("part", "part", "text"),
    Column("total", "in all", "number", 0),
    Column("mean", "per journey", "number", 2),
    Column("mean_low", "low", "number", 2),
    Column("mean_high", "high", "number", 2),
    Column("reached_mean", "where reached", "number", 2),
    Column("lost_mean", "where not", "number", 2),
)
_SWITCHES = (
    Column("from", "from"),
    Column("to", "to"),
    Column("switches", "switches", "count"),
    Column("seamless", "context kept", "share"),
    Column("seamless_low", "low", "share"),
    Column("seamless_high", "high", "share"),
    Column("disconnects", "disconnects", "count"),
    Column("disconnect_rate", "of switches", "share"),
)
_COST = (
    Column("from", "from"),
    Column("to", "to"),
    Column("with", "with", "count"),
    Column("without", "without", "count"),
    Column("reach_with", "reach it with", "share"),
    Column("reach_without", "without", "share"),
    Column("difference", "among like ones", "share"),
    Column("difference_low", "low", "share"),
    Column("difference_high", "high", "share"),
    Column("p_adjusted", "p adjusted", "number", 3),
    Column("lost_conversions", "fewer conversions", "number"),
)


def friction_section(journeys: Journeys, plan: Plan) -> Section:
    """Effort by part; and switches of channel, with what was lost there if a rule was given."""
    friction = plan.friction or Friction({}, by=plan.switch_by)
    paths = journeys.until(plan.goal)
    goal = show_name(plan.goal.name)
    found = friction.count(paths, goal=plan.goal)
    weighed = any(weight for _, weight in friction.weights)
    columns = list(_EFFORT)
    if weighed:
        columns[1:1] = [Column("weight", "weight", "number", 2)]
    told = (
        "Weights are those that were given."
        if weighed
        else "No weights were given, so the parts are not put together."
    )
    if not friction.errors:
        told += " No event was named an error, so there are none."
    blocks: list[Block] = [
        Paragraph(told),
        told_table(
            found,
            "effort",
            f"Effort up to {goal}, or to the end: {found.journeys:,} paths, {found.reached:,} of "
            "which reach it",
            columns,
            shown=len(PARTS) + weighed,
            note=" ".join(f"{note[0].upper()}{note[1:]}." for note in found.notes()),
        ),
    ]
    if plan.disconnect is not None:
        blocks += _disconnects(journeys, plan, plan.disconnect)
    return Section(
        "friction",
        "How much effort it takes",
        f"A path ends at {goal}, or at a customer's last touchpoint. Minutes are pauses up to "
        f"{friction.idle} each; a repeat is an event that the path had before; a switch is a "
        f"touchpoint of another {show_name(friction.by)}.",
        "Effort is what the log shows: a call that answers everything is one step, and five pages "
        "read with pleasure are five.",
        tuple(blocks),
    )


def _disconnects(journeys: Journeys, plan: Plan, rule: DisconnectRule) -> list[Block]:
    found = rule.count(journeys, goal=plan.goal, at=plan.at)
    total = found.total
    goal = show_name(plan.goal.name)
    blocks: list[Block] = [
        Facts(
            (
                Fact("switches", "channel switches", total["switches"]),
                Fact("seamless", "context kept, where known", total["seamless"], "share"),
                Fact("disconnects", "disconnect moments", total["disconnects"]),
                Fact("disconnect_rate", "of all switches", total["disconnect_rate"], "share"),
            )
        ),
        Paragraph(" ".join(f"{note[0].upper()}{note[1:]}." for note in found.notes())),
    ]
    if not len(found):
        return blocks
    blocks += [Figure("switches-picture", switches(found).scene()), _pairs(found)]
    cost = found.cost()
    blocks.append(
        told_table(
            cost,
            "disconnect_cost",
            f"{goal} after a disconnect, compared with like switches without one",
            _COST,
            what="pairs",
            note=" ".join(f"{note[0].upper()}{note[1:]}." for note in cost.notes()),
        )
    )
    return blocks


def _pairs(found: SwitchTable) -> Block:
    by = show_name(found.rule.by)
    return told_table(
        found, "switches", f"Switches from {by} to {by}", _SWITCHES, what="pairs", bar="switches"
    )
