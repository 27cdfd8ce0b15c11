"""Points from comparisons of goals two by two."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import freeze
from cxkit.core.result import ColumnLike, Result, show_number
from cxkit.engagement.amounts import finite_number
from cxkit.errors import DefinitionError

__all__ = ["PairwisePoints", "ahp_points", "bradley_terry_points"]

# The mean consistency index of random reciprocal matrices of 1 to 10 goals (Saaty 1980).
_RANDOM: Final = (0.0, 0.0, 0.58, 0.90, 1.12, 1.24, 1.32, 1.41, 1.45, 1.49)
_TURNS: Final = 100_000
_EXACT: Final = 1e-12


@attrs.frozen(eq=False, repr=False)
class PairwisePoints(Result):
    """Points of goals from comparisons.

    Attributes:
        goals: (n,) the goals.
        weight: (n,) their weights, which sum to 1.
        points: (n,) the weights, such that the largest has the highest points.
        consistency: The consistency ratio of the judgements (AHP): up to 0.1 is taken for good. NaN
            for fewer than three goals, more than ten, and for counts of wins.
        method: How they came about.
    """

    goals: tuple[str, ...]
    weight: NDArray[np.float64] = attrs.field(converter=freeze)
    points: NDArray[np.float64] = attrs.field(converter=freeze)
    consistency: float
    method: str

    def columns(self) -> dict[str, ColumnLike]:
        """The goals, their weights and points."""
        return {"goal": self.goals, "weight": self.weight, "points": self.points}

    def title(self) -> str:
        """The method."""
        return f"points from comparisons, {self.method}"

    def notes(self) -> list[str]:
        """Whether the judgements contradict each other."""
        if math.isnan(self.consistency):
            return []
        good = "consistent enough" if self.consistency <= 0.1 else "judge again: above 0.1"
        return [f"consistency ratio {show_number(self.consistency)}: {good}"]

    def to_points(self) -> dict[str, float]:
        """Goal -> points."""
        return dict(zip(self.goals, self.points.tolist(), strict=True))


def ahp_points(
    goals: Sequence[str], judgements: Mapping[tuple[str, str], float], *, highest: float = 100
) -> PairwisePoints:
    """Points from judgements of how many times more one goal matters than another.

    The principal eigenvector of the matrix of judgements, with the consistency ratio (Saaty 1980,
    "The Analytic Hierarchy Process"). Some tools take the geometric mean of each row instead; the
    two agree where the judgements are consistent, and for up to three goals.

    Args:
        goals: Names of two goals or more.
        judgements: ``(a, b) -> ratio``: a matters so many times as much as b. Each pair once, in
            either direction; by custom from 1/9 to 9.
        highest: The points of the goal that matters most.

    Raises:
        DefinitionError: A pair is missing, comes twice or names another goal, or a ratio is no
            number above 0.

    Example:
        >>> found = ahp_points(
        ...     ["mail", "demo", "purchase"],
        ...     {("demo", "mail"): 2, ("purchase", "mail"): 4, ("purchase", "demo"): 2},
        ... )
        >>> found.points.round(6).tolist(), abs(round(found.consistency, 6))
        ([25.0, 50.0, 100.0], 0.0)
    """
    names = _names(goals)
    place = {name: k for k, name in enumerate(names)}
    matrix = np.full((len(names), len(names)), np.nan)
    np.fill_diagonal(matrix, 1.0)
    for (a, b), ratio in judgements.items():
        i, j = _pair(a, b, place)
        times = finite_number(ratio, f"the judgement of {a!r} against {b!r}")
        if times <= 0:
            raise DefinitionError(
                f"a judgement is a ratio above 0; found {ratio!r} for {a!r}, {b!r}"
            )
        if not math.isnan(matrix[i, j]):
            raise DefinitionError(f"{a!r} and {b!r} are judged twice; give each pair once")
        matrix[i, j], matrix[j, i] = times, 1 / times
    lacking = np.argwhere(np.isnan(matrix))
    if len(lacking):
        a, b = (names[k] for k in lacking[0].tolist())
        raise DefinitionError(f"{a!r} and {b!r} are not judged; every pair is, once")
    weight, largest = _principal(matrix)
    n = len(names)
    ratio = float("nan")
    if 3 <= n <= len(_RANDOM):
        ratio = (largest - n) / (n - 1) / _RANDOM[n - 1]
    return _result(names, weight, highest, ratio, "analytic hierarchy process")


def bradley_terry_points(
    wins: Mapping[tuple[str, str], float], *, highest: float = 100
) -> PairwisePoints:
    """Points from how often one goal was preferred to another.

    The model of Bradley and Terry (1952, "Rank analysis of incomplete block designs", Biometrika
    39): a is preferred to b with probability ``weight_a / (weight_a + weight_b)``. The largest
    likelihood is found by the iteration of Hunter (2004, "MM algorithms for generalized
    Bradley-Terry models", Annals of Statistics 32).

    Args:
        wins: ``(a, b) -> how often`` a was preferred to b.
        highest: The points of the goal that is preferred most.

    Raises:
        DefinitionError: A count is no number from 0 up, or the goals fall into two parts of which
            one never lost to the other: weights would grow without end (Ford 1957). Compare more.

    Example:
        >>> wins = {("demo", "mail"): 3, ("mail", "demo"): 1}
        >>> bradley_terry_points(wins).points.round(6).tolist()
        [100.0, 33.333333]
    """
    names = _names(sorted({name for pair in wins for name in pair}))
    place = {name: k for k, name in enumerate(names)}
    won = np.zeros((len(names), len(names)))
    for (a, b), count in wins.items():
        i, j = _pair(a, b, place)
        times = finite_number(count, f"the wins of {a!r} against {b!r}")
        if times < 0:
            raise DefinitionError(f"wins are counted from 0 up; found {count!r} for {a!r}, {b!r}")
        won[i, j] += times
    _check_connected(won, names)
    games, total = won + won.T, won.sum(axis=1)
    weight = np.full(len(names), 1 / len(names))
    for _ in range(_TURNS):
        new = total / (games / (weight[:, None] + weight[None, :])).sum(axis=1)
        new /= new.sum()
        done = bool((np.abs(new - weight) <= _EXACT * new).all())
        weight = new
        if done:
            break
    return _result(names, weight, highest, float("nan"), "Bradley-Terry")


def _names(goals: Sequence[str]) -> list[str]:
    names = list(goals)
    if isinstance(goals, str) or len(names) < 2 or len(set(names)) != len(names):
        raise DefinitionError(f"two or more different goals can be compared; found {goals!r}")
    return names


def _pair(a: str, b: str, place: Mapping[str, int]) -> tuple[int, int]:
    for name in (a, b):
        if name not in place:
            raise DefinitionError(f"{name!r} is none of the goals {list(place)}")
    if a == b:
        raise DefinitionError(f"{a!r} is compared with itself")
    return place[a], place[b]


def _principal(matrix: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """The positive eigenvector, summing to 1, and its eigenvalue (Perron and Frobenius)."""
    values, vectors = np.linalg.eig(matrix)
    real = np.real(values)
    at = int(np.argmax(real))
    vector = np.abs(np.real(vectors[:, at]))
    return vector / vector.sum(), float(real[at])


def _check_connected(won: NDArray[np.float64], names: list[str]) -> None:
    """Refuse goals that cannot be reached from each other by wins."""
    for matrix, what in ((won, "never lost to"), (won.T, "never won against")):
        seen, fresh = {0}, [0]
        while fresh:
            after = np.flatnonzero(matrix[:, fresh.pop()]).tolist()
            fresh += [k for k in after if k not in seen]
            seen |= set(after)
        if len(seen) < len(names):
            inside = [names[k] for k in sorted(seen)]
            rest = [name for k, name in enumerate(names) if k not in seen]
            raise DefinitionError(f"{inside} {what} {rest}, so no finite weights fit; compare more")


def _result(
    names: list[str], weight: NDArray[np.float64], highest: Any, ratio: float, method: str
) -> PairwisePoints:
    top = finite_number(highest, "highest")
    return PairwisePoints(tuple(names), weight, weight * (top / weight.max()), ratio, method)
