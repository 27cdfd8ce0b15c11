"""The steps of a roadmap in the order in which they can be taken, with what each costs."""

from __future__ import annotations

from typing import Final

import attrs

from cxkit.core.result import show_amount
from cxkit.maturity.roadmap import Roadmap
from cxkit.plot.picture import Drawn, Picture, page
from cxkit.plot.scene import Box, Scene, Shape, Words
from cxkit.plot.words import breadth, fit, fit_middle, show_name

__all__ = ["RoadmapPicture", "roadmap"]

_WORTH: Final = 150.0
_COST: Final = 150.0
_GAP: Final = 24.0
_ROW: Final = 36.0
_BAR: Final = 14.0
_HEAD: Final = 18.0
_SIZE: Final = 10.5
_SMALL: Final = 9.0


def roadmap(plan: Roadmap) -> RoadmapPicture:
    """A picture of the least-cost steps to a stage: what is raised, how far, and at what cost.

    Args:
        plan: What :func:`cxkit.maturity.roadmap` returned.

    Example:
        >>> import cxkit as cx
        >>> model = cx.MaturityModel.builtin("five-level")
        >>> plan = cx.maturity.roadmap(model.assess({"managed.people": "always"}))
        >>> roadmap(plan).data().columns()["cost"]
        [0.25, 1.0]
    """
    return RoadmapPicture(plan)


@attrs.frozen(eq=False, repr=False)
class RoadmapPicture(Picture):
    """A picture of the steps to a stage.

    Attributes:
        plan: What it draws.
    """

    plan: Roadmap

    def data(self) -> Drawn:
        """One row per step, in an order in which they can be taken."""
        return Drawn(
            named=self.plan.columns(),
            heading=self.plan.title(),
            said=(
                "worth: pale is what there is now, dark what the step adds",
                *(note.strip() for note in self.plan.notes()),
            ),
        )

    def scene(self) -> Scene:
        """A row for each step: its name, how far it is raised, and its cost as a bar."""
        drawn, steps = self.data(), self.plan.steps
        names = [f"{place}  {show_name(s.criterion)}" for place, s in enumerate(steps, 1)]
        side = min(max([breadth(n, _SIZE) for n in names] + [80.0]) + 14, 220.0)
        right = side + _WORTH + 46 + _GAP
        shapes: list[Shape] = [
            Words(side, 10, "worth", _SMALL, "muted"),
            Words(right, 10, "cost", _SMALL, "muted"),
        ]
        most = max([step.cost for step in steps] + [1e-9])
        for place, (name, step) in enumerate(zip(names, steps, strict=True)):
            y = _HEAD + _ROW * place
            criterion = self.plan.model.criterion(step.criterion)
            shapes += [
                Words(0, y + 11, fit_middle(name, side - 8, _SIZE), _SIZE),
                Box(side, y, _WORTH, _BAR, "track"),
                Box(side, y, _WORTH * step.start, _BAR, "fill", 0.45),
                Box(side + _WORTH * step.start, y, _WORTH * (step.end - step.start), _BAR, "s1"),
                Words(side + _WORTH + 5, y + 11, f"to {step.end:g}", _SIZE),
                Box(right, y, max(_COST * step.cost / most, 1.0), _BAR, "s5"),
                Words(right + _COST * step.cost / most + 6, y + 11, show_amount(step.cost), _SIZE),
            ]
            if criterion.text:
                told = fit(criterion.text, right + _COST, _SMALL)
                shapes.append(Words(14, y + _BAR + 10, told, _SMALL, "muted"))
        if not steps:
            shapes = [Words(0, 12, "nothing to do", _SIZE)]
        height = _HEAD + _ROW * max(len(steps), 1)
        return page(shapes, right + _COST + 40, height, drawn, f"{len(steps)} steps.")
