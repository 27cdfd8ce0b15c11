"""Journeys cut into paths: each path is a run of touches."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.attribution.touchpaths.cutting import PathRule, conversion_values
from cxkit.core.arrays import IntArray
from cxkit.core.ragged import CHUNK, per_row
from cxkit.core.spans import span_us
from cxkit.core.summary import SHARDS
from cxkit.model.journeys import Journeys

__all__ = ["CutJourneys", "Runs", "Strip", "gather"]

_FEW: int = 16
"""A search for each of P bounds is cheaper than a pass over E rows if P * 16 < E."""
_FEW_CONVERSIONS: int = 64


@attrs.frozen(eq=False, kw_only=True)
class Runs:
    """P paths as runs of touches: first those with a conversion, then the null paths.

    Attributes:
        begin: (P,) the first touch of each path, counted over all touches in order of the rows.
        end: (P,) the one after its last; equal to ``begin`` if it has none.
        last: (P,) its last row; of a converting path, that is the conversion.
        journey: (P,) the journey that it is cut from.
        conversions: The first so many paths have a conversion.
        tiled: Whether every touch is on one path exactly, so that the runs lie side by side.
    """

    begin: IntArray
    end: IntArray
    last: IntArray
    journey: IntArray
    conversions: int
    tiled: bool


@attrs.frozen(eq=False, kw_only=True)
class Strip:
    """The paths that have touches, laid side by side. Q paths, T touches.

    Attributes:
        rows: (T,) the row of each touch; ``None`` if every row is a touch, once and in order.
        offsets: (Q + 1,) the touches of each path.
        conversions: (C,) the row of every conversion.
        attributed: (C,) whether its path has a touch.
        converting: the path of each attributed conversion.
        untouched_nulls: (SHARDS,) null paths without a touch.
    """

    rows: IntArray | None
    offsets: IntArray
    conversions: IntArray
    attributed: NDArray[np.bool_]
    converting: IntArray
    untouched_nulls: IntArray

    def take(self, column: NDArray[Any]) -> NDArray[Any]:
        """(T,) the values of a column at the touches."""
        return column if self.rows is None else column[self.rows]


@attrs.frozen(eq=False, slots=False)
class CutJourneys:
    """Journeys, cut by a rule; what is asked for is found once.

    Attributes:
        journeys: The journeys.
        rule: What a path and a touch are.
    """

    journeys: Journeys
    rule: PathRule

    @cached_property
    def goals(self) -> NDArray[np.bool_]:
        """(E,) which rows are conversions."""
        return self.rule.goal.matches(self.journeys)

    @cached_property
    def conversions(self) -> IntArray:
        """(C,) the rows that are conversions."""
        return np.flatnonzero(self.goals)

    @cached_property
    def converted(self) -> IntArray:
        """(C,) the journey of each conversion."""
        return self._among(self.journeys.offsets)

    def _among(self, offsets: IntArray) -> IntArray:
        """(C,) in which of some segments of the rows each conversion lies."""
        if len(self.conversions) * _FEW_CONVERSIONS > len(offsets):
            # Mostly conversions end their segments, and a look at the last rows finds all of them.
            ends = range(1, len(offsets), CHUNK)
            final = [self.goals[offsets[j : j + CHUNK] - 1] for j in ends]
            found = np.flatnonzero(np.concatenate(final))
            if len(found) == len(self.conversions):
                return found
        return np.searchsorted(offsets, self.conversions, side="right") - 1

    @cached_property
    def touches(self) -> IntArray | None:
        """(T,) the rows that are touches, apart from the lookback; ``None`` if all are."""
        keep = self.rule.is_touch(self.journeys, self.goals)
        return None if keep is None else np.flatnonzero(keep)

    @cached_property
    def runs(self) -> Runs:
        """All paths."""
        return self._runs(nulls=True)

    @cached_property
    def converting_runs(self) -> Runs:
        """The paths with a conversion; cheap, for there are few."""
        return self._runs(nulls=False)

    @cached_property
    def strip(self) -> Strip:
        """All paths that have touches, side by side."""
        if self.tiled and self.touches is None:
            return self._whole_strip()
        runs = self.runs
        C = runs.conversions
        touched = runs.end > runs.begin
        some = np.flatnonzero(touched)
        if runs.tiled:
            some = some[_merge_order(runs.begin[some], int(touched[:C].sum()))]
            touches: IntArray | None = None
            offsets = np.append(runs.begin[some], 0 if self.touches is None else len(self.touches))
        else:
            touches, offsets = gather(runs.begin[some], runs.end[some])
        rows = self.touches if touches is None else self.rows(touches)
        bare = np.flatnonzero(~touched[C:]) + C
        return Strip(
            rows=rows,
            offsets=offsets,
            conversions=runs.last[:C],
            attributed=touched[:C],
            converting=np.flatnonzero(some < C),
            untouched_nulls=np.bincount(self.shard(runs)[bare], minlength=SHARDS),
        )

    def _whole_strip(self) -> Strip:
        """The same where every row is a touch of one path."""
        last, offsets = self.conversions, self.journeys.offsets
        begins = np.zeros(self.journeys.touchpoints + 1, dtype=bool)
        begins[offsets] = True
        if not begins[last + 1].all():
            begins[last + 1] = True
            offsets = np.flatnonzero(begins)
        return Strip(
            rows=None,
            offsets=offsets,
            conversions=last,
            attributed=np.ones(len(last), dtype=bool),
            converting=self._among(offsets),
            untouched_nulls=np.zeros(SHARDS, np.int64),
        )

    @property
    def tiled(self) -> bool:
        """Whether every touch is on one path exactly."""
        rule = self.rule
        return rule.restart and rule.lookback is None and rule.most_touches is None

    def shard(self, runs: Runs) -> NDArray[np.uint8]:
        """(P,) the shard of each path."""
        return self.journeys.shards[runs.journey].astype(np.uint8)

    def value(self, runs: Runs) -> NDArray[np.float64]:
        """(C,) what the conversion of each converting path is worth."""
        return conversion_values(self.journeys, runs.last[: runs.conversions])

    def rows(self, touches: IntArray) -> IntArray:
        """The rows of touches."""
        return touches if self.touches is None else self.touches[touches]

    def _runs(self, *, nulls: bool) -> Runs:
        offsets, rule = self.journeys.offsets, self.rule
        last, journey = self.conversions, self.converted
        conversions = len(last)
        start = offsets[journey]
        if rule.restart:
            again = np.flatnonzero(journey[1:] == journey[:-1]) + 1
            start[again] = last[again - 1] + 1
        if nulls:
            # Where the null path of each journey would begin: of repeated ones the last stays.
            tail = offsets[:-1].copy()
            tail[journey] = last + 1
            null = np.flatnonzero(tail < offsets[1:])
            start = np.concatenate([start, (tail if rule.restart else offsets)[null]])
            last = np.concatenate([last, offsets[1:][null] - 1])
            journey = np.concatenate([journey, null])
        if rule.lookback is not None:
            ticks = self.journeys.time.view(np.int64)
            since = ticks[last] - span_us(rule.lookback, name="lookback")
            start = _first_since(ticks, start, last, since)
        begin, end = self._touches_before(start), self._touches_before(last + 1)
        if rule.most_touches is not None:
            begin = np.maximum(begin, end - rule.most_touches)
        return Runs(
            begin=begin,
            end=end,
            last=last,
            journey=journey,
            conversions=conversions,
            tiled=self.tiled,
        )

    def _touches_before(self, rows: IntArray) -> IntArray:
        """How many touches come before each of these rows."""
        if self.touches is None:
            return rows
        if len(rows) * _FEW < len(self.touches):
            return np.searchsorted(self.touches, rows)
        is_touch = np.zeros(self.journeys.touchpoints + 1, np.int64)
        is_touch[self.touches + 1] = 1
        np.cumsum(is_touch, out=is_touch)
        return np.asarray(is_touch[rows])


def gather(begin: IntArray, end: IntArray) -> tuple[IntArray, IntArray]:
    """The members of runs, none of which is empty, run after run, and their offsets.

    Example:
        >>> [x.tolist() for x in gather(np.array([4, 0]), np.array([6, 1]))]
        [[4, 5, 0], [0, 2, 3]]
    """
    offsets = np.zeros(len(begin) + 1, np.int64)
    np.cumsum(end - begin, out=offsets[1:])
    members = per_row(begin - offsets[:-1], offsets)
    members += np.arange(len(members))
    return members, offsets


def _merge_order(begin: IntArray, first: int) -> IntArray:
    """The order that sorts two runs that are sorted each: ``begin[:first]`` and the rest."""
    place = np.searchsorted(begin[first:], begin[:first]) + np.arange(first)
    order = np.empty(len(begin), np.int64)
    rest = np.ones(len(begin), dtype=bool)
    rest[place] = False
    order[place] = np.arange(first)
    order[rest] = np.arange(first, len(begin))
    return order


def _first_since(ticks: IntArray, start: IntArray, last: IntArray, since: IntArray) -> IntArray:
    """(P,) the first row of each run of sorted ticks that is not before an instant."""
    found = start.copy()
    late = np.flatnonzero(ticks[start] < since)
    low, high, bound = start[late] + 1, last[late], since[late]
    # The last row always is late enough, so that bisection ends there at most.
    while len(late):
        middle = (low + high) >> 1
        enough = ticks[middle] >= bound
        high = np.where(enough, middle, high)
        low = np.where(enough, low, middle + 1)
        done = low >= high
        found[late[done]] = low[done]
        late, low, high, bound = late[~done], low[~done], high[~done], bound[~done]
    return found
