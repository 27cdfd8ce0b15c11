"""What is measured of a replay, against one instance at a time in plain Python."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import cxkit as cx
from cxkit.core.codes import Codes
from cxkit.errors import DataError, DefinitionError, MergeError, SchemaError
from cxkit.microinteraction import (
    Loop,
    Mode,
    ReplayCounts,
    Rule,
    State,
    Timer,
    compare_replays,
)
from cxkit.microinteraction.graph import effective_rules
from cxkit.microinteraction.results import MEASURES
from cxkit.microinteraction.visits import visits_of
from tests.examples import some
from tests.microinteraction.specs import EVENTS, spec, specs, streams

UNTIL_MS = 20_000
UNTIL = "1970-01-01T00:00:20Z"


def journeys_of(many):
    rows = [(j, event, at) for j, stream in enumerate(many) for event, at in stream]
    return cx.Journeys.from_codes(
        customer=np.array([r[0] for r in rows], np.int64),
        time=np.array([round(r[2] * 1000) for r in rows], np.int64),
        columns={"event": Codes.of([r[1] for r in rows])},
    )


def walk(machine, stream, columns):
    """One instance, plainly: the stays in states, and each event with the state it met."""
    now = machine.run(stream[0][1])
    stays = [(now.state, stream[0][1], None)]  # state, since when, by which event
    met = []
    for i, (event, at) in enumerate(stream):
        # Time passes first, so that the state that the event meets is seen.
        stays += [(f.target, f.at, "timer") for f in now.tick(at)]
        met.append((now.state, event))
        moment = now.send(event, at, {name: bool(c[i]) for name, c in columns.items()})
        if moment.handled:
            entered = moment.fired[0].state if moment.fired else moment.state
            stays.append((entered, at, event))
        met[-1] += (moment.handled, at)
        stays += [(f.target, f.at, "timer") for f in moment.fired]
    stays += [(f.target, f.at, "timer") for f in now.tick(UNTIL_MS)]
    return stays, met


def bursts(met, most, within):
    user = [(event, at) for _, event, _, at in met if EVENTS[event] == "user"]
    found = run = 0
    for i, (event, at) in enumerate(user):
        close = i > 0 and user[i - 1][0] == event and at - user[i - 1][1] <= within
        run = run + 1 if close else 1
        found += run == most
    return found


@settings(max_examples=some(60))
@given(specs(), st.lists(streams(most=8), min_size=1, max_size=5), st.data())
def test_instances_and_stays_one_by_one(machine, many, data):
    many = [s for s in many if s]
    size = sum(map(len, many))
    columns = {
        n: np.array(data.draw(st.lists(st.booleans(), min_size=size, max_size=size)), bool)
        for n in ("x", "y")
    }
    journeys = journeys_of(many)
    found = machine.replay(journeys, guards=columns, until=UNTIL)
    if int(found.timers.sum()) > 20_000:
        return  # plain Python would take long
    stays = visits_of(found)
    rage_ms, repeat_ms = 3, 2.5
    told = found.instances(repeat_within="2500us", rage=2, rage_within="3ms")
    names = found.table.machine.names
    undo = {n for n, on in effective_rules(machine).items() if set(machine.undo) & set(on)}
    at = 0
    for j, stream in enumerate(many):
        own = {name: c[at : at + len(stream)] for name, c in columns.items()}
        at += len(stream)
        expected, met = walk(machine, stream, own)
        mine = stays.stream == j
        assert [
            (names[s], e / 1000, bool(t))
            for s, e, t in zip(
                stays.state[mine], stays.enter[mine], stays.by_timer[mine], strict=True
            )
        ] == [(s, e, by == "timer") for s, e, by in expected]
        leaves = [e for _, e, _ in expected[1:]] + [UNTIL_MS]
        assert (stays.leave[mine] / 1000).tolist() == leaves
        started = next((i for i, s in enumerate(expected) if s[2] == "a"), None)
        assert told.started[j] == (started is not None)
        final = machine.states[expected[-1][0]].final
        assert told.ended[j] == told.success[j] == final
        assert told.state[j] == expected[-1][0]
        if started is not None:
            after = [s[1] for s in expected[started + 1 :] if s[2] == "timer" or s[2] == "fail"]
            begin = expected[started][1]
            np.testing.assert_allclose(told.first_ms[j], after[0] - begin if after else np.nan)
            np.testing.assert_allclose(told.end_ms[j], expected[-1][1] - begin if final else np.nan)
        else:
            assert np.isnan(told.first_ms[j])
        assert told.undoable[j] == any(s[0] in undo for s in expected)
        assert told.unhandled[j] == sum(not m[2] for m in met)
        assert told.dead[j] == sum(not m[2] and EVENTS[m[1]] == "user" for m in met)
        triggers = [m[3] for m in met if m[1] == "a"]
        assert told.repeats[j] == sum(b - a <= repeat_ms for a, b in itertools.pairwise(triggers))
        assert told.rages[j] == bursts(met, 2, rage_ms)
        assert told.timers[j] == sum(s[2] == "timer" for s in expected)


SHOP = spec(
    {
        "idle": State({"a": Rule("wait", feedback="visual")}),
        "wait": State(
            {"b": [Rule("paid", "ok"), Rule("retry")], "fail": "retry"}, Timer(1000, "retry")
        ),
        "retry": State({"a": "wait", "b": Rule(None)}),
        "paid": State(final=True),
        "lost": State({"a": "paid"}),
    },
    errors=["fail"],
    loops=[Loop("again", ["wait", "retry"], "count", max=2)],
    modes=[Mode("paying", ["wait", "retry"])],
)


def shop(rows):
    """Rows of customer, ms, event, and whether the guard holds."""
    who, at, event, ok = zip(*rows, strict=True)
    return cx.Journeys.from_codes(
        customer=Codes.of(who),
        time=np.array(at, np.int64) * 1000,
        columns={"event": Codes.of(event), "ok": np.array(ok, np.float64)},
    )


ROWS = [
    ("x", 0, "a", 0), ("x", 500, "b", 1),
    ("y", 0, "a", 0), ("y", 1000, "a", 0), ("y", 1500, "fail", 0), ("y", 1600, "a", 0),
    ("y", 1700, "fail", 0), ("y", 1800, "fail", 0), ("y", 1900, None, 0),
    ("z", 0, "scroll", 0), ("z", 5, "b", 0),
]  # fmt: skip


def test_every_table_by_hand():
    counts = ReplayCounts.of(shop(ROWS), spec=SHOP, guards={"ok": "ok"})
    told = counts.result()
    rows = {row["measure"]: row for row in told.to_dicts()}
    assert (rows["started"]["count"], rows["started"]["whole"]) == (2, 3)
    assert rows["success"]["rate"] == pytest.approx(1 / 3)
    assert (rows["abandoned"]["count"], rows["abandoned"]["whole"]) == (1, 2)
    assert (rows["dead clicks"]["count"], rows["dead clicks"]["whole"]) == (1, 6)
    assert np.isnan(rows["undo"]["rate"])
    assert "no undo rate" in repr(told)
    assert "1 timers fired" in repr(told)

    states = {row["state"]: row for row in counts.states().to_dicts()}
    assert {n: (r["reached"], r["last"]) for n, r in states.items()} == {
        "idle": (3, 1), "wait": (2, 0), "retry": (1, 1), "paid": (1, 1), "lost": (0, 0),
    }  # fmt: skip
    # y waits 1000 ms until the timer, at whose instant it tries anew, then 500 and 100 ms.
    assert states["wait"]["seconds"] == pytest.approx(0.5 + 1.0 + 0.5 + 0.1)
    assert states["retry"]["seconds"] == pytest.approx(0.0 + 0.1 + 0.2)
    modes = {row["mode"]: row for row in counts.modes().to_dicts()}
    assert modes["paying"]["seconds"] == pytest.approx(2.4)
    assert modes["paying"]["last"] == 1

    loop = counts.loop_counts().to_dicts()[0]
    assert (loop["instances"], loop["repeats"], loop["over"]) == (2, 2, 1)

    use = counts.rules()
    used = {(r["state"], r["event"], r["guard"]): r["used"] for r in use.to_dicts()}
    assert used == {
        ("idle", "a", ""): 2, ("wait", "b", "ok"): 1, ("wait", "b", ""): 0,
        ("wait", "fail", ""): 2, ("wait", "@after", ""): 1, ("retry", "a", ""): 2,
        ("retry", "b", ""): 0, ("lost", "a", ""): 0,
    }  # fmt: skip
    assert use.never == [("wait", "b"), ("retry", "b"), ("lost", "a")]
    assert "3 of 8 rules and timers were never used" in repr(use)

    odd = counts.strangers()
    assert [(r["state"], r["event"], r["count"]) for r in odd.to_dicts()] == [
        ("idle", "b", 1), ("retry", "fail", 1), ("(not specified)", "scroll", 1),
        ("(not specified)", None, 1),
    ]  # fmt: skip

    times = counts.times([0.0, 1.0])
    assert times.count.tolist() == [1, 1]
    assert times.ms[:, 0] == pytest.approx([1000, 500], rel=0.008)
    assert "off by 0.8% at most" in repr(times)


RETRY = {
    "out": State({"a": "try"}),
    "try": State({"fail": "wait", "b": "out"}, Timer(5000, "lost")),
    "wait": State({"a": "try", "b": "gave up"}),
    "gave up": State(final=True, failure=True),
    "lost": State(final=True),
}


@pytest.mark.parametrize(
    ("most", "then", "stream", "repeats", "over"),
    [
        (2, None, "a fail a b a fail a b", 2, 0),  # two visits with one repeat each
        (2, "gave up", "a fail a b a fail a b", 2, 0),
        (2, None, "a fail a fail a b a b", 2, 1),
        (2, None, "a b a fail a fail a", 2, 1),
        (2, "gave up", "a fail a fail a", 1, 1),  # the third pass is led to the end instead
        (2, "gave up", "a fail a fail b", 1, 0),  # gave up by a rule of its own
        (2, "gave up", "a fail a b a fail a fail a", 2, 1),
        (1, "gave up", "a fail a", 0, 1),
        (1, "gave up", "a fail b", 0, 0),
        (1, None, "a fail a", 1, 1),
    ],
)
def test_each_visit_to_a_loop_is_counted_anew(most, then, stream, repeats, over):
    machine = spec(RETRY, loops=[Loop("l", ["try", "wait"], "count", max=most, then=then)])
    rows = [("x", 10 * i, event, 0) for i, event in enumerate(stream.split())]
    (loop,) = ReplayCounts.of(shop(rows), spec=machine).loop_counts().to_dicts()
    assert (loop["instances"], loop["repeats"], loop["over"]) == (1, repeats, over)


def test_a_timer_too_leads_to_the_end_of_a_loop():
    states = RETRY | {"wait": State({"b": "gave up"}, Timer(100, "try"))}
    machine = spec(states, loops=[Loop("l", ["try", "wait"], "count", max=2, then="gave up")])
    rows = [("x", 0, "a", 0), ("x", 10, "fail", 0), ("x", 200, "fail", 0), ("x", 400, "b", 0)]
    for end, over in ((None, 1), (3, 0)):
        (loop,) = ReplayCounts.of(shop(rows[:end]), spec=machine).loop_counts().to_dicts()
        assert (loop["instances"], loop["repeats"], loop["over"]) == (1, 1, over)


def test_tables_agree_where_only_unknown_events_follow():
    like = spec({"idle": State({"a": "liked"}), "liked": State({}, Timer(5000, "kept")),
                 "kept": State(final=True)})  # fmt: skip
    counts = ReplayCounts.of(shop([("ann", 0, "a", 0), ("ann", 20_000, "scroll", 0)]), spec=like)
    result = {row["measure"]: row["count"] for row in counts.result().to_dicts()}
    assert (result["ended"], result["success"], result["abandoned"]) == (1, 1, 0)
    assert int(counts.measures[:, MEASURES.index("timers")].sum()) == 1
    states = {row["state"]: row for row in counts.states().to_dicts()}
    assert {name: row["last"] for name, row in states.items()} == {"idle": 0, "liked": 0, "kept": 1}
    used = {(row["state"], row["event"]): row["used"] for row in counts.rules().to_dicts()}
    assert used == {("idle", "a"): 1, ("liked", "@after"): 1}
    assert int(counts.time_counts.sum()) == 2  # the first answer and the end


def test_each_instance_by_hand():
    journeys = shop(ROWS)
    ok = np.asarray(journeys["ok"]) != 0
    told = SHOP.replay(journeys, guards={"ok": ok}).instances()
    assert [(r["customer"], r["started"], r["state"], r["dead"]) for r in told.to_dicts()] == [
        ("x", "yes", "paid", 0), ("y", "yes", "retry", 0), ("z", "no", "idle", 1),
    ]  # fmt: skip
    assert repr(told).startswith("small: 3 instances")
    assert told.failed.tolist() == [False, True, False]


def test_parts_add_up_to_the_whole():
    whole = ReplayCounts.of(shop(ROWS), spec=SHOP, guards={"ok": "ok"})
    parts = [
        ReplayCounts.of(shop([r for r in ROWS if r[0] == who]), spec=SHOP, guards={"ok": "ok"})
        for who in "xyz"
    ]
    assert parts[2] + parts[0] + parts[1] == whole
    again = ReplayCounts.of(shop(ROWS), measuring=whole.measuring)
    assert again == whole
    with pytest.raises(MergeError, match="different measuring"):
        _ = whole + ReplayCounts.of(shop(ROWS), spec=SHOP, guards={"ok": "ok"}, rage=5)


def many(share, first):
    rng = np.random.default_rng(first)
    rows = []
    for c in range(first, first + 400):
        rows += [(f"c{c}", 0, "a", 0), (f"c{c}", 500, "b", float(rng.random() < share))]
    return ReplayCounts.of(shop(rows), spec=SHOP, guards={"ok": "ok"})


def test_two_populations():
    table = compare_replays(many(0.5, 0), many(0.9, 400))
    rows = {row["measure"]: row for row in table.to_dicts()}
    better = rows["success"]
    assert better["difference"] == pytest.approx(better["second"] - better["first"])
    assert better["difference_low"] < 0.4 < better["difference_high"]
    assert better["p_adjusted"] < 1e-6
    assert rows["started"]["p_adjusted"] == 1
    same = compare_replays(many(0.5, 0), many(0.5, 0))
    assert np.nanmax(np.abs(same.difference)) == 0
    assert np.nanmin(same.p) == 1
    other = spec(dict(SHOP.states), id="other", loops=SHOP.loops)
    with pytest.raises(MergeError, match="two microinteractions, 'small' and 'other'"):
        compare_replays(many(0.5, 0), ReplayCounts.zero(spec=other, guards={"ok": "ok"}))


def test_intervals_hold_the_truth_as_often_as_they_say():
    inside = 0
    for seed in range(40):
        row = many(0.7, 10_000 * seed).result().to_dicts()[2]
        assert row["measure"] == "success"
        inside += row["rate_low"] <= 0.7 <= row["rate_high"]
    assert inside >= 34


def test_guards_from_columns():
    journeys = cx.Journeys.from_table(
        {"who": [1, 2, 3, 4, 5], "t": [0] * 5, "what": ["a"] * 5,
         "g": ["yes", "no", None, "true", "1"], "n": [1.0, 0.0, float("nan"), -2.0, 5.0]},
        customer="who", time="t", event="what", time_unit="s", columns=["g", "n"],
    )  # fmt: skip
    gate = spec({"s": State({"a": Rule("t", "open")}), "t": State(final=True)})
    for name, ended in (("g", 3), ("n", 3)):
        counts = ReplayCounts.of(journeys, spec=gate, guards={"open": name})
        assert counts.result().totals["ended"] == ended
    with pytest.raises(SchemaError, match="guard 'open': no column 'gg'"):
        ReplayCounts.of(journeys, spec=gate, guards={"open": "gg"})
    with pytest.raises(DataError, match="rules for 'a' ask 'open'"):
        ReplayCounts.of(journeys, spec=gate)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "give spec"),
        ({"spec": SHOP, "success": ["retry"]}, "success: 'retry' is no final state"),
        ({"spec": SHOP, "rage": 1}, "rage is a whole number from 2 up"),
        ({"spec": SHOP, "repeat_within": "soon"}, "repeat_within"),
    ],
)
def test_what_cannot_be_measured(options, told):
    with pytest.raises(DefinitionError, match=told):
        ReplayCounts.of(cx.Journeys.empty(), **options)


def test_quantiles_lie_between_0_and_1():
    with pytest.raises(DefinitionError, match="between 0 and 1"):
        ReplayCounts.zero(spec=SHOP, guards={"ok": "ok"}).times([1.5])


def test_a_circle_of_timers_is_not_followed_for_ever():
    pulse = spec({"s": State({"a": "t"}, Timer(1, "s")), "t": State(final=True)})
    found = pulse.replay([("b", 0)], until="1970-02-01")
    with pytest.raises(DataError, match="timers fired, too many to follow one by one"):
        found.instances()
