import math
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import cxkit as cx
from cxkit import DefinitionError, Journeys, MergeError, SchemaError, UnknownLabelError
from cxkit.core.multiplicity import holm
from cxkit.core.timebins import RELATIVE_ERROR
from cxkit.flow import (
    Funnel,
    FunnelCounts,
    FunnelNext,
    FunnelPeriods,
    FunnelSegments,
    FunnelTimes,
    after_drop_off,
    compare_funnels,
    compare_segments,
    funnel_times,
)
from tests.examples import some
from tests.strategies import grouped, journeys_of, touchpoint_rows

FEW = settings(max_examples=some(25))
FUNNELS = st.builds(
    Funnel,
    st.lists(st.sampled_from(["view", "cart", "buy"]), min_size=2, max_size=3),
    st.sampled_from([None, "2h"]),
    ties=st.sampled_from(["order", "any"]),
)
UTC_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def retail():
    return cx.simulate.retail(1500, rng=3).journeys


def sorted_rows(rows):
    return [row for part in grouped(rows).values() for row in part]


@given(touchpoint_rows(customers=8), FUNNELS, st.sampled_from(["first", "entry"]))
@FEW
def test_segments_are_counted_journey_by_journey(rows, funnel, label_of):
    journeys, ordered = journeys_of(rows), sorted_rows(rows)
    want, outside = defaultdict(Counter), 0
    for j, way in enumerate(funnel.passages(journeys).tolist()):
        row = int(journeys.offsets[j]) if label_of == "first" else way[0]
        outside += row < 0
        if row >= 0:
            for step, at in enumerate(way):
                want[ordered[row][3]][step] += at >= 0
    counts = FunnelSegments.of(journeys, funnel=funnel, by="channel", label_of=label_of)
    found = counts.result()
    assert found.not_entered == outside
    got = {
        label: dict(enumerate(reached))
        for label, reached in zip(found.labels.to_list(), found.reached.tolist(), strict=True)
    }
    assert got == {label: dict(steps) for label, steps in want.items()}
    assert found.journeys.sum() + outside == len(journeys)
    for reached, share in zip(found.reached, found.share, strict=True):
        assert share == pytest.approx(reached / reached[0] if reached[0] else math.nan, nan_ok=True)


