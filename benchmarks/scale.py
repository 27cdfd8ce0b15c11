"""Cost against size: Parquet of 10^5 to 10^8 touchpoints to engagement scores and Markov credit.

    python benchmarks/scale.py --folder /tmp/scale --sizes 5 6 7 --roads memory fold
    python benchmarks/scale.py --folder /tmp/scale --sizes 8 --roads fold --memory-limit 4GB
    python benchmarks/scale.py --report

The log is written once, outside the timing, in files of 2.5 million rows that are sorted by time as
logs are: text ids, one customer per ten touchpoints, a few of them far more active than most. Each
run has a process of its own, whose peak of resident memory is read at its end. What was measured is
kept in scale.json, so that sizes can be run at different times; scale.md and the picture in the
docs are written from it.

- ``memory``: ``read_events`` makes journeys of all files, then scores and credit are computed.
- ``fold``: DuckDB sorts under a limit of memory; batches are scored, written to Parquet, counted
  and forgotten.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "src"))  # a checkout need not be installed

import machine
from scale_report import write_report

import cxkit as cx

HERE = Path(__file__).parent
KEPT = HERE / "scale.json"
PICTURE = HERE.parent / "docs" / "concepts" / "cost-and-size.svg"
PART = 2_500_000
START_US = 1_735_689_600_000_000  # 2025-01-01
YEAR_US = 365 * 86_400_000_000
EVENTS = {"view": 0.74, "cart": 0.15, "mail_open": 0.08, "purchase": 0.03}
CHANNELS = ["ads", "app", "direct", "email", "partner", "search", "social", "store"]
ROLES = {
    "customer": "user",
    "time": "ts",
    "event": "action",
    "channel": "source",
    "value": "revenue",
}
AT = "2026-01-01"
GOAL = "purchase"


def write_log(folder: Path, rows: int) -> None:
    """Write the log in parts; what is there already stays."""
    import pyarrow as pa
    from pyarrow import compute as pc, parquet as pq

    done = folder / "_DONE"
    if done.exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    customers = rows // 10
    for part, begin in enumerate(range(0, rows, PART)):
        size = min(PART, rows - begin)
        rng = np.random.default_rng([rows, part])
        # The power makes low numbers frequent; the product scatters them among all ids.
        who = (customers * rng.random(size) ** 1.5).astype(np.int64) * 2_654_435_761 % 10**10
        digits = pc.utf8_lpad(pa.array(who).cast(pa.string()), 10, "0")
        times = np.sort(rng.integers(begin, begin + size, size)) * (YEAR_US // rows) + START_US
        event = rng.choice(len(EVENTS), size, p=list(EVENTS.values()))
        value = np.where(event == list(EVENTS).index(GOAL), rng.integers(500, 20_000, size), 0)
        table = pa.table(
            {
                "user": pc.binary_join_element_wise("u", digits, ""),
                "ts": pa.array(times, pa.timestamp("us", "UTC")),
                "action": pa.DictionaryArray.from_arrays(event.astype(np.int8), list(EVENTS)),
                "source": pa.DictionaryArray.from_arrays(
                    rng.integers(len(CHANNELS), size=size).astype(np.int8), CHANNELS
                ),
                "revenue": pa.array(value / 100, mask=value == 0),
            }
        )
        pq.write_table(table, folder / f"part-{part}.parquet")
    done.touch()


def scale_of_points() -> cx.EngagementScale:
    """What is scored."""
    points = {"purchase": 100, "cart": 10, "mail_open": 3, "view": 1}
    rules = [cx.PointRule(event, value) for event, value in points.items()]
    return cx.EngagementScale(rules, half_life="14d")


def in_memory(folder: Path, _limit: str) -> Iterator[tuple[str, object]]:
    """Everything at once."""
    journeys = cx.read_events(folder, **ROLES).journeys
    yield "journeys", len(journeys)
    scores = scale_of_points().score(journeys, at=AT)
    yield "scores", float(scores.values.sum())
    credit = cx.attribution.attribute(journeys, GOAL, cx.attribution.Markov())
    yield "credit", credit.total_conversions


def folded(folder: Path, limit: str) -> Iterator[tuple[str, object]]:
    """A batch at a time, out of DuckDB; the scores of all customers go to a file."""
    from pyarrow import compute as pc, parquet as pq

    out, first, began = folder / "_scores.parquet", 0.0, time.perf_counter()
    with cx.interop.ScoreWriter(out, scale_of_points(), at=AT) as scores:

        def each(journeys: cx.Journeys) -> None:
            nonlocal first
            first = first or time.perf_counter() - began
            scores(journeys)

        got = cx.interop.duckdb.fold(
            folder,
            partial(cx.attribution.ChainCounts.of, goal=GOAL),
            each=each,
            memory_limit=limit,
            **ROLES,
        )
    credit = got.summary.result()
    yield "sort", first
    yield "journeys", got.journeys
    yield "credit", credit.total_conversions
    yield "scores", pc.sum(pq.read_table(out, columns=["score"])["score"]).as_py()
    out.unlink()


ROADS = {"memory": in_memory, "fold": folded}


def run_one(road: str, folder: Path, limit: str) -> None:
    """One run, in this process: prints a line of JSON."""
    from resource import RUSAGE_SELF, getrusage

    seconds, answers, began = {}, {}, time.perf_counter()
    last = began
    for stage, answer in ROADS[road](folder, limit):
        now = time.perf_counter()
        seconds[stage], answers[stage] = now - last, answer
        if stage != "scores" or road == "memory":  # the fold has written them; they are read back
            last = now
    if road == "fold":  # the stages run side by side: only the sort is known apart
        seconds = {"sort": answers.pop("sort")}
    peak = getrusage(RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    found = {"seconds": seconds, "total": last - began, "peak": peak, "answers": answers}
    print(json.dumps(found))


def measure(road: str, folder: Path, rows: int, rounds: int, limit: str) -> dict:
    """The median of some runs, each in a process of its own."""
    runs = []
    for _ in range(rounds):
        busy = machine.others()
        command = [sys.executable, __file__, "--one", road, "--folder", str(folder)]
        done = subprocess.run(
            [*command, "--memory-limit", limit], check=True, capture_output=True, text=True
        )
        runs.append({**json.loads(done.stdout), "busy": round(busy, 2)})
        print(f"{rows:>11,} {road:6} {runs[-1]}", flush=True)
    middle = sorted(runs, key=lambda run: run["total"])[len(runs) // 2]
    return {
        "rows": rows,
        "road": road,
        **middle,
        "peak": statistics.median(run["peak"] for run in runs),
        "runs": len(runs),
        "bytes": sum(file.stat().st_size for file in folder.glob("part-*.parquet")),
        "limit": limit if road == "fold" else "",
        "machine": machine.describe(),
    }


def main() -> None:
    """Write the logs, measure, and report."""
    told = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    told.add_argument("--folder", type=Path, default=Path("/tmp/cxkit-scale"))  # noqa: S108
    told.add_argument("--sizes", type=int, nargs="*", default=[], help="powers of ten")
    told.add_argument("--roads", nargs="*", default=list(ROADS), choices=ROADS)
    told.add_argument("--rounds", type=int, default=3, help="runs of up to 10^7; larger ones: 1")
    told.add_argument("--memory-limit", default="4GB", help="of DuckDB, for the fold")
    told.add_argument("--report", action="store_true", help="only write the report anew")
    told.add_argument("--one", choices=ROADS, help=argparse.SUPPRESS)
    told.add_argument("--write-log", type=int, help=argparse.SUPPRESS)
    asked = told.parse_args()
    if asked.one:
        run_one(asked.one, asked.folder, asked.memory_limit)
        return
    if asked.write_log:
        write_log(asked.folder, asked.write_log)
        return
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else []
    for power in asked.sizes:
        rows = 10**power
        folder = asked.folder / f"rows-1e{power}"
        # In a process of its own, so that its memory is given back.
        command = [sys.executable, __file__, "--write-log", str(rows), "--folder", str(folder)]
        subprocess.run(command, check=True)
        answers = {}
        for road in asked.roads:
            rounds = asked.rounds if power < 8 else 1
            found = measure(road, folder, rows, rounds, asked.memory_limit)
            answers[road] = found["answers"]
            kept = [k for k in kept if (k["rows"], k["road"]) != (rows, road)] + [found]
            KEPT.write_text(
                json.dumps(sorted(kept, key=lambda k: (k["rows"], k["road"])), indent=1)
            )
        check_same(answers)
    write_report(kept, HERE / "scale.md", HERE.parent / "docs" / "concepts" / "cost-and-size.svg")


def check_same(answers: dict[str, dict]) -> None:
    """Both roads give the same numbers."""
    if len(answers) == 2:
        one, other = answers.values()
        assert one["journeys"] == other["journeys"], answers
        assert one["credit"] == other["credit"], answers
        assert np.isclose(one["scores"], other["scores"], rtol=1e-9), answers


if __name__ == "__main__":
    main()
