"""The one byte format: a magic, the length of a JSON header, the header, and arrays.

The header names the schema and the arrays, which follow one another as little-endian numbers.
Pickle is never read, and nothing that is read is believed before its size was checked.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cxkit.errors import DataError

__all__ = ["damaged", "pack", "unpack"]

_MAGIC: Final = b"CXB1"
_START: Final = len(_MAGIC) + 8
_KINDS: Final = "biuf"


def pack(schema: str, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """The bytes of a state.

    Args:
        schema: What it is the state of, and in which version, such as ``"cxkit/identity/1"``.
        header: Plain data, without the names ``schema`` and ``arrays``.
        arrays: Arrays of numbers by name, of any shape.

    Example:
        >>> data = pack("example/1", {"note": "hi"}, {"a": np.arange(3)})
        >>> header, arrays = unpack(data, "example/1", "example")
        >>> header["note"], arrays["a"].tolist()
        ('hi', [0, 1, 2])
    """
    entries, blobs = [], []
    for name, array in arrays.items():
        little = np.ascontiguousarray(array)
        little = little.astype(little.dtype.newbyteorder("<"), copy=False)
        entries.append([name, little.dtype.str, list(array.shape)])
        blobs.append(little.tobytes())
    text = json.dumps({**header, "schema": schema, "arrays": entries}).encode("ascii")
    return b"".join([_MAGIC, struct.pack("<Q", len(text)), text, *blobs])


def unpack(data: bytes, schema: str, what: str) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """The header and the arrays that :func:`pack` wrote.

    Args:
        data: The bytes.
        schema: The schema they must have.
        what: What they are to be, for the error: "identity", "live scores".

    Raises:
        DataError: The bytes are of something else, or are damaged or cut short.
    """
    if data[: len(_MAGIC)] != _MAGIC:
        raise DataError(f"these bytes are no {what}; they begin with {data[:4]!r}")
    if len(data) < _START:
        raise damaged(what)
    (size,) = struct.unpack("<Q", data[len(_MAGIC) : _START])
    try:
        header = json.loads(data[_START : _START + size])
    except ValueError:
        raise damaged(what) from None
    if not isinstance(header, dict):
        raise damaged(what)
    if header.get("schema") != schema:
        raise DataError(
            f"these bytes are of another schema than {schema!r}: {header.get('schema')!r}"
        )
    try:
        return header, _arrays(header["arrays"], data, _START + size)
    except (KeyError, TypeError, ValueError, OverflowError):
        raise damaged(what) from None


def damaged(what: str) -> DataError:
    """The error that says so; also for those who find a contradiction in what was unpacked."""
    return DataError(f"the bytes given for {what} are damaged or cut short")


def _arrays(entries: list[Any], data: bytes, at: int) -> dict[str, NDArray[Any]]:
    """Raises ValueError where an entry cannot be true."""
    arrays: dict[str, NDArray[Any]] = {}
    for name, kind, shape in entries:
        dtype, count = np.dtype(kind), math.prod(shape)
        if dtype.kind not in _KINDS or min(shape, default=0) < 0:
            raise ValueError(name)
        array = np.frombuffer(data, dtype, count, at).reshape(shape)
        arrays[name] = array.astype(dtype.newbyteorder("="))
        at += array.nbytes
    if at != len(data):
        raise ValueError(at)
    return arrays
