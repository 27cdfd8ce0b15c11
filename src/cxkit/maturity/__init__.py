"""Maturity: where a firm stands, what holds it back, and the cheapest way on.

A :class:`MaturityModel` is versioned data; ``model.assess(answers)`` tells the level, the profile
and what fails, for one subject or for thousands. :func:`roadmap` finds the least-cost steps to the
next stage, :class:`ChannelMaturity` the places where one channel has run ahead of the others.
"""

from __future__ import annotations

from cxkit.maturity.agreement import krippendorff_alpha
from cxkit.maturity.answers import NOT_APPLICABLE, Answer, Answers
from cxkit.maturity.assessed import Assessed
from cxkit.maturity.assessment import Assessment
from cxkit.maturity.assessors import agreement, combine
from cxkit.maturity.benchmark import Benchmark, Percentile
from cxkit.maturity.channels import ChannelMaturity, assess_channels, channel_switches
from cxkit.maturity.equivalent import equivalent_stage
from cxkit.maturity.history import StageHistory, stage_history
from cxkit.maturity.leastcost import Step
from cxkit.maturity.likelihood import LevelChances, level_chances
from cxkit.maturity.measures import (
    channels_with,
    channels_with_goals,
    measured,
    messages_that_ask_nothing,
)
from cxkit.maturity.model import MaturityModel, builtin_models, model_schema
from cxkit.maturity.parts import AnswerScale, Criterion, Dimension, Phase, Stage
from cxkit.maturity.results import Assessments
from cxkit.maturity.roadmap import Roadmap, roadmap

__all__ = [
    "NOT_APPLICABLE",
    "Answer",
    "AnswerScale",
    "Answers",
    "Assessed",
    "Assessment",
    "Assessments",
    "Benchmark",
    "ChannelMaturity",
    "Criterion",
    "Dimension",
    "LevelChances",
    "MaturityModel",
    "Percentile",
    "Phase",
    "Roadmap",
    "Stage",
    "StageHistory",
    "Step",
    "agreement",
    "assess_channels",
    "builtin_models",
    "channel_switches",
    "channels_with",
    "channels_with_goals",
    "combine",
    "equivalent_stage",
    "krippendorff_alpha",
    "level_chances",
    "measured",
    "messages_that_ask_nothing",
    "model_schema",
    "roadmap",
    "stage_history",
]
