"""Folders: files in the order of names, one kind, one schema, and no row lost between them."""

from __future__ import annotations

import contextlib
import gzip
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cxkit as cx
from cxkit.errors import DataError, SchemaError
from cxkit.interop import read_table

ROLES: dict[str, Any] = {"customer": "c", "time": "t", "time_unit": "s"}


def read(path: Path, **options: Any) -> cx.Ingested:
    got = cx.read_events(path, **{**ROLES, **options})
    assert got.journeys.touchpoints + len(got.rejected) == got.rows
    return got


def csv(rows: dict[str, list[Any]], path: Path) -> None:
    columns = ["" if v is None else v for column in rows.values() for v in column]
    table = np.array(columns, dtype=object).reshape(len(rows), -1).T
    path.write_text("\n".join(",".join(map(str, row)) for row in [list(rows), *table.tolist()]))


def jsonl(rows: dict[str, list[Any]], path: Path) -> None:
    records = [dict(zip(rows, row, strict=True)) for row in zip(*rows.values(), strict=True)]
    path.write_text("\n".join(map(json.dumps, records)))


def parquet(rows: dict[str, list[Any]], path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    pytest.importorskip("pyarrow.parquet").write_table(pa.table(rows), path)


WRITERS = {".csv": csv, ".jsonl": jsonl, ".parquet": parquet}
PARTS = [
    {"c": ["b", "a", None], "t": [3, 1, 9], "h": ["web", None, "x"], "v": [1.5, 2.0, 0.0]},
    {"c": ["a", "c"], "t": [2, 1], "h": ["mail", "web"], "v": [None, 4.0]},
    {"c": ["b", "b"], "t": [1, 2], "h": [None, None], "v": [5.0, 6.0]},
]


@pytest.mark.parametrize("ending", WRITERS)
def test_a_customer_may_span_files(tmp_path: Path, ending: str) -> None:
    # Numbers in names count as such: part 2 comes before part 10, and a folder by its name.
    for name, part in zip(("10", "2", "deep/0"), (PARTS[1], PARTS[0], PARTS[2]), strict=True):
        path = tmp_path / f"{name}{ending}"
        path.parent.mkdir(exist_ok=True)
        WRITERS[ending](part, path)
    (tmp_path / "_SUCCESS").write_text("")
    (tmp_path / ".hidden.csv").write_text("nonsense")
    (tmp_path / "_delta_log").mkdir()
    (tmp_path / "_delta_log" / "0.json").write_text("{}")
    got = read(tmp_path, channel="h", value="v")
    whole = {name: [v for part in PARTS for v in part[name]] for name in PARTS[0]}
    expected = cx.ingest(whole, **ROLES, channel="h", value="v")
    assert got.journeys == expected.journeys
    assert got.rejected.row.tolist() == expected.rejected.row.tolist() == [2]
    assert list(read_table(tmp_path)) == ["c", "t", "h", "v"]


@pytest.mark.parametrize("ending", WRITERS)
def test_a_part_without_rows_and_a_part_without_bytes(tmp_path: Path, ending: str) -> None:
    WRITERS[ending](PARTS[0], tmp_path / f"1{ending}")
    none: dict[str, list[Any]] = {name: [] for name in PARTS[0]}
    if ending == ".csv":
        (tmp_path / "0.csv").write_text("c,t,h,v\n")
    elif ending == ".parquet":
        parquet(none, tmp_path / "0.parquet")
    (tmp_path / f"2{ending}").write_bytes(b"")
    got = read(tmp_path, channel="h", value="v")
    assert (got.rows, got.journeys.touchpoints) == (3, 2)


def test_broken_rows_are_counted_through(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("c,t\nx,1\ny\nz,2\n")
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(b"c,t\nx,1,1\n,3\nw,soon\n"))
    got = read(tmp_path)
    assert got.rows == 6
    assert [(r["row"], r["reason"]) for r in got.rejected.to_dicts()] == [
        (1, "1 fields where the header has 2"),
        (3, "3 fields where the header has 2"),
        (4, "no customer"),
        (5, "not a number"),
    ]


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_a_column_that_a_file_lacks(tmp_path: Path, ending: str) -> None:
    WRITERS[ending](PARTS[0], tmp_path / f"a{ending}")
    WRITERS[ending]({k: v for k, v in PARTS[1].items() if k != "h"}, tmp_path / f"b{ending}")
    message = rf"'b{ending}' has no column 'h' for channel, which 'a{ending}' has; it has \['c', 't"
    with pytest.raises(SchemaError, match=message):
        read(tmp_path, channel="h")
    assert read(tmp_path).rows == 5  # columns that are not read may differ
    (tmp_path / f"a{ending}").rename(tmp_path / f"c{ending}")
    with pytest.raises(SchemaError, match=rf"'b{ending}' has no column 'h', which 'c{ending}' has"):
        read_table(tmp_path)


def test_json_lines_may_lack_fields(tmp_path: Path) -> None:
    jsonl(PARTS[0], tmp_path / "a.jsonl")
    jsonl({k: v for k, v in PARTS[1].items() if k != "h"}, tmp_path / "b.jsonl")
    assert read(tmp_path, channel="h").journeys.channel.to_list() == [None, None, "web", None]


def test_json_lines_of_several_kinds_are_what_one_file_would_be(tmp_path: Path) -> None:
    values: list[list[Any]] = [[1, 2], [1.5, None], ["7", "x"], [True, None], [None, None]]
    for use in ([0, 1], [0, 2], [1, 2], [3, 4], [0, 3], [2, 4], [4, 4], [0, 0]):
        for old in tmp_path.iterdir():
            old.unlink()
        parts = [{"c": [1, 2], "t": [1, 2], "x": values[at]} for at in use]
        for at, part in enumerate(parts):
            jsonl(part, tmp_path / f"{at}.jsonl")
        apart = read(tmp_path, columns=["x"])
        lines = [(tmp_path / f"{at}.jsonl").read_text() for at in (0, 1)]
        for old in tmp_path.iterdir():
            old.unlink()
        (tmp_path / "all.jsonl").write_text("\n".join(lines))
        together = read(tmp_path, columns=["x"])
        assert apart.journeys == together.journeys, use
        assert apart.rejected.to_dicts() == together.rejected.to_dicts()


@pytest.mark.parametrize(
    ("one", "other", "message"),
    [
        (lambda pa: pa.array([1]), lambda pa: pa.array(["1"]), "text in .*whole numbers in"),
        (
            lambda pa: pa.array([1]),
            lambda pa: pa.array([1.0]),
            "decimal numbers .*whole numbers in",
        ),
        (lambda pa: pa.array([[1]]), lambda pa: pa.array([1]), "whole numbers in .*list.* in"),
        (
            lambda pa: pa.array([0], pa.timestamp("s")),
            lambda pa: pa.array([0], pa.timestamp("s", "UTC")),
            "times with a zone in .*times in",
        ),
    ],
)
def test_a_mixed_schema_names_file_and_column(
    tmp_path: Path, one: Callable[[Any], Any], other: Callable[[Any], Any], message: str
) -> None:
    pa = pytest.importorskip("pyarrow")
    for name, make in (("a", one), ("b", other)):
        parquet({"c": ["u"], "t": [1], "x": make(pa)}, tmp_path / f"{name}.parquet")
    with pytest.raises(SchemaError, match=rf"column 'x' for columns holds {message} 'a"):
        read(tmp_path, columns=["x"])
    assert read(tmp_path).rows == 2


def test_whole_and_decimal_numbers_are_one_kind_in_a_role(tmp_path: Path) -> None:
    """Tools write whole numbers as decimal ones where some are missing."""
    pa = pytest.importorskip("pyarrow")
    large = 2**53 + 1
    parquet({"c": [1, large], "t": [1, 2], "v": [1, 2]}, tmp_path / "a.parquet")
    other = {"c": pa.array([1.0, None]), "t": [3.0, 4.5], "v": pa.array([2.5, None])}
    parquet(other, tmp_path / "b.parquet")
    got = read(tmp_path, value="v")
    assert got.journeys.value.tolist() == [1.0, 2.5]
    reasons = [(r["row"], r["reason"]) for r in got.rejected.to_dicts()]
    message = "a float this large is not exact; hand in text or integers"
    assert reasons == [(1, message), (3, "no customer")]


def test_widths_may_differ(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    kinds: list[list[Any]] = [
        [pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string()), pa.null()],
        [pa.int64(), pa.int8(), pa.uint16(), pa.int32()],
        [pa.float32(), pa.float64(), pa.null(), pa.float64()],
        [
            pa.timestamp("ns", "UTC"),
            pa.timestamp("s", "UTC"),
            pa.timestamp("ms", "Asia/Tokyo"),
            None,
        ],
    ]
    for at in range(4):
        label, whole, decimal, time = (row[at] for row in kinds)
        columns = {
            "c": pa.array(["u", "v"]),
            "t": pa.array([at, at + 10], time or pa.timestamp("us", "UTC")),
            "h": pa.array([None, None] if label == pa.null() else ["x", None], label),
            "n": pa.array([at, 7], whole),
            "v": pa.array([None, None] if decimal == pa.null() else [0.5, None], decimal),
        }
        parquet(columns, tmp_path / f"{at}.parquet")
    got = read(tmp_path, time_unit=None, channel="h", value="v", columns=["n"])
    assert Counter(got.journeys.channel.to_list()) == {"x": 3, None: 5}
    assert sorted(got.journeys.codes("n").to_list()) == [0, 1, 2, 3, 7, 7, 7, 7]
    assert np.nansum(got.journeys.value) == 1.5
    times = got.journeys.time.astype("M8[us]").astype(int)
    assert sorted(times.tolist()) == [0, 0, 3, 13, 2_000, 12_000, 1_000_000, 11_000_000]


def test_files_of_several_kinds(tmp_path: Path) -> None:
    csv(PARTS[0], tmp_path / "a.csv")
    jsonl(PARTS[0], tmp_path / "b.jsonl")
    with pytest.raises(DataError, match=r"'a.csv' is text, 'b.jsonl' is json lines; read them"):
        read(tmp_path)


def test_a_parquet_file_that_is_cut_off(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    for name in ("a", "b"):
        parquet(PARTS[0], tmp_path / f"{name}.parquet")
    data = (tmp_path / "b.parquet").read_bytes()
    for size in (4, 5, 12, len(data) // 2, len(data) - 1):
        (tmp_path / "b.parquet").write_bytes(data[:size])
        for path in (tmp_path, tmp_path / "b.parquet"):
            with pytest.raises(DataError, match=r"'b.parquet' is damaged"):
                read(path)


def test_parquet_damaged_in_the_middle(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "a.parquet"
    rng = np.random.default_rng(1)
    table = pa.table({"c": rng.integers(0, 99, 999), "t": np.arange(999), "h": ["web"] * 999})
    pq.write_table(table, path, write_page_checksum=True)
    data = path.read_bytes()
    for at in range(4, len(data), 211):
        path.write_bytes(data[:at] + bytes(b ^ 255 for b in data[at : at + 16]) + data[at + 16 :])
        # Either it is read, or refused by name; never a crash of another kind.
        with contextlib.suppress(DataError, SchemaError):
            read(path, channel="h")


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("small", ["int64", "int8"])
def test_ids_that_only_unsigned_numbers_hold(tmp_path: Path, small: str, order: int) -> None:
    """They are text, as one file of unsigned numbers is read; none is lost or cut."""
    pa = pytest.importorskip("pyarrow")
    parts = [pa.array([1, 2], small), pa.array([3, 2**63, None], pa.uint64())]
    for at, ids in enumerate(parts[::order]):
        parquet({"c": ids, "t": [1] * len(ids), "v": ids}, tmp_path / f"{at}.parquet")
    got = read(tmp_path, value="v")
    whole = pa.table({"c": pa.array([1, 2, 3, 2**63], pa.uint64()), "t": [1] * 4})
    assert [j.customer for j in got.journeys] == ["1", "2", "3", str(2**63)]
    assert list(got.journeys.customer.vocabulary) == list(
        cx.ingest(whole, **ROLES).journeys.customer.vocabulary
    )
    assert got.journeys.value.tolist() == [1, 2, 3, 2.0**63]
    # Without one so large they are numbers.
    parquet({"c": pa.array([3], pa.uint64()), "t": [1]}, tmp_path / f"{int(order == 1)}.parquet")
    assert [j.customer for j in read(tmp_path).journeys] == [1, 2, 3]


def test_times_that_no_unit_holds_name_file_and_column(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    far = pa.array([10**17], pa.timestamp("us", "UTC"))
    parquet({"c": ["u"], "t": far}, tmp_path / "a.parquet")
    parquet({"c": ["u"], "t": pa.array([1], pa.timestamp("ns", "UTC"))}, tmp_path / "b.parquet")
    with pytest.raises(DataError, match=r"column 't' of 'a.parquet' is timestamp\[us.*ns.*b.*one"):
        read(tmp_path, time_unit=None)


def test_large_ids_of_one_file_stay_exact_beside_fractions_of_another(tmp_path: Path) -> None:
    large = 2**53 + 1
    jsonl({"c": [large, None], "t": [1, 2]}, tmp_path / "a.jsonl")
    jsonl({"c": [1.5, 2.0], "t": [1, 2]}, tmp_path / "b.jsonl")
    jsonl({"c": [None], "t": [1]}, tmp_path / "c.jsonl")
    got = read(tmp_path)
    assert got.journeys["customer"].to_list() == [2, large]
    assert got.rejected.row.tolist() == [1, 2, 4]
