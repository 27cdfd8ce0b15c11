"""What scale.py measured, as a table and as a picture for the docs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

NAMES = {"memory": "in memory", "fold": "folded out of DuckDB"}
COLORS = {"memory": "#2a7fb8", "fold": "#d9822b"}  # readable on white and on black
GREY = "#808080"
SECONDS = {0.1: "0.1 s", 1: "1 s", 10: "10 s", 60: "1 min", 300: "5 min"}
BYTES = {1e8: "0.1 GB", 5e8: "0.5 GB", 1e9: "1 GB", 4e9: "4 GB", 8e9: "8 GB", 24e9: "24 GB"}
NOISE = 0.3  # cores that others use


def write_report(kept: list[dict[str, Any]], table: Path, picture: Path) -> None:
    """Write both."""
    kept = sorted(kept, key=lambda k: (k["rows"], k["road"] != "memory"))
    table.write_text(_table(kept))
    _draw(kept, picture)


def _table(kept: list[dict[str, Any]]) -> str:
    lines = [
        "# Cost against size",
        "",
        "Written by `python benchmarks/scale.py`, which says what is done: Parquet on a local",
        "disk to an engagement score per customer and Markov credit per channel. Ids are text, one",
        "customer has ten touchpoints on average. Peak is the resident memory of the process,",
        "libraries included; time begins before pyarrow or DuckDB is imported. The fold writes the",
        "scores to a Parquet file.",
        "",
        f"- machine: {'; '.join(dict.fromkeys(k['machine'] for k in kept))}",
        "",
        "<!-- table -->",
        "",
        "| touchpoints | Parquet | road | steps | all | ns each | peak |",
        "| ---: | ---: | --- | --- | ---: | ---: | ---: |",
    ]
    for k in kept:
        steps = ", ".join(f"{name} {_seconds(time)}" for name, time in k["seconds"].items())
        limit = f" within {k['limit']}" if k["limit"] else ""
        noisy = " (noisy)" if k["busy"] > NOISE else ""
        lines.append(
            f"| {k['rows']:,} | {_bytes(k['bytes'])} | {NAMES[k['road']]}{limit} | {steps} | "
            f"{_seconds(k['total'])}{noisy} | {k['total'] / k['rows'] * 1e9:,.0f} | "
            f"{_bytes(k['peak'])} |"
        )
    if any(k["busy"] > NOISE for k in kept):
        lines += ["", "Noisy: others used the machine when the run began; an upper bound."]
    return "\n".join(lines) + "\n"


def _seconds(value: float) -> str:
    return f"{value:.2f} s" if value < 10 else f"{value:,.0f} s"


def _bytes(value: float) -> str:
    return f"{value / 1e6:,.0f} MB" if value < 1e9 else f"{value / 1e9:,.1f} GB"


def _draw(kept: list[dict[str, Any]], picture: Path) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    style = {
        "svg.hashsalt": "cxkit",  # the same bytes for the same figures
        "svg.fonttype": "none",
        "font.family": "sans-serif",
        "text.color": GREY,
        **{f"{axis}tick.{what}": GREY for axis in "xy" for what in ("color", "labelcolor")},
        "axes.labelcolor": GREY,
        "axes.edgecolor": GREY,
        "axes.titlecolor": GREY,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
    with mpl.rc_context(style):
        from matplotlib import pyplot as plt

        figure, (left, right) = plt.subplots(1, 2, figsize=(8.2, 3.5), layout="constrained")
        _panel(left, kept, "total", "time", SECONDS)
        _panel(right, kept, "peak", "memory at the peak", BYTES)
        left.legend(frameon=False, labelcolor="linecolor", loc="upper left")
        picture.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(picture, transparent=True, metadata={"Date": None})
        plt.close(figure)
    lines = [line.rstrip() for line in picture.read_text().splitlines()]
    picture.write_text("\n".join(lines) + "\n")


def _panel(
    panel: Any, kept: list[dict[str, Any]], what: str, title: str, ticks: dict[float, str]
) -> None:
    for road, name in NAMES.items():
        found = [k for k in kept if k["road"] == road]
        x, y = [k["rows"] for k in found], [k[what] for k in found]
        panel.plot(x, y, "o-", color=COLORS[road], lw=2, ms=5, label=name)
    panel.set(xscale="log", yscale="log", xlabel="touchpoints", title=title)
    panel.set_yticks(list(ticks), list(ticks.values()))
    panel.set_xticks([1e5, 1e6, 1e7, 1e8], ["100,000", "1 million", "10 million", "100 million"])
    panel.minorticks_off()
    panel.grid(visible=True, color=GREY, alpha=0.3, lw=0.6)
