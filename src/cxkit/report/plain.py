"""The report as plain values for JSON: NaN and infinities become null, nothing is shortened."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from cxkit.report.document import Document, Facts, Paragraph, People, Section, Table

__all__ = ["SCHEMA", "render_dict"]

SCHEMA: Final = "cxkit/report/1"


def render_dict(document: Document) -> dict[str, Any]:
    """The document as dictionaries, lists, texts, numbers, booleans and ``None``."""
    return {
        "schema": SCHEMA,
        "title": document.title,
        "lead": list(document.lead),
        "definition": _plain(document.definition),
        "sections": {section.key: _section(section) for section in document.sections},
    }


def _section(section: Section) -> dict[str, Any]:
    told: dict[str, Any] = {
        "title": section.title,
        "reading": section.reading,
        "caution": section.caution,
        "notes": [b.text for b in section.blocks if isinstance(b, Paragraph)],
        "facts": {
            fact.key: _plain(fact.value)
            for block in section.blocks
            if isinstance(block, Facts)
            for fact in block.facts
        },
        "tables": {
            b.key: _table(b)
            for b in section.blocks
            if isinstance(b, Table) and b.audience != "people"
        },
    }
    for block in section.blocks:
        if isinstance(block, People):
            told[block.key] = [
                {
                    "rank": p.rank,
                    "customer": p.customer,
                    "score": _plain(p.score),
                    "touchpoints": p.touchpoints,
                    "reasons": [
                        {"event": event, "times": times, "points": _plain(points)}
                        for event, times, points in p.reasons
                    ],
                    "touchpoints_shown": _table(p.table),
                }
                for p in block.people
            ]
    return told


def _table(table: Table) -> list[dict[str, Any]]:
    keys = [column.key for column in table.columns]
    return [dict(zip(keys, map(_plain, row), strict=True)) for row in table.rows]


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
