import json
import math
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from cxkit import DataError, DefinitionError, Goal, Journeys, UnknownLabelError
from cxkit.flow import ActiveCounts, ActiveDayCounts, Stickiness
from tests.examples import some
from tests.strategies import grouped, journeys_of, touchpoint_rows

FEW = settings(max_examples=some(50))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = 86_400_000_000
RULES = st.builds(
    Stickiness,
    since=st.sampled_from(["1970-01-01", "1970-01-03T05:00Z", "1969-12-01"]),
    until=st.sampled_from(["1970-01-20", "1970-02-01T13:00Z"]),
    windows=st.sampled_from([[1, 7, 28], [1], [2, 3]]),
    act=st.sampled_from([None, "buy", Goal("view", "web"), "never"]),
    tz=st.sampled_from(["UTC", "Asia/Tokyo", "America/New_York"]),
)


def slow_days(rule, rows):
    """For each journey, the days on which it was active."""
    zone, found = ZoneInfo(rule.tz), []
    for part in grouped(rows).values():
        moments = [
            EPOCH + timedelta(microseconds=row[1])
            for row in part
            if rule.act is None or rule.act.reached_by(row[2], row[3])
        ]
        found.append({moment.astimezone(zone).date() for moment in moments})
    return found


def whole_days(rule):
    """The days that lie between since and until as a whole."""
    zone = ZoneInfo(rule.tz)
    since, until = (datetime.fromisoformat(end) for end in (rule.since, rule.until))
    days = [date(1969, 11, 1) + timedelta(days=k) for k in range(120)]

    def begins(day):
        return datetime(day.year, day.month, day.day, tzinfo=zone)

    return [day for day in days if begins(day) >= since and begins(day + timedelta(1)) <= until]


@given(touchpoint_rows(customers=9), RULES)
@FEW
def test_a_journey_is_active_in_a_window_if_on_any_day_of_it(rows, rule):
    rows = [(who, t * 150, *rest) for who, t, *rest in rows]  # over a month
    days, lives = whole_days(rule), slow_days(rule, rows)
    table = ActiveCounts.of(journeys_of(rows), stickiness=rule).result()
    assert table.day.tolist() == days
    for at, day in enumerate(days):
        for w, length in enumerate(rule.windows):
            window = {day - timedelta(days=k) for k in range(length)} & set(days)
            assert table.active[at, w] == sum(bool(life & window) for life in lives)
        assert table.complete[at] == (at >= rule.windows[-1] - 1)
    short, long = table.active[table.complete][:, [0, -1]].sum(axis=0).tolist()
    assert table.overall[0] == pytest.approx(short / long if long else math.nan, nan_ok=True)


@given(touchpoint_rows(customers=9), RULES, st.sampled_from(["week", "month"]))
@FEW
def test_active_days_of_each_period_are_counted(rows, rule, every):
    rows = [(who, t * 150, *rest) for who, t, *rest in rows]
    days, want = set(whole_days(rule)), defaultdict(Counter)
    for life in slow_days(rule, rows):
        periods = Counter(
            day.replace(day=1) if every == "month" else day - timedelta(days=day.weekday())
            for day in life & days
        )
        for period, many in periods.items():
            want[period][many] += 1
    table = ActiveDayCounts.of(journeys_of(rows), stickiness=rule, every=every).result()
    found = defaultdict(Counter)
    for row in table.to_dicts():
        found[row[every]][row["days"]] = row["journeys"]
    assert found == want
    assert table.period.tolist() == sorted(want)
    assert table.share.sum(axis=1).tolist() == pytest.approx([1.0] * len(want))
    for period, complete in zip(table.period.tolist(), table.complete.tolist(), strict=True):
        after = (
            (period + timedelta(days=32)).replace(day=1)
            if every == "month"
            else period + timedelta(days=7)
        )
        every_day = {period + timedelta(days=k) for k in range((after - period).days)}
        assert complete == (every_day <= days)


def people(*lives):
    rows = [
        (f"c{j}", (day - 1) * DAY, "view", None, None, 1.0)
        for j, life in enumerate(lives)
        for day in life
    ]
    return journeys_of(rows)


def test_the_ratio_is_one_where_all_come_every_day():
    rule = Stickiness(since="1970-01-01", until="1970-02-01", windows=[1, 28])
    daily = rule.count(people(*[range(1, 32)] * 20))
    assert daily.overall[0] == 1
    assert daily.ratio[-1] == 1
    once = rule.count(people(*[[day] for day in range(1, 29)]))
    assert once.ratio[27] == pytest.approx(1 / 28)
    assert (
        "3.6%"
        in Stickiness(since="1970-01-01", until="1970-01-29", windows=[1, 28])
        .count(people(*[[day] for day in range(1, 29)]))
        .title()
    )
    assert "whose longest window begins before the data" in once.notes()[-1]
    assert (
        len(
            Stickiness(since="1970-01-01", until="1970-01-05", windows=[1])
            .count(people([1]))
            .notes()
        )
        == 2
    )


def test_no_journeys_are_not_active():
    rule = Stickiness(since="1970-01-01", until="1970-01-03")
    found = rule.count(Journeys.empty())
    assert found.active.tolist() == [[0, 0, 0], [0, 0, 0]]
    assert np.isnan(found.ratio).all()
    assert found.title() == "active journeys, 1 against 28 days"
    days = rule.active_days(Journeys.empty())
    assert len(days) == 0
    assert repr(days)


def test_notes_tell_of_periods_that_lack_days():
    rule = Stickiness(since="1970-01-01", until="1970-02-01")
    assert rule.active_days(people([1], [4])).complete.tolist() == [True]
    week = rule.active_days(people([1]), "week")
    assert "not complete: 1 periods" in week.notes()[-1]
    assert "on how many days of a week" in week.title()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"until": "1970-01-01T20:00Z"}, "there is no whole day"),
        ({"until": "1969-01-01"}, "there is no whole day"),
        ({"since": "now"}, "since|until|not a date"),
        ({"tz": "Mars"}, "no time zone"),
        *(
            ({"windows": bad}, "windows are numbers of days")
            for bad in ([], [0], [1.5], "7", 7, [True])
        ),
    ],
)
def test_a_definition_that_is_none_is_refused(options, told):
    with pytest.raises(DefinitionError, match=told):
        Stickiness(**{"since": "1970-01-01", "until": "1970-02-01", **options})


def test_bad_questions_are_refused():
    rule = Stickiness(since="1970-01-01", until="1970-02-01", act="bye")
    with pytest.raises(UnknownLabelError, match="no event 'bye'"):
        rule.count(people([1]))
    with pytest.raises(DefinitionError, match="every is one of"):
        Stickiness(since="1970-01-01", until="1970-02-01").active_days(people([1]), "year")
    with pytest.raises(DataError, match="no stickiness"):
        Stickiness.from_dict({})


@given(RULES)
@FEW
def test_a_definition_survives_json(rule):
    assert Stickiness.from_dict(json.loads(json.dumps(rule.to_dict()))) == rule
