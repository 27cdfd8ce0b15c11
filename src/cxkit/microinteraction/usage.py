"""The machine that was observed against the one that was specified."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.intervals import divide
from cxkit.core.result import ColumnLike, Result
from cxkit.microinteraction.graph import effective_rules
from cxkit.microinteraction.parts import Rule
from cxkit.microinteraction.spec import Microinteraction

__all__ = ["RuleUse", "Strangers", "rule_use", "strangers"]


@attrs.frozen(eq=False, repr=False, kw_only=True)
class RuleUse(Result):
    """How often each rule was used: one row for each rule and timer, as specified.

    Attributes:
        state: The state of each.
        event: Its event; ``None`` for a timer.
        guard: Its guard, if any.
        target: The state that it leads to.
        used: (R,) how often.
        share: (R,) of all events and timers that its state answered; NaN where it answered none.
    """

    state: Sequence[str]
    event: Sequence[str | None]
    guard: Sequence[str | None]
    target: Sequence[str]
    used: IntArray = attrs.field(converter=freeze)
    share: NDArray[np.float64] = attrs.field(converter=freeze)

    def columns(self) -> Mapping[str, ColumnLike]:
        """A row for each rule."""
        return {
            "state": list(self.state),
            "event": ["@after" if e is None else e for e in self.event],
            "guard": [g or "" for g in self.guard],
            "target": list(self.target),
            "used": self.used,
            "share": self.share,
        }

    @property
    def never(self) -> list[tuple[str, str]]:
        """State and event (``@after`` for a timer) of the rules that were never used."""
        events = ["@after" if e is None else e for e in self.event]
        rows = zip(self.state, events, self.used.tolist(), strict=True)
        return [(state, event) for state, event, used in rows if not used]

    def notes(self) -> list[str]:
        """How many were never used."""
        return [f"{len(self.never):,} of {len(self.used):,} rules and timers were never used"]


@attrs.frozen(eq=False, repr=False, kw_only=True)
class Strangers(Result):
    """What was never specified: events that met a state without a rule for them, and unknown ones.

    Attributes:
        state: The state of each; ``None`` where the microinteraction does not know the event.
        event: The event; ``None`` where it is missing.
        count: (n,) how often, the most frequent first.
        share: (n,) of all touchpoints.
    """

    state: Sequence[str | None]
    event: Sequence[Any]
    count: IntArray = attrs.field(converter=freeze)
    share: NDArray[np.float64] = attrs.field(converter=freeze)

    def columns(self) -> Mapping[str, ColumnLike]:
        """A row for each state and event."""
        states = ["(not specified)" if s is None else s for s in self.state]
        return {
            "state": states,
            "event": list(self.event),
            "count": self.count,
            "share": self.share,
        }


def rule_use(spec: Microinteraction, met: IntArray, timeouts: IntArray) -> RuleUse:
    """How often each rule was used.

    Args:
        spec: The microinteraction.
        met: (S, A) how often each symbol met each state.
        timeouts: (S,) how often its timer fired.
    """
    symbols = Symbols.of(spec)
    rules = effective_rules(spec)
    rows: list[tuple[str, str | None, str | None, str]] = []
    used: list[int] = []
    answered: list[int] = []
    for place, name in enumerate(spec.states):
        first, total = len(rows), 0
        for event, given in rules[name].items():
            counts = symbols.taken(event, given, met[place])
            for rule, count in zip(given, counts, strict=True):
                rows.append((name, event, rule.guard, rule.target or name))
                used.append(count)
                total += count
        after = spec.states[name].after
        if after is not None:
            rows.append((name, None, None, after.target))
            used.append(int(timeouts[place]))
            total += used[-1]
        answered += [total] * (len(rows) - first)
    columns = list(zip(*rows, strict=True)) if rows else [(), (), (), ()]
    counts_ = np.array(used, np.int64)
    return RuleUse(
        state=columns[0],
        event=columns[1],
        guard=columns[2],
        target=columns[3],
        used=counts_,
        share=divide(counts_, np.array(answered, np.int64)),
    )


def strangers(
    spec: Microinteraction, met: IntArray, labels: Sequence[Any], touchpoints: IntArray
) -> Strangers:
    """What was never specified.

    Args:
        spec: The microinteraction.
        met: (S, A) how often each symbol met each state.
        labels: The K labels of events, and ``None``.
        touchpoints: (K + 1,) how often each occurs.
    """
    symbols = Symbols.of(spec)
    rules = effective_rules(spec)
    found: list[tuple[int, str | None, Any]] = []
    for place, name in enumerate(spec.states):
        for event in spec.events:
            given = rules[name].get(event, ())
            left = symbols.left(event, given, met[place])
            if left:
                found.append((left, name, event))
    for label, count in zip(labels, touchpoints.tolist(), strict=True):
        if count and (label is None or str(label) not in spec.events):
            found.append((count, None, label))
    found.sort(key=lambda row: -row[0])  # stable: equal ones stay in order
    counts = np.array([row[0] for row in found], np.int64)
    return Strangers(
        state=[row[1] for row in found],
        event=[row[2] for row in found],
        count=counts,
        share=divide(counts, np.int64(touchpoints.sum())),
    )


@attrs.frozen
class Symbols:
    """Which symbols are which event with which outcomes of its guards; as ``table_of`` has them."""

    first: Mapping[str, int]
    guards: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, spec: Microinteraction) -> Symbols:
        """From the table of a microinteraction."""
        from cxkit.microinteraction.table import table_of

        table = table_of(spec)
        return cls(table.first, table.guards)

    def _taken(self, event: str, rules: Sequence[Rule], outcome: int) -> int | None:
        asked = self.guards[event]
        for number, rule in enumerate(rules):
            if rule.guard is None:
                return number
            name = rule.guard.removeprefix("!")
            if bool(outcome >> asked.index(name) & 1) is not rule.guard.startswith("!"):
                return number
        return None

    def targets(self, spec: Microinteraction, states: Sequence[str]) -> IntArray:
        """(S, A) where the rule that is taken leads, as the place of a state; -1 where nowhere.

        Only some states are asked; it is -1 in the others.
        """
        place = {name: i for i, name in enumerate(spec.states)}
        rules = effective_rules(spec)
        last = max(self.first[event] + (1 << len(self.guards[event])) for event in self.first)
        found = np.full((len(place), last + 1), -1)
        for name in states:
            for event, given in rules[name].items():
                for outcome in range(1 << len(self.guards[event])):
                    number = self._taken(event, given, outcome)
                    target = None if number is None else given[number].target
                    if target is not None:
                        found[place[name], self.first[event] + outcome] = place[target]
        return found

    def taken(self, event: str, rules: Sequence[Rule], met: IntArray) -> list[int]:
        """How often each of the rules for an event was taken in a state."""
        counts = [0] * len(rules)
        for outcome in range(1 << len(self.guards[event])):
            number = self._taken(event, rules, outcome)
            if number is not None:
                counts[number] += int(met[self.first[event] + outcome])
        return counts

    def left(self, event: str, rules: Sequence[Rule], met: IntArray) -> int:
        """How often none of them was."""
        return sum(
            int(met[self.first[event] + outcome])
            for outcome in range(1 << len(self.guards[event]))
            if self._taken(event, rules, outcome) is None
        )
