"""Where each of many subjects stands."""

from __future__ import annotations

import attrs
import numpy as np

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.result import ColumnLike, Result
from cxkit.maturity.answers import Answers
from cxkit.maturity.assessed import Assessed
from cxkit.maturity.model import MaturityModel
from cxkit.maturity.scoring import BoolArray, FloatArray

__all__ = ["Assessments"]


@attrs.frozen(eq=False, repr=False, kw_only=True)
class Assessments(Result):
    """Where each of N subjects stands in a model of S stages above the base and D dimensions.

    What is not known counts as nothing in all of it, so that every number holds at least; what it
    could be at best is in ``level_high`` and ``attainment_high``.

    Attributes:
        model: The model.
        answers: What was answered.
        level: (N,) the number of the highest stage that is met with all below it.
        level_high: (N,) what the level would be if every answer that is not known were the best.
        attainment: (N, S) the attainment of each stage above the base.
        attainment_high: (N, S) the same at best.
        met: (N, S) whether each stage is met, taken alone.
        gates: (N, C) whether each criterion is no gate, does not apply, or is worth enough.
        profile: (N, D) the weighted mean worth of each dimension; NaN where nothing in it applies.
        capability: (N, D) the level that each dimension would have alone.
        completeness: (N,) the share of the weight that applies whose answer is known.
        points: (N,) the weighted worth, summed over all criteria that apply.
        maximum: (N,) what it would be at best.
    """

    model: MaturityModel
    answers: Answers
    level: IntArray = attrs.field(converter=freeze)
    level_high: IntArray = attrs.field(converter=freeze)
    attainment: FloatArray = attrs.field(converter=freeze)
    attainment_high: FloatArray = attrs.field(converter=freeze)
    met: BoolArray = attrs.field(converter=freeze)
    gates: BoolArray = attrs.field(converter=freeze)
    profile: FloatArray = attrs.field(converter=freeze)
    capability: IntArray = attrs.field(converter=freeze)
    completeness: FloatArray = attrs.field(converter=freeze)
    points: FloatArray = attrs.field(converter=freeze)
    maximum: FloatArray = attrs.field(converter=freeze)

    def __len__(self) -> int:
        """N, how many subjects."""
        return len(self.level)

    def __getitem__(self, position: int) -> Assessed:
        """One subject."""
        if not -len(self) <= position < len(self):
            raise IndexError(f"subject {position} of {len(self)}")
        return Assessed(self, position % len(self))

    @property
    def progress(self) -> FloatArray:
        """(N,) the attainment of the next stage; 0 at the top."""
        padded = np.hstack([self.attainment, np.zeros((len(self), 1))])
        place = self.level - self.model.base_stage
        return np.asarray(np.take_along_axis(padded, place[:, None], axis=1)[:, 0])

    @property
    def top_profile(self) -> FloatArray:
        """(N, T) the profile of the dimensions that are part of no other."""
        return self.profile[:, [d.parent is None for d in self.model.dimensions]]

    @property
    def agreement(self) -> FloatArray:
        """(N,) how far several assessors agree: alpha; NaN where nothing was answered twice."""
        found = self.answers.agreement
        return np.full(len(self), np.nan) if found is None else found

    def columns(self) -> dict[str, ColumnLike]:
        """Subject, level and stage, progress to the next, the profile, and how complete it is."""
        stages = {stage.n: stage.id for stage in self.model.stages}
        found: dict[str, ColumnLike] = {
            "subject": list(self.answers.subjects),
            "level": self.level,
            "level_high": self.level_high,
            "stage": [stages[int(n)] for n in self.level],
            "progress": self.progress,
        }
        last: dict[str, ColumnLike] = {"completeness": self.completeness}
        if self.answers.agreement is not None:
            last["agreement"] = self.agreement
        for dimension, column in zip(self.model.dimensions, self.profile.T, strict=True):
            if dimension.parent is None:
                taken = dimension.id in found or dimension.id in last
                found[f"dimension {dimension.id}" if taken else dimension.id] = column
        return found | last

    def title(self) -> str:
        """Which model."""
        return f"{self.model.title or self.model.id} {self.model.version}: {len(self):,} assessed"

    def notes(self) -> list[str]:
        """What is not known."""
        some = int((self.completeness < 1).sum())
        if not some:
            return []
        told = "count as nothing in level, as the best in level_high"
        return [f"{some:,} with answers that are not known, which {told}"]

    def distribution(self) -> dict[int, float]:
        """The share of the subjects at each stage."""
        numbers = [stage.n for stage in self.model.stages]
        return {n: float((self.level == n).mean()) if len(self) else 0.0 for n in numbers}
