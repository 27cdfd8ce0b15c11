import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import cxkit as cx
from cxkit.core.intervals import interval, jackknife_error
from cxkit.core.summary import SHARDS, merge_all
from cxkit.errors import DefinitionError, MergeError, SchemaError, UnknownLabelError
from cxkit.model.goal import Goal
from cxkit.patterns import Pattern, WindowCounts, sliding, tumbling
from tests.examples import some
from tests.patterns.patterns import MINUTE, fits
from tests.strategies import grouped, journeys_of, reordered, touchpoint_rows

SPANS = st.sampled_from(["1us", "1min", "90s", "17min", "2h", "1d", "9000d"])
LENGTHS = st.sampled_from(["1us", "1min", "7min", "1h", "1d", "7d"])
GOALS = st.sampled_from([None, "view", "gone", Goal("buy", "web")])


# ---------------------------------------------------------------- sliding


def slow_sliding(rows, span_us, goal, values):
    """Each touchpoint's window, by looking at every touchpoint before it."""
    out = []
    for journey in grouped(rows).values():
        for i, row in enumerate(journey):
            window = [r for r in journey[: i + 1] if row[1] - r[1] < span_us]
            window = [r for r in window if goal is None or fits(goal, r)]
            worth = [r[5] for r in window if not math.isnan(r[5])]
            out.append(math.fsum(worth) if values else len(window))
    return out


def quiet_sliding(journeys, span, **options):
    """Journey by journey, because random data may lack a label that many journeys must have."""
    parts = [sliding(journey, span, **options) for journey in journeys]
    return np.concatenate([np.zeros(0), *parts])


@settings(max_examples=some(200))
@given(touchpoint_rows(), SPANS, GOALS, st.booleans())
def test_sliding_is_its_definition(rows, span, goal, values):
    from cxkit.core.spans import span_us
    from cxkit.model.goal import as_goal

    wanted = None if goal is None else as_goal(goal)
    options = {"goal": goal, "value": "value" if values else None}
    found = quiet_sliding(journeys_of(rows), span, **options)
    us = span_us(span, name="span")
    assert found.tolist() == slow_sliding(rows, us, wanted, values)


@given(touchpoint_rows(), SPANS, st.booleans(), st.data())
def test_sliding_over_a_subset_is_the_subset(rows, span, values, data):
    journeys = journeys_of(rows)
    value = "value" if values else None
    whole = sliding(journeys, span, value=value)
    assert np.array_equal(whole, quiet_sliding(journeys, span, value=value))
    assert np.array_equal(
        whole, sliding(journeys_of(data.draw(reordered(rows))), span, value=value)
    )
    which = data.draw(st.lists(st.integers(0, len(journeys) - 1), unique=True)) if rows else []
    parts = [whole[journeys.offsets[j] : journeys.offsets[j + 1]] for j in which]
    assert np.array_equal(
        sliding(journeys.take(which), span, value=value), np.concatenate([np.zeros(0), *parts])
    )


def test_sliding_over_many_chunks_and_long_journeys():
    rng = np.random.default_rng(3)
    n = 120_000
    who = np.where(rng.random(n) < 0.5, 7, rng.integers(20_000, size=n))
    when = rng.integers(10**12, size=n)
    worth = rng.normal(size=n) * 10.0 ** rng.integers(-9, 9, size=n)
    journeys = cx.Journeys.from_codes(customer=who, time=when, columns={"value": worth})
    span = 20_000 * 10**6
    count = sliding(journeys, "20000s")
    total = sliding(journeys, "20000s", value="value")
    ticks, values = journeys.time.view(np.int64), journeys.value
    assert count.max() > 1000
    for row in rng.integers(n, size=300).tolist():
        j = int(np.searchsorted(journeys.offsets, row, side="right")) - 1
        first = int(journeys.offsets[j])
        window = [r for r in range(first, row + 1) if ticks[row] - ticks[r] < span]
        assert count[row] == len(window)
        part = values[window]
        assert abs(total[row] - math.fsum(part)) <= 1e-14 * np.abs(part).sum()


