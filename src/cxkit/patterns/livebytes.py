"""Live engines as bytes: a magic, the length of a JSON header, the header, and arrays.

The header names the arrays, which follow one another as little-endian numbers. Pickle is never
read, and nothing that is read is believed before its size was checked.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cxkit.errors import DataError

__all__ = ["pack", "pack_rows", "unpack", "unpack_rows"]

_MAGIC: Final = b"CXP1"
_KINDS: Final = ("<i8", "<f8", "|u1")


def pack(schema: str, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """The bytes of a state.

    Args:
        schema: What it is the state of, and in which version.
        header: Plain data.
        arrays: Flat arrays of int64, float64 or uint8 by name.
    """
    little = {k: a.astype(a.dtype.newbyteorder("<"), copy=False) for k, a in arrays.items()}
    entries = [[name, array.dtype.str, len(array)] for name, array in little.items()]
    text = json.dumps({**header, "schema": schema, "arrays": entries}).encode("ascii")
    blobs = [array.tobytes() for array in little.values()]
    return b"".join([_MAGIC, struct.pack("<Q", len(text)), text, *blobs])


def unpack(data: bytes, schema: str, what: str) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """The header and the arrays that :func:`pack` wrote.

    Args:
        data: The bytes.
        schema: The schema they must have.
        what: What they are to be, for the error.

    Raises:
        DataError: The bytes are of something else, or are damaged or cut short.
    """
    damaged = DataError(f"the bytes of these {what} are damaged or cut short")
    start = len(_MAGIC) + 8
    if data[: len(_MAGIC)] != _MAGIC:
        raise DataError(f"these bytes are no {what}; they begin with {data[:4]!r}")
    if len(data) < start:
        raise damaged
    (size,) = struct.unpack("<Q", data[len(_MAGIC) : start])
    try:
        header = json.loads(data[start : start + size])
    except ValueError:
        raise damaged from None
    if not isinstance(header, dict) or header.get("schema") != schema:
        raise DataError(f"these bytes are of another schema than {schema!r}")
    at, arrays = start + size, {}
    for name, kind, count in header["arrays"]:
        if kind not in _KINDS or count < 0 or at + np.dtype(kind).itemsize * count > len(data):
            raise damaged
        array = np.frombuffer(data, kind, count, at)
        arrays[name] = array.astype(array.dtype.newbyteorder("="))
        at += array.nbytes
    if at != len(data):
        raise damaged
    return header, arrays


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
