"""One turn of a contender: how long its work takes once the processor is awake.

Between its turns a contender is idle, and the first milliseconds after that tell more of the
machine than of the work: processors wake up, and threads are spread over them.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

TURN = 0.3
"""Work that takes fewer seconds is done again until they are over; of the second half of the runs
the median counts."""


def turn(once: Callable[[], dict[str, float]]) -> dict[str, float]:
    """Seconds, by name, that one run takes."""
    began = time.perf_counter()
    took = [once()]
    while time.perf_counter() - began < TURN:
        took.append(once())
    awake = took[len(took) // 2 :]
    return {name: statistics.median(each[name] for each in awake) for name in took[0]}
