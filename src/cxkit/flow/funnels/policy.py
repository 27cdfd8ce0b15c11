"""What a funnel may ask of the steps besides their order, and which of it cannot be combined."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

import attrs

from cxkit.core.records import check_fields
from cxkit.core.spans import SpanLike, show_span, span_us
from cxkit.errors import DefinitionError
from cxkit.flow.funnels.sametime import MOST_GOALS, MOST_ON_ONE_EVENT
from cxkit.model.goal import Goal, GoalLike, as_goal

if TYPE_CHECKING:
    from cxkit.flow.funnels.funnel import Funnel

__all__ = ["Rules", "Without", "as_spans", "as_without", "check_policy", "rules_of"]

_SCHEMA: Final = "cxkit/funnel-without/1"


@attrs.frozen
class Without:
    """A goal that must not come between two steps of a funnel.

    Between means after the touchpoint of the one step and before that of the other; a touchpoint
    that serves as a step itself is not between. Where touchpoints of one instant are in no order
    (``ties`` is ``"strict"`` or ``"any"``), those of the instant of either step are not between.

    Attributes:
        goal: The goal, or the name of its event.
        after: The number of the step from which on it must not come; 1 is the entry.
        before: The number of the step up to which it must not come; the last one by default.

    Raises:
        DefinitionError: There is no such goal, or ``before`` is not larger than ``after``.

    Example:
        >>> Without("logout", after=2).goal.name
        'logout'
    """

    goal: Goal = attrs.field(converter=as_goal)
    after: int = 1
    before: int | None = attrs.field(default=None)

    @before.validator
    def _check(self, _: object, value: Any) -> None:
        whole = all(type(n) is int for n in (self.after, value) if n is not None)
        if not whole or self.after < 1 or (value is not None and value <= self.after):
            raise DefinitionError(
                "what must not come between steps comes after a step from 1 up and before a later "
                f"one; found after={self.after!r}, before={value!r}"
            )

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return {
            "schema": _SCHEMA,
            "goal": self.goal.to_dict(),
            "after": self.after,
            "before": self.before,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Without:
        """Read back what :meth:`to_dict` wrote.

        Raises:
            DataError: The data is of another schema, or lacks its goal.
        """
        check_fields(data, _SCHEMA, "exclusion of a funnel", ["goal"], ["after", "before"])
        return cls(Goal.from_dict(data["goal"]), data.get("after", 1), data.get("before"))


@attrs.frozen
class Rules:
    """A funnel with its spans in microseconds, as the search for chains reads it.

    ``K`` is the number of steps; gap ``g`` lies between the steps ``g`` and ``g + 1``, from 0.

    Attributes:
        steps: (K,) goals.
        limit: The longest time from entry to a step; ``None`` for no limit.
        least: (K - 1,) the shortest time of each gap.
        most: (K - 1,) the longest; ``None`` for no limit.
        without: For each exclusion its goal, its first gap and the one after its last.
        entry: ``"any"``, ``"first"`` or ``"last"``.
        ties: ``"order"``, ``"strict"`` or ``"any"``.
        ordered: Whether steps come in their order.
        adjacent: Whether steps are neighbours.
        hold: A column that stays the same.
    """

    steps: tuple[Goal, ...]
    limit: int | None
    least: tuple[int, ...]
    most: tuple[int | None, ...]
    without: tuple[tuple[Goal, int, int], ...]
    entry: str
    ties: str
    ordered: bool
    adjacent: bool
    hold: str | None

    @property
    def plain(self) -> bool:
        """Whether nothing but the window, the entry and the order of ties is asked."""
        limits = any(self.least) or any(most is not None for most in self.most)
        special = self.adjacent or self.without or self.hold is not None or self.ties == "any"
        return self.ordered and not (limits or special)


def rules_of(funnel: Funnel) -> Rules:
    """What a funnel says, spans in microseconds."""
    last = len(funnel.steps) - 1
    return Rules(
        steps=funnel.steps,
        limit=_us(funnel.within),
        least=tuple(_us(span) or 0 for span in _per_gap(funnel.step_after, last)),
        most=tuple(_us(span) for span in _per_gap(funnel.step_within, last)),
        without=tuple(
            (w.goal, w.after - 1, last if w.before is None else w.before - 1)
            for w in funnel.without
        ),
        entry=funnel.entry,
        ties=funnel.ties,
        ordered=funnel.order == "given",
        adjacent=funnel.adjacent,
        hold=funnel.hold,
    )


def as_spans(name: str, given: Any) -> str | tuple[str | None, ...] | None:
    """One span for all gaps between steps, one for each, or none.

    Raises:
        DefinitionError: It is neither.
    """
    if given is None:
        return None
    if isinstance(given, (list, tuple)):
        return tuple(None if span is None else _shown(span, name) for span in given)
    return _shown(given, name)


def as_without(given: Any) -> tuple[Without, ...]:
    """Exclusions from goals, names of events and exclusions.

    Raises:
        DefinitionError: It is no list of them.
    """
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise DefinitionError(
            f"without is a list of goals that must not come between, such as ['logout']; found "
            f"{given!r}"
        )
    return tuple(one if isinstance(one, Without) else Without(_goal(one)) for one in given)


def check_policy(funnel: Funnel) -> None:
    """Refuse options that mean nothing together.

    Raises:
        DefinitionError: The two options are named.
    """
    gaps = len(funnel.steps) - 1
    for name in ("step_within", "step_after"):
        given = getattr(funnel, name)
        if isinstance(given, tuple) and len(given) != gaps:
            raise DefinitionError(
                f"{name} of a funnel with {gaps + 1} steps is one span, or a list of {gaps} (one "
                f"for each step after the first); found {len(given)}"
            )
    for one in funnel.without:
        if max(one.after + 1, one.before or 0) > gaps + 1:
            raise DefinitionError(
                f"without {one.goal.name!r}: after={one.after}, before={one.before} is not between "
                f"steps of a funnel that has {gaps + 1}"
            )
    _check_adjacent(funnel)
    _check_any_order(funnel)
    on_event = Counter(event for event, *_ in {step.same for step in funnel.steps})
    too_many = on_event.total() > MOST_GOALS or max(on_event.values()) > MOST_ON_ONE_EVENT
    if funnel.ties == "any" and too_many:
        raise DefinitionError(
            f"ties='any' and so many steps do not go together: {MOST_GOALS} different ones, "
            f"{MOST_ON_ONE_EVENT} of them on one event, are the most that are tried out"
        )
    rules = rules_of(funnel)
    for number, (least, most) in enumerate(zip(rules.least, rules.most, strict=True), start=2):
        if most is not None and least > most:
            raise DefinitionError(
                f"step {number} can never be reached: step_after={show_span(least)!r} is longer "
                f"than step_within={show_span(most)!r}"
            )
    if rules.limit is not None and sum(rules.least) > rules.limit:
        raise DefinitionError(
            f"the last step can never be reached: step_after adds up to "
            f"{show_span(sum(rules.least))!r}, more than within={funnel.within!r}"
        )


def _check_adjacent(funnel: Funnel) -> None:
    if not funnel.adjacent:
        return
    if funnel.ties == "any":
        raise DefinitionError(
            "adjacent=True and ties='any' do not go together: where touchpoints of one instant "
            "are in no order, none of them comes next"
        )
    if funnel.without:
        raise DefinitionError(
            "adjacent=True and without do not go together: nothing comes between neighbours anyway"
        )


def _check_any_order(funnel: Funnel) -> None:
    """Without an order of steps there is no step before."""
    if funnel.order == "given":
        return
    clashes = {
        "adjacent=True": funnel.adjacent,
        f"ties={funnel.ties!r}": funnel.ties != "order",
        "step_within": funnel.step_within is not None,
        "step_after": funnel.step_after is not None,
        "entry='last'": funnel.entry == "last",
        "without between certain steps": any(
            one.after != 1 or one.before not in {None, len(funnel.steps)} for one in funnel.without
        ),
    }
    for name, given in clashes.items():
        if given:
            raise DefinitionError(
                f"order='any' and {name} do not go together: steps in any order have no step "
                "before them"
            )
    distinct = list({step.same: step for step in funnel.steps}.values())
    for one, other in combinations(distinct, 2):
        if _overlap(one, other):
            raise DefinitionError(
                "order='any' and steps that overlap do not go together: a touchpoint could be both "
                f"{one.name!r} and {other.name!r}"
            )
    for without in funnel.without:
        if any(_overlap(without.goal, step) for step in funnel.steps):
            raise DefinitionError(
                f"order='any' and without={without.goal.name!r} do not go together: it may be a "
                "step too"
            )


def _overlap(a: Goal, b: Goal) -> bool:
    """Whether a touchpoint can reach both."""
    if a.event != b.event or (a.channel != b.channel and None not in {a.channel, b.channel}):
        return False
    if a.value is not None and b.value is not None:
        lows = [low for low, _ in (a.value, b.value) if low is not None]
        highs = [high for _, high in (a.value, b.value) if high is not None]
        if lows and highs and max(lows) > min(highs):
            return False
    others = dict(b.where)
    return all(set(labels) & set(others.get(column, labels)) for column, labels in a.where)


def _goal(given: GoalLike) -> Goal:
    return as_goal(given)


def _shown(span: SpanLike, name: str) -> str:
    return show_span(span_us(span, name=name))


def _us(span: str | None) -> int | None:
    return None if span is None else span_us(span, name="span")


def _per_gap(given: str | tuple[str | None, ...] | None, gaps: int) -> tuple[str | None, ...]:
    return given if isinstance(given, tuple) else (given,) * gaps
