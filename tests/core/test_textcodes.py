"""Texts to codes: whatever the bytes, the labels are those of a sorted set."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from cxkit.core import textcodes, threads
from cxkit.core.lanes import Texts
from cxkit.core.rows import PIECE
from cxkit.core.textcodes import factorize_texts

ALPHABETS = ["ab", "0123456789", "0123456789abcdef", "a\x00", "é😀a", "\x7f\x80 "]
WORDS = st.sampled_from(ALPHABETS).flatmap(
    lambda letters: st.lists(st.text(letters, max_size=20), min_size=1, max_size=40)
)
EQUAL = st.tuples(st.sampled_from(ALPHABETS[:4]), st.sampled_from([0, 1, 7, 8, 9, 16])).flatmap(
    lambda how: st.lists(st.text(how[0], min_size=how[1], max_size=how[1]), min_size=1, max_size=40)
)


def buffers(texts: list[str], dtype: type = np.int64) -> tuple[np.ndarray, np.ndarray]:
    raw = [text.encode() for text in texts]
    offsets = np.cumsum([0, *map(len, raw)]).astype(dtype)
    return np.frombuffer(b"".join(raw), np.uint8), offsets


def check(texts: list[str], dtype: type = np.int64) -> None:
    expected = sorted(set(texts))
    place = {text: at for at, text in enumerate(expected)}
    codes_expected = [place[text] for text in texts]
    data, offsets = buffers(texts, dtype)
    for labels, codes in (
        factorize_texts(data, offsets),
        textcodes._by_hash(Texts.of(data, offsets)),
    ):
        assert list(labels) == expected
        last_eight = [text.encode()[-8:].rjust(8, b"\x00") for text in expected]
        assert labels.endings is not None
        assert [end.tobytes() for end in labels.endings.astype("<u8")] == last_eight
        assert codes.tolist() == codes_expected
        assert codes.dtype == np.min_scalar_type(len(expected))


@given(WORDS | EQUAL, st.sampled_from([np.int32, np.int64]))
def test_labels_are_the_sorted_set(texts: list[str], dtype: type) -> None:
    check(texts, dtype)


@pytest.mark.parametrize("hashed", ["nothing", "length", "one bit"])
@given(texts=WORDS | EQUAL)
def test_texts_that_share_a_hash_are_told_apart(hashed: str, texts: list[str]) -> None:
    def hash_badly(found: Texts, first: int, last: int) -> np.ndarray:
        sizes = found.sizes(first, last)
        if hashed == "nothing":
            return np.zeros_like(sizes)
        return sizes << np.uint64(60 if hashed == "length" else 63)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(textcodes, "_hash", hash_badly)
        check(texts)


def test_no_text_and_only_empty_ones() -> None:
    labels, codes = factorize_texts(np.zeros(0, np.uint8), np.zeros(1, np.int64))
    assert (list(labels), codes.tolist()) == ([], [])
    check([""])
    check(["", "", ""])


def test_a_slice_of_a_larger_buffer() -> None:
    data, offsets = buffers(["zz", "b", "", "a", "b", "yy"])
    labels, codes = factorize_texts(data, offsets[1:6])
    assert (list(labels), codes.tolist()) == (["", "a", "b"], [2, 0, 1, 2])


def test_the_last_text_ends_where_the_buffer_ends() -> None:
    for size in range(1, 20):
        check(["x" * size, "y" * size, "z"])
        check(["x" * size, "y" * size])


@pytest.mark.parametrize(
    "make",
    [
        lambda n, rng: [f"user_{i:011d}" for i in rng.integers(0, n // 5, n)],
        lambda n, rng: [f"c{i}" for i in rng.integers(0, n // 5, n)],
        lambda n, rng: [
            f"{i * 0x9E3779B97F4A7C15 % 2**64:x}" for i in rng.integers(0, n, n).tolist()
        ],
        lambda n, rng: [
            f"{'é' * (i % 3)}{i * i:032x}" for i in rng.integers(0, n // 9, n).tolist()
        ],
    ],
    ids=["one length", "digits", "hex", "not ascii"],
)
def test_many_rows_and_two_threads(monkeypatch: pytest.MonkeyPatch, make: object) -> None:
    texts = make(3 * PIECE + 17, np.random.default_rng(5))  # type: ignore[operator]
    check(texts)
    data, offsets = buffers(texts)
    monkeypatch.setenv("CXKIT_THREADS", "1")
    alone = factorize_texts(data, offsets)
    monkeypatch.setenv("CXKIT_THREADS", "3")
    monkeypatch.setattr(threads, "FEWEST_ROWS", 1000)
    for other in (factorize_texts(data, offsets), textcodes._by_hash(Texts.of(data, offsets))):
        assert alone[0] == other[0]
        assert np.array_equal(alone[0].endings, other[0].endings)  # type: ignore[arg-type]
        assert alone[1].dtype == other[1].dtype
        assert np.array_equal(alone[1], other[1])


def test_what_is_no_utf8() -> None:
    data = np.frombuffer(b"ab\xff\xfe", np.uint8)
    with pytest.raises(UnicodeDecodeError):
        factorize_texts(data, np.array([0, 2, 4]))
