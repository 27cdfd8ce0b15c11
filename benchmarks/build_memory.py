"""How much memory a build takes at its peak, in units of the columns' own bytes."""

from __future__ import annotations

import gc
import sys
import tracemalloc
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "src"))  # a checkout need not be installed
from contenders.ours import _journeys
from workload import COLUMNS, Log, make_log

LIMIT = 3.0


def measure(log: Log) -> tuple[float, float]:
    """Peak while journeys are built and size of what comes out, over the bytes of the columns.

    numpy tells tracemalloc of every array it allocates, so this is exact where the resident memory
    of a process would include what earlier arrays left behind. The given columns count as held.
    """
    own = sum(getattr(log, name).nbytes for name in COLUMNS)
    gc.collect()
    tracemalloc.start()
    try:
        journeys = _journeys(log)
        left, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    del journeys
    return (own + peak) / own, left / own


def describe_memory(touchpoints: int) -> str:
    """The two figures as a line of the report."""
    peak, left = measure(make_log(touchpoints))
    return (
        f"memory of a build from {touchpoints:,} rows, in units of the columns' own bytes: "
        f"{peak:.2f} at its peak, the columns included (at most {LIMIT:.0f}); {left:.2f} come out"
    )


if __name__ == "__main__":
    for size in [int(text) for text in sys.argv[1:]] or [1_000_000, 10_000_000]:
        print(describe_memory(size))
