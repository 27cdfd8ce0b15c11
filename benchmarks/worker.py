"""One contender in one process: started by ``run.py``, which talks to it in lines of JSON.

Polars fixes its number of threads when it is imported, and peers need another environment, so each
contender gets a process. Between its turns it waits for the next line and uses no processor.
"""

from __future__ import annotations

import functools
import gc
import importlib
import json
import os
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import numpy as np
from turn import turn


def main() -> None:
    """Answer requests until the input ends."""
    module, name, threads, folder = sys.argv[1:]
    # Some packages print a banner; the line to run.py is kept apart from what they print.
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)

    def say(**fields: Any) -> None:
        print(json.dumps(fields), file=out)

    # Imported after the lines above, and possibly not there at all.
    from workload import Log

    try:
        tool = importlib.import_module(f"contenders.{module}")
        contender = tool.contender(name, Log.load(Path(folder)), int(threads))
    except ImportError as error:
        say(missing=str(error))
        return
    except Exception:  # noqa: BLE001  (whatever a foreign package raises is reported, not hidden)
        say(failed=traceback.format_exc())
        return
    say(versions=dict(contender.versions), rows=list(contender.rows))
    rows: dict[str, Any] = {}
    gc.disable()  # the collector would strike at random
    for line in sys.stdin:
        request = json.loads(line)
        row = request["row"]
        try:
            if request["do"] == "answer":
                rows[row] = contender.rows[row]()
                say(**_answer(rows[row], Path(request["folder"])))
            elif request["do"] == "time":
                say(**turn(functools.partial(_once, rows[row])))
            else:
                del rows[row]
                say(peak=_peak_gigabytes())
        except Exception:  # noqa: BLE001  (likewise)
            say(failed=traceback.format_exc())
        gc.collect()


def _answer(row: Any, folder: Path) -> dict[str, Any]:
    """Run once, untimed, and leave the answer as ``.npy`` files: a check, and the warm-up."""
    row.reset()
    for name, array in row.read(row.run()).items():
        np.save(folder / f"{name}.npy", array)
    return {"answers": row.answers, "loose": row.loose, "note": row.note}


def _once(row: Any) -> dict[str, float]:
    row.reset()
    cpu, wall = time.process_time(), time.perf_counter()
    result = row.run()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    del result  # giving memory back is not part of the work
    return {"wall": wall, "cpu": cpu}


def _peak_gigabytes() -> float:
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    unit = 1e9 if sys.platform == "darwin" else 1e6  # bytes there, kilobytes elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


if __name__ == "__main__":
    main()
