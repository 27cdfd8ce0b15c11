"""The least-cost choice of answers that meets the stages up to a target, exactly.

It is a multiple-choice knapsack with precedence. Criteria are taken one after another, a required
one before the one that requires it, and of all ways to have decided the criteria so far only those
are kept that could still be the cheapest: of two that leave the same prerequisites met, one that
costs no more and has gained no less in every stage makes the other needless (dynamic programming
over the Pareto front), and so does a bound on what the rest must cost (see
:mod:`cxkit.maturity.bounds`). A greedy choice by gain per cost is not exact.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Final, TypeAlias

import attrs

from cxkit.errors import DataError, DefinitionError
from cxkit.maturity.bounds import Floor, hull
from cxkit.maturity.scoring import EPSILON

if TYPE_CHECKING:
    from cxkit.maturity.assessed import Assessed
    from cxkit.maturity.model import MaturityModel
    from cxkit.maturity.parts import Criterion

__all__ = ["CLIMB", "TIE", "Problem", "Step", "Way"]

TIE: Final = 1e-9
_MOST_STATES: Final = 200_000
_NARROW: Final = 100
"""How many ways the first, inexact search keeps in each front."""
_PARTS: Final = 20
"""In how many steps a criterion is raised whose scale takes any number."""
CLIMB: Final = 1 / _PARTS
"""How much each of these steps adds to its worth, so far as they are not the caller's."""


@attrs.frozen
class Step:
    """One criterion to raise.

    Attributes:
        criterion: Its name.
        start: What it is worth now, as it counts.
        end: What it has to be worth.
        cost: What the raise costs.
    """

    criterion: str
    start: float
    end: float
    cost: float


@attrs.frozen
class Way:
    """One way to have decided the criteria so far."""

    cost: float
    raised: int
    choices: tuple[tuple[int, float], ...]

    def key(self) -> tuple[float, int, tuple[tuple[int, float], ...]]:
        """By what ways are chosen: cost, number of steps, and place in the model."""
        return (round(self.cost / TIE) * TIE, self.raised, self.choices)


_Reached: TypeAlias = "tuple[tuple[float, ...], Way]"
"""What was gained in each stage that lacks something, and how."""


@attrs.frozen
class Problem:
    """The criteria in the order in which they are decided, and what has to be gained."""

    model: MaturityModel
    worth: Mapping[str, float]
    order: tuple[Criterion, ...]
    options: Mapping[str, tuple[tuple[float, float], ...]]
    need: Mapping[int, float]
    applies: Mapping[str, bool]
    target: int

    @classmethod
    def of(
        cls, assessed: Assessed, target: int, costs: Mapping[str, Mapping[float, float]]
    ) -> Problem:
        """What it takes to bring a subject to the target."""
        model, answers, row = assessed.model, assessed.of.answers, assessed.position
        for name in costs:
            model.criterion(name)
        worth = dict(zip(model.positions, assessed.worth.tolist(), strict=True))
        applies = {
            c.id: answers.applies is None or bool(answers.applies[row, i])
            for i, c in enumerate(model.criteria)
        }
        options: dict[str, tuple[tuple[float, float], ...]] = {}
        need: dict[int, float] = {}
        for stage in model.stages[1:]:
            if stage.n > target:
                break
            own = [c for c in model.criteria if c.stage == stage.n and applies[c.id]]
            whole = sum(c.weight for c in own)
            taken = (stage.threshold or model.stage_threshold) - EPSILON
            need[stage.n] = taken * whole - sum(c.weight * worth[c.id] for c in own)
        for c in model.criteria:
            options[c.id] = _options(model, c, worth[c.id], costs.get(c.id), applies=applies[c.id])
        return cls(model, worth, _in_order(model), options, need, applies, target)

    def solve(self) -> Way | None:
        """The cheapest way, or ``None`` if none leads there."""
        # A narrow search finds some way quickly; whatever must cost more is then left out.
        some = self._search({}, math.inf, _NARROW)
        return self._search({}, math.inf if some is None else some.cost, None)

    def other(self, step: Step, cost: float) -> Way | None:
        """The best way without a step that costs no more, or ``None`` if there is none."""
        return self._search({step.criterion: step.end}, cost, None)

    def _search(
        self, forbidden: Mapping[str, float], at_most: float, width: int | None
    ) -> Way | None:
        """The cheapest way within a cost; of each front only the ``width`` most promising."""
        stages, floors = self._stages, self._floors
        last_use = {item: i for i, c in enumerate(self.order) for item in c.requires}
        ways: dict[frozenset[str], list[_Reached]] = {
            frozenset(): [(tuple(0.0 for _ in stages), Way(0.0, 0, ()))]
        }
        for place, c in enumerate(self.order):
            following: dict[frozenset[str], list[tuple[float, _Reached]]] = {}
            after = floors[place + 1]
            count = 0
            for met, front in ways.items():
                for end, cost in self._choices(c, met, forbidden):
                    holds = end >= self._bar(c) or not self.applies[c.id]
                    kept = met | {c.id} if holds and c.id in last_use else met
                    kept = frozenset(item for item in kept if last_use[item] > place)
                    gain = c.weight * (end - self.worth[c.id])
                    raised = end > self.worth[c.id]
                    number = self.model.positions[c.id]
                    bucket = following.setdefault(kept, [])
                    for gained, way in front:
                        now = tuple(
                            min(g + gain, self.need[n]) if n == c.stage else g
                            for g, n in zip(gained, stages, strict=True)
                        )
                        rest = sum(
                            floor.cost(self.need[n] - g, EPSILON)
                            for g, n, floor in zip(now, stages, after, strict=True)
                        )
                        least = way.cost + cost + rest
                        if least == math.inf or least > at_most + TIE:
                            continue
                        choice = (*way.choices, (number, end)) if raised else way.choices
                        made = Way(way.cost + cost, way.raised + raised, choice)
                        bucket.append((least, (now, made)))
                        count += 1
                if count > _MOST_STATES:
                    raise DefinitionError(
                        f"the way to stage {self.target} has more than {_MOST_STATES:,} cases to "
                        "weigh; take the next stage as the target, or round the weights"
                    )
            ways = {met: _front(bucket, width) for met, bucket in following.items() if bucket}
        ends = [way for front in ways.values() for _, way in front]
        return min(ends, key=Way.key, default=None)

    def climbed(self, costs: Mapping[str, Mapping[float, float]]) -> tuple[str, ...]:
        """The criteria that could be raised to any worth, but are raised in steps of ``CLIMB``."""
        # Stages above the target matter only for what is required from there.
        needed: set[str] = set()
        for c in reversed(self.order):
            if c.stage <= self.target or c.id in needed:
                needed |= {c.id, *c.requires}
        return tuple(
            c.id
            for c in self.model.criteria
            if c.id in needed
            and c.id not in costs
            and self.options[c.id]
            and not self.model.scale_of(c).values
        )

    @cached_property
    def _stages(self) -> tuple[int, ...]:
        """The stages that lack something."""
        return tuple(n for n, gap in self.need.items() if gap > 0)

    @cached_property
    def _floors(self) -> list[tuple[Floor, ...]]:
        """For each place in the order, what the criteria from there on cost at least by stage.

        What stages cost that lack nothing is left out: it is at least nothing.
        """
        later: dict[int, list[list[tuple[float, float]]]] = {n: [] for n in self._stages}
        floors = {n: Floor.of([]) for n in self._stages}
        found = [tuple(floors.values())]
        for c in reversed(self.order):
            choices = self._choices(c, frozenset(c.requires), {})
            if c.stage in later and choices:
                gain = [(c.weight * (end - self.worth[c.id]), cost) for end, cost in choices]
                later[c.stage].append(hull(gain))
                floors[c.stage] = Floor.of(later[c.stage])
            found.append(tuple(floors.values()))
        return found[::-1]

    def _choices(
        self, c: Criterion, met: frozenset[str], forbidden: Mapping[str, float]
    ) -> list[tuple[float, float]]:
        """Worth and cost of what may be done with a criterion."""
        must = c.gate and c.stage <= self.target and self.applies[c.id]
        found = [(self.worth[c.id], 0.0)]
        if set(c.requires) <= met:
            found += [option for option in self.options[c.id] if forbidden.get(c.id) != option[0]]
        return [option for option in found if not must or option[0] >= self._bar(c)]

    def _bar(self, c: Criterion) -> float:
        """What a criterion must be worth to be met by itself."""
        return (c.gate_threshold or self.model.gate_threshold) - EPSILON

    def steps(self, way: Way) -> tuple[Step, ...]:
        """What a way raises, in an order in which it can be done."""
        places = {self.model.positions[c.id]: i for i, c in enumerate(self.order)}
        found = []
        for number, end in sorted(way.choices, key=lambda choice: places[choice[0]]):
            name = self.model.criteria[number].id
            cost = next(cost for worth, cost in self.options[name] if worth == end)
            found.append(Step(name, self.worth[name], end, cost))
        return tuple(found)


