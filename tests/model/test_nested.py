"""Dotted paths: rows of JSON, Arrow and pandas give the same fields."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import cxkit as cx
from cxkit.core.instants import is_null
from cxkit.errors import SchemaError
from cxkit.model import nested
from cxkit.model.tables import open_table

ROWS: list[dict[str, Any]] = [
    {
        "user": {"id": "a", "n": 1},
        "params": [
            {"key": "sid", "value": {"int_value": 5, "string_value": None}},
            {"key": "v", "value": {"int_value": None, "string_value": "x"}},
            {"key": "sid", "value": {"int_value": 6, "string_value": None}},
        ],
        "ids": {
            "ECID": [{"id": "e1", "primary": None}],
            "Email": [{"id": "m1", "primary": True}],
        },
        "plain": [{"key": "k", "value": 1.5}],
        "tags": ["p", "q"],
        "flat": "f",
    },
    {
        "user": None,
        "params": [],
        "ids": {"ECID": [{"id": "e2", "primary": True}], "Email": None},
        "plain": None,
        "tags": [],
        "flat": "",
    },
    {
        "user": {"id": "b", "n": None},
        "params": [
            {"key": "v", "value": {"int_value": 3, "string_value": None}},
            {"key": "sid", "value": {"int_value": 7, "string_value": None}},
        ],
        "ids": None,
        "plain": [{"key": "other", "value": 2.0}, {"key": "k", "value": 3.0}],
        "tags": ["r"],
        "flat": None,
    },
]
PATHS = {
    "user.id": ["a", None, "b"],
    "user.n": [1, None, None],
    "params.sid": [5, None, 7],
    "ids.@primary": ["m1", "e2", None],
    "ids.ECID.0.id": ["e1", "e2", None],
    "plain.k": [1.5, None, 3.0],
    "tags.0": ["p", None, "r"],
    "tags.1": ["q", None, None],
    "user.id|ids.ECID.0.id": ["a", "e2", "b"],
    "nope|user.id": ["a", None, "b"],
    "flat|user.id": ["f", None, "b"],
    "user.n|tags.0": [1, None, "r"],
    "user.nope?": [None, None, None],
    "flat.id?": [None, None, None],
    "tags.9|user.zip?": [None, None, None],
}


def pyarrow_table(rows: list[dict[str, Any]]) -> Any:
    return pytest.importorskip("pyarrow").Table.from_pylist(rows)


def pyarrow_slices(rows: list[dict[str, Any]]) -> Any:
    pa = pytest.importorskip("pyarrow")
    table = pyarrow_table([rows[2], *rows, rows[0]])
    return pa.concat_tables([table.slice(1, 1), table.slice(2, 2)])


def pandas_of_arrow(rows: list[dict[str, Any]]) -> Any:
    pytest.importorskip("pandas")
    return pyarrow_table(rows).to_pandas()


def polars(rows: list[dict[str, Any]]) -> Any:
    return pytest.importorskip("polars").from_arrow(pyarrow_table(rows))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "make", [list, pyarrow_table, pyarrow_slices, pandas_of_arrow, polars], ids=lambda f: f.__name__
)
def test_every_table_gives_the_same_fields(make: Callable[[Any], Any], path: str) -> None:
    table = open_table(make(ROWS))
    column = table.column(path, "a test")
    assert [None if is_null(v) else v for v in column.to_list()] == PATHS[path]
    assert (column.name, len(column)) == (path.removesuffix("?"), 3)


@pytest.mark.parametrize("path", ["user.nope", "flat.id", "params.zzz", "tags.9", "user.id.more"])
@pytest.mark.parametrize("make", [list, pyarrow_table])
def test_a_path_that_finds_nothing(make: Callable[[Any], Any], path: str) -> None:
    with pytest.raises(SchemaError, match=f"no column '{path}' for event; the table has"):
        open_table(make(ROWS)).column(path, "event")


def test_values_of_mixed_kinds_in_one_parameter_become_text_in_arrow() -> None:
    column = open_table(pyarrow_table(ROWS)).column("params.v", "v")
    assert column.to_list() == ["x", None, "3"]
    assert open_table(ROWS).column("params.v", "v").to_list() == ["x", None, 3]
    labels = [
        cx.ingest(
            [{**row, "c": 1, "t": at} for at, row in enumerate(rows)]
            if made is list
            else made([{**row, "c": 1, "t": at} for at, row in enumerate(rows)]),
            customer="c",
            time="t",
            time_unit="s",
            event="params.v",
        ).journeys.event.to_list()
        for made, rows in ((list, ROWS), (pyarrow_table, ROWS))
    ]
    assert labels == [["x", None, "3"]] * 2


def test_numbers_of_several_widths_in_one_parameter_are_numbers() -> None:
    rows = [
        {"p": [{"key": "v", "value": {"int_value": 2, "double_value": None}}]},
        {"p": [{"key": "v", "value": {"int_value": None, "double_value": 0.5}}]},
    ]
    for table in (rows, pyarrow_table(rows)):
        assert open_table(table).column("p.v", "v").to_list() == [2.0, 0.5]


def test_maps_of_arrow() -> None:
    pa = pytest.importorskip("pyarrow")
    kind = pa.map_(pa.string(), pa.list_(pa.struct({"id": pa.string(), "primary": pa.bool_()})))
    entry = [("ECID", [{"id": "1", "primary": True}])]
    table = open_table(pa.table({"ids": pa.array([[], entry, None], kind).slice(1)}))
    assert table.column("ids.@primary", "c").to_list() == ["1", None]
    assert table.column("ids.ECID.0.id", "c").to_list() == ["1", None]
    with pytest.raises(SchemaError, match=r"no column 'ids.Email'"):
        table.column("ids.Email", "c")


@pytest.mark.parametrize("path", ["p.k", "p.0.value"])
@pytest.mark.parametrize("layout", ["list", "large", "fixed", "sliced", "under a struct"])
def test_what_lies_under_a_list_that_is_null_is_nobodys(layout: str, path: str) -> None:
    """Arrow may keep entries where a list is null; they must not move those of other rows."""
    pa = pytest.importorskip("pyarrow")
    entries = pa.array([{"key": "k", "value": v} for v in ("A", "HIDDEN", "C")])
    hidden = pa.array([False, True, False])
    offsets = pa.array([0, 1, 2, 3], pa.int32())
    lists = pa.ListArray.from_arrays(offsets, entries, mask=hidden)
    wanted = ["A", None, "C"]
    if layout == "large":
        lists = pa.LargeListArray.from_arrays(offsets.cast(pa.int64()), entries, mask=hidden)
    elif layout == "fixed":
        lists = pa.FixedSizeListArray.from_arrays(entries, 1, mask=hidden)
    elif layout == "sliced":
        lists, wanted = lists.slice(1), wanted[1:]
    elif layout == "under a struct":
        lists = pa.ListArray.from_arrays(offsets, entries)
        lists = pa.StructArray.from_arrays([lists], ["p"], mask=hidden)
        path = f"s.{path}"
    n = len(lists)
    table = pa.table({"who": list("abc")[:n], "at": range(n), path.split(".")[0]: lists})
    got = cx.ingest(table, customer="who", time="at", time_unit="s", event=path)
    assert got.journeys.event.to_list() == wanted


def test_the_primary_identity_beside_a_list_that_is_null() -> None:
    pa = pytest.importorskip("pyarrow")
    entries = pa.array([{"id": i, "primary": True} for i in ("A", "HIDDEN", "C")])
    offsets, hidden = pa.array([0, 1, 2, 3], pa.int32()), pa.array([False, True, False])
    lists = pa.ListArray.from_arrays(offsets, entries, mask=hidden)
    ids = pa.StructArray.from_arrays([lists], ["Email"])
    column = open_table(pa.table({"ids": ids})).column("ids.@primary", "c")
    assert column.to_list() == ["A", None, "C"]


def test_a_column_of_that_very_name_comes_first() -> None:
    table = open_table([{"a.b": 1, "a": {"b": 2}, "c?": 3, "d|e": 4}])
    assert [table.column(n, "x").to_list() for n in ("a.b", "c?", "d|e")] == [[1], [3], [4]]


def test_a_prefix_with_a_dot_may_be_a_column() -> None:
    assert open_table([{"a.b": {"c": 5}}]).column("a.b.c", "x").to_list() == [5]


def test_no_row_at_all() -> None:
    table = open_table(pyarrow_table(ROWS).slice(0, 0))
    assert [len(table.column(path, "x")) for path in ("user.id", "ids.ECID.0.id")] == [0, 0]


def test_a_row_named_by_a_path_is_rejected_under_it() -> None:
    got = cx.ingest(ROWS, customer="user.id", time="params.sid", time_unit="s")
    assert got.rejected.to_dicts() == [
        {"row": 1, "column": "user.id", "found": "", "reason": "no customer"}
    ]


def test_roots_name_every_column_a_path_may_begin_in() -> None:
    assert nested.roots("a.b.c|d?") == {"a.b.c|d?", "a", "a.b", "a.b.c", "d"}
