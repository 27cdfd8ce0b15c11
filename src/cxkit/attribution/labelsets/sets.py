"""Which labels paths touched, in whatever order, as a summary that adds up."""

from __future__ import annotations

from typing import Final, Self, Unpack

import attrs
import numpy as np

from cxkit.attribution.labelsets.setrows import SetRows
from cxkit.attribution.labelsets.settable import SetTable
from cxkit.attribution.touchpaths.cutting import PathOptions, PathRule, as_path_rule
from cxkit.core.result import show_label
from cxkit.model.goal import GoalLike
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys

__all__ = ["LabelSets"]

_JOIN: Final = " + "


@attrs.frozen(eq=False, repr=False, kw_only=True)
class LabelSets(SetRows):
    """How often each distinct set of labels led to a conversion, and how often to none.

    The set of a path is the labels of its touches, each once and in no order; a missing label is a
    member like any other. Shapley values and the logistic counterfactual look at nothing else: see
    :class:`~cxkit.attribution.SetCredit`. A row is a set in one shard of customers; S rows.

    Attributes:
        rule: What a path and a touch are.
        conversions: (S,) paths with exactly this set that led to a conversion.
        nulls: (S,) and those that led to none.
        value: (S,) what the conversions are worth; a value of NaN is worth nothing.
        touchpoints: (K + 1,) touches with each label.
        unattributed_conversions: (SHARDS,) conversions whose path has no touch.
        unattributed_value: (SHARDS,) what they are worth.
        untouched_nulls: (SHARDS,) null paths without a touch.
        unknown_customers: (SHARDS,) paths of which nobody knows whose they are.

    Example:
        >>> from cxkit.attribution import Paths
        >>> paths = Paths.from_counts([("ad > mail > ad", 2, 1, 90.0), ("mail > ad", 1, 6, 30.0)])
        >>> LabelSets.from_paths(paths).result()
        label sets by channel: 3 conversions worth 120.0, 7 null paths
        labels     size  conversions  nulls    value    rate
        ad + mail     2            3      7  120.000  0.3000
    """

    @classmethod
    def of(
        cls,
        journeys: Journeys | Journey,
        /,
        *,
        goal: GoalLike | PathRule,
        **options: Unpack[PathOptions],
    ) -> Self:
        """Count the label sets of journeys.

        Args:
            journeys: Journeys, or one journey.
            goal: The goal, or a whole path rule.
            options: The further arguments of :class:`PathRule`, if only the goal is given.

        Raises:
            SchemaError: There is no column ``by``, or it holds numbers.
            DefinitionError: An argument cannot be read.
        """
        return cls.of_rule(as_journeys(journeys), as_path_rule(goal, **options))

    def result(self, top: int | None = 20) -> SetTable:
        """The most frequent sets.

        Args:
            top: How many; ``None`` for all. What is left out is told below the table.
        """
        whole = self.whole()
        size = np.diff(whole.offsets)
        order = np.lexsort((size, -whole.nulls, -whole.conversions))[:top]
        names = np.array([*map(show_label, self.labels), show_label(None)], dtype=object)
        spans = zip(whole.offsets[order].tolist(), whole.offsets[order + 1].tolist(), strict=True)
        return SetTable(
            rule=self.rule,
            labels=[_JOIN.join(names[whole.codes[i:j]]) for i, j in spans],
            size=size[order],
            conversions=whole.conversions[order],
            nulls=whole.nulls[order],
            value=whole.value[order],
            sets=len(size),
            total_conversions=int(self.conversions.sum() + self.unattributed_conversions.sum()),
            total_value=float(self.value.sum() + self.unattributed_value.sum()),
            null_paths=int(self.nulls.sum() + self.untouched_nulls.sum()),
        )
