"""Loops: journeys that come back to where they were, and what that costs."""

from __future__ import annotations

from typing import Any, Final, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.codes import Codes, Label
from cxkit.core.intervals import check_level, divide, share_interval
from cxkit.core.ragged import segment_ids
from cxkit.core.sequences import SequenceSummary, count_sequences
from cxkit.core.summary import PARAMETER, SHARDS, total
from cxkit.core.uniques import unique_sequences
from cxkit.core.whole import whole_number
from cxkit.flow.paths import CUT
from cxkit.flow.steps.loopresults import LoopTable
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys
from cxkit.model.summaries import JourneySummary

__all__ = ["Loops", "loops"]

_SECOND: Final = 1e6


def loops(
    journeys: Journeys | Journey,
    by: str = "event",
    *,
    longest: int = 5,
    top: int = 20,
    level: float = 0.95,
) -> LoopTable:
    """Where journeys come back to a label that they had, and how many touches and how long it took.

    A loop runs from one touchpoint with a label to the next one with the same label in the same
    journey: ``cart > cart`` is the shortest, a repeat; ``cart > view > cart`` goes round. Loops lie
    inside one another and overlap, so their times do not add up; what does add up is how many
    touchpoints are not the first with their label (``returns``), and how long they last.

    Args:
        journeys: The journeys.
        by: A column of labels. A missing label counts as a label of its own.
        longest: Loops of more steps than this are told apart by their label only, shown as
            ``cart > ... > cart``.
        top: How many loops to list; those that took the longest in all come first.
        level: Of the intervals.

    Raises:
        SchemaError: There is no such column, or it holds numbers.
        DefinitionError: ``longest`` or ``top`` is not a whole number from 1 up.

    Example:
        >>> journeys = Journeys.from_table(
        ...     {"who": [1] * 4, "sec": [0, 5, 9, 10], "what": ["cart", "view", "cart", "cart"]},
        ...     customer="who",
        ...     time="sec",
        ...     event="what",
        ...     time_unit="s",
        ... )
        >>> for row in loops(journeys).to_dicts():
        ...     print(row["loop"], row["loops"], row["touchpoints"], row["seconds"])
        cart > view > cart 1 2 9.0
        cart > cart 1 1 1.0
    """
    return Loops.of(journeys, by=by, longest=longest).result(top=top, level=level)


