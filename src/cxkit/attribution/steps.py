"""Counting the steps of a chain, kept as sequences of one label or two."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, smallest_unsigned
from cxkit.core.ragged import CHUNK, chunks
from cxkit.core.sequences import count_sequences
from cxkit.core.summary import SHARDS
from cxkit.core.threads import in_parts

__all__ = ["chain_of_runs", "chain_of_sequences"]

_MOST_BINS: Final = 1 << 22
"""Above so many cells (32 MB of counters), steps are counted by sorting them."""
_FEW_BINS: Final = 1 << 16


def chain_of_runs(
    codes: NDArray[Any],
    offsets: IntArray,
    shard: NDArray[np.uint8],
    *,
    slots: int,
    goals: IntArray,
    value: NDArray[np.float64],
    cuts: NDArray[np.bool_] | None,
) -> dict[str, Any]:
    """The chain of touches in runs of rows.

    Args:
        codes: (E,) the label of every row.
        offsets: (R + 1,) the runs, none empty.
        shard: (E,) the shard of every row, the same throughout a run.
        slots: K + 1.
        goals: (C,) rows that a conversion follows at once.
        value: (C,) what the conversions are worth.
        cuts: (C,) which of those rows have more of their run behind them, so that the run is two
            paths; ``None`` if each ends its run.

    Returns:
        The fields of a ``SequenceSummary`` with the totals steps, conversions, nulls and value.
    """
    at = shard[goals].astype(np.int64) * slots + codes[goals]
    over = np.zeros(0, np.int64)
    if cuts is not None:
        over = at[cuts] * slots + codes[goals[cuts] + 1]
    pairs, often, seen = _count_steps(codes, offsets, shard, slots, over)
    # What is not come to from a label begins a path; what does not go on to one ends it.
    cells = SHARDS * slots
    left = np.bincount(pairs // slots, often, cells).astype(np.int64)
    come = np.bincount(pairs // slots**2 * slots + pairs % slots, often, cells).astype(np.int64)
    converted = np.bincount(at, minlength=cells)
    starts, nulls = seen - come, seen - left - converted
    single = np.flatnonzero(starts + converted + nulls)
    blank = np.zeros(len(pairs), np.int64)
    both = np.stack([pairs // slots % slots, pairs % slots], axis=1).ravel()
    return count_sequences(
        _pairs_then_singles(len(pairs), len(single)),
        np.append(both, single % slots).astype(smallest_unsigned(slots - 1)),
        np.append(pairs // slots**2, single // slots).astype(np.uint8),
        {
            "steps": np.append(often, starts[single]),
            "conversions": np.append(blank, converted[single]),
            "nulls": np.append(blank, nulls[single]),
            "value": np.append(blank * 0.0, np.bincount(at, value, cells)[single]),
        },
    )


def chain_of_sequences(
    codes: NDArray[Any],
    offsets: IntArray,
    shard: NDArray[np.integer[Any]],
    *,
    conversions: IntArray,
    nulls: IntArray,
    value: NDArray[np.float64],
) -> dict[str, Any]:
    """The chain of distinct paths, each of which led often to a conversion or to none.

    Args:
        codes: (T,) the labels of the paths.
        offsets: (S + 1,) the paths, none empty.
        shard: (S,) the shard of each.
        conversions: (S,) how often each led to a conversion.
        nulls: (S,) and how often to none.
        value: (S,) what its conversions are worth.

    Returns:
        As :func:`chain_of_runs`.
    """
    often = conversions + nulls
    size = np.diff(offsets)
    inner = np.ones(len(codes), dtype=bool)
    inner[offsets[1:] - 1] = False
    left = np.flatnonzero(inner)
    no_pair, no_start = np.zeros(len(left), np.int64), np.zeros(len(often), np.int64)
    both = np.stack([codes[left], codes[left + 1]], axis=1).ravel()
    return count_sequences(
        _pairs_then_singles(len(left), 2 * len(often)),
        np.concatenate([both, codes[offsets[:-1]], codes[offsets[1:] - 1]]),
        np.concatenate([np.repeat(shard, size - 1), shard, shard]),
        {
            "steps": np.concatenate([np.repeat(often, size - 1), often, no_start]),
            "conversions": np.concatenate([no_pair, no_start, conversions]),
            "nulls": np.concatenate([no_pair, no_start, nulls]),
            "value": np.concatenate([no_pair, no_start, value]),
        },
    )


def _pairs_then_singles(pairs: int, singles: int) -> IntArray:
    """Offsets of sequences of two, followed by sequences of one."""
    return np.append(np.arange(0, 2 * pairs, 2), 2 * pairs + np.arange(singles + 1))


def _count_steps(
    codes: NDArray[Any],
    offsets: IntArray,
    shard: NDArray[np.uint8],
    slots: int,
    over: IntArray,
) -> tuple[IntArray, IntArray, IntArray]:
    """Steps within runs of rows.

    Args:
        codes: (E,) the label of every row.
        offsets: (R + 1,) the runs.
        shard: (E,) the shard of every row.
        slots: K + 1.
        over: Steps that are none, because a path ends between their rows: to be taken off.

    Returns:
        (D,) the distinct steps as ``(shard * slots + from) * slots + to``, sorted; (D,) how often;
        and (SHARDS * slots,) rows per ``shard * slots + code``.
    """
    bins = SHARDS * slots * slots
    if bins <= max(_FEW_BINS, min(_MOST_BINS, 4 * len(codes))):
        parts = in_parts(partial(_count_part, codes, offsets, shard, slots, bins), offsets)
        counts, last = (sum(arrays[1:], start=arrays[0]) for arrays in zip(*parts, strict=True))
        seen = counts.reshape(-1, slots).sum(axis=1) + last
        counts -= np.bincount(over, minlength=bins)
        keys = np.flatnonzero(counts)
        return keys, counts[keys], seen
    seen = np.zeros(SHARDS * slots, np.int64)
    found = [np.zeros(0, np.int64)]
    for j0, j1, e0, e1 in chunks(offsets):
        left = shard[e0:e1].astype(np.int64) * slots + codes[e0:e1]
        np.add.at(seen, left, 1)
        steps = left[:-1] * slots + codes[e0 + 1 : e1]
        inner = np.ones(len(left), dtype=bool)
        inner[offsets[j0 + 1 : j1 + 1] - 1 - e0] = False
        found.append(steps[inner[:-1]])
    keys = np.sort(np.concatenate(found))
    begins = np.flatnonzero(np.append(True, keys[1:] != keys[:-1])[: len(keys)])
    pairs, often = keys[begins], np.diff(np.append(begins, len(keys)))
    np.subtract.at(often, np.searchsorted(pairs, over), 1)
    return pairs[often > 0], often[often > 0], seen


def _count_part(
    codes: NDArray[Any],
    offsets: IntArray,
    shard: NDArray[np.uint8],
    slots: int,
    bins: int,
    begin: int,
    end: int,
) -> tuple[IntArray, IntArray]:
    """Steps within the runs ``begin:end``, with a counter for every step there could be.

    The step from the last row of a run to the first of the next is counted with the others and
    taken off again: that is cheaper than leaving it out. All in the narrowest integers and a chunk
    at a time, so that the work stays in the second-level cache.

    Returns:
        (bins,) how often, and (SHARDS * slots,) rows that no step leaves, by shard and label.
    """
    narrow = smallest_unsigned(bins - 1).type
    counts = np.zeros(bins, np.int64)
    last = np.zeros(SHARDS * slots, np.int64)
    ends = [np.zeros(0, narrow)]
    for j0, j1, e0, e1 in chunks(offsets, max(2 * CHUNK, 2 * bins), within=(begin, end)):
        wide = codes[e0:e1].astype(narrow)
        step = shard[e0:e1].astype(narrow)
        step *= narrow(slots)
        step += wide
        step *= narrow(slots)
        last[int(step[-1]) // slots] += 1  # steps to nowhere: the next row is of another chunk
        step = step[:-1]
        step += wide[1:]
        counts += np.bincount(step, minlength=bins)
        ends.append(step[offsets[j0 + 1 : j1] - 1 - e0])
    taken_off = np.bincount(np.concatenate(ends), minlength=bins)
    return counts - taken_off, last + taken_off.reshape(-1, slots).sum(axis=1)
