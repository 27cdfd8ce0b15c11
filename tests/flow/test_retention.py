import json
import math
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import cxkit as cx
from cxkit import DataError, DefinitionError, Journeys, MergeError, UnknownLabelError
from cxkit.core.periods import (
    PERIODS,
    check_period,
    local_days,
    period_begins,
    period_begins_us,
    period_of_days,
)
from cxkit.flow import Retention, RetentionCounts, compare_retention
from tests.examples import some
from tests.strategies import grouped, journeys_of, touchpoint_rows

FEW = settings(max_examples=some(40))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ZONES = ["UTC", "Asia/Tokyo", "America/New_York", "America/Sao_Paulo", "Africa/Cairo"]


def moment(us):
    return EPOCH + timedelta(microseconds=us)


def day_of(us, tz):
    return moment(us).astimezone(ZoneInfo(tz)).date()


def number_of(day, every):
    if every == "day":
        return (day - date(1970, 1, 1)).days
    if every == "week":
        return ((day - date(1970, 1, 1)).days + 3) // 7
    return ((day.year - 1970) * 12 + day.month - 1) // {"month": 1, "quarter": 3, "year": 12}[every]


@st.composite
def retentions(draw):
    clock = draw(st.sampled_from(["calendar", "calendar", "rolling"]))
    every = draw(st.sampled_from(["day", "week"] if clock == "rolling" else list(PERIODS[:4])))
    return Retention(
        until=draw(st.sampled_from(["1970-02-14", "1970-03-01T12:30Z", "1970-01-01T01:00Z"])),
        every=every,
        brackets=draw(st.sampled_from([1, 4, [0, 1, 3, 7], [2, 5], [0, 30]])),
        unbounded=draw(st.booleans()),
        clock=clock,
        start=draw(st.sampled_from([None, "view", "never"])),
        back=draw(st.sampled_from([None, "buy", cx.Goal("view", "web")])),
        cohort=draw(st.sampled_from([None, "week", "month"])),
        tz=draw(st.sampled_from(ZONES)),
    )


