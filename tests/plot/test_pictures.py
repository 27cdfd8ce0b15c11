"""Pictures: their numbers, that no text hides another, and that any label is drawn as it is."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET
from itertools import combinations

import numpy as np
import pytest

import cxkit as cx
from cxkit import flow, plot
from cxkit.core.codes import Codes
from cxkit.errors import DefinitionError, MissingExtraError
from cxkit.plot.canvas import draw_scene, new_axes
from cxkit.plot.folding import fold_labels
from cxkit.plot.layers import levels
from cxkit.plot.scene import Words
from cxkit.plot.words import short_number

A = cx.attribution
ODD = ["a<b>&c", "$x^2$", "  ", "\u202eabc", "naïve 日本 😀", "x" * 60, "tab\there", "100%", "_"]
SVG = "{http://www.w3.org/2000/svg}"


def many_labels(labels, seed=1, customers=400, events=("look", "ask", "help", "buy")):
    """Journeys over labels of any kind, the first ones the most frequent."""
    rng = np.random.default_rng(seed)
    size = rng.geometric(0.2, customers)
    rows = int(size.sum())
    pick = np.minimum(rng.zipf(1.4, rows) - 1, len(labels) - 1)
    return cx.Journeys.from_codes(
        customer=Codes.of(np.repeat(np.arange(customers), size)),
        time=np.cumsum(rng.integers(1, 2_000_000_000, rows)),
        columns={
            "channel": Codes.of([labels[k] for k in pick.tolist()]),
            "event": Codes.of([events[k] for k in rng.integers(0, len(events), rows).tolist()]),
            "campaign": Codes.of(rng.integers(0, 3, rows)),
            "value": rng.random(rows),
        },
    )


def pictures(journeys):
    """One of every kind."""
    until = "1970-03-01"
    steps = flow.Funnel(["look", "ask", "buy"])
    plan = flow.JourneyPlan(
        [
            flow.PlanStage("look", ["look", flow.PlanStep("ask", optional=True)]),
            flow.PlanStage("buy", [flow.PlanStep("buy", failed="help")]),
        ]
    )
    models = [A.FirstTouch(), A.Linear(), A.Markov()]
    waits = flow.TimeTo("buy")
    return {
        "funnel": plot.funnel(steps.count(journeys)),
        "bars": plot.bars(A.attribute(journeys, "buy", A.Linear())),
        "compared bars": plot.bars(A.compare(journeys, "buy", models), what="conversions", top=5),
        "graph": plot.graph(flow.transitions(journeys, by="channel")),
        "sankey": plot.sankey(flow.sankey(journeys, by="channel", steps=3)),
        "sankey around": plot.sankey(
            flow.sankey(journeys, by="channel", steps=2, before=2, around="buy")
        ),
        "step matrix": plot.step_matrix(flow.step_matrix(journeys, by="channel", steps=6)),
        "retention": plot.retention(flow.Retention(until=until, brackets=5).count(journeys)),
        "survival": plot.survival(flow.survival(journeys, waits, until=until)),
        "survival by": plot.survival(
            flow.survival(journeys, waits, until=until, by="channel"), top=3, reached=True
        ),
        "switches": plot.switches(flow.DisconnectRule("campaign", "help").count(journeys), top=6),
        "plan": plot.plan(plan.count(journeys)),
    }


PLAIN = many_labels([f"channel {k}" for k in range(12)])
SETS = {
    "plain": pictures(PLAIN),
    "odd": pictures(many_labels(ODD)),
    "300": pictures(many_labels([f"a channel of a long name {k:03d}" for k in range(300)])),
    "one": pictures(many_labels(["web"])),
    "few": pictures(
        many_labels(["web", "app"], customers=5, events=("look", "ask", "help", "buy"))
    ),
}
EVERY = [
    pytest.param(p, id=f"{which}-{k}") for which, some in SETS.items() for k, p in some.items()
]
CROWDED = [case for case in EVERY if case.id.startswith(("odd", "300"))]
every_picture = pytest.mark.parametrize("picture", EVERY)


@pytest.mark.parametrize("picture", CROWDED)
def test_no_text_hides_another_or_leaves_the_page(picture):
    scene = picture.scene()
    axes = new_axes(scene)
    draw_scene(scene, axes)
    boxes = []
    renderer = axes.figure.canvas.get_renderer()
    scale = 72 / axes.figure.dpi
    straight = [t for t in axes.texts if not t.get_rotation()]
    for text in straight:
        if all(ord(c) < 0x2000 or c in "…↓" for c in text.get_text()):  # not those without a glyph
            extent = text.get_window_extent(renderer)
            boxes.append((text.get_text(), *(scale * v for v in extent.extents)))
    assert boxes
    for name, x0, y0, x1, y1 in boxes:
        assert x0 >= -0.5, name
        assert y0 >= -0.5, name
        assert x1 <= scene.width + 0.5, name
        assert y1 <= scene.height + 0.5, name
    for a, b in combinations(boxes, 2):
        wide = min(a[3], b[3]) - max(a[1], b[1])
        high = min(a[4], b[4]) - max(a[2], b[2])
        assert wide <= 1 or high <= 1.5, (a, b)


@every_picture
def test_the_svg_is_well_formed_and_says_what_the_scene_says(picture):
    root = ET.fromstring(picture.svg())  # noqa: S314  # our own
    scene = picture.scene()
    assert root.get("role") == "img"
    assert root.find(f"{SVG}title").text == scene.title
    told = [node.text for node in root.iter(f"{SVG}text")]
    assert told == [shape.text for shape in scene.shapes if isinstance(shape, Words)]
    assert {node.tag.split("}")[1] for node in root.iter()} <= {
        *("svg", "title", "desc", "rect", "path", "circle", "text")
    }
    for node in root.iter():
        for name in ("x", "y", "width", "height", "cx", "cy", "r"):
            assert np.isfinite(float(node.get(name, "0")))
        assert "nan" not in (node.get("d") or "")
    assert picture.svg() == picture.svg()


@pytest.mark.parametrize("picture", SETS["odd"].values(), ids=SETS["odd"])
def test_the_numbers_leave_as_a_table(picture):
    drawn = picture.data()
    assert len(drawn.to_dicts()) == len(drawn)
    assert drawn.title()
    assert repr(drawn)
    assert repr(picture).startswith("<Picture: ")
    assert picture._repr_svg_() == picture.svg()


def test_what_is_put_together_keeps_the_total_and_is_said():
    some = SETS["300"]
    journeys = many_labels([f"a channel of a long name {k:03d}" for k in range(300)])
    occur = len(journeys.channel.vocabulary)
    graph = some["graph"].data()
    names = {row["from"] for row in graph.to_dicts()} | {row["to"] for row in graph.to_dicts()}
    assert len(names) == 12 + 3
    assert f"other ({occur - 12})" in names
    ends = sum(row["count"] for row in graph.to_dicts() if row["to"] == "(end)")
    assert ends == len(journeys)
    whole = sum(row["count"] for row in graph.to_dicts())
    assert whole == journeys.touchpoints + len(journeys)
    assert any(f"other ({occur - 12}): all labels beyond" in note for note in graph.notes())
    shapes = some["graph"].scene().shapes
    assert any("all labels beyond" in s.text for s in shapes if isinstance(s, Words))
    bars = some["compared bars"].data().to_dicts()
    assert len(bars) == 6
    assert bars[-1]["channel"].startswith("other (")
    conversions = int(journeys.event.equals("buy").sum())
    for model in ("first_touch", "linear", "markov"):
        assert sum(row[model] for row in bars) == pytest.approx(conversions)
    switches = some["switches"].data().to_dicts()
    rule = flow.DisconnectRule("campaign", "help")
    assert sum(row["switches"] for row in switches) == len(rule.switches(journeys).target)


def test_a_graph_draws_the_widest_arrows_and_leaves_no_label_alone():
    drawn = SETS["plain"]["graph"].data().to_dicts()
    arrows = {(row["from"], row["to"]) for row in drawn if row["drawn"]}
    assert all(a != b for a, b in arrows)
    for name in {row["from"] for row in drawn} - {"(start)"}:
        assert any(a == name for a, _ in arrows)
        assert any(b == name for _, b in arrows)
    widest = max((row for row in drawn if row["from"] != row["to"]), key=lambda r: r["count"])
    assert widest["drawn"]


def test_pictures_of_nothing():
    empty = cx.Journeys.empty()
    for picture in (
        plot.funnel(flow.Funnel(["look"]).count(empty)),
        plot.graph(flow.transitions(empty, by="channel")),
        plot.sankey(flow.sankey(empty, by="channel")),
        plot.step_matrix(flow.step_matrix(empty, by="channel")),
        plot.retention(flow.Retention(until="2024-01-01", brackets=3).count(empty)),
        plot.survival(flow.survival(empty, flow.Churn("1d"), until="2024-01-01")),
        plot.switches(flow.DisconnectRule("campaign", "help").count(empty)),
        plot.plan(flow.JourneyPlan({"a": ["look"]}).count(empty)),
    ):
        ET.fromstring(picture.svg())  # noqa: S314  # our own
        assert picture.data() is not None


def test_files(tmp_path):
    picture = SETS["odd"]["graph"]
    for name, head in (("a.png", b"\x89PNG"), ("b.pdf", b"%PDF"), ("c.svg", b"<svg")):
        picture.save(tmp_path / name)
        assert (tmp_path / name).read_bytes().startswith(head)
    picture.save(tmp_path / "again.png")
    assert (tmp_path / "again.png").read_bytes() == (tmp_path / "a.png").read_bytes()


def test_drawing_into_axes_of_ones_own():
    from matplotlib.figure import Figure

    axes = Figure(figsize=(4, 3)).subplots()
    assert SETS["plain"]["funnel"].draw(axes) is axes
    assert axes.texts[0].get_fontsize() < 14
    assert SETS["plain"]["funnel"].draw().figure is not axes.figure


def test_without_matplotlib_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    picture = SETS["plain"]["plan"]
    assert picture.svg()
    with pytest.raises(MissingExtraError, match=r"cxkit\[plot\]"):
        picture.draw()


def test_svg_and_data_load_no_matplotlib():
    code = (
        "import sys; from cxkit import flow, plot, simulate;"
        "j = simulate.retail(30, rng=1).journeys;"
        "p = plot.graph(flow.transitions(j)); p.svg(); p.data();"
        "assert 'matplotlib' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("top", [0, 2.0, True, "3"])
def test_how_many_is_a_whole_number(top):
    with pytest.raises(DefinitionError, match="top must be a whole number"):
        plot.graph(flow.transitions(PLAIN), top=top)


def test_bars_of_what():
    found = A.attribute(PLAIN, "buy", A.Linear())
    with pytest.raises(DefinitionError, match="what is one of"):
        plot.bars(found, what="money")
    told = plot.bars(found, what="value", top=20).data().to_dicts()
    assert sum(row["linear"] for row in told) == pytest.approx(found.value.sum())


def test_one_label_left_over_stays_itself():
    assert fold_labels(np.array([3, 2, 1]), 2).others == 0
    assert fold_labels(np.array([3, 2, 1, 1]), 2).others == 2
    assert fold_labels(np.array([0, 0]), 2).groups == 0


def test_levels_are_the_least_squares():
    rng = np.random.default_rng(0)
    weight = rng.random((6, 6)) * (rng.random((6, 6)) < 0.6)
    found = levels(weight)

    def loss(level):
        gap = level[None, :] - level[:, None] - 1
        return float((weight * (1 - np.eye(6)) * gap**2).sum())

    best = loss(found)
    for _ in range(200):
        assert loss(found + rng.normal(0, 0.1, 6)) >= best


@pytest.mark.parametrize(
    ("value", "told"),
    [(999_499, "999k"), (999_700, "1M"), (-999_700, "-1M"), (999_600_000, "1G"), (1.5e12, "1.5T"),
     (9_999.6, "10,000"), (1e4, "10k"), (2e15, "2,000T")],
)  # fmt: skip
def test_short_numbers_have_no_exponent(value, told):
    assert short_number(value) == told
