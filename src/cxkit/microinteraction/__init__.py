"""Microinteractions: trigger, rules, feedback, loops and modes, from specification to evidence.

A :class:`Microinteraction` is checked like code (``lint``) and run like a machine (``run``).
"""

from __future__ import annotations

from cxkit.microinteraction.lint import CODES, Finding, Findings
from cxkit.microinteraction.live import Fired, Moment, Running
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
from cxkit.microinteraction.spec import Microinteraction
from cxkit.microinteraction.specdata import spec_schema

__all__ = [
    "CODES",
    "Feedback",
    "Finding",
    "Findings",
    "Fired",
    "LongLoop",
    "Loop",
    "Microinteraction",
    "Mode",
    "Moment",
    "Rule",
    "Running",
    "State",
    "Timer",
    "Trigger",
    "spec_schema",
]
