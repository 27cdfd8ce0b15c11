"""Funnels under every policy, retention and survival: cxkit alone, in R and in bincounts.

``python benchmarks/flow_funnels.py [journeys]``. Journeys have five touchpoints on average
(geometric, 60 at most), 20 events by Zipf's law, 8 channels, pauses of 1.5 days on average. R is
``np.cumsum`` of as many float64 as there are touchpoints, B ``np.bincount`` of the event codes in
blocks of 65,536; both are measured in the same process, as is everything else: medians.
The plain funnel and the retention are checked against, and timed beside, Polars by hand.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import machine
import numpy as np
import polars as pl

import cxkit as cx
from cxkit import flow
from cxkit.core.codes import Codes

STEPS = ["e01", "e03", "e05", "e07"]
WEEK_US = 7 * 86_400_000_000
UNTIL = "2024-03-01"
REPEATS = 5


def make_log(journeys: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Customers, times, events and channels of touchpoints, in order."""
    rng = np.random.default_rng(0)
    size = np.minimum(rng.geometric(0.2, journeys), 60)
    rows = int(size.sum())
    first = np.cumsum(size) - size
    pause = np.cumsum((rng.exponential(1.5 * 86_400, rows) * 1e6).astype(np.int64))
    begin = (1.7e15 + rng.random(journeys) * 60 * 86_400e6).astype(np.int64)
    times = np.repeat(begin - pause[first], size) + pause
    share = 1 / np.arange(1, 21)
    event = rng.choice(20, rows, p=share / share.sum()).astype(np.uint8)
    channel = rng.integers(0, 8, rows).astype(np.uint8)
    return np.repeat(np.arange(journeys), size), times, event, channel


def median(run: Callable[[], Any], repeats: int = REPEATS) -> float:
    found = []
    for _ in range(repeats):
        begin = time.perf_counter()
        run()
        found.append(time.perf_counter() - begin)
    return statistics.median(found)


def questions(journeys: cx.Journeys) -> dict[str, Callable[[], Any]]:
    plain = flow.Funnel(STEPS, "7d")
    ways = {
        "funnel, any entry": plain,
        "funnel, first entry": flow.Funnel(STEPS, "7d", entry="first"),
        "funnel, last entry": flow.Funnel(STEPS, "7d", entry="last"),
        "funnel, strictly later": flow.Funnel(STEPS, "7d", ties="strict"),
        "funnel, ties in any order": flow.Funnel(STEPS, "7d", ties="any"),
        "funnel, longest time per step": flow.Funnel(STEPS, "7d", step_within="2d"),
        "funnel, shortest time per step": flow.Funnel(STEPS, "7d", step_after="1h"),
        "funnel, without an event between": flow.Funnel(STEPS, "7d", without=["e09"]),
        "funnel, neighbours": flow.Funnel(STEPS, "7d", adjacent=True),
        "funnel, property held": flow.Funnel(STEPS, "7d", hold="channel"),
        "funnel, any order": flow.Funnel(STEPS, "7d", order="any"),
    }
    weekly = flow.Retention(until=UNTIL, clock="rolling")
    local = flow.Retention(until=UNTIL, every="day", brackets=30, tz="Europe/Amsterdam")
    sticky = flow.Stickiness(since="2023-11-15", until=UNTIL)
    by_channel = {"until": UNTIL, "by": "channel"}
    return {
        **{
            name: lambda funnel=funnel: flow.FunnelCounts.of(journeys, funnel=funnel)
            for name, funnel in ways.items()
        },
        "passages": lambda: plain.passages(journeys),
        "segments by first channel": lambda: flow.FunnelSegments.of(
            journeys, funnel=plain, by="channel"
        ),
        "by week of entry": lambda: flow.FunnelPeriods.of(journeys, funnel=plain),
        "times between steps, binned": lambda: flow.FunnelTimes.of(journeys, funnel=plain),
        "next after drop-off": lambda: flow.FunnelNext.of(journeys, funnel=plain),
        "retention, 12 rolling weeks": lambda: flow.RetentionCounts.of(journeys, retention=weekly),
        "retention, 30 days of a zone": lambda: flow.RetentionCounts.of(journeys, retention=local),
        "time to a goal": lambda: flow.SurvivalCounts.of(
            journeys, wait=flow.TimeTo("e07"), **by_channel
        ),
        "churn": lambda: flow.SurvivalCounts.of(journeys, wait=flow.Churn("7d"), **by_channel),
        "active 1, 7, 28 days": lambda: flow.ActiveCounts.of(journeys, stickiness=sticky),
    }


