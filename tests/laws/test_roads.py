"""Every summary in the library by every road: all of them give the summary of all rows at once.

Summaries and their parameters are those that tests/laws/test_summaries.py finds. A road counts all
of them in one pass over one log, whose customers lie on every kind of edge.
"""

import math
from functools import reduce
from itertools import pairwise
from operator import add

import numpy as np
import pytest

import cxkit as cx
from cxkit.core.summary import merge_all
from cxkit.interop import spark as spark_module
from cxkit.interop.asked import roles_of
from cxkit.interop.fold import fold
from cxkit.interop.folded import Folded
from tests.interop.folding import (
    BLANK,
    COUNTERS,
    FIRST,
    LAST,
    LONG,
    ONCE,
    ROLES,
    TIES,
    by_customer,
    check_counts,
    columns_of,
    cut,
    journeys_of,
    log,
    table_of,
    whole,
)
from tests.laws.test_summaries import close

SOURCE = log()  # as logs come: in any order
SORTED = by_customer(SOURCE)
UNIT = {"time_unit": "us"}
LIMIT = "400MB"


def place(customer, at=0.5):
    """A cut among the rows of a customer, which are sorted."""
    rows = [n for n, row in enumerate(SORTED) if row[0] == customer]
    return rows[0] + math.ceil(len(rows) * at)


CUTS = sorted(
    [
        place(FIRST, 1),  # a part of one row, the first
        place(ONCE, 0),  # a part that begins with a customer, and one that ends with one
        place(ONCE, 1),
        place(LONG, 0.3),  # a part that is the middle of one journey and nothing else
        place(LONG, 0.6),
        place(TIES),
        place(BLANK),
        place(BLANK),  # a part without a row
        place(LAST, 0.6),  # a part of one row, the last
    ]
)


WHOLE = whole(SOURCE)


def counted(folded, rows):
    """The summaries of a fold, which must have accounted for every row."""
    check_counts(folded, rows)
    return folded.summaries, WHOLE


def test_customers_lie_on_every_kind_of_edge():
    assert SORTED[0][0] == FIRST
    assert SORTED[-1][0] == LAST
    rows = {name: [row for row in SORTED if row[0] == name] for name, *_ in SORTED}
    assert len(rows[FIRST]) == len(rows[ONCE]) == 1
    assert len(rows[LONG]) > len(SORTED) / 4
    assert {row[1] for row in rows[TIES]} == {0}
    assert len({row[2:] for row in rows[TIES]}) > 9
    assert {row[2:5] for row in rows[BLANK]} == {(None, None, None)}
    parts = cut(SORTED, CUTS)
    assert [] in parts
    assert {row[0] for row in parts[CUTS.index(place(LONG, 0.6))]} == {LONG}
    cuts_through = {b[0][0] for a, b in pairwise(filter(None, parts)) if a[-1][0] == b[0][0]}
    assert cuts_through >= {LONG, TIES, BLANK, LAST}
    assert any(a[-1][0] != b[0][0] for a, b in pairwise(filter(None, parts)))
    shards = np.unique(journeys_of(SOURCE).shards)
    assert len(shards) > 20


# ------------------------------------------------------------------ in memory


def random_splits():
    journeys, rng = journeys_of(SOURCE), np.random.default_rng(0)
    group = rng.integers(6, size=len(journeys))
    parts = [journeys[group == g] for g in (4, 1, 5, 0, 2, 3)]
    return {k: merge_all(map(counter, parts)) for k, counter in COUNTERS.items()}, WHOLE


def one_by_one():
    journeys = journeys_of(SOURCE)
    return {k: merge_all(map(counter, journeys)) for k, counter in COUNTERS.items()}, WHOLE


def bytes_in_between():
    journeys = journeys_of(SOURCE)
    parts = [journeys[i::4] for i in range(4)]

    def travelled(summary):
        return type(summary).from_bytes(summary.to_bytes())

    found = {
        k: merge_all(travelled(counter(part)) for part in parts) for k, counter in COUNTERS.items()
    }
    return found, WHOLE


def batches():
    return counted(fold(map(columns_of, cut(SORTED, CUTS)), COUNTERS, **ROLES, **UNIT), SORTED)


def batches_of_one_row():
    return counted(fold([columns_of([row]) for row in SORTED], COUNTERS, **ROLES, **UNIT), SORTED)


def folds_of_parts_sent_as_bytes():
    """Parts that share no customer, each folded somewhere else."""
    edges = [n for n in range(1, len(SORTED)) if SORTED[n][0] != SORTED[n - 1][0]][5::9]
    folds = [fold([columns_of(part)], COUNTERS, **ROLES, **UNIT) for part in cut(SORTED, edges)]
    read = [Folded.from_bytes(folded.to_bytes(), COUNTERS) for folded in folds[::-1]]
    return counted(reduce(add, read), SORTED)


# ------------------------------------------------------------------ with Arrow


def arrow_batches_cut_at_random():
    pytest.importorskip("pyarrow")
    cuts = np.random.default_rng(3).integers(len(SORTED), size=25).tolist()
    parts = [table_of(part) for part in cut(SORTED, cuts)]
    return counted(fold(parts, COUNTERS, **ROLES), SORTED)


def sorted_parquet(folder):
    pq = pytest.importorskip("pyarrow.parquet")
    for at, part in enumerate(cut(SORTED, CUTS)):
        pq.write_table(table_of(part), folder / f"part-{at}.parquet", row_group_size=70)
    return counted(cx.interop.parquet.fold(folder, COUNTERS, **ROLES, batch_rows=41), SORTED)


