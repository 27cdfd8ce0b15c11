"""Patterns: what happened in which order, what did not, and how much within a window of time.

A :class:`Pattern` is A then B within a time without C, or A and then no B. :func:`tumbling` counts
in windows side by side, :func:`sliding` in the span that ends with each touchpoint. Everything has
a live form that takes one touchpoint at a time and gives the same answer.
"""

from __future__ import annotations

from cxkit.patterns.live import LivePattern, PatternMatch
from cxkit.patterns.livesessions import LiveSessions, SessionClosed
from cxkit.patterns.livesliding import LiveSliding, SlidingTotal
from cxkit.patterns.livetumbling import LiveTumbling, WindowClosed
from cxkit.patterns.results import PatternCounts, PatternMatches, PatternShare
from cxkit.patterns.sequence import Pattern
from cxkit.patterns.sliding import sliding
from cxkit.patterns.windows import WindowCounts, tumbling
from cxkit.patterns.windowtable import WindowTable

__all__ = [
    "LivePattern",
    "LiveSessions",
    "LiveSliding",
    "LiveTumbling",
    "Pattern",
    "PatternCounts",
    "PatternMatch",
    "PatternMatches",
    "PatternShare",
    "SessionClosed",
    "SlidingTotal",
    "WindowClosed",
    "WindowCounts",
    "WindowTable",
    "sliding",
    "tumbling",
]
