"""Guards that hang on the customer's past, as columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cxkit.model.journeys import Journeys

if TYPE_CHECKING:
    from cxkit.microinteraction.spec import Microinteraction

__all__ = ["long_loop_columns"]


def long_loop_columns(spec: Microinteraction, journeys: Journeys) -> dict[str, NDArray[np.bool_]]:
    """Guard -> (E,) whether its long loop has been gone through often enough at each touchpoint.

    What counts is what the same customer did before, in this journey and in earlier ones, wherever
    they stand among the journeys; of touchpoints at one instant, those that stand first.
    """
    if not spec.long_loops:
        return {}
    who = np.repeat(journeys.customer.codes.astype(np.int64), np.diff(journeys.offsets))
    order = np.lexsort((journeys.time, who))
    first = np.ones(len(order), bool)
    first[1:] = who[order[1:]] != who[order[:-1]]
    found = {}
    for loop in spec.long_loops:
        hit = journeys.event.equals(loop.counts)[order].astype(np.int64)
        before = np.cumsum(hit) - hit
        start = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))
        enough = np.empty(len(order), bool)
        enough[order] = before - before[start] >= loop.at_least
        found[loop.guard] = enough
    return found
