"""Which touchpoints share the credit for a conversion.

Rules (first touch, last touch, linear, position-based, time decay) share each conversion among the
touches of its own path. The Markov chain looks at all paths, also those without conversion, and
shares by removal effect. No model here shows causes: it shares what happened.
"""

from __future__ import annotations

from cxkit.attribution.chains.chainorder import OrderChoice, choose_order
from cxkit.attribution.chains.markov import ChainCounts, Markov
from cxkit.attribution.checks.auditing import Audit, AuditShares, audit
from cxkit.attribution.checks.lift import Calibration, calibrate
from cxkit.attribution.comparison import ComparedIntervals, Comparison
from cxkit.attribution.difference import CreditDifference, credit_difference
from cxkit.attribution.labelsets.counterfactual import LogisticCounterfactual
from cxkit.attribution.labelsets.setcredit import SetCredit, SetModel
from cxkit.attribution.labelsets.setrows import SetRows
from cxkit.attribution.labelsets.sets import LabelSets
from cxkit.attribution.labelsets.settable import SetTable
from cxkit.attribution.labelsets.shapley import ShapleyConversions, ShapleyRate
from cxkit.attribution.labelsets.shapley_math import ShapleyValues, shapley_values
from cxkit.attribution.labelsets.shapley_positions import ShapleyPositions, shapley_positions
from cxkit.attribution.models import AttributionModel, model_from_dict
from cxkit.attribution.results import Attribution, Estimated, Intervals
from cxkit.attribution.rules.credits import Credits
from cxkit.attribution.rules.credittable import CreditTable
from cxkit.attribution.rules.custom import Custom
from cxkit.attribution.rules.label_rules import (
    LabelWeights,
    LastNonDirect,
    LinearDistinct,
    Participation,
    PresenceShare,
)
from cxkit.attribution.rules.rule_models import (
    FirstTouch,
    LastTouch,
    Linear,
    PositionBased,
    TimeDecay,
)
from cxkit.attribution.rules.rules import RuleCredit, RuleModel
from cxkit.attribution.summaries import AttributionSummary, Base, Estimates
from cxkit.attribution.touchpaths.converting import Touches
from cxkit.attribution.touchpaths.cutting import PathOptions, PathRule
from cxkit.attribution.touchpaths.journeypaths import JourneyPaths
from cxkit.attribution.touchpaths.paths import Paths
from cxkit.attribution.touchpaths.pathtable import PathTable
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
