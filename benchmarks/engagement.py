"""Engagement: a whole scale over many touchpoints, and one touchpoint at a time.

    python benchmarks/engagement.py [touchpoints] [--rounds 5]

Batches are compared with hand-written Polars where it can say the same: a cooldown from the last
touchpoint that *counted* depends on what counted before, which no window expression can say, so
that row has no contender, and the one above it takes the touchpoint before (a debounce) instead.
Answers are compared, those of live scores with the batch too. Figures are medians, and ratios to
``R``, one pass of ``np.cumsum`` over as many float64, measured in the same process.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
from machine import describe, others

import cxkit as cx
from cxkit.core.codes import Codes

EVENTS = [f"event_{n:02d}" for n in range(12)]
DAY_US = 86_400_000_000
AT = "2026-01-01"
START_US = 1_735_689_600_000_000  # 2025-01-01, UTC
HALF_LIFE = 14 * DAY_US
HOUR = 3_600_000_000


def rules(repeat: str) -> list[cx.PointRule]:
    """Ten plain rules, of which four are capped, and two whose repeats do not count."""
    plain = [
        cx.PointRule(
            name, n + 1.0, cap=20.0 * (n + 1) if n < 4 else None, group="most" if n > 6 else None
        )
        for n, name in enumerate(EVENTS[:10])
    ]
    return [
        *plain,
        cx.PointRule(EVENTS[10], 25.0, repeat, within="1h"),
        cx.PointRule(EVENTS[11], 100.0, repeat, within="12h"),
    ]


def scale(repeat: str = "cooldown", *, capped: bool = True) -> cx.EngagementScale:
    if not capped:
        plain = [cx.PointRule(name, n + 1.0) for n, name in enumerate(EVENTS)]
        return cx.EngagementScale(plain, half_life="14d")
    return cx.EngagementScale(
        rules(repeat), half_life="14d", group_caps={"most": 60}, cap=400, floor=0
    )


def log(touchpoints: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    customers = max(touchpoints // 10, 1)
    weight = rng.lognormal(0, 1, customers)
    who = np.repeat(np.arange(customers), rng.multinomial(touchpoints, weight / weight.sum()))
    # Contacts come in bursts: most within a minute or two of another.
    when = rng.integers(0, 365 * 24 * 60 - 7, touchpoints) // 7 * 7 * 60_000_000
    when += rng.integers(0, 7 * 60_000_000, touchpoints) + START_US
    what = np.minimum(rng.geometric(0.2, touchpoints) - 1, len(EVENTS) - 1).astype(np.uint8)
    order = np.lexsort((when, who))
    return who[order], when[order], what[order]


def median(work: Callable[[], object], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def in_polars(who: np.ndarray, when: np.ndarray, what: np.ndarray, *, capped: bool):
    """The scale of :func:`scale` with a debounce, or without caps, as one lazy query."""
    import polars as pl

    at = START_US + 365 * DAY_US
    table = pl.DataFrame({"who": who, "when": when, "what": what}).lazy()
    left = (2.0 ** (-(at - pl.col("when")) / HALF_LIFE)).alias("left")
    points = pl.col("what").cast(pl.Float64) + 1.0
    if not capped:
        query = (
            table.select("who", earned=points * left).group_by("who").agg(pl.col("earned").sum())
        )
        return lambda: query.sort("who").collect()["earned"].to_numpy()  # noqa: PLW0108  # collects when called
    within = pl.when(pl.col("what") == 10).then(HOUR).otherwise(12 * HOUR)
    pause = pl.col("when").diff().over("who", "what")
    counts = (pl.col("what") < 10) | pause.is_null() | (pause >= within)
    worth = pl.when(pl.col("what") == 10).then(25.0).when(pl.col("what") == 11).then(100.0)
    earned = worth.otherwise(points) * left * counts
    cells = [
        *[
            pl.col("earned").filter(pl.col("what") == n).sum().clip(upper_bound=20.0 * (n + 1))
            for n in range(4)
        ],
        pl.col("earned").filter(pl.col("what").is_between(7, 9)).sum().clip(upper_bound=60.0),
        pl.col("earned").filter(pl.col("what").is_between(4, 6) | (pl.col("what") > 9)).sum(),
    ]
    total = pl.sum_horizontal(*[cell.alias(f"c{n}") for n, cell in enumerate(cells)])
    query = (
        table.with_columns(earned=earned)
        .group_by("who")
        .agg(score=total.clip(lower_bound=0.0, upper_bound=400.0))
        .sort("who")
    )
    return lambda: query.collect()["score"].to_numpy()  # noqa: PLW0108  # likewise


def batches(touchpoints: int, rounds: int) -> None:
    who, when, what = log(touchpoints)
    codes = Codes.from_codes(what, EVENTS)
    journeys = cx.Journeys.from_codes(customer=who, time=when, columns={"event": codes})
    numbers = np.ones(touchpoints)
    unit = median(lambda: np.cumsum(numbers, out=numbers), max(rounds, 5))
    print(f"{journeys}")
    print(f"R = {unit * 1e3:.1f} ms; other processes keep {others():.1f} cores busy\n")
    print("| a scale with | cxkit ms | R | Polars ms | Polars / cxkit |")
    print("|---|---:|---:|---:|---:|")
    for name, one, contender in (
        ("a half-life", scale(capped=False), {"capped": False}),
        ("half-life, caps and debounce", scale("debounce"), {"capped": True}),
        ("half-life, caps and cooldown", scale("cooldown"), None),
    ):
        mine = median(lambda one=one: one.score(journeys, at=AT), rounds)
        told = f"| {name} | {mine * 1e3:.0f} | {mine / unit:.1f} |"
        if contender is None:
            print(f"{told} | |")
            continue
        query = in_polars(who, when, what, **contender)
        assert np.allclose(query(), np.asarray(one.score(journeys, at=AT)), rtol=1e-9, atol=1e-9)
        theirs = median(query, rounds)
        print(f"{told} {theirs * 1e3:.0f} | {theirs / mine:.1f} |")
    whole = scale("cooldown")
    spent = median(lambda: whole.running(journeys), 1)
    print(f"| the same, after every touchpoint | {spent * 1e3:.0f} | {spent / unit:.1f} | | |\n")


def every_kind() -> cx.EngagementScale:
    """A scale with every kind of rule and cap that there is."""
    kinds = [
        {"count": "once_per_session"},
        {"count": "once_per_customer"},
        {"count": "cooldown", "within": "1h", "cap": 30},
        {"count": "debounce", "within": "1h", "group": "some"},
        {"count": "calendar_day", "group": "some"},
        {"per_day": 20},
        {"points_from": "value", "cap": 50},
    ]
    some = [cx.PointRule(EVENTS[n], n + 1.0, **kind) for n, kind in enumerate(kinds)]
    goal = cx.Goal(EVENTS[7], channel="web", value=(1, None))
    return cx.EngagementScale(
        [*some, cx.PointRule(goal, 5.0), cx.PointRule(EVENTS[8], 2.0)],
        half_life="14d",
        group_caps={"some": 40},
        cap=100,
        floor=0,
        zone="Europe/Amsterdam",
    )


def live(touchpoints: int, rounds: int) -> None:
    rng = np.random.default_rng(2)
    customers = max(touchpoints // 10, 1)
    who = rng.integers(0, customers, touchpoints).tolist()
    what = [EVENTS[n] for n in rng.integers(0, len(EVENTS), touchpoints)]
    when = np.sort(START_US + rng.integers(0, 365 * DAY_US, touchpoints))
    late = when + rng.integers(0, 30 * 60_000_000, touchpoints)
    arrival = np.argsort(late, kind="stable").tolist()
    ticks = when.tolist()
    journeys = cx.Journeys.from_codes(
        customer=np.array(who),
        time=when,
        columns={
            "event": Codes.of(what),
            "channel": Codes.of(["web"] * touchpoints),
            "value": np.full(touchpoints, 2.0),
        },
    )
    print(f"one at a time: {touchpoints:,} touchpoints of {customers:,} customers\n")
    print("| live | us each | per second | bytes per customer |")
    print("|---|---:|---:|---:|")
    for name, one, order, tolerance in (
        ("a half-life", scale(capped=False), range(touchpoints), None),
        ("every kind of rule, in order", every_kind(), range(touchpoints), None),
        ("every kind of rule, up to 30 min late", every_kind(), arrival, "1h"),
    ):
        engine = one.live(tolerance=tolerance)
        take, spent = engine.update_raw, []
        for first in range(0, touchpoints, 20_000):
            some = order[first : first + 20_000]
            start = time.perf_counter()
            for n in some:
                take(who[n], what[n], ticks[n], "web", 2.0)
            spent.append((time.perf_counter() - start) / len(some))
        each = statistics.median(spent)
        size = engine.nbytes / len(engine)
        batch = one.score(journeys, at=AT)
        found = [engine.score(customer, at=AT) for customer in batch.customer.to_list()]
        assert np.allclose(found, np.asarray(batch), rtol=1e-9, atol=1e-9), name
        print(f"| {name} | {each * 1e6:.2f} | {1 / each:,.0f} | {size:.0f} |")
    for name, some in (("labels", what[:1000]), ("codes", Codes.of(what[:1000]))):
        engine = scale(capped=False).live()
        engine.update_many(who, what, when)
        first, span = when[:1000], int(when[-1] - when[0]) + 1
        spent = []
        for turn in range(1, 20 * rounds):
            start = time.perf_counter()
            engine.update_many(who[:1000], some, first + turn * span)
            spent.append(time.perf_counter() - start)
        each = statistics.median(spent)
        print(f"| 1,000 at once, events as {name} | {each * 1e3:.3f} | {1000 / each:,.0f} | |")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("touchpoints", nargs="?", type=int, default=10_000_000)
    parser.add_argument("--live", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print(describe(), "\n")
    batches(options.touchpoints, options.rounds)
    live(options.live, options.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
