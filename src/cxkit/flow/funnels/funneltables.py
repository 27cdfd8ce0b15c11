"""What funnels of groups look like: a row for every step of every segment, or of every period."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.codes import Codes
from cxkit.core.result import Result
from cxkit.flow.funnels.funnel import Funnel

__all__ = ["FunnelPeriodTable", "FunnelSegmentTable"]

_SHARES: Final = tuple(
    name + end for name in ("share", "step_share") for end in ("", "_low", "_high")
)

_CHOSEN: Final = (
    "of several entries, the one that got furthest counts, which favours later ones; "
    "entry='first' does not"
)


@attrs.frozen(eq=False, repr=False, kw_only=True)
class _Groups(Result):
    """Funnels of L groups.

    Attributes:
        funnel: The funnel that was counted.
        journeys: (L,) journeys of each group, whether they entered or not.
        reached: (L, steps) journeys that reach each step; the first are those that entered.
        share: (L, steps) of the journeys of the group that entered; NaN if none did.
        share_low: (L, steps) low end of its interval; NaN for too few customers.
        share_high: (L, steps) high end.
        step_share: (L, steps) of the journeys that reached the step before.
        step_share_low: (L, steps) low end of its interval.
        step_share_high: (L, steps) high end.
    """

    funnel: Funnel
    journeys: IntArray = attrs.field(converter=freeze)
    reached: IntArray = attrs.field(converter=freeze)
    share: NDArray[np.float64] = attrs.field(converter=freeze)
    share_low: NDArray[np.float64] = attrs.field(converter=freeze)
    share_high: NDArray[np.float64] = attrs.field(converter=freeze)
    step_share: NDArray[np.float64] = attrs.field(converter=freeze)
    step_share_low: NDArray[np.float64] = attrs.field(converter=freeze)
    step_share_high: NDArray[np.float64] = attrs.field(converter=freeze)

    def _per_step(self, group: list[Any]) -> list[Any]:
        """Each group once for each of its steps."""
        return [one for one in group for _ in self.funnel.steps]

    def _numbers(self) -> dict[str, Any]:
        return {
            "step": self.funnel.step_names * len(self.journeys),
            "reached": self.reached.ravel(),
            **{name: getattr(self, name).ravel() for name in _SHARES},
        }


@attrs.frozen(eq=False, repr=False, kw_only=True)
class FunnelSegmentTable(_Groups):
    """How far the journeys of each segment get: a row per step, the largest segment first.

    Attributes:
        by: The column of labels.
        label_of: Which touchpoint's label a journey has: that of its ``"first"`` or its
            ``"entry"``.
        labels: (L,) the label of each segment; missing is a segment of its own.
        not_entered: Journeys without a label, as they do not enter; 0 for labels of the first
            touchpoint.
    """

    by: str
    label_of: str
    labels: Codes
    not_entered: int

    def columns(self) -> Mapping[str, Any]:
        """One row per segment and step."""
        name = "label" if self.by in {"step", "reached", *_SHARES} else self.by
        return {name: self._per_step(self.labels.to_list()), **self._numbers()}

    def title(self) -> str:
        """How many segments."""
        which = "first touchpoint" if self.label_of == "first" else "entry"
        return f"funnel by {self.by} of the {which}: {len(self.journeys):,} segments"

    def notes(self) -> tuple[str, ...]:
        """The policy in words, and what misleads."""
        chosen = (_CHOSEN,) if self.label_of == "entry" and self.funnel.entry == "any" else ()
        return (self.funnel.told(), *chosen)


@attrs.frozen(eq=False, repr=False, kw_only=True)
class FunnelPeriodTable(_Groups):
    """How far the journeys that entered in each period get: a row per step, in order of time.

    Attributes:
        every: The period.
        tz: The time zone of the calendar.
        period: (L,) datetime64[D], the first day of each period in which a journey entered.
        complete: (L,) whether every journey of the period had all of ``within`` before the data
            ended; ``False`` for all if that is not known.
        until: Whether it is known until when the data goes.
    """

    every: str
    tz: str
    period: NDArray[np.datetime64] = attrs.field(converter=freeze)
    complete: NDArray[np.bool_] = attrs.field(converter=freeze)
    until: bool

    def columns(self) -> Mapping[str, Any]:
        """One row per period and step."""
        return {
            self.every: self._per_step(self.period.tolist()),
            **self._numbers(),
            "complete": np.repeat(self.complete, len(self.funnel.steps)),
        }

    def title(self) -> str:
        """How many periods."""
        return f"funnel by {self.every} of entry: {len(self.journeys):,} periods, {self.tz}"

    def notes(self) -> tuple[str, ...]:
        """The policy in words, and which periods may still change."""
        told = [self.funnel.told()]
        if self.funnel.entry == "any":
            told.append(_CHOSEN)
        if self.funnel.within is None:
            told.append(
                "no period is complete: without a window, any journey may still get further"
            )
        elif self.funnel.entry != "first":
            told.append(
                "no period is complete: journeys may enter again, and are counted where their "
                'chosen entry is; entry="first" settles that'
            )
        elif not self.until:
            told.append("which periods are complete is not known; say until when the data goes")
        elif open_ := int((~self.complete).sum()):
            told.append(
                f"not complete: {open_:,} periods, whose last journeys had less than "
                f"{self.funnel.within} when the data ended; their shares may still change"
            )
        return tuple(told)
