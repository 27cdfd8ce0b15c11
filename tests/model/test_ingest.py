"""The door: what is accepted, what is rejected, and that the counts add up."""

from __future__ import annotations

import contextlib
import math
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, strategies as st

import cxkit as cx
from cxkit.core.codes import Codes
from cxkit.errors import DataError, DefinitionError, SchemaError

Z = "2024-01-01T00:00:00Z"


def read(table: Any, **roles: Any) -> cx.Ingested:
    """Ingest with the usual roles, and check that no row is lost."""
    got = cx.ingest(table, **{"customer": "c", "time": "t", **roles})
    assert got.journeys.touchpoints + len(got.rejected) == got.rows
    rows = got.rejected.row.tolist()
    assert rows == sorted(set(rows))
    assert all(got.rejected.reason)
    return got


def customers(values: Any, **options: Any) -> cx.Ingested:
    return read({"c": values, "t": [Z] * len(values)}, **options)


def values(given_values: Any, **options: Any) -> cx.Ingested:
    size = len(given_values)
    return read({"c": np.arange(size), "t": [Z] * size, "v": given_values}, value="v", **options)


def labels(given_values: Any, **options: Any) -> list[Any]:
    size = len(given_values)
    got = read({"c": np.arange(size), "t": [Z] * size, "h": given_values}, channel="h", **options)
    return got.journeys.channel.to_list()


def names(got: cx.Ingested) -> list[Any]:
    return got.journeys["customer"].to_list()


def test_rows_are_sorted_by_customer_and_time_and_ties_keep_their_order() -> None:
    table = {
        "c": ["b", "a", "b", "a", "b"],
        "t": ["2024-01-02", "2024-01-01", "2024-01-01", "2024-01-01", "2024-01-02"],
        "e": ["1", "2", "3", "4", "5"],
        "v": [1, 2, 3, 4, None],
        "k": [True, False, None, True, True],
        "p": [0.5, 1.5, 2.5, 3.5, float("nan")],
    }
    got = read(table, event="e", value="v", columns={"kind": "k", "price": "p"}, tz="UTC")
    assert got.journeys.offsets.tolist() == [0, 2, 5]
    assert got.journeys.event.to_list() == ["2", "4", "3", "1", "5"]
    assert got.journeys.value.tolist()[:4] == [2, 4, 3, 1]
    assert np.isnan(got.journeys.value[4])
    assert got.journeys.codes("kind").to_list() == ["False", "True", None, "True", "True"]
    assert got.journeys["price"].tolist()[:4] == [1.5, 3.5, 2.5, 0.5]
    assert got.journeys.column_names == ["time", "event", "value", "kind", "price"]
    assert not got.journeys.time.flags.writeable


def test_the_table_is_not_changed() -> None:
    table = {"c": np.array([2, 1]), "t": np.array([5.0, np.nan]), "v": np.array([np.inf, 1.0])}
    before = {name: column.copy() for name, column in table.items()}
    read(table, value="v", time_unit="s")
    for name, column in before.items():
        np.testing.assert_array_equal(table[name], column)
        assert table[name].flags.writeable


@pytest.mark.parametrize(
    ("given_ids", "kept"),
    [
        ([3, 1, 2], [1, 2, 3]),
        (np.array([3, 1], np.uint8), [1, 3]),
        (np.array([3.0, 1.0, np.nan]), [1, 3]),
        ([1, 2.0, None], [1, 2]),
        ([1, 1.0, "1"], ["1", "1", "1"]),
        (["a ", " a", "a"], [" a", "a", "a "]),
        (["a\x00", "a"], ["a", "a\x00"]),
        (["😀", "é", "e\u0301"], ["e\u0301", "é", "😀"]),
        (["", "  ", "\t\n", "\u00a0", "x"], ["x"]),
        (["1", "1.0", "01"], ["01", "1", "1.0"]),
        ([2**63, 1], ["1", "9223372036854775808"]),
        (np.array([2**64 - 1, 1], np.uint64), ["1", "18446744073709551615"]),
        ([-(2**63), 2**63 - 1], [-(2**63), 2**63 - 1]),
        ([Decimal(2), Decimal("NaN")], [2]),
        ([UUID(int=1)], ["00000000-0000-0000-0000-000000000001"]),
        ([UUID(int=1), "x", 10**30], ["00000000-0000-0000-0000-000000000001", str(10**30), "x"]),
    ],
)
def test_ids_of_customers(given_ids: Any, kept: list[Any]) -> None:
    assert names(customers(given_ids)) == kept


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (None, "no customer"),
        ("", "no customer"),
        (" ", "no customer"),
        (float("nan"), "no customer"),
        (True, "neither text nor a whole number"),
        (1.5, "neither text nor a whole number"),
        (float("inf"), "neither text nor a whole number"),
        (2.0**60, "neither text nor a whole number"),
        (b"x", "neither text nor a whole number"),
        ((1, 2), "neither text nor a whole number"),
        (datetime(2024, 1, 1, tzinfo=UTC), "neither text nor a whole number"),
        ("\ud800", "text that is not valid Unicode"),
    ],
)
def test_what_is_nobody_is_rejected_with_its_reason(bad: object, reason: str) -> None:
    got = customers(["a", bad, 7])
    assert names(got) == ["7", "a"]
    assert got.rejected.row.tolist() == [1]
    assert (got.rejected.column, got.rejected.reason) == (("c",), (reason,))


