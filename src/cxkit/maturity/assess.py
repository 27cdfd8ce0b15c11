"""The verb of maturity models: from answers to where subjects stand."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cxkit.errors import DataError
from cxkit.maturity.answers import Answers
from cxkit.maturity.model import MaturityModel
from cxkit.maturity.results import Assessments
from cxkit.maturity.scoring import (
    Ladder,
    attainments,
    capability,
    check_applies,
    counted,
    gates_pass,
    highest,
    stages_met,
)

__all__ = ["assess"]

_SUBJECTS_AT_ONCE: Final = 4096


def assess(model: MaturityModel, answers: Answers) -> Assessments:
    """See :meth:`MaturityModel.assess`."""
    if answers.values.shape[1] != len(model.criteria):
        raise DataError(
            f"these answers are to {answers.values.shape[1]} criteria, {model.id!r} "
            f"{model.version} has {len(model.criteria)}; make them with Answers.of(model, ...)"
        )
    check_applies(model, answers, answers.subjects)
    ladder = Ladder.of(model)
    starts = range(0, len(answers), _SUBJECTS_AT_ONCE) or [0]
    parts = [_assess(model, ladder, answers.take(slice(i, i + _SUBJECTS_AT_ONCE))) for i in starts]
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return Assessments(model=model, answers=answers, **joined)


def _assess(model: MaturityModel, ladder: Ladder, answers: Answers) -> dict[str, NDArray[Any]]:
    applies, table = answers.applies, ladder.by_stage()
    found: dict[str, NDArray[Any]] = {}
    for suffix, unknown in (("", 0.0), ("_high", 1.0)):
        worth = counted(model, answers, unknown)
        gates = gates_pass(ladder, worth, applies)
        attained = attainments(worth, applies, table)
        met = stages_met(ladder, attained, gates)
        found["attainment" + suffix] = attained
        found["level" + suffix] = highest(met) + model.base_stage
        if not suffix:
            found |= {"met": met, "gates": gates}
            found["capability"] = capability(ladder, worth, applies) + model.base_stage
            groups = ladder.weight[:, None] * ladder.within
            found["profile"] = attainments(worth, applies, groups)
            counts = np.ones_like(worth) if applies is None else applies.astype(np.float64)
            known = counts * ~np.isnan(answers.values)
            found["maximum"] = counts @ ladder.weight
            found["points"] = (worth * counts) @ ladder.weight
            found["completeness"] = known @ ladder.weight / found["maximum"]
    return found
