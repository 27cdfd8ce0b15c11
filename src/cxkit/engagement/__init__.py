"""Engagement: points for what customers do, aged, summed and explained.

An :class:`EngagementScale` says how many points an event earns. It scores many customers, one, or a
stream of single touchpoints, with the same numbers; :func:`value_per_visit` compares channels or
campaigns by what their visits earn.
"""

from __future__ import annotations

from cxkit.engagement.explain import Explanation
from cxkit.engagement.live import LiveScores
from cxkit.engagement.rules import PointRule
from cxkit.engagement.scale import EngagementScale
from cxkit.engagement.scoring import Scores
from cxkit.engagement.visits import VisitValue, VisitValues, value_per_visit

__all__ = [
    "EngagementScale",
    "Explanation",
    "LiveScores",
    "PointRule",
    "Scores",
    "VisitValue",
    "VisitValues",
    "value_per_visit",
]
