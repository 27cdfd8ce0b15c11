"""Points from removal effects, which an attribution model estimates."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cxkit.core.intervals import percentile_interval, shard_draws
from cxkit.core.summary import SHARDS
from cxkit.engagement.amounts import finite_number, positive_count
from cxkit.errors import DefinitionError
from cxkit.model.journeys import Journeys

__all__ = ["draw_effects", "points_of_effects"]


def points_of_effects(
    effects: Mapping[str, float], draws: ArrayLike | None = None, *, highest: float = 100
) -> dict[str, tuple[float, float, float]]:
    """Points from removal effects: the share of conversions that would be lost without a goal.

    The effects come from a Markov chain over paths of events, such as the column
    ``removal_effect`` of ``cxkit.attribution.attribute(journeys, outcome, by="event")``. A goal
    that every converting path leads through has the points of the outcome.

    Args:
        effects: goal -> removal effect, 0 to 1.
        draws: (B, G) effects of bootstrap draws, in the order of ``effects``, for intervals: see
            :func:`draw_effects`.
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


def draw_effects(
    journeys: Journeys,
    effects_of: Callable[[Journeys], Mapping[str, float]],
    *,
    draws: int = 50,
    rng: int | np.random.Generator = 0,
) -> NDArray[np.float64]:
    """The effects of bootstrap draws of the customers, whatever they are estimated by.

    Whole shards of customers are drawn, with replacement (see
    ``cxkit.core.intervals.shard_draws``), and the effects estimated anew for each draw.

    Args:
        journeys: The journeys.
        effects_of: Estimates goal -> effect from journeys, for the same goals each time; a goal
            that a draw does not have counts 0.
        draws: How many draws: each takes as long as one estimate.
        rng: A seed or a generator.

    Returns:
        (draws, G) effects, in the order of ``effects_of(journeys)``.

    Raises:
        DefinitionError: ``draws`` is no whole number from 1 up.

    Example:
        >>> from cxkit.simulate import retail
        >>> def share_of_carts(some):
        ...     return {"add_to_cart": float(some.event.equals("add_to_cart").mean())}
        >>> draw_effects(retail(300, rng=1).journeys, share_of_carts, draws=3).shape
        (3, 1)
    """
    goals = list(effects_of(journeys))
    rows = [np.flatnonzero(journeys.shards == shard) for shard in range(SHARDS)]
    occupied = np.array([len(some) > 0 for some in rows])
    found = []
    for weights in shard_draws(rng, positive_count(draws, "draws"), occupied):
        drawn = [rows[shard] for shard, times in enumerate(weights.tolist()) for _ in range(times)]
        effects = effects_of(journeys.take(np.concatenate(drawn or rows)))
        found.append([float(effects.get(goal, 0.0)) for goal in goals])
    return np.array(found, np.float64).reshape(len(found), len(goals))
