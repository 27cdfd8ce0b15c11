"""What a maturity model is made of: answer scales, stages, phases, dimensions, criteria."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import attrs
import numpy as np

from cxkit.errors import DefinitionError, did_you_mean

__all__ = ["AnswerScale", "Criterion", "Dimension", "Phase", "Stage"]

_CLOSE: Final = 1e-9


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def _check_share(low_open: bool) -> Callable[[Any, attrs.Attribute[Any], Any], None]:  # noqa: FBT001
    def check(owner: Any, field: attrs.Attribute[Any], value: Any) -> None:
        if value is None:
            return
        if not _is_number(value) or not (0 < value <= 1 if low_open else 0 <= value <= 1):
            low = "more than 0" if low_open else "from 0"
            who = getattr(owner, "id", type(owner).__name__)
            raise DefinitionError(f"{who}: {field.name} is {low} to 1; found {value!r}")

    return check


def _check_positive(owner: Any, field: attrs.Attribute[Any], value: Any) -> None:
    if not _is_number(value) or not 0 < value < math.inf:
        raise DefinitionError(f"{owner.id}: {field.name} is a number above 0; found {value!r}")


def _check_whole(owner: Any, field: attrs.Attribute[Any], value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise DefinitionError(f"{owner.id}: {field.name} is a whole number; found {value!r}")


def _check_id(owner: Any, field: attrs.Attribute[Any], value: Any) -> None:
    if not isinstance(value, str) or not value.strip():
        kind = type(owner).__name__
        raise DefinitionError(f"the {field.name} of a {kind} is some text; found {value!r}")


def _worths(values: Mapping[str, float]) -> dict[str, float]:
    return dict(values)


def _texts(values: str | Iterable[str]) -> tuple[str, ...]:
    return (values,) if isinstance(values, str) else tuple(values)


@attrs.frozen
class AnswerScale:
    """The answers that a criterion may get, and what each is worth.

    Attributes:
        id: Its name.
        values: label -> worth from 0 to 1; empty for a scale that takes any number from 0 to 1,
            such as a measured share.

    Raises:
        DefinitionError: A worth lies outside 0 to 1, or none is 1, so that nothing could be met.

    Example:
        >>> scale = AnswerScale("yes-no", {"no": 0, "yes": 1})
        >>> scale.worth("yes"), scale.worth(0)
        (1.0, 0.0)
    """

    id: str = attrs.field(validator=_check_id)
    values: Mapping[str, float] = attrs.field(factory=dict, converter=_worths)

    def __attrs_post_init__(self) -> None:
        """Check the worths."""
        for label, worth in self.values.items():
            if not _is_number(worth) or not 0 <= worth <= 1:
                raise DefinitionError(
                    f"answer scale {self.id!r}: {label!r} is worth {worth!r}; a worth is 0 to 1"
                )
        if self.values and max(self.values.values()) < 1:
            raise DefinitionError(f"answer scale {self.id!r}: no answer is worth 1")

    def worth(self, answer: str | float) -> float:
        """What an answer is worth, given as its label or as the number itself.

        Raises:
            DefinitionError: The scale has no such answer.
        """
        if isinstance(answer, str):
            if answer not in self.values:
                raise DefinitionError(self._refusal(answer))
            return float(self.values[answer])
        if not _is_number(answer) or not 0 <= answer <= 1:
            raise DefinitionError(self._refusal(answer))
        if self.values and all(abs(answer - v) > _CLOSE for v in self.values.values()):
            raise DefinitionError(self._refusal(answer))
        return float(answer)

    def steps(self) -> list[float]:
        """The worths in ascending order, each once; 0 and 1 for a scale without labels."""
        return sorted({float(v) for v in self.values.values()} or {0.0, 1.0})

    def _refusal(self, answer: object) -> str:
        if not self.values:
            return f"answer {answer!r}: the scale {self.id!r} takes numbers from 0 to 1"
        hint = did_you_mean(str(answer), list(self.values))
        return f"answer {answer!r} is not on the scale {self.id!r}: {dict(self.values)}.{hint}"

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        pairs = [{"label": k, "value": v} for k, v in self.values.items()]
        return {"id": self.id, "values": pairs}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> AnswerScale:
        """Read back what :meth:`to_dict` wrote."""
        labels = [entry["label"] for entry in data["values"]]
        if len(set(labels)) < len(labels):
            raise DefinitionError(f"answer scale {data['id']!r}: a label occurs twice in {labels}")
        return cls(data["id"], {entry["label"]: entry["value"] for entry in data["values"]})


@attrs.frozen
class Stage:
    """One rung of the ladder.

    Attributes:
        n: Its number; the stages of a model are numbered without a gap.
        id: Its name.
        title: A longer name.
        focus: What a firm at this stage is busy with.
        threshold: The attainment it takes, in place of the model's own.
        targets: dimension -> capability level that it takes, for equivalent staging.
    """

    n: int
    id: str = attrs.field(validator=_check_id)
    title: str = ""
    focus: str = ""
    threshold: float | None = attrs.field(default=None, validator=_check_share(low_open=True))
    targets: Mapping[str, int] = attrs.field(factory=dict, converter=dict)


@attrs.frozen
class Phase:
    """A named run of stages.

    Attributes:
        id: Its name.
        stages: The numbers of its stages.
    """

    id: str = attrs.field(validator=_check_id)
    stages: tuple[int, ...] = attrs.field(converter=tuple)


@attrs.frozen
class Dimension:
    """What criteria are about, such as people, process or technology.

    Attributes:
        id: Its name.
        title: A longer name.
        parent: The dimension that it is a part of; ``None`` at the top.
    """

    id: str = attrs.field(validator=_check_id)
    title: str = ""
    parent: str | None = None


@attrs.frozen
class Criterion:
    """One statement that can be checked.

    Attributes:
        id: Its name, which never changes its meaning.
        stage: The number of the stage that it belongs to.
        dimension: The dimension that it belongs to.
        text: The statement.
        weight: How much it counts within its stage and its dimension.
        gate: Whether the stage cannot be met without it.
        gate_threshold: What a gate must be worth, in place of the model's own.
        per_channel: Whether each channel answers for itself.
        effort: What it costs to go from worth 0 to worth 1, in any unit of your own.
        requires: Criteria that must be met before work on this one makes sense.
        evidence_required: Whether an answer without evidence counts only up to the model's cap.
        scale: The answer scale, in place of the model's own.
        measure: The name of a measurement that gives the answer, in place of somebody's word.
    """

    id: str = attrs.field(validator=_check_id)
    stage: int = attrs.field(validator=_check_whole)
    dimension: str
    text: str = ""
    weight: float = attrs.field(default=1, validator=_check_positive)
    gate: bool = False
    gate_threshold: float | None = attrs.field(default=None, validator=_check_share(low_open=True))
    per_channel: bool = False
    effort: float = attrs.field(default=1, validator=_check_positive)
    requires: tuple[str, ...] = attrs.field(default=(), converter=_texts)
    evidence_required: bool = False
    scale: str | None = None
    measure: str | None = None
