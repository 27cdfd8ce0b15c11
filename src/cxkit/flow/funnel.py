"""Funnels: how far journeys get through steps in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, Literal, Self, overload

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.intervals import divide, share_interval
from cxkit.core.ragged import chunks
from cxkit.core.records import check_fields
from cxkit.core.result import Result
from cxkit.core.spans import SpanLike, show_span, span_us
from cxkit.core.summary import SHARDS, parameter, total
from cxkit.core.threads import in_parts
from cxkit.errors import DefinitionError
from cxkit.flow.chain import steps_reached
from cxkit.model.goal import Goal, GoalLike, as_goal
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys
from cxkit.model.summaries import JourneySummary

__all__ = ["Funnel", "FunnelCounts", "FunnelResult"]

_SCHEMA: Final = "cxkit/funnel/1"
_MOST_STEPS: Final = 255
_CHUNK: Final = 1 << 18  # larger than elsewhere: a chunk costs several calls per step


def _as_steps(steps: Sequence[GoalLike]) -> tuple[Goal, ...]:
    if isinstance(steps, str) or not isinstance(steps, Sequence):
        raise DefinitionError(f"a funnel has a list of steps, such as ['view']; found {steps!r}")
    goals = tuple(as_goal(step) for step in steps)
    if not 0 < len(goals) <= _MOST_STEPS:
        raise DefinitionError(f"a funnel has 1 to {_MOST_STEPS} steps; found {len(goals)}")
    return goals


def _as_within(within: SpanLike | None) -> str | None:
    return None if within is None else show_span(span_us(within, name="within"))


def _one_of(*choices: str) -> Callable[[object, attrs.Attribute[Any], object], None]:
    def check(_: object, field: attrs.Attribute[Any], value: object) -> None:
        if value not in choices:
            raise DefinitionError(
                f"{field.name} of a funnel is one of {list(choices)}; found {value!r}"
            )

    return check


@attrs.frozen(repr=False)
class Funnel:
    """Steps that journeys go through in order.

    A journey reaches step k if it holds touchpoints of the steps 1 to k in that order, other
    touchpoints between them allowed, the last at most ``within`` after the first. No touchpoint
    serves as two steps. The answer is exact: a journey that enters several times reaches a step if
    it does from *some* entry.

    Attributes:
        steps: Goals, or names of events. A step may occur more than once.
        within: The longest time from entry to a step, that time included; no limit if ``None``.
            Kept as text such as ``"7d"``.
        entry: ``"any"``: every touchpoint of the first step may be the entry. ``"first"``: only the
            first one of the journey.
        ties: What two touchpoints of the same instant mean. ``"order"``: they count in the order of
            the input. ``"strict"``: each step must be later than the one before.

    Raises:
        DefinitionError: There is no step or more than 255, a step is no goal, ``within`` is no span
            of time, or an option is unknown.

    Example:
        >>> from cxkit import Journeys
        >>> journeys = Journeys.from_table(
        ...     {
        ...         "who": [1, 1, 1, 2, 2, 3],
        ...         "when": [f"2024-01-0{day}" for day in (1, 2, 9, 1, 3, 1)],
        ...         "what": ["view", "cart", "buy", "cart", "view", "view"],
        ...     },
        ...     customer="who",
        ...     time="when",
        ...     event="what",
        ...     tz="UTC",
        ... )
        >>> funnel = Funnel(["view", "cart", "buy"], within="7d")
        >>> funnel.reached(journeys).tolist(), funnel.reached(journeys[0])
        ([2, 1, 1], 2)
        >>> Funnel(["view", "cart", "buy"], within="8d").count(journeys).reached.tolist()
        [3, 1, 1]
    """

    steps: tuple[Goal, ...] = attrs.field(converter=_as_steps)
    within: str | None = attrs.field(default=None, converter=_as_within)
    entry: Literal["any", "first"] = attrs.field(
        default="any", kw_only=True, validator=_one_of("any", "first")
    )
    ties: Literal["order", "strict"] = attrs.field(
        default="order", kw_only=True, validator=_one_of("order", "strict")
    )

    def __repr__(self) -> str:
        """As it would be written."""
        plain = [step.event if step == as_goal(step.event) else step for step in self.steps]
        told = [repr(plain)]
        told += [f"within={self.within!r}"] if self.within else []
        told += [f"entry={self.entry!r}"] if self.entry != "any" else []
        told += [f"ties={self.ties!r}"] if self.ties != "order" else []
        return f"Funnel({', '.join(told)})"

    def count(self, journeys: Journeys | Journey, *, level: float = 0.95) -> FunnelResult:
        """How many journeys reach each step.

        Args:
            journeys: The journeys; no journeys give zeros.
            level: Of the intervals.

        Raises:
            UnknownLabelError: The data does not have the event or channel of a step.
        """
        many = as_journeys(journeys)
        if many.touchpoints:  # no touchpoints have no labels either, and nothing to misspell
            for step in self.steps:
                step.require(many)
        return FunnelCounts.of(many, funnel=self).result(level=level)

    @overload
    def reached(self, journeys: Journeys) -> NDArray[np.uint8]: ...
    @overload
    def reached(self, journeys: Journey) -> int: ...
    def reached(self, journeys: Journeys | Journey) -> NDArray[np.uint8] | int:
        """How many steps each journey reaches; one journey may well lack the label of a step.

        Returns:
            (J,) steps reached, 0 for a journey that does not enter; one number for one journey.
        """
        many = as_journeys(journeys)
        out = np.zeros(len(many), np.uint8)
        in_parts(partial(self._write_reached, many, out), many.offsets)
        return freeze(out) if isinstance(journeys, Journeys) else int(out[0])

    def _write_reached(self, many: Journeys, out: NDArray[np.uint8], begin: int, end: int) -> None:
        """Write the steps that the journeys ``begin:end`` reach."""
        limit = None if self.within is None else span_us(self.within, name="within")
        for j0, j1, _, _ in chunks(many.offsets, _CHUNK, within=(begin, end)):
            part = many.take(slice(j0, j1))
            rows = {step: np.flatnonzero(step.matches(part)) for step in dict.fromkeys(self.steps)}
            steps_reached(
                [rows[step] for step in self.steps],
                part.offsets,
                part.time.view(np.int64),
                limit=limit,
                first_entry=self.entry == "first",
                strict=self.ties == "strict",
                out=out[j0:j1],
            )

    def to_dict(self) -> dict[str, Any]:
        """The funnel as plain data for JSON."""
        return {
            "schema": _SCHEMA,
            "steps": [step.to_dict() for step in self.steps],
            "within": self.within,
            "entry": self.entry,
            "ties": self.ties,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Funnel:
        """Read back what :meth:`to_dict` wrote.

        Raises:
            DataError: The data is of another schema, or lacks its steps.
        """
        check_fields(data, _SCHEMA, "funnel", ["steps"], ["within", "entry", "ties"])
        steps = [Goal.from_dict(s) if isinstance(s, Mapping) else s for s in data["steps"]]
        return cls(
            steps,
            data.get("within"),
            entry=data.get("entry", "any"),
            ties=data.get("ties", "order"),
        )


@attrs.frozen(eq=False, repr=False)
class FunnelCounts(JourneySummary):
    """How many journeys reach each step, as a summary that adds up.

    Attributes:
        funnel: The funnel.
        journeys: (64,) journeys in every shard.
        reached: (64, steps) journeys that reach each step.

    Example:
        >>> from cxkit import Journeys
        >>> FunnelCounts.of(Journeys.empty(), funnel=Funnel(["view", "buy"])).reached.sum()
        np.int64(0)
    """

    funnel: Funnel = attrs.field(kw_only=True, metadata=parameter(Funnel.from_dict))
    journeys: IntArray = attrs.field(kw_only=True, metadata=total("shard"))
    reached: IntArray = attrs.field(kw_only=True, metadata=total("shard", "step"))

    @classmethod
    def of(cls, journeys: Journeys | Journey, /, *, funnel: Funnel) -> Self:
        """Count; a step that this part of the data lacks is reached by none.

        Args:
            journeys: The journeys.
            funnel: The funnel, whose steps need not all occur.
        """
        many = as_journeys(journeys)
        slots = len(funnel.steps) + 1
        keys = many.shards.astype(np.int64) * slots + funnel.reached(many)
        exactly = np.bincount(keys, minlength=SHARDS * slots).reshape(SHARDS, slots)
        at_least = exactly[:, ::-1].cumsum(axis=1)[:, ::-1]
        return cls(funnel=funnel, journeys=at_least[:, 0], reached=at_least[:, 1:])

    def result(self, *, level: float = 0.95) -> FunnelResult:
        """Shares of the journeys that entered and of the step before, with intervals."""
        occupied, reached = self.occupied(), self.reached
        count = reached.sum(axis=0)
        # The first step is its own step before: every journey that entered has entered.
        previous = np.concatenate([reached[:, :1], reached[:, :-1]], axis=1)
        low, high = share_interval(reached, reached[:, :1], occupied, level=level)
        step_low, step_high = share_interval(reached, previous, occupied, level=level)
        return FunnelResult(
            funnel=self.funnel,
            journeys=int(self.journeys.sum()),
            reached=count,
            share=divide(count, count[0]),
            share_low=low,
            share_high=high,
            step_share=divide(count, previous.sum(axis=0)),
            step_share_low=step_low,
            step_share_high=step_high,
        )


@attrs.frozen(eq=False, repr=False, kw_only=True)
class FunnelResult(Result):
    """How far journeys get: one row per step.

    Attributes:
        funnel: The funnel that was counted.
        journeys: J, all journeys, whether they entered or not.
        reached: (steps,) journeys that reach each step; the first are those that entered.
        share: (steps,) of the journeys that entered; NaN if none did.
        share_low: (steps,) low end of its interval; NaN for too few customers.
        share_high: (steps,) high end.
        step_share: (steps,) of the journeys that reached the step before.
        step_share_low: (steps,) low end of its interval.
        step_share_high: (steps,) high end.
    """

    funnel: Funnel
    journeys: int
    reached: IntArray = attrs.field(converter=freeze)
    share: NDArray[np.float64] = attrs.field(converter=freeze)
    share_low: NDArray[np.float64] = attrs.field(converter=freeze)
    share_high: NDArray[np.float64] = attrs.field(converter=freeze)
    step_share: NDArray[np.float64] = attrs.field(converter=freeze)
    step_share_low: NDArray[np.float64] = attrs.field(converter=freeze)
    step_share_high: NDArray[np.float64] = attrs.field(converter=freeze)

    @property
    def dropped(self) -> IntArray:
        """(steps,) journeys that reached the step before and not this one."""
        return freeze(-np.diff(self.reached, prepend=self.reached[:1]))

    def columns(self) -> Mapping[str, Any]:
        """One row per step."""
        names = (name + end for name in ("share", "step_share") for end in ("", "_low", "_high"))
        return {
            "step": [step.name for step in self.funnel.steps],
            "reached": self.reached,
            **{name: getattr(self, name) for name in names},
            "dropped": self.dropped,
        }

    def title(self) -> str:
        """How many entered."""
        return f"funnel: {self.reached[0]:,} of {self.journeys:,} journeys entered"

    def notes(self) -> tuple[str, ...]:
        """The policy in words."""
        funnel = self.funnel
        entry = "any" if funnel.entry == "any" else "the first"
        within = f"at most {funnel.within}" if funnel.within else "any time"
        ties = (
            "steps of the same instant count in the order of the input"
            if funnel.ties == "order"
            else "each step is strictly later than the one before"
        )
        order = f"all steps in order, others between allowed, {within} after {entry} entry"
        return (f"unit: journeys, with {order}; {ties}",)