def polars_funnel(table: pl.DataFrame) -> Callable[[], list[int]]:
    """The latest entry that leads to each step, carried forward within the rows of steps."""
    codes = [int(step[1:]) for step in STEPS]
    first = pl.col("customer") != pl.col("customer").shift(1, fill_value=-1)
    query = table.lazy().filter(pl.col("event").is_in(codes)).with_columns(first=first)
    hits, begun = [pl.col("event") == codes[0]], pl.col("time")
    for number, code in enumerate(codes[1:]):
        start = pl.when(hits[-1]).then(begun).when("first").then(-(2**62)).forward_fill()
        query = query.with_columns(start.alias(f"start_{number}"))
        begun = pl.col(f"start_{number}")
        hit = (pl.col("event") == code) & (pl.col("time") - begun <= WEEK_US)
        query = query.with_columns(hit.alias(f"hit_{number}"))
        hits.append(pl.col(f"hit_{number}"))
    query = query.select(
        pl.col("customer").filter(hit).n_unique().alias(str(k)) for k, hit in enumerate(hits)
    )
    return lambda: list(query.collect().row(0))


def polars_retention(table: pl.DataFrame) -> Callable[[], pl.DataFrame]:
    """Journeys that come back in each week after their start, by the week of the start."""
    end = int(np.datetime64(UNTIL, "us").astype(np.int64))
    start = pl.col("time").min().over("customer")
    day = 86_400_000_000
    query = (
        table.lazy()
        .with_columns(start=start)
        .filter(pl.int_range(pl.len()).over("customer") > 0, pl.col("time") < end)
        .select(
            "customer",
            cohort=(pl.col("start") // day + 3) // 7,
            week=(pl.col("time") - pl.col("start")) // WEEK_US,
            start="start",
        )
        .filter(pl.col("week") < 12, pl.col("start") + (pl.col("week") + 1) * WEEK_US <= end)
        .unique(["customer", "week"])
        .group_by("cohort", "week")
        .len()
        .sort("cohort", "week")
    )
    return query.collect


def check(journeys: cx.Journeys, funnel: list[int], retention: pl.DataFrame) -> None:
    found = flow.Funnel(STEPS, "7d").count(journeys).reached.tolist()
    assert found == funnel, (found, funnel)
    table = flow.Retention(until=UNTIL, clock="rolling").count(journeys)
    cohort = (table.cohort.astype("datetime64[D]").astype(np.int64) + 3) // 7
    for number, week, many in retention.iter_rows():
        assert table.returned[cohort == number, week] == many
    assert int(table.returned.sum()) == retention["len"].sum()


def main() -> None:
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    customer, times, event, channel = make_log(many)
    columns = {
        "event": Codes.from_codes(event, [f"e{k:02d}" for k in range(20)]),
        "channel": Codes.from_codes(channel, [f"c{k}" for k in range(8)]),
    }
    by_time = np.argsort(times, kind="stable")  # as a log comes in, with ids that say nothing
    ids = np.random.default_rng(2).permutation(many)[customer][by_time]
    raw_columns = {name: column.take(by_time) for name, column in columns.items()}
    raw_times = times[by_time]

    def from_the_log() -> None:
        made = cx.Journeys.from_codes(customer=ids, time=raw_times, columns=raw_columns)
        flow.FunnelCounts.of(made, funnel=flow.Funnel(STEPS, "7d"))

    journeys = cx.Journeys.from_codes(customer=customer, time=times, columns=columns)
    _ = journeys.row_shards
    numbers, out = np.random.default_rng(1).random(len(times)), np.empty(len(times))
    unit = median(lambda: np.cumsum(numbers, out=out), 9)
    blocks = range(0, len(event), 65_536)
    bins = median(lambda: [np.bincount(event[b : b + 65_536]) for b in blocks], 9)
    print(f"# {journeys!r}\n\n- machine: {machine.describe()}")
    print(f"- R {unit * 1e3:.2f} ms, B {bins * 1e3:.2f} ms\n")
    print("| question | ms | R | B |\n|---|---|---|---|")
    table = pl.DataFrame({"customer": customer, "time": times, "event": event})
    by_hand = polars_funnel(table), polars_retention(table)
    check(journeys, by_hand[0](), by_hand[1]())
    rows = {
        **questions(journeys),
        "funnel, any entry, from the log in order of time": from_the_log,
        "Polars by hand: funnel, any entry": by_hand[0],
        "Polars by hand: retention, 12 rolling weeks": by_hand[1],
    }
    for name, run in rows.items():
        took = median(run)
        print(f"| {name} | {took * 1e3:.1f} | {took / unit:.2f} | {took / bins:.1f} |", flush=True)


if __name__ == "__main__":
    main()
