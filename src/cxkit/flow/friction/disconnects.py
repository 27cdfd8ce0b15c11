"""Disconnect moments by pair of channels, and what follows them, as a summary that adds up."""

from __future__ import annotations

from typing import Any, Final, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.intervals import check_level
from cxkit.core.ragged import next_row
from cxkit.core.spans import InstantLike, SpanLike, instant_us, show_span, span_us
from cxkit.core.summary import PARAMETER, SHARDS, parameter, total
from cxkit.flow.asked import matches_any
from cxkit.flow.friction.disconnectresults import SwitchTable
from cxkit.flow.friction.switches import DisconnectRule, Switches
from cxkit.flow.numbered import NUMBERS, NumberedCells, numbered_rows
from cxkit.model.goal import Goal, GoalLike, as_goal
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys

__all__ = ["DisconnectCounts", "count_disconnects"]

OUTCOMES: Final = ("settled", "open", "reached", "lost")
"""What came of a switch: goal reached within the time for signals, not followed long enough, goal
reached later, goal not reached."""
CONTEXT_KINDS: Final = 3
STRATA: Final = 10
_LENGTHS: Final = STRATA // 2
_KINDS: Final = CONTEXT_KINDS * 2 * len(OUTCOMES)


@attrs.frozen(eq=False, repr=False, kw_only=True)
class DisconnectCounts(NumberedCells):
    """Channel switches by pair of channels, as a summary that adds up.

    A row is a pair of channels (``codes``), a shard and a number, which tells the stratum, what
    became of the context, whether a signal came, and the outcome. Strata are how long the journey
    was before the switch (1, 2-3, 4-7, 8-15, 16 or more touchpoints), and whether a negative signal
    had come before.

    Attributes:
        rule: What a disconnect moment is.
        goal: What it may cost, or ``None``.
        follow: How long the goal is waited for after the time for signals is over.
        at: The instant up to which the data is complete, in microseconds, or ``None``.
        journeys: (64,) journeys in every shard.

    Example:
        >>> rule = DisconnectRule("case", signals="complaint")
        >>> len(DisconnectCounts.of(Journeys.empty(), rule=rule).result())
        0
    """

    rule: DisconnectRule = attrs.field(metadata=parameter(DisconnectRule.from_dict))
    goal: Goal | None = attrs.field(metadata=parameter(Goal.from_dict))
    follow: str | None = attrs.field(metadata=PARAMETER)
    at: int | None = attrs.field(metadata=PARAMETER)
    journeys: IntArray = attrs.field(metadata=total("shard"))

    @classmethod
    def of(
        cls,
        journeys: Journeys | Journey,
        /,
        *,
        rule: DisconnectRule,
        goal: GoalLike | None = None,
        follow: SpanLike | None = None,
        at: InstantLike | None = None,
    ) -> Self:
        """Count.

        Args:
            journeys: The journeys.
            rule: What a disconnect moment is.
            goal: The goal, or the name of its event.
            follow: See :meth:`DisconnectRule.count`.
            at: See :meth:`DisconnectRule.count`.

        Raises:
            SchemaError: There is no column of channels or of context, or it holds numbers.
        """
        many = as_journeys(journeys)
        wanted = None if goal is None else as_goal(goal)
        told = None if follow is None else show_span(span_us(follow, name="follow"))
        until = None if at is None else instant_us(at, name="at")
        found = Switches.of(many, rule)
        number = _strata(many, rule, found) * CONTEXT_KINDS + found.context
        number = number * 2 + (found.signal >= 0)
        number = number * len(OUTCOMES) + _outcomes(many, rule, found, wanted, told, until)
        labels = many.codes(rule.by).vocabulary
        cell = found.channel_from.codes.astype(np.int64) * (len(labels) + 2)
        cell += found.channel_to.codes
        keys = (cell * NUMBERS + number) * SHARDS + many.shards[found.journey]
        keys, count = np.unique(keys, return_counts=True)
        return cls(
            rule=rule,
            goal=wanted,
            follow=told,
            at=until,
            journeys=np.bincount(many.shards, minlength=SHARDS),
            count=count,
            **numbered_rows(keys, labels, 2),
        )

    def result(self, *, level: float = 0.95) -> SwitchTable:
        """Seamlessness and disconnect moments by pair of channels, with intervals."""
        check_level(level)
        source, target = self.codes[:, 0].astype(np.int64), self.codes[:, 1].astype(np.int64)
        cells = source * (len(self.labels) + 2) + target
        pairs, pair = np.unique(cells, return_inverse=True)
        size = np.bincount(pair, self.count, len(pairs)).astype(np.int64)
        order = np.argsort(-size, kind="stable")
        place = np.empty(len(pairs), np.int64)
        place[order] = np.arange(len(pairs))
        pairs = pairs[order]
        rows = np.argsort(place[pair], kind="stable")
        names = list(self.labels)
        return SwitchTable(
            rule=self.rule,
            goal=self.goal,
            follow=self.follow,
            complete=self.at is not None,
            journeys=int(self.journeys.sum()),
            level=level,
            occupied=self.occupied(),
            channel_from=tuple(names[k] for k in (pairs // (len(names) + 2)).tolist()),
            channel_to=tuple(names[k] for k in (pairs % (len(names) + 2)).tolist()),
            row_pair=place[pair][rows],
            row_shard=self.shard[rows],
            row_stratum=(self.number // _KINDS)[rows],
            row_kind=(self.number % _KINDS)[rows],
            row_count=self.count[rows],
        )


def count_disconnects(
    rule: DisconnectRule,
    journeys: Journeys | Journey,
    goal: GoalLike | None,
    follow: SpanLike | None,
    at: InstantLike | None,
    level: float,
) -> SwitchTable:
    """See :meth:`DisconnectRule.count`."""
    many = as_journeys(journeys)
    if many.touchpoints:
        for each in (*rule.signals, *([] if goal is None else [as_goal(goal)])):
            each.require(many)
    counts = DisconnectCounts.of(many, rule=rule, goal=goal, follow=follow, at=at)
    return counts.result(level=level)


def _strata(journeys: Journeys, rule: DisconnectRule, found: Switches) -> IntArray:
    """(S,) how long the journey was before the switch, and whether a signal had come."""
    before = found.target - journeys.offsets[found.journey]
    length = np.minimum(np.frexp(before.astype(np.float64))[1] - 1, _LENGTHS - 1)
    rows = np.flatnonzero(matches_any(rule.signals, journeys))
    earlier = next_row(rows, journeys.offsets[found.journey], found.target) >= 0
    return np.asarray(length * 2 + earlier, np.int64)


def _outcomes(
    journeys: Journeys,
    rule: DisconnectRule,
    found: Switches,
    goal: Goal | None,
    follow: str | None,
    at: int | None,
) -> NDArray[Any]:
    """(S,) what came of each switch, an index into ``OUTCOMES``.

    Waiting begins when the time for signals is over, for switches with and without a signal alike:
    else whoever reaches the goal soon has no time left to meet a signal, and looks the better for
    it (landmark analysis: Anderson, Cain and Gelber 1983, Journal of Clinical Oncology 1).
    """
    if goal is None:
        return np.full(len(found.target), OUTCOMES.index("lost"))
    ticks = journeys.time.view(np.int64)
    rows = np.flatnonzero(goal.matches(journeys))
    begin = ticks[found.target] + span_us(rule.within, name="within")
    end = np.full_like(begin, np.iinfo(np.int64).max)
    if follow is not None:
        end = begin + span_us(follow, name="follow")
    row = next_row(rows, found.target, journeys.offsets[found.journey + 1])
    when = np.where(row >= 0, ticks[row], np.iinfo(np.int64).max)
    reached = (row >= 0) & (when <= end)
    # Without a limit, whatever came until the end of the data was all the waiting there is.
    over = begin if follow is None else end
    early = np.zeros(len(begin), dtype=bool) if at is None else over > at
    return np.select([when <= begin, early, reached], [0, 1, 2], 3)
