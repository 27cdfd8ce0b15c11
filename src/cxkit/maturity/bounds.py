"""What the rest of a plan costs at least: the bound by which the search for the cheapest is cut.

If answers could be raised by any fraction and nothing were required first, the cheapest way to gain
an amount in a stage would take the raises in order of cost per gain (the linear relaxation of the
multiple-choice knapsack: Sinha and Zoltners 1979, "The multiple-choice knapsack problem",
Operations Research 27). No real plan is cheaper.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import pairwise

import attrs

__all__ = ["Floor", "hull"]

Point = tuple[float, float]


def hull(points: Iterable[Point]) -> list[Point]:
    """The corners from the cheapest point to the largest gain that lie below all others.

    Args:
        points: (gain, cost) of the choices, at least one.

    Returns:
        Corners in ascending order of gain, each raise costlier per gain than the one before.

    Example:
        >>> hull([(0, 0), (1, 2), (2, 2.5), (3, 6)])
        [(0, 0), (2, 2.5), (3, 6)]
    """
    corners: list[Point] = []
    for gain, cost in sorted(points, key=lambda p: (p[0], -p[1])):
        while corners and corners[-1][1] >= cost:  # gains less and costs no less
            corners.pop()
        while len(corners) > 1 and _bends_down(corners[-2], corners[-1], (gain, cost)):
            corners.pop()
        corners.append((gain, cost))
    return corners


def _bends_down(a: Point, b: Point, c: Point) -> bool:
    return (b[1] - a[1]) * (c[0] - b[0]) >= (c[1] - b[1]) * (b[0] - a[0])


@attrs.frozen
class Floor:
    """The least cost of gaining at least so much, for every amount.

    Attributes:
        gains: Corners, ascending.
        costs: The cost at each.
    """

    gains: tuple[float, ...]
    costs: tuple[float, ...]

    @classmethod
    def of(cls, choices: Iterable[Sequence[Point]]) -> Floor:
        """The floor of criteria, of each of which one of its choices is taken.

        Args:
            choices: For each criterion, (gain, cost) of what may be chosen.
        """
        gain = cost = 0.0
        raises = []
        for points in choices:
            corners = hull(points)
            gain, cost = gain + corners[0][0], cost + corners[0][1]
            raises += [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(corners)]
        raises.sort(key=lambda step: step[1] / step[0])
        gains, costs = [gain], [cost]
        for more, price in raises:
            gains.append(gains[-1] + more)
            costs.append(costs[-1] + price)
        return cls(tuple(gains), tuple(costs))

    def cost(self, amount: float, slack: float) -> float:
        """The least cost of gaining an amount; infinite if even everything gains less.

        Args:
            amount: What has to be gained.
            slack: By how much rounding may miss it.
        """
        if amount <= self.gains[0]:
            return self.costs[0]
        if amount > self.gains[-1]:
            return self.costs[-1] if amount <= self.gains[-1] + slack else math.inf
        at = bisect_left(self.gains, amount)
        low, high = self.gains[at - 1], self.gains[at]
        part = (amount - low) / (high - low)
        return self.costs[at - 1] + part * (self.costs[at] - self.costs[at - 1])
