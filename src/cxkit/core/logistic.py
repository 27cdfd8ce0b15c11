"""From log odds to probabilities."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["logistic"]


def logistic(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """``1 / (1 + exp(-log_odds))``, without overflow.

    Example:
        >>> logistic(np.array([-1000.0, 0.0, 1000.0])).tolist()
        [0.0, 0.5, 1.0]
    """
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * log_odds))
