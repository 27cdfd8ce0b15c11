"""Assessments as files, agreement, channels, benchmark, history and measurements."""

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

import cxkit as cx
from cxkit.errors import DataError, DefinitionError
from cxkit.maturity import (
    Answer,
    Assessment,
    Benchmark,
    ChannelMaturity,
    Criterion,
    agreement,
    assess_channels,
    channel_switches,
    channels_with,
    channels_with_goals,
    combine,
    equivalent_stage,
    krippendorff_alpha,
    measured,
    messages_that_ask_nothing,
    stage_history,
)
from tests.maturity.models import small

MODEL = small([Criterion("a", 2, "people"), Criterion("b", 3, "people", evidence_required=True)])
SEVEN = cx.MaturityModel.builtin("cx-seven-stage")


def say(answers, **more):
    return Assessment.of(MODEL, "shop", "2026-01-01", answers, **more)


# ---------------------------------------------------------------------- files


def test_an_assessment_comes_back_from_its_file():
    one = say({"a": Answer(0.5, ["link"], 0.9), "b": "n/a"}, channel="web", assessor="ann")
    assert Assessment.from_dict(json.loads(json.dumps(one.to_dict()))) == one


def test_another_model_is_refused():
    one = say({"a": 1})
    with pytest.raises(DataError, match=r"is about 'small' 1.0.0, the model is 'five-level'"):
        one.against(cx.MaturityModel.builtin("five-level"))
    data = MODEL.to_dict()
    major = cx.MaturityModel.from_dict(data | {"version": "2.0.0"})
    with pytest.raises(DataError, match="different major versions do not compare"):
        one.against(major)
    secretly = cx.MaturityModel.from_dict(data | {"stage_threshold": 0.5})
    with pytest.raises(DataError, match="changed without a new version"):
        one.against(secretly)


def test_a_minor_version_renames():
    data = MODEL.to_dict()
    data["criteria"][0]["id"], data["criteria"][1]["id"] = "new", "other"
    minor = cx.MaturityModel.from_dict(
        data | {"version": "1.1.0", "migrates": {"a": "new", "b": None}}
    )
    assert list(say({"a": 1, "b": 1}).against(minor)) == ["new"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"schema": "x"}, "schema is 'x'"),
        ({"answers": {"a": {"value": 1, "sure": 1}}}, "answer to 'a': unknown field 'sure'"),
        ({"answers": {"a": {"value": 1, "confidence": 3}}}, "answer to 'a': confidence is 0 to 1"),
        ({"model": {"id": "x"}}, "the field 'version' is missing"),
    ],
)
def test_bad_files_are_named(change, told):
    with pytest.raises(DataError, match=told):
        Assessment.from_dict(say({"a": 1}).to_dict() | change)


def test_several_assessors_count_as_their_mean():
    rows = [
        say({"a": 1, "b": "n/a"}, assessor="ann"),
        say({"a": 0.5, "b": Answer(1, "proof", 0.8)}, assessor="bob"),
        say({"a": None}, assessor="cy"),
    ]
    both = combine(MODEL, rows)
    assert both.subjects == ("shop",)
    assert both.values.tolist() == [[0.75, 1.0]]
    assert both.applies is None
    assert both.evidenced.tolist() == [[False, True]]
    assert math.isnan(both.confidence[0, 0])
    assert both.confidence[0, 1] == 0.8
    found = MODEL.assess(both)[0]
    assert found.level == 3
    later = Assessment.of(MODEL, "shop", "2026-02-01", {"a": 0.0}, channel="web")
    more = Assessment.of(MODEL, "shop", "2026-03-01", {"a": 0.0}, channel="web")
    names = combine(MODEL, [*rows, later, more]).subjects
    assert names == ("shop", "shop/web@2026-02-01", "shop/web@2026-03-01")


def test_agreement_of_assessors():
    rows = [
        say({"a": v, "b": w}, assessor=who)
        for who, v, w in (("ann", 0.0, 1.0), ("bob", 0.0, 1.0), ("cy", 0.0, 1.0))
    ]
    assert agreement(MODEL, rows) == 1
    rows[2] = say({"a": 1.0, "b": 0.0}, assessor="cy")
    assert agreement(MODEL, rows) < 0.2
    assert math.isnan(agreement(MODEL, rows[:1]))


def alpha_by_hand(ratings, distance):
    """Average disagreement within units, over that of all pairs of ratings."""
    units = [[v for v in unit if not math.isnan(v)] for unit in zip(*ratings, strict=True)]
    units = [unit for unit in units if len(unit) > 1]
    every = [v for unit in units for v in unit]
    if not every:
        return math.nan
    inside = sum(
        sum(distance(a, b, every) for a, b in itertools.permutations(unit, 2)) / (len(unit) - 1)
        for unit in units
    ) / len(every)
    around = sum(distance(a, b, every) for a, b in itertools.permutations(every, 2))
    around /= len(every) * (len(every) - 1)
    return 1 - inside / around if around else math.nan


