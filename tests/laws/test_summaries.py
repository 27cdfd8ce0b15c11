"""The merge, interval, order, purity and round-trip laws, over every summary in the library.

The summaries are found, not listed: one that is new fails until it has its parameters here.
"""

import importlib
import inspect
import math
import pickle
import pkgutil
import sys
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import cxkit as cx
from cxkit.core.intervals import interval, jackknife_error, leave_one_out
from cxkit.core.summary import SHARDS, Summary, merge_all
from cxkit.model.summaries import JourneySummary
from tests.examples import some
from tests.strategies import journeys_of, reordered, touchpoint_rows

SCALE = cx.EngagementScale(
    [
        cx.PointRule("buy", 100),
        cx.PointRule("cart", 7.25, count="once_per_session"),
        cx.PointRule("mail", -1.1, count="once_per_customer"),
    ]
)
WAYS = [
    {"goal": "buy"},
    {"goal": cx.Goal("buy", "web"), "by": "campaign", "goal_is_touch": False},
    {"goal": "buy", "by": "event", "lookback": "2h", "touches": ["view", "mail"]},
]
OTHER_WAYS = [
    {"goal": "buy", "most_touches": 2, "restart": False},
    {"goal": cx.attribution.PathRule("buy", lookback="1h", restart=False)},
]
RULES = [
    cx.attribution.FirstTouch(),
    cx.attribution.LastTouch(),
    cx.attribution.Linear(),
    cx.attribution.PositionBased(0.3, 0.5),
    cx.attribution.TimeDecay("1h"),
]
FUNNEL = cx.flow.Funnel(["view", "cart", "buy"], within="3h")
PLAN = cx.flow.JourneyPlan({"look": ["view"], "buy": ["cart", "buy"]}, unplanned="ignored")
STICKY = cx.flow.Stickiness(since="1970-01-01", until="1970-01-04", windows=[1, 2])
BUYING = cx.microinteraction.Microinteraction(
    id="buying",
    trigger=cx.microinteraction.Trigger("manual", "view"),
    events={"view": "user", "cart": "user", "buy": "system"},
    initial="start",
    states={
        "start": cx.microinteraction.State({"view": "seen"}),
        "seen": cx.microinteraction.State(
            {"cart": "full", "view": "seen"},
            cx.microinteraction.Timer(3_600_000, "start"),
        ),
        "full": cx.microinteraction.State(
            {"buy": cx.microinteraction.Rule("done", "cheap"), "view": "seen"}
        ),
        "done": cx.microinteraction.State(final=True),
    },
    loops=[cx.microinteraction.Loop("back", ["seen", "full"], "count", max=2)],
    modes=[cx.microinteraction.Mode("buying", ["seen", "full"])],
    errors=["view"],
    undo=["cart"],
)
PARAMETERS = {
    "ChainCounts": WAYS,
    "Paths": WAYS,
    "LabelSets": WAYS,
    "SetCredit": [
        {**WAYS[0], "model": cx.attribution.ShapleyRate()},
        {**WAYS[1], "model": cx.attribution.LogisticCounterfactual()},
    ],
    "RuleCredit": [{**way, "model": rule} for way in WAYS for rule in RULES],
    "FunnelCounts": [
        {"funnel": cx.flow.Funnel(["view", "cart", "buy"], within="3h")},
        {"funnel": cx.flow.Funnel(["view", "buy"], entry="first", ties="strict")},
        {"funnel": cx.flow.Funnel(["view", "cart"], ties="any", hold="campaign", without=["buy"])},
    ],
    "FunnelSegments": [{"funnel": FUNNEL, "by": "campaign", "label_of": "entry"}],
    "FunnelPeriods": [{"funnel": FUNNEL, "every": "month", "tz": "Asia/Tokyo"}],
    "FunnelTimes": [{"funnel": FUNNEL}],
    "FunnelNext": [{"funnel": FUNNEL, "by": "campaign"}],
    "RetentionCounts": [
        {
            "retention": cx.flow.Retention(
                until="1970-01-09", start="view", back="buy", cohort="month", unbounded=True
            )
        },
    ],
    "SurvivalCounts": [
        {"wait": cx.flow.TimeTo("buy", 2, start="view"), "until": "1970-01-02", "by": "campaign"},
        {"wait": cx.flow.Churn("1h"), "until": "1970-01-02", "by": "channel", "unit": "1min"},
    ],
    "ActiveCounts": [{"stickiness": STICKY}],
    "ActiveDayCounts": [{"stickiness": STICKY, "every": "week"}],
    "Transitions": [{}, {"by": "channel"}, {"by": "campaign"}],
    "PathVariants": [{}, {"by": "channel"}],
    "PathsAround": [{"window": cx.flow.Around("cart", before=1, after=2, within="2h")}],
    "StepFlows": [{"window": cx.flow.Around("view", before=1, after=0, which="every")}],
    "StepTimes": [{"by": "channel"}],
    "Contexts": [{"order": 2, "goal": "buy"}],
    "Loops": [{"by": "channel", "longest": 2}],
    "PathCosts": [{"by": "channel", "cost": "value"}],
    "SequencePatterns": [{"by": "campaign", "longest": 2}],
    "PlanCounts": [{"plan": PLAN}],
    "EffortCounts": [{"friction": cx.flow.Friction({"steps": 1}, errors="mail"), "goal": "buy"}],
    "DisconnectCounts": [
        {"rule": cx.flow.DisconnectRule("campaign", "mail", "1h"), "goal": "buy", "follow": "2h"},
    ],
    "DropOff": [{}, {"by": "channel", "goal": "buy"}],
    "PatternCounts": [
        {"pattern": cx.patterns.Pattern(["view", "cart"], "3h", without=["mail"])},
        {
            "pattern": cx.patterns.Pattern(["cart"], then_no="buy", within="1h"),
            "at": "1970-01-01T06:00Z",
        },
    ],
    "WindowCounts": [{}, {"every": "1h", "by": "campaign", "origin": "1970-01-01T00:20Z"}],
    "ReplayCounts": [
        {"spec": BUYING, "guards": {"cheap": "campaign"}},
        {
            "spec": BUYING,
            "guards": {"cheap": "value"},
            "until": "1970-01-02",
            "rage": 2,
            "rage_within": "2h",
        },
    ],
    "VisitValue": [
        {"scale": SCALE},
        {"scale": SCALE, "by": "campaign", "gap": "1h"},
        {"scale": SCALE, "opens": ["view", "buy"]},
    ],
    "GoalOutcomes": [
        {"plan": cx.engagement.OutcomePlan(["view", cx.Goal("cart", "web")], "buy")},
        {"plan": cx.engagement.OutcomePlan(["view", "buy"], "buy", 120 * 60_000_000)},
    ],
}


