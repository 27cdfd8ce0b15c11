"""Do groups wait differently long? The log-rank test."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.codes import Label
from cxkit.core.ragged import segment_sum
from cxkit.core.result import Result
from cxkit.flow.retention.survivaltables import SurvivalTable, table_of

if TYPE_CHECKING:
    from cxkit.flow.retention.survival import SurvivalCounts

__all__ = ["LogRank", "chi_square_p", "log_rank_of"]

_ROUNDING: Final = 1e-9


@attrs.frozen(eq=False, repr=False, kw_only=True)
class LogRank(Result):
    """Whether groups wait differently long: what happened against what would if they were alike.

    The log-rank test (Mantel 1966, Cancer Chemotherapy Reports 50; Peto and Peto 1972, Journal of
    the Royal Statistical Society A 135) for G groups: at every time the events are expected in
    proportion to those at risk. It sees best what is the same factor at all times; curves that
    cross may go unseen.

    Attributes:
        table: The curves.
        journeys: (G,) journeys of each group.
        observed: (G,) to how many it happened.
        expected: (G,) to how many it would have, if all groups were alike.
        statistic: Chi-square.
        freedom: Its degrees of freedom: groups less one; fewer where groups were never at risk
            together.
        p: Chance of a statistic as large if the groups were alike; NaN with fewer than two groups,
            or where it never happened.
    """

    table: SurvivalTable
    journeys: IntArray = attrs.field(converter=freeze)
    observed: IntArray = attrs.field(converter=freeze)
    expected: NDArray[np.float64] = attrs.field(converter=freeze)
    statistic: float
    freedom: int
    p: float

    def columns(self) -> Mapping[str, Any]:
        """One row per group."""
        names = ("journeys", "observed", "expected")
        by = self.table.by
        label = "group" if by is None or by in names else by
        groups: list[Label | None] = self.table.groups.to_list()
        return {label: groups, **{name: getattr(self, name) for name in names}}

    def title(self) -> str:
        """The test."""
        if math.isnan(self.p):
            return "log-rank test: none"
        return (
            f"log-rank test: chi-square {self.statistic:.2f}, degrees of freedom {self.freedom}, "
            f"p = {self.p:.3g}"
        )

    def notes(self) -> tuple[str, ...]:
        """What was tested, or why nothing was."""
        told = (self.table.wait.told(),)
        if not math.isnan(self.p):
            return told
        return (*told, "no test: it takes two groups at risk and something that happened")


def log_rank_of(counts: SurvivalCounts) -> LogRank:
    """The test of a summary."""
    table = table_of(counts, 0.95)
    groups = len(table.groups)
    of = np.repeat(np.arange(groups), np.diff(table.offsets))
    times, place = np.unique(table.time, return_inverse=True)
    events, gone = np.zeros((2, groups, len(times)))
    events[of, place] = table.events
    gone[of, place] = table.events + table.censored
    risk = gone[:, ::-1].cumsum(axis=1)[:, ::-1]
    happened, every = events.sum(axis=0), risk.sum(axis=0)
    share = risk / every
    expected = (share * happened).sum(axis=1)
    apart = np.where(every > 1, happened * (every - happened) / np.maximum(every - 1, 1), 0.0)
    covariance = np.diag((share * apart).sum(axis=1)) - (share * apart) @ share.T
    off = events.sum(axis=1) - expected
    # What is off adds up to 0, so the matrix is singular; by how much says the degrees of freedom.
    # It is a correlation as near as can be, for a small group must not pass for rounding.
    scale = np.sqrt(np.diag(covariance))
    scale[scale == 0] = 1.0
    alike = covariance / np.outer(scale, scale)
    freedom = int(np.linalg.matrix_rank(alike, tol=_ROUNDING, hermitian=True)) if groups else 0
    inverse = np.linalg.pinv(alike, rcond=_ROUNDING, hermitian=True)
    statistic = float((off / scale) @ inverse @ (off / scale)) if freedom else math.nan
    return LogRank(
        table=table,
        journeys=segment_sum(table.events + table.censored, table.offsets),
        observed=segment_sum(table.events, table.offsets),
        expected=expected,
        statistic=statistic,
        freedom=freedom,
        p=chi_square_p(statistic, freedom),
    )


def chi_square_p(statistic: float, freedom: int) -> float:
    """Chance of a chi-square at least as large.

    The finite series for whole degrees of freedom (Abramowitz and Stegun 1964, 26.4.4 and 26.4.5).

    Example:
        >>> round(chi_square_p(3.841458820694124, 1), 12), round(chi_square_p(9.21034037, 2), 9)
        (0.05, 0.01)
    """
    if math.isnan(statistic) or freedom < 1:
        return math.nan
    half, odd = max(statistic, 0.0) / 2, freedom % 2
    if half == 0:
        return 1.0
    # Each term by its logarithm: with thousands of degrees of freedom they would overflow.
    orders = [k + odd / 2 for k in range(freedom // 2)]
    terms = [math.exp(k * math.log(half) - half - math.lgamma(k + 1)) for k in orders]
    return min((math.erfc(math.sqrt(half)) if odd else 0.0) + math.fsum(terms), 1.0)
