"""What is refused, and in which words."""

import json
import pickle

import pytest
from hypothesis import given

import cxkit as cx
from cxkit.errors import DataError, DefinitionError, UnknownLabelError
from cxkit.microinteraction import (
    Feedback,
    LongLoop,
    Loop,
    Microinteraction,
    Mode,
    Rule,
    State,
    Timer,
    Trigger,
    spec_schema,
)
from cxkit.microinteraction.live import Running
from tests.microinteraction.specs import spec, specs

S = State
DONE = State(final=True)


@pytest.mark.parametrize(
    ("states", "more", "told"),
    [
        ({"s": S({"a": "t"})}, {}, "state 's', on 'a': there is no state 't'"),
        ({"start": S({"a": "strat"})}, {}, "Did you mean 'start'"),
        ({"s": S({"z": "s"})}, {}, "state 's': there is no event 'z'"),
        ({"s": S(after=Timer(1, "t"))}, {}, "state 's', after: there is no state 't'"),
        ({"s": S()}, {"initial": "t"}, "initial: there is no state 't'"),
        ({"s": S()}, {"trigger": Trigger("manual", "z")}, "trigger: there is no event 'z'"),
        ({"s": S()}, {"errors": ["z"]}, "errors: there is no event 'z'"),
        ({"s": S()}, {"events": {"a": "robot"}}, "event 'a' is 'user' or 'system'"),
        ({"s": S({"a": "s"}, final=True)}, {}, "is final, so it has neither rules nor a timer"),
        ({"s": S(failure=True)}, {}, "no final state, so it cannot be a failed end"),
        ({"s": S(after=Timer(0, "s"))}, {}, "timers of 0 ms lead in a circle: s -> s"),
        (
            {"s": S(after=Timer(0, "t")), "t": S(after=Timer(0, "s"))},
            {},
            "circle: s -> t -> s; give one of them time",
        ),
        ({"s": S()}, {"modes": [Mode("m", ["t"])]}, "mode 'm': there is no state 't'"),
        (
            {"s": S()},
            {"modes": [Mode("m", ["s"]), Mode("n", ["s"])]},
            "in the modes 'm' and 'n'",
        ),
        ({"s": S()}, {"modes": [Mode("m", []), Mode("m", [])]}, "mode 'm' occurs more than once"),
        ({"s": S()}, {"modes": [Mode("m", ["s"], release="z")]}, "release: there is no event"),
        ({"s": S()}, {"loops": [Loop("l", ["t"], "count")]}, "loop 'l': there is no state 't'"),
        (
            {"s": S(), "t": S()},
            {"loops": [Loop("l", ["s"], "infinite", then="t")]},
            "then needs a count loop with max",
        ),
        (
            {"s": S()},
            {"loops": [Loop("l", ["s"], "count", max=1, then="s")]},
            "then leads back into the loop",
        ),
        (
            {"s": S(), "t": S()},
            {"loops": [Loop(i, ["s"], "count", max=1, then="t") for i in "lm"]},
            "in one counted loop at most",
        ),
        ({"s": S()}, {"loops": [Loop("l", ["s"], "infinite", stop="z")]}, "stop: there is no"),
        ({"s": S()}, {"long_loops": [LongLoop("l", "z", "g", 1)]}, "there is no event 'z'"),
        ({"s": S()}, {"id": " "}, "id of a microinteraction is some text"),
    ],
)
def test_what_contradicts_itself(states, more, told):
    with pytest.raises(DefinitionError, match=told):
        spec(states, **more)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Feedback("smell"), "channel is one of"),
        (lambda: Feedback("visual", -1), "max_ms of a feedback is"),
        (lambda: Timer(float("inf"), "s"), "ms of a timer is a"),
        (lambda: Timer(1, ""), "target of a timer is some text"),
        (lambda: Trigger("magic", "a"), "kind is one of"),
        (lambda: Loop("l", ["s"], "count", max=0), "whole number from 1 up"),
        (lambda: LongLoop("l", "a", "g", 0), "at_least is a whole number"),
    ],
)
def test_parts_check_themselves(make, told):
    with pytest.raises(DefinitionError, match=told):
        make()


