"""What may be wrong with a log, done to it on purpose."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.attribution.touchpaths.cutting import PathRule
from cxkit.core.codes import Codes
from cxkit.core.ragged import cut_offsets
from cxkit.core.spans import SpanLike, show_span, span_us
from cxkit.errors import DefinitionError
from cxkit.model.journeys import Journeys

__all__ = ["Change", "every_change", "needed_columns"]

Changed: TypeAlias = tuple[Journeys, PathRule]


class Change(NamedTuple):
    """One way to look at the data anew.

    Attributes:
        name: What is changed.
        setting: To what, or how much of it.
        drawn: Whether chance is in it, so that it is worth repeating.
        make: ``(journeys, rule, rng)`` -> the journeys and the rule to attribute by.
    """

    name: str
    setting: str
    drawn: bool
    make: Callable[[Journeys, PathRule, np.random.Generator], Changed]


def every_change(
    *,
    lookbacks: Iterable[SpanLike | None],
    gaps: Iterable[SpanLike],
    split: Iterable[float],
    lost: Iterable[float],
    duplicated: Iterable[float],
) -> list[Change]:
    """All changes that were asked for; the arguments are those of :func:`audit`."""
    found = [
        *(Change("lookback", _span(s, "lookback"), False, partial(_look, s)) for s in lookbacks),
        *(Change("session gap", _span(s, "gap"), False, partial(_sessions, s)) for s in gaps),
    ]
    parts = (("identity split", split, _split), ("touches lost", lost, _lose),
             ("touches duplicated", duplicated, _double))  # fmt: skip
    for name, given, make in parts:
        for part in given:
            if isinstance(part, bool) or not 0 < part < 1:
                raise DefinitionError(
                    f"{name}: {part!r} must be a part between 0 and 1, such as 0.1"
                )
            found.append(Change(name, f"{part:.0%}", True, partial(make, part)))
    return found


def needed_columns(journeys: Journeys, rule: PathRule) -> Journeys:
    """The journeys with those columns only that attribution looks at."""
    goals = [rule.goal, *(rule.touches or ())]
    asked = {column for goal in goals for column, _ in goal.where}
    names = {"event", "channel", "value", rule.by} | asked
    kept = {name: column for name, column in journeys.columns.items() if name in names}
    return attrs.evolve(journeys, columns=kept)


def _span(span: SpanLike | None, name: str) -> str:
    return "none" if span is None else show_span(span_us(span, name=name))


def _look(
    span: SpanLike | None, journeys: Journeys, rule: PathRule, _: np.random.Generator
) -> Changed:
    return journeys, attrs.evolve(rule, lookback=span)


def _sessions(gap: SpanLike, journeys: Journeys, rule: PathRule, _: np.random.Generator) -> Changed:
    return journeys.sessions(gap), rule


def _split(part: float, journeys: Journeys, rule: PathRule, rng: np.random.Generator) -> Changed:
    """Some journeys fall in two at a touchpoint by chance, as if a device had been forgotten."""
    size = np.diff(journeys.offsets)
    which = np.flatnonzero((rng.random(len(size)) < part) & (size > 1))
    starts = np.zeros(journeys.touchpoints, dtype=bool)
    after = 1 + np.floor(rng.random(len(which)) * (size[which] - 1)).astype(np.int64)
    starts[journeys.offsets[which] + after] = True
    offsets, who = cut_offsets(journeys.offsets, starts, journeys.customer.codes)
    customer = Codes(who, journeys.customer.vocabulary)
    return attrs.evolve(journeys, offsets=offsets, customer=customer), rule


def _lose(part: float, journeys: Journeys, rule: PathRule, rng: np.random.Generator) -> Changed:
    """Some touchpoints are gone; conversions are known from elsewhere, and stay."""
    keep = rng.random(journeys.touchpoints) >= part
    return journeys.where(keep | rule.goal.matches(journeys)), rule


def _double(part: float, journeys: Journeys, rule: PathRule, rng: np.random.Generator) -> Changed:
    """Some touchpoints are there twice; conversions are not."""
    again = (rng.random(journeys.touchpoints) < part) & ~rule.goal.matches(journeys)
    rows = np.repeat(np.arange(journeys.touchpoints), 1 + again)
    before = np.append(0, np.cumsum(1 + again))
    columns = {name: _taken(column, rows) for name, column in journeys.columns.items()}
    offsets = before[journeys.offsets]
    return attrs.evolve(journeys, offsets=offsets, time=journeys.time[rows], columns=columns), rule


def _taken(column: Codes | NDArray[Any], rows: NDArray[np.int64]) -> Codes | NDArray[Any]:
    return column.take(rows) if isinstance(column, Codes) else column[rows]
