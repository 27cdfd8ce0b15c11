"""Any table gives the same columns, whatever library holds it."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from cxkit import Touchpoint, ingest
from cxkit.core.instants import from_datetime64, from_objects, is_null
from cxkit.errors import MissingExtraError, SchemaError
from cxkit.model.columns import Column
from cxkit.model.tables import open_table

TEXTS = ["x", None, "😀 a\x00b", "", "x"]
NUMBERS = [3, None, 1, 2, 3]
FLOATS = [1.5, None, -2.0, 0.25, 1e9]
TRUTHS = [True, None, False, True, False]
TIMES = [datetime(2024, 1, day, 10, tzinfo=UTC) if day != 2 else None for day in range(1, 6)]
PLAIN = {"text": TEXTS, "whole": NUMBERS, "decimal": FLOATS, "truth": TRUTHS, "instant": TIMES}


def pandas(**options: Any) -> Any:
    pd = pytest.importorskip("pandas")
    return pd.DataFrame(
        {
            "text": pd.Series(TEXTS, dtype=options.get("text")),
            "whole": pd.array(NUMBERS, dtype=options.get("whole", "Int64")),
            "decimal": pd.array(FLOATS, dtype=options.get("decimal", "float64")),
            "truth": pd.array(TRUTHS, dtype=options.get("truth", "boolean")),
            "instant": pd.Series(TIMES, dtype=options.get("instant", "datetime64[ns, UTC]")),
        }
    )


def arrow_backed() -> Any:
    pytest.importorskip("pyarrow")
    return pandas(
        text="string[pyarrow]",
        whole="int8[pyarrow]",
        decimal="double[pyarrow]",
        truth="bool[pyarrow]",
        instant="timestamp[ms, tz=UTC][pyarrow]",
    )


def polars(**options: Any) -> Any:
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame(PLAIN)
    kind = options.get("text")
    return frame.with_columns(pl.col("text").cast(kind(pl))) if kind else frame


def arrow(**options: Any) -> Any:
    pa = pytest.importorskip("pyarrow")
    table = pa.table(
        {
            "text": pa.array(TEXTS, getattr(pa, options.get("text", "string"))()),
            "whole": pa.array(NUMBERS, pa.uint8()),
            "decimal": pa.array(FLOATS),
            "truth": pa.array(TRUTHS),
            "instant": pa.array(TIMES, pa.timestamp("s", "Asia/Tokyo")),
        }
    )
    return pa.concat_tables([table.slice(0, 2), table.slice(2)])


def arrow_dictionaries() -> Any:
    pa = pytest.importorskip("pyarrow")
    table = arrow()
    parts = [table.slice(0, 2), table.slice(2)]
    for name in ("text", "whole"):
        # Each chunk with a dictionary of its own.
        coded = [part.column(name).combine_chunks().dictionary_encode() for part in parts]
        at = table.column_names.index(name)
        table = table.set_column(at, name, pa.chunked_array(coded))
    return table


class Stream:
    """Something unknown that hands out Arrow."""

    def __init__(self, table: Any) -> None:
        self.table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.table.__arrow_c_stream__(requested_schema)


TABLES = {
    "lists": lambda: PLAIN,
    "tuples": lambda: {name: tuple(values) for name, values in PLAIN.items()},
    "object arrays": lambda: {k: np.array(v, dtype=object) for k, v in PLAIN.items()},
    "dicts": lambda: [
        dict(zip(PLAIN, row, strict=True)) for row in zip(*PLAIN.values(), strict=True)
    ],
    "generator of dicts": lambda: (
        {k: v for k, v in zip(PLAIN, row, strict=True) if v is not None}
        for row in zip(*PLAIN.values(), strict=True)
    ),
    "pandas": pandas,
    "pandas object": lambda: pandas(text=object, whole=object, truth=object),
    "pandas category": lambda: pandas(text="category", whole="category"),
    "pandas string": lambda: pandas(text="string[python]", decimal="Float64"),
    "pandas arrow": arrow_backed,
    "mapping of Series": lambda: {name: pandas()[name] for name in PLAIN},
    "polars": polars,
    "polars categorical": lambda: polars(text=lambda pl: pl.Categorical),
    "polars enum": lambda: polars(text=lambda pl: pl.Enum(["", "x", "unused", "😀 a\x00b"])),
    "mapping of polars": lambda: polars().to_dict(),
    "arrow": arrow,
    "arrow large": lambda: arrow(text="large_string"),
    "arrow view": lambda: arrow(text="string_view"),
    "arrow dictionaries": arrow_dictionaries,
    "arrow batch": lambda: arrow().combine_chunks().to_batches()[0],
    "arrow stream": lambda: Stream(arrow()),
    "mapping of arrow": lambda: dict(zip(PLAIN, arrow().columns, strict=True)),
}


def rows_of(column: Column) -> list[Any]:
    """The rows; NaN is how floats are missing where a library has no other way."""
    return [None if is_null(value) else value for value in column.to_list()]


@pytest.mark.parametrize("name", TABLES)
def test_every_table_gives_the_same_columns(name: str) -> None:
    table = open_table(TABLES[name]())
    assert table.names == tuple(PLAIN)
    assert table.rows == 5
    for role in ("text", "whole", "decimal", "truth"):
        column = table.column(role, role)
        assert (role, column.kind) == (role, role)
        assert rows_of(column) == PLAIN[role]
        if role != "decimal":
            assert column.is_null().tolist() == [v is None for v in PLAIN[role]]
    instant = table.column("instant", "instant")
    assert instant.is_null().tolist() == [False, True, False, False, False]
    if instant.kind == "objects":
        clock = from_objects(instant.values)
    else:
        assert (instant.kind, instant.aware) == ("instant", True)
        clock = from_datetime64(instant.values, naive=False)
    expected = [int(t.timestamp()) * 1_000_000 for t in TIMES if t]
    assert clock.us[~instant.is_null()].tolist() == expected


def test_arrays_of_numpy() -> None:
    table = open_table(
        {
            "u": np.array(["a", "bb"]),
            "t": np.array(["a", "b\x00"], np.dtypes.StringDType()),
            "na": np.array(["a", None], np.dtypes.StringDType(na_object=None)),
            "f2": np.array([1, 2], np.float16),
            "m": np.ma.masked_array([1, 2], [False, True]),
            "mo": np.ma.masked_array(["a", "b"], [True, False], dtype=object),
            "mu": np.ma.masked_array(["a", "b"], [False, True]),
            "mt": np.ma.masked_array(np.array(["a", "b"], np.dtypes.StringDType()), [True, False]),
            "mm": np.ma.masked_array(["a", "b"], [True, True]),
            "d": np.array(["2024-01-01", "NaT"], "M8[D]"),
        }
    )
    kinds = {name: table.column(name, name).kind for name in table.names}
    assert kinds == {
        "u": "text",
        "t": "text",
        "na": "text",
        "f2": "decimal",
        "m": "whole",
        "mo": "text",
        "mu": "text",
        "mt": "text",
        "mm": "empty",
        "d": "instant",
    }
    assert table.column("t", "t").to_list() == ["a", "b\x00"]
    assert table.column("na", "na").to_list() == ["a", None]
    assert table.column("m", "m").to_list() == [1, None]
    assert table.column("mo", "mo").to_list() == [None, "b"]
    assert table.column("mu", "mu").to_list() == ["a", None]
    assert table.column("mu", "mu").dtype == "<U1"
    assert table.column("mt", "mt").to_list() == [None, "b"]
    assert table.column("mm", "mm").to_list() == [None, None]
    assert table.column("d", "d").is_null().tolist() == [False, True]


@pytest.mark.parametrize("unit", ["D", "s", "us", "ns"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_times_in_either_order_of_bytes(unit: str, order: str) -> None:
    times = np.array(["2024-03-01", "NaT", "2024-03-02"], "M8[D]").astype(f"{order}M8[{unit}]")
    expected = np.array(["2024-03-01", "2024-03-02"], "M8[us]")
    for given in (times, np.repeat(times, 2)[::2]):  # and with gaps between
        got = ingest({"u": ["a", "b", "c"], "t": given}, customer="u", time="t", tz="UTC")
        assert got.journeys.time.tolist() == expected.tolist()
        assert got.rejected.row.tolist() == [1]


def test_structured_arrays_have_columns() -> None:
    rows = np.array([(1, 2.0)], dtype=[("who", "i4"), ("worth", "f8")])
    assert open_table(rows).column("worth", "value").to_list() == [2.0]


def test_touchpoints_have_their_fields_and_properties() -> None:
    table = open_table([Touchpoint("a", "2024-01-01", event="x", properties={"campaign": 7})])
    assert table.names == ("customer", "time", "event", "channel", "value", "campaign")
    assert table.column("channel", "channel").kind == "empty"
    assert table.column("campaign", "x").to_list() == [7]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2.5], "decimal"),
        ([1, None, float("nan")], "whole"),
        ([2**70, 1], "objects"),
        ([10**400, 1.5], "objects"),
        ([None, float("nan")], "empty"),
        ([], "empty"),
        ([1, "a"], "objects"),
        ([True, 1], "objects"),
        ([[1], "a"], "objects"),
        ([[1], {}], "other"),
        ([b"x"], "other"),
        ([np.int64(3), 4], "whole"),
        ([np.str_("a"), "b"], "text"),
        ([np.bool_(True)], "truth"),
    ],
)
def test_objects_are_of_the_narrowest_kind(values: list[Any], kind: str) -> None:
    assert open_table({"x": values}).column("x", "x").kind == kind


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            {"usr": [1]},
            r"no column 'user' for customer; the table has \['usr'\]. Did you mean 'usr'\?",
        ),
        ({}, "the table has no columns"),
        ({"user": [1], "b": [1, 2]}, "column 'b' has 2 rows, column 'user' has 1"),
        ({"user": 5}, r"column 'user' is 5 \(int\), not a list or array"),
        ({"user": "abc"}, "column 'user' is 'abc'"),
        ({"user": np.zeros((2, 2))}, "column 'user' has 2 dimensions"),
        ({"user": np.array(1)}, "column 'user' has 0 dimensions"),
        (np.zeros((2, 2)), r"an array of shape \(2, 2\) has no column names"),
        ("log.csv", "is text, not a table; cx.read_events"),
        (5, "cannot read a int as a table"),
        ([1, 2], r"row 0 is 1 \(int\)"),
        ([{"user": 1}, None], r"row 1 is None \(NoneType\)"),
    ],
)
def test_what_is_no_table_says_so(table: object, message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        open_table(table).column("user", "customer")


def test_a_column_is_named_by_text() -> None:
    with pytest.raises(SchemaError, match="customer must be the name of a column; found None"):
        open_table({"a": [1]}).column(None, "customer")  # type: ignore[arg-type]


def test_two_columns_of_one_name() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame([[1, 2, 3]], columns=["a", "a", "b"])
    table = open_table(frame)
    assert table.column("b", "x").to_list() == [3]
    with pytest.raises(SchemaError, match="the table has 2 columns named 'a'; rename one"):
        table.column("a", "customer")


def test_the_index_of_pandas_is_pointed_at() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"user": [1], "x": [2]}).set_index("user")
    with pytest.raises(SchemaError, match=r"reset_index\(\) makes columns"):
        open_table(frame).column("user", "customer")


def test_a_lazy_frame_must_be_collected() -> None:
    pl = pytest.importorskip("polars")
    with pytest.raises(SchemaError, match=r"frame.collect\(\)"):
        open_table(pl.LazyFrame({"a": [1]}))


def test_a_relation_of_duckdb() -> None:
    pytest.importorskip("pyarrow")
    duckdb = pytest.importorskip("duckdb")
    table = open_table(
        duckdb.sql(
            "select 7::hugeint as whole, 'x' as text, 1.5::decimal(9, 2) as price, "
            "timestamptz '2024-01-01 00:00:00+00' as instant, uuid() as id"
        )
    )
    kinds = [table.column(name, name).kind for name in table.names]
    assert kinds == ["whole", "text", "decimal", "instant", "text"]
    assert table.column("instant", "time").aware


def test_odd_columns_of_arrow() -> None:
    pa = pytest.importorskip("pyarrow")
    table = open_table(
        pa.table(
            {
                "null": pa.nulls(2),
                "list": pa.array([[1], None]),
                "time": pa.array([1, 2], pa.time64("us")),
                "bytes": pa.array([b"x", b"y"]),
                "half": pa.array(np.array([1.5, 2], np.float16)),
                "big": pa.array([10**30, None], pa.decimal128(38)),
                "day": pa.array([1, None], pa.date32()),
                "day64": pa.array([86_400_000, None], pa.date64()),
                "runs": pa.RunEndEncodedArray.from_arrays([2], ["x"]),
            }
        )
    )
    kinds = [table.column(name, name).kind for name in table.names]
    assert kinds == [
        *("empty", "other", "other", "other", "decimal", "decimal", "instant", "instant", "text"),
    ]
    assert table.column("day", "x").values[0] == table.column("day64", "x").values[0]


def test_arrow_without_pyarrow_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r'needs pyarrow.*pip install "cxkit\[arrow\]"'):
        open_table(Stream(None))


def test_plain_tables_load_no_frame_library() -> None:
    code = (
        "import sys, cxkit as cx\n"
        "cx.ingest({'c': ['a'], 't': ['2024-01-01T00:00Z']}, customer='c', time='t')\n"
        "assert not {'pandas', 'polars', 'pyarrow'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)  # our own code
