"""An event that matters; reaching it is a conversion."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.codes import Label
from cxkit.core.records import check_fields
from cxkit.errors import DataError, DefinitionError, UnknownLabelError, did_you_mean
from cxkit.model.conditions import Where, ranged, show_range, show_where, where_of

if TYPE_CHECKING:
    from cxkit.model.journeys import Journeys

__all__ = ["Goal", "GoalLike", "as_goal"]

_SCHEMA: Final = "cxkit/goal/1"
_NOTHING: Final[Mapping[str, Any]] = {}


@attrs.frozen
class Goal:
    """An event that matters.

    Attributes:
        event: The event whose touchpoints reach the goal.
        channel: Only in this channel, if given.
        value: Only with a value from the first to the second of these, both included; ``None`` for
            an end that is open. A touchpoint without a value (NaN) is in no range.
        where: Only where these columns have one of these labels: given as ``{column: label}`` or
            ``{column: [label, ...]}``, kept as sorted tuples.
        name: How the goal is shown; made of the conditions by default.

    Raises:
        DefinitionError: The event or the channel is no label, the range of values is empty, or a
            condition names no column or no label.

    Example:
        >>> Goal("purchase", channel="store").name
        'purchase in store'
        >>> Goal("purchase", value=(50, None), where={"plan": ["pro", "team"]}).name
        "purchase, value from 50, plan 'pro' or 'team'"
    """

    event: Label = attrs.field()
    channel: Label | None = attrs.field(default=None)
    value: tuple[float | None, float | None] | None = attrs.field(
        default=None, kw_only=True, converter=ranged
    )
    where: Where = attrs.field(default=(), kw_only=True, converter=where_of)
    name: str = attrs.field(kw_only=True)

    @event.validator
    def _check_event(self, _: object, value: Any) -> None:
        if not _is_label(value):
            raise DefinitionError(
                f"a goal is the name of an event, such as Goal('purchase'); found {value!r}"
            )

    @channel.validator
    def _check_channel(self, _: object, value: Any) -> None:
        if value is not None and not _is_label(value):
            raise DefinitionError(f"the channel of a goal is a name; found {value!r}")

    @name.default
    def _default_name(self) -> str:
        place = "" if self.channel is None else f" in {self.channel}"
        return f"{self.event}{place}{show_range(self.value)}{show_where(self.where)}"

    @property
    def conditional(self) -> bool:
        """Whether more than the event and the channel is asked."""
        return self.value is not None or bool(self.where)

    @property
    def same(self) -> tuple[Any, ...]:
        """What touchpoints reach it: equal for goals that differ by name alone."""
        return self.event, self.channel, self.value, self.where

    def matches(self, journeys: Journeys) -> NDArray[np.bool_]:
        """(E,) which touchpoints reach the goal; none if the data does not have the event.

        Raises:
            SchemaError: A condition names a column that is not there or holds numbers.
        """
        reached = journeys.event.equals(self.event)
        if self.channel is not None:
            reached &= journeys.channel.equals(self.channel)
        if self.value is not None:
            reached &= _within(journeys.value, self.value)
        for column, labels in self.where:
            codes = journeys.codes(column)
            reached &= _flags(codes, labels)[codes.codes]
        return reached

    def finder(self, journeys: Journeys) -> Callable[[int, int], IntArray] | None:
        """A function that finds the rows from ``first`` to before ``last`` that reach the goal.

        The conditions are looked up once; the rows are those of :meth:`matches`, counted from
        ``first``.

        Returns:
            The function, or ``None`` if the data has no such event or channel.

        Raises:
            SchemaError: A condition names a column that is not there or holds numbers.
        """
        events, code = journeys.event.codes, journeys.event.vocabulary.find(self.event)
        further: list[Callable[[IntArray], NDArray[np.bool_]]] = []
        missing = code is None
        if self.channel is not None:
            place = journeys.channel.vocabulary.find(self.channel)
            where = journeys.channel.codes
            missing |= place is None
            further.append(lambda rows: np.asarray(where[rows] == place))
        if self.value is not None:
            worth, bounds = journeys.value, self.value
            further.append(lambda rows: _within(worth[rows], bounds))
        for column, labels in self.where:
            found = journeys.codes(column)
            flags = _flags(found, labels)
            further.append(lambda rows, c=found.codes, flags=flags: flags[c[rows]])  # type: ignore[misc]  # defaults bind the loop's variables
        if missing:
            return None
        wanted = events.dtype.type(code)

        def find(first: int, last: int) -> IntArray:
            rows = np.flatnonzero(events[first:last] == wanted)
            for holds in further:
                rows = rows[holds(rows + first)]
            return rows

        return find

    def reached_by(
        self,
        event: Label | None,
        channel: Label | None = None,
        value: float = math.nan,
        columns: Mapping[str, Any] = _NOTHING,
    ) -> bool:
        """Whether one touchpoint with these values reaches the goal.

        Truth values in columns are the labels ``"True"`` and ``"False"``, as in journeys.

        Example:
            >>> goal = Goal("purchase", value=(50, None), where={"plan": "pro"})
            >>> goal.reached_by("purchase", "web", 80.0, {"plan": "pro"})
            True
            >>> goal.reached_by("purchase", "web", 80.0)
            False
        """
        if event != self.event or (self.channel is not None and channel != self.channel):
            return False
        if self.value is not None:
            low, high = self.value
            if value != value:  # noqa: PLR0124  # NaN is in no range
                return False
            if (low is not None and value < low) or (high is not None and value > high):
                return False
        return all(_as_label(columns.get(column)) in labels for column, labels in self.where)

    def require(self, journeys: Journeys) -> None:
        """Refuse a goal that the data cannot reach: a typing error would count nothing, silently.

        Raises:
            UnknownLabelError: The event, the channel or a label of a condition does not occur in
                the data's vocabulary.
            SchemaError: A condition names a column that is not there or holds numbers.
        """
        asked = [("event", (self.event,)), *self.where]
        if self.channel is not None:
            asked.insert(1, ("channel", (self.channel,)))
        for role, labels in asked:
            vocabulary = journeys.codes(role).vocabulary
            lacking = [label for label in labels if label not in vocabulary]
            if len(lacking) == len(labels):
                some = list(vocabulary)[:20]
                raise UnknownLabelError(
                    f"goal {self.name!r}: no {role} {lacking[0]!r} in the data; there are {some}."
                    f"{did_you_mean(lacking[0], vocabulary)}"
                )

    def to_dict(self) -> dict[str, Any]:
        """The goal as plain data for JSON."""
        data: dict[str, Any] = {
            "schema": _SCHEMA,
            "event": self.event,
            "channel": self.channel,
            "name": self.name,
        }
        if self.value is not None:
            data["value"] = list(self.value)
        if self.where:
            data["where"] = {column: list(labels) for column, labels in self.where}
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Goal:
        """Read back what :meth:`to_dict` wrote.

        Raises:
            DataError: The data is of another schema, lacks a field or has one too many.
            DefinitionError: What it says is not a goal.
        """
        check_fields(data, _SCHEMA, "goal", ("event",), ("channel", "name", "value", "where"))
        if not isinstance(data.get("where", {}), Mapping):
            raise DataError(f"where of a goal must be a mapping; found {data['where']!r}")
        given = {key: data[key] for key in ("name", "value", "where") if key in data}
        return cls(data["event"], data.get("channel"), **given)


GoalLike: TypeAlias = Goal | str | int


def as_goal(goal: GoalLike) -> Goal:
    """A goal from itself or from the name of its event."""
    return goal if isinstance(goal, Goal) else Goal(goal)


def _is_label(value: object) -> bool:
    return isinstance(value, (str, int)) and not isinstance(value, bool) and value != ""


def _as_label(given: Any) -> Any:
    """A truth value as the label that the door makes of it; anything else as it is.

    In Python ``True == 1``, so that it would pass for a label that it is not.
    """
    return str(bool(given)) if isinstance(given, (bool, np.bool_)) else given


def _within(
    values: NDArray[np.float64], bounds: tuple[float | None, float | None]
) -> NDArray[np.bool_]:
    low, high = bounds
    inside = values == values  # noqa: PLR0124  # NaN is in no range
    if low is not None:
        inside &= values >= low
    if high is not None:
        inside &= values <= high
    return np.asarray(inside)


def _flags(codes: Any, labels: tuple[Label, ...]) -> NDArray[np.bool_]:
    """(K + 1,) which codes have one of the labels; never the missing one."""
    flags = np.zeros(codes.slots, dtype=bool)
    for label in labels:
        code = codes.vocabulary.find(label)
        if code is not None:
            flags[code] = True
    return flags
