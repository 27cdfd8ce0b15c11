"""Where a journey begins to be observed, and where that ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from cxkit.core.arrays import IntArray
from cxkit.core.spans import InstantLike, instant_us
from cxkit.model.goal import Goal, GoalLike, as_goal
from cxkit.model.journeys import Journeys

__all__ = ["as_optional_goal", "as_until", "first_rows"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def as_until(until: InstantLike) -> str:
    """The instant at which data ends, as ISO text in UTC.

    Raises:
        DefinitionError: It is no instant.

    Example:
        >>> as_until("2024-03-01")
        '2024-03-01T00:00:00Z'
    """
    moment = _EPOCH + timedelta(microseconds=instant_us(until, name="until"))
    return moment.isoformat().replace("+00:00", "Z")


def as_optional_goal(goal: GoalLike | None) -> Goal | None:
    """A goal from itself or from the name of its event, or none."""
    return None if goal is None else as_goal(goal)


def first_rows(journeys: Journeys, goal: Goal | None, end: int) -> IntArray:
    """(J,) the first touchpoint of each journey that reaches a goal before the data ends.

    Args:
        journeys: The journeys.
        goal: The goal; without one, the first touchpoint of all.
        end: When the data ends, microseconds since 1970.

    Returns:
        Rows of the touchpoint columns; -1 for a journey that has none.
    """
    found = journeys.offsets[:-1]
    if goal is not None:
        rows = np.append(np.flatnonzero(goal.matches(journeys)), journeys.touchpoints)
        found = rows[np.searchsorted(rows, found)]
    if not len(found):
        return found
    times = journeys.time.view(np.int64)
    inside = found < journeys.offsets[1:]
    inside &= np.take(times, found, mode="clip") < end
    return np.where(inside, found, -1)
