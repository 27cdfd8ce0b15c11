"""What a live score keeps of its customers: rows of numbers, a name for most of them.

Every customer has a row of whole numbers and one of sums. They lie in two arrays and are read
through memoryviews: one element of an array costs ten times as much by indexing.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.batches import check_customer
from cxkit.core.codes import Label

__all__ = ["NEVER", "LiveState"]

NEVER: Final = -(1 << 62)
"""Long before all times."""

_SMALLEST: Final = 16


class LiveState:
    """Rows for customers, found by name; rows that are free again are used again."""

    __slots__ = ("_blank", "_free", "_rows", "_size", "_slots", "_text", "cells", "ints", "width")

    def __init__(self, blank: list[int], cells: int) -> None:
        """Begin without customers.

        Args:
            blank: (W,) the whole numbers of a customer who has done nothing yet.
            cells: C, how many sums a customer has.
        """
        self._blank = blank
        self.width: int = len(blank)
        self._size = 0
        self._slots: dict[Label, int] = {}
        # Not asked of the first key of the dict, which takes long to find after many removals.
        self._text = False
        self._free: list[int] = []
        self._rows: tuple[IntArray, NDArray[np.float64]]
        self.ints: Any
        self.cells: Any
        empty = np.zeros((_SMALLEST, len(blank)), np.int64)
        self._hold(empty, np.zeros((_SMALLEST, cells)))

    @property
    def slots(self) -> dict[Label, int]:
        """The row of each customer, in the order in which they were first seen."""
        return self._slots

    @property
    def text(self) -> bool | None:
        """Whether the customers are text; ``None`` where there are none."""
        return self._text if self._slots else None

    @property
    def nbytes(self) -> int:
        """Bytes of the rows in use."""
        ints, cells = self._rows
        return 8 * int(ints.shape[1] + cells.shape[1]) * (self._size - len(self._free))

    def add(self, customer: Label) -> int:
        """A row for a customer who was not seen before.

        Raises:
            DataError: It is no customer, or is text where the others are whole numbers, or the
                other way round.
        """
        check_customer(customer, text=self.text)
        self._text = isinstance(customer, str)
        row = self._slots[customer] = self.new_row()
        return row

    def new_row(self) -> int:
        """A blank row."""
        if self._free:
            row = self._free.pop()
        else:
            row = self._size
            self._size += 1
            if row >= len(self._rows[0]):
                ints, cells = self._rows
                self._hold(_doubled(ints), _doubled(cells))
        for place, number in enumerate(self._blank, start=row * self.width):
            self.ints[place] = number
        count = self._rows[1].shape[1]
        for place in range(row * count, row * count + count):
            self.cells[place] = 0.0
        return row

    def free_row(self, row: int) -> None:
        """Give a row back."""
        self._free.append(row)

    def copy_row(self, source: int, target: int) -> None:
        """Make one row equal to another."""
        for view, array in ((self.ints, self._rows[0]), (self.cells, self._rows[1])):
            width = array.shape[1]
            view[target * width : target * width + width] = view[
                source * width : source * width + width
            ]

    def remove(self, customer: Label) -> int | None:
        """Give back the row of a customer, and say which; ``None`` for one who was never seen."""
        row = self._slots.pop(customer, None)
        if row is not None:
            self.free_row(row)
        return row

    def take(self, rows: list[int]) -> tuple[IntArray, NDArray[np.float64]]:
        """(n, W) whole numbers and (n, C) sums of some rows."""
        at = np.array(rows, np.int64)
        return self._rows[0][at], self._rows[1][at]

    def put(self, rows: list[int], ints: IntArray, cells: NDArray[np.float64]) -> None:
        """Write what :meth:`take` gave."""
        at = np.array(rows, np.int64)
        self._rows[0][at], self._rows[1][at] = ints, cells

    def columns(self) -> tuple[IntArray, NDArray[np.float64]]:
        """The arrays themselves: all rows, used or not."""
        return self._rows

    def _hold(self, ints: IntArray, cells: NDArray[np.float64]) -> None:
        self._rows = ints, cells
        buffers: tuple[Any, Any] = ints, cells
        self.ints = memoryview(buffers[0]).cast("B").cast("q")
        self.cells = memoryview(buffers[1]).cast("B").cast("d")


def _doubled(array: NDArray[Any]) -> NDArray[Any]:
    wide = np.zeros((2 * len(array), array.shape[1]), array.dtype)
    wide[: len(array)] = array
    return wide
