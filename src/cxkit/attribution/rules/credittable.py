"""Credit summed over groups of touchpoints, beside what they cost."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.attribution.results import lost_note
from cxkit.attribution.rules.groupkeys import Grouped, group_rows
from cxkit.attribution.touchpaths.cutting import sum_by
from cxkit.core.arrays import IntArray, freeze
from cxkit.core.codes import Codes, Label
from cxkit.core.intervals import check_level, divide, interval, jackknife_error, leave_one_out
from cxkit.core.result import ColumnLike, Result
from cxkit.core.summary import SHARDS
from cxkit.errors import DefinitionError, SchemaError, did_you_mean
from cxkit.model.journeys import Journeys

if TYPE_CHECKING:
    from cxkit.attribution.rules.credits import Credits

__all__ = ["CostLike", "CreditTable", "credit_table"]

FloatArray = NDArray[np.float64]
CostLike: TypeAlias = "str | Mapping[Any, float]"

_MOST_CELLS: Final = 1 << 24
_NUMBERS: Final = (
    "touchpoints",
    "conversions",
    "value",
    "share",
    "share_low",
    "share_high",
    "cost",
    "cost_per_conversion",
    "roi",
    "roi_low",
    "roi_high",
)


@attrs.frozen(eq=False, repr=False, kw_only=True)
class CreditTable(Result):
    """Credit by group of touchpoints. G groups.

    Intervals take customers for a sample of independent ones, and costs for known unless they are a
    column.

    Attributes:
        credits: The credits that are summed.
        keys: name -> (G,) the labels of the groups; ``None`` is a missing one.
        touchpoints: (G,) touchpoints in the group, whether they earn anything or not.
        conversions: (G,) credit in conversions.
        value: (G,) credit in value.
        share: (G,) of the attributed conversions; NaN if there is none.
        share_low: (G,) lower end of its interval; NaN where there are too few customers, or too
            many groups, for one.
        share_high: (G,) upper end.
        cost: (G,) what the group cost; ``None`` if no costs were given.
        cost_per_conversion: (G,) cost over credit in conversions; NaN where nothing is earned.
        roi: (G,) value less cost, over cost; NaN where the cost is not above 0: where nothing was
            spent, or more came back.
        roi_low: (G,) lower end of its interval.
        roi_high: (G,) upper end.
        level: Of the intervals.
    """

    credits: Credits
    keys: Mapping[str, list[Label | None]]
    touchpoints: IntArray = attrs.field(converter=freeze)
    conversions: FloatArray = attrs.field(converter=freeze)
    value: FloatArray = attrs.field(converter=freeze)
    share: FloatArray = attrs.field(converter=freeze)
    share_low: FloatArray = attrs.field(converter=freeze)
    share_high: FloatArray = attrs.field(converter=freeze)
    cost: FloatArray | None = None
    cost_per_conversion: FloatArray | None = None
    roi: FloatArray | None = None
    roi_low: FloatArray | None = None
    roi_high: FloatArray | None = None
    level: float

    def columns(self) -> dict[str, ColumnLike]:
        """The labels of each group, and its numbers."""
        named = {f"{k} (key)" if k in _NUMBERS else k: v for k, v in self.keys.items()}
        numbers = {name: getattr(self, name) for name in _NUMBERS}
        return {**named, **{k: v for k, v in numbers.items() if v is not None}}

    def title(self) -> str:
        """The model, the goal and the keys."""
        model, rule = self.credits.model, self.credits.rule
        return f"{model.name}: {rule.goal.name} by {', '.join(self.keys)}"

    def notes(self) -> list[str]:
        """What nobody gets, and what the sums are not."""
        told = lost_note(self.credits.unattributed_conversions, self.credits.unattributed_value)
        if not self.credits.model.conserves:
            told.append(f"the credits of {self.credits.model.name} do not sum to the conversions")
        if self.cost is not None and not (self.cost > 0).all():
            told.append("no return on investment where nothing is spent")
        return told


def credit_table(
    earned: Credits,
    keys: Sequence[str],
    columns: Mapping[str, Codes | Sequence[Label | None] | NDArray[Any]],
    cost: CostLike | None,
    level: float,
) -> CreditTable:
    """Sum credits over groups; see :meth:`cxkit.attribution.Credits.by`."""
    check_level(level)
    journeys = earned.journeys
    groups = group_rows(journeys, keys, columns)
    G = groups.count
    attributed = earned.conversions - earned.unattributed_conversions
    amounts = [earned.credit, earned.value]
    wide = G * SHARDS <= _MOST_CELLS
    parts = SHARDS if wide else 1
    at = groups.codes.astype(np.int64)
    if wide:
        at = journeys.row_shards.astype(np.int64) * G + at
    per_shard = [np.bincount(at, amount, parts * G).reshape(parts, G) for amount in amounts]
    conversions, value = (p.sum(axis=0) for p in per_shard)
    occupied = np.bincount(journeys.shards, minlength=SHARDS) > 0
    share = divide(conversions, np.full(G, attributed))
    low = high = np.full(G, np.nan)
    if wide and earned.model.conserves:
        left = leave_one_out(per_shard[0])
        error = jackknife_error(divide(left, left.sum(axis=1, keepdims=True)), occupied)
        low, high = interval(share, error, occupied, level=level, bounds=(0.0, 1.0))
    spent = None if cost is None else _costs(journeys, groups, cost)
    returns: dict[str, Any] = {}
    if spent is not None:
        roi = _return(value, spent)
        ends = np.full(G, np.nan), np.full(G, np.nan)
        if wide:
            # A total is jackknifed by what it would be if the other shards were all there is.
            scale = occupied.sum() / max(occupied.sum() - 1, 1)
            left, paid = leave_one_out(per_shard[1]) * scale, spent
            if isinstance(cost, str):
                each = np.nan_to_num(np.asarray(journeys[cost]))
                paid = leave_one_out(np.bincount(at, each, SHARDS * G).reshape(SHARDS, G)) * scale
            error = jackknife_error(_return(left, paid), occupied)
            ends = interval(roi, error, occupied, level=level)
        returns = {
            "cost": freeze(spent),
            "cost_per_conversion": freeze(divide(spent, conversions)),
            "roi": freeze(roi),
            "roi_low": freeze(ends[0]),
            "roi_high": freeze(ends[1]),
        }
    return CreditTable(
        credits=earned,
        keys=groups.labels,
        touchpoints=np.bincount(groups.codes, minlength=G),
        conversions=conversions,
        value=value,
        share=share,
        share_low=low,
        share_high=high,
        level=level,
        **returns,
    )


def _return(value: FloatArray, spent: FloatArray) -> FloatArray:
    """Value less cost, over cost; NaN where nothing is spent."""
    return np.asarray((value - spent) / np.where(spent > 0, spent, np.nan))


def _costs(journeys: Journeys, groups: Grouped, cost: CostLike) -> FloatArray:
    """(G,) what each group cost."""
    if isinstance(cost, str):
        column = journeys[cost]
        if isinstance(column, Codes):
            raise SchemaError(
                f"cost={cost!r} holds labels; name a numeric column, or give label -> cost"
            )
        return sum_by(groups.codes, np.nan_to_num(column), groups.count)
    if not isinstance(cost, Mapping):
        raise DefinitionError(
            f"cost must be the name of a numeric column, or label -> cost; found {cost!r}"
        )
    names = list(zip(*groups.labels.values(), strict=True))
    single = len(groups.labels) == 1
    place = {name[0] if single else name: g for g, name in enumerate(names)}
    spent = np.zeros(groups.count)
    for label, amount in cost.items():
        if label not in place:
            raise DefinitionError(
                f"cost names {label!r}, which is no group of {list(groups.labels)}."
                f"{did_you_mean(str(label), [str(k) for k in place])}"
            )
        if not math.isfinite(amount):
            raise DefinitionError(f"the cost of {label!r} must be finite; found {amount}")
        spent[place[label]] = amount
    return spent
