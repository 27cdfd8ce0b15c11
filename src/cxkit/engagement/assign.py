"""Points from an order of goals, and from what goals are worth in money."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cxkit.engagement.amounts import finite_number
from cxkit.errors import DefinitionError, did_you_mean

if TYPE_CHECKING:
    from cxkit.engagement.rules import PointRule

__all__ = ["geometric_points", "inversions", "linear_points", "points_of_worth", "worth_of_goal"]


def geometric_points(
    goals: Sequence[str], *, lowest: float = 1, highest: float = 100, whole: bool = False
) -> dict[str, float]:
    """Points for goals in order, each the same number of times those of the one before.

    ``lowest * (highest / lowest) ** (i / (n - 1))``: effort and commitment rise with each step
    towards the primary goal, and so do the points. From 1 to 100 it is the usual practice.

    Args:
        goals: Names of goals, the primary goal last.
        lowest: The points of the first, above 0.
        highest: The points of the last.
        whole: Round to whole points, halves to the even neighbour.

    Raises:
        DefinitionError: There are no goals, one comes twice, or the points do not ascend from
            above 0.

    Example:
        >>> geometric_points(["view", "mail", "demo", "trial", "purchase"], whole=True)
        {'view': 1.0, 'mail': 3.0, 'demo': 10.0, 'trial': 32.0, 'purchase': 100.0}
    """
    names, low, high = _ordered(goals, lowest, highest)
    if low <= 0:
        raise DefinitionError(f"lowest must be above 0 to be multiplied; found {lowest!r}")
    last = max(len(names) - 1, 1)
    points = [low * (high / low) ** (i / last) for i in range(len(names))]
    points[-1] = high
    return _rounded(names, points, whole=whole)


def linear_points(
    goals: Sequence[str], *, lowest: float = 1, highest: float = 100, whole: bool = False
) -> dict[str, float]:
    """Points for goals in order, each the same number more than those of the one before.

    Args:
        goals: Names of goals, the primary goal last.
        lowest: The points of the first.
        highest: The points of the last.
        whole: Round to whole points, halves to the even neighbour.

    Raises:
        DefinitionError: There are no goals, one comes twice, or the points do not ascend.

    Example:
        >>> linear_points(["view", "demo", "purchase"], lowest=0)
        {'view': 0.0, 'demo': 50.0, 'purchase': 100.0}
    """
    names, low, high = _ordered(goals, lowest, highest)
    last = max(len(names) - 1, 1)
    points = [low + (high - low) * (i / last) for i in range(len(names))]
    points[-1] = high
    return _rounded(names, points, whole=whole)


def worth_of_goal(close_rate: float, transaction: float) -> float:
    """What reaching a goal is worth: how often a sale follows, times what a sale brings.

    The classic advice of web analytics for goals that are no sales themselves. It is money, and it
    is an average over those who reach the goal, not what the goal causes.

    Args:
        close_rate: The share of those who reach the goal who buy, 0 to 1.
        transaction: The mean value of a purchase.

    Raises:
        DefinitionError: The rate is no share, or the transaction no finite number.

    Example:
        >>> worth_of_goal(0.1, 500)
        50.0
    """
    rate = finite_number(close_rate, "close_rate")
    if not 0 <= rate <= 1:
        raise DefinitionError(f"close_rate is a share between 0 and 1; found {close_rate!r}")
    return rate * finite_number(transaction, "transaction")


def points_of_worth(
    worth: Mapping[str, float], *, highest: float = 100, whole: bool = False
) -> dict[str, float]:
    """Points in proportion to what goals are worth, the largest having ``highest``.

    Args:
        worth: What each goal is worth, from :func:`worth_of_goal` or any other source.
        highest: The points of the goal that is worth most.
        whole: Round to whole points, halves to the even neighbour.

    Raises:
        DefinitionError: There are no goals, or none is worth anything.

    Example:
        >>> points_of_worth({"mail": 5, "demo": 50, "purchase": 500})
        {'mail': 1.0, 'demo': 10.0, 'purchase': 100.0}
    """
    numbers = {name: finite_number(w, f"the worth of {name!r}") for name, w in worth.items()}
    most = max(numbers.values(), default=0.0)
    if most <= 0:
        raise DefinitionError(f"no goal is worth anything, so there is no scale; found {worth!r}")
    top = finite_number(highest, "highest")
    return _rounded(list(numbers), [w * (top / most) for w in numbers.values()], whole=whole)


def inversions(rules: Sequence[PointRule], order: Sequence[str]) -> list[tuple[str, str]]:
    """Neighbours in an order of goals of which the earlier has more points than the later.

    Raises:
        DefinitionError: A name is no goal of a rule.
    """
    points: dict[str, float] = {}
    for rule in rules:
        points[rule.goal.name] = points.get(rule.goal.name, 0.0) + rule.points
    for name in order:
        if name not in points:
            raise DefinitionError(
                f"no goal {name!r} in the scale; there are {list(points)}."
                f"{did_you_mean(name, points)}"
            )
    pairs = itertools.pairwise(order)
    return [(low, high) for low, high in pairs if points[low] > points[high]]


def _ordered(goals: Sequence[str], lowest: float, highest: float) -> tuple[list[str], float, float]:
    names = list(goals)
    if isinstance(goals, str) or not names:
        raise DefinitionError(f"goals are a list of names, the primary goal last; found {goals!r}")
    if len(set(names)) != len(names):
        raise DefinitionError(f"a goal comes twice in the order {names}")
    low, high = finite_number(lowest, "lowest"), finite_number(highest, "highest")
    if low > high or (low == high and len(names) > 1):
        raise DefinitionError(f"lowest={lowest!r} must be less than highest={highest!r}")
    return names, low, high


def _rounded(names: list[str], points: list[float], *, whole: bool) -> dict[str, float]:
    return {
        name: float(round(p)) if whole else float(p) for name, p in zip(names, points, strict=True)
    }
