"""Tumbling windows: how much happened in each hour, day or week, as a summary that adds up."""

from __future__ import annotations

from typing import Any, Final, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, smallest_unsigned
from cxkit.core.codes import Codes, Vocabulary
from cxkit.core.intervals import interval
from cxkit.core.spans import InstantLike, SpanLike, instant_us, show_span, span_us
from cxkit.core.summary import AXIS, PARAMETER, SHARDS, total
from cxkit.errors import DefinitionError
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys
from cxkit.model.summaries import JourneySummary
from cxkit.patterns.windowtable import WindowTable, first_of_runs, shares_of_windows

__all__ = ["WindowCounts", "tumbling"]

_PIECE: Final = 1 << 18
_DENSE: Final = 1 << 20
_SHARD_BITS: Final = (SHARDS - 1).bit_length()


def tumbling(
    journeys: Journeys | Journey,
    every: SpanLike = "1d",
    *,
    origin: InstantLike = "1970-01-01",
    by: str = "channel",
) -> WindowCounts:
    """Count touchpoints and sum their value in windows of equal length, side by side.

    A window includes the instant at which it begins, and not the one at which it ends.

    Args:
        journeys: The journeys.
        every: How long a window is.
        origin: An instant at which one of them begins; a Monday makes weeks begin on Mondays.
        by: The column of labels to count by.

    Returns:
        A summary that adds up; its ``result()`` is the table, without the windows in which nothing
        happened.

    Raises:
        DefinitionError: ``every`` is no span, or ``origin`` no instant.
        SchemaError: There is no column ``by``, or it holds numbers.

    Example:
        >>> journeys = Journeys.from_table(
        ...     {"who": [1, 1, 2], "when": [0, 86_400, 90_000], "where": ["web", "web", "app"]},
        ...     customer="who",
        ...     time="when",
        ...     channel="where",
        ...     time_unit="s",
        ... )
        >>> tumbling(journeys, "1d").result().touchpoints.tolist()
        [1, 1, 1]
    """
    return WindowCounts.of(journeys, every=every, origin=origin, by=by)


@attrs.frozen(eq=False, repr=False)
class WindowCounts(JourneySummary):
    """Touchpoints and value in tumbling windows by label, as a summary that adds up.

    Only cells in which something happened are kept: R rows in order of window, label and shard.

    Attributes:
        every: How long a window is, as text.
        origin: An instant at which a window begins, as ISO text.
        by: The column that was counted by.
        labels: The K labels that occur.
        window: (R,) the number of the window: 0 begins at the origin.
        code: (R,) the label; K is missing.
        shard: (R,) the shard.
        touchpoints: (R,) how many.
        value: (R,) the sum of their values, NaN left out.

    Example:
        >>> len(WindowCounts.of(Journeys.empty(), every="1h").result())
        0
    """

    every: str = attrs.field(kw_only=True, metadata=PARAMETER)
    origin: str = attrs.field(kw_only=True, metadata=PARAMETER)
    by: str = attrs.field(kw_only=True, metadata=PARAMETER)
    labels: Vocabulary = attrs.field(kw_only=True, metadata=AXIS)
    window: IntArray = attrs.field(kw_only=True, metadata=total("cell"))
    code: NDArray[Any] = attrs.field(kw_only=True, metadata=total("cell"))
    shard: NDArray[np.uint8] = attrs.field(kw_only=True, metadata=total("cell"))
    touchpoints: IntArray = attrs.field(kw_only=True, metadata=total("cell"))
    value: NDArray[np.float64] = attrs.field(kw_only=True, metadata=total("cell"))

    @classmethod
    def of(
        cls,
        journeys: Journeys | Journey,
        /,
        *,
        every: SpanLike = "1d",
        origin: InstantLike = "1970-01-01",
        by: str = "channel",
    ) -> Self:
        """Count; see :func:`tumbling`."""
        many = as_journeys(journeys)
        length, begin = span_us(every, name="every"), instant_us(origin, name="origin")
        codes = many.codes(by)
        window, code, shard, count, value = _count(many, codes, length, begin)
        used = np.zeros(codes.slots, dtype=bool)
        used[code] = True
        used[-1] = True  # missing keeps its place after the labels
        labels = codes.vocabulary.kept(used[:-1])
        table = (np.cumsum(used) - 1).astype(smallest_unsigned(len(labels)))
        return cls(
            every=show_span(length),
            origin=f"{np.datetime64(begin, 'us')}Z",
            by=by,
            labels=labels,
            window=window,
            code=table[code],
            shard=shard.astype(np.uint8),
            touchpoints=count,
            value=value,
        )

    def occupied(self) -> NDArray[np.bool_]:
        """(SHARDS,) which shards hold anything at all."""
        seen = np.zeros(SHARDS, dtype=bool)
        seen[self.shard] = True
        return seen

    def _merged(self, other: Self) -> dict[str, Any]:
        labels = self.labels.union(other.labels)
        kind = smallest_unsigned(len(labels))
        codes = [s.labels.positions_in(labels).astype(kind)[s.code] for s in (self, other)]
        both = {
            name: np.concatenate([getattr(self, name), getattr(other, name)])
            for name in ("window", "shard", "touchpoints", "value")
        }
        code = np.concatenate(codes)
        order = np.lexsort((both["shard"], code, both["window"]))
        keys = [both["window"][order], code[order], both["shard"][order]]
        first = first_of_runs(*keys)
        summed = {
            name: np.add.reduceat(both[name][order], first) if len(first) else both[name]
            for name in ("touchpoints", "value")
        }
        window, code, shard = (key[first] for key in keys)
        return {"labels": labels, "window": window, "code": code, "shard": shard, **summed}

    def result(self, *, level: float = 0.95) -> WindowTable:
        """Counts per window and label, and each label's share of its window.

        Args:
            level: How often intervals made like this hold the true share, between 0 and 1.

        Raises:
            DefinitionError: ``level`` is not between 0 and 1.
        """
        if not 0 < level < 1:
            raise DefinitionError(f"level must lie between 0 and 1, such as 0.95; found {level!r}")
        first = first_of_runs(self.window, self.code)
        cell = np.repeat(np.arange(len(first)), np.diff(first, append=len(self.window)))
        window = self.window[first]
        count = np.asarray(np.bincount(cell, self.touchpoints, len(first)), np.float64)
        share, error = shares_of_windows(count, window, cell, self.shard, self.touchpoints)
        low, high = interval(share, error, self.occupied(), level=level, bounds=(0.0, 1.0))
        start = instant_us(self.origin, name="origin") + window * span_us(self.every, name="every")
        return WindowTable(
            every=self.every,
            by=self.by,
            window=start.view("datetime64[us]"),
            label=Codes(self.code[first], self.labels),
            touchpoints=count.astype(np.int64),
            value=np.bincount(cell, self.value, len(first)),
            share=share,
            share_low=low,
            share_high=high,
        )


