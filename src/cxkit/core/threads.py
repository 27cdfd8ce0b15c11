"""Two threads where a second one pays: journeys in parts, columns side by side.

numpy lets go of the interpreter while it works on an array, so threads do run at once. Work is
split at the bounds of journeys and every part is worked on as it would be alone, which is why the
answer has the same bits for any number of threads.

The number of threads is the number of processors, two at most; the environment variable
``CXKIT_THREADS`` sets another, 1 for none.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Final, TypeVar

import numpy as np

from cxkit.core.arrays import IntArray
from cxkit.errors import DefinitionError

__all__ = ["FEWEST_ROWS", "in_parts", "side_by_side", "threads"]

ResultT = TypeVar("ResultT")

FEWEST_ROWS: Final = 500_000
"""Below so many rows, starting a thread costs more than it saves."""
_VARIABLE: Final = "CXKIT_THREADS"


def threads() -> int:
    """How many threads to use.

    Raises:
        DefinitionError: The environment variable is set, but to no whole number from 1 up.
    """
    told = os.environ.get(_VARIABLE)
    if told is None:
        return min(2, os.cpu_count() or 1)
    if not told.isdecimal() or int(told) < 1:
        raise DefinitionError(f"{_VARIABLE} must be a whole number, 1 or more; found {told!r}")
    return int(told)


def side_by_side(work: Sequence[Callable[[], ResultT]], *, rows: int) -> list[ResultT]:
    """Do pieces of work that have nothing to do with each other; results in their order.

    Args:
        work: Functions without arguments.
        rows: How many rows they work on in all: few are not worth a thread.
    """
    count = min(threads(), len(work))
    if count < 2 or rows < FEWEST_ROWS:
        return [piece() for piece in work]
    from concurrent.futures import ThreadPoolExecutor

    waiting = deque(enumerate(work))
    done: dict[int, ResultT] = {}

    def take_turns() -> None:
        while True:
            try:
                at, piece = waiting.popleft()
            except IndexError:  # another thread took the last one
                return
            done[at] = piece()

    # This thread works too: to start one thread takes half as long as two.
    with ThreadPoolExecutor(count - 1) as pool:
        others = [pool.submit(take_turns) for _ in range(count - 1)]
        take_turns()
        for other in others:
            other.result()
    return [done[at] for at in range(len(work))]


def in_parts(work: Callable[[int, int], ResultT], offsets: IntArray) -> list[ResultT]:
    """Work on journeys in as many parts of about equal rows as there are threads.

    Args:
        work: Called with the first journey of a part and the one after its last.
        offsets: (J + 1,) the journeys.

    Returns:
        What each part gave, in order; one part where there are few rows.

    Example:
        >>> in_parts(lambda j0, j1: (j0, j1), np.array([0, 2, 5]))
        [(0, 2)]
    """
    rows, count = int(offsets[-1]), threads()
    if count < 2 or rows < FEWEST_ROWS:
        return [work(0, len(offsets) - 1)]
    marks = [rows * part // count for part in range(1, count)]
    cuts = [0, *np.searchsorted(offsets, marks).tolist(), len(offsets) - 1]
    parts = [(a, b) for a, b in pairwise(cuts) if a < b]
    return side_by_side([partial(work, *part) for part in parts], rows=rows)