def test_a_signaling_nan_is_nobody_and_no_label() -> None:
    odd = [Decimal("sNaN"), "a", None]
    got = cx.ingest({"c": odd, "t": [1, 2, 3], "e": odd}, customer="c", time="t", event="e",
                    time_unit="s")  # fmt: skip
    assert got.rejected.row.tolist() == [0, 2]
    assert got.journeys.event.to_list() == ["a"]


def test_spans_of_time_are_no_numbers() -> None:
    spans = list(np.array([1, 2], "m8[s]"))
    with pytest.raises(SchemaError, match="column 'c' for customer holds values that no role"):
        customers(spans)
    with pytest.raises(SchemaError, match="column 't' for time holds values that no role"):
        cx.ingest({"c": [1, 2], "t": spans}, customer="c", time="t", time_unit="s")
    assert customers([*spans, "a"]).rejected.reason == ("neither text nor a whole number",) * 2
    with pytest.raises(DataError, match="a label must be text or a whole number"):
        Codes.of(spans)


def test_floats_that_are_no_ids() -> None:
    got = customers(np.array([1.0, 2.5, np.inf, -np.inf, 1e300, 2.0**53, np.nan]))
    assert names(got) == [1]
    assert got.rejected.reason == (
        *["not a whole number, so not an id"] * 3,
        *["a float this large is not exact; hand in text or integers"] * 2,
        "no customer",
    )
    assert got.rejected.found[:3] == ("2.5", "inf", "-inf")


@pytest.mark.parametrize(
    ("given_values", "expected"),
    [
        ([1, 2.5, None], [1, 2.5, np.nan]),
        (["1", " 2.5 ", "", "nan", "-1e-3"], [1, 2.5, np.nan, np.nan, -0.001]),
        (np.array([1, 2], np.uint8), [1, 2]),
        ([Decimal("1.10"), Decimal("NaN")], [1.1, np.nan]),
        ([1, "2", None, 2.5], [1, 2, np.nan, 2.5]),
        ([None, None], [np.nan, np.nan]),
    ],
)
def test_values(given_values: Any, expected: list[float]) -> None:
    np.testing.assert_array_equal(values(given_values).journeys.value, expected)


@pytest.mark.parametrize("bad", ["1,5", "€5", "1_000", "x", "0x10", "1 000", "--1"])
def test_what_is_no_number_is_rejected_as_it_was_found(bad: str) -> None:
    got = values(["1", bad, ""])
    assert got.rejected.to_dicts() == [
        {"row": 1, "column": "v", "found": bad, "reason": "not a number"}
    ]


@pytest.mark.parametrize("column", [[1.0, np.inf], ["1", "-inf"], [1, 10**400], ["1", "1e999"]])
def test_an_infinite_value_is_rejected(column: list[Any]) -> None:
    got = values(column)
    assert got.rejected.row.tolist() == [1]
    assert got.rejected.reason == ("infinite",)


@pytest.mark.parametrize("bad", [True, [1], b"1"])
def test_an_odd_object_among_values_costs_its_row(bad: object) -> None:
    got = values(["1", 2, bad])
    assert (got.rejected.row.tolist(), got.rejected.reason) == ([2], ("not a number",))


@pytest.mark.parametrize(
    ("given_labels", "expected"),
    [
        (["web", None, "", "web "], ["web", None, None, "web "]),
        ([1, None, 2], [1, None, 2]),
        (np.array([1.0, np.nan]), [1, None]),
        ([True, False, None], ["True", "False", None]),
        ([1, "1", 1.0, True], ["1", "1", "1", "True"]),
        (["NA", "null", "None"], ["NA", "null", "None"]),
        ([None, None], [None, None]),
        (["<script>alert(1)</script>", "a\x00b"], ["<script>alert(1)</script>", "a\x00b"]),
    ],
)
def test_labels(given_labels: Any, expected: list[Any]) -> None:
    assert labels(given_labels) == expected


