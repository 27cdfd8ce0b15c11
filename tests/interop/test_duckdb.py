"""DuckDB sorts, cxkit counts: sources, types and errors; tests/laws/test_roads.py has the rest."""

import random
from functools import partial

import numpy as np
import pytest

import cxkit as cx
from cxkit.errors import DataError, DefinitionError, MissingExtraError, SchemaError
from tests.interop.folding import FEW, ROLES, columns_of, log, table_of, unequal

duckdb = pytest.importorskip("duckdb")
pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

from cxkit.interop.duckdb import fold  # noqa: E402

ROWS = log(rows=3000)
LIMIT = {"memory_limit": "400MB"}
PATHS = cx.flow.PathVariants
SMALL = {"customer": "c", "time": "t", "time_unit": "s"}


@pytest.fixture
def files(tmp_path):
    """The log in three files, in the order that it was written in, not sorted by anything."""
    table = table_of(ROWS)
    for part, (a, b) in enumerate([(0, 700), (700, 701), (701, len(ROWS))]):
        pq.write_table(table.slice(a, b - a), tmp_path / f"part-{part}.parquet", row_group_size=100)
    return tmp_path


@pytest.fixture
def connection():
    with duckdb.connect() as opened:
        yield opened


def test_a_table_is_read_and_not_changed(connection):
    events = table_of(ROWS)  # noqa: F841  # DuckDB finds it by name
    connection.execute("CREATE TABLE log AS FROM events")
    before = connection.sql("DESCRIBE log").fetchall()
    assert unequal(fold(connection.table("log"), FEW, **ROLES, batch_rows=500), ROWS) == []
    assert connection.sql("SELECT count(*) FROM log").fetchall() == [(len(ROWS),)]
    assert connection.sql("DESCRIBE log").fetchall() == before


def test_a_query(files):
    query = f"  select * exclude (amount), amount from '{files}/*.parquet';"  # noqa: S608
    assert unequal(fold(query, FEW, **ROLES, **LIMIT), ROWS) == []


@pytest.mark.parametrize(
    "path",
    [
        "table.parquet",
        "values.parquet",
        "values-2024.csv",
        "from/part.parquet",
        "with/part.csv",
        "select*.csv",
        "select/*.parquet",
        "pivot",
        "table (1).parquet",
        "From me.csv",
    ],
)
def test_a_path_that_begins_like_a_query(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / path.replace("*", "ed")
    file = file if file.suffix else file / "part.parquet"
    file.parent.mkdir(exist_ok=True)
    if file.suffix == ".csv":
        file.write_text("c,t\na,1\n")
    else:
        pq.write_table(pa.table({"c": ["a"], "t": [1]}), file)
    assert fold(path, PATHS, **SMALL).journeys == 1


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1 AS c, 0 AS t",
        "select(1) AS c, 0 AS t",
        "\n FROM(SELECT 1 AS c, 0 AS t)",
        "FROM'x.parquet'",
        'from"x.parquet"',
        "select*from 'x.parquet'",
        "SELECT*, 1 AS n FROM 'x.parquet'",
        "WITH x AS (SELECT 1 AS c, 0 AS t) FROM x",
        "SELECT 1 AS c, 0 AS t" + " " * 9000,
    ],
)
def test_a_query_with_little_space(tmp_path, monkeypatch, query):
    monkeypatch.chdir(tmp_path)
    pq.write_table(pa.table({"c": [1], "t": [0]}), "x.parquet")
    assert fold(query, PATHS, **SMALL).journeys == 1


def test_csv_where_all_is_text(tmp_path):
    rows = [row for row in ROWS if row[4] is not None]
    columns = columns_of(rows)
    lines = ["user,ts,what,where,campaign,amount"] + [
        ",".join("" if v is None or v != v else str(v) for v in row)  # noqa: PLR0124  # NaN
        for row in zip(*columns.values(), strict=True)
    ]
    (tmp_path / "log.csv").write_text("\n".join(lines), encoding="utf-8")
    # A campaign is text here, so the counters that ask for it are those of text.
    got = fold(tmp_path / "log.csv", PATHS, **ROLES, time_unit="us")
    counter = partial(cx.flow.Transitions.of, by="campaign")
    assert got.summary == fold(tmp_path / "log.csv", PATHS, **ROLES, time_unit="us").summary
    steps = fold(tmp_path / "log.csv", counter, **ROLES, time_unit="us").summary
    assert set(steps.labels) <= {"1", "2", "3"}
    whole = cx.read_events(tmp_path / "log.csv", **ROLES, time_unit="us").journeys
    assert steps == counter(whole)
    assert got.summary == PATHS.of(whole)


def test_ids_in_csv_stay_what_they_are(tmp_path):
    (tmp_path / "a.csv").write_text("c;t\n007;1\n7;2\n")
    assert fold(tmp_path / "a.csv", PATHS, **SMALL).journeys == 2
    assert fold(str(tmp_path / "*.csv"), PATHS, **SMALL).journeys == 2


