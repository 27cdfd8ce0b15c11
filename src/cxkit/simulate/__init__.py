"""Worlds with known causes, to learn with and to judge estimators by.

Example:
    >>> import cxkit.simulate
    >>> world = cxkit.simulate.retail(100, rng=1)
    >>> sorted(world.table)[:4]
    ['campaign', 'channel', 'customer', 'device']
"""

from __future__ import annotations

from cxkit.simulate.decision_worlds import DECISION_WORLDS
from cxkit.simulate.decisions import Decisions, decisions
from cxkit.simulate.simulation import Simulation, retail
from cxkit.simulate.truth import AgainstTruth, Truth
from cxkit.simulate.world import CHANNELS, EFFECTS, LOOKBACK

__all__ = [
    "CHANNELS",
    "DECISION_WORLDS",
    "EFFECTS",
    "LOOKBACK",
    "AgainstTruth",
    "Decisions",
    "Simulation",
    "Truth",
    "decisions",
    "retail",
]
