"""Folders of Parquet that are sorted by customer: counted as one, refused by file and row."""

from importlib.util import find_spec

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import cxkit as cx
from cxkit.errors import DataError, DefinitionError, MissingExtraError, SchemaError
from tests.examples import some
from tests.interop.folding import FEW, ROLES, by_customer, cut, log, table_of, unequal

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

from cxkit.interop.parquet import find_files, fold  # noqa: E402

ROWS = by_customer(log())
PATHS = cx.flow.PathVariants
SMALL = {"customer": "c", "time": "t", "time_unit": "s"}


def write(path, customers, **more):
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = {"c": customers, "t": list(range(len(customers))), **more}
    pq.write_table(pa.table(columns), path)


def write_log(folder, parts, **types):
    for at, part in enumerate(parts):
        pq.write_table(table_of(part, **types), folder / f"part-{at}.parquet", row_group_size=70)


@settings(max_examples=some(8), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cuts=st.lists(st.integers(0, len(ROWS)), max_size=12),
    batch_rows=st.sampled_from([1_000_000, 100, 7]),
)
def test_any_files(tmp_path_factory, cuts, batch_rows):
    """Edges of files, row groups and batches anywhere; empty files; more than ten files."""
    folder = tmp_path_factory.mktemp("log")
    write_log(folder, cut(ROWS, cuts))
    assert unequal(fold(folder, FEW, **ROLES, batch_rows=batch_rows), ROWS) == []


def test_a_file_in_which_a_column_is_missing_in_every_row(tmp_path):
    """Tools write such a column without a type; the last customers of the log have no channel."""
    edge = next(at for at, row in enumerate(ROWS) if row[0] > "c050")
    for at, (part, kind) in enumerate([(ROWS[:edge], pa.string()), (ROWS[edge:], pa.null())]):
        rows = [(*row[:3], None, *row[4:]) for row in part] if at else part
        pq.write_table(table_of(rows, where=kind), tmp_path / f"{at}.parquet")
    whole = ROWS[:edge] + [(*row[:3], None, *row[4:]) for row in ROWS[edge:]]
    assert unequal(fold(tmp_path, FEW, **ROLES), whole) == []


def test_the_order_of_names_is_that_of_their_numbers(tmp_path):
    for at in range(12):
        write(tmp_path / f"part-{at}.parquet", [at, at + 1])
    folded = fold(tmp_path, PATHS, **SMALL)
    assert (folded.journeys, folded.rows) == (13, 24)
    assert [p.stem for p in find_files(tmp_path)] == [f"part-{at}" for at in range(12)]


def test_folders_within_and_what_is_left_out(tmp_path):
    write(tmp_path / "a=1" / "x.parquet", [1, 2])
    write(tmp_path / "a=2" / "x.parquet", [2, 3])
    write(tmp_path / "_temporary" / "x.parquet", [1])
    write(tmp_path / ".hidden.parquet", [1])
    (tmp_path / "_SUCCESS").write_text("")
    assert fold(tmp_path, PATHS, **SMALL).rows == 4
    assert fold(str(tmp_path / "*" / "x.parquet"), PATHS, **SMALL, batch_rows=1).rows == 5 - 1 + 1
    assert fold([tmp_path / "a=1" / "x.parquet", tmp_path / "a=2"], PATHS, **SMALL).journeys == 3


def test_rejected_rows_are_counted_over_all_files(tmp_path):
    write(tmp_path / "a.parquet", ["a", None])
    write(tmp_path / "b.parquet", [None, "b"])
    folded = fold(tmp_path, PATHS, **SMALL)
    assert folded.rejected.row.tolist() == [1, 2]
    assert folded.reasons == {("c", "no customer"): 2}


def test_progress_counts_rows(tmp_path):
    write(tmp_path / "a.parquet", [1, 2, 3])
    write(tmp_path / "b.parquet", [3])
    seen = []
    fold(tmp_path, PATHS, **SMALL, batch_rows=2, progress=lambda *at: seen.append(at))
    assert seen == [(2, 4), (3, 4), (4, 4)]


# ---------------------------------------------------------------- refusals


def test_files_that_are_not_sorted_are_refused_by_file_and_row(tmp_path):
    write(tmp_path / "part-1.parquet", ["a", "c"])
    write(tmp_path / "part-2.parquet", [None, "c", "d", "b", "e"])
    message = "'part-2.parquet': row 3: customer 'b' comes after 'd'"
    for batch_rows in (1, 2, 3, 100):
        with pytest.raises(DataError, match=message):
            fold(tmp_path, PATHS, **SMALL, batch_rows=batch_rows)
    write(tmp_path / "part-2.parquet", [None, "b"])
    with pytest.raises(DataError, match=r"'part-2.parquet': row 1: customer 'b' comes after 'c'"):
        fold(tmp_path, PATHS, **SMALL)


def test_sorted_as_text_is_not_sorted_as_numbers(tmp_path):
    write(tmp_path / "a.parquet", [1, 10, 2])
    with pytest.raises(DataError, match="row 2: customer 2 comes after 10"):
        fold(tmp_path, PATHS, **SMALL)