def test_null_values_mean_missing_in_every_column() -> None:
    table = {"c": ["a", "NA", "b"], "t": [Z, Z, "NA"], "h": ["NA", "x", "y"], "v": ["NA", "1", "2"]}
    got = read(table, channel="h", value="v", null_values=["NA"])
    assert got.rejected.to_dicts() == [
        {"row": 1, "column": "c", "found": "NA", "reason": "no customer"},
        {"row": 2, "column": "t", "found": "NA", "reason": "no time"},
    ]
    assert got.journeys.channel.to_list() == [None]
    assert np.isnan(got.journeys.value).all()
    assert not len(got.journeys.channel.vocabulary)
    assert len(read(table, null_values="NA").rejected) == 2


def test_a_fraction_is_no_label_and_an_infinite_number_no_number() -> None:
    table = {"c": [1, 2, 3], "t": [Z] * 3, "h": [1.0, 1.5, 2.0], "p": [0.5, 0.5, np.inf]}
    got = read(table, channel="h", columns=["p"])
    assert [(r["row"], r["column"]) for r in got.rejected.to_dicts()] == [(1, "h"), (2, "p")]
    assert got.journeys.channel.to_list() == [1]


def test_the_first_fault_of_a_row_is_named() -> None:
    got = read({"c": ["", "a"], "t": ["soon", "soon"], "v": ["x", "x"]}, value="v")
    assert got.rejected.column == ("c", "t")
    assert len(got.journeys) == 0
    faults = {"c": "", "t": "soon", "h": 0.5, "e": 1.5, "v": "x", "n": float("inf")}
    good = {"c": "a", "t": "2024-01-01T00:00Z", "h": 1.0, "e": 1.0, "v": "1", "n": 0.5}
    order = list(faults)  # each row has one fault fewer than the row before
    rows = [{**good, **{k: faults[k] for k in order[at:]}} for at in range(len(order) + 1)]
    # How the table and the call name them says nothing about the order.
    roles = {"columns": ["n"], "value": "v", "event": "e", "channel": "h"}
    got = cx.ingest([dict(reversed(row.items())) for row in rows], customer="c", time="t", **roles)
    assert got.rejected.column == tuple(order)
    assert got.rejected.row.tolist() == list(range(len(order)))


def test_what_was_found_is_shortened() -> None:
    got = values(["x" * 1000])
    assert got.rejected.found == ("x" * 59 + "…",)


def test_labels_of_rejected_rows_are_gone() -> None:
    got = read({"c": ["a", "b"], "t": [Z, "soon"], "h": ["web", "store"]}, channel="h")
    assert list(got.journeys.customer.vocabulary) == ["a"]
    assert list(got.journeys.channel.vocabulary) == ["web"]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b"]),
            st.sampled_from([0, 0, 1]),
            st.sampled_from(["x", None]),
            st.sampled_from([0.0, -0.0, 1.5, float("nan")]),
        )
    )
)
def test_duplicates_are_kept_and_counted(rows: list[tuple[Any, ...]]) -> None:
    table = (
        dict(zip("ctev", zip(*rows, strict=True), strict=True)) if rows else {k: [] for k in "ctev"}
    )
    got = read(table, event="e", value="v", time_unit="s", columns={"value2": "v"})
    distinct = {(c, t, e, "nan" if v != v else v + 0.0) for c, t, e, v in rows}  # noqa: PLR0124
    assert got.duplicates == len(rows) - len(distinct)
    assert got.journeys.touchpoints == len(rows)


def test_without_further_columns_equal_instants_are_duplicates() -> None:
    assert customers([1, 1, 1, 2]).duplicates == 2
    assert customers([1]).duplicates == 0


def test_words_for_nothing_are_noted_not_guessed() -> None:
    got = customers(["NA", "NA", "Nancy", "null"])
    assert len(got.rejected) == 0
    assert any("customer 'NA' (rows: 2)" in note for note in got.notes)
    assert any("null_values=['null']" in note for note in got.notes)
    assert not customers([1, 2]).notes


def test_local_times_that_come_twice_are_noted() -> None:
    got = read({"c": [1, 1], "t": ["2024-10-27 02:30"] * 2}, tz="Europe/Amsterdam")
    assert "came twice in Europe/Amsterdam, when clocks went back: 2" in got.notes[0]
    assert got.journeys.time[0] == np.datetime64("2024-10-27T00:30")


