import numpy as np
from hypothesis import given, strategies as st

from cxkit.core.hashing import hash_labels, mix64
from cxkit.core.vocabulary import TEXT, Vocabulary
from tests.strategies import TEXTS

MASK = 2**64 - 1


def slow_mix(value):
    z = (value + 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def slow_hash(text):
    data = text.encode("utf-8", "surrogatepass")
    state = slow_mix(len(data))
    for start in range(0, len(data), 8):
        state = slow_mix(state ^ int.from_bytes(data[start : start + 8], "little"))
    return state


def test_mix_is_splitmix64():
    # The first outputs of SplitMix64 seeded with 0 (Vigna's reference program).
    seeds = np.array([0, 0x9E3779B97F4A7C15], np.uint64)
    assert [hex(v) for v in mix64(seeds).tolist()] == ["0xe220a8397b1dcdaf", "0x6e789e6aa1b965f4"]


@given(st.lists(st.one_of(TEXTS, st.text(max_size=30)), min_size=1))
def test_text_hash_equals_the_plain_one(texts):
    labels = np.array(texts, dtype=TEXT)
    assert hash_labels(labels).tolist() == [slow_hash(t) for t in texts]


def test_a_hash_does_not_depend_on_its_neighbours():
    many = Vocabulary.of([f"customer {i}" for i in range(70_000)])
    picked = many.labels[[0, 5, 69_999]]
    assert many.hash64()[[0, 5, 69_999]].tolist() == hash_labels(picked).tolist()


def test_hashes_spread_evenly():
    for labels in (np.arange(64_000), np.array([f"C{i}" for i in range(64_000)], dtype=TEXT)):
        shards = np.bincount((hash_labels(labels) >> np.uint64(58)).astype(int), minlength=64)
        assert shards.min() > 800  # expected 1,000 with a deviation of 31
        assert shards.max() < 1200
