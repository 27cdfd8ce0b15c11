"""Effort: parts that add up, a touchpoint more is never less; the same counted in plain Python."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import cxkit as cx
from cxkit.errors import DataError, DefinitionError, UnknownLabelError
from cxkit.flow import EffortCounts, Friction
from cxkit.flow.friction.friction import PARTS
from tests.examples import some
from tests.strategies import grouped, journeys_of, touchpoint_rows

WEIGHTS = {"steps": 1, "minutes": 0.25, "repeats": 2, "errors": 5, "switches": 3}
FRICTION = Friction(WEIGHTS, errors=["mail", cx.Goal("cart", "app")], idle="30min")


def counted(rows):
    """The parts of one journey in plain Python: steps, microseconds, repeats, errors, switches."""
    seen, channel = set(), None
    parts = [0] * 5
    for at, (_, time, event, where, *_) in enumerate(rows):
        parts[0] += 1
        parts[1] += min(time - rows[at - 1][1], 30 * 60_000_000) if at else 0
        parts[2] += event in seen
        seen |= {event} - {None}
        parts[3] += event == "mail" or (event == "cart" and where == "app")
        parts[4] += channel is not None and where is not None and where != channel
        channel = channel if where is None else where
    return parts


@settings(max_examples=some(50))
@given(touchpoint_rows())
def test_parts_are_those_of_plain_python(rows):
    found = FRICTION.effort(journeys_of(rows))
    assert found.parts.tolist() == [counted(own) for own in grouped(rows).values()]
    for parts, effort in zip(found.parts.tolist(), found.effort.tolist(), strict=True):
        parts[1] /= 60e6
        assert effort == pytest.approx(
            sum(p * w for p, w in zip(parts, WEIGHTS.values(), strict=True))
        )


@settings(max_examples=some(25))
@given(touchpoint_rows(min_rows=1))
def test_an_explanation_adds_up(rows):
    for journey in journeys_of(rows):
        told = FRICTION.explain(journey)
        assert (
            told.parts.sum(axis=0).tolist() == FRICTION.effort(journey.journeys).parts[0].tolist()
        )
        assert told.adds.sum() == pytest.approx(told.effort)
        assert told.effort == FRICTION.effort(journey)


@settings(max_examples=some(50))
@given(touchpoint_rows(min_rows=2, customers=1), st.data())
def test_a_touchpoint_more_is_never_less_effort(rows, data):
    less = list(rows)
    del less[data.draw(st.integers(0, len(rows) - 1))]
    more, fewer = FRICTION.effort(journeys_of(rows)), FRICTION.effort(journeys_of(less))
    assert (more.parts[0] >= fewer.parts[0]).all()
    assert more.effort[0] >= fewer.effort[0]


@settings(max_examples=some(25))
@given(touchpoint_rows(customers=9))
def test_the_summary_is_the_sum(rows):
    journeys = journeys_of(rows)
    each = FRICTION.effort(journeys)
    told = EffortCounts.of(journeys, friction=FRICTION, goal="buy").result()
    assert told.total[:-1] == pytest.approx(each.parts.sum(axis=0) / [1, 60e6, 1, 1, 1])
    assert told.total[-1] == pytest.approx(each.effort.sum())
    reached = np.array([any(r[2] == "buy" for r in own) for own in grouped(rows).values()], bool)
    assert told.reached == reached.sum()
    for mean, part in ((told.reached_mean, reached), (told.lost_mean, ~reached)):
        if part.any():
            assert mean[0, -1] == pytest.approx(each.effort[part].mean())
        else:
            assert np.isnan(mean[0]).all()


def test_the_interval_holds_the_mean_of_the_population_as_often_as_it_says():
    """Journeys of 1 to 9 touchpoints: the mean is 5; 200 samples of 300 customers."""
    friction, held = Friction({"steps": 1}), 0
    rng = np.random.default_rng(4)
    for _ in range(200):
        size = rng.integers(1, 10, 300)
        customer = np.repeat(rng.permutation(10_000)[:300], size)
        journeys = cx.Journeys.from_codes(
            customer=cx.core.codes.Codes.of(customer), time=np.arange(len(customer)), columns={}
        )
        mean = friction.count(journeys).mean
        held += mean[1, 0] <= 5 <= mean[2, 0]
    assert 0.90 <= held / 200 <= 0.985


def test_a_missing_event_repeats_nothing_and_a_missing_channel_is_no_switch():
    rows = [("c", k, None, where, None, math.nan) for k, where in enumerate(["web", None, "web"])]
    assert FRICTION.effort(journeys_of(rows)).parts[0].tolist() == [3, 2, 0, 0, 0]


def test_tables_say_how_they_are_made():
    journeys = cx.simulate.retail(300, rng=1).journeys
    told = Friction({"steps": 1}).count(journeys, goal="purchase")
    columns = told.columns()
    assert list(columns["part"]) == [*PARTS, "effort"]
    assert list(columns["effort_share"])[:2] == [1.0, 0.0]
    assert "reach purchase" in told.title()
    assert "not what effort costs" in told.notes()[1]
    assert "lost_mean" not in Friction({"steps": 1}).count(journeys).columns()
    assert len(Friction({}).count(cx.Journeys.empty())) == 6


def test_round_trip_and_what_is_refused():
    assert Friction.from_dict(json.loads(json.dumps(FRICTION.to_dict()))) == FRICTION
    with pytest.raises(DefinitionError, match=r"no part of effort is called 'step'.*'steps'"):
        Friction({"step": 1})
    with pytest.raises(DefinitionError, match="a number from 0 up"):
        Friction({"steps": -1})
    with pytest.raises(DefinitionError, match="a number from 0 up"):
        Friction({"steps": math.nan})
    with pytest.raises(DefinitionError, match="weights are named"):
        Friction(3)
    with pytest.raises(DataError, match="weights"):
        Friction.from_dict({"schema": "cxkit/friction/1"})
    journeys = cx.simulate.retail(20, rng=1).journeys
    with pytest.raises(UnknownLabelError, match="no event 'eror'"):
        Friction({}, errors="eror").count(journeys)
    with pytest.raises(DefinitionError, match="one journey"):
        Friction({}).explain(journeys)
