"""The tables of docs/concepts/attribution-against-truth.md, from the figures of the study.

``python benchmarks/against_truth.py`` computes the figures, which takes minutes; here they are only
laid out. Only ``setup`` needs Sphinx.
"""

from __future__ import annotations

import json
from pathlib import Path

FIGURES = Path(__file__).resolve().parents[1] / "_data" / "against_truth.json"

WORLD_COLUMNS = {
    "model": "model",
    "median": "rank correlation",
    "range": "8 in 10 worlds",
    "misallocated": "misallocated",
    "error": "error per conversion",
}
COVERAGE_COLUMNS = {
    "share": "share",
    "share, bootstrap": "share, bootstrap",
    "share, difference": "difference of shares",
    "conversions": "conversions",
    "value_share": "share of value",
}
OWN_MEASURES = ("removal_effect", "added_rate", "incremental")


def figures():
    """What the study found."""
    return json.loads(FIGURES.read_text("utf-8"))


def made():
    """Who made the figures, when, and with what."""
    found = figures()
    return (
        f"Made on {found['made']} by `{found['command']}` with cxkit {found['cxkit']}, numpy "
        f"{found['numpy']} and Python {found['python']}; seeds {found['seeds']}."
    )


def world_table(name):
    """One kind of world: a row for each model, the best in bold.

    Example:
        >>> world_table("mixed").splitlines()[0]
        '| model | rank correlation | 8 in 10 worlds | misallocated | error per conversion |'
    """
    rows = figures()["worlds"][name]["rows"]
    return _table(
        [
            {
                WORLD_COLUMNS["model"]: f"`{row['model']}`",
                WORLD_COLUMNS["median"]: f"{row['median']:.2f}",
                WORLD_COLUMNS["range"]: f"{row['low']:.2f} to {row['high']:.2f}",
                WORLD_COLUMNS["misallocated"]: f"{row['misallocated']:.0%}",
                WORLD_COLUMNS["error"]: f"{row['error']:.2f}",
            }
            for row in rows
        ]
    )


def coverage_table(world):
    """How often the intervals of each model hold the value of the large sample, in per cent.

    Example:
        >>> coverage_table("positive").count("first_touch")
        1
    """
    found = {}
    for row in figures()["coverage"][world]["rows"]:
        found.setdefault(row["model"], {})[row["quantity"]] = f"{row['held']:.1%}"
    lines = []
    for model, held in found.items():
        own = next((name for name in OWN_MEASURES if name in held), None)
        shown = {title: held.get(name, "") for name, title in COVERAGE_COLUMNS.items()}
        told = "" if own is None else f"{own}: {held[own]}"
        lines.append({"model": f"`{model}`", **shown, "of its own": told})
    return _table(lines)


def coverage_by_size():
    """The same for the shares of two models, by the size of the sample."""
    lines = []
    for found in figures()["coverage_by_size"]:
        for row in found["rows"]:
            if row["quantity"] == "share":
                value = next(
                    other["held"]
                    for other in found["rows"]
                    if (other["model"], other["quantity"]) == (row["model"], "value_share")
                )
                lines.append(
                    {
                        "model": f"`{row['model']}`",
                        "customers": f"{found['customers']:,}",
                        "conversions": f"{found['conversions']:,}",
                        "share": f"{row['held']:.1%}",
                        "share of value": f"{value:.1%}",
                    }
                )
    return _table(sorted(lines, key=lambda line: line["model"]))


def pages():
    """What the directive can show."""
    return {
        "made": made,
        **{name: lambda name=name: world_table(name) for name in figures()["worlds"]},
        **{
            f"coverage-{world}": lambda world=world: coverage_table(world)
            for world in figures()["coverage"]
        },
        "coverage-by-size": coverage_by_size,
    }


def _table(rows):
    """Rows as a table in Markdown, numbers to the right."""
    names = list(rows[0])
    sides = ["---" if name == "model" else "---:" for name in names]
    cells = [list(row.values()) for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in [names, sides, *cells])


def setup(app):
    """Add the directive ``against-truth`` to Sphinx; its argument is a name of ``pages()``."""
    from sphinx.util.docutils import SphinxDirective

    class AgainstTruth(SphinxDirective):
        required_arguments = 1

        def run(self):
            for file in (__file__, FIGURES):
                self.env.note_dependency(str(file))  # the page is built anew when these change
            return self.parse_text_to_nodes(pages()[self.arguments[0]]())

    app.add_directive("against-truth", AgainstTruth)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
