"""Numbers that users give: points, caps and how many."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from cxkit.errors import DefinitionError

__all__ = ["MOST_POINTS", "finite_number", "positive_count", "some_points"]

MOST_POINTS: Final = 1e100
"""Far above any use; below it neither a sum of points nor a sum of their squares can overflow."""


def finite_number(value: Any, what: str) -> float:
    """A finite number.

    Raises:
        DefinitionError: It is none, or beyond :data:`MOST_POINTS`.

    Example:
        >>> finite_number(5, "points of a rule")
        5.0
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(
        value, (int, float, np.integer, np.floating)
    ):
        raise DefinitionError(f"{what} must be a number; found {value!r}")
    plain = value.item() if isinstance(value, np.generic) else value
    if not abs(plain) <= MOST_POINTS:  # refuses NaN too
        raise DefinitionError(f"{what} must be finite, at most {MOST_POINTS:g}; found {value!r}")
    return float(plain)


def some_points(value: Any, what: str) -> float:
    """A finite number of points, 0 or more.

    Raises:
        DefinitionError: It is none.
    """
    number = finite_number(value, what)
    if number < 0:
        raise DefinitionError(f"{what} must be 0 or more; found {value!r}")
    return number


def positive_count(value: Any, what: str) -> int:
    """A whole number from 1 up.

    Raises:
        DefinitionError: It is none.
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise DefinitionError(f"{what} must be a whole number, 1 or more; found {value!r}")
    if value < 1:
        raise DefinitionError(f"{what} must be a whole number, 1 or more; found {value!r}")
    return int(value)
