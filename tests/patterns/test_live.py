import pickle
import time as clock
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import cxkit as cx
from cxkit.core.codes import Codes
from cxkit.errors import DataError, DefinitionError
from cxkit.model.goal import Goal
from cxkit.model.touchpoint import Touchpoint
from cxkit.patterns import LivePattern, LiveSliding, Pattern
from tests.examples import some
from tests.patterns.patterns import (
    MINUTE,
    arrival,
    busy_rows,
    late_arrival,
    patterns,
    slow_matches,
)
from tests.strategies import grouped, journeys_of, touchpoint_rows

ROWS = st.one_of(touchpoint_rows(customers=3), busy_rows())
TOLERANCES = st.sampled_from([None, "1us", "5min", "2h", "1d"])


def instant(us):
    return np.datetime64(us, "us")


def tolerance_us(live):
    return live.tolerance_us


def plain(matches):
    return [(m.customer, m.start_us, m.end_us) for m in matches]


def fed(live, rows):
    found = []
    for row in rows:
        found += live.update_raw(row[0], row[2], row[1], row[3])
    return found


def by_customer(matches):
    return sorted(plain(matches), key=lambda m: m[0])  # stable: in the order in which they came


def expected(rows, pattern, at):
    return [
        (who, journey[start][1], end)
        for who, journey in grouped(rows).items()
        for start, _, end in slow_matches(journey, pattern, at)
    ]


# ---------------------------------------------------------------- equal to the batch


@settings(max_examples=some(300))
@given(ROWS, patterns(), TOLERANCES, st.integers(300, 1800), st.data())
def test_any_arrival_within_the_tolerance_gives_the_batch(rows, pattern, tolerance, minutes, data):
    live = pattern.live(tolerance=tolerance)
    arrived = data.draw(late_arrival(rows, live.tolerance_us))
    found = fed(live, arrived)
    at = minutes * MINUTE
    found += live.advance(instant(at), complete=True)
    known = by_customer([m for m in found if m.end_us <= at])  # the data may go further than that
    assert known == expected(rows, pattern, at)
    assert (live.too_late, live.released_early, live.dropped) == (0, 0, 0)
    journeys = journeys_of(rows)
    batch = [
        (m["customer"], m["start"], m["end"])
        for journey in journeys
        for m in pattern.matches(journey, at=instant(at)).to_dicts()
    ]
    naive = [(m[0], *(instant(us).item() for us in m[1:])) for m in known]
    assert naive == batch


@given(ROWS, patterns(), TOLERANCES, st.data())
def test_what_is_told_is_never_taken_back(rows, pattern, tolerance, data):
    """After every touchpoint: what was told so far is what the batch says up to what is final."""
    live = pattern.live(tolerance=tolerance)
    arrived = data.draw(late_arrival(rows, live.tolerance_us))
    found, newest = [], {}
    for row in arrived:
        found += live.update_raw(row[0], row[2], row[1], row[3])
        newest[row[0]] = max(newest.get(row[0], row[1]), row[1])
        final = newest[row[0]] - live.tolerance_us - 1
        whole = [m for m in expected(rows, pattern, final) if m[0] == row[0]]
        told = [m for m in plain(found) if m[0] == row[0]]
        assert told[: len(whole)] == whole
        # Beyond it only what ends at the very next instant, where equals keep their order.
        assert all(end == final + 1 for _, _, end in told[len(whole) :])


@given(ROWS, patterns(), TOLERANCES, st.integers(0, 40), st.data())
def test_a_saved_state_goes_on_as_if_nothing_had_happened(rows, pattern, tolerance, cut, data):
    live = pattern.live(tolerance=tolerance)
    arrived = data.draw(late_arrival(rows, live.tolerance_us))
    fed(live, arrived[:cut])
    again = LivePattern.from_bytes(live.to_bytes())
    assert again.to_bytes() == live.to_bytes()
    assert again.pattern == pattern
    assert plain(fed(again, arrived[cut:])) == plain(fed(live, arrived[cut:]))
    ended = [x.advance("1970-01-03", complete=True) for x in (again, live)]
    assert plain(ended[0]) == plain(ended[1])
    assert again.to_bytes() == live.to_bytes()


