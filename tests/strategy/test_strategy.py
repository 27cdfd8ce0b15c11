import itertools
import json
import math

import attrs
import numpy as np
import pytest
from hypothesis import given, strategies as st

import cxkit as cx
from cxkit.core.intervals import interval, jackknife_error
from cxkit.core.summary import SHARDS
from cxkit.errors import DataError, DefinitionError
from cxkit.simulate import retail
from cxkit.strategy import (
    CODES,
    KPI,
    Capability,
    DigitalGoal,
    MarketingObjective,
    StrategicObjective,
    StrategyMap,
    Tactic,
    Theme,
    map_schema,
)

SMALL = (
    Theme("t", owner="ann"),
    StrategicObjective("s", "t", owner="ann"),
    MarketingObjective("m", "s", owner="bob"),
    DigitalGoal("purchase", "m", points=100, owner="bob"),
    KPI("k", "purchase", target=10, owner="bob"),
    Tactic("a", "purchase"),
    Capability("c", "purchase", phases="convert"),
)


def without(name, *more):
    return StrategyMap([*(i for i in SMALL if i.id != name), *more])


@st.composite
def maps(draw):
    """Any map of the four levels, some links missing, some weighted."""
    kinds = (Theme, StrategicObjective, MarketingObjective, DigitalGoal)
    levels = [[f"{k}{i}" for i in range(draw(st.integers(1, 3)))] for k in range(4)]
    items = []
    for k, (kind, names) in enumerate(zip(kinds, levels, strict=True)):
        for name in names:
            parents = draw(st.lists(st.sampled_from(levels[k - 1]), unique=True)) if k else []
            if len(parents) == 2 and draw(st.booleans()):
                parents = {parents[0]: 0.3, parents[1]: 0.7}
            points = {"points": draw(st.sampled_from([None, 0, 1, 50, 100]))} if k == 3 else {}
            items.append(kind(name, parents, **points))
    return StrategyMap(items)


# ---------------------------------------------------------------------- lint and trace


def test_a_sound_map_has_no_finding():
    assert len(StrategyMap(SMALL).lint()) == 0
    assert "nothing found" in repr(StrategyMap(SMALL).lint())


@pytest.mark.parametrize(
    ("strategy", "found"),
    [
        (
            without("x", DigitalGoal("g", points=1, owner="x"), KPI("l", "g", target=1, owner="x")),
            ("AL001", "g"),
        ),
        (without("x", Theme("empty", owner="x")), ("AL002", "empty")),
        (without("purchase", DigitalGoal("purchase", "m", owner="x")), ("AL003", "purchase")),
        (without("a", Tactic("a", kind="test", cost=3)), ("AL004", "a")),
        (without("k"), ("AL005", "purchase")),
        (
            without("k", KPI("k", "purchase", metric="conversion_rate", target=2, owner="x")),
            ("AL007", "k"),
        ),
        (without("t", Theme("t")), ("AL008", "t")),
        (without("c", Capability("c", cost=9)), ("AL009", "c")),
        (
            without(
                "x",
                MarketingObjective("m2", owner="x"),
                DigitalGoal("g", "m2", points=1, owner="x"),
                KPI("k2", "g", target=1, owner="x"),
            ),
            ("AL010", "m2"),
        ),
        (without("k", KPI("k", "purchase", owner="x")), ("AL011", "k")),
    ],
)
def test_each_code_by_itself(strategy, found):
    findings = strategy.lint()
    assert findings.pairs() == [found]
    assert findings.found[0].suggestion
    assert found[1] in findings.found[0].sentence
    assert found[0] in CODES


def test_costs_are_told():
    strategy = without("a", Tactic("a", kind="test", cost=300))
    assert "test 'a' hangs on no goal and costs 300" in strategy.lint().found[0].sentence
    strategy = without("a", Tactic("a", kind="test", cost=1_250_000))
    assert "and costs 1,250,000" in strategy.lint().found[0].sentence
    strategy = without("c", Capability("c", cost=2_000_000))
    assert "at a cost of 2,000,000" in strategy.lint().found[0].sentence
    rate = KPI("k", "purchase", metric="conversion_rate", target=3_456_789, owner="x")
    assert "target 3,456,789 of KPI 'k'" in without("k", rate).lint().found[0].sentence


