"""Which touchpoints count, and the points that they earn before ageing.

Most rules give points to every touchpoint of an event: they become one table of points by event
code. The others (with a channel, or with repeats that do not count) concern few touchpoints, whose
rows are found once and added to the table's answer.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.ragged import CHUNK
from cxkit.engagement.rules import PointRule
from cxkit.engagement.scale import EngagementScale
from cxkit.errors import CxWarning, DefinitionError, did_you_mean
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys

__all__ = ["Earnings", "counted", "edges_of", "matching_rows", "points", "warn_if_unknown"]

Edges: TypeAlias = tuple[IntArray, ...] | None


@attrs.frozen(eq=False)
class Earnings:
    """The points of every touchpoint, ready to be written out row by row.

    Attributes:
        codes: (E,) event codes.
        table: (K + 1,) points by event code, from rules that count every touchpoint of an event.
        extra: For each other rule in turn: the rows that count, ascending, and their points.
    """

    codes: NDArray[Any]
    table: NDArray[np.float64]
    extra: list[tuple[IntArray, float]]

    @classmethod
    def of(cls, scale: EngagementScale, journeys: Journeys) -> Earnings:
        """Find the rows that count.

        Raises:
            DefinitionError: A rule counts once per customer, and a customer has several journeys.
        """
        event = journeys.event
        table = np.zeros(event.slots)
        extra: list[tuple[IntArray, float]] = []
        edges: dict[str, Edges] = {}
        for rule in scale.rules:
            code = event.vocabulary.find(rule.goal.event)
            if code is None:
                continue  # the data does not have the event
            if rule.count == "every" and rule.goal.channel is None:
                table[code] += rule.points
                continue
            if rule.count not in edges:
                edges[rule.count] = edges_of(rule, scale, journeys)
            rows = matching_rows(rule, journeys)
            extra.append((rows[counted(rows, edges[rule.count])], rule.points))
        return cls(event.codes, table, extra)

    def write(self, out: NDArray[np.float64], first: int, last: int) -> None:
        """Write the points of the rows ``first:last`` into ``out``."""
        np.take(self.table, self.codes[first:last], out=out, mode="clip")
        for rows, worth in self.extra:
            begin, end = np.searchsorted(rows, (first, last))
            out[rows[begin:end] - first] += worth


def points(scale: EngagementScale, journeys: Journeys | Journey) -> NDArray[np.float64]:
    """See :meth:`EngagementScale.points`."""
    given = as_journeys(journeys)
    earnings = Earnings.of(scale, given)
    out = np.empty(given.touchpoints)
    for first in range(0, len(out), CHUNK):
        last = min(first + CHUNK, len(out))
        earnings.write(out[first:last], first, last)
    return freeze(out)


def matching_rows(rule: PointRule, journeys: Journeys) -> IntArray:
    """The touchpoints that reach the rule's goal, ascending."""
    return np.flatnonzero(rule.goal.matches(journeys))


def counted(rows: IntArray, edges: Edges) -> NDArray[np.bool_]:
    """Which of the matching rows count: those with an edge since the matching row before.

    Args:
        rows: Matching rows, ascending.
        edges: Where the segments begin in which a goal counts once; ``None`` if every row counts.
    """
    if edges is None:
        return np.ones(len(rows), dtype=bool)
    first = np.zeros(len(rows), dtype=bool)
    first[:1] = True
    for begins in edges:
        segment = np.searchsorted(begins, rows, side="right")
        first[1:] |= segment[1:] != segment[:-1]
    return first


def edges_of(rule: PointRule, scale: EngagementScale, journeys: Journeys) -> Edges:
    """Where the segments begin in which the rule counts once.

    Raises:
        DefinitionError: The rule counts once per customer, and a customer has several journeys.
    """
    return _EDGES[rule.count](scale, journeys)


def warn_if_unknown(scale: EngagementScale, journeys: Journeys) -> None:
    """Warn when no rule can match: a wrong column or a typing error, rather than no engagement.

    One unknown event is no reason: a scale serves many data sets, and rare events are rare.
    """
    vocabulary = journeys.event.vocabulary
    events = list(dict.fromkeys(rule.goal.event for rule in scale.rules))
    if not journeys.touchpoints or any(event in vocabulary for event in events):
        return
    some = list(vocabulary)[:20]
    hint = next(filter(None, (did_you_mean(event, vocabulary) for event in events)), "")
    there = f"there are {some}" if some else "no touchpoint has an event"
    warnings.warn(
        f"not one event of the scale {scale.name!r} is in the data, so every score is 0: "
        f"the scale has {events}, {there}.{hint}",
        CxWarning,
        stacklevel=4,  # the caller of scale.score
    )


def _every(_: EngagementScale, __: Journeys) -> Edges:
    return None


def _sessions(scale: EngagementScale, journeys: Journeys) -> Edges:
    # Cheaper than journeys.sessions, which finds the customer of every session as well.
    return journeys.offsets, _after_pauses(journeys.time.view(np.int64), scale.session_gap_us)


def _after_pauses(ticks: IntArray, gap: int) -> IntArray:
    """The rows that come more than ``gap`` after the row before."""
    found = [np.zeros(0, np.int64)]
    for first in range(1, len(ticks), CHUNK):
        here = ticks[first : first + CHUNK]
        pause = here - ticks[first - 1 : first - 1 + len(here)]
        found.append(np.flatnonzero(pause > gap) + first)
    return np.concatenate(found)


def _customers(scale: EngagementScale, journeys: Journeys) -> Edges:
    # One journey is one customer's; to count the customers would cost as much as there are labels.
    if len(journeys) > 1 and journeys.customers != len(journeys):
        once = [rule for rule in scale.rules if rule.count == "once_per_customer"]
        raise DefinitionError(
            f"{once[0]!r} counts once per customer, but here are {len(journeys):,} journeys of "
            f"{journeys.customers:,} customers, so that the first of a customer cannot be told "
            "from one journey; score the uncut journeys"
        )
    return (journeys.offsets,)


_EDGES: Final[dict[str, Callable[[EngagementScale, Journeys], Edges]]] = {
    "every": _every,
    "once_per_session": _sessions,
    "once_per_customer": _customers,
}
