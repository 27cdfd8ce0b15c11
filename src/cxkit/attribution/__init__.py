"""Which touchpoints share the credit for a conversion.

Rules (first touch, last touch, linear, position-based, time decay) share each conversion among the
touches of its own path. The Markov chain looks at all paths, also those without conversion, and
shares by removal effect. No model here shows causes: it shares what happened.
"""

from __future__ import annotations

from cxkit.attribution.cutting import PathRule
from cxkit.attribution.markov import ChainCounts
from cxkit.attribution.models import DEFAULT_MODELS, AttributionModel, Markov, model_from_dict
from cxkit.attribution.paths import Paths, PathTable
from cxkit.attribution.results import Attribution, Comparison, Credits
from cxkit.attribution.rule_models import (
    FirstTouch,
    LastTouch,
    Linear,
    PositionBased,
    RuleModel,
    TimeDecay,
)
from cxkit.attribution.rules import RuleCredit
from cxkit.attribution.verbs import attribute, attribute_paths, compare, credit

__all__ = [
    "DEFAULT_MODELS",
    "Attribution",
    "AttributionModel",
    "ChainCounts",
    "Comparison",
    "Credits",
    "FirstTouch",
    "LastTouch",
    "Linear",
    "Markov",
    "PathRule",
    "PathTable",
    "Paths",
    "PositionBased",
    "RuleCredit",
    "RuleModel",
    "TimeDecay",
    "attribute",
    "attribute_paths",
    "compare",
    "credit",
    "model_from_dict",
]
