"""Equal sequences are found, and only equal ones, whatever their hashes."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from cxkit.core import grouping, ragged, rows, threads, uniques
from tests.strategies import offsets_and

any_pieces = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(params=[(1, 7), (2, 2), (3, 10**6)])
def cut(request, monkeypatch):
    """Threads, and rows of a chunk, as small as the data."""
    count, chunk = request.param
    monkeypatch.setenv("CXKIT_THREADS", str(count))
    monkeypatch.setattr(threads, "FEWEST_ROWS", 1)
    monkeypatch.setattr(rows, "PIECE", chunk)
    monkeypatch.setattr(ragged.chunks, "__defaults__", (chunk,))
    monkeypatch.setattr(uniques, "CHUNK", chunk)


def segments(offsets, rows):
    return [rows[a:b] for a, b in pairwise(offsets)]


@pytest.mark.usefixtures("cut")
@any_pieces
@given(offsets_and(st.integers(0, 2), max_segments=30, max_length=4), st.booleans())
def test_unique_sequences(data, keyed):
    offsets, rows = data
    parts = [tuple(p) for p in segments(offsets, rows)]
    key = np.arange(len(parts)) % 2 if keyed else None
    codes = np.array(rows, np.uint8)
    first, group = uniques.unique_sequences(offsets, codes, key)
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
            uniques,
            "_hash_sequences",
            lambda o, *_: (np.diff(o) % 3).astype(np.uint64),
        )
        first, group = uniques.unique_sequences(offsets, codes)
    assert [parts[f] for f in first[group]] == parts
    assert len(first) == len(set(parts))


def test_one_very_long_segment():
    codes = np.zeros(300_000, np.uint8)
    offsets = np.array([0, 150_000, 300_000])
    first, group = uniques.unique_sequences(offsets, codes)
    assert (first.tolist(), group.tolist()) == ([0], [0, 0])


def test_the_order_depends_on_the_sequences_alone():
    rng = np.random.default_rng(0)
    sizes = rng.integers(1, 6, 3000)
    offsets = np.append(0, np.cumsum(sizes))
    codes = rng.integers(0, 4, offsets[-1]).astype(np.uint8)
    order = rng.permutation(len(sizes))
    other, rows_ = ragged.take_segments(offsets, order)
    told = []
    for bounds, values in ((offsets, codes), (other, codes[rows_].astype(np.uint16))):
        first, _ = uniques.unique_sequences(bounds, values)
        told.append([values[bounds[f] : bounds[f + 1]].tolist() for f in first])
    assert told[0] == told[1]


def test_hashes_of_many_sequences_differ():
    # All sequences of four labels up to six places, and long ones that differ in one place.
    parts = [np.array(p, np.uint8) for p in np.ndindex(4, 4, 4, 4, 4, 4)]
    parts += [np.zeros(size, np.uint8) for size in range(1, 300)]
    for place in range(500):
        parts.append(np.zeros(500, np.uint8))
        parts[-1][place] = 1
    offsets = np.append(0, np.cumsum([len(p) for p in parts]))
    hashed = uniques._hash_sequences(offsets, np.concatenate(parts), None)
    alike = {p.tobytes() for p in parts}
    assert len(np.unique(hashed >> np.uint64(24))) == len(alike)


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1), st.sampled_from([1, 2**60, 2**64 - 2**20]))
def test_groups_by_hash(values, mask):
    hashes = np.array([v & mask for v in values], np.uint64)
    first, group = grouping.group_by_hash(lambda a, b: hashes[a:b], len(hashes))
    kept = 64 - (len(hashes) - 1).bit_length()
    leading = [int(h) >> (64 - kept) for h in hashes]
    assert [leading[f] for f in first] == sorted(set(leading))
    assert [leading[first[g]] for g in group] == leading
    assert all(f == leading.index(leading[f]) for f in first)
