"""Logistic regression whose coefficients are not negative."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxkit.errors import MissingExtraError

__all__ = ["nonnegative_logistic", "points_of_log_odds"]

FloatArray = NDArray[np.float64]


def nonnegative_logistic(
    members: FloatArray,
    count: FloatArray,
    converted: FloatArray,
    *,
    ridge: float = 1.0,
    start: FloatArray | None = None,
) -> FloatArray:
    """Coefficients of goals reached, for the log-odds of converting.

    The largest likelihood less ``ridge / 2`` times the sum of squared coefficients, with no
    coefficient below 0. The penalty keeps a goal after which everyone converts at a finite number;
    the intercept has none. Needs ``cxkit[stats]``.

    Args:
        members: (P, G) 1 where the customers of a row reached a goal.
        count: (P,) customers.
        converted: (P,) those who converted.
        ridge: The weight of the penalty, above 0.
        start: (G + 1,) where to begin, intercept first.

    Returns:
        (G + 1,) the intercept, and a coefficient for each goal.

    Raises:
        MissingExtraError: scipy is not installed.

    Example:
        >>> members = np.array([[0.0], [1.0]])
        >>> found = nonnegative_logistic(
        ...     members, np.array([200.0, 100.0]), np.array([20.0, 50.0]), ridge=1e-9
        ... )
        >>> found.round(3).tolist()
        [-2.197, 2.197]
    """
    try:
        from scipy.optimize import minimize
    except ImportError as error:
        raise MissingExtraError.of("scipy", "stats", "a logistic calibration") from error
    design = np.column_stack([np.ones(len(members)), members])
    some = count > 0
    design, n, y = design[some], count[some], converted[some]
    scale = max(float(n.sum()), 1.0)

    def loss(beta: FloatArray) -> tuple[float, FloatArray]:
        logits = np.einsum("pg,g->p", design, beta)  # small: not worth threads
        # log(1 + exp(z)) without overflow
        value = float((n * np.logaddexp(0.0, logits) - y * logits).sum())
        chance = 1.0 / (1.0 + np.exp(-np.clip(logits, -700, 700)))
        slope = np.einsum("pg,p->g", design, n * chance - y)
        slope[1:] += ridge * beta[1:]
        return (value + ridge / 2 * float(np.square(beta[1:]).sum())) / scale, slope / scale

    begin = np.zeros(design.shape[1]) if start is None else start
    bounds: list[Any] = [(-40.0, 40.0), *[(0.0, None)] * members.shape[1]]
    found = minimize(
        loss,
        begin,
        jac=True,
        method="TNC",
        bounds=bounds,
        options={"maxfun": 5000, "ftol": 1e-14, "xtol": 1e-9, "gtol": 1e-9},
    )
    return np.asarray(found.x, np.float64)


def points_of_log_odds(beta: Any, *, doubling: float = 20) -> FloatArray:
    """Points from coefficients of log-odds: so many points double the odds.

    ``beta * doubling / ln 2``, the scaling of credit scores ("points to double the odds").

    Args:
        beta: (...) coefficients.
        doubling: The points that double the odds.

    Example:
        >>> points_of_log_odds([0.0, np.log(2), np.log(8)]).round(9).tolist()
        [0.0, 20.0, 60.0]
    """
    return np.asarray(np.asarray(beta, np.float64) * (doubling / np.log(2)))
