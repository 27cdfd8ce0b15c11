"""What sequences of labels look like, with their support and their lift."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.codes import Label, Vocabulary
from cxkit.core.intervals import (
    check_level,
    divide,
    interval,
    jackknife_error,
    leave_one_out,
    rate_difference,
    share_interval,
)
from cxkit.core.multiplicity import benjamini_hochberg, holm
from cxkit.core.result import MISSING, Result
from cxkit.core.whole import whole_number
from cxkit.errors import DefinitionError
from cxkit.flow.paths import JOIN, few_customers

__all__ = ["CONTROLS", "SequencePatternTable", "patterns_table"]

CONTROLS: Final[dict[str, Callable[[Any], NDArray[np.float64]]]] = {
    "holm": holm,
    "benjamini-hochberg": benjamini_hochberg,
    "none": lambda p: np.asarray(p, np.float64),
}
"""How many tests at once are taken care of."""
_GAP: Final = " .. "
_RATES: Final = ("rate", "rest_rate", "lift", "lift_low", "lift_high", "p", "p_adjusted")


@attrs.frozen(eq=False, repr=False, kw_only=True)
class SequencePatternTable(Result):
    """Sequences of labels that journeys hold: one row each.

    Attributes:
        rule: Which sequences were looked for.
        control: How many tests at once are taken care of.
        patterns: The labels of each.
        journeys: (P,) journeys that hold it.
        support: (P,) of all journeys.
        support_low: (P,) low end of its interval; NaN for too few customers.
        support_high: (P,) high end.
        rate: (P,) of these journeys, how many reach the goal; NaN without a goal.
        rest_rate: (P,) of all others; NaN where there are none.
        lift: (P,) rate by rest_rate; infinite where none of the others does.
        lift_low: (P,) low end of its interval; NaN where a rate is 0, or too few hold it.
        lift_high: (P,) high end.
        p: (P,) chance of rates as different if they were the same.
        p_adjusted: (P,) the same, for all sequences with the support together.
        total_patterns: Sequences with the support, listed or not.
        total_journeys: All journeys.
        total_reached: Those that reach the goal.
    """

    rule: Any
    control: str
    patterns: tuple[tuple[Label | None, ...], ...]
    journeys: IntArray = attrs.field(converter=freeze)
    support: NDArray[np.float64] = attrs.field(converter=freeze)
    support_low: NDArray[np.float64] = attrs.field(converter=freeze)
    support_high: NDArray[np.float64] = attrs.field(converter=freeze)
    rate: NDArray[np.float64] = attrs.field(converter=freeze)
    rest_rate: NDArray[np.float64] = attrs.field(converter=freeze)
    lift: NDArray[np.float64] = attrs.field(converter=freeze)
    lift_low: NDArray[np.float64] = attrs.field(converter=freeze)
    lift_high: NDArray[np.float64] = attrs.field(converter=freeze)
    p: NDArray[np.float64] = attrs.field(converter=freeze)
    p_adjusted: NDArray[np.float64] = attrs.field(converter=freeze)
    total_patterns: int
    total_journeys: int
    total_reached: int

    def columns(self) -> Mapping[str, Any]:
        """One row per sequence: joined by ``" > "``, or by ``" .. "`` where gaps are allowed."""
        join = _GAP if self.rule.gaps else JOIN
        shown = [join.join(MISSING if x is None else str(x) for x in p) for p in self.patterns]
        columns: dict[str, Any] = {
            "pattern": shown,
            "journeys": self.journeys,
            "support": self.support,
            "support_low": self.support_low,
            "support_high": self.support_high,
        }
        if self.rule.goal is not None:
            columns |= {name: getattr(self, name) for name in _RATES}
        return columns

    def title(self) -> str:
        """How many there are."""
        goal = "" if self.rule.goal is None else f", goal {self.rule.goal.name}"
        return (
            f"sequences by {self.rule.by}{goal}: {self.total_patterns:,} with the support, of "
            f"{self.total_journeys:,} journeys"
        )

    def notes(self) -> tuple[str, ...]:
        """What the numbers are."""
        gaps = "other labels may lie in between", "labels follow each other directly"
        told = [gaps[0] if self.rule.gaps else gaps[1]]
        if self.rule.goal is not None:
            told.append(
                f"counted before the goal, which {self.total_reached:,} reach; lift: rate by "
                f"rest_rate; p_adjusted: {self.control} over {self.total_patterns:,} tests"
            )
            told.append("an association, not a cause: longer journeys hold more sequences")
            if np.isnan(self.lift_low).any():
                told.append("no interval or test (-): a rate of 0, none left over, or too few")
        return (*told, *few_customers(self.support_low))


def patterns_table(
    rule: Any,
    labels: Vocabulary,
    codes: IntArray,
    parts: IntArray,
    whole: tuple[IntArray, IntArray],
    occupied: NDArray[np.bool_],
    *,
    top: int,
    control: str,
    level: float,
) -> SequencePatternTable:
    """The table from counts in shards.

    Args:
        rule: Which sequences.
        labels: The K labels.
        codes: (P, n) of each sequence; K is missing, -1 stands after the last.
        parts: (2, SHARDS, P) journeys with it, and those of them that reach the goal.
        whole: (SHARDS,) all journeys, and those that reach the goal.
        occupied: (SHARDS,) which shards hold anything.
        top: How many to list.
        control: A name in :data:`CONTROLS`.
        level: Of the intervals.
    """
    check_level(level)
    if control not in CONTROLS:
        raise DefinitionError(f"control must be one of {list(CONTROLS)}; found {control!r}")
    top = whole_number(top, "top")
    size = (codes >= 0).sum(axis=1)
    held, won = parts
    every, reached = (w[:, np.newaxis] for w in whole)
    rest, rest_won = every - held, reached - won
    low, high = share_interval(held, every, occupied, level=level)
    rest_rate, rate, found, few = rate_difference(
        (rest_won, rest), (won, held), occupied, level=level
    )
    rates = [rate, rest_rate]
    without = [
        divide(leave_one_out(a), leave_one_out(b)) for a, b in ((won, held), (rest_won, rest))
    ]
    with np.errstate(divide="ignore", invalid="ignore"):
        lift = rates[0] / rates[1]
        logs = np.log(without[0]) - np.log(without[1])
        error = jackknife_error(np.where(np.isfinite(logs), logs, np.nan), occupied)
        ends = [np.exp(end) for end in interval(np.log(lift), error, occupied, level=level)]
    if rule.goal is None:
        nothing = np.full(len(size), np.nan)
        rates, lift, ends = [nothing, nothing], nothing, [nothing, nothing]
        found = found._replace(p=nothing)
    finite = np.isfinite(lift) & (lift > 0) & ~few
    clear = [np.where(finite, end, np.nan) for end in ends]
    count = held.sum(axis=0)
    # The surest first, then the most frequent, the shorter, and in order of labels.
    keys = [*codes.T[::-1], size, -count, np.nan_to_num(found.p, nan=2.0)]
    chosen = np.lexsort(keys)[:top]
    names = [*labels, None]
    return SequencePatternTable(
        rule=rule,
        control=control,
        patterns=tuple(
            tuple(names[code] for code in row if code >= 0) for row in codes[chosen].tolist()
        ),
        journeys=count[chosen],
        support=divide(count, every.sum())[chosen],
        support_low=low[chosen],
        support_high=high[chosen],
        rate=rates[0][chosen],
        rest_rate=rates[1][chosen],
        lift=lift[chosen],
        lift_low=clear[0][chosen],
        lift_high=clear[1][chosen],
        p=found.p[chosen],
        p_adjusted=CONTROLS[control](found.p)[chosen],
        total_patterns=len(size),
        total_journeys=int(every.sum()),
        total_reached=int(reached.sum()),
    )
