"""What live scores keep beside rows of numbers, as arrays: touchpoints that wait, points kept."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.engagement.livebytes import damaged
from cxkit.engagement.livematch import Matches
from cxkit.engagement.livestate import LiveState
from cxkit.engagement.livesteps import Kept

__all__ = ["Item", "Waiting", "check", "pack", "unpack"]

Item = tuple[int, bool, Matches]
"""A touchpoint that waits: its time, whether it is activity, the rules that it reaches."""


@attrs.define(eq=False)
class Waiting:
    """Touchpoints that a late one may still precede.

    Attributes:
        before: The row of the state before them.
        items: The touchpoints, in order.
    """

    before: int
    items: list[Item]


_FLAT: Final = {
    "waiting_of": np.int64,  # (P,) the customer
    "before_ints": np.int64,  # (P, W) the state before
    "before_cells": np.float64,  # (P, C)
    "waiting_size": np.int64,  # (P,) how many wait
    "item_time": np.int64,  # (I,)
    "item_active": np.uint8,  # (I,)
    "item_size": np.int64,  # (I,) how many rules it reaches
    "match_rule": np.int64,  # (M,)
    "match_points": np.float64,  # (M,)
    "kept_size": np.int64,  # (n + P,) or (0,) how many points are kept one by one
    "kept_time": np.int64,  # (Q,)
    "kept_cell": np.int64,  # (Q,)
    "kept_points": np.float64,  # (Q,)
}


def pack(
    state: LiveState,
    rows: Sequence[int],
    waiting: Mapping[int, Waiting],
    kept: Mapping[int, Kept],
) -> dict[str, NDArray[Any]]:
    """The arrays, customers in the order of their rows."""
    place = {row: customer for customer, row in enumerate(rows)}
    held = sorted((place[row], one) for row, one in waiting.items())
    before = [one.before for _, one in held]
    items = [item for _, one in held for item in one.items]
    matches = [match for _, _, own in items for match in own]
    lists = [kept[row] for row in (*rows, *before)] if kept else []
    points = [point for own in lists for point in own]
    ints, cells = state.take(before)
    columns: dict[str, Any] = {
        "waiting_of": [customer for customer, _ in held],
        "before_ints": ints,
        "before_cells": cells,
        "waiting_size": [len(one.items) for _, one in held],
        "item_time": [time for time, _, _ in items],
        "item_active": [active for _, active, _ in items],
        "item_size": [len(own) for _, _, own in items],
        "match_rule": [rule for rule, _ in matches],
        "match_points": [worth for _, worth in matches],
        "kept_size": [len(own) for own in lists],
        "kept_time": [time for time, _, _ in points],
        "kept_cell": [cell for _, cell, _ in points],
        "kept_points": [worth for _, _, worth in points],
    }
    return {name: np.asarray(columns[name], dtype) for name, dtype in _FLAT.items()}


def check(
    header: Mapping[str, Any],
    arrays: Mapping[str, NDArray[Any]],
    customers: int,
    width: int,
    limits: tuple[int, int],
) -> None:
    """Believe nothing that is read: refuse arrays that contradict each other.

    Args:
        header: The header.
        arrays: The arrays.
        customers: n.
        width: W, the whole numbers of a row.
        limits: How many rules and how many cells there are.

    Raises:
        DataError: They do.
    """
    rules, cells = limits
    if any(name not in arrays or arrays[name].dtype != kind for name, kind in _FLAT.items()):
        raise damaged()
    size = {name: len(arrays[name]) for name in _FLAT}
    waiting, items = size["waiting_of"], size["item_time"]
    shapes = {
        "ints": (customers, width),
        "cells": (customers, cells),
        "before_ints": (waiting, width),
        "before_cells": (waiting, cells),
        "waiting_size": (waiting,),
        "item_active": (items,),
        "item_size": (items,),
        "match_points": (size["match_rule"],),
        "kept_cell": (size["kept_time"],),
        "kept_points": (size["kept_time"],),
    }
    sound = (
        isinstance(header.get("clock"), int)
        and all(arrays[name].shape == shape for name, shape in shapes.items())
        and _below(arrays["waiting_of"], customers)
        and _below(arrays["match_rule"], rules)
        and _below(arrays["kept_cell"], cells)
        and bool((np.diff(arrays["waiting_of"]) > 0).all())
        and _adds_up(arrays["waiting_size"], items, least=1)
        and _adds_up(arrays["item_size"], size["match_rule"], least=0)
        and _adds_up(arrays["kept_size"], size["kept_time"], least=0)
        and size["kept_size"] in {0, customers + waiting}
    )
    if not sound:
        raise damaged()


def unpack(
    state: LiveState, rows: Sequence[int], arrays: Mapping[str, NDArray[Any]], *, keeps: bool
) -> tuple[dict[int, Waiting], dict[int, Kept]]:
    """Take back what :func:`pack` gave, once it was checked."""
    plain = {name: arrays[name].tolist() for name in _FLAT if not name.startswith("before_")}
    matches = list(zip(plain["match_rule"], plain["match_points"], strict=True))
    own = _cut(matches, plain["item_size"])
    flags = map(bool, plain["item_active"])
    items = list(zip(plain["item_time"], flags, map(tuple, own), strict=True))
    before = [state.new_row() for _ in plain["waiting_of"]]
    state.put(before, arrays["before_ints"], arrays["before_cells"])
    waiting = {
        rows[customer]: Waiting(row, some)
        for customer, row, some in zip(
            plain["waiting_of"], before, _cut(items, plain["waiting_size"]), strict=True
        )
    }
    if not keeps:
        return waiting, {}
    points = list(zip(plain["kept_time"], plain["kept_cell"], plain["kept_points"], strict=True))
    lists = _cut(points, plain["kept_size"])
    return waiting, dict(zip([*rows, *before], lists, strict=True))


def _cut(flat: list[Any], sizes: list[int]) -> list[list[Any]]:
    ends = np.cumsum([0, *sizes]).tolist()
    return [flat[first:last] for first, last in itertools.pairwise(ends)]


def _below(numbers: NDArray[Any], most: int) -> bool:
    return not len(numbers) or bool(numbers.min() >= 0 and numbers.max() < most)


def _adds_up(sizes: NDArray[Any], total: int, *, least: int) -> bool:
    return bool((sizes >= least).all()) and int(sizes.sum()) == total