def test_naive_and_aware_times_mix_once_the_zone_is_known() -> None:
    table = {"c": [1, 1, 1], "t": ["2024-07-01 12:00", "2024-07-01 12:00Z", "2024-03-31 02:30"]}
    with pytest.raises(
        SchemaError, match=r"naive times in 2 of 3 rows.*'2024-07-01 12:00' in row 0"
    ):
        read(table)
    got = read(table, tz="Europe/Amsterdam")
    assert got.journeys.time.astype(str).tolist() == [
        "2024-07-01T10:00:00.000000",
        "2024-07-01T12:00:00.000000",
    ]
    assert got.rejected.reason == ("no such local time: clocks went forward over it",)


@pytest.mark.parametrize(
    "times",
    [
        ["2024-01-01 10:00:00"],
        np.array(["2024-01-01T10:00:00"], "M8[s]"),
        [datetime(2024, 1, 1, 10)],  # naive on purpose
    ],
)
def test_naive_times_are_refused_in_every_form(times: Any) -> None:
    with pytest.raises(SchemaError, match=r'column \'t\' for time has naive times.*tz="UTC"'):
        read({"c": [1], "t": times})
    assert read({"c": [1], "t": times}, tz="UTC").journeys.time[0] == np.datetime64("2024-01-01T10")


def test_numbers_need_a_unit() -> None:
    with pytest.raises(SchemaError, match=r"time_unit=.*these look like 'ms'"):
        read({"c": [1], "t": [1_700_000_000_000]})
    with pytest.raises(SchemaError, match="numbers written as text"):
        read({"c": [1, 2, 3], "t": ["1700000000", "1700000001", "x"]}, tz="UTC")
    got = read({"c": [1, 2, 3], "t": ["1700000000", "x", ""]}, time_unit="s")
    assert got.rejected.reason == ("not a number", "no time")


def test_time_format() -> None:
    got = read({"c": [1, 2], "t": ["31/12/2024", "12/31/2024"]}, time_format="%d/%m/%Y", tz="UTC")
    assert got.journeys.time[0] == np.datetime64("2024-12-31")
    assert got.rejected.reason == ("does not match time_format",)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"time_unit": "seconds"}, r"time_unit must be one of \['s', 'ms', 'us', 'ns'\]"),
        ({"time_unit": "s", "time_format": "%Y"}, "pass one of them"),
        ({"tz": "Mars"}, "no time zone 'Mars'"),
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any], message: str) -> None:
    with pytest.raises(DefinitionError, match=message):
        customers([1], **options)


def test_further_columns_cannot_take_the_name_of_a_role() -> None:
    with pytest.raises(SchemaError, match="'value' is a role of its own: pass value='x'"):
        read({"c": [1], "t": [Z], "x": [1]}, columns={"value": "x"})
    with pytest.raises(SchemaError, match="columns names 'x' twice"):
        read({"c": [1], "t": [Z], "x": [1]}, columns=["x", "x"])
    assert "x" in read({"c": [1], "t": [Z], "x": [1]}, columns="x").journeys.columns


def test_the_strict_form_names_the_first_faults() -> None:
    table = {"c": [1, None, 2], "t": [Z, Z, "soon"]}
    with pytest.raises(DataError, match=r"2 of 3 rows cannot be used: 1 x column 'c': no customer"):
        cx.Journeys.from_table(table, customer="c", time="t")
    good = cx.Journeys.from_table({"c": [1], "t": [Z]}, customer="c", time="t")
    assert good == customers([1]).journeys


def test_the_repr_is_one_screen_however_many_kinds_of_faults() -> None:
    table = {
        "c": [1] * 60,
        "t": [Z] * 60,
        **{f"x{i}": ["1"] * i + ["x"] + ["1"] * (59 - i) for i in range(60)},
    }
    got = read(table, value="x0")
    assert "59 accepted, 1 rejected" in repr(got)
    faults = [f"2024-01-01T00:00:{i:02d}" for i in range(30)]
    wide = {"c": [None] * 30, "t": faults}
    assert len(repr(read(wide, tz="UTC")).splitlines()) < 20


def test_touchpoints_come_back_as_they_went_in() -> None:
    given_points = [
        cx.Touchpoint("b", "2024-01-02T00:00Z", event="buy", channel="web", value=2.5),
        cx.Touchpoint("a", "2024-01-01T00:00Z", event="look", properties={"campaign": "x"}),
    ]
    got = read(
        given_points,
        customer="customer",
        time="time",
        event="event",
        channel="channel",
        value="value",
        columns=["campaign"],
    )
    assert isinstance(got.journeys["campaign"], Codes)
    first, second = (next(iter(journey)) for journey in got.journeys)
    assert (first.customer, first.event, first.channel) == ("a", "look", None)
    assert second == cx.Touchpoint(
        "b",
        "2024-01-02T00:00Z",
        event="buy",
        channel="web",
        value=2.5,
        properties=second.properties,
    )