def test_two_rules_that_both_fire_take_the_first_and_are_found():
    both = spec({"s": S({"a": ["t", "u"]}), "t": DONE, "u": DONE})
    assert both.run().send("a", 0).state == "t"
    assert both.replay(["a"]).state == ["t"]
    assert {("MI002", "s/a"), ("MI003", "s/a")} <= set(both.lint().pairs())


def test_live_refuses_by_name():
    small = spec({"s": S({"a": Rule("t", "ready")}), "t": DONE})
    now = small.run()
    with pytest.raises(UnknownLabelError, match="no event 'tap'"):
        now.send("tap", 0)
    with pytest.raises(DefinitionError, match=r"asks 'ready'; give it as send\('a'"):
        now.send("a", 0)
    for at in (float("nan"), "now", None):
        with pytest.raises(DefinitionError, match="finite number of milliseconds"):
            now.send("a", at, {"ready": True})
    with pytest.raises(DefinitionError, match="no long loop of 'small' counts 'a'"):
        small.run(counters={"a": 1})
    assert now.events == 0


def test_time_that_runs_backwards_counts_as_no_time():
    timed = spec({"s": S({"b": "s"}, Timer(100, "t")), "t": DONE})
    now = timed.run(0)
    now.send("b", 50)
    assert now.send("b", -103_748).due == 150
    assert now.backwards == 1
    assert now.send("a", 149).state == "s"
    assert timed.replay([("b", 50), ("b", -103_748), ("a", 149)]).state == ["s"]
    assert now.tick(150)[0].at == 150


def test_kept_of_another_one():
    one = spec({"s": S({"a": "t"}), "t": DONE})
    other = spec({"s": S({"b": "t"}), "t": DONE})
    kept = one.run().to_dict()
    with pytest.raises(DataError, match="whose content is not that of"):
        Running.from_dict(other, kept)
    with pytest.raises(DataError, match="no state 'z'"):
        Running.from_dict(one, kept | {"state": "z"})
    with pytest.raises(DataError, match="unknown field"):
        Running.from_dict(one, kept | {"mood": 1})


@given(specs())
def test_there_and_back(machine):
    data = json.loads(json.dumps(machine.to_dict()))
    again = Microinteraction.from_dict(data)
    assert again == machine
    assert again.to_dict() == machine.to_dict()
    assert pickle.loads(pickle.dumps(machine)) == machine
    assert hash(again) == hash(machine)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"schema": "x"}, "schema"),
        ({"staates": {}}, "staates"),
        ({"states": {"s": {"on": {"a": {"goto": "s"}}}}}, "goto"),
        ({"trigger": {"kind": "manual"}}, "event"),
    ],
)
def test_files_of_another_shape(change, told):
    data = spec({"s": S({"a": "t"}), "t": DONE}).to_dict()
    with pytest.raises(DataError, match=told):
        Microinteraction.from_dict(data | change)


def test_too_many_states_and_guards():
    loop = Loop("l", ["s", "t"], "count", max=600_000, then="u")
    huge = spec({"s": S({"a": "t"}), "t": S({"a": "s"}), "u": DONE}, loops=[loop])
    with pytest.raises(DefinitionError, match="1,200,001 states with its counted loops unrolled"):
        huge.run()
    many = spec({"s": S({"a": [Rule(None, f"g{i}") for i in range(13)]})})
    with pytest.raises(DefinitionError, match="ask 13 guards; at most 12"):
        many.replay(["a"])


def test_a_table_that_is_too_large():
    names = [f"s{i}" for i in range(6000)]
    guards = [Rule(None, f"g{i}") for i in range(12)]
    wide = spec({n: S({"a": guards, "b": guards} if n == "s0" else {}) for n in names})
    with pytest.raises(DefinitionError, match="6,000 states and 8,193 symbols, too many"):
        wide.replay(["a"])


def test_the_schema_is_given_away():
    assert spec_schema()["$id"] == "cxkit/microinteraction/1"
    assert repr(spec({"s": S()})).startswith("<Microinteraction 'small' 1.0.0: 1 states")
    assert spec({"s": S()}) != cx.Goal("a")
