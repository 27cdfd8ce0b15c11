"""What takes part in the flow rows of the attribution benchmark, each from its own native object.

Sessions and the funnel begin with the log as it comes in: in order of time, ids that say nothing.
Transitions begin with each tool's own prepared, sorted object.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from attribution_workload import CHANNELS, FUNNEL_STEPS, FUNNEL_WITHIN_US, GAP_US, LABELS, PathLog
from numpy.typing import NDArray

Answer = dict[str, NDArray]
Rows = dict[str, tuple[Callable[[], Any], Callable[[Any], Answer]]]


def cxkit(log: PathLog) -> Rows:
    """Through its public face; transitions and the funnel come with intervals."""
    import cxkit as cx
    from cxkit.core.codes import Codes

    customer, time, codes = log.raw
    columns = {"event": Codes.from_codes(codes, LABELS)}
    funnel = cx.flow.Funnel([LABELS[step] for step in FUNNEL_STEPS], within="7d")

    def build() -> cx.Journeys:
        return cx.Journeys.from_codes(customer=customer, time=time, columns=columns)

    def read_sessions(found: cx.Journeys) -> Answer:
        ids = np.asarray(found.customer.vocabulary.labels)[found.customer.codes]
        return {"sessions": np.bincount(ids, minlength=len(log.converts))}

    def read_transitions(found: Any) -> Answer:
        labels, counts = found.matrix()
        place = [LABELS.index(label) for label in labels[:-1]]
        whole = np.zeros((CHANNELS, CHANNELS), np.int64)
        whole[np.ix_(place, place)] = counts[:-1, :-1]
        return {"counts": whole}

    journeys = build()
    _ = journeys.row_shards
    return {
        "sessions": (lambda: build().sessions("30min"), read_sessions),
        "transitions": (lambda: cx.flow.transitions(journeys), read_transitions),
        "funnel": (lambda: funnel.count(build()), lambda found: {"journeys": found.reached}),
    }


def polars(log: PathLog) -> Rows:
    """By hand."""
    import polars as pl

    customer, time, event = (pl.col(name) for name in ("customer", "time", "event"))
    raw = pl.DataFrame(dict(zip(("customer", "time", "event"), log.raw, strict=True)))
    table = raw.sort("customer", "time")
    fresh = (customer != customer.shift(1)).fill_null(value=True)

    def sessions() -> pl.DataFrame:
        cut = fresh | (time - time.shift(1) > GAP_US)
        return raw.lazy().sort("customer", "time").with_columns(session=cut.cum_sum()).collect()

    def read_sessions(found: pl.DataFrame) -> Answer:
        one = found.unique("session")["customer"].to_numpy()
        return {"sessions": np.bincount(one, minlength=len(log.converts))}

    def transitions() -> pl.DataFrame:
        before = event.shift(1).cast(pl.UInt16)
        pair = pl.when(fresh).then(None).otherwise(before * CHANNELS + event)
        return table.lazy().select(pair=pair).group_by("pair").len().collect()

    def read_counts(found: pl.DataFrame) -> Answer:
        found = found.drop_nulls("pair")
        counts = np.zeros(CHANNELS * CHANNELS, np.int64)
        counts[found["pair"].to_numpy()] = found["len"].to_numpy()
        return {"counts": counts.reshape(CHANNELS, CHANNELS)}

    def funnel() -> tuple[int, ...]:
        """Only rows of a step are sorted; each carries the latest start that led to it."""
        query = raw.lazy().filter(event.is_in(FUNNEL_STEPS)).sort("customer", "time")
        query = query.with_columns(first=fresh)
        hits, begun = [event == FUNNEL_STEPS[0]], time
        for number, step in enumerate(FUNNEL_STEPS[1:]):
            start = pl.when(hits[-1]).then(begun).when("first").then(-(2**62)).forward_fill()
            query = query.with_columns(start.alias(f"start_{number}"))
            begun = pl.col(f"start_{number}")
            hit = (event == step) & (time - begun <= FUNNEL_WITHIN_US)
            query = query.with_columns(hit.alias(f"hit_{number}"))
            hits.append(pl.col(f"hit_{number}"))
        reached = (customer.filter(hit).n_unique().alias(str(k)) for k, hit in enumerate(hits))
        return query.select(reached).collect().row(0)

    return {
        "sessions": (sessions, read_sessions),
        "transitions": (transitions, read_counts),
        "funnel": (funnel, lambda found: {"journeys": np.array(found)}),
    }


def duckdb(log: PathLog, threads: int) -> Rows:
    """By hand."""
    import duckdb as engine
    import pyarrow as pa

    con = engine.connect(config={"threads": threads})
    arrow = pa.table(dict(zip(("customer", "time", "event"), log.raw, strict=True)))
    con.register("arrow", arrow)
    con.sql("CREATE TABLE raw AS SELECT * FROM arrow")
    con.sql("CREATE TABLE sorted AS SELECT * FROM raw ORDER BY customer, time")

    def sessions() -> None:
        con.sql("DROP TABLE IF EXISTS cut")
        con.sql(f"""
            CREATE TABLE cut AS
            SELECT customer, time, event, sum(fresh::INT) OVER mine AS session
            FROM (
                SELECT *, coalesce(time - lag(time) OVER mine > {GAP_US}, true) AS fresh
                FROM raw WINDOW mine AS (PARTITION BY customer ORDER BY time)
            )
            WINDOW mine AS (PARTITION BY customer ORDER BY time)
        """)

    def read_sessions(_: None) -> Answer:
        query = "SELECT max(session)::BIGINT AS n FROM cut GROUP BY customer ORDER BY customer"
        return {"sessions": con.sql(query).fetchnumpy()["n"]}

    def read_counts(found: list[tuple[int, int, int]]) -> Answer:
        counts = np.zeros((CHANNELS, CHANNELS), np.int64)
        for before, after, often in found:
            counts[before, after] = often
        return {"counts": counts}

    # lag() over () reads the table in its order, which is the sorted one.
    pairs = """
        SELECT before, event, count(*) FROM (
            SELECT event, lag(event) OVER () AS before,
                   customer IS DISTINCT FROM lag(customer) OVER () AS first
            FROM sorted
        ) WHERE NOT first GROUP BY before, event
    """
    tables = [
        f"""step_0 AS MATERIALIZED (
            SELECT customer, time AS at, time AS start FROM raw WHERE event = {FUNNEL_STEPS[0]}
        )"""
    ]
    for number, step in enumerate(FUNNEL_STEPS[1:], start=1):
        tables.append(f"""step_{number} AS MATERIALIZED (
            SELECT touch.customer, touch.time AS at, before.start
            FROM (SELECT customer, time FROM raw WHERE event = {step}) AS touch
            ASOF JOIN step_{number - 1} AS before
            ON touch.customer = before.customer AND touch.time > before.at
            WHERE touch.time - before.start <= {FUNNEL_WITHIN_US}
        )""")
    reached = ", ".join(
        f"(SELECT count(DISTINCT customer) FROM step_{k})" for k in range(len(FUNNEL_STEPS))
    )
    funnel = f"WITH {', '.join(tables)} SELECT {reached}"
    return {
        "sessions": (sessions, read_sessions),
        "transitions": (lambda: con.sql(pairs).fetchall(), read_counts),
        "funnel": (
            lambda: con.sql(funnel).fetchall(),
            lambda found: {"journeys": np.array(found[0])},
        ),
    }


def retentioneering(log: PathLog, threads: int) -> Rows:
    """Its funnel has no window of time, which is an easier question."""
    import os

    os.environ["RETENTIONEERING_NO_TRACK"] = "1"  # before the import: it reports use by default
    import duckdb as engine
    from retentioneering import Eventstream

    engine.execute(f"SET threads = {threads}")
    frame = _frame(log)
    schema = {"path_cols": ["customer"], "event_col": "event", "timestamp_col": "time"}
    prepared = functools.cache(lambda: Eventstream(frame, schema))

    def read_sessions(found: Any) -> Answer:
        table = found.to_dataframe()
        one = table.drop_duplicates(["customer", "session_id"])["customer"].to_numpy(np.int64)
        return {"sessions": np.bincount(one, minlength=len(log.converts))}

    def read_counts(table: Any) -> Answer:
        return {"counts": table.reindex(index=LABELS, columns=LABELS).fillna(0).to_numpy()}

    def read_funnel(found: Any) -> Answer:
        return {"anytime": np.array([step["unique_paths"] for step in found["steps"]])}

    return {
        "sessions": (
            lambda: Eventstream(frame, schema).split_sessions(timeout="30m"),
            read_sessions,
        ),
        "transitions": (lambda: prepared().transition_graph_data("count"), read_counts),
        "funnel": (
            lambda: Eventstream(frame, schema).funnel_data([LABELS[s] for s in FUNNEL_STEPS]),
            read_funnel,
        ),
    }


def pm4py(log: PathLog, threads: int) -> Rows:
    """The directly-follows graph."""
    del threads  # pandas decides
    import pm4py as package

    names = {"case_id": "customer", "activity_key": "event", "timestamp_key": "time"}
    made = package.format_dataframe(_frame(log), **names)

    def read(found: Any) -> Answer:
        counts = np.zeros((CHANNELS, CHANNELS), np.int64)
        for (before, after), often in found[0].items():
            counts[LABELS.index(before), LABELS.index(after)] = often
        return {"counts": counts}

    return {"transitions": (lambda: package.discover_dfg(made), read)}


def _frame(log: PathLog) -> Any:
    """The log as it would come to a package: a pandas frame with categories."""
    import pandas as pd

    customer, time, event = log.raw
    return pd.DataFrame(
        {
            "customer": customer,
            "time": pd.to_datetime(time, unit="us", utc=True),
            "event": pd.Categorical.from_codes(event, LABELS),
        }
    )
