"""The fold, however the rows are cut into batches; tests/laws/test_roads.py has every summary."""

import functools
from itertools import chain

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import cxkit as cx
from cxkit.core.codes import Codes
from cxkit.errors import DataError, DefinitionError, MergeError, SchemaError
from cxkit.interop import stream
from cxkit.interop.fold import Folder, fold
from cxkit.interop.folded import Folded
from tests.examples import some
from tests.interop.folding import (
    FEW,
    ROLES,
    by_customer,
    columns_of,
    cut,
    log,
    table_of,
    unequal,
    whole,
)
from tests.laws.test_summaries import close
from tests.strategies import touchpoint_rows

ROWS = by_customer(log())
UNIT = {"time_unit": "us"}
PATHS = cx.flow.PathVariants
few = settings(max_examples=some(20))


def small(customers, times=None, **more):
    times = list(range(len(customers))) if times is None else times
    return {"c": customers, "t": times, **more}


def fold_small(tables, summary=PATHS, **more):
    return fold(tables, summary, customer="c", time="t", time_unit="s", **more)


@few
@given(rows=touchpoint_rows(customers=4), cuts=st.lists(st.integers(0, 40), max_size=5))
def test_any_rows_and_any_splits(rows, cuts):
    rows = by_customer(rows)
    batches = map(columns_of, cut(rows, [min(at, len(rows)) for at in cuts]))
    assert unequal(fold(batches, FEW, **ROLES, **UNIT), rows) == []


@pytest.mark.parametrize("kind", ["dictionary", "large_string", "string_view"])
def test_other_kinds_of_text(kind):
    pa = pytest.importorskip("pyarrow")
    text = {
        "dictionary": pa.dictionary(pa.int32(), pa.string()),
        "large_string": pa.large_string(),
        "string_view": pa.string_view(),
    }[kind]
    table = table_of(ROWS, user=text, where=text)
    batches = [table.slice(0, 333), table.slice(333)]
    assert unequal(fold(batches, FEW, **ROLES), ROWS) == []


def test_polars_frames():
    pytest.importorskip("pyarrow")
    pl = pytest.importorskip("polars")
    frame = pl.from_arrow(table_of(ROWS))
    assert unequal(fold(frame.iter_slices(100), FEW, **ROLES), ROWS) == []


def test_equal_times_keep_the_order_of_the_rows_over_an_edge():
    count = fold_small(
        [small([1, 1], [5, 5], e=["a", "b"]), small([1, 1], [5, 4], e=["c", "first"])],
        functools.partial(PATHS.of, by="event"),
        event="e",
    ).summary.result()
    assert count.to_dicts()[0]["path"] == "first > a > b > c"


def test_a_customer_over_many_batches_is_one_journey():
    folded = fold_small([small([7], [9 - at]) for at in range(9)])
    assert (folded.journeys, folded.touchpoints, folded.rows) == (1, 9, 9)
    assert folded.summary == PATHS.of(cx.Journeys.from_table(small([7] * 9), **roles()))


def roles():
    return {"customer": "c", "time": "t", "time_unit": "s"}


def test_a_summary_that_grows_is_not_added_up_anew_for_every_batch(monkeypatch):
    """Numbers that additions touch: with every batch anew it would be 200 * 200 / 2 paths."""
    touched = []
    add = PATHS.__add__

    def counted(self, other):
        touched.append(len(self.journeys) + len(other.journeys))
        return add(self, other)

    monkeypatch.setattr(PATHS, "__add__", counted)
    batches = [small([at], e=[f"e{at}"]) for at in range(200)]
    folded = fold_small(batches, functools.partial(PATHS.of, by="event"), event="e")
    assert len(folded.summary.journeys) == 200
    assert sum(touched) < 200 * 20


def test_a_function_may_cut_journeys_first():
    table = small([1, 1, 1], [0, 60, 86400], e=["a", "b", "a"])
    visits = fold_small([table], lambda j: PATHS.of(j.sessions("30min"), by="event"), event="e")
    assert sorted(row["journeys"] for row in visits.summary.result().to_dicts()) == [1, 1]
    assert list(visits.summaries) == ["PathVariants"]


def test_nothing_at_all_is_zero():
    for tables in ([], [small([])]):
        folded = fold_small(tables)
        assert folded.summary == PATHS.zero()
        assert (folded.rows, folded.journeys, folded.reasons) == (0, 0, {})


