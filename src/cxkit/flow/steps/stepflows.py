"""Step by step: which label is where, and where it flows to."""

from __future__ import annotations

from typing import Any, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.codes import Label
from cxkit.core.intervals import check_level
from cxkit.core.summary import PARAMETER, SHARDS, parameter, total
from cxkit.core.whole import whole_number
from cxkit.errors import DefinitionError
from cxkit.flow.cells import CellCounts
from cxkit.flow.numbered import NUMBERS, NumberedCells, numbered_rows
from cxkit.flow.paths import OTHER, text_labels
from cxkit.flow.pathways.around import Around, anchors
from cxkit.flow.steps.stepresults import Sankey, StepMatrix
from cxkit.model.goal import GoalLike
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys

__all__ = ["StepFlows", "sankey", "step_matrix"]

_AT_ONCE = 65_536


def sankey(
    journeys: Journeys | Journey,
    by: str = "event",
    *,
    steps: int = 5,
    before: int = 0,
    around: GoalLike | None = None,
    which: str = "first",
    top: int = 8,
    level: float = 0.95,
) -> Sankey:
    """How journeys flow from step to step: the links of a Sankey diagram, nothing left out.

    Labels beyond the most frequent ones are one label, ``(other)``, and a journey that is over
    flows to ``(end)``, so that what leaves a step is what entered it, and the first step is all
    journeys (all that have the event, with ``around``): the same number that a funnel begins with.

    Args:
        journeys: The journeys.
        by: A column of labels. A missing label counts as a label of its own.
        steps: How many steps after the first touchpoint, or after the event.
        before: How many steps before the event.
        around: Begin at this event, not at the first touchpoint.
        which: At the ``"first"`` such event of a journey, the ``"last"``, or at ``"every"`` one.
        top: How many labels to tell apart.
        level: Of the intervals.

    Raises:
        SchemaError: There is no such column, or it holds numbers.
        UnknownLabelError: The data does not have the event.
        DefinitionError: An argument is wrong.

    Example:
        >>> journeys = Journeys.from_table(
        ...     {"who": [1, 1, 2], "sec": [1, 2, 3], "what": ["view", "buy", "view"]},
        ...     customer="who",
        ...     time="sec",
        ...     event="what",
        ...     time_unit="s",
        ... )
        >>> for row in sankey(journeys, steps=1).to_dicts():
        ...     print(row["step"], row["from"], "->", row["to"], row["count"], row["share"])
        0 view -> buy 1 0.5
        0 view -> (end) 1 0.5
    """
    return _counted(journeys, by, steps, before, around, which).result(top=top, level=level)


def step_matrix(
    journeys: Journeys | Journey,
    by: str = "event",
    *,
    steps: int = 9,
    before: int = 0,
    around: GoalLike | None = None,
    which: str = "first",
    top: int = 15,
    level: float = 0.95,
) -> StepMatrix:
    """Where journeys are at each step: the share of every label, and of those that are over.

    Takes the arguments of :func:`sankey`, and raises what it raises. Every step adds up to 1.

    Example:
        >>> journeys = Journeys.from_table(
        ...     {"who": [1, 1, 2], "sec": [1, 2, 3], "what": ["view", "buy", "view"]},
        ...     customer="who",
        ...     time="sec",
        ...     event="what",
        ...     time_unit="s",
        ... )
        >>> step_matrix(journeys, steps=1).to_dicts()
        [{'event': 'view', '0': 1.0, '1': 0.0}, {'event': 'buy', '0': 0.0, '1': 0.5},
         {'event': '(end)', '0': 0.0, '1': 0.5}]
    """
    return _counted(journeys, by, steps, before, around, which).matrix(top=top, level=level)