@given(maps())
def test_traces_are_all_ways_up_and_down(strategy):
    def ways(name, following):
        return {n for x in following(name) for n in {x, *ways(x, following)}}

    for item in strategy.items:
        trace = strategy.trace(item.id)
        assert trace.up == tuple(sorted(ways(item.id, lambda n: strategy.by_id[n].supports)))
        assert trace.down == tuple(
            sorted(i.id for i in strategy.items if item.id in strategy.trace(i.id).up)
        )


def test_unknown_names():
    with pytest.raises(DataError, match=r"no item 'purchse' in the map.*Did you mean 'purchase'"):
        StrategyMap(SMALL).trace("purchse")


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: StrategyMap([Theme("t"), Theme("t")]), "'t' occurs more than once"),
        (
            lambda: without("x", Tactic("b", "purchse")),
            "'b' supports 'purchse', which is not in the map.*Did you mean",
        ),
        (
            lambda: without("x", DigitalGoal("g", "s")),
            "AL006: 'g' is a digital_goal and supports 's', a strategic_objective",
        ),
        (lambda: without("x", Theme("u", "t")), "a theme supports nothing"),
        (lambda: without("x", StrategicObjective("u", "m")), "AL006"),
        (
            lambda: DigitalGoal("g", {"a": 0.5, "b": 0.4}),
            "weights of what it supports sum to 1; found",
        ),
        (lambda: DigitalGoal("g", {"a": 1.5, "b": -0.5}), "weights are above 0"),
        (lambda: DigitalGoal("g", points=-1), "'g': points is a number from 0 up"),
        (lambda: DigitalGoal("g", points=math.nan), "'g': points"),
        (lambda: KPI("k", metric="clicks"), "metric is one of"),
        (lambda: KPI("k", direction="left"), "direction is 'up' or 'down'"),
        (lambda: KPI("k", target=math.inf), "target is a number"),
        (lambda: Theme(""), "the id of an item is some text"),
        (lambda: Tactic("t", cost=-1), "cost is a number from 0 up"),
    ],
)
def test_what_cannot_be_is_refused(make, told):
    with pytest.raises(DefinitionError, match=told):
        make()


# ---------------------------------------------------------------------- roll-up


@given(maps(), st.lists(st.integers(0, 50), min_size=3, max_size=3))
def test_nothing_is_lost_on_the_way_up(strategy, counts):
    goals = strategy.of(DigitalGoal)
    reached = {g.id: n for g, n in zip(goals, counts, strict=False)}
    found = strategy.rollup(reached)
    total = sum((g.points or 0) * reached.get(g.id, 0) for g in goals)
    assert found.total == total
    assert sum(found.by_theme().values()) + found.untraced == pytest.approx(total)
    for theme in strategy.of(Theme):  # along every single path
        expected = 0.0
        for goal in goals:
            for mo, so in itertools.product(strategy.items, strategy.items):
                share = (
                    goal.supports.get(mo.id, 0)
                    * mo.supports.get(so.id, 0)
                    * so.supports.get(theme.id, 0)
                )
                expected += share * (goal.points or 0) * reached.get(goal.id, 0)
        assert found.by_theme()[theme.id] == pytest.approx(expected)


def test_roll_up_of_journeys():
    journeys = retail(300).journeys
    found = StrategyMap(SMALL).rollup(journeys)
    assert found.total == 100 * cx.Goal("purchase").matches(journeys).sum()
    lost = StrategyMap([DigitalGoal("purchase", points=2)]).rollup({"purchase": 3})
    assert lost.untraced == 6
    assert "reach no theme" in repr(lost)
    with pytest.raises(DataError, match="'k' is a kpi, not a digital goal"):
        StrategyMap(SMALL).rollup({"k": 1})
    with pytest.raises(DataError, match=r"was reached -1.0 times"):
        StrategyMap(SMALL).rollup({"purchase": -1})


# ---------------------------------------------------------------------- status


