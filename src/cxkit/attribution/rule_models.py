"""Rules: each looks at one converting path and shares its conversion among the touches."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Final, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.attribution.cutting import span_text
from cxkit.core.arrays import IntArray
from cxkit.core.ragged import segment_sum
from cxkit.core.spans import SpanLike, span_us
from cxkit.errors import DefinitionError

__all__ = [
    "MODEL_SCHEMA",
    "FirstTouch",
    "LastTouch",
    "Linear",
    "Model",
    "PositionBased",
    "RuleModel",
    "TimeDecay",
]

FloatArray: TypeAlias = NDArray[np.float64]

MODEL_SCHEMA: Final = "cxkit/attribution-model/1"


class Model(attrs.AttrsInstance):
    """What rules and chains have in common: a name, and a way to JSON and back."""

    __slots__ = ()

    kind: ClassVar[str]

    @property
    def name(self) -> str:
        """The model's name in tables: its kind, and those parameters that are not the default."""
        told = [
            f"{f.name}={value}"
            for f in attrs.fields(type(self))
            if (value := getattr(self, f.name)) != f.default
        ]
        return f"{self.kind}({', '.join(told)})" if told else self.kind

    def to_dict(self) -> dict[str, Any]:
        """The model as plain data for JSON."""
        return {"schema": MODEL_SCHEMA, "model": self.kind, **attrs.asdict(self)}


class RuleModel(Model, ABC):
    """A model that shares each conversion among the touches of its own path.

    It knows nothing of paths without conversion. A rule of your own is a frozen attrs class with a
    ``kind`` and :meth:`credit`; set ``needs_times`` if it looks at the times.

    Example:
        >>> @attrs.frozen
        ... class SecondTouch(RuleModel):
        ...     kind = "second_touch"
        ...
        ...     def credit(self, offsets, ticks):
        ...         credit = np.zeros(offsets[-1])
        ...         credit[np.minimum(offsets[:-1] + 1, offsets[1:] - 1)] = 1.0
        ...         return credit
        >>> SecondTouch().credit(np.array([0, 3, 4]), None).tolist()
        [0.0, 1.0, 0.0, 1.0]
    """

    __slots__ = ()

    needs_times: ClassVar[bool] = False

    @abstractmethod
    def credit(self, offsets: IntArray, ticks: IntArray | None) -> FloatArray:
        """The credit of every touch.

        Args:
            offsets: (P + 1,) the paths: path p is the touches ``offsets[p]:offsets[p + 1]``, in
                order of time; none is empty.
            ticks: (T,) when, in microseconds; ``None`` only if not ``needs_times``.

        Returns:
            (T,) credits that sum to 1 in every path.
        """


@attrs.frozen
class FirstTouch(RuleModel):
    """All credit to the first touch of the path.

    Example:
        >>> FirstTouch().credit(np.array([0, 3]), None).tolist()
        [1.0, 0.0, 0.0]
    """

    kind: ClassVar[str] = "first_touch"

    def credit(self, offsets: IntArray, ticks: IntArray | None) -> FloatArray:  # noqa: ARG002, D102  # order alone
        credit = np.zeros(offsets[-1])
        credit[offsets[:-1]] = 1.0
        return credit


@attrs.frozen
class LastTouch(RuleModel):
    """All credit to the last touch of the path.

    Example:
        >>> LastTouch().credit(np.array([0, 3]), None).tolist()
        [0.0, 0.0, 1.0]
    """

    kind: ClassVar[str] = "last_touch"

    def credit(self, offsets: IntArray, ticks: IntArray | None) -> FloatArray:  # noqa: ARG002, D102  # order alone
        credit = np.zeros(offsets[-1])
        credit[offsets[1:] - 1] = 1.0
        return credit


