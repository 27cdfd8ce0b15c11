"""Microinteractions to test with."""

from __future__ import annotations

from typing import Any

from hypothesis import assume, strategies as st

from cxkit.errors import DefinitionError
from cxkit.microinteraction import (
    LongLoop,
    Loop,
    Microinteraction,
    Mode,
    Rule,
    State,
    Timer,
    Trigger,
)

EVENTS = {"a": "user", "b": "user", "fail": "system"}


def spec(states: dict[str, Any], **more: Any) -> Microinteraction:
    """A microinteraction that begins in the first of its states."""
    given: dict[str, Any] = {
        "id": "small",
        "trigger": Trigger("manual", "a"),
        "events": EVENTS,
        "initial": next(iter(states)),
        "states": states,
    }
    return Microinteraction(**(given | more))


@st.composite
def specs(draw: st.DrawFn, *, guards: bool = True, timers: bool = True) -> Microinteraction:
    """Any small microinteraction: guards, timers, modes, counted and long loops."""
    names = [f"s{i}" for i in range(draw(st.integers(1, 5)))]
    target = st.sampled_from(names)
    asked = st.sampled_from([None, "x", "!x", "y", "past"]) if guards else st.none()
    rules = st.lists(
        st.builds(
            Rule,
            st.one_of(target, st.none()),
            asked,
            st.sampled_from([(), ("visual",)]),
        ),
        min_size=1,
        max_size=3,
    )
    on = st.dictionaries(st.sampled_from(list(EVENTS)), rules, max_size=3)
    delays = st.sampled_from([0, 1, 2.5, 7]) if timers else st.nothing()
    after = st.one_of(st.none(), st.builds(Timer, delays, target)) if timers else st.none()
    states = {}
    for name in names:
        final = draw(st.integers(0, 4)) == 0
        states[name] = State(final=True) if final else State(draw(on), draw(after))
    loops = []
    if len(names) > 2 and draw(st.booleans()):
        most = draw(st.integers(1, 3))
        loops.append(Loop("again", names[:2], "count", max=most, then=names[-1]))
    modes = [Mode("m", names[:1], on=draw(on))] if draw(st.booleans()) else []
    long = [LongLoop("often", "b", "past", draw(st.integers(1, 3)))]
    try:
        return spec(states, loops=loops, modes=modes, long_loops=long if guards else [])
    except DefinitionError as error:
        assume("timers of 0 ms" not in str(error))
        raise


@st.composite
def streams(draw: st.DrawFn, most: int = 12) -> list[tuple[str, float]]:
    """Events with times, many of them at one instant or exactly at a delay."""
    events = draw(st.lists(st.sampled_from(list(EVENTS)), max_size=most))
    gaps = st.sampled_from([0, 0, 1, 1.5, 2.5, 3, 7, 1000])
    at, found = 0.0, []
    for event in events:
        found.append((event, at))
        at += draw(gaps)
    return found
