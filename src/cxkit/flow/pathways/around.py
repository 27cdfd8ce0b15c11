"""Windows of paths: what comes before and after an event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.codes import Codes
from cxkit.core.records import check_fields
from cxkit.core.spans import SpanLike, show_span, span_us
from cxkit.core.summary import parameter
from cxkit.core.whole import whole_number
from cxkit.errors import DefinitionError
from cxkit.flow.pathways.pathvariants import PathVariants, VariantTable
from cxkit.model.goal import Goal, GoalLike, as_goal
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys

__all__ = ["Around", "PathsAround", "anchors", "cut_around", "paths_after", "paths_before"]

_SCHEMA: Final = "cxkit/around/1"
_WHICH: Final = ("first", "last", "every")
_MOST: Final = 1000


def _goal(value: GoalLike | None) -> Goal | None:
    return None if value is None else as_goal(value)


def _span(value: SpanLike | None) -> str | None:
    return None if value is None else show_span(span_us(value, name="within"))


@attrs.frozen
class Around:
    """A window of touchpoints around an event.

    Attributes:
        event: The event in the middle; ``None`` for the first touchpoint of the journey.
        before: At most so many touchpoints before it.
        after: At most so many after it.
        within: Only touchpoints at most this far from it in time.
        which: Around the ``"first"`` such touchpoint of a journey, the ``"last"``, or ``"every"``
            one, each with a window of its own; windows may then overlap.

    Example:
        >>> Around("add_to_cart", before=2, after=3, within="1h").within
        '1h'
    """

    event: Goal | None = attrs.field(default=None, converter=_goal)
    before: int = attrs.field(default=0, kw_only=True)
    after: int = attrs.field(default=5, kw_only=True)
    within: str | None = attrs.field(default=None, kw_only=True, converter=_span)
    which: str = attrs.field(default="first", kw_only=True)

    def __attrs_post_init__(self) -> None:
        """Check the sizes."""
        for name, size in (("before", self.before), ("after", self.after)):
            whole_number(size, name, least=0, most=_MOST)
        if self.which not in _WHICH:
            raise DefinitionError(f"which must be one of {list(_WHICH)}; found {self.which!r}")
        if self.event is None and (self.which != "first" or self.before):
            raise DefinitionError(
                "without an event the window begins with the journey: there is nothing before it "
                "and no other one; name an event, as in Around('add_to_cart', before=2)"
            )

    def to_dict(self) -> dict[str, Any]:
        """The window as plain data for JSON."""
        return {
            "schema": _SCHEMA,
            "event": None if self.event is None else self.event.to_dict(),
            "before": int(self.before),
            "after": int(self.after),
            "within": self.within,
            "which": self.which,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Around:
        """Read back what :meth:`to_dict` wrote.

        Raises:
            DataError: The data is of another schema.
        """
        names = ("before", "after", "within", "which")
        check_fields(data, _SCHEMA, "window", ("event",), names)
        event = data["event"]
        given = {name: data[name] for name in names if name in data}
        return cls(None if event is None else Goal.from_dict(event), **given)


class Anchors(NamedTuple):
    """Where windows lie.

    Attributes:
        row: (A,) the row in the middle of each window.
        low: (A,) its first row.
        high: (A,) the row after its last.
        journey: (A,) the journey it lies in.
    """

    row: IntArray
    low: IntArray
    high: IntArray
    journey: IntArray


def anchors(journeys: Journeys, window: Around) -> Anchors:
    """The windows of journeys, in order of their rows; journeys without the event have none."""
    offsets = journeys.offsets
    if window.event is None:
        row, journey = offsets[:-1], np.arange(len(journeys))
    else:
        row = np.flatnonzero(window.event.matches(journeys))
        journey = np.searchsorted(offsets, row, side="right") - 1
        other = np.ones(len(row), dtype=bool)
        np.not_equal(journey[1:], journey[:-1], out=other[1:])
        if window.which == "first":
            row, journey = row[other], journey[other]
        elif window.which == "last":
            final = np.append(other[1:], True)[: len(row)]
            row, journey = row[final], journey[final]
    low = np.maximum(row - window.before, offsets[journey])
    high = np.minimum(row + window.after + 1, offsets[journey + 1])
    if window.within is not None:
        ticks, span = journeys.time.view(np.int64), span_us(window.within, name="within")
        low = _first_at(ticks, low, row, ticks[row] - span)
        high = _first_at(ticks, row, high, ticks[row] + span + 1)
    return Anchors(row, low, high, journey)


def cut_around(journeys: Journeys | Journey, window: Around) -> Journeys:
    """Only the windows: one journey for each, so that every analysis can look at them.

    Args:
        journeys: The journeys.
        window: Around what, and how far.

    Returns:
        A journey for every window, in the order of the journeys; with ``which="every"`` a
        touchpoint may be in several. Journeys without the event are gone.

    Example:
        >>> journeys = Journeys.from_table(
        ...     {"who": [1] * 4, "sec": [1, 2, 3, 4], "what": ["a", "b", "cart", "c"]},
        ...     customer="who",
        ...     time="sec",
        ...     event="what",
        ...     time_unit="s",
        ... )
        >>> cut_around(journeys, Around("cart", before=1, after=5)).event.to_list()
        ['b', 'cart', 'c']
    """
    many = as_journeys(journeys)
    found = anchors(many, window)
    size = found.high - found.low
    offsets = np.append(0, np.cumsum(size))
    rows = np.arange(offsets[-1]) + np.repeat(found.low - offsets[:-1], size)
    columns = {
        name: column.take(rows) if isinstance(column, Codes) else column[rows]
        for name, column in many.columns.items()
    }
    return Journeys(offsets, many.customer.take(found.journey), many.time[rows], columns)


@attrs.frozen(eq=False, repr=False, kw_only=True)
class PathsAround(PathVariants):
    """Path variants of the windows around an event, as a summary that adds up.

    Attributes:
        window: Around what, and how far.

    Example:
        >>> len(PathsAround.of(Journeys.empty(), window=Around("buy", before=2, after=0)))
        0
    """

    window: Around = attrs.field(metadata=parameter(Around.from_dict))

    @classmethod
    def of(
        cls, journeys: Journeys | Journey, /, *, window: Around | None = None, by: str = "event"
    ) -> Self:
        """Count. An event that this part of the data lacks has no windows.

        Args:
            journeys: The journeys.
            window: Around what, and how far; the first six touchpoints by default.
            by: A column of labels.

        Raises:
            SchemaError: There is no such column, or it holds numbers.
        """
        asked = Around() if window is None else window
        cut = PathVariants.of(cut_around(journeys, asked), by=by)
        rows = {f.name: getattr(cut, f.name) for f in cut.fields("axis") + cut.fields("total")}
        return cls(by=by, window=asked, **rows)


def paths_before(
    journeys: Journeys | Journey,
    event: GoalLike,
    by: str = "event",
    *,
    touches: int = 3,
    within: SpanLike | None = None,
    which: str = "first",
    top: int = 20,
    level: float = 0.95,
) -> VariantTable:
    """The most frequent paths to an event: its last touchpoints before it, and itself.

    Shares are of all windows, also of those of journeys that begin with the event. Journeys without
    it are not in the table.

    Args:
        journeys: The journeys.
        event: To which event, or goal.
        by: A column of labels.
        touches: How many touchpoints before it, at most.
        within: Only those at most so long before it.
        which: To the ``"first"`` such event of a journey, the ``"last"`` or ``"every"`` one.
        top: How many paths to list.
        level: Of the intervals.

    Raises:
        SchemaError: There is no such column, or it holds numbers.
        UnknownLabelError: The data does not have the event.
        DefinitionError: An argument is wrong.

    Example:
        >>> journeys = Journeys.from_table(
        ...     {"who": [1, 1, 2, 2], "sec": [1, 2, 3, 4], "what": ["mail", "buy"] * 2},
        ...     customer="who",
        ...     time="sec",
        ...     event="what",
        ...     time_unit="s",
        ... )
        >>> [(r["path"], r["journeys"]) for r in paths_before(journeys, "buy").to_dicts()]
        [('mail > buy', 2)]
    """
    window = Around(event, before=touches, after=0, within=within, which=which)
    return _paths(journeys, window, by, top, level)


def paths_after(
    journeys: Journeys | Journey,
    event: GoalLike,
    by: str = "event",
    *,
    touches: int = 3,
    within: SpanLike | None = None,
    which: str = "first",
    top: int = 20,
    level: float = 0.95,
) -> VariantTable:
    """The most frequent paths from an event: itself, and its next touchpoints.

    Takes the arguments of :func:`paths_before`, and raises what it raises.
    """
    window = Around(event, after=touches, within=within, which=which)
    return _paths(journeys, window, by, top, level)


def _paths(
    journeys: Journeys | Journey, window: Around, by: str, top: int, level: float
) -> VariantTable:
    many = as_journeys(journeys)
    if window.event is not None and many.touchpoints:
        window.event.require(many)
    return PathsAround.of(many, window=window, by=by).result(top=top, level=level)


def _first_at(ticks: IntArray, low: IntArray, high: IntArray, due: IntArray) -> NDArray[np.int64]:
    """The first row from ``low`` to before ``high`` that is not earlier than ``due``."""
    low, high = low.copy(), high.copy()
    while (apart := low < high).any():  # bisection, all windows at once
        middle = (low + high) >> 1
        early = apart & (ticks[np.minimum(middle, len(ticks) - 1)] < due)
        low = np.where(early, middle + 1, low)
        high = np.where(apart & ~early, middle, high)
    return low
