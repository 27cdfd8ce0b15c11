"""What next steps look like: per journey, after a path, and whether a goal is reached."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import freeze
from cxkit.core.codes import Label
from cxkit.core.result import Result

__all__ = ["GoalForecast", "NextStepTable"]


@attrs.frozen(eq=False, repr=False, kw_only=True)
class NextStepTable(Result):
    """The most probable next steps, of each journey or after a path.

    Attributes:
        by: The column.
        customer: The customer of the journey of each row; ``None`` after a path.
        outcome: What comes next: a label, ``None`` for a missing one, or ``"(end)"``.
        probability: (n,) of it.
    """

    by: str
    customer: tuple[Label | None, ...] | None
    outcome: tuple[Label | None, ...]
    probability: NDArray[np.float64] = attrs.field(converter=freeze)

    def columns(self) -> Mapping[str, Any]:
        """The customer, the next label (under the name of the column), and its probability."""
        whose = {} if self.customer is None else {"customer": list(self.customer)}
        return {**whose, self.by: list(self.outcome), "probability": self.probability}


@attrs.frozen(eq=False, repr=False, kw_only=True)
class GoalForecast(Result):
    """Whether and when journeys reach a goal: one row per journey.

    Attributes:
        goal: Its name.
        customer: The customer of each journey.
        probability: (J,) that the goal comes after the last touchpoint.
        seconds: (J,) until then, on average, if it comes; NaN where it never came in the counts.
    """

    goal: str
    customer: tuple[Label | None, ...]
    probability: NDArray[np.float64] = attrs.field(converter=freeze)
    seconds: NDArray[np.float64] = attrs.field(converter=freeze)

    def columns(self) -> Mapping[str, Any]:
        """One row per journey."""
        return {
            "customer": list(self.customer),
            "probability": self.probability,
            "seconds": self.seconds,
        }

    def title(self) -> str:
        """The goal, and how many journeys are expected to reach it."""
        return f"{self.goal}: expected in {self.probability.sum():,.1f} of {len(self):,} journeys"

    def notes(self) -> tuple[str, ...]:
        """What the time is."""
        never = int(np.isnan(self.seconds).sum())
        told = (f"seconds: {never:,} journeys unknown, the goal never came",) if never else ()
        return ("seconds: from the last touchpoint, of those that reach it", *told)
