"""One journey: the ordered touchpoints that one customer actually had."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

import attrs

from cxkit.core.codes import Codes, Label
from cxkit.errors import DataError
from cxkit.model.journeys import Journeys
from cxkit.model.touchpoint import Touchpoint

__all__ = ["Journey"]


@attrs.frozen(eq=False, repr=False)
class Journey:
    """One journey: a view of one row of :class:`Journeys`.

    Every analysis takes a journey as it takes many, and gives the same number.

    Attributes:
        journeys: The same journey as :class:`Journeys` of length 1.

    Example:
        >>> from cxkit import Touchpoint
        >>> journey = Journey.of(
        ...     [
        ...         Touchpoint("ann", "2024-03-02", event="buy"),
        ...         Touchpoint("ann", "2024-03-01", event="look"),
        ...     ]
        ... )
        >>> [t.event for t in journey], journey.customer
        (['look', 'buy'], 'ann')
    """

    journeys: Journeys

    @classmethod
    def of(cls, touchpoints: Iterable[Touchpoint]) -> Journey:
        """A journey from touchpoints of one customer, in any order.

        Raises:
            DataError: There is no touchpoint, or they are of several customers.
        """
        given = list(touchpoints)
        if len({t.customer for t in given}) != 1:
            raise DataError(
                f"a journey has touchpoints of exactly one customer; found {len(given)} "
                f"touchpoints of {len({t.customer for t in given})} customers"
            )
        extra = tuple(dict.fromkeys(name for t in given for name in t.properties))
        roles: dict[str, Any] = {k: k for k in ("customer", "time", "event", "channel", "value")}
        return cls(Journeys.from_table(given, **roles, columns=extra))

    @property
    def customer(self) -> Label:
        """Whose journey it is."""
        (label,) = self.journeys.customer.to_list()
        if label is None:  # the door lets no touchpoint without a customer in
            raise DataError("this journey has no customer")
        return label

    def __len__(self) -> int:
        """The number of touchpoints."""
        return self.journeys.touchpoints

    def __iter__(self) -> Iterator[Touchpoint]:
        """The touchpoints in order of time."""
        return (self[i] for i in range(len(self)))

    def __getitem__(self, position: int) -> Touchpoint:
        """One touchpoint.

        Raises:
            IndexError: There is no such touchpoint.
        """
        at = position + len(self) if position < 0 else position
        if not 0 <= at < len(self):
            raise IndexError(f"touchpoint {position} of {len(self)}")
        one = slice(at, at + 1)
        row: dict[str, Any] = {"customer": self.customer, "time": self.journeys.time[at]}
        for name, column in self.journeys.columns.items():
            part = column.take(one) if isinstance(column, Codes) else column[one]
            (row[name],) = part.to_list() if isinstance(part, Codes) else part.tolist()
        return Touchpoint._of_row(row)  # noqa: SLF001  # its twin in this room

    def __eq__(self, other: object) -> bool:
        """Equal when customer and touchpoints are."""
        return self.journeys == other.journeys if isinstance(other, Journey) else NotImplemented

    __hash__: ClassVar[None]  # type: ignore[assignment]  # compared, never a key

    def __repr__(self) -> str:
        """Who, how many touchpoints, when, and the first events."""
        shown = [
            str(t.event if t.event is not None else t.channel)
            for t, _ in zip(self, range(5), strict=False)
        ]
        more = " > ..." if len(self) > len(shown) else ""
        first, last = str(self.journeys.time[0])[:10], str(self.journeys.time[-1])[:10]
        return (
            f"<Journey of {self.customer!r}: {len(self):,} touchpoints, {first} to {last}: "
            f"{' > '.join(shown)}{more}>"
        )