@attrs.frozen(eq=False, repr=False)
class StepFlows(NumberedCells):
    """Steps of journeys, or of windows around an event, as a summary that adds up.

    Attributes:
        by: The column.
        window: Where steps are counted from, and how many.
        codes: (R, 2) from and to: K is missing, K + 1 stands before the start and after the end.
        number: (R,) the step of ``from``, counted from the first of the window: 0 is
            ``-window.before``.
        windows: (64,) how many journeys, or windows, there are in every shard.

    Example:
        >>> int(StepFlows.of(Journeys.empty()).windows.sum())
        0
    """

    by: str = attrs.field(kw_only=True, metadata=PARAMETER)
    window: Around = attrs.field(kw_only=True, metadata=parameter(Around.from_dict))
    windows: IntArray = attrs.field(kw_only=True, metadata=total("shard"))

    @classmethod
    def of(
        cls, journeys: Journeys | Journey, /, *, window: Around | None = None, by: str = "event"
    ) -> Self:
        """Count. An event that this part of the data lacks has no windows.

        Args:
            journeys: The journeys.
            window: Where to count from, and how many steps; six touchpoints from the first on by
                default.
            by: A column of labels.

        Raises:
            SchemaError: There is no such column, or it holds numbers.
            DefinitionError: The window has a single step, which leads nowhere.
        """
        many = as_journeys(journeys)
        asked = Around() if window is None else window
        if asked.before + asked.after < 1:
            raise DefinitionError("a window of one touchpoint has no steps; give before or after")
        column = many.codes(by)
        found = anchors(many, asked)
        shard = many.shards[found.journey]
        slots, edge = column.slots + 1, column.slots
        steps = int(asked.before + asked.after)
        counts = CellCounts(slots * slots * NUMBERS, len(shard) * min(steps, 8))
        for a0 in range(0, len(shard), _AT_ONCE):
            some = slice(a0, a0 + _AT_ONCE)
            row, low, high = found.row[some], found.low[some], found.high[some]
            source = _label_at(column.codes, row - asked.before, low, high, edge)
            for step in range(steps):
                target = _label_at(column.codes, row - asked.before + step + 1, low, high, edge)
                cell = (source * slots + target) * NUMBERS + step
                real = np.flatnonzero((source != edge) | (target != edge))
                counts.add(cell[real], shard[some][real])
                source = target
        keys, count = counts.found()
        return cls(
            by=by,
            window=asked,
            windows=np.bincount(shard, minlength=SHARDS),
            count=count,
            **numbered_rows(keys, column.vocabulary, 2),
        )

    def result(self, *, top: int = 8, level: float = 0.95) -> Sankey:
        """The links from step to step, with intervals.

        Raises:
            DefinitionError: ``top`` is not a whole number from 1 up.
        """
        check_level(level)
        names, fold = self.folded(top)
        edge = len(names)
        number = self.number.astype(np.int64)
        key = (number * (edge + 1) + fold[self.codes[:, 0]]) * (edge + 1) + fold[self.codes[:, 1]]
        known, link = np.unique(key, return_inverse=True)
        part = np.zeros((SHARDS, len(known)), np.int64)
        np.add.at(part, (self.shard, link), self.count)
        step, pair = known // (edge + 1) ** 2, known % (edge + 1) ** 2
        count = part.sum(axis=0)
        order = np.lexsort([-count, step])
        return Sankey.of_counts(
            by=self.by,
            window=self.window,
            names=names,
            step=(step - self.window.before)[order],
            source=(pair // (edge + 1))[order],
            target=(pair % (edge + 1))[order],
            part=part[:, order],
            windows=self.windows,
            occupied=self.occupied(),
            level=level,
        )

    def matrix(self, *, top: int = 15, level: float = 0.95) -> StepMatrix:
        """The share of each label at each step, with intervals.

        Raises:
            DefinitionError: ``top`` is not a whole number from 1 up.
        """
        check_level(level)
        names, fold = self.folded(top)
        return StepMatrix.of_counts(
            by=self.by,
            window=self.window,
            names=names,
            part=self.present(fold, len(names)),
            windows=self.windows,
            occupied=self.occupied(),
            level=level,
        )

    def present(self, fold: IntArray, names: int) -> IntArray:
        """(SHARDS, names, steps) how many windows have each folded label at each step."""
        steps = int(self.window.before + self.window.after)
        part = np.zeros((SHARDS, names + 1, steps + 1), np.int64)
        number, shard = self.number.astype(np.int64), self.shard.astype(np.int64)
        np.add.at(part, (shard, fold[self.codes[:, 0]], number), self.count)
        last = number == steps - 1
        at = shard[last], fold[self.codes[last, 1]], np.full(int(last.sum()), steps)
        np.add.at(part, at, self.count[last])
        return part[:, :names]

    def folded(self, top: int) -> tuple[list[Label | None], IntArray]:
        """The names that are told apart, and (K + 2,) which of them each label is.

        The edge of a journey is the name after the last.
        """
        top = whole_number(top, "top")
        edge = len(self.labels) + 1
        seen = self.present(np.arange(edge + 1), edge).sum(axis=(0, 2))
        order = np.argsort(-seen, kind="stable")
        order = order[: int((seen > 0).sum())]
        listed = order[:top]
        slots: list[Label | None] = [*self.labels, None]
        names: list[Label | None] = [slots[code] for code in listed.tolist()]
        if len(order) > top:
            names = [*text_labels(names), OTHER]
        fold = np.full(edge + 1, len(listed))
        fold[listed] = np.arange(len(listed))
        fold[edge] = len(names)
        return names, fold


def _label_at(
    codes: NDArray[Any], row: IntArray, low: IntArray, high: IntArray, edge: int
) -> IntArray:
    inside = (row >= low) & (row < high)
    found = np.full(len(row), edge, np.int64)
    found[inside] = codes[row[inside]]
    return found


def _counted(
    journeys: Journeys | Journey,
    by: str,
    steps: int,
    before: int,
    around: GoalLike | None,
    which: str,
) -> StepFlows:
    many = as_journeys(journeys)
    window = Around(around, before=before, after=steps, which=which)
    if window.event is not None and many.touchpoints:
        window.event.require(many)
    return StepFlows.of(many, window=window, by=by)
