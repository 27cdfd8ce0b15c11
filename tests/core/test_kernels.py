"""Whatever goes row by row within segments, against plain loops, for any pieces and threads."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from cxkit.core import caps, distinct, factorize, recurrence, rows, threads, windows, within
from cxkit.errors import DataError, DefinitionError
from tests.strategies import offsets_and

any_pieces = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(params=[(1, 7, 2), (2, 3, 1), (3, 10**6, 5)])
def cut(request, monkeypatch):
    """Threads, rows of a piece, and segments of a block, all as small as the data."""
    count, piece, block = request.param
    monkeypatch.setenv("CXKIT_THREADS", str(count))
    monkeypatch.setattr(threads, "FEWEST_ROWS", 1)
    monkeypatch.setattr(rows, "PIECE", piece)
    for module in (caps, distinct, windows, within):
        monkeypatch.setattr(module, "PIECE", piece)
    monkeypatch.setattr(recurrence, "_SEGMENTS", block)


def segments(offsets, *columns):
    """The segments as lists of rows."""
    return [
        list(zip(*(c[a:b] for c in columns), strict=True))
        for a, b in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)
    ]


def flat(lists):
    return [x for one in lists for x in one]


@pytest.mark.usefixtures("cut")
@any_pieces
@given(offsets_and(st.integers(0, 99)), st.integers(1, 8))
def test_lag(given_, by):
    offsets, values = given_
    for dtype in ("u1", "i8", "f8"):
        found = within.lag(np.array(values, dtype), offsets, by=by, fill=7)
        assert found.dtype == dtype
        assert found.tolist() == flat(
            [([7] * by + [x for (x,) in one])[: len(one)] for one in segments(offsets, values)]
        )


def test_lag_of_a_time():
    found = within.lag(
        np.array([5, 6], "M8[us]"), np.array([0, 2]), fill=np.datetime64("NaT", "us")
    )
    assert np.isnat(found).tolist() == [True, False]


@pytest.mark.usefixtures("cut")
@any_pieces
@given(offsets_and(st.integers(-(2**50), 2**50)))
def test_running_sum(given_):
    offsets, values = given_
    expected = []
    for one in segments(offsets, values):
        total = 0
        for (x,) in one:
            expected.append(total := total + x)
    assert within.running_sum(np.array(values, np.int64), offsets).tolist() == expected
    floats = within.running_sum(np.array(values, np.float64) / 8, offsets)
    assert np.allclose(floats * 8, expected, rtol=1e-12, atol=100)
    flags = within.running_sum(np.array(values, np.int64) > 0, offsets)
    assert flags.dtype == np.int64


@pytest.mark.usefixtures("cut")
@any_pieces
@pytest.mark.parametrize("slots", [1, 4, 32, 33, 64, 65, 1000])
@given(given_=offsets_and(st.integers(0, 1100)))
def test_distinct_codes(slots, given_):
    offsets, values = given_
    codes = np.array(values, np.uint16) % (slots + 2)  # some of them missing
    expected = [len({x for (x,) in one if x < slots}) for one in segments(offsets, codes.tolist())]
    assert distinct.distinct_codes(codes, offsets, slots).tolist() == expected


@pytest.mark.parametrize("slots", [3, 32, 64])
def test_masks_of_long_and_short_segments(slots):
    rng = np.random.default_rng(slots)
    size = np.concatenate([rng.integers(1, 40, 3000), [9000, 1, 4095], np.full(300, 50)])
    offsets = np.append(0, np.cumsum(size))
    codes = rng.integers(0, slots + 3, offsets[-1]).astype(np.uint8)
    expected = [
        sum(1 << x for x in set(codes[i:j].tolist()) if x < slots)
        for i, j in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)
    ]
    assert distinct.code_masks(codes, offsets, slots).tolist() == expected


def test_masks_have_64_bits():
    masks = distinct.code_masks(np.array([63, 0, 64], np.uint8), np.array([0, 2, 3]), 64)
    assert masks.tolist() == [2**63 + 1, 0]
    with pytest.raises(DefinitionError, match="64 codes, not for 65"):
        distinct.code_masks(np.array([0], np.uint8), np.array([0, 1]), 65)


def loop(added, kept, offsets):
    out = []
    for one in segments(offsets, added.tolist(), kept.tolist()):
        state = 0.0
        for at, (add, keep) in enumerate(one):
            state = add if at == 0 else keep * state + add
            out.append(state)
    return np.array(out)


@pytest.mark.usefixtures("cut")
@any_pieces
@pytest.mark.parametrize(("few", "steps"), [(48, 65_535), (0, 65_535), (1, 3), (0, 1)])
@given(given_=offsets_and(st.tuples(st.floats(-1e9, 1e9), st.floats(0, 1))))
def test_running_state_has_the_bits_of_a_loop(monkeypatch, few, steps, given_):
    monkeypatch.setattr(recurrence, "_FEW", few)
    monkeypatch.setattr(recurrence, "_STEPS", steps)
    offsets, pairs = given_
    added = np.array([a for a, _ in pairs], np.float64)
    kept = np.array([k for _, k in pairs], np.float64)
    found = recurrence.running_state(added, kept, offsets)
    assert found.tobytes() == loop(added, kept, offsets).tobytes()


def test_running_state_of_many_and_of_long_segments():
    rng = np.random.default_rng(0)
    size = np.concatenate([rng.geometric(0.1, 3000), [70_000, 1, 400], rng.geometric(0.9, 2000)])
    offsets = np.append(0, np.cumsum(size))
    added, kept = rng.normal(size=offsets[-1]), rng.random(offsets[-1])
    found = recurrence.running_state(added, kept, offsets)
    assert found.tobytes() == loop(added, kept, offsets).tobytes()
    half = len(size) // 2
    parts = [
        recurrence.running_state(added[a:b], kept[a:b], offsets[j0 : j1 + 1] - a)
        for j0, j1 in ((0, half), (half, len(size)))
        for a, b in [(offsets[j0], offsets[j1])]
    ]
    assert np.concatenate(parts).tobytes() == found.tobytes()


def sorted_ticks(offsets, values):
    return np.array(
        flat([sorted(x for (x,) in one) for one in segments(offsets, values)]), np.int64
    )


TICKS = offsets_and(st.one_of(st.integers(0, 30), st.integers(-(2**53), 2**53)))
SPANS = st.one_of(st.integers(1, 12), st.sampled_from([2**53, 2**62]))


@pytest.mark.usefixtures("cut")
@any_pieces
@pytest.mark.parametrize(("near", "rest"), [(12, 6), (2, 60), (1, 0)])
@given(given_=TICKS, span=SPANS)
def test_rolling_windows(monkeypatch, near, rest, given_, span):
    monkeypatch.setattr(windows, "_NEAR", near)
    monkeypatch.setattr(windows, "_REST", rest)
    offsets, values = given_
    ticks = sorted_ticks(offsets, values)
    worth = np.arange(len(ticks)) * 3 + 1
    counts, sums, first = [], [], []
    for a, b in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
        for at in range(a, b):
            inside = [k for k in range(a, at + 1) if ticks[at] - ticks[k] < span]
            first.append(inside[0])
            counts.append(len(inside))
            sums.append(sum(worth[k].item() for k in inside))
    assert windows.window_starts(ticks, offsets, span).tolist() == first
    assert windows.rolling_count(ticks, offsets, span).tolist() == counts
    assert windows.rolling_sum(worth, ticks, offsets, span).tolist() == sums


def test_windows_of_very_many_rows():
    ticks = np.append(np.arange(5000), np.arange(0, 50_000, 10))
    found = windows.rolling_count(ticks, np.array([0, 5000, 10_000]), 300)
    expected = np.append(np.minimum(np.arange(5000), 299), np.minimum(np.arange(5000), 29)) + 1
    assert np.array_equal(found, expected)


def test_windows_whose_segments_do_not_fit_one_line():
    ticks = np.tile(np.array([-(2**53), 0, 2**53]), 3000)
    offsets = np.arange(0, len(ticks) + 1, 3)
    found = windows.rolling_count(ticks, offsets, 2**53 + 1).reshape(-1, 3)
    assert (found == [1, 2, 2]).all()


@pytest.mark.usefixtures("cut")
@any_pieces
@pytest.mark.parametrize("few", [0, 1, 16])
@given(given_=TICKS, span=SPANS)
def test_cooldown_runs_from_the_last_that_counted(monkeypatch, few, given_, span):
    monkeypatch.setattr(windows, "_FEW", few)
    offsets, values = given_
    ticks = sorted_ticks(offsets, values)
    expected = []
    for one in segments(offsets, ticks.tolist()):
        last = None
        for (t,) in one:
            counts = last is None or t - last >= span
            last = t if counts else last
            expected.append(counts)
    assert windows.after_cooldown(ticks, offsets, span).tolist() == expected


def test_cooldown_on_long_dense_journeys():
    ticks = np.arange(100_000)
    found = windows.after_cooldown(ticks, np.array([0, 50_000, 100_000]), 10)
    assert np.flatnonzero(found).tolist() == list(range(0, 100_000, 10))


@pytest.mark.usefixtures("cut")
@any_pieces
@given(
    offsets_and(st.tuples(st.integers(0, 2), st.integers(0, 3)), max_length=12),
    st.lists(st.sampled_from([0, 1, 2, 2**40]), min_size=3, max_size=3),
)
def test_caps(given_, limits):
    offsets, pairs = given_
    days = sorted_ticks(offsets, [d for _, d in pairs])
    codes = np.array([c for c, _ in pairs], np.uint8)
    expected = []
    for one in segments(offsets, codes.tolist(), days.tolist()):
        seen = {}
        for pair in one:
            seen[pair] = seen.get(pair, 0) + 1
            expected.append(seen[pair] <= limits[pair[0]])
    assert caps.within_caps(codes, days, offsets, np.array(limits)).tolist() == expected


def test_caps_where_a_key_has_no_room(monkeypatch):
    rng = np.random.default_rng(0)
    codes, days = rng.integers(0, 5, 4000).astype(np.uint8), np.sort(rng.integers(0, 400, 4000))
    limits, offsets = np.array([0, 1, 1, 2, 9]), np.array([0, 10, 4000])
    found = caps.within_caps(codes, days, offsets, limits)
    monkeypatch.setattr(caps, "_KEY_BITS", 0)
    assert 0 < found.sum() < 4000
    assert np.array_equal(caps.within_caps(codes, days, offsets, limits), found)


NOTHING = np.array([0])


def test_nothing_gives_nothing():
    none = np.zeros(0, np.int64)
    for found in (
        within.lag(none, NOTHING),
        within.running_sum(none, NOTHING),
        distinct.distinct_codes(none, NOTHING, 3),
        distinct.distinct_codes(none, NOTHING, 300),
        recurrence.running_state(np.zeros(0), np.zeros(0), NOTHING),
        windows.rolling_count(none, NOTHING, 5),
        windows.rolling_sum(none, none, NOTHING, 5),
        windows.after_cooldown(none, NOTHING, 5),
        caps.within_caps(none, none, NOTHING, np.array([1])),
    ):
        assert found.tolist() == []


@pytest.mark.usefixtures("cut")
@any_pieces
@given(
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1),
    st.sampled_from([1, 1000, 100_000, 2**40, 2**64]),
)
def test_factorize(values, modulus):
    values = [v % modulus - (2**63 if modulus == 2**64 else 0) for v in values]
    labels, codes = factorize.factorize(np.array(values, np.int64))
    assert labels.tolist() == sorted(set(values))
    assert labels[codes].tolist() == values
    assert codes.dtype == np.min_scalar_type(len(labels))


def test_factorize_many_numbers_far_apart():
    rng = np.random.default_rng(0)
    for bits in (40, 62):
        values = rng.integers(0, 2**bits, 5000)[rng.integers(0, 5000, 60_000)]
        for array in (values, np.sort(values)):
            labels, codes = factorize.factorize(array)
            assert np.array_equal(labels, np.unique(values))
            assert np.array_equal(labels[codes], array)
    with pytest.raises(DataError, match="64 bits"):
        factorize.factorize(np.array([2**63], np.uint64))


@given(st.lists(st.integers(0, 5)), st.integers(1, 4))
def test_used_numbers(values, size):
    values = [v % (size + 2) for v in values]
    found = factorize.used_numbers(np.array(values, np.uint8), size, beyond=2)
    assert found.tolist() == [number in values for number in range(size)]
