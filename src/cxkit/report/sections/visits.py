"""What a visit is worth, by channel and by campaign, in four quadrants."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from cxkit.engagement import VisitValues, value_per_visit
from cxkit.model.journeys import Journeys
from cxkit.report.document import (
    Block,
    Cell,
    Column,
    Paragraph,
    Point,
    ScatterChart,
    Section,
    Table,
)
from cxkit.report.fold import Row, fold, fold_note, other_label, plural, slug
from cxkit.report.plan import Plan
from cxkit.report.show import show_name, show_value

__all__ = ["visits_section"]

_CORNERS: Final = ("scale", "protect", "stop", "fix")
_MEANINGS: Final = (
    "protect: many visits, worth more than average. scale: few visits, worth more than average. "
    "fix: many visits, worth less. stop: few visits, worth less."
)


def visits_section(journeys: Journeys, plan: Plan) -> Section:
    """Engagement value per visit against traffic."""
    blocks: list[Block] = [Paragraph(_MEANINGS)]
    for by in [plan.by, *([] if plan.campaign is None else [plan.campaign])]:
        found = value_per_visit(journeys, plan.scale, by=by, gap=plan.session_gap)
        table = _table(found)
        blocks += [_scatter(found, table), table]
    blocks.append(_points_of(plan))
    gap = show_name(plan.session_gap)
    return Section(
        "visits",
        "What a visit is worth",
        f"A visit ends with a pause longer than {gap} and belongs to the first label it has; its "
        "value is the points of its touchpoints, without ageing, and upright lines show two "
        f"standard errors. {plan.scale_told}",
        "Points are relative, never money. A label that carries the goal itself, such as a shop, "
        "looks rich because that is where people buy, not because it brought them; and one within "
        "two standard errors of the average may be on either side of it.",
        tuple(blocks),
    )


def _points_of(plan: Plan) -> Table:
    rules = sorted(plan.scale.rules, key=lambda rule: (-rule.points, rule.goal.name))
    rows: list[Row] = [(r.goal.name, r.points, r.count.replace("_", " ")) for r in rules]

    def together(rest: Sequence[Row]) -> Row:
        most = max(float(row[1] or 0) for row in rest)
        return f"other ({len(rest):,} rules, {most:g} points at most)", math.nan, ""

    return Table(
        "scale",
        f"The points: {show_name(plan.scale.name)}",
        (
            Column("event", "event"),
            Column("points", "points", "number"),
            Column("count", "counts", "text"),
        ),
        tuple(rows),
        fold(rows, together),
    )


def _table(found: VisitValues) -> Table:
    many = plural(found.by)
    order = sorted(range(len(found.labels)), key=lambda k: (-int(found.visits[k]), k))
    rows: list[Row] = [
        (
            found.labels[k],
            int(found.visits[k]),
            float(found.value[k]),
            float(found.value_per_visit[k]),
            float(found.standard_error[k]),
            float(found.relative_value[k]),
            found.quadrant[k],
        )
        for k in order
    ]

    def together(rest: Sequence[Row]) -> Row:
        visits = sum(int(row[1] or 0) for row in rest)
        value = math.fsum(float(row[2] or 0) for row in rest)
        each = value / visits if visits else math.nan
        site = found.site_value_per_visit
        relative = each / site if site > 0 else math.nan
        return other_label(rest, many), visits, value, each, math.nan, relative, None

    note = (
        f"All visits: {found.site_visits:,}, worth {show_value(found.site_value_per_visit)} points "
        f"each (standard error {show_value(found.site_standard_error, decimals=2)})."
    )
    return Table(
        f"visits_{slug(found.by)}",
        f"Value per visit by {found.by}",
        (
            Column("label", show_name(found.by)),
            Column("visits", "visits", "count"),
            Column("value", "points", "number", 0),
            Column("value_per_visit", "per visit", "number", 2),
            Column("standard_error", "std. error", "number", 2),
            Column("relative_value", "of mean", "share"),
            Column("quadrant", "quadrant", "text"),
        ),
        tuple(rows),
        fold(rows, together),
        note=f"{fold_note(rows, many)} {note}".strip(),
    )


def _scatter(found: VisitValues, table: Table) -> ScatterChart:
    # The row of all others is no label: it has no place among the points.
    alone = table.visible if table.shown is None else table.visible[:-1]
    points = tuple(
        Point(row[0], _number(row[1]), _number(row[3]), _number(row[4]), str(row[6] or ""))
        for row in alone
    )
    kinds = {corner: sum(p.quadrant == corner for p in points) for corner in _CORNERS}
    told = ", ".join(f"{count} to {corner}" for corner, count in kinds.items())
    return ScatterChart(
        f"visits-{slug(found.by)}",
        f"Value and traffic by {found.by}",
        f"{len(points)} points: {told}. The table has the same numbers.",
        points,
        "visits, on a logarithmic axis",
        "points per visit",
        found.mean_visits,
        found.site_value_per_visit,
        _CORNERS,
    )


def _number(cell: Cell) -> float:
    return float(cell) if isinstance(cell, (int, float)) else math.nan
