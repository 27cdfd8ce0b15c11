"""Summaries of cells: a label, or a pair of labels, with counts in every shard.

A table of all pairs of labels in all shards has (K + 2)^2 times 64 cells, which is nothing for 50
labels and far too much for 10,000. So only cells that hold something are kept, in order of their
labels; while counting, a dense table is used where that is smaller than the data.
"""

from __future__ import annotations

from typing import Any, Final, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, smallest_unsigned
from cxkit.core.codes import Vocabulary
from cxkit.core.factorize import used_numbers
from cxkit.core.summary import AXIS, SHARDS, total
from cxkit.model.summaries import JourneySummary

__all__ = ["CellCounts", "CellSummary", "cells_of", "cells_of_keys", "spread", "starts"]

_SHARD_BITS: Final = (SHARDS - 1).bit_length()
_DENSE_BINS: Final = 1 << 23
_PENDING: Final = 1 << 22
_OF_CELLS: Final = (total("cell"), total("cell", "step"))


@attrs.frozen(eq=False, repr=False)
class CellSummary(JourneySummary):
    """Totals of cells, per shard.

    A subclass adds its totals with ``total("cell")``, or ``total("cell", "step")`` for several
    numbers per cell.

    Attributes:
        labels: The K labels that occur.
        codes: (R, D) the D labels of each row's cell: K is missing, K + 1 the edge of a journey.
        shard: (R,) the shard that the row counts for. Rows are in order of (codes, shard).
    """

    labels: Vocabulary = attrs.field(kw_only=True, metadata=AXIS)
    codes: NDArray[Any] = attrs.field(kw_only=True, metadata=total("cell", "place"))
    shard: NDArray[np.uint8] = attrs.field(kw_only=True, metadata=total("cell"))

    def __len__(self) -> int:
        """R, the number of rows."""
        return len(self.shard)

    def _merged(self, other: Self) -> dict[str, Any]:
        labels = self.labels.union(other.labels)
        keys = np.concatenate([self._keys(labels), other._keys(labels)])
        # Both halves are sorted as a rule, and a stable sort merges two runs in one pass.
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        first = starts(keys)
        merged = self._rows(keys[first], labels)
        for field in self.fields("total"):
            if field.name in merged:
                continue
            mine, theirs = getattr(self, field.name), getattr(other, field.name)
            if field.metadata in _OF_CELLS:
                both = np.concatenate([mine, theirs])[order]
                merged[field.name] = np.add.reduceat(both, first) if len(first) else both
            else:
                merged[field.name] = mine + theirs
        return merged

    def occupied(self) -> NDArray[np.bool_]:
        """(SHARDS,) which shards hold anything at all."""
        seen = used_numbers(self.shard, SHARDS)
        for field in self.fields("total"):
            if field.metadata == total("shard"):
                seen |= getattr(self, field.name) != 0
        return seen

    def _rows(self, keys: IntArray, labels: Vocabulary) -> dict[str, Any]:
        """The fields that say which cells there are, from sorted keys ``cell << 6 | shard``."""
        return cells_of_keys(keys, labels, self.codes.shape[1])

    def _cells(self, labels: Vocabulary) -> IntArray:
        """(R,) the number of each row's cell, over united labels."""
        table = np.append(self.labels.positions_in(labels), len(labels) + 1)
        cells = np.zeros(len(self), np.int64)
        for place in range(self.codes.shape[1]):
            cells *= len(labels) + 2
            cells += table[self.codes[:, place]]
        return cells

    def _keys(self, labels: Vocabulary) -> IntArray:
        """(R,) the key of each row, over united labels."""
        return (self._cells(labels) << _SHARD_BITS) | self.shard


