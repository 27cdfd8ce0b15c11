"""Entry and exit: with which labels journeys begin, and with which they end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.codes import Codes, Vocabulary
from cxkit.core.intervals import check_level, divide, share_interval
from cxkit.core.result import Result
from cxkit.core.summary import SHARDS
from cxkit.flow.paths import few_customers
from cxkit.flow.steps.nextsteps import Transitions
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys

__all__ = ["EntryExitTable", "entry_exit", "entry_exit_of"]

_AT_ONCE: Final = 16_384
_COUNTS: Final = ("touchpoints", "entries", "exits")
_SHARES: Final = ("entry_share", "exit_share", "exit_rate")


def entry_exit(
    journeys: Journeys | Journey, by: str = "event", *, level: float = 0.95
) -> EntryExitTable:
    """With which labels journeys begin and end, and how often a touchpoint is the last.

    ``exit_rate`` is a share of touchpoints, as web analytics has it: of all times that the label
    came, how often nothing followed. :func:`~cxkit.flow.drop_off` has the share of journeys.

    Args:
        journeys: The journeys.
        by: A column of labels. A missing label counts as a label of its own.
        level: Of the intervals.

    Raises:
        SchemaError: There is no such column, or it holds numbers.

    Example:
        >>> journeys = Journeys.from_table(
        ...     {"who": [1, 1, 2], "sec": [1, 2, 3], "what": ["view", "buy", "view"]},
        ...     customer="who",
        ...     time="sec",
        ...     event="what",
        ...     time_unit="s",
        ... )
        >>> for row in entry_exit(journeys).to_dicts():
        ...     print(row["event"], row["entries"], row["exits"], row["exit_rate"])
        view 2 1 0.5
        buy 0 1 1.0
    """
    return entry_exit_of(Transitions.of(journeys, by=by), level=level)


def entry_exit_of(counts: Transitions, *, level: float = 0.95) -> EntryExitTable:
    """The same from the summary of transitions, which counts both ends of journeys."""
    check_level(level)
    edge = len(counts.labels) + 1
    source, target = counts.codes.astype(np.int64).T
    shard, count = counts.shard.astype(np.int64), counts.count
    totals = np.zeros((3, SHARDS, edge), np.int64)
    for part, rows, label in (
        (totals[0], source != edge, source),
        (totals[1], source == edge, target),
        (totals[2], target == edge, source),
    ):
        np.add.at(part, (shard[rows], label[rows]), count[rows])
    touchpoints, entries, exits = totals
    kept = np.flatnonzero(touchpoints.sum(axis=0))
    kept = kept[np.argsort(-entries.sum(axis=0)[kept], kind="stable")]
    whole, occupied = entries.sum(axis=1, keepdims=True), counts.occupied()
    columns: dict[str, Any] = {
        name: part.sum(axis=0)[kept] for name, part in zip(_COUNTS, totals, strict=True)
    }
    for name, part, of in (
        ("entry_share", entries, whole),
        ("exit_share", exits, whole),
        ("exit_rate", exits, touchpoints),
    ):
        wide = np.broadcast_to(of, part.shape)
        ends = [
            share_interval(part[:, k], wide[:, k], occupied, level=level)
            for k in np.split(kept, range(_AT_ONCE, len(kept), _AT_ONCE))
        ]
        columns[name] = divide(part.sum(axis=0), wide.sum(axis=0))[kept]
        columns[f"{name}_low"] = np.concatenate([low for low, _ in ends])
        columns[f"{name}_high"] = np.concatenate([high for _, high in ends])
    return EntryExitTable(
        by=counts.by, labels=counts.labels, codes=kept, journeys=int(whole.sum()), **columns
    )


@attrs.frozen(eq=False, repr=False, kw_only=True)
class EntryExitTable(Result):
    """With which labels journeys begin and end: one row per label, the most entries first.

    Attributes:
        by: The column.
        labels: The K labels.
        codes: (L,) the label of each row; K is missing.
        journeys: In all.
        touchpoints: (L,) with the label.
        entries: (L,) journeys that begin with it.
        exits: (L,) journeys that end with it.
        entry_share: (L,) of all journeys.
        entry_share_low: (L,) low end of its interval; NaN for too few customers.
        entry_share_high: (L,) high end.
        exit_share: (L,) of all journeys.
        exit_share_low: (L,) low end of its interval.
        exit_share_high: (L,) high end.
        exit_rate: (L,) of the touchpoints with the label.
        exit_rate_low: (L,) low end of its interval.
        exit_rate_high: (L,) high end.
    """

    by: str
    labels: Vocabulary
    codes: IntArray = attrs.field(converter=freeze)
    journeys: int
    touchpoints: IntArray = attrs.field(converter=freeze)
    entries: IntArray = attrs.field(converter=freeze)
    exits: IntArray = attrs.field(converter=freeze)
    entry_share: NDArray[np.float64] = attrs.field(converter=freeze)
    entry_share_low: NDArray[np.float64] = attrs.field(converter=freeze)
    entry_share_high: NDArray[np.float64] = attrs.field(converter=freeze)
    exit_share: NDArray[np.float64] = attrs.field(converter=freeze)
    exit_share_low: NDArray[np.float64] = attrs.field(converter=freeze)
    exit_share_high: NDArray[np.float64] = attrs.field(converter=freeze)
    exit_rate: NDArray[np.float64] = attrs.field(converter=freeze)
    exit_rate_low: NDArray[np.float64] = attrs.field(converter=freeze)
    exit_rate_high: NDArray[np.float64] = attrs.field(converter=freeze)

    def columns(self) -> Mapping[str, Any]:
        """The label (under the name of the column) and its numbers."""
        numbers = {name: getattr(self, name) for name in _COUNTS}
        for name in _SHARES:
            for end in ("", "_low", "_high"):
                numbers[name + end] = getattr(self, name + end)
        label = "label" if self.by in numbers else self.by
        return {label: Codes(self.codes, self.labels).to_list(), **numbers}

    def title(self) -> str:
        """What was counted."""
        return f"where {self.journeys:,} journeys begin and end, by {self.by}"

    def notes(self) -> tuple[str, ...]:
        """What the shares are shares of."""
        told = "entry_share, exit_share: of journeys; exit_rate: of touchpoints with the label"
        return (told, *few_customers(self.exit_rate_low))
