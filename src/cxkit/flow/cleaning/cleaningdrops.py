"""Steps that drop what no customer did: bots, test accounts, what came twice."""

from __future__ import annotations

from typing import ClassVar, Final

import attrs
import numpy as np

from cxkit.core.arrays import IntArray
from cxkit.core.codes import Codes, Label
from cxkit.core.ragged import segment_ids
from cxkit.core.spans import span_us
from cxkit.core.windows import after_cooldown, rolling_count
from cxkit.errors import DefinitionError
from cxkit.flow.cells import starts
from cxkit.flow.cleaning.cleaningstep import (
    Change,
    CleaningStep,
    as_labels,
    at_least,
    dropped,
    one_of,
    within_text,
)
from cxkit.model.journeys import Journeys

__all__ = ["DropDuplicates", "DropFast", "DropLabels"]

_WHOLE: Final = ("touchpoint", "journey", "customer")


@attrs.frozen
class DropFast(CleaningStep):
    """Drop customers that are too fast for a human: bots and monitors.

    Attributes:
        touches: A customer with more touchpoints than this,
        within: in less time than this, in one journey, goes with all touchpoints.
    """

    name: ClassVar[str] = "drop_fast"
    touches: int = attrs.field(default=60, validator=at_least(1))
    within: str = attrs.field(default="1min", converter=within_text)

    def change(self, journeys: Journeys) -> Change:
        """See :class:`Change`."""
        span = span_us(self.within, name="within")
        count = rolling_count(journeys.time.view(np.int64), journeys.offsets, span)
        return dropped(journeys, count > self.touches, "customer")

    def what(self) -> str:
        """The step in a few words."""
        return f"customers with more than {self.touches} touchpoints in {self.within}"


@attrs.frozen
class DropLabels(CleaningStep):
    """Drop what has certain labels: bots by their user agent, test accounts, heartbeats.

    Attributes:
        column: Which column of labels.
        labels: These labels,
        containing: and those that hold one of these texts, in capitals or not.
        whole: Drop the ``"touchpoint"``, its ``"journey"``, or all of its ``"customer"``.
    """

    name: ClassVar[str] = "drop_labels"
    column: str
    labels: tuple[Label, ...] = attrs.field(default=(), converter=as_labels)
    containing: tuple[str, ...] = attrs.field(default=(), converter=as_labels)
    whole: str = attrs.field(default="touchpoint", validator=one_of(_WHOLE))

    def __attrs_post_init__(self) -> None:
        """Refuse a step that names nothing."""
        if not self.labels and not self.containing:
            raise DefinitionError("a step that drops labels must name some: labels or containing")

    def change(self, journeys: Journeys) -> Change:
        """See :class:`Change`."""
        column = journeys.codes(self.column)
        wanted = np.zeros(column.slots, dtype=bool)
        texts = [text.casefold() for text in self.containing]
        for at, label in enumerate(column.vocabulary):
            told = str(label).casefold()
            wanted[at] = label in self.labels or any(text in told for text in texts)
        return dropped(journeys, wanted[column.codes], self.whole)

    def what(self) -> str:
        """The step in a few words."""
        named = [*map(repr, self.labels), *(f"*{text}*" for text in self.containing)]
        return f"{self.whole}s by {self.column}: {', '.join(named)}"


@attrs.frozen
class DropDuplicates(CleaningStep):
    """Drop touchpoints that came twice: a double click, an event that was sent again.

    Attributes:
        columns: A touchpoint with the same values in these columns,
        within: less than this after one of the same journey that was kept, goes.
    """

    name: ClassVar[str] = "drop_duplicates"
    columns: tuple[str, ...] = attrs.field(default=("event", "channel"), converter=as_labels)
    within: str = attrs.field(default="1s", converter=within_text)

    def change(self, journeys: Journeys) -> Change:
        """See :class:`Change`."""
        if not journeys.touchpoints:
            return dropped(journeys, np.zeros(0, dtype=bool), "touchpoint")
        key = segment_ids(journeys.offsets)
        for name in self.columns:
            values = _numbered(journeys, name)
            _, key = np.unique(key * (int(values.max()) + 1) + values, return_inverse=True)
        order = np.argsort(key, kind="stable")
        offsets = np.append(starts(key[order]), len(key))
        ticks = journeys.time.view(np.int64)[order]
        counts = after_cooldown(ticks, offsets, span_us(self.within, name="within"))
        twice = np.empty(len(key), dtype=bool)
        twice[order] = ~counts
        return dropped(journeys, twice, "touchpoint")

    def what(self) -> str:
        """The step in a few words."""
        return f"the same {', '.join(self.columns)} again in less than {self.within}"


def _numbered(journeys: Journeys, name: str) -> IntArray:
    """(E,) a number for each value of a column; missing is a value too."""
    if name in {"event", "channel"}:  # that a log lacks one of them says nothing
        return journeys.codes(name).codes.astype(np.int64)
    column = journeys.value if name == "value" else journeys[name]
    if isinstance(column, Codes):
        return column.codes.astype(np.int64)
    return np.unique(column, return_inverse=True)[1].astype(np.int64)
