import json
import math
from collections import Counter, defaultdict
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from cxkit import DataError, DefinitionError, Goal, Journeys, SchemaError, UnknownLabelError
from cxkit.core.spans import instant_us, span_us
from cxkit.flow import Churn, SurvivalCounts, TimeTo, survival
from cxkit.flow.retention.logrank import chi_square_p
from cxkit.flow.retention.survival import _rows
from cxkit.flow.retention.waits import wait_from_dict
from tests.examples import some
from tests.strategies import grouped, journeys_of, touchpoint_rows

FEW = settings(max_examples=some(60))
HOUR = 3_600_000_000
WAITS = st.one_of(
    st.builds(
        TimeTo,
        st.sampled_from(["buy", "never", Goal("view", "web")]),
        st.integers(1, 3),
        start=st.sampled_from([None, "view", "buy"]),
    ),
    st.builds(Churn, st.sampled_from(["20min", "1h", "4h"]), start=st.sampled_from([None, "cart"])),
)
UNTIL = st.sampled_from(["1970-01-01T02:00Z", "1970-01-01T05:00Z", "1970-01-03", "1969-01-01"])


def reaches(goal, row):
    return goal is None or goal.reached_by(row[2], row[3])


def slow_waits(wait, rows, until):
    """{group: [(microseconds, whether it happened)]}, read off journey by journey."""
    end, found = instant_us(until, name="until"), defaultdict(list)
    for part in grouped(rows).values():
        seen = [row for row in part if row[1] < end]
        at = next((i for i, row in enumerate(seen) if reaches(wait.start, row)), None)
        if at is None:
            continue
        start, hit = seen[at][1], None
        if isinstance(wait, TimeTo):
            hits = [row[1] for row in seen[at:] if reaches(wait.goal, row)]
            hit = hits[wait.n - 1] if len(hits) >= wait.n else None
        else:
            gap = span_us(wait.gap, name="gap")
            times = [row[1] for row in seen[at:]] + [end]
            for a, b in pairwise(times):
                if b - a > gap:
                    hit = a + gap
                    break
        found[seen[at][3]].append(((end if hit is None else hit) - start, hit is not None))
    return found


