"""The state after every row, where each row keeps a part of the state before it and adds to it.

A decayed score is such a state: a row keeps ``2 ** (-pause / half_life)`` of it. All segments take
one step at a time, longest first, so that a step is a few operations on whole arrays; every row is
one multiplication and one addition, as in a plain loop. So the bits are those of a plain loop,
and of a service that sees the rows one by one, wherever the data is cut.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.threads import in_parts

__all__ = ["running_state"]

FloatArray = NDArray[np.float64]

_SEGMENTS: Final = 32_768  # segments that take their steps together
_FEW: Final = 48  # so many segments are faster one by one than step by step
_STEPS: Final = 65_535  # longer ones are finished one by one


def running_state(added: FloatArray, kept: FloatArray, offsets: IntArray) -> FloatArray:
    """(E,) the state after each row: ``state = kept * state + added``, 0 before each segment.

    Args:
        added: (E,) what each row adds.
        kept: (E,) which part of the state before it each row keeps; not asked for the first row of
            a segment.
        offsets: (J + 1,) segments.

    Returns:
        (E,) states, the same bits for any number of threads and any cut of the data at segments.

    Example:
        >>> running_state(np.array([4.0, 1.0, 1.0]), np.array([0, 0.5, 0.5]), np.array([0, 2, 3]))
        array([4., 3., 1.])
    """
    out = np.empty(len(added))

    def part(begin: int, end: int) -> None:
        for j0 in range(begin, end, _SEGMENTS):
            _block(added, kept, offsets[j0 : min(j0 + _SEGMENTS, end) + 1], out)

    in_parts(part, offsets)
    return out


def _block(added: FloatArray, kept: FloatArray, offsets: IntArray, out: FloatArray) -> None:
    size = np.diff(offsets)
    # Numbers of 16 bits are sorted by their digits, which is faster than by comparison.
    longest_first = np.argsort((_STEPS - np.minimum(size, _STEPS)).astype(np.uint16), kind="stable")
    rows, size = offsets[:-1][longest_first], size[longest_first]
    alive = len(size) - np.cumsum(np.bincount(np.minimum(size, _STEPS)))
    state = added[rows]
    out[rows] = state
    step = 1
    while step < len(alive) and alive[step] > _FEW:
        some = int(alive[step])
        rows = rows[:some] + 1
        state = state[:some] * kept[rows]
        state += added[rows]
        out[rows] = state
        step += 1
    for begin, length in zip(rows.tolist(), (size[: len(rows)] - step).tolist(), strict=True):
        if length > 0:
            _tail(added, kept, out, begin + 1, begin + 1 + length)


def _tail(added: FloatArray, kept: FloatArray, out: FloatArray, begin: int, end: int) -> None:
    """The rows ``begin:end`` of one segment, from the state before them."""
    state = float(out[begin - 1])
    states = []
    for keep, add in zip(kept[begin:end].tolist(), added[begin:end].tolist(), strict=True):
        state = keep * state + add
        states.append(state)
    out[begin:end] = states
