import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from cxkit.core.spans import span_us
from cxkit.errors import DataError, DefinitionError
from cxkit.model.goal import Goal, as_goal
from cxkit.model.touchpoint import Touchpoint
from cxkit.patterns import LiveSessions, LiveSliding, LiveTumbling, tumbling
from tests.examples import some
from tests.patterns.patterns import MINUTE, busy_rows, late_arrival
from tests.patterns.test_windows import slow_sliding, told
from tests.strategies import grouped, journeys_of, touchpoint_rows

ROWS = st.one_of(touchpoint_rows(customers=3), busy_rows())
TOLERANCES = st.sampled_from([None, "1us", "5min", "2h", "1d"])
SPANS = st.sampled_from(["1us", "90s", "10min", "17min", "2h", "9000d"])
few = settings(max_examples=some(150))


def instant(us):
    return np.datetime64(us, "us")


def slide(live, rows):
    found = []
    for row in rows:
        found += live.update_raw(row[0], row[2], row[1], row[3], row[5])
    return found


@few
@given(
    ROWS,
    SPANS,
    st.sampled_from([None, "view", Goal("buy", "web")]),
    st.booleans(),
    TOLERANCES,
    st.data(),
)
def test_sliding_is_the_batch(rows, span, goal, values, tolerance, data):
    live = LiveSliding(span, goal=goal, values=values, tolerance=tolerance)
    arrived = data.draw(late_arrival(rows, live.tolerance_us))
    cut = data.draw(st.integers(0, len(rows)))
    found = slide(live, arrived[:cut])
    live = LiveSliding.from_bytes(live.to_bytes())
    found += slide(live, arrived[cut:])
    found += live.advance("1970-01-03", complete=True)
    wanted = None if goal is None else as_goal(goal)
    batch = slow_sliding(rows, span_us(span, name="span"), wanted, values)
    ordered = sorted(found, key=lambda total: total.customer)
    assert [total.total for total in ordered] == batch
    assert [t.end_us for t in ordered] == [r[1] for j in grouped(rows).values() for r in j]
    assert (live.too_late, live.released_early, live.dropped) == (0, 0, 0)


@few
@given(ROWS, SPANS, TOLERANCES, st.data())
def test_sessions_are_the_batch(rows, gap, tolerance, data):
    live = LiveSessions(gap, tolerance=tolerance)
    arrived = data.draw(late_arrival(rows, live.tolerance_us))
    cut = data.draw(st.integers(0, len(rows)))
    found = []
    for i, row in enumerate(arrived):
        if i == cut:
            live = pickle.loads(pickle.dumps(live))
        found += live.update_raw(row[0], row[1], row[5])
    at = "1970-01-03" if gap != "9000d" else "1999-01-01"
    found += live.advance(at, complete=True)
    batch = [
        (
            session.customer,
            int(session.journeys.time[0].astype(np.int64)),
            int(session.journeys.time[-1].astype(np.int64)),
            session.journeys.touchpoints,
            float(np.nansum(session.journeys.value)),
        )
        for session in journeys_of(rows).sessions(gap)
    ]
    told = [(s.customer, s.start_us, s.end_us, s.touchpoints, s.value) for s in found]
    assert sorted(told, key=lambda s: s[0]) == batch


