"""Round numbers for the axes of pictures."""

from __future__ import annotations

import math

__all__ = ["log_ticks", "ticks"]


def ticks(low: float, high: float, count: int = 4) -> list[float]:
    """Round numbers from ``low`` to ``high``.

    Example:
        >>> ticks(0, 561)
        [0.0, 200.0, 400.0]
    """
    span = high - low
    if not span > 0:
        return [low]
    raw = span / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw)
    first = math.ceil(low / step)
    return [k * step for k in range(first, math.floor(high / step) + 1)]


def log_ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers for a logarithmic axis.

    Example:
        >>> log_ticks(80, 12_000)
        [100.0, 300.0, 1000.0, 3000.0, 10000.0]
    """
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found: list[float] = []
    for steps in ((1, 2, 5), (1, 3), (1,)):
        found = [m * 10.0**p for p in powers for m in steps if low <= m * 10.0**p <= high]
        if len(found) <= most:
            return found
    return found[:: math.ceil(len(found) / most)]
