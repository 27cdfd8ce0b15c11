"""Where a rate, a mean or a claim is easily wrong: tiny groups, long times, text for a list."""

from __future__ import annotations

import numpy as np
import pytest

import cxkit as cx
from cxkit import flow
from cxkit.core.codes import Codes
from cxkit.errors import DefinitionError
from cxkit.flow import (
    Funnel,
    FunnelPeriods,
    FunnelSegments,
    JourneyPlan,
    PlanStage,
    PlanStep,
    compare_segments,
    funnel_times,
    sequence_patterns,
    step_times,
)

NAMES = {"customer": "who", "time": "sec", "event": "what", "channel": "where", "time_unit": "s"}


def log(rows):
    """Journeys of (customer, channel, events)."""
    flat = [(who, at, what, where) for who, where, events in rows for at, what in enumerate(events)]
    columns = dict(zip(("who", "sec", "what", "where"), zip(*flat, strict=True), strict=True))
    return cx.Journeys.from_table({k: list(v) for k, v in columns.items()}, **NAMES)


def shops(tiny, buyers=0):
    rows = [(i, "web", ["view", "buy"] if i % 10 == 0 else ["view"]) for i in range(1000)]
    rows += [(1000 + i, "tv", ["view", "buy"] if i < buyers else ["view"]) for i in range(tiny)]
    return FunnelSegments.of(log(rows), funnel=Funnel(["view", "buy"]))


def test_nobody_of_six_is_no_finding():
    found = compare_segments(shops(6), "web", "tv")
    assert found.share_b.tolist() == [1, 0]
    assert np.isnan([found.p[1], found.difference_low[1], found.difference_high[1]]).all()
    assert found.few.tolist() == [False, True]
    assert "not tested, too few with or without it: 1 rates" in found.notes()


def test_shares_of_tiny_groups_and_of_nobody():
    table = shops(6).result()
    rows = {row["channel"]: row for row in table.to_dicts() if row["step"] == "buy"}
    assert np.isnan([rows["tv"]["share_low"], rows["tv"]["share_high"]]).all()
    assert rows["web"]["share_low"] < 0.1 < rows["web"]["share_high"]
    none = shops(500).result()
    rows = {row["channel"]: row for row in none.to_dicts() if row["step"] == "buy"}
    assert rows["tv"]["share"] == rows["tv"]["share_low"] == 0
    assert rows["tv"]["share_high"] == pytest.approx(1 - 0.025 ** (1 / 500))


def test_nobody_of_many_is_one():
    found = compare_segments(shops(400), "web", "tv")
    assert not found.few.any()
    assert found.p[1] < 1e-6
    assert -0.15 < found.difference_low[1] < -0.1 < found.difference_high[1] < -0.05
    # The error is that of equal rates: a hundred of whom nobody bought are much less sure.
    hundred = compare_segments(shops(100), "web", "tv")
    assert 1e-4 < hundred.p[1] < 1e-2


def test_rare_sequences_that_nobody_bought_after_do_not_lead_the_table():
    rng = np.random.default_rng(0)
    rows = [
        (i, "web", ["visit", f"x{i % 60}", *["buy"] * int(rng.random() < 0.05)])
        for i in range(2000)
    ]
    found = sequence_patterns(log(rows), goal="buy", longest=1)
    assert (found.p_adjusted < 0.05).sum() <= 1
    assert np.isnan(found.p).any()


def test_long_times_of_many_do_not_overflow():
    n, year = 400_000, 365 * 86_400_000_000
    journeys = cx.Journeys.from_codes(
        customer=np.repeat(np.arange(n), 2),
        time=np.tile([0, year], n),
        columns={"event": Codes.of(["view", "buy"] * n)},
    )
    times = funnel_times(journeys, Funnel(["view", "buy"]), unit="1d", quantiles=[0.5])
    assert times.mean == pytest.approx([365, 365])
    assert step_times(journeys, exact=True).mean / 86_400 == pytest.approx([365])
    counted = JourneyPlan({"a": ["view"], "b": ["buy"]}).count(journeys)
    assert counted.mean_seconds[1, 0] / 86_400 == pytest.approx(365)


