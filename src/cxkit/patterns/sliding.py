"""Sliding windows: how much happened in the span that ends with each touchpoint."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.ragged import chunks
from cxkit.core.spans import SpanLike, span_us
from cxkit.core.threads import in_parts
from cxkit.core.windows import rolling_count, rolling_sum
from cxkit.errors import SchemaError
from cxkit.model.goal import GoalLike, as_goal
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys

__all__ = ["sliding"]

_CHUNK: Final = 32_768


def sliding(
    journeys: Journeys | Journey,
    span: SpanLike,
    *,
    goal: GoalLike | None = None,
    value: str | None = None,
) -> NDArray[Any]:
    """Count, or sum, over the span of time that ends with each touchpoint.

    The window of a touchpoint holds the touchpoints of its journey that are no later in the
    journey's order (itself included; of the same instant, those before it) and *less* than ``span``
    older: ``span="1d"`` on one touchpoint a day counts 1.

    Args:
        journeys: The journeys.
        span: How long the window is.
        goal: Count, or sum, only touchpoints that reach the goal.
        value: Sum this column of numbers, such as ``"value"``, instead of counting. A missing
            number (NaN) adds nothing.

    Returns:
        (E,) int64 counts, or float64 sums. A sum depends on the touchpoints of its window alone, to
        the last bit, and is as exact as adding them pairwise. Read-only.

    Raises:
        DefinitionError: ``span`` is no span.
        SchemaError: There is no column ``value``, or it holds labels.
        UnknownLabelError: The data of many journeys does not have the goal's event or channel.

    Example:
        >>> journeys = Journeys.from_table(
        ...     {"who": [1, 1, 1, 1, 2], "when": [0, 10, 29, 30, 5]},
        ...     customer="who",
        ...     time="when",
        ...     time_unit="s",
        ... )
        >>> sliding(journeys, "30s").tolist()
        [1, 2, 3, 3, 1]
    """
    many, us = as_journeys(journeys), span_us(span, name="span")
    weight: NDArray[Any] | None = None
    if value is not None:
        weight = _numbers(many, value)
    if goal is not None:
        wanted = as_goal(goal)
        if isinstance(journeys, Journeys) and many.touchpoints:
            wanted.require(many)
        hits = wanted.matches(many)
        weight = hits if weight is None else np.where(hits, weight, 0.0)
    ticks, offsets = many.time.view(np.int64), many.offsets
    if weight is None:
        return freeze(rolling_count(ticks, offsets, us))
    if value is None:
        return freeze(rolling_sum(weight, ticks, offsets, us))
    count, out = rolling_count(ticks, offsets, us), np.empty(many.touchpoints)
    in_parts(partial(_write, weight, count, offsets, out), offsets)
    return freeze(out)


def _numbers(many: Journeys, name: str) -> NDArray[np.float64]:
    column = many.value if name == "value" or not many.touchpoints else many[name]
    if not isinstance(column, np.ndarray) or column.dtype.kind != "f":
        raise SchemaError(f"column {name!r} holds labels, not numbers; there is nothing to sum")
    return np.where(np.isnan(column), 0.0, column)


def _write(
    values: NDArray[np.float64],
    count: IntArray,
    offsets: IntArray,
    out: NDArray[np.float64],
    begin: int,
    end: int,
) -> None:
    for _, _, e0, e1 in chunks(offsets, _CHUNK, within=(begin, end)):
        _add_up(values[e0:e1], count[e0:e1], out[e0:e1])


def _add_up(values: NDArray[np.float64], count: IntArray, out: NDArray[np.float64]) -> None:
    """Write the sum of each row's last ``count`` values.

    Each window is put together from runs of 1, 2, 4 ... values, as the bits of its count say. So
    nothing outside the window has a part in it, as it would in a difference of running sums.
    """
    out[:] = 0.0
    place = np.arange(len(values))  # the last value of each window that is not added yet
    runs, width = values.astype(np.float64), 1
    left, most = count.copy(), int(count.max(initial=0))
    with np.errstate(over="ignore", invalid="ignore"):  # runs across journeys are never used
        while width <= most:
            rows = np.flatnonzero(left & width)
            out[rows] += runs[place[rows]]
            place[rows] -= width
            width *= 2
            if width <= most:
                half = width // 2
                runs[half:] = runs[half:] + runs[:-half]