@settings(max_examples=some(300))
@given(
    ROWS,
    patterns(),
    TOLERANCES,
    st.integers(1, 3),
    st.permutations(range(60)),
)
def test_nothing_is_lost_in_silence(rows, pattern, tolerance, most, order):
    """In any order at all, with hardly any room: each loss is counted, else it is the batch."""
    mixed = [rows[i] for i in order if i < len(rows)]
    live = pattern.live(tolerance=tolerance, most_waiting=most)
    found = fed(live, mixed)
    for waiting in live._waiting.values():
        assert len(waiting) <= most
    for absences in live._open.values():
        assert len(absences) <= most
    found += live.advance("1970-01-03", complete=True)
    at = 2 * 24 * 60 * MINUTE
    arrived = grouped(mixed)  # equal instants in the order of arrival
    batch = [
        (who, journey[start][1], end)
        for who, journey in arrived.items()
        for start, _, end in slow_matches(journey, pattern, at)
    ]
    if by_customer(found) != batch:
        assert live.too_late or live.dropped


def test_a_hundred_thousand_touchpoints_in_random_arrival():
    rng = np.random.default_rng(5)
    n, customers = 100_000, 5000
    names = np.array(["view", "cart", "purchase", "mail", "other"])
    rows = list(
        zip(
            rng.integers(customers, size=n).tolist(),
            rng.integers(10 * 86_400, size=n).__mul__(1_000_000).tolist(),
            names[rng.choice(5, n, p=[0.4, 0.2, 0.1, 0.1, 0.2])].tolist(),
            ["web"] * n,
            strict=True,
        )
    )
    late = rng.integers(6 * 3600 * 10**6, size=n).tolist()
    journeys = cx.Journeys.from_codes(
        customer=np.array([r[0] for r in rows]),
        time=np.array([r[1] for r in rows]),
        columns={"event": Codes.of([r[2] for r in rows]), "channel": Codes.of(["web"] * n)},
    )
    arrived = arrival(rows, late)
    at = "1970-01-10"
    for pattern in (
        Pattern(["view", "cart", "purchase"], within="3d", without=["mail"]),
        Pattern(["view", Goal("cart", "web")], then_no="purchase", within="1d", step_within="10h"),
        Pattern(["cart"], then_no="purchase", within="12h", report="overlapping"),
        Pattern(["view", "view"], step_within="6h", report="first"),
    ):
        live = pattern.live(tolerance="6h")
        found = fed(live, arrived)
        found += live.advance(at, complete=True)
        table = pattern.matches(journeys, at=at)
        until = int(np.datetime64(at, "us").astype(np.int64))
        batch = zip(
            table.customer.to_list(),
            table.start.view(np.int64).tolist(),
            table.end.view(np.int64).tolist(),
            strict=True,
        )
        told = by_customer([m for m in found if m.end_us <= until])
        assert told == list(batch)
        assert len(told) > 1000
        assert (live.too_late, live.released_early, live.dropped) == (0, 0, 0)


# ---------------------------------------------------------------- worked examples


CART = Pattern(["cart"], then_no="purchase", within="1h")


def test_touchpoints_and_raw_updates_are_the_same():
    pattern = Pattern([Goal("view", channel="web"), "cart"])
    live = pattern.live()
    assert live.update(Touchpoint("ann", "2024-01-01T10:00Z", "view", "app")) == []
    assert live.update(Touchpoint("ann", "2024-01-01T10:01Z", "cart")) == []
    assert live.update(Touchpoint("ann", "2024-01-01T10:02Z", "view", "web")) == []
    (match,) = live.update(Touchpoint("ann", "2024-01-01T10:03Z", "cart"))
    assert (match.customer, match.start.minute, match.end.minute) == ("ann", 2, 3)
    us = match.end_us + 1
    live.update_raw("ann", "view", np.int64(us), "web")
    assert plain(live.update_raw("ann", "cart", us + 1)) == [("ann", us, us + 1)]
    assert (len(live), "ann" in live, "bob" in live, list(live)) == (1, True, False, ["ann"])


def test_an_absence_is_told_by_time_alone():
    live = CART.live(tolerance="5min")
    live.update_raw("ann", "cart", 0)
    live.update_raw("bob", "cart", 10 * MINUTE)
    assert live.waiting == 2
    assert live.advance(instant(65 * MINUTE)) == []  # a purchase at 1:00 may still come
    assert plain(live.advance(instant(65 * MINUTE + 1))) == [("ann", 0, 60 * MINUTE)]
    live.update_raw("bob", "mail", 70 * MINUTE)
    assert live.update_raw("bob", "purchase", 70 * MINUTE) == []  # still in time
    assert live.advance("1970-01-02") == []
    assert live.waiting == 0


