"""Stickiness: how many are active each day, week and month, and on how many days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import attrs
import numpy as np

from cxkit.core.periods import local_days, period_begins_us
from cxkit.core.records import check_fields
from cxkit.core.spans import instant_us
from cxkit.core.timezones import find_zone
from cxkit.errors import DefinitionError
from cxkit.flow.retention.beginnings import as_optional_goal, as_until
from cxkit.model.goal import Goal
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys

if TYPE_CHECKING:
    from cxkit.flow.retention.activetables import ActiveDayTable, StickinessTable

__all__ = ["Stickiness"]

_SCHEMA: Final = "cxkit/stickiness/1"


def _as_windows(given: Any) -> tuple[int, ...]:
    found = tuple(given) if isinstance(given, Sequence) and not isinstance(given, str) else ()
    if not found or not all(type(days) is int and days > 0 for days in found):
        raise DefinitionError(
            f"windows are numbers of days from 1 up, such as [1, 7, 28]; found {given!r}"
        )
    return tuple(sorted(set(found)))


@attrs.frozen(kw_only=True)
class Stickiness:
    """What is an active journey, and on which days.

    On each day are counted the journeys that were active on it (DAU), within the seven days that
    end with it (WAU) and within the 28 (MAU; some tools take 30, or the month of the calendar).
    DAU / MAU is the share of a month's customers who are there on a day: 1 where all come every
    day, 1/28 where each comes once.

    Attributes:
        since: From when on the data goes; windows that begin before are marked, for they are low.
        until: When the data ends. Days that are not whole are left out.
        windows: How many days each window has; the shortest is set against the longest.
        act: What counts as being active; any touchpoint if ``None``.
        tz: The time zone of the calendar.

    Raises:
        DefinitionError: Something of this is none, or there is no whole day.

    Example:
        >>> from cxkit import Journeys
        >>> journeys = Journeys.from_table(
        ...     {"who": [1, 1, 2], "when": ["2024-01-01", "2024-01-03", "2024-01-02"]},
        ...     customer="who",
        ...     time="when",
        ...     tz="UTC",
        ... )
        >>> found = Stickiness(since="2024-01-01", until="2024-01-04", windows=[1, 2])
        >>> for row in found.count(journeys).to_dicts():
        ...     print(row["day"], row["active_1"], row["active_2"], row["complete"])
        2024-01-01 1 1 False
        2024-01-02 1 2 True
        2024-01-03 1 2 True
    """

    since: str = attrs.field(converter=as_until)
    until: str = attrs.field(converter=as_until)
    windows: tuple[int, ...] = attrs.field(default=(1, 7, 28), converter=_as_windows)
    act: Goal | None = attrs.field(default=None, converter=as_optional_goal)
    tz: str = "UTC"

    def __attrs_post_init__(self) -> None:
        """Refuse a time without a whole day."""
        find_zone(self.tz)
        first, end = self.days
        if end <= first:
            raise DefinitionError(
                f"there is no whole day, {self.tz}, from since={self.since!r} to "
                f"until={self.until!r}"
            )

    @property
    def days(self) -> tuple[int, int]:
        """The first whole day, and the one after the last, as days since 1970."""
        ends = np.array(
            [instant_us(self.since, name="since"), instant_us(self.until, name="until")]
        )
        first, end = local_days(ends, self.tz).tolist()
        begins = int(period_begins_us(np.array([first]), "day", self.tz)[0])
        return first + (begins < ends[0]), end

    def count(self, journeys: Journeys | Journey, *, level: float = 0.95) -> StickinessTable:
        """How many journeys are active on each day and in the windows that end with it.

        Args:
            journeys: The journeys; whole customers, not their visits.
            level: Of the intervals.

        Raises:
            UnknownLabelError: The data does not have the event or channel of ``act``.
        """
        from cxkit.flow.retention.activecounts import ActiveCounts

        many = as_journeys(journeys)
        self._require(many)
        return ActiveCounts.of(many, stickiness=self).result(level=level)

    def active_days(
        self, journeys: Journeys | Journey, every: str = "month", *, level: float = 0.95
    ) -> ActiveDayTable:
        """On how many days of each week or month journeys are active.

        Args:
            journeys: The journeys; whole customers, not their visits.
            every: ``"week"`` or ``"month"``.
            level: Of the intervals.

        Raises:
            UnknownLabelError: The data does not have the event or channel of ``act``.
            DefinitionError: ``every`` is neither.
        """
        from cxkit.flow.retention.activecounts import ActiveDayCounts

        many = as_journeys(journeys)
        self._require(many)
        return ActiveDayCounts.of(many, stickiness=self, every=every).result(level=level)

    def _require(self, journeys: Journeys) -> None:
        if self.act is not None and journeys.touchpoints:
            self.act.require(journeys)

    def to_dict(self) -> dict[str, Any]:
        """The definition as plain data for JSON."""
        return {
            "schema": _SCHEMA,
            **{field.name: getattr(self, field.name) for field in attrs.fields(Stickiness)},
            "windows": list(self.windows),
            "act": None if self.act is None else self.act.to_dict(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Stickiness:
        """Read back what :meth:`to_dict` wrote.

        Raises:
            DataError: The data is of another schema, or lacks a field.
        """
        check_fields(data, _SCHEMA, "stickiness", ["since", "until"], ["windows", "act", "tz"])
        given = {name: value for name, value in data.items() if name != "schema"}
        if isinstance(given.get("act"), Mapping):
            given["act"] = Goal.from_dict(given["act"])
        return cls(**given)
