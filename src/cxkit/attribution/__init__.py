"""Which touchpoints share the credit for a conversion.

Rules (first touch, last touch, linear, position-based, time decay) share each conversion among the
touches of its own path. The Markov chain looks at all paths, also those without conversion, and
shares by removal effect. No model here shows causes: it shares what happened.
"""

from __future__ import annotations

from cxkit.attribution.attribute import attribute, attribute_paths, compare, credit
from cxkit.attribution.cutting import PathRule
from cxkit.attribution.markov import ChainCounts
from cxkit.attribution.models import DEFAULT_MODELS, AttributionModel, Markov
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
]
