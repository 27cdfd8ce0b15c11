"""Small things about numpy arrays that several rooms need."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["IntArray", "freeze", "smallest_unsigned"]

IntArray = NDArray[np.int64]

ArrayT = TypeVar("ArrayT", bound=NDArray[Any])


def freeze(array: ArrayT) -> ArrayT:
    """A read-only view of ``array``; the caller's own array stays as writable as it was."""
    view = array.view()
    view.flags.writeable = False
    return view  # type: ignore[return-value]  # a view of an ArrayT is an ArrayT


def smallest_unsigned(largest: int) -> np.dtype[np.unsignedinteger[Any]]:
    """The narrowest unsigned dtype that holds ``largest``.

    Example:
        >>> smallest_unsigned(255), smallest_unsigned(256)
        (dtype('uint8'), dtype('uint16'))
    """
    return np.min_scalar_type(largest)
