"""An assessment as a file of its own: who said what of whom, when, and about which model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

import attrs
import numpy as np

from cxkit.core.records import check_fields
from cxkit.core.spans import instant_us
from cxkit.errors import DataError, DefinitionError
from cxkit.maturity.agreement import Metric, krippendorff_alpha
from cxkit.maturity.answers import NOT_APPLICABLE, Answer, AnswerLike, Answers
from cxkit.maturity.model import MaturityModel

__all__ = ["Assessment", "agreement", "combine"]

_SCHEMA: Final = "cxkit/assessment/1"


def _as_answers(given: Mapping[str, AnswerLike]) -> dict[str, Answer]:
    return {k: v if isinstance(v, Answer) else Answer(v) for k, v in given.items()}


def _as_date(value: str | date) -> str:
    text = value.isoformat() if isinstance(value, date) else value
    instant_us(text[:10], name="assessed_at")
    return text


@attrs.frozen(kw_only=True)
class Assessment:
    """What one assessor answered about one subject on one day.

    Attributes:
        model: The id of the model.
        version: Its version.
        digest: Its digest; ``""`` if it was not written down.
        subject: Who was assessed.
        assessed_at: The day, such as ``"2026-03-01"``.
        answers: criterion -> answer.
        channel: The channel that the answers are about; ``None`` for the whole firm.
        assessor: Who answered.

    Example:
        >>> model = MaturityModel.builtin("five-level")
        >>> one = Assessment.of(model, "shop", "2026-03-01", {"managed.people": "always"})
        >>> Assessment.from_dict(one.to_dict()) == one
        True
    """

    model: str
    version: str
    digest: str = ""
    subject: str
    assessed_at: str = attrs.field(converter=_as_date)
    answers: Mapping[str, Answer] = attrs.field(converter=_as_answers)
    channel: str | None = None
    assessor: str = ""

    @classmethod
    def of(
        cls,
        model: MaturityModel,
        subject: str,
        assessed_at: str | date,
        answers: Mapping[str, AnswerLike],
        *,
        channel: str | None = None,
        assessor: str = "",
    ) -> Assessment:
        """An assessment against a model.

        Raises:
            DataError: A criterion is unknown, or an answer is not on its scale.
        """
        Answers.of(model, [answers], [subject])
        return cls(
            model=model.id,
            version=model.version,
            digest=model.digest,
            subject=subject,
            assessed_at=assessed_at,
            answers=answers,
            channel=channel,
            assessor=assessor,
        )

    def against(self, model: MaturityModel) -> dict[str, Answer]:
        """The answers under a model, names of older versions brought up to date.

        Raises:
            DataError: The model is another one, or of another major version; it has the same
                version and another content; or a criterion is unknown.
        """
        mine, theirs = self.version.split("."), model.version.split(".")
        if self.model != model.id or mine[0] != theirs[0]:
            raise DataError(
                f"the assessment of {self.subject!r} is about {self.model!r} {self.version}, the "
                f"model is {model.id!r} {model.version}; scores of different major versions do not "
                "compare: assess anew"
            )
        if self.version == model.version and self.digest not in {"", model.digest}:
            raise DataError(
                f"the assessment of {self.subject!r} is about {self.model!r} {self.version} with "
                f"digest {self.digest[:12]}..., the model has {model.digest[:12]}...: one of them "
                "was changed without a new version"
            )
        found = {}
        for name, answer in self.answers.items():
            new = model.migrates.get(name, name)
            if new is not None:
                model.criterion(new)
                found[new] = answer
        return found

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return {
            "schema": _SCHEMA,
            "model": {"id": self.model, "version": self.version, "digest": self.digest},
            "subject": self.subject,
            "channel": self.channel,
            "assessed_at": self.assessed_at,
            "assessor": self.assessor,
            "answers": {
                name: {
                    "value": answer.value,
                    "evidence": list(answer.evidence),
                    "confidence": answer.confidence,
                }
                for name, answer in self.answers.items()
            },
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Assessment:
        """Read back what :meth:`to_dict` wrote.

        Raises:
            DataError: The data is of another schema, or a field is missing or unknown.
        """
        names = ["model", "subject", "assessed_at", "answers"]
        check_fields(data, _SCHEMA, "assessment", names, ["channel", "assessor"])
        check_fields(data["model"], None, "model of an assessment", ["id", "version"], ["digest"])
        answers = {}
        for name, answer in data["answers"].items():
            check_fields(answer, None, f"answer to {name!r}", ["value"], ["evidence", "confidence"])
            try:
                answers[name] = Answer(
                    answer["value"], answer.get("evidence", ()), answer.get("confidence")
                )
            except DefinitionError as error:
                raise DataError(f"answer to {name!r}: {error}") from None
        return cls(
            model=data["model"]["id"],
            version=data["model"]["version"],
            digest=data["model"].get("digest", ""),
            subject=data["subject"],
            assessed_at=data["assessed_at"],
            answers=answers,
            channel=data.get("channel"),
            assessor=data.get("assessor", ""),
        )


def combine(model: MaturityModel, assessments: Iterable[Assessment]) -> Answers:
    """One row per subject and channel: the mean over those who answered.

    An answer counts what it is worth with its evidence; where some say that a criterion does not
    apply and others answer it, the answers count. Confidence is the mean of those given. Several
    days are several rows.

    Args:
        model: The model.
        assessments: Of any subjects, channels, days and assessors.

    Returns:
        Rows in order of subject, channel and day, named ``subject``, ``subject/channel``; with
        ``@day`` where a subject was assessed on several days.

    Raises:
        DataError: An assessment is not about this model.
    """
    groups: dict[tuple[str, str, str], list[Assessment]] = {}
    for one in assessments:
        groups.setdefault((one.subject, one.channel or "", one.assessed_at), []).append(one)
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
        values[row] = _mean(said.values)
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
    raters = sorted({one.assessor for one in given})
    units: dict[tuple[str, str, str, str], int] = {}
    cells = []
    for one in given:
        for name, answer in one.against(model).items():
            if answer.value is None or answer.value == NOT_APPLICABLE:
                continue
            unit = (one.subject, one.channel or "", one.assessed_at, name)
            worth = model.scale_of(model.criterion(name)).worth(answer.value)
            cells.append((raters.index(one.assessor), units.setdefault(unit, len(units)), worth))
    table = np.full((len(raters), len(units)), np.nan)
    for rater, column, worth in cells:
        table[rater, column] = worth
    return krippendorff_alpha(table, metric)


def _mean(values: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """(R, C) to (C,): the mean of those that are known; NaN where none is."""
    known = ~np.isnan(values)
    count = known.sum(axis=0)
    whole = np.where(known, values, 0.0).sum(axis=0)
    return np.asarray(np.where(count > 0, whole / np.maximum(count, 1), np.nan))
