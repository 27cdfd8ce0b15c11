"""Whole numbers that are asked for."""

from __future__ import annotations

from typing import Any

import numpy as np

from cxkit.errors import DefinitionError

__all__ = ["whole_number"]


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
