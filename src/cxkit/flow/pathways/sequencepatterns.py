"""Sequences of labels that many journeys hold, and whether those that do convert more."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, smallest_unsigned
from cxkit.core.factorize import factorize
from cxkit.core.records import check_fields
from cxkit.core.sequences import SequenceSummary, count_sequences
from cxkit.core.summary import SHARDS, parameter, total
from cxkit.core.uniques import unique_sequences
from cxkit.core.whole import whole_number
from cxkit.errors import DefinitionError
from cxkit.flow.pathways.patternresults import SequencePatternTable, patterns_table
from cxkit.flow.pathways.subsequences import held_runs, held_subsequences
from cxkit.model.goal import Goal, GoalLike, as_goal
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys
from cxkit.model.recut import kept_rows
from cxkit.model.summaries import JourneySummary

__all__ = ["PatternRule", "SequencePatterns", "sequence_patterns"]

_SCHEMA: Final = "cxkit/sequence-patterns/1"
_LONGEST: Final = 12


@attrs.frozen
class PatternRule:
    """Which sequences are looked for.

    Attributes:
        by: A column of labels.
        longest: How many labels at most, 1 to 12.
        gaps: Whether other labels may lie in between.
        goal: What journeys should reach. Only touchpoints before it count, so that no sequence
            holds what it is to explain.
    """

    by: str = "event"
    longest: int = attrs.field(default=3, kw_only=True)
    gaps: bool = attrs.field(default=True, kw_only=True)
    goal: Goal | None = attrs.field(default=None, kw_only=True)

    @longest.validator
    def _check(self, _: object, value: Any) -> None:
        whole_number(value, "longest", most=_LONGEST)

    def to_dict(self) -> dict[str, Any]:
        """The rule as plain data for JSON."""
        goal = None if self.goal is None else self.goal.to_dict()
        return {
            "schema": _SCHEMA,
            "by": self.by,
            "longest": int(self.longest),
            "gaps": bool(self.gaps),
            "goal": goal,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> PatternRule:
        """Read back what :meth:`to_dict` wrote.

        Raises:
            DataError: The data is of another schema.
        """
        check_fields(data, _SCHEMA, "sequence patterns", ("by", "longest", "gaps"), ("goal",))
        goal = data.get("goal")
        return cls(
            data["by"],
            longest=data["longest"],
            gaps=data["gaps"],
            goal=None if goal is None else Goal.from_dict(goal),
        )


def sequence_patterns(
    journeys: Journeys | Journey,
    by: str = "event",
    *,
    goal: GoalLike | None = None,
    longest: int = 3,
    gaps: bool = True,
    support: float = 0.01,
    top: int = 50,
    control: str = "holm",
    level: float = 0.95,
) -> SequencePatternTable:
    """Sequences of labels that many journeys hold; with a goal, how much more those convert.

    ``lift`` is the share that converts of the journeys with the sequence, divided by that of all
    others (elsewhere it is often divided by that of all, which includes those with it). It is an
    association: journeys that are longer hold more sequences, and may convert more for that reason.

    Args:
        journeys: The journeys.
        by: A column of labels. A missing label counts as a label of its own.
        goal: What they should reach; only touchpoints before the goal is first reached count.
        longest: How many labels a sequence may have, 1 to 12.
        gaps: Whether other labels may lie in between; else only runs count.
        support: List sequences that at least this share of journeys holds.
        top: How many to list; all that have the support are counted as tests.
        control: Of chance findings among them: ``"holm"``, ``"benjamini-hochberg"`` or ``"none"``.
        level: Of the intervals.

    Raises:
        SchemaError: There is no such column, or it holds numbers.
        UnknownLabelError: The data does not have the goal's event or channel.
        DefinitionError: An argument is wrong, or there are too many sequences with gaps.

    Example:
        >>> journeys = Journeys.from_table(
        ...     {
        ...         "who": [1, 1, 1, 2, 2, 3],
        ...         "sec": [1, 2, 3, 1, 2, 1],
        ...         "what": ["ad", "view", "buy", "view", "buy", "ad"],
        ...     },
        ...     customer="who",
        ...     time="sec",
        ...     event="what",
        ...     time_unit="s",
        ... )
        >>> for row in sequence_patterns(journeys, goal="buy", support=0.5).to_dicts():
        ...     print(row["pattern"], row["journeys"], row["rate"], row["rest_rate"], row["lift"])
        ad 2 0.5 1.0 0.5
        view 2 1.0 0.0 inf
    """
    many = as_journeys(journeys)
    wanted = None if goal is None else as_goal(goal)
    if wanted is not None and many.touchpoints:
        wanted.require(many)
    _check_support(support)
    rule = PatternRule(by, longest=longest, gaps=gaps, goal=wanted)
    fewest = max(math.ceil(support * len(many) - 1e-9), 1)
    counts = SequencePatterns._counted(many, rule, fewest)  # noqa: SLF001  # rare ones are not kept
    return counts.result(support=support, top=top, control=control, level=level)


@attrs.frozen(eq=False, repr=False, kw_only=True)
class SequencePatterns(SequenceSummary, JourneySummary):
    """Which sequences of labels journeys hold, as a summary that adds up.

    Nothing is left out for being rare, for it may not be so in the other parts; so keep ``longest``
    small.

    Attributes:
        rule: Which sequences.
        journeys: (S,) journeys that hold the sequence, in the row's shard.
        reached: (S,) those of them that reach the goal.
        all_journeys: (64,) journeys in every shard.
        all_reached: (64,) those that reach the goal.

    Example:
        >>> len(SequencePatterns.of(Journeys.empty(), by="channel", longest=2))
        0
    """

    rule: PatternRule = attrs.field(metadata=parameter(PatternRule.from_dict))
    journeys: IntArray = attrs.field(metadata=total("sequence"))
    reached: IntArray = attrs.field(metadata=total("sequence"))
    all_journeys: IntArray = attrs.field(metadata=total("shard"))
    all_reached: IntArray = attrs.field(metadata=total("shard"))

    @classmethod
    def of(
        cls,
        journeys: Journeys | Journey,
        /,
        *,
        by: str = "event",
        longest: int = 3,
        gaps: bool = True,
        goal: GoalLike | None = None,
    ) -> Self:
        """Count. A goal that this part of the data lacks is reached by none.

        Args:
            journeys: The journeys.
            by: A column of labels.
            longest: How many labels a sequence may have, 1 to 12.
            gaps: Whether other labels may lie in between.
            goal: What they should reach.

        Raises:
            SchemaError: There is no such column, or it holds numbers.
            DefinitionError: ``longest`` is wrong, or there are too many sequences with gaps.
        """
        wanted = None if goal is None else as_goal(goal)
        rule = PatternRule(by, longest=longest, gaps=gaps, goal=wanted)
        return cls._counted(as_journeys(journeys), rule, 1)

    @classmethod
    def _counted(cls, journeys: Journeys, rule: PatternRule, fewest: int) -> Self:
        column = journeys.codes(rule.by)
        before, won = _before_goal(journeys, rule.goal)
        rows, offsets, which = kept_rows(journeys.offsets, before)
        shard = journeys.shards[which]
        find = held_subsequences if rule.gaps else held_runs
        pieces: list[IntArray] = []
        sizes, shards, counts, wins = ([np.zeros(0, np.int64)] for _ in range(4))
        for held in find(offsets, column.codes[rows], rule.longest, fewest):
            cell = held.pattern * SHARDS + shard[held.journey]
            known, at = factorize(cell) if len(cell) else (cell, cell)
            pieces.append(held.patterns[known // SHARDS].ravel())
            sizes.append(np.full(len(known), held.patterns.shape[1]))
            shards.append(known % SHARDS)
            counts.append(np.bincount(at, minlength=len(known)))
            reached = won[which[held.journey]]
            wins.append(np.bincount(at[reached], minlength=len(known)))
        flat = np.concatenate([np.zeros(0, np.int64), *pieces])
        used = np.unique(flat)
        named = used[used < column.missing]
        kept = column.vocabulary.pick(named)
        table = np.full(column.slots, len(kept), smallest_unsigned(len(kept)))
        table[named] = np.arange(len(kept))
        return cls(
            rule=rule,
            labels=kept,
            **count_sequences(
                np.append(0, np.cumsum(np.concatenate(sizes))),
                table[flat],
                np.concatenate(shards),
                {"journeys": np.concatenate(counts), "reached": np.concatenate(wins)},
            ),
            all_journeys=np.bincount(journeys.shards, minlength=SHARDS),
            all_reached=np.bincount(journeys.shards[won], minlength=SHARDS),
        )

    def result(
        self,
        *,
        support: float = 0.01,
        top: int = 50,
        control: str = "holm",
        level: float = 0.95,
    ) -> SequencePatternTable:
        """The sequences with enough support; with a goal, those that tell most first.

        Raises:
            DefinitionError: An argument is wrong.
        """
        _check_support(support)
        first, pattern = unique_sequences(self.offsets, self.codes)
        count = np.zeros(len(first), np.int64)
        np.add.at(count, pattern, self.journeys)
        whole = int(self.all_journeys.sum())
        kept = np.flatnonzero(count >= max(support * whole - 1e-9, 1))
        place = np.full(len(first), -1)
        place[kept] = np.arange(len(kept))
        listed = place[pattern] >= 0
        parts = np.zeros((2, SHARDS, len(kept)), np.int64)
        at = self.shard[listed], place[pattern[listed]]
        np.add.at(parts[0], at, self.journeys[listed])
        np.add.at(parts[1], at, self.reached[listed])

        size = np.diff(self.offsets)[first[kept]]
        codes = np.full((len(kept), self.rule.longest), -1)
        for back in range(self.rule.longest):
            has = size > back
            codes[has, back] = self.codes[self.offsets[first[kept[has]]] + back]
        return patterns_table(
            self.rule,
            self.labels,
            codes,
            parts,
            (self.all_journeys, self.all_reached),
            self.occupied(),
            top=top,
            control=control,
            level=level,
        )


def _before_goal(
    journeys: Journeys, goal: Goal | None
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(E,) touchpoints before the goal is first reached; (J,) which journeys reach it."""
    before, won = np.ones(journeys.touchpoints, dtype=bool), np.zeros(len(journeys), dtype=bool)
    if goal is None or not len(journeys):
        return before, won
    hits = goal.matches(journeys)
    so_far: IntArray = np.cumsum(hits, dtype=np.int64)
    start = so_far[journeys.offsets[:-1]] - hits[journeys.offsets[:-1]]
    won = so_far[journeys.offsets[1:] - 1] > start
    return so_far == np.repeat(start, np.diff(journeys.offsets)), won


def _check_support(support: float) -> None:
    if not 0 <= support <= 1:
        raise DefinitionError(f"support must lie between 0 and 1, such as 0.01; found {support!r}")
