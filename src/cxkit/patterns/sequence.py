"""The definition of a pattern: steps in order, and what must not come between or after them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import attrs

from cxkit.core.records import check_fields
from cxkit.core.spans import InstantLike, SpanLike, show_span, span_us
from cxkit.errors import DefinitionError
from cxkit.model.goal import Goal, GoalLike, as_goal

if TYPE_CHECKING:
    from cxkit.model.journey import Journey
    from cxkit.model.journeys import Journeys
    from cxkit.patterns.live import LivePattern
    from cxkit.patterns.results import PatternCounts, PatternMatches

__all__ = ["Pattern"]

_SCHEMA: Final = "cxkit/pattern/1"
_MOST_STEPS: Final = 60  # a bit for each in one word, beside one for each kind of refusal

Report: TypeAlias = Literal["first", "every", "overlapping"]
_Steps: TypeAlias = "Sequence[SpanLike | None] | SpanLike | None"


def _as_steps(steps: Sequence[GoalLike]) -> tuple[Goal, ...]:
    if isinstance(steps, str) or not isinstance(steps, Sequence):
        raise DefinitionError(
            f"a pattern has a list of steps, such as ['view', 'cart']; found {steps!r}"
        )
    goals = tuple(as_goal(step) for step in steps)
    if not 0 < len(goals) <= _MOST_STEPS:
        raise DefinitionError(f"a pattern has 1 to {_MOST_STEPS} steps; found {len(goals)}")
    return goals


def _as_goals(given: GoalLike | Sequence[GoalLike] | None) -> tuple[Goal, ...]:
    if given is None:
        return ()
    if isinstance(given, (Goal, str, int)):
        return (as_goal(given),)
    if not isinstance(given, Sequence):
        raise DefinitionError(f"expected an event, a goal or a list of them; found {given!r}")
    return tuple(dict.fromkeys(map(as_goal, given)))


def _as_within(within: SpanLike | None) -> str | None:
    return None if within is None else show_span(span_us(within, name="within"))


def _as_step_within(given: _Steps) -> Any:
    """One text for all, or one per step; how many there must be is known only with the steps."""
    if given is None or isinstance(given, str) or not isinstance(given, Sequence):
        return None if given is None else show_span(span_us(given, name="step_within"))
    return tuple(
        None if span is None else show_span(span_us(span, name="step_within")) for span in given
    )


def _one_of(*choices: str) -> Callable[[object, attrs.Attribute[Any], object], None]:
    def check(_: object, field: attrs.Attribute[Any], value: object) -> None:
        if value not in choices:
            raise DefinitionError(
                f"{field.name} of a pattern is one of {list(choices)}; found {value!r}"
            )

    return check


@attrs.frozen(repr=False)
class Pattern:
    """A then B, within a time, without C; or A and then no B.

    **A match of the steps.** Touchpoints of one journey that match the steps one after another, in
    the journey's order, other touchpoints between allowed; the last at most ``within`` after the
    first, each at most ``step_within`` after the one before, and none that matches ``without``
    between two that follow one another. No touchpoint serves as two steps, but a step may be named
    in ``without`` too: ``Pattern(["view", "cart"], without=["view"])`` takes the last view.

    A touchpoint *completes* the pattern if it is the last of such a match. Where it is the last of
    several, the one with the latest first touchpoint counts, so that each completion has one start.

    **Absence.** With ``then_no``, a completion has a deadline: ``within`` after its start, or
    ``step_within`` after its last step, whichever comes first. The match happens *at the deadline*,
    if no touchpoint of ``then_no`` comes after the last step, up to and including the deadline.
    Whether that is so is known only when all touchpoints up to the deadline are, so ``matches``
    then asks for ``at``, the instant up to which (and including which) the data is complete.

    **Which matches are reported.** ``"every"``: every match that begins after the one reported
    before has ended (with absence: later than its deadline). ``"first"``: only the first of a
    journey. ``"overlapping"``: one for every touchpoint that completes the pattern.

    Attributes:
        steps: Goals, or names of events; 1 to 60. A step may occur more than once.
        within: The longest time from the first step to the end, that time included; no limit if
            ``None``. Kept as text such as ``"30min"``.
        without: What must not come between two steps.
        then_no: What must not come after the last step, until the deadline.
        step_within: The longest time from each step to the next, that time included: one span for
            all, or one (or ``None``) each. With ``then_no``, one more: from the last step to the
            deadline. Kept as one text or ``None`` each.
        report: Which matches are reported.

    Raises:
        DefinitionError: There is no step or more than 60, one is no goal, a time is no span, there
            is ``then_no`` but no deadline, ``step_within`` has the wrong length, or ``report`` is
            unknown.

    Example:
        >>> from cxkit import Journeys
        >>> journeys = Journeys.from_table(
        ...     {
        ...         "who": ["ann", "ann", "ann", "bob", "bob"],
        ...         "when": [
        ...             f"2024-01-01T10:{minute}Z" for minute in ("00", "10", "20", "00", "45")
        ...         ],
        ...         "what": ["view", "cart", "purchase", "view", "cart"],
        ...     },
        ...     customer="who",
        ...     time="when",
        ...     event="what",
        ... )
        >>> Pattern(["view", "cart"], within="30min").matches(journeys).customer.to_list()
        ['ann']
        >>> abandoned = Pattern(["cart"], then_no="purchase", within="1h")
        >>> abandoned.matches(journeys, at="2024-01-01T12:00Z").end.tolist()
        [datetime.datetime(2024, 1, 1, 11, 45)]
        >>> len(abandoned.matches(journeys, at="2024-01-01T11:00Z"))  # too early to tell
        0
    """

    steps: tuple[Goal, ...] = attrs.field(converter=_as_steps)
    within: str | None = attrs.field(default=None, converter=_as_within)
    without: tuple[Goal, ...] = attrs.field(default=(), converter=_as_goals, kw_only=True)
    then_no: tuple[Goal, ...] = attrs.field(default=(), converter=_as_goals, kw_only=True)
    step_within: tuple[str | None, ...] = attrs.field(
        default=None, converter=_as_step_within, kw_only=True
    )
    report: Report = attrs.field(
        default="every", kw_only=True, validator=_one_of("first", "every", "overlapping")
    )

    def __attrs_post_init__(self) -> None:
        """Give every step its own time, and see that an absence has a deadline."""
        told: Any = self.step_within  # as the converter left it: one for all, or a tuple
        gaps = len(self.steps) - 1 + bool(self.then_no)
        spans: tuple[str | None, ...] = told if isinstance(told, tuple) else (told,) * gaps
        if len(spans) != gaps:
            also = ", and one from the last step to the deadline" if self.then_no else ""
            raise DefinitionError(
                f"step_within has {len(spans)} times; {len(self.steps)} steps need "
                f"{len(self.steps) - 1}, from each to the next{also}"
            )
        object.__setattr__(self, "step_within", spans)
        if self.then_no and self.within is None and spans[gaps - 1] is None:
            raise DefinitionError(
                "a pattern with then_no needs a deadline: give within='1h', from the first step, "
                "or step_within, whose last time is from the last step"
            )

    def __repr__(self) -> str:
        """As it would be written."""
        told = [repr(_shown(self.steps))]
        told += [f"within={self.within!r}"] if self.within else []
        told += [f"without={_shown(self.without)!r}"] if self.without else []
        told += [f"then_no={_shown(self.then_no)!r}"] if self.then_no else []
        told += [f"step_within={list(self.step_within)!r}"] if any(self.step_within) else []
        told += [f"report={self.report!r}"] if self.report != "every" else []
        return f"Pattern({', '.join(told)})"

    @property
    def within_us(self) -> int | None:
        """``within`` in microseconds."""
        return None if self.within is None else span_us(self.within, name="within")

    @property
    def step_within_us(self) -> tuple[int | None, ...]:
        """``step_within`` in microseconds."""
        return tuple(
            None if span is None else span_us(span, name="step_within") for span in self.step_within
        )

    def matches(
        self, journeys: Journeys | Journey, *, at: InstantLike | None = None
    ) -> PatternMatches:
        """Find the matches.

        Args:
            journeys: The journeys; each is searched by itself.
            at: The data is complete up to and including this instant: matches that end later are
                left out. A pattern with ``then_no`` cannot do without; any other finds all there
                are if it is ``None``.

        Raises:
            DefinitionError: ``at`` is no instant, or is missing where it is needed.
            UnknownLabelError: The data of many journeys does not have an event or channel of the
                pattern; a single journey may well lack one.
        """
        from cxkit.patterns.results import find

        return find(journeys, self, at)

    def count(
        self, journeys: Journeys | Journey, *, at: InstantLike | None = None
    ) -> PatternCounts:
        """Count journeys that match, as a summary that adds up; ``result()`` gives the share.

        Args:
            journeys: The journeys.
            at: As for :meth:`matches`. Journeys that begin after it are not counted.

        Raises:
            DefinitionError: As for :meth:`matches`.
            UnknownLabelError: As for :meth:`matches`.
        """
        from cxkit.patterns.results import PatternCounts, require

        require(journeys, self)
        return PatternCounts.of(journeys, pattern=self, at=at)

    def live(self, *, tolerance: SpanLike | None = None, most_waiting: int = 256) -> LivePattern:
        """The same pattern, one touchpoint at a time.

        Args:
            tolerance: How late a touchpoint may come after a later one of the same customer;
                ``None`` if each customer's touchpoints come in order.
            most_waiting: The most touchpoints, and the most open absences, that are kept for one
                customer.

        Raises:
            DefinitionError: ``tolerance`` is no span, or ``most_waiting`` no whole number from 1.
        """
        from cxkit.patterns.live import LivePattern

        return LivePattern(self, tolerance=tolerance, most_waiting=most_waiting)

    def to_dict(self) -> dict[str, Any]:
        """The pattern as plain data for JSON."""
        return {
            "schema": _SCHEMA,
            "steps": [step.to_dict() for step in self.steps],
            "within": self.within,
            "without": [goal.to_dict() for goal in self.without],
            "then_no": [goal.to_dict() for goal in self.then_no],
            "step_within": list(self.step_within),
            "report": self.report,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Pattern:
        """Read back what :meth:`to_dict` wrote.

        Raises:
            DataError: The data is of another schema, or lacks its steps.
        """
        optional = ["within", "without", "then_no", "step_within", "report"]
        check_fields(data, _SCHEMA, "pattern", ["steps"], optional)
        return cls(
            _goals_of(data["steps"]),
            data.get("within"),
            without=_goals_of(data.get("without", ())),
            then_no=_goals_of(data.get("then_no", ())),
            step_within=data.get("step_within"),
            report=data.get("report", "every"),
        )


def _shown(goals: Sequence[Goal]) -> list[Goal | str | int]:
    return [goal.event if goal == as_goal(goal.event) else goal for goal in goals]


def _goals_of(data: Any) -> Any:
    if isinstance(data, (str, int)) or not isinstance(data, Sequence):
        return data
    return [Goal.from_dict(goal) if isinstance(goal, Mapping) else goal for goal in data]
