"""The score after each touchpoint, and what each touchpoint adds to a score.

Both are built from states that one row after another changes (``core.recurrence``), so that the
bits of a journey are those of a plain loop over it, whatever else is scored beside it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.ragged import chunks
from cxkit.core.recurrence import running_state
from cxkit.core.windows import window_starts
from cxkit.engagement.ageing import (
    HalfLife,
    Inactivity,
    LinearDecay,
    RollingWindow,
    age_in_place,
)
from cxkit.engagement.counting import Piece
from cxkit.engagement.definition import ScaleDefinition
from cxkit.engagement.earning import Earnings
from cxkit.engagement.sums import active_rows
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys

__all__ = ["contributions", "running"]

FloatArray = NDArray[np.float64]

_ROWS: Final = 1 << 20  # many at once: a step of the recurrence is over all journeys of a block


def running(scale: ScaleDefinition, journeys: Journeys | Journey) -> FloatArray:
    """See :meth:`EngagementScale.running`."""
    given = as_journeys(journeys)
    earnings = Earnings.of(scale, given)
    active = active_rows(scale, given)
    out = np.empty(given.touchpoints)
    for bounds in chunks(given.offsets, _ROWS):
        _, _, e0, e1 = bounds
        piece = Piece.of(scale, given, bounds)
        offsets = np.append(piece.starts, e1 - e0)
        earned = _earned(scale, earnings, piece, e1 - e0)
        sums = _states(scale, earned, piece, offsets)
        total = sums[0] if scale.caps.none else np.maximum(scale.caps.total(sums), scale.caps.floor)
        if isinstance(scale.ageing, Inactivity) and active is not None:
            total = scale.ageing.left(total, _idle(active[e0:e1], piece, offsets))
        out[e0:e1] = total
    return freeze(out)


def contributions(scale: ScaleDefinition, journeys: Journeys | Journey, at: int) -> FloatArray:
    """See :meth:`EngagementScale.contributions`; ``at`` in microseconds since 1970."""
    given = as_journeys(journeys)
    earnings = Earnings.of(scale, given)
    out = np.empty(given.touchpoints)
    for bounds in chunks(given.offsets, _ROWS):
        _, _, e0, e1 = bounds
        piece = Piece.of(scale, given, bounds)
        earned = _earned(scale, earnings, piece, e1 - e0)
        age = at - piece.ticks
        left = (age >= 0).astype(np.float64)
        age_in_place(left, np.maximum(age, 0), scale.ageing)
        earned *= left
        if scale.caps.none:
            out[e0:e1] = earned[0]
            continue
        offsets, kept = np.append(piece.starts, e1 - e0), np.ones(e1 - e0)
        sums = np.array([running_state(one, kept, offsets) for one in earned])
        total = scale.caps.levels(sums)[-1]
        added = np.diff(total, prepend=0.0)
        added[piece.starts] = total[piece.starts]
        out[e0:e1] = added
    return freeze(out)


def _earned(scale: ScaleDefinition, earnings: Earnings, piece: Piece, rows: int) -> FloatArray:
    """(C, n) the points of a piece by cell, before ageing."""
    extras = earnings.extras(piece)
    earned = np.empty((scale.caps.cells, rows))
    for cell, one in enumerate(earned):
        if not earnings.write(cell, piece, extras, one):
            one[:] = 0.0
    return earned


def _states(
    scale: ScaleDefinition, earned: FloatArray, piece: Piece, offsets: IntArray
) -> FloatArray:
    """(C, n) the aged sum of each cell at the time of each row, from the rows up to it."""
    ageing = scale.ageing
    kept = np.ones(earned.shape[1])
    if isinstance(ageing, HalfLife):
        pause = np.diff(piece.ticks, prepend=piece.ticks[:1])
        pause[piece.starts] = 0
        age_in_place(kept, pause, ageing)
    sums = np.array([running_state(one, kept, offsets) for one in earned])
    if not isinstance(ageing, (LinearDecay, RollingWindow)):
        return sums
    first = window_starts(piece.ticks, offsets, ageing.us)
    inside = np.array([_since(one, first, piece.starts) for one in sums])
    if isinstance(ageing, RollingWindow):
        return inside
    # sum of p * (1 - (t - u) / L) over the window: times count from the start of the journey, for
    # the difference of two large numbers would lose digits.
    begins = np.repeat(piece.ticks[piece.starts], np.diff(offsets))
    place = (piece.ticks - begins) / ageing.us
    for cell, one in enumerate(earned):
        moments = running_state(one * place, kept, offsets)
        inside[cell] = inside[cell] * (1 - place) + _since(moments, first, piece.starts)
    return inside


def _since(sums: FloatArray, first: IntArray, starts: IntArray) -> FloatArray:
    """(n,) what prefix sums have grown by since the row before ``first``."""
    begins = np.zeros(len(sums), dtype=bool)
    begins[starts] = True
    before = np.where(begins[first], 0.0, sums[first - 1])
    return sums - before


def _idle(active: NDArray[np.bool_], piece: Piece, offsets: IntArray) -> IntArray:
    """(n,) how long the journey has been idle at each row."""
    rows = np.arange(len(active))
    start = np.repeat(piece.starts, np.diff(offsets))
    last = np.maximum(np.maximum.accumulate(np.where(active, rows, -1)), start)
    return piece.ticks - piece.ticks[last]