@few
@given(
    ROWS,
    st.sampled_from(["1us", "7min", "1h", "7d"]),
    st.integers(-(10**10), 10**10),
    TOLERANCES,
    st.data(),
)
def test_tumbling_is_the_batch(rows, every, origin, tolerance, data):
    begin = instant(origin)
    live = LiveTumbling(every, origin=begin, by="event", tolerance=tolerance)
    # There is one clock: late means after a newer touchpoint of anybody.
    arrived = data.draw(late_arrival(rows, live.tolerance_us))
    cut = data.draw(st.integers(0, len(rows)))
    found = []
    for i, row in enumerate(arrived):
        if i == cut:
            live = LiveTumbling.from_bytes(live.to_bytes())
        found += live.update_raw(row[2], row[1], row[5])
    found += live.advance("1999-01-01", complete=True)
    length = span_us(every, name="every")
    table = tumbling(journeys_of(rows), every, origin=begin, by="event").result()
    live_told = {
        ((c.window_us - origin) // length, c.label): (c.touchpoints, c.value) for c in found
    }
    assert len(live_told) == len(found)
    assert live_told == told(table, origin, length)
    assert [c.window_us for c in found] == sorted(c.window_us for c in found)
    assert (live.too_late, live.dropped, len(live)) == (0, 0, 0)


def test_touchpoints_and_raw_updates_are_the_same():
    point = Touchpoint("ann", "1970-01-01T00:00Z", "buy", "web", 5.0, {"campaign": "x"})
    assert LiveSliding("1h", goal="buy", values=True).update(point)[0].total == 5.0
    assert LiveSliding("1h", goal=Goal("buy", "app")).update(point)[0].total == 0
    sessions = LiveSessions()
    sessions.update(point)
    assert sessions.advance("1970-01-02")[0].value == 5.0
    for by, label in (("channel", "web"), ("event", "buy"), ("campaign", "x"), ("none", None)):
        live = LiveTumbling(by=by)
        live.update(point)
        (closed,) = live.advance("1970-01-02")
        assert (closed.label, closed.touchpoints, closed.value) == (label, 1, 5.0)


def test_a_window_is_over_when_nobody_can_come_any_more():
    live = LiveTumbling("1h", tolerance="5min")
    live.update_raw("web", 0)
    assert live.update_raw("web", 65 * MINUTE - 1) == []
    assert live.update_raw("app", 5 * MINUTE) == []  # as late as may be, and later, but open
    (app, web) = live.update_raw("web", 65 * MINUTE)
    assert (app.label, web.label, web.touchpoints) == ("app", "web", 1)
    assert live.update_raw("web", 60 * MINUTE - 1) == []
    assert live.too_late == 1
    assert live.advance(instant(124 * MINUTE)) == []
    assert len(live.advance(instant(125 * MINUTE))) == 1
    assert "1 too late" in repr(live)


def test_a_session_is_over_after_its_gap_and_not_before():
    live = LiveSessions("30min")
    live.update_raw("ann", 0)
    assert live.advance(instant(30 * MINUTE - 1), complete=True) == []
    assert live.update_raw("ann", 30 * MINUTE) == []
    (session,) = live.advance(instant(60 * MINUTE), complete=True)
    assert (session.start_us, session.end_us, session.touchpoints) == (0, 30 * MINUTE, 2)


def test_labels_come_in_the_order_of_a_vocabulary():
    live = LiveTumbling("1h")
    for label in (None, "b", "a", 7, 3):
        live.update_raw(label, 0)
    copy = pickle.loads(pickle.dumps(live))
    assert [c.label for c in copy.advance("1971-01-01")] == [3, 7, "a", "b", None]


def test_there_is_no_more_room_than_told():
    live = LiveTumbling("1h", most_cells=2)
    for label in "abca":
        live.update_raw(label, 0)
    assert (len(live), live.dropped) == (2, 1)
    assert [(c.label, c.touchpoints) for c in live.advance("1971-01-01")] == [("a", 2), ("b", 1)]
    few_kept = LiveSliding("1h", most_kept=2)
    assert [t.total for m in range(4) for t in few_kept.update_raw("ann", None, m)] == [1, 2, 2, 2]
    assert few_kept.dropped == 2


def test_bad_input():
    for make in (
        lambda: LiveSliding("1h", most_kept=0),
        lambda: LiveTumbling(most_cells=1.5),
        lambda: LiveSessions("soon"),
        lambda: LiveTumbling(origin="2024-01-01T10:00"),
    ):
        with pytest.raises(DefinitionError):
            make()
    live = LiveTumbling()
    with pytest.raises(DataError, match="whole microseconds"):
        live.update_raw("a", 1.5)
    with pytest.raises(DataError, match="outside the years"):
        live.update_raw("a", 2**61)
    with pytest.raises(DataError, match="a label is"):
        live.update_raw(1.5, 0)


@pytest.mark.parametrize(
    "live", [LiveSliding("1h"), LiveSessions("1h"), LiveTumbling("1h")], ids=repr
)
def test_damaged_bytes_are_refused(live):
    if isinstance(live, LiveTumbling):
        live.update_raw("a", 0)
    else:
        live.update(Touchpoint("ann", "1970-01-01", value=math.nan))
    whole = live.to_bytes()
    kind = type(live)
    assert kind.from_bytes(whole).to_bytes() == whole
    for size in range(len(whole)):
        with pytest.raises(DataError):
            kind.from_bytes(whole[:size])
    with pytest.raises(DataError, match="damaged"):
        kind.from_bytes(whole.replace(b'"clock"', b'"clack"'))
