"""The stages of a maturity model as a ladder, and what each one has."""

from __future__ import annotations

from typing import Final

import attrs

from cxkit.maturity.assessed import Assessed
from cxkit.plot.picture import Drawn, Picture, page
from cxkit.plot.scene import Box, Line, Scene, Shape, Words
from cxkit.plot.words import breadth, fit_middle, show_name, show_share

__all__ = ["LadderPicture", "ladder"]

_BARS: Final = 330.0
_ROW: Final = 34.0
_BAR: Final = 16.0
_SIZE: Final = 10.5


def ladder(assessed: Assessed) -> LadderPicture:
    """A picture of how far each stage is met, the highest on top, and of the gates that fail.

    Args:
        assessed: What :meth:`MaturityModel.assess <cxkit.MaturityModel.assess>` returned for one
            subject.

    Example:
        >>> import cxkit as cx
        >>> model = cx.MaturityModel.builtin("five-level")
        >>> ladder(model.assess({"managed.people": "always"})).data().columns()["attainment"]
        [0.3333333333333333, 0.0, 0.0, 0.0]
    """
    return LadderPicture(assessed)


@attrs.frozen(eq=False, repr=False)
class LadderPicture(Picture):
    """A picture of the stages.

    Attributes:
        assessed: What it draws.
    """

    assessed: Assessed

    def data(self) -> Drawn:
        """One row per stage above the base, the lowest first."""
        found = self.assessed
        numbers = list(found.attainment)
        high = self.assessed.of.attainment_high[self.assessed.position].tolist()
        columns = dict(found.columns())
        columns["attainment_high"] = high
        columns["failing_gates"] = [", ".join(_failing(found, n)) for n in numbers]
        notes = ["mark: the attainment that the stage takes; pale: what is not known, at best"]
        if found.out_of_order:
            ids = ", ".join(found.model.stage(n).id for n in found.out_of_order)
            notes.append(f"met out of order, which raises nothing: {ids}")
        return Drawn(named=columns, heading=found.title(), said=tuple(notes))

    def scene(self) -> Scene:
        """A bar for each stage, the highest on top."""
        found, drawn = self.assessed, self.data()
        rows = list(zip(*(drawn.columns()[k] for k in _COLUMNS), strict=True))[::-1]
        names = [f"{n}  {show_name(stage)}" for stage, n, *_ in rows]
        side = min(max(breadth(name, _SIZE) for name in names) + 16, 200.0)
        shapes: list[Shape] = []
        for place, (name, row) in enumerate(zip(names, rows, strict=True)):
            _, n, attained, high, threshold, gates = row
            y = _ROW * place
            counts = n <= found.level
            shapes.append(
                Words(0, y + 13, fit_middle(name, side - 8, _SIZE), _SIZE, bold=n == found.level)
            )
            shapes.append(Box(side, y + 1, _BARS, _BAR, "track"))
            shapes.append(Box(side, y + 1, _BARS * high, _BAR, "fill", 0.35))
            shapes.append(Box(side, y + 1, _BARS * attained, _BAR, "s1" if counts else "fill"))
            x = side + _BARS * threshold
            shapes.append(Line(((x, y - 1), (x, y + _BAR + 3)), "ink", 1.6))
            shapes.append(Words(side + _BARS + 6, y + 13, show_share(attained), _SIZE))
            if gates:
                told = fit_middle(f"gate fails: {gates}", _BARS, 9)
                shapes.append(Words(side, y + _BAR + 11, told, 9, "s2"))
        base = found.model.stages[0]
        y = _ROW * len(rows)
        told = f"{base.n}  {show_name(base.id)}"
        shapes.append(Words(0, y + 13, told, _SIZE, bold=found.level == base.n))
        shapes.append(Words(side, y + 13, "the base: takes nothing", _SIZE, "muted"))
        return page(
            shapes, side + _BARS + 50, y + 22, drawn, f"Level {found.level}, {found.stage}."
        )


_COLUMNS: Final = ("stage", "n", "attainment", "attainment_high", "threshold", "failing_gates")


def _failing(found: Assessed, n: int) -> list[str]:
    held = found.of.gates[found.position]
    return [
        c.id
        for c, ok in zip(found.model.criteria, held, strict=True)
        if c.stage == n and c.gate and not ok
    ]
