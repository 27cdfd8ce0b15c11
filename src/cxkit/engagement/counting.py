"""Which touchpoints that reach a goal count, rule by rule, in pieces of journeys."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.ragged import ranks
from cxkit.core.windows import after_cooldown
from cxkit.engagement.days import Days
from cxkit.engagement.definition import ScaleDefinition
from cxkit.engagement.rules import PointRule
from cxkit.errors import DefinitionError
from cxkit.model.journeys import Journeys

__all__ = ["Piece", "check_whole", "kept_rows", "let_through"]


@attrs.define(eq=False)
class Piece:
    """Some whole journeys, worked on at once.

    Attributes:
        first: The row at which the piece begins among all rows.
        ticks: (n,) microseconds since 1970.
        starts: (j,) where its journeys begin in it.
        gap: The longest pause within a session, in microseconds.
        days: The calendar.
    """

    first: int
    ticks: IntArray
    starts: IntArray
    gap: int
    days: Days

    @classmethod
    def of(
        cls, scale: ScaleDefinition, journeys: Journeys, bounds: tuple[int, int, int, int]
    ) -> Piece:
        """The journeys ``j0:j1``, which are the rows ``e0:e1``."""
        j0, j1, e0, e1 = bounds
        ticks = journeys.time.view(np.int64)[e0:e1]
        starts = journeys.offsets[j0:j1] - e0
        return cls(e0, ticks, starts, scale.session_gap_us, Days(scale.zone))

    @cached_property
    def session(self) -> IntArray:
        """(n,) the session of each row, ascending."""
        begins = np.empty(len(self.ticks), dtype=bool)
        np.greater(self.ticks[1:] - self.ticks[:-1], self.gap, out=begins[1:])
        begins[self.starts] = True
        return np.cumsum(begins)

    def begins(self, rows: IntArray) -> NDArray[np.bool_]:
        """(m,) which of some ascending rows are the first of their journey among them."""
        flags = np.zeros(len(rows), dtype=bool)
        if len(rows) < len(self.starts):
            journey = np.searchsorted(self.starts, rows, side="right")
            flags[:1] = True
            np.not_equal(journey[1:], journey[:-1], out=flags[1:])
        else:
            # A journey without such rows points at the first of the next one, which is one too.
            first = np.searchsorted(rows, self.starts)
            flags[first[first < len(rows)]] = True
        return flags

    def run_of_days(self, rows: IntArray) -> NDArray[np.bool_]:
        """(m,) which of some ascending rows are the first of their journey on their day."""
        flags = self.begins(rows)
        day = self.days.numbers(self.ticks[rows])
        flags[1:] |= day[1:] != day[:-1]
        return flags


def kept_rows(rule: PointRule, rows: IntArray, piece: Piece) -> NDArray[np.bool_]:
    """(m,) which of the rows that reach the rule's goal count.

    Args:
        rule: The rule.
        rows: (m,) the rows of the piece that reach its goal, ascending.
        piece: Whole journeys.
    """
    keep = let_through(rule, rows, piece)
    if rule.per_day is not None and len(rows):
        counted = rows[keep]
        edges = np.append(np.flatnonzero(piece.run_of_days(counted)), len(counted))
        keep[keep] = ranks(edges) < rule.per_day
    return keep


def let_through(rule: PointRule, rows: IntArray, piece: Piece) -> NDArray[np.bool_]:
    """(m,) the same before the limit per day: which ones ``count`` lets through."""
    if not len(rows):
        return np.zeros(0, dtype=bool)
    return _COUNTING[rule.count](rule, rows, piece)


def check_whole(scale: ScaleDefinition, journeys: Journeys) -> None:
    """Refuse several journeys of one customer where a rule looks back over the whole history.

    Raises:
        DefinitionError: They are; what counts could not be told from one journey.
    """
    looking = [rule for rule in scale.rules if rule.remembers]
    # One journey is one customer's; to count the customers costs as much as there are labels.
    if looking and len(journeys) > 1 and journeys.customers != len(journeys):
        raise DefinitionError(
            f"{looking[0]!r} counts over the whole history of a customer, but here are "
            f"{len(journeys):,} journeys of {journeys.customers:,} customers, so that what counted "
            "before cannot be told from one journey; score the uncut journeys"
        )


def _every(_: PointRule, rows: IntArray, __: Piece) -> NDArray[np.bool_]:
    return np.ones(len(rows), dtype=bool)


def _session(_: PointRule, rows: IntArray, piece: Piece) -> NDArray[np.bool_]:
    session = piece.session[rows]
    keep = np.ones(len(rows), dtype=bool)
    np.not_equal(session[1:], session[:-1], out=keep[1:])
    return keep


def _customer(_: PointRule, rows: IntArray, piece: Piece) -> NDArray[np.bool_]:
    return piece.begins(rows)


def _cooldown(rule: PointRule, rows: IntArray, piece: Piece) -> NDArray[np.bool_]:
    offsets = np.append(np.flatnonzero(piece.begins(rows)), len(rows))
    return after_cooldown(piece.ticks[rows], offsets, rule.within_us)


def _debounce(rule: PointRule, rows: IntArray, piece: Piece) -> NDArray[np.bool_]:
    keep = piece.begins(rows)
    ticks = piece.ticks[rows]
    keep[1:] |= ticks[1:] - ticks[:-1] >= rule.within_us
    return keep


def _day(_: PointRule, rows: IntArray, piece: Piece) -> NDArray[np.bool_]:
    return piece.run_of_days(rows)


_COUNTING: Final[dict[str, Callable[[PointRule, IntArray, Piece], NDArray[np.bool_]]]] = {
    "every": _every,
    "once_per_session": _session,
    "once_per_customer": _customer,
    "cooldown": _cooldown,
    "debounce": _debounce,
    "calendar_day": _day,
}
