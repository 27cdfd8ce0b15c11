"""Sums of credit over anything, beside what it cost."""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from cxkit.attribution import Linear, Participation, credit
from cxkit.attribution.rules import groupkeys
from cxkit.core.codes import Codes
from cxkit.errors import DefinitionError, SchemaError
from cxkit.model.journeys import Journeys
from tests.attribution.brute import Row, logs, to_journeys
from tests.examples import some

ALWAYS = [Row(99, 0, "ad", "view", math.nan), Row(99, 1, "ad", "buy", 4.0)]


@pytest.mark.parametrize("cells", [1 << 22, 0])
@settings(max_examples=some(30))
@given(logs)
def test_sums_equal_plain_python(cells, log):
    journeys = to_journeys([*log, *ALWAYS])
    earned = credit(journeys, "buy", Linear())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(groupkeys, "_MOST_CELLS", cells)
        got = earned.by("channel", "event")
    expected = defaultdict(lambda: [0, 0.0, 0.0])
    channel, event = journeys.channel.to_list(), journeys.event.to_list()
    for row, key in enumerate(zip(channel, event, strict=True)):
        sums = expected[key]
        sums[0] += 1
        sums[1] += earned.credit[row]
        sums[2] += earned.value[row]
    rows = got.to_dicts()
    assert [(r["channel"], r["event"]) for r in rows] == sorted(
        expected, key=lambda key: ((key[0] is None, key[0] or ""), key[1])
    )
    for row in rows:
        sums = expected[row["channel"], row["event"]]
        assert row["touchpoints"] == sums[0]
        assert [row["conversions"], row["value"]] == pytest.approx(sums[1:], abs=1e-11)
    attributed = earned.conversions - earned.unattributed_conversions
    assert got.conversions.sum() == pytest.approx(attributed, rel=1e-12)
    assert got.share.sum() == pytest.approx(1.0)


DAYS = ["2024-02-28", "2024-02-29", "2024-03-01", "2023-12-31", "1969-12-31", "1970-01-04"]


@settings(max_examples=some(30))
@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from(DAYS)), min_size=1, max_size=20))
def test_time_is_grouped_as_the_calendar_does(rows):
    days = [datetime.fromisoformat(day).replace(tzinfo=UTC) for _, day in rows]
    journeys = Journeys.from_table(
        {"who": [w for w, _ in rows], "time": days, "event": ["buy"] * len(rows)},
        customer="who",
        time="time",
        event="event",
    )
    earned = credit(journeys, "buy", Linear())
    sorted_rows = sorted((w, day) for (w, _), day in zip(rows, days, strict=True))
    first = {}
    for who, day in sorted_rows:
        first.setdefault(who, day)
    names = {
        "day": lambda _, day: day.date().isoformat(),
        "week": lambda _, day: (day.date() - timedelta(days=day.weekday())).isoformat(),
        "month": lambda _, day: day.strftime("%Y-%m"),
        "year": lambda _, day: day.strftime("%Y"),
        "cohort": lambda who, _: first[who].strftime("%Y-%m"),
        "customer": lambda who, _: who,
    }
    for key, name in names.items():
        expected = defaultdict(int)
        for who, day in sorted_rows:
            expected[name(who, day)] += 1
        got = earned.by(key)
        assert dict(zip(got.keys[key], got.touchpoints.tolist(), strict=True)) == expected
        assert got.conversions.tolist() == pytest.approx(list(got.touchpoints))


def costed():
    rng = np.random.default_rng(1)
    E = 3_000
    return Journeys.from_codes(
        customer=rng.integers(0, 900, E),
        time=rng.integers(0, 10**12, E),
        columns={
            "channel": Codes.from_codes(rng.integers(0, 3, E), ["ad", "mail", "shop"]),
            "event": rng.integers(0, 5, E),
            "value": rng.integers(1, 9, E).astype(float),
            "spend": np.where(rng.random(E) < 0.5, np.nan, rng.random(E)),
            "day": Codes.of(["a day of its own"] * E),
        },
    )


