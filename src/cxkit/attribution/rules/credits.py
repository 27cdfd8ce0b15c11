"""The credit of every touchpoint, and its sums over anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.attribution.results import lost_note
from cxkit.attribution.rules.credittable import CostLike, CreditTable, credit_table
from cxkit.attribution.rules.rules import RuleModel
from cxkit.attribution.touchpaths.cutting import PathRule
from cxkit.core.arrays import freeze
from cxkit.core.codes import Codes, Label
from cxkit.core.result import ColumnLike, Result
from cxkit.model.journeys import Journeys

__all__ = ["Credits"]

FloatArray = NDArray[np.float64]


@attrs.frozen(eq=False, repr=False, kw_only=True)
class Credits(Result):
    """The credit of every touchpoint, in the order of the journeys' rows. E touchpoints.

    Attributes:
        journeys: The journeys.
        rule: What a path and a touch are.
        model: The model that shared the credit.
        credit: (E,) conversions; 0 for rows that earn none. 1 in all per attributed conversion, if
            the model conserves.
        value: (E,) the same in value.
        conversions: How many conversions there are.
        unattributed_conversions: Conversions whose path has no touch.
        unattributed_value: What they are worth.
    """

    journeys: Journeys
    rule: PathRule
    model: RuleModel
    credit: FloatArray = attrs.field(converter=freeze)
    value: FloatArray = attrs.field(converter=freeze)
    conversions: int
    unattributed_conversions: int
    unattributed_value: float

    def columns(self) -> dict[str, ColumnLike]:
        """Credit and value of every touchpoint."""
        return {"credit": self.credit, "value": self.value}

    def by(
        self,
        *keys: str,
        cost: CostLike | None = None,
        level: float = 0.95,
        **columns: Codes | Sequence[Label | None] | NDArray[Any],
    ) -> CreditTable:
        """Sum the credit over groups of touchpoints.

        Args:
            keys: Columns with labels, ``"customer"``, ``"day"``, ``"week"`` (from Monday),
                ``"month"`` or ``"year"`` of the touchpoint (UTC), or ``"cohort"``, the month of the
                customer's first touchpoint; a column of that name comes first.
            cost: A numeric column, whose sum over a group's touchpoints is its cost (NaN costs
                nothing); or label -> cost, if there is one key, and tuple of labels -> cost, if
                there are several.
            level: Of the intervals.
            columns: Further keys: name -> (E,) labels, one for each touchpoint.

        Returns:
            One row for each combination that occurs, sorted.

        Raises:
            SchemaError: There is no such column, or it is of the wrong kind or length.
            DefinitionError: There is no key, or the cost cannot be read.

        Example:
            >>> import cxkit as cx
            >>> journeys = cx.Journeys.from_table(
            ...     {"customer": [1, 1, 2], "time": [0, 9, 0], "event": ["view", "buy", "view"],
            ...      "channel": ["ad", "shop", "ad"], "value": [None, 30.0, None]},
            ...     customer="customer", time="time", time_unit="s", event="event",
            ...     channel="channel", value="value",
            ... )  # fmt: skip
            >>> earned = cx.attribution.credit(journeys, "buy", cx.attribution.Linear())
            >>> earned.by("channel", cost={"ad": 5.0, "shop": 10.0}).roi.tolist()
            [2.0, 0.5]
        """
        return credit_table(self, keys, columns, cost, level)

    def title(self) -> str:
        """The model and the goal."""
        return f"{self.model.name}: credit per touchpoint, {self.rule.goal.name}"

    def notes(self) -> list[str]:
        """What nobody gets."""
        return lost_note(self.unattributed_conversions, self.unattributed_value)
