"""Colours: contrast with what is behind them, in light and in dark."""

from __future__ import annotations

import pytest

from cxkit.plot.colours import DARK, LIGHT
from cxkit.report.style import style_sheet
from cxkit.report.svg.bars import COLOURS
from cxkit.report.svg.heat import STRONGEST


def _light(colour):
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one, other):
    high, low = sorted((_light(one), _light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _over(front, back, opacity):
    mixed = (
        round(opacity * int(front[i : i + 2], 16) + (1 - opacity) * int(back[i : i + 2], 16))
        for i in (1, 3, 5)
    )
    return "#" + "".join(f"{part:02x}" for part in mixed)


def test_contrast_is_as_defined():
    assert _contrast("#000000", "#ffffff") == pytest.approx(21)
    assert _over("#ffffff", "#000000", 0.5) == "#808080"


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_texts_can_be_read(theme):
    for text in ("ink", "muted", "link"):
        for back in ("bg", "panel"):
            assert _contrast(theme[text], theme[back]) >= 4.5
    assert _contrast(theme["ink"], theme["track"]) >= 4.5
    assert _contrast(theme["ink"], theme["fill"]) >= 4.5


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_numbers_on_the_heat_map_can_be_read(theme):
    for tenth in range(11):
        back = _over(theme["fill"], theme["bg"], STRONGEST * tenth / 10)
        assert _contrast(theme["ink"], back) >= 4.5


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_series_stand_out_from_the_page_and_from_each_other(theme):
    series = [theme[f"s{i}"] for i in range(1, COLOURS + 1)]
    assert all(_contrast(colour, theme["bg"]) >= 3 for colour in series)
    assert len(set(series)) == COLOURS


def test_both_themes_have_the_same_names_and_paper_is_light():
    assert LIGHT.keys() == DARK.keys()
    sheet = style_sheet()
    assert "@media screen and (prefers-color-scheme:dark)" in sheet
    assert all(f"var(--{name})" in sheet for name in LIGHT)
