import numpy as np
import pytest
from hypothesis import given, strategies as st

from cxkit.core import sorting

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
    monkeypatch.setattr(sorting, "_BLOCK", 2)
    codes = np.array([0, 0, 0, 1, 0], np.uint8)
    assert not sorting.is_sorted(codes, np.zeros(5, np.int64))
    assert sorting.is_sorted(codes[:4], np.zeros(4, np.int64))


def test_one_row():
    check(np.array([3], np.uint8), [5])
