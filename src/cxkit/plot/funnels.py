"""A funnel: one bar per step, and between them what is lost."""

from __future__ import annotations

from typing import Final

import attrs
import numpy as np

from cxkit.flow.funnels.funnelcounts import FunnelResult
from cxkit.plot.picture import Drawn, Picture, page
from cxkit.plot.scene import Box, Line, Scene, Shape, Words
from cxkit.plot.words import breadth, fit, show_share

__all__ = ["FunnelPicture", "funnel"]

_WIDTH: Final = 560.0
_BAR: Final = 26.0
_HEAD: Final = 18.0
_GAP: Final = 22.0
_READING: Final = "shares are of these, thin lines their intervals"


def funnel(result: FunnelResult) -> FunnelPicture:
    """A picture of a funnel: how many reach each step, with intervals.

    Args:
        result: What :meth:`Funnel.count <cxkit.flow.Funnel.count>` returned.

    Example:
        >>> import cxkit as cx
        >>> journeys = cx.simulate.retail(300, rng=1).journeys
        >>> steps = cx.flow.Funnel(["page_view", "add_to_cart", "purchase"])
        >>> funnel(steps.count(journeys)).data().to_dicts()[0]["step"]
        'page_view'
    """
    return FunnelPicture(result)


@attrs.frozen(eq=False, repr=False)
class FunnelPicture(Picture):
    """A picture of a funnel.

    Attributes:
        result: What it draws.
    """

    result: FunnelResult

    def data(self) -> Drawn:
        """One row per step."""
        found = self.result
        return Drawn(
            named={
                "step": [step.name for step in found.funnel.steps],
                "reached": found.reached,
                "share": found.share,
                "share_low": found.share_low,
                "share_high": found.share_high,
                "dropped": found.dropped,
            },
            heading="How far journeys get",
            said=(f"{found.reached[0]:,} of {found.journeys:,} journeys enter; {_READING}",),
        )

    def scene(self) -> Scene:
        """The bars, from the first step down."""
        drawn = self.data()
        shapes: list[Shape] = []
        rows = drawn.to_dicts()
        y = 0.0
        for place, row in enumerate(rows):
            if place:
                before = rows[place - 1]["reached"]
                part = show_share(row["dropped"] / before if before else float("nan"))
                told = f"↓ {row['dropped']:,} do not go on ({part})"
                shapes.append(Words(10, y + 14, told, 10, "muted"))
                y += _GAP
            count = f"{row['reached']:,}  ({show_share(row['share'])})"
            room = _WIDTH - breadth(count, 11) - 12
            name = fit(row["step"], room, 11, bold=True)
            shapes.append(Words(0, y + 12, name, 11, bold=True))
            shapes.append(Words(_WIDTH, y + 12, count, 11, anchor="end"))
            y += _HEAD
            shapes.append(Box(0, y, _WIDTH, _BAR, "track"))
            share = row["share"] if row["share"] == row["share"] else 0.0
            shapes.append(Box(0, y, max(_WIDTH * share, 1.0), _BAR, "fill"))
            shapes += _whisker(row["share_low"], row["share_high"], y + _BAR / 2)
            y += _BAR + 2
        last = rows[-1]
        return page(
            shapes,
            _WIDTH,
            y,
            drawn,
            f"{len(rows)} steps; {last['reached']:,} journeys reach the last, {last['step']}.",
        )


def _whisker(low: float, high: float, y: float) -> list[Shape]:
    if not np.isfinite(low) or high - low < 1e-9:
        return []
    a, b = low * _WIDTH, high * _WIDTH
    return [
        Line(((a, y), (b, y)), width=1.2),
        Line(((a, y - 4), (a, y + 4)), width=1.2),
        Line(((b, y - 4), (b, y + 4)), width=1.2),
    ]
