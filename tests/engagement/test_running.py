"""Scores after each touchpoint, at many instants, and taken apart."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from cxkit.engagement import (
    EngagementScale,
    Inactivity,
    LinearDecay,
    PointRule,
    RollingWindow,
    ScoreHistory,
)
from cxkit.errors import CxWarning, DefinitionError, SchemaError
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys
from cxkit.model.touchpoint import Touchpoint
from tests.engagement.scales import MINUTE, quiet, scales, slow_due, slow_score
from tests.examples import some
from tests.strategies import grouped, journeys_of, touchpoint_rows

few = settings(max_examples=some(60))


def at_of(minute):
    return np.datetime64(minute * MINUTE, "us")


@few
@given(touchpoint_rows(), scales())
def test_running_is_the_score_of_what_has_come_so_far(rows, scale):
    journeys = journeys_of(rows)
    found = scale.running(journeys)
    place = 0
    for journey in grouped(rows).values():
        for k, row in enumerate(journey):
            right, rounding = slow_score(scale, journey[: k + 1], row[1])
            assert abs(found[place] - right) <= 4 * rounding
            place += 1
    assert place == len(found)
    assert not found.flags.writeable


@few
@given(touchpoint_rows(), scales())
def test_running_and_contributions_of_one_are_those_among_many(rows, scale):
    journeys = journeys_of(rows)
    for verb in (scale.running, lambda j: scale.contributions(j, at=at_of(200))):
        whole = verb(journeys)
        for j, journey in enumerate(journeys):
            first, last = journeys.offsets[j : j + 2]
            assert np.array_equal(verb(journey), whole[first:last])


@few
@given(touchpoint_rows(), scales(), st.integers(-10, 400))
def test_contributions_add_up_to_the_scores(rows, scale, minute):
    journeys = journeys_of(rows)
    scores = quiet(scale, journeys, at_of(minute))
    added = scale.contributions(journeys, at=at_of(minute))
    assert not added[journeys.time > at_of(minute)].any()
    for j, journey in enumerate(grouped(rows).values()):
        first, last = journeys.offsets[j : j + 2]
        rounding = slow_score(scale, journey, minute * MINUTE)[1]
        together = math.fsum(added[first:last])
        if isinstance(scale.ageing, Inactivity):
            assert together >= scores.values[j] - rounding
        else:
            assert abs(together - scores.values[j]) <= rounding


@few
@given(touchpoint_rows(), scales(), st.lists(st.integers(-10, 400), min_size=1, max_size=4))
def test_many_instants_are_one_after_another(rows, scale, minutes):
    journeys = journeys_of(rows)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CxWarning)
        history = scale.score_at(journeys, list(map(at_of, minutes)))
    assert history.values.shape == (len(journeys), len(minutes))
    for place, minute in enumerate(minutes):
        scores = quiet(scale, journeys, at_of(minute))
        assert np.array_equal(history.values[:, place], scores.values)
        assert np.array_equal(history.excluded[:, place], scores.excluded)
        assert np.array_equal(history.at(place).values, scores.values)
        assert history.at(place).stamp == scores.stamp


@few
@given(touchpoint_rows(), scales(), st.integers(-10, 400), st.sampled_from(["channel", "campaign"]))
def test_parts_by_a_column_add_up(rows, scale, minute, by):
    journeys = journeys_of(rows)
    parts = scale.score_by(journeys, by, at=at_of(minute))
    visits = scale.score_by(journeys, "visit", at=at_of(minute), gap="30min")
    rounding = sum(slow_score(scale, j, minute * MINUTE)[1] for j in grouped(rows).values())
    total = math.fsum(quiet(scale, journeys, at_of(minute)).values)
    for found in (parts, visits):
        assert abs(found.total - total) <= rounding
        assert abs(math.fsum(found.score) - found.inactivity - found.total) <= 4 * rounding
        assert found.touchpoints.sum() == (journeys.time <= at_of(minute)).sum()
        due = [slow_due(scale, j, minute * MINUTE) for j in grouped(rows).values()]
        assert 0 <= found.inactivity <= sum(due)
    assert len(set(parts.labels)) == len(parts.labels)


# ---------------------------------------------------------------- worked examples


def ann(*days, event="view", channel=None):
    return Journey.of([Touchpoint("ann", f"2024-01-{d:02d}", event, channel) for d in days])


def test_windows_and_straight_lines():
    window = EngagementScale([PointRule("view", 8)], ageing=RollingWindow("7d"))
    assert window.running(ann(1, 2, 8, 20)).tolist() == [8, 16, 16, 8]
    line = EngagementScale([PointRule("view", 8)], ageing=LinearDecay("8d"))
    assert line.running(ann(1, 3, 5, 20)).tolist() == [8, 14, 18, 8]
    assert line.score(ann(1, 3), at="2024-01-09") == 2.0


def test_inactivity_is_over_with_the_next_activity():
    ageing = Inactivity({"10d": 5, "20d": 100}, events=["view"])
    scale = EngagementScale([PointRule("view", 8), PointRule("mail", 0)], ageing=ageing)
    days = [*(("view", 1), ("mail", 5), ("mail", 11), ("mail", 25), ("view", 26))]
    journey = Journey.of([Touchpoint("ann", f"2024-01-{d:02d}", e) for e, d in days])
    assert scale.running(journey).tolist() == [8, 8, 3, 0, 16]
    told = scale.explain(journey, at="2024-01-25")
    assert told.rule[-1] == "inactivity"
    assert told.to_dicts()[-1]["earned"] == -8
    parts = scale.score_by(journey, "event", at="2024-01-25")
    assert (parts.total, parts.inactivity) == (0, 8)
    assert "inactivity takes 8.000 off" in repr(parts)


def test_rounding_is_no_inactivity():
    rules = [PointRule("view", 0.1), PointRule("buy", 0.2)]
    rules.append(PointRule("buy", 0.3, count="once_per_customer"))
    days = [("view", 1), ("buy", 2)]
    journey = Journey.of([Touchpoint("ann", f"2024-01-{d:02d}", e) for e, d in days])
    for points, cap in ((10, None), (10, 0.5), (0, None)):
        scale = EngagementScale(rules, ageing=Inactivity({"30d": points}), cap=cap)
        assert "inactivity" not in scale.explain(journey, at="2024-01-02").rule
        assert ("inactivity" in scale.explain(journey, at="2024-02-01").rule) == (points > 0)
        for by in ("event", "visit"):
            assert scale.score_by(journey, by, at="2024-01-02").inactivity == 0
            assert "inactivity" not in repr(scale.score_by(journey, by, at="2024-01-02"))
    partly = EngagementScale(rules, ageing=Inactivity({"30d": 0.25}))
    assert partly.score_by(journey, "event", at="2024-02-01").inactivity == 0.25
    assert partly.explain(journey, at="2024-02-01").earned[-1] == -0.25
    nobody = partly.score_by(Journeys.empty(), "event", at="2024-02-01")
    assert nobody.inactivity == 0


def test_what_a_cap_takes_is_told_where_it_is_taken():
    scale = EngagementScale(
        [
            PointRule("view", 10, cap=25),
            PointRule("demo", 30, group="sales"),
            PointRule("call", -50),
        ],
        group_caps={"sales": 40},
        cap=60,
        floor=-5,
    )
    events = ["view", "view", "view", "demo", "demo", "call", "call"]
    journey = Journey.of(
        [Touchpoint("ann", f"2024-01-0{d}", e) for d, e in enumerate(events, start=1)]
    )
    told = scale.explain(journey, at="2024-02-01")
    assert told.earned.tolist() == [10, 10, 5, 30, 5, -45, -20]
    assert told.capped.tolist() == [0, 0, 5, 0, 25, -5, -30]
    assert told.reason == (
        "",
        "",
        "over the cap of its rule",
        "",
        "over the cap of its group, over the cap of the scale",
        "makes room under the cap of the scale",
        "at the floor of the scale",
    )
    assert told.score == -5
    assert "capped" in repr(told)
    assert scale.running(journey).tolist() == [10, 20, 25, 55, 60, 15, -5]


def test_visits_and_columns_as_tables():
    scale = EngagementScale([PointRule("view", 8)], half_life="7d")
    journey = ann(1, 8, channel="web")
    visits = scale.score_by(journey, "visit", at="2024-01-15")
    assert visits.to_dicts()[0]["score"] == 2.0
    assert [str(row["visit"])[:10] for row in visits.to_dicts()] == ["2024-01-01", "2024-01-08"]
    by = scale.score_by(journey, at="2024-01-10")
    assert list(by.columns()) == ["channel", "touchpoints", "score"]
    assert by.labels == ("web",)
    assert "all scores together: " in repr(by)
    with pytest.raises(SchemaError, match="no column 'campain'"):
        scale.score_by(journey, "campain", at="2024-01-10")


def test_a_history_is_a_table_of_instants():
    scale = EngagementScale([PointRule("view", 8)], half_life="7d", name="shop")
    history = scale.score_at(ann(1).journeys, ["2024-01-01", "2024-01-08"])
    assert isinstance(history, ScoreHistory)
    assert history.to_dicts() == [{"customer": "ann", "2024-01-01 UTC": 8.0, "2024-01-08 UTC": 4.0}]
    assert "shop at 2 instants, half-life 7d" in repr(history)
    assert history.customer.to_list() == ["ann"]
    with pytest.raises(IndexError, match="instant 2 of 2"):
        history.at(2)
    for wrong in ([], "2024-01-01", 5):
        with pytest.raises(DefinitionError, match="instants"):
            scale.score_at(ann(1), wrong)


def test_nothing_has_no_parts():
    scale = EngagementScale([PointRule("view", 8)], ageing=RollingWindow("1d"), cap=5)
    nothing = Journeys.empty()
    assert (
        scale.running(nothing).shape == scale.contributions(nothing, at="2024-01-01").shape == (0,)
    )
    assert len(scale.score_by(nothing, at="2024-01-01")) == 0
    assert len(scale.score_by(nothing, "visit", at="2024-01-01")) == 0
    assert scale.score_at(nothing, ["2024-01-01"]).values.shape == (0, 1)