def test_another_customer_tells_no_time():
    live = CART.live()
    live.update_raw("ann", "cart", 0)
    assert live.update_raw("bob", "cart", 10**9 * 60) == []
    assert plain(live.update_raw("ann", "mail", 60 * MINUTE + 1)) == [("ann", 0, 60 * MINUTE)]


def test_several_absences_come_in_order_of_time():
    live = CART.live()
    for who, minute in (("c", 5), ("a", 9), ("b", 1)):
        live.update_raw(who, "cart", minute * MINUTE)
    assert [m.customer for m in live.advance("1970-01-02")] == ["b", "c", "a"]


def test_too_late_is_counted():
    live = Pattern(["a", "b"]).live(tolerance="5min")
    live.update_raw("ann", "b", 10 * MINUTE)
    live.update_raw("ann", "a", 5 * MINUTE)  # exactly as late as may be
    assert live.update_raw("ann", "a", 5 * MINUTE - 1) == []
    assert live.too_late == 1
    live.advance(instant(60 * MINUTE))
    assert live.update_raw("new", "a", 55 * MINUTE - 1) == []  # the clock is everybody's
    assert live.too_late == 2
    assert "2 too late" in repr(live)


def test_no_more_wait_than_may():
    pattern = Pattern(["a", "b"])
    live = pattern.live(tolerance="1d", most_waiting=3)
    found = []
    for minute, what in ((3, "a"), (9, "b"), (5, "a"), (7, "b")):
        found += live.update_raw("ann", what, minute * MINUTE)
    assert (found, live.waiting, live.released_early) == ([], 3, 1)
    found += live.update_raw("ann", "a", 2 * MINUTE)  # before one that was taken
    assert (live.too_late, live.waiting) == (1, 3)
    live.update_raw("ann", "other", 3 * MINUTE)  # at the same instant: after it
    assert live.too_late == 1
    found += live.advance("1970-01-03")
    assert plain(found) == [("ann", 5 * MINUTE, 7 * MINUTE)]


