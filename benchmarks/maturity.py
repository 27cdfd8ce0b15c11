"""Maturity: many assessments at once, and the way to the next stage.

    python benchmarks/maturity.py [subjects] [--criteria 200] [--rounds 5]

The model has six stages above the base, three dimensions, weights 1 to 3 and a gate for every
twenty criteria. Polars is written by hand and says less: attainment, level and profile of known
answers, without the interval of the level, capability, completeness and points. Both answers are
compared. Figures are medians, and ratios to ``R``, one pass of ``np.cumsum`` over as many float64
as there are answers, measured in the same process.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
from machine import describe, others

import cxkit as cx
from cxkit.maturity import Answers, Criterion, MaturityModel, Stage, roadmap

DIMENSIONS = ("people", "process", "technology")


def model_of(criteria: int) -> MaturityModel:
    return MaturityModel(
        id="benchmark",
        version="1.0.0",
        stages=[Stage(n, f"s{n}") for n in range(1, 8)],
        dimensions=DIMENSIONS,
        criteria=[
            Criterion(f"c{i:03}", 2 + i % 6, DIMENSIONS[i % 3], weight=1 + i % 3, gate=i % 20 == 0)
            for i in range(criteria)
        ],
    )


def median(work: Callable[[], object], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def in_polars(model: MaturityModel, values: np.ndarray) -> Callable[[], dict[str, np.ndarray]]:
    import polars as pl

    frame = pl.DataFrame({c.id: values[:, i] for i, c in enumerate(model.criteria)})

    def mean(criteria: list[Criterion], name: str) -> pl.Expr:
        whole = sum(c.weight for c in criteria)
        return (pl.sum_horizontal(pl.col(c.id) * c.weight for c in criteria) / whole).alias(name)

    def run() -> dict[str, np.ndarray]:
        of_stage = {s.n: [c for c in model.criteria if c.stage == s.n] for s in model.stages[1:]}
        found = frame.lazy().select(
            *(mean(own, f"a{n}") for n, own in of_stage.items()),
            *(mean([c for c in model.criteria if c.dimension == d], d) for d in DIMENSIONS),
            *(
                pl.all_horizontal(
                    pl.lit(value=True),
                    *(pl.col(c.id) >= model.gate_threshold for c in own if c.gate),
                ).alias(f"g{n}")
                for n, own in of_stage.items()
            ),
        )
        level, below = pl.lit(1), pl.lit(value=True)
        for n in of_stage:
            below = below & (pl.col(f"a{n}") >= model.stage_threshold - 1e-12) & pl.col(f"g{n}")
            level = level + below.cast(pl.Int64)
        table = found.with_columns(level.alias("level")).collect()
        return {
            "level": table["level"].to_numpy(),
            "attainment": table.select(f"a{n}" for n in of_stage).to_numpy(),
            "profile": table.select(DIMENSIONS).to_numpy(),
        }

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("subjects", nargs="?", type=int, default=100_000)
    parser.add_argument("--criteria", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    print(describe())
    model, rng = model_of(given.criteria), np.random.default_rng(1)
    shape = given.subjects, given.criteria
    values = rng.choice([0, 0.25, 0.5, 1.0], shape, p=[0.02, 0.03, 0.1, 0.85])
    values[:, [c.gate for c in model.criteria]] = 1.0
    blank = np.where(rng.random(shape) < 0.1, np.nan, values)
    applies = rng.random(shape) < 0.95
    out = np.empty(values.size)
    unit = median(lambda: np.cumsum(values.ravel(), out=out), given.rounds)
    print(f"{given.subjects:,} subjects, {given.criteria} criteria; R = {unit:.3f} s")

    known = Answers.from_array(model, values)
    polars = in_polars(model, values)
    theirs, ours = polars(), model.assess(known)
    np.testing.assert_array_equal(ours.level, theirs["level"])
    for name in ("attainment", "profile"):
        np.testing.assert_allclose(getattr(ours, name), theirs[name], atol=1e-12)
    print("levels found:", {n: round(p, 3) for n, p in ours.distribution().items()})
    partly = Answers.from_array(model, blank)
    asked = Answers.from_array(model, blank, applies=applies)
    for name, work in (
        ("read and checked from an array", lambda: Answers.from_array(model, values)),
        ("assessed, all answers known", lambda: model.assess(known)),
        ("assessed, a tenth not known", lambda: model.assess(partly)),
        ("assessed, and some do not apply", lambda: model.assess(asked)),
        ("Polars: level, attainment, profile", polars),
    ):
        took = median(work, given.rounds)
        print(f"{name:36} {took:7.3f} s  {took / unit:6.2f} R")

    built_in = cx.MaturityModel.builtin("cx-seven-stage")
    times = []
    for _ in range(20):
        steps = {c.id: built_in.scale_of(c).steps() for c in built_in.criteria}
        now = built_in.assess({name: float(rng.choice(own)) for name, own in steps.items()})
        if now.level < built_in.top_stage:
            start = time.perf_counter()
            roadmap(now, built_in.top_stage)
            times.append(1000 * (time.perf_counter() - start))
    print(f"roadmap to the top, 31 criteria: median {statistics.median(times):.0f} ms, "
          f"longest {max(times):.0f} ms")  # fmt: skip
    print("others on this machine:", others())


if __name__ == "__main__":
    main()
