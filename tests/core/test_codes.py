import pickle

import numpy as np
import pytest
from hypothesis import given, strategies as st

from cxkit.core.codes import TEXT, Codes, Vocabulary
from cxkit.errors import DataError, UnknownLabelError
from tests.strategies import LABELS, TEXTS


@given(st.lists(LABELS))
def test_text_comes_back_as_it_went_in(values):
    assert Codes.of(values).to_list() == values


@given(st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1))))
def test_whole_numbers_come_back_as_they_went_in(values):
    assert Codes.of(values).to_list() == values


@given(
    st.lists(st.integers(-(2**62), 2**62), min_size=1),
    st.sampled_from([1, 1000, 2**40]),
)
def test_integer_arrays_dense_and_sparse(values, modulus):
    array = np.array([v % modulus for v in values], np.int64)
    codes = Codes.of(array)
    assert codes.to_list() == array.tolist()
    assert list(codes.vocabulary) == sorted(set(array.tolist()))


@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u4", "i8", "u8"])
def test_integer_dtypes_at_their_edges(dtype):
    info = np.iinfo(dtype)
    edges = [max(info.min, -(2**63)), min(info.max, 2**63 - 1), 0, 1]
    assert Codes.of(np.array(edges, dtype)).to_list() == edges


def test_numbers_beyond_63_bits_are_refused():
    with pytest.raises(DataError, match="64 bits"):
        Codes.of(np.array([2**64 - 1], np.uint64))


def test_labels_are_sorted_whatever_the_order_of_rows():
    assert Codes.of(["b", "a"]).codes.tolist() == [1, 0]
    assert list(Codes.of(["b", "a", "b"]).vocabulary) == ["a", "b"]


def test_missing_is_the_last_slot():
    codes = Codes.of(["b", None, "a"])
    assert codes.codes.tolist() == [1, 2, 0]
    assert codes.missing == 2
    assert codes.is_missing().tolist() == [False, True, False]
    assert codes.slot_labels() == ["a", "b", None]


def test_mixed_kinds_are_read_as_text():
    assert Codes.of([1, "1", "b", None]).to_list() == ["1", "1", "b", None]


@pytest.mark.parametrize("odd", [[1.5], [b"x"], [["list"]], [object()], [True]])
def test_what_is_no_label_is_refused(odd):
    with pytest.raises(DataError, match="a label must be text or a whole number"):
        Codes.of(odd)


def test_the_dtype_is_the_smallest_that_holds_the_missing_slot_too():
    assert Codes.of(list(range(255))).codes.dtype == np.uint8
    assert Codes.of(list(range(256))).codes.dtype == np.uint16


@given(st.lists(st.integers(-1, 3)), st.permutations(["w", "x", "y", "z"]))
def test_categories_keep_their_meaning(raw, labels):
    codes = Codes.from_codes(np.array(raw, np.int8), labels)
    assert codes.to_list() == [None if c < 0 else labels[c] for c in raw]
    assert list(codes.vocabulary) == sorted({labels[c] for c in raw if c >= 0})


def test_repeated_categories_become_one():
    codes = Codes.from_codes(np.array([0, 1, 2]), ["b", "a", "b"])
    assert codes.codes.tolist() == [1, 0, 1]


@pytest.mark.parametrize("bad", [[0, 2], [-2]])
def test_codes_outside_the_labels_are_refused(bad):
    with pytest.raises(DataError, match="points outside the 2 labels"):
        Codes.from_codes(np.array(bad), ["a", "b"])


def test_equality_is_by_label():
    whole = Codes.of(["a", "b", "c"])
    assert whole.take(np.array([0, 2])) == Codes.of(["a", "c"])
    assert whole.take(np.array([0, 2])) != Codes.of(["a", "b"])
    assert Codes.of([1, 2]) != Codes.of(["1", "2"])
    assert Codes.of([None]) == Codes.all_missing(1)
    assert Codes.of(["a", None]) != Codes.of(["a", "a"])


@given(st.lists(TEXTS), st.lists(TEXTS))
def test_union_and_positions(left, right):
    a, b = Vocabulary.of(left), Vocabulary.of(right)
    both = a.union(b)
    assert list(both) == sorted({*left, *right})
    assert both == b.union(a)
    for one in (a, b):
        at = one.positions_in(both)
        assert [both.labels[i] for i in at[:-1]] == list(one)
        assert at[-1] == len(both)


