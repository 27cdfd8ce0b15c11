"""What disconnects cost, in conversions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.intervals import divide
from cxkit.core.multiplicity import holm
from cxkit.core.result import ColumnLike, Result, show_number

if TYPE_CHECKING:
    from cxkit.flow.friction.disconnectresults import SwitchTable

__all__ = ["DisconnectCost"]


@attrs.frozen(eq=False, repr=False, kw_only=True)
class DisconnectCost(Result):
    """What disconnects cost in conversions: all pairs together first, then each pair of channels.

    Attributes:
        table: The switches that were compared.
        contrast: Which were compared with which.
        arms: (P + 1, 2, 2) switches without and with a disconnect, by goal not reached and reached.
        matched: (P + 1,) switches with a disconnect in strata that have both kinds.
        difference: (P + 1,) the share that reaches the goal with a disconnect less that without, in
            strata that are alike; NaN where no stratum has both kinds.
        low: (P + 1,) low end of its interval; NaN for too few customers, and where fewer than 5
            of either kind reach the goal or do not.
        high: (P + 1,) high end.
        p: (P + 1,) chance of a difference so large if there is none, each by itself.
    """

    table: SwitchTable
    contrast: str
    arms: IntArray = attrs.field(converter=freeze)
    matched: IntArray = attrs.field(converter=freeze)
    difference: NDArray[np.float64] = attrs.field(converter=freeze)
    low: NDArray[np.float64] = attrs.field(converter=freeze)
    high: NDArray[np.float64] = attrs.field(converter=freeze)
    p: NDArray[np.float64] = attrs.field(converter=freeze)

    def columns(self) -> Mapping[str, ColumnLike]:
        """``from`` and ``to`` are ``(all)`` in the first row: all pairs together.

        ``lost_conversions`` is the difference times the matched switches, turned round: how many
        more would have reached the goal, if the comparison were the whole truth.
        """
        size = self.arms.sum(axis=2)
        share = divide(self.arms[:, :, 1], size)
        return {
            "from": ["(all)", *map(str, self.table.channel_from)],
            "to": ["(all)", *map(str, self.table.channel_to)],
            "without": size[:, 0],
            "with": size[:, 1],
            "matched": self.matched,
            "reach_without": share[:, 0],
            "reach_with": share[:, 1],
            "difference": self.difference,
            "difference_low": self.low,
            "difference_high": self.high,
            "p": self.p,
            "p_adjusted": np.append(self.p[:1], holm(self.p[1:])),
            "lost_conversions": -self.difference * self.matched + 0.0,
            "lost_low": -self.high * self.matched + 0.0,
            "lost_high": -self.low * self.matched + 0.0,
        }

    def title(self) -> str:
        """The difference, all pairs together."""
        goal = self.table.goal
        name = "" if goal is None else goal.name
        told = "a disconnect" if self.contrast == "disconnect" else "context lost"
        ends = f"[{show_number(self.low[0])}, {show_number(self.high[0])}]"
        return (
            f"{name} after {told}, less {name} without, among like switches: "
            f"{show_number(self.difference[0])} {ends}"
        )

    def notes(self) -> tuple[str, ...]:
        """What the comparison is, and what it is not."""
        rule, follow = self.table.rule, self.table.follow
        waited = "to the end of the journey" if follow is None else f"for {follow}"
        told = [
            f"waited {waited}, from {rule.within} after the switch, for those not there by then",
            "alike: the pair of channels, the number of touchpoints before, a signal before or not",
            "not alike: why people switch, how hard their case is, so the difference is no effect",
            "p_adjusted: over the pairs, after Holm; the first row stands by itself",
            "no interval (-) where fewer than 5 with or without reach it, or do not",
        ]
        if follow is not None and not self.table.complete:
            told.append("at was not given: switches shortly before the data ends count as lost")
        return tuple(told)
