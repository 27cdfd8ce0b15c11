"""Steps that change labels, and drop nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import attrs
import numpy as np

from cxkit.core.codes import Codes, Label
from cxkit.core.ragged import lengths, segment_max
from cxkit.core.spans import SpanLike, instant_us, show_span, span_us
from cxkit.errors import DefinitionError
from cxkit.flow.cleaning.cleaningstep import (
    Change,
    CleaningStep,
    instant_text,
)
from cxkit.model.journeys import Journeys

__all__ = ["MarkLost", "Rename"]


def _after(value: SpanLike) -> str:
    return show_span(span_us(value, name="after"))


def _names(names: Any) -> dict[Label, Label]:
    """Names from a mapping, or from pairs: JSON has no keys but text."""
    try:
        return dict(names)
    except (TypeError, ValueError):
        raise DefinitionError(
            f"names are a mapping of old names to new ones; found {names!r}"
        ) from None


@attrs.frozen
class Rename(CleaningStep):
    """Give labels other names; several that get the same name are one group from then on.

    Attributes:
        column: Which column of labels.
        names: Old name to new one. A name that the data lacks changes nothing.
        other: The name of all labels that are not named; ``None`` to leave them.
    """

    name: ClassVar[str] = "rename"
    column: str
    names: Mapping[Label, Label] = attrs.field(converter=_names)
    other: Label | None = None

    def change(self, journeys: Journeys) -> Change:
        """See :class:`Change`."""
        column = journeys.codes(self.column)
        old = list(column.vocabulary)
        default = self.other
        new = [self.names.get(label, label if default is None else default) for label in old]
        if len({type(label) for label in new}) > 1:
            new = [str(label) for label in new]
        moved = np.array([str(a) != str(b) for a, b in zip(old, new, strict=True)] + [False])
        if not moved.any():
            return Change(np.ones(len(column), dtype=bool), np.zeros(len(column), dtype=bool), {})
        renamed = Codes.from_codes(column.codes, new, missing=column.missing)
        changed = moved[column.codes]
        return Change(np.ones(len(column), dtype=bool), changed, {self.column: renamed})

    def what(self) -> str:
        """The step in a few words."""
        rest = "" if self.other is None else f", all others to {self.other!r}"
        return f"{len(self.names)} labels of {self.column}{rest}"


@attrs.frozen
class MarkLost(CleaningStep):
    """Mark customers that have not been seen for long; nothing is dropped.

    Attributes:
        after: A customer whose last touchpoint lies more than this
        at: before this instant is lost. Later touchpoints are not looked away from: drop them
            first if the past is to be seen as it was.
        column: The column of labels that says ``"lost"`` or ``"active"`` of each touchpoint.
    """

    name: ClassVar[str] = "mark_lost"
    after: str = attrs.field(converter=_after)
    at: str = attrs.field(converter=instant_text)
    column: str = "state"

    def change(self, journeys: Journeys) -> Change:
        """See :class:`Change`."""
        due = instant_us(self.at, name="at") - span_us(self.after, name="after")
        seen = np.full(journeys.customer.slots, np.iinfo(np.int64).min)
        ticks = segment_max(journeys.time.view(np.int64), journeys.offsets)
        np.maximum.at(seen, journeys.customer.codes, ticks)
        lost = np.repeat(seen[journeys.customer.codes] < due, lengths(journeys.offsets))
        marks = Codes.from_codes(lost.astype(np.uint8), ["active", "lost"])
        return Change(np.ones(len(lost), dtype=bool), lost, {self.column: marks})

    def what(self) -> str:
        """The step in a few words."""
        return f"customers not seen for {self.after} on {self.at[:10]}"
