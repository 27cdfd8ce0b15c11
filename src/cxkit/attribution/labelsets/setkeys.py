"""Sets of labels as numbers: one bit per label, so that a set and its shard are one key."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, smallest_unsigned
from cxkit.core.ragged import chunks
from cxkit.core.sequences import count_sequences

__all__ = ["MOST_BITS", "add_sets", "count_masks", "distinct_within", "unmask"]

MOST_BITS: Final = 56
"""Up to so many slots a set and its shard are one number of 64 bits; above, sets are sequences."""

_SHARD_BITS: Final = 6
_NARROW_BITS: Final = 32
_DENSE_BITS: Final = 20  # up to so many bits of key there is a counter for every key there could be


def count_masks(
    masks: NDArray[np.uint64],
    shard: NDArray[np.uint8],
    slots: int,
    *,
    conversions: IntArray,
    value: NDArray[np.float64],
) -> tuple[NDArray[np.uint64], dict[str, NDArray[Any]]]:
    """Count paths by set and shard, where every path is one.

    Args:
        masks: (P,) the set of each path; may be 0, for a path without a touch.
        shard: (P,) its shard.
        slots: Bits in use, 56 at most.
        conversions: The places of the paths that ended in a conversion.
        value: What those conversions are worth.

    Returns:
        (S,) keys ``mask * SHARDS + shard`` in order, and per key conversions, nulls, value.
    """
    # Numbers of 32 bits are sorted in half the time.
    kind = np.uint32 if slots + _SHARD_BITS <= _NARROW_BITS else np.uint64
    keys: NDArray[Any] = masks.astype(kind)
    np.left_shift(keys, kind(_SHARD_BITS), out=keys)
    np.bitwise_or(keys, shard, out=keys)
    mine = keys[conversions]
    if slots + _SHARD_BITS <= _DENSE_BITS:
        bins = 1 << (slots + _SHARD_BITS)
        often = np.bincount(keys, minlength=bins)
        found: NDArray[Any] = np.flatnonzero(often)
        converted = np.bincount(mine, minlength=bins)[found]
        worth = np.bincount(mine, value, bins)[found]
        often = often[found]
    else:
        keys.sort()
        begins = _begins(keys)
        often = np.diff(np.append(begins, len(keys)))
        found = keys[begins]
        at = np.searchsorted(found, mine)
        converted = np.bincount(at, minlength=len(found))
        worth = np.bincount(at, value, len(found))
    totals = {"conversions": converted, "nulls": often - converted, "value": worth}
    return found.astype(np.uint64), totals


def add_sets(
    codes: NDArray[Any],
    offsets: IntArray,
    shard: NDArray[np.uint8],
    slots: int,
    totals: dict[str, NDArray[Any]],
) -> dict[str, Any]:
    """Rows of sets that may repeat, added up; in the one order that depends on the sets alone.

    Args:
        codes: The labels of the sets, each set in order and without repeats.
        offsets: (R + 1,) the sets, none empty.
        shard: (R,) the shard of each.
        slots: How many labels there could be.
        totals: name -> (R,) what each row adds.

    Returns:
        The fields of a ``SequenceSummary``.
    """
    if slots > MOST_BITS:
        return count_sequences(offsets, codes, shard, totals)
    if not len(shard):
        return {"offsets": np.zeros(1, np.int64), "codes": codes, "shard": shard, **totals}
    keys = np.add.reduceat(np.uint64(1) << codes.astype(np.uint64), offsets[:-1])
    keys <<= np.uint64(_SHARD_BITS)
    keys |= shard
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    begins = _begins(keys)
    added = {name: np.add.reduceat(t[order], begins) for name, t in totals.items()}
    return {**unmask(keys[begins], slots), **added}


def unmask(keys: NDArray[np.uint64], slots: int) -> dict[str, Any]:
    """The offsets, codes and shards of rows from their keys."""
    masks = keys >> np.uint64(_SHARD_BITS)
    used = next(n for n in (1, 2, 4, 8) if 8 * n >= slots)  # bytes; a power of 2 makes % one step
    low = np.ascontiguousarray(masks.astype("<u8").view(np.uint8).reshape(-1, 8)[:, :used])
    places = np.flatnonzero(np.unpackbits(low, bitorder="little").view(bool))
    offsets = np.zeros(len(keys) + 1, np.int64)
    np.cumsum(np.bitwise_count(masks), out=offsets[1:])
    return {
        "offsets": offsets,
        "codes": (places & (8 * used - 1)).astype(smallest_unsigned(max(slots - 1, 0))),
        "shard": (keys & np.uint64((1 << _SHARD_BITS) - 1)).astype(np.uint8),
    }


def distinct_within(codes: NDArray[Any], offsets: IntArray) -> tuple[NDArray[Any], IntArray]:
    """The distinct codes of each segment, in order: ``(codes, offsets)``.

    Example:
        >>> distinct_within(np.array([3, 1, 3, 2]), np.array([0, 3, 4]))[0].tolist()
        [1, 3, 2]
    """
    kept = [codes[:0]]
    sizes = [np.zeros(0, np.int64)]
    for j0, j1, e0, e1 in chunks(offsets):
        # The segment stands above the code: one sort of values sorts within all segments.
        size = np.diff(offsets[j0 : j1 + 1])
        key = np.repeat(np.arange(j1 - j0, dtype=np.uint64) << np.uint64(40), size)
        key |= codes[e0:e1].astype(np.uint64)
        key.sort()
        key = key[_begins(key)]
        sizes.append(np.bincount((key >> np.uint64(40)).astype(np.int64), minlength=j1 - j0))
        kept.append((key & np.uint64((1 << 40) - 1)).astype(codes.dtype))
    return np.concatenate(kept), np.append(0, np.cumsum(np.concatenate(sizes)))


def _begins(keys: NDArray[Any]) -> IntArray:
    """Where runs of equal keys begin."""
    new = np.ones(len(keys), dtype=bool)
    np.not_equal(keys[1:], keys[:-1], out=new[1:])
    return np.flatnonzero(new)
