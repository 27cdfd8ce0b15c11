"""The effort of journeys, one by one, and touchpoint by touchpoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.codes import Codes
from cxkit.core.distinct import distinct_codes
from cxkit.core.ragged import segment_sum
from cxkit.core.result import ColumnLike, Result, show_number
from cxkit.core.spans import span_us
from cxkit.core.within import lag
from cxkit.errors import DefinitionError
from cxkit.flow.asked import matches_any
from cxkit.flow.friction.friction import PARTS, Friction
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys
from cxkit.model.switchrows import switch_rows

__all__ = ["Efforts", "FrictionExplanation", "explain_effort", "in_minutes", "weights_of"]

_MINUTE: Final = 60e6


@attrs.frozen(eq=False, repr=False, kw_only=True)
class Efforts(Result):
    """The effort of each journey, part by part.

    Attributes:
        friction: How it was measured.
        customer: (J,) whose journey.
        parts: (J, 5) steps, microseconds, repeats, errors and switches.
        effort: (J,) the parts times their weights, summed.
    """

    friction: Friction
    customer: Codes
    parts: IntArray = attrs.field(converter=freeze)
    effort: NDArray[np.float64] = attrs.field(converter=freeze)

    @classmethod
    def of(cls, journeys: Journeys | Journey, friction: Friction) -> Efforts:
        """See :meth:`Friction.effort`."""
        many = as_journeys(journeys)
        events = many.event
        known = segment_sum((~events.is_missing()).astype(np.int64), many.offsets)
        repeats = known - distinct_codes(events.codes, many.offsets, events.missing)
        switches = np.zeros(many.touchpoints, np.int64)
        switches[switch_rows(many, friction.by)[1]] = 1
        parts = np.stack(
            [
                np.diff(many.offsets),
                segment_sum(_time_spent(many, friction), many.offsets),
                repeats,
                segment_sum(matches_any(friction.errors, many).astype(np.int64), many.offsets),
                segment_sum(switches, many.offsets),
            ],
            axis=1,
        )
        effort = (in_minutes(parts) * weights_of(friction)).sum(axis=1)
        return cls(friction=friction, customer=many.customer, parts=parts, effort=effort)

    def columns(self) -> Mapping[str, ColumnLike]:
        """One row per journey."""
        return {
            "customer": self.customer.to_list(),
            **_columns(self.parts),
            "effort": self.effort,
        }

    def title(self) -> str:
        """The mean."""
        mean = float(self.effort.mean()) if len(self.effort) else float("nan")
        return f"effort of {len(self.effort):,} journeys: mean {show_number(mean)}"


@attrs.frozen(eq=False, repr=False, kw_only=True)
class FrictionExplanation(Result):
    """What each touchpoint of one journey adds to its effort.

    Attributes:
        journey: The journey.
        parts: (M, 5) what each touchpoint is counted as; its time is the pause before it.
        adds: (M,) effort; sums to that of the journey.
        effort: The effort of the journey.
    """

    journey: Journeys
    parts: IntArray = attrs.field(converter=freeze)
    adds: NDArray[np.float64] = attrs.field(converter=freeze)
    effort: float

    def columns(self) -> Mapping[str, ColumnLike]:
        """One row per touchpoint."""
        return {
            "time": self.journey.time,
            "event": self.journey.event.to_list(),
            "channel": self.journey.channel.to_list(),
            **_columns(self.parts),
            "effort": self.adds,
        }

    def title(self) -> str:
        """Whose effort, and how much."""
        who = self.journey.customer.to_list()[0]
        return f"effort of {who!r}: {show_number(self.effort)}"


def explain_effort(friction: Friction, journey: Journey | Journeys) -> FrictionExplanation:
    """See :meth:`Friction.explain`."""
    one = as_journeys(journey)
    if len(one) != 1:
        raise DefinitionError(f"explain takes one journey, such as journeys[0]; found {len(one)}")
    parts = np.zeros((one.touchpoints, len(PARTS)), np.int64)
    parts[:, 0] = 1
    parts[:, 1] = _time_spent(one, friction)
    known = np.flatnonzero(~one.event.is_missing())
    _, first = np.unique(one.event.codes[known], return_index=True)
    parts[np.delete(known, first), 2] = 1
    parts[:, 3] = matches_any(friction.errors, one)
    parts[switch_rows(one, friction.by)[1], 4] = 1
    adds = (in_minutes(parts) * weights_of(friction)).sum(axis=1)
    effort = float(Efforts.of(one, friction).effort[0])
    return FrictionExplanation(journey=one, parts=parts, adds=adds, effort=effort)


def _time_spent(journeys: Journeys, friction: Friction) -> IntArray:
    """(E,) the pause before each touchpoint, in microseconds, no more than ``idle``."""
    ticks = journeys.time.view(np.int64)
    pause = ticks - lag(ticks, journeys.offsets)
    pause[journeys.offsets[:-1]] = 0
    return np.asarray(np.minimum(pause, span_us(friction.idle, name="idle")))


def in_minutes(parts: IntArray) -> NDArray[np.float64]:
    """(..., 5) the parts with their time in minutes."""
    out = parts.astype(np.float64)
    out[..., 1] /= _MINUTE
    return out


def weights_of(friction: Friction) -> NDArray[np.float64]:
    """(5,) the weight of each part."""
    return np.array([weight for _, weight in friction.weights])


def _columns(parts: IntArray) -> dict[str, ColumnLike]:
    columns: dict[str, Any] = {name: parts[:, k] for k, name in enumerate(PARTS)}
    columns["minutes"] = parts[:, 1] / _MINUTE
    return columns
