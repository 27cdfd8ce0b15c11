"""What became of a pair, as one small number, and why in words."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.rows import in_row_parts, pieces
from cxkit.identity.guards import Rules
from cxkit.identity.pairs import Pairs

__all__ = [
    "ACCEPTED",
    "BLOCKED_VALUE",
    "CONFLICT",
    "FOR_A_TIME",
    "SELF",
    "SHARED",
    "SPLIT",
    "reason_of",
    "refuse",
    "rows_where",
]

ACCEPTED: Final = 0
FOR_A_TIME: Final = 1
SELF: Final = 2
BLOCKED_VALUE: Final = 3
SPLIT: Final = 4
SHARED: Final = 5
CONFLICT: Final = 6  # and beyond: one for each exclusive namespace

_REASONS: Final = {
    SELF: "self-pair",
    BLOCKED_VALUE: "blocked value",
    SPLIT: "split by hand",
    SHARED: "too widely shared",
}


def reason_of(status: int, rules: Rules) -> str:
    """Why a pair was refused; empty if it was not."""
    if status < SELF:
        return ""
    if status < CONFLICT:
        return _REASONS[status]
    return f"would give a customer two of {rules.exclusive[status - CONFLICT]!r}"


def refuse(status: NDArray[np.uint8], pairs: Pairs, nodes: NDArray[np.bool_], reason: int) -> None:
    """Refuse the pairs of some identifiers that nothing has refused so far."""
    for side, reach in zip((pairs.left, pairs.right), pairs.ranges, strict=True):
        if nodes[reach].any():
            rows = rows_where(nodes, side)
            status[rows[status[rows] == ACCEPTED]] = reason


def rows_where(nodes: NDArray[np.bool_], side: IntArray) -> IntArray:
    """The rows whose identifier is marked."""

    def part(begin: int, end: int) -> list[IntArray]:
        return [
            np.flatnonzero(np.take(nodes, side[first:last], mode="clip")) + first
            for first, last in pieces(begin, end)
        ]

    return np.concatenate([rows for some in in_row_parts(part, len(side)) for rows in some])