def test_kpis_are_what_they_say():
    journeys = retail(800, rng=3).journeys
    at, start = np.datetime64("2024-03-01"), np.datetime64("2024-01-31")
    kinds = ("conversions", "customers", "conversion_rate", "value")
    kpis = [KPI(m, "purchase", metric=m, window="30d", target=1) for m in kinds]
    goals = [i for i in SMALL if i.id != "k"]
    found = StrategyMap([*goals, *kpis]).status(journeys, "2024-03-01")
    inside = (journeys.time <= at) & (journeys.time > start)
    hit = inside & cx.Goal("purchase").matches(journeys)
    who = np.repeat(np.arange(len(journeys)), np.diff(journeys.offsets))
    seen, bought = set(who[inside].tolist()), set(who[hit].tolist())
    worth = float(np.nansum(journeys.value[hit]))
    values = [hit.sum(), len(bought), len(bought) / len(seen), worth]
    assert hit.any()
    assert found.value.tolist() == pytest.approx(values)
    assert ((found.low <= found.value) & (found.value <= found.high)).all()
    # The interval of the rate by hand, one shard of customers left out at a time.
    shard = journeys.shards
    left = []
    for g in range(SHARDS):
        own = {j for j in seen if shard[j] != g}
        left.append(len(bought & own) / len(own))
    occupied = np.bincount(shard, minlength=SHARDS) > 0
    error = jackknife_error(np.array(left), occupied)
    low, high = interval(np.array(values[2]), error, occupied, bounds=(0, 1))
    assert (found.low[2], found.high[2]) == pytest.approx((float(low), float(high)))


def test_the_interval_of_a_count_is_that_of_a_poisson_one():
    """Many customers, each converting now and then: the error of the count is near its root."""
    rng = np.random.default_rng(0)
    n = 20_000
    table = {
        "who": np.arange(n),
        "t": np.zeros(n),
        "what": np.where(rng.random(n) < 0.05, "purchase", "view"),
    }
    journeys = cx.Journeys.from_table(table, customer="who", time="t", time_unit="s", event="what")
    found = StrategyMap(SMALL).status(journeys, "1971-01-01")
    half = (found.high[0] - found.low[0]) / 2
    assert half == pytest.approx(2 * math.sqrt(found.value[0]), rel=0.25)


def test_states():
    journeys = retail(500).journeys
    base = [i for i in SMALL if i.id != "k"]

    def state(**kpi):
        given_ = {"k": kpi.pop("given")} if "given" in kpi else None
        strategy = StrategyMap([*base, KPI("k", "purchase", **kpi)])
        return strategy.status(journeys, "2030-01-01", given=given_).state

    assert state(target=1) == ["reached"]
    assert state(target=10**9) == ["missed"]
    assert state(target=1, direction="down") == ["missed"]
    assert state() == ["open"]
    assert state(metric="given", target=5) == ["open"]
    assert state(metric="given", target=5, given=4) == ["missed"]
    assert state(metric="given", target=5, given=6) == ["reached"]
    with pytest.raises(DataError, match="'k' is no KPI of metric 'given'"):
        state(target=1, given=3)


def test_nothing_to_measure():
    found = StrategyMap(SMALL).status(cx.Journeys.empty(), "2030-01-01")
    assert found.value.tolist() == [0]
    assert np.isnan(found.low).all()
    assert found.state == ["open"]


# ---------------------------------------------------------------------- coverage and files


def test_coverage():
    strategy = StrategyMap(
        [
            *SMALL,
            DigitalGoal("visit", stages=["find", "use"]),
            Capability("crm", "purchase", phases=["convert", "advocate"], stages="use", cost=5),
        ]
    )
    found = strategy.coverage()
    assert found.phases == {"attract": (), "convert": ("c", "crm"), "advocate": ("crm",)}
    assert found.cost == {"attract": 0, "convert": 5, "advocate": 5}
    assert found.stages == {"find": (), "use": ("crm",)}
    assert found.gaps() == ["attract", "find"]
    assert found.goals_traced == 0.5
    assert found.tactics_traced == 1
    assert math.isnan(StrategyMap([Theme("t")]).coverage().goals_traced)


@given(maps())
def test_maps_come_back_from_json(strategy):
    again = StrategyMap.from_dict(json.loads(json.dumps(strategy.to_dict())))
    assert again == strategy
    assert again.digest == strategy.digest


def test_every_kind_comes_back():
    whole = StrategyMap(
        [
            *SMALL,
            DigitalGoal("g", {"m": 1}, goal=cx.Goal("buy", channel="store"), stages=["use"]),
            KPI("k2", "g", metric="given", direction="down", window="7d", low=0, high=9, target=0),
            Tactic("b", "g", kind="test", cost=3, title="A test"),
        ],
        name="mine",
    )
    assert StrategyMap.from_dict(json.loads(json.dumps(whole.to_dict()))) == whole
    assert whole.goal_points() == [(cx.Goal("purchase"), 100)]


