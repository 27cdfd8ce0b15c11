"""Points from counts of customers by the goals that they reached."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cxkit.core.intervals import divide, percentile_interval
from cxkit.engagement.logistic import nonnegative_logistic, points_of_log_odds

__all__ = ["estimator", "intervals_of"]

FloatArray = NDArray[np.float64]


def estimator(
    method: str, members: FloatArray, highest: float, prior: float, ridge: float
) -> Callable[[FloatArray, FloatArray], FloatArray]:
    """What makes (G,) points of (P + 1,) customers and those who converted."""
    start: list[FloatArray] = []

    def logistic(count: FloatArray, converted: FloatArray) -> FloatArray:
        if not count.sum():
            return np.full(members.shape[1], np.nan)
        begin = start[0] if start else None
        beta = nonnegative_logistic(members, count, converted, ridge=ridge, start=begin)
        start[:] = start or [beta]
        points = points_of_log_odds(beta[1:])
        return points * min(1.0, highest / max(float(points.max()), 1e-300))

    def shares(count: FloatArray, converted: FloatArray) -> FloatArray:
        n, c = count @ members, converted @ members
        all_n, all_c = count.sum(), converted.sum()
        if method == "shrunk":
            base = divide(all_c, all_n)
            return highest * divide(c + prior * base, n + prior)
        own = divide(c, n)
        if method == "uplift":
            own = own - divide(all_c - c, all_n - n)
        return highest * own

    return logistic if method == "logistic" else shares


def intervals_of(
    points: FloatArray, draws: FloatArray, level: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(G,) low and high ends, and the share of draws in which a goal keeps its place."""
    if not len(draws):
        nothing = np.full(len(points), np.nan)
        return nothing, nothing, nothing
    low, high = percentile_interval(draws, level=level)
    places = np.argsort(np.argsort(-draws, axis=1, kind="stable"), axis=1)
    own = np.argsort(np.argsort(-points, kind="stable"))
    return low, high, (places == own).mean(axis=0)
