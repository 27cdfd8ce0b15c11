"""Every lint, on a specification that has it and on one that does not; and by brute force."""

import attrs
import pytest
from hypothesis import given

from cxkit.microinteraction import (
    CODES,
    Feedback,
    Loop,
    Mode,
    Rule,
    State,
    Timer,
    Trigger,
)
from tests.microinteraction.specs import spec, specs

SEEN = Rule("done", feedback="visual")
DONE = State(final=True)
GOOD = {"start": State({"a": SEEN}), "done": DONE}
TWO = {
    "start": State({"a": Rule("next", feedback="visual")}),
    "next": State({"a": SEEN}),
    "done": DONE,
}


def changed(**more):
    return spec(GOOD | more.pop("states", {}), **more)


# code: one that has it, where, and the smallest change after which it does not.
PAIRS = {
    "MI001": (
        changed(states={"island": DONE}),
        "island",
        changed(states={"start": State({"a": [Rule("island", "x", "visual"), SEEN]}),
                        "island": DONE}),
    ),
    "MI002": (
        changed(states={"start": State({"a": [SEEN, Rule(None, "x", "visual")]})}),
        "start/a",
        changed(states={"start": State({"a": [Rule(None, "x", "visual"), SEEN]})}),
    ),
    "MI003": (
        changed(states={"start": State({"a": [SEEN, SEEN]})}),
        "start/a",
        changed(states={"start": State({"a": [attrs.evolve(SEEN, guard="x"), SEEN]})}),
    ),
    "MI004": (
        changed(states={"start": State({"a": "done"})}),
        "start/a",
        changed(states={"start": State({"a": "done"}), "done": State(final=True, entry="audio")}),
    ),
    "MI005": (
        changed(states={"start": State({"a": SEEN, "fail": "done"})}, errors=["fail"]),
        "start/fail",
        changed(states={"start": State({"a": SEEN, "fail": SEEN})}, errors=["fail"]),
    ),
    "MI006": (
        changed(states={"start": State({"a": Rule(None, feedback="visual")})},
                modes=[Mode("m", ["start"])]),
        "m",
        changed(modes=[Mode("m", ["start"])]),
    ),
    "MI007": (
        changed(modes=[Mode("m", ["start"], "one_off")]),
        "m",
        changed(states={"start": State({"a": SEEN}, Timer(500, "done"))},
                modes=[Mode("m", ["start"], "one_off")]),
    ),
    "MI008": (
        changed(loops=[Loop("again", ["start"], "count")]),
        "again",
        changed(loops=[Loop("again", ["start"], "count", max=3)]),
    ),
    "MI009": (
        changed(states={"start": State({"a": SEEN, "b": Rule("pit", feedback="visual")}),
                        "pit": State()}),
        "pit",
        changed(states={"start": State({"a": SEEN, "b": Rule("pit", feedback="visual")}),
                        "pit": State(after=Timer(1, "done"))}),
    ),
    "MI010": (
        changed(states={"start": State({"a": Rule("done", feedback=Feedback("visual", 101))})}),
        "start/a",
        changed(states={"start": State({"a": Rule("done", feedback=Feedback("visual", 100))})}),
    ),
    "MI011": (
        changed(states={"start": State({"a": attrs.evolve(SEEN, destructive=True)})}),
        "start/a",
        changed(states={
            "start": State({"a": attrs.evolve(SEEN, destructive=True, confirmed=True)})}),
    ),
    "MI012": (
        changed(trigger=Trigger("manual", "a", visible=False)),
        "a",
        changed(trigger=Trigger("manual", "a")),
    ),
    "MI013": (
        changed(trigger=Trigger("system", "a", manual_control=False)),
        "a",
        changed(trigger=Trigger("system", "a")),
    ),
}  # fmt: skip


@pytest.mark.parametrize("code", CODES)
def test_every_code(code):
    bad, place, good = PAIRS[code]
    found = [f for f in bad.lint().found if f.code == code]
    assert [f.place for f in found] == [place]
    assert found[0].sentence
    assert found[0].suggestion
    assert code not in [f.code for f in good.lint().found]


