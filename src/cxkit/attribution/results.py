"""What attribution answers, per label."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.attribution.models import AttributionModel
from cxkit.attribution.touchpaths.cutting import PathRule
from cxkit.core.arrays import IntArray, freeze, rebuild
from cxkit.core.codes import Label
from cxkit.core.result import ColumnLike, Result
from cxkit.errors import CxWarning
from cxkit.model.goal import Goal

__all__ = [
    "Attribution",
    "Estimated",
    "Intervals",
    "label_name",
    "lost_note",
    "model_notes",
    "path_notes",
    "warn_without_nulls",
]

FloatArray = NDArray[np.float64]

_AMOUNTS: Final = ("conversions", "value", "share", "value_share")


@attrs.frozen(eq=False)
class Estimated:
    """A number per label, with its interval. L labels.

    Attributes:
        estimate: (L,) the number.
        low: (L,) lower end of its interval; NaN where there is none.
        high: (L,) upper end.
    """

    estimate: FloatArray = attrs.field(converter=freeze)
    low: FloatArray = attrs.field(converter=freeze)
    high: FloatArray = attrs.field(converter=freeze)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle through the constructor, so that the copy is read-only too."""
        return rebuild, (Estimated, attrs.asdict(self, recurse=False))


def _read_only(estimates: Mapping[str, Estimated]) -> Mapping[str, Estimated]:
    return MappingProxyType(dict(estimates))


@attrs.frozen(eq=False, repr=False, kw_only=True)
class Attribution(Result):
    """Who gets the credit: conversions and value per label. L labels.

    If the model conserves, ``conversions.sum() + unattributed_conversions == total_conversions``,
    and so for the value.

    Customers are taken for a sample of independent ones, and the model for right: an interval says
    nothing of whether a label *caused* its conversions.

    Attributes:
        rule: What a path and a touch are.
        model: The model that shared the credit.
        labels: The L labels of the column ``by``, sorted; ``None`` last, if touches lack a label.
        touchpoints: (L,) touches with the label, on paths with a conversion or without.
        estimates: name -> the number of each label with its interval: ``conversions``, ``value``,
            ``share`` (of the attributed conversions; NaN if there is none), ``value_share`` (NaN if
            that value is zero), and what else the model tells, such as ``removal_effect``. All of
            them are in :meth:`intervals`.
        total_conversions: All conversions.
        total_value: What they are worth.
        unattributed_conversions: Conversions whose path has no touch.
        unattributed_value: What they are worth.
        null_paths: Paths without conversion.
        untouched_nulls: Those of them without a touch, which no model counts; 0 for a model that
            looks at no null path at all.
        level: Of the intervals.
        draws: Replicates of the bootstrap that they come from; ``None``: from the jackknife.
        remarks: What the model has to say of this answer in particular, such as why it has no
            intervals.
    """

    rule: PathRule
    model: AttributionModel
    labels: tuple[Label | None, ...]
    touchpoints: IntArray = attrs.field(converter=freeze)
    estimates: Mapping[str, Estimated] = attrs.field(converter=_read_only)
    total_conversions: int
    total_value: float
    unattributed_conversions: int
    unattributed_value: float
    null_paths: int
    untouched_nulls: int = 0
    level: float
    draws: int | None = None
    remarks: tuple[str, ...] = ()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle through the constructor; a read-only mapping does not pickle by itself."""
        named = {f.name: getattr(self, f.name) for f in attrs.fields(Attribution)}
        return rebuild, (Attribution, named | {"estimates": dict(self.estimates)})

    @property
    def goal(self) -> Goal:
        """The goal."""
        return self.rule.goal

    @property
    def by(self) -> str:
        """The column whose labels earn the credit."""
        return self.rule.by

    @property
    def conversions(self) -> FloatArray:
        """(L,) credit in conversions."""
        return self.estimates["conversions"].estimate

    @property
    def value(self) -> FloatArray:
        """(L,) credit in value; a conversion whose value is NaN is worth nothing."""
        return self.estimates["value"].estimate

    @property
    def share(self) -> FloatArray:
        """(L,) share of the attributed conversions; NaN if there is none."""
        return self.estimates["share"].estimate

    @property
    def share_low(self) -> FloatArray:
        """(L,) lower end of its interval; NaN where there are too few customers for one."""
        return self.estimates["share"].low

    @property
    def share_high(self) -> FloatArray:
        """(L,) upper end."""
        return self.estimates["share"].high

    @property
    def value_share(self) -> FloatArray:
        """(L,) share of the attributed value; NaN if that is zero."""
        return self.estimates["value_share"].estimate

    @property
    def removal_effect(self) -> FloatArray | None:
        """(L,) share of the attributed conversions lost without the label, if the model tells."""
        found = self.estimates.get("removal_effect")
        return None if found is None else found.estimate

    def columns(self) -> dict[str, ColumnLike]:
        """The label (under the name of ``by``) and the numbers of each."""
        numbers: dict[str, ColumnLike] = {
            "touchpoints": self.touchpoints,
            "conversions": self.conversions,
            "value": self.value,
            "share": self.share,
            "share_low": self.share_low,
            "share_high": self.share_high,
        }
        told = [k for k in self.estimates if k not in _AMOUNTS and not k.startswith("value_")]
        numbers |= {name: self.estimates[name].estimate for name in told}
        return {label_name(self.by, numbers): self.labels, **numbers}

    def intervals(self) -> Intervals:
        """Every number of every label with its interval."""
        return Intervals(attribution=self)

    def title(self) -> str:
        """The model, the goal, and what there was to share."""
        return (
            f"{self.model.name}: {self.goal.name} by {self.by}, {self.total_conversions:,} "
            f"conversions worth {self.total_value:,.1f}"
        )

    def notes(self) -> list[str]:
        """What the numbers are not."""
        return [*path_notes(self), *model_notes([self]), *self.remarks]


@attrs.frozen(eq=False, repr=False, kw_only=True)
class Intervals(Result):
    """Every number of an attribution with its interval, one below the other.

    Attributes:
        attribution: The attribution.
    """

    attribution: Attribution

    def columns(self) -> dict[str, ColumnLike]:
        """The label (under the name of ``by``), which number, the estimate and its ends."""
        given = self.attribution
        names = ("number", "estimate", "low", "high")
        every = given.estimates.values()
        return {
            label_name(given.by, names): given.labels * len(given.estimates),
            "number": [name for name in given.estimates for _ in given.labels],
            "estimate": np.concatenate([e.estimate for e in every]),
            "low": np.concatenate([e.low for e in every]),
            "high": np.concatenate([e.high for e in every]),
        }

    def title(self) -> str:
        """Whose numbers, and how the intervals were made."""
        given = self.attribution
        how = "jackknife" if given.draws is None else f"bootstrap, {given.draws:,} draws"
        return f"{given.model.name}: {given.level:.0%} intervals ({how} over shards of customers)"

    def notes(self) -> list[str]:
        """What the numbers are not."""
        return self.attribution.notes()


def label_name(by: str, taken: Mapping[str, Any] | tuple[str, ...] | list[str]) -> str:
    """The name of the column of labels: that of ``by``, unless a number has it."""
    return "label" if by in taken else by


def lost_note(conversions: int, value: float) -> list[str]:
    """What to say of conversions that are nobody's credit."""
    if not conversions:
        return []
    return [f"{conversions:,} conversions worth {value:,.1f} have no touch and are nobody's credit"]


