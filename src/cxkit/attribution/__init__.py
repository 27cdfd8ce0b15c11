"""Which touchpoints share the credit for a conversion.

Rules (first touch, last touch, linear, position-based, time decay) share each conversion among the
touches of its own path. The Markov chain looks at all paths, also those without conversion, and
shares by removal effect. No model here shows causes: it shares what happened.
"""

from __future__ import annotations

from cxkit.attribution.auditing import Audit, AuditShares, audit
from cxkit.attribution.chainorder import OrderChoice, choose_order
from cxkit.attribution.comparison import ComparedIntervals, Comparison
from cxkit.attribution.converting import Touches
from cxkit.attribution.counterfactual import LogisticCounterfactual
from cxkit.attribution.credits import Credits
from cxkit.attribution.credittable import CreditTable
from cxkit.attribution.custom import Custom
from cxkit.attribution.cutting import PathOptions, PathRule
from cxkit.attribution.difference import CreditDifference, credit_difference
from cxkit.attribution.journeypaths import JourneyPaths
from cxkit.attribution.label_rules import (
    LabelWeights,
    LastNonDirect,
    LinearDistinct,
    Participation,
    PresenceShare,
)
from cxkit.attribution.lift import Calibration, calibrate
from cxkit.attribution.markov import ChainCounts, Markov
from cxkit.attribution.models import AttributionModel, model_from_dict
from cxkit.attribution.paths import Paths
from cxkit.attribution.pathtable import PathTable
from cxkit.attribution.results import Attribution, Estimated, Intervals
from cxkit.attribution.rule_models import (
    FirstTouch,
    LastTouch,
    Linear,
    PositionBased,
    TimeDecay,
)
from cxkit.attribution.rules import RuleCredit, RuleModel
from cxkit.attribution.setcredit import SetCredit, SetModel
from cxkit.attribution.setrows import SetRows
from cxkit.attribution.sets import LabelSets
from cxkit.attribution.settable import SetTable
from cxkit.attribution.shapley import ShapleyConversions, ShapleyRate
from cxkit.attribution.shapley_math import ShapleyValues, shapley_values
from cxkit.attribution.shapley_positions import ShapleyPositions, shapley_positions
from cxkit.attribution.summaries import AttributionSummary, Base, Estimates
from cxkit.attribution.verbs import (
    DEFAULT_MODELS,
    attribute,
    attribute_paths,
    compare,
    credit,
    tally,
)

__all__ = [
    "DEFAULT_MODELS",
    "Attribution",
    "AttributionModel",
    "AttributionSummary",
    "Audit",
    "AuditShares",
    "Base",
    "Calibration",
    "ChainCounts",
    "ComparedIntervals",
    "Comparison",
    "CreditDifference",
    "CreditTable",
    "Credits",
    "Custom",
    "Estimated",
    "Estimates",
    "FirstTouch",
    "Intervals",
    "JourneyPaths",
    "LabelSets",
    "LabelWeights",
    "LastNonDirect",
    "LastTouch",
    "Linear",
    "LinearDistinct",
    "LogisticCounterfactual",
    "Markov",
    "OrderChoice",
    "Participation",
    "PathOptions",
    "PathRule",
    "PathTable",
    "Paths",
    "PositionBased",
    "PresenceShare",
    "RuleCredit",
    "RuleModel",
    "SetCredit",
    "SetModel",
    "SetRows",
    "SetTable",
    "ShapleyConversions",
    "ShapleyPositions",
    "ShapleyRate",
    "ShapleyValues",
    "TimeDecay",
    "Touches",
    "attribute",
    "attribute_paths",
    "audit",
    "calibrate",
    "choose_order",
    "compare",
    "credit",
    "credit_difference",
    "model_from_dict",
    "shapley_positions",
    "shapley_values",
    "tally",
]