def test_a_clean_one_says_so():
    assert repr(changed().lint()).startswith("nothing found")
    assert changed().lint().pairs() == []
    assert list(spec(TWO).lint().columns()) == ["code", "place", "sentence", "suggestion"]


@pytest.mark.parametrize(("kind", "need"), [
    ("count", {"max": 2}),
    ("condition", {"until": "the server answers"}),
    ("collection", {"over": "the photos"}),
    ("infinite", {"stop": "a"}),
])  # fmt: skip
def test_each_kind_of_loop_has_its_end(kind, need):
    open_ = changed(loops=[Loop("again", ["start"], kind)])
    assert ("MI008", "again") in open_.lint().pairs()
    assert changed(loops=[Loop("again", ["start"], kind, **need)]).lint().pairs() == []


def test_undo_in_the_state_that_follows():
    deletes = State({"a": Rule("gone", feedback="visual", destructive=True)})
    back = State({"b": Rule("start", feedback="visual")}, Timer(5000, "done", "visual"))
    states = {"start": deletes, "gone": back}
    assert changed(states=states, undo=["b"]).lint().pairs() == []
    assert changed(states=states).lint().pairs() == [("MI011", "start/a")]


def test_the_limit_of_the_first_feedback():
    slow = changed(states={"start": State({"a": Rule("done", feedback=Feedback("visual", 800))})})
    assert [slow.lint(first_feedback_ms=ms).pairs() for ms in (500, 1000)] == [
        [("MI010", "start/a")],
        [],
    ]


# ------------------------------------------------------------------ by brute force


def can_be_taken(rules, number):
    """Whether some outcome of the guards takes the rule, by trying every one."""
    names = sorted({r.guard.removeprefix("!") for r in rules if r.guard is not None})
    for outcome in range(1 << len(names)):
        holds = {n: bool(outcome >> i & 1) for i, n in enumerate(names)}
        for place, rule in enumerate(rules):
            guard = rule.guard
            if guard is None or holds[guard.removeprefix("!")] is not guard.startswith("!"):
                if place == number:
                    return True
                break
    return False


def own_rules(machine, name):
    state = machine.states[name]
    if state.final:
        return {}
    on = {event: list(rules) for event, rules in state.on.items()}
    for mode in machine.modes:
        if name in mode.states:
            for event, rules in mode.on.items():
                on.setdefault(event, []).extend(rules)
    return on


def ways(machine):
    """Every way from a state to another: by rules that can be taken, timers, ends of loops."""
    found = set()
    for name, state in machine.states.items():
        for rules in own_rules(machine, name).values():
            for i, rule in enumerate(rules):
                if can_be_taken(rules, i):
                    found.add((name, rule.target or name))
        if state.after is not None:
            found.add((name, state.after.target))
    for loop in machine.loops:
        if loop.then is not None:
            found.add((loop.states[0], loop.then))
    return found


def closure(machine, pairs):
    """Which states lead to which, by squaring."""
    names = list(machine.states)
    lead = {(n, n) for n in names} | pairs
    while True:
        more = {(a, d) for a, b in lead for c, d in lead if b == c} | lead
        if more == lead:
            return lead
        lead = more


@given(specs())
def test_reachability_dead_rules_and_ends_by_brute_force(machine):
    lead = closure(machine, ways(machine))
    reached = {b for a, b in lead if a == machine.initial}
    found = machine.lint().pairs()

    def places(code):
        return sorted(place for c, place in found if c == code)

    assert places("MI001") == sorted(set(machine.states) - reached)
    ends = [n for n, s in machine.states.items() if s.final]
    assert places("MI009") == sorted(
        n for n in reached if not any((n, end) in lead for end in ends)
    )
    dead = {
        f"{name}/{event}"
        for name in machine.states
        for event, rules in own_rules(machine, name).items()
        for i in range(len(rules))
        if name not in reached or not can_be_taken(rules, i)
    }
    dead |= {f"{n}/@after" for n, s in machine.states.items() if s.after and n not in reached}
    assert places("MI002") == sorted(dead)
    assert places("MI006") == sorted(
        mode.id
        for mode in machine.modes
        if not any(machine.states[n].final for n in mode.states)
        and not any(a in mode.states and b not in mode.states for a, b in ways(machine))
    )
