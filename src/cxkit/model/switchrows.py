"""Rows at which the channel changes."""

from __future__ import annotations

import numpy as np

from cxkit.core.arrays import IntArray
from cxkit.core.ragged import segment_ids
from cxkit.model.journeys import Journeys

__all__ = ["switch_rows"]


def switch_rows(journeys: Journeys, by: str, gap: int | None = None) -> tuple[IntArray, IntArray]:
    """(S,) the rows that are left and (S,) those that are switched to, in another channel.

    Args:
        journeys: The journeys.
        by: The column of channels; rows without one are passed over.
        gap: The longest pause in microseconds, or ``None``.
    """
    column = journeys.codes(by)
    rows = np.flatnonzero(~column.is_missing())
    codes, of = column.codes[rows], segment_ids(journeys.offsets)[rows]
    at = np.flatnonzero((codes[1:] != codes[:-1]) & (of[1:] == of[:-1]))
    source, target = rows[at], rows[at + 1]
    if gap is not None:
        ticks = journeys.time.view(np.int64)
        near = ticks[target] - ticks[source] <= gap
        source, target = source[near], target[near]
    return source, target
