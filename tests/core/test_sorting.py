import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from cxkit.core import rows, sorting, threads
from cxkit.errors import DataError

DAY = 86_400_000_000


def reference(codes, times):
    return np.lexsort((times, codes))  # stable: equal rows keep their order


def check(codes, times):
    codes, times = np.asarray(codes), np.asarray(times, np.int64)
    before = codes.copy(), times.copy()
    order, ordered = sorting.order_by_code_and_time(codes, times)
    expected = reference(codes, times)
    if order is None:
        order = np.arange(len(codes))
    assert order.tolist() == expected.tolist()
    assert ordered.tolist() == times[expected].tolist()
    assert np.array_equal(codes, before[0])
    assert np.array_equal(times, before[1])


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(-3, 3)), min_size=1))
def test_small(rows):
    check(np.array([c for c, _ in rows], np.uint8), [t for _, t in rows])


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(-9, 9)), min_size=1))
def test_whole_seconds(rows):
    check(np.array([c for c, _ in rows], np.uint8), [t * 1_000_000 for _, t in rows])


@given(
    st.lists(
        st.tuples(st.sampled_from([0, 7, 2**31, 2**32 - 1]), st.integers(-(2**53), 2**53)),
        min_size=1,
    )
)
def test_time_bits_that_do_not_fit(rows):
    check(np.array([c for c, _ in rows], np.uint32), [t for _, t in rows])


@pytest.mark.parametrize("burst", [1, 50, 100_000])
def test_many_rows_whose_low_time_bits_are_cut_off(burst):
    rng = np.random.default_rng(burst)
    codes = rng.integers(0, 2**31, 60_000).astype(np.uint32)
    codes[::3] = 12_345
    times = rng.integers(0, 300 * 365 * DAY // burst, 60_000) // 7 * 7
    check(codes, times)


def test_sorted_rows_need_no_order():
    order, _ = sorting.order_by_code_and_time(np.array([0, 0, 1], np.uint8), np.array([1, 1, 0]))
    assert order is None


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2))))
def test_is_sorted(rows):
    codes = np.array([c for c, _ in rows], np.uint8)
    times = np.array([t for _, t in rows], np.int64)
    assert sorting.is_sorted(codes, times) == (rows == sorted(rows))


def test_is_sorted_across_blocks(monkeypatch):
    monkeypatch.setattr(rows, "PIECE", 2)
    codes = np.array([0, 0, 0, 1, 0], np.uint8)
    assert not sorting.is_sorted(codes, np.zeros(5, np.int64))
    assert sorting.is_sorted(codes[:4], np.zeros(4, np.int64))


def test_one_row():
    check(np.array([3], np.uint8), [5])


@pytest.fixture
def in_small_pieces(monkeypatch):
    """As many threads, parts and pieces as a short input allows."""
    monkeypatch.setattr(threads, "FEWEST_ROWS", 1)
    monkeypatch.setattr(rows, "PIECE", 7)


ROWS = st.lists(
    st.tuples(st.sampled_from([0, 1, 2, 2**16, 2**32 - 1]), st.integers(-(2**63), 2**63 - 1)),
    min_size=1,
    max_size=60,
)
COARSE = st.lists(
    st.tuples(st.integers(0, 3), st.integers(-9, 9).map(lambda t: t * 3_600_000_000)),
    min_size=1,
    max_size=60,
)


@pytest.mark.usefixtures("in_small_pieces")
@pytest.mark.parametrize("count", ["1", "2", "3", "7"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_rows=st.one_of(ROWS, COARSE))
def test_threads_and_pieces_change_nothing(monkeypatch, count, given_rows):
    monkeypatch.setenv("CXKIT_THREADS", count)
    codes = np.array([c for c, _ in given_rows], np.uint32)
    check(codes, [t for _, t in given_rows])
    found = sorting.sort_rows(codes, np.array([t for _, t in given_rows], np.int64))
    in_order = np.sort(codes)
    assert found.starts.tolist() == [
        at for at in range(len(codes)) if at == 0 or in_order[at] != in_order[at - 1]
    ]


@pytest.mark.usefixtures("in_small_pieces")
@pytest.mark.parametrize("burst", [1, 1000])
def test_repairs_across_pieces_and_threads(monkeypatch, burst):
    monkeypatch.setenv("CXKIT_THREADS", "2")
    rng = np.random.default_rng(burst)
    codes = rng.integers(2**31 - 3, 2**31, 5000).astype(np.uint32)
    check(codes, rng.integers(0, 2**50 // burst, 5000))


def test_one_row_with_finer_time_than_the_sample_promised():
    codes = np.full(50_000, 2**31, np.uint32)
    codes[::2] = 5
    times = np.arange(50_000, dtype=np.int64)[::-1] * 3_600_000_000
    times[7] += 1
    check(codes, times)


@pytest.mark.parametrize(
    ("low", "high"), [(-(2**63), 2**63 - 1), (2**63 - 2, 2**63 - 1), (-(2**63), -(2**63) + 5)]
)
def test_times_at_the_edges_of_64_bits(low, high):
    times = np.array([high, low, high, low, low + 1, high - 1], np.int64)
    check(np.array([1, 1, 0, 1, 0, 0], np.uint8), times)


def test_how_many_rows_a_key_has_bits_for():
    # A hundred gigabytes of rows cannot be tested, but where their bits would go can.
    def layout(rows, code_bits):
        return sorting._Layout(rows, code_bits, 0, 2**52, 1)

    huge = layout(2**31 + 1, 31)
    assert huge.row_bits + huge.code_bits + huge.time_bits == 64
    assert huge.dropped == 53 - 1
    assert layout(2**32, 32).time_bits == 0
    with pytest.raises(DataError, match="too many for one sort"):
        sorting._refuse_too_many(layout(2**32 + 1, 32))
