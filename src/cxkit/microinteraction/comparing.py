"""Two populations of one microinteraction: which rates differ, and whether by chance."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.intervals import rate_difference
from cxkit.core.multiplicity import holm
from cxkit.core.result import ColumnLike, Result
from cxkit.errors import MergeError
from cxkit.microinteraction.counts import ReplayCounts
from cxkit.microinteraction.results import MEASURES, RATES

__all__ = ["ReplayComparison", "compare_replays"]


@attrs.frozen(eq=False, repr=False, kw_only=True)
class ReplayComparison(Result):
    """The rates of two populations: one row for each rate.

    Attributes:
        instances: How many instances each has.
        first: (n,) the rates of the first; NaN of nothing.
        second: (n,) those of the second.
        difference: (n,) second less first.
        low: (n,) low end of its interval; NaN for too few customers.
        high: (n,) high end.
        p: (n,) two-sided p-value of no difference.
        adjusted: (n,) the same, adjusted for so many tests at once (Holm 1979).
    """

    instances: tuple[int, int]
    first: NDArray[np.float64] = attrs.field(converter=freeze)
    second: NDArray[np.float64] = attrs.field(converter=freeze)
    difference: NDArray[np.float64] = attrs.field(converter=freeze)
    low: NDArray[np.float64] = attrs.field(converter=freeze)
    high: NDArray[np.float64] = attrs.field(converter=freeze)
    p: NDArray[np.float64] = attrs.field(converter=freeze)
    adjusted: NDArray[np.float64] = attrs.field(converter=freeze)

    def columns(self) -> Mapping[str, ColumnLike]:
        """A row for each rate."""
        return {
            "measure": list(RATES),
            "first": self.first,
            "second": self.second,
            "difference": self.difference,
            "difference_low": self.low,
            "difference_high": self.high,
            "p": self.p,
            "p_adjusted": self.adjusted,
        }

    def title(self) -> str:
        """How many instances each has."""
        return f"{self.instances[0]:,} against {self.instances[1]:,} instances"


def compare_replays(
    first: ReplayCounts, second: ReplayCounts, *, level: float = 0.95
) -> ReplayComparison:
    """Which rates of two populations differ: two groups, two periods or two designs.

    The error of a difference is that of the delete-a-group jackknife with a shard left out of both
    at once, so that customers who are in both count for what they are.

    Args:
        first: One population.
        second: The other; its microinteraction may be another version.
        level: Of the intervals.

    Raises:
        MergeError: They are of microinteractions with different names.

    Example:
        >>> from cxkit.microinteraction import Microinteraction, ReplayCounts, State, Trigger
        >>> lamp = Microinteraction(
        ...     id="lamp",
        ...     trigger=Trigger("manual", "press"),
        ...     events={"press": "user"},
        ...     initial="off",
        ...     states={"off": State({"press": "on"}), "on": State(final=True)},
        ... )
        >>> nobody = ReplayCounts.zero(spec=lamp)
        >>> compare_replays(nobody, nobody).title()
        '0 against 0 instances'
    """
    ids = (first.measuring.spec.id, second.measuring.spec.id)
    if ids[0] != ids[1]:
        raise MergeError(f"these are two microinteractions, {ids[0]!r} and {ids[1]!r}")
    numbers = [[MEASURES.index(pair[which]) for pair in RATES.values()] for which in (0, 1)]
    before, after = (
        (counts.measures[:, numbers[0]], counts.measures[:, numbers[1]])
        for counts in (first, second)
    )
    occupied = first.occupied() | second.occupied()
    rate, other, found, _ = rate_difference(before, after, occupied, level=level)
    sizes: list[IntArray] = [c.measures[:, MEASURES.index("instances")] for c in (first, second)]
    return ReplayComparison(
        instances=(int(sizes[0].sum()), int(sizes[1].sum())),
        first=rate,
        second=other,
        difference=found.difference,
        low=found.low,
        high=found.high,
        p=found.p,
        adjusted=holm(found.p),
    )
