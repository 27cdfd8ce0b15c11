"""The rows that customers have, as many as each has, as the flat arrays that bytes are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["pack_rows", "unpack_rows"]


def pack_rows(
    name: str, rows: Mapping[int, Iterable[tuple[Any, ...]]], kinds: Sequence[str]
) -> dict[str, NDArray[Any]]:
    """Rows of customers as flat arrays: ``name_slot`` and ``name_0``, ``name_1`` ...

    Args:
        name: What the rows are.
        rows: slot -> its rows of numbers.
        kinds: The dtype of each number of a row.

    Example:
        >>> [a.tolist() for a in pack_rows("open", {3: [(5, 7)]}, ["<i8", "<i8"]).values()]
        [[3], [5], [7]]
    """
    flat = [(slot, *row) for slot, own in sorted(rows.items()) for row in own]
    columns = zip(*flat, strict=True) if flat else ((),) * (len(kinds) + 1)
    slots, *numbers = (list(column) for column in columns)
    packed = {f"{name}_slot": np.array(slots, "<i8")}
    for place, (column, kind) in enumerate(zip(numbers, kinds, strict=True)):
        packed[f"{name}_{place}"] = np.array(column, kind)
    return packed


def unpack_rows(
    name: str, arrays: Mapping[str, NDArray[Any]], customers: int, width: int
) -> dict[int, list[Any]]:
    """The rows that :func:`pack_rows` packed.

    Args:
        name: What the rows are.
        arrays: The arrays of a state.
        customers: How many slots there are.
        width: How many numbers a row has.

    Raises:
        ValueError: A row belongs to no slot.
    """
    rows: dict[int, list[Any]] = {}
    columns = [arrays[f"{name}_{place}"].tolist() for place in range(width)]
    for slot, *row in zip(arrays[f"{name}_slot"].tolist(), *columns, strict=True):
        if not 0 <= slot < customers:
            raise ValueError(f"{name} of customer {slot} of {customers}")
        rows.setdefault(slot, []).append(tuple(row))
    return rows
