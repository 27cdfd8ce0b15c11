"""Lanes: texts from their bytes, without the bits that say nothing, in the order of the texts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from cxkit.core.lanes import Squeeze, Texts, sort_words
from cxkit.core.rows import PIECE

BYTES = st.binary(max_size=20)


def packed(texts: list[bytes], before: bytes = b"", after: bytes = b"") -> Texts:
    data = np.frombuffer(before + b"".join(texts) + after, np.uint8)
    return Texts.of(data, np.cumsum([len(before), *map(len, texts)]))


def lanes_of(text: bytes, count: int) -> list[int]:
    whole = text.ljust(8 * count, b"\0")
    return [int.from_bytes(whole[8 * k : 8 * k + 8], "little") for k in range(count)]


@given(st.lists(BYTES, min_size=1, max_size=30), BYTES, BYTES, st.data())
def test_lanes_are_the_bytes_of_each_text_and_zero_beyond(
    texts: list[bytes], before: bytes, after: bytes, data: st.DataObject
) -> None:
    found = packed(texts, before, after)
    assert (found.shortest, found.longest) == (min(map(len, texts)), max(map(len, texts)))
    first = data.draw(st.integers(0, len(texts) - 1))
    last = data.draw(st.integers(first + 1, len(texts)))
    lanes = found.read(first, last)
    expected = [lanes_of(text, found.lanes) for text in texts]
    rows = np.array(lanes, np.uint64).reshape(found.lanes, last - first).T
    assert rows.tolist() == expected[first:last]
    chosen = np.array(data.draw(st.lists(st.integers(0, len(texts) - 1), max_size=9)), np.int64)
    table = found.table(chosen)
    assert table.tolist() == [[*expected[row], len(texts[row])] for row in chosen.tolist()]


@given(st.lists(st.binary(min_size=11, max_size=11), min_size=1, max_size=30), BYTES)
def test_texts_of_one_length_are_not_gathered(texts: list[bytes], before: bytes) -> None:
    found = packed(texts, before)
    rows = np.array(found.read(0, len(texts)), np.uint64).T
    assert rows.tolist() == [lanes_of(text, 2) for text in texts]


@given(st.lists(st.text("0123456789ab", max_size=19), min_size=1, max_size=30))
def test_squeezed_lanes_come_back_and_keep_the_order(words: list[str]) -> None:
    texts = packed([word.encode() for word in words])
    squeeze = Squeeze.of(texts)
    assert squeeze is not None
    lanes = texts.read(0, len(words))
    small = [squeeze.squeeze(k, lane) for k, lane in enumerate(lanes)]
    for k, (lane, few) in enumerate(zip(lanes, small, strict=True)):
        assert int(few.max()) < 1 << squeeze.bits[k]
        np.testing.assert_array_equal(squeeze.spread(k, few), lane)
    keys = list(zip(*(few.tolist() for few in small), strict=True)) or [()] * len(words)
    for one, key in zip(words, keys, strict=True):
        for other, another in zip(words, keys, strict=True):
            assert (key < another) == (one < other)


@given(st.integers(0, 2**64 - 1), st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=9))
def test_any_bits_can_be_squeezed(bits: int, values: list[int]) -> None:
    squeeze = Squeeze((bits,), (~bits & (2**64 - 1),))
    lane = np.array(values, np.uint64)
    chosen = [at for at in range(63, -1, -1) if bits >> at & 1]
    expected = []
    for value in lane.byteswap().tolist():
        few = 0
        for at in chosen:
            few = few << 1 | value >> at & 1
        expected.append(few)
    few = squeeze.squeeze(0, lane)
    assert few.tolist() == expected
    np.testing.assert_array_equal(squeeze.squeeze(0, squeeze.spread(0, few)), few)


def test_too_many_bits_are_noticed() -> None:
    texts = packed([b"aaaaaaaa", b"zzzzzzzz"])
    squeeze = Squeeze.of(texts)
    assert squeeze is not None
    assert Squeeze.of(texts, sum(squeeze.bits)) == squeeze
    assert Squeeze.of(texts, sum(squeeze.bits) - 1) is None
    late = packed([b"00000000"] * (PIECE + 5) + [b"zzzzzzzz"])
    assert Squeeze.of(late, 4) is None


@pytest.mark.parametrize("count", [1, 2, 3])
@given(data=st.data())
def test_words_are_sorted_by_the_first_that_differs(count: int, data: st.DataObject) -> None:
    # Few bits make ties, many bits do not fit the key.
    bits = data.draw(st.lists(st.sampled_from([0, 1, 2, 40, 64]), min_size=count, max_size=count))
    cells = st.tuples(
        *(st.integers(max(2**b - 3, 0), 2**b - 1) | st.integers(0, 2**b - 1) for b in bits)
    )
    rows = data.draw(st.lists(cells, max_size=40))
    words = [np.array([row[at] for row in rows], np.uint64) for at in range(count)]
    order = sort_words(words, bits)
    assert sorted(order.tolist()) == list(range(len(rows)))
    assert [rows[at] for at in order.tolist()] == sorted(rows)


def test_many_words_that_share_their_leading_bits() -> None:
    rng = np.random.default_rng(2)
    words = [rng.integers(0, 9, 3000).astype(np.uint64), rng.integers(0, 2**63, 3000).view("u8")]
    words[1] &= np.uint64(0xFF)
    np.testing.assert_array_equal(
        np.stack(words)[:, sort_words(words, [64, 64])], np.stack(words)[:, np.lexsort(words[::-1])]
    )
