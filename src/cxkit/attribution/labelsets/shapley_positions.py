"""The ordered Shapley value: credit by label and by the place in the path."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.attribution.results import label_name, lost_note
from cxkit.attribution.rules.label_rules import LinearDistinct
from cxkit.attribution.touchpaths.converting import Touches
from cxkit.attribution.touchpaths.cutting import PathRule, sum_by
from cxkit.attribution.touchpaths.paths import Paths
from cxkit.core.arrays import freeze
from cxkit.core.codes import Label
from cxkit.core.ragged import ranks
from cxkit.core.result import ColumnLike, Result
from cxkit.errors import DefinitionError

__all__ = ["ShapleyPositions", "shapley_positions"]

FloatArray = NDArray[np.float64]


@attrs.frozen(eq=False, repr=False, kw_only=True)
class ShapleyPositions(Result):
    """Credit by label and position. L labels, P positions.

    Attributes:
        rule: What a path and a touch are.
        labels: The L labels; ``None`` last, if touches lack a label.
        conversions: (L, P) conversions credited to touches of a label at a position, from 1; the
            last position holds all that follow too.
        value: (L, P) the same in value.
        unattributed_conversions: Conversions whose path has no touch.
        unattributed_value: What they are worth.
    """

    rule: PathRule
    labels: tuple[Label | None, ...]
    conversions: FloatArray = attrs.field(converter=freeze)
    value: FloatArray = attrs.field(converter=freeze)
    unattributed_conversions: int
    unattributed_value: float

    def columns(self) -> dict[str, ColumnLike]:
        """The label (under the name of ``by``), conversions at each position, and in all."""
        last = self.conversions.shape[1]
        names = [*map(str, range(1, last)), f"{last}+"]
        numbers: dict[str, ColumnLike] = {
            name: self.conversions[:, place] for place, name in enumerate(names)
        }
        numbers["all"] = self.conversions.sum(axis=1)
        return {label_name(self.rule.by, numbers): self.labels, **numbers}

    def title(self) -> str:
        """What it is, and of what."""
        return (
            f"ordered Shapley values: {self.rule.goal.name} by {self.rule.by} and position, "
            f"{self.conversions.sum():,.1f} conversions worth {self.value.sum():,.1f}"
        )

    def notes(self) -> list[str]:
        """What nobody gets."""
        return lost_note(self.unattributed_conversions, self.unattributed_value)


def shapley_positions(paths: Paths, *, positions: int = 10) -> ShapleyPositions:
    """Shapley values of conversions inside a set of labels, by the position of the touch.

    Every conversion in equal parts to the distinct labels of its path, and the part of a label in
    equal parts to its touches: the *ordered* method of Zhao, Mahboobi, Bagheri 2018, "Shapley Value
    Methods for Attribution Modeling in Online Advertising". Summed over the positions it is
    :class:`~cxkit.attribution.ShapleyConversions`.

    Args:
        paths: The distinct paths.
        positions: How many positions to tell apart; the last holds all that follow too.

    Raises:
        DefinitionError: ``positions`` is no whole number from 1 up.

    Example:
        >>> paths = Paths.from_counts([("ad > mail > ad", 4, 1, 90.0), ("mail", 1, 6, 30.0)])
        >>> shapley_positions(paths, positions=3)
        ordered Shapley values: conversion by channel and position, 5.0 conversions worth 120.0
        channel      1      2     3+    all
        ad       1.000  0.000  1.000  2.000
        mail     1.000  2.000  0.000  3.000
    """
    if not positions >= 1 or positions % 1:
        raise DefinitionError(f"positions must be a whole number from 1 up; found {positions!r}")
    slots = len(paths.labels) + 1
    touches = Touches(offsets=paths.offsets, codes=paths.codes, labels=paths.labels)
    credit, size = LinearDistinct().credit(touches), np.diff(paths.offsets)
    at = paths.codes * np.int64(positions) + np.minimum(ranks(paths.offsets), positions - 1)
    tables = [
        sum_by(at, credit * np.repeat(amounts, size), slots * positions).reshape(slots, -1)
        for amounts in (paths.conversions, paths.value)
    ]
    shown = len(paths.labels) + bool((paths.codes == slots - 1).any())
    return ShapleyPositions(
        rule=paths.rule,
        labels=(*paths.labels, None)[:shown],
        conversions=tables[0][:shown],
        value=tables[1][:shown],
        unattributed_conversions=int(paths.unattributed_conversions.sum()),
        unattributed_value=float(paths.unattributed_value.sum()),
    )
