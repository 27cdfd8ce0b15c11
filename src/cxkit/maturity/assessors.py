"""Several assessors: put together, and how far they agree."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from cxkit.errors import DataError
from cxkit.maturity.agreement import Metric, krippendorff_alpha
from cxkit.maturity.answers import NOT_APPLICABLE, Answers
from cxkit.maturity.assessment import Assessment
from cxkit.maturity.model import MaturityModel
from cxkit.maturity.scoring import counted

__all__ = ["agreement", "combine"]


def combine(model: MaturityModel, assessments: Iterable[Assessment]) -> Answers:
    """One row per subject and channel: the mean over those who answered.

    An answer counts what it is worth with its own evidence, so nobody's proof covers another's
    word; where some say that a criterion does not apply and others answer it, the answers count.
    Confidence is the mean of those given. Several days are several rows. How far the assessors of
    each row agree is kept as ``agreement``, over what they said.

    Args:
        model: The model.
        assessments: Of any subjects, channels, days and assessors.

    Returns:
        Rows in order of subject, channel and day, named ``subject``, ``subject/channel``; with
        ``@day`` where a subject was assessed on several days.

    Raises:
        DataError: An assessment is not about this model, or an assessor answered twice about the
            same subject, channel and day.
    """
    groups: dict[tuple[str, str, str], list[Assessment]] = {}
    for one in assessments:
        groups.setdefault((one.subject, one.channel or "", one.assessed_at), []).append(one)
    for group in groups.values():
        _check_assessors(group)
    keys = sorted(groups)
    days: dict[tuple[str, str], int] = {}
    for subject, channel, _ in keys:
        days[subject, channel] = days.get((subject, channel), 0) + 1
    shape = (len(keys), len(model.criteria))
    values, sure = np.full(shape, np.nan), np.full(shape, np.nan)
    applies, evidenced = np.ones(shape, bool), np.zeros(shape, bool)
    for row, key in enumerate(keys):
        rows = [one.against(model) for one in groups[key]]
        said = Answers.of(model, rows, [one.assessor or key[0] for one in groups[key]])
        values[row] = _mean(np.where(np.isnan(said.values), np.nan, counted(model, said, 0.0)))
        if said.confidence is not None:
            sure[row] = _mean(said.confidence)
        declined = np.zeros(said.values.shape, bool)
        if said.applies is not None:
            declined = ~said.applies
        applies[row] = ~(declined.any(axis=0) & np.isnan(said.values).all(axis=0))
        if said.evidenced is not None:
            evidenced[row] = said.evidenced.any(axis=0)
    return Answers(
        values=values,
        applies=None if applies.all() else applies,
        evidenced=evidenced,
        confidence=None if np.isnan(sure).all() else sure,
        subjects=tuple(
            subject
            + (f"/{channel}" if channel else "")
            + (f"@{day}" if days[subject, channel] > 1 else "")
            for subject, channel, day in keys
        ),
        agreement=None
        if all(len(group) == 1 for group in groups.values())
        else np.array([agreement(model, groups[key]) for key in keys]),
    )


def _check_assessors(group: list[Assessment]) -> None:
    """Nobody counts twice."""
    named = [one.assessor for one in group if one.assessor]
    if len(set(named)) < len(named):
        twice = next(name for name in named if named.count(name) > 1)
        one = group[0]
        where = f" in {one.channel!r}" if one.channel else ""
        raise DataError(
            f"{twice!r} assessed {one.subject!r}{where} more than once on {one.assessed_at}; keep "
            "the assessment that holds"
        )


def agreement(
    model: MaturityModel, assessments: Iterable[Assessment], metric: Metric = "ordinal"
) -> float:
    """How far assessors agree on the criteria of all subjects: Krippendorff's alpha.

    Args:
        model: The model.
        assessments: Of any subjects, by several assessors each.
        metric: See :func:`~cxkit.maturity.krippendorff_alpha`.

    Returns:
        Alpha over all pairs of subject (with channel and day) and criterion; NaN where nothing was
        answered twice.
    """
    given = list(assessments)
    units: dict[tuple[str, str, str, str], int] = {}
    cells = []
    for rater, one in enumerate(given):  # alpha asks what was said of a unit, not by whom
        for name, answer in one.against(model).items():
            if answer.value is None or answer.value == NOT_APPLICABLE:
                continue
            unit = (one.subject, one.channel or "", one.assessed_at, name)
            worth = model.scale_of(model.criterion(name)).worth(answer.value)
            cells.append((rater, units.setdefault(unit, len(units)), worth))
    table = np.full((len(given), len(units)), np.nan)
    for rater, column, worth in cells:
        table[rater, column] = worth
    return krippendorff_alpha(table, metric)


def _mean(values: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """(R, C) to (C,): the mean of those that are known; NaN where none is."""
    known = ~np.isnan(values)
    count = known.sum(axis=0)
    whole = np.where(known, values, 0.0).sum(axis=0)
    return np.asarray(np.where(count > 0, whole / np.maximum(count, 1), np.nan))
