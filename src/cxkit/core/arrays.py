"""Small things about numpy arrays that several rooms need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["IntArray", "freeze", "rebuild", "smallest_unsigned"]

IntArray = NDArray[np.int64]


def freeze(array: NDArray[Any]) -> NDArray[Any]:
    """A read-only view of ``array``; the caller's own array stays as writable as it was.

    Typed loosely so that attrs can use it as the converter of a field of any dtype.
    """
    view = array.view()
    view.flags.writeable = False
    return view


def rebuild(cls: type[Any], values: Mapping[str, Any]) -> Any:
    """Make an object from its fields by name; pickle, which brings arrays back writable, calls it.

    Example:
        >>> rebuild(dict, {"a": np.arange(2)})["a"].flags.writeable
        False
    """
    return cls(**{k: freeze(v) if isinstance(v, np.ndarray) else v for k, v in values.items()})


def smallest_unsigned(largest: int) -> np.dtype[np.unsignedinteger[Any]]:
    """The narrowest unsigned dtype that holds ``largest``.

    Example:
        >>> smallest_unsigned(255), smallest_unsigned(256)
        (dtype('uint8'), dtype('uint16'))
    """
    return np.min_scalar_type(largest)
