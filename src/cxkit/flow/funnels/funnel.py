"""Funnels: how far journeys get through steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, overload

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.records import check_fields
from cxkit.core.spans import SpanLike, show_span, span_us
from cxkit.errors import DefinitionError
from cxkit.flow.funnels.policy import Without, as_spans, as_without, check_policy, rules_of
from cxkit.flow.funnels.reaching import depths, passages
from cxkit.flow.funnels.wording import told
from cxkit.model.goal import Goal, GoalLike, as_goal
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys

if TYPE_CHECKING:
    from cxkit.flow.funnels.funnelcounts import FunnelResult

__all__ = ["Funnel"]

_SCHEMA: Final = "cxkit/funnel/1"
_MOST_STEPS: Final = 255


def _as_steps(steps: Sequence[GoalLike]) -> tuple[Goal, ...]:
    if isinstance(steps, str) or not isinstance(steps, Sequence):
        raise DefinitionError(f"a funnel has a list of steps, such as ['view']; found {steps!r}")
    goals = tuple(as_goal(step) for step in steps)
    if not 0 < len(goals) <= _MOST_STEPS:
        raise DefinitionError(f"a funnel has 1 to {_MOST_STEPS} steps; found {len(goals)}")
    return goals


def _as_within(within: SpanLike | None) -> str | None:
    return None if within is None else show_span(span_us(within, name="within"))


def _as_step_within(given: Any) -> str | tuple[str | None, ...] | None:
    return as_spans("step_within", given)


def _as_step_after(given: Any) -> str | tuple[str | None, ...] | None:
    return as_spans("step_after", given)


def _one_of(*choices: object) -> Callable[[object, attrs.Attribute[Any], object], None]:
    def check(_: object, field: attrs.Attribute[Any], value: object) -> None:
        if type(value) is not type(choices[0]) or value not in choices:
            raise DefinitionError(
                f"{field.name} of a funnel is one of {list(choices)}; found {value!r}"
            )

    return check


def _is_column(_: object, field: attrs.Attribute[Any], value: object) -> None:
    if value is not None and (not isinstance(value, str) or not value):
        raise DefinitionError(
            f"{field.name} of a funnel is the name of a column, such as 'campaign'; found {value!r}"
        )


@attrs.frozen(repr=False)
class Funnel:
    """Steps that journeys go through, and everything that tools decide silently about them.

    A journey reaches step k if it holds touchpoints of the steps 1 to k in that order, other
    touchpoints between them allowed, the last at most ``within`` after the first. No touchpoint
    serves as two steps. The answer is exact under every combination of options: a journey that
    enters several times reaches a step if *some* choice of its touchpoints does.

    What other tools count under these options is in the concepts page on flow. In short: SQL's
    ``windowFunnel`` is ``entry="any"``, its mode ``strict_increase`` is ``ties="strict"``; the
    first-time entry of product analytics is ``entry="first"``; their "strict order" or "exact
    order" is ``adjacent=True``; "any order" is ``order="any"``; "hold constant" is ``hold``; the
    conversion window is ``within``.

    Attributes:
        steps: Goals, or names of events. A step may occur more than once.
        within: The longest time from entry to a step, that time included; no limit if ``None``.
            Kept as text such as ``"7d"``.
        entry: ``"any"``: every touchpoint of the first step may be the entry. ``"first"``: only the
            first one of the journey, ``"last"``: only the last.
        ties: What two touchpoints of the same instant mean. ``"order"``: they count in the order of
            the input. ``"strict"``: each step must be later than the one before. ``"any"``: they
            may count in whatever order serves best.
        order: ``"given"``: steps come in their order. ``"any"``: in any; the k-th row of the result
            then holds the journeys that do k different steps within the window, and a journey
            enters with any of them.
        adjacent: Steps are neighbours: no other touchpoint of the journey comes between.
        step_within: The longest time from one step to the next, that time included: one span for
            all, or a list with one (or ``None``) for each step after the first.
        step_after: The shortest time from one step to the next, itself included; likewise.
        without: Goals that must not come between the steps, or :class:`Without` for certain steps.
        hold: A column of labels that is the same at all steps, such as ``"campaign"``. The journey
            is looked at once for each label, as if it held only the touchpoints with that label
            (so ``entry``, ``adjacent`` and ``without`` are meant within them), and the furthest
            counts. A touchpoint without a label is no step.

    Raises:
        DefinitionError: There is no step or more than 255, a step is no goal, a span is none or not
            longer than zero, an option is unknown, or two options mean nothing together.

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
        >>> Funnel(["view", "cart"], order="any").reached(journeys).tolist()
        [2, 2, 1]
    """

    steps: tuple[Goal, ...] = attrs.field(converter=_as_steps)
    within: str | None = attrs.field(default=None, converter=_as_within)
    entry: Literal["any", "first", "last"] = attrs.field(
        default="any", kw_only=True, validator=_one_of("any", "first", "last")
    )
    ties: Literal["order", "strict", "any"] = attrs.field(
        default="order", kw_only=True, validator=_one_of("order", "strict", "any")
    )
    order: Literal["given", "any"] = attrs.field(
        default="given", kw_only=True, validator=_one_of("given", "any")
    )
    adjacent: bool = attrs.field(default=False, kw_only=True, validator=_one_of(False, True))
    step_within: str | tuple[str | None, ...] | None = attrs.field(
        default=None, kw_only=True, converter=_as_step_within
    )
    step_after: str | tuple[str | None, ...] | None = attrs.field(
        default=None, kw_only=True, converter=_as_step_after
    )
    without: tuple[Without, ...] = attrs.field(default=(), kw_only=True, converter=as_without)
    hold: str | None = attrs.field(default=None, kw_only=True, validator=_is_column)

    def __attrs_post_init__(self) -> None:
        """Refuse options that mean nothing together."""
        check_policy(self)

    def __repr__(self) -> str:
        """As it would be written."""
        shown = [repr([_plain(step) for step in self.steps])]
        shown += [f"within={self.within!r}"] if self.within else []
        for field in attrs.fields(Funnel)[2:]:
            value = getattr(self, field.name)
            if value != field.default:
                shown.append(f"{field.name}={_plain_all(value)!r}")
        return f"Funnel({', '.join(shown)})"

    @property
    def step_names(self) -> list[str]:
        """(steps,) what each row of a result is called."""
        if self.order == "given":
            return [step.name for step in self.steps]
        return [f"any {k} of {len(self.steps)}" for k in range(1, len(self.steps) + 1)]

    def told(self) -> str:
        """The policy in words, as results show it."""
        return told(self)

    def require(self, journeys: Journeys) -> None:
        """Refuse journeys that cannot reach the steps: a typing error would count nothing.

        Raises:
            UnknownLabelError: The data does not have the event or channel of a step.
            SchemaError: The column to hold is not there, or holds numbers.
        """
        if not journeys.touchpoints:  # they have no labels either, and nothing to misspell
            return
        for goal in [*self.steps, *(one.goal for one in self.without)]:
            goal.require(journeys)
        if self.hold is not None:
            journeys.codes(self.hold)

    def count(self, journeys: Journeys | Journey, *, level: float = 0.95) -> FunnelResult:
        """How many journeys reach each step.

        Args:
            journeys: The journeys; no journeys give zeros.
            level: Of the intervals.

        Raises:
            UnknownLabelError: The data does not have the event or channel of a step.
            SchemaError: The column to hold is not there, or holds numbers.
        """
        from cxkit.flow.funnels.funnelcounts import FunnelCounts

        many = as_journeys(journeys)
        self.require(many)
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
        depth = depths(as_journeys(journeys), rules_of(self))
        return freeze(depth) if isinstance(journeys, Journeys) else int(depth[0])

    def passages(self, journeys: Journeys | Journey) -> IntArray:
        """Which touchpoint was which step: the way of each journey through the funnel.

        Of all ways that a journey has, the one that gets furthest; of those the one that gets there
        first; of those the one whose step before is the latest, and so on back to the entry. So it
        is no longer than it had to be. Where equal times are in no order, the first touchpoint of
        the instant stands for it.

        Returns:
            (J, steps) rows of the touchpoint columns, -1 for a step that is not reached. With
            ``order="any"`` the columns are the first step done, the second, and so on.

        Example:
            >>> from cxkit import Journey, Touchpoint
            >>> days = [("view", 1), ("view", 6), ("cart", 8)]
            >>> journey = Journey.of([Touchpoint(1, f"2024-01-0{d}", event=e) for e, d in days])
            >>> Funnel(["view", "cart", "buy"]).passages(journey).tolist()
            [[1, 2, -1]]
        """
        return freeze(passages(as_journeys(journeys), rules_of(self)))

    def to_dict(self) -> dict[str, Any]:
        """The funnel as plain data for JSON."""
        given = {field.name: getattr(self, field.name) for field in attrs.fields(Funnel)[1:]}
        spans = {k: list(v) if isinstance(v, tuple) else v for k, v in given.items()}
        return {
            "schema": _SCHEMA,
            "steps": [step.to_dict() for step in self.steps],
            **spans,
            "without": [one.to_dict() for one in self.without],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Funnel:
        """Read back what :meth:`to_dict` wrote.

        Raises:
            DataError: The data is of another schema, or lacks its steps.
        """
        options = [field.name for field in attrs.fields(Funnel)[1:]]
        check_fields(data, _SCHEMA, "funnel", ["steps"], options)
        given = {name: data[name] for name in options if name in data}
        if "without" in given:
            given["without"] = [
                Without.from_dict(one) if isinstance(one, Mapping) else one
                for one in given["without"]
            ]
        steps = [Goal.from_dict(s) if isinstance(s, Mapping) else s for s in data["steps"]]
        return cls(steps, **given)


def _plain(goal: Goal) -> Any:
    return goal.event if goal == as_goal(goal.event) else goal


def _plain_all(value: Any) -> Any:
    if not isinstance(value, tuple):
        return value
    return [
        _plain(one.goal) if isinstance(one, Without) and one == Without(one.goal) else one
        for one in value
    ]
