"""How points age: what is left of them, and what idleness takes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Final, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.codes import Label
from cxkit.core.numerals import write_number
from cxkit.core.records import check_fields
from cxkit.core.spans import SpanLike, show_span, span_us
from cxkit.engagement.amounts import some_points
from cxkit.errors import DataError, DefinitionError

__all__ = [
    "Ageing",
    "HalfLife",
    "Inactivity",
    "LinearDecay",
    "RollingWindow",
    "age_in_place",
    "ageing_from_dict",
    "ageing_to_dict",
    "idle_loss",
    "instant_of",
    "show_ageing",
    "show_instant",
]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_GONE: Final = 2000.0  # half-lives after which nothing is left; keeps the exponent a small integer


def _span(value: SpanLike) -> str:
    # Kept as text in one spelling, so that "1h" and timedelta(hours=1) make equal definitions.
    return show_span(span_us(value, name="the span of an ageing"))


@attrs.frozen
class HalfLife:
    """A point counts half after the span, a quarter after two: ``2 ** (-age / span)``.

    Attributes:
        span: The half-life.
    """

    span: str = attrs.field(converter=_span)

    @cached_property
    def us(self) -> int:
        """The span in microseconds."""
        return span_us(self.span, name="span")


@attrs.frozen
class LinearDecay:
    """A point loses an equal share of what it *was* in each unit of time: ``max(0, 1 - age/over)``.

    Some tools state the share lost in a period instead: 50% a month is ``over="60d"``. It is not a
    share of what is left: 10 points become 5 and then 0, not 2.5.

    Attributes:
        over: The age at which nothing is left.
    """

    over: str = attrs.field(converter=_span)

    @cached_property
    def us(self) -> int:
        """The span in microseconds."""
        return span_us(self.over, name="over")


@attrs.frozen
class RollingWindow:
    """A point counts in full while it is younger than the span, and then not at all.

    Attributes:
        span: How long a point counts; at an age of exactly the span it is gone.
    """

    span: str = attrs.field(converter=_span)

    @cached_property
    def us(self) -> int:
        """The span in microseconds."""
        return span_us(self.span, name="span")


def _steps(given: Any) -> tuple[tuple[str, float], ...]:
    pairs = given.items() if isinstance(given, Mapping) else given
    try:
        found = [(_span(span), some_points(points, "points of a step")) for span, points in pairs]
    except (TypeError, ValueError) as error:
        if isinstance(error, DefinitionError):
            raise
        raise DefinitionError(
            f"steps of inactivity are a mapping such as {{'30d': 10, '60d': 20}}; found {given!r}"
        ) from None
    if len({span for span, _ in found}) != len(found) or not found:
        raise DefinitionError(
            f"inactivity needs one or more steps, each after another span; found {given!r}"
        )
    return tuple(sorted(found, key=lambda step: span_us(step[0], name="step")))


def _events(given: Any) -> tuple[Label, ...] | None:
    if given is None:
        return None
    found = (given,) if isinstance(given, (str, int)) else tuple(dict.fromkeys(given))
    for event in found:
        if isinstance(event, bool) or not isinstance(event, (str, int)):
            raise DefinitionError(f"events of inactivity are labels; found {event!r}")
    if not found:
        raise DefinitionError("events=[] would make every customer inactive; leave it out")
    return tuple(sorted(found, key=lambda event: (isinstance(event, str), event)))


@attrs.frozen
class Inactivity:
    """Points do not age, but idleness takes steps off the total, which stack.

    A step counts once the customer has been idle for its span or longer. It never takes more than
    there is: a total above 0 falls to 0 at most. With the next activity the loss is over, for it is
    a matter of the total at an instant; tools that lower a stored score make it last.

    Attributes:
        steps: Pairs of a span and the points that it costs, given as a mapping.
        events: What is activity: these events; any touchpoint if ``None``. Name them where
            customers are sent mails or see advertisements without doing anything.

    Example:
        >>> Inactivity({"60d": 20, "30d": 10}).steps
        (('30d', 10.0), ('60d', 20.0))
    """

    steps: tuple[tuple[str, float], ...] = attrs.field(converter=_steps)
    events: tuple[Label, ...] | None = attrs.field(default=None, converter=_events, kw_only=True)

    @cached_property
    def table(self) -> tuple[IntArray, NDArray[np.float64]]:
        """(S,) idle microseconds, ascending, and (S + 1,) what that long a pause costs in all."""
        spans = np.array([span_us(span, name="step") for span, _ in self.steps], np.int64)
        return spans, np.concatenate([[0.0], np.cumsum([points for _, points in self.steps])])

    def left(self, total: NDArray[np.float64], idle: IntArray) -> NDArray[np.float64]:
        """(n,) totals after the steps for (n,) idle microseconds."""
        return np.asarray(total - idle_loss(self, total, idle))


def idle_loss(
    ageing: Inactivity, total: NDArray[np.float64], idle: IntArray
) -> NDArray[np.float64]:
    """(n,) what the steps for (n,) idle microseconds take off totals; exactly 0 before the first.

    Example:
        >>> day = 86_400_000_000
        >>> idle_loss(Inactivity({"1d": 5}), np.array([9.0, 9.0, 3.0]), np.array([0, day, day]))
        array([0., 5., 3.])
    """
    spans, cost = ageing.table
    due = cost[np.searchsorted(spans, idle, side="right")]
    return np.asarray(np.minimum(due, np.maximum(total, 0.0)))


Ageing: TypeAlias = HalfLife | LinearDecay | RollingWindow | Inactivity

_KINDS: Final[dict[str, tuple[Any, tuple[str, ...]]]] = {
    "half_life": (HalfLife, ("span",)),
    "linear": (LinearDecay, ("over",)),
    "window": (RollingWindow, ("span",)),
    "inactivity": (Inactivity, ("steps", "events")),
}


def ageing_to_dict(ageing: Ageing) -> dict[str, Any]:
    """An ageing as plain data for JSON."""
    kind = next(name for name, (cls, _) in _KINDS.items() if isinstance(ageing, cls))
    fields = attrs.asdict(ageing)
    if isinstance(ageing, Inactivity):
        fields["steps"] = dict(ageing.steps)
        fields["events"] = None if ageing.events is None else list(ageing.events)
    return {"kind": kind, **fields}


def ageing_from_dict(data: Any) -> Ageing:
    """Read back what ``ageing_to_dict`` wrote.

    Raises:
        DataError: The kind is unknown, or a field is missing or unknown.
    """
    if not isinstance(data, Mapping) or data.get("kind") not in _KINDS:
        raise DataError(f"ageing must be one of the kinds {list(_KINDS)}; found {data!r}")
    cls, fields = _KINDS[data["kind"]]
    check_fields(data, None, "ageing", ["kind", fields[0]], fields[1:])
    return cls(**{k: data[k] for k in fields if k in data})  # type: ignore[no-any-return]


def show_ageing(ageing: Ageing | None) -> str:
    """How points age, as it is printed.

    Example:
        >>> show_ageing(None), show_ageing(LinearDecay("60d"))
        ('no ageing', 'linear to 0 over 60d')
    """
    if ageing is None:
        return "no ageing"
    if isinstance(ageing, HalfLife):
        return f"half-life {ageing.span}"
    if isinstance(ageing, LinearDecay):
        return f"linear to 0 over {ageing.over}"
    if isinstance(ageing, RollingWindow):
        return f"window of {ageing.span}"
    steps = ", ".join(f"{write_number(points)} after {span}" for span, points in ageing.steps)
    return f"inactivity takes {steps}"


def age_in_place(points: NDArray[np.float64], age: IntArray, ageing: Ageing | None) -> None:
    """Multiply points by what their age leaves of them.

    Whole half-lives are split off and applied as an exact power of two. Otherwise the rounding of
    age / half_life would grow with the age: 4e-14 of the answer after 900 half-lives, and here
    2e-16 at any age. Below the smallest double the answer is 0.

    Args:
        points: (n,) multiplied in place.
        age: (n,) microseconds, not negative.
        ageing: How points age.
    """
    if isinstance(ageing, HalfLife):
        with np.errstate(under="ignore"):
            whole = np.divide(age, ageing.us)
            np.floor(whole, out=whole)
            rest = np.multiply(whole, ageing.us)
            np.subtract(age, rest, out=rest)  # exact: whole numbers, below 2**53 up to 285 years
            rest /= -ageing.us
            np.exp2(rest, out=rest)
            np.minimum(whole, _GONE, out=whole)
            points *= np.ldexp(rest, -whole.astype(np.int32))
    elif isinstance(ageing, LinearDecay):
        left = np.subtract(ageing.us, age, dtype=np.float64)
        np.maximum(left, 0.0, out=left)
        left /= ageing.us
        points *= left
    elif isinstance(ageing, RollingWindow):
        points *= age < ageing.us


def instant_of(us: int) -> datetime:
    """Microseconds since 1970 as an aware UTC datetime."""
    return _EPOCH + timedelta(microseconds=us)


def show_instant(us: int) -> str:
    """An instant as it is printed.

    Example:
        >>> show_instant(0), show_instant(1_500_000)
        ('1970-01-01 UTC', '1970-01-01 00:00:01.500000 UTC')
    """
    text = instant_of(us).isoformat(sep=" ").removesuffix("+00:00")
    return text.removesuffix(" 00:00:00") + " UTC"