@attrs.frozen
class Linear(RuleModel):
    """The same credit to every touch of the path; a label with two touches has two shares.

    Example:
        >>> Linear().credit(np.array([0, 2]), None).tolist()
        [0.5, 0.5]
    """

    kind: ClassVar[str] = "linear"

    def credit(self, offsets: IntArray, ticks: IntArray | None) -> FloatArray:  # noqa: ARG002, D102  # order alone
        size = np.diff(offsets)
        return np.repeat(1.0 / size, size)


def _check_part(_: object, field: attrs.Attribute[float], value: float) -> None:
    if not 0 <= value <= 1:
        raise DefinitionError(f"{field.name}={value} of PositionBased must lie between 0 and 1")


@attrs.frozen
class PositionBased(RuleModel):
    """Fixed parts to the first and the last touch, the rest in equal parts to those between.

    With one touch, that has all the credit. With two there is nothing between: they share in the
    ratio ``first : last`` (equally, if both are zero).

    Attributes:
        first: The part of the first touch.
        last: The part of the last touch.

    Raises:
        DefinitionError: A part is outside 0 to 1, or they exceed 1 together.

    Example:
        >>> PositionBased(first=0.5, last=0.3).credit(np.array([0, 4]), None).round(3).tolist()
        [0.5, 0.1, 0.1, 0.3]
    """

    kind: ClassVar[str] = "position_based"

    first: float = attrs.field(default=0.4, converter=float, validator=_check_part)
    last: float = attrs.field(default=0.4, converter=float, validator=_check_part)

    def __attrs_post_init__(self) -> None:
        """Check the parts together."""
        if self.first + self.last > 1 + 1e-12:  # 0.7 + 0.1 + 0.2 is not 1 in floating point
            raise DefinitionError(
                f"first={self.first} and last={self.last} exceed 1 together; one conversion is 1"
            )

    def credit(self, offsets: IntArray, ticks: IntArray | None) -> FloatArray:  # noqa: ARG002, D102  # order alone
        size = np.diff(offsets)
        between = max(1.0 - self.first - self.last, 0.0)
        ends = self.first + self.last
        first = np.where(size == 2, self.first / ends if ends else 0.5, self.first)
        last = np.where(size == 2, self.last / ends if ends else 0.5, self.last)
        if not between:
            # The ends must make up all of it, whatever was lost in rounding.
            last = np.where(size > 2, 1.0 - first, last)
        credit = np.repeat(between / np.maximum(size - 2, 1), size)
        credit[offsets[:-1]] = first
        credit[offsets[1:] - 1] = last
        credit[offsets[:-1][size == 1]] = 1.0
        return credit


def _span(value: SpanLike) -> str:
    return span_text(value, name="half_life")


@attrs.frozen
class TimeDecay(RuleModel):
    """Credit halves with every ``half_life`` between the touch and the conversion.

    The weight of a touch is ``2 ** (-(t - s) / half_life)``, with t the time of the conversion and
    s that of the touch, divided by the sum over its path. Ages are counted from the newest touch of
    the path, which changes no ratio and keeps the sum at 1 or more, however old a path is.

    Attributes:
        half_life: A span such as ``"7d"``.

    Raises:
        DefinitionError: The half-life is no span longer than zero.

    Example:
        >>> day = 86_400_000_000
        >>> TimeDecay("1d").credit(np.array([0, 2]), np.array([0, day])).round(3).tolist()
        [0.333, 0.667]
    """

    kind: ClassVar[str] = "time_decay"
    needs_times: ClassVar[bool] = True

    half_life: str = attrs.field(default="7d", converter=_span)

    def credit(self, offsets: IntArray, ticks: IntArray | None) -> FloatArray:  # noqa: D102
        if ticks is None:
            raise DefinitionError("time decay needs the times of the touches")
        size = np.diff(offsets)
        age = np.repeat(ticks[offsets[1:] - 1], size) - ticks
        weight = np.exp2(age / -float(span_us(self.half_life, name="half_life")))
        return np.asarray(weight / np.repeat(segment_sum(weight, offsets), size))
