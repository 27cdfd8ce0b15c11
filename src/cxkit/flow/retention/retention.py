"""Retention: which of those who began come back, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, Literal

import attrs
import numpy as np

from cxkit.core.periods import ROLLING, check_period
from cxkit.core.records import check_fields
from cxkit.core.timezones import find_zone
from cxkit.errors import DefinitionError
from cxkit.flow.retention.beginnings import as_optional_goal, as_until
from cxkit.model.goal import Goal
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys

if TYPE_CHECKING:
    from cxkit.flow.retention.retentiontables import RetentionTable

__all__ = ["Retention"]

_SCHEMA: Final = "cxkit/retention/1"
_MOST: Final = 1_000
_LATEST: Final = 100_000


def _as_brackets(given: Any) -> tuple[int, ...]:
    if isinstance(given, (int, np.integer)) and not isinstance(given, bool):
        given = range(min(int(given), _MOST + 1) + 1)
    edges = tuple(given) if isinstance(given, Sequence) and not isinstance(given, str) else ()
    whole = all(isinstance(e, (int, np.integer)) and not isinstance(e, bool) for e in edges)
    some = whole and 1 < len(edges) <= _MOST + 1 and 0 <= edges[0] <= edges[-1] <= _LATEST
    if not some or any(b <= a for a, b in pairwise(edges)):
        raise DefinitionError(
            "brackets are a number of periods, such as 12, or where they begin and the last one "
            "ends, rising whole numbers from 0 up, such as [0, 1, 7, 14]; up to "
            f"{_MOST:,} brackets and {_LATEST:,} periods; found {given!r}"
        )
    return tuple(int(e) for e in edges)


@attrs.frozen(kw_only=True)
class Retention:
    """Who counts as having begun, who as having come back, and how time is cut.

    A journey begins with its first touchpoint that reaches ``start``, and belongs to the cohort of
    the period in which that was. It comes back with each later touchpoint that reaches ``back``;
    the age of that is the number of periods since the start.

    Tools print one word for different numbers. "N-day" counts those who come back in period N,
    "unbounded" (or "on or after") those who come back in period N *or later*, "bracket" those who
    come back within a range of periods. Some take a calendar's days, others 24 hours from the
    start; some count the start itself as a return, so that their period 0 is 100 percent. Here it
    does not count: period 0 holds those who do something more in the period in which they began.

    A journey is only counted for a bracket that was over before ``until``; the others cannot have
    come back yet for all of it. So young cohorts are not silently low: their open brackets rest on
    fewer journeys, or on none, and are marked.

    Attributes:
        until: The instant at which the data ends, as ISO text; touchpoints from then on are left
            out.
        every: The period: ``"day"``, ``"week"`` (from Monday), ``"month"``, ``"quarter"``,
            ``"year"``.
        brackets: How many periods to follow, each a bracket of its own; or edges: ``[0, 1, 7, 14]``
            is period 0, periods 1 to 6 and periods 7 to 13.
        unbounded: Count coming back in the bracket or later. Early cohorts had longer to do so.
        clock: ``"calendar"``: the age is the number of periods on the calendar since that of the
            start. ``"rolling"``: the time since the start in whole periods, days or weeks.
        start: What begins a journey; its first touchpoint if ``None``.
        back: What counts as coming back; any touchpoint if ``None``.
        cohort: The period that makes a cohort; as ``every`` if ``None``.
        tz: The time zone of the calendar.

    Raises:
        DefinitionError: Something of this is none, or months are to roll.

    Example:
        >>> from cxkit import Journeys
        >>> journeys = Journeys.from_table(
        ...     {
        ...         "who": ["ann", "ann", "bob", "bob", "cid"],
        ...         "when": ["2024-01-01", "2024-01-09", "2024-01-02", "2024-01-20", "2024-01-15"],
        ...     },
        ...     customer="who",
        ...     time="when",
        ...     tz="UTC",
        ... )
        >>> weekly = Retention(until="2024-01-29", brackets=3)
        >>> for row in weekly.count(journeys).to_dicts():
        ...     print(row["week"], row["bracket"], row["eligible"], row["returned"])
        2024-01-01 0 2 0
        2024-01-01 1 2 1
        2024-01-01 2 2 1
        2024-01-15 0 1 0
        2024-01-15 1 1 0
        2024-01-15 2 0 0
    """

    until: str = attrs.field(converter=as_until)
    every: str = "week"
    brackets: tuple[int, ...] = attrs.field(default=12, converter=_as_brackets)
    unbounded: bool = False
    clock: Literal["calendar", "rolling"] = "calendar"
    start: Goal | None = attrs.field(default=None, converter=as_optional_goal)
    back: Goal | None = attrs.field(default=None, converter=as_optional_goal)
    cohort: str | None = None
    tz: str = "UTC"

    def __attrs_post_init__(self) -> None:
        """Refuse what is none."""
        check_period(self.every)
        check_period(self.cohort_every, name="cohort")
        find_zone(self.tz)
        if self.clock not in {"calendar", "rolling"}:
            raise DefinitionError(f"clock is 'calendar' or 'rolling'; found {self.clock!r}")
        if self.clock == "rolling" and self.every not in ROLLING:
            raise DefinitionError(
                f"clock='rolling' and every={self.every!r} do not go together: they differ in "
                f"length; only {list(ROLLING)} roll"
            )
        if not isinstance(self.unbounded, bool):
            raise DefinitionError(f"unbounded is True or False; found {self.unbounded!r}")

    @property
    def cohort_every(self) -> str:
        """The period that makes a cohort."""
        return self.every if self.cohort is None else self.cohort

    @property
    def bracket_names(self) -> list[str]:
        """(B,) brackets as text, such as ``"0"`` and ``"1-6"``."""
        if self.unbounded:
            return [f"{low} or later" for low in self.brackets[:-1]]
        return [
            str(low) if high == low + 1 else f"{low}-{high - 1}"
            for low, high in pairwise(self.brackets)
        ]

    def count(self, journeys: Journeys | Journey, *, level: float = 0.95) -> RetentionTable:
        """How many of each cohort come back in each bracket.

        Args:
            journeys: The journeys; whole customers, not their visits.
            level: Of the intervals.

        Raises:
            UnknownLabelError: The data does not have the event or channel of ``start`` or ``back``.
        """
        from cxkit.flow.retention.retentioncounts import RetentionCounts

        many = as_journeys(journeys)
        for goal in (self.start, self.back):
            if goal is not None and many.touchpoints:
                goal.require(many)
        return RetentionCounts.of(many, retention=self).result(level=level)

    def to_dict(self) -> dict[str, Any]:
        """The definition as plain data for JSON."""
        return {
            "schema": _SCHEMA,
            **{field.name: getattr(self, field.name) for field in attrs.fields(Retention)},
            "brackets": list(self.brackets),
            "start": None if self.start is None else self.start.to_dict(),
            "back": None if self.back is None else self.back.to_dict(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Retention:
        """Read back what :meth:`to_dict` wrote.

        Raises:
            DataError: The data is of another schema, or lacks a field.
        """
        options = [field.name for field in attrs.fields(Retention)[1:]]
        check_fields(data, _SCHEMA, "retention", ["until"], options)
        given = {name: data[name] for name in ["until", *options] if name in data}
        for name in ("start", "back"):
            if isinstance(given.get(name), Mapping):
                given[name] = Goal.from_dict(given[name])
        return cls(**given)
