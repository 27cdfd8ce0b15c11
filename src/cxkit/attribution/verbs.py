"""The verbs: attribute, compare, credit."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

import numpy as np

from cxkit.attribution.cutting import PathRule, TouchesLike
from cxkit.attribution.markov import ChainCounts
from cxkit.attribution.models import (
    DEFAULT_MODELS,
    AttributionModel,
    Markov,
    check_model,
)
from cxkit.attribution.paths import Paths
from cxkit.attribution.results import Attribution, Comparison, Credits
from cxkit.attribution.rule_models import RuleModel
from cxkit.attribution.rules import ConvertingPaths, RuleCredit
from cxkit.core.spans import SpanLike
from cxkit.errors import CxWarning, DefinitionError
from cxkit.model.goal import GoalLike
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys

__all__ = ["attribute", "attribute_paths", "compare", "credit"]


def attribute(
    journeys: Journeys | Journey,
    goal: GoalLike,
    model: AttributionModel = Markov(),  # noqa: B008  # a frozen definition
    *,
    by: str = "channel",
    lookback: SpanLike | None = None,
    goal_is_touch: bool = True,
    touches: TouchesLike = None,
    level: float = 0.95,
) -> Attribution:
    """Share the credit for conversions among the labels of a column.

    Each journey is cut after every conversion; the rows after the last one are a null path. A
    conversion whose path has no touch is counted apart and never given to anybody.

    Args:
        journeys: Journeys, or one journey.
        goal: The goal, or the name of its event: a touchpoint that reaches it is a conversion,
            worth its own ``value`` (NaN is worth nothing).
        model: How the credit is shared.
        by: The column whose labels earn it. A missing label is a slot of its own.
        lookback: Only touchpoints at most this long before the end of their path are touches:
            before the conversion, or before the last touchpoint of a null path.
        goal_is_touch: Whether the conversion's own touchpoint is the last touch of its path.
        touches: The events, or goals, that count as touches (the conversion's own too, so name it
            if it is one); ``None``: all.
        level: Of the intervals of the shares.

    Returns:
        Credit per label; L labels.

    Raises:
        UnknownLabelError: The goal, or a touch, is no event of the data.
        SchemaError: There is no column ``by``, or it holds numbers.
        DefinitionError: An argument cannot be read.

    Warns:
        CxWarning: There is not a single null path, and the model is a Markov chain: it then cannot
            tell labels that convert from labels that do not.

    Example:
        >>> import cxkit as cx
        >>> journeys = cx.Journeys.from_table(
        ...     {
        ...         "customer": ["ann", "ann", "ann", "bob", "cy", "cy"],
        ...         "time": [1, 2, 3, 1, 1, 5],
        ...         "channel": ["ad", "mail", "shop", "ad", "mail", "shop"],
        ...         "event": ["view", "view", "buy", "view", "view", "buy"],
        ...         "value": [None, None, 30.0, None, None, 10.0],
        ...     },
        ...     customer="customer", time="time", time_unit="s",
        ...     channel="channel", event="event", value="value",
        ... )  # fmt: skip
        >>> attribute(journeys, "buy", cx.attribution.Linear(), goal_is_touch=False)
        linear: buy by channel, 2 conversions worth 40.0
        channel  touchpoints  conversions   value   share  share_low  share_high
        ad                 2        0.500  15.000  0.2500          -           -
        mail               2        1.500  25.000  0.7500          -           -
        shop               0        0.000   0.000  0.0000          -           -
        the conversion's own touchpoint is no touch
        paths without conversion: 1, which this model cannot see
    """
    journeys = as_journeys(journeys)
    model = check_model(model)
    rule = PathRule(goal, by=by, lookback=lookback, goal_is_touch=goal_is_touch, touches=touches)
    rule.require(journeys)
    (result,) = _attribute_all(journeys, rule, [model], level)
    _warn_without_nulls([result])
    return result


def compare(
    journeys: Journeys | Journey,
    goal: GoalLike,
    models: Iterable[AttributionModel] = DEFAULT_MODELS,
    *,
    by: str = "channel",
    lookback: SpanLike | None = None,
    goal_is_touch: bool = True,
    touches: TouchesLike = None,
    level: float = 0.95,
) -> Comparison:
    """Every model side by side; the other arguments are those of :func:`attribute`.

    Args:
        journeys: Journeys, or one journey.
        goal: The goal, or the name of its event.
        models: The models; no two with one name.
        by: The column whose labels earn credit.
        lookback: See :func:`attribute`.
        goal_is_touch: See :func:`attribute`.
        touches: See :func:`attribute`.
        level: Of the intervals in the attributions.

    Returns:
        Conversions per label and model; the full answers are in its ``attributions``.

    Raises:
        UnknownLabelError: The goal, or a touch, is no event of the data.
        SchemaError: There is no column ``by``, or it holds numbers.
        DefinitionError: An argument cannot be read, there is no model, or two have one name.

    Warns:
        CxWarning: See :func:`attribute`.

    Example:
        >>> import cxkit as cx
        >>> journeys = cx.Journeys.from_table(
        ...     {"customer": [1, 1, 2], "time": [0, 9, 0], "channel": ["ad", "shop", "ad"],
        ...      "event": ["view", "buy", "view"]},
        ...     customer="customer", time="time", time_unit="s", channel="channel", event="event",
        ... )  # fmt: skip
        >>> compare(journeys, "buy", [cx.attribution.LastTouch(), Markov()])
        2 models: buy by channel, 1 conversions worth 0.0
        channel  last_touch  markov
        ad            0.000  0.5000
        shop          1.000  0.5000
        paths without conversion: 1, which markov counts; last_touch cannot see them
    """
    journeys = as_journeys(journeys)
    given = [check_model(model) for model in models]
    names = [model.name for model in given]
    if not given or len(set(names)) < len(names):
        raise DefinitionError(f"models must be at least one, of different names; found {names}")
    rule = PathRule(goal, by=by, lookback=lookback, goal_is_touch=goal_is_touch, touches=touches)
    rule.require(journeys)
    results = _attribute_all(journeys, rule, given, level)
    _warn_without_nulls(results)
    return Comparison(attributions=tuple(results))


def credit(
    journeys: Journeys | Journey,
    goal: GoalLike,
    model: RuleModel,
    *,
    lookback: SpanLike | None = None,
    goal_is_touch: bool = True,
    touches: TouchesLike = None,
) -> Credits:
    """The credit of every touchpoint, in the order of the journeys' rows.

    Sum it over anything: a campaign, a day, a customer. The arguments are those of
    :func:`attribute`.

    Args:
        journeys: Journeys, or one journey.
        goal: The goal, or the name of its event.
        model: A rule. A Markov chain gives credit to labels, not to touchpoints.
        lookback: See :func:`attribute`.
        goal_is_touch: See :func:`attribute`.
        touches: See :func:`attribute`.

    Returns:
        Credits (E,) that sum to 1 per attributed conversion, 0 for rows that earn none.

    Raises:
        UnknownLabelError: The goal, or a touch, is no event of the data.
        DefinitionError: An argument cannot be read, or the model is no rule.

    Example:
        >>> import cxkit as cx
        >>> journeys = cx.Journeys.from_table(
        ...     {"customer": [1, 1, 2], "time": [0, 9, 0], "event": ["view", "buy", "view"]},
        ...     customer="customer", time="time", time_unit="s", event="event",
        ... )  # fmt: skip
        >>> credit(journeys, "buy", cx.attribution.Linear()).credit.tolist()
        [0.5, 0.5, 0.0]
    """
    journeys = as_journeys(journeys)
    if not isinstance(check_model(model), RuleModel):
        raise DefinitionError(
            f"{model.name} gives credit to labels, not to single touchpoints; take a rule such as "
            "Linear(), or attribute() for credit by label"
        )
    rule = PathRule(
        goal, by="event", lookback=lookback, goal_is_touch=goal_is_touch, touches=touches
    )
    rule.require(journeys)
    paths = ConvertingPaths.of(journeys, rule)
    earned = np.zeros((2, journeys.touchpoints))
    share = model.credit(paths.offsets, paths.ticks)
    earned[0, paths.rows] = share
    earned[1, paths.rows] = share * np.repeat(paths.value, np.diff(paths.offsets))
    lost = int(paths.unattributed_conversions.sum())
    return Credits(
        rule=rule,
        model=model,
        credit=earned[0],
        value=earned[1],
        conversions=len(paths.value) + lost,
        unattributed_conversions=lost,
        unattributed_value=float(paths.unattributed_value.sum()),
    )


def attribute_paths(
    paths: Paths,
    model: AttributionModel = Markov(),  # noqa: B008  # a frozen definition
    *,
    level: float = 0.95,
) -> Attribution:
    """The same as :func:`attribute` from the distinct paths alone.

    Args:
        paths: The paths, such as many parts of the data added up, or another tool's counts.
        model: How the credit is shared; not one that needs the times of touches.
        level: Of the intervals of the shares.

    Raises:
        DefinitionError: The model needs times.

    Example:
        >>> paths = Paths.from_counts([("a > b", 1, 0, 9.0), ("a", 0, 1, 0), ("b", 0, 2, 0)])
        >>> attribute_paths(paths).share.tolist()
        [0.25, 0.75]
    """
    check_model(model)
    if isinstance(model, RuleModel):
        return RuleCredit.from_paths(paths, model=model).result(level)
    result = ChainCounts.from_paths(paths).result(level)
    _warn_without_nulls([result])
    return result


def _attribute_all(
    journeys: Journeys, rule: PathRule, models: list[AttributionModel], level: float
) -> list[Attribution]:
    """One after another; what the rules look at is found once."""
    converting: ConvertingPaths | None = None
    results = []
    for model in models:
        if isinstance(model, RuleModel):
            converting = converting or ConvertingPaths.of(journeys, rule)
            results.append(RuleCredit.from_converting(converting, model=model).result(level))
        else:
            results.append(ChainCounts.of_rule(journeys, rule).result(level))
    return results


def _warn_without_nulls(results: list[Attribution]) -> None:
    result = results[-1]
    chained = any(isinstance(r.model, Markov) for r in results)
    if chained and result.total_conversions and not result.null_paths:
        warnings.warn(
            f"every path ends in {result.goal.name!r}, so the chain cannot tell labels that lead "
            "there from labels that do not; add the journeys of customers who never reached it",
            CxWarning,
            stacklevel=3,
        )