def test_intervals_of_exact_times_hold_them():
    n = 500
    journeys = cx.Journeys.from_codes(
        customer=np.repeat(np.arange(n), 2),
        time=np.tile([0, 3_600_000_000], n),
        columns={"event": Codes.of(["view", "buy"] * n)},
    )
    times = funnel_times(journeys, Funnel(["view", "buy"]), quantiles=[0.5])
    assert (times.times_low <= times.times).all()
    assert (times.times <= times.times_high).all()
    assert "ends of intervals from bins" in times.notes()
    steps = step_times(journeys, exact=True)
    assert (steps.seconds_low <= steps.seconds).all()
    assert (steps.seconds <= steps.seconds_high).all()


def test_a_complete_period_does_not_change():
    begun = [("A", "2024-01-01T00:00Z", "view"), ("A", "2024-01-01T01:00Z", "cart"),
             ("B", "2024-01-02T00:00Z", "view")]  # fmt: skip
    later = [("A", "2024-01-16T00:00Z", "view"), ("A", "2024-01-16T01:00Z", "cart"),
             ("A", "2024-01-16T02:00Z", "buy")]  # fmt: skip
    for entry in ("any", "first", "last"):
        funnel = Funnel(["view", "cart", "buy"], within="1d", entry=entry)
        weeks = []
        for rows, until in ((begun, "2024-01-15"), (begun + later, "2024-01-29")):
            who, when, what = (list(column) for column in zip(*rows, strict=True))
            journeys = cx.Journeys.from_table(
                {"w": who, "t": when, "e": what}, customer="w", time="t", event="e"
            )
            weeks.append(FunnelPeriods.of(journeys, funnel=funnel).result(until=until))
        before, after = weeks
        if before.complete[0]:
            assert before.reached[0].tolist() == after.reached[0].tolist()
        else:
            assert 'entry="first" settles that' in before.notes()[-1]
        assert before.complete[0] == (entry == "first")


def test_text_is_no_list_of_labels():
    journeys = cx.simulate.retail(200, rng=1).journeys
    model = flow.next_steps(journeys, order=2)
    with pytest.raises(
        DefinitionError, match=r"a path is a list of labels, such as \['purchase'\]"
    ):
        model.after("purchase")
    with pytest.raises(DefinitionError, match="a path is a list of labels"):
        flow.similar_paths(journeys, "purchase")


def test_a_stage_of_nothing_but_options_is_not_missed():
    plan = JourneyPlan(
        [PlanStage("look", [PlanStep("view", optional=True)]), PlanStage("buy", ["buy"])]
    )
    found = plan.align(log([(1, "web", ["buy"])]))
    assert found.fitness.tolist() == [1]
    assert found.coverage.tolist() == [1]


def test_more_clusters_than_medoids_names_the_limit():
    words = ["a", "ab", "abc", "abcd", "b", "bc"]
    journeys = log([(i, "web", list(word)) for i, word in enumerate(words)])
    with pytest.raises(DefinitionError, match="give most=4 or more"):
        flow.clusters(journeys, 4, most=3)
    with pytest.raises(DefinitionError, match="there are 6 by 'event'"):
        flow.clusters(journeys, 7)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda _: flow.Cleaning(5), "a cleaning is a list of steps"),
        (lambda _: flow.Rename("event", 5), "names are a mapping of old names to new ones"),
        (lambda j: flow.next_steps(j).after(5), "a path is a list of labels"),
        (lambda j: flow.survival(j, "buy", until="2024-01-01"), "wait is TimeTo"),
        (lambda _: flow.DisconnectRule("k", []), "signals is empty"),
    ],
)
def test_what_is_no_argument_is_told(ask, message):
    journeys = cx.simulate.retail(20, rng=1).journeys
    with pytest.raises(cx.DefinitionError, match=message):
        ask(journeys)
