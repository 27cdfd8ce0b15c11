"""Attribution and flow side by side: cxkit, Polars and DuckDB by hand, the packages people use.

The unit is B: ``np.bincount`` of the channel codes in blocks of 65,536, in the same process as the
runner and in every round. Answers are checked before anything is timed. From the root of the
checkout::

    python benchmarks/attribution.py --peers-python .venv-peers/bin/python

Every answer of cxkit carries intervals; nobody else's does. ChannelAttribution simulates removal
effects and must come within 0.1 of the exact ones; marketing-attribution-models answers value only
in the first row and conversions only in the second; retentioneering's funnel has no window of time.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import machine
import numpy as np
from attribution_contenders import CONTENDERS
from attribution_workload import CHANNELS, Answers, PathLog, make_paths
from process import Worker

HERE = Path(__file__).parent
TITLES = {
    "heuristics": "first, last and linear, by count and value",
    "markov_1": "Markov order 1, count and value",
    "markov_2": "Markov order 2, count and value",
    "markov_3": "Markov order 3, count and value",
    "bootstrap": "500 bootstraps of all shares of order 1, from the summary",
    "game_few": "Shapley, rate game of 12 channels, exact, no intervals",
    "game_all": "Shapley, rate game of 20 channels, exact, no intervals",
    "shapley_few": "the game of 12 channels with intervals",
    "shapley_all": "the game of 20 channels with intervals",
    "logistic": "logistic counterfactual of 20 channels",
    "sessions": "from the log to sessions",
    "transitions": "transitions, from sorted journeys",
    "funnel": "from the log to a funnel of 4 steps in 7 days",
}
ASKED = {"bootstrap": "markov_1", "game_few": "shapley_few", "game_all": "shapley_all"}
"""Rows with the answer of another."""
LOOSE = {"ChannelAttribution": 0.1}
SLOW = {"ChannelAttribution", "marketing-attribution-models", "retentioneering", "pm4py"}
BLOCK = 65_536


def check(worker: Worker, row: str, right: dict[str, np.ndarray]) -> str:
    """What is wrong with an answer, or an empty string; the first run is also the warm-up."""
    with tempfile.TemporaryDirectory() as folder:
        said = worker.ask(do="answer", row=row, folder=folder)
        if "failed" in said:
            print(f"{worker.name}, {row}: {said['failed']}", file=sys.stderr)
            return "failed"
        got = {path.stem: np.load(path) for path in Path(folder).glob("*.npy")}
    loose = LOOSE.get(worker.name, 0.0) if "removal" in got else 0.0
    for name, array in got.items():
        wanted = right[name][: len(array)]
        if not np.allclose(array, wanted, rtol=1e-9, atol=max(loose, 1e-9)):
            print(
                f"{worker.name}, {row}: {name} is off by {np.max(np.abs(array - wanted)):.3g}",
                file=sys.stderr,
            )
            return "wrong"
    return ""


def unit(codes: np.ndarray) -> float:
    """Seconds to count the codes in blocks: B."""
    start = time.perf_counter()
    counts = np.zeros(CHANNELS, np.int64)
    for first in range(0, len(codes), BLOCK):
        counts += np.bincount(codes[first : first + BLOCK], minlength=CHANNELS)
    return time.perf_counter() - start


def show(seconds: float, one: float) -> str:
    """A time, and how many B that is."""
    return f"{seconds * 1e3:,.1f} ms ({seconds / one:,.1f} B)"


def measure(log: PathLog, workers: list[Worker], options: argparse.Namespace) -> list[str]:
    """The table of one log, as lines of Markdown."""
    answers = Answers(log)
    lines = [
        "| row | " + " | ".join(w.name for w in workers) + " |",
        "|---|" + "---:|" * len(workers),
    ]
    units = []
    for row, title in TITLES.items():
        if options.rows and row not in options.rows:
            continue
        right = getattr(answers, ASKED.get(row, row))()
        state = {
            w.name: w.state if w.state != "here" else check(w, row, right) if row in w.rows else "-"
            for w in workers
        }
        took: dict[str, list[float]] = {w.name: [] for w in workers}
        for turn in range(options.repeats):
            _, options.patience = machine.wait_for_quiet(options.patience)
            units.append(unit(log.channel))
            for worker in workers:  # one after another, so that a slow minute hits them all
                if not state[worker.name] and (turn < 3 or worker.name not in SLOW):
                    took[worker.name].append(worker.ask(do="time", row=row)["wall"])
        one = statistics.median(units)
        cells = [state[w.name] or show(statistics.median(took[w.name]), one) for w in workers]
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
        print(lines[-1], flush=True)
    lines += ["", f"B is {statistics.median(units) * 1e3:.2f} ms here."]
    return lines


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--journeys", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--rows", type=lambda text: text.split(","), help="default: all")
    parser.add_argument("--contenders", type=lambda text: text.split(","), help="default: all")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument(
        "--peers-python", nargs="+", default=[sys.executable], help="interpreters with the peers"
    )
    parser.add_argument("--patience", type=float, default=60.0, help="seconds to wait for quiet")
    parser.add_argument("--output", type=Path, help="write the tables there too")
    options = parser.parse_args()
    text = ["# Attribution and flow, side by side", "", f"- machine: {machine.describe()}"]
    for journeys in options.journeys:
        log = make_paths(journeys)
        with tempfile.TemporaryDirectory() as folder:
            log.save(Path(folder))
            workers = []
            for name, (_, threads, peer, _) in CONTENDERS.items():
                if options.contenders and name not in options.contenders:
                    continue
                pythons = options.peers_python if peer else [sys.executable]
                for python in pythons:  # the first interpreter that has it
                    command = [python, HERE / "attribution_worker.py", name, folder]
                    worker = Worker(name, command, threads)
                    if worker.state == "here":
                        break
                    print(f"{name}: {worker.trouble}", file=sys.stderr)
                workers.append(worker)
            listed = {k: v for w in workers for k, v in w.versions.items()}
            told = ", ".join(f"{name} {version}" for name, version in listed.items())
            text += ["", f"## {journeys:,} journeys, {len(log.channel):,} touches", "", told, ""]
            print(text[-4], told, sep="\n", flush=True)
            text += measure(log, workers, options)
            for worker in workers:
                worker.close()
    if options.output:
        options.output.write_text("\n".join(text) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
