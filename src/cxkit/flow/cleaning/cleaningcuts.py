"""Steps that shorten journeys: repeats, what lies outside of two events, what is too short."""

from __future__ import annotations

from typing import ClassVar

import attrs
import numpy as np

from cxkit.core.ragged import lengths, next_row
from cxkit.core.spans import span_us
from cxkit.errors import DefinitionError
from cxkit.flow.cleaning.cleaningstep import (
    Change,
    CleaningStep,
    at_least,
    dropped,
    goal_or_none,
    one_of,
    within_text,
)
from cxkit.model.goal import Goal
from cxkit.model.journeys import Journeys

__all__ = ["CollapseRepeats", "KeepLength", "Truncate"]


@attrs.frozen
class CollapseRepeats(CleaningStep):
    """Keep the first touchpoint of each run of the same label; what lacks one is kept.

    Attributes:
        by: Which column of labels.
        within: Only repeats at most this long after the touchpoint before; ``None`` for all.
    """

    name: ClassVar[str] = "collapse_repeats"
    by: str = "event"
    within: str | None = attrs.field(default=None, converter=within_text)

    def change(self, journeys: Journeys) -> Change:
        """See :class:`Change`."""
        column = journeys.codes(self.by)
        codes, ticks = column.codes, journeys.time.view(np.int64)
        again = np.zeros(len(codes), dtype=bool)
        np.equal(codes[1:], codes[:-1], out=again[1:])
        again &= ~column.is_missing()
        if self.within is not None:
            again[1:] &= np.diff(ticks) <= span_us(self.within, name="within")
        again[journeys.offsets[:-1]] = False
        return dropped(journeys, again, "touchpoint")

    def what(self) -> str:
        """The step in a few words."""
        return f"repeats of {self.by}" + (f" within {self.within}" if self.within else "")


@attrs.frozen
class Truncate(CleaningStep):
    """Keep of each journey only what lies between two events, themselves included.

    Attributes:
        start: From the first of these on; ``None`` for the whole beginning.
        end: Up to the first of these from there on; ``None`` for the whole end.
        without: A journey without ``start`` is dropped (``"drop"``) or kept whole (``"keep"``).
            Without ``end`` a journey is kept to its end.
    """

    name: ClassVar[str] = "truncate"
    start: Goal | None = attrs.field(default=None, converter=goal_or_none)
    end: Goal | None = attrs.field(default=None, converter=goal_or_none)
    without: str = attrs.field(default="drop", validator=one_of(("drop", "keep")))

    def __attrs_post_init__(self) -> None:
        """Refuse a step that keeps everything."""
        if self.start is None and self.end is None:
            raise DefinitionError("a truncation needs an event: start, end, or both")

    def change(self, journeys: Journeys) -> Change:
        """See :class:`Change`."""
        begin, end = journeys.offsets[:-1].copy(), journeys.offsets[1:]
        if self.start is not None:
            found = next_row(np.flatnonzero(self.start.matches(journeys)), begin, end)
            begin = np.where(found < 0, -1, found)
        gone = begin < 0
        begin = np.where(gone, journeys.offsets[:-1], begin)
        last = end - 1
        if self.end is not None:
            found = next_row(np.flatnonzero(self.end.matches(journeys)), begin, end)
            last = np.where((found < 0) | gone, last, found)
        size = lengths(journeys.offsets)
        row = np.arange(journeys.touchpoints)
        outside = (row < np.repeat(begin, size)) | (row > np.repeat(last, size))
        if self.without == "drop":
            outside |= np.repeat(gone, size)
        return dropped(journeys, outside, "touchpoint")

    def what(self) -> str:
        """The step in a few words."""
        start = "the start" if self.start is None else self.start.name
        return f"outside of {start} to {'the end' if self.end is None else self.end.name}"


@attrs.frozen
class KeepLength(CleaningStep):
    """Drop journeys that are too short or too long to tell anything.

    Attributes:
        least: Of how many touchpoints a journey must be.
        most: At most; ``None`` for no limit.

    Raises:
        DefinitionError: ``most`` is less than ``least``.
    """

    name: ClassVar[str] = "keep_length"
    least: int = attrs.field(default=2, validator=at_least(1))
    most: int | None = attrs.field(default=None, validator=at_least(1, none=True))

    def __attrs_post_init__(self) -> None:
        """Check both together."""
        if self.most is not None and self.most < self.least:
            raise DefinitionError(
                f"least={self.least} and most={self.most}: no journey is as long as the one and as "
                "short as the other"
            )

    def change(self, journeys: Journeys) -> Change:
        """See :class:`Change`."""
        size = lengths(journeys.offsets)
        bad = size < self.least
        if self.most is not None:
            bad |= size > self.most
        return dropped(journeys, np.repeat(bad, size), "touchpoint")

    def what(self) -> str:
        """The step in a few words."""
        most = "" if self.most is None else f" or more than {self.most}"
        return f"journeys of fewer than {self.least}{most} touchpoints"
