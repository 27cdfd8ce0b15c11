"""Rules of the trade, one class each."""

from __future__ import annotations

from typing import Any, ClassVar

import attrs
import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from cxkit.attribution.models import known_model
from cxkit.attribution.rules.rules import RuleModel
from cxkit.attribution.touchpaths.converting import Touches, spread
from cxkit.attribution.touchpaths.cutting import span_text
from cxkit.core.ragged import segment_sum
from cxkit.core.spans import SpanLike, span_us
from cxkit.core.whole import real_number
from cxkit.errors import DefinitionError

__all__ = ["FirstTouch", "LastTouch", "Linear", "PositionBased", "TimeDecay"]

FloatArray = NDArray[np.float64]


@known_model
@attrs.frozen
class FirstTouch(RuleModel):
    """All credit to the first touch of the path.

    A convention, without a paper. What others call first click is the same with the lookback and
    the touches of their own.

    Example:
        >>> from cxkit.attribution import Paths
        >>> paths = Paths.from_counts([("a > b > c", 1, 0, 0)])
        >>> FirstTouch().count_paths(paths).result().conversions.tolist()
        [1.0, 0.0, 0.0]
    """

    kind: ClassVar[str] = "first_touch"

    @override
    def credit(self, touches: Touches) -> FloatArray:
        offsets = touches.offsets
        credit = np.zeros(offsets[-1])
        credit[offsets[:-1]] = 1.0
        return credit


@known_model
@attrs.frozen
class LastTouch(RuleModel):
    """All credit to the last touch of the path.

    A convention, without a paper. With ``goal_is_touch`` and conversions that are marked on the
    touch itself this is what Adobe calls *same touch*. The last click of Google Analytics skips
    direct traffic: that is :class:`~cxkit.attribution.LastNonDirect`.

    Example:
        >>> from cxkit.attribution import Paths
        >>> paths = Paths.from_counts([("a > b > c", 1, 0, 0)])
        >>> LastTouch().count_paths(paths).result().conversions.tolist()
        [0.0, 0.0, 1.0]
    """

    kind: ClassVar[str] = "last_touch"

    @override
    def credit(self, touches: Touches) -> FloatArray:
        offsets = touches.offsets
        credit = np.zeros(offsets[-1])
        credit[offsets[1:] - 1] = 1.0
        return credit


@known_model
@attrs.frozen
class Linear(RuleModel):
    """The same credit to every touch of the path; a label with two touches has two shares.

    Some tools (mta among them) share among distinct labels under this name; that is
    :class:`~cxkit.attribution.LinearDistinct`.

    Example:
        >>> from cxkit.attribution import Paths
        >>> paths = Paths.from_counts([("a > b > a", 3, 0, 0)])
        >>> Linear().count_paths(paths).result().conversions.tolist()
        [2.0, 1.0]
    """

    kind: ClassVar[str] = "linear"

    @override
    def credit(self, touches: Touches) -> FloatArray:
        return spread(1.0 / np.diff(touches.offsets), touches.offsets)


def _part(value: Any) -> float:
    return real_number(value, "a part of PositionBased")


def _check_part(_: object, field: attrs.Attribute[float], value: float) -> None:
    if not 0 <= value <= 1:
        raise DefinitionError(f"{field.name}={value} of PositionBased must lie between 0 and 1")


