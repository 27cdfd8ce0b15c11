"""The kernels in Polars, written by hand; rows that it has no function for are left out."""

from __future__ import annotations

import functools

import numpy as np
import polars as pl
from kernel_workload import CAP, DENSE_DAYS, GAP_US, TOP, sparse_ids
from text_workload import TEXTS, arrow_table, arrow_text, codes_of, labels_of
from workload import DAY_US, EVENTS, POINTS, Log

from contenders import Contender, Row

customer, time, event = pl.col("customer"), pl.col("time"), pl.col("event")
first = customer.ne_missing(customer.shift(1))
COLUMNS = ("customer", "time", "channel", "event", "value")


def contender(name: str, log: Log, threads: int) -> Contender:
    """Polars with the log loaded, and the sorted table that most rows start from."""
    if pl.thread_pool_size() != threads:
        raise RuntimeError(f"{name} runs on {pl.thread_pool_size()} threads, not {threads}")
    raw = pl.DataFrame({name: getattr(log, name) for name in COLUMNS})

    @functools.cache
    def table() -> pl.DataFrame:
        made = raw.sort("customer", "time", maintain_order=True)
        return made.with_columns(
            points=pl.Series(POINTS)[made["event"]],
            whole=event.cast(pl.Int64),
            day=(time // DAY_US).cast(pl.Int32),
            days=(time // (DENSE_DAYS * DAY_US)).cast(pl.Int32),
            when=time.cast(pl.Datetime("us")),
        ).set_sorted("customer")

    def prepared(query: pl.Expr, answer: str) -> Row:
        made = table()
        return Row(
            lambda: made.select(query.alias("x"))["x"], lambda found: {answer: found.to_numpy()}
        )

    def grouped(query: pl.Expr, answer: str) -> Row:
        made = table()
        return Row(
            lambda: made.group_by("customer", maintain_order=True).agg(query.alias("x")),
            lambda found: {answer: found["x"].to_numpy()},
        )

    def windowed(*keys: str) -> pl.Expr:
        # Faster than int_range().over(...), which makes a group of every journey and day first.
        return (
            pl.struct(*keys).is_first_distinct()
            if CAP == 1
            else pl.int_range(pl.len()).over(keys) < CAP
        )

    queries = {
        "sessions": lambda: _sessions(table()),
        "lag": lambda: prepared(
            pl.when(first).then(pl.lit(EVENTS, pl.UInt8)).otherwise(event.shift(1)), "lag"
        ),
        "segment_sum": lambda: grouped(pl.col("points").sum(), "score"),
        "running_sum": lambda: prepared(pl.col("whole").cum_sum().over("customer"), "sum"),
        "distinct": lambda: grouped(event.n_unique(), "distinct"),
        "caps": lambda: prepared(windowed("customer", "day", "event"), "counts"),
        "caps_dense": lambda: prepared(windowed("customer", "days", "event"), "counts"),
        "top_paths": lambda: _top_paths(table()),
        "rolling": lambda: _rolling(table()),
    }
    return Contender(
        versions={"polars": pl.__version__},
        rows={
            "factorize": lambda: _factorize(log),
            "sort": lambda: _sort(raw),
            "end_to_end": lambda: _end_to_end(log),
            "append": lambda: _append(log, raw),
        }
        | {row: functools.partial(_texts, row, log) for row in TEXTS}
        | queries,
    )


def _factorize(log: Log) -> Row:
    ids = pl.Series(sparse_ids(log))

    def read(codes: pl.Series) -> dict[str, np.ndarray]:
        codes = codes.to_numpy()
        labels = np.empty(int(codes.max()) + 1, np.int64)
        labels[codes] = ids.to_numpy()
        return {"labels": labels, "codes": codes}

    return Row(lambda: ids.rank("dense") - 1, read)


def _texts(row: str, log: Log) -> Row:
    texts = pl.from_arrow(arrow_text(labels_of(row, log), codes_of(row, log)))

    def read(found: pl.Series) -> dict[str, np.ndarray]:
        labels = found.dtype.categories.to_numpy().astype("S")
        return {"labels": labels, "codes": found.to_physical().to_numpy()}

    # A rank takes twice as long; a Categorical half as long, but its labels are in no order.
    return Row(lambda: texts.cast(pl.Enum(texts.unique().sort())), read)


def _end_to_end(log: Log) -> Row:
    table = pl.from_arrow(arrow_table(log))

    def run() -> pl.DataFrame:
        coded = table.with_columns(pl.col("channel", "event").cast(pl.Categorical))
        return coded.sort("id", "time", maintain_order=True)

    def read(found: pl.DataFrame) -> dict[str, np.ndarray]:
        return {
            "customer": found["id"].rank("dense").to_numpy() - 1,
            "time": found["time"].dt.timestamp("us").to_numpy(),
            "channel": _numbers(found["channel"]),
            "event": _numbers(found["event"]),
            "value": found["value"].to_numpy(),
        }

    return Row(run, read, note="keeps its ids as text and has no offsets")


def _numbers(texts: pl.Series) -> np.ndarray:
    return texts.cast(pl.String).str.slice(-2).cast(pl.UInt8).to_numpy()


def _sort(raw: pl.DataFrame) -> Row:
    def run() -> pl.DataFrame:
        numbered = raw.select("customer", "time").with_row_index("order")
        return numbered.sort("customer", "time", "order")

    return Row(run, lambda found: {k: found[k].to_numpy() for k in ("order", "time")})


def _append(log: Log, raw: pl.DataFrame) -> Row:
    late = len(log) // 101
    old = raw[:-late].sort("customer", "time", maintain_order=True)
    new = raw[-late:].sort("customer", "time", maintain_order=True)
    return Row(
        lambda: pl.concat([old, new]).sort("customer", "time", maintain_order=True),
        lambda found: {name: found[name].to_numpy() for name in COLUMNS},
        note="sorts everything again",
    )


def _sessions(made: pl.DataFrame) -> Row:
    begins = first | (time - time.shift(1) > GAP_US)
    query = made.lazy().select(starts=begins.arg_true(), customer=customer.filter(begins))
    return Row(
        functools.partial(query.collect, engine="in-memory"),
        lambda found: {name: found[name].to_numpy() for name in ("starts", "customer")},
    )


def _top_paths(table: pl.DataFrame) -> Row:
    def run() -> pl.DataFrame:
        paths = table.group_by("customer", maintain_order=True).agg(event)
        return paths.select(pl.col("event").value_counts()).unnest("event").top_k(TOP, by="count")

    return Row(run, lambda found: {"count": np.sort(found["count"].to_numpy())[::-1]})


def _rolling(table: pl.DataFrame) -> Row:
    return Row(
        lambda: table.rolling("when", period="30d", group_by="customer").agg(pl.len()),
        lambda found: {"count": found["len"].to_numpy()},
    )