def test_costs_by_a_column_and_by_name():
    journeys = costed()
    earned = credit(journeys, 3, Linear())
    got = earned.by("channel", cost="spend")
    spent = [
        np.nansum(journeys["spend"][journeys.channel.equals(label)])
        for label in ("ad", "mail", "shop")
    ]
    assert got.cost.tolist() == pytest.approx(spent)
    assert got.cost_per_conversion.tolist() == pytest.approx(list(got.cost / got.conversions))
    assert got.roi.tolist() == pytest.approx(list((got.value - got.cost) / got.cost))
    assert (got.roi_low < got.roi).all()
    assert (got.roi < got.roi_high).all()
    named = earned.by("channel", cost={"ad": 10, "shop": 0})
    assert named.cost.tolist() == [10.0, 0.0, 0.0]
    assert np.isnan(named.roi).tolist() == [False, True, True]
    assert "no return on investment where nothing is spent" in repr(named)
    pairs = earned.by("channel", "event", cost={("ad", 3): 5.0})
    assert pairs.cost.sum() == 5.0
    assert earned.by("day").keys == {"day": ["a day of its own"]}


def test_intervals_are_those_of_leaving_customers_out():
    journeys = costed()
    got = credit(journeys, 3, Linear()).by("channel", cost="spend")
    shares, returns = [], []
    for shard in np.unique(journeys.shards):
        rest = journeys.take(np.flatnonzero(journeys.shards != shard))
        part = credit(rest, 3, Linear()).by("channel", cost="spend")
        shares.append(part.share)
        returns.append(part.roi)
    t = 1.99834  # Student's t, 63 degrees, 97.5%
    for name, low, left in (("share", got.share_low, shares), ("roi", got.roi_low, returns)):
        error = np.sqrt(63 * np.var(left, axis=0))
        np.testing.assert_allclose(getattr(got, name) - low, t * error, rtol=1e-4)


def test_labels_of_ones_own():
    journeys = to_journeys(ALWAYS)
    earned = credit(journeys, "buy", Participation())
    table = earned.by(half=["first", None])
    assert table.keys == {"half": ["first", None]}
    assert table.conversions.tolist() == [0.5, 0.5]
    assert np.isnan(table.share_low).all()
    assert "do not sum to the conversions" in repr(table)
    assert repr(table).startswith("participation: buy by half")
    assert next(iter(earned.by(value=["a", "b"]).columns())) == "value (key)"


@pytest.mark.parametrize(
    ("arguments", "columns", "error", "message"),
    [
        ([], {}, DefinitionError, "at least one key"),
        (["chanel"], {}, SchemaError, "Did you mean 'channel'"),
        (["value"], {}, SchemaError, "'value' holds numbers"),
        ([], {"half": ["x"]}, SchemaError, "'half' has 1 labels for 2 touchpoints"),
        (["channel"], {"cost": "channel"}, SchemaError, "cost='channel' holds labels"),
        (["channel"], {"cost": {"adx": 1.0}}, DefinitionError, "no group of .*Did you mean 'ad'"),
        (["channel"], {"cost": {"ad": math.inf}}, DefinitionError, "must be finite"),
        (["channel"], {"cost": 3.0}, DefinitionError, "cost must be the name of a numeric column"),
        (["channel"], {"level": 2}, DefinitionError, "level must lie between 0 and 1"),
    ],
    ids=map(str, range(9)),
)
def test_what_cannot_be_summed_is_refused(arguments, columns, error, message):
    earned = credit(to_journeys(ALWAYS), "buy", Linear())
    with pytest.raises(error, match=message):
        earned.by(*arguments, **columns)


def test_no_touchpoint_at_all():
    journeys = to_journeys(ALWAYS)
    earned = credit(journeys, "buy", Linear())
    empty = type(earned)(
        **{
            f: getattr(earned, f)
            for f in (
                "rule",
                "model",
                "conversions",
                "unattributed_conversions",
                "unattributed_value",
            )
        },
        journeys=journeys[:0],
        credit=np.zeros(0),
        value=np.zeros(0),
    )
    for key in ("channel", "day", "cohort", "week"):
        assert len(empty.by(key)) == 0
