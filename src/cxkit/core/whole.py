"""Numbers that are asked for."""

from __future__ import annotations

from typing import Any

import numpy as np

from cxkit.errors import DefinitionError

__all__ = ["real_number", "whole_number"]


def real_number(value: Any, name: str) -> float:
    """A number as Python's own float.

    Raises:
        DefinitionError: It is none; text and truth values are none.

    Example:
        >>> real_number(5, "first")
        5.0
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(
        value, (int, float, np.integer, np.floating)
    ):
        raise DefinitionError(f"{name} must be a number; found {value!r}")
    return float(value)


def whole_number(value: Any, name: str, *, least: int = 1, most: int | None = None) -> int:
    """A whole number within limits, as Python's own.

    Raises:
        DefinitionError: It is none.

    Example:
        >>> whole_number(5, "top")
        5
    """
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or value < least or (most is not None and value > most):
        end = "up" if most is None else f"to {most:,}"
        raise DefinitionError(f"{name} must be a whole number from {least} {end}; found {value!r}")
    return int(value)
