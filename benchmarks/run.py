"""Side by side, in one run: cxkit, hand-written Polars and DuckDB, and the packages people use.

The unit is R: ``np.cumsum`` of as many float64 as there are touchpoints, into an array that is
there already. See README.md for how to run it and how to read it.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import machine
import numpy as np
import table
from build_memory import describe_memory
from import_cost import describe_import
from kernel_workload import ROWS as KERNELS, KernelReference
from process import Worker
from reference import Reference, compare
from workload import Log, make_log

HERE = Path(__file__).parent
ROWS = ("build", "build_packed", "score", "markov", "transitions", "funnel")
# Name, module in contenders/, threads, and whether it is a peer (slow, in its own environment).
CONTENDERS = (
    ("cxkit", "ours", 2, False),
    ("Polars 1T", "polars_hand", 1, False),
    ("Polars 2T", "polars_hand", 2, False),
    ("DuckDB 1T", "duckdb_hand", 1, False),
    ("DuckDB 2T", "duckdb_hand", 2, False),
    ("ChannelAttribution", "peers", 2, True),
    ("retentioneering", "peers", 2, True),
    ("pm4py", "peers", 2, True),
)

KERNEL_CONTENDERS = (
    ("cxkit", "kernels_ours", 2, False),
    ("Polars 1T", "kernels_polars", 1, False),
    ("Polars 2T", "kernels_polars", 2, False),
    ("DuckDB 1T", "kernels_duckdb", 1, False),
    ("DuckDB 2T", "kernels_duckdb", 2, False),
    ("pandas", "kernels_pandas", 1, False),
    ("numba", "kernels_numba", 1, False),
)


@dataclasses.dataclass
class Cell:
    """What one contender did in one row."""

    touchpoints: int
    wall: list[float] = dataclasses.field(default_factory=list)
    cpu: list[float] = dataclasses.field(default_factory=list)
    unit: list[float] = dataclasses.field(default_factory=list)  # R of this length, in these rounds
    peak: float = 0.0  # most memory of the process so far, in GB
    problem: str = ""  # why there is no figure
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Median time in units of R of the same length."""
        return statistics.median(self.wall) / statistics.median(self.unit) if self.wall else None


class Unit:
    """R for one length."""

    def __init__(self, length: int) -> None:
        self.given, self.out = np.random.default_rng(0).random(length), np.empty(length)

    def measure(self) -> float:
        """Seconds for one cumulative sum."""
        start = time.perf_counter()
        np.cumsum(self.given, out=self.out)
        return time.perf_counter() - start


def run_log(
    log: Log, workers: Sequence[Worker], options: argparse.Namespace, *, repeats: int
) -> tuple[dict[tuple[str, str], Cell], list[float]]:
    """Check, and time when ``repeats`` > 0, each row of each worker on one log.

    Returns:
        (row, contender) -> cell, and the cores that others used before each round.
    """
    reference = KernelReference(log) if options.kernels else Reference(log)
    reference.self_check()
    unit = Unit(len(log))
    cells: dict[tuple[str, str], Cell] = {}
    busy: list[float] = []
    for row in options.rows:
        ready = []
        for worker in workers:
            cell = cells[row, worker.name] = Cell(len(log))
            if worker.state != "here":
                cell.problem = worker.state
            elif row not in worker.rows:
                cell.problem = "-"
            else:
                check(worker, row, reference, cell)
                if not cell.problem:
                    ready.append(worker)
        unit.measure()
        for _ in range(repeats if ready else 0):
            noise, options.patience = machine.wait_for_quiet(options.patience)
            busy.append(noise)
            second = unit.measure()
            for worker in ready:  # one after another, so that a slow minute hits them all
                took = worker.ask(do="time", row=row)
                if "failed" in took:
                    raise RuntimeError(f"{worker.name}, {row}: {took['failed']}")
                cell = cells[row, worker.name]
                cell.wall.append(took["wall"])
                cell.cpu.append(took["cpu"])
                cell.unit.append(second)
        for worker in ready:
            cells[row, worker.name].peak = worker.ask(do="drop", row=row)["peak"]
    return cells, busy


def check(worker: Worker, row: str, reference: Reference, cell: Cell) -> None:
    """Run a row once, and write into its cell what is wrong with the answer."""
    with tempfile.TemporaryDirectory() as folder:
        said = worker.ask(do="answer", row=row, folder=folder)
        if "failed" in said:
            cell.problem = "failed"
            print(f"{worker.name}, {row}:\n{said['failed']}", file=sys.stderr)
            return
        got = {path.stem: np.load(path) for path in Path(folder).glob("*.npy")}
    cell.note = said["note"]
    wrong = compare(said["answers"] or row, got, reference, loose=said["loose"])
    if said["loose"]:
        right = reference.answer(row)
        worst = max(np.max(np.abs(got[name] - right[name])) for name in got)
        cell.note += f" (here {worst:.2g})"
    if wrong:
        cell.problem = "wrong"
        print(f"{worker.name}, {row}: {wrong}", file=sys.stderr)


