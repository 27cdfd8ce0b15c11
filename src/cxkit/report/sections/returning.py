"""Who comes back, and how long the goal takes."""

from __future__ import annotations

from typing import Final

import numpy as np

from cxkit.flow import Retention, TimeTo, survival
from cxkit.model.journeys import Journeys
from cxkit.plot import retention as retention_picture, survival as survival_picture
from cxkit.report.document import Block, Column, Figure, Section
from cxkit.report.plan import Plan
from cxkit.report.sections.tables import told_table
from cxkit.report.show import show_name

__all__ = ["returning_section"]

_DAY: Final = np.timedelta64(1, "D")
_BRACKETS: Final = 12
_RATES: Final = (
    Column("bracket", "bracket", "text"),
    Column("journeys", "customers", "count"),
    Column("eligible", "had the time", "count"),
    Column("returned", "came back", "count"),
    Column("rate", "share", "share"),
    Column("rate_low", "low", "share"),
    Column("rate_high", "high", "share"),
    Column("complete", "complete", "text"),
)
_CURVE: Final = (
    Column("time", "time", "count"),
    Column("at_risk", "still seen", "count"),
    Column("events", "reach it", "count"),
    Column("survival", "not yet", "share"),
    Column("survival_low", "low", "share"),
    Column("survival_high", "high", "share"),
)


def returning_section(journeys: Journeys, plan: Plan) -> Section:
    """Cohorts by when they began, and the share that has not reached the goal yet."""
    # Touchpoints of the last instant are counted too.
    until = plan.at + np.timedelta64(1, "us")
    seen = journeys.time[journeys.time <= plan.at]
    days = int((seen.max() - seen.min()) / _DAY) if len(seen) else 0
    every = "day" if days < 21 else "week" if days < 300 else "month" if days < 2000 else "quarter"
    found = Retention(until=until, every=every, brackets=_BRACKETS).count(journeys)
    unit = "1h" if days < 8 else "1d" if days < 1000 else "7d"
    waits = survival(journeys, TimeTo(plan.goal), until=until, unit=unit)
    goal = show_name(plan.goal.name)
    blocks: list[Block] = []
    if len(found.cohort):
        names = (
            Column(found.retention.cohort_every, found.retention.cohort_every, "text"),
            *_RATES,
        )
        blocks += [
            Figure("retention-picture", retention_picture(found).scene()),
            told_table(
                found,
                "retention",
                f"Who comes back, by the {every} in which they began",
                names,
                what="cohorts and brackets",
            ),
        ]
    if len(waits):
        blocks += [
            Figure("survival-picture", survival_picture(waits, reached=True).scene()),
            told_table(
                waits,
                "waiting",
                f"How many have not reached {goal} yet, in units of {unit}",
                _CURVE,
                what="times",
            ),
        ]
    return Section(
        "returning",
        "Who comes back, and how long it takes",
        f"Cohorts are customers by the {every} of their first touchpoint; bracket 0 is that same "
        f"{every}. How long {goal} takes is told of all customers, also of those who have not "
        "reached it: they count for as long as they were seen (Kaplan and Meier).",
        f"The data is taken to end with {np.datetime_as_string(plan.at, unit='s')}Z. Customers "
        "whose first touchpoints are older than the data look newer than they are.",
        tuple(blocks),
    )
