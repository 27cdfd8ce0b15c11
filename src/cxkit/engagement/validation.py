"""Whether a score says who will convert: tests against what happened afterwards."""

from __future__ import annotations

from typing import Final

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.intervals import divide
from cxkit.core.result import ColumnLike, Result, show_number
from cxkit.core.spans import InstantLike, instant_us
from cxkit.engagement.ageing import show_instant
from cxkit.engagement.amounts import positive_count
from cxkit.engagement.outcomes import check_until, reached_after
from cxkit.engagement.scale import EngagementScale
from cxkit.engagement.validity import Auc, Trend, auc, checked, isotonic_rates, trend_test
from cxkit.model.goal import GoalLike
from cxkit.model.journeys import Journeys

__all__ = ["Validation", "validate"]

FloatArray = NDArray[np.float64]

_CLOSE: Final = 1e-12


@attrs.frozen(eq=False, repr=False)
class Validation(Result):
    """How a score at an instant fits what happened after it.

    Attributes:
        title_text: What was validated, and when.
        low: (B,) the lowest score of each band.
        high: (B,) the highest.
        customers: (B,) customers in it.
        converted: (B,) those who converted.
        rate: (B,) their share.
        monotone_rate: (B,) the nearest shares that do not fall (pool adjacent violators).
        auc: The area under the ROC curve, with its interval.
        trend: Cochran-Armitage test over the bands.
        violation: By how much a share falls from one band to a higher one at most; 0 if none does.
        level: The level of the interval.

    Example:
        >>> scores, converted = np.arange(100.0), np.arange(100) % 10 >= np.arange(100) // -20 + 8
        >>> Validation.of(scores, converted, bands=4).customers.tolist()
        [25, 25, 25, 25]
    """

    title_text: str
    low: FloatArray = attrs.field(converter=freeze)
    high: FloatArray = attrs.field(converter=freeze)
    customers: IntArray = attrs.field(converter=freeze)
    converted: IntArray = attrs.field(converter=freeze)
    rate: FloatArray = attrs.field(converter=freeze)
    monotone_rate: FloatArray = attrs.field(converter=freeze)
    auc: Auc
    trend: Trend
    violation: float
    level: float

    @classmethod
    def of(
        cls,
        scores: ArrayLike,
        converted: ArrayLike,
        *,
        bands: int = 5,
        level: float = 0.95,
        title: str = "scores against what followed",
    ) -> Validation:
        """Validate scores against what became of each customer.

        Args:
            scores: (n,) scores, such as :class:`~cxkit.engagement.Scores`.
            converted: (n,) whether the customer converted afterwards.
            bands: In how many bands of about equal size; equal scores share one, so there may be
                fewer.
            level: The level of the interval of the AUC.
            title: The line above the table.

        Raises:
            DataError: The lengths differ, a score is NaN, or there are no scores.
            DefinitionError: ``bands`` is no whole number from 1 up, or ``level`` no share.
        """
        values, outcome = checked(scores, converted)
        area = auc(values, outcome, level=level)
        order = np.argsort(values, kind="stable")
        values, outcome = values[order], outcome[order]
        ends = _band_ends(values, positive_count(bands, "bands"))
        starts = np.concatenate([[0], ends[:-1]])
        count, good = ends - starts, np.add.reduceat(outcome.astype(np.int64), starts)
        rate = divide(good, count)
        steps = np.maximum.accumulate(rate) - rate
        return cls(
            title,
            values[starts],
            values[ends - 1],
            count,
            good,
            rate,
            isotonic_rates(rate, count),
            area,
            trend_test(count, good),
            float(steps.max()),
            level,
        )

    @property
    def gini(self) -> float:
        """Twice the AUC less 1: 0 for a coin, 1 for an oracle."""
        return 2 * self.auc.auc - 1

    @property
    def monotone(self) -> bool:
        """Whether no share falls from one band to a higher one."""
        return self.violation <= _CLOSE

    def columns(self) -> dict[str, ColumnLike]:
        """Band, scores from and to, customers, converted, rate, monotone rate."""
        return {
            "band": np.arange(1, len(self.rate) + 1),
            "from": self.low,
            "to": self.high,
            "customers": self.customers,
            "converted": self.converted,
            "rate": self.rate,
            "monotone_rate": self.monotone_rate,
        }

    def title(self) -> str:
        """What was validated."""
        return self.title_text

    def notes(self) -> list[str]:
        """AUC, trend and violation."""
        area, trend = self.auc, self.trend
        told = [
            (
                f"AUC {show_number(area.auc)} ({self.level:.0%} interval "
                f"{show_number(area.low)} to {show_number(area.high)}), "
                f"Gini {show_number(self.gini)}"
            ),
            f"trend over the bands: z {show_number(trend.z, 2)}, one-sided p {trend.p:.3g}",
        ]
        if not self.monotone:
            told.append(f"not monotone: a share falls by {show_number(self.violation, 4)}")
        return told


def validate(
    scale: EngagementScale,
    journeys: Journeys,
    outcome: GoalLike,
    *,
    at: InstantLike,
    until: InstantLike | None = None,
    bands: int = 5,
    level: float = 0.95,
) -> Validation:
    """Score customers at an instant, and see who reached a goal afterwards.

    Choose ``at`` after the time from which the scale was calibrated: a score fits its own past
    better than the future. Customers without a touchpoint up to ``at`` are left out.

    Args:
        scale: The scale.
        journeys: Uncut journeys.
        outcome: The goal.
        at: Scores are of this instant, outcomes come after it.
        until: The last instant at which the outcome counts.
        bands: In how many bands of about equal size customers are compared.
        level: The level of the interval of the AUC.

    Raises:
        UnknownLabelError: The data does not have the outcome.
        DataError: Nobody had a touchpoint up to ``at``.
        DefinitionError: An argument is not what it must be, or ``until`` is not after ``at``.

    Example:
        >>> from cxkit import EngagementScale, PointRule
        >>> from cxkit.simulate import retail
        >>> scale = EngagementScale([PointRule("add_to_cart", 10), PointRule("page_view", 1)])
        >>> found = validate(scale, retail(500, rng=1).journeys, "purchase", at="2024-02-15")
        >>> bool(found.auc.low < found.auc.auc < found.auc.high)
        True
    """
    us = instant_us(at, name="at")
    check_until(us, None if until is None else instant_us(until, name="until"))
    reached = reached_after(journeys, outcome, at, until)
    scores = scale.score(journeys, at=at)
    known = scores.excluded < np.diff(journeys.offsets)
    return Validation.of(
        scores.values[known],
        reached[known],
        bands=bands,
        level=level,
        title=f"{scale.name} at {show_instant(us)} against what followed",
    )


def _band_ends(values: FloatArray, bands: int) -> IntArray:
    """(B,) where bands of ascending values end: about equal, but ties stay together."""
    wanted = np.arange(1, bands + 1) * len(values) // bands
    ends = np.searchsorted(values, values[np.maximum(wanted - 1, 0)], side="right")
    return np.unique(ends)
