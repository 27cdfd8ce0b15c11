"""An event that matters; reaching it is a conversion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.codes import Label
from cxkit.core.records import check_fields
from cxkit.errors import DefinitionError, UnknownLabelError, did_you_mean

if TYPE_CHECKING:
    from cxkit.model.journeys import Journeys

__all__ = ["Goal", "GoalLike", "as_goal"]

_SCHEMA = "cxkit/goal/1"


@attrs.frozen
class Goal:
    """An event that matters.

    Attributes:
        event: The event whose touchpoints reach the goal.
        channel: Only in this channel, if given.
        name: How the goal is shown; the event's name by default.

    Example:
        >>> Goal("purchase", channel="store").name
        'purchase in store'
    """

    event: Label = attrs.field()
    channel: Label | None = attrs.field(default=None)
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
        return str(self.event) if self.channel is None else f"{self.event} in {self.channel}"

    def matches(self, journeys: Journeys) -> NDArray[np.bool_]:
        """(E,) which touchpoints reach the goal; none if the data does not have the event."""
        reached = journeys.event.equals(self.event)
        if self.channel is not None:
            reached &= journeys.channel.equals(self.channel)
        return reached

    def require(self, journeys: Journeys) -> None:
        """Refuse a goal that the data cannot reach: a typing error would count nothing, silently.

        Raises:
            UnknownLabelError: The event or the channel does not occur in the data's vocabulary.
        """
        for role, label in (("event", self.event), ("channel", self.channel)):
            if label is None:
                continue
            vocabulary = journeys.codes(role).vocabulary
            if label not in vocabulary:
                some = list(vocabulary)[:20]
                raise UnknownLabelError(
                    f"goal {self.name!r}: no {role} {label!r} in the data; there are {some}."
                    f"{did_you_mean(label, vocabulary)}"
                )

    def to_dict(self) -> dict[str, Any]:
        """The goal as plain data for JSON."""
        return {
            "schema": _SCHEMA,
            "event": self.event,
            "channel": self.channel,
            "name": self.name,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Goal:
        """Read back what :meth:`to_dict` wrote.

        Raises:
            DataError: The data is of another schema, lacks a field or has one too many.
        """
        check_fields(data, _SCHEMA, "goal", ("event",), ("channel", "name"))
        given = {"name": data["name"]} if "name" in data else {}
        return cls(data["event"], data.get("channel"), **given)


GoalLike: TypeAlias = Goal | str | int


def as_goal(goal: GoalLike) -> Goal:
    """A goal from itself or from the name of its event."""
    return goal if isinstance(goal, Goal) else Goal(goal)


def _is_label(value: object) -> bool:
    return isinstance(value, (str, int)) and not isinstance(value, bool) and value != ""
