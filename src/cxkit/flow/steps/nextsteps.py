"""Transitions: what comes next after what."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze, smallest_unsigned
from cxkit.core.codes import Codes, Label, Vocabulary
from cxkit.core.intervals import divide, share_interval
from cxkit.core.ragged import chunks, segment_sum
from cxkit.core.result import Result
from cxkit.core.rows import PIECE
from cxkit.core.summary import PARAMETER, total
from cxkit.core.threads import in_parts
from cxkit.errors import DefinitionError
from cxkit.flow.cells import CellCounts, CellSummary, cells_of_keys, spread, starts
from cxkit.flow.paths import few_customers
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys

__all__ = ["TransitionTable", "Transitions", "transitions"]

_PAIRS_AT_ONCE: Final = 16_384
_LARGEST_MATRIX: Final = 4096


def transitions(
    journeys: Journeys | Journey, by: str = "event", *, level: float = 0.95
) -> TransitionTable:
    """How often each label comes directly after each other label, within journeys.

    Args:
        journeys: The journeys; cut them into sessions first to look within visits only.
        by: A column of labels. A missing label counts as a label of its own.
        level: Of the intervals.

    Raises:
        SchemaError: There is no such column, or it holds numbers.

    Example:
        >>> journeys = Journeys.from_table(
        ...     {
        ...         "who": [1, 1, 1, 2, 2],
        ...         "sec": [1, 2, 3, 1, 2],
        ...         "what": ["view", "view", "buy", "view", "buy"],
        ...     },
        ...     customer="who",
        ...     time="sec",
        ...     event="what",
        ...     time_unit="s",
        ... )
        >>> [(row["from"], row["to"], row["count"]) for row in transitions(journeys).to_dicts()]
        [('view', 'buy', 2), ('view', 'view', 1)]
    """
    return Transitions.of(journeys, by=by).result(level=level)


@attrs.frozen(eq=False, repr=False)
class Transitions(CellSummary):
    """Counts of next steps, as a summary that adds up.

    Attributes:
        by: The column.
        codes: (R, 2) from and to. ``K + 1`` is the edge of a journey: what a journey begins with
            comes from it, what it ends with goes to it.
        count: (R,) how often, in the row's shard.

    Example:
        >>> Transitions.of(Journeys.empty(), by="channel").count.sum()
        np.int64(0)
    """

    by: str = attrs.field(kw_only=True, metadata=PARAMETER)
    count: IntArray = attrs.field(kw_only=True, metadata=total("cell"))

    @classmethod
    def of(cls, journeys: Journeys | Journey, /, *, by: str = "event") -> Self:
        """Count.

        Args:
            journeys: The journeys.
            by: A column of labels.

        Raises:
            SchemaError: There is no such column, or it holds numbers.
        """
        many = as_journeys(journeys)
        column = many.codes(by)
        keys, counts = _count_pairs(many, column)
        return cls(by=by, count=counts, **cells_of_keys(keys, column.vocabulary, 2))

    def result(self, *, level: float = 0.95) -> TransitionTable:
        """Shares of all next steps from a label, with intervals; most frequent pairs first."""
        edge = len(self.labels) + 1
        source, target = np.ascontiguousarray(self.codes.T)
        # Rows are in order of codes, and the edge is the last code of all.
        left = int(np.searchsorted(source, edge))
        first = np.bincount(target[left:], self.count[left:], edge).astype(np.int64)
        end = target[:left] == target.dtype.type(edge)
        last_rows, inner = np.flatnonzero(end), np.flatnonzero(~end)
        last = np.bincount(source[last_rows], self.count[last_rows], edge).astype(np.int64)
        pair, count, share, low, high = _shares(
            source[inner],
            target[inner],
            self.shard[inner],
            self.count[inner],
            self.occupied(),
            level,
        )
        order = np.argsort(-count, kind="stable")  # pairs of one count stay in order of labels
        return TransitionTable(
            by=self.by,
            labels=self.labels,
            source=pair[order, 0],
            target=pair[order, 1],
            count=count[order],
            share=share[order],
            share_low=low[order],
            share_high=high[order],
            first=first,
            last=last,
        )


@attrs.frozen(eq=False, repr=False, kw_only=True)
class TransitionTable(Result):
    """How often each label comes directly after each other: one row per pair that occurs.

    Attributes:
        by: The column that was counted.
        labels: The K labels.
        source: (P,) codes of the labels that are left; K is missing.
        target: (P,) codes of the labels that follow.
        count: (P,) how often, most frequent first.
        share: (P,) of all steps on from the same label. The end of a journey is no step.
        share_low: (P,) low end of its interval; NaN for too few customers.
        share_high: (P,) high end.
        first: (K + 1,) journeys that begin with each label; the last slot is missing.
        last: (K + 1,) journeys that end with each label.
    """

    by: str
    labels: Vocabulary
    source: NDArray[Any] = attrs.field(converter=freeze)
    target: NDArray[Any] = attrs.field(converter=freeze)
    count: IntArray = attrs.field(converter=freeze)
    share: NDArray[np.float64] = attrs.field(converter=freeze)
    share_low: NDArray[np.float64] = attrs.field(converter=freeze)
    share_high: NDArray[np.float64] = attrs.field(converter=freeze)
    first: IntArray = attrs.field(converter=freeze)
    last: IntArray = attrs.field(converter=freeze)

    def __len__(self) -> int:
        """P, the number of pairs."""
        return len(self.count)

    def columns(self) -> Mapping[str, Any]:
        """One row per pair; a missing label is ``None``."""
        return {
            "from": Codes(self.source, self.labels).to_list(),
            "to": Codes(self.target, self.labels).to_list(),
            "count": self.count,
            "share": self.share,
            "share_low": self.share_low,
            "share_high": self.share_high,
        }

    def matrix(self) -> tuple[list[Label | None], IntArray]:
        """The counts as a matrix: labels, ``None`` for missing last, and (K + 1, K + 1) counts.

        Row: the label that is left. Column: the label that follows.

        Raises:
            DefinitionError: There are too many labels for a matrix of all pairs.
        """
        slots = len(self.labels) + 1
        if slots > _LARGEST_MATRIX:
            raise DefinitionError(
                f"{slots - 1:,} labels are too many for a matrix of all pairs (at most "
                f"{_LARGEST_MATRIX - 1:,}); columns() lists the {len(self):,} pairs that occur"
            )
        counts = np.zeros((slots, slots), np.int64)
        counts[self.source, self.target] = self.count
        return [*self.labels, None], freeze(counts)

    def title(self) -> str:
        """How many steps there are."""
        steps, journeys = int(self.count.sum()), int(self.first.sum())
        return f"transitions by {self.by}: {steps:,} steps in {journeys:,} journeys"

    def notes(self) -> tuple[str, ...]:
        """What the share is a share of."""
        told = "share: of all steps on from the same label, ends of journeys not counted"
        return (told, *few_customers(self.share_low))


def _count_pairs(journeys: Journeys, column: Codes) -> tuple[IntArray, IntArray]:
    """Keys of cells and their counts: every pair, and both edges of each journey."""
    parts = in_parts(partial(_count_part, journeys, column), journeys.offsets)
    return CellCounts.merged(parts).found()


def _count_part(journeys: Journeys, column: Codes, begin: int, end: int) -> CellCounts:
    """The pairs of the journeys ``begin:end``."""
    offsets, codes, shard = journeys.offsets, column.codes, journeys.row_shards
    slots, edge = column.slots + 1, column.slots
    counts = CellCounts(slots * slots, int(offsets[end] - offsets[begin]))
    # The narrowest numbers that hold a pair: half of the time goes into moving them.
    pair = smallest_unsigned(slots * slots)
    for j0, j1, e0, e1 in chunks(offsets, PIECE, within=(begin, end)):
        source = codes[e0:e1].astype(pair)
        cell = np.empty_like(source)
        cell[:-1] = source[1:]
        cell[offsets[j0 + 1 : j1 + 1] - (e0 + 1)] = edge
        entry = source[offsets[j0:j1] - e0] + pair.type(edge * slots)
        source *= pair.type(slots)
        cell += source
        counts.add(cell, shard[e0:e1])
        counts.add(entry, shard[offsets[j0:j1]])
    return counts


def _shares(
    source: NDArray[Any],
    target: NDArray[Any],
    shard: NDArray[np.uint8],
    count: IntArray,
    occupied: NDArray[np.bool_],
    level: float,
) -> tuple[NDArray[Any], IntArray, NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Pairs, counts, shares of their source, and the ends of the intervals; rows are sorted."""
    begins = np.ones(len(source), dtype=bool)
    np.not_equal(target[1:], target[:-1], out=begins[1:])
    begins[1:] |= source[1:] != source[:-1]
    rows = np.flatnonzero(begins)
    bounds = np.append(rows, len(source))
    pair = np.stack([source[rows], target[rows]], axis=1)
    sources = np.append(starts(pair[:, 0]), len(pair))  # (S + 1,) pairs that leave each label
    total_count = segment_sum(count, bounds)
    share, low, high = (np.empty(len(pair)) for _ in range(3))
    # All shards of all pairs at once could be gigabytes: some sources at a time.
    for s0, s1, p0, p1 in chunks(sources, _PAIRS_AT_ONCE):
        part = spread(count, shard, bounds[p0 : p1 + 1])
        leaving = np.add.reduceat(part, sources[s0:s1] - p0, axis=1)
        whole = np.repeat(leaving, np.diff(sources[s0 : s1 + 1]), axis=1)
        share[p0:p1] = divide(part.sum(axis=0), whole.sum(axis=0))
        low[p0:p1], high[p0:p1] = share_interval(part, whole, occupied, level=level)
    return pair, total_count, share, low, high
