"""The items of a strategy map, from themes down to tactics."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final, Literal, TypeAlias

import attrs

from cxkit.core.spans import SpanLike, show_span, span_us
from cxkit.errors import DefinitionError
from cxkit.model.goal import Goal, GoalLike, as_goal

__all__ = [
    "KPI",
    "LEVELS",
    "Capability",
    "DigitalGoal",
    "Item",
    "MarketingObjective",
    "StrategicObjective",
    "Tactic",
    "Theme",
]

LEVELS: Final = ("theme", "strategic_objective", "marketing_objective", "digital_goal")
"""The levels that objectives lead up through, the highest first."""
METRICS: Final = ("conversions", "customers", "conversion_rate", "value", "given")
_CLOSE: Final = 1e-9

Supports: TypeAlias = "str | Iterable[str] | Mapping[str, float]"


def _as_supports(given: Supports) -> dict[str, float]:
    """Parents and weights; a plain list shares alike."""
    if isinstance(given, Mapping):
        try:
            return {str(k): float(v) for k, v in given.items()}
        except (TypeError, ValueError):
            raise DefinitionError(f"weights are numbers; found {dict(given)!r}") from None
    names = [given] if isinstance(given, str) else [str(name) for name in given]
    return {name: 1 / len(names) for name in names}


def _as_window(window: SpanLike | None) -> str | None:
    return None if window is None else show_span(span_us(window, name="window"))


def _as_optional_goal(goal: GoalLike | None) -> Goal | None:
    return None if goal is None else as_goal(goal)


def _texts(values: str | Iterable[str]) -> tuple[str, ...]:
    return (values,) if isinstance(values, str) else tuple(values)


def _check_id(_: Any, __: Any, value: Any) -> None:
    if not isinstance(value, str) or not value.strip():
        raise DefinitionError(f"the id of an item is some text; found {value!r}")


def _check_supports(owner: Item, _: Any, value: Mapping[str, float]) -> None:
    if any(not 0 < w <= 1 for w in value.values()):
        raise DefinitionError(f"{owner.id!r}: weights are above 0 and at most 1; found {value}")
    if value and abs(sum(value.values()) - 1) > _CLOSE:
        raise DefinitionError(
            f"{owner.id!r}: the weights of what it supports sum to 1; found {value}, together "
            f"{sum(value.values()):g}"
        )


def _check_amount(owner: Item, field: Any, value: float | None) -> None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if value is not None and not (is_number and math.isfinite(value) and value >= 0):
        raise DefinitionError(f"{owner.id!r}: {field.name} is a number from 0 up; found {value!r}")


@attrs.frozen
class Item:
    """One item of a strategy map.

    Attributes:
        id: Its name in the map.
        supports: The items just above that it serves: a name, names (which share alike), or name ->
            weight, weights summing to 1.
        title: What it says.
        owner: Who answers for it.
    """

    level: ClassVar[str] = ""

    id: str = attrs.field(validator=_check_id)
    supports: Mapping[str, float] = attrs.field(
        factory=dict, converter=_as_supports, validator=_check_supports
    )
    title: str = attrs.field(default="", kw_only=True)
    owner: str = attrs.field(default="", kw_only=True)


@attrs.frozen
class Theme(Item):
    """A strategic theme: where the firm wants to be strong. It supports nothing above."""

    level: ClassVar[str] = "theme"


@attrs.frozen
class StrategicObjective(Item):
    """A strategic objective: what shall have changed for a theme."""

    level: ClassVar[str] = "strategic_objective"


@attrs.frozen
class MarketingObjective(Item):
    """A marketing objective: what marketing does for a strategic objective."""

    level: ClassVar[str] = "marketing_objective"


@attrs.frozen
class DigitalGoal(Item):
    """A digital goal: what a customer does that can be seen, and what it is worth in points.

    Attributes:
        goal: How it is recognised in journeys; by default the event named as its id.
        points: Its points on the engagement scale; ``None`` if it has none.
        stages: The stages of the journey that it belongs to.

    Example:
        >>> DigitalGoal("newsletter", "mo.repeat", goal="subscribe", points=10).as_goal().event
        'subscribe'
    """

    level: ClassVar[str] = "digital_goal"

    goal: Goal | None = attrs.field(default=None, kw_only=True, converter=_as_optional_goal)
    points: float | None = attrs.field(default=None, kw_only=True, validator=_check_amount)
    stages: tuple[str, ...] = attrs.field(default=(), kw_only=True, converter=_texts)

    def as_goal(self) -> Goal:
        """How it is recognised in journeys."""
        return self.goal if self.goal is not None else Goal(self.id)


@attrs.frozen
class KPI(Item):
    """A key performance indicator: a measure of digital goals with a target.

    Attributes:
        metric: What is measured of the goals that it supports: ``"conversions"``, how often they
            were reached; ``"customers"``, how many reached one; ``"conversion_rate"``, the share of
            the customers with a touchpoint in the window that reached one; ``"value"``, the money
            of those touchpoints; ``"given"``, a number that comes from elsewhere.
        target: What it shall be; ``None`` if no target is set.
        direction: Whether more or less is better.
        window: Over which time before the day of the look; ``None`` for all time before.
        low: The least that the metric can be.
        high: The most.

    Example:
        >>> KPI("kpi.rate", "newsletter", metric="conversion_rate", target=0.2, window="30d").high
        1.0
    """

    level: ClassVar[str] = "kpi"

    metric: Literal["conversions", "customers", "conversion_rate", "value", "given"] = attrs.field(
        default="conversions", kw_only=True
    )
    target: float | None = attrs.field(default=None, kw_only=True)
    direction: Literal["up", "down"] = attrs.field(default="up", kw_only=True)
    window: str | None = attrs.field(default=None, kw_only=True, converter=_as_window)
    low: float = attrs.field(kw_only=True)
    high: float = attrs.field(kw_only=True)

    @low.default
    def _least(self) -> float:
        return -math.inf if self.metric in {"value", "given"} else 0.0

    @high.default
    def _most(self) -> float:
        return 1.0 if self.metric == "conversion_rate" else math.inf

    def __attrs_post_init__(self) -> None:
        """Check the words."""
        if self.metric not in METRICS:
            raise DefinitionError(
                f"{self.id!r}: metric is one of {list(METRICS)}; found {self.metric!r}"
            )
        if self.direction not in {"up", "down"}:
            raise DefinitionError(
                f"{self.id!r}: direction is 'up' or 'down'; found {self.direction!r}"
            )
        if self.target is not None and not math.isfinite(self.target):
            raise DefinitionError(f"{self.id!r}: target is a number; found {self.target!r}")


@attrs.frozen
class Tactic(Item):
    """A tactic: a campaign, a test or a rule, hung on the digital goals that it serves.

    Attributes:
        kind: What it is, such as ``"campaign"``, ``"test"`` or ``"rule"``.
        cost: What it costs.
    """

    level: ClassVar[str] = "tactic"

    kind: str = attrs.field(default="", kw_only=True)
    cost: float = attrs.field(default=0.0, kw_only=True, validator=_check_amount)


@attrs.frozen
class Capability(Item):
    """A capability or a tool, and where in a customer's life it is of use.

    Attributes:
        phases: The phases of the lifecycle that it serves: attract, convert, advocate.
        stages: The stages of the journey that it serves.
        cost: What it costs.
    """

    level: ClassVar[str] = "capability"

    phases: tuple[str, ...] = attrs.field(default=(), kw_only=True, converter=_texts)
    stages: tuple[str, ...] = attrs.field(default=(), kw_only=True, converter=_texts)
    cost: float = attrs.field(default=0.0, kw_only=True, validator=_check_amount)
