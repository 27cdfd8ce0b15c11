"""Shapley games by the exact fractions that others worked out."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest

from cxkit.attribution import (
    Paths,
    ShapleyConversions,
    ShapleyRate,
    attribute_paths,
    shapley_positions,
    shapley_values,
)
from tests.shared import shared


@pytest.fixture(scope="module")
def tiny():
    return json.loads(shared("oracles/attribution/tiny_exact_fractions.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def paths(tiny):
    return Paths.from_counts(
        [(row["path"].split(), row["conversions"], row["nulls"], row["total_value"])
         for row in tiny["data"]]
    )  # fmt: skip


def floats(fractions):
    return [float(Fraction(fractions[k])) for k in "ABC"]


def test_conversions_inside_a_set(tiny, paths):
    found = attribute_paths(paths, ShapleyConversions())
    expected = tiny["models"]
    assert found.conversions == pytest.approx(floats(expected["shapley_conversions_subset"]))
    assert found.value == pytest.approx(floats(expected["linear_unique_channel"]["value"]))


def test_rate_inside_a_set(tiny, paths):
    found = attribute_paths(paths, ShapleyRate())
    added = found.estimates["added_rate"].estimate
    assert added == pytest.approx(floats(tiny["models"]["shapley_rate_subset"]), rel=1e-13)
    assert found.conversions.sum() == pytest.approx(tiny["total_conversions"])


def test_ordered_by_position(tiny, paths):
    expected = tiny["models"]["shapley_ordered_by_position"]
    table = shapley_positions(paths, positions=3)
    for label, row in zip(table.labels, table.conversions.tolist(), strict=True):
        for place, credit in enumerate(row, 1):
            assert credit == pytest.approx(float(Fraction(expected[label].get(str(place), "0"))))


@pytest.mark.parametrize("game", ["shapley_rate_exact_set", "shapley_conversions_exact_set"])
def test_games_of_other_tools_as_functions_of_ones_own(tiny, game):
    # What other packages call Shapley value: worth by the paths with exactly the set.
    def value(members):
        worth = []
        for row in members:
            inside = {label for label, there in zip("ABC", row, strict=True) if there}
            mine = [r for r in tiny["data"] if set(r["path"].split()) == inside]
            converted = sum(r["conversions"] for r in mine)
            paths = converted + sum(r["nulls"] for r in mine)
            rate = converted / paths if paths else 0.0
            worth.append(rate if game == "shapley_rate_exact_set" else converted)
        return np.array(worth, float)

    found = shapley_values("ABC", value)
    assert found.values == pytest.approx(floats(tiny["models"][game]))
