"""Points from removal effects, which an attribution model estimates."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from cxkit.core.intervals import percentile_interval
from cxkit.engagement.amounts import finite_number
from cxkit.errors import DefinitionError

__all__ = ["points_of_effects"]


def points_of_effects(
    effects: Mapping[str, float], draws: ArrayLike | None = None, *, highest: float = 100
) -> dict[str, tuple[float, float, float]]:
    """Points from removal effects: the share of conversions that would be lost without a goal.

    The effects come from a Markov chain over paths of events, such as the column
    ``removal_effect`` of ``cxkit.attribution.attribute(journeys, outcome, by="event")``. A goal
    that every converting path leads through has the points of the outcome.

    Args:
        effects: goal -> removal effect, 0 to 1.
        draws: (B, G) effects of bootstrap draws, in the order of ``effects``, for intervals.
        highest: The points of the outcome.

    Returns:
        goal -> points and the ends of their 95% interval, NaN without draws.

    Raises:
        DefinitionError: An effect does not lie between 0 and 1, or the draws have another shape.

    Example:
        >>> points_of_effects({"demo": 0.5, "mail": 0.05})["demo"][0]
        50.0
    """
    top = finite_number(highest, "highest")
    values = {name: finite_number(e, f"the effect of {name!r}") for name, e in effects.items()}
    for name, effect in values.items():
        if not 0 <= effect <= 1:
            raise DefinitionError(f"a removal effect lies between 0 and 1; {name!r} has {effect!r}")
    low = high = np.full(len(values), np.nan)
    if draws is not None:
        given = np.asarray(draws, np.float64)
        if given.ndim != 2 or given.shape[1] != len(values) or not len(given):
            raise DefinitionError(
                f"draws must be (B, {len(values)}), a column for each effect; found {given.shape}"
            )
        low, high = percentile_interval(top * given)
    return {
        name: (top * effect, float(a), float(b))
        for (name, effect), a, b in zip(values.items(), low, high, strict=True)
    }