def ranks_between(a, b, every):
    low, high = min(a, b), max(a, b)
    if low == high:
        return 0.0
    between = sum(low <= v <= high for v in every)
    return (between - (every.count(low) + every.count(high)) / 2) ** 2


@given(
    st.lists(
        st.lists(st.sampled_from([math.nan, 0, 0.25, 1]), min_size=4, max_size=4),
        min_size=2,
        max_size=4,
    )
)
def test_alpha_is_its_definition(ratings):
    for metric, distance in (
        ("nominal", lambda a, b, _: float(a != b)),
        ("interval", lambda a, b, _: (a - b) ** 2),
        ("ordinal", ranks_between),
    ):
        found = krippendorff_alpha(ratings, metric)
        assert found == pytest.approx(alpha_by_hand(ratings, distance), nan_ok=True)


def test_alpha_refuses_nonsense():
    with pytest.raises(DataError, match="a table"):
        krippendorff_alpha([1, 2])
    with pytest.raises(DefinitionError, match="metric is one of"):
        krippendorff_alpha([[1, 2], [1, 2]], "ratio")


# ---------------------------------------------------------------------- channels


def journeys(rows, **columns):
    table = {"who": [r[0] for r in rows], "t": [r[1] for r in rows], "where": [r[2] for r in rows]}
    return cx.Journeys.from_table(
        table | columns,
        customer="who",
        time="t",
        time_unit="s",
        channel="where",
        columns=list(columns),
    )


ROWS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 9), st.sampled_from(["a", "b", "c", None]))
)


@given(ROWS)
def test_switches_are_counted(rows):
    expected = {}
    order = sorted(range(len(rows)), key=lambda i: (rows[i][0], rows[i][1], i))
    for _, group in itertools.groupby((rows[i] for i in order), lambda r: r[0]):
        known = [r[2] for r in group if r[2] is not None]
        for pair in itertools.pairwise(known):
            if pair[0] != pair[1]:
                expected[pair] = expected.get(pair, 0) + 1
    assert channel_switches(journeys(rows) if rows else cx.Journeys.empty()) == expected


def test_channels_next_to_the_journeys_that_felt_it():
    data = journeys([(1, 0, "web"), (1, 1, "store"), (2, 0, "web"), (2, 1, "web"), (3, 0, "fax")])
    everything = {c.id: 1 for c in SEVEN.criteria if not c.per_channel}
    rad = ("rad.owner", "rad.publish", "rad.source")
    found = assess_channels(
        SEVEN,
        {"web": dict.fromkeys(rad, 1), "store": {"rad.owner": 1}},
        everything,
        switches=data,
    )
    assert found.level.tolist() == [2, 1]
    assert found.disconnect == pytest.approx(1 / 6)
    assert found.traffic.tolist() == [3, 1]
    assert found.silo_lead.tolist() == [1, -1]
    assert "100.0% of switches go from web (level 2) to store (level 1)" in repr(found)
    for own, everywhere, told in (
        (
            {"web": {"ali.scale": 1}},
            {},
            "channel 'web' answers 'ali.scale', which holds for the whole",
        ),
        ({"web": {}}, {"rad.owner": 1}, "'rad.owner' is answered by each channel"),
    ):
        with pytest.raises(DataError, match=told):
            assess_channels(SEVEN, own, everywhere)


def test_channels_at_the_edges():
    lone = ChannelMaturity.of({"web": 3}, stages=7)
    assert math.isnan(lone.silo_lead[0])
    assert math.isnan(lone.disconnect)
    assert "no switches" in repr(lone)
    with pytest.raises(DataError, match=r"channel 'webb' has no level.*Did you mean 'web'"):
        ChannelMaturity.of({"web": 3}, stages=7, switches=[("web", "webb", 1)])
    with pytest.raises(DataError, match="are counts; found"):
        ChannelMaturity.of({"web": 3, "fax": 1}, stages=7, switches=[("web", "fax", -1)])


# ---------------------------------------------------------------------- benchmark


@given(st.lists(st.integers(1, 7), min_size=1), st.integers(1, 7), st.integers(1, 7))
def test_percentiles_are_mid_ranks_and_never_fall(levels, one, other):
    known = Benchmark.of(levels)
    below = sum(x < one for x in levels)
    equal = levels.count(one)
    found = known.percentile(one)
    assert found.mid == pytest.approx(100 * (below + equal / 2) / len(levels))
    assert found.exact
    assert known.count == len(levels)
    if one <= other:
        assert found.mid <= known.percentile(other).mid + 1e-9


def test_a_benchmark_is_a_distribution():
    with pytest.raises(DefinitionError, match="sum to 1"):
        Benchmark({1: 0.5})
    with pytest.raises(DefinitionError, match="not negative"):
        Benchmark({1: 1.5, 2: -0.5})
    with pytest.raises(DataError, match="at least one level"):
        Benchmark.of([])


