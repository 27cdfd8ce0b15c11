"""DuckDB, written by hand: of several ways that were tried, the fastest one that is right.

``lag(...) over ()`` reads a table in its insertion order, which is the sorted one. That is several
times faster than ``over (partition by customer order by time)``, which sorts once more, but DuckDB
runs it on one thread whatever it may use.
"""

from __future__ import annotations

import functools
import math

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from workload import (
    AT_US,
    CHANNELS,
    EVENTS,
    FUNNEL_STEPS,
    FUNNEL_WITHIN_US,
    GOAL,
    HALF_LIFE_US,
    POINTS,
    Log,
)

from contenders import Answer, Contender, Row, chain, removal_effects


def contender(name: str, log: Log, threads: int) -> Contender:
    """DuckDB with the log in a table of its own."""
    del name
    con = duckdb.connect()
    con.execute(f"SET threads = {threads}")
    raw = pa.table(
        {
            "customer": log.customer,
            "time": pa.array(log.time).cast(pa.timestamp("us")),
            "channel": log.channel,
            "event": log.event,
            "value": log.value,
        }
    )
    con.register("given", raw)
    con.execute("CREATE TABLE raw AS SELECT * FROM given")
    rules = pa.table({"event": np.arange(EVENTS, dtype=np.uint8), "points": POINTS})
    con.register("points_given", rules)
    con.execute("CREATE TABLE rules AS SELECT * FROM points_given")

    @functools.cache
    def journeys() -> None:
        """Make the sorted table that every row but the first starts from."""
        con.execute("CREATE TABLE journeys AS SELECT * FROM raw ORDER BY customer, time, rowid")

    def prepared(row: str) -> Row:
        journeys()
        return {"score": _score, "markov": _markov, "transitions": _transitions, "funnel": _funnel}[
            row
        ](con)

    return Contender(
        versions={"duckdb": duckdb.__version__, "pyarrow": pa.__version__},
        rows={
            "build": lambda: _build(con, "customer, time, rowid"),
            "build_packed": lambda: _build(con, "customer, time"),
        }
        | {
            row: functools.partial(prepared, row)
            for row in ("score", "markov", "transitions", "funnel")
        },
    )


def _build(con: duckdb.DuckDBPyConnection, order: str) -> Row:
    def run() -> None:
        con.execute(f"CREATE TABLE built AS SELECT * FROM raw ORDER BY {order}")

    def read(_: None) -> Answer:
        columns = con.sql("SELECT * REPLACE (epoch_us(time) AS time) FROM built").to_arrow_table()
        return {name: columns[name].to_numpy() for name in columns.column_names}

    return Row(
        run,
        read,
        reset=lambda: con.execute("DROP TABLE IF EXISTS built"),
        note="the table keeps its customer column and has no offsets",
    )


def _score(con: duckdb.DuckDBPyConnection) -> Row:
    rate = math.log(2.0) / HALF_LIFE_US
    query = f"""
        SELECT customer, sum(points * exp((epoch_us(time) - {AT_US}) * {rate!r})) AS score
        FROM journeys JOIN rules USING (event) GROUP BY customer
    """

    def read(result: pa.Table) -> Answer:
        result = result.sort_by("customer")
        return {name: result[name].to_numpy() for name in ("customer", "score")}

    return Row(lambda: con.sql(query).to_arrow_table(), read)


def _markov(con: duckdb.DuckDBPyConnection) -> Row:
    # One code for channel and conversion, so that one lag() brings both.
    query = f"""
        SELECT first, before, code, count(*) FROM (
            SELECT customer IS DISTINCT FROM lag(customer) OVER () AS first,
                   lag(code, 1, 0) OVER () AS before, code
            FROM (
                SELECT customer, channel::USMALLINT * 2 + (event = {GOAL})::USMALLINT AS code
                FROM journeys
            )
        ) GROUP BY ALL
    """

    def run() -> tuple[NDArray, NDArray]:
        first, before, code, found = np.array(con.sql(query).fetchall()).T
        source = np.where((first == 1) | (before % 2 == 1), CHANNELS, before // 2)
        moves = np.zeros((CHANNELS + 1, CHANNELS), np.int64)
        np.add.at(moves, (source, code // 2), found)
        goal = code % 2 == 1
        conversions = np.bincount(code[goal] // 2, found[goal], minlength=CHANNELS)
        counts = chain(moves, conversions.astype(np.int64))
        return counts, removal_effects(counts)

    return Row(run, lambda result: {"counts": result[0], "removal": result[1]})


def _transitions(con: duckdb.DuckDBPyConnection) -> Row:
    query = """
        SELECT before, event, count(*) FROM (
            SELECT customer, event, lag(event) OVER () AS before,
                   lag(customer) OVER () AS customer_before
            FROM journeys
        ) WHERE customer = customer_before GROUP BY ALL
    """

    def read(result: list[tuple[int, int, int]]) -> Answer:
        counts = np.zeros((EVENTS, EVENTS), np.int64)
        before, event, found = np.array(result).T
        counts[before, event] = found
        return {"counts": counts}

    return Row(lambda: con.sql(query).fetchall(), read)


def _funnel(con: duckdb.DuckDBPyConnection) -> Row:
    """Chained as-of joins; running maxima over windows take twice as long."""
    first, *steps = FUNNEL_STEPS
    tables = [
        f"""step_0 AS MATERIALIZED (
            SELECT customer, rowid AS at, epoch_us(time) AS start
            FROM journeys WHERE event = {first}
        )"""
    ]
    for number, step in enumerate(steps, start=1):
        tables.append(
            f"""step_{number} AS MATERIALIZED (
            SELECT touch.customer, touch.at, before.start
            FROM (
                SELECT customer, rowid AS at, epoch_us(time) AS time
                FROM journeys WHERE event = {step}
            ) AS touch
            ASOF JOIN step_{number - 1} AS before
            ON touch.customer = before.customer AND touch.at > before.at
            WHERE touch.time - before.start <= {FUNNEL_WITHIN_US}
        )"""
        )
    counts = (
        f"(SELECT count(DISTINCT customer) FROM step_{number})"
        for number in range(len(FUNNEL_STEPS))
    )
    query = f"WITH {', '.join(tables)} SELECT {', '.join(counts)}"
    return Row(lambda: con.sql(query).fetchall(), lambda result: {"journeys": np.array(result[0])})
