from __future__ import annotations

import math
import re

import pytest
from hypothesis import given, strategies as st

from cxkit.plot.ticks import log_ticks, ticks
from cxkit.report.document import Point, ScatterChart
from cxkit.report.svg import draw_scatter
from cxkit.report.svg.draw import WIDTH, element, text


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9))
def test_ticks_are_round_and_inside(low, span):
    high = low + span
    found = ticks(low, high)
    assert len(found) <= 6
    slack = 1e-9 * max(abs(low), abs(high), 1)
    assert all(low - slack <= t <= high + slack for t in found)


def test_ticks_of_nothing():
    assert ticks(3, 3) == [3]


@given(st.floats(0.1, 1e9), st.floats(1.3, 1e6))
def test_logarithmic_ticks_are_few_and_inside(low, factor):
    found = log_ticks(low, low * factor)
    assert len(found) <= 6
    assert all(low <= t <= low * factor for t in found)


def test_attributes_and_texts_are_escaped():
    assert element("g", class_='"<') == '<g class="&quot;&lt;"></g>'
    assert ">&lt;b&gt;<" in text(0, 0, "<b>")


def scatter(points):
    return draw_scatter(
        ScatterChart("s", "t", "d", points, "x", "y", 50.0, 5.0, ("a", "b", "c", "d"))
    )


def test_points_lie_where_their_numbers_are():
    page = scatter(tuple(Point(n, x, y, 0.0, "") for n, x, y in [("a", 10, 9), ("b", 100, 1)]))
    (ax, ay), (bx, by) = [
        (float(x), float(y)) for x, y in re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', page)
    ]
    assert ax < bx
    assert ay < by  # down is little
    # The lines that part the quadrants lie between them.
    x, y = map(float, re.search(r'd="M([\d.]+) \d+V\d+M\d+ ([\d.]+)H', page).groups())
    assert ax < x < bx
    assert ay < y < by


def test_labels_of_many_points_do_not_hide_each_other():
    points = tuple(
        Point(f"channel {i}", 1000 * 1.4**i, 10 + 5 * math.sin(2.4 * i), 0.5, "") for i in range(12)
    )
    page = scatter(points)
    spots = [
        (float(x), float(y))
        for x, y in re.findall(
            r'<text x="([\d.]+)" y="([\d.]+)" font-size="12.5" class="halo"', page
        )
    ]
    assert len(spots) == 12
    assert all(0 <= x <= WIDTH for x, _ in spots)
    for i, (x, y) in enumerate(spots):
        assert all(abs(y - v) >= 11 or abs(x - u) >= 40 for u, v in spots[:i])


@pytest.mark.parametrize("bad", [math.nan, 0.0, -1.0])
def test_a_point_without_traffic_is_left_out(bad):
    page = scatter((Point("a", bad, 1.0, 0.0, ""), Point("b", 2.0, 1.0, 0.0, "")))
    assert page.count("<circle") == 1