@given(touchpoint_rows(customers=9), WAITS, UNTIL, st.sampled_from(["1h", "7min"]))
@FEW
def test_curves_are_the_products_of_all_that_stayed(rows, wait, until, unit):
    size = span_us(unit, name="unit")
    table = SurvivalCounts.of(
        journeys_of(rows), wait=wait, until=until, unit=unit, by="channel"
    ).result()
    want = slow_waits(wait, rows, until)
    assert set(table.groups.to_list()) == set(want)
    for g, label in enumerate(table.groups.to_list()):
        waits = [(us // size, happened) for us, happened in want[label]]
        some = slice(*table.offsets[g : g + 2].tolist())
        still = Fraction(1)
        assert table.time[some].tolist() == sorted({time for time, _ in waits})
        for at, time in enumerate(table.time[some].tolist(), start=int(table.offsets[g])):
            risk = sum(t >= time for t, _ in waits)
            events = sum(t == time and happened for t, happened in waits)
            still *= 1 - Fraction(events, risk)
            assert (table.at_risk[at], table.events[at]) == (risk, events)
            assert table.censored[at] == sum(t == time for t, _ in waits) - events
            assert table.survival[at] == pytest.approx(float(still), abs=1e-12)
            low, high = table.survival_low[at], table.survival_high[at]
            assert (low <= table.survival[at] <= high) or (still == 0 and math.isnan(low))


@given(touchpoint_rows(customers=9), WAITS, UNTIL)
@FEW
def test_the_log_rank_test_is_that_of_two_by_two_tables(rows, wait, until):
    counts = SurvivalCounts.of(journeys_of(rows), wait=wait, until=until, unit="1h", by="channel")
    found = counts.log_rank()
    groups = {
        label: [(us // HOUR, happened) for us, happened in waits]
        for label, waits in slow_waits(wait, rows, until).items()
    }
    every = [wait for waits in groups.values() for wait in waits]
    expected, variance = Counter(), Counter()
    for time in {t for t, happened in every if happened}:
        risk, events = (
            sum(t >= time for t, _ in every),
            sum(t == time and happened for t, happened in every),
        )
        for label, waits in groups.items():
            share = Fraction(sum(t >= time for t, _ in waits), risk)
            expected[label] += share * events
            if risk > 1:
                variance[label] += (
                    share * (1 - share) * Fraction(events * (risk - events), risk - 1)
                )
    labels = found.table.groups.to_list()
    assert found.expected.tolist() == pytest.approx([float(expected[label]) for label in labels])
    assert found.observed.sum() == pytest.approx(found.expected.sum())
    if len(labels) == 2 and variance[labels[0]] > 0:
        off = float(int(found.observed[0]) - expected[labels[0]])
        assert found.statistic == pytest.approx(off**2 / float(variance[labels[0]]))
        assert 0 <= found.p <= 1
    elif len(labels) < 2 or not any(variance.values()):
        assert math.isnan(found.statistic)
        assert "no test" in found.notes()[-1]
        assert found.title() == "log-rank test: none"


def lives(*texts):
    """Journeys from texts such as "0a 5b": hour and event."""
    rows = [
        (f"c{j}", int(word[:-1]) * HOUR, word[-1], "web", None, 1.0)
        for j, text in enumerate(texts)
        for word in text.split()
    ]
    return journeys_of(rows)


def table(wait, *texts, until="1970-01-02", **options):
    return survival(lives(*texts), wait, until=until, unit="1h", **options)


def test_median_and_what_is_not_reached():
    found = table(TimeTo("b"), "0a 2b", "0a 4b", "0a 6b", "0a")
    assert found.quantile(0.5)[0].tolist() == [4]
    assert found.quantile(0.25)[0].tolist() == [2]
    assert math.isnan(found.quantile(0.9)[0][0])
    shown = found.quantiles([0.5, 0.9])
    assert shown.to_dicts()[0]["p50"] == 4
    assert "not reached by 1970-01-02" in shown.notes()[0]
    assert shown.journeys.tolist() == [4]
    for bad in (0, 1, 50, math.nan):
        with pytest.raises(DefinitionError, match="a quantile lies between 0 and 1"):
            found.quantile(bad)
    assert len(found.quantiles([])) == 1


def test_the_curve_at_any_time():
    found = table(TimeTo("b"), "0a 2b", "0a 4b", "12a", "0a")
    assert found.at([0, 2, 3, 24, 25]).tolist()[0] == pytest.approx(
        [1, 0.75, 0.75, 0.5, math.nan], nan_ok=True
    )
    # Once it has happened to all, it stays so.
    assert table(TimeTo("b"), "0a 2b").at(100).tolist() == [[0]]


def test_a_goal_that_is_never_reached_and_one_that_all_reach():
    none = table(TimeTo("b", 2), "0a 2b", "0a")
    assert none.survival.tolist() == [1]
    assert (none.survival_low.tolist(), none.survival_high.tolist()) == ([1], [1])
    assert "it never happened" in none.notes()[1]
    every = table(TimeTo("b"), "0a 2b", "0a 2b")
    assert every.survival.tolist() == [0]
    assert np.isnan(every.survival_low).all()
    assert "nobody was left" in every.notes()[-1]
    assert table(TimeTo("a"), "0a").time.tolist() == [0]


def test_the_start_counts_if_it_reaches_the_goal():
    assert table(TimeTo("a", 1, start="a"), "0a 3a").time.tolist() == [0]
    assert table(TimeTo("a", 2, start="a"), "0a 3a").time.tolist() == [3]
    # Before the start nothing counts, and without one a journey is not there.
    found = table(TimeTo("b", start="a"), "0b 1a 4b", "0b 9b")
    assert (found.time.tolist(), found.events.tolist()) == ([3], [1])


def test_churn_is_known_when_the_gap_is_over():
    # Silent after hour 2: churned at hour 7, although it came back at hour 20.
    found = table(Churn("5h"), "0a 2a 20a")
    assert (found.time.tolist(), found.events.tolist()) == ([7], [1])
    # A pause of exactly the gap is none, and who is within it at the end is censored there.
    assert table(Churn("5h"), "0a 5a 10a", until="1970-01-01T15:00Z").events.tolist() == [0]
    late = table(Churn("5h"), "0a 5a 10a", until="1970-01-01T15:01Z")
    assert (late.time.tolist(), late.events.tolist()) == ([15], [1])


def test_no_journeys_have_no_curve():
    for wait in (TimeTo("b"), Churn("1d")):
        found = survival(Journeys.empty(), wait, until="2024-01-01", by="channel")
        assert len(found) == 0
        assert found.quantile(0.5)[0].tolist() == []
        assert found.at([1]).shape == (0, 1)
        assert repr(found)
    nothing = SurvivalCounts.zero(wait=TimeTo("b"), until="2024-01-01", by=None, unit="1d")
    assert repr(nothing.log_rank())


def test_what_is_not_there_is_refused():
    with pytest.raises(UnknownLabelError, match="no event 'bb'"):
        table(TimeTo("bb"), "0a 1b")
    with pytest.raises(UnknownLabelError, match="no event 'bb'"):
        table(Churn("1h", start="bb"), "0a 1b")
    with pytest.raises(SchemaError, match="holds numbers"):
        table(Churn("1h"), "0a", by="value")
    for options in ({"until": "soon"}, {"until": "1970-01-02", "level": 2}):
        with pytest.raises(DefinitionError):
            table(TimeTo("b"), "0a 1b", **options)


@pytest.mark.parametrize("n", [0, -1, 1.5, True, "2"])
def test_the_how_manieth_time_is_a_whole_number(n):
    with pytest.raises(DefinitionError, match="n is a whole number from 1 up"):
        TimeTo("b", n)


@given(WAITS)
def test_waits_survive_json(wait):
    assert wait_from_dict(json.loads(json.dumps(wait.to_dict()))) == wait


@pytest.mark.parametrize("data", [{}, {"schema": "cxkit/goal/1"}, None, [1]])
def test_other_data_is_no_wait(data):
    with pytest.raises(DataError, match="this is no wait"):
        wait_from_dict(data)
    with pytest.raises(DefinitionError, match="longer than zero"):
        Churn("0d")


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 7, 10, 101, 2000])
def test_chi_square_equals_that_of_scipy(freedom):
    stats = pytest.importorskip("scipy.stats")
    for statistic in (0.0, 0.01, 1.0, freedom / 2, float(freedom), freedom * 1.5, freedom + 60.0):
        want = float(stats.chi2.sf(statistic, freedom))
        assert chi_square_p(statistic, freedom) == pytest.approx(want, rel=1e-9, abs=1e-300)


def test_groups_that_were_never_at_risk_together_are_not_compared():
    rows = []
    for who, (channel, hours) in enumerate([("web", 1), ("web", 2), ("app", 1), ("app", 3)] * 3):
        rows.append((f"c{who}", 0, "a", channel, None, 1.0))
        rows.append((f"c{who}", hours * HOUR, "b", channel, None, 1.0))
    rows.append(("late", 30 * HOUR - 1, "a", "store", None, 1.0))  # seen for no hour at all
    counts = SurvivalCounts.of(
        journeys_of(rows), wait=TimeTo("b"), until="1970-01-02T06:00Z", by="channel", unit="1h"
    )
    three = counts.log_rank()
    two = SurvivalCounts.of(
        journeys_of(rows[:-1]), wait=TimeTo("b"), until="1970-01-02T06:00Z", by="channel", unit="1h"
    ).log_rank()
    assert (three.freedom, three.statistic) == (1, pytest.approx(two.statistic))
    assert len(three) == 3


def test_groups_that_differ_are_told_apart():
    rng = np.random.default_rng(1)
    rows = []
    for who in range(800):
        channel, hours = ["web", "app"][who % 2], rng.exponential((40, 60)[who % 2])
        rows.append((f"c{who}", 0, "a", channel, None, 1.0))
        rows.append((f"c{who}", int(hours * HOUR), "b", channel, None, 1.0))
    counts = SurvivalCounts.of(
        journeys_of(rows), wait=TimeTo("b"), until="1970-01-05", by="channel", unit="1min"
    )
    test = counts.log_rank()
    assert test.p < 1e-4
    assert "p = " in test.title()
    assert [row["channel"] for row in test.to_dicts()] == ["app", "web"]
    found = counts.result()
    median, low, high = found.quantile(0.5)
    for group, mean in enumerate((60, 40)):
        assert low[group] < mean * math.log(2) * 60 < high[group]
        assert low[group] < median[group] < high[group]


def test_rows_of_times_that_do_not_fit_one_number_with_their_labels():
    code = np.repeat(np.arange(600), 2)
    time = np.tile([10**16, 5], 600)
    found = _rows(code, time, np.ones(1200, np.int64), np.zeros(1200, np.int64))
    assert found[0].tolist() == code.tolist()
    assert found[1].tolist() == [5, 10**16] * 600
    assert found[2].tolist() == [1] * 1200
