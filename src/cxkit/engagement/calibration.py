"""Points from what customers did next, with intervals."""

from __future__ import annotations

from typing import Any, Final, Literal, get_args

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.intervals import FEWEST_SHARDS, divide, shard_draws
from cxkit.core.numerals import write_number
from cxkit.core.result import ColumnLike, Result, show_number
from cxkit.core.spans import InstantLike, instant_us
from cxkit.engagement.amounts import finite_number, positive_count, some_points
from cxkit.engagement.estimators import estimator, intervals_of
from cxkit.engagement.outcomes import GoalOutcomes, OutcomePlan
from cxkit.engagement.rules import PointRule
from cxkit.engagement.scale import EngagementScale
from cxkit.errors import DefinitionError, did_you_mean
from cxkit.model.goal import Goal, GoalLike
from cxkit.model.journeys import Journeys

__all__ = ["Calibration", "Method", "calibrate", "calibration_of"]

FloatArray = NDArray[np.float64]

Method = Literal["conditional", "uplift", "shrunk", "logistic"]
"""The named ways in which points are estimated."""

_METHODS: Final[tuple[str, ...]] = get_args(Method)


@attrs.frozen(eq=False, repr=False)
class Calibration(Result):
    """Points for goals, estimated from what customers did next.

    Attributes:
        method: How.
        goals: (G,) the goals.
        outcome: The goal that matters, which has the highest points.
        customers: (G,) customers who reached each goal.
        converted: (G,) those of them who converted.
        points: (G,) the points.
        low: (G,) the low end of the interval of the points.
        high: (G,) the high end.
        stable: (G,) in which share of the bootstrap draws the goal keeps its place in the order.
        highest: The points of the outcome.
        level: The level of the intervals.
        base: The share of all customers who converted.
        draws: (B, G) the points of each bootstrap draw; no rows without intervals.
    """

    method: str
    goals: tuple[Goal, ...]
    outcome: Goal
    customers: IntArray = attrs.field(converter=freeze)
    converted: IntArray = attrs.field(converter=freeze)
    points: FloatArray = attrs.field(converter=freeze)
    low: FloatArray = attrs.field(converter=freeze)
    high: FloatArray = attrs.field(converter=freeze)
    stable: FloatArray = attrs.field(converter=freeze)
    highest: float
    level: float
    base: float
    draws: FloatArray = attrs.field(converter=freeze)

    def columns(self) -> dict[str, ColumnLike]:
        """Goal, customers, those who converted, their share, points, interval, stability."""
        return {
            "goal": [goal.name for goal in self.goals],
            "customers": self.customers,
            "converted": self.converted,
            "share": divide(self.converted, self.customers),
            "points": self.points,
            "low": self.low,
            "high": self.high,
            "stable": self.stable,
        }

    def title(self) -> str:
        """The method and the outcome."""
        highest = write_number(self.highest)
        return f"points for {self.outcome.name!r} by {self.method}, {highest} for itself"

    def notes(self) -> list[str]:
        """What all customers do, and what the intervals are."""
        told = [f"of all customers {show_number(100 * self.base, 2)}% converted"]
        if len(self.draws):
            told.append(f"low and high: {self.level:.0%} of {len(self.draws):,} bootstrap draws")
        else:
            told.append("too few customers for intervals")
        if not np.isfinite(self.points).all():
            told.append("no points for goals that nobody, or everybody, reached")
        return told

    def scale(self, **options: Any) -> EngagementScale:
        """A scale with these points, the outcome being its primary goal.

        Goals without points (not a number, or 0) are left out. Each counts once per customer, as
        it was counted for the calibration, unless ``count`` says otherwise.

        Args:
            options: ``count`` for the rules, and what :class:`~cxkit.EngagementScale` takes.
        """
        count = options.pop("count", "once_per_customer")
        rules = [PointRule(self.outcome, self.highest, "every")]
        rules += [
            PointRule(goal, points, count)
            for goal, points in zip(self.goals, self.points.tolist(), strict=True)
            if points == points and points and goal.same != self.outcome.same  # noqa: PLR0124  # NaN
        ]
        named = {"name": f"calibrated by {self.method}", **options}
        return EngagementScale(rules, **named)


