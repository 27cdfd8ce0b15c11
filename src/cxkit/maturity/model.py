"""A maturity model: versioned data that says which criteria make which stage."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, overload

import attrs

from cxkit.core.canonical import digest
from cxkit.core.shapes import check_shape
from cxkit.errors import DataError, DefinitionError, did_you_mean
from cxkit.maturity.modelchecks import check_model
from cxkit.maturity.parts import AnswerScale, Criterion, Dimension, Phase, Stage

if TYPE_CHECKING:
    from cxkit.maturity.answers import AnswerLike, Answers
    from cxkit.maturity.assessed import Assessed
    from cxkit.maturity.assessment import Assessment
    from cxkit.maturity.results import Assessments

__all__ = ["MaturityModel", "builtin_models"]

SCHEMA: Final = "cxkit/maturity-model/1"
_COVERAGE: Final = AnswerScale(
    "coverage-4", {"no": 0.0, "some": 0.25, "at least half": 0.5, "most or all": 1.0}
)
_SCHEMA_FILE: Final = "maturity-model-1.schema.json"


def _check_id(_: object, __: object, value: Any) -> None:
    if not isinstance(value, str) or not value.strip():
        raise DefinitionError(f"the id of a maturity model is some text; found {value!r}")


def _check_version(_: object, __: object, value: Any) -> None:
    if not isinstance(value, str) or not re.fullmatch(r"\d+\.\d+\.\d+", value):
        raise DefinitionError(f"version is three numbers such as '1.0.0'; found {value!r}")


def _check_threshold(_: object, field: attrs.Attribute[Any], value: object) -> None:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value <= 1:
        raise DefinitionError(f"{field.name} is above 0 and at most 1; found {value!r}")


def _dimensions(given: Iterable[str | Dimension]) -> tuple[Dimension, ...]:
    return tuple(d if isinstance(d, Dimension) else Dimension(d) for d in given)


def _scales(given: Iterable[AnswerScale]) -> tuple[AnswerScale, ...]:
    return tuple(given)


@attrs.frozen(kw_only=True, repr=False, eq=False)
class MaturityModel:
    """Stages, the criteria that make them, and how answers are worth something.

    The rule (that of staged models such as CMMI, with attainment in place of yes or no): the
    *attainment* of a stage is the weighted mean of the worth of its criteria. A stage is met when
    its attainment reaches the threshold and every gate criterion reaches its own. The *level* is
    the highest stage that is met with all stages below it; the base stage is met by definition. A
    stage that is met above one that is not is out of order, and never raises the level.

    Attributes:
        id: The name of the model.
        version: Three numbers. A patch is wording; a minor version adds optional criteria; a major
            version is anything that moves a score, and assessments of another are refused.
        stages: The stages, numbered without a gap.
        dimensions: What criteria are about; names, or a tree of :class:`Dimension`.
        criteria: The criteria; every stage but the base has at least one.
        title: What the model is called.
        source: Where it comes from.
        base_stage: The stage that takes nothing; by default the first.
        stage_threshold: The attainment that a stage takes.
        gate_threshold: What a gate criterion must be worth.
        evidence_cap: Up to what an answer counts where evidence is required and missing.
        answer_scale: The answers that criteria may get.
        answer_scales: Further scales that criteria may name.
        phases: Named runs of stages; none, or every stage in exactly one.
        migrates: Names of criteria in older versions -> the name now, or ``None`` if it is gone.

    Raises:
        DefinitionError: Something in it contradicts something else; the error names it.

    Example:
        >>> model = MaturityModel.builtin("cx-seven-stage")
        >>> found = model.assess({"rad.owner": 1, "rad.publish": 1, "rad.source": 1})
        >>> found.level, found.stage, found.phase
        (2, 'radiate', 'attract')
    """

    id: str = attrs.field(validator=_check_id)
    version: str = attrs.field(validator=_check_version)
    stages: tuple[Stage, ...] = attrs.field(converter=tuple)
    dimensions: tuple[Dimension, ...] = attrs.field(converter=_dimensions)
    criteria: tuple[Criterion, ...] = attrs.field(converter=tuple)
    title: str = ""
    source: str = ""
    base_stage: int = attrs.field()
    stage_threshold: float = attrs.field(default=0.75, validator=_check_threshold)
    gate_threshold: float = attrs.field(default=0.75, validator=_check_threshold)
    evidence_cap: float = 0.5
    answer_scale: AnswerScale = _COVERAGE
    answer_scales: tuple[AnswerScale, ...] = attrs.field(default=(), converter=_scales)
    phases: tuple[Phase, ...] = attrs.field(default=(), converter=tuple)
    migrates: Mapping[str, str | None] = attrs.field(factory=dict, converter=dict)

    @base_stage.default
    def _first_stage(self) -> int:
        return self.stages[0].n if self.stages else 1

    def __attrs_post_init__(self) -> None:
        """Check it as a whole."""
        check_model(self)

    def __eq__(self, other: object) -> bool:
        """Equal when the digests are."""
        return self.digest == other.digest if isinstance(other, MaturityModel) else NotImplemented

    def __hash__(self) -> int:
        """Of the digest."""
        return hash(self.digest)

    def __repr__(self) -> str:
        """Which it is, and how large."""
        return (
            f"<MaturityModel {self.id!r} {self.version}: {len(self.stages)} stages, "
            f"{len(self.dimensions)} dimensions, {len(self.criteria)} criteria>"
        )

    @cached_property
    def positions(self) -> Mapping[str, int]:
        """The place of each criterion by its name."""
        return {criterion.id: place for place, criterion in enumerate(self.criteria)}

    @cached_property
    def _scale_by_id(self) -> Mapping[str, AnswerScale]:
        return {scale.id: scale for scale in (self.answer_scale, *self.answer_scales)}

    def criterion(self, name: str) -> Criterion:
        """A criterion by its name.

        Raises:
            DataError: There is none.
        """
        if name not in self.positions:
            raise DataError(
                f"model {self.id!r} has no criterion {name!r}.{did_you_mean(name, self.positions)}"
            )
        return self.criteria[self.positions[name]]

    def scale_of(self, criterion: Criterion) -> AnswerScale:
        """The answer scale of a criterion."""
        return self._scale_by_id[criterion.scale or self.answer_scale.id]

    def stage(self, n: int) -> Stage:
        """The stage of a number."""
        return self.stages[n - self.stages[0].n]

    def phase_of(self, n: int) -> str | None:
        """The phase of a stage; ``None`` if the model has none."""
        return next((phase.id for phase in self.phases if n in phase.stages), None)

    @property
    def top_stage(self) -> int:
        """The number of the highest stage."""
        return self.stages[-1].n

    # ------------------------------------------------------------------ the verb

    @overload
    def assess(self, answers: Mapping[str, AnswerLike]) -> Assessed: ...
    @overload
    def assess(self, answers: Answers | Iterable[Assessment]) -> Assessments: ...
    def assess(self, answers: Any) -> Any:
        """Where a subject stands, or each of many.

        Args:
            answers: criterion -> answer for one subject; or :class:`Answers` of many; or
                assessments, which are combined by subject, channel and day. An answer is the label
                or the number of the criterion's scale, ``"n/a"`` where the criterion does not
                apply, or ``None`` where it is not known, as are those that are left out.

        Returns:
            :class:`Assessed` for one, :class:`Assessments` for many; the same code, to the last
            bit.

        Raises:
            DataError: A criterion is unknown, an answer is not on its scale, or no criterion of a
                stage applies, so that the stage would be met by nothing.
        """
        from cxkit.maturity.answers import Answers
        from cxkit.maturity.assess import assess

        if isinstance(answers, Answers):
            return assess(self, answers)
        if isinstance(answers, Mapping):
            return assess(self, Answers.of(self, [answers]))[0]
        from cxkit.maturity.assessors import combine

        return assess(self, combine(self, answers))

    # ------------------------------------------------------------------ files

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the model's canonical JSON, in hexadecimal."""
        return digest(self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """The model as plain data; what is as by default is left out."""
        from cxkit.maturity.modeldata import model_data

        return model_data(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> MaturityModel:
        """Read a model from plain data.

        Raises:
            DataError: It does not have the shape of a model; the error says where in the data. Or
                it carries a digest that is not its own.
            DefinitionError: Something in it contradicts something else.
        """
        from cxkit.maturity.modeldata import read_model

        check_shape(data, model_schema(), "maturity model")
        return read_model(data)

    @classmethod
    def from_file(cls, path: str | Path) -> MaturityModel:
        """Read a model from a JSON file.

        Raises:
            DataError: It is no JSON, or not a model.
        """
        try:
            data = json.loads(Path(path).read_text(encoding="utf-8"))
        except ValueError as error:
            raise DataError(f"{Path(path).name} is no JSON: {error}") from None
        return cls.from_dict(data)

    def to_file(self, path: str | Path) -> None:
        """Write the model to a JSON file, with its digest: a later change will be noticed."""
        data = self.to_dict() | {"digest": self.digest}
        text = json.dumps(data, indent=1, ensure_ascii=False) + "\n"
        Path(path).write_text(text, encoding="utf-8", newline="\n")

    @classmethod
    def builtin(cls, name: str) -> MaturityModel:
        """A model that comes with cxkit.

        Args:
            name: One of :func:`builtin_models`.

        Raises:
            DataError: There is no such model.
        """
        names = builtin_models()
        if name not in names:
            raise DataError(
                f"no built-in model {name!r}; there are {names}.{did_you_mean(name, names)}"
            )
        return cls.from_dict(_packaged(f"{name}.json"))


def builtin_models() -> list[str]:
    """The names of the models that come with cxkit.

    Example:
        >>> builtin_models()
        ['cx-seven-stage', 'five-level', 'four-tier']
    """
    files = (entry.name for entry in resources.files(__package__).joinpath("models").iterdir())
    return sorted(
        name.removesuffix(".json")
        for name in files
        if name.endswith(".json") and not name.endswith(".schema.json")
    )


def model_schema() -> dict[str, Any]:
    """The JSON schema of model files, for editors and other programs.

    Example:
        >>> model_schema()["title"]
        'A maturity model of cxkit'
    """
    return _packaged(_SCHEMA_FILE)


def _packaged(name: str) -> dict[str, Any]:
    text = resources.files(__package__).joinpath("models", name).read_text(encoding="utf-8")
    data: dict[str, Any] = json.loads(text)
    return data
