"""Live scores as bytes: the scale and the customers in the header, three arrays after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cxkit.core import packing
from cxkit.core.codes import Label

__all__ = ["pack", "unpack"]

_SCHEMA: Final = "cxkit/live-scores/1"
_WHAT: Final = "live scores"
_ARRAYS: Final[dict[str, Any]] = {"score": np.float64, "time": np.int64, "flags": np.uint64}


def pack(scale: dict[str, Any], customers: list[Label], arrays: Sequence[NDArray[Any]]) -> bytes:
    """The bytes of a scale and the state of its customers.

    Args:
        scale: The scale as plain data.
        customers: The n customers.
        arrays: Scores, times in microseconds and flags, each (n,).
    """
    plain = [who if isinstance(who, str) else int(who) for who in customers]
    named = {k: a.astype(t) for (k, t), a in zip(_ARRAYS.items(), arrays, strict=True)}
    return packing.pack(_SCHEMA, {"scale": scale, "customers": plain}, named)


def unpack(data: bytes) -> tuple[Any, list[Label], list[NDArray[Any]]]:
    """The scale, the customers and the arrays that :func:`pack` wrote.

    Raises:
        DataError: The bytes are not those of live scores, or are damaged or cut short.
    """
    header, arrays = packing.unpack(data, _SCHEMA, _WHAT)
    try:
        scale, customers = header["scale"], list(header["customers"])
        state = [arrays[name] for name in _ARRAYS]
    except (KeyError, TypeError):
        raise packing.damaged(_WHAT) from None
    for array, dtype in zip(state, _ARRAYS.values(), strict=True):
        if array.dtype != dtype or array.shape != (len(customers),):
            raise packing.damaged(_WHAT)
    return scale, customers, state