def _count(
    many: Journeys, codes: Codes, length: int, begin: int
) -> tuple[IntArray, IntArray, IntArray, IntArray, NDArray[np.float64]]:
    """The cells ``(window, code, shard)`` that occur, their touchpoints and their value."""
    if not many.touchpoints:
        none = np.zeros(0, np.int64)
        return none, none, none, none, np.zeros(0)
    ticks, value = many.time.view(np.int64), many.value
    low = (int(ticks.min()) - begin) // length
    span = (int(ticks.max()) - begin) // length - low + 1
    cells = codes.slots << _SHARD_BITS
    names = places = np.zeros(0, np.int64)
    if span * cells >= 2**62:  # windows of microseconds: number only those that occur
        names, places = np.unique((ticks - begin) // length - low, return_inverse=True)
        span = len(names)
    bins = span * cells
    dense = bins <= _DENSE
    found: list[tuple[IntArray, IntArray, NDArray[np.float64]]] = []
    counts, sums = np.zeros(bins if dense else 0, np.int64), np.zeros(bins if dense else 0)
    for e0 in range(0, len(ticks), _PIECE):
        rows = slice(e0, e0 + _PIECE)
        key = (ticks[rows] - begin) // length - low if not len(names) else places[rows]
        key *= codes.slots
        key += codes.codes[rows]
        key <<= _SHARD_BITS
        key |= many.row_shards[rows]
        worth = np.where(np.isnan(value[rows]), 0.0, value[rows])
        if dense:
            counts += np.bincount(key, minlength=bins)
            sums += np.bincount(key, worth, bins)
        else:
            found.append(_grouped(key, np.ones(len(key), np.int64), worth))
    if dense:
        keys = np.flatnonzero(counts)
        counts, sums = counts[keys], sums[keys]
    else:
        keys, counts, sums = _grouped(*(np.concatenate(c) for c in zip(*found, strict=True)))
    window, code = np.divmod(keys >> _SHARD_BITS, codes.slots)
    window = names[window] if len(names) else window
    return window + low, code, keys & (SHARDS - 1), counts, sums


def _grouped(
    keys: IntArray, counts: IntArray, sums: NDArray[np.float64]
) -> tuple[IntArray, IntArray, NDArray[np.float64]]:
    """Sorted distinct keys, and what equal keys have together."""
    order = np.argsort(keys, kind="stable")
    first = first_of_runs(keys[order])
    return (
        keys[order][first],
        np.add.reduceat(counts[order], first),
        np.add.reduceat(sums[order], first),
    )
