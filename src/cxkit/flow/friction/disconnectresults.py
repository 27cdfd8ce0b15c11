"""What channel switches come to: seamlessness by pair of channels, and what disconnects cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.codes import Label
from cxkit.core.intervals import divide, leave_one_out, paired_difference, share_interval
from cxkit.core.result import ColumnLike, Result, show_number
from cxkit.core.summary import SHARDS
from cxkit.errors import DefinitionError
from cxkit.flow.friction.disconnectcost import DisconnectCost

if TYPE_CHECKING:
    from cxkit.flow.friction.switches import DisconnectRule
    from cxkit.model.goal import Goal

__all__ = ["SwitchTable"]

_UNKNOWN, _KEPT, _LOST = range(3)
_REACHED, _NOT = 2, 3
_STRATA: Final = 10
_PAIRS_AT_ONCE: Final = 512
_FEWEST: Final = 5


@attrs.frozen(eq=False, repr=False, kw_only=True)
class SwitchTable(Result):
    """Channel switches by pair of channels: one row per pair, most frequent first. P pairs.

    Attributes:
        rule: What a disconnect moment is.
        goal: What it may cost, or ``None``.
        follow: How long the goal is waited for.
        complete: Whether it was said up to when the data is complete.
        journeys: All journeys, with switches or without.
        level: Of the intervals.
        occupied: (64,) which shards hold anything.
        channel_from: (P,) the channel that is left.
        channel_to: (P,) the channel that is switched to.
        row_pair: (R,) the pair of each row of counts, ascending.
        row_shard: (R,) its shard.
        row_stratum: (R,) its stratum.
        row_kind: (R,) context, signal and outcome.
        row_count: (R,) how many switches.
    """

    rule: DisconnectRule
    goal: Goal | None
    follow: str | None
    complete: bool
    journeys: int
    level: float
    occupied: NDArray[np.bool_] = attrs.field(converter=freeze)
    channel_from: tuple[Label, ...]
    channel_to: tuple[Label, ...]
    row_pair: IntArray = attrs.field(converter=freeze)
    row_shard: NDArray[np.uint8] = attrs.field(converter=freeze)
    row_stratum: NDArray[Any] = attrs.field(converter=freeze)
    row_kind: NDArray[Any] = attrs.field(converter=freeze)
    row_count: IntArray = attrs.field(converter=freeze)

    def __len__(self) -> int:
        """P, the number of pairs."""
        return len(self.channel_from)

    def counted(self, pairs: range) -> IntArray:
        """(SHARDS, n, 3, 2) switches of some pairs by context, and by whether a signal came."""
        rows = self._rows(pairs)
        key = self.row_shard[rows].astype(np.int64) * len(pairs)
        key += self.row_pair[rows] - pairs.start
        key = key * 6 + self.row_kind[rows] // 4
        out = np.zeros(SHARDS * len(pairs) * 6, np.int64)
        np.add.at(out, key, self.row_count[rows])
        return out.reshape(SHARDS, len(pairs), 3, 2)

    def columns(self) -> Mapping[str, ColumnLike]:
        """One row per pair of channels.

        ``seamless`` is kept / (kept + lost); ``disconnect_rate`` is of all switches of the pair.
        """
        # All shards of all pairs at once could be gigabytes: some pairs at a time.
        parts = [self._numbers(self.counted(pairs)) for pairs in self._blocks()]
        parts = parts or [self._numbers(self.counted(range(0)))]
        numbers = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        return {"from": self.channel_from, "to": self.channel_to, **numbers}

    @property
    def total(self) -> dict[str, float]:
        """All pairs together: the numbers of :meth:`columns` for every switch."""
        blocks = (self.counted(pairs).sum(axis=1, keepdims=True) for pairs in self._blocks())
        whole = sum(blocks, np.zeros((SHARDS, 1, 3, 2), np.int64))
        return {name: value.item() for name, value in self._numbers(whole).items()}

    def _numbers(self, parts: IntArray) -> dict[str, NDArray[Any]]:
        """The columns of numbers, from (SHARDS, n, 3, 2) counts."""
        kept, lost = parts[:, :, _KEPT].sum(axis=2), parts[:, :, _LOST].sum(axis=2)
        switches, moments = parts.sum(axis=(2, 3)), parts[:, :, _LOST, 1]
        return {
            "switches": switches.sum(axis=0),
            "kept": kept.sum(axis=0),
            "lost": lost.sum(axis=0),
            "unknown": parts[:, :, _UNKNOWN].sum(axis=(0, 2)),
            **self._share("seamless", kept, kept + lost),
            "disconnects": moments.sum(axis=0),
            **self._share("disconnect_rate", moments, switches),
        }

    def _blocks(self) -> Iterator[range]:
        for begin in range(0, len(self), _PAIRS_AT_ONCE):
            yield range(begin, min(begin + _PAIRS_AT_ONCE, len(self)))

    def _rows(self, pairs: range) -> slice:
        begin, end = np.searchsorted(self.row_pair, [pairs.start, pairs.stop])
        return slice(int(begin), int(end))

    def matrix(self) -> tuple[list[Label], IntArray]:
        """Channels, and (K, K) switches from each (row) to each (column)."""
        names = sorted({*self.channel_from, *self.channel_to}, key=str)
        place = {name: k for k, name in enumerate(names)}
        counts = np.zeros((len(names), len(names)), np.int64)
        each = np.bincount(self.row_pair, self.row_count, len(self)).astype(np.int64)
        for a, b, n in zip(self.channel_from, self.channel_to, each.tolist(), strict=True):
            counts[place[a], place[b]] = n
        return names, freeze(counts)

    def cost(self, contrast: Literal["disconnect", "lost"] = "disconnect") -> DisconnectCost:
        """What disconnects cost in conversions: a matched comparison, not an experiment.

        Switches with a disconnect are compared with switches of the *same pair of channels*, after
        about as many touchpoints and with or without an earlier negative signal alike. In each such
        stratum the share that reaches the goal is compared; the differences are put together with
        the weights of Mantel and Haenszel, ``n1 n0 / (n1 + n0)`` (Greenland and Robins 1985,
        Biometrics 41). Strata without one of the two kinds say nothing and count for nothing.
        Waiting for the goal begins ``within`` after the switch for all, and switches whose journey
        reached it sooner are left out.

        Args:
            contrast: ``"disconnect"``: context lost and a signal, against all other switches whose
                context is known. ``"lost"``: context lost against kept, whatever came after.

        Raises:
            DefinitionError: The switches were counted without a goal, or the contrast is unknown.
        """
        if self.goal is None:
            raise DefinitionError("what disconnects cost needs a goal: count(journeys, goal=...)")
        if contrast not in {"disconnect", "lost"}:
            raise DefinitionError(f"contrast is one of ['disconnect', 'lost']; found {contrast!r}")
        found = [self._compare(contrast, pairs) for pairs in self._blocks()]
        arms = np.concatenate([np.zeros((0, 2, 2), np.int64), *(f[0] for f in found)])
        # (SHARDS + 1, P, 3): sums of weighted differences, of weights, and of those exposed in
        # strata that have both kinds; first of all shards, then without each.
        sums = np.concatenate([np.zeros((SHARDS + 1, 0, 3)), *(f[1] for f in found)], axis=1)
        whole = np.concatenate([sums.sum(axis=1, keepdims=True), sums], axis=1)
        effect = divide(whole[..., 0], whole[..., 1])
        nothing = np.zeros_like(effect)
        told = paired_difference(
            nothing[0], effect[0], nothing[1:], effect[1:], self.occupied, level=self.level
        )
        arms = np.concatenate([arms.sum(axis=0, keepdims=True), arms])
        # Of very few, none may have got there by chance: then nothing varies, and seems certain.
        few = (arms < _FEWEST).any(axis=(1, 2))
        return DisconnectCost(
            table=self,
            contrast=contrast,
            arms=arms,
            matched=whole[0, :, 2].astype(np.int64),
            difference=told.difference,
            low=np.where(few, np.nan, np.maximum(told.low, -1.0)),
            high=np.where(few, np.nan, np.minimum(told.high, 1.0)),
            p=np.where(few, np.nan, told.p),
        )

    def _compare(self, contrast: str, pairs: range) -> tuple[IntArray, NDArray[np.float64]]:
        """(n, 2, 2) switches by exposure and outcome, and (SHARDS + 1, n, 3) sums over strata."""
        rows = np.arange(len(self.row_pair))[self._rows(pairs)]
        kind = self.row_kind[rows].astype(np.int64)
        context, signal, outcome = kind // 8, kind // 4 % 2, kind % 4
        exposed = context == _LOST
        if contrast == "disconnect":
            exposed &= signal == 1
        use = (context != _UNKNOWN) & (outcome >= _REACHED)
        rows, exposed, reached = rows[use], exposed[use], outcome[use] == _REACHED
        key = self.row_shard[rows].astype(np.int64) * len(pairs)
        key += self.row_pair[rows] - pairs.start
        key = key * _STRATA + self.row_stratum[rows]
        key = key * 4 + exposed * 2 + reached
        counts = np.zeros(SHARDS * len(pairs) * _STRATA * 4, np.int64)
        np.add.at(counts, key, self.row_count[rows])
        counts = counts.reshape(SHARDS, len(pairs), _STRATA, 2, 2)
        every = counts.sum(axis=0, keepdims=True)
        ways = np.concatenate([every, leave_one_out(counts)])
        size = ways.sum(axis=-1)
        both = size[..., 0] * size[..., 1]
        weight = divide(both, size.sum(axis=-1))
        share = divide(ways[..., 1], size)
        terms = weight * (share[..., 1] - share[..., 0])
        sums = [np.where(both > 0, x, 0.0).sum(axis=-1) for x in (terms, weight, size[..., 1])]
        return every[0].sum(axis=1), np.stack(sums, axis=-1)

    def _share(self, name: str, part: IntArray, whole: IntArray) -> dict[str, Any]:
        low, high = share_interval(part, whole, self.occupied, level=self.level)
        value = divide(part.sum(axis=0), whole.sum(axis=0))
        return {name: value, f"{name}_low": low, f"{name}_high": high}

    def title(self) -> str:
        """How many switches, and how seamless."""
        total = self.total
        return (
            f"{total['switches']:,} channel switches in {self.journeys:,} journeys: seamless "
            f"{show_number(total['seamless'])}, {total['disconnects']:,} disconnect moments"
        )

    def notes(self) -> tuple[str, ...]:
        """The rule in words."""
        rule = self.rule
        gone = "lost" if rule.missing == "lost" else "unknown"
        signals = " or ".join(goal.name for goal in rule.signals)
        return (
            f"context: {' or '.join(rule.context)}, {gone} where it is missing after the switch",
            f"disconnect moment: context lost, and {signals} within {rule.within}",
        )
