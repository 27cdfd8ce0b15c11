"""The colours of pictures, for light and dark backgrounds.

The colours of the series differ in lightness as well as in hue, after the palettes of Okabe and Ito
(2008, "Color universal design") and Tol (2021, "Colour schemes"), darkened or lightened until each
has a contrast of at least 3 to 1 with its background; texts have at least 4.5 to 1. A test holds
both.
"""

from __future__ import annotations

from typing import Final

__all__ = ["DARK", "LIGHT", "SERIES"]

LIGHT: Final = {
    "bg": "#ffffff",
    "panel": "#f4f6f8",
    "ink": "#171a1f",
    "muted": "#535b66",
    "line": "#d5dae0",
    "link": "#00569c",
    "fill": "#5b9fd8",
    "track": "#e9edf1",
    "s1": "#0072b2",
    "s2": "#c85200",
    "s3": "#008a63",
    "s4": "#aa4499",
    "s5": "#8a6a00",
    "s6": "#555b64",
    "s7": "#882255",
}
DARK: Final = {
    "bg": "#14171b",
    "panel": "#1e2329",
    "ink": "#eef0f3",
    "muted": "#a8b1bc",
    "line": "#39414b",
    "link": "#7dbdf5",
    "fill": "#2a69a6",
    "track": "#262c34",
    "s1": "#56b4e9",
    "s2": "#f0883a",
    "s3": "#2cc795",
    "s4": "#e08fd0",
    "s5": "#d9bd45",
    "s6": "#b6bdc7",
    "s7": "#f0719b",
}
SERIES: Final = ("s1", "s2", "s3", "s4", "s5", "s7", "s6")
"""The colours of series, in the order in which they are used; the grey one last."""
