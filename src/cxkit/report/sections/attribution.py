"""Who shares the conversions, by every model side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from cxkit.attribution import (
    DEFAULT_MODELS,
    Attribution,
    AttributionModel,
    Comparison,
    LogisticCounterfactual,
    ShapleyConversions,
    ShapleyRate,
    compare,
)
from cxkit.model.journeys import Journeys
from cxkit.plot import bars
from cxkit.report.document import Block, Column, Figure, Paragraph, Section, Table
from cxkit.report.fold import Row, fold, fold_note, other_label, plural
from cxkit.report.plan import Plan
from cxkit.report.show import show_name, show_value

__all__ = ["attribution_section"]

_THOUSANDS: Final = 2000.0
_EXACT: Final = 20
"""Up to so many labels the rate game is exact, and quick."""
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
    "shapley_conversions": (
        "the different labels of each path, in equal parts",
        "to be there is all that counts",
    ),
    "shapley_rate": (
        "labels with which more paths end in a conversion than without, whatever else is there",
        "credit may be below zero, and rests on the rarest paths as on the others",
    ),
    "logistic_counterfactual": (
        "the conversions that a fitted model would miss without the label",
        "it is as right as the model: what moves people and leaves no touch is not in it",
    ),
}


def attribution_section(journeys: Journeys, plan: Plan) -> Section:
    """Conversions and value per label and model, with intervals."""
    models, left_out = _models(journeys, plan)
    found = compare(
        journeys,
        plan.goal,
        models=models,
        by=plan.by,
        lookback=plan.lookback,
        goal_is_touch=plan.goal_is_touch,
    )
    first = found.attributions[0]
    many = plural(plan.by)
    mean = np.mean([np.nan_to_num(a.conversions) for a in found.attributions], axis=0)
    # The most credited first, by the mean over the models, so that no model sets the order.
    order = sorted(range(len(found.labels)), key=lambda k: (-round(float(mean[k]), 9), k))
    blocks: list[Block] = [
        Paragraph(" ".join([*_conditions(found, plan), *left_out])),
        Figure("attribution-bars", bars(found).scene()),
        _ranges(found, order, many),
        _side_by_side(found, order, many, "conversions"),
    ]
    if first.total_value and "value" in journeys.columns:
        blocks.append(_side_by_side(found, order, many, "value"))
    blocks += [_intervals(found, order), _sayings(found)]
    shared = first.total_conversions - first.unattributed_conversions
    return Section(
        "attribution",
        f"Which {many} share the conversions",
        f"Each model shares every conversion out among the touches before it, so each column of "
        f"the tables sums to the {shared:,} conversions that could be shared; the intervals are "
        "of 95%, and take customers for a sample of independent ones.",
        "No model here proves a cause: most say who was there, not what would have been missing "
        "without. Where the models differ most, only an experiment can tell.",
        tuple(blocks),
    )


def _models(journeys: Journeys, plan: Plan) -> tuple[list[AttributionModel], list[str]]:
    """The models, and what is said of those that were left out."""
    if plan.models is not None:
        return list(plan.models), []
    labels = len(journeys.codes(plan.by).vocabulary)
    models = [*DEFAULT_MODELS, ShapleyConversions()]
    if labels <= _EXACT:
        return [*models, ShapleyRate(), LogisticCounterfactual()], []
    told = f"There are more than {_EXACT} {plural(plan.by)}, so shapley rate is left out."
    return [*models, LogisticCounterfactual()], [told]


def _conditions(found: Comparison, plan: Plan) -> list[str]:
    result = found.attributions[0]
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
    seeing = ", ".join(_heading(a) for a in found.attributions if a.model.sees_nulls)
    if not seeing:
        told.append("No model here looks at the paths that end without a conversion.")
    elif result.null_paths:
        told.append(
            f"{result.null_paths:,} paths end without a conversion; only {seeing} look at them."
        )
    else:
        told.append(
            f"Every path ends with a conversion, so {seeing} cannot tell what leads there from "
            "what does not: the customers who never converted are missing from the data."
        )
    for a in found.attributions:
        increments = a.estimates.get("incremental")
        if increments is not None and not (increments.estimate > 0).any():
            told.append(
                f"By {_heading(a)} no {show_name(plan.by)} adds conversions, so it shares them "
                "like shapley conversions."
            )
    told += [
        f"The credits of {_heading(a)} do not sum to the conversions."
        for a in found.attributions
        if not a.model.conserves
    ]
    return told


def _sayings(found: Comparison) -> Table:
    rows: list[Row] = [
        (_heading(a), *_SAYINGS[a.model.kind])
        for a in found.attributions
        if a.model.kind in _SAYINGS
    ]
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


def _ranges(found: Comparison, order: list[int], many: str) -> Table:
    """The shares of every model with their intervals, for people."""
    rows: list[Row] = []
    for k in order:
        told = []
        for a in found.attributions:
            share, low, high = (float(v[k]) for v in (a.share, a.share_low, a.share_high))
            ends = f" [{100 * low:.1f}, {100 * high:.1f}]" if math.isfinite(low) else ""
            told.append(f"{show_value(share, 'share')}{ends}")
        rows.append((found.labels[k], *told))

    def together(rest: Sequence[Row]) -> Row:
        left = order[-len(rest) :]
        sums = (math.fsum(a.share[left].tolist()) for a in found.attributions)
        return other_label(rest, many), *(show_value(share, "share") for share in sums)

    return Table(
        "ranges",
        f"Shares of conversions by {found.attributions[0].by} and model, with 95% intervals",
        (
            Column("label", show_name(found.attributions[0].by)),
            *(Column(a.model.name, _heading(a), "text") for a in found.attributions),
        ),
        tuple(rows),
        fold(rows, together),
        note=fold_note(rows, many),
        audience="people",
    )


def _intervals(found: Comparison, order: list[int]) -> Table:
    """Every share with its interval, one below the other, for JSON."""
    rows: list[Row] = [
        (
            a.model.name,
            a.labels[k],
            int(a.touchpoints[k]),
            *(float(v[k]) for v in (a.share, a.share_low, a.share_high)),
            None if a.removal_effect is None else float(a.removal_effect[k]),
        )
        for a in found.attributions
        for k in order
    ]
    return Table(
        "intervals",
        "Shares with 95% intervals",
        (
            Column("model", "model", "text"),
            Column("label", show_name(found.attributions[0].by)),
            Column("touchpoints", "touches", "count"),
            Column("share", "share", "share"),
            Column("share_low", "low", "share"),
            Column("share_high", "high", "share"),
            Column("removal_effect", "lost without it", "share"),
        ),
        tuple(rows),
        audience="data",
    )


def _heading(a: Attribution) -> str:
    return a.model.name.replace("_", " ").replace("(", " (")
