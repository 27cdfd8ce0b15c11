"""The verbs: attribute, compare, credit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Unpack

from cxkit.attribution.chains.markov import Markov
from cxkit.attribution.comparison import Comparison
from cxkit.attribution.models import AttributionModel, check_model
from cxkit.attribution.results import Attribution, warn_without_nulls
from cxkit.attribution.rules.credits import Credits
from cxkit.attribution.rules.rule_models import (
    FirstTouch,
    LastTouch,
    Linear,
    PositionBased,
    TimeDecay,
)
from cxkit.attribution.rules.rules import RuleModel
from cxkit.attribution.summaries import AttributionSummary
from cxkit.attribution.touchpaths.cutting import PathOptions, PathRule, as_path_rule, sum_by
from cxkit.attribution.touchpaths.journeypaths import JourneyPaths
from cxkit.attribution.touchpaths.paths import Paths
from cxkit.errors import DefinitionError
from cxkit.model.goal import GoalLike
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys

__all__ = ["DEFAULT_MODELS", "attribute", "attribute_paths", "compare", "credit", "tally"]

DEFAULT_MODELS: Final[tuple[AttributionModel, ...]] = (
    FirstTouch(),
    LastTouch(),
    Linear(),
    PositionBased(),
    TimeDecay(),
    Markov(),
)
"""The models that a comparison shows if none are named."""


def attribute(
    journeys: Journeys | Journey,
    goal: GoalLike | PathRule,
    model: AttributionModel = Markov(),  # noqa: B008  # a frozen definition
    *,
    level: float = 0.95,
    draws: int | None = None,
    rng: int = 0,
    **options: Unpack[PathOptions],
) -> Attribution:
    """Share the credit for conversions among the labels of a column.

    Each journey is cut after every conversion; the rows after the last one are a null path. A
    conversion whose path has no touch is counted apart and never given to anybody.

    Args:
        journeys: Journeys, or one journey.
        goal: The goal, or the name of its event: a touchpoint that reaches it is a conversion,
            worth its own ``value`` (NaN is worth nothing). Or a whole path rule.
        model: How the credit is shared.
        level: Of the intervals.
        draws: Replicates of a bootstrap over shards of customers, for the intervals; ``None``: the
            delete-a-group jackknife.
        rng: Seed of the bootstrap.
        options: The further arguments of :class:`PathRule`: ``by``, the column whose labels earn
            the credit, ``lookback`` and so on.

    Returns:
        Credit per label; L labels.

    Raises:
        UnknownLabelError: The goal, or a touch, is no event of the data.
        SchemaError: There is no column ``by``, or it holds numbers.
        DefinitionError: An argument cannot be read.

    Warns:
        CxWarning: There is not a single null path, and a model looks at them: it then cannot
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
    rule = as_path_rule(goal, **options)
    rule.require(journeys)
    result = model.count(JourneyPaths(journeys, rule)).result(level, draws=draws, rng=rng)
    warn_without_nulls([result])
    return result


