"""One contender of the attribution benchmark in one process; speaks in lines of JSON."""

from __future__ import annotations

import functools
import gc
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from turn import turn


def main() -> None:
    """Answer requests until the input ends."""
    name, folder = sys.argv[1:]
    # Some packages print a banner; the line to the runner is kept apart from what they print.
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)

    def say(**fields: Any) -> None:
        print(json.dumps(fields), file=out)

    from attribution_contenders import CONTENDERS, versions
    from attribution_workload import PathLog

    make, threads, _, packages = CONTENDERS[name]
    try:
        rows = make(PathLog.load(Path(folder)), threads)
    except ImportError as error:
        say(missing=str(error))
        return
    except Exception:  # noqa: BLE001  (whatever a foreign package raises is reported, not hidden)
        say(failed=traceback.format_exc())
        return
    say(rows=list(rows), versions=versions(packages))
    gc.disable()  # the collector would strike at random
    for line in sys.stdin:
        request = json.loads(line)
        run, read = rows[request["row"]]
        try:
            if request["do"] == "answer":
                for key, array in read(run()).items():
                    np.save(Path(request["folder"]) / f"{key}.npy", array)
                say(done=True)
            else:
                say(**turn(functools.partial(_once, run)))
        except Exception:  # noqa: BLE001  (likewise)
            say(failed=traceback.format_exc())
        gc.collect()


def _once(run: Callable[[], Any]) -> dict[str, float]:
    start = time.perf_counter()
    found = run()
    took = time.perf_counter() - start
    del found  # giving memory back is not part of the work
    return {"wall": took}


if __name__ == "__main__":
    main()
