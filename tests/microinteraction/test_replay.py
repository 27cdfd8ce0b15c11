"""The four ways to run a machine agree: live, one stream, many at once, few long ones."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import cxkit as cx
from cxkit.core import threads
from cxkit.core.codes import Codes
from cxkit.errors import DataError
from cxkit.microinteraction import State, Timer, lockstep, pieces
from cxkit.microinteraction.live import Running
from cxkit.microinteraction.visits import visits_of
from tests.examples import some
from tests.microinteraction.specs import EVENTS, spec, specs, streams


def live(machine, stream, columns=None, counters=None):
    """State, handled and timers at each event, and the instance."""
    now = machine.run(stream[0][1] if stream else 0, counters=counters)
    told = []
    for i, (event, at) in enumerate(stream):
        guards = {name: bool(column[i]) for name, column in (columns or {}).items()}
        moment = now.send(event, at, guards)
        told.append((moment.state, moment.handled, len(moment.fired)))
    return told, now


def batch(machine, stream, columns=None):
    found = machine.replay(stream, guards=columns)
    if not stream:
        return [], found
    return list(
        zip(found.states_after(), found.handled.tolist(), found.fired.tolist(), strict=True)
    ), found


def flags(draw, size):
    return {
        n: np.array(draw(st.lists(st.booleans(), min_size=size, max_size=size)), bool) for n in "xy"
    }


@given(specs(), streams(), st.data())
def test_one_stream_is_the_live_instance(machine, stream, data):
    columns = flags(data.draw, len(stream))
    expected, _ = live(machine, stream, columns)
    assert batch(machine, stream, columns)[0] == expected


@given(specs(guards=False), streams(), st.lists(st.sampled_from([0, 1, 7, 50]), min_size=1))
def test_time_passes_to_the_last_touchpoint(machine, stream, gaps):
    """Touchpoints of events that the machine does not know do nothing, but time has passed."""
    _, now = live(machine, stream)
    at = stream[-1][1] if stream else 0
    later = list(itertools.accumulate(gaps, initial=at))[1:]
    if not stream:
        now = machine.run(later[0])
    now.tick(later[-1])
    seen = [*stream, *(("stray", when) for when in later)]
    found = machine.replay(seen)
    assert found.state == [now.state]
    assert found.ended.tolist() == [now.ended]
    assert found.timers.tolist() == [now.timers]
    assert machine.end_states(seen).to_list() == found.state
    stays = visits_of(found)
    assert stays.state[-1] == found.final[0]
    assert int(stays.by_timer.sum()) == found.timers[0]


@given(specs(), st.lists(streams(), max_size=6), st.data())
def test_many_streams_are_each_alone(machine, many, data):
    rows = [(j, event, at) for j, stream in enumerate(many) for event, at in stream]
    columns = flags(data.draw, len(rows))
    journeys = cx.Journeys.from_codes(
        customer=np.array([r[0] for r in rows], np.int64),
        time=np.array([round(r[2] * 1000) for r in rows], np.int64),
        columns={"event": Codes.of([r[1] for r in rows])},
    )
    found = machine.replay(journeys, guards=columns, until="1971-01-01")
    at = 0
    for j, stream in enumerate([s for s in many if s]):
        own = {name: column[at : at + len(stream)] for name, column in columns.items()}
        expected, now = live(machine, stream, own)
        rows_ = slice(at, at + len(stream))
        names = found.table.machine.names
        told = zip(
            [names[s] for s in found.states[rows_]],
            found.handled[rows_].tolist(),
            found.fired[rows_].tolist(),
            strict=True,
        )
        assert list(told) == expected
        if not (found.table.period > 0).any():  # a year of a circle of 1 ms is long, one by one
            now.tick(366 * 86_400_000)
            assert found.state[j] == now.state
            assert found.timers[j] == now.timers
        at += len(stream)
    plain = machine.replay(journeys, guards=columns)
    ends = machine.end_states(journeys, guards=columns)
    assert ends.to_list() == plain.state


@settings(max_examples=some(60))
@given(specs(), streams(most=30), st.data())
def test_long_streams_in_pieces(machine, stream, data):
    columns = flags(data.draw, len(stream))
    expected, _ = live(machine, stream, columns)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lockstep, "_LONG", 4)
        patch.setattr(pieces, "_PIECE", 3)
        patch.setattr(pieces, "_MOST_ROUNDS", data.draw(st.sampled_from([1, 2, 20])))
        patch.setattr(pieces, "_MOST_STATES", data.draw(st.sampled_from([1, 64])))
        assert batch(machine, stream, columns)[0] == expected


PARITY = {"even": State({"a": "odd"}), "odd": State({"a": "even"})}
BLINKING = {
    "even": State({"a": "odd"}, Timer(3, "even")),
    "odd": State({"a": "even"}, Timer(5, "even")),
    "now": State({}, Timer(0, "odd")),
}
RING = {f"s{i}": State({"a": f"s{(i + 1) % 70}"}) for i in range(70)}


@pytest.mark.parametrize("rounds", [1, 3])
@pytest.mark.parametrize("states", [PARITY, BLINKING, RING], ids=["plain", "timers", "many states"])
@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 6)), max_size=40))
@settings(max_examples=some(20))
def test_a_machine_that_never_forgets_in_pieces(states, rounds, steps):
    machine = spec(states)
    at = list(itertools.accumulate(gap for _, gap in steps))
    stream = [(event, when) for (event, _), when in zip(steps, at, strict=True)]
    expected, now = live(machine, stream)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lockstep, "_LONG", 4)
        patch.setattr(pieces, "_PIECE", 5)
        patch.setattr(pieces, "_BEFORE", 2)
        patch.setattr(pieces, "_MOST_ROUNDS", rounds)
        assert batch(machine, stream)[0] == expected
        ends = machine.end_states(stream).to_list()
    assert ends == ([now.state] if stream else [])


def test_parts_side_by_side_are_as_one(monkeypatch):
    rng = np.random.default_rng(4)
    size = 2000
    journeys = cx.Journeys.from_codes(
        customer=np.sort(rng.integers(0, 300, size)),
        time=np.cumsum(rng.integers(0, 9000, size)),
        columns={"event": Codes.from_codes(rng.integers(0, 2, size), ["a", "b"])},
    )
    for states in (PARITY, BLINKING):
        machine = spec(states)
        monkeypatch.setattr(threads, "FEWEST_ROWS", 1)
        monkeypatch.setenv("CXKIT_THREADS", "3")
        parts, ends = machine.replay(journeys), machine.end_states(journeys)
        monkeypatch.setenv("CXKIT_THREADS", "1")
        whole = machine.replay(journeys)
        for name in ("states", "handled", "fired", "since", "final"):
            assert np.array_equal(getattr(parts, name), getattr(whole, name))
        assert ends.to_list() == whole.state


def test_several_long_streams_at_once():
    """Real sizes: thousands of events, in pieces of hundreds, each stream as if it were alone."""
    rng = np.random.default_rng(3)
    for states in (PARITY, BLINKING):
        machine = spec(states)
        size = 3 * 5000
        event = Codes.from_codes(rng.integers(0, 2, size), ["a", "b"])
        time = np.cumsum(rng.integers(0, 7000, size))
        who = np.repeat(np.arange(3), 5000)
        many = cx.Journeys.from_codes(customer=who, time=time, columns={"event": event})
        found = machine.replay(many)
        for j in range(3):
            rows = slice(5000 * j, 5000 * (j + 1))
            stream = list(
                zip(event.take(rows).to_list(), (time[rows] / 1000).tolist(), strict=True)
            )
            expected, _ = live(machine, stream)
            told = zip(found.states_after(j), found.handled[rows].tolist(),
                       found.fired[rows].tolist(), strict=True)  # fmt: skip
            assert list(told) == expected


@given(specs(), streams(), st.data())
def test_kept_and_taken_up_again_anywhere(machine, stream, data):
    columns = flags(data.draw, len(stream))
    expected, whole = live(machine, stream, columns)
    cut = data.draw(st.integers(0, len(stream)))
    first = machine.run(stream[0][1] if stream else 0)
    told = []
    for i, (event, at) in enumerate(stream):
        if i == cut:
            first = Running.from_dict(machine, first.to_dict())
        guards = {name: bool(column[i]) for name, column in columns.items()}
        moment = first.send(event, at, guards)
        told.append((moment.state, moment.handled, len(moment.fired)))
    assert told == expected
    assert first.to_dict() == whole.to_dict()


@given(specs(guards=False, timers=False), st.lists(st.sampled_from(list(EVENTS)), max_size=300))
def test_the_fast_way_without_timers(machine, events):
    expected, now = live(machine, [(e, 0) for e in events])
    assert machine.end_states(events).to_list() == ([now.state] if events else [])
    assert batch(machine, events)[0] == expected


def test_a_circle_of_timers_is_not_run_round_by_round():
    pulse = spec(
        {
            "on": State({"b": "done"}, Timer(500, "off")),
            "off": State({}, Timer(500, "on")),
            "done": State(final=True),
        }
    )
    year = 365 * 86_400_000
    found = pulse.replay([("a", 0), ("b", year + 1)])
    assert found.fired.tolist() == [0, 2 * 365 * 86_400]
    assert found.state == ["done"]
    assert pulse.replay([("a", 0), ("b", year + 500)]).state == ["off"]


def test_loops_are_enforced():
    from cxkit.microinteraction import Loop

    retry = spec(
        {
            "try": State({"fail": "wait", "b": "done"}),
            "wait": State({"a": "try"}),
            "done": State(final=True),
            "gave up": State(final=True, failure=True),
        },
        loops=[Loop("retry", ["try", "wait"], "count", max=3, then="gave up")],
    )
    stream = [*(["fail", "a"] * 3), "b"]
    assert retry.replay(stream).states_after()[-3:] == ["wait", "gave up", "gave up"]
    assert retry.replay(stream[2:]).state == ["done"]


def test_long_loops_count_the_past_of_the_customer():
    from cxkit.microinteraction import LongLoop, Rule

    hint = spec(
        {
            "start": State({"a": [Rule("short", "old hand"), Rule("long")]}),
            "short": State(final=True),
            "long": State(final=True),
        },
        long_loops=[LongLoop("teach", "a", "old hand", 2)],
    )
    table = {"who": ["x"] * 4 + ["y"], "t": [0, 3600, 7200, 10800, 0], "what": ["a"] * 5}
    journeys = cx.Journeys.from_table(table, customer="who", time="t", time_unit="s", event="what")
    visits = journeys.sessions("30min")
    assert hint.replay(visits).state == ["long", "long", "short", "short", "long"]
    assert hint.replay(visits[[3, 0, 4, 2, 1]]).state == ["short", "long", "long", "short", "long"]
    counters: dict[str, int] = {}
    seen = []
    for _ in range(4):
        now = hint.run(counters=counters)
        seen.append(now.send("a", 0).state)
        counters = now.counters
    assert seen == ["long", "long", "short", "short"]


def test_streams_at_the_edges():
    small = spec({"s": State({"a": "t"}), "t": State(final=True)})
    assert len(small.replay([])) == 0
    assert len(small.replay(cx.Journeys.empty())) == 0
    assert small.end_states(cx.Journeys.empty()).to_list() == []
    back = small.replay([("a", 9), ("b", 3)])
    assert back.backwards == 1
    assert "taken as at once" in repr(back)
    mixed = small.replay(["x", "a", "y"])
    assert mixed.states_after() == ["t"]
    assert mixed.unknown.tolist() == [2]
    assert "2 touchpoints of events that it does not know" in repr(mixed)
    for stream, told in (
        ([3], "event 0 is a name"),
        ([("a", "b")], "event 0"),
        ([("a",)], "event 0"),
    ):
        with pytest.raises(DataError, match=told):
            small.replay(stream)
    with pytest.raises(DataError, match="until lies before the last event"):
        small.replay([("a", 9)], until="1969-01-01")


def test_guards_are_asked_for_by_name():
    from cxkit.microinteraction import Rule

    small = spec({"s": State({"a": Rule("t", "online")}), "t": State(final=True)})
    with pytest.raises(DataError, match=r"rules for 'a' ask 'online'; give guards=\{'online'"):
        small.replay(["a"])
    with pytest.raises(DataError, match="guard 'online' is 1 truth values"):
        small.replay(["a"], guards={"online": np.array([1])})
    assert small.replay(["b"]).state == ["s"]
    for flag, state in itertools.product([True], ["t"]):
        assert small.replay(["a"], guards={"online": np.array([flag])}).state == [state]


def test_ten_thousand_states():
    names = [f"s{i}" for i in range(10_000)]
    ring = {n: State({"a": m}) for n, m in itertools.pairwise(names)}
    big = spec(ring | {names[-1]: State(final=True)})
    assert len(big.lint().found) > 0
    assert big.replay(["a"] * 9_999).state == [names[-1]]
