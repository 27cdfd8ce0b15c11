"""What was read, what was rejected, and how much there is of everything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from cxkit.core.codes import Codes
from cxkit.model.ingest import Ingested
from cxkit.model.journeys import Journeys
from cxkit.report.document import Block, Column, Fact, Facts, Paragraph, Section, Table
from cxkit.report.fold import Row, count_labels, fold, fold_note, other_label
from cxkit.report.plan import Plan

__all__ = ["overview_section", "reading_section"]

_ROWS_NAMED: Final = 10


def reading_section(source: Ingested | Journeys) -> Section:
    """Rows in = rows accepted + rows rejected, and why each was rejected."""
    if isinstance(source, Journeys):
        return Section(
            "read",
            "What was read",
            "The report was made from journeys that were read before, so only what was accepted is "
            "known here.",
            "",
            (Facts((Fact("accepted", "touchpoints", source.touchpoints),)),),
        )
    rejected, rows = len(source.rejected), source.rows
    blocks: list[Block] = [
        Facts(
            (
                Fact("rows", "rows read", rows),
                Fact("accepted", "rows accepted", source.journeys.touchpoints),
                Fact("rejected", "rows rejected", rejected),
                Fact("duplicates", "rows that repeat another", source.duplicates),
            )
        )
    ]
    if rejected:
        blocks += _reasons(source)
    blocks += [Paragraph(_sentence(note)) for note in source.notes]
    repeated = (
        f" {source.duplicates:,} rows repeat an earlier row in every column that was read; they "
        "are kept, and count."
        if source.duplicates
        else ""
    )
    return Section(
        "read",
        "What was read",
        "Every row was either accepted or rejected, and each rejected row is counted with its "
        f"reason.{repeated}",
        "Rejected rows are in no other number of this report: if they are many, or all of one "
        "kind, mend the file first."
        if rejected
        else "",
        tuple(blocks),
    )


def _reasons(source: Ingested) -> list[Block]:
    rejected = source.rejected
    first: dict[tuple[str, str], int] = {}
    for at, key in enumerate(zip(rejected.column, rejected.reason, strict=True)):
        first.setdefault(key, at)
    reasons = tuple(
        (
            reason,
            column,
            count,
            int(rejected.row[first[column, reason]]),
            rejected.found[first[column, reason]],
        )
        for (column, reason), count in rejected.counts().items()
    )
    named: tuple[Row, ...] = tuple(
        zip(
            rejected.row[:_ROWS_NAMED].tolist(),
            rejected.column[:_ROWS_NAMED],
            rejected.found[:_ROWS_NAMED],
            rejected.reason[:_ROWS_NAMED],
            strict=True,
        )
    )
    more = len(rejected) - len(named)
    row, column, found = (
        Column("row", "row", "count"),
        Column("column", "column"),
        Column("found", "found"),
    )
    return [
        Table(
            "reasons",
            "Why rows were rejected",
            (
                Column("reason", "reason", "text"),
                column,
                Column("rows", "rows", "count"),
                Column("first_row", "first row", "count"),
                found,
            ),
            reasons,
        ),
        Table(
            "rejected",
            "The first rejected rows, counted from 0 after the header",
            (row, column, found, Column("reason", "reason", "text")),
            named,
            note=f"{more:,} more are in Ingested.rejected." if more else "",
        ),
    ]


def _sentence(note: str) -> str:
    return note if note.endswith(".") else f"{note}."


def _occurring(labels: Codes) -> int:
    """How many labels occur: journeys that were picked out keep those of all."""
    return int(np.count_nonzero(labels.counts[:-1]))


def overview_section(journeys: Journeys, plan: Plan) -> Section:
    """Customers, touchpoints, period, conversions and value."""
    reached = plan.goal.matches(journeys)
    conversions = int(reached.sum())
    won = np.zeros(journeys.customer.slots, dtype=bool)
    journey = np.searchsorted(journeys.offsets, np.flatnonzero(reached), side="right") - 1
    won[journeys.customer.codes[journey]] = True
    customers, converted = journeys.customers, int(won.sum())
    channels, events = journeys.channel, journeys.event
    first, last = journeys.time.min(), journeys.time.max()
    facts = [
        Fact("customers", "customers", customers),
        Fact("touchpoints", "touchpoints", journeys.touchpoints),
        Fact("first", "first touchpoint (UTC)", _minute(first), "text"),
        Fact("last", "last touchpoint (UTC)", _minute(last), "text"),
        Fact("channels", "channels", _occurring(channels)),
        Fact("events", "kinds of event", _occurring(events)),
        Fact("conversions", "conversions", conversions),
        Fact("converted", "customers who converted", converted),
        Fact("conversion_rate", "share who converted", converted / max(customers, 1), "share"),
    ]
    if len(journeys) != customers:
        facts.insert(1, Fact("journeys", "journeys", len(journeys)))
    if "value" in journeys.columns:
        values = journeys.value[reached]
        known = values[~np.isnan(values)]
        facts.append(Fact("value", "value of conversions", float(known.sum()), "number", 2))
        if unknown := conversions - len(known):
            facts.append(Fact("without_value", "conversions without a value", unknown))
    blocks: list[Block] = [Facts(tuple(facts))]
    for column, key, one, many in (
        (channels, "channels", "channel", "channels"),
        (events, "events", "event", "kinds of event"),
    ):
        if _occurring(column):
            blocks.append(_label_table(column, key, one, many))
    return Section(
        "overview",
        "How much there is",
        "One row of the data is one touchpoint of one customer. A conversion is a touchpoint that "
        "reaches the goal, so a customer can convert more than once.",
        "The period begins and ends where the data does: customers who came late have had less "
        "time to convert.",
        tuple(blocks),
    )


def _label_table(column: Codes, key: str, one: str, many: str) -> Table:
    counts = count_labels(column)
    total = max(len(column), 1)
    labels = column.slot_labels()
    order = sorted(range(len(labels)), key=lambda k: (-int(counts[k]), k))
    rows: list[Row] = [
        (labels[k], int(counts[k]), int(counts[k]) / total) for k in order if counts[k]
    ]

    def together(rest: Sequence[Row]) -> Row:
        count = sum(int(row[1] or 0) for row in rest)
        return other_label(rest, many), count, count / total

    return Table(
        key,
        f"Touchpoints by {one}",
        (
            Column(one, one),
            Column("touchpoints", "touchpoints", "count"),
            Column("share", "share", "share"),
        ),
        tuple(rows),
        fold(rows, together),
        bar="touchpoints",
        note=fold_note(rows, many),
    )


def _minute(when: np.datetime64) -> str:
    return str(np.datetime_as_string(when, unit="m")).replace("T", " ")
