"""The tables that ``run.py`` prints: ratios first, then what they were made of."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from kernel_workload import ROWS as KERNELS

TITLES = {
    "build": "build journeys from codes, stable",
    "build_packed": "build, equal times in any order",
    "score": "decayed engagement score",
    "markov": "Markov order 1, removal effects",
    "transitions": "transition counts",
    "funnel": "funnel, 4 steps in 30 days",
}
# What was reached before cxkit was written, in R. A figure up to twice as large is accepted when it
# is also ahead of Polars and DuckDB on two threads.
TARGETS = {"build": 13.0, "score": 2.5, "markov": 1.1, "transitions": 0.7, "funnel": 3.6}
TITLES |= {row: title for row, (title, _) in KERNELS.items()}
# Of the kernels it is the figure that is accepted, not the one that was reached.
ACCEPTED = {row: accepted for row, (_, accepted) in KERNELS.items()}
OURS = "cxkit"
RIVALS = ("Polars 2T", "DuckDB 2T")
QUIET = 0.15  # cores


def head(machine: str, versions: Mapping[str, str], imported: str) -> str:
    """Where and with what the figures were made."""
    listed = ", ".join(f"{name} {version}" for name, version in versions.items())
    return "\n".join(
        [
            "# Results",
            "",
            "Written by `python benchmarks/run.py`; see README.md there for what each row asks.",
            "",
            f"- machine: {machine}",
            f"- versions: {listed}",
            f"- {imported}",
            "",
        ]
    )


def section(
    size: int, skew: float, cells: Mapping[tuple[str, str], Any], busy: Sequence[float]
) -> str:
    """The tables of one log."""
    rows = [row for row in TITLES if any(key[0] == row for key in cells)]
    names = list(dict.fromkeys(name for _, name in cells))
    labels = "uniform labels" if skew == 0 else f"labels with skew {skew:g}"
    own = [unit for cell in cells.values() if cell.touchpoints == size for unit in cell.unit]
    lines = [f"## {size:,} touchpoints, {labels}", ""]
    if own:
        unit = statistics.median(own)
        lines.append(
            f"Time in units of R, `np.cumsum` of as many float64: {unit * 1e3:.2f} ms, "
            f"{unit / size * 1e9:.2f} ns per touchpoint. Smaller is better."
        )
        lines.append("")
    warnings = _warnings(busy, own)
    ratios = [_ratios(row, names, cells) for row in rows]
    if warnings:
        # Two threads that share one core are slow: a rival must not lose, nor we win, by that.
        ratios = [[*line[:-1], f"({line[-1]})" if line[-1] else ""] for line in ratios]
    limit = "accept" if any(row in ACCEPTED for row in rows) else "target"
    lines += _grid(["", limit, *names, "verdict"], ratios)
    lines += ["", *warnings, *_notes(size, cells), ""]
    lines += ["Median wall time (smallest in brackets) / processor time, ns per touchpoint:", ""]
    lines += _grid(["", *names], [_times(row, names, cells) for row in rows])
    peaks = [max((c.peak for (_, n), c in cells.items() if n == name), default=0) for name in names]
    lines += ["", "Most memory of the process, the log included, GB:", ""]
    lines += _grid(["", *names], [["all rows", *(f"{p:.1f}" if p else "" for p in peaks)]])
    return "\n".join([*lines, ""])


def _ratios(row: str, names: Sequence[str], cells: Mapping[tuple[str, str], Any]) -> list[str]:
    found = {name: cells.get((row, name)) for name in names}
    target = TARGETS.get(row, ACCEPTED.get(row))
    shown = [_figure(found[name]) for name in names]
    return [TITLES[row], f"{target:.1f}" if target else "", *shown, _verdict(row, target, found)]


def _figure(cell: Any) -> str:
    if cell is None:
        return ""
    return cell.problem or f"{cell.ratio:.2f}"


def _verdict(row: str, target: float | None, found: Mapping[str, Any]) -> str:
    ratio = {name: cell.ratio for name, cell in found.items() if cell is not None}
    ours = ratio.get(OURS)
    if ours is None or target is None:
        return ""
    wrong = []
    if row in ACCEPTED and ours > target:
        wrong.append("over what is accepted")
    elif ours > 2 * target:
        wrong.append("over twice the target")
    wrong += [f"behind {name}" for name in RIVALS if ratio.get(name) and ratio[name] <= ours]
    return "; ".join(wrong) or ("target met" if ours <= target else "accepted")


def _times(row: str, names: Sequence[str], cells: Mapping[tuple[str, str], Any]) -> list[str]:
    shown = []
    for name in names:
        cell = cells.get((row, name))
        if cell is None or not cell.wall:
            shown.append("")
            continue
        wall, least, cpu = (
            seconds / cell.touchpoints * 1e9
            for seconds in (
                statistics.median(cell.wall),
                min(cell.wall),
                statistics.median(cell.cpu),
            )
        )
        shown.append(f"{wall:.1f} ({least:.1f}) / {cpu:.1f}")
    return [TITLES[row], *shown]


def _warnings(busy: Sequence[float], own: Sequence[float]) -> list[str]:
    lines = []
    if noisy := sum(cores > QUIET for cores in busy):
        lines.append(
            f"**Noisy:** other processes used more than {QUIET} cores before {noisy} of "
            f"{len(busy)} rounds (up to {max(busy):.1f} cores). Do not quote two-thread figures."
        )
    if own and (spread := max(own) / statistics.median(own)) > 1.3:
        lines.append(f"**Noisy:** the slowest R took {spread:.1f} times the median one.")
    if lines:
        lines += ["The verdicts in brackets are to be had again on a quiet machine.", ""]
    return lines


def _notes(size: int, cells: Mapping[tuple[str, str], Any]) -> list[str]:
    told: dict[str, dict[str, list[str]]] = {}
    for (row, name), cell in cells.items():
        if cell.note and not cell.problem:
            told.setdefault(cell.note, {}).setdefault(name, []).append(TITLES[row])
    lines = ["- `-`: the tool has no such function."]
    for note, by_name in told.items():
        where = dict.fromkeys("; ".join(rows) for rows in by_name.values())
        lines.append(f"- {', '.join(by_name)} ({'; '.join(where)}): {note}.")
    for length in dict.fromkeys(c.touchpoints for c in cells.values() if c.touchpoints != size):
        names = dict.fromkeys(name for (_, name), c in cells.items() if c.touchpoints == length)
        lines.append(
            f"- {', '.join(names)}: run on {length:,} touchpoints, in units of R of that length, "
            "so the ratios compare; see the memory that they need even there."
        )
    return lines


def _grid(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    rule = ["---", *["---:"] * (len(header) - 1)]
    return ["| " + " | ".join(line) + " |" for line in (header, rule, *rows)]
