from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, strategies as st

from cxkit.core import ragged
from tests.strategies import offsets_and


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


@given(offsets_and(st.booleans()))
def test_cuts(data):
    offsets, marks = data
    cut, count = ragged.cut_offsets(offsets, np.array(marks, bool))
    starts = [i for i, m in enumerate(marks) if m or i in offsets.tolist()]
    assert cut.tolist() == [*starts, len(marks)]
    ids = ragged.segment_ids(offsets).tolist()
    assert np.repeat(np.arange(len(count)), count).tolist() == [ids[s] for s in starts]


@given(offsets_and(st.integers(0, 9)), st.data())
def test_take_segments(data, more):
    offsets, rows = data
    parts = segments(offsets, rows)
    which = more.draw(st.lists(st.integers(0, len(parts) - 1))) if parts else []
    new, at = ragged.take_segments(offsets, np.array(which, np.int64))
    assert segments(new, [rows[i] for i in at]) == [parts[w] for w in which]


@given(offsets_and(st.integers(0, 2), max_segments=30, max_length=4), st.booleans())
def test_unique_sequences(data, keyed):
    offsets, rows = data
    parts = [tuple(p) for p in segments(offsets, rows)]
    key = np.arange(len(parts)) % 2 if keyed else None
    codes = np.array(rows, np.uint8)
    first, group = ragged.unique_sequences(offsets, codes, key)
    whole = [(p, None if key is None else int(key[j])) for j, p in enumerate(parts)]
    assert len(first) == len(set(whole))
    assert [whole[f] for f in first[group]] == whole
    assert all(f == whole.index(whole[f]) for f in first)


@given(offsets_and(st.integers(0, 1), max_segments=30, max_length=3))
def test_colliding_hashes_are_put_right(data):
    offsets, rows = data
    codes = np.array(rows, np.uint8)
    parts = [tuple(p) for p in segments(offsets, rows)]
    with pytest.MonkeyPatch.context() as patch:
        # Three hash values for everything: nearly every group is a collision.
        patch.setattr(
            ragged,
            "_hash_sequences",
            lambda o, *_: (np.diff(o) % 3).astype(np.uint64),
        )
        first, group = ragged.unique_sequences(offsets, codes)
    assert [parts[f] for f in first[group]] == parts
    assert len(first) == len(set(parts))


def test_one_very_long_segment():
    codes = np.zeros(300_000, np.uint8)
    offsets = np.array([0, 150_000, 300_000])
    first, group = ragged.unique_sequences(offsets, codes)
    assert (first.tolist(), group.tolist()) == ([0], [0, 0])
