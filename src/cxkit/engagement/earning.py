"""The points that touchpoints earn before ageing and caps, kept apart by cell.

Most rules give points to every touchpoint of an event: they become one table of points by event
code. The others concern few touchpoints, whose rows are found and added to the table's answer.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.codes import Codes
from cxkit.core.ragged import chunks
from cxkit.engagement.amounts import MOST_POINTS
from cxkit.engagement.counting import Piece, check_whole, kept_rows
from cxkit.engagement.definition import ScaleDefinition
from cxkit.engagement.rules import PointRule
from cxkit.errors import CxWarning, DataError, SchemaError, did_you_mean
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys

__all__ = ["PIECE", "Earnings", "Seeker", "points", "warn_if_unknown"]

PIECE = 32_768
"""Rows that are worked on at once: a few columns of scratch then fit the second-level cache."""

FloatArray = NDArray[np.float64]
Extra = tuple[int, IntArray, Any]
"""A cell, the rows of a piece that earn there, and what: a number, or (m,) numbers."""


@attrs.frozen(eq=False)
class Seeker:
    """A rule, ready to find its rows.

    Attributes:
        rule: The rule.
        cell: Where its points are kept.
        find: Finds the rows that reach its goal; ``None`` if the data cannot.
        worth: (E,) or (K + 1,) the numbers that replace its points, NaN where there is none.
        codes: (E,) where ``worth`` is by code.
    """

    rule: PointRule
    cell: int
    find: Callable[[int, int], IntArray] | None
    worth: FloatArray | None
    codes: NDArray[Any] | None

    @classmethod
    def of(cls, rule: PointRule, cell: int, journeys: Journeys) -> Seeker:
        """Look up what the rule asks for.

        Raises:
            SchemaError: A column is not there, or is of a kind that cannot be used.
            DataError: A number that replaces points is not finite.
        """
        find = rule.goal.finder(journeys)
        if rule.points_from is None or not journeys.touchpoints:
            return cls(rule, cell, find, None, None)
        column = journeys[rule.points_from]
        if isinstance(column, Codes):
            return cls(rule, cell, find, _numbers_of(column, rule), column.codes)
        if column.dtype.kind != "f":
            raise SchemaError(f"points_from={rule.points_from!r} names times, not numbers")
        return cls(rule, cell, find, column, None)

    def matching(self, piece: Piece) -> IntArray:
        """The rows of a piece that reach the goal, ascending."""
        if self.find is None:
            return np.zeros(0, np.int64)
        return self.find(piece.first, piece.first + len(piece.ticks))

    def points(self, rows: IntArray, piece: Piece) -> FloatArray | float:
        """What rows of a piece earn where they count: a number for all, or (m,) numbers.

        Raises:
            DataError: A number that replaces points is not finite.
        """
        if self.worth is None:
            return self.rule.points
        at = rows + piece.first
        given = self.worth[at if self.codes is None else self.codes[at]]
        wrong = np.abs(given) > MOST_POINTS
        if wrong.any():
            raise DataError(
                f"points_from={self.rule.points_from!r}: points must be finite, at most "
                f"{MOST_POINTS:g}; found {given[wrong][0]} in row {at[wrong][0]} of the touchpoints"
            )
        return np.where(np.isnan(given), self.rule.points, given)


@attrs.frozen(eq=False)
class Earnings:
    """The points of every touchpoint, ready to be written out piece by piece.

    Attributes:
        scale: The scale.
        codes: (E,) event codes.
        tables: For each cell (K + 1,) points by event code, or ``None`` if it has no plain rule.
        seekers: The other rules.
    """

    scale: ScaleDefinition
    codes: NDArray[Any]
    tables: list[FloatArray | None]
    seekers: list[Seeker]

    @classmethod
    def of(cls, scale: ScaleDefinition, journeys: Journeys) -> Earnings:
        """Look up what the rules ask for.

        Raises:
            DefinitionError: A rule looks back over the whole history, and a customer has several
                journeys.
            SchemaError: A rule asks for a column that is not there, or is of another kind.
        """
        check_whole(scale, journeys)
        event = journeys.event
        tables: list[FloatArray | None] = [None] * scale.caps.cells
        seekers = []
        for rule, cell in zip(scale.rules, scale.caps.cell, strict=True):
            if not rule.plain:
                seekers.append(Seeker.of(rule, cell, journeys))
                continue
            code = event.vocabulary.find(rule.goal.event)
            if code is not None:
                table = tables[cell]
                if table is None:
                    table = tables[cell] = np.zeros(event.slots)
                table[code] += rule.points
        return cls(scale, event.codes, tables, seekers)

    def extras(self, piece: Piece) -> list[Extra]:
        """What the rules beside the tables give in a piece."""
        found = []
        for seeker in self.seekers:
            rows = seeker.matching(piece)
            rows = rows[kept_rows(seeker.rule, rows, piece)]
            if len(rows):
                found.append((seeker.cell, rows, seeker.points(rows, piece)))
        return found

    def write(self, cell: int, piece: Piece, extras: list[Extra], out: FloatArray) -> bool:
        """Write the points of a cell into ``out``; whether there can be any."""
        table = self.tables[cell]
        mine = [(rows, worth) for at, rows, worth in extras if at == cell]
        if table is None:
            if not mine:
                return False
            out[:] = 0.0
        else:
            end = piece.first + len(out)
            np.take(table, self.codes[piece.first : end], out=out, mode="clip")
        for rows, worth in mine:
            out[rows] += worth
        return True


def points(scale: ScaleDefinition, journeys: Journeys | Journey) -> FloatArray:
    """See :meth:`EngagementScale.points`."""
    given = as_journeys(journeys)
    earnings = Earnings.of(scale, given)
    out = np.zeros(given.touchpoints)
    scratch = np.empty(0)
    for bounds in chunks(given.offsets, PIECE):
        piece = Piece.of(scale, given, bounds)
        extras = earnings.extras(piece)
        here = out[bounds[2] : bounds[3]]
        if len(scratch) < len(here):
            scratch = np.empty(len(here))
        for cell in range(scale.caps.cells):
            if earnings.write(cell, piece, extras, scratch[: len(here)]):
                here += scratch[: len(here)]
    return freeze(out)


def warn_if_unknown(scale: ScaleDefinition, journeys: Journeys, *, stacklevel: int = 4) -> None:
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
        stacklevel=stacklevel,  # the caller of scale.score
    )


def _numbers_of(column: Codes, rule: PointRule) -> FloatArray:
    """(K + 1,) labels as numbers; missing is NaN."""
    labels = column.vocabulary.labels
    if len(labels) and labels.dtype.kind != "i":
        raise SchemaError(
            f"points_from={rule.points_from!r} holds text, not numbers; found "
            f"{list(column.vocabulary)[:5]}"
        )
    return np.append(labels.astype(np.float64), np.nan)
