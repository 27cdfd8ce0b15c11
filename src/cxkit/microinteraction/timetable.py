"""Quantiles of the times from the trigger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.intervals import check_level
from cxkit.core.result import ColumnLike, Result
from cxkit.core.summary import SHARDS
from cxkit.core.timebins import BINS, RELATIVE_ERROR, bin_quantiles, woodruff
from cxkit.errors import DefinitionError

__all__ = ["TimeTable", "time_table"]

_TIMED: Final = ("first answer of the system", "end")


@attrs.frozen(eq=False, repr=False, kw_only=True)
class TimeTable(Result):
    """Times from the trigger, in milliseconds.

    Attributes:
        names: What the time is to.
        count: (n,) how many instances have it.
        quantiles: The Q quantiles.
        ms: (n, Q) milliseconds, off by 0.8 percent of themselves at most; NaN where no instance is.
        low: (n, Q) low ends of their intervals (Woodruff 1952); NaN for too few customers.
        high: (n, Q) high ends.
    """

    names: Sequence[str]
    count: IntArray = attrs.field(converter=freeze)
    quantiles: Sequence[float]
    ms: NDArray[np.float64] = attrs.field(converter=freeze)
    low: NDArray[np.float64] = attrs.field(converter=freeze)
    high: NDArray[np.float64] = attrs.field(converter=freeze)

    def columns(self) -> Mapping[str, ColumnLike]:
        """A row for each time; quantiles are ``p50`` and so on."""
        columns: dict[str, Any] = {"from the trigger to": list(self.names), "count": self.count}
        for place, share in enumerate(self.quantiles):
            name = f"p{100 * share:g}"
            columns |= {name: self.ms[:, place], f"{name}_low": self.low[:, place],
                        f"{name}_high": self.high[:, place]}  # fmt: skip
        return columns

    def notes(self) -> list[str]:
        """How exact they are."""
        return [f"milliseconds, off by {RELATIVE_ERROR:.1%} at most"]


def time_table(
    keys: IntArray,
    counts: IntArray,
    quantiles: Sequence[float],
    occupied: NDArray[np.bool_],
    level: float,
) -> TimeTable:
    """Quantiles of binned times."""
    check_level(level)
    for share in quantiles:
        if not 0 <= share <= 1:
            raise DefinitionError(f"a quantile lies between 0 and 1; found {share!r}")
    kind, rest = keys // (BINS * SHARDS), keys % (BINS * SHARDS)
    out = np.full((3, len(_TIMED), len(quantiles)), np.nan)
    size = np.zeros(len(_TIMED), np.int64)
    for k in range(len(_TIMED)):
        mine = kind == k
        rows = (counts[mine], rest[mine] // SHARDS, (rest[mine] % SHARDS).astype(np.uint8))
        size[k] = rows[0].sum()
        if not size[k]:
            continue
        bounds = np.array([0, len(rows[0])])
        for q, share in enumerate(quantiles):
            found = bin_quantiles(rows[0], rows[1], bounds, np.array([share], np.float64))
            ends = woodruff((*rows, bounds), found, share, occupied, level)
            out[0, k, q] = found[0]
            for place, end in enumerate(ends):
                out[place + 1, k, q] = bin_quantiles(rows[0], rows[1], bounds, end)[0]
    out /= 1000
    return TimeTable(
        names=_TIMED, count=size, quantiles=tuple(quantiles), ms=out[0], low=out[1], high=out[2]
    )
