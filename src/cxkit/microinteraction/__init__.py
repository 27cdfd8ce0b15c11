"""Microinteractions: trigger, rules, feedback, loops and modes, from specification to evidence.

A :class:`Microinteraction` is checked like code (``lint``), run like a machine (``run``) and
measured over recorded streams (``replay``, :class:`ReplayCounts`).
"""

from __future__ import annotations

from cxkit.core.findings import Finding, Findings
from cxkit.microinteraction.building import Telling
from cxkit.microinteraction.comparing import ReplayComparison, compare_replays
from cxkit.microinteraction.counts import ReplayCounts
from cxkit.microinteraction.instances import Instances
from cxkit.microinteraction.lint import CODES
from cxkit.microinteraction.live import Fired, Moment, Running
from cxkit.microinteraction.measuring import Measuring
from cxkit.microinteraction.nested import Nested, nested
from cxkit.microinteraction.parts import (
    Feedback,
    LongLoop,
    Loop,
    Mode,
    Rule,
    State,
    Timer,
    Trigger,
)
from cxkit.microinteraction.pictures import to_graphviz, to_mermaid, to_svg
from cxkit.microinteraction.replay import Replay
from cxkit.microinteraction.results import LoopTable, ReplayMetrics, StateTable
from cxkit.microinteraction.scxmlread import from_scxml
from cxkit.microinteraction.scxmlwrite import to_scxml
from cxkit.microinteraction.spec import Microinteraction
from cxkit.microinteraction.specdata import spec_schema
from cxkit.microinteraction.timetable import TimeTable
from cxkit.microinteraction.usage import RuleUse, Strangers
from cxkit.microinteraction.xstate import to_xstate

__all__ = [
    "CODES",
    "Feedback",
    "Finding",
    "Findings",
    "Fired",
    "Instances",
    "LongLoop",
    "Loop",
    "LoopTable",
    "Measuring",
    "Microinteraction",
    "Mode",
    "Moment",
    "Nested",
    "Replay",
    "ReplayComparison",
    "ReplayCounts",
    "ReplayMetrics",
    "Rule",
    "RuleUse",
    "Running",
    "State",
    "StateTable",
    "Strangers",
    "Telling",
    "TimeTable",
    "Timer",
    "Trigger",
    "compare_replays",
    "from_scxml",
    "nested",
    "spec_schema",
    "to_graphviz",
    "to_mermaid",
    "to_scxml",
    "to_svg",
    "to_xstate",
]
