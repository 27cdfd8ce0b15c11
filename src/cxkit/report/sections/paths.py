"""Which paths lead to the goal, and which whole journeys are most frequent."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby, islice
from typing import Any, Final

from cxkit.attribution import Paths
from cxkit.core.vocabulary import Label
from cxkit.flow import loops, sankey, sequence_patterns, variants
from cxkit.model.journeys import Journeys
from cxkit.plot import sankey as sankey_picture
from cxkit.report.document import Block, Column, Figure, Section, Table
from cxkit.report.fold import Row, slug
from cxkit.report.plan import Plan
from cxkit.report.sections.tables import told_table
from cxkit.report.show import cut, show_name

__all__ = ["paths_section"]

_PATHS: Final = 12
_LONGEST_PATH: Final = 300
_STEPS: Final = 4
_APART: Final = 7
_FEWEST: Final = 3
_PATTERN: Final = (
    Column("pattern", "sequence"),
    Column("journeys", "journeys", "count"),
    Column("support", "of all", "share"),
    Column("rate", "reach it", "share"),
    Column("rest_rate", "of the others", "share"),
    Column("lift", "lift", "number", 2),
    Column("lift_low", "low", "number", 2),
    Column("lift_high", "high", "number", 2),
    Column("p_adjusted", "p adjusted", "number", 3),
)
_LOOP: Final = (
    Column("loop", "loop"),
    Column("loops", "times", "count"),
    Column("journeys", "journeys", "count"),
    Column("share", "of journeys", "share"),
    Column("touchpoints", "touchpoints", "count"),
)


def paths_section(journeys: Journeys, plan: Plan) -> Section:
    """The most frequent paths to the goal, and the most frequent whole journeys."""
    blocks: list[Block] = []
    # By event, unless that tells next to nothing apart.
    by = "event" if len(journeys.event.vocabulary) >= _FEWEST else plan.by
    steps = sankey(journeys, by=by, steps=_STEPS, top=_APART)
    blocks.append(Figure(f"sankey-{slug(by)}", sankey_picture(steps).scene()))
    if len(journeys.codes(plan.by).vocabulary):
        blocks.append(_paths_to_goal(journeys, plan))
    blocks += [_journeys_by_event(journeys), *_patterns(journeys, plan), _loops(journeys)]
    return Section(
        "paths",
        "The most travelled paths",
        "A path to the goal ends at a conversion, or at a customer's last touchpoint; each row is "
        "one exact sequence, with how often it led to a conversion and how often it did not.",
        "Short paths lead every such list because there are few different short ones; a high rate "
        "on few paths may be luck.",
        tuple(blocks),
    )


def _patterns(journeys: Journeys, plan: Plan) -> list[Block]:
    found = sequence_patterns(journeys, by="event", goal=plan.goal)
    if not len(found):
        return []
    note = "Of all that at least 5% hold, the most frequent; other events may lie in between."
    return [
        told_table(
            found,
            "patterns",
            f"Sequences before {show_name(plan.goal.name)}, and how often it follows",
            _PATTERN,
            what="sequences",
            note=f"{note} Associations, not causes: longer journeys hold more of everything.",
        )
    ]


def _loops(journeys: Journeys) -> Block:
    found = loops(journeys, by="event")
    return told_table(found, "loops", "Loops: back to where one was", _LOOP, what="loops")


def _paths_to_goal(journeys: Journeys, plan: Plan) -> Table:
    found = Paths.of(
        journeys,
        goal=plan.goal,
        by=plan.by,
        lookback=plan.lookback,
        goal_is_touch=plan.goal_is_touch,
    ).result(top=_PATHS)
    columns: dict[str, Any] = dict(found.columns())
    rows: tuple[Row, ...] = tuple(
        (cut(path, _LONGEST_PATH), touches, conversions, nulls, rate)
        for path, touches, conversions, nulls, rate in zip(
            columns["path"],
            columns["touches"].tolist(),
            columns["conversions"].tolist(),
            columns["nulls"].tolist(),
            columns["rate"].tolist(),
            strict=True,
        )
    )
    hidden = found.paths - len(rows)
    return Table(
        "paths",
        f"Paths to {show_name(plan.goal.name)} by {plan.by}",
        (
            Column("path", "path"),
            Column("touches", "touches", "count"),
            Column("conversions", "conversions", "count"),
            Column("nulls", "without", "count"),
            Column("rate", "rate", "share"),
        ),
        rows,
        note=f"{hidden:,} more different paths are not shown." if hidden > 0 else "",
    )


def _journeys_by_event(journeys: Journeys) -> Table:
    found = variants(journeys, by="event", top=_PATHS)
    rows: list[Row] = [
        (_path(path), len(path), count, share, low, high)
        for path, count, share, low, high in zip(
            found.paths,
            found.journeys.tolist(),
            found.share.tolist(),
            found.share_low.tolist(),
            found.share_high.tolist(),
            strict=True,
        )
    ]
    if found.other_variants:
        name = f"other ({found.other_variants:,} different journeys)"
        share = found.other_journeys / max(found.total_journeys, 1)
        rows.append((name, None, found.other_journeys, share, math.nan, math.nan))
    return Table(
        "variants",
        "Whole journeys by event",
        (
            Column("path", "journey"),
            Column("touchpoints", "touchpoints", "count"),
            Column("journeys", "journeys", "count"),
            Column("share", "share", "share"),
            Column("share_low", "low", "share"),
            Column("share_high", "high", "share"),
        ),
        tuple(rows),
    )


def _path(labels: Sequence[Label | None]) -> str:
    """A journey in words; what comes several times in a row is written once, with its number."""
    # A journey may hold a million labels: no more runs of them than can be shown become text.
    runs = islice(
        ((show_name(k), sum(1 for _ in same)) for k, same in groupby(labels)), _LONGEST_PATH
    )
    told = " > ".join(name if times == 1 else f"{name} x{times:,}" for name, times in runs)
    return cut(told, _LONGEST_PATH)
