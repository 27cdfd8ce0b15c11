"""Spark: partitions, scores and errors; tests/laws/test_roads.py has every summary."""

import sys
from functools import partial

import numpy as np
import pytest

import cxkit as cx
from cxkit.errors import DefinitionError, MissingExtraError, SchemaError
from tests.interop.folding import ROLES, log, table_of

pytestmark = pytest.mark.spark

ROWS = log(rows=2000)
PATHS = cx.flow.PathVariants
SMALL = {"customer": "c", "time": "t", "time_unit": "s"}


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """The log in three files, with the number of each row."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path_factory.mktemp("spark")
    table = table_of(ROWS).append_column("n", pa.array(np.arange(len(ROWS))))
    for part, (a, b) in enumerate([(0, 700), (700, 701), (701, len(ROWS))]):
        pq.write_table(table.slice(a, b - a), path / f"part-{part}.parquet")
    return str(path)


def test_few_customers_leave_partitions_empty(spark):
    from cxkit.interop.spark import fold

    df = spark.createDataFrame([("a", 1), ("b", 2), ("a", 3)], "c string, t bigint")
    folded = fold(df, PATHS, **SMALL)
    assert (folded.rows, folded.journeys) == (3, 2)
    none = fold(df.where("c = 'z'"), lambda j: PATHS.of(j, by="channel"), **SMALL)
    assert (none.rows, none.summary) == (0, PATHS.zero(by="channel"))


def test_a_partition_that_lacks_every_channel(spark):
    from cxkit.interop.spark import fold

    rows = [(at % 9, at, "web" if at % 9 == 3 else None) for at in range(90)]
    df = spark.createDataFrame(rows, "c int, t int, h string")
    count = partial(cx.flow.Transitions.of, by="channel")
    table = {"c": [r[0] for r in rows], "t": [r[1] for r in rows], "h": [r[2] for r in rows]}
    whole = cx.Journeys.from_table(table, channel="h", **SMALL)
    assert fold(df, count, channel="h", **SMALL).summary == count(whole)


def test_rejected_rows_are_counted_and_errors_are_ours(spark):
    from cxkit.interop.spark import fold

    rows = [("a", "1"), (None, "2"), ("", "3"), ("b", "soon"), ("b", "4")]
    df = spark.createDataFrame(rows, "c string, t string")
    folded = fold(df, PATHS, **SMALL)
    assert folded.reasons[("c", "no customer")] == 2
    assert (folded.rows, folded.touchpoints, sum(folded.reasons.values())) == (5, 2, 3)
    assert set(folded.rejected.row.tolist()) == {-1}
    with pytest.raises(SchemaError, match="time_unit"):
        fold(spark.createDataFrame([(1, 2)], "c int, t int"), PATHS, customer="c", time="t")
    with pytest.raises(SchemaError, match=r"no column 'C' for customer.*Did you mean 'c'"):
        fold(df, PATHS, customer="C", time="t")
    with pytest.raises(DefinitionError, match="cannot count by 5"):
        fold(df, 5, **SMALL)
    with pytest.raises(SchemaError, match=r"no column 'n' for then"):
        fold(df, PATHS, then="n", **SMALL)


def test_scores_are_those_of_the_journeys(spark, folder):
    from cxkit.interop.spark import score

    scale = cx.EngagementScale(
        [cx.PointRule("buy", 100), cx.PointRule("cart", 7, count="once_per_session")],
        half_life="2h",
    )
    at = "1970-01-01T03:00Z"
    found = score(spark.read.parquet(folder), scale, at=at, **ROLES).collect()
    whole = scale.score(cx.Journeys.from_table(table_of(ROWS), **ROLES), at=at)
    expected = {row["customer"]: row for row in whole.to_dicts()}
    assert len(found) == len(expected)
    for row in found:
        same = expected[row["customer"]]
        assert row["score"] == pytest.approx(same["score"], rel=1e-12)
        assert (row["touchpoints"], row["excluded"]) == (same["touchpoints"], same["excluded"])


def test_scores_of_numbered_customers_and_of_bad_rows(spark):
    from cxkit.interop.spark import score

    scale = cx.EngagementScale([cx.PointRule("buy", 10)])
    df = spark.createDataFrame(
        [(7, 1, "buy"), (7, 2, "buy"), (8, 3, "see"), (None, 4, "buy")],
        "c bigint, t bigint, e string",
    )
    skipped = score(df, scale, at="2024-01-01", rejected="skip", event="e", **SMALL)
    assert sorted(map(tuple, skipped.collect())) == [(7, 20.0, 2, 0), (8, 0.0, 1, 0)]
    with pytest.raises(Exception, match="1 rows of a partition cannot be used, column 'c'"):
        score(df, scale, at="2024-01-01", event="e", **SMALL).collect()
    with pytest.raises(DefinitionError, match="'raise' or 'skip'"):
        score(df, scale, at="2024-01-01", rejected="drop", **SMALL)


def test_without_pyspark(monkeypatch):
    from cxkit.interop import spark as module

    monkeypatch.setitem(sys.modules, "pyspark", None)
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(MissingExtraError, match=r"cxkit\[spark\]"):
        module.fold(object(), PATHS, **SMALL)