def test_csv_of_different_headers_is_refused(tmp_path):
    (tmp_path / "a.csv").write_text("c,t\n1,2\n")
    (tmp_path / "b.csv").write_text("t,c\n1,2\n")
    with pytest.raises(SchemaError, match=r"'b.csv' has the columns \['t', 'c'\], but 'a.csv'"):
        fold(str(tmp_path / "*.csv"), PATHS, **SMALL)
    (tmp_path / "a.csv").write_text("c,t,t\n1,2,3\n")
    with pytest.raises(SchemaError, match="several columns named 't'"):
        fold(tmp_path / "a.csv", PATHS, **SMALL)


@pytest.mark.parametrize(
    "ids",
    [
        "i::TINYINT",
        "-i::BIGINT",
        "i::UBIGINT",
        "i::HUGEINT",
        "i::DECIMAL(9, 0)",
        "i::DOUBLE",
        "CASE WHEN i > 3 THEN i::DOUBLE END",
        "'c' || i",
        "CASE WHEN i > 3 THEN 'C' || i ELSE 'c' || i END",
        "('c' || i % 3)::ENUM ('c2', 'c0', 'c1')",
        "md5(i::VARCHAR)::UUID",
        "chr((128512 - i * 6000)::INTEGER)",
    ],
)
def test_customers_of_every_type(connection, ids):
    """As many journeys as the door makes of the same rows, in tiny batches."""
    relation = connection.sql(f"SELECT {ids} AS c, i AS t FROM range(12) AS r(i), range(3)")  # noqa: S608
    expected = cx.ingest(relation, **SMALL)
    folded = fold(relation, PATHS, **SMALL, batch_rows=5)
    assert folded.journeys == len(expected.journeys)
    assert folded.touchpoints == expected.journeys.touchpoints
    assert folded.summary == PATHS.of(expected.journeys)


def test_a_collation_of_the_connection_changes_nothing(connection):
    connection.execute("SET default_collation = 'NOCASE'")
    connection.execute("CREATE TABLE log AS SELECT * FROM (VALUES ('a'), ('B'), ('b'), ('A')) v(c)")
    relation = connection.sql("SELECT c, 0 AS t FROM log")
    assert fold(relation, PATHS, **SMALL, batch_rows=1).journeys == 4