def slow_counts(rule, rows):
    """Journey by journey: {(cohort, bracket): [eligible, returned]}, sizes, and those outside."""
    until = datetime.fromisoformat(rule.until)
    found, size, outside = {}, Counter(), 0
    for part in grouped(rows).values():
        seen = [row for row in part if moment(row[1]) < until]
        at = next(
            (i for i, row in enumerate(seen) if rule.start is None or row[2] == rule.start.event),
            None,
        )
        if at is None:
            outside += 1
            continue
        start = seen[at][1]
        cohort = number_of(day_of(start, rule.tz), rule.cohort_every)
        size[cohort] += 1
        ages = []
        for row in seen[at + 1 :]:
            if rule.back is None or rule.back.reached_by(row[2], row[3]):
                if rule.clock == "rolling":
                    length = {"day": 1, "week": 7}[rule.every] * 86_400_000_000
                    ages.append((row[1] - start) // length)
                else:
                    first = number_of(day_of(start, rule.tz), rule.every)
                    ages.append(number_of(day_of(row[1], rule.tz), rule.every) - first)
        for b, (low, high) in enumerate(pairwise(rule.brackets)):
            if rule.clock == "rolling":
                length = timedelta(days={"day": 1, "week": 7}[rule.every])
                over = moment(start) + high * length <= until
            else:
                # The bracket is over when the calendar of the zone, at that instant, is past it.
                begun = number_of(day_of(start, rule.tz), rule.every)
                last = until - timedelta(microseconds=1)
                now = number_of(last.astimezone(ZoneInfo(rule.tz)).date(), rule.every)
                after = number_of(until.astimezone(ZoneInfo(rule.tz)).date(), rule.every)
                over = after >= begun + high and (now >= begun + high or after > now)
            back = any(low <= age and (rule.unbounded or age < high) for age in ages)
            cell = found.setdefault((cohort, b), [0, 0])
            cell[0] += over
            cell[1] += over and back
    return found, size, outside


@given(touchpoint_rows(customers=9), retentions())
@settings(max_examples=some(70))
def test_retention_is_counted_journey_by_journey(rows, rule):
    rows = [(who, t * 250, *rest) for who, t, *rest in rows]  # over two months
    found, size, outside = slow_counts(rule, rows)
    table = RetentionCounts.of(journeys_of(rows), retention=rule).result()
    cohorts = sorted(size)
    assert (
        table.cohort.tolist() == period_begins(np.array(cohorts, int), rule.cohort_every).tolist()
    )
    assert table.journeys.tolist() == [size[c] for c in cohorts]
    brackets = range(len(rule.brackets) - 1)
    assert table.eligible.tolist() == [[found[c, b][0] for b in brackets] for c in cohorts]
    assert table.returned.tolist() == [[found[c, b][1] for b in brackets] for c in cohorts]
    assert table.outside == outside
    curve = RetentionCounts.of(journeys_of(rows), retention=rule).curve()
    assert curve.eligible.tolist() == table.eligible.sum(axis=0).tolist()
    assert curve.returned.tolist() == table.returned.sum(axis=0).tolist()
    assert len(curve) == len(brackets)
    assert len(table) == len(brackets) * len(cohorts)


def people(*lives):
    """Journeys from texts such as "1v 3b": day of January and event."""
    names = {"v": "view", "b": "buy"}
    rows = [
        (f"c{j}", (int(word[:-1]) - 1) * 86_400_000_000, names[word[-1]], None, None, 1.0)
        for j, text in enumerate(lives)
        for word in text.split()
    ]
    return journeys_of(rows)


def returned(*lives, **options):
    rule = Retention(until="1970-02-01", every="day", cohort="month", **options)
    return rule.count(people(*lives)).returned.tolist()[0]


def test_in_a_bracket_or_from_it_on():
    assert returned("1v 1b 3v", "5v 12b", brackets=[0, 1, 3, 14]) == [1, 1, 1]
    assert returned("1v 1b 3v", "5v 12b", brackets=[0, 1, 3, 14], unbounded=True) == [2, 2, 1]
    # The start itself is no return.
    assert returned("1v", "2v", brackets=3) == [0, 0, 0]


def test_what_begins_and_what_counts_as_coming_back():
    assert returned("1v 2b 3b", brackets=3, start="buy") == [0, 1, 0]
    assert returned("1v 2v 3b", brackets=3, back="buy") == [0, 0, 1]
    assert returned("1b 2b", brackets=2, start="buy", back="buy") == [0, 1]


def test_days_of_the_calendar_or_of_24_hours():
    rows = [("c", 20 * 3_600_000_000, "view", None, None, 1.0)]
    rows.append(("c", 30 * 3_600_000_000, "view", None, None, 1.0))  # ten hours later, next day
    for clock, want in (("calendar", [0, 1]), ("rolling", [1, 0])):
        rule = Retention(until="1970-02-01", every="day", brackets=2, clock=clock)
        assert rule.count(journeys_of(rows)).returned.tolist() == [want]


def test_open_brackets_are_marked_and_not_low():
    rule = Retention(until="1970-01-04", every="day", brackets=3)
    found = rule.count(people("1v 2v", "2v 3v", "3v"))
    assert found.eligible.tolist() == [[1, 1, 1], [1, 1, 0], [1, 0, 0]]
    assert found.rate[:, 1].tolist() == pytest.approx([1, 1, math.nan], nan_ok=True)
    assert found.complete.tolist() == [[True] * 3, [True, True, False], [True, False, False]]
    assert "open when the data ended: 3 of 9 cells" in found.notes()[1]
    # A cohort of a month of which some have had the bracket, and others not.
    some = Retention(until="1970-01-04", every="day", brackets=3, cohort="month")
    found = some.count(people("1v 2v", "2v 3v", "3v"))
    assert found.eligible.tolist() == [[3, 2, 1]]
    assert found.rate.tolist() == [[0, 1, 0]]
    curve = RetentionCounts.of(people("1v 2v", "3v"), retention=some).curve()
    assert "see eligible" in curve.notes()[-1]
    assert "journeys" in curve.title()


def test_what_lies_after_the_end_is_not_there():
    rule = Retention(until="1970-01-03", every="day", brackets=2)
    found = rule.count(people("1v 3v", "4v 5v"))
    assert found.returned.tolist() == [[0, 0]]
    assert found.outside == 1
    assert "did not start" in found.notes()[-1]
    assert len(Retention(until="1969-01-01").count(people("1v")).cohort) == 0


def test_brackets_that_end_long_after_the_data_are_open():
    rule = Retention(until="1970-02-01", every="year", brackets=[0, 1, 90_000], tz="Asia/Tokyo")
    assert rule.count(people("1v 2v")).eligible.tolist() == [[0, 0]]


def test_of_no_journeys_there_are_no_cohorts():
    rule = Retention(until="2024-01-01")
    assert len(rule.count(Journeys.empty())) == 0
    assert np.isnan(RetentionCounts.zero(retention=rule).curve().rate).all()
    assert (
        RetentionCounts.zero(retention=Retention(until="2024-01-01", start="x")).result().outside
        == 0
    )


def test_a_label_that_is_not_there_is_refused():
    with pytest.raises(UnknownLabelError, match="no event 'bye'"):
        Retention(until="1970-02-01", back="bye").count(people("1v"))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"until": "yesterday"}, "until='yesterday' is not a date"),
        ({"every": "hour"}, "every is one of"),
        ({"cohort": "hour"}, "cohort is one of"),
        ({"every": "month", "clock": "rolling"}, "clock='rolling' and every='month'"),
        ({"clock": "sundial"}, "clock is 'calendar' or 'rolling'"),
        ({"tz": "Mars"}, "no time zone 'Mars'"),
        ({"unbounded": "yes"}, "unbounded is True or False"),
        *(
            ({"brackets": bad}, "brackets are a number of periods")
            for bad in (
                10**9,
                [0, 10**9],
                0,
                -1,
                True,
                [3],
                [1, 1],
                [-1, 2],
                [0, 1.5],
                "12",
                None,
                [2, 1],
            )
        ),
    ],
)
def test_a_definition_that_is_none_is_refused(options, told):
    with pytest.raises(DefinitionError, match=told):
        Retention(**{"until": "2024-01-01", **options})


