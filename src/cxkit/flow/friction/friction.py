"""Friction: how much effort a journey takes, part by part."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, overload

import attrs

from cxkit.core.records import check_fields
from cxkit.core.spans import SpanLike, show_span, span_us
from cxkit.errors import DefinitionError, did_you_mean
from cxkit.flow.asked import as_goals
from cxkit.model.goal import Goal, GoalLike
from cxkit.model.journey import Journey

if TYPE_CHECKING:
    from cxkit.flow.friction.effort import Efforts, FrictionExplanation
    from cxkit.flow.friction.effortcounts import EffortTable
    from cxkit.model.journeys import Journeys

__all__ = ["PARTS", "Friction"]

_SCHEMA: Final = "cxkit/friction/1"
PARTS: Final = ("steps", "minutes", "repeats", "errors", "switches")
"""What effort is made of."""


def _as_weights(weights: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    """A weight for every part, in one order, so that friction can be compared and hashed."""
    try:
        given: dict[Any, Any] = dict(weights)
    except (TypeError, ValueError):
        raise DefinitionError(
            f"weights are named, as in {{'steps': 1}}; found {weights!r}"
        ) from None
    for name, weight in given.items():
        if name not in PARTS:
            raise DefinitionError(
                f"no part of effort is called {name!r}; there are {list(PARTS)}."
                f"{did_you_mean(name, PARTS)}"
            )
        number = isinstance(weight, (int, float)) and not isinstance(weight, bool)
        if not number or not 0 <= weight < math.inf:
            raise DefinitionError(f"the weight of {name} is a number from 0 up; found {weight!r}")
    return tuple((name, float(given.get(name, 0))) for name in PARTS)


def _as_idle(idle: SpanLike) -> str:
    return show_span(span_us(idle, name="idle"))


@attrs.frozen
class Friction:
    """How effort is measured: five parts, each with a weight that you choose.

    - ``steps``: touchpoints;
    - ``minutes``: time spent: the pauses between touchpoints, each counted up to ``idle``;
    - ``repeats``: touchpoints whose event the journey had before (a missing event repeats nothing);
    - ``errors``: touchpoints that are one of ``errors``;
    - ``switches``: touchpoints in another channel than the last known one.

    ``effort`` is the sum of the parts, each times its weight. A part that is given no weight is
    counted and told, and adds nothing. There are no weights by default: what a minute is worth in
    errors is a judgement, and yours. Because no weight is below 0, another touchpoint never makes
    effort less. It depends on the journey alone, never on other journeys.

    This is effort as the log shows it. The Customer Effort Score (Dixon, Freeman and Toman 2010,
    Harvard Business Review) asks the customer; neither replaces the other.

    Attributes:
        weights: What one of each part weighs, 0 or more; kept for all parts, as pairs.
        errors: Events that tell of trouble.
        idle: The longest pause that counts as time spent, as text such as ``"30min"``.
        by: The column of channels.

    Raises:
        DefinitionError: A weight is below 0 or of no part, or ``idle`` is no span of time.

    Example:
        >>> from cxkit import Journeys
        >>> journeys = Journeys.from_table(
        ...     {
        ...         "who": [1, 1, 1],
        ...         "when": [0, 120, 180],
        ...         "what": ["order", "error", "order"],
        ...         "where": ["web", "web", "phone"],
        ...     },
        ...     customer="who",
        ...     time="when",
        ...     event="what",
        ...     channel="where",
        ...     time_unit="s",
        ... )
        >>> friction = Friction({"steps": 1, "minutes": 1, "errors": 5}, errors="error")
        >>> friction.effort(journeys)
        effort of 1 journeys: mean 11.000
        customer  steps  minutes  repeats  errors  switches  effort
               1      3    3.000        1       1         1  11.000
        >>> friction.effort(journeys[0])
        11.0
    """

    weights: tuple[tuple[str, float], ...] = attrs.field(converter=_as_weights)
    errors: tuple[Goal, ...] = attrs.field(default=(), kw_only=True, converter=as_goals)
    idle: str = attrs.field(default="30min", kw_only=True, converter=_as_idle)
    by: str = attrs.field(default="channel", kw_only=True)

    def weight(self, part: str) -> float:
        """What one of a part weighs."""
        return dict(self.weights)[part]

    @overload
    def effort(self, journeys: Journeys) -> Efforts: ...
    @overload
    def effort(self, journeys: Journey) -> float: ...
    def effort(self, journeys: Journeys | Journey) -> Efforts | float:
        """The effort of each journey, part by part; one number for one journey.

        Args:
            journeys: The journeys, cut as effort is meant: per visit, or until a goal.

        Raises:
            SchemaError: There is no such column of channels.
        """
        from cxkit.flow.friction.effort import Efforts

        found = Efforts.of(journeys, self)
        return float(found.effort[0]) if isinstance(journeys, Journey) else found

    def explain(self, journey: Journey | Journeys) -> FrictionExplanation:
        """What each touchpoint of one journey adds to its effort; the rows sum to the effort.

        Raises:
            DefinitionError: There is not exactly one journey.
        """
        from cxkit.flow.friction.effort import explain_effort

        return explain_effort(self, journey)

    def count(
        self, journeys: Journeys | Journey, *, goal: GoalLike | None = None, level: float = 0.95
    ) -> EffortTable:
        """The mean effort per journey, by part, with intervals.

        Args:
            journeys: The journeys.
            goal: Also the means of journeys that reach it and of those that do not.
            level: Of the intervals.

        Raises:
            UnknownLabelError: The data does not have the goal, or one of the errors.
            SchemaError: There is no such column of channels.
        """
        from cxkit.flow.friction.effortcounts import count_effort

        return count_effort(self, journeys, goal, level)

    def to_dict(self) -> dict[str, Any]:
        """The definition as plain data for JSON."""
        return {
            "schema": _SCHEMA,
            "weights": dict(self.weights),
            "errors": [goal.to_dict() for goal in self.errors],
            "idle": self.idle,
            "by": self.by,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Friction:
        """Read back what :meth:`to_dict` wrote.

        Raises:
            DataError: The data is of another schema, lacks a field or has one too many.
        """
        check_fields(data, _SCHEMA, "friction", ["weights"], ["errors", "idle", "by"])
        errors = [
            Goal.from_dict(g) if isinstance(g, Mapping) else g for g in data.get("errors", ())
        ]
        options = {name: data[name] for name in ("idle", "by") if name in data}
        return cls(data["weights"], errors=errors, **options)