def test_a_union_of_many_texts_survives():
    """numpy's default sort of texts crashes the process on two sorted runs like these."""
    rng = np.random.default_rng(0)
    names = [sorted({f"l{i}" for i in rng.integers(0, 5000, 1500)}) for _ in range(2)]
    both = Vocabulary.of(names[0]).union(Vocabulary.of(names[1]))
    assert list(both) == sorted({*names[0], *names[1]})


def test_union_of_numbers_and_text_is_text():
    both = Vocabulary.of([1, 2]).union(Vocabulary.of(["2", "b"]))
    assert list(both) == ["1", "2", "b"]
    assert Vocabulary.of([1, 2]).positions_in(both).tolist() == [0, 1, 3]


@given(st.lists(TEXTS, min_size=1))
def test_index_finds_every_label(labels):
    vocabulary = Vocabulary.of(labels)
    for label in labels:
        assert vocabulary.labels[vocabulary.index(label)] == label


def test_unknown_label_gets_a_hint():
    with pytest.raises(UnknownLabelError, match="Did you mean 'email'"):
        Vocabulary.of(["email", "web"]).index("e-mail")
    for odd in (1, None, True, 1.0):
        assert odd not in Vocabulary.of(["a"])
    assert "1" not in Vocabulary.of([1])
    assert True not in Vocabulary.of([1])
    assert 2**70 not in Vocabulary.of([1])


def test_over_translates_to_a_wider_vocabulary():
    codes = Codes.of(["b", None])
    wide = codes.over(Vocabulary.of(["a", "b", "c"]))
    assert wide.codes.tolist() == [1, 3]
    assert wide == codes


def test_arrays_are_read_only_also_after_pickling():
    codes = pickle.loads(pickle.dumps(Codes.of(["a", "b"])))
    assert codes == Codes.of(["a", "b"])
    for array in (codes.codes, codes.vocabulary.labels):
        assert not array.flags.writeable


def test_the_callers_array_stays_writable():
    mine = np.array([0, 1], np.uint8)
    Codes(mine, Vocabulary.of(["a", "b"]))
    mine[0] = 1


def test_reprs():
    assert repr(Codes.of(["a", None])) == "<Codes: 2 rows, 1 labels: 'a', None>"
    assert repr(Vocabulary.of(range(7))) == "<Vocabulary: 0, 1, 2, 3, 4, ... 7 in all>"


def test_vocabularies_hash_and_compare():
    a, b = Vocabulary.of(["x"]), Vocabulary.of(["x"])
    assert a == b
    assert hash(a) == hash(b)
    assert a != Vocabulary.of([1])
    assert a != "x"
    assert Vocabulary.of([]) == Vocabulary(np.array([], np.int64))
    assert Vocabulary.of(np.array(["a"], TEXT)) == Vocabulary.of(np.array(["a"], "U1"))


def test_texts_that_were_dropped_still_make_texts_of_numbers():
    numbers, nothing = Vocabulary.of([2, 10]), Vocabulary.of(())
    dropped = Vocabulary.of(["web"]).kept(np.array([False]))
    assert dropped.was_text
    assert dropped == nothing
    for united in (numbers.union(dropped), dropped.union(numbers)):
        assert list(united) == ["10", "2"]
    assert list(numbers.positions_in(numbers.union(dropped))) == [1, 0, 2]
    for united in (dropped.union(nothing), nothing.union(dropped), dropped.kept(np.zeros(0, bool))):
        assert united.was_text
    assert pickle.loads(pickle.dumps(dropped)).was_text
    assert numbers.union(nothing) is numbers


def test_numbers_that_were_dropped_and_nothing_make_no_texts():
    numbers, none = Vocabulary.of([2]), np.array([], np.intp)
    for empty in (numbers.pick(none), Vocabulary.of(()).pick(none), Vocabulary.of(())):
        assert not empty.was_text
        assert list(empty.union(numbers)) == list(numbers.union(empty)) == [2]
    assert Vocabulary.of(["web"]).pick(none).was_text
    assert not Vocabulary.of(["app", "web"]).kept(np.array([True, False])).was_text