def test_two_threads_give_the_same_bits(monkeypatch):
    rng = np.random.default_rng(4)
    n = 600_000
    journeys = cx.Journeys.from_codes(
        customer=rng.integers(50_000, size=n),
        time=rng.integers(10**12, size=n),
        columns={"value": rng.normal(size=n), "event": rng.integers(3, size=n)},
    )
    pattern = Pattern([0, 1], "1d", without=[2])
    told = []
    for threads in ("1", "2"):
        monkeypatch.setenv("CXKIT_THREADS", threads)
        told.append((sliding(journeys, "1h", value="value").tobytes(), pattern.count(journeys)))
    assert told[0] == told[1]


def test_journeys_far_apart_do_not_reach_the_end_of_time():
    years = 365 * 86_400 * 10**6
    who = np.repeat(np.arange(4000), 2)
    when = np.tile([0, 200 * years], 4000)
    journeys = cx.Journeys.from_codes(customer=who, time=when)
    assert sliding(journeys, "100000d").tolist() == [1, 2] * 4000
    assert sliding(journeys, "70000d").tolist() == [1, 1] * 4000
    assert sliding(journeys, f"{2**61}us").tolist() == [1, 2] * 4000


def test_sliding_refuses():
    journeys = journeys_of([("a", 0, "view", "web", 1, 1.0)])
    with pytest.raises(SchemaError, match="holds labels, not numbers"):
        sliding(journeys, "1h", value="channel")
    with pytest.raises(SchemaError, match="no column 'worth'"):
        sliding(journeys, "1h", value="worth")
    with pytest.raises(UnknownLabelError, match="Did you mean 'view'"):
        sliding(journeys, "1h", goal="veiw")
    with pytest.raises(DefinitionError, match="span"):
        sliding(journeys, "soon")
    with pytest.raises(ValueError, match="read-only"):
        sliding(journeys, "1h")[0] = 3
    empty = sliding(cx.Journeys.empty(), "1h", value="worth")
    assert (empty.dtype, empty.shape) == (np.float64, (0,))


def test_huge_values_elsewhere_are_no_warning():
    rows = [("a", m, None, None, None, 1e308) for m in range(9)]
    rows += [("b", m, None, None, None, 1.0) for m in range(9)]
    total = sliding(journeys_of(rows), "1h", value="value")
    assert total[-1] == 9.0
    assert total[8] == math.inf


# ---------------------------------------------------------------- tumbling


