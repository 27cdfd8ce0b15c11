"""The difference of two attributions: two periods, two segments, two models."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.attribution.models import AttributionModel
from cxkit.attribution.results import label_name
from cxkit.attribution.summaries import AttributionSummary
from cxkit.core.arrays import freeze
from cxkit.core.codes import Label, Vocabulary
from cxkit.core.intervals import FEWEST_SHARDS, paired_difference
from cxkit.core.multiplicity import holm
from cxkit.core.result import ColumnLike, Result
from cxkit.core.summary import SHARDS
from cxkit.errors import DefinitionError, did_you_mean

__all__ = ["CreditDifference", "credit_difference"]

FloatArray = NDArray[np.float64]


@attrs.frozen(eq=False, repr=False, kw_only=True)
class CreditDifference(Result):
    """How much more the second gives to each label than the first. L labels.

    Attributes:
        models: The two models.
        by: The column whose labels earn the credit.
        number: Which number is compared, such as ``share``.
        labels: The labels of either; ``None`` last, if a touch of either lacks a label.
        first: (L,) the number of the first.
        second: (L,) that of the second.
        difference: (L,) second less first.
        low: (L,) lower end of its interval; NaN where there are too few customers for one.
        high: (L,) upper end.
        p: (L,) the chance of a difference as large, were there none (two-sided, Student's t).
        p_adjusted: (L,) the same for all labels together (Holm): below 0.05, at most one in twenty
            such tables shows any difference that is none.
        level: Of the intervals.
    """

    models: tuple[AttributionModel, AttributionModel]
    by: str
    number: str
    labels: tuple[Label | None, ...]
    first: FloatArray = attrs.field(converter=freeze)
    second: FloatArray = attrs.field(converter=freeze)
    difference: FloatArray = attrs.field(converter=freeze)
    low: FloatArray = attrs.field(converter=freeze)
    high: FloatArray = attrs.field(converter=freeze)
    p: FloatArray = attrs.field(converter=freeze)
    p_adjusted: FloatArray = attrs.field(converter=freeze)
    level: float

    def columns(self) -> dict[str, ColumnLike]:
        """The label (under the name of ``by``) and the numbers of each."""
        names = ("first", "second", "difference", "low", "high", "p", "p_adjusted")
        numbers = {name: getattr(self, name) for name in names}
        return {label_name(self.by, numbers): self.labels, **numbers}

    def title(self) -> str:
        """Which number of which models."""
        first, second = (model.name for model in self.models)
        whose = first if first == second else f"{second} less {first}"
        return f"difference of {self.number} by {self.by}: {whose}"


def credit_difference(
    first: AttributionSummary,
    second: AttributionSummary,
    *,
    number: str = "share",
    level: float = 0.95,
) -> CreditDifference:
    """Compare two attributions, with intervals.

    Two periods or segments under one model, or two models of the same journeys. A shard of
    customers is left out of both at once, so that customers who are in both count for what they
    are: pairs. Numbers of a label that only one of them has are 0 in the other.

    Args:
        first: A summary that answers a model, as :func:`~cxkit.attribution.tally` counts.
        second: Another, over the same column.
        number: ``share``, ``value_share``, ``conversions``, ``value``, or a measure of both models,
            such as ``removal_effect``.
        level: Of the intervals.

    Raises:
        DefinitionError: They are over different columns, or have no such number, or the level does
            not lie between 0 and 1.

    Example:
        >>> import cxkit as cx
        >>> from cxkit.attribution import FirstTouch, LastTouch, tally
        >>> journeys = cx.simulate.retail(300, rng=1).journeys
        >>> found = credit_difference(
        ...     *(tally(journeys, "purchase", m, goal_is_touch=False)
        ...       for m in (FirstTouch(), LastTouch()))
        ... )  # fmt: skip
        >>> bool((found.low <= found.difference).all())
        True
    """
    if first.rule.by != second.rule.by:
        raise DefinitionError(
            f"the first is by {first.rule.by!r} and the second by {second.rule.by!r}; count both "
            "by the same column"
        )
    pair = (first, second)
    labels = first.labels.union(second.labels)
    occupied = first.occupied() | second.occupied()
    some = occupied if occupied.sum() >= FEWEST_SHARDS else np.zeros(SHARDS, dtype=bool)
    whole, without, shown = [], [], len(labels)
    for summary in pair:
        found, left = summary.quantities(None), summary.without_each_shard(some)
        if number not in found:
            raise DefinitionError(
                f"{summary.model.name} has no {number!r}; there are {list(found)}."
                f"{did_you_mean(number, found)}"
            )
        shown = max(shown, len(labels) + bool(summary.base().touchpoints[-1]))
        whole.append(_spread(found[number], summary.labels, labels)[0])
        without.append(_spread(left[number], summary.labels, labels))
    difference, low, high, p = paired_difference(
        whole[0], whole[1], without[0], without[1], occupied, level=level
    )
    p = p[:shown]
    return CreditDifference(
        models=(first.model, second.model),
        by=first.rule.by,
        number=number,
        labels=(*labels, None)[:shown],
        first=whole[0][:shown],
        second=whole[1][:shown],
        difference=difference[:shown],
        low=low[:shown],
        high=high[:shown],
        p=p,
        p_adjusted=holm(p),
        level=level,
    )


def _spread(numbers: FloatArray, own: Vocabulary, labels: Vocabulary) -> FloatArray:
    """(B, K' + 1) numbers over more labels, 0 for those that are new."""
    wide = np.zeros((len(numbers), len(labels) + 1))
    wide[:, own.positions_in(labels)] = numbers
    return wide
