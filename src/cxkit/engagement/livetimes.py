"""Times and columns as live scores take them."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxkit.core.codes import Codes
from cxkit.core.spans import FIRST_US, LAST_US
from cxkit.errors import DataError

__all__ = ["checked_us", "plain_list", "whole_ticks"]


def checked_us(time_us: Any) -> int:
    """A whole number of microseconds within the years 1900 to 2200.

    Raises:
        DataError: It is none.
    """
    try:
        us = operator.index(time_us)
    except TypeError:
        raise DataError(f"time_us is whole microseconds since 1970; found {time_us!r}") from None
    if not FIRST_US <= us <= LAST_US:
        raise DataError(f"time_us={us} lies outside the years 1900 to 2200")
    return us


def whole_ticks(time_us: Any) -> NDArray[np.int64]:
    """(n,) microseconds within the years 1900 to 2200.

    Raises:
        DataError: One is none.

    Example:
        >>> whole_ticks(np.array(["1970-01-01T00:00:01"], "datetime64[s]")).tolist()
        [1000000]
    """
    given = np.asarray(time_us)
    if given.ndim == 1 and given.dtype.kind == "M" and not np.isnat(given).any():
        given = given.astype("datetime64[us]").view(np.int64)
    elif given.ndim == 1 and not len(given):
        given = np.zeros(0, np.int64)
    elif given.ndim != 1 or given.dtype.kind not in "iu":
        raise DataError(f"time_us is a column of whole microseconds since 1970; found {time_us!r}")
    if len(given) and not (given.min() >= FIRST_US and given.max() <= LAST_US):
        raise DataError("a time of time_us lies outside the years 1900 to 2200")
    return given.astype(np.int64, copy=False)


def plain_list(column: Any) -> list[Any]:
    """A column as a list of Python values."""
    if isinstance(column, (np.ndarray, Codes)):
        return column.tolist() if isinstance(column, np.ndarray) else column.to_list()
    return list(column)
