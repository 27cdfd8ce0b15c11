"""What a contender has to offer: rows of the benchmark that can be prepared, run and read."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from workload import CHANNELS

Answer = dict[str, NDArray]


def _nothing() -> None:
    """Nothing to tidy up."""


@dataclasses.dataclass(frozen=True)
class Row:
    """One row of the benchmark, prepared.

    Attributes:
        run: what is timed.
        read: turns what ``run`` gave into the arrays that ``reference`` knows; not timed.
        reset: tidies up before each run; not timed.
        answers: the row of ``reference`` that is answered, if another than the benchmark's.
        loose: how far the numbers may be off (for simulated answers).
        note: what a reader of the table should know.
    """

    run: Callable[[], Any]
    read: Callable[[Any], Answer]
    reset: Callable[[], None] = _nothing
    answers: str = ""
    loose: float = 0.0
    note: str = ""


@dataclasses.dataclass(frozen=True)
class Contender:
    """A tool with the log loaded.

    Attributes:
        versions: of the tool and of what it stands on.
        rows: what prepares each row that the tool can do.
    """

    versions: Mapping[str, str]
    rows: Mapping[str, Callable[[], Row]]


def removal_effects(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Removal effects (K,) of a chain of order 1, all from one inverse.

    With N the expected visits to column from row, a the visits from the start, b the chance to
    convert and p that of a path, removing k costs ``a_k b_k / (N_kk p)`` of the conversions.

    Args:
        counts: (K + 1, K + 2): from a channel or the start, to a channel, conversion or null.
    """
    step = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    visits = np.linalg.inv(np.eye(CHANNELS) - step[:CHANNELS, :CHANNELS])
    arrive = step[CHANNELS, :CHANNELS] @ visits
    convert = visits @ step[:CHANNELS, CHANNELS]
    whole = step[CHANNELS, :CHANNELS] @ convert
    return arrive * convert / (np.diagonal(visits) * whole)


def chain(moves: NDArray[np.int64], conversions: NDArray[np.int64]) -> NDArray[np.int64]:
    """The counts (K + 1, K + 2) of a chain whose null column follows from the rest.

    Args:
        moves: (K + 1, K) counts from a channel or the start to a channel.
        conversions: (K,) counts of conversions at a channel.
    """
    counts = np.zeros((CHANNELS + 1, CHANNELS + 2), np.int64)
    counts[:, :CHANNELS] = moves
    counts[:CHANNELS, CHANNELS] = conversions
    # Whatever arrives at a channel leaves it: to a channel, to conversion, or to null.
    counts[:CHANNELS, CHANNELS + 1] = moves.sum(axis=0) - moves[:CHANNELS].sum(axis=1) - conversions
    return counts
