"""Live scores as bytes: a magic, the length of a JSON header, the header, three arrays.

The arrays are little-endian and follow one another: (n,) float64 scores, (n,) int64 microseconds,
(n,) uint64 flags. Pickle is never read.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cxkit.core.codes import Label
from cxkit.errors import DataError

__all__ = ["pack", "unpack"]

_MAGIC: Final = b"CXL1"
_SCHEMA: Final = "cxkit/live-scores/1"
_KINDS: Final = ("<f8", "<i8", "<u8")
_DAMAGED: Final = "the bytes of these live scores are damaged or cut short"


def pack(scale: dict[str, Any], customers: list[Label], arrays: Sequence[NDArray[Any]]) -> bytes:
    """The bytes of a scale and the state of its customers.

    Args:
        scale: The scale as plain data.
        customers: The n customers.
        arrays: Scores, times and flags, each (n,).
    """
    plain = [who if isinstance(who, str) else int(who) for who in customers]
    header = {"schema": _SCHEMA, "scale": scale, "customers": plain}
    text = json.dumps(header).encode("ascii")
    blobs = [array.astype(kind).tobytes() for array, kind in zip(arrays, _KINDS, strict=True)]
    return b"".join([_MAGIC, struct.pack("<Q", len(text)), text, *blobs])


def unpack(data: bytes) -> tuple[Any, list[Label], list[NDArray[Any]]]:
    """The scale, the customers and the arrays that :func:`pack` wrote.

    Raises:
        DataError: The bytes are not those of live scores, or are damaged or cut short.
    """
    start = len(_MAGIC) + 8
    if data[: len(_MAGIC)] != _MAGIC:
        raise DataError(f"these bytes are no live scores; they begin with {data[:4]!r}")
    if len(data) < start:
        raise DataError(_DAMAGED)
    (size,) = struct.unpack("<Q", data[len(_MAGIC) : start])
    try:
        header = json.loads(data[start : start + size])
    except ValueError:
        raise DataError(_DAMAGED) from None
    if not isinstance(header, dict) or header.get("schema") != _SCHEMA:
        raise DataError(f"these bytes are of another schema than {_SCHEMA!r}")
    customers = header["customers"]
    count = len(customers)
    if len(data) != start + size + 8 * count * len(_KINDS):
        raise DataError(_DAMAGED)
    arrays = [
        np.frombuffer(data, kind, count, start + size + 8 * count * place)
        for place, kind in enumerate(_KINDS)
    ]
    return header["scale"], customers, [a.astype(a.dtype.newbyteorder("=")) for a in arrays]
