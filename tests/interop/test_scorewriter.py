"""Scores written batch by batch are those of all journeys at once."""

import sys
import warnings

import numpy as np
import pytest

import cxkit as cx
from cxkit.errors import CxWarning, DataError, DefinitionError, MissingExtraError
from cxkit.interop import ScoreWriter, read_table
from cxkit.interop.fold import fold
from tests.interop.folding import FEW, ROLES, by_customer, cut, journeys_of, log, table_of

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

AT = "1970-01-01T03:00Z"
SCALE = cx.EngagementScale(
    [cx.PointRule("buy", 100), cx.PointRule("cart", 7, count="once_per_session")], half_life="2h"
)
ROWS = log()
PATHS = cx.flow.PathVariants


def expected(rows=ROWS, at=AT):
    whole = SCALE.score(journeys_of(rows), at=at).columns()
    return {name: list(whole[name]) for name in ("customer", "score", "touchpoints", "excluded")}


def small(customers, events=("buy",)):
    return {"c": customers, "t": range(len(customers)), "e": list(events) * len(customers)}


def fold_small(tables, each):
    roles = {"customer": "c", "time": "t", "event": "e", "time_unit": "s"}
    return fold(tables, PATHS, each=each, **roles)


@pytest.mark.parametrize("cuts", [[], range(0, 900, 7), [1, 1, 300, 310]])
def test_scores_by_the_way_of_a_fold(tmp_path, cuts):
    parts = [table_of(part) for part in cut(by_customer(ROWS), cuts)]
    with ScoreWriter(tmp_path / "scores", SCALE, at=AT) as scores:
        folded = fold(parts, FEW, each=scores, **ROLES)
    (tmp_path / "scores").rename(tmp_path / "scores.parquet")
    assert scores.rows == folded.journeys
    assert read_table(tmp_path / "scores.parquet") == expected()


def test_scores_out_of_duckdb_and_of_sorted_parquet(tmp_path):
    pytest.importorskip("duckdb")
    pq.write_table(table_of(ROWS), tmp_path / "log.parquet")
    pq.write_table(table_of(by_customer(ROWS)), tmp_path / "sorted.parquet")
    for source, road in (
        ("log.parquet", cx.interop.duckdb.fold),
        ("sorted.parquet", cx.interop.parquet.fold),
    ):
        with ScoreWriter(tmp_path / "s.parquet", SCALE, at=AT) as scores:
            road(tmp_path / source, PATHS, each=scores, batch_rows=50, **ROLES)
        assert read_table(tmp_path / "s.parquet") == expected()


def test_each_is_called_with_every_journey_once_and_in_order():
    seen = []
    fold_small([small([1, 2]), small([2, 3]), small([3, 4, 5])], seen.append)
    customers = [who for journeys in seen for who in journeys.customer.to_list()]
    assert customers == [1, 2, 3, 4, 5]
    assert sum(journeys.touchpoints for journeys in seen) == 7


def test_numbers_stay_numbers(tmp_path):
    path = tmp_path / "s.parquet"
    with ScoreWriter(path, SCALE, at=AT) as scores:
        fold_small([small([2**40]), small([2**40 + 1])], scores)
    assert pq.read_schema(path).field("customer").type == pa.int64()
    assert read_table(path)["customer"] == [2**40, 2**40 + 1]
    roles = {"customer": "c", "time": "t", "event": "e", "time_unit": "s"}
    with ScoreWriter(path, SCALE, at=AT) as scores:
        scores(cx.Journeys.from_table(small([1]), **roles))
        other = cx.Journeys.from_table(small(["a"]), **roles)
        with pytest.raises(DataError, match="numbers in one batch and text in another"):
            scores(other)


def test_without_a_journey_the_file_is_there_and_empty(tmp_path):
    path = tmp_path / "s.parquet"
    with ScoreWriter(path, SCALE, at=AT) as scores:
        scores(cx.Journeys.empty())
    assert (scores.rows, pq.read_table(path).num_rows) == (0, 0)
    assert pq.read_schema(path).names == ["customer", "score", "touchpoints", "excluded"]


def test_what_fails_leaves_nothing_behind(tmp_path):
    path = tmp_path / "s.parquet"
    path.write_bytes(b"from before")
    with pytest.raises(DataError, match="sorted"):  # noqa: SIM117
        with ScoreWriter(path, SCALE, at=AT) as scores:
            fold_small([small([1, 2, 3]), small([0])], scores)
    assert path.read_bytes() == b"from before"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(ZeroDivisionError):  # noqa: SIM117
        with ScoreWriter(path, SCALE, at=AT):
            _ = 1 / 0
    with pytest.raises(DataError, match=r"cannot write '.*nowhere/s.parquet': No such file"):  # noqa: SIM117
        with ScoreWriter(tmp_path / "nowhere" / "s.parquet", SCALE, at=AT):
            pass


def test_a_scale_that_knows_no_event_warns_once_and_not_for_a_batch(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with ScoreWriter(tmp_path / "a", SCALE, at=AT) as scores:
            fold_small([small([1, 2], ["see"]), small([3])], scores)
    with pytest.warns(CxWarning, match=r"every score is 0: the scale has \['buy', 'cart'\]"):  # noqa: SIM117
        with ScoreWriter(tmp_path / "b", SCALE, at=AT) as scores:
            fold_small([small([1, 2, 3], ["see"])], scores)


def test_an_instant_is_needed_and_pyarrow(tmp_path, monkeypatch):
    with pytest.raises(DefinitionError, match="at"):
        ScoreWriter(tmp_path / "s", SCALE, at="soon")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"cxkit\[arrow\]"):
        ScoreWriter(tmp_path / "s", SCALE, at=AT)


def test_long_names_of_many_customers(tmp_path):
    ids = [f"a name of more than fifteen bytes {n:03}" for n in range(300)]
    with ScoreWriter(tmp_path / "s.parquet", SCALE, at=AT) as scores:
        fold_small([small(ids)], scores)
    found = read_table(tmp_path / "s.parquet")
    assert found["customer"] == ids
    assert np.all(np.array(found["touchpoints"]) == 1)
