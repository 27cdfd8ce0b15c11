"""Flow: how journeys move. Funnels, transitions, path variants and drop-off.

A :class:`Funnel` counts how far journeys get through steps in order; :func:`transitions` what comes
next after what; :func:`variants` the journeys that are the same from end to end; :func:`drop_off`
where they end. Behind each stands a summary that adds up, whatever the parts were.
"""

from __future__ import annotations

from cxkit.flow.cleaning.cleaning import Cleaned, Cleaning, CleaningLog
from cxkit.flow.cleaning.cleaningcuts import CollapseRepeats, KeepLength, Truncate
from cxkit.flow.cleaning.cleaningdrops import DropDuplicates, DropFast, DropLabels
from cxkit.flow.cleaning.cleaninglabels import MarkLost, Rename
from cxkit.flow.cleaning.cleaningstep import Change, CleaningStep
from cxkit.flow.friction.disconnectcost import DisconnectCost
from cxkit.flow.friction.disconnectresults import SwitchTable
from cxkit.flow.friction.disconnects import DisconnectCounts
from cxkit.flow.friction.effort import Efforts, FrictionExplanation
from cxkit.flow.friction.effortcounts import EffortCounts, EffortTable
from cxkit.flow.friction.friction import Friction
from cxkit.flow.friction.switches import DisconnectRule, Switches
from cxkit.flow.funnels.comparing import RateDifference, compare_funnels, compare_segments
from cxkit.flow.funnels.funnel import Funnel
from cxkit.flow.funnels.funnelcounts import FunnelCounts, FunnelResult
from cxkit.flow.funnels.funnelgroups import FunnelPeriods, FunnelSegments
from cxkit.flow.funnels.funnelnext import FunnelNext, FunnelNextTable, after_drop_off
from cxkit.flow.funnels.funneltables import FunnelPeriodTable, FunnelSegmentTable
from cxkit.flow.funnels.funneltimes import FunnelTimes, FunnelTimeTable, funnel_times
from cxkit.flow.funnels.policy import Without
from cxkit.flow.nextstep.calibration import Calibration
from cxkit.flow.nextstep.heldout import HeldOut, goal_calibration, held_out
from cxkit.flow.nextstep.nextmodel import NextStepModel, next_steps
from cxkit.flow.nextstep.nextresults import GoalForecast, NextStepTable
from cxkit.flow.pathways.around import Around, PathsAround, cut_around, paths_after, paths_before
from cxkit.flow.pathways.clustering import Clusters, clusters
from cxkit.flow.pathways.costly import CostlyPathTable, PathCosts, costly_paths
from cxkit.flow.pathways.pathvariants import PathVariants, VariantTable, variants
from cxkit.flow.pathways.patternresults import SequencePatternTable
from cxkit.flow.pathways.sequencepatterns import PatternRule, SequencePatterns, sequence_patterns
from cxkit.flow.pathways.similarity import (
    PathDistances,
    SimilarPaths,
    path_distances,
    similar_paths,
)
from cxkit.flow.plans.alignment import Alignments, PlanExplanation
from cxkit.flow.plans.plan import JourneyPlan
from cxkit.flow.plans.plancounts import PlanCounts
from cxkit.flow.plans.planresults import PlanResult, PlanStages
from cxkit.flow.plans.planstages import PlanStage, PlanStep
from cxkit.flow.retention.activecounts import ActiveCounts, ActiveDayCounts
from cxkit.flow.retention.activetables import ActiveDayTable, StickinessTable
from cxkit.flow.retention.logrank import LogRank
from cxkit.flow.retention.retention import Retention
from cxkit.flow.retention.retentioncounts import RetentionCounts
from cxkit.flow.retention.retentiontables import (
    RetentionCurve,
    RetentionTable,
    compare_retention,
)
from cxkit.flow.retention.stickiness import Stickiness
from cxkit.flow.retention.survival import SurvivalCounts, survival
from cxkit.flow.retention.survivaltables import SurvivalQuantiles, SurvivalTable
from cxkit.flow.retention.waits import Churn, TimeTo
from cxkit.flow.steps.contextcounts import Contexts, contexts
from cxkit.flow.steps.contexttable import ContextTable
from cxkit.flow.steps.differences import FlowDifference, difference
from cxkit.flow.steps.dropoff import DropOff, DropOffRule, DropOffTable, drop_off
from cxkit.flow.steps.ends import EntryExitTable, entry_exit
from cxkit.flow.steps.loopcounts import Loops, loops
from cxkit.flow.steps.loopresults import LoopTable
from cxkit.flow.steps.nextsteps import Transitions, TransitionTable, transitions
from cxkit.flow.steps.stepflows import StepFlows, sankey, step_matrix
from cxkit.flow.steps.stepresults import Sankey, StepMatrix
from cxkit.flow.steps.steptimes import StepTimes, dwell_times, step_times
from cxkit.flow.steps.steptimetable import StepTimeTable