def _options(
    model: MaturityModel,
    criterion: Criterion,
    worth: float,
    costs: Mapping[float, float] | None,
    *,
    applies: bool,
) -> tuple[tuple[float, float], ...]:
    """The worths above the present one that may be chosen, with their costs."""
    if not applies:
        return ()
    scale = model.scale_of(criterion)
    steps = scale.steps() if scale.values else [k / _PARTS for k in range(1, _PARTS + 1)]
    if costs is None:
        return tuple((e, criterion.effort * (e - worth)) for e in steps if e > worth + EPSILON)
    for end, cost in costs.items():
        if not 0 <= cost < math.inf:
            raise DefinitionError(
                f"costs of {criterion.id!r}: a cost is 0 or more and finite, found {end!r}: "
                f"{cost!r}; leave out what cannot be chosen"
            )
        try:
            scale.worth(end)
        except DefinitionError as error:
            raise DataError(f"costs of {criterion.id!r}: {error}") from None
    return tuple(sorted((float(e), float(c)) for e, c in costs.items() if e > worth + EPSILON))


def _front(found: list[tuple[float, _Reached]], width: int | None) -> list[_Reached]:
    """Those that are no worse than another in everything; at most the ``width`` most promising."""
    if width is not None and len(found) > width:
        found = sorted(found, key=lambda item: item[0])[:width]
    able = sorted(
        (reached for _, reached in found),
        key=lambda item: (item[1].key(), tuple(-g for g in item[0])),
    )
    front: list[_Reached] = []
    for gained, way in able:
        if not any(
            all(a >= b - EPSILON for a, b in zip(other, gained, strict=True)) for other, _ in front
        ):
            front.append((gained, way))
    return front


def _in_order(model: MaturityModel) -> tuple[Criterion, ...]:
    """Every criterion after those that it requires, else by stage and as in the model.

    A stage that is done with leaves nothing to tell ways apart by but what later ones require.
    """
    order: dict[str, Criterion] = {}
    for criterion in sorted(model.criteria, key=lambda c: c.stage):
        waiting = [criterion]
        while waiting:
            first = [item for item in waiting[-1].requires if item not in order]
            if first:
                waiting += map(model.criterion, reversed(first))
            else:
                last = waiting.pop()
                order.setdefault(last.id, last)
    return tuple(order.values())
