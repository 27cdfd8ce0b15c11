"""Caps: the most that a rule, a group of rules and the scale add to a score, and the least of all.

Points are kept in *cells*: one for each rule with a cap, one for the rules of each capped group
that have none of their own, and one for the rest. A scale without caps has a single cell.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.engagement.rules import PointRule

__all__ = ["LEVELS", "Caps"]

FloatArray = NDArray[np.float64]

LEVELS: Final = ("rule", "group", "scale", "floor")
"""Where something is taken, in the order in which it is."""


@attrs.frozen(eq=False)
class Caps:
    """How the cells of a score come together.

    Attributes:
        cell: (R,) the cell of each rule.
        most: (C,) the cap of each cell; infinite where there is none.
        groups: (G,) the cells of each capped group and its cap.
        alone: The cells that are in no capped group.
        cap: The cap of the total; infinite if there is none.
        floor: The least a score can be; minus infinity if there is none.
    """

    cell: tuple[int, ...]
    most: tuple[float, ...]
    groups: tuple[tuple[tuple[int, ...], float], ...]
    alone: tuple[int, ...]
    cap: float
    floor: float

    @classmethod
    def of(
        cls,
        rules: Sequence[PointRule],
        group_caps: Mapping[str, float],
        cap: float | None,
        floor: float | None,
    ) -> Caps:
        """The cells of these rules."""
        keys: dict[Any, int] = {}
        cell, most, member = [], [], []
        for place, rule in enumerate(rules):
            group = rule.group if rule.group in group_caps else None
            key = (group, None) if rule.cap is None else (group, place)
            if key not in keys:
                keys[key] = len(keys)
                most.append(math.inf if rule.cap is None else rule.cap)
                member.append(group)
            cell.append(keys[key])
        groups = tuple(
            (tuple(c for c, m in enumerate(member) if m == name), group_caps[name])
            for name in sorted({m for m in member if m is not None})
        )
        return cls(
            tuple(cell),
            tuple(most),
            groups,
            tuple(c for c, m in enumerate(member) if m is None),
            math.inf if cap is None else cap,
            -math.inf if floor is None else floor,
        )

    @property
    def cells(self) -> int:
        """C, how many sums are kept."""
        return len(self.most)

    @property
    def none(self) -> bool:
        """Whether nothing is capped, so that the score is the one cell."""
        return self.cells == 1 and math.isinf(self.most[0]) and self._open

    @property
    def _open(self) -> bool:
        return not self.groups and math.isinf(self.cap) and math.isinf(self.floor)

    def total(self, sums: FloatArray) -> FloatArray:
        """(n,) totals from (C, n) cells, before the floor.

        Example:
            >>> rules = [PointRule("buy", 40, group="sales"), PointRule("mail", 5, cap=15)]
            >>> caps = Caps.of(rules, {"sales": 60}, cap=70, floor=0)
            >>> caps.total(np.array([[80.0, 0], [25, 5]])).tolist()
            [70.0, 5.0]
        """
        return self._levels(sums)[2]

    def levels(self, sums: FloatArray) -> list[FloatArray]:
        """The totals after the rules' caps, the groups', the scale's and the floor, each (n,)."""
        rule, group, scale = self._levels(sums)
        return [rule, group, scale, np.maximum(scale, self.floor)]

    def _levels(self, sums: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        kept = [
            np.minimum(one, most) if most < math.inf else one
            for one, most in zip(sums, self.most, strict=True)
        ]
        by_rule = by_group = np.zeros(sums.shape[1:])
        for at in self.alone:
            by_rule = by_group = by_rule + kept[at]
        for members, most in self.groups:
            group = np.zeros(sums.shape[1:])
            for at in members:
                group = group + kept[at]
            by_rule = by_rule + group
            by_group = by_group + np.minimum(group, most)
        return by_rule, by_group, np.minimum(by_group, self.cap)

    def total_of(self, sums: Sequence[float]) -> float:
        """The total of one customer's cells, before the floor: the same bits as :meth:`total`."""
        total = 0.0
        for at in self.alone:
            total += min(sums[at], self.most[at])
        for members, most in self.groups:
            group = 0.0
            for at in members:
                group += min(sums[at], self.most[at])
            total += min(group, most)
        return min(total, self.cap)
