"""What is waited for: the n-th time of a goal, or the end of a customer's activity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.records import check_fields
from cxkit.core.spans import SpanLike, show_span, span_us
from cxkit.errors import DataError, DefinitionError
from cxkit.flow.retention.beginnings import as_optional_goal, first_rows
from cxkit.model.goal import Goal, as_goal
from cxkit.model.journeys import Journeys

__all__ = ["Churn", "TimeTo", "Wait", "Waits", "wait_from_dict", "waits_of"]

_TIME_TO: Final = "cxkit/time-to/1"
_CHURN: Final = "cxkit/churn/1"


class Waits(NamedTuple):
    """How long journeys waited.

    Attributes:
        start: (n,) the touchpoints at which they began.
        journey: (n,) the journeys.
        us: (n,) microseconds until it happened, or until the data ended.
        happened: (n,) which of the two.
    """

    start: IntArray
    journey: IntArray
    us: IntArray
    happened: NDArray[np.bool_]


def _as_gap(gap: SpanLike) -> str:
    return show_span(span_us(gap, name="gap"))


@attrs.frozen
class TimeTo:
    """The time from the start of a journey to the n-th time that it reaches a goal.

    A journey that has not reached it when the data ends is not a journey that never will: it is
    known to have waited at least so long (censored), and counts as such.

    Attributes:
        goal: The goal, or the name of its event.
        n: The how-manieth time; the touchpoint of the start counts if it reaches the goal.
        start: What begins the wait; the first touchpoint if ``None``. Journeys without it are left
            out.

    Raises:
        DefinitionError: ``goal`` is none, or ``n`` no whole number from 1.

    Example:
        >>> TimeTo("purchase", start="sign_up").told()
        'from sign_up to purchase'
        >>> TimeTo("purchase", n=2, start="purchase").told()
        'from purchase to purchase number 2'
    """

    goal: Goal = attrs.field(converter=as_goal)
    n: int = attrs.field(default=1)
    start: Goal | None = attrs.field(default=None, converter=as_optional_goal, kw_only=True)

    @n.validator
    def _check(self, _: object, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise DefinitionError(f"n is a whole number from 1 up; found {value!r}")

    def told(self) -> str:
        """In words."""
        many = "" if self.n == 1 else f" number {self.n}"
        return f"from {_start(self.start)} to {self.goal.name}{many}"

    def goals(self) -> list[Goal]:
        """The goals that the data should have."""
        return [goal for goal in (self.start, self.goal) if goal is not None]

    def _measure(self, journeys: Journeys, end: int) -> Waits:
        start, journey, times = _begun(journeys, self.start, end)
        rows = np.flatnonzero(self.goal.matches(journeys))
        rows = np.concatenate([rows, np.full(self.n, journeys.touchpoints)])
        found = rows[np.searchsorted(rows[: -self.n], start) + self.n - 1]
        happened = found < journeys.offsets[journey + 1]
        stop = np.full(len(start), end)
        stop[happened] = np.minimum(times[found[happened]], end)
        happened &= stop < end
        return Waits(start, journey, stop - times[start], happened)

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        start = None if self.start is None else self.start.to_dict()
        return {"schema": _TIME_TO, "goal": self.goal.to_dict(), "n": self.n, "start": start}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> TimeTo:
        """Read back what :meth:`to_dict` wrote.

        Raises:
            DataError: The data is of another schema, or lacks its goal.
        """
        check_fields(data, _TIME_TO, "time to a goal", ["goal"], ["n", "start"])
        start = data.get("start")
        return cls(
            Goal.from_dict(data["goal"]),
            data.get("n", 1),
            start=None if start is None else Goal.from_dict(start),
        )


@attrs.frozen
class Churn:
    """The time from the start of a journey until it has been silent for too long.

    A journey has churned when ``gap`` has passed after a touchpoint without another one: at that
    instant, not at the last touchpoint. So whether a journey had churned is known at every instant,
    and journeys that are still within their gap when the data ends are censored there. (Taking the
    last touchpoint for the end of everybody calls all churned who are only quiet for now.) A
    touchpoint after that is a return, and changes nothing here. A pause of exactly ``gap`` is not
    too long, as in :meth:`cxkit.Journeys.sessions`.

    Attributes:
        gap: How long a pause has to be exceeded.
        start: What begins the wait; the first touchpoint if ``None``. Journeys without it are left
            out.

    Raises:
        DefinitionError: ``gap`` is no span, or not longer than zero.

    Example:
        >>> Churn("30d").told()
        'from the first touchpoint until more than 30d passed without one'
    """

    gap: str = attrs.field(converter=_as_gap)
    start: Goal | None = attrs.field(default=None, converter=as_optional_goal, kw_only=True)

    def told(self) -> str:
        """In words."""
        return f"from {_start(self.start)} until more than {self.gap} passed without one"

    def goals(self) -> list[Goal]:
        """The goals that the data should have."""
        return [] if self.start is None else [self.start]

    def _measure(self, journeys: Journeys, end: int) -> Waits:
        start, journey, times = _begun(journeys, self.start, end)
        gap = span_us(self.gap, name="gap")
        following = np.append(times[1:], end)
        following[journeys.offsets[1:] - 1] = end
        np.minimum(following, end, out=following)  # a pause that the end of the data cuts off
        rows = np.append(np.flatnonzero(following[: len(times)] - times > gap), len(times))
        found = rows[np.searchsorted(rows[:-1], start)]
        happened = found < journeys.offsets[journey + 1]
        stop = np.full(len(start), end)
        stop[happened] = times[found[happened]] + gap
        return Waits(start, journey, stop - times[start], happened)

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        start = None if self.start is None else self.start.to_dict()
        return {"schema": _CHURN, "gap": self.gap, "start": start}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Churn:
        """Read back what :meth:`to_dict` wrote.

        Raises:
            DataError: The data is of another schema, or lacks its gap.
        """
        check_fields(data, _CHURN, "churn", ["gap"], ["start"])
        start = data.get("start")
        return cls(data["gap"], start=None if start is None else Goal.from_dict(start))


Wait: TypeAlias = TimeTo | Churn
"""What is waited for."""


def wait_from_dict(data: Mapping[str, Any]) -> Wait:
    """Read back either of the two.

    Raises:
        DataError: It is neither.
    """
    schema = data.get("schema") if isinstance(data, Mapping) else None  # type: ignore[redundant-expr]  # it was read from bytes
    if schema == _TIME_TO:
        return TimeTo.from_dict(data)
    if schema == _CHURN:
        return Churn.from_dict(data)
    raise DataError(f"this is no wait: schema is {schema!r}, expected {_TIME_TO!r} or {_CHURN!r}")


def waits_of(wait: Wait, journeys: Journeys, end: int) -> Waits:
    """How long each journey waits.

    Args:
        wait: What for.
        journeys: The journeys.
        end: When the data ends, microseconds since 1970; touchpoints from then on are left out.
    """
    return wait._measure(journeys, end)  # noqa: SLF001  # of this module


def _begun(journeys: Journeys, start: Goal | None, end: int) -> tuple[IntArray, IntArray, IntArray]:
    """(n,) touchpoints at which journeys begin, (n,) the journeys, (E,) times."""
    rows = first_rows(journeys, start, end)
    journey = np.flatnonzero(rows >= 0)
    return rows[journey], journey, journeys.time.view(np.int64)


def _start(goal: Goal | None) -> str:
    return "the first touchpoint" if goal is None else goal.name
