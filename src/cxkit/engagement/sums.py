"""Aged sums of points by journey: one pass over the touchpoints, in pieces that stay in cache.

Every step but the sum works element by element, and ``np.add.reduceat`` gives the same bits
wherever a piece begins; so a journey has the same score alone as among a million.
"""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.ragged import chunks
from cxkit.core.threads import in_parts
from cxkit.engagement.ageing import Inactivity, age_in_place, idle_loss
from cxkit.engagement.counting import Piece
from cxkit.engagement.definition import ScaleDefinition
from cxkit.engagement.earning import PIECE, Earnings
from cxkit.model.journeys import Journeys

__all__ = ["active_rows", "aged_sums", "idle_losses", "idle_since", "totals_at"]

FloatArray = NDArray[np.float64]


def aged_sums(scale: ScaleDefinition, journeys: Journeys, at: int) -> tuple[FloatArray, IntArray]:
    """(J,) scores, and (J,) touchpoints after ``at``, in microseconds since 1970."""
    values, excluded = totals_at(scale, journeys, [at])
    return values[0], excluded[0]


def totals_at(
    scale: ScaleDefinition, journeys: Journeys, instants: list[int]
) -> tuple[FloatArray, IntArray]:
    """(A, J) scores at each of A instants, and (A, J) touchpoints after them."""
    earnings = Earnings.of(scale, journeys)
    values = np.empty((len(instants), len(journeys)))
    excluded = np.zeros((len(instants), len(journeys)), np.int64)
    active = active_rows(scale, journeys)

    def part(begin: int, end: int) -> None:
        pieces = list(chunks(journeys.offsets, PIECE, within=(begin, end)))
        longest = max((e1 - e0 for _, _, e0, e1 in pieces), default=0)
        scratch = np.empty((scale.caps.cells + 1, longest))
        for bounds in pieces:
            _write(scale, earnings, journeys, bounds, instants, active, scratch, values, excluded)

    in_parts(part, journeys.offsets)
    return values, excluded


def active_rows(scale: ScaleDefinition, journeys: Journeys) -> NDArray[np.bool_] | None:
    """(E,) which touchpoints are activity; ``None`` if all are, or if it does not matter."""
    ageing = scale.ageing
    if not isinstance(ageing, Inactivity) or ageing.events is None:
        return None
    flags = np.zeros(journeys.event.slots, dtype=bool)
    for event in ageing.events:
        code = journeys.event.vocabulary.find(event)
        if code is not None:
            flags[code] = True
    return np.asarray(flags[journeys.event.codes])


def idle_losses(scale: ScaleDefinition, journeys: Journeys, at: int) -> FloatArray:
    """(J,) what inactivity takes off the score of each journey; exactly 0 for who was not idle.

    It is taken from the total before inactivity, as the score is: the difference of two sums would
    tell their rounding for a loss.
    """
    ageing = scale.ageing
    if not isinstance(ageing, Inactivity) or not len(journeys):
        return np.zeros(len(journeys))
    total, _ = aged_sums(attrs.evolve(scale, ageing=None), journeys, at)
    starts, age = journeys.offsets[:-1], at - journeys.time.view(np.int64)
    return idle_loss(ageing, total, idle_since(age, starts, active_rows(scale, journeys)))


def idle_since(age: IntArray, starts: IntArray, active: NDArray[np.bool_] | None) -> IntArray:
    """(j,) how long each journey has been idle; the time since its start if it never was active.

    Args:
        age: (n,) microseconds since each touchpoint; below 0 after the instant.
        starts: (j,) where journeys begin.
        active: (n,) which touchpoints are activity; all if ``None``.
    """
    never = np.iinfo(np.int64).max
    counts = age >= 0 if active is None else active & (age >= 0)
    idle = np.minimum.reduceat(np.where(counts, age, never), starts)
    return np.where(idle == never, np.maximum(age[starts], 0), idle)


def _write(
    scale: ScaleDefinition,
    earnings: Earnings,
    journeys: Journeys,
    bounds: tuple[int, int, int, int],
    instants: list[int],
    active: NDArray[np.bool_] | None,
    scratch: FloatArray,
    values: FloatArray,
    excluded: IntArray,
) -> None:
    """Write what the journeys ``j0:j1`` score at each instant."""
    j0, j1, e0, e1 = bounds
    piece, caps = Piece.of(scale, journeys, bounds), scale.caps
    starts, rows = piece.starts, e1 - e0
    extras = earnings.extras(piece) if earnings.seekers else []
    filled = [
        earnings.write(cell, piece, extras, scratch[cell, :rows]) for cell in range(caps.cells)
    ]
    for place, at in enumerate(instants):
        age = at - piece.ticks
        late = age < 0 if age.min() < 0 else None
        if late is not None:
            excluded[place, j0:j1] = np.add.reduceat(late.astype(np.int64), starts)
            idle_age, age = age, np.maximum(age, 0)
        else:
            idle_age = age
        if caps.cells == 1 and len(instants) == 1:
            left, sums = scratch[0, :rows], values[:, j0:j1]
            if not filled[0]:
                left[:] = 0.0
            if late is not None:
                left *= ~late
            age_in_place(left, age, scale.ageing)
            np.add.reduceat(left, starts, out=sums[0])
        else:
            left = np.ones(rows) if late is None else (~late).astype(np.float64)
            age_in_place(left, age, scale.ageing)
            sums = np.zeros((caps.cells, j1 - j0))
            for cell in range(caps.cells):
                if filled[cell]:
                    earned = np.multiply(scratch[cell, :rows], left, out=scratch[-1, :rows])
                    np.add.reduceat(earned, starts, out=sums[cell])
        total = sums[0] if caps.none else np.maximum(caps.total(sums), caps.floor)
        if isinstance(scale.ageing, Inactivity):
            here = None if active is None else active[e0:e1]
            total = scale.ageing.left(total, idle_since(idle_age, starts, here))
        values[place, j0:j1] = total
