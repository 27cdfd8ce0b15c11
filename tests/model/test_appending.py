import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from cxkit.core import threads
from cxkit.core.codes import Codes
from cxkit.errors import SchemaError
from cxkit.model import appending
from cxkit.model.journeys import Journeys
from tests.strategies import journeys_of, touchpoint_rows


def same(left, right):
    assert left == right
    assert left.column_names == right.column_names
    assert [t.customer for j in left for t in j] == [t.customer for j in right for t in j]


@given(touchpoint_rows(), touchpoint_rows(customers=8))
def test_it_is_a_build_from_all_rows_old_ones_first(old, new):
    if old or new:
        same(journeys_of(old).append(journeys_of(new)), journeys_of(old + new))


@given(touchpoint_rows(min_rows=1), touchpoint_rows(min_rows=1, customers=8))
def test_no_sort_takes_place(old, new):
    before, after = journeys_of(old), journeys_of(new)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(appending, "build", None)
        appended = before.append(after)
    same(appended, journeys_of(old + new))


@given(touchpoint_rows(min_rows=1), touchpoint_rows(min_rows=1), st.data())
def test_journeys_in_any_order_and_cut_into_sessions(old, new, data):
    before, after = journeys_of(old).sessions("30min"), journeys_of(new).sessions("30min")
    whole = journeys_of(old + new)
    same(before.append(after), whole)
    order = data.draw(st.permutations(range(len(before))))
    shuffled = before.take(order)
    # Equal times of one customer lie within one session, whose rows keep their order.
    same(shuffled.append(after), whole)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(touchpoint_rows(), touchpoint_rows(customers=8))
def test_threads_change_nothing(monkeypatch, old, new):
    monkeypatch.setattr(threads, "FEWEST_ROWS", 1)
    monkeypatch.setenv("CXKIT_THREADS", "3")
    if old or new:
        same(journeys_of(old).append(journeys_of(new)), journeys_of(old + new))


def of(customers, times, **columns):
    return Journeys.from_codes(
        customer=Codes.of(customers), time=np.array(times, np.int64), columns=columns
    )


def test_columns_that_one_of_the_two_lacks_are_missing_there():
    left = of(["a", "b"], [1, 2], event=Codes.of(["x", "y"]))
    right = of(["b"], [1], value=np.array([5.0]), campaign=Codes.of([7]))
    both = left.append(right)
    assert both.column_names == ["time", "event", "value", "campaign"]
    assert both.codes("event").to_list() == ["x", None, "y"]
    assert np.array_equal(both.value, [np.nan, 5.0, np.nan], equal_nan=True)
    assert both.codes("campaign").to_list() == [None, 7, None]


def test_a_column_of_labels_here_and_numbers_there_is_refused():
    left, right = of([1], [1], x=Codes.of(["a"])), of([1], [2], x=np.array([1.5]))
    with pytest.raises(SchemaError, match="column 'x' holds labels in one part"):
        left.append(right)


@pytest.mark.parametrize("cut", [False, True])
def test_a_column_without_a_single_cell_is_no_column_of_labels(cut):
    nothing, numbers = Codes.of([None, None]), np.array([1.5, 2.5])
    left, right = of(["a", "b"], [1, 9], x=nothing), of(["a", "b"], [2, 3], x=numbers)
    if cut:  # then all rows are sorted anew
        left = left.take([1, 0])
    for both, wanted in [
        (left.append(right), [np.nan, 1.5, 2.5, np.nan]),
        (right.append(left), [np.nan, 1.5, 2.5, np.nan]),
    ]:
        assert np.array_equal(both["x"], wanted, equal_nan=True)
    assert left.append(of(["b"], [2], x=Codes.of([None])))["x"] == Codes.all_missing(3)
    assert left.append(of(["b"], [2], x=Codes.of(["y"]))).codes("x").to_list() == [None, "y", None]


@given(
    st.lists(st.integers(-9, 9), min_size=1),
    st.lists(st.integers(-9, 9), min_size=1),
    st.sampled_from([(int, int), (str, int), (int, str), (str, str)]),
)
def test_customers_of_any_kind_unite(old, new, kinds):
    left, right = [kinds[0](c) for c in old], [kinds[1](c) for c in new]
    both = of(left, range(len(left))).append(of(right, range(len(right))))
    rows = [*left, *right] if kinds[0] is kinds[1] else [str(c) for c in [*left, *right]]
    same(both, of(rows, [*range(len(left)), *range(len(right))]))


def test_nothing_to_append_to_or_from():
    some = of(["a"], [1], event=Codes.of(["x"]))
    assert Journeys.empty().append(some) == some
    assert some.append(Journeys.empty()) == some
    assert len(Journeys.empty().append(Journeys.empty())) == 0


def test_what_is_appended_does_not_change_what_was_there():
    some, more = of(["a"], [1]), of(["a"], [0])
    some.append(more)
    assert some == of(["a"], [1])
    assert not some.append(more).time.flags.writeable
