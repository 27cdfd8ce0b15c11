"""Cutting into paths, and the summary of the distinct ones."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given

from cxkit.attribution import (
    FirstTouch,
    LastTouch,
    Linear,
    PathRule,
    Paths,
    PositionBased,
    RuleCredit,
    TimeDecay,
    attribute_paths,
)
from cxkit.errors import DataError, DefinitionError
from cxkit.model.goal import Goal
from tests.attribution.brute import Row, cut, logs, options, to_journeys


@given(logs, options)
def test_paths_equal_plain_python(log, given_options):
    got = Paths.of(to_journeys(log), goal="buy", **given_options)
    expected = {}
    for path in cut(log, **given_options):
        key = tuple(channel for _, channel, _ in path.touches)
        row = expected.setdefault(key, [0, 0, 0.0])
        row[0] += path.converted
        row[1] += not path.converted
        row[2] += path.value
    bare = expected.pop((), [0, 0, 0.0])
    labels = [*got.labels, None]
    counted = {}
    for s in range(len(got)):
        key = tuple(labels[c] for c in got.codes[got.offsets[s] : got.offsets[s + 1]])
        row = counted.setdefault(key, [0, 0, 0.0])
        for i, name in enumerate(("conversions", "nulls", "value")):
            row[i] += getattr(got, name)[s].item()
    assert counted == expected  # values are multiples of a half: their sums are exact
    assert got.unattributed_conversions.sum() == bare[0]
    assert got.untouched_nulls.sum() == bare[1]
    assert got.unattributed_value.sum() == bare[2]


@pytest.mark.parametrize("model", [FirstTouch(), LastTouch(), Linear(), PositionBased()])
@given(log=logs, given_options=options)
def test_rules_are_in_the_paths(model, log, given_options):
    journeys = to_journeys(log)
    direct = RuleCredit.of(journeys, model=model, goal="buy", **given_options)
    through = RuleCredit.from_paths(Paths.of(journeys, goal="buy", **given_options), model=model)
    for field in RuleCredit.fields("total"):
        np.testing.assert_allclose(
            getattr(direct, field.name), getattr(through, field.name), rtol=0, atol=1e-10
        )
    assert through.labels == direct.labels
    assert through.rule == direct.rule


def test_a_rule_of_time_is_not_in_the_paths():
    with pytest.raises(DefinitionError, match="needs the times of the touches"):
        attribute_paths(Paths.from_counts([("a", 1, 0, 0)]), TimeDecay())


def test_counts_of_another_tool():
    paths = Paths.from_counts(
        [
            ("a>b", 1, 2, 10.0),
            (" a > b ", 1, 0, math.nan),
            (["b", None], 0, 3, 0),
            ("", 2, 1, 8.0),
            ([], 0, 1, 0),
            ("never > seen", 0, 0, 0),
        ],
        goal=Goal("signup"),
        by="campaign",
    )
    table = paths.result()
    assert table.to_dicts() == [
        {"path": "a > b", "touches": 2, "conversions": 2, "nulls": 2, "value": 10.0, "rate": 0.5},
        {"path": "b > (missing)", "touches": 2, "conversions": 0, "nulls": 3, "value": 0.0,
         "rate": 0.0},
    ]  # fmt: skip
    assert paths.unattributed_conversions.sum() == 2
    assert paths.untouched_nulls.sum() == 2
    assert paths.rule.by == "campaign"
    answer = attribute_paths(paths, LastTouch())
    assert answer.total_conversions == 4
    assert answer.unattributed_value == 8.0
    assert answer.goal == Goal("signup")
    assert np.isnan(answer.share_low).all()  # nobody knows the customers
    assert Paths.from_counts([]).result().to_dicts() == []


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("a", 1, 1), "row 1: expected .path, conversions, nulls, value"),
        (("a", 1, None, 2.0), "row 1: expected"),
        (("a", 1.5, 0, 2.0), "whole numbers from 0 up"),
        (("a", -1, 0, 2.0), "whole numbers from 0 up"),
        (("a", 1, 0, math.inf), "the value is finite"),
        (("a", 1, 0, "much"), "row 1: expected"),
        (("a > > b", 1, 0, 2.0), "a label is empty in 'a > > b'"),
        (("a", 0, 4, 2.0), "a value of 2.0 without a conversion"),
        (([1.5], 1, 0, 0), "a label must be text or a whole number"),
    ],
)
def test_counts_that_cannot_be_are_refused(row, message):
    with pytest.raises(DataError, match=message):
        Paths.from_counts([("b", 1, 1, 1.0), row])


def test_the_table_tells_what_it_hides():
    paths = Paths.from_counts([(x, i, 1, 0) for i, x in enumerate("abcd")])
    shown = paths.result(top=1)
    assert shown.path == ["d"]
    assert shown.notes() == [
        "not shown: 3 more paths and those without a touch, with 3 conversions and 3 null paths"
    ]
    assert len(paths.result(top=None)) == 4
    assert "3 more paths" not in repr(paths)


def test_paths_merge_the_shards_of_their_rows():
    log = [Row(c, 1, "ad", "view", 1.0) for c in range(200)]
    paths = Paths.of(to_journeys(log), goal="buy")
    assert len(paths) > 1
    assert paths.result().to_dicts()[0]["nulls"] == 200


def test_a_rule_is_the_same_however_it_is_written():
    one = PathRule("buy", lookback="48h", touches=["view", Goal("click")])
    other = PathRule(
        Goal("buy"), lookback=np.timedelta64(2, "D"), touches=("click", "view", "view")
    )
    assert one == other
    assert one.lookback == "2d"
    assert PathRule.from_dict(one.to_dict()) == one
    assert PathRule.from_dict(PathRule("buy", touches=7).to_dict()).touches == (Goal(7),)
    with pytest.raises(DataError, match="no path rule"):
        PathRule.from_dict({})
    with pytest.raises(DefinitionError, match="touches is empty"):
        PathRule("buy", touches=[])
    with pytest.raises(DefinitionError, match="lookback='x' is not a span"):
        PathRule("buy", lookback="x")


def test_the_end_of_the_lookback_is_within_it():
    log = [
        Row(1, 0, "ad", "view", 1.0),
        Row(1, 3, "mail", "view", 1.0),
        Row(1, 6, "shop", "buy", 1.0),
    ]
    got = Paths.of(to_journeys(log), goal="buy", lookback="3s").result()
    assert got.path == ["mail > shop"]


def test_rows_after_the_last_conversion_are_a_null_path():
    log = [
        Row(1, 0, "ad", "view", 1.0),
        Row(1, 1, "shop", "buy", 1.0),
        Row(1, 2, "shop", "buy", 1.0),
        Row(1, 3, "mail", "view", 1.0),
        Row(2, 0, "ad", "buy", 1.0),
    ]
    got = Paths.of(to_journeys(log), goal="buy").result()
    assert Counter(
        zip(got.path, got.conversions.tolist(), got.nulls.tolist(), strict=True)
    ) == Counter([("ad > shop", 1, 0), ("shop", 1, 0), ("mail", 0, 1), ("ad", 1, 0)])
