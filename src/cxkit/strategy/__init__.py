"""Strategy: from themes through objectives to digital goals, measures and tactics, and back up.

A :class:`StrategyMap` says what serves what. It can be linted, traced, and asked what every theme
earned through the goals that customers reached.
"""

from __future__ import annotations

from cxkit.core.findings import Finding, Findings
from cxkit.strategy.coverage import Coverage
from cxkit.strategy.items import (
    KPI,
    Capability,
    DigitalGoal,
    Item,
    MarketingObjective,
    StrategicObjective,
    Tactic,
    Theme,
)
from cxkit.strategy.lint import CODES
from cxkit.strategy.map import StrategyMap, Trace
from cxkit.strategy.mapdata import map_schema
from cxkit.strategy.rollup import RollUp
from cxkit.strategy.status import Status

__all__ = [
    "CODES",
    "KPI",
    "Capability",
    "Coverage",
    "DigitalGoal",
    "Finding",
    "Findings",
    "Item",
    "MarketingObjective",
    "RollUp",
    "Status",
    "StrategicObjective",
    "StrategyMap",
    "Tactic",
    "Theme",
    "Trace",
    "map_schema",
]
