"""Where one subject stands: never one lone number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.result import ColumnLike, Result
from cxkit.maturity.answers import AnswerLike, Answers
from cxkit.maturity.model import MaturityModel
from cxkit.maturity.scoring import counted

if TYPE_CHECKING:
    from cxkit.maturity.likelihood import LevelChances
    from cxkit.maturity.results import Assessments

__all__ = ["Assessed"]


@attrs.frozen(eq=False, repr=False)
class Assessed(Result):
    """Where one subject stands: a row of :class:`Assessments`.

    Attributes:
        of: The assessments that it is one of.
        position: Its place among them.
    """

    of: Assessments
    position: int

    @property
    def model(self) -> MaturityModel:
        """The model."""
        return self.of.model

    @property
    def subject(self) -> str:
        """Who was assessed."""
        return self.of.answers.subjects[self.position]

    @property
    def _is_alone(self) -> bool:
        """Whether it was assessed by itself and without a name."""
        return len(self.of) == 1 and self.subject == "1"

    @property
    def level(self) -> int:
        """The number of the highest stage that is met with all below it; holds at least."""
        return int(self.of.level[self.position])

    @property
    def level_interval(self) -> tuple[int, int]:
        """The level, and what it would be if every unknown answer were the best."""
        return self.level, int(self.of.level_high[self.position])

    @property
    def stage(self) -> str:
        """The name of the stage."""
        return self.model.stage(self.level).id

    @property
    def phase(self) -> str | None:
        """The phase of the stage."""
        return self.model.phase_of(self.level)

    @property
    def progress(self) -> float:
        """The attainment of the next stage; 0 at the top. It may exceed the threshold: a gate."""
        return self.attainment.get(self.level + 1, 0.0)

    @property
    def staged_score(self) -> float:
        """Level and progress in one number: for display only, as a gate may hold the level back."""
        return self.level + self.progress

    @property
    def attainment(self) -> dict[int, float]:
        """Stage -> attainment, of every stage above the base."""
        return self._by_stage(self.of.attainment)

    @property
    def achieved(self) -> dict[int, bool]:
        """Stage -> whether it is met, taken alone."""
        return self._by_stage(self.of.met)

    @property
    def out_of_order(self) -> list[int]:
        """Stages that are met above one that is not; they never raise the level."""
        return [n for n, met in self.achieved.items() if met and n > self.level + 1]

    @property
    def failing_gates(self) -> list[str]:
        """The gates of the next stage that fail."""
        held = self.of.gates[self.position]
        return [
            c.id
            for c, ok in zip(self.model.criteria, held, strict=True)
            if c.stage == self.level + 1 and not ok
        ]

    @property
    def profile(self) -> dict[str, float]:
        """Dimension -> weighted mean worth, 0 to 1."""
        return self._by_dimension(self.of.profile)

    @property
    def capability(self) -> dict[str, int]:
        """Dimension -> the level it would have alone."""
        return self._by_dimension(self.of.capability)

    @property
    def overall(self) -> dict[str, float]:
        """Mean, minimum and geometric mean of the profile: to be read beside the level.

        Over the dimensions that are part of no other; NaN ones are left out.
        """
        own = self.of.top_profile[self.position]
        own = own[~np.isnan(own)]
        if not len(own):
            return dict.fromkeys(("mean", "min", "geometric"), float("nan"))
        geometric = float(np.exp(np.log(own).mean())) if own.min() > 0 else 0.0
        return {"mean": float(own.mean()), "min": float(own.min()), "geometric": geometric}

    @property
    def completeness(self) -> float:
        """The share of the weight that applies whose answer is known."""
        return float(self.of.completeness[self.position])

    @property
    def agreement(self) -> float:
        """Krippendorff's alpha over the answers of several assessors; NaN if there was one."""
        return float(self.of.agreement[self.position])

    def chances(
        self, *, draws: int | None = None, rng: int | np.random.Generator = 0
    ) -> LevelChances:
        """The probability of each level: :func:`~cxkit.maturity.level_chances`."""
        from cxkit.maturity.likelihood import level_chances

        return level_chances(self, draws=draws, rng=rng)

    @property
    def unknown(self) -> list[str]:
        """The criteria that apply and have no answer."""
        answers, row = self.of.answers, self.position
        blank = np.isnan(answers.values[row])
        if answers.applies is not None:
            blank = blank & answers.applies[row]
        return [self.model.criteria[i].id for i in np.flatnonzero(blank)]

    @property
    def worth(self) -> NDArray[np.float64]:
        """(C,) what each answer counts, evidence considered; 0 where it is not known."""
        one = self.of.answers.take(slice(self.position, self.position + 1))
        return np.asarray(counted(self.model, one, 0.0)[0])

    def what_if(self, changes: Mapping[str, AnswerLike]) -> Assessed:
        """The same subject with some answers changed; they are taken for sure and proven.

        Args:
            changes: criterion -> answer.

        Raises:
            DataError: A criterion is unknown, or an answer is not on its scale.
        """
        from cxkit.maturity.assess import assess

        one = self.of.answers.take(slice(self.position, self.position + 1))
        new = Answers.of(self.model, [changes])
        places = [self.model.positions[name] for name in changes]
        values, evidenced, sure = one.values.copy(), None, None
        values[0, places] = new.values[0, places]
        if one.evidenced is not None:
            evidenced = one.evidenced.copy()
            evidenced[0, places] = True
        if one.confidence is not None:
            sure = one.confidence.copy()
            sure[0, places] = np.nan if new.confidence is None else new.confidence[0, places]
        applies = np.ones(values.shape, bool) if one.applies is None else one.applies.copy()
        applies[0, places] = True if new.applies is None else new.applies[0, places]
        return assess(
            self.model,
            attrs.evolve(one, values=values, evidenced=evidenced, applies=applies, confidence=sure),
        )[0]

    def columns(self) -> dict[str, ColumnLike]:
        """A row for each stage above the base."""
        numbers = list(self.attainment)
        return {
            "stage": [self.model.stage(n).id for n in numbers],
            "n": numbers,
            "attainment": list(self.attainment.values()),
            "threshold": [
                self.model.stage(n).threshold or self.model.stage_threshold for n in numbers
            ],
            "met": ["yes" if met else "no" for met in self.achieved.values()],
            "counts": ["yes" if n <= self.level else "no" for n in numbers],
        }

    def title(self) -> str:
        """Level, stage and phase."""
        low, high = self.level_interval
        reach = "" if low == high else f" (up to {high} if what is not known were the best)"
        phase = f", phase {self.phase}" if self.phase else ""
        who = "Level" if self._is_alone else f"{self.subject}: level"
        return f"{who} {low} of {self.model.top_stage}, {self.stage}{phase}{reach}"

    def notes(self) -> list[str]:
        """The profile, and what holds the level back."""
        told = ", ".join(f"{k} {v:.2f}" for k, v in self.profile.items())
        notes = [f"profile: {told}"]
        if self.of.answers.agreement is not None:
            notes.append(f"agreement of the assessors: alpha {self.agreement:.2f}")
        if self.failing_gates:
            notes.append(f"gates that hold the next stage back: {', '.join(self.failing_gates)}")
        if self.out_of_order:
            ids = ", ".join(self.model.stage(n).id for n in self.out_of_order)
            notes.append(f"met out of order, which raises nothing: {ids}")
        if self.unknown:
            notes.append(f"not known, counted as nothing: {', '.join(self.unknown)}")
        return notes

    def _by_stage(self, array: NDArray[Any]) -> dict[int, Any]:
        numbers = (stage.n for stage in self.model.stages[1:])
        return dict(zip(numbers, array[self.position].tolist(), strict=True))

    def _by_dimension(self, array: NDArray[Any]) -> dict[str, Any]:
        names = (dimension.id for dimension in self.model.dimensions)
        return dict(zip(names, array[self.position].tolist(), strict=True))