def test_equal_times_keep_the_order_of_the_source(tmp_path):
    """Thousands of rows of one instant, over many row groups, on several threads."""
    size = 200_000
    who = np.arange(size) % 40
    table = pa.table({"c": who, "t": np.zeros(size, np.int64), "n": np.arange(size) // 40})
    pq.write_table(table, tmp_path / "log.parquet", row_group_size=5000)

    def rising(journeys):
        if not len(journeys):
            return PATHS.of(journeys)
        steps = np.diff(journeys.codes("n").codes.astype(np.int64))
        steps[journeys.offsets[1:-1] - 1] = 1
        assert steps.min() == 1
        assert steps.max() == 1
        return PATHS.of(journeys[:0])

    folded = fold(tmp_path, rising, **SMALL, columns=["n"], batch_rows=10_000)
    assert folded.journeys == 40


def test_rejected_rows_have_the_numbers_of_the_source(tmp_path):
    rng = random.Random(4)
    times = [str(rng.choice(["x", "", 5, 10**30])) for _ in range(2500)]
    ids = [rng.choice(["a", "b", "", " ", "NA", None]) for _ in times]
    table = pa.table({"c": ids, "t": times})
    pq.write_table(table, tmp_path / "log.parquet", row_group_size=100)
    expected = cx.ingest(table, **SMALL, null_values=["NA"])
    folded = fold(tmp_path, PATHS, **SMALL, null_values=["NA"], batch_rows=300)
    assert dict(folded.reasons) == expected.rejected.counts()
    assert folded.rejected.to_dicts() == expected.rejected.to_dicts()[:1000]
    assert folded.rows == 2500
    assert folded.summary == PATHS.of(expected.journeys)


def test_an_empty_source(connection):
    folded = fold(connection.sql("SELECT 1 AS c, 2 AS t WHERE false"), PATHS, **SMALL)
    assert (folded.rows, folded.summary) == (0, PATHS.zero())


def test_progress_counts_rows(files):
    seen = []
    fold(files, PATHS, **ROLES, batch_rows=1000, progress=lambda *at: seen.append(at))
    assert seen[-1] == (len(ROWS), len(ROWS))


def test_names_that_sql_knows(connection):
    quoted = """1 AS "select", 0 AS "a ""b", 'x' AS "Éa" """
    relation = connection.sql(f"SELECT {quoted}")
    folded = fold(relation, PATHS, customer="select", time='a "b', event="Éa", time_unit="s")
    assert folded.touchpoints == 1


def test_spilled_files_do_not_stay(tmp_path, files, monkeypatch):
    spill = tmp_path / "scratch"
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    fold(files, PATHS, **ROLES, **LIMIT)
    assert list((tmp_path / "tmp").iterdir()) == []
    fold(files, PATHS, **ROLES, **LIMIT, spill=spill)


# ---------------------------------------------------------------- files of several widths


WIDTHS = {
    "value: whole, then decimal": ("v", pa.array([1, 2]), pa.array([0.4, 2.5])),
    "value: of other scales": (
        "v",
        pa.array([1, 2]).cast(pa.decimal128(19, 0)),
        pa.array([0.4, 2.5]).cast(pa.decimal128(9, 4)),
    ),
    "value: single, then double": ("v", pa.array([1.5, 2.1], pa.float32()), pa.array([0.1, 2.1])),
    "value: unsigned": ("v", pa.array([-1, 2]), pa.array([3, 2**64 - 1], pa.uint64())),
    "value: without a type": ("v", pa.nulls(2), pa.array([0.4, 2.5])),
    "value: nothing at all": ("v", pa.nulls(2), pa.nulls(2)),
    "customer: whole, then decimal": ("c", pa.array([1, 2]), pa.array([3.0, 4.5])),
    "customer: 32, then 64 bits": ("c", pa.array([1, -2], pa.int32()), pa.array([3, 2**40])),
    "customer: unsigned, small": ("c", pa.array([1, -2]), pa.array([3, 4], pa.uint64())),
    "customer: unsigned, large": ("c", pa.array([1, -2]), pa.array([3, 2**63], pa.uint64())),
    "customer: both unsigned": (
        "c",
        pa.array([1, 200], pa.uint8()),
        pa.array([3, 2**63 - 1], pa.uint64()),
    ),
    "customer: without a type": ("c", pa.nulls(2), pa.array(["x", "y"])),
    "time: whole, then decimal": ("t", pa.array([1, 2]), pa.array([1.5, 2.25])),
    "time: of other units": (
        "t",
        pa.array([1, 2], pa.timestamp("ms", "UTC")),
        pa.array([1, 2_000_001_000], pa.timestamp("ns", "UTC")),
    ),
    "time: local, of other units": (
        "t",
        pa.array([1, 2], pa.timestamp("us")),
        pa.array([1, 2_000_001_000], pa.timestamp("ns")),
    ),
    "event: text of two widths": (
        "e",
        pa.array(["x", "y"]),
        pa.array(["z", None], pa.large_string()),
    ),
    "event: whole numbers": ("e", pa.array([1, 2], pa.int8()), pa.array([300, 2])),
}


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("what", WIDTHS)
def test_the_first_file_does_not_set_the_types(tmp_path, what, order):
    """DuckDB casts to the types of the first file; the answer is that of read_events."""
    column, *arrays = WIDTHS[what]
    for at, changed in enumerate(arrays[::order]):
        table = {
            "x": pa.array([at, at]),
            "c": pa.array([f"{at}a", f"{at}b"]),
            "t": pa.array([1, 2]),
            "e": pa.array(["go", "stop"]),
            "v": pa.array([1.0, 2.0]),
        }
        pq.write_table(pa.table({**table, column: changed}), tmp_path / f"{at}.parquet")
    stamps = pa.types.is_timestamp(arrays[0].type)
    roles = {**SMALL, "event": "e", "value": "v", "time_unit": None if stamps else "s"}
    roles["tz"] = "UTC" if stamps and arrays[0].type.tz is None else None
    expected = cx.read_events(tmp_path, **roles)
    for batch_rows in (1000, 1):
        seen = []
        folded = fold(tmp_path, PATHS, **roles, each=seen.append, batch_rows=batch_rows)
        assert touchpoints(*seen) == touchpoints(expected.journeys)
        assert folded.rejected.to_dicts() == expected.rejected.to_dicts()


def touchpoints(*many):
    return sorted(
        (repr(t.customer), str(t.time), str(t.event), repr(t.value))
        for journeys in many
        for journey in journeys
        for t in journey
    )


def test_the_name_of_a_folder_is_no_cell(tmp_path):
    for at, folder in enumerate(["e=web", "e=mail"]):
        (tmp_path / folder).mkdir()
        table = pa.table({"c": [at], "t": [1], "e": [f"in file {at}"]})
        pq.write_table(table, tmp_path / folder / "x.parquet")
    seen = []
    fold(tmp_path, PATHS, **SMALL, event="e", each=seen.append)
    assert touchpoints(*seen) == touchpoints(cx.read_events(tmp_path, **SMALL, event="e").journeys)


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_a_name_like_a_pattern_is_one_file(tmp_path, ending):
    for at, name in enumerate(["a[1]", "a1", "a*", "a?", "[", "]", "[!a]"]):
        path = tmp_path / f"{name}.{ending}"
        if ending == "csv":
            path.write_text(f"c,t\n{at},1\n")
        else:
            pq.write_table(pa.table({"c": [at], "t": [1]}), path)
    files = sorted(tmp_path.iterdir())
    folded = fold(files, PATHS, **SMALL)
    assert (folded.rows, folded.journeys) == (7, 7)
    for path in files:
        assert fold([path], PATHS, **SMALL).rows == 1


def test_columns_that_differ_by_case_are_not_mixed_up(tmp_path):
    pq.write_table(pa.table({"c": [1], "t": [1]}), tmp_path / "0.parquet")
    pq.write_table(pa.table({"C": [7], "c": [2], "t": [1]}), tmp_path / "1.parquet")
    with pytest.raises(SchemaError, match=r"'1.parquet' has the columns \['C', 'c'\], which Duck"):
        fold(tmp_path, PATHS, **SMALL)


# ---------------------------------------------------------------- refusals


def test_columns_are_checked_and_case_counts(connection):
    relation = connection.sql("SELECT 1 AS User, 0 AS t")
    with pytest.raises(SchemaError, match=r"no column 'user' for customer.*Did you mean 'User'"):
        fold(relation, PATHS, customer="user", time="t")
    with pytest.raises(SchemaError, match="time_unit"):
        fold(relation, PATHS, customer="User", time="t")


def test_what_duckdb_does_not_understand(tmp_path):
    with pytest.raises(DefinitionError, match="DuckDB does not understand this"):
        fold("SELECT FROM nothing WHERE", PATHS, **SMALL)
    with pytest.raises(DefinitionError, match=r"does not understand.*nowhere"):
        fold("FROM nowhere", PATHS, **SMALL)
    with pytest.raises(DataError, match="DuckDB cannot read this"):
        fold("SELECT 'x'::INTEGER AS c, 0 AS t", PATHS, **SMALL)
    with pytest.raises(DefinitionError, match="memory_limit='banana'"):
        fold("SELECT 1 AS c, 0 AS t", PATHS, **SMALL, memory_limit="banana")
    (tmp_path / "a.csv").write_text("c,t\n1,2\n1,2,3,4\n")
    with pytest.raises(DataError, match="DuckDB cannot read this"):
        fold(tmp_path / "a.csv", PATHS, **SMALL)


def test_paths_that_are_none(tmp_path):
    with pytest.raises(DataError, match="no file"):
        fold(tmp_path / "nope.parquet", PATHS, **SMALL)
    with pytest.raises(DataError, match="holds no file with data"):
        fold(tmp_path, PATHS, **SMALL)
    with pytest.raises(DataError, match="no file matches"):
        fold(str(tmp_path / "*.csv"), PATHS, **SMALL)
    with pytest.raises(DataError, match="there is no file to fold"):
        fold([], PATHS, **SMALL)
    with pytest.raises(DataError, match="no file"):
        fold("from/nope.parquet", PATHS, **SMALL)
    (tmp_path / "a.jsonl").write_text("{}")
    with pytest.raises(DataError, match="FROM read_json"):
        fold(tmp_path / "a.jsonl", PATHS, **SMALL)
    (tmp_path / "a.csv").write_text("c,t\n1,2\n")
    pq.write_table(pa.table({"c": [1], "t": [1]}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match="files of CSV and Parquet"):
        fold([tmp_path / "a.csv", tmp_path / "a.parquet"], PATHS, **SMALL)


def test_mixed_schemas_and_cut_files_are_named(tmp_path):
    pq.write_table(pa.table({"c": [1], "t": [1]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"c": ["x"], "t": [1]}), tmp_path / "b.parquet")
    with pytest.raises(SchemaError, match=r"holds text in 'b.parquet', but numbers in 'a.parquet'"):
        fold(tmp_path, PATHS, **SMALL)
    data = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "b.parquet").write_bytes(data[:-9])
    with pytest.raises(DataError, match=r"'b.parquet' is damaged"):
        fold(tmp_path, PATHS, **SMALL)


def test_a_relation_has_limits_of_its_own(connection):
    relation = connection.sql("SELECT 1 AS c, 0 AS t")
    with pytest.raises(DefinitionError, match="SET memory_limit"):
        fold(relation, PATHS, **SMALL, **LIMIT)
    for wrong in (0, -1, True, 1.5):
        with pytest.raises(DefinitionError, match="batch_rows"):
            fold(relation, PATHS, **SMALL, batch_rows=wrong)


def test_without_duckdb(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "duckdb", None)
    with pytest.raises(MissingExtraError, match=r"cxkit\[duckdb\]"):
        fold("SELECT 1 AS c, 0 AS t", PATHS, **SMALL)
