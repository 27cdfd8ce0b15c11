"""What means missing: texts and numbers, in columns of every kind."""

from typing import Any

import numpy as np
import pytest

import cxkit as cx
from cxkit.errors import DefinitionError
from cxkit.model.nulls import null_texts

TIMES = {"customer": "c", "time": "t", "time_unit": "s"}
IDS: dict[str, Any] = {
    "int64": np.array([7, -1, 8]),
    "int8": np.array([7, -1, 8], np.int8),
    "float": np.array([7.0, -1.0, 8.0]),
    "list": [7, -1, 8],
    "list with none": [7, -1, 8, None],
    "mixed": [7, -1, "8"],
    "text": ["7", "-1", "8"],
}


@pytest.mark.parametrize("null", ["-1", -1, -1.0, np.int32(-1), np.float32(-1)], ids=repr)
@pytest.mark.parametrize("ids", IDS)
def test_a_placeholder_is_nobody_whatever_the_column_is_made_of(ids: str, null: Any) -> None:
    table = {"c": IDS[ids], "t": np.arange(len(IDS[ids]))}
    got = cx.ingest(table, **TIMES, null_values=[null])
    assert [str(label) for label in got.journeys.customer.to_list()] == ["7", "8"]
    assert {row["reason"] for row in got.rejected.to_dicts()} == {"no customer"}
    assert got.journeys == cx.ingest(table, **TIMES, null_values=null).journeys
    assert len(cx.ingest(table, **TIMES).journeys) == 3


def test_columns_of_every_role() -> None:
    table = {
        "c": [1, 2, 3, 4],
        "t": [5, 6, 7, -1],
        "h": [-1, 9, 9, 9],
        "v": [1, -1, 2, 3],
        "p": [0.5, -1.0, np.nan, 1.0],
        "b": [True, False, True, True],
    }
    roles = {**TIMES, "channel": "h", "value": "v", "columns": ["p", "b"]}
    got = cx.ingest(table, **roles, null_values=[-1, "False"])
    assert [(r["row"], r["reason"]) for r in got.rejected.to_dicts()] == [(3, "no time")]
    assert got.journeys.channel.to_list() == [None, 9, 9]
    assert got.journeys.value.tolist()[::2] == [1.0, 2.0]
    assert np.isnan(got.journeys.value[1])
    assert np.isnan(got.journeys["p"]).tolist() == [False, True, True]
    assert got.journeys["b"].to_list() == ["True", None, "True"]
    assert table["h"] == [-1, 9, 9, 9]


def test_large_numbers_are_compared_exactly() -> None:
    ids = np.array([2**63 + 1, 2**63], np.uint64)
    table = {"c": ids, "t": [0, 0]}
    got = cx.ingest(table, **TIMES, null_values=[str(2**63)])
    assert got.journeys.customer.to_list() == [str(2**63 + 1)]
    whole = {"c": [2**53 + 1, 2**53], "t": [0, 0]}
    assert cx.ingest(whole, **TIMES, null_values=[2**53]).rejected.row.tolist() == [1]
    assert len(cx.ingest(whole, **TIMES, null_values=["9" * 400, "1e400", "1_0"]).rejected) == 0


def test_what_writes_no_number_leaves_numbers_alone() -> None:
    table = {"c": [1, 2], "t": [0, 0]}
    got = cx.ingest(table, **TIMES, null_values=["", "NULL", "nan", " 1", "1_", "١"])
    assert len(got.journeys) == 2


def test_arrow_and_frames() -> None:
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"c": [1, -1, None], "t": [0, 1, 2]})
    got = cx.ingest(table, **TIMES, null_values=[-1])
    assert (got.journeys.customer.to_list(), len(got.rejected)) == ([1], 2)
    pl = pytest.importorskip("polars")
    assert len(cx.ingest(pl.from_arrow(table), **TIMES, null_values=[-1]).rejected) == 2
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"c": pd.array([1, -1, None], "Int64"), "t": [0, 1, 2]})
    assert len(cx.ingest(frame, **TIMES, null_values=[-1]).rejected) == 2


@pytest.mark.parametrize("wrong", [[None], [True], [b"x"], 5j, None, [["a"]], [object]])
def test_what_is_neither_text_nor_a_number(wrong: Any) -> None:
    with pytest.raises(DefinitionError, match=r"texts or numbers, such as \['NULL', -1\]; found"):
        cx.ingest({"c": [1], "t": [0]}, **TIMES, null_values=wrong)


def test_numbers_as_texts() -> None:
    assert null_texts([1.5, 2.0, np.int8(3), float("nan"), "x"]) == {
        "", "1.5", "2.0", "2", "3", "x",
    }  # fmt: skip
