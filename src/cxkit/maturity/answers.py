"""Answers to the criteria of a model, as columns: one row per subject."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from cxkit.core.arrays import freeze
from cxkit.errors import DataError, DefinitionError

if TYPE_CHECKING:
    from cxkit.maturity.model import MaturityModel

__all__ = ["NOT_APPLICABLE", "Answer", "AnswerLike", "Answers"]

NOT_APPLICABLE: Final = "n/a"
"""The answer that says that a criterion does not apply to a subject."""
_ON_SCALE: Final = 1e-9


def _check_confidence(_: object, __: object, value: Any) -> None:
    is_number = isinstance(value, (int, float, np.floating)) and not isinstance(value, bool)
    if value is not None and not (is_number and 0 <= value <= 1):
        raise DefinitionError(f"confidence is 0 to 1, or None; found {value!r}")


def _as_evidence(value: str | Iterable[str] | None) -> tuple[str, ...]:
    """What is there: an empty field of a form is no proof."""
    given = (value,) if isinstance(value, str) else tuple(value or ())
    return tuple(str(item) for item in given if str(item).strip())


@attrs.frozen
class Answer:
    """One answer, with what supports it.

    Attributes:
        value: The label or the number of the criterion's scale, ``"n/a"``, or ``None`` if it is not
            known.
        evidence: Where the proof is: links, names of documents. Empty texts are none.
        confidence: How sure the assessor is that the answer is right, 0 to 1.

    Example:
        >>> Answer("most or all", evidence="https://wiki/scale", confidence=0.9).evidence
        ('https://wiki/scale',)
    """

    value: str | float | None
    evidence: tuple[str, ...] = attrs.field(default=(), converter=_as_evidence)
    confidence: float | None = attrs.field(default=None, validator=_check_confidence)


AnswerLike: TypeAlias = "Answer | str | float | None"


def _optional(array: NDArray[Any] | None) -> NDArray[Any] | None:
    return None if array is None else freeze(array)


@attrs.frozen(eq=False, kw_only=True)
class Answers:
    """The answers of N subjects to the C criteria of a model.

    Made by :meth:`of` from what people say, or by :meth:`from_array` from numbers; the constructor
    trusts its arguments. All arrays are read-only.

    Attributes:
        values: (N, C) worth of each answer from 0 to 1; NaN where it is not known.
        applies: (N, C) whether the criterion applies; ``None``: all do.
        evidenced: (N, C) whether evidence was given; ``None``: all were.
        confidence: (N, C) how sure the assessor is; NaN where not said; ``None``: nowhere.
        subjects: (N,) who was assessed.
        agreement: (N,) Krippendorff's alpha over the answers of those who assessed the subject; NaN
            where nothing was answered twice; ``None``: one assessor each.
    """

    values: NDArray[np.float64] = attrs.field(converter=freeze)
    applies: NDArray[np.bool_] | None = attrs.field(default=None, converter=_optional)
    evidenced: NDArray[np.bool_] | None = attrs.field(default=None, converter=_optional)
    confidence: NDArray[np.float64] | None = attrs.field(default=None, converter=_optional)
    subjects: tuple[str, ...]
    agreement: NDArray[np.float64] | None = attrs.field(default=None, converter=_optional)

    def __len__(self) -> int:
        """N, how many subjects."""
        return len(self.values)

    def take(self, which: slice | NDArray[Any]) -> Answers:
        """The chosen subjects."""
        names = np.arange(len(self))[which]
        return Answers(
            values=self.values[which],
            applies=None if self.applies is None else self.applies[which],
            evidenced=None if self.evidenced is None else self.evidenced[which],
            confidence=None if self.confidence is None else self.confidence[which],
            subjects=tuple(self.subjects[i] for i in names),
            agreement=None if self.agreement is None else self.agreement[which],
        )

    @classmethod
    def of(
        cls,
        model: MaturityModel,
        rows: Iterable[Mapping[str, AnswerLike]],
        subjects: Sequence[str] | None = None,
    ) -> Answers:
        """Answers from what people say, one mapping per subject.

        Args:
            model: The model whose criteria are answered.
            rows: criterion -> answer; criteria that are left out are not known.
            subjects: Their names; by default "1", "2" ...

        Raises:
            DataError: A criterion is unknown, an answer is not on its scale, or a confidence is no
                number from 0 to 1; the error names subject and criterion.
        """
        given = list(rows)
        names = _names(subjects, len(given))
        shape = (len(given), len(model.criteria))
        values, confidence = np.full(shape, np.nan), np.full(shape, np.nan)
        applies, evidenced = np.ones(shape, bool), np.zeros(shape, bool)
        for row, answers in enumerate(given):
            for name, said in answers.items():
                criterion = model.criterion(name)
                at = row, model.positions[name]
                try:
                    answer = said if isinstance(said, Answer) else Answer(said)
                    if isinstance(answer.value, str) and answer.value == NOT_APPLICABLE:
                        applies[at] = False
                    elif answer.value is not None and not _is_nan(answer.value):
                        values[at] = model.scale_of(criterion).worth(answer.value)
                except DefinitionError as error:
                    raise DataError(
                        f"subject {names[row]!r}, criterion {name!r}: {error}"
                    ) from None
                evidenced[at] = bool(answer.evidence)
                if answer.confidence is not None:
                    confidence[at] = answer.confidence
        return cls(
            values=values,
            applies=None if applies.all() else applies,
            evidenced=evidenced,
            confidence=None if np.isnan(confidence).all() else confidence,
            subjects=names,
        )

    @classmethod
    def from_array(
        cls,
        model: MaturityModel,
        values: ArrayLike,
        *,
        applies: ArrayLike | None = None,
        evidenced: ArrayLike | None = None,
        confidence: ArrayLike | None = None,
        subjects: Sequence[str] | None = None,
    ) -> Answers:
        """Answers from numbers: the fast way in, for thousands of subjects.

        Args:
            model: The model whose criteria are answered.
            values: (N, C) worth from 0 to 1, columns in the order of the model's criteria; NaN
                where the answer is not known.
            applies: (N, C) whether the criterion applies.
            evidenced: (N, C) whether evidence was given; left out: everywhere.
            confidence: (N, C) how sure the assessor is, 0 to 1; 1 where nothing was said. NaN is
                refused where there is an answer to be sure of.
            subjects: (N,) names; by default "1", "2" ...

        Raises:
            DataError: A shape is wrong, or a number is not on the scale of its criterion; the error
                names subject and criterion.

        Example:
            >>> from cxkit import MaturityModel
            >>> model = MaturityModel.builtin("five-level")
            >>> answers = Answers.from_array(model, [[1.0] * len(model.criteria)])
            >>> model.assess(answers).level.tolist()
            [5]
        """
        worth = np.array(values, np.float64, order="F")  # criteria are read one after another
        if worth.ndim != 2 or worth.shape[1] != len(model.criteria):  # rows and columns
            raise DataError(
                f"values have the shape (subjects, {len(model.criteria)}), a column for each "
                f"criterion of {model.id!r}; found {worth.shape}"
            )
        names = _names(subjects, len(worth))
        _check_on_scale(model, worth, names)
        sure = _same_shape("confidence", confidence, worth.shape, np.float64)
        if sure is not None and (wrong := _unsure(sure, worth)).any():
            at = tuple(int(i) for i in np.argwhere(wrong)[0])
            raise DataError(
                f"subject {names[at[0]]!r}, criterion {model.criteria[at[1]].id!r}: confidence is "
                f"0 to 1; found {sure[at]}"
            )
        return cls(
            values=worth,
            applies=_same_shape("applies", applies, worth.shape, np.bool_),
            evidenced=_same_shape("evidenced", evidenced, worth.shape, np.bool_),
            confidence=sure,
            subjects=names,
        )


def _unsure(sure: NDArray[np.float64], worth: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which confidences are none: outside 0 to 1, or NaN of an answer that was given."""
    blank = np.isnan(sure) & np.isnan(worth)
    return np.asarray(~blank & ~((sure >= 0) & (sure <= 1)))


