"""Markov chains of paths as summaries that add up, and the credit by removal effect."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar, Self, Unpack

import attrs
import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from cxkit.attribution.chains.chaincredit import (
    chain_estimates,
    chain_removal,
    has_costly_label,
    why_bare,
)
from cxkit.attribution.chains.chainrows import (
    add_chains,
    check_order,
    rows_of_journeys,
    rows_of_paths,
    rows_over,
)
from cxkit.attribution.chains.contextremoval import ContextRemoval
from cxkit.attribution.models import AttributionModel, known_model
from cxkit.attribution.summaries import (
    VALUE_AS_CONVERSIONS,
    AttributionSummary,
    Base,
    Estimates,
)
from cxkit.attribution.touchpaths.cutting import (
    PathOptions,
    PathRule,
    as_path_rule,
    conversion_values,
    sum_by,
)
from cxkit.attribution.touchpaths.journeypaths import JourneyPaths
from cxkit.attribution.touchpaths.paths import Paths
from cxkit.attribution.touchpaths.runs import CutJourneys
from cxkit.core.arrays import IntArray
from cxkit.core.codes import Vocabulary
from cxkit.core.summary import AXIS, PARAMETER, SHARDS, parameter, total
from cxkit.errors import DefinitionError
from cxkit.model.goal import GoalLike
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys

__all__ = ["ChainCounts", "Markov"]

FloatArray = NDArray[np.float64]


def _check_order(_: object, __: object, value: object) -> None:
    check_order(value)


@known_model
@attrs.frozen
class Markov(AttributionModel):
    """Credit by removal effect: the share of conversions lost if a label led nowhere.

    The paths are read as a Markov chain from START over the labels to CONVERSION or NULL. The
    removal effect of a label is the relative loss of the probability of conversion when every step
    into it leads to NULL instead (Anderl, Becker, von Wangenheim, Schumann 2016, "Mapping the
    customer journey", International Journal of Research in Marketing 33). Credits are removal
    effects divided by their sum; those of the value come from the chain of the value. All of it is
    exact: linear systems, no simulation.

    In order k the next touch depends on the last k; before the k-th touch of a path, START stands
    for what is missing. Repeats are kept: they matter from order 2 on.

    Other tools mean other things by the name. ChannelAttribution simulates this quantity, and
    leaves out repeats in order 1 (which changes nothing there). marketing-attribution-models
    spreads the effects anew over the touches of each path: here
    :class:`~cxkit.attribution.LabelWeights`. Others delete the paths with the label, and so come to
    the share of conversions with it, here :class:`~cxkit.attribution.PresenceShare`; or delete the
    label and join what is left, which can give the largest label nothing and is not offered.

    Attributes:
        order: How many touches the next one depends on, 1 to 4.

    Raises:
        DefinitionError: Another order.

    Example:
        >>> Markov().name, Markov(2).name
        ('markov', 'markov(order=2)')
    """

    kind: ClassVar[str] = "markov"

    order: int = attrs.field(default=1, validator=_check_order)

    def count(self, found: JourneyPaths) -> ChainCounts:
        """The chain of the journeys, as a summary that adds up."""
        return ChainCounts.of_cut(found, order=self.order)

    def count_paths(self, paths: Paths) -> ChainCounts:
        """The same from the distinct paths alone."""
        return ChainCounts.from_paths(paths, order=self.order)


@attrs.frozen(eq=False, repr=False, kw_only=True)
class ChainCounts(AttributionSummary):
    """How often paths step from their last k labels to the next one, and on to the end.

    Only what occurs is kept, so that thousands of labels fit. Codes are those of the labels, K for
    a missing one and K + 1 for START. A conversion whose path has no touch is no part of the chain;
    a null path without a touch leads from START to NULL.

    Attributes:
        rule: What a path and a touch are.
        order: k.
        labels: The K labels.
        grams: (S, k + 1) k labels and the one that came next; sorted, with the shards first.
        gram_shard: (S,) the shard of customers that the row counts for.
        steps: (S,) how often that was so.
        contexts: (Z, k) the last k labels of paths; sorted, with the shards first.
        context_shard: (Z,) the shard of customers.
        conversions: (Z,) how many of the paths led to a conversion.
        nulls: (Z,) how many to none.
        value: (Z,) what the conversions are worth; a value of NaN is worth nothing.
        unattributed_conversions: (SHARDS,) conversions whose path has no touch.
        unattributed_value: (SHARDS,) what they are worth.
        untouched_nulls: (SHARDS,) null paths without a touch. They change no removal effect: it is
            a ratio of two chances that both count them.
        unknown_customers: (SHARDS,) paths of which nobody knows whose they are, such as those that
            another tool has counted. One of them, and there are no intervals.

    Example:
        >>> paths = Paths.from_counts([("a > b > c", 1, 0, 0), ("a", 0, 1, 0), ("b > c", 0, 1, 0)])
        >>> ChainCounts.from_paths(paths).result().removal_effect.tolist()
        [0.5, 1.0, 1.0]
    """

    rule: PathRule = attrs.field(metadata=parameter(PathRule.from_dict))
    order: int = attrs.field(default=1, metadata=PARAMETER)
    labels: Vocabulary = attrs.field(metadata=AXIS)
    grams: NDArray[Any] = attrs.field(metadata=total("gram", "place"))
    gram_shard: NDArray[np.uint8] = attrs.field(metadata=total("gram"))
    steps: IntArray = attrs.field(metadata=total("gram"))
    contexts: NDArray[Any] = attrs.field(metadata=total("context", "place"))
    context_shard: NDArray[np.uint8] = attrs.field(metadata=total("context"))
    conversions: IntArray = attrs.field(metadata=total("context"))
    nulls: IntArray = attrs.field(metadata=total("context"))
    value: FloatArray = attrs.field(metadata=total("context"))
    unattributed_conversions: IntArray = attrs.field(metadata=total("shard"))
    unattributed_value: FloatArray = attrs.field(metadata=total("shard"))
    untouched_nulls: IntArray = attrs.field(metadata=total("shard"))
    unknown_customers: IntArray = attrs.field(
        factory=lambda: np.zeros(SHARDS, np.int64), metadata=total("shard"), kw_only=True
    )

    bounds: ClassVar[Mapping[str, tuple[float, float]]] = {
        "removal_effect": (0.0, 1.0),
        "value_removal_effect": (0.0, 1.0),
    }

    @classmethod
    def of(
        cls,
        journeys: Journeys | Journey,
        /,
        *,
        goal: GoalLike | PathRule,
        order: int = 1,
        **options: Unpack[PathOptions],
    ) -> Self:
        """Count the chain of journeys.

        Args:
            journeys: Journeys, or one journey.
            goal: The goal, or a whole path rule.
            order: How many touches the next one depends on, 1 to 4.
            options: The further arguments of :class:`PathRule`, if only the goal is given.

        Raises:
            SchemaError: There is no column ``by``, or it holds numbers.
            DefinitionError: An argument cannot be read.
        """
        rule = as_path_rule(goal, **options)
        return cls.of_cut(CutJourneys(as_journeys(journeys), rule), order=order)

    @classmethod
    def of_cut(cls, found: CutJourneys, *, order: int = 1) -> Self:
        """Count the chain of journeys that are cut already."""
        journeys, strip = found.journeys, found.strip
        lost = strip.conversions[~strip.attributed]
        shard = journeys.row_shards[lost]
        return cls(
            rule=found.rule,
            order=order,
            labels=journeys.codes(found.rule.by).vocabulary,
            **rows_of_journeys(found, check_order(order)),
            unattributed_conversions=np.bincount(shard, minlength=SHARDS),
            unattributed_value=sum_by(shard, conversion_values(journeys, lost), SHARDS),
            untouched_nulls=strip.untouched_nulls,
        )

    @classmethod
    def from_paths(cls, paths: Paths, *, order: int = 1) -> Self:
        """The same from the distinct paths alone."""
        return cls(
            rule=paths.rule,
            order=order,
            labels=paths.labels,
            **rows_of_paths(paths, check_order(order)),
            unattributed_conversions=paths.unattributed_conversions,
            unattributed_value=paths.unattributed_value,
            untouched_nulls=paths.untouched_nulls,
            unknown_customers=paths.unknown_customers,
        )

    def lower(self, order: int) -> ChainCounts:
        """The chain of a lower order: that of the same paths, as if counted anew.

        Raises:
            DefinitionError: The order is higher than this one, or no order.

        Example:
            >>> paths = Paths.from_counts([("a > b > c", 1, 0, 0), ("b > c", 0, 1, 0)])
            >>> two, one = (ChainCounts.from_paths(paths, order=k) for k in (2, 1))
            >>> two.lower(1) == one
            True
        """
        if check_order(order) > self.order:
            raise DefinitionError(f"a chain of order {self.order} does not hold one of {order}")
        slots = len(self.labels) + 1
        shorter = rows_over(_rows(self), np.arange(slots), self.order - order)
        changes: dict[str, Any] = {"order": order, **add_chains([shorter], slots)}
        return attrs.evolve(self, **changes)

    @property
    def model(self) -> Markov:
        """The model that is answered."""
        return Markov(self.order)

    @cached_property
    def removal(self) -> ContextRemoval:
        """The chain of order 2 or more, solved when it is first asked."""
        return chain_removal(self)

    def base(self) -> Base:
        """What there was to share."""
        wide = len(self.labels) + 1
        return Base(
            touchpoints=np.rint(sum_by(self.grams[:, -1], self.steps, wide)).astype(np.int64),
            conversions=self._by_shard(self.conversions),
            value=sum_by(self.context_shard, self.value, SHARDS),
            unattributed_conversions=self.unattributed_conversions,
            unattributed_value=self.unattributed_value,
            null_paths=self._by_shard(self.nulls) + self.untouched_nulls,
            untouched_nulls=self.untouched_nulls,
            unknown_customers=int(self.unknown_customers.sum()),
        )

    def estimate(self, weights: FloatArray | None) -> Estimates:
        """Removal effects, and the credit that is proportional to them.

        A set of weights is a chain of its own. In order 1 with up to 128 visited labels, and in
        small chains of higher orders, it is solved anew; chains that are larger are moved along
        their derivative by the weight of each shard (the infinitesimal jackknife; Jaeckel 1972,
        Efron 1982), which costs little more than the chain itself. Above 500 visited labels there
        are no intervals (NaN), and the answer says so.

        Raises:
            DefinitionError: More than 5,000 labels are visited.
            DataError: There is a loop of labels that no path leaves, or hardly any (the first never
                in counted chains).
        """
        return chain_estimates(self, weights)

    @override
    def remarks(self, whole: Mapping[str, FloatArray], *, bare: bool) -> list[str]:
        """Why there are no intervals, and where value follows conversions."""
        told = [why_bare(self)] if bare else []
        return [*told, VALUE_AS_CONVERSIONS] if self.costly else told

    @cached_property
    def costly(self) -> bool:
        """Whether more would be earned without a label than with it."""
        return has_costly_label(self)

    def occupied(self) -> NDArray[np.bool_]:
        """(SHARDS,) which shards hold anything; none, where customers are not known."""
        seen = (self.unattributed_conversions != 0) | (self.untouched_nulls != 0)
        seen[self.context_shard] = True
        return np.asarray(seen & (not self.unknown_customers.any()))

    def _by_shard(self, counts: IntArray) -> IntArray:
        return np.rint(sum_by(self.context_shard, counts, SHARDS)).astype(np.int64)

    def _merged(self, other: Self) -> dict[str, Any]:
        labels = self.labels.union(other.labels)
        both = (self, other)
        parts = [rows_over(_rows(s), s.labels.positions_in(labels)) for s in both]
        names = ("unattributed_conversions", "unattributed_value", "untouched_nulls")
        sums = {name: getattr(self, name) + getattr(other, name) for name in names}
        return {"labels": labels, **sums, **add_chains(parts, len(labels) + 1)}


def _rows(counts: ChainCounts) -> dict[str, NDArray[Any]]:
    per_shard = total("shard")
    fields = [f.name for f in counts.fields("total") if f.metadata != per_shard]
    return {name: getattr(counts, name) for name in fields}
