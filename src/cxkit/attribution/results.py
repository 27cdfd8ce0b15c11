"""What attribution answers: per label, side by side, and per touchpoint."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.attribution.cutting import PathRule
from cxkit.attribution.models import AttributionModel
from cxkit.attribution.rule_models import RuleModel
from cxkit.core.arrays import IntArray, freeze
from cxkit.core.codes import Label, Vocabulary
from cxkit.core.intervals import interval, jackknife_error
from cxkit.core.result import ColumnLike, Result
from cxkit.errors import DefinitionError
from cxkit.model.goal import Goal

__all__ = ["Attribution", "Comparison", "Credits", "make_attribution", "safe_share"]

FloatArray = NDArray[np.float64]

_NUMBERS = (
    "touchpoints",
    "conversions",
    "value",
    "share",
    "share_low",
    "share_high",
    "removal_effect",
)


@attrs.frozen(eq=False, repr=False, kw_only=True)
class Attribution(Result):
    """Who gets the credit: conversions and value per label. L labels.

    ``conversions.sum() + unattributed_conversions == total_conversions``, and so for the value.

    Attributes:
        rule: What a path and a touch are.
        model: The model that shared the credit.
        labels: The L labels of the column ``by``, sorted; ``None`` last, if touches lack a label.
        touchpoints: (L,) touches with the label, on paths with a conversion or without.
        conversions: (L,) credit in conversions.
        value: (L,) credit in value; a conversion whose value is NaN is worth nothing.
        share: (L,) of the attributed conversions; NaN if there is none.
        share_low: (L,) lower end of the interval of the share; NaN where there are too few
            customers for one. Customers are taken for a sample of independent ones, and the model
            for right: the interval says nothing of whether a label *caused* its conversions.
        share_high: (L,) upper end.
        removal_effect: (L,) share of the attributed conversions lost without the label; ``None``
            unless the model is a Markov chain.
        total_conversions: All conversions.
        total_value: What they are worth.
        unattributed_conversions: Conversions whose path has no touch.
        unattributed_value: What they are worth.
        null_paths: Paths without conversion.
        level: Of the interval.
    """

    rule: PathRule
    model: AttributionModel
    labels: tuple[Label | None, ...]
    touchpoints: IntArray = attrs.field(converter=freeze)
    conversions: FloatArray = attrs.field(converter=freeze)
    value: FloatArray = attrs.field(converter=freeze)
    share: FloatArray = attrs.field(converter=freeze)
    share_low: FloatArray = attrs.field(converter=freeze)
    share_high: FloatArray = attrs.field(converter=freeze)
    removal_effect: FloatArray | None = None
    total_conversions: int
    total_value: float
    unattributed_conversions: int
    unattributed_value: float
    null_paths: int
    level: float

    @property
    def goal(self) -> Goal:
        """The goal."""
        return self.rule.goal

    @property
    def by(self) -> str:
        """The column whose labels earn the credit."""
        return self.rule.by

    def columns(self) -> dict[str, ColumnLike]:
        """The label (under the name of ``by``) and the numbers of each."""
        columns: dict[str, ColumnLike] = {_label_name(self.by, _NUMBERS): self.labels}
        for name in _NUMBERS:
            if (numbers := getattr(self, name)) is not None:
                columns[name] = numbers
        return columns

    def title(self) -> str:
        """The model, the goal, and what there was to share."""
        return (
            f"{self.model.name}: {self.goal.name} by {self.by}, {self.total_conversions:,} "
            f"conversions worth {self.total_value:,.1f}"
        )

    def notes(self) -> list[str]:
        """What the numbers are not."""
        return [*_path_notes(self), *_model_notes([self])]


@attrs.frozen(eq=False, repr=False, kw_only=True)
class Comparison(Result):
    """Every model side by side: the conversions that each gives to each label.

    Attributes:
        attributions: One per model, over the same labels.
    """

    attributions: tuple[Attribution, ...]

    @property
    def labels(self) -> tuple[Label | None, ...]:
        """The labels of the column ``by``."""
        return self.attributions[0].labels

    def columns(self) -> dict[str, ColumnLike]:
        """The label (under the name of ``by``) and conversions, one column per model."""
        names = [a.model.name for a in self.attributions]
        columns: dict[str, ColumnLike] = {_label_name(self.attributions[0].by, names): self.labels}
        columns.update((a.model.name, a.conversions) for a in self.attributions)
        return columns

    def title(self) -> str:
        """The goal, and what there was to share."""
        first = self.attributions[0]
        return (
            f"{len(self.attributions)} models: {first.goal.name} by {first.by}, "
            f"{first.total_conversions:,} conversions worth {first.total_value:,.1f}"
        )

    def notes(self) -> list[str]:
        """What the numbers are not."""
        return [*_path_notes(self.attributions[0]), *_model_notes(list(self.attributions))]


@attrs.frozen(eq=False, repr=False, kw_only=True)
class Credits(Result):
    """The credit of every touchpoint, in the order of the journeys' rows. E touchpoints.

    Attributes:
        rule: What a path and a touch are.
        model: The model that shared the credit.
        credit: (E,) conversions; 0 for rows that earn none. 1 in all per attributed conversion.
        value: (E,) the same in value.
        conversions: How many conversions there are.
        unattributed_conversions: Conversions whose path has no touch.
        unattributed_value: What they are worth.
    """

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

    def title(self) -> str:
        """The model and the goal."""
        return f"{self.model.name}: credit per touchpoint, {self.rule.goal.name}"

    def notes(self) -> list[str]:
        """What nobody gets."""
        return _unattributed_note(self.unattributed_conversions, self.unattributed_value)


def make_attribution(
    *,
    rule: PathRule,
    model: AttributionModel,
    labels: Vocabulary,
    touchpoints: IntArray,
    conversions: FloatArray,
    value: FloatArray,
    shares_without: FloatArray,
    occupied: NDArray[np.bool_],
    unattributed_conversions: IntArray,
    unattributed_value: FloatArray,
    null_paths: int,
    attributed: tuple[int, float],
    level: float,
    removal_effect: FloatArray | None = None,
) -> Attribution:
    """An :class:`Attribution` from what the summaries hold.

    Args:
        rule: What a path and a touch are.
        model: The model.
        labels: K labels.
        touchpoints: (K + 1,) per slot.
        conversions: (K + 1,) per slot.
        value: (K + 1,) per slot.
        shares_without: (SHARDS, K + 1) the shares without each shard.
        occupied: (SHARDS,) which shards hold anything.
        unattributed_conversions: (SHARDS,).
        unattributed_value: (SHARDS,).
        null_paths: All of them.
        attributed: Conversions and value that were shared.
        level: Of the interval.
        removal_effect: (K + 1,) per slot.
    """
    if not 0 < level < 1:
        raise DefinitionError(f"level={level} must lie between 0 and 1, such as 0.95")
    share = safe_share(conversions)
    error = jackknife_error(shares_without, occupied)
    low, high = interval(share, error, occupied, level=level, bounds=(0.0, 1.0))
    # The missing label has a row only if there is something in it.
    shown = len(labels) + bool(touchpoints[-1])
    lost, lost_value = int(unattributed_conversions.sum()), float(unattributed_value.sum())
    return Attribution(
        rule=rule,
        model=model,
        labels=(*labels, None)[:shown],
        touchpoints=touchpoints[:shown],
        conversions=conversions[:shown],
        value=value[:shown],
        share=share[:shown],
        share_low=low[:shown],
        share_high=high[:shown],
        removal_effect=None if removal_effect is None else freeze(removal_effect[:shown]),
        total_conversions=attributed[0] + lost,
        total_value=attributed[1] + lost_value,
        unattributed_conversions=lost,
        unattributed_value=lost_value,
        null_paths=null_paths,
        level=level,
    )


def safe_share(amounts: FloatArray) -> FloatArray:
    """Amounts divided by their sum over the last axis; NaN where that is zero."""
    whole = amounts.sum(axis=-1, keepdims=True)
    nothing = np.full(amounts.shape, np.nan)
    return np.asarray(np.divide(amounts, whole, out=nothing, where=whole != 0))


def _label_name(by: str, taken: tuple[str, ...] | list[str]) -> str:
    return "label" if by in taken else by


def _unattributed_note(conversions: int, value: float) -> list[str]:
    if not conversions:
        return []
    return [f"{conversions:,} conversions worth {value:,.1f} have no touch and are nobody's credit"]


def _path_notes(result: Attribution) -> list[str]:
    rule = result.rule
    told = []
    if rule.lookback is not None:
        told.append(f"touches at most {rule.lookback} before the end of their path")
    if rule.touches is not None:
        told.append(f"touches are {', '.join(g.name for g in rule.touches)}")
    if not rule.goal_is_touch:
        told.append("the conversion's own touchpoint is no touch")
    lost = _unattributed_note(result.unattributed_conversions, result.unattributed_value)
    return [*(["; ".join(told)] if told else []), *lost]


def _model_notes(results: list[Attribution]) -> list[str]:
    blind = [r.model.name for r in results if isinstance(r.model, RuleModel)]
    seeing = [r.model.name for r in results if not isinstance(r.model, RuleModel)]
    nulls = f"paths without conversion: {results[0].null_paths:,}"
    if not seeing:
        return [f"{nulls}, which this model cannot see"]
    blindness = f"; {', '.join(blind)} cannot see them" if blind else ""
    return [f"{nulls}, which {', '.join(seeing)} counts{blindness}"]
