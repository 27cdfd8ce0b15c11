"""What ``import cxkit`` costs over numpy and attrs: median of fresh interpreters."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCE = Path(__file__).parent.parent / "src"
TARGET_MS = 25.0

# Timed inside the interpreter, after numpy and attrs are in: starting Python is not our cost.
CODE = """
import time
import attrs, numpy
wall, cpu = time.perf_counter(), time.process_time()
import cxkit
print(time.perf_counter() - wall, time.process_time() - cpu)
"""


def import_cost(times: int = 15) -> tuple[float, float] | None:
    """Milliseconds by the clock and of the processor, or None when cxkit cannot be imported.

    One more run, the first, fills the caches.
    """
    path = os.pathsep.join(filter(None, (str(SOURCE), os.environ.get("PYTHONPATH"))))
    costs = []
    with tempfile.TemporaryDirectory() as cache:
        # An installed package has its bytecode; a checkout may have none, or not be allowed any.
        environment = os.environ | {
            "PYTHONPATH": path,
            "PYTHONPYCACHEPREFIX": cache,
            "PYTHONDONTWRITEBYTECODE": "",
        }
        for _ in range(times + 1):
            done = subprocess.run(
                [sys.executable, "-c", CODE],
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                print(done.stderr, file=sys.stderr)
                return None
            costs.append([float(part) * 1000.0 for part in done.stdout.split()])
    wall, cpu = (statistics.median(column) for column in zip(*costs[1:], strict=True))
    return wall, cpu


def describe_import() -> str:
    """The cost in words."""
    cost = import_cost()
    if cost is None:
        return "`import cxkit`: cannot be imported"
    return (
        f"`import cxkit` over numpy and attrs: {cost[0]:.1f} ms, "
        f"{cost[1]:.1f} ms of processor time (target: at most {TARGET_MS:.0f} ms)"
    )


if __name__ == "__main__":
    print(describe_import())
