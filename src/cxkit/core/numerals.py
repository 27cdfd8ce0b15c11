"""Numbers written as text.

What Python's ``float`` reads is a number here too, except underscores. Nothing is guessed: ``1,5``
and ``€5`` are no numbers, because they mean different amounts in different countries.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["exact_number", "parse_floats", "parse_wholes", "write_number"]

_WHOLE_LIMIT: Final = 2**63


def parse_floats(texts: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Read many numbers.

    Args:
        texts: n texts.

    Returns:
        ``(values, bad)``, each (n,). A text that is no number is ``bad``, and its value NaN;
        ``"nan"`` is a number that is missing, ``"inf"`` one that is infinite, and neither is bad.

    Example:
        >>> values, bad = parse_floats(["1.5", "1,5", "-2e3"])
        >>> values.tolist(), bad.tolist()
        ([1.5, nan, -2000.0], [False, True, False])
    """
    n = len(texts)
    if "_" not in "".join(texts):
        try:
            return np.fromiter(map(float, texts), np.float64, n), np.zeros(n, dtype=bool)
        except ValueError:
            pass  # some text is no number: look at each
    found = [_float_or_none(text) for text in texts]
    bad = np.fromiter((value is None for value in found), bool, n)
    return np.array(found, dtype=np.float64).reshape(n), bad


def parse_wholes(texts: Sequence[str]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Read many numbers, exactly where all are whole.

    Args:
        texts: n texts.

    Returns:
        ``(values, bad)``, each (n,): int64 if every text that is a number is a whole one of at most
        63 bits (0 where bad), else float64 (NaN where bad).

    Example:
        >>> parse_wholes(["1531234567123456789", "x"])[0].tolist()
        [1531234567123456789, 0]
    """
    found = [exact_number(text) for text in texts]
    bad = np.fromiter((value is None for value in found), bool, len(texts))
    if any(isinstance(value, float) or abs(value or 0) >= _WHOLE_LIMIT for value in found):
        return parse_floats(texts)
    return np.fromiter((value or 0 for value in found), np.int64, len(texts)), bad


def exact_number(text: str) -> int | float | None:
    """One number, as an ``int`` if it is written as a whole one; ``None`` if it is none, or NaN.

    Example:
        >>> exact_number("9007199254740993"), exact_number("1.5"), exact_number("x")
        (9007199254740993, 1.5, None)
    """
    # Very long runs of digits are a cost and no number that anybody means.
    if text.isascii() and len(text) < 40 and text.lstrip("+-").isdigit():
        try:
            return int(text)
        except ValueError:
            return None
    value = _float_or_none(text)
    return None if value is None or math.isnan(value) else value


def write_number(value: float) -> str:
    """A finite number with all its digits, as few as tell it from any other, and no exponent.

    It is for files: not every format has exponents, and fewer digits would be another number.

    Example:
        >>> write_number(3_600_000.0), write_number(1_234_567), write_number(0.00025)
        ('3600000', '1234567', '0.00025')
    """
    return str(value) if isinstance(value, int) else np.format_float_positional(value, trim="-")


def _float_or_none(text: str) -> float | None:
    if "_" in text:
        return None
    try:
        return float(text)
    except ValueError:
        return None
