"""Summaries of numbered cells: one or two labels and a number, with a count in every shard.

The number is a step, or a bin of time. Only cells that hold something are kept, as in
:mod:`cxkit.flow.cells`, in order of their labels and then of their numbers.
"""

from __future__ import annotations

from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from cxkit.core.arrays import IntArray
from cxkit.core.codes import Vocabulary
from cxkit.core.summary import SHARDS, total
from cxkit.flow.cells import CellSummary, cells_of_keys

__all__ = ["NUMBERS", "NumberedCells", "numbered_rows"]

NUMBERS: Final = 1 << 12
"""Numbers of cells are below this."""
_SHARD_BITS: Final = (SHARDS - 1).bit_length()
_NUMBER_BITS: Final = (NUMBERS - 1).bit_length()


@attrs.frozen(eq=False, repr=False)
class NumberedCells(CellSummary):
    """Counts of numbered cells, per shard.

    Attributes:
        labels: The K labels that occur.
        codes: (R, D) the labels of each row's cell: K is missing, K + 1 the edge of a journey.
        number: (R,) the number of the cell.
        shard: (R,) the shard that the row counts for.
        count: (R,) how often. Rows are in order of (codes, number, shard).
    """

    number: NDArray[np.uint16] = attrs.field(kw_only=True, metadata=total("cell"))
    count: IntArray = attrs.field(kw_only=True, metadata=total("cell"))

    @override
    def _rows(self, keys: IntArray, labels: Vocabulary) -> dict[str, Any]:
        return numbered_rows(keys, labels, self.codes.shape[1])

    @override
    def _cells(self, labels: Vocabulary) -> IntArray:
        return (super()._cells(labels) << _NUMBER_BITS) | self.number


def numbered_rows(keys: IntArray, labels: Vocabulary, places: int) -> dict[str, Any]:
    """The fields of :class:`NumberedCells`, without its counts, from sorted keys.

    Args:
        keys: (R,) keys ``(cell * NUMBERS + number) << 6 | shard``; a cell is as for
            :func:`~cxkit.flow.cells.cells_of_keys`.
        labels: The K labels.
        places: D, the number of codes of a cell.
    """
    numbered = keys >> _SHARD_BITS
    cells = ((numbered >> _NUMBER_BITS) << _SHARD_BITS) | (keys & (SHARDS - 1))
    number = (numbered & (NUMBERS - 1)).astype(np.uint16)
    return {**cells_of_keys(cells, labels, places), "number": number}
