"""Times counted since 1970 where a column mixes numbers of several kinds, or numbers and text.

Each cell is read by itself: one fraction or one word among whole numbers must not send the others
through a float, which no longer tells microseconds apart beyond 2**53.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import numpy as np

from cxkit.core.instants import MISSING, NOT_A_NUMBER, OUTSIDE, Clock, from_numbers, is_null
from cxkit.core.numerals import exact_number

__all__ = ["from_counted"]

_LIMIT: Final = 2**63


def from_counted(values: Sequence[object], unit: str) -> Clock:
    """Times counted since 1970, UTC, as Python objects: numbers of any kind, also as text.

    Args:
        values: n numbers or texts. Truth values and all else are not a number.
        unit: ``"s"``, ``"ms"``, ``"us"`` or ``"ns"``.

    Example:
        >>> from_counted(
        ...     [1709283600123456999, "1709283600123456999", 1.5e3, True], "ns"
        ... ).us.tolist()
        [1709283600123456, 1709283600123456, 1, 0]
    """
    n = len(values)
    reason = np.full(n, NOT_A_NUMBER, np.uint8)
    found = Clock(np.zeros(n, np.int64), np.zeros(n, dtype=bool), reason)
    wholes: dict[int, int] = {}
    fractions: dict[int, float] = {}
    for row, value in enumerate(values):
        number = _number(value)
        if isinstance(number, float):
            fractions[row] = number
        elif number is not None:
            if -_LIMIT <= number < _LIMIT:
                wholes[row] = number
            else:
                reason[row] = OUTSIDE
        elif is_null(value):
            reason[row] = MISSING
    for part, dtype in ((wholes, np.int64), (fractions, np.float64)):
        if part:
            clock = from_numbers(np.array(list(part.values()), dtype), unit)
            rows = list(part)
            found.us[rows], reason[rows] = clock.us, clock.reason
    return found


def _number(value: object) -> int | float | None:
    """A number, as an ``int`` if it is whole and no float; ``None`` if it is no number."""
    if isinstance(value, str):
        return exact_number(value.strip())
    # Truth values and numpy's spans of time count as integers, and are no times.
    if isinstance(value, (bool, np.bool_, np.timedelta64)) or is_null(value):
        return None
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value)
    if not isinstance(value, Decimal):
        return None
    if not value.is_finite():
        return float(value)
    if abs(value) >= _LIMIT:
        return _LIMIT  # outside of everything, without writing out a million digits
    return int(value) if value == value.to_integral_value() else float(value)