class CellCounts:
    """Counts of cells in shards: dense where that is smaller than the data, sorted elsewhere.

    Args:
        cells: Cells are numbered below this.
        rows: How many there will be to count, roughly.
    """

    __slots__ = ("_cells", "_dense", "_found", "_pending", "_waiting")

    def __init__(self, cells: int, rows: int) -> None:
        bins = cells * SHARDS
        small = bins <= _DENSE_BINS and bins <= 4 * rows
        self._cells = cells
        self._dense = np.zeros(bins, np.int64) if small else None
        self._pending: list[IntArray] = []
        self._waiting = 0
        self._found: list[tuple[IntArray, IntArray]] = []

    def add(self, cells: NDArray[Any], shard: NDArray[np.integer[Any]]) -> None:
        """Count every cell once more.

        Args:
            cells: (n,) unsigned numbers of cells.
            shard: (n,) the shard that each counts for.
        """
        if self._dense is not None:
            at = shard.astype(np.intp)
            at *= self._cells
            at += cells
            # With a plain index and a scalar this has a fast path in numpy; bincount would make a
            # whole table for every chunk.
            np.add.at(self._dense, at, 1)
            return
        self._pending.append((cells.astype(np.int64) << _SHARD_BITS) | shard)
        self._waiting += len(cells)
        if self._waiting >= _PENDING:
            self._fold()

    @classmethod
    def merged(cls, parts: list[CellCounts]) -> CellCounts:
        """What several counters of the same cells counted together."""
        whole = cls(parts[0]._cells, 0)  # noqa: SLF001  # its own class
        dense = [part._dense for part in parts if part._dense is not None]  # noqa: SLF001
        if len(dense) == len(parts):
            whole._dense = sum(dense[1:], start=dense[0])
        else:
            whole._dense, whole._found = None, [part.found() for part in parts]
        return whole

    def found(self) -> tuple[IntArray, IntArray]:
        """The keys ``cell << 6 | shard`` that came, sorted, and how often each did."""
        if self._dense is not None:
            table = self._dense.reshape(SHARDS, self._cells).T.ravel()
            keys = np.flatnonzero(table)
            return keys, table[keys]
        self._fold()
        keys = np.concatenate([k for k, _ in self._found])
        counts = np.concatenate([c for _, c in self._found])
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        first = starts(keys)
        return keys[first], np.add.reduceat(counts[order], first) if len(first) else counts

    def _fold(self) -> None:
        keys = np.concatenate([np.zeros(0, np.int64), *self._pending])
        keys.sort()
        first = starts(keys)
        self._found.append((keys[first], np.diff(first, append=len(keys))))
        self._pending, self._waiting = [], 0


def cells_of_keys(keys: IntArray, labels: Vocabulary, places: int) -> dict[str, Any]:
    """The fields of a :class:`CellSummary` from its sorted keys ``cell << 6 | shard``.

    Labels that no cell has are dropped: journeys that were taken from others still know all of
    their labels, and what is counted must not depend on that.

    Args:
        keys: (R,) keys; a cell is a code, or ``code * (K + 2) + code``.
        labels: The K labels.
        places: D, the number of codes of a cell.
    """
    slots = len(labels) + 2
    codes = np.empty((len(keys), places), np.int64)
    left = keys >> _SHARD_BITS
    for place in reversed(range(places)):
        # Not np.divmod, which divides number by number; // by a scalar is vectorised.
        whole = left // slots
        codes[:, place] = left - whole * slots
        left = whole
    used = np.zeros(slots, dtype=bool)
    used[codes] = True
    used[-2:] = True  # missing and the edge keep their places after the labels
    table = (np.cumsum(used) - 1).astype(smallest_unsigned(slots - 1))
    kept = labels.kept(used[:-2])
    codes = table.astype(smallest_unsigned(len(kept) + 1))[codes]
    shard = (keys & (SHARDS - 1)).astype(np.uint8)
    return {"labels": kept, "codes": codes, "shard": shard}


def cells_of(
    codes: NDArray[Any], shard: NDArray[np.integer[Any]]
) -> tuple[IntArray, NDArray[np.intp]]:
    """The cells of rows with one label each, and the cell of every row.

    Args:
        codes: (n,) the labels.
        shard: (n,) the shards.

    Returns:
        (R,) keys for :func:`cells_of_keys`, and (n,) places among them.

    Example:
        >>> [x.tolist() for x in cells_of(np.array([1, 0, 1]), np.array([5, 5, 5]))]
        [[5, 69], [1, 0, 1]]
    """
    keys, cell = np.unique(
        (codes.astype(np.int64) << _SHARD_BITS) | shard.astype(np.int64), return_inverse=True
    )
    return keys, cell


def spread(values: IntArray, shard: NDArray[np.uint8], bounds: IntArray) -> IntArray:
    """(SHARDS, n) the values of n cells in every shard.

    Args:
        values: (R,) values of a :class:`CellSummary`.
        shard: (R,) their shards.
        bounds: (n + 1,) cell ``i`` is the rows ``bounds[i]:bounds[i + 1]``.
    """
    cells = np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))
    rows = slice(bounds[0], bounds[-1])
    out = np.zeros((SHARDS, len(bounds) - 1), np.int64)
    # One flat index: numpy has no fast path for a pair of them.
    cells += shard[rows].astype(np.int64) * out.shape[1]
    out.reshape(-1)[cells] = values[rows]
    return out


def starts(values: NDArray[Any]) -> IntArray:
    """Where each run of equal values begins.

    Example:
        >>> starts(np.array([7, 7, 9])).tolist()
        [0, 2]
    """
    begins = np.ones(len(values), dtype=bool)
    np.not_equal(values[1:], values[:-1], out=begins[1:])
    return np.flatnonzero(begins)
