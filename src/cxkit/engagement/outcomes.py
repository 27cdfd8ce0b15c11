"""Which goals customers reached, and who converted: the evidence that points are made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.codes import Vocabulary
from cxkit.core.records import check_fields
from cxkit.core.spans import InstantLike, instant_us
from cxkit.core.summary import AXIS, SHARDS, parameter, total
from cxkit.engagement.ageing import show_instant
from cxkit.errors import DefinitionError
from cxkit.model.goal import Goal, GoalLike, as_goal
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys
from cxkit.model.summaries import JourneySummary

if TYPE_CHECKING:
    from cxkit.engagement.calibration import Calibration

__all__ = ["GoalOutcomes", "OutcomePlan", "check_until", "reached_after"]

_SCHEMA: Final = "cxkit/outcome-plan/1"
_MOST: Final = 60
_NEVER: Final = np.iinfo(np.int64).max


def _goals(given: Iterable[GoalLike] | GoalLike) -> tuple[Goal, ...]:
    listed = [given] if isinstance(given, (str, int, Goal)) else given
    goals = tuple(map(as_goal, listed))
    if not 0 < len(goals) <= _MOST or len({goal.same for goal in goals}) < len(goals):
        raise DefinitionError(f"1 to {_MOST} different goals can be calibrated; found {given!r}")
    return goals


def check_until(at_us: int | None, until_us: int | None) -> None:
    """Refuse an end that is not after the instant at which the outcome begins to count.

    Raises:
        DefinitionError: Nothing could count in between.
    """
    if at_us is not None and until_us is not None and until_us <= at_us:
        raise DefinitionError(
            f"until={show_instant(until_us)} must lie after at={show_instant(at_us)}"
        )


@attrs.frozen
class OutcomePlan:
    """What is counted: which goals, which outcome, and which of the two comes first.

    Attributes:
        goals: The goals that may announce the outcome.
        outcome: The goal that matters.
        at_us: Goals count up to this instant, in microseconds since 1970, and the outcome after it.
            ``None``: goals count that come before the customer's first outcome.
        until_us: The last instant at which the outcome counts; ``None`` for no end.

    Raises:
        DefinitionError: There is no goal or one comes twice, the outcome is among them, or the end
            is not after ``at``.
    """

    goals: tuple[Goal, ...] = attrs.field(converter=_goals)
    outcome: Goal = attrs.field(converter=as_goal)
    at_us: int | None = None
    until_us: int | None = None

    def __attrs_post_init__(self) -> None:
        """Check what concerns several fields."""
        if self.at_us is None and any(goal.same == self.outcome.same for goal in self.goals):
            raise DefinitionError(
                f"the outcome {self.outcome.name!r} is among the goals: before the first outcome "
                "nobody has reached it; leave it out, or give at="
            )
        check_until(self.at_us, self.until_us)

    def to_dict(self) -> dict[str, Any]:
        """The plan as plain data for JSON."""
        return {
            "schema": _SCHEMA,
            "goals": [goal.to_dict() for goal in self.goals],
            "outcome": self.outcome.to_dict(),
            "at_us": self.at_us,
            "until_us": self.until_us,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> OutcomePlan:
        """Read back what :meth:`to_dict` wrote.

        Raises:
            DataError: The data is of another schema, or a key is missing or unknown.
        """
        check_fields(data, _SCHEMA, "outcome plan", ["goals", "outcome", "at_us", "until_us"])
        goals = [Goal.from_dict(goal) for goal in data["goals"]]
        return cls(goals, Goal.from_dict(data["outcome"]), data["at_us"], data["until_us"])


@attrs.frozen(eq=False, repr=False)
class GoalOutcomes(JourneySummary):
    """How many customers reached which goals together, and how many of them converted.

    Everything that a calibration needs follows from these counts, so that it can be had in parts,
    and drawn again for intervals.

    Attributes:
        plan: What is counted.
        sets: The P sets of goals that occur, as numbers: bit ``g`` is goal ``g``.
        customers: (64, P + 1) customers by shard and set of goals that they reached.
        converted: (64, P + 1) those of them who converted.

    Example:
        >>> from cxkit.simulate import retail
        >>> plan = OutcomePlan(["add_to_cart", "search"], "purchase")
        >>> outcomes = GoalOutcomes.of(retail(300, rng=1).journeys, plan=plan)
        >>> int(outcomes.customers.sum())
        300
    """

    plan: OutcomePlan = attrs.field(metadata=parameter(OutcomePlan.from_dict))
    sets: Vocabulary = attrs.field(metadata=AXIS)
    customers: IntArray = attrs.field(metadata=total("shard", "sets"))
    converted: IntArray = attrs.field(metadata=total("shard", "sets"))

    @classmethod
    def of(cls, journeys: Journeys | Journey, /, *, plan: OutcomePlan) -> Self:
        """Count customers; each journey is taken for one.

        Customers without a touchpoint up to ``plan.at_us`` are not counted, nor, if that is
        ``None``, those without one up to ``plan.until_us``: nothing was known of them.
        """
        given = as_journeys(journeys)
        starts, ticks = given.offsets[:-1], given.time.view(np.int64)
        reached = plan.outcome.matches(given)
        last = _NEVER if plan.until_us is None else plan.until_us
        if not len(given):
            none = np.zeros((SHARDS, 1), np.int64)
            return cls(plan, Vocabulary.of(()), none, none)
        if plan.at_us is None:
            first = np.minimum.reduceat(
                np.where(reached, np.arange(given.touchpoints), _NEVER), starts
            )
            counts = np.arange(given.touchpoints) < np.repeat(first, np.diff(given.offsets))
            counts &= ticks <= last
            known = ticks[starts] <= last  # who came later is no customer who did not convert
        else:
            counts = ticks <= plan.at_us
            known = counts[starts]
            reached &= ~counts
        converted = np.logical_or.reduceat(reached & (ticks <= last), starts)
        bits = np.zeros(len(given), np.int64)
        for place, goal in enumerate(plan.goals):
            got = np.logical_or.reduceat(goal.matches(given) & counts, starts)
            bits |= got.astype(np.int64) << place
        sets, index = np.unique(bits[known], return_inverse=True)
        cell = given.shards[known].astype(np.int64) * (len(sets) + 1) + index
        size, shape = SHARDS * (len(sets) + 1), (SHARDS, len(sets) + 1)
        return cls(
            plan,
            Vocabulary(sets),
            np.bincount(cell, minlength=size).reshape(shape),
            np.bincount(cell[converted[known]], minlength=size).reshape(shape),
        )

    @property
    def members(self) -> NDArray[np.float64]:
        """(P + 1, G) 1 where a set holds a goal; the last is no set."""
        sets = np.append(self.sets.labels.astype(np.int64), 0)
        return ((sets[:, None] >> np.arange(len(self.plan.goals))) & 1).astype(np.float64)

    def result(self) -> Calibration:
        """Points by the shrunken share of those who reach a goal and convert."""
        return self.calibrate()

    def calibrate(
        self,
        method: str = "shrunk",
        *,
        highest: float = 100,
        prior: float = 100,
        ridge: float = 1.0,
        draws: int = 500,
        level: float = 0.95,
        rng: int | np.random.Generator = 0,
    ) -> Calibration:
        """Points for the goals, with intervals; see :func:`cxkit.engagement.calibrate`."""
        from cxkit.engagement.calibration import calibration_of

        return calibration_of(
            self,
            method,
            highest=highest,
            prior=prior,
            ridge=ridge,
            draws=draws,
            level=level,
            rng=rng,
        )


def reached_after(
    journeys: Journeys | Journey,
    goal: GoalLike,
    after: InstantLike,
    until: InstantLike | None = None,
) -> NDArray[np.bool_]:
    """(J,) which journeys reach a goal after an instant, and up to another if that is given.

    Raises:
        UnknownLabelError: The data does not have the goal.
        DefinitionError: An instant is none.

    Example:
        >>> from cxkit import Journey, Touchpoint
        >>> ann = Journey.of([Touchpoint("ann", "2024-01-05", "buy")])
        >>> (
        ...     reached_after(ann, "buy", "2024-01-01").tolist(),
        ...     reached_after(ann, "buy", "2024-01-05").tolist(),
        ... )
        ([True], [False])
    """
    given, wanted = as_journeys(journeys), as_goal(goal)
    wanted.require(given)
    first = instant_us(after, name="after")
    last = _NEVER if until is None else instant_us(until, name="until")
    ticks = given.time.view(np.int64)
    rows = wanted.matches(given) & (ticks > first) & (ticks <= last)
    if not len(given):
        return freeze(np.zeros(0, dtype=bool))
    return freeze(np.logical_or.reduceat(rows, given.offsets[:-1]))
