"""Who shares the conversions, by every model side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from cxkit.attribution import Attribution, Comparison, compare
from cxkit.model.journeys import Journeys
from cxkit.report.document import BarChart, Block, Cell, Column, Paragraph, Section, Series, Table
from cxkit.report.fold import Row, fold, fold_note, other_label, plural
from cxkit.report.plan import Plan
from cxkit.report.show import show_name

__all__ = ["attribution_section"]

_THOUSANDS: Final = 2000.0
_SAYINGS: Final = {
    "first_touch": ("the first touch", "what closes the sale gets nothing"),
    "last_touch": ("the last touch", "what began the journey gets nothing"),
    "linear": ("all touches, in equal parts", "a passing glance counts like a long talk"),
    "position_based": (
        "mostly the first and the last touch",
        "its parts are a custom, not a finding",
    ),
    "time_decay": ("recent touches more than old ones", "what began a long journey gets little"),
    "markov": (
        "what the paths with and without conversion differ by",
        "a label that is only on busy paths can look like their cause",
    ),
}


def attribution_section(journeys: Journeys, plan: Plan) -> Section:
    """Conversions and value per label and model, with intervals."""
    found = compare(
        journeys,
        plan.goal,
        by=plan.by,
        lookback=plan.lookback,
        goal_is_touch=plan.goal_is_touch,
    )
    first = found.attributions[0]
    many = plural(plan.by)
    mean = np.mean([a.conversions for a in found.attributions], axis=0)
    # The most credited first, by the mean over the models, so that no model sets the order.
    order = sorted(range(len(found.labels)), key=lambda k: (-round(float(mean[k]), 9), k))
    conversions = _side_by_side(found, order, many, "conversions")
    told = _conditions(first, plan)
    blocks: list[Block] = [
        *([Paragraph(told)] if told else []),
        _bars(found, order, conversions, plan),
        conversions,
    ]
    if first.total_value and "value" in journeys.columns:
        blocks.append(_side_by_side(found, order, many, "value"))
    blocks += [_intervals(a, order, plan, many) for a in found.attributions[-1:]]
    blocks.append(_sayings(found))
    return Section(
        "attribution",
        f"Which {many} share the conversions",
        f"Each model shares every conversion out among the touches before it, so each column of "
        f"the table sums to the {first.total_conversions - first.unattributed_conversions:,} "
        "conversions that could be shared; thin lines on the bars are 95% intervals.",
        "No model here measures cause: they say who was there, not what would have been missing "
        "without. Where the models differ most, only an experiment can tell.",
        tuple(blocks),
    )


def _conditions(result: Attribution, plan: Plan) -> str:
    told = [
        "The conversion's own touchpoint counts as the last touch."
        if plan.goal_is_touch
        else "The conversion's own touchpoint earns no credit."
    ]
    if plan.lookback is not None:
        told.append(f"Touches count up to {result.rule.lookback} before the end of their path.")
    if result.unattributed_conversions:
        told.append(
            f"{result.unattributed_conversions:,} conversions have no touch at all and are "
            "nobody's credit."
        )
    told.append(
        f"{result.null_paths:,} paths end without a conversion; of the models only markov looks at "
        "them."
        if result.null_paths
        else "Every path ends with a conversion, so markov cannot tell what leads there from what "
        "does not: the customers who never converted are missing from the data."
    )
    return " ".join(told)


def _sayings(found: Comparison) -> Table:
    rows: list[Row] = []
    for a in found.attributions:
        who, care = _SAYINGS.get(a.model.kind, ("", ""))
        rows.append((_heading(a), who, care))
    return Table(
        "models",
        "What the models do",
        (
            Column("model", "model", "text"),
            Column("credit", "credit goes to", "text"),
            Column("caution", "but", "text"),
        ),
        tuple(rows),
    )


def _side_by_side(found: Comparison, order: list[int], many: str, what: str) -> Table:
    first = found.attributions[0]
    amounts = [getattr(a, what) for a in found.attributions]
    rows: list[Row] = [(found.labels[k], *(float(v[k]) for v in amounts)) for k in order]
    decimals = 0 if max(float(v.max(initial=0.0)) for v in amounts) >= _THOUSANDS else 1

    def together(rest: Sequence[Row]) -> Row:
        sums = (math.fsum(float(row[i] or 0) for row in rest) for i in range(1, len(amounts) + 1))
        return other_label(rest, many), *sums

    return Table(
        what,
        f"{what.capitalize()} by {first.by} and model",
        (
            Column("label", show_name(first.by)),
            *(Column(a.model.name, _heading(a), "number", decimals) for a in found.attributions),
        ),
        tuple(rows),
        fold(rows, together),
        note=fold_note(rows, many),
    )


def _bars(found: Comparison, order: list[int], table: Table, plan: Plan) -> BarChart:
    # The row of all others is not drawn: it would be the longest, and make all others tiny.
    drawn = table.visible if table.shown is None else table.visible[:-1]
    series = []
    for place, a in enumerate(found.attributions, start=1):
        whole = float(a.conversions.sum())
        low = tuple(float(a.share_low[k]) * whole for k in order[: len(drawn)])
        high = tuple(float(a.share_high[k]) * whole for k in order[: len(drawn)])
        series.append(
            Series(_heading(a), tuple(float(row[place] or 0) for row in drawn), low, high)
        )
    top = drawn[0][0] if drawn else None
    some = "" if table.shown is None else f", the first {len(drawn)}"
    return BarChart(
        "attribution-bars",
        f"Conversions by {show_name(plan.by)} and model{some}",
        f"{len(drawn)} groups of {len(series)} bars; the table of conversions has the same "
        f"numbers. The most credit, on the mean of the models, goes to {show_name(top)}.",
        tuple(row[0] for row in drawn),
        tuple(series),
    )


def _intervals(a: Attribution, order: list[int], plan: Plan, many: str) -> Table:
    removal = a.removal_effect
    rows: list[Row] = []
    for k in order:
        effect: tuple[Cell, ...] = () if removal is None else (float(removal[k]),)
        ends = float(a.share_low[k]), float(a.share_high[k])
        rows.append((a.labels[k], int(a.touchpoints[k]), float(a.share[k]), *ends, *effect))

    def together(rest: Sequence[Row]) -> Row:
        touches = sum(int(row[1] or 0) for row in rest)
        share = math.fsum(float(row[2] or 0) for row in rest)
        return (other_label(rest, many), touches, share, *(math.nan,) * (len(rows[0]) - 3))

    columns = [
        Column("label", show_name(plan.by)),
        Column("touchpoints", "touches", "count"),
        Column("share", "share", "share"),
        Column("share_low", "low", "share"),
        Column("share_high", "high", "share"),
    ]
    if removal is not None:
        columns.append(Column("removal_effect", "lost without it", "share"))
    return Table(
        f"intervals_{a.model.kind}",
        f"{_heading(a)}: shares with 95% intervals",
        tuple(columns),
        tuple(rows),
        fold(rows, together),
        note=fold_note(rows, many),
    )


def _heading(a: Attribution) -> str:
    return a.model.name.replace("_", " ").replace("(", " (")
