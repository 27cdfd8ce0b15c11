"""Many tests at once: p-values made larger, so that chance alone does not find something."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["benjamini_hochberg", "holm"]


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """Adjusted so that the chance of even one false finding stays below the limit.

    Holm 1979, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
    Statistics 6: the k-th smallest of m is multiplied by m - k + 1, and none is below a smaller
    one's. It holds whatever the tests have to do with each other.

    Args:
        p: (...) p-values, taken together as one family; NaN is no test, and stays NaN.

    Example:
        >>> holm([0.01, 0.04, 0.03]).tolist()
        [0.03, 0.06, 0.06]
    """
    return _adjust(p, stepping_down=True)


def benjamini_hochberg(p: ArrayLike) -> NDArray[np.float64]:
    """Adjusted so that the expected share of false findings stays below the limit.

    Benjamini and Hochberg 1995, "Controlling the false discovery rate", Journal of the Royal
    Statistical Society B 57: the k-th smallest of m is multiplied by m / k, and none is above a
    larger one's. It holds for independent tests, and for those that depend positively.

    Args:
        p: (...) p-values, taken together as one family; NaN is no test, and stays NaN.

    Example:
        >>> benjamini_hochberg([0.01, 0.04, 0.03]).tolist()
        [0.03, 0.04, 0.04]
    """
    return _adjust(p, stepping_down=False)


def _adjust(p: ArrayLike, *, stepping_down: bool) -> NDArray[np.float64]:
    given = np.asarray(p, np.float64)
    out = given.copy().ravel()
    tests = np.flatnonzero(~np.isnan(out))
    order = tests[np.argsort(out[tests], kind="stable")]
    rank = np.arange(1, len(order) + 1)
    if stepping_down:
        out[order] = np.maximum.accumulate(out[order] * (len(order) - rank + 1))
    else:
        scaled = out[order] * (len(order) / rank)
        out[order] = np.minimum.accumulate(scaled[::-1])[::-1]
    return np.minimum(out, 1.0).reshape(given.shape)
