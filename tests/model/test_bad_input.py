"""Every kind of bad input that the project promises to handle, each with its outcome."""

from __future__ import annotations

import gzip
import html
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cxkit as cx
from cxkit.errors import CxError, DataError, SchemaError

Z = "2024-01-01T00:00:00Z"
ROLES = {"customer": "c", "time": "t"}


def ingest(table: Any, **options: Any) -> cx.Ingested:
    got = cx.ingest(table, **{**ROLES, **options})
    assert got.journeys.touchpoints + len(got.rejected) == got.rows
    return got


def test_a_missing_column() -> None:
    with pytest.raises(
        SchemaError, match=r"no column 'c' for customer; the table has \['cc', 't'\]"
    ):
        ingest({"cc": [1], "t": [Z]})
    with pytest.raises(
        SchemaError, match=r"no column 'chanel' for channel.*Did you mean 'channel'"
    ):
        ingest({"c": [1], "t": [Z], "channel": ["x"]}, channel="chanel")


@pytest.mark.parametrize(
    ("table", "options", "message"),
    [
        ({"c": [True], "t": [Z]}, {}, "'c' for customer holds truth values"),
        ({"c": [[1]], "t": [Z]}, {}, "'c' for customer holds values that no role can use"),
        ({"c": np.array([b"x"]), "t": [Z]}, {}, "decode the bytes"),
        ({"c": np.array(["2024"], "M8[D]"), "t": [Z]}, {}, "'c' for customer holds times"),
        ({"c": np.array([1 + 2j]), "t": [Z]}, {}, "no role can use \\(complex128\\)"),
        ({"c": [1], "t": [True]}, {}, "'t' for time holds truth values"),
        ({"c": [1], "t": [{}]}, {}, "'t' for time holds values that no role can use"),
        ({"c": [1], "t": [5]}, {}, "pass time_unit"),
        ({"c": [1], "t": [Z], "x": [True]}, {"value": "x"}, "'x' for value holds truth values"),
        ({"c": [1], "t": [Z], "x": np.array(["2024"], "M8[D]")}, {"event": "x"}, "holds times"),
        ({"c": [1], "t": [Z], "x": [[]]}, {"columns": ["x"]}, "no role can use"),
    ],
)
def test_a_wrong_dtype(table: dict[str, Any], options: dict[str, Any], message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        ingest(table, **options)


def test_naive_times_without_tz() -> None:
    with pytest.raises(SchemaError, match=r"'2024-01-01 10:00:00' in row 0.*tz=\"UTC\""):
        ingest({"c": [1], "t": ["2024-01-01 10:00:00"]})


def test_unparseable_times() -> None:
    got = ingest({"c": [1] * 4, "t": [Z, "soon", "2024-02-30T00:00Z", ""]})
    assert got.rejected.row.tolist() == [1, 2, 3]
    assert got.rejected.reason == (
        "not an ISO 8601 time; time_format= reads other forms",
        "no such day or time of day",
        "no time",
    )


def test_times_outside_the_years_1900_to_2200() -> None:
    got = ingest(
        {"c": [1] * 4, "t": [Z, "1899-12-31T23:59:59Z", "2201-01-01T00:00Z", "0001-01-01T00:00Z"]}
    )
    assert got.rejected.row.tolist() == [1, 2, 3]
    assert set(got.rejected.reason) == {"time lies outside the years 1900 to 2200"}


@pytest.mark.parametrize(
    "ids",
    [["a", "", " "], [1, None, float("nan")], np.array([1.0, np.nan, np.nan]), [7, "", None]],
)
def test_nan_or_empty_ids(ids: Any) -> None:
    got = ingest({"c": ids, "t": [Z] * 3})
    assert got.rejected.row.tolist() == [1, 2]
    assert got.rejected.reason == ("no customer", "no customer")


def test_infinite_values() -> None:
    got = ingest({"c": [1, 1], "t": [Z, Z], "v": [np.inf, 2.0]}, value="v")
    assert got.rejected.to_dicts() == [
        {"row": 0, "column": "v", "found": "inf", "reason": "infinite"}
    ]


def test_duplicated_rows_are_kept_and_counted() -> None:
    got = ingest({"c": [1, 1, 1], "t": [Z, Z, Z], "e": ["x", "x", "y"]}, event="e")
    assert (got.journeys.touchpoints, got.duplicates) == (3, 1)
    assert "repeat an earlier row, and are kept: 1" in repr(got)


@pytest.mark.parametrize(
    "table",
    [[], {"c": [], "t": []}, {"c": np.zeros(0), "t": np.zeros(0, "M8[us]")}],
    ids=["list", "lists", "arrays"],
)
def test_an_empty_table(table: Any) -> None:
    got = ingest(table)
    assert (got.rows, len(got.journeys), len(got.rejected), got.duplicates) == (0, 0, 0, 0)
    assert "0 rows" in repr(got)


def test_empty_frames() -> None:
    pd, pl = pytest.importorskip("pandas"), pytest.importorskip("polars")
    frame = pd.DataFrame({"c": ["a"], "t": [Z], "h": ["x"]})
    for empty in (
        frame.iloc[:0],
        pl.from_pandas(frame).head(0),
        pl.from_pandas(frame).head(0).to_arrow(),
    ):
        assert ingest(empty, channel="h").rows == 0


def test_one_row() -> None:
    got = ingest({"c": ["a"], "t": [Z], "v": [1]}, value="v")
    assert (len(got.journeys), got.journeys.touchpoints) == (1, 1)


def test_a_million_rows_of_one_customer() -> None:
    n = 1_000_000
    table = {
        "c": np.full(n, 7),
        "t": np.full(n, 1_700_000_000),
        "e": np.arange(n) % 3,
    }
    got = ingest(table, event="e", time_unit="s")
    assert (len(got.journeys), got.journeys.touchpoints) == (1, n)
    assert got.duplicates == n - 3
    assert got.journeys.event.codes[:4].tolist() == [0, 1, 2, 0]


def test_a_channel_named_script() -> None:
    name = "<script>alert(1)</script>"
    got = ingest({"c": [1, ""], "t": [Z, name], "h": [name] * 2}, channel="h")
    assert list(got.journeys.channel.vocabulary) == [name]
    bad = ingest({"c": ["a"], "t": [name]})
    assert name not in bad.rejected._repr_html_()  # what a notebook calls
    assert html.escape(name) in bad.rejected._repr_html_()


def test_ids_as_ints_and_as_floats_are_the_same_customers() -> None:
    whole = ingest({"c": [2, 1], "t": [Z, Z]}).journeys
    assert ingest({"c": [2.0, 1.0], "t": [Z, Z]}).journeys == whole
    assert ingest({"c": np.array([2.0, 1.0]), "t": [Z, Z]}).journeys == whole


def test_ids_with_spaces_emoji_nul_and_of_any_length_are_kept_exactly() -> None:
    ids = ["a b", " a", "a ", "a", "😀", "a\x00", "a\x00b", "\x00", "é" * 100, "x" * 15, "x" * 16]
    ids += [f"00000000-0000-4000-8000-{i:012d}" for i in range(50)]
    got = ingest({"c": ids[::-1], "t": [Z] * len(ids)})
    assert list(got.journeys.customer.vocabulary) == sorted(ids)
    assert got.journeys["customer"].to_list() == sorted(ids)


@pytest.mark.parametrize("reader", ["pyarrow", "csv"])
def test_crlf_bom_and_quoted_line_breaks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reader: str
) -> None:
    if reader == "csv":
        monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    path = tmp_path / "log.csv"
    path.write_bytes(f'\ufeffc,t,h\r\na,{Z},"Paid\r\nSearch"\r\nb,{Z},web\r\n'.encode())
    got = cx.read_events(path, channel="h", **ROLES)
    assert got.journeys.channel.to_list() == ["Paid\r\nSearch", "web"]
    assert len(got.rejected) == 0


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "a.csv",
            gzip.compress(b"c,t\n", mtime=0),
            "seems to be a gzip file: give its name the ending .gz",
        ),
        ("a.csv.gz", b"c,t\n1,2\n", "is no gzip file"),
        ("a.csv", b"PAR1....", "seems to be a parquet file"),
        ("a.parquet", b"c,t\n1,2\n", "is no Parquet"),
        ("a.csv", b"PK\x03\x04rest", "Excel workbook"),
        ("a.csv", b"<!DOCTYPE html><html>", "web page"),
        ("a.csv", b'{"c": 1}\n', "holds JSON"),
        ("a.json", b'[{"c": 1}]', "one JSON array"),
        ("a.csv", b"", "is empty"),
        ("a.csv", b"\xef\xbb\xbf", "is empty: it has no header"),
        ("a.csv", b"\n\n", "is empty: it has no header"),
        ("a.csv", "c,t\n".encode("utf-16"), "encoding='utf-16'"),
        ("a.csv", b"c,t\ncaf\xe9,2\n", "byte 0xe9 at position 7 .line 2.*encoding='cp1252'"),
        ("a.xlsx", b"PK\x03\x04rest", "does not say by its ending"),
        ("a", b"c,t\n", "does not say by its ending"),
        (
            "a.csv.gz",
            gzip.compress(b"c,t\n" * 9999, mtime=0)[:-20],
            "cannot be read to its end|is damaged",
        ),
        ("a.csv.gz", gzip.compress(b"", mtime=0), "is empty: unpacked"),
    ],
)
def test_a_file_that_is_not_what_its_ending_says(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        cx.read_events(path, **ROLES)


def test_no_file_and_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text("c,t\n")
    with pytest.raises(DataError, match=r"no file .*Did you mean 'events.csv'\?"):
        cx.read_events(tmp_path / "event.csv", **ROLES)
    with pytest.raises(DataError, match="there is no folder"):
        cx.read_events(tmp_path / "no" / "event.csv", **ROLES)
    (tmp_path / "none").mkdir()
    with pytest.raises(CxError, match="holds no file with data"):
        cx.read_events(tmp_path / "none", **ROLES)
