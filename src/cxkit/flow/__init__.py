"""Flow: how journeys move. Funnels, transitions, path variants and drop-off.

A :class:`Funnel` counts how far journeys get through steps in order; :func:`transitions` what comes
next after what; :func:`variants` the journeys that are the same from end to end; :func:`drop_off`
where they end. Behind each stands a summary that adds up, whatever the parts were.
"""

from __future__ import annotations

from cxkit.flow.activecounts import ActiveCounts, ActiveDayCounts
from cxkit.flow.activetables import ActiveDayTable, StickinessTable
from cxkit.flow.alignment import Alignments, PlanExplanation
from cxkit.flow.around import Around, PathsAround, cut_around, paths_after, paths_before
from cxkit.flow.calibration import Calibration
from cxkit.flow.cleaning import Cleaned, Cleaning, CleaningLog
from cxkit.flow.cleaningcuts import CollapseRepeats, KeepLength, Truncate
from cxkit.flow.cleaningdrops import DropDuplicates, DropFast, DropLabels
from cxkit.flow.cleaninglabels import MarkLost, Rename
from cxkit.flow.cleaningstep import Change, CleaningStep
from cxkit.flow.clustering import Clusters, clusters
from cxkit.flow.comparing import RateDifference, compare_funnels, compare_segments
from cxkit.flow.contextcounts import Contexts, contexts
from cxkit.flow.contexttable import ContextTable
from cxkit.flow.costly import CostlyPathTable, PathCosts, costly_paths
from cxkit.flow.differences import FlowDifference, difference
from cxkit.flow.disconnectcost import DisconnectCost
from cxkit.flow.disconnectresults import SwitchTable
from cxkit.flow.disconnects import DisconnectCounts
from cxkit.flow.dropoff import DropOff, DropOffRule, DropOffTable, drop_off
from cxkit.flow.effort import Efforts, FrictionExplanation
from cxkit.flow.effortcounts import EffortCounts, EffortTable
from cxkit.flow.ends import EntryExitTable, entry_exit
from cxkit.flow.friction import Friction
from cxkit.flow.funnel import Funnel
from cxkit.flow.funnelcounts import FunnelCounts, FunnelResult
from cxkit.flow.funnelgroups import FunnelPeriods, FunnelSegments
from cxkit.flow.funnelnext import FunnelNext, FunnelNextTable, after_drop_off
from cxkit.flow.funneltables import FunnelPeriodTable, FunnelSegmentTable
from cxkit.flow.funneltimes import FunnelTimes, FunnelTimeTable, funnel_times
from cxkit.flow.heldout import HeldOut, goal_calibration, held_out
from cxkit.flow.logrank import LogRank
from cxkit.flow.loopcounts import Loops, loops
from cxkit.flow.loopresults import LoopTable
from cxkit.flow.nextmodel import NextStepModel, next_steps
from cxkit.flow.nextresults import GoalForecast, NextStepTable
from cxkit.flow.nextsteps import Transitions, TransitionTable, transitions
from cxkit.flow.pathvariants import PathVariants, VariantTable, variants
from cxkit.flow.patternresults import SequencePatternTable
from cxkit.flow.plan import JourneyPlan
from cxkit.flow.plancounts import PlanCounts
from cxkit.flow.planresults import PlanResult, PlanStages
from cxkit.flow.planstages import PlanStage, PlanStep
from cxkit.flow.policy import Without
from cxkit.flow.retention import Retention
from cxkit.flow.retentioncounts import RetentionCounts
from cxkit.flow.retentiontables import RetentionCurve, RetentionTable, compare_retention
from cxkit.flow.sequencepatterns import PatternRule, SequencePatterns, sequence_patterns
from cxkit.flow.similarity import PathDistances, SimilarPaths, path_distances, similar_paths
from cxkit.flow.stepflows import StepFlows, sankey, step_matrix
from cxkit.flow.stepresults import Sankey, StepMatrix
from cxkit.flow.steptimes import StepTimes, dwell_times, step_times
from cxkit.flow.steptimetable import StepTimeTable
from cxkit.flow.stickiness import Stickiness
from cxkit.flow.survival import SurvivalCounts, survival
from cxkit.flow.survivaltables import SurvivalQuantiles, SurvivalTable
from cxkit.flow.switches import DisconnectRule, Switches
from cxkit.flow.waits import Churn, TimeTo

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
