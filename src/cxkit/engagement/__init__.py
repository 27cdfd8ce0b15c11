"""Engagement: points for what customers do, aged, summed and explained.

An :class:`EngagementScale` says how many points an event earns. It scores many customers, one, or a
stream of single touchpoints, with the same numbers; :func:`value_per_visit` compares channels or
campaigns by what their visits earn.
"""

from __future__ import annotations

from cxkit.engagement.ageing import HalfLife, Inactivity, LinearDecay, RollingWindow
from cxkit.engagement.assign import (
    geometric_points,
    linear_points,
    points_of_worth,
    worth_of_goal,
)
from cxkit.engagement.calibration import Calibration, calibrate
from cxkit.engagement.effects import draw_effects, points_of_effects
from cxkit.engagement.explain import Explanation
from cxkit.engagement.history import ScoreHistory
from cxkit.engagement.live import LiveScores
from cxkit.engagement.logistic import nonnegative_logistic, points_of_log_odds
from cxkit.engagement.outcomes import GoalOutcomes, OutcomePlan, reached_after
from cxkit.engagement.pairwise import PairwisePoints, ahp_points, bradley_terry_points
from cxkit.engagement.parts import ScoreParts
from cxkit.engagement.rules import PointRule
from cxkit.engagement.scale import EngagementScale
from cxkit.engagement.scoring import Scores
from cxkit.engagement.shrinkage import shrink
from cxkit.engagement.validation import Validation, validate
from cxkit.engagement.validity import Auc, Trend, auc, isotonic_rates, trend_test
from cxkit.engagement.visits import VisitValue, value_per_visit
from cxkit.engagement.visitvalues import VisitValues

__all__ = [
    "Auc",
    "Calibration",
    "EngagementScale",
    "Explanation",
    "GoalOutcomes",
    "HalfLife",
    "Inactivity",
    "LinearDecay",
    "LiveScores",
    "OutcomePlan",
    "PairwisePoints",
    "PointRule",
    "RollingWindow",
    "ScoreHistory",
    "ScoreParts",
    "Scores",
    "Trend",
    "Validation",
    "VisitValue",
    "VisitValues",
    "ahp_points",
    "auc",
    "bradley_terry_points",
    "calibrate",
    "draw_effects",
    "geometric_points",
    "isotonic_rates",
    "linear_points",
    "nonnegative_logistic",
    "points_of_effects",
    "points_of_log_odds",
    "points_of_worth",
    "reached_after",
    "shrink",
    "trend_test",
    "validate",
    "value_per_visit",
    "worth_of_goal",
]
