"""The next step: what a journey does next, given its last labels, and whether it gets to a goal."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.codes import Label
from cxkit.core.whole import whole_number
from cxkit.errors import DefinitionError
from cxkit.flow.nextstep.backoff import NONE, Backoff, Histories, histories
from cxkit.flow.nextstep.nextresults import GoalForecast, NextStepTable
from cxkit.flow.paths import END, as_labels, text_labels
from cxkit.flow.steps.contextcounts import Contexts
from cxkit.model.goal import GoalLike, as_goal
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys

__all__ = ["NextStepModel", "next_steps", "touch_histories"]

_CELLS: Final = 1 << 20


def next_steps(
    journeys: Journeys | Journey, by: str = "event", *, order: int = 3, goal: GoalLike | None = None
) -> NextStepModel:
    """A model of the next step, counted from journeys.

    Args:
        journeys: The journeys to count.
        by: A column of labels.
        order: How many of the last labels the next one may depend on, 1 to 32. Contexts that were
            seen rarely lean on shorter ones, so that too long does little harm;
            :func:`~cxkit.flow.held_out` tells which length is best.
        goal: Forecast also whether and when it is reached.

    Raises:
        SchemaError: There is no such column, or it holds numbers.
        UnknownLabelError: The data does not have the goal's event or channel.
        DefinitionError: ``order`` is not a whole number from 1 to 32.

    Example:
        >>> journeys = Journeys.from_table(
        ...     {
        ...         "who": [1, 1, 1, 2, 2, 2],
        ...         "sec": [1, 2, 3, 1, 2, 3],
        ...         "what": ["view", "cart", "buy"] * 2,
        ...     },
        ...     customer="who",
        ...     time="sec",
        ...     event="what",
        ...     time_unit="s",
        ... )
        >>> model = next_steps(journeys, order=1)
        >>> next(iter(model.after(["view", "cart"]).to_dicts()))
        {'event': 'buy', 'probability': 0.75}
    """
    many = as_journeys(journeys)
    if goal is not None and many.touchpoints:
        as_goal(goal).require(many)
    return NextStepModel(Contexts.of(many, by=by, order=order, goal=goal))


@attrs.frozen(eq=False, repr=False, slots=False)
class NextStepModel:
    """What comes next after the last labels of a journey, from counts alone.

    Probabilities lean on shorter contexts where longer ones were seen rarely (Witten and Bell 1991;
    see ``cxkit.flow.backoff``), and add up to 1 over all labels and the end of the journey. A
    label that the counts do not know ends the context. ``NextStepModel(a + b)`` adds counts up.

    Attributes:
        contexts: The counts.
        temperature: Probabilities are raised to the power ``1 / temperature`` and scaled to add up
            to 1 again: above 1 the model is less sure of itself. 1 leaves them as they are.
            :func:`~cxkit.flow.held_out` finds the one that predicts best.
        depth: How many of the last labels to use; ``None`` for as many as were counted.
    """

    contexts: Contexts
    temperature: float = attrs.field(default=1.0, converter=float)
    depth: int | None = attrs.field(default=None)

    @temperature.validator
    def _check(self, _: object, value: float) -> None:
        if not 0 < value < np.inf:
            raise DefinitionError(f"temperature must be a number above 0; found {value!r}")

    @depth.validator
    def _check_depth(self, _: object, value: int | None) -> None:
        if value is not None:
            whole_number(value, "depth", least=0, most=self.contexts.order)

    @property
    def outcomes(self) -> list[Label | None]:
        """What can come next, in the order of the columns of :meth:`probabilities`.

        The labels, ``None`` for a touchpoint whose label is missing, and ``"(end)"``.
        """
        return [*text_labels([*self.contexts.labels]), None, END]

    def probabilities(self, journeys: Journeys | Journey) -> NDArray[np.float64]:
        """(J, K + 2) the probability of each outcome as the next step of each journey.

        Raises:
            SchemaError: There is no such column, or it holds numbers.
        """
        return freeze(self._cooled(self._backs(as_journeys(journeys))))

    def predict(self, journeys: Journeys | Journey, *, top: int = 3) -> NextStepTable:
        """The most probable next steps of each journey.

        Args:
            journeys: Journeys that are still going on.
            top: How many for each.

        Raises:
            SchemaError: There is no such column, or it holds numbers.
            DefinitionError: ``top`` is not a whole number from 1 up.
        """
        many = as_journeys(journeys)
        found = self.probabilities(many)
        order = self._best(found, top)
        customers, size = many.customer.to_list(), order.shape[1]
        return NextStepTable(
            by=self.contexts.by,
            customer=tuple(c for c in customers for _ in range(size)),
            outcome=tuple(self.outcomes[at] for at in order.ravel().tolist()),
            probability=np.take_along_axis(found, order, axis=1).ravel(),
        )

    def after(self, path: list[Label | None], *, top: int = 10) -> NextStepTable:
        """The most probable next steps after labels; ``[]`` is the start of a journey.

        Raises:
            DefinitionError: ``path`` is a text and no list, or ``top`` is not a whole number from 1
                up.
        """
        codes = np.array([self._code(label) for label in as_labels(path)], np.int64)
        one = np.array([0, len(codes)])
        found = self._cooled(histories(one, codes, self.contexts.order, self._slots))
        order = self._best(found, top)[0]
        order = order[found[0, order] > 0]
        return NextStepTable(
            by=self.contexts.by,
            customer=None,
            outcome=tuple(self.outcomes[at] for at in order.tolist()),
            probability=found[0, order],
        )

    def forecast(self, journeys: Journeys | Journey) -> GoalForecast:
        """Whether and when each journey reaches the goal, counted from its last touchpoint.

        The share of touchpoints with the same last labels that the goal came after, and the mean
        time until it did, both leaning on shorter contexts: the share as a next step of two kinds
        (Witten and Bell), the time with the weight of one more touchpoint. Only the labels are
        looked at, not how long ago the last one was. A journey that has reached the goal is asked
        about the next time.

        Raises:
            SchemaError: There is no such column, or it holds numbers.
            DefinitionError: The counts are without a goal.
        """
        if self.contexts.goal is None:
            raise DefinitionError(
                "these counts have no goal; count with one, as in next_steps(journeys, goal='buy')"
            )
        many = as_journeys(journeys)
        probability, seconds = self._goal_chances(self._backs(many))
        return GoalForecast(
            goal=self.contexts.goal.name,
            customer=tuple(many.customer.to_list()),
            probability=probability,
            seconds=seconds,
        )

    def _goal_chances(
        self, back: IntArray, depth: int | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(n,) the chance of the goal after each history, and the seconds until then if it comes.

        Args:
            back: (n, order) histories, as ``touch_histories`` gives them.
            depth: The longest context to use; all by default.
        """
        chance, wait = np.full(len(back), 0.5), np.full(len(back), np.nan)
        nodes = self._tree.nodes(back, self.depth if depth is None else depth)
        for (total, reached, waited), at in zip(self._goals, nodes, strict=False):
            rows = np.flatnonzero(at != NONE)
            rows = rows[total[at[rows]] > 0]
            n, r, w = total[at[rows]], reached[at[rows]], waited[at[rows]]
            kinds = (r > 0).astype(np.int64) + (n > r)
            chance[rows] = (r + kinds * chance[rows]) / (n + kinds)
            came = r > 0
            rows, r, w = rows[came], r[came], w[came]
            lean = np.where(np.isnan(wait[rows]), 0.0, 1.0)
            wait[rows] = (w + lean * np.nan_to_num(wait[rows])) / (r + lean)
        return chance, wait / 1e6

    @cached_property
    def _tree(self) -> Backoff:
        """The tree of contexts."""
        return Backoff.of(self._seen(), self._slots + 1, self._possible)

    def _seen(self) -> Histories:
        """Every history and what came next: rows of the counts as next labels, then their ends."""
        counts, slots = self.contexts, self._slots
        size = np.diff(counts.offsets)
        before = np.stack([counts.offsets[:-1], counts.offsets[1:] - 1], axis=1)
        back = _backs_between(before, counts.codes, counts.order, slots)
        last = counts.codes[counts.offsets[1:] - 1].astype(np.int64) if len(size) else size
        ends = touch_histories(counts)
        return Histories(
            back=np.concatenate([back, ends]),
            next=np.concatenate([last, np.full(len(size), slots)]),
            weight=np.concatenate([counts.count, counts.ends]),
        )

    def __repr__(self) -> str:
        """What it was counted from."""
        counts = self.contexts
        used = counts.order if self.depth is None else self.depth
        told = f"{len(counts.labels):,} labels, {int(counts.count.sum()):,} touchpoints"
        return f"<NextStepModel: next {counts.by} from the last {used}, {told}>"

    @cached_property
    def _goals(self) -> list[tuple[IntArray, IntArray, NDArray[np.float64]]]:
        """By length of context: touchpoints, those after which the goal came, and the waits."""
        counts = self.contexts
        nodes = self._tree.nodes(touch_histories(counts))
        out = []
        for level, at in zip(self._tree.levels, nodes, strict=True):
            rows = at != NONE
            total, reached = (np.zeros(len(level.keys), np.int64) for _ in range(2))
            wait = np.zeros(len(level.keys))
            np.add.at(total, at[rows], counts.count[rows])
            np.add.at(reached, at[rows], counts.reaching[rows])
            np.add.at(wait, at[rows], counts.wait[rows])
            out.append((total, reached, wait))
        return out

    @property
    def _slots(self) -> int:
        return len(self.contexts.labels) + 1

    @property
    def _possible(self) -> NDArray[np.bool_]:
        possible = np.ones(self._slots + 1, dtype=bool)
        possible[self._slots - 1] = bool((self.contexts.codes == self._slots - 1).any())
        return possible

    def _code(self, label: Label | None) -> int:
        found = self._slots - 1 if label is None else self.contexts.labels.find(label)
        return NONE if found is None else found

    def _backs(self, journeys: Journeys) -> IntArray:
        """(J, order) the last labels of each journey, as codes of the counts."""
        column = journeys.codes(self.contexts.by)
        table = np.array([self._code(label) for label in column.slot_labels()], np.int64)
        between = np.stack([journeys.offsets[:-1], journeys.offsets[1:]], axis=1)
        return _backs_between(between, column.codes, self.contexts.order, self._slots, table)

    def _cooled(self, back: IntArray) -> NDArray[np.float64]:
        parts, at_once = [np.zeros((0, self._slots + 1))], max(_CELLS // (self._slots + 1), 1)
        for first in range(0, len(back), at_once):
            found = self._tree.probabilities(back[first : first + at_once], self.depth)
            if self.temperature != 1:
                found = found ** (1 / self.temperature)
                found /= found.sum(axis=1, keepdims=True)
            parts.append(found)
        return np.concatenate(parts)

    @staticmethod
    def _best(found: NDArray[np.float64], top: Any) -> NDArray[np.intp]:
        return np.argsort(-found, axis=1, kind="stable")[:, : whole_number(top, "top")]


def touch_histories(counts: Contexts) -> IntArray:
    """(S, order) the last labels at the touchpoints of each row of the counts."""
    between = np.stack([counts.offsets[:-1], counts.offsets[1:]], axis=1)
    return _backs_between(between, counts.codes, counts.order, len(counts.labels) + 1)


def _backs_between(
    between: IntArray,
    codes: NDArray[Any],
    order: int,
    slots: int,
    table: IntArray | None = None,
) -> IntArray:
    """(n, order) the last labels of the rows ``between[i, 0]:between[i, 1]`` each."""
    size = np.minimum(between[:, 1] - between[:, 0], order)
    offsets = np.append(0, np.cumsum(size))
    rows = np.arange(offsets[-1]) + np.repeat(between[:, 1] - size - offsets[:-1], size)
    found = codes[rows].astype(np.int64)
    return histories(offsets, found if table is None else table[found], order, slots)
