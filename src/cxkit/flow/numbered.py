"""Summaries of numbered cells: one or two labels and a number, with a count in every shard.

The number is a step, or a bin of time. Only cells that hold something are kept, as in
:mod:`cxkit.flow.cells`, in order of their labels and then of their numbers.
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
from cxkit.flow.cells import starts
from cxkit.model.summaries import JourneySummary

__all__ = ["NUMBERS", "NumberedCells", "numbered_rows"]

NUMBERS: Final = 1 << 12
"""Numbers of cells are below this."""
_SHARD_BITS: Final = (SHARDS - 1).bit_length()


@attrs.frozen(eq=False, repr=False)
class NumberedCells(JourneySummary):
    """Counts of numbered cells, per shard.

    Attributes:
        labels: The K labels that occur.
        codes: (R, D) the labels of each row's cell: K is missing, K + 1 the edge of a journey.
        number: (R,) the number of the cell.
        shard: (R,) the shard that the row counts for.
        count: (R,) how often. Rows are in order of (codes, number, shard).
    """

    labels: Vocabulary = attrs.field(kw_only=True, metadata=AXIS)
    codes: NDArray[Any] = attrs.field(kw_only=True, metadata=total("cell", "place"))
    number: NDArray[np.uint16] = attrs.field(kw_only=True, metadata=total("cell"))
    shard: NDArray[np.uint8] = attrs.field(kw_only=True, metadata=total("cell"))
    count: IntArray = attrs.field(kw_only=True, metadata=total("cell"))

    def __len__(self) -> int:
        """R, the number of rows."""
        return len(self.shard)

    def _merged(self, other: Self) -> dict[str, Any]:
        labels = self.labels.union(other.labels)
        keys = np.concatenate([self._keys(labels), other._keys(labels)])
        order = np.argsort(keys, kind="stable")  # two sorted runs as a rule: one pass
        keys = keys[order]
        first = starts(keys)
        merged = numbered_rows(keys[first], labels, self.codes.shape[1])
        for field in self.fields("total"):
            if field.name in merged:
                continue
            mine, theirs = getattr(self, field.name), getattr(other, field.name)
            if field.metadata == total("cell"):
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

    def _keys(self, labels: Vocabulary) -> IntArray:
        """(R,) one number per row, over united labels."""
        table = np.append(self.labels.positions_in(labels), len(labels) + 1)
        keys = np.zeros(len(self), np.int64)
        for place in range(self.codes.shape[1]):
            keys *= len(labels) + 2
            keys += table[self.codes[:, place]]
        keys *= NUMBERS
        keys += self.number
        return (keys << _SHARD_BITS) | self.shard


def numbered_rows(keys: IntArray, labels: Vocabulary, places: int) -> dict[str, Any]:
    """The fields of :class:`NumberedCells`, without its counts, from sorted keys.

    Labels that no cell has are dropped, as everywhere.

    Args:
        keys: (R,) keys ``(cell * NUMBERS + number) << 6 | shard``; a cell is a code, or
            ``code * (K + 2) + code``.
        labels: The K labels.
        places: D, the number of codes of a cell.
    """
    slots = len(labels) + 2
    shard = (keys & (SHARDS - 1)).astype(np.uint8)
    left = keys >> _SHARD_BITS
    number = (left & (NUMBERS - 1)).astype(np.uint16)
    left >>= NUMBERS.bit_length() - 1
    codes = np.empty((len(keys), places), np.int64)
    for place in reversed(range(places)):
        whole = left // slots
        codes[:, place] = left - whole * slots
        left = whole
    used = np.zeros(slots, dtype=bool)
    used[codes] = True
    used[-2:] = True  # missing and the edge keep their places after the labels
    table = (np.cumsum(used) - 1).astype(smallest_unsigned(slots - 1))
    kept = labels if used.all() else Vocabulary(labels.labels[used[:-2]])
    codes = table.astype(smallest_unsigned(len(kept) + 1))[codes]
    return {"labels": kept, "codes": codes, "number": number, "shard": shard}
