"""A microinteraction as a flat machine of integers: modes folded in, counted loops unrolled.

A counted loop that is enforced (``max`` and ``then``) makes copies of its states, one for each
pass; the way that would be one pass too many leads to ``then`` instead. After that a state is all
that there is to know, but for the instant since which its timer runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import attrs

from cxkit.errors import DefinitionError
from cxkit.microinteraction.graph import effective_rules

if TYPE_CHECKING:
    from cxkit.microinteraction.parts import Feedback, Loop
    from cxkit.microinteraction.spec import Microinteraction

__all__ = ["Machine", "Move", "machine_of"]

_MOST_STATES: Final = 1_000_000


@attrs.frozen
class Move:
    """One way to answer an event, or a timer.

    Attributes:
        guard: The condition and whether it must hold; ``None`` for none.
        target: The number of the state that follows.
        feedback: What the user perceives: the rule's, and the target's on entry.
    """

    guard: tuple[str, bool] | None
    target: int
    feedback: tuple[Feedback, ...]


@attrs.frozen(eq=False)
class Machine:
    """The flat machine.

    Attributes:
        spec: What it was made of.
        names: The name of each state in the specification; copies share one.
        passes: The pass of each state through its counted loop; 0 outside.
        initial: The number of the first state.
        moves: For each state: event -> the moves that are tried in order.
        delay: For each state: the microseconds of its timer; ``None`` if it has none.
        timeout: For each state: the move of its timer.
        final: Whether each state is final.
    """

    spec: Microinteraction
    names: tuple[str, ...]
    passes: tuple[int, ...]
    initial: int
    moves: tuple[Mapping[str, tuple[Move, ...]], ...]
    delay: tuple[int | None, ...]
    timeout: tuple[Move | None, ...]
    final: tuple[bool, ...]

    @property
    def guards(self) -> list[str]:
        """The names of the conditions, sorted."""
        asked = (m.guard for on in self.moves for moves in on.values() for m in moves)
        return sorted({guard[0] for guard in asked if guard is not None})


def machine_of(spec: Microinteraction) -> Machine:
    """The flat machine of a specification.

    Raises:
        DefinitionError: Unrolled, it would have more than a million states.
    """
    counted = {name: loop for loop in spec.loops if loop.then is not None for name in loop.states}
    numbers: dict[tuple[str, int], int] = {}
    for name in spec.states:
        last = _last_pass(counted[name]) if name in counted else 0
        for n in range(min(1, last), last + 1):
            numbers[name, n] = len(numbers)
    if len(numbers) > _MOST_STATES:
        raise DefinitionError(
            f"{spec.id!r} has {len(numbers):,} states with its counted loops unrolled; at most "
            f"{_MOST_STATES:,} can be run. Lower max of its loops"
        )
    rules = effective_rules(spec)
    names = tuple(name for name, _ in numbers)

    def follow(source: str, present: int, target: str | None) -> int:
        """The state after a step; a pass too many leads out of the loop."""
        if target is None:
            return numbers[source, present]
        while target in counted:
            loop = counted[target]
            inside = counted.get(source) is loop
            again = inside and target == loop.states[0] and source != target
            following = (present if inside else 1) + again
            if following <= _last_pass(loop):
                return numbers[target, following]
            source, present, target = target, 0, str(loop.then)
        return numbers[target, 0]

    def entering(guard: str | None, target: int, feedback: tuple[Feedback, ...]) -> Move:
        """A move with what the state that it enters shows."""
        return _move(guard, target, (*feedback, *spec.states[names[target]].entry))

    moves, delay, timeout = [], [], []
    for name, present in numbers:
        on: dict[str, tuple[Move, ...]] = {}
        for event, given in rules[name].items():
            on[event] = tuple(
                _move(rule.guard, follow(name, present, rule.target), rule.feedback)
                if rule.target is None
                else entering(rule.guard, follow(name, present, rule.target), rule.feedback)
                for rule in given
            )
        moves.append(on)
        after = spec.states[name].after
        delay.append(None if after is None else round(after.ms * 1000))
        timeout.append(
            None
            if after is None
            else entering(None, follow(name, present, after.target), after.feedback)
        )
    first = (spec.initial, 1 if spec.initial in counted else 0)
    return Machine(
        spec=spec,
        names=names,
        passes=tuple(n for _, n in numbers),
        initial=numbers[first],
        moves=tuple(moves),
        delay=tuple(delay),
        timeout=tuple(timeout),
        final=tuple(spec.states[name].final for name, _ in numbers),
    )


def _last_pass(loop: Loop) -> int:
    return loop.max or 1


def _move(guard: str | None, target: int, feedback: tuple[Feedback, ...]) -> Move:
    asked = None if guard is None else (guard.removeprefix("!"), not guard.startswith("!"))
    return Move(asked, target, feedback)