def test_progress_is_told() -> None:
    seen: list[tuple[int, int]] = []
    customers([1], progress=lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1]
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


cells = st.none() | st.text(max_size=4) | st.integers() | st.floats() | st.booleans() | st.dates()


@given(st.lists(st.tuples(cells, cells | st.just(Z), cells, cells, cells), max_size=12))
def test_whatever_the_cells_hold_nothing_is_lost_and_nothing_raises_from_inside(
    rows: list[tuple[Any, ...]],
) -> None:
    table = [dict(zip("cthve", row, strict=True)) for row in rows]
    # A column of no use as a whole is a SchemaError; anything else fails this test.
    with contextlib.suppress(SchemaError):
        read(table, channel="h", value="v", columns=["e"], tz="UTC")


NS = 1709283600123456999  # which a float would round up to the next microsecond


def test_numbers_and_text_may_mix_in_a_column_of_numeric_times() -> None:
    rows = [{"c": "a", "t": 1709283600}, {"c": "b", "t": "1709283601"}]
    for table in (rows, {"c": ["a", "b"], "t": [1709283600, "1709283601"]}):
        got = read(table, time_unit="s")
        assert len(got.rejected) == 0
        assert got.journeys.time.astype("M8[s]").astype(int).tolist() == [1709283600, 1709283601]


@pytest.mark.parametrize("other", ["1.5", 1.5, "x", 2**70, Decimal("1.5"), None], ids=repr)
@pytest.mark.parametrize("whole", [NS, str(NS), f" {NS}", Decimal(NS), np.int64(NS)], ids=repr)
def test_whole_times_stay_exact_beside_any_other_cell(whole: Any, other: Any) -> None:
    for cells in ([whole, other, str(NS)], [whole, other, NS], [str(whole), str(other)]):
        got = read({"c": np.arange(len(cells)), "t": cells}, time_unit="ns")
        rows = got.rejected.row.tolist()
        assert rows in ([], [1])
        assert (rows == []) == (str(other) == "1.5")
        exact = [us for us in got.journeys.time.astype(int).tolist() if us]
        assert exact == [NS // 1000] * (len(cells) - 1)


def test_each_cell_of_mixed_times_has_its_own_reason() -> None:
    cells = [5, "5", 5.0, True, "x", None, "", "-1", -1.0, 2**70, Decimal("NaN"), math.inf, [1], Z]
    cells += [datetime(2024, 1, 1, tzinfo=UTC), np.timedelta64(5, "s"), Decimal("1e999999")]
    got = read({"c": np.arange(len(cells)), "t": cells}, time_unit="s", null_values=["-1"])
    assert dict(zip(got.rejected.row.tolist(), got.rejected.reason, strict=True)) == {
        **dict.fromkeys([3, 4, 12, 13, 15], "not a number"),
        **dict.fromkeys([5, 6, 7, 8, 10], "no time"),
        **dict.fromkeys([9, 16], "time lies outside the years 1900 to 2200"),
        11: "not a finite number",
    }
    got = read(
        {"c": [1, 2], "t": [datetime(2024, 1, 2, tzinfo=UTC), "02/01/2024"]},
        tz="UTC",
        time_format="%d/%m/%Y",
    )
    assert got.journeys.time.astype("M8[D]").astype(str).tolist() == ["2024-01-02"] * 2


def test_large_whole_ids_stay_exact_beside_fractions() -> None:
    large = 2**53 + 1
    cells = [large, 1.5, 2.0, None, float(2**60), -large, Decimal(large), math.inf, math.nan]
    got = customers(cells)
    assert names(got) == [-large, 2, large, large]
    assert dict(zip(got.rejected.row.tolist(), got.rejected.reason, strict=True)) == {
        1: "not a whole number, so not an id",
        3: "no customer",
        4: "a float this large is not exact; hand in text or integers",
        7: "not a whole number, so not an id",
        8: "no customer",
    }
    assert got.rejected.found[0] == "1.5"
    assert names(customers([large, 1.5, 2**70])) == [str(2**70), str(large)]
    assert labels([large, 2.0, None]) == [large, 2, None]
    assert names(customers([large, 1.5, -1], null_values=["-1"])) == [large]
    got = values([large, 1.5, None])
    assert got.journeys.value.tolist()[:2] == [2.0**53, 1.5]
    got = read({"c": [1, 2], "t": [Z, Z], "x": [large, 1.5]}, columns=["x"])
    assert got.journeys["x"].tolist() == [2.0**53, 1.5]
