from collections import Counter

import numpy as np
import pytest
from hypothesis import given, strategies as st

from cxkit import DataError, Goal, Journeys, UnknownLabelError
from cxkit.core.codes import Codes
from cxkit.flow import DropOff, DropOffRule, drop_off
from tests.strategies import grouped, journeys_of, touchpoint_rows

COLUMN = {"event": 2, "channel": 3, "campaign": 4}
GOALS = st.sampled_from([None, Goal("buy"), Goal("buy", channel="web"), Goal("never")])


def slow_drop_off(rows, by, goal):
    """{label: [touchpoints, journeys, ends, reached]}, and how many journeys reach the goal."""
    found, won = {}, 0
    for part in grouped(rows).values():
        labels = [row[COLUMN[by]] for row in part]
        for label in labels:
            found.setdefault(label, [0, 0, 0, 0])
        if goal and any(r[2] == goal.event and goal.channel in {None, r[3]} for r in part):
            won += 1
            for label in set(labels):
                found[label][3] += 1
            continue
        for label, count in Counter(labels).items():
            found[label][0] += count
            found[label][1] += 1
        found[labels[-1]][2] += 1
    return found, won


@given(touchpoint_rows(customers=8), st.sampled_from(sorted(COLUMN)), GOALS)
def test_drop_off_is_that_counted_one_by_one(rows, by, goal):
    table = DropOff.of(journeys_of(rows), by=by, goal=goal).result()
    want, won = slow_drop_off(rows, by, goal)
    order = sorted(want, key=lambda x: (-want[x][2], x is None, x or 0))
    got = table.to_dicts()
    assert [row[by] for row in got] == order
    lost = len(grouped(rows)) - won
    assert (table.all_journeys, table.all_reached) == (lost + won, won)
    for row in got:
        touchpoints, journeys, ends, reached = want[row[by]]
        assert (row["touchpoints"], row["journeys"], row["ends"]) == (touchpoints, journeys, ends)
        assert row.get("reached", 0) == reached
        assert ("reached" in row) == (goal is not None)
        assert row["share"] == pytest.approx(ends / lost if lost else np.nan, nan_ok=True)
        assert row["end_rate"] == pytest.approx(
            ends / journeys if journeys else np.nan, nan_ok=True
        )
    assert sum(table.ends) == lost


def many():
    """1000 journeys: all view, every second goes on to a cart, every tenth of those buys."""
    words = [["view"] + ["cart"] * (j % 2) + ["buy"] * (j % 20 == 1) for j in range(1000)]
    return Journeys.from_codes(
        customer=np.repeat(np.arange(1000), [len(w) for w in words]),
        time=np.arange(sum(map(len, words))),
        columns={"event": Codes.of([event for word in words for event in word])},
    )


def test_lost_journeys_are_counted_apart_from_those_that_reach_the_goal():
    table = drop_off(many(), goal="buy")
    rows = {row["event"]: row for row in table.to_dicts()}
    assert (rows["view"]["journeys"], rows["view"]["ends"], rows["view"]["reached"]) == (
        950,
        500,
        50,
    )
    assert (rows["cart"]["journeys"], rows["cart"]["ends"], rows["cart"]["reached"]) == (
        450,
        450,
        50,
    )
    assert (rows["buy"]["journeys"], rows["buy"]["ends"], rows["buy"]["reached"]) == (0, 0, 50)
    assert np.isnan(rows["buy"]["end_rate"])
    assert repr(table).startswith("where 950 lost journeys end, by event")
    assert "do not reach buy; 50 do" in repr(table)


def test_without_a_goal_every_journey_counts():
    table = drop_off(many())
    assert {row["event"]: row["ends"] for row in table.to_dicts()} == {
        "view": 500,
        "cart": 450,
        "buy": 50,
    }
    assert repr(table).startswith("where 1,000 journeys end, by event")
    assert table.notes() == ()


def test_the_intervals_are_about_those_of_the_binomial():
    row = drop_off(many()).to_dicts()[0]
    assert row["event"] == "view"
    for name, share in (("share", 0.5), ("end_rate", 0.5)):
        low, high = row[f"{name}_low"], row[f"{name}_high"]
        assert low < share < high
        assert high - low == pytest.approx(2 * 1.96 * np.sqrt(share * (1 - share) / 1000), rel=0.3)


def test_many_labels_at_a_time_are_all_of_them(monkeypatch):
    rng = np.random.default_rng(8)
    n = 4000
    journeys = Journeys.from_codes(
        customer=rng.integers(0, 400, n),
        time=np.arange(n),
        columns={"event": Codes.of(rng.integers(0, 50, n))},
    )
    want = repr(drop_off(journeys, goal=3).columns())
    monkeypatch.setattr("cxkit.flow.steps.dropoff._LABELS_AT_ONCE", 7)
    assert repr(drop_off(journeys, goal=3).columns()) == want


def test_an_unknown_goal_is_refused_with_a_hint_but_not_by_the_summary():
    with pytest.raises(UnknownLabelError, match=r"no event 'byu'.*Did you mean 'buy'\?"):
        drop_off(many(), goal="byu")
    assert DropOff.of(many(), goal="byu").all_reached.sum() == 0


def test_the_label_keeps_its_name_unless_a_number_has_it():
    journeys = Journeys.from_codes(
        customer=np.array([1]), time=np.array([0]), columns={"ends": Codes.of(["x"])}
    )
    (row,) = drop_off(journeys, by="ends").to_dicts()
    assert row["label"] == "x"
    assert row["ends"] == 1


def test_no_journeys_give_an_empty_table():
    table = drop_off(Journeys.empty(), by="campaign", goal="buy")
    assert table.to_dicts() == []
    assert (table.all_journeys, table.all_reached) == (0, 0)
    assert "0 lost journeys" in repr(table)


def test_one_journey_of_a_million_touchpoints():
    n = 1_000_000
    journeys = Journeys.from_codes(
        customer=np.zeros(n, int), time=np.arange(n), columns={"event": Codes.of(np.arange(n) % 3)}
    )
    table = drop_off(journeys)
    assert sorted(table.touchpoints.tolist()) == [333_333, 333_333, 333_334]
    assert table.ends.tolist() == [1, 0, 0]
    assert table.journeys.tolist() == [1, 1, 1]


@pytest.mark.parametrize("goal", [None, Goal("buy", "web")])
def test_a_rule_survives_json(goal):
    rule = DropOffRule("channel", goal)
    assert DropOffRule.from_dict(rule.to_dict()) == rule
    with pytest.raises(DataError, match="no drop-off"):
        DropOffRule.from_dict({"schema": "cxkit/goal/1"})