def calibrate(
    journeys: Journeys,
    goals: list[GoalLike] | tuple[GoalLike, ...],
    outcome: GoalLike,
    method: Method = "shrunk",
    *,
    at: InstantLike | None = None,
    until: InstantLike | None = None,
    highest: float = 100,
    prior: float = 100,
    ridge: float = 1.0,
    draws: int = 500,
    level: float = 0.95,
    rng: int | np.random.Generator = 0,
) -> Calibration:
    """Points for goals from what the customers who reached them did next.

    With ``c`` of the ``n`` customers who reached a goal converting, ``d`` of the ``m`` others, and
    the share ``b`` of all:

    - ``"conditional"``: ``c / n``. It flatters what eager customers do anyway.
    - ``"uplift"``: ``c / n - d / m``, which may be below 0. Not causal either: nobody was assigned.
    - ``"shrunk"``: ``(c + prior * b) / (n + prior)``: rare goals are drawn to the mean.
    - ``"logistic"``: all goals in one regression of the log-odds, with no coefficient below 0, so
      that a goal is not paid for another that comes with it; 20 points double the odds, and if a
      goal then had more than ``highest``, all are scaled down. Needs ``cxkit[stats]``.

    The first three are shares, times ``highest``. For points from a removal effect, see
    :func:`points_of_effects`.

    Args:
        journeys: Uncut journeys.
        goals: The goals.
        outcome: The goal that matters.
        method: See above.
        at: Goals count up to this instant and the outcome after it: the honest way, for it is how
            points are used. Without it goals count that come before the first outcome, and for
            those without one all of them; that favours goals that are reached late.
        until: The last instant at which the outcome counts. Without ``at``, goals count up to it
            too, and customers who first appear after it are left out.
        highest: The points of the outcome.
        prior: How many customers the mean of all weighs, for ``"shrunk"``.
        ridge: The penalty of :func:`cxkit.engagement.nonnegative_logistic`.
        draws: How many bootstrap draws of the 64 shards of customers.
        level: The level of the intervals.
        rng: A seed or a generator.

    Raises:
        UnknownLabelError: The data does not have the outcome or a goal.
        DefinitionError: The method is unknown, or a number is not what it must be.
        MissingExtraError: ``"logistic"`` without scipy.

    Example:
        >>> from cxkit.simulate import retail
        >>> journeys = retail(2000, rng=1).journeys
        >>> found = calibrate(journeys, ["search", "add_to_cart"], "purchase", at="2024-02-15")
        >>> found.scale().primary_goal.name
        'purchase'
    """
    plan = OutcomePlan(
        goals,
        outcome,
        None if at is None else instant_us(at, name="at"),
        None if until is None else instant_us(until, name="until"),
    )
    for goal in (plan.outcome, *plan.goals):
        goal.require(journeys)
    return GoalOutcomes.of(journeys, plan=plan).calibrate(
        method, highest=highest, prior=prior, ridge=ridge, draws=draws, level=level, rng=rng
    )


def calibration_of(
    outcomes: GoalOutcomes,
    method: str,
    *,
    highest: float,
    prior: float,
    ridge: float,
    draws: int,
    level: float,
    rng: int | np.random.Generator,
) -> Calibration:
    """See :func:`calibrate`."""
    if method not in _METHODS:
        raise DefinitionError(
            f"method={method!r} is not a way to calibrate; there are {list(_METHODS)}."
            f"{did_you_mean(method, _METHODS)}"
        )
    top, weight = finite_number(highest, "highest"), some_points(prior, "prior")
    penalty, count = some_points(ridge, "ridge"), positive_count(draws, "draws")
    members = outcomes.members
    estimate = estimator(method, members, top, weight, penalty)
    every = outcomes.customers.sum(axis=0), outcomes.converted.sum(axis=0)
    points = estimate(*(one.astype(np.float64) for one in every))
    occupied = outcomes.customers.sum(axis=1) > 0
    replicates = np.zeros((0, len(points)))
    if occupied.sum() >= FEWEST_SHARDS:
        weights = shard_draws(rng, count, occupied)
        parts = (weights @ outcomes.customers, weights @ outcomes.converted)
        replicates = np.array(
            [
                estimate(n.astype(np.float64), y.astype(np.float64))
                for n, y in zip(*parts, strict=True)
            ]
        )
    low, high, stable = intervals_of(points, replicates, level)
    total = int(every[0].sum())
    return Calibration(
        method,
        outcomes.plan.goals,
        outcomes.plan.outcome,
        np.rint(every[0] @ members).astype(np.int64),
        np.rint(every[1] @ members).astype(np.int64),
        points,
        low,
        high,
        stable,
        top,
        level,
        float(every[1].sum()) / total if total else float("nan"),
        replicates,
    )