# ---------------------------------------------------------------- rejected rows

BAD = [
    (None, 0),
    ("", 5),
    ("a", "soon"),
    ("a", "1"),
    ("b", None),
    ("b", "2"),
    (" ", "3"),
    ("c", "4000-01-01"),
    ("c", "9999999999999999999999"),
    ("NA", "7"),
]


@given(cuts=st.lists(st.integers(0, len(BAD)), max_size=6))
@few
def test_rejected_rows_are_those_of_the_whole(cuts):
    table = small([c for c, _ in BAD], [None if t is None else str(t) for _, t in BAD])
    expected = cx.ingest(table, **roles(), null_values=["NA"])
    parts = cut(BAD, cuts)
    folded = fold_small(
        [small([c for c, _ in p], [None if t is None else str(t) for _, t in p]) for p in parts],
        null_values=["NA"],
    )
    assert folded.rows == len(BAD)
    assert folded.rejected.to_dicts() == expected.rejected.to_dicts()
    assert dict(folded.reasons) == expected.rejected.counts()
    assert folded.touchpoints + sum(folded.reasons.values()) == folded.rows
    assert folded.summary == PATHS.of(expected.journeys)
    again = Folded.from_bytes(folded.to_bytes(), PATHS)
    assert again.rejected.to_dicts() == expected.rejected.to_dicts()
    assert again.reasons == folded.reasons
    assert "rejected" in repr(folded)


def test_only_the_first_thousand_rejects_are_kept_and_all_are_counted():
    times = ["soon"] * 1500
    folded = fold_small([small([1] * 700, times[:700]), small([1] * 800, times[700:])])
    assert folded.rejected.row.tolist() == list(range(1000))
    assert list(folded.reasons.values()) == [1500]


def test_row_numbers_of_the_source():
    folder = Folder(PATHS, **roles())
    folder.feed(small(["a", "b"], ["x", "y"]), rows=np.array([2**40, 3]))
    assert folder.finish().rejected.row.tolist() == [3, 2**40]


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize("arrow", [False, True])
def test_rows_that_are_not_sorted_are_refused_with_their_place(arrow):
    def table(customers):
        if arrow:
            return pytest.importorskip("pyarrow").table(small(customers))
        return small(customers)

    message = r"table 1: row 2: customer 'a' comes after 'c'"
    with pytest.raises(DataError, match=message):
        fold_small([table(["a"]), table(["b", "c", "a"])])
    with pytest.raises(DataError, match=r"table 1: row 0: customer 'A' comes after 'b'"):
        fold_small([table(["a", "b"]), table(["A"])])
    with pytest.raises(DataError, match=r"row 1: customer 9 comes after 10"):
        fold_small([table([10, 9])])


def test_rows_without_a_customer_may_stand_anywhere():
    tables = [small([None, "a", "", "b"]), small([None]), small(["NA", "b", None, "c"])]
    folded = fold_small(tables, null_values="NA")
    assert (folded.journeys, folded.touchpoints) == (3, 4)
    with pytest.raises(DataError, match=r"table 1: row 1: customer 'a' comes after 'b'"):
        fold_small([small(["b"]), small([None, "a"])])


def test_a_column_that_changes_its_kind_is_refused():
    with pytest.raises(DataError, match="table 1: 'customer' is read as text here and as whole"):
        fold_small([small([1, 2]), small(["3"])])
    with pytest.raises(DataError, match="'event' is read as whole numbers here and as text before"):
        fold_small([small([1], e=["x"]), small([1], e=[None]), small([1], e=[5])], event="e")
    with pytest.raises(
        DataError, match="'customer' is read as text here and as whole numbers before"
    ):
        fold_small([small(np.array([1], np.uint64)), small(np.array([2**63], np.uint64))])
    with pytest.raises(DataError, match="'x' is read as decimal numbers here and as whole"):
        fold_small([small([1], x=[1]), small([1], x=[1.5])], columns=["x"])