@given(retentions())
@FEW
def test_a_definition_survives_json(rule):
    assert Retention.from_dict(json.loads(json.dumps(rule.to_dict()))) == rule
    with pytest.raises(DataError, match="no retention"):
        Retention.from_dict({"until": rule.until})


def test_brackets_have_names():
    assert Retention(until="2024-01-01", brackets=[0, 1, 7, 14]).bracket_names == [
        "0",
        "1-6",
        "7-13",
    ]
    later = Retention(until="2024-01-01", brackets=2, unbounded=True)
    assert later.bracket_names == ["0 or later", "1 or later"]


def test_groups_are_compared_bracket_by_bracket():
    rng = np.random.default_rng(2)
    lives = ["1v 8v" if rng.random() < (0.3, 0.5)[who % 2] else "1v" for who in range(2000)]
    journeys = people(*lives)
    odd = np.array([int(who[1:]) % 2 == 1 for who in journeys.customer.to_list()])
    rule = Retention(until="1970-02-01", every="week", brackets=3)
    a, b = (RetentionCounts.of(journeys[mask], retention=rule) for mask in (~odd, odd))
    found = compare_retention(a, b)
    assert found.p_adjusted[1] < 1e-6
    assert found.difference_low[1] < 0.2 < found.difference_high[1]
    assert found.difference[[0, 2]].tolist() == [0, 0]
    other = RetentionCounts.zero(retention=Retention(until="2024-01-01"))
    with pytest.raises(MergeError, match="two definitions"):
        compare_retention(a, other)


@given(
    st.integers(-20_000, 60_000), st.integers(0, 86_399), st.sampled_from([*ZONES, "Asia/Beirut"])
)
@FEW
def test_days_of_a_zone_are_those_of_the_standard_library(day, second, tz):
    us = (day * 86_400 + second) * 1_000_000
    want = (day_of(us, tz) - date(1970, 1, 1)).days
    assert local_days(np.array([us, 0]), tz)[0] == want


@given(st.integers(-20_000, 60_000), st.sampled_from(PERIODS))
def test_periods_begin_on_their_first_day(day, every):
    number = period_of_days(np.array([day]), every)
    assert number.tolist() == [number_of(date(1970, 1, 1) + timedelta(days=day), every)]
    first, after = (period_begins(number + k, every).astype(int)[0] for k in (0, 1))
    assert first <= day < after


def test_periods_of_a_zone_begin_at_its_midnight():
    (begin,) = period_begins_us(np.array([54]), "year", "America/New_York").tolist()
    assert moment(begin).isoformat() == "2024-01-01T05:00:00+00:00"
    with pytest.raises(DefinitionError, match="unit is one of"):
        check_period("aeon", name="unit")
    assert local_days(np.zeros(0, np.int64), "Asia/Tokyo").tolist() == []
