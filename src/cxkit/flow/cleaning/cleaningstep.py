"""What a step of a cleaning is, and what steps have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.codes import Label
from cxkit.core.ragged import lengths, segment_max
from cxkit.core.spans import InstantLike, SpanLike, instant_us, show_span, span_us
from cxkit.core.whole import whole_number
from cxkit.errors import DefinitionError
from cxkit.model.columnar import Column
from cxkit.model.goal import Goal, GoalLike, as_goal
from cxkit.model.journeys import Journeys

__all__ = [
    "Change",
    "CleaningStep",
    "as_labels",
    "at_least",
    "dropped",
    "goal_or_none",
    "instant_text",
    "one_of",
    "within_text",
]


class Change(NamedTuple):
    """What a step does.

    Attributes:
        keep: (E,) which touchpoints stay.
        changed: (E,) which are changed.
        columns: Columns that are new or take the place of old ones, all rows of them.
    """

    keep: NDArray[np.bool_]
    changed: NDArray[np.bool_]
    columns: Mapping[str, Column]


class CleaningStep:
    """One step. What it does to a customer depends on nothing but that customer's journeys."""

    __slots__ = ()
    name: ClassVar[str]
    """How the step is called in JSON."""

    def change(self, journeys: Journeys) -> Change:
        """Which touchpoints go or change."""
        raise NotImplementedError

    def what(self) -> str:
        """The step in a few words."""
        raise NotImplementedError

    def fields(self) -> dict[str, Any]:
        """The fields as plain data for JSON."""
        every: tuple[attrs.Attribute[Any], ...] = attrs.fields(type(self))  # type: ignore[arg-type]  # a step is an attrs class
        return {f.name: _plain(getattr(self, f.name)) for f in every}


def within_text(value: SpanLike | None) -> str | None:
    """The span ``within`` as text that reads back the same; ``None`` stays."""
    return None if value is None else show_span(span_us(value, name="within"))


def as_labels(value: Any) -> tuple[Label, ...]:
    """Labels, also from a single one."""
    return (value,) if isinstance(value, (str, int)) else tuple(value)


def goal_or_none(value: GoalLike | Mapping[str, Any] | None) -> Goal | None:
    """A goal from its name or from plain data."""
    if value is None or isinstance(value, Goal):
        return value
    return Goal.from_dict(value) if isinstance(value, Mapping) else as_goal(value)


def at_least(least: int, *, none: bool = False) -> Any:
    """A validator: a whole number from ``least`` up, or ``None`` if that is allowed."""

    def check(_: Any, field: attrs.Attribute[Any], value: Any) -> None:
        if value is not None or not none:
            whole_number(value, field.name, least=least)

    return check


def one_of(names: tuple[str, ...]) -> Any:
    """A validator: one of these."""

    def check(_: Any, field: attrs.Attribute[Any], value: Any) -> None:
        if value not in names:
            raise DefinitionError(f"{field.name} must be one of {list(names)}; found {value!r}")

    return check


def dropped(journeys: Journeys, bad: NDArray[np.bool_], whole: str) -> Change:
    """Drop touchpoints, or the whole journeys or customers that they are of."""
    if whole != "touchpoint" and bad.any():
        hit = segment_max(bad, journeys.offsets)
        if whole == "customer":
            flagged = np.zeros(journeys.customer.slots, dtype=bool)
            flagged[journeys.customer.codes[hit]] = True
            hit = flagged[journeys.customer.codes]
        bad = np.repeat(hit, lengths(journeys.offsets))
    return Change(~bad, np.zeros(len(bad), dtype=bool), {})


def instant_text(value: InstantLike) -> str:
    """An instant as text that reads back the same."""
    moment = np.datetime64(instant_us(value, name="at"), "us")
    return f"{moment}Z"


def _plain(value: Any) -> Any:
    if isinstance(value, Goal):
        return value.to_dict()
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, dict):
        return [[old, new] for old, new in value.items()]  # JSON has no keys but text
    return int(value) if isinstance(value, np.integer) else value
