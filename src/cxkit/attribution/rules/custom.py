"""A rule given as a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.attribution.rules.rules import MOST_WEIGHT, RuleModel
from cxkit.attribution.touchpaths.converting import Touches
from cxkit.core.arrays import IntArray
from cxkit.core.ragged import segment_sum
from cxkit.errors import DefinitionError

__all__ = ["Custom"]

FloatArray = NDArray[np.float64]
WeighTouches: TypeAlias = Callable[
    [IntArray, "NDArray[np.unsignedinteger]", "IntArray | None"], "NDArray[Any]"
]


def _check_callable(_: object, __: object, value: Any) -> None:
    if not callable(value):
        raise DefinitionError(
            f"weigh must be a function of (offsets, codes, ticks); found {value!r}"
        )


@attrs.frozen
class Custom(RuleModel):
    """Credit in proportion to weights that a function gives to all touches at once.

    Attributes:
        weigh: A function of ``(offsets, codes, ticks)``: (P + 1,) offsets of the paths, (T,) label
            codes (in order of the sorted labels; the largest is missing) and (T,) microseconds, or
            ``None`` where paths are counted without times. It returns (T,) weights from 0 up, which
            are scaled to 1 in every path.
        label: The name of the model in tables.

    A function has no JSON: give the model a class of its own (see
    :class:`~cxkit.attribution.RuleModel`) to save it or its summaries.

    Raises:
        DefinitionError: ``weigh`` is no function.

    Example:
        >>> from cxkit.attribution import Paths, attribute_paths
        >>> paths = Paths.from_counts([("a > b > c", 6, 0, 0)])
        >>> rising = Custom(lambda offsets, codes, ticks: 1.0 + np.arange(offsets[-1]), "rising")
        >>> attribute_paths(paths, rising).conversions.tolist()
        [1.0, 2.0, 3.0]
    """

    kind: ClassVar[str] = "custom"

    weigh: WeighTouches = attrs.field(validator=_check_callable)
    label: str = "custom"

    @property
    def name(self) -> str:
        """The name that was given."""
        return self.label

    def to_dict(self) -> dict[str, Any]:
        """Refused: a function cannot be saved.

        Raises:
            DefinitionError: Always.
        """
        raise DefinitionError(
            f"{self.label!r} is a function, which cannot be saved; derive a class from RuleModel"
        )

    def credit(self, touches: Touches) -> FloatArray:
        """The credit of every touch.

        Raises:
            DefinitionError: The weights are not (T,) finite numbers from 0 up, or are all 0 in some
                path.
        """
        offsets = touches.offsets
        ticks = None if touches.times is None else touches.ticks
        given = np.asarray(self.weigh(offsets, touches.codes, ticks))
        if given.shape != (len(touches.codes),) or given.dtype.kind not in "fiub":
            raise DefinitionError(
                f"{self.label!r} must give one number per touch, {len(touches.codes):,} in all; "
                f"found {given.dtype} of shape {given.shape}"
            )
        weight = given.astype(np.float64)
        wrong = np.flatnonzero(~((weight >= 0) & (weight <= MOST_WEIGHT)))
        if len(wrong):
            raise DefinitionError(
                f"{self.label!r} gives weights that are not from 0 to {MOST_WEIGHT:g}, first "
                f"{given[wrong[0]]} to touch {wrong[0]:,}"
            )
        whole = segment_sum(weight, offsets)
        nothing = np.flatnonzero(whole <= 0)
        if len(nothing):
            raise DefinitionError(
                f"{self.label!r} gives no weight to any touch of {len(nothing):,} paths, first to "
                f"path {nothing[0]:,}"
            )
        return np.asarray(weight / np.repeat(whole, np.diff(offsets)))