def open_workers(options: argparse.Namespace, folder: Path, *, peers: bool) -> list[Worker]:
    """Start the contenders that were asked for."""
    chosen = [
        spec
        for spec in (KERNEL_CONTENDERS if options.kernels else CONTENDERS)
        if spec[3] == peers and (not options.contenders or spec[0] in options.contenders)
    ]
    workers = []
    python = options.peers_python if peers else sys.executable
    for name, module, threads, _ in chosen:
        command = [python, HERE / "worker.py", module, name, str(threads), folder]
        worker = Worker(name, command, threads)
        if worker.state != "here":
            print(f"{worker.name}: {worker.state}: {worker.trouble}", file=sys.stderr)
        workers.append(worker)
    return workers


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--touchpoints", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--kernels", action="store_true", help="the second table: single steps")
    parser.add_argument("--rows", type=lambda text: text.split(","), help="default: all")
    parser.add_argument("--contenders", type=lambda text: text.split(","), help="default: all")
    parser.add_argument("--repeats", type=int, help="default: 7, and 5 from five million on")
    parser.add_argument("--skew", type=float, default=0.0, help="0: uniform labels; 1: Zipf")
    parser.add_argument("--peers-python", default=sys.executable, help="interpreter with the peers")
    parser.add_argument("--peer-touchpoints", type=int, default=1_000_000, help="at most; 0: none")
    parser.add_argument("--patience", type=float, default=60.0, help="seconds to wait for quiet")
    parser.add_argument("--output", type=Path, help="default: results.md, if nothing is left out")
    options = parser.parse_args()
    rows = list(KERNELS if options.kernels else ROWS)
    options.everything = options.rows is None and not options.contenders
    options.rows = options.rows or rows
    if unknown := set(options.rows) - set(rows):
        parser.error(f"no rows {sorted(unknown)}; there are {', '.join(rows)}")
    known = [spec[0] for spec in (KERNEL_CONTENDERS if options.kernels else CONTENDERS)]
    if unknown := set(options.contenders or ()) - set(known):
        parser.error(f"no contenders {sorted(unknown)}; there are {', '.join(known)}")
    return options


def main() -> None:
    """Rehearse on a small skewed log, then time each size, and write the tables."""
    options = arguments()
    sections: list[str] = []
    versions = {"numpy": np.__version__}

    def stage(log: Log, *, peers: bool, repeats: int) -> tuple[dict, list[float]]:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            log.save(folder)
            workers = open_workers(options, folder, peers=peers)
            try:
                return run_log(log, workers, options, repeats=repeats)
            finally:
                for worker in workers:
                    if peers:
                        versions.update(
                            {worker.name: worker.versions.get(worker.name, worker.state)}
                        )
                    else:
                        versions.update(worker.versions)
                    worker.close()

    # A log that differs from the timed one in size and shape: equal answers there are no accident.
    # Engines do not agree on the window of tied rows: the kernels are asked about a log without.
    make = functools.partial(make_log, ties=not options.kernels)
    rehearsed, _ = stage(make(50_000, skew=1.0, rng=3), peers=False, repeats=0)
    peer_cells: dict[tuple[str, str], Cell] = {}
    if options.peer_touchpoints and not options.kernels:
        size = min(options.peer_touchpoints, max(options.touchpoints))
        peer_cells, _ = stage(make(size, skew=options.skew), peers=True, repeats=3)
    for size in options.touchpoints:
        repeats = options.repeats or (7 if size < 5_000_000 else 5)
        cells, busy = stage(make(size, skew=options.skew), peers=False, repeats=repeats)
        for key, cell in cells.items():
            if rehearsed[key].problem == "wrong":
                cell.problem = "wrong"  # its figure would be worth nothing
        section = table.section(size, options.skew, cells | peer_cells, busy)
        print(section, flush=True)
        sections.append(section)
    head = table.head(machine.describe(), versions, describe_import())
    if options.kernels:
        head += f"- {describe_memory(max(options.touchpoints))}\n"
    print(head)
    name = "kernels.md" if options.kernels else "results.md"
    if output := options.output or (HERE / name if options.everything else None):
        output.write_text("\n".join([head, *sections]), encoding="utf-8")


if __name__ == "__main__":
    main()
