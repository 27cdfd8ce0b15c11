"""An assessment as a file of its own: who said what of whom, when, and about which model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

import attrs

from cxkit.core.records import check_fields
from cxkit.core.spans import instant_us
from cxkit.errors import DataError, DefinitionError
from cxkit.maturity.answers import Answer, AnswerLike, Answers
from cxkit.maturity.model import MaturityModel

__all__ = ["Assessment"]

_SCHEMA: Final = "cxkit/assessment/1"


def _as_answers(given: Mapping[str, AnswerLike]) -> dict[str, Answer]:
    return {k: v if isinstance(v, Answer) else Answer(v) for k, v in given.items()}


def _as_date(value: Any) -> str:
    if isinstance(value, datetime):
        value = value.date()
    text = value.isoformat() if isinstance(value, date) else value
    if not isinstance(text, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        raise DataError(f"assessed_at is a day such as '2026-03-01'; found {value!r}")
    instant_us(text, name="assessed_at")
    return text


def _check_text(_: object, field: attrs.Attribute[Any], value: Any) -> None:
    if not isinstance(value, str) or not value.strip():
        raise DataError(f"the {field.name} of an assessment is some text; found {value!r}")


def _check_version(_: object, __: object, value: Any) -> None:
    if not isinstance(value, str) or not re.fullmatch(r"\d+\.\d+\.\d+", value):
        raise DataError(f"version is three numbers such as '1.0.0'; found {value!r}")


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

    model: str = attrs.field(validator=_check_text)
    version: str = attrs.field(validator=_check_version)
    digest: str = ""
    subject: str = attrs.field(validator=_check_text)
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
                version and another content; a criterion is unknown; or two answers came to be about
                one criterion and differ.
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
        found: dict[str, Answer] = {}
        for name, answer in self.answers.items():
            new = model.migrates.get(name, name)
            if new is not None:
                model.criterion(new)
                if found.get(new, answer) != answer:
                    raise DataError(
                        f"the assessment of {self.subject!r} answers {new!r} twice under its older "
                        f"names, {found[new].value!r} and {answer.value!r}; decide on one"
                    )
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
        if not isinstance(data["answers"], Mapping):
            raise DataError(f"answers are criterion -> answer; found {data['answers']!r}")
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
