"""The rows of a chain's counts: from journeys, from paths, added up, over other labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cxkit.attribution.chains.grams import (
    add_rows,
    context_at,
    count_grams,
    grams_of_paths,
    row_keys,
)
from cxkit.attribution.touchpaths.cutting import conversion_values, sum_by
from cxkit.attribution.touchpaths.paths import Paths
from cxkit.attribution.touchpaths.runs import CutJourneys
from cxkit.core.arrays import IntArray, smallest_unsigned
from cxkit.errors import DefinitionError

__all__ = ["add_chains", "check_order", "rows_of_journeys", "rows_of_paths", "rows_over"]

Rows = dict[str, NDArray[Any]]

_HIGHEST: Final = 4
_MOST_LISTED: Final = 1 << 20
"""Keys below this are looked up in a list of all."""


def check_order(order: object) -> int:
    """The order of a chain.

    Raises:
        DefinitionError: It is no whole number from 1 to 4.
    """
    if isinstance(order, bool) or not isinstance(order, int) or not 1 <= order <= _HIGHEST:
        raise DefinitionError(
            f"order={order!r}: a chain may look back 1 to {_HIGHEST} touches; beyond that nearly "
            "every path is its own, and the removal effect is the share of paths with the label"
        )
    return order


def rows_of_journeys(found: CutJourneys, order: int) -> Rows:
    """Count the grams of journeys, and how their paths end.

    Args:
        found: The journeys, cut into paths.
        order: How many labels before the last one belong to a gram.
    """
    journeys, strip = found.journeys, found.strip
    labels = journeys.codes(found.rule.by)
    codes, shard = strip.take(labels.codes), strip.take(journeys.row_shards)
    slots = labels.slots
    (grams, steps), (contexts, often) = count_grams(
        codes, strip.offsets, shard, slots=slots, order=order
    )
    mine = strip.conversions[strip.attributed]
    ends = context_at(codes, strip.offsets, strip.converting, slots=slots, order=order)
    # Every end that is no conversion is a null path: counted together, and told apart here.
    converted = np.column_stack([journeys.row_shards[mine], ends]).astype(contexts.dtype)
    keys = row_keys(np.concatenate([contexts, converted]))
    at = _places(keys[: len(contexts)], keys[len(contexts) :])
    conversions = np.bincount(at, minlength=len(contexts))
    value = sum_by(at, conversion_values(journeys, mine), len(contexts))
    return _gram_fields(grams, steps, slots) | _context_fields(
        contexts, conversions, often - conversions, value, slots
    )


def _places(known: NDArray[np.uint64], asked: NDArray[np.uint64]) -> IntArray:
    """(n,) the places of keys among known ones, which ascend and hold them all."""
    if not len(known) or known[-1] >= _MOST_LISTED:
        return np.searchsorted(known, asked)
    place = np.zeros(int(known[-1]) + 1, np.int64)  # a look each, in place of a search
    place[known] = np.arange(len(known))
    return place[asked]


def rows_of_paths(paths: Paths, order: int) -> Rows:
    """The same from distinct paths."""
    slots = len(paths.labels) + 1
    grams = grams_of_paths(paths.codes, paths.offsets, slots=slots, order=order)
    size = np.diff(paths.offsets)
    shard = paths.shard.astype(grams.dtype)
    rows, steps = add_rows(
        np.column_stack([np.repeat(shard, size), grams]),
        [np.repeat(paths.conversions + paths.nulls, size)],
    )
    ends, conversions, nulls, value = add_rows(
        np.column_stack([shard, grams[paths.offsets[1:] - 1, 1:]]),
        [paths.conversions, paths.nulls, paths.value],
    )
    return _gram_fields(rows, steps, slots) | _context_fields(
        ends, conversions, nulls, value, slots
    )


def rows_over(rows: Mapping[str, NDArray[Any]], place: IntArray, drop: int = 0) -> Rows:
    """The rows with other codes for the labels, and without the first labels of each.

    Args:
        rows: Rows of a chain over K labels.
        place: (K + 1,) the new code of every label, and of the missing one last.
        drop: How many labels to leave out.
    """
    start = int(place[-1]) + 1
    table = np.append(place, start).astype(smallest_unsigned(start))
    moved = dict(rows)
    for name in ("grams", "contexts"):
        moved[name] = table[rows[name][:, drop:]]
    return moved


def add_chains(parts: Sequence[Mapping[str, NDArray[Any]]], slots: int) -> Rows:
    """The distinct rows of all parts, in order, and their sums.

    Args:
        parts: Rows over the same labels, of one order.
        slots: K + 1.
    """
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    rows, steps = add_rows(
        np.column_stack([joined["gram_shard"], joined["grams"]]), [joined["steps"]]
    )
    ends, conversions, nulls, value = add_rows(
        np.column_stack([joined["context_shard"], joined["contexts"]]),
        [joined["conversions"], joined["nulls"], joined["value"]],
    )
    return _gram_fields(rows, steps, slots) | _context_fields(
        ends, conversions, nulls, value, slots
    )


def _gram_fields(rows: NDArray[Any], steps: IntArray, slots: int) -> Rows:
    return {
        "grams": np.ascontiguousarray(rows[:, 1:], smallest_unsigned(slots)),
        "gram_shard": rows[:, 0].astype(np.uint8),
        "steps": steps,
    }


def _context_fields(
    rows: NDArray[Any],
    conversions: IntArray,
    nulls: IntArray,
    value: NDArray[np.float64],
    slots: int,
) -> Rows:
    return {
        "contexts": np.ascontiguousarray(rows[:, 1:], smallest_unsigned(slots)),
        "context_shard": rows[:, 0].astype(np.uint8),
        "conversions": conversions,
        "nulls": nulls,
        "value": value,
    }
