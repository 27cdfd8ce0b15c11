"""How points age."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray

__all__ = ["age_in_place", "instant_of", "show_ageing", "show_instant"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_GONE: Final = 2000.0  # half-lives after which nothing is left; keeps the exponent a small integer


def age_in_place(points: NDArray[np.float64], age: IntArray, half_life: int) -> None:
    """Multiply points by 2 ** (-age / half_life).

    Whole half-lives are split off and applied as an exact power of two. Otherwise the rounding of
    age / half_life would grow with the age: 4e-14 of the answer after 900 half-lives, and here
    2e-16 at any age. Below the smallest double the answer is 0.

    Args:
        points: (n,) multiplied in place.
        age: (n,) microseconds, not negative.
        half_life: Microseconds.
    """
    with np.errstate(under="ignore"):
        whole = np.divide(age, half_life)
        np.floor(whole, out=whole)
        rest = np.multiply(whole, half_life)
        np.subtract(age, rest, out=rest)  # exact: whole numbers, below 2**53 up to 285 years
        rest /= -half_life
        np.exp2(rest, out=rest)
        np.minimum(whole, _GONE, out=whole)
        points *= np.ldexp(rest, -whole.astype(np.int32))


def instant_of(us: int) -> datetime:
    """Microseconds since 1970 as an aware UTC datetime."""
    return _EPOCH + timedelta(microseconds=us)


def show_instant(us: int) -> str:
    """An instant as it is printed.

    Example:
        >>> show_instant(0), show_instant(1_500_000)
        ('1970-01-01 UTC', '1970-01-01 00:00:01.500000 UTC')
    """
    text = instant_of(us).isoformat(sep=" ").removesuffix("+00:00")
    return text.removesuffix(" 00:00:00") + " UTC"


def show_ageing(half_life: str | None) -> str:
    """How points age, as it is printed."""
    return "no ageing" if half_life is None else f"half-life {half_life}"