def subclasses(kind):
    for child in kind.__subclasses__():
        yield child
        yield from subclasses(child)


def every_summary():
    for module in pkgutil.walk_packages(cx.__path__, "cxkit."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found = {
        kind
        for kind in subclasses(Summary)
        if kind.__module__.startswith("cxkit.")
        # attrs makes a class with slots anew; the one it was made from may linger.
        and getattr(sys.modules[kind.__module__], kind.__name__) is kind
    }
    return {kind.__name__: kind for kind in found if not inspect.isabstract(kind)}


SUMMARIES = every_summary()
CASES = [
    pytest.param(SUMMARIES[name], parameters, id=f"{name}-{i}")
    for name, ways in PARAMETERS.items()
    for i, parameters in enumerate(ways)
]
every_case = pytest.mark.parametrize(("kind", "parameters"), CASES)
# There are hundreds of cases; where only versions change, fewer examples of each do.
few = settings(max_examples=some(8))


def close(a, b):
    """Equal: counts exactly, sums to 1e-12 of what was summed."""
    if type(a) is not type(b):
        return False
    for field in a.fields("parameter") + a.fields("axis"):
        if getattr(a, field.name) != getattr(b, field.name):
            return False
    for field in a.fields("total"):
        mine, theirs = getattr(a, field.name), getattr(b, field.name)
        if mine.shape != theirs.shape:
            return False
        if mine.dtype.kind == "f":
            if not np.allclose(mine, theirs, rtol=1e-12, atol=1e-9):
                return False
        elif not np.array_equal(mine, theirs):
            return False
    return True


def shown(result):
    """A result as plain values, to compare."""
    return [[_round(v) for v in row.values()] for row in result.to_dicts()]


def _round(value):
    if not isinstance(value, float):
        return value
    return "nan" if math.isnan(value) else round(value, 9) + 0.0


def test_every_summary_has_its_parameters_here():
    assert set(SUMMARIES) == set(PARAMETERS)
    assert all(issubclass(kind, JourneySummary) for kind in SUMMARIES.values())


@every_case
@few
@given(rows=touchpoint_rows(customers=9), cuts=st.tuples(st.integers(0, 9), st.integers(0, 9)))
def test_merge(kind, parameters, rows, cuts):
    journeys = journeys_of(rows)
    low, high = sorted(cuts)
    a, b, c = (
        kind.of(part, **parameters)
        for part in (journeys[:low], journeys[low:high], journeys[high:])
    )
    whole = kind.of(journeys, **parameters)
    zero = kind.zero(**parameters)
    assert shown((a + b + c).result()) == shown(whole.result())
    assert close((a + b) + c, a + (b + c))
    assert close(a + b + c, c + b + a)
    assert close(merge_all([c, zero, a, b]), a + b + c)
    assert close(zero + whole, whole)
    assert close(whole + zero, whole)
    assert close(zero + zero, zero)


@every_case
@few
@given(rows=touchpoint_rows(customers=9), cut=st.integers(0, 9))
def test_parts_with_vocabularies_of_their_own_add_up(kind, parameters, rows, cut):
    split = f"c{cut}"
    a = journeys_of([r for r in rows if r[0] < split])
    b = journeys_of([r for r in rows if r[0] >= split])
    whole = kind.of(journeys_of(rows), **parameters)
    assert close(kind.of(a, **parameters) + kind.of(b, **parameters), whole)


@every_case
@few
@given(rows=touchpoint_rows(customers=6), cut=st.integers(1, 5))
def test_numbers_in_one_part_and_text_in_another_add_up(kind, parameters, rows, cut):
    # In the whole they are one column, which is text: also where the part that has the text
    # counts none of it.
    split = f"c{cut}"
    a = [r for r in rows if r[0] < split]
    b = [(*r[:4], None if r[4] is None else f"s{r[4]}", *r[5:]) for r in rows if r[0] >= split]
    if "by" in parameters:
        parameters = {**parameters, "by": "campaign"}
    left, right = (kind.of(journeys_of(part), **parameters) for part in (a, b))
    whole = kind.of(journeys_of(a + b), **parameters)
    for one, other in ((left, right), (right, left)):
        assert close(one + other, whole)
        assert close(kind.from_bytes(one.to_bytes()) + pickle.loads(pickle.dumps(other)), whole)
    assert close((kind.zero(**parameters) + right) + left, whole)


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        (cx.flow.StepTimes, {"by": "campaign"}),
        (cx.flow.Loops, {"by": "campaign"}),
        (cx.flow.FunnelNext, {"funnel": cx.flow.Funnel(["cart", "buy"]), "by": "campaign"}),
        (
            cx.flow.FunnelSegments,
            {"funnel": cx.flow.Funnel(["view", "buy"]), "by": "campaign", "label_of": "entry"},
        ),
    ],
    ids=lambda given: getattr(given, "__name__", ""),
)
def test_text_that_no_cell_counts_makes_text_of_the_numbers_of_another_part(kind, parameters):
    a = [("a", minute, what, None, 2, math.nan) for minute, what in enumerate(["view", "cart"] * 2)]
    b = [("b", 0, "mail", None, "s1", math.nan)]
    none = [("c", 0, "mail", None, None, math.nan)]
    left, right, bare = (kind.of(journeys_of(part), **parameters) for part in (a, b, none))
    assert close(left + right, kind.of(journeys_of(a + b), **parameters))
    assert close((right + bare) + left, kind.of(journeys_of(a + b + none), **parameters))
    assert close(left + bare, kind.of(journeys_of(a + none), **parameters))
    assert set(map(type, (left + bare).labels)) == {int}  # who has no label makes no text
    assert set(map(type, (left + right).labels)) == {str}


