"""The kernels in DuckDB, written by hand: ``over ()`` where the order of the table is enough."""

from __future__ import annotations

import functools

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from kernel_workload import CAP, DENSE_DAYS, GAP_US, ROLLING_US, TOP, sparse_ids
from text_workload import arrow_table
from workload import DAY_US, EVENTS, POINTS, Log

from contenders import Contender, Row

CODED = ("channel", "event")
JOURNEY = "PARTITION BY customer ORDER BY time"
RECENT = f"BETWEEN {ROLLING_US - 1} PRECEDING AND CURRENT ROW"
QUERIES = {
    "factorize": "SELECT rowid, id, dense_rank() OVER (ORDER BY id) - 1 AS codes FROM raw",
    "sessions": f"""
        SELECT place AS starts, customer FROM (
            SELECT rowid AS place, customer, customer IS DISTINCT FROM lag(customer) OVER ()
                OR time - lag(time) OVER () > {GAP_US} AS first FROM journeys
        ) WHERE first""",
    "lag": f"""
        SELECT CASE WHEN customer IS DISTINCT FROM lag(customer) OVER () THEN {EVENTS}
            ELSE lag(event) OVER () END::UTINYINT AS lag FROM journeys""",
    "segment_sum": "SELECT customer, sum(points) AS score FROM journeys GROUP BY customer",
    "running_sum": f"SELECT rowid, sum(event::BIGINT) OVER ({JOURNEY}) AS sum FROM journeys",
    "distinct": """
        SELECT customer, bit_count(bit_or(1::UBIGINT << event::UBIGINT)) AS distinct
        FROM journeys GROUP BY customer""",
    "top_paths": f"""
        SELECT count(*) AS count FROM (SELECT list(event) AS path FROM journeys GROUP BY customer)
        GROUP BY path ORDER BY count DESC LIMIT {TOP}""",
    "rolling": f"""
        SELECT rowid, count(*) OVER ({JOURNEY} RANGE {RECENT}) AS count FROM journeys""",
    "caps": f"""
        SELECT rowid, row_number() OVER (
            PARTITION BY customer, event, time // {DAY_US} ORDER BY time)
            <= {CAP} AS counts FROM journeys""",
    "caps_dense": f"""
        SELECT rowid, row_number() OVER (
            PARTITION BY customer, event, time // {DENSE_DAYS * DAY_US} ORDER BY time)
            <= {CAP} AS counts FROM journeys""",
}


def contender(name: str, log: Log, threads: int) -> Contender:
    """DuckDB with the log in tables of its own."""
    del name
    con = duckdb.connect()
    con.execute(f"SET threads = {threads}")
    columns = {k: getattr(log, k) for k in ("customer", "time", "channel", "event", "value")}
    raw = pa.table(columns | {"id": sparse_ids(log), "points": POINTS[log.event]})
    con.register("given", raw)
    con.execute("CREATE TABLE raw AS SELECT * FROM given")

    @functools.cache
    def journeys() -> None:
        con.execute("CREATE TABLE journeys AS SELECT * FROM raw ORDER BY customer, time, rowid")

    def prepared(row: str) -> Row:
        journeys()
        return Row(lambda: con.sql(QUERIES[row]).to_arrow_table(), functools.partial(_read, row))

    def sort() -> Row:
        query = "SELECT rowid AS order, time FROM raw ORDER BY customer, time, rowid"
        return Row(
            lambda: con.sql(query.replace("AS order", 'AS "order"')).to_arrow_table(),
            lambda found: {k: found[k].to_numpy() for k in ("order", "time")},
        )

    return Contender(
        versions={"duckdb": duckdb.__version__},
        rows={"sort": sort, "end_to_end": lambda: _end_to_end(con, log)}
        | {row: functools.partial(prepared, row) for row in QUERIES},
    )


def _end_to_end(con: duckdb.DuckDBPyConnection, log: Log) -> Row:
    con.register("given_texts", arrow_table(log))
    con.execute("CREATE TABLE texts AS SELECT * FROM given_texts")
    query = "SELECT * FROM texts ORDER BY id, time, rowid"

    def read(found: pa.Table) -> dict[str, np.ndarray]:
        code = {
            name: pc.cast(pc.utf8_slice_codeunits(found[name], -2), pa.uint8()) for name in CODED
        }
        return {name: column.to_numpy() for name, column in code.items()} | {
            "customer": np.unique(found["id"].to_numpy().astype("S"), return_inverse=True)[1],
            "time": found["time"].cast(pa.int64()).to_numpy(),
            "value": found["value"].to_numpy(),
        }

    return Row(lambda: con.sql(query).to_arrow_table(), read, note="sorts the text only")


def _read(row: str, found: pa.Table) -> dict[str, np.ndarray]:
    for key in ("customer", "rowid"):
        if key in found.column_names:
            found = found.sort_by(key)
    *_, name = found.column_names
    if row == "sessions":
        return {name: found[name].to_numpy() for name in found.column_names}
    if row == "factorize":
        return {"labels": np.unique(found["id"].to_numpy()), "codes": found["codes"].to_numpy()}
    array = found[name].to_numpy()
    return {name: array.astype(np.int64) if row in {"running_sum", "distinct"} else array}
