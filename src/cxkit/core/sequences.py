"""Summaries whose rows are sequences of labels, such as the distinct paths of customers."""

from __future__ import annotations

from typing import Any, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, smallest_unsigned
from cxkit.core.codes import Vocabulary
from cxkit.core.ragged import take_codes
from cxkit.core.summary import AXIS, SHARDS, Summary, total
from cxkit.core.uniques import unique_sequences

__all__ = ["SequenceSummary", "count_sequences"]


@attrs.frozen(eq=False, repr=False)
class SequenceSummary(Summary):
    """Totals of distinct sequences, per shard.

    A subclass adds its totals with ``total("sequence")`` and its parameters.

    Attributes:
        labels: The K labels.
        offsets: (S + 1,) sequence s is ``codes[offsets[s]:offsets[s + 1]]``; none is empty.
        codes: labels of the sequences, as codes.
        shard: (S,) the shard that the row counts for.
    """

    labels: Vocabulary = attrs.field(kw_only=True, metadata=AXIS)
    offsets: IntArray = attrs.field(kw_only=True, metadata=total("bound"))
    codes: NDArray[Any] = attrs.field(kw_only=True, metadata=total("place"))
    shard: NDArray[np.uint8] = attrs.field(kw_only=True, metadata=total("sequence"))

    def _merged(self, other: Self) -> dict[str, Any]:
        labels = self.labels.union(other.labels)
        codes = np.concatenate([self._over(labels), other._over(labels)])
        offsets = np.concatenate([self.offsets, other.offsets[1:] + self.offsets[-1]])
        shard = np.concatenate([self.shard, other.shard])
        rows, first, group = _distinct(offsets, codes, shard)
        merged: dict[str, Any] = {"labels": labels, **rows}
        for field in self.fields("total"):
            if field.name in rows:
                continue
            parts = getattr(self, field.name), getattr(other, field.name)
            if field.metadata == total("sequence"):
                merged[field.name] = _add_groups(np.concatenate(parts), group, len(first))
            else:
                merged[field.name] = parts[0] + parts[1]
        return merged

    def __len__(self) -> int:
        """Rows: distinct pairs of a sequence and a shard."""
        return len(self.shard)

    def occupied(self) -> NDArray[np.bool_]:
        """(SHARDS,) which shards hold anything at all."""
        seen = np.zeros(SHARDS, dtype=bool)
        seen[self.shard] = True
        for field in self.fields("total"):
            if field.metadata == total("shard"):
                seen |= getattr(self, field.name) != 0
        return seen

    def _over(self, labels: Vocabulary) -> NDArray[Any]:
        table = self.labels.positions_in(labels).astype(smallest_unsigned(len(labels)))
        return np.asarray(table[self.codes])


def count_sequences(
    offsets: IntArray,
    codes: NDArray[Any],
    shard: NDArray[np.integer[Any]],
    totals: dict[str, NDArray[Any]],
) -> dict[str, Any]:
    """The fields of a :class:`SequenceSummary` from sequences that may repeat.

    Args:
        offsets: (J + 1,) the sequences, none empty.
        codes: (E,) their codes.
        shard: (J,) the shard of each.
        totals: name -> (J,) what each sequence adds.
    """
    rows, first, group = _distinct(offsets, codes, shard)
    return {**rows, **{name: _add_groups(t, group, len(first)) for name, t in totals.items()}}


def _distinct(
    offsets: IntArray, codes: NDArray[Any], shard: NDArray[np.integer[Any]]
) -> tuple[dict[str, Any], IntArray, IntArray]:
    first, group = unique_sequences(offsets, codes, shard)
    new, taken = take_codes(offsets, codes, first)
    return {"offsets": new, "codes": taken, "shard": shard[first].astype(np.uint8)}, first, group


def _add_groups(values: NDArray[Any], group: IntArray, groups: int) -> NDArray[Any]:
    if values.dtype.kind == "f":
        return np.bincount(group, values, groups)
    # Counts stay whole: sums of doubles are exact only up to 2**53.
    out = np.zeros(groups, values.dtype)
    np.add.at(out, group, values)
    return out
