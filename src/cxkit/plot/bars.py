"""Who shares the conversions: a row per label, a column per model, bars with intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import product
from typing import Any, Final, Literal

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.attribution import Attribution, Comparison
from cxkit.errors import DefinitionError
from cxkit.plot.folding import check_top, fold_labels, other_name
from cxkit.plot.picture import Drawn, Picture, moved, page
from cxkit.plot.scene import Box, Line, Scene, Shape, Words
from cxkit.plot.words import breadth, cut, fit_middle, short_number, show_name, show_share

__all__ = ["BarsPicture", "bars"]

_ROW: Final = 24.0
_BAR: Final = 13.0
_ALONE: Final = 400.0
_COLUMN: Final = 116.0
_GAP: Final = 18.0
_SIZE: Final = 10.5
_SMALL: Final = 9.5
_MOST: Final = 6
_OWN: Final = 2.0
_NOTHING: Final = 1e-12


def bars(
    result: Attribution | Comparison,
    *,
    what: Literal["share", "conversions", "value"] = "share",
    top: int = 12,
) -> BarsPicture:
    """A picture of attribution: how much each label gets, by each model, with intervals.

    Args:
        result: What :func:`cxkit.attribution.attribute` or :func:`cxkit.attribution.compare`
            returned.
        what: ``"share"`` of the conversions that were shared; the ``"conversions"`` themselves; or
            the ``"value"``.
        top: How many labels are drawn by themselves, those with the most credit on the mean of the
            models; the others are one row.

    Raises:
        DefinitionError: ``what`` is unknown, or ``top`` no whole number from 1 up.

    Example:
        >>> import cxkit as cx
        >>> journeys = cx.simulate.retail(300, rng=1).journeys
        >>> found = cx.attribution.attribute(journeys, "purchase", cx.attribution.Linear())
        >>> round(sum(row["linear"] for row in bars(found).data().to_dicts()), 9)
        1.0
    """
    if what not in {"share", "conversions", "value"}:
        raise DefinitionError(f"what is one of ['share', 'conversions', 'value']; found {what!r}")
    models = result.attributions if isinstance(result, Comparison) else (result,)
    return BarsPicture(tuple(models), what, check_top(top))


@attrs.frozen(eq=False, repr=False)
class BarsPicture(Picture):
    """A picture of attribution.

    Attributes:
        models: What it draws, over the same labels.
        what: Share, conversions or value.
        top: How many labels are drawn by themselves.
    """

    models: tuple[Attribution, ...]
    what: str
    top: int

    def data(self) -> Drawn:
        """One row per label; for each model its amount, and the ends of the interval."""
        first = self.models[0]
        mean = np.mean([np.nan_to_num(a.conversions) for a in self.models], axis=0)
        # Labels without credit have a row too: that they have none is an answer.
        folded = fold_labels(np.maximum(np.round(mean, 9), 1e-12), self.top)
        kept, rest = folded.kept, folded.group == len(folded.kept)
        names: list[Any] = [first.labels[k] for k in kept.tolist()]
        if folded.others:
            names = [*map(show_name, names), other_name(folded.others)]
        named: dict[str, Any] = {first.by: names}
        for a in self.models:
            value, low, high = self._amounts(a)
            for end, numbers in (("", value), ("_low", low), ("_high", high)):
                amount = numbers[kept]
                if folded.others:
                    # The interval of a sum is no sum of intervals.
                    together = numbers[rest].sum() if not end else math.nan
                    amount = np.append(amount, together)
                named[f"{a.model.name}{end}"] = amount
        said = [f"thin lines: {100 * first.level:g}% intervals"]
        if folded.others:
            said.append(f"{folded.others:,} further labels are together in the last row")
        each = self._lengths(named)
        limit = _OWN * float(np.median(each))
        own = [a.model.name for a, r in zip(self.models, each, strict=True) if r > limit]
        if own:
            said.append(f"{', '.join(own)}: on a scale of its own")
        unit = {"share": "Share of", "conversions": "Conversions:", "value": "Value of"}[self.what]
        many = f"{len(self.models)} models" if len(self.models) > 1 else first.model.name
        return Drawn(
            named=named,
            heading=f"{unit} {show_name(first.goal.name)} by {show_name(first.by)}, {many}",
            said=("; ".join(said),),
        )

    def scene(self) -> Scene:
        """The bars; each model has a column of its own."""
        drawn = self.data()
        columns = drawn.columns()
        by = self.models[0].by
        names = [show_name(name) for name in columns[by]]
        side = min(max(breadth(n, _SIZE) for n in names) + 10, 170.0) if names else 60.0
        wide = _ALONE if len(self.models) == 1 else _COLUMN
        head = 0.0 if len(self.models) == 1 else 30.0
        lines = -(-len(self.models) // _MOST)
        across = -(-len(self.models) // lines)
        width = side + across * (wide + _GAP) - _GAP
        tall = head + _ROW * len(names) + 10
        shapes: list[Shape] = []
        for line, row in product(range(lines), range(len(names))):
            y = line * tall + head + _ROW * row
            if row % 2 == 0:
                shapes.append(Box(0, y, width, _ROW, "panel"))
            grey = "muted" if self._together(names) and row == len(names) - 1 else "ink"
            told = fit_middle(names[row], side - 8, _SIZE)
            shapes.append(Words(4, y + 16, told, _SIZE, grey))
        reach = self._reaches(columns)
        for place, a in enumerate(self.models):
            line, column = divmod(place, across)
            x, y = side + column * (wide + _GAP), line * tall
            if head:
                shapes += [moved(shape, x, y) for shape in _heading(a.model.name, wide)]
            shapes += self._column(drawn, a, x, wide, reach[place], y + head)
        best = names[0] if names else "nobody"
        return page(
            shapes,
            width,
            lines * tall - 10,
            drawn,
            f"{len(names)} labels by {len(self.models)} models; the most credit goes to {best}.",
        )

    def _lengths(self, named: Mapping[str, Any]) -> list[float]:
        """How long each model's bars and intervals are."""
        return [sum(self._reach(named, a)) for a in self.models]

    def _reaches(self, named: Mapping[str, Any]) -> list[float]:
        """What each model's bars are measured by: one scale for all that it suits."""
        each = self._lengths(named)
        usual = [r for r in each if r <= _OWN * float(np.median(each))]
        return [max(usual) if r in usual else r for r in each]

    def _together(self, names: list[str]) -> bool:
        return len(names) < len(self.models[0].labels)

    def _amounts(
        self, a: Attribution
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        found = a.estimates[self.what]
        return found.estimate, found.low, found.high

    def _reach(self, columns: Mapping[str, Any], a: Attribution) -> tuple[float, float]:
        """How far bars and intervals go, to the left of nothing and to the right.

        The row of all others does not matter: it would make all others tiny.
        """
        many = len(columns[a.by]) - self._together(list(columns[a.by]))
        every = np.concatenate(
            [np.asarray(columns[f"{a.model.name}{end}"])[:many] for end in ("", "_low", "_high")]
        )
        every = np.append(every[np.isfinite(every)], 0.0)
        return -float(every.min()), float(every.max())

    def _column(
        self, drawn: Drawn, a: Attribution, x: float, wide: float, reach: float, head: float
    ) -> list[Shape]:
        shapes: list[Shape] = []
        columns = drawn.columns()
        ends = [np.asarray(columns[f"{a.model.name}{end}"]) for end in ("", "_low", "_high")]
        told = [self._told(v) for v in ends[0].tolist()]
        room = max((breadth(t, _SMALL) for t in told), default=0.0) + 7
        scale = (wide - room) / reach if reach > 0 else 0.0
        zero = x + self._reach(columns, a)[0] * scale
        edge = x + wide - room
        for row, value in enumerate(ends[0].tolist()):
            middle = head + _ROW * (row + 0.5)
            at = min(max(zero + np.nan_to_num(value) * scale, x), edge)
            left, thick = min(zero, at), max(abs(at - zero), 0.75 if value else 0.0)
            colour = "s2" if value < 0 else "fill"
            shapes.append(Box(left, middle - _BAR / 2, thick, _BAR, colour))
            low, high = float(ends[1][row]), float(ends[2][row])
            end = max(at, zero)
            if np.isfinite(low) and np.isfinite(high) and high - low > _NOTHING:
                a0, b0 = (min(max(zero + v * scale, x), edge) for v in (low, high))
                shapes.append(Line(((a0, middle), (b0, middle)), width=1.1))
                shapes += [Line(((c, middle - 3), (c, middle + 3)), width=1.1) for c in (a0, b0)]
                end = max(end, b0)
            shapes.append(Words(end + 4, middle + 4, told[row], _SMALL))
        if zero > x:
            shapes.append(Line(((zero, head), (zero, head + _ROW * len(told))), "muted", 0.7))
        return shapes

    def _told(self, value: float) -> str:
        return show_share(value) if self.what == "share" else short_number(value)


def _heading(name: str, wide: float) -> list[Shape]:
    """The name of a model, on two lines if it must."""
    words = name.replace("_", " ").replace("(", " (").split()
    lines = [""]
    for word in words:
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and breadth(longer, _SMALL, bold=True) > wide:
            lines.append(word)
        else:
            lines[-1] = longer
    if len(lines) > 2:
        lines = [lines[0], " ".join(lines[1:])]
    most = int(wide / (_SMALL * 0.69))
    return [
        Words(0, 24 - 12 * (len(lines) - 1 - k), cut(line, most), _SMALL, bold=True)
        for k, line in enumerate(lines)
    ]
