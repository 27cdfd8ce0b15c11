"""Models side by side."""

from __future__ import annotations

import attrs

from cxkit.attribution.results import Attribution, label_name, model_notes, path_notes
from cxkit.core.codes import Label
from cxkit.core.result import ColumnLike, Result
from cxkit.errors import DefinitionError, did_you_mean

__all__ = ["ComparedIntervals", "Comparison"]


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
        columns: dict[str, ColumnLike] = {label_name(self.attributions[0].by, names): self.labels}
        columns.update((a.model.name, a.conversions) for a in self.attributions)
        return columns

    def intervals(self, number: str = "share") -> ComparedIntervals:
        """One number of every model, with its interval.

        Args:
            number: ``share``, ``value_share``, ``conversions`` or ``value``, or a measure of every
                model.

        Raises:
            DefinitionError: A model has no such number.
        """
        for a in self.attributions:
            if number not in a.estimates:
                raise DefinitionError(
                    f"{a.model.name} has no {number!r}; there are {list(a.estimates)}."
                    f"{did_you_mean(number, a.estimates)}"
                )
        return ComparedIntervals(comparison=self, number=number)

    def title(self) -> str:
        """The goal, and what there was to share."""
        first = self.attributions[0]
        return (
            f"{len(self.attributions)} models: {first.goal.name} by {first.by}, "
            f"{first.total_conversions:,} conversions worth {first.total_value:,.1f}"
        )

    def notes(self) -> list[str]:
        """What the numbers are not."""
        remarks = [f"{a.model.name}: {told}" for a in self.attributions for told in a.remarks]
        return [*path_notes(self.attributions[0]), *model_notes(list(self.attributions)), *remarks]


@attrs.frozen(eq=False, repr=False, kw_only=True)
class ComparedIntervals(Result):
    """One number of every model, side by side, with its interval.

    Attributes:
        comparison: The models.
        number: Which number.
    """

    comparison: Comparison
    number: str

    def columns(self) -> dict[str, ColumnLike]:
        """The label (under the name of ``by``); the number, its low and its high end per model."""
        numbers: dict[str, ColumnLike] = {}
        for a in self.comparison.attributions:
            found = a.estimates[self.number]
            numbers[a.model.name] = found.estimate
            numbers[f"{a.model.name} low"] = found.low
            numbers[f"{a.model.name} high"] = found.high
        by = self.comparison.attributions[0].by
        return {label_name(by, numbers): self.comparison.labels, **numbers}

    def title(self) -> str:
        """Which number, and the level."""
        first = self.comparison.attributions[0]
        return f"{self.number} by {first.by}, {first.level:.0%} intervals: {first.goal.name}"

    def notes(self) -> list[str]:
        """What the numbers are not."""
        return self.comparison.notes()