@given(
    touchpoint_rows(customers=8),
    FUNNELS,
    st.sampled_from(["day", "week", "month", "quarter", "year"]),
    st.sampled_from(["UTC", "Asia/Tokyo", "America/New_York"]),
)
@FEW
def test_periods_are_those_of_the_calendar_of_the_zone(rows, funnel, every, tz):
    rows = [(who, t * 400, *rest) for who, t, *rest in rows]  # over months
    journeys, ordered = journeys_of(rows), sorted_rows(rows)
    want = Counter()
    for way in funnel.passages(journeys).tolist():
        if way[0] >= 0:
            moment = UTC_EPOCH + timedelta(microseconds=ordered[way[0]][1])
            day = moment.astimezone(ZoneInfo(tz)).date()
            begin = {
                "day": day,
                "week": day - timedelta(days=day.weekday()),
                "month": day.replace(day=1),
                "quarter": date(day.year, 3 * ((day.month - 1) // 3) + 1, 1),
                "year": date(day.year, 1, 1),
            }[every]
            want[begin] += 1
    found = FunnelPeriods.of(journeys, funnel=funnel, every=every, tz=tz).result()
    got = dict(zip(found.period.tolist(), found.reached[:, 0].tolist(), strict=True))
    assert got == want
    assert list(got) == sorted(got)
    assert not found.complete.any()


def test_a_period_is_complete_when_its_last_journeys_had_their_window(retail):
    funnel = Funnel(["page_view", "purchase"], "7d", entry="first")
    counts = FunnelPeriods.of(retail, funnel=funnel, every="month")
    assert counts.result(until="2024-04-07").complete.tolist() == [True, True, False]
    assert counts.result(until="2024-04-08").complete.tolist() == [True, True, True]
    note = counts.result(until="2024-04-07").notes()[-1]
    assert "not complete: 1 periods" in note
    assert "say until when the data goes" in counts.result().notes()[-1]
    endless = FunnelPeriods.of(retail, funnel=Funnel(["page_view", "purchase"]), every="month")
    assert not endless.result(until="2030-01-01").complete.any()
    assert "without a window" in endless.result(until="2030-01-01").notes()[-1]
    first = Funnel(["page_view", "purchase"], "7d", entry="first")
    told = FunnelPeriods.of(retail, funnel=first, every="month").result(until="2025-01-01").notes()
    assert len(told) == 1


def test_bad_groups_are_refused(retail):
    funnel = Funnel(["page_view", "purchase"])
    with pytest.raises(DefinitionError, match="label_of is 'first' or 'entry'"):
        FunnelSegments.of(retail, funnel=funnel, label_of="last")
    with pytest.raises(DefinitionError, match=r"every is one of .*found 'fortnight'"):
        FunnelPeriods.of(retail, funnel=funnel, every="fortnight")
    with pytest.raises(DefinitionError, match="no time zone"):
        FunnelPeriods.of(retail, funnel=funnel, tz="Europe/Atlantis")
    with pytest.raises(SchemaError, match="holds numbers"):
        FunnelSegments.of(retail, funnel=funnel, by="value")


def test_of_no_journeys_there_are_no_groups():
    funnel, none = Funnel(["view", "buy"], "1d"), Journeys.empty()
    for found in (
        FunnelSegments.of(none, funnel=funnel).result(),
        FunnelPeriods.of(none, funnel=funnel).result(until="2024-01-01"),
        funnel_times(none, funnel),
        funnel_times(none, funnel, exact=False),
        after_drop_off(none, funnel),
    ):
        assert len(found) == 0
        assert repr(found)


def test_segments_add_up_to_the_whole(retail):
    funnel = Funnel(["page_view", "add_to_cart", "purchase"], "7d")
    whole = funnel.count(retail).reached
    for label_of in ("first", "entry"):
        found = FunnelSegments.of(retail, funnel=funnel, label_of=label_of).result()
        assert found.reached.sum(axis=0).tolist() == whole.tolist()
        assert "segments" in found.title()
    favours = FunnelSegments.of(retail, funnel=funnel, label_of="entry").result().notes()
    assert "favours later ones" in favours[-1]
    periods = FunnelPeriods.of(retail, funnel=funnel).result()
    assert periods.reached.sum(axis=0).tolist() == whole.tolist()


@given(touchpoint_rows(customers=8), FUNNELS, st.sampled_from([0.0, 0.25, 0.5, 1.0]))
@FEW
def test_times_are_those_of_the_passages(rows, funnel, share):
    rows = [*rows, *(("z", 0, event, None, None, 1.0) for event in ("buy", "cart", "view"))]
    journeys, ordered = journeys_of(rows), sorted_rows(rows)
    want = defaultdict(list)
    for way in funnel.passages(journeys).tolist():
        for k in range(1, len(way)):
            if way[k] >= 0:
                want[k + 1].append(ordered[way[k]][1] - ordered[way[k - 1]][1])
                want[257 + k].append(ordered[way[k]][1] - ordered[way[0]][1])
    exact = funnel_times(journeys, funnel, quantiles=[share], unit="1min")
    binned = FunnelTimes.of(journeys, funnel=funnel).result(quantiles=[share], unit="1min")
    assert exact.kinds.tolist() == binned.kinds.tolist() == sorted(want)
    for i, kind in enumerate(exact.kinds.tolist()):
        times = sorted(want[kind])
        minutes = times[max(math.ceil(share * len(times)) - 1, 0)] / 60e6
        assert exact.count[i] == len(times)
        assert exact.times[i, 0] == pytest.approx(minutes)
        assert exact.mean[i] == pytest.approx(sum(times) / len(times) / 60e6)
        assert binned.times[i, 0] == pytest.approx(minutes, rel=RELATIVE_ERROR)
        assert binned.mean[i] == pytest.approx(exact.mean[i], rel=RELATIVE_ERROR)
    assert [row["journeys"] for row in exact.to_dicts()] == exact.count.tolist()


def test_times_have_intervals_and_units(retail):
    funnel = Funnel(["page_view", "add_to_cart", "purchase"], "7d")
    hours, days = (funnel_times(retail, funnel, unit=unit) for unit in ("1h", "1d"))
    assert hours.times / 24 == pytest.approx(days.times)
    assert (hours.times_low <= hours.times * (1 + RELATIVE_ERROR)).all()
    assert (hours.times <= hours.times_high * (1 + RELATIVE_ERROR)).all()
    assert "units of 1h" in hours.title()
    assert "within 0.8 percent" in funnel_times(retail, funnel, exact=False).notes()[-1]
    assert [row["from"] for row in hours.to_dicts()][-1] == "entry"
    for bad in ([2], [math.nan], [[0.5]], ["half"]):
        with pytest.raises(DefinitionError, match="quantiles are numbers between 0 and 1"):
            funnel_times(retail, funnel, quantiles=bad)
    with pytest.raises(UnknownLabelError):
        funnel_times(retail, Funnel(["page_vew"]))


@given(touchpoint_rows(customers=8), FUNNELS)
@FEW
def test_what_comes_next_is_the_touchpoint_after_the_last_step(rows, funnel):
    journeys, ordered = journeys_of(rows), sorted_rows(rows)
    want = Counter()
    for j, way in enumerate(funnel.passages(journeys).tolist()):
        depth = sum(i >= 0 for i in way)
        if 0 < depth < len(way):
            at, end = way[depth - 1] + 1, int(journeys.offsets[j + 1])
            while funnel.ties == "any" and at < end and ordered[at][1] == ordered[at - 1][1]:
                at += 1
            want[depth, ordered[at][2] if at < end else "(end)"] += 1
    found = FunnelNext.of(journeys, funnel=funnel).result()
    shown = found.to_dicts()
    got = {
        (depth, row["next"]): row["journeys"]
        for depth, row in zip(found.reached.tolist(), shown, strict=True)
    }
    assert got == want
    for depth in set(found.reached.tolist()):
        assert found.share[found.reached == depth].sum() == pytest.approx(1)


def test_comparing_finds_a_difference_and_only_that():
    rng = np.random.default_rng(5)
    rows = []
    for who in range(3000):
        group = who % 2
        rows.append((f"c{who}", 0, "view", ["web", "app"][group], None, 1.0))
        if rng.random() < 0.6:
            rows.append((f"c{who}", 1, "cart", ["web", "app"][group], None, 1.0))
            if rng.random() < (0.3, 0.45)[group]:
                rows.append((f"c{who}", 2, "buy", ["web", "app"][group], None, 1.0))
    journeys, funnel = journeys_of(rows), Funnel(["view", "cart", "buy"])
    counts = FunnelSegments.of(journeys, funnel=funnel, by="channel")
    found = compare_segments(counts, "web", "app", of="before")
    assert found.p_adjusted[1] > 0.01
    assert found.p_adjusted[2] < 1e-4
    assert found.difference_low[2] < 0.15 < found.difference_high[2]
    assert found.p_adjusted[1:].tolist() == pytest.approx(holm(found.p[1:]).tolist())
    assert math.isnan(found.p[0])
    # The same from two summaries.
    is_web = np.array(journeys.channel.to_list())[journeys.offsets[:-1]] == "web"
    a, b = (FunnelCounts.of(journeys[mask], funnel=funnel) for mask in (is_web, ~is_web))
    again = compare_funnels(a, b, of="before")
    assert again.difference.tolist() == found.difference.tolist()
    assert again.p.tolist() == pytest.approx(found.p.tolist(), nan_ok=True)
    assert "1 of 2 rates" in again.title()
    plain = compare_funnels(a, b, control="none")
    assert plain.p_adjusted.tolist() == pytest.approx(plain.p.tolist(), nan_ok=True)
    assert plain.share_a[2] == pytest.approx(a.result().share[2])
    same = compare_funnels(a, a, control="benjamini-hochberg")
    assert same.difference.tolist() == [0, 0, 0]
    assert same.p[1:].tolist() == [1, 1]


def test_comparing_what_cannot_be_is_refused():
    counts = FunnelSegments.zero(funnel=Funnel(["view", "buy"]), by="channel")
    nothing = compare_segments(counts, None, None)
    assert np.isnan(nothing.share_a).all()
    assert "no row was tested" in nothing.notes()[-1]
    with pytest.raises(UnknownLabelError):
        compare_segments(counts, "web", "app")
    one, other = (FunnelCounts.zero(funnel=Funnel([step])) for step in ("view", "buy"))
    with pytest.raises(MergeError, match="count both with one"):
        compare_funnels(one, other)
    with pytest.raises(DefinitionError, match="control must be one of"):
        compare_funnels(one, one, control="bonferroni")
    with pytest.raises(DefinitionError, match="of is one of"):
        compare_funnels(one, one, of="last")
