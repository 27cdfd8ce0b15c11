"""What is measured of a replay: a microinteraction, and where its words leave a choice, which."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.records import check_fields
from cxkit.core.spans import InstantLike, SpanLike, instant_us, show_span, span_us
from cxkit.errors import DefinitionError, SchemaError
from cxkit.microinteraction.graph import effective_rules
from cxkit.microinteraction.spec import Microinteraction
from cxkit.model.journeys import Journeys

__all__ = ["Measuring", "guard_columns"]

_SCHEMA: Final = "cxkit/microinteraction-measures/1"
_TRUE: Final = frozenset({"1", "true", "True", "yes", 1})


def _copied(given: Mapping[str, str]) -> dict[str, str]:
    return dict(given)


@attrs.frozen(kw_only=True)
class Measuring:
    """What a :class:`ReplayCounts` counts.

    Attributes:
        spec: The microinteraction.
        until: Until when time passes after the last event, microseconds since 1970; ``None``: it
            stops with the last touchpoint.
        repeat_within: Within how many microseconds a trigger after a trigger is a repeat.
        rage: How many times the same event of the user makes a burst of rage clicks.
        rage_within: Within how many microseconds each of them follows on the one before.
        success: The final states that are a success.
        guards: Guard -> the column that says whether it holds.
    """

    spec: Microinteraction
    until: int | None = None
    repeat_within: int = 1_000_000
    rage: int = 3
    rage_within: int = 1_000_000
    success: tuple[str, ...]
    guards: Mapping[str, str] = attrs.field(factory=dict, converter=_copied)

    @classmethod
    def of(
        cls,
        spec: Microinteraction,
        *,
        until: InstantLike | None = None,
        repeat_within: SpanLike = "1s",
        rage: int = 3,
        rage_within: SpanLike = "1s",
        success: tuple[str, ...] | list[str] | None = None,
        guards: Mapping[str, str] | None = None,
    ) -> Measuring:
        """From what a caller says.

        Raises:
            DefinitionError: A state in ``success`` is no final state, or ``rage`` is below 2.
        """
        ends = [name for name, state in spec.states.items() if state.final]
        if success is None:
            success = [name for name in ends if not spec.states[name].failure]
        for name in success:
            if name not in ends:
                raise DefinitionError(
                    f"success: {name!r} is no final state of {spec.id!r}; those are {ends}"
                )
        if rage < 2:
            raise DefinitionError(f"rage is a whole number from 2 up; found {rage!r}")
        return cls(
            spec=spec,
            until=None if until is None else instant_us(until, name="until"),
            repeat_within=span_us(repeat_within, name="repeat_within"),
            rage=rage,
            rage_within=span_us(rage_within, name="rage_within"),
            success=tuple(success),
            guards=guards or {},
        )

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return {
            "schema": _SCHEMA,
            "spec": self.spec.to_dict(),
            "until_us": self.until,
            "repeat_within": show_span(self.repeat_within),
            "rage": self.rage,
            "rage_within": show_span(self.rage_within),
            "success": list(self.success),
            "guards": dict(self.guards),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Measuring:
        """Read back what :meth:`to_dict` wrote.

        Raises:
            DataError: The data is of another schema.
        """
        needed = ("spec", "until_us", "repeat_within", "rage", "rage_within", "success", "guards")
        check_fields(data, _SCHEMA, "measures of a microinteraction", needed)
        return cls(
            spec=Microinteraction.from_dict(data["spec"]),
            until=data["until_us"],
            repeat_within=span_us(data["repeat_within"], name="repeat_within"),
            rage=data["rage"],
            rage_within=span_us(data["rage_within"], name="rage_within"),
            success=tuple(data["success"]),
            guards=data["guards"],
        )

    @property
    def failing(self) -> frozenset[str]:
        """The states that an event of failure leads to."""
        return frozenset(
            rule.target
            for on in effective_rules(self.spec).values()
            for event, rules in on.items()
            if event in self.spec.errors
            for rule in rules
            if rule.target is not None
        )

    @property
    def undoable(self) -> frozenset[str]:
        """The states in which something can be taken back."""
        undo = set(self.spec.undo)
        return frozenset(name for name, on in effective_rules(self.spec).items() if undo & set(on))


def guard_columns(guards: Mapping[str, str], journeys: Journeys) -> dict[str, NDArray[np.bool_]]:
    """Guard -> (E,) whether it holds at each touchpoint, out of a column.

    A number holds unless it is 0 or NaN; of labels 1, ``"1"``, ``"true"``, ``"True"`` and ``"yes"``
    hold, any other and a missing one do not.

    Raises:
        SchemaError: There is no such column.
    """
    found = {}
    for guard, name in guards.items():
        if name not in journeys.column_names and not len(journeys):
            found[guard] = np.zeros(0, bool)
            continue
        try:
            column = journeys[name]
        except SchemaError as error:
            raise SchemaError(f"guard {guard!r}: {error}") from None
        if isinstance(column, np.ndarray):
            found[guard] = np.nan_to_num(column) != 0
        else:
            holds = np.array([label in _TRUE for label in column.slot_labels()], bool)
            found[guard] = holds[column.codes]
    return found
