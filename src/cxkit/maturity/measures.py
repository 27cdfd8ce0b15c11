"""Answers that are computed from journeys, in place of somebody's word."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

import numpy as np

from cxkit.core.codes import Codes
from cxkit.core.intervals import divide
from cxkit.errors import DataError, did_you_mean
from cxkit.maturity.answers import Answer, AnswerLike
from cxkit.maturity.model import MaturityModel
from cxkit.model.goal import GoalLike, as_goal
from cxkit.model.journeys import Journeys

__all__ = [
    "Measure",
    "channels_with",
    "channels_with_goals",
    "measured",
    "messages_that_ask_nothing",
]

_CLOSE = 1e-9  # what rounding may take off a share
Measure: TypeAlias = "Callable[[Journeys], float] | float"


def channels_with(journeys: Journeys, column: str, least: float = 0.5) -> float:
    """The share of channels where a column is known of enough touchpoints.

    Args:
        journeys: The journeys.
        column: A column, such as ``"campaign"`` or ``"source"``.
        least: The share of a channel's touchpoints that must have it.

    Returns:
        0 to 1; NaN where there is no channel.

    Raises:
        SchemaError: There is no such column.
    """
    where = journeys.channel
    found = journeys[column]
    known = ~found.is_missing() if isinstance(found, Codes) else ~np.isnan(found)
    # Journeys that were picked out keep all labels; a channel without a touchpoint is none.
    there = where.counts[:-1] > 0
    some = np.bincount(where.codes, known, minlength=where.slots)[:-1]
    return _mean(divide(some[there], where.counts[:-1][there]) >= least)


def channels_with_goals(journeys: Journeys, goals: Iterable[GoalLike]) -> float:
    """The share of channels in which at least one of the goals was ever reached.

    Args:
        journeys: The journeys.
        goals: Goals, or names of their events.

    Returns:
        0 to 1; NaN where there is no channel.
    """
    where = journeys.channel
    reached = np.zeros(where.slots, bool)
    for goal in goals:
        reached[where.codes[as_goal(goal).matches(journeys)]] = True
    return _mean(reached[:-1][where.counts[:-1] > 0])


def messages_that_ask_nothing(
    journeys: Journeys, *, initiator: str = "brand", asks: Iterable[str] = ("sell",)
) -> float:
    """The share of the brand's own messages that ask for no sale.

    Args:
        journeys: Journeys with the columns ``initiator`` and ``intent``.
        initiator: The label of what the brand began.
        asks: The intents that ask for a sale. A message of unknown intent is left out.

    Returns:
        0 to 1; NaN where the brand began nothing.

    Raises:
        SchemaError: A column is missing.
    """
    intent = journeys.codes("intent")
    mine = journeys.codes("initiator").equals(initiator) & ~intent.is_missing()
    asking = np.zeros(len(mine), bool)
    for label in asks:
        asking |= intent.equals(label)
    return _mean(~asking[mine])


def measured(
    model: MaturityModel, journeys: Journeys | None, measures: Mapping[str, Measure]
) -> dict[str, AnswerLike]:
    """Answers to the criteria that name a measurement.

    Args:
        model: The model.
        journeys: What is measured; ``None`` if the measures are numbers that were computed
            elsewhere.
        measures: name of a measurement -> a function of journeys, or a number from 0 to 1. A
            measurement of NaN leaves its criteria unknown.

    Returns:
        criterion -> answer, with the measurement as its evidence. On a scale with labels a
        measurement counts as the highest answer that it reaches, or else as the lowest.

    Raises:
        DataError: No criterion names such a measurement, or a number lies outside 0 to 1.

    Example:
        >>> model = MaturityModel.builtin("cx-seven-stage")
        >>> measured(model, None, {"tactics_linked": 0.9})["opt.linked"].value
        0.5
    """
    bound = {c.measure for c in model.criteria if c.measure}
    found: dict[str, AnswerLike] = {}
    for name, measure in measures.items():
        if name not in bound:
            raise DataError(
                f"no criterion of {model.id!r} is bound to a measurement {name!r}; there are "
                f"{sorted(bound)}.{did_you_mean(name, sorted(bound))}"
            )
        if callable(measure):
            if journeys is None:
                raise DataError(f"the measurement {name!r} needs journeys; found None")
            value = float(measure(journeys))
        else:
            value = float(measure)
        if not (0 <= value <= 1 or np.isnan(value)):
            raise DataError(f"the measurement {name!r} gave {value}; a measurement is 0 to 1")
        for criterion in model.criteria:
            if criterion.measure == name:
                steps = model.scale_of(criterion)
                own = steps.steps()
                reached = max((s for s in own if s <= value + _CLOSE), default=own[0])
                worth = value if not steps.values else reached
                known = None if np.isnan(value) else worth
                found[criterion.id] = Answer(known, evidence=f"measured: {name} = {value:.4g}")
    return found


def _mean(flags: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> float:
    return float(flags.mean()) if len(flags) else float("nan")