def path_notes(result: Attribution) -> list[str]:
    """What counts as a touch, and what is nobody's credit."""
    rule = result.rule
    told = []
    if rule.lookback is not None:
        told.append(f"touches at most {rule.lookback} before the end of their path")
    if rule.most_touches is not None:
        told.append(f"the last {rule.most_touches:,} touches of each path")
    if not rule.restart:
        told.append("paths reach back to the beginning of their journey")
    if rule.touches is not None:
        told.append(f"touches are {', '.join(g.name for g in rule.touches)}")
    if not rule.goal_is_touch:
        told.append(
            "the conversion's own touchpoint is no touch"
            if rule.restart
            else "no conversion's touchpoint is a touch"
        )
    lost = lost_note(result.unattributed_conversions, result.unattributed_value)
    if result.total_conversions == result.unattributed_conversions:
        what = "no conversion has a touch" if lost else "there is no conversion"
        lost.append(f"{what}, so nothing is shared, and shares are not known (nan)")
    return [*(["; ".join(told)] if told else []), *lost]


def model_notes(results: list[Attribution]) -> list[str]:
    """Which models look at paths without conversion, and which do not conserve."""
    blind = [r.model.name for r in results if not r.model.sees_nulls]
    seeing = [r.model.name for r in results if r.model.sees_nulls]
    nulls = f"paths without conversion: {results[0].null_paths:,}"
    untouched = max(r.untouched_nulls for r in results)
    if seeing:
        blindness = f"; {', '.join(blind)} cannot see them" if blind else ""
        touched = f"{results[0].null_paths - untouched:,} with a touch"
        which, what = ("of which", f" the {touched}") if untouched else ("which", "")
        told = [f"{nulls}, {which} {', '.join(seeing)} counts{what}{blindness}"]
    else:
        told = [f"{nulls}, which this model cannot see"]
    told += [
        f"the credits of {r.model.name} do not sum to the conversions"
        for r in results
        if not r.model.conserves
    ]
    return told


def warn_without_nulls(results: Sequence[Attribution]) -> None:
    """Warn, on behalf of the verb that calls this, if a model that looks at null paths has none."""
    seeing = [r for r in results if r.model.sees_nulls]
    if any(r.total_conversions and r.null_paths == r.untouched_nulls for r in seeing):
        result = seeing[0]
        nulls = result.null_paths
        but = f" but for {nulls:,} null paths without a touch" if nulls else ""
        warnings.warn(
            f"every path ends in {result.goal.name!r}{but}, so the model cannot tell labels that "
            "lead there from labels that do not; add the journeys of customers who never reached it"
            f"{', with their touches' if nulls else ''}",
            CxWarning,
            stacklevel=3,
        )
