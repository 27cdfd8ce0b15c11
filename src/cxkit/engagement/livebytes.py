"""Live scores as bytes: the scale and the customers in the header, arrays after it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cxkit.core import packing
from cxkit.core.codes import Label

__all__ = ["damaged", "pack", "unpack"]

_SCHEMA: Final = "cxkit/live-scores/2"
_WHAT: Final = "live scores"
_FIELDS: Final = {"scale": dict, "too_late": int, "customers": list}


def pack(
    header: Mapping[str, Any], customers: list[Label], arrays: Mapping[str, NDArray[Any]]
) -> bytes:
    """The bytes of a scale and the state of its customers.

    Args:
        header: Plain data: the kind, the scale, the tolerance and whatever else.
        customers: The n customers.
        arrays: ``ints`` (n, W) and ``cells`` (n, C), and others.
    """
    plain = [who if isinstance(who, str) else int(who) for who in customers]
    return packing.pack(_SCHEMA, {**header, "customers": plain}, arrays)


def unpack(
    data: bytes, kinds: Collection[str]
) -> tuple[dict[str, Any], list[Label], dict[str, NDArray[Any]]]:
    """The header, the customers and the arrays that :func:`pack` wrote.

    Raises:
        DataError: The bytes are not those of live scores, or are damaged or cut short.
    """
    header, arrays = packing.unpack(data, _SCHEMA, _WHAT)
    tolerance = header.get("tolerance_us")
    sound = (
        header.get("kind") in kinds
        and all(isinstance(header.get(name), kind) for name, kind in _FIELDS.items())
        and (tolerance is None or (isinstance(tolerance, int) and tolerance >= 0))
        and arrays.get("ints", np.zeros(0)).dtype == np.int64
        and arrays.get("cells", np.zeros(0, np.int8)).dtype == np.float64
    )
    customers = header.get("customers", [])
    if not sound or len(set(customers)) != len(customers):
        raise damaged()
    return header, customers, arrays


def damaged() -> Exception:
    """The error that says so."""
    return packing.damaged(_WHAT)
