"""How a level compares with those of others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Self

import attrs
import numpy as np
from numpy.typing import ArrayLike

from cxkit.errors import DataError, DefinitionError

__all__ = ["Benchmark", "Percentile"]

_CLOSE: Final = 1e-9


def _by_stage(shares: Mapping[int, float]) -> dict[int, float]:
    return dict(sorted(shares.items()))


@attrs.frozen
class Percentile:
    """Where a level lies among others.

    Attributes:
        mid: Percent of the others below it, half of those at it included (the mid-rank).
        below: Percent strictly below.
        at_or_below: Percent at it or below.
        exact: Whether the distribution tells the share at this very level. If not, ``mid`` and
            ``at_or_below`` are what they are at least.
    """

    mid: float
    below: float
    at_or_below: float
    exact: bool = True


@attrs.frozen
class Benchmark:
    """The shares of others at each stage.

    Attributes:
        shares: stage -> share, 0 to 1; stages that are left out are not known apart.
        above: The share of all stages above those in ``shares``, known only together.
        source: Where it comes from.
        count: How many were assessed; ``None`` if that is not known.

    Raises:
        DefinitionError: The shares do not sum to 1.

    Example:
        >>> Benchmark.builtin().percentile(2).mid
        76.2
    """

    shares: Mapping[int, float] = attrs.field(converter=_by_stage)
    above: float = 0.0
    source: str = ""
    count: int | None = None

    def __attrs_post_init__(self) -> None:
        """Check that it is a distribution."""
        whole = sum(self.shares.values()) + self.above
        if not min([*self.shares.values(), self.above]) >= 0 or not abs(whole - 1) <= _CLOSE:
            raise DefinitionError(
                f"the shares of a benchmark are not negative and sum to 1; found {self.shares} and "
                f"{self.above} above, together {whole}"
            )

    @classmethod
    def of(cls, levels: ArrayLike, source: str = "") -> Self:
        """The distribution of levels that were found.

        Args:
            levels: (N,) levels of others.
            source: Where they come from.

        Raises:
            DataError: There is none, or they are no whole numbers.
        """
        given = np.asarray(levels)
        if given.size and not np.issubdtype(given.dtype, np.integer):
            raise DataError(f"levels are whole numbers; found {given.dtype}")
        found, counts = np.unique(given.astype(np.int64), return_counts=True)
        if not len(found):
            raise DataError("a benchmark needs at least one level to compare with; found none")
        shares: dict[int, float] = dict(
            zip(found.tolist(), (counts / counts.sum()).tolist(), strict=True)
        )
        return cls(shares, source=source, count=int(counts.sum()))

    @classmethod
    def builtin(cls) -> Self:
        """What more than a thousand firms were found at, in seven stages.

        67.0 percent initiate, 18.4 percent radiate, 14.6 percent in all stages above (Connect,
        Wiley 2014, chapter 4). How the others are spread over stages 3 to 7 was not published.
        """
        return cls({1: 0.67, 2: 0.184}, above=0.146, source="Connect (Wiley, 2014), chapter 4")

    def percentile(self, level: int) -> Percentile:
        """Where a level lies.

        Args:
            level: The number of a stage.

        Returns:
            Percent; for a level that the benchmark knows only together with others, what it is at
            least, and ``exact`` is false.
        """
        below = 100 * sum(share for stage, share in self.shares.items() if stage < level)
        if self.above and level > max(self.shares):
            return Percentile(_tidy(below), _tidy(below), _tidy(below), exact=False)
        here = 100 * self.shares.get(level, 0.0)
        return Percentile(_tidy(below + here / 2), _tidy(below), _tidy(below + here))


def _tidy(percent: float) -> float:
    return round(percent, 10)
