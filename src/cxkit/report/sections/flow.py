"""How far journeys get, where they end, and what comes after what."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cxkit.core.codes import Codes
from cxkit.flow import (
    Funnel,
    TransitionTable,
    after_drop_off,
    drop_off,
    funnel_times,
    transitions,
)
from cxkit.model.journeys import Journeys
from cxkit.plot import graph
from cxkit.report.document import (
    Block,
    Cell,
    Column,
    Figure,
    FunnelChart,
    HeatMap,
    Section,
    Step,
    Table,
)
from cxkit.report.fold import Row, fold, fold_note, other_label, slug
from cxkit.report.plan import Plan
from cxkit.report.sections.tables import told_table
from cxkit.report.show import show_name

__all__ = ["funnel_section", "transitions_section"]

_IN_PICTURE: Final = 7
_PAIRS_SHOWN: Final = 12
_PAIRS_KEPT: Final = 1000
_FEWEST: Final = 3
_TIMES: Final = (
    Column("from", "from"),
    Column("to", "to"),
    Column("journeys", "journeys", "count"),
    Column("p25", "quarter within", "number"),
    Column("p50", "half within", "number"),
    Column("p50_low", "low", "number"),
    Column("p50_high", "high", "number"),
    Column("p90", "90% within", "number"),
)
_AFTER: Final = (
    Column("after", "after"),
    Column("next", "next"),
    Column("journeys", "journeys", "count"),
    Column("share", "share", "share"),
    Column("share_low", "low", "share"),
    Column("share_high", "high", "share"),
)


def funnel_section(journeys: Journeys, plan: Plan) -> Section:
    """The steps, and the events that journeys end with."""
    found = plan.funnel.count(journeys)
    rows: list[Row] = []
    steps = []
    for k, step in enumerate(plan.funnel.steps):
        reached, share = int(found.reached[k]), float(found.share[k])
        numbers = (found.share_low, found.share_high, found.step_share)
        rows.append(
            (step.name, reached, share, *(float(n[k]) for n in numbers), int(found.dropped[k]))
        )
        steps.append(Step(step.name, reached, share))
    within = plan.funnel.within
    limit = "without a limit of time" if within is None else f"within {within} of entering"
    blocks: list[Block] = [
        FunnelChart(
            "funnel-chart",
            "How far journeys get",
            f"{len(steps)} steps; the table below has the same numbers.",
            tuple(steps),
        ),
        Table(
            "funnel",
            f"The funnel: {found.reached[0]:,} of {found.journeys:,} journeys enter; steps count "
            f"{limit}",
            (
                Column("step", "step"),
                Column("reached", "reached", "count"),
                Column("share", "of entered", "share"),
                Column("share_low", "low", "share"),
                Column("share_high", "high", "share"),
                Column("step_share", "of step before", "share"),
                Column("dropped", "stopped before", "count"),
            ),
            tuple(rows),
            bar="share",
        ),
        _endings(journeys, plan),
        *_between(journeys, plan.funnel),
    ]
    return Section(
        "funnel",
        "Where customers stop on their way",
        f"A journey reaches a step if it did all the steps above in that order, with anything in "
        f"between. {plan.funnel_told}",
        "Who has not gone on yet may still do so after the data ends; and a share of journeys is "
        "not a share of visits.",
        tuple(blocks),
    )


def _between(journeys: Journeys, funnel: Funnel) -> list[Block]:
    """How long the steps take, and what those do who do not go on."""
    if len(funnel.steps) < 2:
        return []
    blocks: list[Block] = []
    times = funnel_times(journeys, funnel, unit="1min", exact=False)
    blocks.append(
        told_table(
            times,
            "step_times",
            "Minutes from step to step, of those who take it",
            _TIMES,
            shown=20,
        )
    )
    after = after_drop_off(journeys, funnel, by="event")
    blocks.append(
        told_table(
            after,
            "after",
            "What those do next who do not go on",
            _AFTER,
            each="after",
            what="next events",
        )
    )
    return blocks


def _endings(journeys: Journeys, plan: Plan) -> Table:
    found = drop_off(journeys, by="event", goal=plan.goal)
    labels = Codes(found.codes, found.labels).to_list()
    rows: list[Row] = [
        (label, passed, ends, share, rate)
        for label, passed, ends, share, rate in zip(
            labels,
            found.journeys.tolist(),
            found.ends.tolist(),
            found.share.tolist(),
            found.end_rate.tolist(),
            strict=True,
        )
        if ends
    ]

    def together(rest: Sequence[Row]) -> Row:
        ends = sum(int(row[2] or 0) for row in rest)
        share = math.fsum(float(row[3] or 0) for row in rest)
        # A journey may pass several of these events, so those who passed do not add up.
        return other_label(rest, "events"), None, ends, share, math.nan

    lost = found.all_journeys - found.all_reached
    return Table(
        "endings",
        f"The last event of the {lost:,} journeys that never reach {show_name(plan.goal.name)}",
        (
            Column("event", "event"),
            Column("journeys", "pass it", "count"),
            Column("ends", "end there", "count"),
            Column("share", "of all ends", "share"),
            Column("end_rate", "of who pass", "share"),
        ),
        tuple(rows),
        fold(rows, together),
        bar="ends",
        note=fold_note(rows, "events"),
    )


def transitions_section(journeys: Journeys, plan: Plan) -> Section:
    """What comes directly after what, as heat maps and lists."""
    blocks: list[Block] = []
    names = ["event"] if plan.by == "event" else [plan.by, "event"]
    for by in names:
        if len(journeys.codes(by).vocabulary):
            found = transitions(journeys, by=by)
            # Between one label or two there is nothing to see that a table does not say.
            if len(found.labels) >= _FEWEST:
                blocks.append(Figure(f"graph-{slug(by)}", graph(found).scene()))
            blocks += [_heat(found, by), _pairs(found, by)]
    return Section(
        "transitions",
        "What comes after what",
        "Each row of a picture is what customers leave, each column what comes directly after; "
        "numbers are percent of the row, and stronger colour is more. (start) and (end) are the "
        "ends of journeys.",
        "Next is not because of: common things follow everything. Compare a cell with the others "
        "in its column before reading something into it.",
        tuple(blocks),
    )


def _heat(found: TransitionTable, by: str) -> HeatMap:
    """Shares between the most frequent labels; all others are one."""
    slots = len(found.labels) + 1
    seen = found.first.copy()
    np.add.at(seen, found.target, found.count)
    order = np.argsort(-seen, kind="stable")
    order = order[seen[order] > 0]
    kept = order if len(order) <= _IN_PICTURE + 1 else order[:_IN_PICTURE]
    rest = len(order) - len(kept)
    size = len(kept) + bool(rest)
    group = np.full(slots, len(kept), np.int64)
    group[kept] = np.arange(len(kept))
    # Row 0 is the start, the last column the end.
    counts = np.zeros((size + 1, size + 1), np.int64)
    np.add.at(counts, (group[found.source] + 1, group[found.target]), found.count)
    np.add.at(counts[0], group[order], found.first[order])
    np.add.at(counts[:, size], group[order] + 1, found.last[order])
    labels = [*found.labels, None]
    names: list[Cell] = [labels[k] for k in kept.tolist()]
    if rest:
        names.append(f"other ({rest:,})")
    return HeatMap(
        f"transitions-{slug(by)}",
        f"From row to column, by {by}, in percent of the row",
        f"A table of {size + 1} rows and {size + 1} columns of shares; the list beside it names "
        "the most frequent pairs.",
        ("(start)", *names),
        (*names, "(end)"),
        tuple(tuple(row) for row in _row_shares(counts).tolist()),
    )


def _row_shares(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    whole = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, whole, out=np.full(counts.shape, np.nan), where=whole > 0)
    # No journey ends before it starts: that cell is empty, not 0%.
    shares[0, -1] = np.nan
    return np.asarray(shares)


def _pairs(found: TransitionTable, by: str) -> Table:
    labels = [*found.labels, None]
    some = slice(0, _PAIRS_KEPT)
    rows: tuple[Row, ...] = tuple(
        (labels[a], labels[b], count, share, low, high)
        for a, b, count, share, low, high in zip(
            found.source[some].tolist(),
            found.target[some].tolist(),
            found.count[some].tolist(),
            found.share[some].tolist(),
            found.share_low[some].tolist(),
            found.share_high[some].tolist(),
            strict=True,
        )
    )
    hidden = len(found) - _PAIRS_SHOWN
    return Table(
        f"transitions_{by}",
        f"The most frequent steps by {by}",
        (
            Column("from", "from"),
            Column("to", "to"),
            Column("count", "count", "count"),
            Column("share", "of steps on", "share"),
            Column("share_low", "low", "share"),
            Column("share_high", "high", "share"),
        ),
        rows,
        rows[:_PAIRS_SHOWN],
        note=f"{hidden:,} more pairs are not shown." if hidden > 0 else "",
    )