# ---------------------------------------------------------------------- history


def test_history_counts_days_and_moves():
    rows = [
        ("a", "2025-01-11", 2),
        ("a", "2025-01-01", 1),
        ("b", "2025-01-01", 2),
        ("b", "2025-01-06", 1),
    ]
    found = stage_history(rows, stages=[1, 2], until="2025-01-21")
    assert found.days.tolist() == [10 + 15, 10 + 5]
    assert found.moves.tolist() == [[0, 1], [1, 0]]
    assert found.spells.tolist() == [2, 2]
    assert found.now == {"a": 2, "b": 1}
    assert stage_history(rows, stages=[1, 2]).days.tolist() == [10, 5]
    up, down = 1 / 25, 1 / 15
    chance = found.forecast(1, "30d")[2]  # the closed form of two states
    assert chance == pytest.approx(up / (up + down) * (1 - math.exp(-(up + down) * 30)))
    far = found.forecast(1, "3650000d")
    assert far[2] == pytest.approx(up / (up + down))


def test_history_refuses_contradictions():
    with pytest.raises(DataError, match="row 0: level 9 is no stage"):
        stage_history([("a", "2025-01-01", 9)], stages=[1, 2])
    with pytest.raises(DataError, match="row 1: 'a' has levels 1 and 2 at the same instant"):
        stage_history([("a", "2025-01-01", 1), ("a", "2025-01-01", 2)], stages=[1, 2])
    with pytest.raises(DefinitionError, match="until lies before"):
        stage_history([("a", "2025-01-01", 1)], stages=[1, 2], until="2024-01-01")
    nobody = stage_history([], stages=[1, 2])
    assert nobody.forecast(1, "9d") == {1: 1.0, 2: 0.0}
    with pytest.raises(DataError, match="no stage 3"):
        nobody.forecast(3, "1d")


# ---------------------------------------------------------------------- measurements


def test_answers_that_are_computed():
    data = journeys(
        [(1, 0, "web"), (1, 1, "mail"), (2, 0, "web"), (2, 1, "mail"), (3, 0, None)],
        campaign=["x", None, "y", None, "z"],
        initiator=["brand", "brand", "customer", "brand", "brand"],
        intent=["sell", "inform", "sell", None, "support"],
    )
    assert channels_with(data, "campaign") == 0.5
    assert messages_that_ask_nothing(data) == pytest.approx(2 / 3)
    assert channels_with_goals(data, []) == 0
    assert math.isnan(channels_with_goals(cx.Journeys.empty(), []))
    answers = measured(
        SEVEN,
        data,
        {"channels_with_source": lambda j: channels_with(j, "campaign"), "tactics_linked": 1.0},
    )
    assert answers["rad.source"].value == 0.5
    assert answers["opt.linked"] == Answer(1.0, "measured: tactics_linked = 1")
    assert SEVEN.assess(answers).level == 1
    unknown = measured(SEVEN, None, {"tactics_linked": math.nan})
    assert unknown["opt.linked"].value is None
    for measures, told in (
        (
            {"tactics_link": 1.0},
            "no criterion of 'cx-seven-stage' is bound to a measurement 'tactics_link'",
        ),
        ({"tactics_linked": 1.2}, "gave 1.2; a measurement is 0 to 1"),
        ({"tactics_linked": lambda _: 1.0}, "needs journeys; found None"),
    ):
        with pytest.raises(DataError, match=told):
            measured(SEVEN, None, measures)


def test_channels_that_were_taken_out_do_not_count():
    table = {
        "who": [1, 1, 2, 3, 4],
        "t": [0, 1, 0, 0, 0],
        "where": ["web", "mail", "web", "tv", None],
        "what": ["buy", "look", "look", "look", "buy"],
        "campaign": ["x", None, "y", None, "z"],
    }
    every = cx.Journeys.from_table(
        table, customer="who", time="t", time_unit="s", channel="where", event="what",
        columns=["campaign"],
    )  # fmt: skip
    web = every.where(every.channel.equals("web"))
    assert channels_with(every, "campaign") == pytest.approx(1 / 3)
    assert channels_with(web, "campaign") == 1
    assert channels_with_goals(every, ["buy"]) == pytest.approx(1 / 3)
    assert channels_with_goals(web, ["buy"]) == 1
    nowhere = every.where(every.channel.is_missing())
    assert math.isnan(channels_with(nowhere, "campaign"))
    assert math.isnan(channels_with_goals(nowhere, ["buy"]))


def test_equivalent_staging_needs_targets():
    with pytest.raises(DataError, match="no stage of model 'small' has targets"):
        equivalent_stage(MODEL, {"people": 2})
    with pytest.raises(DataError, match="no dimension 'peopel'"):
        equivalent_stage(MODEL, {"peopel": 2})
    assert np.isnan(krippendorff_alpha([[1.0, math.nan], [math.nan, 1.0]]))
