"""Cleaning: a recorded list of steps, each of which says what it touched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final

import attrs
import numpy as np

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.ragged import segment_max
from cxkit.core.records import check_fields
from cxkit.core.result import Result
from cxkit.errors import DataError, DefinitionError, MergeError, did_you_mean
from cxkit.flow.cleaning.cleaningstep import CleaningStep
from cxkit.flow.cleaning.cleaningsteps import STEPS
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys

__all__ = ["Cleaned", "Cleaning", "CleaningLog"]

_SCHEMA: Final = "cxkit/cleaning/1"
_COUNTS: Final = (
    "touchpoints_before", "dropped", "changed", "touchpoints_after",
    "journeys_before", "journeys_touched", "journeys_after",
    "customers_before", "customers_touched", "customers_after",
)  # fmt: skip


def _steps(steps: Iterable[CleaningStep]) -> tuple[CleaningStep, ...]:
    if not isinstance(steps, Iterable):
        raise DefinitionError(
            f"a cleaning is a list of steps such as DropFast(60, '1min'); found {steps!r}"
        )
    found = tuple(steps)
    for step in found:
        if not isinstance(step, CleaningStep):
            raise DefinitionError(
                f"a cleaning is a list of steps such as DropFast(60, '1min'); found {step!r}"
            )
    return found


@attrs.frozen
class Cleaning:
    """A list of steps, applied in this order: saved, loaded, and done again the same way.

    What a step does to a customer depends on that customer alone, so parts of the data may be
    cleaned apart, and their logs added up.

    Attributes:
        steps: The steps.

    Example:
        >>> from cxkit.flow.cleaning.cleaningcuts import CollapseRepeats
        >>> from cxkit.flow.cleaning.cleaningdrops import DropLabels
        >>> journeys = Journeys.from_table(
        ...     {"who": [1] * 4, "sec": [1, 2, 3, 4], "what": ["view", "view", "ping", "buy"]},
        ...     customer="who",
        ...     time="sec",
        ...     event="what",
        ...     time_unit="s",
        ... )
        >>> cleaning = Cleaning([DropLabels("event", ["ping"]), CollapseRepeats()])
        >>> cleaned = cleaning.apply(journeys)
        >>> cleaned.journeys.event.to_list()
        ['view', 'buy']
        >>> cleaned.log.dropped.tolist()
        [1, 1]
        >>> Cleaning.from_dict(cleaning.to_dict()).apply(journeys) == cleaned
        True
    """

    steps: tuple[CleaningStep, ...] = attrs.field(converter=_steps)

    def apply(self, journeys: Journeys | Journey) -> Cleaned:
        """Clean: the journeys that are left, and what each step did.

        A journey that keeps no touchpoint is gone. The input stays as it is.

        Raises:
            SchemaError: A step needs a column that there is not.
        """
        many = as_journeys(journeys)
        rows: list[list[int]] = []
        for step in self.steps:
            many, counts = _applied(step, many)
            rows.append(counts)
        table = np.array(rows, np.int64).reshape(len(rows), len(_COUNTS))
        log = CleaningLog(
            names=tuple(step.name for step in self.steps),
            what=tuple(step.what() for step in self.steps),
            **{name: table[:, at] for at, name in enumerate(_COUNTS)},
        )
        return Cleaned(journeys=many, log=log)

    def to_dict(self) -> dict[str, Any]:
        """The cleaning as plain data for JSON."""
        return {
            "schema": _SCHEMA,
            "steps": [{"step": step.name, **step.fields()} for step in self.steps],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Cleaning:
        """Read back what :meth:`to_dict` wrote.

        Raises:
            DataError: The data is of another schema, or has a step or a field that is unknown.
            DefinitionError: A field has a value that it cannot have.
        """
        check_fields(data, _SCHEMA, "cleaning", ("steps",))
        steps = []
        for given in data["steps"]:
            kind = STEPS.get(str(given.get("step"))) if isinstance(given, Mapping) else None
            if kind is None:
                name = given.get("step") if isinstance(given, Mapping) else given
                raise DataError(
                    f"no step of cleaning {name!r}; there are {sorted(STEPS)}."
                    f"{did_you_mean(name, STEPS)}"
                )
            names = [field.name for field in attrs.fields(kind)]
            check_fields(given, None, f"step {kind.name}", (), ("step", *names))
            steps.append(kind(**{name: given[name] for name in names if name in given}))
        return cls(steps)


@attrs.frozen(eq=False, repr=False, kw_only=True)
class CleaningLog(Result):
    """What each step of a cleaning did: one row per step.

    Touchpoints are conserved: what a step found is what it dropped and what it left.

    Attributes:
        names: The steps.
        what: Each in a few words.
        touchpoints_before: (S,) before the step.
        dropped: (S,) touchpoints that it dropped.
        changed: (S,) touchpoints that it changed and left.
        touchpoints_after: (S,) after it.
        journeys_before: (S,) journeys before the step.
        journeys_touched: (S,) of which it dropped or changed any touchpoint.
        journeys_after: (S,) after it.
        customers_before: (S,) customers before the step.
        customers_touched: (S,) of whose touchpoints it dropped or changed any.
        customers_after: (S,) after it.
    """

    names: tuple[str, ...]
    what: tuple[str, ...]
    touchpoints_before: IntArray = attrs.field(converter=freeze)
    dropped: IntArray = attrs.field(converter=freeze)
    changed: IntArray = attrs.field(converter=freeze)
    touchpoints_after: IntArray = attrs.field(converter=freeze)
    journeys_before: IntArray = attrs.field(converter=freeze)
    journeys_touched: IntArray = attrs.field(converter=freeze)
    journeys_after: IntArray = attrs.field(converter=freeze)
    customers_before: IntArray = attrs.field(converter=freeze)
    customers_touched: IntArray = attrs.field(converter=freeze)
    customers_after: IntArray = attrs.field(converter=freeze)

    def __add__(self, other: CleaningLog) -> CleaningLog:
        """The log of both parts, if every customer is in one of them only.

        Raises:
            MergeError: The steps are not the same.
        """
        if not isinstance(other, CleaningLog):
            return NotImplemented
        if (self.names, self.what) != (other.names, other.what):
            raise MergeError("cannot add the logs of two different cleanings")
        sums = {name: getattr(self, name) + getattr(other, name) for name in _COUNTS}
        return attrs.evolve(self, **sums)

    def __eq__(self, other: object) -> bool:
        """Equal when steps and counts are."""
        if not isinstance(other, CleaningLog):
            return NotImplemented
        return (self.names, self.what) == (other.names, other.what) and all(
            np.array_equal(getattr(self, name), getattr(other, name)) for name in _COUNTS
        )

    __hash__: ClassVar[None]  # type: ignore[assignment]  # compared, never a key

    def columns(self) -> dict[str, Any]:
        """One row per step."""
        return {
            "step": list(self.names),
            "what": list(self.what),
            **{name: getattr(self, name) for name in _COUNTS},
        }

    def title(self) -> str:
        """What is left."""
        if not self.names:
            return "cleaning: no steps"
        return (
            f"cleaning: {int(self.touchpoints_after[-1]):,} of "
            f"{int(self.touchpoints_before[0]):,} touchpoints left, "
            f"{int(self.journeys_after[-1]):,} of {int(self.journeys_before[0]):,} journeys"
        )


@attrs.frozen(kw_only=True)
class Cleaned:
    """Journeys after a cleaning, and what it did.

    Attributes:
        journeys: What is left.
        log: What each step did.
    """

    journeys: Journeys
    log: CleaningLog

    def __repr__(self) -> str:
        """Both."""
        return f"{self.journeys!r}\n{self.log!r}"


def _applied(step: CleaningStep, journeys: Journeys) -> tuple[Journeys, list[int]]:
    """The journeys after a step, and its row of the log."""
    change = step.change(journeys)
    hit = change.changed | ~change.keep
    touched = segment_max(hit, journeys.offsets) if len(hit) else np.zeros(0, dtype=bool)
    whose = np.unique(journeys.customer.codes[touched])
    after = journeys
    if change.columns:
        after = attrs.evolve(after, columns={**journeys.columns, **change.columns})
    if not change.keep.all():
        after = after.where(change.keep)
    counts = [
        journeys.touchpoints,
        int((~change.keep).sum()),
        int((change.changed & change.keep).sum()),
        after.touchpoints,
        len(journeys),
        int(touched.sum()),
        len(after),
        journeys.customers,
        len(whose),
        after.customers,
    ]
    return after, counts
