from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from cxkit.core import ragged, threads
from tests.strategies import offsets_and

any_pieces = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(params=[(1, 7), (2, 2), (3, 10**6)])
def cut(request, monkeypatch):
    """Threads, and rows of a chunk, as small as the data."""
    count, chunk = request.param
    monkeypatch.setenv("CXKIT_THREADS", str(count))
    monkeypatch.setattr(threads, "FEWEST_ROWS", 1)
    monkeypatch.setattr(ragged.chunks, "__defaults__", (chunk,))


def segments(offsets, rows):
    return [rows[a:b] for a, b in pairwise(offsets)]


@given(offsets_and(st.integers(-5, 5)))
def test_segment_reductions(data):
    offsets, rows = data
    values = np.array(rows, np.int64)
    parts = segments(offsets, rows)
    assert ragged.segment_sum(values, offsets).tolist() == [sum(p) for p in parts]
    assert ragged.lengths(offsets).tolist() == [len(p) for p in parts]
    assert ragged.segment_ids(offsets).tolist() == [j for j, p in enumerate(parts) for _ in p]
    assert ragged.ranks(offsets).tolist() == [i for p in parts for i in range(len(p))]
    if parts:
        assert ragged.segment_min(values, offsets).tolist() == [min(p) for p in parts]
        assert ragged.segment_max(values, offsets).tolist() == [max(p) for p in parts]


@given(offsets_and(st.floats(-1e6, 1e6)), st.integers(1, 10))
def test_a_chunk_gives_the_bits_of_the_whole(data, target):
    offsets, rows = data
    values = np.array(rows, np.float64)
    whole = ragged.segment_sum(values, offsets)
    for j0, j1, e0, e1 in ragged.chunks(offsets, target):
        part = ragged.segment_sum(values[e0:e1], offsets[j0 : j1 + 1] - e0)
        assert part.tobytes() == whole[j0:j1].tobytes()


@given(offsets_and(st.just(0)), st.integers(1, 10))
def test_chunks_cover_every_segment_once(data, target):
    offsets, _ = data
    pieces = list(ragged.chunks(offsets, target))
    assert [j for j0, j1, _, _ in pieces for j in range(j0, j1)] == list(range(len(offsets) - 1))
    assert all((offsets[j0], offsets[j1]) == (e0, e1) for j0, j1, e0, e1 in pieces)


@pytest.mark.usefixtures("cut")
@any_pieces
@given(offsets_and(st.booleans()), st.sampled_from(["u1", "u4", "i8"]))
def test_cuts(data, dtype):
    offsets, marks = data
    values = np.arange(len(offsets) - 1, dtype=dtype)[::-1] * 3
    cut, of = ragged.cut_offsets(offsets, np.array(marks, bool), values)
    starts = [i for i, m in enumerate(marks) if m or i in offsets.tolist()]
    assert cut.tolist() == [*starts, len(marks)]
    ids = np.repeat(values, np.diff(offsets)).tolist()
    assert of.dtype == values.dtype
    assert of.tolist() == [ids[s] for s in starts]


@pytest.mark.usefixtures("cut")
@any_pieces
@given(offsets_and(st.integers(0, 9)), st.data())
def test_take_segments(data, more):
    offsets, rows = data
    parts = segments(offsets, rows)
    which = more.draw(st.lists(st.integers(0, len(parts) - 1))) if parts else []
    new, at = ragged.take_segments(offsets, np.array(which, np.int64))
    assert segments(new, [rows[i] for i in at]) == [parts[w] for w in which]
    also, taken = ragged.take_codes(offsets, np.array(rows, np.uint8), np.array(which, np.int64))
    assert segments(also, taken.tolist()) == [parts[w] for w in which]


EXTREMES = st.one_of(st.integers(-3, 3), st.sampled_from([-(2**63), 2**63 - 1]))


@pytest.mark.usefixtures("cut")
@any_pieces
@given(offsets_and(EXTREMES, max_segments=20), st.integers(0, 3))
def test_per_row(data, skipped):
    offsets, rows = data
    for dtype in ("i8", "u4", "u2", "u1", "f8", "M8[us]"):
        some = np.array(rows[: len(offsets) - 1], np.int64).astype(dtype)
        part = offsets[skipped:] if len(offsets) > skipped else offsets
        found = ragged.per_row(some[: len(part) - 1], part)
        assert found.dtype == some.dtype
        expected = np.repeat(some[: len(part) - 1], np.diff(part))
        assert found.tobytes() == expected.tobytes()
