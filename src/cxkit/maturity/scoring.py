"""The arithmetic of assessments, over many subjects at once.

For criterion c of stage s and dimension d, with weight w and worth v (staged and continuous
representation as in CMMI; the weighted attainment is ours):

    counted worth    u = min(v, cap) where evidence is required and missing, else v
    attainment       A_s = sum(w u) / sum(w) over the criteria of s that apply
    stage met        A_s >= theta_s, and u >= tau of every gate of s that applies
    level            L = the largest s such that all stages up to s are met
    profile          C_d = sum(w u) / sum(w) over the criteria of d that apply
    capability of d  the largest s with criteria in d such that it, and all lower ones with criteria
                     in d, are met by the criteria of d alone
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.intervals import divide
from cxkit.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cxkit.maturity.answers import Answers
    from cxkit.maturity.model import MaturityModel

__all__ = [
    "EPSILON",
    "Ladder",
    "attainments",
    "capability",
    "check_applies",
    "counted",
    "gates_pass",
    "highest",
    "stages_met",
]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

EPSILON: Final = 1e-12
"""What rounding may cost: a stage is met from this much below its threshold."""


@attrs.frozen(eq=False)
class Ladder:
    """The numbers of a model as arrays: C criteria, S stages above the base, D dimensions.

    Attributes:
        weight: (C,)
        stage: (C,) the place of the criterion's stage among those above the base.
        gate: (C,) what the criterion must be worth if it is a gate; -inf if it is none.
        threshold: (S,) the attainment that each stage takes.
        within: (C, D) whether the criterion belongs to the dimension, or to a part of it.
    """

    weight: FloatArray
    stage: NDArray[np.intp]
    gate: FloatArray
    threshold: FloatArray
    within: BoolArray

    @classmethod
    def of(cls, model: MaturityModel) -> Ladder:
        """The ladder of a model."""
        first = model.stages[1].n
        parents = {d.id: d.parent for d in model.dimensions}
        places = {d.id: place for place, d in enumerate(model.dimensions)}
        within = np.zeros((len(model.criteria), len(places)), bool)
        for row, criterion in enumerate(model.criteria):
            name: str | None = criterion.dimension
            while name is not None:
                within[row, places[name]] = True
                name = parents[name]
        taken = [c.gate_threshold or model.gate_threshold for c in model.criteria]
        return cls(
            np.array([c.weight for c in model.criteria], np.float64),
            np.array([c.stage - first for c in model.criteria], np.intp),
            np.where([c.gate for c in model.criteria], taken, -np.inf),
            np.array([s.threshold or model.stage_threshold for s in model.stages[1:]]),
            within,
        )

    def by_stage(self) -> FloatArray:
        """(C, S) the weight of each criterion in its stage."""
        table = np.zeros((len(self.weight), len(self.threshold)))
        table[np.arange(len(self.weight)), self.stage] = self.weight
        return table


def counted(model: MaturityModel, answers: Answers, unknown: float) -> FloatArray:
    """(N, C) what each answer counts: capped without evidence, ``unknown`` where not known."""
    worth = np.where(np.isnan(answers.values), unknown, answers.values)
    needs = np.array([c.evidence_required for c in model.criteria])
    if answers.evidenced is not None and needs.any():
        bare = needs & ~answers.evidenced & ~np.isnan(answers.values)
        worth = np.where(bare, np.minimum(worth, model.evidence_cap), worth)
    return worth


def attainments(worth: FloatArray, applies: BoolArray | None, table: FloatArray) -> FloatArray:
    """(N, G) weighted means of worth within groups; NaN where no criterion applies.

    Args:
        worth: (N, C)
        applies: (N, C), or ``None`` if all do.
        table: (C, G) the weight of each criterion in each group.
    """
    if applies is None:
        return divide(worth @ table, table.sum(axis=0))
    return divide((worth * applies) @ table, applies @ table)


def gates_pass(ladder: Ladder, worth: FloatArray, applies: BoolArray | None) -> BoolArray:
    """(N, C) whether each criterion is no gate, does not apply, or is worth enough."""
    passed = worth >= ladder.gate - EPSILON
    return passed if applies is None else passed | ~applies


def stages_met(
    ladder: Ladder, attainment: FloatArray, passed: BoolArray, inside: BoolArray | None = None
) -> BoolArray:
    """(N, S) whether each stage is met, by all criteria or by those of one dimension.

    Args:
        ladder: The model.
        attainment: (N, S)
        passed: (N, C) whether each gate holds.
        inside: (C,) the criteria that are looked at; ``None`` for all.
    """
    met = attainment >= ladder.threshold - EPSILON
    for place in np.flatnonzero(np.isfinite(ladder.gate)):
        if inside is None or inside[place]:
            met[:, ladder.stage[place]] &= passed[:, place]
    return met


def highest(met: BoolArray) -> NDArray[np.intp]:
    """(N,) how many stages in a row are met, from the lowest."""
    return np.asarray(np.logical_and.accumulate(met, axis=1).sum(axis=1))


def capability(ladder: Ladder, worth: FloatArray, applies: BoolArray | None) -> NDArray[np.intp]:
    """(N, D) the capability level of each dimension: 0 for the base."""
    passed = gates_pass(ladder, worth, applies)
    table = ladder.by_stage()
    levels = np.zeros((len(worth), ladder.within.shape[1]), np.intp)
    steps = np.arange(1, len(ladder.threshold) + 1)
    for d, inside in enumerate(ladder.within.T):
        attained = attainments(worth, applies, table * inside[:, None])
        asked = ~np.isnan(attained)
        met = stages_met(ladder, attained, passed, inside)
        holds = np.logical_and.accumulate(met | ~asked, axis=1)
        levels[:, d] = np.where(holds & asked, steps, 0).max(axis=1)
    return levels


def check_applies(model: MaturityModel, answers: Answers, names: Sequence[str]) -> None:
    """Refuse a subject to whom no criterion of a stage applies: it would meet it by nothing.

    Raises:
        DataError: The error names the subject and the stage.
    """
    if answers.applies is None:
        return
    ladder = Ladder.of(model)
    left = answers.applies.astype(np.float64) @ ladder.by_stage()
    if (left == 0).any():
        row, stage = (int(i) for i in np.argwhere(left == 0)[0])
        raise DataError(
            f"subject {names[row]!r}: no criterion of stage {model.stages[stage + 1].id!r} "
            "applies, so it would be met by nothing; answer one, or take a model without the stage"
        )
