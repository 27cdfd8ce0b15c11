"""The published study: that its command runs, and that its figures say what the pages say."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem + "_under_test", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def study():
    path = ROOT / "benchmarks" / "against_truth.py"
    if not path.exists():
        pytest.skip("the benchmarks are not here")
    return load(path)


@pytest.fixture(scope="module")
def figures():
    path = ROOT / "docs" / "_data" / "against_truth.json"
    if not path.exists():
        pytest.skip("the figures of the study are not here")
    return json.loads(path.read_text("utf-8"))


def rows(found):
    return {row["model"]: row for row in found["rows"]}


def test_one_command_makes_the_figures(study, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(study, "LARGE", 900)
    monkeypatch.setattr(study, "PARTS", 3)
    monkeypatch.setattr(study, "RETAIL_CUSTOMERS", 200)
    monkeypatch.setattr(study, "SIZES", (300,))
    monkeypatch.setattr(study, "MODELS", study.MODELS[1::9])
    output = tmp_path / "figures.json"
    study.main(["--worlds", "1", "--customers", "300", "--draws", "2", "--sample", "400",
                "--output", str(output)])  # fmt: skip
    found = json.loads(output.read_text("utf-8"))
    assert set(found["worlds"]) >= {"positive", "mixed", "hidden_intent", "mixed_complex"}
    for world in found["worlds"].values():
        assert rows(world)["true_shares"]["misallocated"] == 0
        assert all(-1 <= row["low"] <= row["high"] <= 1 for row in world["rows"])
    quantities = {row["quantity"] for row in found["coverage"]["mixed"]["rows"]}
    assert quantities >= {"share", "share, bootstrap", "share, difference", "incremental"}
    assert "written to" in capsys.readouterr().err


def test_the_recommended_model_ranks_mixed_signs(figures):
    mixed = rows(figures["worlds"]["mixed"])
    assert figures["worlds"]["mixed"]["worlds"] == 50
    assert mixed["logistic_counterfactual"]["median"] >= 0.95
    assert mixed["logistic_counterfactual"]["low"] >= 0.95
    assert mixed["shapley_rate"]["median"] >= 0.95
    assert abs(mixed["markov"]["median"]) < 0.2
    for rule in ("first_touch", "last_touch", "linear", "position_based", "time_decay"):
        assert mixed[rule]["median"] < 0.5
        assert mixed[rule]["misallocated"] > 0.35


def test_with_a_hidden_intent_every_model_is_off(figures):
    hidden = figures["worlds"]["hidden_intent"]
    models = [row for row in hidden["rows"] if row["model"] != "true_shares"]
    assert all(row["misallocated"] > 0.1 for row in models)
    assert hidden["told"] > 1.2 * hidden["caused"]


def test_with_the_wrong_form_it_still_ranks(figures):
    assert rows(figures["worlds"]["mixed_complex"])["logistic_counterfactual"]["median"] > 0.9


def test_intervals_hold(figures):
    for world in ("positive", "mixed"):
        found = figures["coverage"][world]
        assert found["draws"] >= 1000
        for row in found["rows"]:
            assert abs(row["held"] - 0.95) <= 0.02, (world, row)


def test_the_page_lays_out_every_figure(figures):
    extension = load(ROOT / "docs" / "_ext" / "against_truth.py")
    page = (ROOT / "docs" / "concepts" / "attribution-against-truth.md").read_text("utf-8")
    for name, make in extension.pages().items():
        assert f"{{against-truth}} {name}\n" in page
        assert make()