def test_no_more_absences_are_open_than_may():
    pattern = Pattern(["cart"], then_no="purchase", within="1h", report="overlapping")
    live = pattern.live(most_waiting=2)
    for minute in (1, 2, 3):
        live.update_raw("ann", "cart", minute * MINUTE)
    assert live.dropped == 1
    assert [m.start_us // MINUTE for m in live.advance("1970-01-02")] == [1, 2]


def test_what_no_pattern_knows_does_not_wait():
    live = CART.live(tolerance="1d")
    for minute in range(500):
        live.update_raw("ann", "mail", minute * MINUTE)
    assert live.waiting == 0


@pytest.mark.parametrize("when", [1.5, "2024-01-01", None])
def test_a_time_is_whole_microseconds(when):
    live = CART.live()
    with pytest.raises(DataError, match="whole microseconds"):
        live.update_raw("ann", "cart", when)
    assert len(live) == 0


@pytest.mark.parametrize("who", [None, "", 1.5, True])
def test_a_customer_is_a_label(who):
    live = CART.live()
    with pytest.raises(DataError, match="customer"):
        live.update_raw(who, "cart", 0)
    with pytest.raises(DataError, match="outside the years"):
        live.update_raw("ann", "cart", 2**60)
    assert len(live) == 0


# ---------------------------------------------------------------- bytes


@pytest.mark.parametrize(
    "names", [["ann", "5", "a\0b", "😀"], [5, -(2**80), np.int64(7)]], ids=["text", "whole"]
)
def test_names_of_every_kind_survive(names):
    live = CART.live(tolerance="1h")
    for minute, who in enumerate(names):
        live.update_raw(who, "cart", minute * MINUTE)
    copy = pickle.loads(pickle.dumps(live))
    assert list(copy) == names
    assert copy.to_bytes() == live.to_bytes()
    assert [m.customer for m in copy.advance("1970-01-02")] == names


def test_damaged_bytes_are_refused():
    live = CART.live(tolerance="1h")
    live.update_raw("ann", "cart", 0)
    whole = live.to_bytes()
    for size in range(len(whole)):
        with pytest.raises(DataError):
            LivePattern.from_bytes(whole[:size])
    with pytest.raises(DataError, match="damaged or cut short"):
        LivePattern.from_bytes(whole + b"x")
    with pytest.raises(DataError, match="no live patterns; they begin with b'PK"):
        LivePattern.from_bytes(b"PK\3\4" + whole)
    slot = whole.index(b"]]}") + 3 + 2 * 8  # after the customer's two instants: whose touchpoint
    with pytest.raises(DataError, match="waiting of customer 9 of 1"):
        LivePattern.from_bytes(whole[:slot] + b"\x09" + whole[slot + 1 :])
    with pytest.raises(DataError, match="another schema"):
        LivePattern.from_bytes(whole.replace(b"live-pattern/1", b"live-pattern/9"))
    with pytest.raises(DataError, match="damaged"):
        LivePattern.from_bytes(whole.replace(b'"clock"', b'"clack"'))


# ---------------------------------------------------------------- figures


def test_time_and_memory_per_touchpoint_and_customer():
    pattern = Pattern(
        ["view", Goal("cart", "web"), "checkout"],
        within="1d",
        without=["mail", "gone"],
        then_no=["purchase", Goal("call", "store")],
        step_within="12h",
    )
    rng = np.random.default_rng(1)
    names = ["view", "cart", "checkout", "purchase", "mail", "other"]
    n = 60_000
    events = [names[i] for i in rng.integers(6, size=n).tolist()]
    who = rng.integers(20_000, size=n).tolist()
    when = (np.arange(n) * 10_000_000 - rng.integers(10**9, size=n) + 10**9).tolist()
    tracemalloc.start()
    live = pattern.live(tolerance="30min")
    for person in range(20_000):
        live.update_raw(person, "other", 0)
    bytes_each = tracemalloc.get_traced_memory()[0] / 20_000
    tracemalloc.stop()
    begun = clock.perf_counter()
    for i in range(n):
        live.update_raw(who[i], events[i], when[i], "web")
    each = (clock.perf_counter() - begun) / n
    print(f"{each * 1e6:.2f} us per touchpoint, {bytes_each:.0f} bytes per customer at rest")
    assert each < 100e-6  # ten times the target: a loaded machine must not fail a test
    assert bytes_each < 400


def test_goals_that_ask_more_than_a_live_engine_is_given_are_refused():
    dear = cx.Goal("cart", value=(100, None))
    with pytest.raises(DefinitionError, match="look at event and channel only, and 'cart, value"):
        Pattern([dear, "buy"], within="1h").live()
    with pytest.raises(DefinitionError, match="match it in a batch"):
        LiveSliding("1h", goal=cx.Goal("cart", where={"plan": "pro"}))


@pytest.mark.parametrize(
    "make",
    [
        lambda: LivePattern(Pattern(["view", "cart"], "3h")),
        lambda: LiveSliding("1h"),
        lambda: cx.patterns.LiveSessions("1h"),
    ],
    ids=["pattern", "sliding", "sessions"],
)
@pytest.mark.parametrize(("known", "other"), [(7, "7"), ("7", 7)], ids=["whole", "text"])
def test_customers_of_two_kinds_are_refused_and_nothing_changes(make, known, other):
    live = make()
    columns = () if isinstance(live, cx.patterns.LiveSessions) else ("view",)

    def many(engine, customers):
        named = [["view"] * len(customers)] if columns else []
        return engine.update_many(customers, *named, list(range(len(customers))))

    with pytest.raises(DataError, match="in row 1, which would mix them"):
        many(live, [known, other])
    assert len(live) == 0
    live.update_raw(known, *columns, 0)
    for engine in (live, pickle.loads(pickle.dumps(live))):
        before = engine.to_bytes()
        with pytest.raises(DataError, match="would mix them") as told:
            engine.update_raw(other, *columns, 1)
        assert "text" in str(told.value)
        assert "whole numbers" in str(told.value)
        assert "pass str(customer) for all" in str(told.value)
        with pytest.raises(DataError, match="would mix them"):
            engine.update(cx.Touchpoint(other, "2024-01-01", event="view"))
        with pytest.raises(DataError, match="would mix them"):
            many(engine, [known, other])
        assert engine.to_bytes() == before
        engine.update_raw(known, *columns, 2)


def test_bytes_with_customers_of_two_kinds_are_refused():
    live = CART.live()
    live.update_raw(7, "view", 0)
    live.update_raw(8, "view", 0)
    live._names[1] = "7"
    with pytest.raises(DataError, match="would mix them"):
        LivePattern.from_bytes(live.to_bytes())