def test_a_file_that_is_cut_short_is_refused(tmp_path):
    write_log(tmp_path, [ROWS[:450], ROWS[450:]])
    path = tmp_path / "part-1.parquet"
    data = path.read_bytes()
    for size in (0, 3, 4, 200, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:size])
        with pytest.raises(DataError, match=r"'.*part-1.parquet' is "):
            fold(tmp_path, FEW, **ROLES)
    broken = bytearray(data)
    broken[60:2000] = bytes(1940)
    path.write_bytes(broken)
    with pytest.raises(DataError, match=r"'part-1.parquet' is damaged"):
        fold(tmp_path, FEW, **ROLES)


def test_mixed_schemas_are_refused_by_file(tmp_path):
    write(tmp_path / "a" / "x.parquet", [1], n=[1], h=["web"])
    write(tmp_path / "b" / "x.parquet", [2], n=[1.5])
    with pytest.raises(SchemaError, match=r"'b/x.parquet' has no column 'h' for channel, which 'a"):
        fold(tmp_path, PATHS, **SMALL, channel="h")
    with pytest.raises(SchemaError, match=r"'n' for columns holds decimal numbers in 'b/x.p"):
        fold(tmp_path, PATHS, **SMALL, columns=["n"])
    assert fold(tmp_path, PATHS, **SMALL, value="n").journeys == 2
    write(tmp_path / "b" / "x.parquet", ["2"])
    with pytest.raises(SchemaError, match=r"'c' for customer holds text in 'b/x.parquet', but"):
        fold(tmp_path, PATHS, **SMALL)
    two = pa.table([[1], [2], [3]], names=["c", "c", "t"])
    pq.write_table(two, tmp_path / "b" / "x.parquet")
    with pytest.raises(SchemaError, match=r"'b/x.parquet' has 2 columns named 'c'"):
        fold(tmp_path, PATHS, **SMALL)


def test_paths_that_are_none(tmp_path):
    with pytest.raises(DataError, match=r"folder .* holds no file with data"):
        fold(tmp_path, PATHS, **SMALL)
    with pytest.raises(DataError, match="no file"):
        fold(tmp_path / "nope.parquet", PATHS, **SMALL)
    with pytest.raises(DataError, match="no file matches"):
        fold(str(tmp_path / "*.parquet"), PATHS, **SMALL)
    with pytest.raises(DataError, match="there is no file"):
        fold([], PATHS, **SMALL)
    with pytest.raises(DefinitionError, match="batch_rows"):
        fold(tmp_path, PATHS, **SMALL, batch_rows=0)


def test_without_pyarrow(tmp_path, monkeypatch):
    write(tmp_path / "a.parquet", [1])
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"cxkit\[arrow\]"):
        fold(tmp_path, PATHS, **SMALL)


def test_whole_numbers_that_are_read_as_text_are_not_called_text(tmp_path):
    write(tmp_path / "a.parquet", pa.array([1, 2], pa.int64()))
    write(tmp_path / "b.parquet", pa.array([3, 2**63], pa.uint64()))
    message = (
        r"'b.parquet': 'customer' is read as text here and as whole numbers before "
        r"\(whole numbers from 2\*\*63 on are read as text\); make it one kind"
    )
    with pytest.raises(DataError, match=message):
        fold(tmp_path, PATHS, **SMALL)


def every_reader():
    """Whatever takes a folder must find the same files in it."""
    readers = {"read_events": lambda path: cx.read_events(path, **SMALL).rows}
    readers["parquet.fold"] = lambda path: fold(path, PATHS, **SMALL).rows
    if find_spec("duckdb"):
        readers["duckdb.fold"] = lambda path: cx.interop.duckdb.fold(path, PATHS, **SMALL).rows
    return readers


def test_a_folder_has_the_same_files_for_every_reader(tmp_path):
    for at, ending in enumerate([".parquet", ".PARQUET", ".pq", ".Pq"]):
        write(tmp_path / f"{at}{ending}", [at])
    (tmp_path / "_SUCCESS").write_text("")
    (tmp_path / ".0.parquet.crc").write_text("crc")
    (tmp_path / "empty.csv").write_text("")
    assert {name: read(tmp_path) for name, read in every_reader().items()} == dict.fromkeys(
        every_reader(), 4
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("2.parq", r"'2.parq' does not say by its ending what it is; .*\.parquet, \.pq"),
        ("2", "'2' does not say by its ending what it is"),
        ("2.csv", "files of several kinds: '1.parquet' is parquet, '2.csv' is text; read them"),
        ("2.csv.pq", "'2.csv.pq' is no Parquet, though its ending says so"),
    ],
)
def test_no_file_of_a_folder_is_passed_over(tmp_path, name, message):
    write(tmp_path / "1.parquet", [1])
    (tmp_path / name).write_text("c,t\n1,1\n")
    for read in every_reader().values():
        with pytest.raises(DataError, match=message):
            read(tmp_path)


def test_what_is_not_parquet_is_not_called_damaged(tmp_path):
    (tmp_path / "1.csv").write_text("c,t\n1,1\n")
    with pytest.raises(DataError, match=r"no Parquet file in the folder .*'1.csv' is text"):
        fold(tmp_path, PATHS, **SMALL)
    with pytest.raises(DataError, match=r"'1.csv' is text by its ending, not Parquet"):
        fold(tmp_path / "1.csv", PATHS, **SMALL)
    (tmp_path / "1.csv").unlink()
    write(tmp_path / "1.parquet", [1])
    (tmp_path / "2.PQ").write_bytes(b"")
    with pytest.raises(DataError, match=r"'2.PQ' is empty: it has no byte"):
        fold(tmp_path, PATHS, **SMALL)