@pytest.mark.parametrize(
    ("item", "told"),
    [
        ({"id": "x"}, r"items\[0\]: the field 'level' is missing"),
        ({"id": "x", "level": "them"}, r"items\[0\].level: found 'them'.*Did you mean 'theme'"),
        (
            {"id": "x", "level": "theme", "points": 3},
            "theme 'x': the whole: unknown field 'points'",
        ),
        (
            {"id": "x", "level": "theme", "pionts": 3},
            r"items\[0\]: unknown field 'pionts'.*Did you mean 'points'",
        ),
        (
            {"id": "x", "level": "digital_goal", "points": "3"},
            r"items\[0\].points: found '3', expected a number",
        ),
    ],
)
def test_bad_files_are_named(item, told):
    with pytest.raises(DataError, match=told):
        StrategyMap.from_dict({"schema": "cxkit/strategy-map/1", "items": [item]})


def test_the_schema_is_one():
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.validate(StrategyMap(SMALL).to_dict(), map_schema())


def test_a_kpi_of_no_goal_has_no_value():
    idle = StrategyMap([KPI("k", target=3, direction="down", owner="x")])
    assert ("AL012", "k") in idle.lint().pairs()
    found = idle.status(cx.simulate.retail(50, rng=1).journeys, "2024-06-01")
    assert found.state == ["open"]  # 0 would have reached it
    assert math.isnan(found.value[0])
    assert "nothing to measure, or no value given: k" in found.notes()


def test_none_seen_is_not_none_for_sure():
    journeys = cx.simulate.retail(300, rng=1).journeys
    made = StrategyMap(
        [
            DigitalGoal("never"),
            KPI("rate", "never", metric="conversion_rate", target=0.001),
            KPI("count", "never", target=100),
            KPI("most", "never", target=1, direction="down"),
        ]
    )
    found = made.status(journeys, "2030-01-01")
    assert found.value.tolist() == [0, 0, 0]
    poisson = -math.log(0.025)  # the exact 95% interval of a count of 0 ends there
    assert found.high[1] == pytest.approx(poisson)
    seen = len(set(journeys.customer.to_list()))
    assert found.high[0] == pytest.approx(1 - 0.025 ** (1 / seen))  # and of none of n customers
    assert found.state == ["open", "missed", "open"]


@pytest.mark.parametrize("late", [6, 300])
def test_all_seen_is_not_all_for_sure(late):
    """Everybody within the window converted: six customers of it tell nothing, 300 not all."""
    n = 1000
    table = {
        "who": np.arange(n),
        "sec": 86_400 * np.where(np.arange(n) < late, 100, 1),
        "what": ["purchase"] * n,
    }
    journeys = cx.Journeys.from_table(
        table, customer="who", time="sec", time_unit="s", event="what"
    )
    rate = KPI("k", "purchase", metric="conversion_rate", window="30d", target=0.999, owner="x")
    found = without("k", rate).status(journeys, "1970-04-15")
    assert found.value.tolist() == [1]
    assert found.state == ["open"]
    if late == 6:
        assert np.isnan([found.low[0], found.high[0]]).all()
    else:
        assert found.low[0] == pytest.approx(0.025 ** (1 / late))
        assert found.high[0] == 1
        few = attrs.evolve(rate, target=0.95)
        assert without("k", few).status(journeys, "1970-04-15").state == ["reached"]


def test_the_worth_of_nothing_is_not_known():
    journeys = cx.simulate.retail(300, rng=1).journeys
    worth = KPI("worth", "never", metric="value", target=100, owner="x")
    found = StrategyMap([DigitalGoal("never"), worth]).status(journeys, "2030-01-01")
    assert found.value.tolist() == [0]
    assert np.isnan([found.low[0], found.high[0]]).all()
    assert found.state == ["open"]


def test_what_is_no_item_and_no_number():
    with pytest.raises(DefinitionError, match="a map is made of items such as Theme"):
        StrategyMap(["theme"])
    with pytest.raises(DefinitionError, match="weights are numbers"):
        Theme("x", {"a": "much"})
    with pytest.raises(DefinitionError, match="points is a number from 0 up"):
        DigitalGoal("x", points="many")
