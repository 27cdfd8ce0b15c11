"""Scores kept up to date one touchpoint at a time."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cxkit.core.batches import check_customers, of_one_length, plain_list, whole_ticks
from cxkit.core.codes import Label
from cxkit.core.spans import InstantLike, SpanLike, instant_us, span_us
from cxkit.engagement.ageing import HalfLife, Inactivity, show_instant
from cxkit.engagement.livecustomers import LiveCustomers
from cxkit.engagement.scale import EngagementScale
from cxkit.errors import DataError
from cxkit.model.touchpoint import Touchpoint

__all__ = ["LiveScores", "live"]

_NOTHING: Final[Mapping[str, Any]] = {}


class LiveScores(LiveCustomers):
    """The engagement scores of a scale, kept up to date one touchpoint at a time.

    Made by :meth:`EngagementScale.live`. What it says after a touchpoint is what
    :meth:`EngagementScale.running` says, and at an instant what :meth:`EngagementScale.score` says
    of the whole journey.

    Where the order of touchpoints does not matter (every touchpoint counts, and points do not age,
    age by half-life, or are lost by inactivity where any touchpoint is activity), 16 bytes are kept
    per customer beside the name, 8 more for each further cap, and a touchpoint may be as late as it
    likes.

    Elsewhere, and where :class:`Inactivity` names the ``events`` that are activity, the state holds
    what the rules remember: 24 bytes, and 8 to 24 more per rule. A
    touchpoint may be older than the latest of its customer by ``tolerance``; until then those that
    came are kept, with the state before them, and replayed when a late one comes. Points that age
    in a straight line or count in a window are kept one by one until they are gone: 24 bytes and
    more each, and a score takes time with their number.

    A touchpoint that comes twice counts twice. It is not for use by several threads at once.

    Attributes:
        scale: The scale.
        tolerance_us: How late a touchpoint may be, in microseconds; ``None`` if it does not matter.
        too_late: How many touchpoints were refused because they came later.

    Example:
        >>> from cxkit import EngagementScale, PointRule, Touchpoint
        >>> live = EngagementScale([PointRule("view", 8)], half_life="7d").live()
        >>> live.update(Touchpoint("ann", "2024-01-01", event="view"))
        8.0
        >>> live.update(Touchpoint("ann", "2024-01-08", event="view"))
        12.0
        >>> live.score("ann", at="2024-01-15")
        6.0
    """

    __slots__ = ()

    def update(self, touchpoint: Touchpoint) -> float:
        """Take one touchpoint.

        Returns:
            The customer's score at the touchpoint's time; after a late touchpoint, the score at the
            time of the customer's latest.

        Raises:
            DataError: The touchpoint is later than the tolerance, or holds no number where a rule
                takes its points from; or its customer is text where those known are whole numbers,
                or the other way round. Nothing has changed then.
        """
        return self.update_raw(
            touchpoint.customer,
            touchpoint.event,
            touchpoint.time_us,
            touchpoint.channel,
            touchpoint.value,
            touchpoint.properties,
        )

    @abstractmethod
    def update_raw(
        self,
        customer: Label,
        event: Label | None,
        time_us: int,
        channel: Label | None = None,
        value: float = math.nan,
        columns: Mapping[str, Any] = _NOTHING,
    ) -> float:
        """The same as :meth:`update` without making a :class:`~cxkit.Touchpoint`.

        Args:
            customer: Text or a whole number.
            event: What happened, or ``None``.
            time_us: When: whole microseconds since 1970, UTC.
            channel: Where, or ``None``.
            value: Its value; NaN where it has none.
            columns: What further columns say that a rule may ask for.

        Raises:
            DataError: The time is no whole number or lies outside the years 1900 to 2200, the
                customer is no label, or as for :meth:`update`. Nothing has changed then.
        """

    def update_many(
        self,
        customer: Sequence[Label] | NDArray[Any],
        event: Sequence[Label | None] | NDArray[Any],
        time_us: Sequence[int] | NDArray[Any],
        channel: Sequence[Label | None] | None = None,
        value: Sequence[float] | NDArray[Any] | None = None,
        columns: Mapping[str, Sequence[Any]] | None = None,
    ) -> NDArray[np.float64]:
        """Take many touchpoints, one after another: the same as an update for each.

        Args:
            customer: (n,) the customers.
            event: (n,) what happened.
            time_us: (n,) when: whole microseconds since 1970, UTC, or datetime64.
            channel: (n,) where.
            value: (n,) values.
            columns: name -> (n,) what further columns say.

        Returns:
            (n,) the score after each touchpoint; NaN for one that was too late, which is left out
            and counted in ``too_late``.

        Raises:
            DataError: The lengths differ, a time is none, a customer is no label, or some are text
                and some whole numbers; nothing has changed then. Or no number is where a rule takes
                its points from; the rows before it have been taken then, and it and those after it
                have not.
        """
        ticks = whole_ticks(time_us)
        count = len(ticks)
        # Before the first is taken: rows that end too early would be noticed with some taken.
        of_one_length(count, customer=customer, event=event, channel=channel, value=value)
        more = columns or {}
        of_one_length(count, **{f"columns[{name!r}]": given for name, given in more.items()})
        return self._many(customer, event, ticks, channel, value, more)

    def _many(
        self,
        customer: Any,
        event: Any,
        ticks: NDArray[np.int64],
        channel: Any,
        value: Any,
        columns: Mapping[str, Any],
    ) -> NDArray[np.float64]:
        """The scores after each of many touchpoints, taken one by one."""
        none = [None] * len(ticks)
        names, customers = list(columns), plain_list(customer)
        # Before the first is taken.
        check_customers(customers, self._state.slots, text=self._state.text)
        rows = zip(
            customers,
            plain_list(event),
            ticks.tolist(),
            none if channel is None else plain_list(channel),
            [math.nan] * len(ticks) if value is None else plain_list(value),
            zip(*map(plain_list, columns.values()), strict=True) if names else none,
            strict=True,
        )
        out = np.empty(len(ticks))
        for place, (who, what, when, where, worth, rest) in enumerate(rows):
            more = _NOTHING if rest is None else dict(zip(names, rest, strict=True))
            refused = self.too_late
            try:
                out[place] = self.update_raw(who, what, when, where, worth, more)
            except DataError:
                if self.too_late == refused:
                    raise
                out[place] = math.nan
        return out

    def score(self, customer: Label, *, at: InstantLike) -> float:
        """A customer's score at an instant; 0 for one who was never seen.

        Raises:
            DefinitionError: ``at`` is not an instant.
            DataError: ``at`` lies before the customer's latest touchpoint, whose points cannot be
                taken out again; score the journey with ``scale.score``.
        """
        us = instant_us(at, name="at")
        row = self._state.slots.get(customer)
        if row is None:
            return 0.0
        latest = self._latest(row)
        if us < latest:
            raise DataError(
                f"at={show_instant(us)} lies before the latest touchpoint of {customer!r} "
                f"({show_instant(latest)}); live scores keep no past: "
                "score the journey with scale.score(journey, at=...)"
            )
        return self._score(row, us)

    def _latest(self, row: int) -> int:
        """When the latest touchpoint of a row was: it stands first."""
        return self._state.ints[row * self._state.width]  # type: ignore[no-any-return]  # a memoryview of int64

    @abstractmethod
    def _score(self, row: int, us: int) -> float:
        """The score of a row at an instant that is not before its latest touchpoint."""


def live(scale: EngagementScale, tolerance: SpanLike | None) -> LiveScores:
    """See :meth:`EngagementScale.live`."""
    from cxkit.engagement.liveplain import PlainScores
    from cxkit.engagement.liverules import RuleScores

    late = None if tolerance is None else span_us(tolerance, name="tolerance")
    if any(rule.count != "every" or rule.per_day is not None for rule in scale.rules):
        return RuleScores(scale, late or 0)
    ageing = scale.ageing
    active = isinstance(ageing, Inactivity) and ageing.events is None
    if ageing is None or isinstance(ageing, HalfLife) or active:
        return PlainScores(scale, None)
    return RuleScores(scale, late or 0)
