"""The verb of maturity models: from answers to where subjects stand."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cxkit.core.intervals import divide
from cxkit.errors import DataError
from cxkit.maturity.answers import Answers
from cxkit.maturity.model import MaturityModel
from cxkit.maturity.results import Assessments
from cxkit.maturity.scoring import Ladder, capability, highest, profile, score, stages_met, summed

__all__ = ["assess"]

_SUBJECTS_AT_ONCE: Final = 4096
"""So many that a row of a criterion stays in the fastest memory."""


def assess(model: MaturityModel, answers: Answers) -> Assessments:
    """See :meth:`MaturityModel.assess`."""
    if answers.values.shape[1] != len(model.criteria):
        raise DataError(
            f"these answers are to {answers.values.shape[1]} criteria, {model.id!r} "
            f"{model.version} has {len(model.criteria)}; make them with Answers.of(model, ...)"
        )
    ladder = Ladder.of(model)
    many = len(answers)
    found = _space(model, ladder, many)
    edges = [*range(0, many, _SUBJECTS_AT_ONCE), many]
    for start, stop in pairwise(edges):
        _assess(model, ladder, answers, found, start, stop)
    return Assessments(model=model, answers=answers, **found)


def _space(model: MaturityModel, ladder: Ladder, many: int) -> dict[str, NDArray[Any]]:
    """Room for the results, to be filled part by part."""
    stages, dimensions = len(ladder.threshold), ladder.within.shape[1]
    return {
        **{name: np.empty(many, np.int64) for name in ("level", "level_high")},
        **{name: np.empty((many, stages)) for name in ("attainment", "attainment_high")},
        "met": np.empty((many, stages), bool),
        "gates": np.ones((many, len(model.criteria)), bool),
        "profile": np.empty((many, dimensions)),
        "capability": np.empty((many, dimensions), np.int64),
        **{name: np.empty(many) for name in ("completeness", "points", "maximum")},
    }


def _assess(
    model: MaturityModel,
    ladder: Ladder,
    answers: Answers,
    found: dict[str, NDArray[Any]],
    start: int,
    stop: int,
) -> None:
    """Fill in the results of some subjects."""
    here = slice(start, stop)
    applies = None if answers.applies is None else answers.applies[here].T
    worth = answers.values[here].T
    bare = [] if answers.evidenced is None else [c.evidence_required for c in model.criteria]
    if answers.evidenced is not None and any(bare):
        worth = np.array(worth, order="C")
        for c in np.flatnonzero(bare):  # NaN stays NaN
            capped = np.minimum(worth[c], model.evidence_cap)
            worth[c] = np.where(answers.evidenced[here, c], worth[c], capped)
    sums = score(ladder, worth, applies)
    weight = ladder.to_stages(sums.weight)
    _check_applies(model, answers, weight, start)
    total = ladder.to_stages(sums.worth)
    blank = np.zeros_like(total) if sums.unknown is None else ladder.to_stages(sums.unknown)
    attained = divide(total, weight)
    met = stages_met(ladder, attained, sums.passed)
    found["attainment"][here] = attained.T
    found["met"][here] = met.T
    found["level"][here] = highest(met) + model.base_stage
    if sums.unknown is None:
        found["attainment_high"][here], found["level_high"][here] = attained.T, found["level"][here]
    else:
        high = divide(total + blank, weight)
        found["attainment_high"][here] = high.T
        met = stages_met(ladder, high, sums.passed_high)
        found["level_high"][here] = highest(met) + model.base_stage
    for row, place in enumerate(ladder.gated.tolist()):
        found["gates"][here, place] = sums.passed[row]
    found["profile"][here] = profile(ladder, sums).T
    found["capability"][here] = capability(ladder, sums).T + model.base_stage
    maximum = summed(weight)
    found["maximum"][here] = maximum
    found["points"][here] = summed(total)
    found["completeness"][here] = (maximum - summed(blank)) / maximum


def _check_applies(
    model: MaturityModel, answers: Answers, weight: NDArray[np.float64], start: int
) -> None:
    """Refuse a subject to whom no criterion of a stage applies: it would meet it by nothing."""
    if answers.applies is not None and (weight == 0).any():
        row, stage = (int(i) for i in np.argwhere(weight.T == 0)[0])
        raise DataError(
            f"subject {answers.subjects[start + row]!r}: no criterion of stage "
            f"{model.stages[stage + 1].id!r} applies, so it would be met by nothing; answer one, "
            "or take a model without the stage"
        )
