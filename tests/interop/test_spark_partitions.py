"""What runs on Spark's workers, without Spark: sorted Arrow batches in, one row out."""

import pytest

import cxkit as cx
from cxkit.core.spans import instant_us
from cxkit.errors import DataError
from cxkit.interop import spark
from cxkit.interop.asked import roles_of
from tests.interop.folding import ROLES, by_customer, log, table_of

pa = pytest.importorskip("pyarrow")

ROWS = log()
SMALL = roles_of({"customer": "c", "time": "t", "time_unit": "s"})


def partitions(count=5):
    """The rows as a shuffle leaves them: whole customers, sorted; the last has none."""
    number = {row[0]: at for at, row in enumerate(ROWS)}
    for part in range(count):
        rows = [row for row in ROWS if number[row[0]] % (count - 1) == part]
        yield table_of(by_customer(rows)).to_batches(max_chunksize=50)


def test_an_error_comes_back_as_a_row():
    batches = pa.table({"c": [2, 1], "t": [0, 0]}).to_batches()
    (found,) = spark._fold_partition(cx.flow.PathVariants, SMALL, batches)
    row = found.to_pylist()[0]
    assert row["kind"] == "DataError"
    assert "customer 1 comes after 2" in row["message"]
    assert row["folded"] is None


def test_scores(monkeypatch):
    monkeypatch.setattr(spark, "_BATCH", 120)
    scale = cx.EngagementScale([cx.PointRule("buy", 100)], half_life="2h")
    at = instant_us("1970-01-01T03:00Z", name="at")
    found = [
        row
        for batches in partitions()
        for scored in spark._score_partition(scale, at, False, True, roles_of(ROLES), batches)
        for row in scored.to_pylist()
    ]
    whole = scale.score(cx.Journeys.from_table(table_of(ROWS), **ROLES), at="1970-01-01T03:00Z")
    keys = ("customer", "score", "touchpoints", "excluded")
    expected = [{key: row[key] for key in keys} for row in whole.to_dicts()]
    assert sorted(found, key=lambda row: row["customer"]) == expected


def test_scores_of_bad_rows_and_of_ids_that_are_numbers_in_text():
    scale = cx.EngagementScale([cx.PointRule("buy", 100)])
    batches = pa.table({"c": [1, None], "t": [0, 0]}).to_batches()
    with pytest.raises(DataError, match="1 rows of a partition cannot be used, column 'c'"):
        list(spark._score_partition(scale, 0, False, False, SMALL, batches))
    (found,) = spark._score_partition(scale, 0, True, True, SMALL, batches)
    assert found.to_pylist()[0]["customer"] == "1"