__all__ = [
    "ActiveCounts",
    "ActiveDayCounts",
    "ActiveDayTable",
    "Alignments",
    "Around",
    "Calibration",
    "Change",
    "Churn",
    "Cleaned",
    "Cleaning",
    "CleaningLog",
    "CleaningStep",
    "Clusters",
    "CollapseRepeats",
    "ContextTable",
    "Contexts",
    "CostlyPathTable",
    "DisconnectCost",
    "DisconnectCounts",
    "DisconnectRule",
    "DropDuplicates",
    "DropFast",
    "DropLabels",
    "DropOff",
    "DropOffRule",
    "DropOffTable",
    "EffortCounts",
    "EffortTable",
    "Efforts",
    "EntryExitTable",
    "FlowDifference",
    "Friction",
    "FrictionExplanation",
    "Funnel",
    "FunnelCounts",
    "FunnelNext",
    "FunnelNextTable",
    "FunnelPeriodTable",
    "FunnelPeriods",
    "FunnelResult",
    "FunnelSegmentTable",
    "FunnelSegments",
    "FunnelTimeTable",
    "FunnelTimes",
    "GoalForecast",
    "HeldOut",
    "JourneyPlan",
    "KeepLength",
    "LogRank",
    "LoopTable",
    "Loops",
    "MarkLost",
    "NextStepModel",
    "NextStepTable",
    "PathCosts",
    "PathDistances",
    "PathVariants",
    "PathsAround",
    "PatternRule",
    "PlanCounts",
    "PlanExplanation",
    "PlanResult",
    "PlanStage",
    "PlanStages",
    "PlanStep",
    "RateDifference",
    "Rename",
    "Retention",
    "RetentionCounts",
    "RetentionCurve",
    "RetentionTable",
    "Sankey",
    "SequencePatternTable",
    "SequencePatterns",
    "SimilarPaths",
    "StepFlows",
    "StepMatrix",
    "StepTimeTable",
    "StepTimes",
    "Stickiness",
    "StickinessTable",
    "SurvivalCounts",
    "SurvivalQuantiles",
    "SurvivalTable",
    "SwitchTable",
    "Switches",
    "TimeTo",
    "TransitionTable",
    "Transitions",
    "Truncate",
    "VariantTable",
    "Without",
    "after_drop_off",
    "clusters",
    "compare_funnels",
    "compare_retention",
    "compare_segments",
    "contexts",
    "costly_paths",
    "cut_around",
    "difference",
    "drop_off",
    "dwell_times",
    "entry_exit",
    "funnel_times",
    "goal_calibration",
    "held_out",
    "loops",
    "next_steps",
    "path_distances",
    "paths_after",
    "paths_before",
    "sankey",
    "sequence_patterns",
    "similar_paths",
    "step_matrix",
    "step_times",
    "survival",
    "transitions",
    "variants",
]
