"""Loops, entry and exit, and costly paths, one journey at a time."""

from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import cxkit as cx
from cxkit import DefinitionError, Journeys, SchemaError
from cxkit.flow import Loops, PathCosts, costly_paths, entry_exit, loops
from tests.examples import some
from tests.strategies import grouped, journeys_of, touchpoint_rows

COLUMN = {"event": 2, "channel": 3, "campaign": 4}
few = settings(max_examples=some(25))


@few
@given(touchpoint_rows(customers=6), st.sampled_from(sorted(COLUMN)), st.integers(1, 6))
def test_loops_are_those_found_one_by_one(rows, by, longest):
    count, touches, seconds = Counter(), Counter(), defaultdict(float)
    passing, returns, return_time = defaultdict(set), 0, 0.0
    looping = set()
    for who, part in grouped(rows).items():
        last = {}
        for at, row in enumerate(part):
            label = row[COLUMN[by]]
            if label in last:
                begin = last[label]
                path = tuple(r[COLUMN[by]] for r in part[begin : at + 1])
                if at - begin > longest:
                    path = (label, "...", label)
                count[path] += 1
                touches[path] += at - begin
                seconds[path] += (row[1] - part[begin][1]) / 1e6
                passing[path].add(who)
                looping.add(who)
                returns += 1
                if at + 1 < len(part):
                    return_time += (part[at + 1][1] - row[1]) / 1e6
            last[label] = at
    table = loops(journeys_of(rows), by, longest=longest, top=1000)
    got = {p: at for at, p in enumerate(table.paths)}
    assert got.keys() == count.keys()
    for path, at in got.items():
        assert table.loops[at] == count[path]
        assert table.touchpoints[at] == touches[path]
        assert table.seconds[at] == pytest.approx(seconds[path])
        assert table.journeys[at] == len(passing[path])
    assert table.seconds.tolist() == sorted(table.seconds.tolist(), reverse=True)
    assert (table.looping, table.returns) == (len(looping), returns)
    assert table.return_seconds == pytest.approx(return_time)
    assert table.total_loops == sum(count.values())
    distinct = sum(len({r[COLUMN[by]] for r in part}) for part in grouped(rows).values())
    assert table.total_touchpoints == table.returns + distinct  # a touch is a first one or a return


def test_what_is_not_listed_is_told():
    rows = [(w, at, x, None, None, 0.0) for w in ("abab", "cc", "dd") for at, x in enumerate(w)]
    whole, some = loops(journeys_of(rows)), loops(journeys_of(rows), top=1)
    assert whole.columns()["loop"] == ["a > b > a", "b > a > b", "c > c", "d > d"]
    assert "other: 3 loops" in repr(some)
    assert repr(some).startswith("loops by event: 3 of 3 journeys, 4 of 8 touchpoints are returns")
    for bad in ({"longest": 0}, {"top": 0}):
        with pytest.raises(DefinitionError, match="must be a whole number from 1 up"):
            loops(journeys_of(rows), **bad)
    empty = loops(Journeys.empty())
    assert (empty.to_dicts(), empty.looping) == ([], 0)
    assert repr(empty)


def test_one_journey_of_many_touchpoints():
    n = 100_000
    journeys = Journeys.from_codes(
        customer=np.zeros(n, int),
        time=np.arange(n),
        columns={"event": cx.core.codes.Codes.of(np.arange(n) % 7)},
    )
    table = loops(journeys)
    assert len(table.paths) == 7  # longer than the longest that is told apart
    assert table.loops.sum() == n - 7
    assert table.paths[0] == (0, "...", 0)


