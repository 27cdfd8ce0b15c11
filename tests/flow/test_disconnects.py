"""Channel switches and disconnect moments beside plain Python, and what they cost."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import cxkit as cx
from cxkit.errors import DefinitionError, SchemaError, UnknownLabelError
from cxkit.flow import DisconnectCounts, DisconnectRule
from cxkit.flow.friction.switches import CONTEXTS
from tests.examples import some
from tests.shared import shared
from tests.strategies import grouped, journeys_of, touchpoint_rows

MINUTE = 60_000_000
RULES = [
    DisconnectRule("campaign", "mail", "1h"),
    DisconnectRule(["campaign", "event"], ["mail", "cart"], "20min", gap="2h", missing="unknown"),
]


def switched(rows, rule):
    """The switches of one journey in plain Python."""
    within = 60 if rule.within == "1h" else 20
    column = {"campaign": 4, "event": 2}
    signals = {goal.event for goal in rule.signals}
    found, last = [], None
    for at, row in enumerate(rows):
        if row[3] is None:
            continue
        if last is not None and row[3] != rows[last][3]:
            before = rows[last]
            if rule.gap is None or row[1] - before[1] <= 120 * MINUTE:
                pairs = [(before[column[c]], row[column[c]]) for c in rule.context]
                known = [
                    a is not None and (rule.missing == "lost" or b is not None) for a, b in pairs
                ]
                kept = any(a is not None and a == b for a, b in pairs)
                context = "kept" if kept else "lost" if any(known) else "unknown"
                signal = next(
                    (
                        k
                        for k in range(at, len(rows))
                        if rows[k][2] in signals and rows[k][1] - row[1] <= within * MINUTE
                    ),
                    None,
                )
                first = next((k for k in range(at, len(rows)) if rows[k][2] in signals), None)
                signal = signal if signal == first else None
                found.append((before[3], row[3], context, signal, last, at))
        last = at
    return found


@pytest.mark.parametrize("rule", RULES)
@settings(max_examples=some(50))
@given(rows=touchpoint_rows())
def test_switches_are_those_of_plain_python(rule, rows):
    journeys = journeys_of(rows)
    found = rule.switches(journeys)
    told = [
        (a, b, CONTEXTS[c], None if s < 0 else s - int(journeys.offsets[j]))
        for a, b, c, s, j in zip(
            found.channel_from.to_list(),
            found.channel_to.to_list(),
            found.context.tolist(),
            found.signal.tolist(),
            found.journey.tolist(),
            strict=True,
        )
    ]
    expected = [s[:4] for own in grouped(rows).values() for s in switched(own, rule)]
    assert told == expected
    assert found.disconnect.tolist() == [c == "lost" and s is not None for _, _, c, s in told]


@pytest.mark.parametrize("rule", RULES)
@settings(max_examples=some(25))
@given(rows=touchpoint_rows(customers=9))
def test_the_table_counts_the_switches(rule, rows):
    journeys = journeys_of(rows)
    each = [s for own in grouped(rows).values() for s in switched(own, rule)]
    table = DisconnectCounts.of(journeys, rule=rule).result()
    assert table.total["switches"] == len(each)
    told = {(row["from"], row["to"]): row for row in table.to_dicts()}
    assert set(told) == {s[:2] for s in each}
    for pair, row in told.items():
        own = [s for s in each if s[:2] == pair]
        contexts = [s[2] for s in own]
        assert [row[c] for c in CONTEXTS] == [contexts.count(c) for c in CONTEXTS]
        assert row["disconnects"] == sum(s[2] == "lost" and s[3] is not None for s in own)
        known = row["kept"] + row["lost"]
        assert row["seamless"] == pytest.approx(
            row["kept"] / known if known else math.nan, nan_ok=True
        )
    names, counts = table.matrix()
    assert counts.sum() == len(each)
    assert all(
        counts[names.index(a), names.index(b)] == r["switches"] for (a, b), r in told.items()
    )


def test_the_worked_example_of_four_switches():
    """Seamlessness 1 - lost / switches, disconnect moments 1 of 4 (oracle SEED-10)."""
    oracle = json.loads(shared("oracles/domain/seed_concepts.json").read_text())
    case = next(case for case in oracle["oracles"] if case["id"] == "SEED-10")
    rows = []
    for k, switch in enumerate(case["inputs"]["switches"]):
        after = "again" if switch["repeat_contact"] else "call"
        rows += [
            (k, 0, "ask", switch["frm"], f"case {k}"),
            (k, 60, after, switch["to"], f"case {k}" if switch["context_carried"] else "none"),
        ]
    who, sec, what, where, context = zip(*rows, strict=True)
    journeys = cx.Journeys.from_table(
        {"who": who, "sec": sec, "what": what, "where": where, "case": context},
        customer="who",
        time="sec",
        event="what",
        channel="where",
        columns=["case"],
        time_unit="s",
    )
    total = DisconnectRule("case", "again").count(journeys).total
    expected = case["expected"]
    assert total["switches"] == expected["switches"]
    assert total["lost"] == expected["context_lost"]
    assert total["seamless"] == expected["seamlessness"]
    assert total["disconnects"] == expected["disconnect_moments"]
    assert total["disconnect_rate"] == expected["rate"]


def world(seed, effect, customers=1500):
    """One switch each, later a goal or not: after a disconnect the chance is less by ``effect``.

    Hard cases (which had trouble before) are disconnected more often and buy less anyway.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for c in range(customers):
        hard = rng.random() < 0.4
        to = ["phone", "store"][rng.integers(2)]
        disconnect = rng.random() < (0.7 if hard else 0.2)
        chance = (0.25 if hard else 0.6) - effect * disconnect + 0.1 * (to == "store")
        rows.append((c, 0, "trouble" if hard else "look", "web", 1))
        rows.append((c, 1, "ask", to, 2 if disconnect else 1))
        if disconnect:
            rows.append((c, 2, "trouble", to, 2))
        if rng.random() < chance:
            rows.append((c, 200, "buy", to, 2 if disconnect else 1))
    who, minute, what, where, case = zip(*rows, strict=True)
    return cx.Journeys.from_table(
        {"who": who, "t": np.array(minute) * 60, "what": what, "where": where, "case": case},
        customer="who",
        time="t",
        event="what",
        channel="where",
        columns=["case"],
        time_unit="s",
    )