def spark_workers_alone():
    """What runs on Spark's workers, on partitions as a shuffle leaves them; one has no row."""
    pytest.importorskip("pyarrow")
    names = list(dict.fromkeys(row[0] for row in SORTED))
    rows = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spark_module, "_BATCH", 120)
        for part in range(5):
            own = [row for row in SORTED if names.index(row[0]) % 4 == part]
            batches = table_of(own).to_batches(max_chunksize=50)
            for found in spark_module._fold_partition(COUNTERS, roles_of(ROLES), batches):
                rows += found.to_pylist()
    assert {row["kind"] for row in rows} == {None}
    assert len(rows) == 5
    return counted(reduce(add, (Folded.from_bytes(r["folded"], COUNTERS) for r in rows)), SORTED)


def spark_session(folder, session):
    """A shuffle over more partitions than Spark has cores, of three files."""
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    table = table_of(SOURCE).append_column("n", pa.array(np.arange(len(SOURCE))))
    for part, (a, b) in enumerate([(0, 200), (200, 201), (201, len(SOURCE))]):
        pq.write_table(table.slice(a, b - a), folder / f"part-{part}.parquet")
    frame = session.read.parquet(str(folder))
    return counted(cx.interop.spark.fold(frame, COUNTERS, then="n", **ROLES), SOURCE)


# ------------------------------------------------------------------ with DuckDB


def duckdb_folder(folder):
    """Three files in the order that they were written in, not sorted by anything."""
    pytest.importorskip("duckdb")
    pq = pytest.importorskip("pyarrow.parquet")
    for part, rows in enumerate(cut(SOURCE, [200, 201])):
        pq.write_table(table_of(rows), folder / f"part-{part}.parquet", row_group_size=100)
    got = cx.interop.duckdb.fold(folder, COUNTERS, **ROLES, batch_rows=97)
    return counted(got, SOURCE)


def duckdb_relation():
    duckdb = pytest.importorskip("duckdb")
    pytest.importorskip("pyarrow")
    events = table_of(SOURCE)  # noqa: F841  # DuckDB finds it by name
    with duckdb.connect() as connection:
        relation = connection.sql("FROM events")
        return counted(cx.interop.duckdb.fold(relation, COUNTERS, **ROLES), SOURCE)


def duckdb_that_spills(folder):
    """The log among 180,000 rows of others, with half a gigabyte of notes under a limit of 400 MB.

    The notes are read, and sorted with the rest, but no summary looks at them.
    """
    pytest.importorskip("duckdb")
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    rng, size = np.random.default_rng(5), 180_000
    crowd = {
        "user": np.char.add("d", rng.integers(12_000, size=size).astype("U8")),
        "ts": pa.array(rng.integers(200, size=size) * 60_000_000, pa.timestamp("us", "UTC")),
        "what": rng.choice(["view", "cart", "buy", "mail"], size),
        "where": rng.choice(["web", "app", "store"], size),
        "campaign": rng.integers(1, 4, size),
        "amount": rng.integers(1, 9, size).astype(float),
    }
    table = pa.concat_tables([pa.table(crowd), table_of(SOURCE)])
    texts = pa.array([letter * 2_700 for letter in "vwxyz"])
    notes = pa.DictionaryArray.from_arrays(np.arange(len(table), dtype=np.int8) % 5, texts)
    table = table.append_column("note", notes).take(rng.permutation(len(table)))
    for part in range(3):
        begin, end = (len(table) * n // 3 for n in (part, part + 1))
        pq.write_table(table.slice(begin, end - begin), folder / f"part-{part}.parquet")
    spill, most = folder / "spill", 0
    spill.mkdir()

    def look(*_):
        nonlocal most
        most = max(most, sum(file.stat().st_size for file in spill.iterdir()))

    roles = {**ROLES, "columns": ["campaign", "note"]}
    got = cx.interop.duckdb.fold(
        folder, COUNTERS, **roles, memory_limit=LIMIT, spill=spill, batch_rows=25_000, progress=look
    )
    assert most > 1_000_000, "DuckDB kept everything in memory: the road is no longer under load"
    journeys = cx.Journeys.from_table(table.drop_columns("note"), **ROLES)
    assert (got.rows, got.journeys) == (len(table), len(journeys))
    return got.summaries, {name: counter(journeys) for name, counter in COUNTERS.items()}


IN_MEMORY = [
    random_splits,
    one_by_one,
    bytes_in_between,
    batches,
    batches_of_one_row,
    folds_of_parts_sent_as_bytes,
    arrow_batches_cut_at_random,
    spark_workers_alone,
    duckdb_relation,
]
IN_FILES = [sorted_parquet, duckdb_folder, duckdb_that_spills]


@pytest.fixture(
    scope="module",
    params=[
        *(pytest.param(road, id=road.__name__) for road in [*IN_MEMORY, *IN_FILES]),
        pytest.param(spark_session, id="spark", marks=pytest.mark.spark),
    ],
)
def road(request):
    """What a road gave, and the summaries of all its rows at once."""
    if request.param in IN_MEMORY:
        return request.param()
    folder = request.getfixturevalue("tmp_path_factory").mktemp("road")
    if request.param is spark_session:
        return spark_session(folder, request.getfixturevalue("spark"))
    return request.param(folder)


@pytest.mark.parametrize("name", COUNTERS)
def test_every_summary_by_every_road(road, name):
    found, expected = road
    assert set(found) == set(COUNTERS)
    assert close(found[name], expected[name])