def _is_nan(value: object) -> bool:
    return isinstance(value, (float, np.floating)) and math.isnan(value)


def _names(subjects: Sequence[str] | None, count: int) -> tuple[str, ...]:
    if subjects is None:
        return tuple(map(str, range(1, count + 1)))
    if len(subjects) != count:
        raise DataError(f"there are {count} rows of answers and {len(subjects)} subjects")
    return tuple(map(str, subjects))


def _same_shape(
    name: str, given: ArrayLike | None, shape: tuple[int, ...], dtype: type[np.generic]
) -> NDArray[Any] | None:
    if given is None:
        return None
    array = np.array(given, dtype, order="F")
    if array.shape != shape:
        raise DataError(f"{name} has the shape of values, {shape}; found {array.shape}")
    return array


def _check_on_scale(model: MaturityModel, worth: NDArray[np.float64], names: Sequence[str]) -> None:
    """A column at a time: the criteria are few, the subjects many."""
    for place, criterion in enumerate(model.criteria):
        scale, column = model.scale_of(criterion), worth[:, place]
        if scale.values:
            steps = np.array(scale.steps())
            near = np.clip(np.searchsorted(steps, column), 1, len(steps) - 1)
            off = np.minimum(np.abs(column - steps[near - 1]), np.abs(column - steps[near]))
            wrong = off > _ON_SCALE
        else:
            wrong = (column < 0) | (column > 1)
        if wrong.any():
            row = int(np.argmax(wrong))
            try:
                scale.worth(float(column[row]))
            except DefinitionError as error:
                raise DataError(
                    f"subject {names[row]!r}, criterion {criterion.id!r}: {error}"
                ) from None