@pytest.mark.parametrize("empty", [0, 1, 2])
def test_numbers_that_are_missing_in_a_whole_table_stay_numbers(empty):
    scores = [[0.5, 1.5], [2.5, 3.5], [4.5, 5.5]]
    scores[empty] = [None, None]
    tables = [small(["a", "b"]), small(["b", "c"], [5, 6]), small(["c", "d"], [7, 8])]
    tables = [{**table, "score": column} for table, column in zip(tables, scores, strict=True)]
    found = []
    fold_small(tables, each=found.append, columns=["score"])
    rows = small(list("abbccd"), [0, 1, 5, 6, 7, 8], score=[*chain(*scores)])
    whole = cx.Journeys.from_table(rows, customer="c", time="t", time_unit="s", columns=["score"])
    assert cx.Journeys.concat(found) == whole
    # Only before the first number can nobody know that the column holds numbers.
    kinds = [isinstance(part["score"], Codes) for part in found]
    assert not any(kinds[1:])
    assert kinds[0] == (empty == 0)


def test_more_than_two_billion_touchpoints_of_one_customer_are_refused(monkeypatch):
    monkeypatch.setattr(stream, "_MOST_ROWS", 5)
    assert fold_small([small([1] * 3), small([1] * 2 + [2] * 3)]).journeys == 2
    message = r"table 1: customer 'unknown' has more than 5 touchpoints.*null_values=\['unknown'\]"
    with pytest.raises(DataError, match=message):
        fold_small([small(["unknown"] * 3), small(["unknown"] * 3)])
    with pytest.raises(DataError, match="table 0 has 6 rows, more than 5; hand them in as several"):
        fold_small([small([1] * 6)])


def test_more_than_two_billion_rows_are_counted():
    folder = Folder(PATHS, **roles())
    folder._stream.rows = 2**31
    folder.feed(small(["a", "b"], ["1", "soon"]))
    folded = folder.finish()
    assert folded.rows == 2**31 + 2
    assert folded.rejected.row.tolist() == [2**31 + 1]


def test_what_is_no_summary_is_refused():
    journeys = cx.Journeys.empty()
    for wrong, message in [
        ({}, "no summary to fold into"),
        (5, "cannot count by 5"),
        (dict, "cannot count by <class 'dict'>"),
        (PATHS.of(journeys), "a PathVariants that is counted"),
        (cx.flow.FunnelCounts, r"funnel.*functools.partial"),
        (len, "makes a int, not a Summary"),
    ]:
        with pytest.raises(DefinitionError, match=message):
            fold_small([], wrong)


def test_roles_are_checked():
    with pytest.raises(DefinitionError, match=r"no role 'by'; there is .* with the summary"):
        fold([], PATHS, customer="c", time="t", by="event")
    with pytest.raises(DefinitionError, match="time= is needed"):
        fold([], PATHS, customer="c")
    with pytest.raises(SchemaError, match=r"table 0: no column 'usr'.*Did you mean 'user'"):
        fold([{"user": [1], "t": [0]}], PATHS, customer="usr", time="t")
    with pytest.raises(SchemaError, match="'event' is a role"):
        fold([], PATHS, customer="c", time="t", columns=["event"])


def test_what_was_folded_is_found_by_name():
    folded = fold_small([small([1])], {"a": PATHS, "b": cx.flow.Transitions})
    assert folded["a"].by == "event"
    with pytest.raises(DefinitionError, match="there are 2 summaries"):
        _ = folded.summary
    with pytest.raises(DefinitionError, match=r"no summary 'aa'.*Did you mean 'a'"):
        folded["aa"]


def test_what_does_not_belong_together_is_not_added():
    one, other = fold_small([small([1])]), fold_small([small([1])], {"b": PATHS})
    with pytest.raises(MergeError, match=r"into \['PathVariants'\] and into \['b'\]"):
        _ = one + other
    with pytest.raises(TypeError):
        _ = one + 1
    with pytest.raises(DataError, match="no Folded"):
        Folded.from_bytes(b"CXS1", PATHS)
    with pytest.raises(DataError, match=r"hold \['b'\], not \['PathVariants'\]"):
        Folded.from_bytes(other.to_bytes(), PATHS)
    with pytest.raises(MergeError, match="different by"):
        Folded.from_bytes(one.to_bytes(), functools.partial(PATHS.of, by="channel"))


def test_the_oracle_tells_summaries_apart():
    """A test that cannot fail shows nothing: a lost row changes summaries."""
    expected, without = whole(ROWS), whole(ROWS[1:])
    assert [name for name in expected if not close(expected[name], without[name])]