def compare(
    journeys: Journeys | Journey,
    goal: GoalLike | PathRule,
    models: Iterable[AttributionModel] | AttributionModel = DEFAULT_MODELS,
    *,
    level: float = 0.95,
    draws: int | None = None,
    rng: int = 0,
    **options: Unpack[PathOptions],
) -> Comparison:
    """Every model side by side; the other arguments are those of :func:`attribute`.

    Args:
        journeys: Journeys, or one journey.
        goal: The goal, the name of its event, or a whole path rule.
        models: The models, or one; no two with one name.
        level: Of the intervals in the attributions.
        draws: See :func:`attribute`.
        rng: See :func:`attribute`.
        options: The further arguments of :class:`PathRule`.

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
    if isinstance(models, AttributionModel):
        models = [models]
    given = [check_model(model) for model in models]
    names = [model.name for model in given]
    if not given or len(set(names)) < len(names):
        raise DefinitionError(f"models must be at least one, of different names; found {names}")
    rule = as_path_rule(goal, **options)
    rule.require(journeys)
    found = JourneyPaths(journeys, rule)
    results = [model.count(found).result(level, draws=draws, rng=rng) for model in given]
    warn_without_nulls(results)
    return Comparison(attributions=tuple(results))


def credit(
    journeys: Journeys | Journey,
    goal: GoalLike | PathRule,
    model: RuleModel,
    **options: Unpack[PathOptions],
) -> Credits:
    """The credit of every touchpoint, in the order of the journeys' rows.

    Sum it over anything: a campaign, a day, a customer. The arguments are those of
    :func:`attribute`.

    Args:
        journeys: Journeys, or one journey.
        goal: The goal, the name of its event, or a whole path rule.
        model: A rule. A model that looks at all paths gives credit to labels, not to touchpoints.
        options: The further arguments of :class:`PathRule`. ``by`` matters to those rules only that
            look at labels; where there is no channel, it is the event.

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
    if not isinstance(check_model(model), RuleModel) or not model.per_touch:
        raise DefinitionError(
            f"{model.name} gives credit to labels, not to single touchpoints; take a rule such as "
            "Linear(), or attribute() for credit by label"
        )
    if not isinstance(goal, PathRule) and "channel" not in journeys.columns:
        options.setdefault("by", "event")
    rule = as_path_rule(goal, **options)
    rule.require(journeys)
    paths = JourneyPaths(journeys, rule).converting
    share = model.credit(paths.touches)
    # Added up, for without a restart a touchpoint may be on several paths.
    earned = [sum_by(paths.rows, e, journeys.touchpoints) for e in (share, share * paths.worth)]
    lost = int(paths.unattributed_conversions.sum())
    return Credits(
        journeys=journeys,
        rule=rule,
        model=model,
        credit=earned[0],
        value=earned[1],
        conversions=len(paths.value) + lost,
        unattributed_conversions=lost,
        unattributed_value=float(paths.unattributed_value.sum()),
    )


def tally(
    journeys: Journeys | Journey,
    goal: GoalLike | PathRule,
    model: AttributionModel,
    **options: Unpack[PathOptions],
) -> AttributionSummary:
    """Count what a model needs: a summary that adds up, and whose result is the attribution.

    Unlike :func:`attribute`, which asks about the whole, this may be a part of the data: a goal
    that does not occur in it is no error.

    Args:
        journeys: Journeys, or one journey.
        goal: The goal, the name of its event, or a whole path rule.
        model: How the credit is shared.
        options: The further arguments of :class:`PathRule`.

    Raises:
        SchemaError: There is no column ``by``, or it holds numbers.
        DefinitionError: An argument cannot be read.

    Example:
        >>> import cxkit as cx
        >>> journeys = cx.simulate.retail(100, rng=1).journeys
        >>> parts = [tally(js, "purchase", Markov(2)) for js in (journeys[:50], journeys[50:])]
        >>> (parts[0] + parts[1]).result().model.name
        'markov(order=2)'
    """
    rule = as_path_rule(goal, **options)
    return check_model(model).count(JourneyPaths(as_journeys(journeys), rule))


def attribute_paths(
    paths: Paths,
    model: AttributionModel = Markov(),  # noqa: B008  # a frozen definition
    *,
    level: float = 0.95,
    draws: int | None = None,
    rng: int = 0,
) -> Attribution:
    """The same as :func:`attribute` from the distinct paths alone.

    Args:
        paths: The paths, such as many parts of the data added up, or another tool's counts.
        model: How the credit is shared; not one that needs the times of touches.
        level: Of the intervals.
        draws: See :func:`attribute`.
        rng: See :func:`attribute`.

    Raises:
        DefinitionError: The model needs times.

    Example:
        >>> paths = Paths.from_counts([("a > b", 1, 0, 9.0), ("a", 0, 1, 0), ("b", 0, 2, 0)])
        >>> attribute_paths(paths).share.tolist()
        [0.25, 0.75]
    """
    result = check_model(model).count_paths(paths).result(level, draws=draws, rng=rng)
    warn_without_nulls([result])
    return result
