"""Grids of numbers: the stronger the colour, the larger the share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cxkit.plot.scene import Box, Shape, Words
from cxkit.plot.words import breadth, fit_middle, show_name

__all__ = ["STRONGEST", "grid"]

STRONGEST: Final = 0.75
"""How much of the colour the fullest cell has: text on it must stay readable."""
_CELL: Final = 25.0
_WIDE: Final = 46.0
_SIDE: Final = 170.0
_SIZE: Final = 10.0
_TILT: Final = 40.0
_TALL: Final = 92.0


def grid(
    rows: Sequence[object],
    columns: Sequence[object],
    strength: NDArray[np.float64],
    told: Sequence[Sequence[str]],
    *,
    marked: NDArray[np.bool_] | None = None,
    quiet: Sequence[object] = (),
    wide: float = _WIDE,
) -> tuple[list[Shape], float, float]:
    """A grid of cells with a name for each row and column.

    Args:
        rows: R names.
        columns: C names; where they do not fit above their column they are turned.
        strength: (R, C) from 0 to 1; NaN leaves a cell empty.
        told: R lists of C texts.
        marked: (R, C) cells with a dashed border and letters in italics.
        quiet: Names that are no label of the data, written in grey.
        wide: How wide a cell is.

    Returns:
        The shapes, and how wide and high they are.
    """
    side = min(max((breadth(show_name(r), _SIZE) for r in rows), default=0.0) + 10, _SIDE)
    longest = max((breadth(show_name(c), _SIZE) for c in columns), default=0.0)
    turned = longest > wide - 4
    slope = math.radians(_TILT)
    head = min(longest * math.sin(slope) + 12, _TALL) if turned else 16.0
    shapes: list[Shape] = []
    for place, name in enumerate(columns):
        x = side + wide * (place + 0.5)
        colour = "muted" if name in quiet else "ink"
        if turned:
            text = fit_middle(name, (head - 10) / math.sin(slope), _SIZE)
            shapes.append(Words(x - 4, head - 6, text, _SIZE, colour, turn=_TILT))
        else:
            shapes.append(Words(x, head - 5, show_name(name), _SIZE, colour, anchor="middle"))
    for row, name in enumerate(rows):
        y = head + _CELL * row
        colour = "muted" if name in quiet else "ink"
        shapes.append(Words(0, y + 16, fit_middle(name, side - 8, _SIZE), _SIZE, colour))
        for place in range(len(columns)):
            mark = marked is not None and bool(marked[row, place])
            x = side + wide * place
            shapes += _cell(float(strength[row, place]), told[row][place], x, y, wide, mark)
    # The last turned name reaches beyond its column.
    beyond = min(longest, (head - 10) / math.sin(slope)) * math.cos(slope) if turned else 0.0
    width = side + wide * len(columns) + max(beyond - wide / 2, 0.0)
    return shapes, width, head + _CELL * len(rows)


def _cell(
    strength: float,
    told: str,
    x: float,
    y: float,
    wide: float,
    mark: bool,  # noqa: FBT001
) -> list[Shape]:
    box = x + 0.75, y + 0.75, wide - 1.5, _CELL - 1.5
    shapes: list[Shape] = []
    if math.isfinite(strength):
        opacity = STRONGEST * math.sqrt(min(max(strength, 0.0), 1.0))
        shapes += [Box(*box, "track"), Box(*box, "fill", opacity)]
    if mark:
        shapes.append(Box(*box, None, outline="muted", dashed=True))
    if told:
        words = Words(x + wide / 2, y + 16, told, _SIZE - 0.5, anchor="middle", italic=mark)
        shapes.append(words)
    return shapes
