"""Arrow's own ways to hold a column: every one gives the rows that pyarrow itself shows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

import cxkit as cx
from cxkit.errors import DataError, SchemaError
from cxkit.model import arrow
from cxkit.model.arrow import from_arrow
from cxkit.model.columns import SortedTexts
from cxkit.model.tables import open_table

pa = pytest.importorskip("pyarrow")

LABELS = st.none() | st.sampled_from(["", " ", "web", "x" * 20, "é😀", "a\x00", "a", "null", "7"])


def layouts(values: list[str | None]) -> dict[str, Any]:
    """One column in many layouts."""
    plain = pa.array(values, pa.string())
    padded = pa.array(["zz", None, *values, "yy"], pa.string())
    n = len(values)
    distinct = list(dict.fromkeys(v for v in values if v is not None))
    # Unused entries before and after, and every entry twice.
    twice = ["unused", *distinct, *distinct, "also unused"]
    size = len(distinct)
    at = {value: place for place, value in enumerate(distinct)}
    indices = [None if v is None else 1 + at[v] + size * (row % 2) for row, v in enumerate(values)]
    entries = pa.array(twice, pa.string())
    messy = pa.DictionaryArray.from_arrays(pa.array(indices, pa.int8()), entries)
    more = pa.array([0, 0, *indices, 1 + 2 * size], pa.int32())
    with_null = [None, *distinct]
    null_entry = pa.DictionaryArray.from_arrays(
        pa.array([0 if v is None else 1 + at[v] for v in values], pa.uint16()),
        pa.array(with_null, pa.string()),
    )
    halves = [messy.slice(0, n // 2), plain.dictionary_encode().slice(n // 2).cast(messy.type)]
    return {
        "plain": plain,
        "large": plain.cast(pa.large_string()),
        "view": plain.cast(pa.string_view()),
        "sliced": padded.slice(2, n),
        "sliced large": padded.cast(pa.large_string()).slice(2, n),
        "chunks": pa.chunked_array(
            [plain.slice(0, n // 2), plain.slice(0, 0), padded.slice(2 + n // 2, n - n // 2)]
        ),
        "messy dictionary": messy,
        "sliced dictionary": pa.DictionaryArray.from_arrays(more, entries).slice(2, n),
        "null in the dictionary": null_entry,
        "chunks of dictionaries": pa.chunked_array(halves),
        "run ends": pa.RunEndEncodedArray.from_arrays(
            pa.array(range(1, n + 1), pa.int32()), plain
        ) if n else plain,
    }  # fmt: skip


@given(st.lists(LABELS, max_size=12))
def test_text_in_every_layout(values: list[str | None]) -> None:
    for name, array in layouts(values).items():
        column = from_arrow("x", array)
        assert column.to_list() == values, name
        assert column.is_null().tolist() == [value is None for value in values], name


@given(st.lists(LABELS, min_size=1, max_size=12), st.sampled_from([["null", "web"], [""]]))
def test_text_by_its_bytes_is_text_by_a_dictionary(
    values: list[str | None], nulls: list[str]
) -> None:
    """The same labels, customers, rejects and notes, whichever way text is factorized."""
    results = []
    for many in (1, 10**9):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(arrow, "_MANY", many)
            patch.setattr(arrow, "_many_distinct", lambda _: True)
            for array in layouts(values).values():
                table = pa.table({"c": array, "t": list(range(len(values)))})
                got = cx.ingest(
                    table,
                    customer="c",
                    time="t",
                    event="c",
                    columns={"again": "c"},
                    time_unit="s",
                    null_values=nulls,
                )
                results.append((got.journeys, got.rejected.to_dicts(), got.rows, got.notes))
                assert got.journeys.touchpoints + len(got.rejected) == len(values)
    assert all(result == results[0] for result in results)


def test_many_distinct_ids_need_no_python_string_each() -> None:
    rng = np.random.default_rng(4)
    ids = [None if i % 97 == 0 else f"user-{i}" for i in rng.integers(0, 40_000, 120_000).tolist()]
    array = pa.chunked_array([ids[:70_000], ids[70_000:]])
    column = from_arrow("c", array)
    assert isinstance(column.values, SortedTexts)
    assert column.to_list() == ids
    assert column.show(1) == ids[1]
    assert list(column.values[:2]) == sorted({i for i in ids if i})[:2]
    few = from_arrow("c", pa.array([f"user-{i % 50}" for i in range(120_000)]))
    assert not isinstance(few.values, SortedTexts)
    long = from_arrow("c", pa.array([f"{i:0200d}" for i in range(60_000)]))
    assert not isinstance(long.values, SortedTexts)
    assert long.show(59_999).startswith("0000")


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_many_distinct_ids_of_frames(library: str) -> None:
    module = pytest.importorskip(library)
    ids = [None if i % 97 == 0 else f"{i * 7919:017x}é" for i in range(60_000)]
    table = pa.table({"c": ids, "t": range(60_000)})
    frame = module.from_arrow(table) if library == "polars" else table.to_pandas()
    got = cx.ingest(frame, customer="c", time="t", time_unit="s")
    expected = cx.ingest(table, customer="c", time="t", time_unit="s")
    assert got.journeys == expected.journeys
    assert got.rejected.to_dicts() == expected.rejected.to_dicts()
    assert got.journeys.customer.vocabulary.labels.tolist() == sorted(i for i in ids if i)


def test_many_distinct_texts_in_every_role() -> None:
    n = 60_000
    table = pa.table(
        {
            "c": [f"u{i}" for i in range(n)],
            "t": [f"2024-01-01T{i // 3600:02d}:{i // 60 % 60:02d}:{i % 60:02d}Z" for i in range(n)],
            "v": [f"{i}.5" if i else "much" for i in range(n)],
            "e": [None if i == 5 else f"{i:x}" for i in range(n)],
        }
    )
    got = cx.ingest(table, customer="c", time="t", event="e", value="v", columns=["c"])
    rows = cx.ingest(table.to_pylist(), customer="c", time="t", event="e", value="v", columns=["c"])
    assert got.journeys == rows.journeys
    assert got.rejected.to_dicts() == rows.rejected.to_dicts()
    assert got.rejected.reason == ("not a number",)


def test_numbers_and_times_with_bitmaps_that_begin_in_the_middle() -> None:
    values = [None if i % 3 == 0 else i for i in range(40)]
    times = pa.array(values, pa.timestamp("ms", "UTC"))
    for begin in (0, 1, 7, 8, 9, 17):
        part = values[begin : begin + 11]
        for kind in (pa.int8(), pa.uint64(), pa.float32(), pa.decimal128(9, 2)):
            column = from_arrow("x", pa.array(values, kind).slice(begin, 11))
            assert column.is_null().tolist() == [v is None for v in part]
            assert [None if v is None else int(v) for v in column.to_list()] == part
        truths = pa.array([None if v is None else v % 2 == 0 for v in values]).slice(begin, 11)
        assert from_arrow("x", truths).to_list() == truths.to_pylist()
        found = from_arrow("x", times.slice(begin, 11))
        assert found.to_list() == times.slice(begin, 11).to_pylist()


def test_a_struct_with_rows_that_are_missing_as_a_whole() -> None:
    inner = pa.array(["a", "b", "c", "d"])
    rows = pa.StructArray.from_arrays([inner], ["x"], mask=pa.array([False, True, False, False]))
    table = open_table(pa.table({"s": rows}).slice(1, 2))
    assert table.column("s.x", "event").to_list() == [None, "c"]


def test_columns_of_one_name() -> None:
    table = pa.table([pa.array([1]), pa.array([2]), pa.array([3])], names=["c", "t", "t"])
    with pytest.raises(SchemaError, match="the table has 2 columns named 't'; rename one"):
        cx.ingest(table, customer="c", time="t", time_unit="s")
    assert cx.ingest(table, customer="c", time="c", time_unit="s").rows == 1


@pytest.mark.parametrize("rows", [3, 60_000])
def test_text_that_is_no_utf8(rows: int) -> None:
    data = b"".join(b"%07d" % i for i in range(rows - 1)) + b"ab\xff\xfeabc"
    offsets = pa.py_buffer(np.arange(rows + 1, dtype=np.int32) * 7)
    bad = pa.Array.from_buffers(pa.string(), rows, [None, offsets, pa.py_buffer(data)])
    with pytest.raises(DataError, match="column 'c' holds text that is not UTF-8"):
        cx.ingest(pa.table({"c": bad, "t": [0] * rows}), customer="c", time="t", time_unit="s")


def encoded(labels: Any, indices: list[int | None], kind: Any = pa.int8()) -> Any:  # noqa: B008
    values = labels if isinstance(labels, pa.Array) else pa.array(labels)
    return pa.DictionaryArray.from_arrays(pa.array(indices, kind), values)


@pytest.mark.parametrize("kind", [pa.int8(), pa.uint8(), pa.int16(), pa.uint32(), pa.int64()])
@pytest.mark.parametrize("labels", [pa.string(), pa.large_string(), pa.string_view()])
def test_chunks_with_more_labels_together_than_their_indices_can_count(
    kind: Any, labels: Any
) -> None:
    names = [f"{part}{n}" for part in "ab" for n in range(100)]
    halves = [pa.array(half, labels) for half in (names[:100], names[100:])]
    who = pa.chunked_array([encoded(half, list(range(100)), kind) for half in halves])
    column = from_arrow("w", who)
    assert column.to_list() == names
    assert column.dtype == str(who.type)
    table = pa.table({"w": who, "t": range(200)})
    got = cx.ingest(table, customer="w", time="t", time_unit="s")
    assert (got.journeys.customers, len(got.rejected)) == (200, 0)


def test_chunks_with_nulls_in_their_dictionaries_are_read_as_plain_text() -> None:
    chunks = [encoded(["x", None], [0, 1, None]), encoded([None, "y", "x"], [0, 1, 2])]
    who = pa.chunked_array(chunks)
    results = [
        cx.ingest(pa.table({"w": given, "t": range(6)}), customer="w", time="t", time_unit="s")
        for given in (who, pa.array(["x", None, None, None, "y", "x"]))
    ]
    assert results[0].journeys == results[1].journeys
    assert results[0].rejected.to_dicts() == results[1].rejected.to_dicts()
    assert results[0].rejected.row.tolist() == [1, 2, 3]
    assert from_arrow("w", who).dtype == str(who.type)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (pa.array([1, None]), pa.array([2, 1])),
        (pa.array([1.5]), pa.array([None, 2.5])),
        (pa.array([True, False]), pa.array([False, True])),
        (pa.nulls(1), pa.nulls(2)),
        (pa.array([0, None], pa.timestamp("s")), pa.array([1], pa.timestamp("s"))),
    ],
)
def test_chunks_of_dictionaries_of_other_kinds(first: Any, second: Any) -> None:
    chunks = [encoded(half, [*range(len(half)), None]) for half in (first, second)]
    plain = pa.chunked_array([pa.concat_arrays([h, pa.nulls(1, h.type)]) for h in (first, second)])
    assert from_arrow("x", pa.chunked_array(chunks)).to_list() == from_arrow("x", plain).to_list()


def test_chunks_of_dictionaries_that_no_role_can_use() -> None:
    chunks = [encoded(pa.array([{"a": at}]), [0]) for at in range(2)]
    table = pa.table({"w": pa.chunked_array(chunks), "t": range(2)})
    with pytest.raises(SchemaError, match="column 'w' for customer holds"):
        cx.ingest(table, customer="w", time="t", time_unit="s")


def test_chunks_without_rows() -> None:
    for kind in (pa.string(), pa.dictionary(pa.int8(), pa.string()), pa.int64()):
        assert len(from_arrow("x", pa.chunked_array([], kind))) == 0
        assert len(from_arrow("x", pa.chunked_array([pa.array([], kind)]))) == 0


@pytest.mark.parametrize("labels", [["x", "y"], [1, 2], [None, "y"]])
@pytest.mark.parametrize(
    "parts",
    [[(8, 0), (8, 3)], [(8, 5), (2, 0), (0, 3)], [(8, 0), (3, 0)], [(8, 0)], [(3, 2), (12, 0)]],
)
def test_empty_batches_of_dictionaries_with_nulls(labels: Any, parts: Any) -> None:
    indices = pa.array([*[0, 1] * 6, None], pa.int8())
    column = pa.DictionaryArray.from_arrays(indices, pa.array(labels))
    batch = pa.record_batch({"u": column, "t": pa.array(range(13), pa.timestamp("s", "UTC"))})
    stream = pa.RecordBatchReader.from_batches(batch.schema, [batch.slice(*part) for part in parts])
    got = cx.ingest(stream, customer="u", time="t", channel="u")
    rows = [row for first, count in parts for row in range(first, first + count)]
    names = column.to_pylist()
    assert got.rows == len(rows)
    expected = sorted((names[row], row) for row in rows if names[row] is not None)
    times = got.journeys.time.astype("M8[s]").astype(int).tolist()
    assert list(zip(got.journeys.channel.to_list(), times, strict=True)) == expected
    assert got.rejected.row.tolist() == [at for at, row in enumerate(rows) if names[row] is None]
