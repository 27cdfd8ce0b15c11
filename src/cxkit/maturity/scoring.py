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

Criteria are added up one after another, each over all subjects at once: so a subject has the same
bits alone and among many, which a product of matrices does not promise. Only the sums of each stage
within each dimension are added up from answers; everything else is made of these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.intervals import divide

if TYPE_CHECKING:
    from cxkit.maturity.answers import Answers
    from cxkit.maturity.model import MaturityModel

__all__ = [
    "EPSILON",
    "Ladder",
    "Sums",
    "capability",
    "counted",
    "highest",
    "profile",
    "score",
    "stages_met",
    "summed",
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
        cell: (C,) the place of its stage and dimension among the P such pairs that occur.
        cell_stage: (P,) the place of the stage of each pair.
        within: (P, D) whether the pair's dimension is the dimension, or a part of it.
    """

    weight: FloatArray
    stage: NDArray[np.intp]
    gate: FloatArray
    threshold: FloatArray
    cell: NDArray[np.intp]
    cell_stage: NDArray[np.intp]
    within: BoolArray

    @classmethod
    def of(cls, model: MaturityModel) -> Ladder:
        """The ladder of a model."""
        first = model.stages[1].n
        parents = {d.id: d.parent for d in model.dimensions}
        places = {d.id: place for place, d in enumerate(model.dimensions)}
        pairs = dict.fromkeys((c.stage - first, c.dimension) for c in model.criteria)
        cells = {pair: place for place, pair in enumerate(pairs)}
        within = np.zeros((len(cells), len(places)), bool)
        for (_, own), row in cells.items():
            name: str | None = own
            while name is not None:
                within[row, places[name]] = True
                name = parents[name]
        taken = [c.gate_threshold or model.gate_threshold for c in model.criteria]
        return cls(
            np.array([c.weight for c in model.criteria], np.float64),
            np.array([c.stage - first for c in model.criteria], np.intp),
            np.where([c.gate for c in model.criteria], taken, -np.inf),
            np.array([s.threshold or model.stage_threshold for s in model.stages[1:]]),
            np.array([cells[c.stage - first, c.dimension] for c in model.criteria], np.intp),
            np.array([stage for stage, _ in cells], np.intp),
            within,
        )

    @property
    def gated(self) -> NDArray[np.intp]:
        """(G,) the places of the criteria that are gates."""
        return np.flatnonzero(np.isfinite(self.gate))

    def to_stages(self, cells: FloatArray) -> FloatArray:
        """(S, N) sums by stage, of (P, N) sums by pair."""
        found = np.zeros((len(self.threshold), cells.shape[1]))
        for place, stage in enumerate(self.cell_stage.tolist()):
            found[stage] += cells[place]
        return found


def counted(model: MaturityModel, answers: Answers, unknown: float) -> FloatArray:
    """(N, C) what each answer counts: capped without evidence, ``unknown`` where not known."""
    worth = np.where(np.isnan(answers.values), unknown, answers.values)
    needs = np.array([c.evidence_required for c in model.criteria])
    if answers.evidenced is not None and needs.any():
        bare = needs & ~answers.evidenced & ~np.isnan(answers.values)
        worth = np.where(bare, np.minimum(worth, model.evidence_cap), worth)
    return worth


@attrs.frozen(eq=False)
class Sums:
    """What the answers of N subjects come to, added up by pair of stage and dimension.

    Attributes:
        worth: (P, N) weight times worth, of what applies; what is not known counts nothing.
        weight: (P, N) weight of what applies.
        unknown: (P, N) weight of what applies and is not known; ``None`` if all is known.
        passed: (G, N) whether each gate holds, or does not apply.
        passed_high: (G, N) whether it would, if what is not known were the best.
    """

    worth: FloatArray
    weight: FloatArray
    unknown: FloatArray | None
    passed: BoolArray
    passed_high: BoolArray


def score(ladder: Ladder, worth: FloatArray, applies: BoolArray | None) -> Sums:
    """Add up the answers, criterion by criterion.

    Args:
        ladder: The model.
        worth: (C, N) what each answer counts; NaN where it is not known. A row for each criterion:
            the rows are read one after another.
        applies: (C, N), or ``None`` if all do.
    """
    shape = len(ladder.cell_stage), worth.shape[1]
    total, blank = np.zeros(shape), np.zeros(shape)
    # Where everything applies, one column tells the weights of all subjects.
    weights = np.zeros((shape[0], 1)) if applies is None else np.zeros(shape)
    gates = {place: row for row, place in enumerate(ladder.gated.tolist())}
    passed, high = (np.ones((len(gates), shape[1]), bool) for _ in range(2))
    some_blank = False
    for c, (weight, cell) in enumerate(
        zip(ladder.weight.tolist(), ladder.cell.tolist(), strict=True)
    ):
        part, unknown = worth[c], np.isnan(worth[c])
        asked = True if applies is None else applies[c]
        any_unknown = bool(unknown.any())
        if any_unknown:
            part = np.where(unknown, 0.0, part)
            blank[cell] += weight * (unknown & asked)
            some_blank = True
        if applies is not None:
            part = part * asked
        total[cell] += part if weight == 1 else part * weight
        weights[cell] += weight * asked
        if c in gates:
            holds = part >= ladder.gate[c] - EPSILON
            if applies is not None:
                holds |= ~asked
            passed[gates[c]] = holds
            high[gates[c]] = holds | unknown if any_unknown else holds
    weights = np.broadcast_to(weights, shape)
    return Sums(total, weights, blank if some_blank else None, passed, high)


def stages_met(
    ladder: Ladder, attainment: FloatArray, passed: BoolArray, dimension: int | None = None
) -> BoolArray:
    """(S, N) whether each stage is met, by all criteria or by those of one dimension.

    Args:
        ladder: The model.
        attainment: (S, N)
        passed: (G, N) whether each gate holds.
        dimension: The place of the dimension; ``None`` for all.
    """
    met = attainment >= (ladder.threshold - EPSILON)[:, None]
    for row, place in enumerate(ladder.gated.tolist()):
        if dimension is None or ladder.within[ladder.cell[place], dimension]:
            met[ladder.stage[place]] &= passed[row]
    return met


def highest(met: BoolArray) -> NDArray[np.intp]:
    """(N,) how many stages in a row are met, from the lowest; ``met`` is (S, N)."""
    return np.asarray(np.logical_and.accumulate(met, axis=0).sum(axis=0))


def capability(ladder: Ladder, sums: Sums) -> NDArray[np.intp]:
    """(D, N) the capability level of each dimension: 0 for the base."""
    levels = np.zeros((ladder.within.shape[1], sums.worth.shape[1]), np.intp)
    steps = np.arange(1, len(ladder.threshold) + 1)[:, None]
    for d, inside in enumerate(ladder.within.T):
        own = inside[:, None]
        weight = ladder.to_stages(np.where(own, sums.weight, 0.0))
        attained = divide(ladder.to_stages(np.where(own, sums.worth, 0.0)), weight)
        asked = weight > 0
        met = stages_met(ladder, attained, sums.passed, d)
        holds = np.logical_and.accumulate(met | ~asked, axis=0)
        levels[d] = np.where(holds & asked, steps, 0).max(axis=0)
    return levels


def profile(ladder: Ladder, sums: Sums) -> FloatArray:
    """(D, N) the weighted mean worth of each dimension; NaN where nothing in it applies."""
    found = np.empty((ladder.within.shape[1], sums.worth.shape[1]))
    for d, inside in enumerate(ladder.within.T):
        found[d] = divide(summed(sums.worth[inside]), summed(sums.weight[inside]))
    return found


def summed(rows: FloatArray) -> FloatArray:
    """(N,) of (R, N), one row after another: numpy's sum has other bits for one column."""
    found = np.zeros(rows.shape[1])
    for row in rows:
        found += row
    return found
