"""Polars, written by hand: of several ways that were tried, the fastest one that is right.

The engine of each query (in memory or streaming) is the one that was faster at ten million rows.
"""

from __future__ import annotations

import functools

import numpy as np
import polars as pl
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
    START_US,
    Log,
)

from contenders import Answer, Contender, Row, chain, removal_effects

# Named each time: what "auto" picks is up to twice as slow here.
MEMORY, STREAMING = "in-memory", "streaming"

customer, time = pl.col("customer"), pl.col("time")
channel, event = pl.col("channel"), pl.col("event")
# Two neighbouring rows belong to one journey when they have one customer: the table is sorted.
first = customer.ne_missing(customer.shift(1))


def contender(name: str, log: Log, threads: int) -> Contender:
    """Polars with the log loaded; its threads are set in the environment, before the import."""
    if pl.thread_pool_size() != threads:
        raise RuntimeError(f"{name} runs on {pl.thread_pool_size()} threads, not {threads}")
    raw = pl.DataFrame(
        {
            "customer": log.customer,
            "time": pl.Series(log.time).cast(pl.Datetime("us", "UTC")),
            "channel": log.channel,
            "event": log.event,
            "value": log.value,
        }
    )

    @functools.cache
    def journeys() -> pl.DataFrame:
        """The sorted table that every row but the first starts from."""
        return raw.sort("customer", "time", maintain_order=True)

    return Contender(
        versions={"polars": pl.__version__},
        rows={
            "build": functools.partial(_build, raw),
            "build_packed": functools.partial(_build_packed, raw),
            "score": lambda: _score(journeys()),
            "markov": lambda: _markov(journeys()),
            "transitions": lambda: _transitions(journeys()),
            "funnel": lambda: _funnel(journeys()),
        },
    )


def _build(raw: pl.DataFrame) -> Row:
    def run() -> tuple[pl.DataFrame, pl.Series]:
        table = raw.lazy().sort("customer", "time", maintain_order=True).collect(engine=MEMORY)
        return table, _offsets(table)

    return Row(run, _read_build)


def _build_packed(raw: pl.DataFrame) -> Row:
    """Customer and time packed into one integer by hand, as cxkit does it.

    They need 65 bits here, so the time loses its last two, and the result has to be checked.
    """
    key = customer.cast(pl.Int64) * 2**43 + (time.to_physical() - START_US) // 4
    wrong = (customer == customer.shift(1)) & (time < time.shift(1))

    def run() -> tuple[pl.DataFrame, pl.Series]:
        table = raw.lazy().sort(key, maintain_order=True).collect(engine=MEMORY)
        if table.lazy().select(wrong.any()).collect(engine=MEMORY).item():
            table = raw.lazy().sort("customer", "time", maintain_order=True).collect(engine=MEMORY)
        return table, _offsets(table)

    return Row(run, _read_build)


def _offsets(table: pl.DataFrame) -> pl.Series:
    return table.lazy().select(first.arg_true()).collect(engine=MEMORY).to_series()


def _read_build(result: tuple[pl.DataFrame, pl.Series]) -> Answer:
    table, starts = result
    answer = {name: table[name].to_numpy() for name in ("customer", "channel", "event", "value")}
    answer["time"] = table["time"].to_physical().to_numpy()
    answer["offsets"] = np.append(starts.to_numpy(), len(table)).astype(np.int64)
    return answer


def _score(table: pl.DataFrame) -> Row:
    age = (time.to_physical() - AT_US).cast(pl.Float64)
    earned = pl.lit(pl.Series(POINTS)).gather(event) * (age * (np.log(2.0) / HALF_LIFE_US)).exp()

    def run() -> pl.DataFrame:
        query = table.lazy().select("customer", score=earned)
        return query.group_by("customer").agg(pl.col("score").sum()).collect(engine=STREAMING)

    def read(result: pl.DataFrame) -> Answer:
        result = result.sort("customer")
        return {name: result[name].to_numpy() for name in ("customer", "score")}

    return Row(run, read)


def _markov(table: pl.DataFrame) -> Row:
    goal = event == GOAL
    start = pl.lit(CHANNELS, dtype=pl.UInt16)
    source = pl.when(first | goal.shift(1)).then(start).otherwise(channel.shift(1).cast(pl.UInt16))
    code = (source * CHANNELS + channel) * 2 + goal.cast(pl.UInt16)

    def run() -> tuple[NDArray, NDArray]:
        found = table.lazy().select(code=code).group_by("code").len().collect(engine=STREAMING)
        flat = np.zeros((CHANNELS + 1) * CHANNELS * 2, np.int64)
        flat[found["code"].to_numpy()] = found["len"].to_numpy()
        cells = flat.reshape(CHANNELS + 1, CHANNELS, 2)
        counts = chain(cells.sum(axis=2), cells[:, :, 1].sum(axis=0))
        return counts, removal_effects(counts)

    return Row(run, lambda result: {"counts": result[0], "removal": result[1]})


def _transitions(table: pl.DataFrame) -> Row:
    pair = event.cast(pl.UInt16) * EVENTS + event.shift(-1)
    same = customer == customer.shift(-1)

    def run() -> pl.DataFrame:
        query = table.lazy().select(pair=pair, same=same).filter("same")
        return query.group_by("pair").len().collect(engine=STREAMING)

    def read(result: pl.DataFrame) -> Answer:
        counts = np.zeros(EVENTS * EVENTS, np.int64)
        counts[result["pair"].to_numpy()] = result["len"].to_numpy()
        return {"counts": counts.reshape(EVENTS, EVENTS)}

    return Row(run, read)


def _funnel(table: pl.DataFrame) -> Row:
    """Only rows of a step matter; each carries the latest start that led to the step before it.

    Chained as-of joins, the other way to write it, take about twice as long.
    """
    never = -(2**62)  # what a journey starts with, so that no start leaks in from the one before
    first_step, *steps = FUNNEL_STEPS
    query = table.lazy().select("customer", "event", time=time.to_physical())
    query = query.filter(event.is_in(FUNNEL_STEPS)).with_columns(first=first)
    hits = [event == first_step]
    begun = time
    for number, step in enumerate(steps):
        start = pl.when(hits[-1]).then(begun).when("first").then(never).forward_fill()
        query = query.with_columns(start.alias(f"start_{number}"))
        begun = pl.col(f"start_{number}")
        query = query.with_columns(
            ((event == step) & (time - begun <= FUNNEL_WITHIN_US)).alias(f"hit_{number}")
        )
        hits.append(pl.col(f"hit_{number}"))
    query = query.select(
        customer.filter(hit).n_unique().alias(f"step_{number}") for number, hit in enumerate(hits)
    )
    return Row(
        functools.partial(query.collect, engine=MEMORY),
        lambda result: {"journeys": np.array(result.row(0))},
    )
