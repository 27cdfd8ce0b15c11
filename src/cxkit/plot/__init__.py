"""Pictures of results.

Every function takes a result and returns a :class:`Picture`, which is drawn only when it is looked
at. ``.data()`` gives the numbers that are drawn, ``.svg()`` the drawing as text; in a notebook it
shows itself. ``.save("x.png")`` and ``.draw(ax)`` use matplotlib.
"""

from __future__ import annotations

from cxkit.plot.bars import BarsPicture, bars
from cxkit.plot.channelstages import ChannelStagesPicture, channel_stages
from cxkit.plot.curves import SurvivalPicture, survival
from cxkit.plot.funnels import FunnelPicture, funnel
from cxkit.plot.graphs import GraphPicture, graph
from cxkit.plot.ladders import LadderPicture, ladder
from cxkit.plot.matrices import (
    RetentionPicture,
    StepMatrixPicture,
    SwitchPicture,
    retention,
    step_matrix,
    switches,
)
from cxkit.plot.picture import Drawn, Picture
from cxkit.plot.plans import PlanPicture, plan
from cxkit.plot.radars import RadarPicture, radar
from cxkit.plot.roadmaps import RoadmapPicture, roadmap
from cxkit.plot.sankeys import SankeyPicture, sankey
from cxkit.plot.scene import Area, Box, Disc, Line, Scene, Words
from cxkit.plot.strategies import StrategyPicture, strategy

__all__ = [
    "Area",
    "BarsPicture",
    "Box",
    "ChannelStagesPicture",
    "Disc",
    "Drawn",
    "FunnelPicture",
    "GraphPicture",
    "LadderPicture",
    "Line",
    "Picture",
    "PlanPicture",
    "RadarPicture",
    "RetentionPicture",
    "RoadmapPicture",
    "SankeyPicture",
    "Scene",
    "StepMatrixPicture",
    "StrategyPicture",
    "SurvivalPicture",
    "SwitchPicture",
    "Words",
    "bars",
    "channel_stages",
    "funnel",
    "graph",
    "ladder",
    "plan",
    "radar",
    "retention",
    "roadmap",
    "sankey",
    "step_matrix",
    "strategy",
    "survival",
    "switches",
]