@attrs.frozen(eq=False, repr=False, kw_only=True)
class Loops(SequenceSummary, JourneySummary):
    """Loops and what they cost, as a summary that adds up.

    Its sequences are the labels of loops, the first and the last the same; a loop longer than
    ``longest`` is its label alone.

    Attributes:
        by: The column.
        longest: How many steps a loop may have to be told apart.
        loops: (S,) how often, in the row's shard.
        journeys: (S,) journeys that go through it.
        touchpoints: (S,) steps of all these loops: touchpoints until the label came again.
        time: (S,) microseconds from the first to the last touchpoint of all these loops.
        all_journeys: (64,) journeys in every shard.
        looping: (64,) journeys with any loop.
        all_touchpoints: (64,) touchpoints.
        returns: (64,) touchpoints that are not the first of their journey with their label.
        all_time: (64,) microseconds that journeys last.
        return_time: (64,) microseconds from each of those to the next touchpoint.
    """

    by: str = attrs.field(metadata=PARAMETER)
    longest: int = attrs.field(metadata=PARAMETER)
    loops: IntArray = attrs.field(metadata=total("sequence"))
    journeys: IntArray = attrs.field(metadata=total("sequence"))
    touchpoints: IntArray = attrs.field(metadata=total("sequence"))
    time: NDArray[np.float64] = attrs.field(metadata=total("sequence"))
    all_journeys: IntArray = attrs.field(metadata=total("shard"))
    looping: IntArray = attrs.field(metadata=total("shard"))
    all_touchpoints: IntArray = attrs.field(metadata=total("shard"))
    returns: IntArray = attrs.field(metadata=total("shard"))
    all_time: NDArray[np.float64] = attrs.field(metadata=total("shard"))
    return_time: NDArray[np.float64] = attrs.field(metadata=total("shard"))

    @classmethod
    def of(cls, journeys: Journeys | Journey, /, *, by: str = "event", longest: int = 5) -> Self:
        """Count.

        Args:
            journeys: The journeys.
            by: A column of labels.
            longest: How many steps a loop may have to be told apart.

        Raises:
            SchemaError: There is no such column, or it holds numbers.
            DefinitionError: ``longest`` is not a whole number from 1 up.
        """
        many = as_journeys(journeys)
        longest = whole_number(longest, "longest")
        column, ticks = many.codes(by), many.time.view(np.int64)
        begin, end = _loops(many, column)
        journey = segment_ids(many.offsets)[end]
        steps = end - begin
        size = np.where(steps <= longest, steps + 1, 1)
        offsets = np.append(0, np.cumsum(size))
        rows = np.arange(offsets[-1]) + np.repeat(begin - offsets[:-1], size)
        codes = column.codes[rows]
        used = np.unique(codes)
        named = used[used < column.missing]
        kept = column.vocabulary.pick(named)
        table = np.full(column.slots, len(kept), codes.dtype)
        table[named] = np.arange(len(kept))
        codes = table[codes].astype(np.min_scalar_type(len(kept)))
        # A journey that goes through a loop several times is one of its journeys.
        _, which = unique_sequences(offsets, codes)
        _, once = np.unique(which * max(len(many), 1) + journey, return_index=True)
        new = np.zeros(len(which), np.int64)
        new[once] = 1
        totals = {
            "loops": np.ones(len(which), np.int64),
            "journeys": new,
            "touchpoints": steps,
            "time": (ticks[end] - ticks[begin]).astype(np.float64),
        }
        shard = many.shards
        stay = np.zeros(len(ticks), np.int64)
        stay[:-1] = np.diff(ticks)
        stay[many.offsets[1:] - 1] = 0
        lasting = ticks[many.offsets[1:] - 1] - ticks[many.offsets[:-1]]
        looping = np.zeros(len(many), dtype=bool)
        looping[journey] = True
        return cls(
            by=by,
            longest=longest,
            labels=kept,
            all_journeys=np.bincount(shard, minlength=SHARDS),
            looping=np.bincount(shard[looping], minlength=SHARDS),
            all_touchpoints=np.bincount(many.row_shards, minlength=SHARDS),
            returns=np.bincount(shard[journey], minlength=SHARDS),
            all_time=np.bincount(shard, lasting, SHARDS).astype(np.float64),
            return_time=np.bincount(shard[journey], stay[end], SHARDS).astype(np.float64),
            **count_sequences(offsets, codes, shard[journey], totals),
        )

    def result(self, *, top: int = 20, level: float = 0.95) -> LoopTable:
        """The loops that took the longest in all.

        Raises:
            DefinitionError: ``top`` is not a whole number from 1 up.
        """
        check_level(level)
        top = whole_number(top, "top")
        first, loop = unique_sequences(self.offsets, self.codes)
        sums: dict[str, Any] = {}
        for name in ("loops", "journeys", "touchpoints", "time"):
            values = getattr(self, name)
            sums[name] = np.zeros(len(first), values.dtype)
            np.add.at(sums[name], loop, values)
        order = self._costliest(first, sums, top)
        named = [self._path(row) for row in first[order].tolist()]
        place = np.full(len(first), -1)
        place[order] = np.arange(len(order))
        part = np.zeros((SHARDS, len(order)), np.int64)
        listed = place[loop] >= 0
        np.add.at(part, (self.shard[listed], place[loop[listed]]), self.journeys[listed])
        whole, occupied = self.all_journeys[:, np.newaxis], self.occupied()
        low, high = share_interval(part, whole, occupied, level=level)
        looping = self.looping[:, np.newaxis]
        ends = share_interval(looping, whole, occupied, level=level)
        return LoopTable(
            by=self.by,
            paths=tuple(named),
            loops=sums["loops"][order],
            journeys=sums["journeys"][order],
            share=divide(part.sum(axis=0), whole.sum()),
            share_low=low,
            share_high=high,
            touchpoints=sums["touchpoints"][order],
            seconds=sums["time"][order] / _SECOND,
            total_loops=int(self.loops.sum()),
            total_journeys=int(whole.sum()),
            looping=int(looping.sum()),
            looping_low=float(ends[0][0]),
            looping_high=float(ends[1][0]),
            total_touchpoints=int(self.all_touchpoints.sum()),
            returns=int(self.returns.sum()),
            total_seconds=float(self.all_time.sum() / _SECOND),
            return_seconds=float(self.return_time.sum() / _SECOND),
        )

    def _costliest(self, first: IntArray, sums: dict[str, Any], top: int) -> IntArray:
        """The loops to list: the longest time, the most often, the shortest, by label."""
        keys = np.stack([np.diff(self.offsets)[first], -sums["loops"], -sums["time"]])
        order = np.lexsort(keys)
        if len(order) > top:  # all that are as good as the last one take part in the tie
            tied = (keys[:, order] == keys[:, order[top - 1], np.newaxis]).all(axis=0)
            order = order[: max(top, int(np.flatnonzero(tied)[-1]) + 1)]
        ranked = sorted(
            order.tolist(),
            key=lambda at: (*keys[::-1, at].tolist(), _key(self._path(int(first[at])))),
        )
        return np.array(ranked[:top], np.int64)

    def _path(self, row: int) -> tuple[Label | None, ...]:
        codes = self.codes[self.offsets[row] : self.offsets[row + 1]]
        names = Codes(codes, self.labels).to_list()
        return tuple(names) if len(names) > 1 else (names[0], CUT, names[0])


def _loops(journeys: Journeys, column: Codes) -> tuple[IntArray, IntArray]:
    """The first and the last row of every loop, in order of the last."""
    journey = segment_ids(journeys.offsets)
    key = journey * column.slots + column.codes
    order = np.argsort(key, kind="stable")
    same = np.flatnonzero(key[order[1:]] == key[order[:-1]])
    begin, end = order[same], order[same + 1]
    by_end = np.argsort(end, kind="stable")
    return begin[by_end], end[by_end]


def _key(path: tuple[Label | None, ...]) -> list[tuple[bool, str]]:
    return [(label is None, str(label)) for label in path]