def slow_windows(rows, length, origin, column):
    found = {}
    for row in rows:
        cell = found.setdefault(((row[1] - origin) // length, row[column]), [0, 0.0])
        cell[0] += 1
        if not math.isnan(row[5]):
            cell[1] += row[5]
    return {key: tuple(cell) for key, cell in found.items()}


def told(table, origin, length):
    starts = table.window.view(np.int64)
    labels = table.label.to_list()
    counts = zip(table.touchpoints.tolist(), table.value.tolist(), strict=True)
    keys = [((int(s) - origin) // length, v) for s, v in zip(starts, labels, strict=True)]
    return dict(zip(keys, counts, strict=True))


@settings(max_examples=some(200))
@given(
    touchpoint_rows(),
    LENGTHS,
    st.integers(-(10**10), 10**10),
    st.sampled_from([("event", 2), ("channel", 3), ("campaign", 4)]),
)
def test_tumbling_is_its_definition(rows, every, origin, column):
    from cxkit.core.spans import span_us

    length = span_us(every, name="every")
    begin = np.datetime64(origin, "us")
    table = tumbling(journeys_of(rows), every, origin=begin, by=column[0]).result()
    assert told(table, origin, length) == slow_windows(rows, length, origin, column[1])
    assert table.window.tolist() == sorted(table.window.tolist())
    for window in set(table.window.tolist()):
        here = table.window == np.datetime64(window, "us")
        assert table.share[here].sum() == pytest.approx(1)


@given(touchpoint_rows(customers=9), LENGTHS, st.data())
def test_windows_add_up(rows, every, data):
    whole = tumbling(journeys_of(rows), every)
    cut = data.draw(st.integers(0, 9))
    low = [r for r in rows if r[0] < f"c{cut}"]
    high = [r for r in rows if r[0] >= f"c{cut}"]
    a, b = (tumbling(journeys_of(part), every) for part in (low, high))
    zero = WindowCounts.zero(every=every)
    for summed in (a + b, b + a, merge_all([zero, a, zero, b]), whole + zero):
        assert summed == whole  # values are whole numbers, and so exact
        assert WindowCounts.from_bytes(summed.to_bytes()) == whole
        assert pickle.loads(pickle.dumps(summed)).to_bytes() == whole.to_bytes()
        assert not summed.touchpoints.flags.writeable
    assert tumbling(journeys_of(data.draw(reordered(rows))), every) == whole
    one_by_one = merge_all([zero, *(tumbling(journey, every) for journey in journeys_of(rows))])
    assert one_by_one == whole


def test_windows_of_a_microsecond_over_centuries():
    rows = [("a", us, "view", "web", c, 1.0) for us in (-(2**50), 2**52, 2**52) for c in range(40)]
    table = tumbling(journeys_of(rows), "1us", by="campaign").result()
    assert told(table, 0, 1) == slow_windows(rows, 1, 0, 4)


def test_dense_and_sparse_counting_agree(monkeypatch):
    from cxkit.patterns import windows

    journeys = cx.simulate.retail(300, rng=3).journeys
    dense = tumbling(journeys, "1d").result()
    monkeypatch.setattr(windows, "_DENSE", 0)
    monkeypatch.setattr(windows, "_PIECE", 1000)
    sparse = tumbling(journeys, "1d").result()
    assert np.array_equal(dense.touchpoints, sparse.touchpoints)
    assert np.allclose(dense.value, sparse.value, rtol=1e-12)


def test_windows_have_intervals():
    """The jackknife from the totals equals one that counts anew without each shard."""
    journeys = cx.simulate.retail(400, rng=5).journeys
    table = tumbling(journeys, "7d").result()
    occupied = np.bincount(journeys.shards, minlength=SHARDS) > 0
    key = list(zip(table.window.tolist(), table.label.to_list(), strict=True))
    shares = []
    for shard in range(SHARDS):
        rest = tumbling(journeys[journeys.shards != shard], "7d").result()
        keys = zip(rest.window.tolist(), rest.label.to_list(), strict=True)
        found = dict(zip(keys, rest.share.tolist(), strict=True))
        shares.append([found.get(k, 0.0) for k in key])
    error = jackknife_error(np.array(shares), occupied)
    low, high = interval(table.share, error, occupied, bounds=(0.0, 1.0))
    start, week = journeys.time.astype("datetime64[D]").astype(int), 7
    for window in np.unique(table.window):
        inside = start // week == window.astype("datetime64[D]").astype(int) // week
        if len(np.unique(journeys.row_shards[inside])) < 10:
            low[table.window == window] = high[table.window == window] = np.nan
    assert np.allclose(table.share_low, low, rtol=1e-9, atol=1e-12, equal_nan=True)
    assert np.allclose(table.share_high, high, rtol=1e-9, atol=1e-12, equal_nan=True)
    assert np.isfinite(low).sum() > 50


def test_a_window_of_a_handful_has_no_interval():
    day = 24 * 60 * MINUTE
    rows = [(who, 0, "view", "ab"[who % 2], None, 1.0) for who in range(300)]
    rows += [(who, day, "view", "a", None, 1.0) for who in range(3)]
    table = tumbling(journeys_of(rows), "1d").result()
    assert table.touchpoints.tolist() == [150, 150, 3]
    assert np.isnan(table.share_low).tolist() == [False, False, True]
    assert np.isnan(table.share_high).tolist() == [False, False, True]
    assert table.share.tolist() == [0.5, 0.5, 1.0]


def test_windows_are_a_result(monkeypatch):
    from cxkit.patterns import windowtable

    journeys = cx.simulate.retail(400, rng=5).journeys
    table = tumbling(journeys, "7d", by="device").result()
    assert list(table.columns())[:4] == ["window", "device", "touchpoints", "value"]
    assert repr(table).startswith("touchpoints every 7d by device")
    assert pickle.loads(pickle.dumps(table)).to_dicts() == table.to_dicts()
    assert table.touchpoints.sum() == journeys.touchpoints
    monkeypatch.setattr(windowtable, "_CELLS", 5)
    again = tumbling(journeys, "7d", by="device").result()
    assert np.array_equal(again.share_low, table.share_low)
    with pytest.raises(DefinitionError, match="level"):
        tumbling(journeys).result(level=0)
    with pytest.raises(MergeError, match="different every"):
        tumbling(journeys, "1d") + tumbling(journeys, "2d")
    with pytest.raises(SchemaError, match="numbers"):
        tumbling(journeys, by="value")