@known_model
@attrs.frozen
class PositionBased(RuleModel):
    """Fixed parts to the first and the last touch, the rest in equal parts to those between.

    With one touch, that has all the credit. Where a path is so short that nobody is there for the
    rest, those who are share in the ratio of their parts (equally, if all of them are zero): with
    two touches the ends, with three and a part for the middle these three.

    The shapes of the trade are :meth:`u` (40/20/40), :meth:`j` (20/20/60), :meth:`inverse_j`
    (60/20/20) and :meth:`w` (30/30/30 and 10 for the rest). Adobe's J and inverse J are these. Some
    tools mean by W an event of their own (the birth of a lead) where this has the touch in the
    middle; others give a path of two touches to its ends in equal parts whatever the parts are.

    Attributes:
        first: The part of the first touch.
        last: The part of the last touch.
        middle: The part of the touch in the middle, the earlier one of two; nobody's on paths of
            fewer than three.

    Raises:
        DefinitionError: A part is outside 0 to 1, or they exceed 1 together.

    Example:
        >>> from cxkit.attribution import Paths
        >>> paths = Paths.from_counts([("a > b > c > d", 1, 0, 0)])
        >>> rule = PositionBased(first=0.5, last=0.3)
        >>> rule.count_paths(paths).result().conversions.round(3).tolist()
        [0.5, 0.1, 0.1, 0.3]
        >>> PositionBased.w().count_paths(paths).result().conversions.round(3).tolist()
        [0.3, 0.3, 0.1, 0.3]
    """

    kind: ClassVar[str] = "position_based"

    first: float = attrs.field(default=0.4, converter=_part, validator=_check_part)
    last: float = attrs.field(default=0.4, converter=_part, validator=_check_part)
    middle: float = attrs.field(default=0.0, converter=_part, validator=_check_part)

    def __attrs_post_init__(self) -> None:
        """Check the parts together."""
        # 0.7 + 0.1 + 0.2 is not 1 in floating point.
        if self.first + self.last + self.middle > 1 + 1e-12:
            told = f" and middle={self.middle}" if self.middle else ""
            raise DefinitionError(
                f"first={self.first} and last={self.last}{told} exceed 1 together; one conversion "
                "is 1"
            )

    @classmethod
    def u(cls) -> PositionBased:
        """Most to both ends: 40%, 20% between, 40%."""
        return cls(0.4, 0.4)

    @classmethod
    def j(cls) -> PositionBased:
        """Most to the end: 20%, 20% between, 60%."""
        return cls(0.2, 0.6)

    @classmethod
    def inverse_j(cls) -> PositionBased:
        """Most to the beginning: 60%, 20% between, 20%."""
        return cls(0.6, 0.2)

    @classmethod
    def w(cls) -> PositionBased:
        """Both ends and the middle: 30% each, 10% to the rest."""
        return cls(0.3, 0.3, 0.3)

    @override
    def credit(self, touches: Touches) -> FloatArray:
        begin, size = touches.offsets[:-1], np.diff(touches.offsets)
        has_middle = (size >= 3) & (self.middle > 0)
        named = np.minimum(size, 2) + has_middle
        parts = np.stack([np.full(len(size), p) for p in (self.first, self.last, self.middle)])
        parts[2, ~has_middle] = 0.0
        rest = max(1.0 - self.first - self.last - self.middle, 0.0)
        # A part for the middle that has no touch goes with the rest.
        left = np.where(has_middle, rest, min(rest + self.middle, 1.0))
        each = np.where(size > named, left / np.maximum(size - named, 1), 0.0)
        alone = size == named
        parts[:, alone] /= np.maximum(parts[:, alone].sum(axis=0), 1e-300)
        equal = alone & (parts.sum(axis=0) < 0.5)
        parts[:2, equal] = 0.5
        # The ends must make up all of it, whatever was lost in rounding.
        full = (size > named) & (left <= 0)
        parts[1, full] = 1.0 - parts[0, full] - parts[2, full]
        credit = np.repeat(each, size)
        credit[begin] = parts[0]
        credit[touches.offsets[1:] - 1] = parts[1]
        middle = begin + (size - 1) // 2
        credit[middle[has_middle]] = parts[2, has_middle]
        credit[begin[size == 1]] = 1.0
        return credit


def _span(value: SpanLike) -> str:
    return span_text(value, name="half_life")


@known_model
@attrs.frozen
class TimeDecay(RuleModel):
    """Credit halves with every ``half_life`` between the touch and the conversion.

    The weight of a touch is ``2 ** (-(t - s) / half_life)``, with t the time of the conversion and
    s that of the touch, divided by the sum over its path. Ages are counted from the newest touch of
    the path, which changes no ratio and keeps the sum at 1 or more, however old a path is.

    Real time, as in Adobe, PostHog and marketing-attribution-models. Others decay by position (the
    rank of the touch) under this name, which needs no times and knows nothing of pauses.

    Attributes:
        half_life: A span such as ``"7d"``.

    Raises:
        DefinitionError: The half-life is no span longer than zero.

    Example:
        >>> import cxkit as cx
        >>> journeys = cx.Journeys.from_table(
        ...     {"customer": [1, 1], "time": [0, 86400], "event": ["view", "buy"]},
        ...     customer="customer", time="time", time_unit="s", event="event",
        ... )  # fmt: skip
        >>> cx.attribution.credit(journeys, "buy", TimeDecay("1d")).credit.round(3).tolist()
        [0.333, 0.667]
    """

    kind: ClassVar[str] = "time_decay"
    half_life: str = attrs.field(default="7d", converter=_span)

    @override
    def credit(self, touches: Touches) -> FloatArray:
        offsets, ticks = touches.offsets, touches.ticks
        size = np.diff(offsets)
        age = np.repeat(ticks[offsets[1:] - 1], size) - ticks
        weight = np.exp2(age / -float(span_us(self.half_life, name="half_life")))
        return np.asarray(weight / np.repeat(segment_sum(weight, offsets), size))
