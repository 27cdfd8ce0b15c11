import pickle

import attrs
import numpy as np
import pytest
from hypothesis import given, strategies as st
from numpy.typing import NDArray

from cxkit.core.codes import Codes, Vocabulary
from cxkit.core.sequences import SequenceSummary, count_sequences
from cxkit.core.summary import AXIS, PARAMETER, SHARDS, Summary, merge_all, parameter, total
from cxkit.errors import DataError, MergeError
from cxkit.model.goal import Goal
from tests.strategies import LABELS

GOAL = Goal("x")


@attrs.frozen(eq=False, repr=False)
class Pairs(Summary):
    """A stand-in: how often two labels stand in one row."""

    by: str = attrs.field(metadata=PARAMETER)
    goal: Goal = attrs.field(metadata=parameter(Goal.from_dict))
    labels: Vocabulary = attrs.field(metadata=AXIS)
    pairs: NDArray[np.int64] = attrs.field(metadata=total("shard", "labels", "labels"))
    worth: NDArray[np.float64] = attrs.field(metadata=total("shard", "labels"))

    @classmethod
    def of(cls, rows, /, by="pair", goal=GOAL):
        both = Codes.of([v for row in rows for v in row[:2]])
        k = both.slots
        pairs = np.zeros((SHARDS, k, k), np.int64)
        worth = np.zeros((SHARDS, k))
        for i, (_, _, shard) in enumerate(rows):
            a, b = both.codes[2 * i], both.codes[2 * i + 1]
            pairs[shard, a, b] += 1
            worth[shard, a] += 0.5
        return cls(by=by, goal=goal, labels=both.vocabulary, pairs=pairs, worth=worth)

    def result(self):
        return int(self.pairs.sum())


@attrs.frozen(eq=False, repr=False)
class Words(SequenceSummary):
    """A stand-in: how often a sequence occurs."""

    by: str = attrs.field(metadata=PARAMETER)
    count: NDArray[np.int64] = attrs.field(metadata=total("sequence"))
    seen: NDArray[np.int64] = attrs.field(metadata=total("shard"))

    @classmethod
    def of(cls, words, /, by="word"):
        codes = Codes.of([label for word, _ in words for label in word])
        offsets = np.cumsum([0, *(len(word) for word, _ in words)])
        shard = np.array([s for _, s in words], np.uint8)
        ones = np.ones(len(words), np.int64)
        rows = count_sequences(offsets, codes.codes, shard, {"count": ones})
        seen = np.bincount(shard, minlength=SHARDS)
        return cls(by=by, labels=codes.vocabulary, seen=seen, **rows)

    def result(self):
        labels = [*self.labels, None]
        words = {}
        for s in range(len(self)):
            part = self.codes[self.offsets[s] : self.offsets[s + 1]]
            key = (tuple(labels[c] for c in part), int(self.shard[s]))
            assert key not in words
            words[key] = int(self.count[s])
        return words


ROWS = st.lists(st.tuples(LABELS, LABELS, st.integers(0, SHARDS - 1)), max_size=8)
WORDS = st.lists(st.tuples(st.lists(LABELS, min_size=1, max_size=3), st.integers(0, 2)), max_size=8)
KINDS = [(Pairs, ROWS), (Words, WORDS)]


@pytest.mark.parametrize(("kind", "rows"), KINDS)
@given(data=st.data())
def test_merge_law(kind, rows, data):
    a, b, c = (data.draw(rows) for _ in range(3))
    whole = kind.of(a + b + c)
    assert kind.of(a) + kind.of(b) + kind.of(c) == whole
    assert kind.of(c) + (kind.of(b) + kind.of(a)) == whole
    assert kind.of([]) + whole == whole == whole + kind.of([])
    assert merge_all([kind.of(c), kind.of(a), kind.of(b)]) == whole


@given(WORDS)
def test_sequences_are_counted(words):
    expected = {}
    for word, shard in words:
        key = (tuple(word), shard)
        expected[key] = expected.get(key, 0) + 1
    summary = Words.of(words)
    assert summary.result() == expected
    assert summary.occupied().nonzero()[0].tolist() == sorted({s for _, s in words})


@pytest.mark.parametrize(("kind", "rows"), KINDS)
@given(data=st.data())
def test_round_trips(kind, rows, data):
    summary = kind.of(data.draw(rows), by="other")
    for copy in (kind.from_bytes(summary.to_bytes()), pickle.loads(pickle.dumps(summary))):
        assert copy == summary
        assert copy.by == "other"
        assert not any(getattr(copy, f.name).flags.writeable for f in kind.fields("total"))


@pytest.mark.parametrize("labels", [[1, 2], ["1", "2"]])
def test_bytes_keep_numbers_apart_from_text(labels):
    summary = Pairs.of([(*labels, 0)])
    assert list(Pairs.from_bytes(summary.to_bytes()).labels) == labels


def test_bytes_are_the_same_every_time():
    assert Pairs.of([("a", "b", 0)]).to_bytes() == Pairs.of([("a", "b", 0)]).to_bytes()


def test_damaged_bytes_are_refused():
    data = Pairs.of([("a", "b", 0)]).to_bytes()
    for cut in (b"", b"PK\3\4 a zip file", data[:9], data[:40], data[:-1]):
        with pytest.raises(DataError):
            Pairs.from_bytes(cut)
    with pytest.raises(DataError, match="are a Pairs, not a Words"):
        Words.from_bytes(data)


def test_different_parameters_do_not_add():
    with pytest.raises(MergeError, match="different by: 'pair' and 'other'"):
        Pairs.of([]) + Pairs.of([], by="other")
    with pytest.raises(MergeError, match="different by"):
        Words.of([]) + Words.of([], by="other")
    with pytest.raises(TypeError):
        Pairs.of([]) + Words.of([])
    with pytest.raises(TypeError):
        Words.of([]) + 1
    assert Pairs.of([]) != 1
    with pytest.raises(MergeError, match="no summary to add"):
        merge_all([])


def test_totals_are_read_only_and_the_repr_shows_the_result():
    summary = Pairs.of([("a", "b", 0)])
    with pytest.raises(ValueError, match="read-only"):
        summary.pairs[0] = 1
    assert "by='pair'" in repr(summary)
    assert summary.occupied().tolist() == [True] + [False] * 63
