"""The chain: how many steps in order a journey holds, exactly and without a loop over journeys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray

__all__ = ["steps_reached"]


def steps_reached(
    matched: Sequence[NDArray[np.intp]],
    offsets: IntArray,
    times: IntArray,
    *,
    limit: int | None,
    entry: str,
    strict: bool,
    out: NDArray[np.uint8],
) -> None:
    """Write the number of steps that each journey reaches.

    Kept are the rows that match the step so far, and for each the latest entry that leads to it.
    Within a journey that entry never decreases from row to row. So the last row before a candidate
    of the next step has the latest entry there is, and if even that lies too far back, all do.

    Args:
        matched: For each step its rows, in order.
        offsets: (J + 1,) the journeys.
        times: (E,) microseconds.
        limit: The longest time from entry to a step, itself included; ``None`` for no limit.
        entry: Which rows of the first step are entries: ``"any"``, or only the ``"first"`` or the
            ``"last"`` one of each journey.
        strict: A step must be later than the one before, not only after it.
        out: (J,) zeros, overwritten.

    Example:
        >>> out = np.zeros(2, np.uint8)
        >>> steps_reached(
        ...     [np.array([0, 3]), np.array([1, 2])],
        ...     np.array([0, 2, 4]),
        ...     np.array([0, 5, 0, 5]),
        ...     limit=5,
        ...     entry="any",
        ...     strict=False,
        ...     out=out,
        ... )
        >>> out.tolist()
        [2, 1]
    """
    ends, rows = offsets[1:], matched[0]
    journey = np.searchsorted(ends, rows, side="right")
    if entry != "any":
        chosen = np.ones(len(rows), dtype=bool)
        # The first row of each journey differs from the one before, the last from the one after.
        change = chosen[1:] if entry == "first" else chosen[:-1]
        np.not_equal(journey[1:], journey[:-1], out=change)
        rows, journey = rows[chosen], journey[chosen]
    entered = times[rows]
    out[journey] = 1
    for number, found in enumerate(matched[1:], start=2):
        before = np.searchsorted(rows, found) - 1
        if strict:
            before = _strictly_earlier(before, times[rows], times[found])
        after = before >= 0
        found, before = found[after], before[after]  # noqa: PLW2901  # narrowed step by step
        keep = found < ends[journey[before]]
        if limit is not None:
            keep &= times[found] - entered[before] <= limit
        rows, before = found[keep], before[keep]
        if not len(rows):
            return
        journey, entered = journey[before], entered[before]
        out[journey] = number


def _strictly_earlier(before: NDArray[np.intp], chain: IntArray, found: IntArray) -> NDArray[Any]:
    """Step back from chain rows of the candidate's own instant to the last one before it.

    Args:
        before: The last chain row before each candidate, -1 for none.
        chain: The times of the chain rows.
        found: The times of the candidates.
    """
    if not len(chain):
        return before
    begins = np.ones(len(chain), dtype=bool)
    np.not_equal(chain[1:], chain[:-1], out=begins[1:])
    run = np.maximum.accumulate(np.where(begins, np.arange(len(chain)), 0))
    tied = (before >= 0) & (chain[before] == found)
    # A run may reach into the journey before; nothing there was of use to the candidate anyway.
    return np.where(tied, run[before] - 1, before)
