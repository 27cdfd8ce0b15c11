"""Flow: how journeys move. Funnels, transitions, path variants and drop-off.

A :class:`Funnel` counts how far journeys get through steps in order; :func:`transitions` what comes
next after what; :func:`variants` the journeys that are the same from end to end; :func:`drop_off`
where they end. Behind each stands a summary that adds up, whatever the parts were.
"""

from __future__ import annotations

from cxkit.flow.dropoff import DropOff, DropOffRule, DropOffTable, drop_off
from cxkit.flow.funnel import Funnel, FunnelCounts, FunnelResult
from cxkit.flow.nextsteps import Transitions, TransitionTable, transitions
from cxkit.flow.pathvariants import PathVariants, VariantTable, variants

__all__ = [
    "DropOff",
    "DropOffRule",
    "DropOffTable",
    "Funnel",
    "FunnelCounts",
    "FunnelResult",
    "PathVariants",
    "TransitionTable",
    "Transitions",
    "VariantTable",
    "drop_off",
    "transitions",
    "variants",
]