RULE = DisconnectRule("case", "trouble", "1h")


def test_like_is_compared_with_like():
    """The crude difference is far off, for hard cases are in one group; the matched one is not."""
    cost = RULE.count(world(1, 0.15, 6000), goal="buy").cost()
    crude = cost.columns()["reach_with"][0] - cost.columns()["reach_without"][0]
    assert crude < -0.25
    assert cost.low[0] < -0.15 < cost.high[0]
    assert abs(cost.difference[0] + 0.15) < 0.03


def test_the_interval_holds_the_truth_as_often_as_it_says():
    held = [
        cost.low[0] <= -0.1 <= cost.high[0]
        for seed in range(60)
        for cost in [RULE.count(world(100 + seed, 0.1, 600), goal="buy").cost()]
    ]
    assert 0.88 <= np.mean(held) <= 1


def test_the_difference_is_that_of_mantel_and_haenszel():
    journeys = world(3, 0.2, 400)
    table = RULE.count(journeys, goal="buy")
    switches = RULE.switches(journeys)
    bought = np.array([any(t.event == "buy" for t in journeys[int(j)]) for j in switches.journey])
    hard = np.array(
        [journeys[int(j)].journeys.event.to_list()[0] == "trouble" for j in switches.journey]
    )
    to = np.array(switches.channel_to.to_list())
    top = bottom = 0.0
    for place in ("phone", "store"):
        for trouble in (False, True):
            here = (to == place) & (hard == trouble)
            with_, without = here & switches.disconnect, here & ~switches.disconnect
            weight = with_.sum() * without.sum() / here.sum()
            top += weight * (bought[with_].mean() - bought[without].mean())
            bottom += weight
    assert table.cost().difference[0] == pytest.approx(top / bottom, rel=1e-12)
    assert table.cost().matched[0] == switches.disconnect.sum()