@every_case
@few
@given(rows=touchpoint_rows(), data=st.data())
def test_order_of_the_input_changes_nothing(kind, parameters, rows, data):
    again = data.draw(reordered(rows))
    assert kind.of(journeys_of(rows), **parameters) == kind.of(journeys_of(again), **parameters)


@every_case
@few
@given(rows=touchpoint_rows())
def test_round_trips(kind, parameters, rows):
    summary = kind.of(journeys_of(rows), **parameters)
    for copy in (kind.from_bytes(summary.to_bytes()), pickle.loads(pickle.dumps(summary))):
        assert copy == summary
        assert copy.to_bytes() == summary.to_bytes()
        for field in kind.fields("total"):
            assert not getattr(copy, field.name).flags.writeable


@every_case
@few
@given(rows=touchpoint_rows())
def test_purity(kind, parameters, rows):
    journeys, twin = journeys_of(rows), journeys_of(rows)
    first = kind.of(journeys, **parameters)
    before = pickle.dumps(first)
    first.result()
    _ = first + first
    assert journeys == twin
    assert pickle.dumps(first) == before
    assert kind.of(journeys, **parameters) == first


@every_case
def test_zero_is_what_no_journey_gives(kind, parameters):
    zero = kind.zero(**parameters)
    assert zero == kind.of(cx.Journeys.empty(), **parameters)
    assert len(zero.result()) >= 0
    assert repr(zero)


