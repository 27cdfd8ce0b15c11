"""The Markov chain of paths as a summary that adds up, and the credit by removal effect."""

from __future__ import annotations

from typing import Any, Final, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.attribution.cutting import (
    PathRule,
    TouchesLike,
    conversion_values,
    cut_paths,
    find_touches,
    sum_by,
)
from cxkit.attribution.models import Markov
from cxkit.attribution.paths import Paths
from cxkit.attribution.removal import Chains, removal_effects
from cxkit.attribution.results import Attribution, make_attribution, safe_share
from cxkit.attribution.steps import chain_of_runs, chain_of_sequences
from cxkit.core.arrays import IntArray
from cxkit.core.sequences import SequenceSummary
from cxkit.core.spans import SpanLike
from cxkit.core.summary import SHARDS, parameter, total
from cxkit.errors import DefinitionError
from cxkit.model.goal import GoalLike
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys
from cxkit.model.summaries import JourneySummary

__all__ = ["ChainCounts"]

FloatArray = NDArray[np.float64]

_MOST_LABELS: Final = 5000
_MOST_LABELS_WITH_INTERVALS: Final = 500
_CELLS_AT_ONCE: Final = 1 << 22


@attrs.frozen(eq=False, repr=False, kw_only=True)
class ChainCounts(SequenceSummary, JourneySummary):
    """How often paths step from START to a label, from label to label, and on to the end.

    Only what occurs is kept, so that thousands of labels fit. A row is one label, or a pair of
    labels, in one shard of customers; S rows. A conversion whose path has no touch is no part of
    the chain; a null path without a touch leads from START to NULL.

    Attributes:
        rule: What a path and a touch are.
        steps: (S,) of a pair: how often its second label followed its first. Of a single label: how
            often it began a path.
        conversions: (S,) of a single label: how often a conversion came next; 0 for a pair.
        nulls: (S,) of a single label: how often its path ended without conversion; 0 for a pair.
        value: (S,) of a single label: what the conversions that came next are worth; a value of
            NaN is worth nothing.
        unattributed_conversions: (SHARDS,) conversions whose path has no touch.
        unattributed_value: (SHARDS,) what they are worth.
        untouched_nulls: (SHARDS,) null paths without a touch. They change no removal effect: it is
            a ratio of two chances that both count them.

    Example:
        >>> paths = Paths.from_counts([("a > b > c", 1, 0, 0), ("a", 0, 1, 0), ("b > c", 0, 1, 0)])
        >>> ChainCounts.from_paths(paths).result().removal_effect.tolist()
        [0.5, 1.0, 1.0]
    """

    rule: PathRule = attrs.field(metadata=parameter(PathRule.from_dict))
    steps: IntArray = attrs.field(metadata=total("sequence"))
    conversions: IntArray = attrs.field(metadata=total("sequence"))
    nulls: IntArray = attrs.field(metadata=total("sequence"))
    value: FloatArray = attrs.field(metadata=total("sequence"))
    unattributed_conversions: IntArray = attrs.field(metadata=total("shard"))
    unattributed_value: FloatArray = attrs.field(metadata=total("shard"))
    untouched_nulls: IntArray = attrs.field(metadata=total("shard"))

    @classmethod
    def of(
        cls,
        journeys: Journeys | Journey,
        /,
        *,
        goal: GoalLike,
        by: str = "channel",
        lookback: SpanLike | None = None,
        goal_is_touch: bool = True,
        touches: TouchesLike = None,
    ) -> Self:
        """Count the chain of journeys; the arguments are those of ``PathRule``.

        Raises:
            SchemaError: There is no column ``by``, or it holds numbers.
            DefinitionError: An argument cannot be read.
        """
        rule = PathRule(
            goal, by=by, lookback=lookback, goal_is_touch=goal_is_touch, touches=touches
        )
        return cls.of_rule(as_journeys(journeys), rule)

    @classmethod
    def of_rule(cls, journeys: Journeys, rule: PathRule) -> Self:
        """Count the chain of journeys under a rule."""
        goals = rule.goal.matches(journeys)
        keep = rule.is_touch(journeys, goals)
        if rule.lookback is None:
            return cls._of_runs(journeys, rule, goals, keep)
        labels = journeys.codes(rule.by)
        cut = cut_paths(journeys.offsets, goals)
        codes, counts = find_touches(journeys, rule, cut, keep, labels.codes)
        some = counts > 0
        offsets = np.append(0, np.cumsum(counts[some]))
        return cls._count(
            journeys,
            rule,
            cut.last,
            some,
            cut.conversions,
            codes=codes,
            offsets=offsets,
            shard=np.repeat(journeys.row_shards[cut.last[some]], counts[some]),
            goals=offsets[1:][: int(some[: cut.conversions].sum())] - 1,
            cuts=None,
        )

    @classmethod
    def _of_runs(
        cls,
        journeys: Journeys,
        rule: PathRule,
        goals: NDArray[np.bool_],
        keep: NDArray[np.bool_] | None,
    ) -> Self:
        """Without a lookback no path need be gathered: steps over a cut are taken off again."""
        offsets, codes = journeys.offsets, journeys.codes(rule.by).codes
        shard = journeys.row_shards
        if keep is None:  # every path has a touch: its end
            last = np.flatnonzero(goals)
            conversions, ends, some = len(last), last + 1, np.ones(len(last), dtype=bool)
        else:
            cut = cut_paths(offsets, goals)
            last, conversions = cut.last, cut.conversions
            before = np.append(0, np.cumsum(keep))  # touches before each row
            ends = before[last + 1]
            some = ends > before[cut.start]
            codes, shard, offsets = codes[keep], shard[keep], before[offsets]
            offsets = np.append(0, offsets[1:][np.diff(offsets) > 0])
        begins = np.zeros(len(codes) + 1, dtype=bool)
        begins[offsets] = True
        mine = np.flatnonzero(some[:conversions])
        return cls._count(
            journeys,
            rule,
            last,
            some,
            conversions,
            codes=codes,
            offsets=offsets,
            shard=shard,
            goals=ends[mine] - 1,
            cuts=~begins[ends[mine]],
        )

    @classmethod
    def _count(
        cls,
        journeys: Journeys,
        rule: PathRule,
        last: IntArray,
        some: NDArray[np.bool_],
        conversions: int,
        **runs: Any,
    ) -> Self:
        """Count touches in runs of rows.

        Args:
            journeys: The journeys.
            rule: What a path and a touch are.
            last: (P,) the last row of every path, first of those with a conversion.
            some: (P,) which paths have touches.
            conversions: How many have a conversion.
            runs: For ``chain_of_runs``.
        """
        labels = journeys.codes(rule.by)
        of_goal, of_null = np.split(journeys.row_shards[last], [conversions])
        kept, kept_null = np.split(some, [conversions])
        value = conversion_values(journeys, last[:conversions])
        sequences = chain_of_runs(**runs, slots=labels.slots, value=value[kept])
        return cls(
            rule=rule,
            labels=labels.vocabulary,
            unattributed_conversions=np.bincount(of_goal[~kept], minlength=SHARDS),
            unattributed_value=sum_by(of_goal[~kept], value[~kept], SHARDS),
            untouched_nulls=np.bincount(of_null[~kept_null], minlength=SHARDS),
            **sequences,
        )

    @classmethod
    def from_paths(cls, paths: Paths) -> Self:
        """The same from the distinct paths alone."""
        sequences = chain_of_sequences(
            paths.codes,
            paths.offsets,
            paths.shard,
            conversions=paths.conversions,
            nulls=paths.nulls,
            value=paths.value,
        )
        return cls(
            rule=paths.rule,
            labels=paths.labels,
            unattributed_conversions=paths.unattributed_conversions,
            unattributed_value=paths.unattributed_value,
            untouched_nulls=paths.untouched_nulls,
            **sequences,
        )

    def result(self, level: float = 0.95) -> Attribution:
        """Credit by removal effect, with jackknife intervals of the shares at ``level``.

        The chain without each shard of customers is solved anew, all in one batch of inverses. That
        grows with the cube of the labels: above 500 visited labels there are no intervals (NaN).

        Raises:
            DefinitionError: More than 5,000 labels are visited.
            DataError: There is a loop of labels that no path leaves (never in counted chains).
        """
        wide = len(self.labels) + 1
        last = self.codes[self.offsets[1:] - 1]
        touchpoints = np.bincount(last, self.steps, wide).astype(np.int64)
        slots = np.flatnonzero(touchpoints)
        if len(slots) > _MOST_LABELS:
            raise DefinitionError(
                f"{self.rule.by!r} has {len(slots):,} labels, and a Markov chain over them needs a "
                f"matrix of that size; choose a coarser column (up to {_MOST_LABELS:,} labels)"
            )
        whole = self._chains(slots, None)
        effect, value_effect = removal_effects(whole)
        conversions, value = whole.conversions.sum(), whole.value.sum()
        share, value_share = np.nan_to_num(safe_share(effect)), safe_share(value_effect)
        if np.isnan(value_share).any():  # no value, or values that cancel out: as the conversions
            value_share = share
        columns = np.zeros((3, wide))
        columns[:, slots] = share * conversions, value_share * value, effect
        occupied = self.occupied()
        return make_attribution(
            rule=self.rule,
            model=Markov(),
            labels=self.labels,
            touchpoints=touchpoints,
            conversions=columns[0],
            value=columns[1],
            removal_effect=columns[2],
            shares_without=self._shares_without(whole, slots, np.flatnonzero(occupied)),
            occupied=occupied,
            unattributed_conversions=self.unattributed_conversions,
            unattributed_value=self.unattributed_value,
            null_paths=int(self.nulls.sum() + self.untouched_nulls.sum()),
            attributed=(int(conversions), float(value)),
            level=level,
        )

    def _chains(self, slots: IntArray, shards: IntArray | None) -> Chains:
        """The counts as matrices over the visited slots: all shards as one chain, or some apart."""
        batch = 1 if shards is None else len(shards)
        group = np.full(SHARDS, 0 if shards is None else batch)
        group[shards if shards is not None else []] = np.arange(batch if shards is not None else 0)
        K = len(slots)
        place = np.zeros(len(self.labels) + 1, np.int64)
        place[slots] = np.arange(K)
        mine = group[self.shard] < batch
        pair = mine & (np.diff(self.offsets) == 2)
        first = group[self.shard] * K + place[self.codes[self.offsets[:-1]]]
        last = place[self.codes[self.offsets[1:] - 1]]
        ends = group[self.shard] * K + last

        def add(at: IntArray, amounts: NDArray[np.generic], *shape: int) -> FloatArray:
            sums = sum_by(at, amounts, batch * K ** len(shape))
            return sums.reshape(shape if shards is None else (batch, *shape))

        return Chains(
            steps=add((first * K + last)[pair], self.steps[pair], K, K),
            visits=add(ends[mine], self.steps[mine], K),
            conversions=add(ends[mine], self.conversions[mine], K),
            value=add(ends[mine], self.value[mine], K),
        )

    def _shares_without(self, whole: Chains, slots: IntArray, occupied: IntArray) -> FloatArray:
        """(SHARDS, K + 1) the shares without each shard; NaN for a shard that holds nobody."""
        shares = np.full((SHARDS, len(self.labels) + 1), np.nan)
        if len(slots) > _MOST_LABELS_WITH_INTERVALS:
            return shares
        at_once = max(_CELLS_AT_ONCE // max(len(slots) ** 2, 1), 1)
        for start in range(0, len(occupied), at_once):
            some = occupied[start : start + at_once]
            rest = removal_effects(whole - self._chains(slots, some))[0]
            spread = np.zeros((len(some), shares.shape[1]))
            spread[:, slots] = rest
            shares[some] = safe_share(spread)
        return shares