def test_waiting_begins_when_the_time_for_signals_is_over():
    """Who buys within the hour has no time left for trouble, and is in neither group."""
    rows = []
    for c in range(60):
        lost = c % 2
        rows += [(c, 0, "look", "web", 1), (c, 1, "ask", "phone", 2 if lost else 1)]
        rows += [(c, 2, "trouble", "phone", 2)] * lost
        rows += [(c, 30 if c % 3 else 300, "buy", "phone", 2)]
    who, minute, what, where, case = zip(*rows, strict=True)
    journeys = cx.Journeys.from_table(
        {"who": who, "t": np.array(minute) * 60, "what": what, "where": where, "case": case},
        customer="who",
        time="t",
        event="what",
        channel="where",
        columns=["case"],
        time_unit="s",
    )
    row = RULE.count(journeys, goal="buy").cost().to_dicts()[0]
    assert (row["with"], row["without"]) == (10, 10)
    assert (row["reach_with"], row["reach_without"]) == (1.0, 1.0)
    short = RULE.count(journeys, goal="buy", follow="1h").cost().to_dicts()[0]
    assert (short["reach_with"], short["reach_without"]) == (0.0, 0.0)
    seen = RULE.count(journeys, goal="buy", follow="1h", at="1970-01-01T01:30Z").cost()
    assert (seen.to_dicts()[0]["with"], seen.to_dicts()[0]["without"]) == (0, 0)
    assert np.isnan(seen.difference[0])


def test_few_have_no_interval_and_one_kind_no_difference():
    cost = RULE.count(world(5, 0.1, 40), goal="buy").cost()
    few = (cost.arms < 5).any(axis=(1, 2))
    assert few[1:].any()
    assert np.isnan(cost.low[few]).all()
    assert np.isnan(cost.p[few]).all()
    rows = [("a", 0, "view", "web", 1, math.nan), ("a", 1, "buy", "app", 1, math.nan)]
    alone = DisconnectRule("campaign", "mail")
    table = DisconnectCounts.of(journeys_of(rows), rule=alone, goal="buy").result()
    assert np.isnan(table.cost("lost").difference).all()
    assert table.cost().to_dicts()[0]["from"] == "(all)"


def test_nothing_to_count():
    rule = RULES[0]
    empty = rule.count(cx.Journeys.empty(), goal="buy")
    assert (len(empty), empty.total["switches"]) == (0, 0)
    assert np.isnan(empty.cost().difference).all()
    assert repr(empty)
    assert repr(empty.cost())


def test_round_trip_and_what_is_refused():
    for rule in RULES:
        assert DisconnectRule.from_dict(json.loads(json.dumps(rule.to_dict()))) == rule
    with pytest.raises(DefinitionError, match="context names one column"):
        DisconnectRule([], "mail")
    with pytest.raises(DefinitionError, match="missing of a disconnect rule is one of"):
        DisconnectRule("campaign", "mail", missing="gone")
    journeys = cx.simulate.retail(30, rng=1).journeys
    with pytest.raises(SchemaError, match="no column 'basket'"):
        DisconnectRule("basket", "support_call").count(journeys)
    with pytest.raises(UnknownLabelError, match="no event 'complain'"):
        DisconnectRule("campaign", "complain").count(journeys)
    table = DisconnectRule("campaign", "support_call").count(journeys)
    with pytest.raises(DefinitionError, match="needs a goal"):
        table.cost()
    with pytest.raises(DefinitionError, match="contrast is one of"):
        DisconnectRule("campaign", "support_call").count(journeys, goal="purchase").cost("all")


@settings(max_examples=some(25))
@given(touchpoint_rows(), st.sampled_from(RULES))
def test_a_part_is_a_part_of_the_whole(rows, rule):
    journeys = journeys_of(rows)
    whole = rule.switches(journeys)
    first = rule.switches(journeys[: len(journeys) // 2])
    assert first.context.tolist() == whole.context[: len(first.context)].tolist()
    assert first.disconnect.tolist() == whole.disconnect[: len(first.context)].tolist()
