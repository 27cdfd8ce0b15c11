"""What the visits of each label earn: the table."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.codes import Label
from cxkit.core.intervals import divide
from cxkit.core.result import ColumnLike, Result, show_number
from cxkit.engagement.amounts import some_points

__all__ = ["VisitValues"]


@attrs.frozen(eq=False, repr=False)
class VisitValues(Result):
    """What the visits of each label earn, against the site as a whole.

    A label earns well if its value per visit is at or above the site's, and is busy if its visits
    are at or above the mean of the labels. ``protect``: both. ``scale``: earns well, not busy.
    ``fix``: busy, earns badly (a question of relevance). ``stop``: neither.

    Attributes:
        by: The column of the labels.
        labels: (K,) the labels that have visits; the last is ``None`` if visits lack one.
        visits: (K,) visits.
        value: (K,) points of these visits, without ageing, and without the caps and the floor of
            the scale, which bound a score at an instant.
        value_per_visit: (K,) their quotient.
        standard_error: (K,) sd / sqrt(visits), with visits - 1 in the variance; NaN for one visit.
            It takes visits for independent.
        customer_error: (K,) the standard error that takes *customers* for independent, which they
            are rather than their visits: the delete-a-group jackknife over the shards. NaN with
            fewer than 10 shards that hold a customer.
        relative_value: (K,) value per visit over the site's; NaN unless the site's is above 0.
        shrunk: (K,) value per visit, drawn towards the site's by as much as the label is small: see
            :func:`~cxkit.engagement.shrink`. NaN where the data cannot tell by how much.
        credibility: (K,) how much the label's own value counts in that, 0 to 1.
        quadrant: (K,) see above; ``None`` for visits without a label, which are not in the mean.
        site_visits: All visits.
        site_value: All points.
        site_value_per_visit: Their quotient; NaN without visits.
        site_standard_error: Its standard error.
        mean_visits: Mean visits per label; NaN without labels.
        outside_sessions: Sessions that are no visits, for nothing in them opens one.
        outside_value: Points that belong to no visit.
        cost: (K,) what each label cost, NaN where it was not said; ``None`` without costs.
        idle_cost: What was spent on labels without a visit.
    """

    by: str
    labels: tuple[Label | None, ...]
    visits: IntArray = attrs.field(converter=freeze)
    value: NDArray[np.float64] = attrs.field(converter=freeze)
    value_per_visit: NDArray[np.float64] = attrs.field(converter=freeze)
    standard_error: NDArray[np.float64] = attrs.field(converter=freeze)
    customer_error: NDArray[np.float64] = attrs.field(converter=freeze)
    relative_value: NDArray[np.float64] = attrs.field(converter=freeze)
    shrunk: NDArray[np.float64] = attrs.field(converter=freeze)
    credibility: NDArray[np.float64] = attrs.field(converter=freeze)
    quadrant: tuple[str | None, ...]
    site_visits: int
    site_value: float
    site_value_per_visit: float
    site_standard_error: float
    mean_visits: float
    outside_sessions: int
    outside_value: float
    cost: NDArray[np.float64] | None = None
    idle_cost: float = 0.0

    @property
    def cost_per_value(self) -> NDArray[np.float64]:
        """(K,) what a point costs: cost over value, NaN without a cost or without points above 0.

        Sums are divided, never means: what a point costs over all labels is the sum of their costs
        over the sum of their values.
        """
        if self.cost is None:
            return np.full(len(self.labels), np.nan)
        return divide(self.cost, np.where(self.value > 0, self.value, 0.0))

    def with_costs(self, costs: Mapping[Label | None, float]) -> VisitValues:
        """The same table with what labels cost.

        Args:
            costs: label -> cost, in any one currency. Labels without visits are kept apart in
                ``idle_cost``, and told.

        Raises:
            DefinitionError: A cost is no number from 0 up.
        """
        known = {
            label: some_points(cost, f"the cost of {label!r}") for label, cost in costs.items()
        }
        own = np.array([known.pop(label, np.nan) for label in self.labels], np.float64)
        own.flags.writeable = False
        return attrs.evolve(self, cost=own, idle_cost=sum(known.values()))

    def columns(self) -> dict[str, ColumnLike]:
        """The label (named as the column it comes from) and the figures."""
        money: dict[str, ColumnLike] = {}
        if self.cost is not None:
            money = {"cost": self.cost, "cost_per_value": self.cost_per_value}
        return {
            self.by: self.labels,
            "visits": self.visits,
            "value": self.value,
            "value_per_visit": self.value_per_visit,
            "standard_error": self.standard_error,
            "relative_value": self.relative_value,
            "shrunk": self.shrunk,
            **money,
            "quadrant": self.quadrant,
        }

    def title(self) -> str:
        """What it is."""
        return f"engagement value per visit by {self.by}"

    def notes(self) -> list[str]:
        """The site as a whole, what is no visit, and what was spent in vain."""
        site = (
            f"site: {self.site_visits:,} visits, value {show_number(self.site_value, 1)}, "
            f"{show_number(self.site_value_per_visit)} per visit "
            f"(standard error {show_number(self.site_standard_error)})"
        )
        told = [site, f"mean visits per {self.by}: {show_number(self.mean_visits, 1)}"]
        if self.outside_sessions or self.outside_value:
            told.append(
                f"no visits: {self.outside_sessions:,} sessions that nothing opens; "
                f"{show_number(self.outside_value, 1)} points belong to no visit"
            )
        if self.idle_cost:
            told.append(f"spent on labels without a visit: {show_number(self.idle_cost, 2)}")
        return told
