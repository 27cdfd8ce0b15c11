"""A plan beside what happened: what each step is to how many journeys."""

from __future__ import annotations

from typing import Final

import attrs

from cxkit.flow.plans.planresults import PlanResult
from cxkit.flow.plans.plantouches import STATES
from cxkit.plot.picture import Drawn, Picture, page
from cxkit.plot.scene import Box, Scene, Shape, Words
from cxkit.plot.words import breadth, fit_middle, show_name, show_share

__all__ = ["PlanPicture", "plan"]

_BARS: Final = 380.0
_ROW: Final = 22.0
_BAR: Final = 15.0
_SIZE: Final = 10.0
_STAGE: Final = 22.0
_COLOURS: Final = {
    "done": "s1",
    "misplaced": "s5",
    "failed": "s2",
    "skipped": "line",
    "left_out": "track",
}


def plan(result: PlanResult) -> PlanPicture:
    """A picture of how far journeys follow a plan, step by step.

    Args:
        result: What :meth:`JourneyPlan.count <cxkit.flow.JourneyPlan.count>` returned.

    Example:
        >>> import cxkit as cx
        >>> journeys = cx.simulate.retail(300, rng=1).journeys
        >>> shop = cx.flow.JourneyPlan({"look": ["page_view"], "buy": ["checkout", "purchase"]})
        >>> len(plan(shop.count(journeys)).data())
        3
    """
    return PlanPicture(result)


@attrs.frozen(eq=False, repr=False)
class PlanPicture(Picture):
    """A picture of how far journeys follow a plan.

    Attributes:
        result: What it draws.
    """

    result: PlanResult

    def data(self) -> Drawn:
        """One row per step."""
        found = self.result
        fitness, low, high = (show_share(v) for v in found.fitness)
        perfect = f"{show_share(found.perfect[0])} exactly as planned"
        return Drawn(
            named=found.columns(),
            heading=f"{show_name(found.plan.name)}: planned and done",
            said=(
                f"{found.journeys:,} journeys; mean fitness {fitness} [{low}, {high}]; {perfect}",
                "numbers: share of journeys in which the step is done in its place",
            ),
        )

    def scene(self) -> Scene:
        """A bar for each step, cut by what the step is to journeys."""
        found = self.result
        names = [step.name for step in found.plan.steps]
        side = min(max(breadth(show_name(n), _SIZE) for n in names) + 22, 190.0)
        shapes = _legend()
        y = 24.0
        number = 0
        for stage in found.plan.stages:
            told = show_name(stage.name) + (" (optional)" if stage.optional else "")
            shapes.append(Words(0, y + 14, fit_middle(told, 400, 10.5), 10.5, bold=True))
            y += _STAGE
            for step in stage.steps:
                name = fit_middle(step.name, side - 20, _SIZE)
                shapes.append(Words(12, y + 14, name, _SIZE))
                x = side
                for state, count in zip(STATES, found.states[number].tolist(), strict=True):
                    wide = _BARS * count / max(found.journeys, 1)
                    if wide:
                        shapes.append(Box(x, y + 3, wide, _BAR, _COLOURS[state]))
                    x += wide
                share = show_share(float(found.done[0, number]))
                shapes.append(Words(side + _BARS + 6, y + 14, share, _SIZE))
                y += _ROW
                number += 1
            y += 6
        drawn = self.data()
        return page(shapes, side + _BARS + 52, y, drawn, f"{len(names)} steps of the plan.")


def _legend() -> list[Shape]:
    shapes: list[Shape] = []
    x = 0.0
    for state, colour in _COLOURS.items():
        told = state.replace("_", " ")
        shapes += [Box(x, 1, 11, 11, colour), Words(x + 15, 11, told, _SIZE)]
        x += 15 + breadth(told, _SIZE) + 16
    return shapes