@few
@given(touchpoint_rows(customers=6), st.sampled_from(sorted(COLUMN)))
def test_entries_and_exits_are_those_counted_one_by_one(rows, by):
    labels = [[r[COLUMN[by]] for r in part] for part in grouped(rows).values()]
    entries, exits = Counter(p[0] for p in labels), Counter(p[-1] for p in labels)
    touches = Counter(x for p in labels for x in p)
    table = entry_exit(journeys_of(rows), by)
    got = {row[by]: row for row in table.to_dicts()}
    assert got.keys() == touches.keys()
    for label, row in got.items():
        assert (row["touchpoints"], row["entries"], row["exits"]) == (
            touches[label],
            entries[label],
            exits[label],
        )
        assert row["entry_share"] == pytest.approx(entries[label] / len(labels))
        assert row["exit_share"] == pytest.approx(exits[label] / len(labels))
        assert row["exit_rate"] == pytest.approx(exits[label] / touches[label])
    assert table.entries.sum() == table.exits.sum() == table.journeys == len(labels)
    assert table.entries.tolist() == sorted(table.entries.tolist(), reverse=True)


def test_entries_have_intervals():
    journeys = cx.simulate.retail(400, rng=1).journeys
    for row in entry_exit(journeys).to_dicts():
        assert row["entry_share_low"] <= row["entry_share"] <= row["entry_share_high"]
    assert entry_exit(Journeys.empty()).to_dicts() == []
    assert (
        repr(entry_exit(journeys)).startswith("where 400 journeys begin and end")
        or len(journeys) != 400
    )


@few
@given(touchpoint_rows(customers=9), st.sampled_from(["time", "touchpoints", "value"]))
def test_costs_of_paths_are_those_summed_one_by_one(rows, cost):
    costs = defaultdict(list)
    for part in grouped(rows).values():
        one = {
            "time": (part[-1][1] - part[0][1]) / 1e6,
            "touchpoints": len(part),
            "value": sum(r[5] for r in part if r[5] == r[5]),
        }[cost]
        costs[tuple(r[2] for r in part)].append(one)
    table = costly_paths(journeys_of(rows), cost=cost, rare=1.0, top=1000)
    every = [c for found in costs.values() for c in found]
    mean = sum(every) / len(every) if every else 0.0
    want = {p for p, found in costs.items() if sum(found) - len(found) * mean > 1e-9}
    assert want <= set(table.paths)
    for at, path in enumerate(table.paths):
        found = costs[path]
        assert table.journeys[at] == len(found)
        assert table.cost[at] == pytest.approx(sum(found))
        assert table.mean[at] == pytest.approx(sum(found) / len(found))
        assert table.excess[at] == pytest.approx(sum(found) - len(found) * mean, abs=1e-6)
    assert table.total_cost == pytest.approx(sum(every))
    assert table.overall_mean == pytest.approx(mean)


def test_frequent_paths_are_not_rare():
    rows = [(f"c{i}", at, x, None, None, 0.0) for i in range(99) for at, x in enumerate("ab")]
    rows += [("z", at * 10**6, x, None, None, 0.0) for at, x in enumerate("xy")]
    table = costly_paths(journeys_of(rows))
    assert table.columns()["path"] == ["x > y"]
    assert table.share.tolist() == [0.01]
    assert np.isnan(table.mean_low).all()  # one customer
    assert "1 such paths cost more than the mean" in repr(table)
    assert costly_paths(journeys_of(rows), rare=0.001).to_dicts() == []


def test_bad_questions_are_refused():
    journeys = journeys_of([("a", 0, "view", "web", None, 2.0)])
    with pytest.raises(SchemaError, match="holds no numbers"):
        costly_paths(journeys, cost="channel")
    with pytest.raises(SchemaError, match="no column 'costs'"):
        costly_paths(journeys, cost="costs")
    for rare in (0, -1, 1.1, float("nan")):
        with pytest.raises(DefinitionError, match="rare must lie above 0"):
            costly_paths(journeys, rare=rare)
    assert PathCosts.of(Journeys.empty(), cost="value").result().to_dicts() == []
    with pytest.raises(cx.MergeError, match="different longest"):
        Loops.zero(longest=2) + Loops.zero(longest=3)
