"""What definitions of plans and friction are asked in: goals, one or several, and choices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.errors import DefinitionError
from cxkit.model.goal import Goal, GoalLike, as_goal
from cxkit.model.journeys import Journeys

__all__ = ["as_goals", "matches_any", "one_of"]


def as_goals(goals: GoalLike | Sequence[GoalLike]) -> tuple[Goal, ...]:
    """Goals from one, or from a list.

    Example:
        >>> [goal.name for goal in as_goals(["error", Goal("call", "phone")])]
        ['error', 'call in phone']
    """
    if isinstance(goals, (Goal, str, int)):
        return (as_goal(goals),)
    return tuple(as_goal(goal) for goal in goals)


def matches_any(goals: tuple[Goal, ...], journeys: Journeys) -> NDArray[np.bool_]:
    """(E,) which touchpoints reach one of the goals."""
    found = np.zeros(journeys.touchpoints, dtype=bool)
    for goal in goals:
        found |= goal.matches(journeys)
    return found


def one_of(what: str, *choices: str) -> Callable[[object, attrs.Attribute[Any], object], None]:
    """A validator of a field that is one of a few texts; ``what`` names the definition."""

    def check(_: object, field: attrs.Attribute[Any], value: object) -> None:
        if value not in choices:
            raise DefinitionError(
                f"{field.name} of {what} is one of {list(choices)}; found {value!r}"
            )

    return check