@every_case
@few
@given(rows=touchpoint_rows(min_rows=1, customers=2))
def test_one_journey_is_journeys_of_one(kind, parameters, rows):
    journeys = journeys_of(rows)
    assert kind.of(journeys[0], **parameters) == kind.of(journeys[:1], **parameters)


def many_rows(seed):
    """Enough customers to fill the shards, and journeys so short that many are the same."""
    rng = np.random.default_rng(seed)
    events, channels = ["view", "cart", "buy", "mail"], ["web", "app", "store"]
    return [
        (
            f"c{rng.integers(1500)}",
            int(rng.integers(600)) * 60_000_000,
            events[rng.integers(4)],
            channels[rng.integers(3)],
            int(rng.integers(1, 4)),
            float(rng.integers(1, 9)),
        )
        for _ in range(3000)
    ]


def estimates(result):
    """The shares of a result that has intervals: {row's labels: (share, low, high)}."""
    rows = result.to_dicts()
    found = {}
    for row in rows:
        for name in row:
            if f"{name}_low" in row:
                labels = tuple(v for v in row.values() if v is None or isinstance(v, (str, date)))
                found[name, labels] = (row[name], row[f"{name}_low"], row[f"{name}_high"])
    return found


# Those whose intervals, if any, are not the jackknife of a share.
OTHERS = {
    "EffortCounts",
    "Paths",
    "PathCosts",
    "StepTimes",
    "LabelSets",
    "SetCredit",
    "VisitValue",
    "FunnelTimes",
    "GoalOutcomes",
    "SurvivalCounts",
}
INTERVALS = [case for case in CASES if case.values[0].__name__ not in OTHERS]


@pytest.mark.parametrize(("kind", "parameters"), INTERVALS)
def test_intervals_come_from_the_summary_alone(kind, parameters):
    """The jackknife from the totals equals one that counts the journeys anew without each shard."""
    journeys = journeys_of(many_rows(1))
    told = estimates(kind.of(journeys, **parameters).result())
    assert told
    occupied = np.bincount(journeys.shards, minlength=SHARDS) > 0
    without = [
        estimates(kind.of(journeys[journeys.shards != shard], **parameters).result())
        for shard in range(SHARDS)
    ]
    checked = 0
    for key, (share, low, high) in told.items():
        if not all(key in part for part in without) or math.isnan(low):
            continue
        left = np.array([part[key][0] for part in without])
        error = jackknife_error(left[:, None], occupied)
        expected = interval(np.array([share]), error, occupied, bounds=(0.0, 1.0))
        # Of none and of all, the end that is left is exact in another way.
        for told_end, (end,) in zip((low, high), expected, strict=True):
            if end != share or 0 < share < 1:
                assert told_end == pytest.approx(end, rel=1e-9, abs=1e-12)
        assert low <= share <= high
        checked += 1
    assert checked


@pytest.mark.parametrize(("kind", "parameters"), INTERVALS)
def test_intervals_do_not_depend_on_how_the_data_was_split(kind, parameters):
    journeys = journeys_of(many_rows(2))
    parts = [kind.of(journeys[i::7], **parameters) for i in range(7)]
    whole = estimates(kind.of(journeys, **parameters).result())
    merged = estimates(merge_all(parts).result())
    assert merged.keys() == whole.keys()
    for key, values in whole.items():
        assert merged[key] == pytest.approx(values, rel=1e-9, abs=1e-12, nan_ok=True)


def test_leaving_a_shard_out_is_the_rest():
    totals = np.arange(SHARDS * 2).reshape(SHARDS, 2)
    for shard, rest in enumerate(leave_one_out(totals)):
        assert rest.tolist() == np.delete(totals, shard, axis=0).sum(axis=0).tolist()
