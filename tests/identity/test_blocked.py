"""Blocked values are those of the rule, text by text, however they are found."""

import numpy as np
import pytest
from hypothesis import example, given, strategies as st

from cxkit.core import rows
from cxkit.core.codes import Vocabulary
from cxkit.core.textcodes import factorize_texts
from cxkit.identity import BLOCKED, blocked, stitch

SIGNS = "0-_.:/+ "


def plainly(text, words):
    """The rule as the documentation has it."""
    text = text.strip().casefold()
    for word in (word.strip().casefold() for word in words):
        if len(word) > 1 and word.endswith("*") and text.startswith(word[:-1]):
            return True
        if len(word) > 1 and word.startswith("*") and text.endswith(word[1:]):
            return True
        if text == word or (word == "0" and "0" in text and not set(text) - set(SIGNS)):
            return True
    return False


def from_bytes(texts):
    """Labels that were read with their endings, as those of an Arrow table are."""
    raw = [text.encode() for text in texts]
    ends = np.cumsum([0, *map(len, raw)])
    vocabulary, _ = factorize_texts(np.frombuffer(b"".join(raw), np.uint8), ends)
    assert vocabulary.endings is not None or not texts
    return vocabulary


WORDS = [*BLOCKED, "ς*", "*é", "straße", "*Kelvin", "k*z"]
PARTS = [
    *(word.strip("*") for word in WORDS),
    *("x", "@", "é", "K", "ſ", "ß", "İ", "\u00a0", "\t", " ", "!", "0", "-", "00-0", "\0", "e"),
    *("a" * 40, "@EXAMPLE.com", "TEST@", "Null", "NoReply@x.org", "\U0001f600", "\x7f", "\x1f"),
]
TEXTS = st.lists(st.sampled_from(PARTS), max_size=4).map("".join)


@pytest.mark.parametrize("piece", [3, 10**6])
@given(st.lists(TEXTS, max_size=30), st.booleans())
@example(
    ["test@x", "TESTER@Y", "a@b@test.COM ", "teſt", "0\u00a0", "000\t", "K", "null\x1f"], False
)
def test_it_is_the_rule_text_by_text(piece, texts, swap):
    texts = [text.swapcase() if swap else text for text in texts if "\ud800" not in text]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "PIECE", piece)
        patch.setattr(blocked, "_WIDEST", 60)
        for words in (WORDS, BLOCKED, ("null",), ("0",), ("*é",), ()):
            for vocabulary in (Vocabulary.of(texts), from_bytes(texts)):
                found = blocked._Blocked.of(words).mask(vocabulary)
                assert found.tolist() == [plainly(text, words) for text in vocabulary]


@pytest.mark.parametrize("with_endings", [True, False])
def test_of_many_values_few_are_looked_at(monkeypatch, with_endings):
    looked = []
    rule = blocked._Blocked.__call__
    monkeypatch.setattr(
        blocked._Blocked, "__call__", lambda self, text: looked.append(text) or rule(self, text)
    )
    ids = [f"device-{n:06d}" for n in range(20_000)] + [f"000{n:05d}" for n in range(20_000)]
    strange = ["NULL", "Test@shop.org", "kim@Example.COM", "00000000", " n/a"]
    vocabulary = from_bytes([*ids, *strange]) if with_endings else Vocabulary.of([*ids, *strange])
    found = blocked._Blocked.of(BLOCKED).mask(vocabulary)
    assert sorted(vocabulary.labels[found].tolist()) == sorted(strange)
    assert len(looked) < 50


def test_so_many_zeros_that_all_are_looked_at(monkeypatch):
    monkeypatch.setattr(blocked, "_MOST_RANGES", 20)
    ids = ["".join(SIGNS[int(d)] for d in np.base_repr(n, 8)) for n in range(500)]
    found = blocked._Blocked.of(BLOCKED).mask(vocabulary := Vocabulary.of([*ids, "0-0 x"]))
    assert found.tolist() == [plainly(text, BLOCKED) for text in vocabulary]


def test_numbers_are_blocked_by_value():
    identity = stitch({"a": [0, -1, 5], "b": [7, 8, 9]}, left="a", right="b")
    assert identity.customer_of("a", 0) is None
    assert identity.customer_of("a", -1) is None
    assert identity.customer_of("a", 5) == "a:5"
