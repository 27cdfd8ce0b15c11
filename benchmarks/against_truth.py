"""The published study: every attribution model against known causes, and how often intervals hold.

One command makes the figures of docs/concepts/attribution-against-truth.md::

    python benchmarks/against_truth.py

It writes docs/_data/against_truth.json, from which the page is built, and takes about a quarter of
an hour. World ``i`` of every kind has the seed ``i``.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import platform
import sys
import time
from pathlib import Path

import numpy as np

import cxkit as cx
from cxkit import attribution
from cxkit.attribution.touchpaths.journeypaths import JourneyPaths
from cxkit.core.intervals import paired_difference

OUTPUT = Path(__file__).resolve().parents[1] / "docs" / "_data" / "against_truth.json"
MODELS = (
    attribution.FirstTouch(),
    attribution.LastTouch(),
    attribution.Linear(),
    attribution.PositionBased(),
    attribution.TimeDecay(),
    attribution.Markov(),
    attribution.Markov(order=2),
    attribution.Markov(order=3),
    attribution.ShapleyConversions(),
    attribution.ShapleyRate(),
    attribution.LogisticCounterfactual(),
)
BOOTED = ("linear", "markov", "logistic_counterfactual")  # whose bootstrap is tried too
CHANNELS = 8  # of the world whose intervals are looked at
LARGE, PARTS = 3_000_000, 60
RETAIL_CUSTOMERS = 6_000
SIZES = (8_000, 30_000, 120_000)
AMOUNTS = ("conversions", "value", "incremental", "value_incremental")
BOOTSTRAP, DIFFERENCE = "share, bootstrap", "share, difference"
OUTCOMES = ("add_to_cart", "checkout", "purchase")
RETAIL = {  # effects of the eight channels, drawn anew in every world
    "positive": lambda rng: rng.uniform(0.05, 0.9, 8),
    "mixed": lambda rng: rng.normal(0.0, 0.5, 8),
}


def against_truth(world, **rule):
    """How near each model comes, in one world; two rows more are no models.

    ``touchpoints`` shares the conversions by the number of contacts alone, ``true_shares`` by what
    the channels really caused.
    """
    truth = world.truth
    table = attribution.compare(world.journeys, "purchase", MODELS, **rule)
    answers = {answer.model.name: answer for answer in table.attributions}
    for name, share in (
        ("touchpoints", truth.touchpoints / truth.touchpoints.sum()),
        ("true_shares", truth.share),
    ):
        given = (share * truth.conversions).tolist()
        answers[name] = dict(zip(truth.channels, given, strict=True))
    return answers, truth.compare(answers)


def over_worlds(draw, worlds, rule, say):
    """Every world of one kind.

    Args:
        draw: ``draw(seed)`` -> a world.
        worlds: How many.
        rule: The options of the path rule.
        say: Called with a line of progress.
    """
    found, lost, names = [], [], ()
    for seed in range(worlds):
        world = draw(seed)
        truth = world.truth
        if np.isnan(truth.share).any():  # no channel helps: there are no shares to compare with
            continue
        answers, table = against_truth(world, **rule)
        names = table.model
        found.append([table.rank_correlation, table.misallocated, table.error / truth.conversions])
        told = answers[MODELS[-1].name].estimates["incremental"].estimate.sum()
        lost.append([truth.caused.sum() / truth.conversions, told / truth.conversions])
        say(f"{seed + 1} of {worlds}")
    rank, misallocated, error = np.array(found).transpose(1, 2, 0)
    rows = [
        {
            "model": name,
            "median": round(float(np.median(ranks)), 3),
            "low": round(float(np.quantile(ranks, 0.1)), 3),
            "high": round(float(np.quantile(ranks, 0.9)), 3),
            "mean": round(float(ranks.mean()), 3),
            "misallocated": round(float(wrong.mean()), 3),
            "error": round(float(off.mean()), 3),
        }
        for name, ranks, wrong, off in zip(names, rank, misallocated, error, strict=True)
    ]
    caused, told = np.mean(lost, axis=0)
    return {
        "worlds": len(found),
        "caused": round(float(caused), 3),
        "told": round(float(told), 3),
        "rows": rows,
    }


def study(worlds, customers, say):
    """All kinds of worlds."""
    found = {}
    for name in cx.simulate.DECISION_WORLDS:
        found[name] = over_worlds(
            lambda seed, name=name: cx.simulate.decisions(customers, name, rng=seed),
            worlds,
            {"goal_is_touch": False},
            lambda line, name=name: say(f"{name}: {line}"),
        )
    for name, effects in RETAIL.items():

        def draw(seed, effects=effects):
            drawn = effects(np.random.default_rng(seed)).tolist()
            by_channel = dict(zip(cx.simulate.CHANNELS, drawn, strict=True))
            return cx.simulate.retail(RETAIL_CUSTOMERS, effects=by_channel, rng=seed)

        contacts = [e for e in draw(0).journeys.event.vocabulary if e not in OUTCOMES]
        rule = {"lookback": "14d", "touches": contacts, "restart": False}
        found[f"retail_{name}"] = over_worlds(
            draw, worlds, rule, lambda line, name=name: say(f"retail {name}: {line}")
        )
    return found


def coverage(world, draws, customers, say, *, models=None, boots=500):
    """How often 95 % intervals hold the value that a very large sample has.

    Args:
        world: One of ``cx.simulate.DECISION_WORLDS``, with the effects of seed 7.
        draws: How many samples of customers from that one world.
        customers: In each sample.
        say: Called with a line of progress.
        models: The models; all, if not given.
        boots: Replicates of the bootstrap, which some models are tried with too; 0 for none.
    """
    models = MODELS if models is None else models
    say(f"coverage {world}, {customers:,} customers: large sample")
    true = large_sample(world, models)
    scale = customers / LARGE
    hits, conversions, before = {}, 0, None

    def hold(model, name, value, low, high):
        held = (low <= value) & (value <= high)
        hits.setdefault((model.name, name), []).append(held)

    for seed in range(draws):
        found = sample(world, customers, seed)
        counted = [model.count(found) for model in models]
        for model, summary, known in zip(models, counted, true, strict=True):
            answer = summary.result()
            conversions += answer.total_conversions / len(models) / draws
            for name, given in answer.estimates.items():
                value = known[name][0, :CHANNELS] * (scale if name in AMOUNTS else 1.0)
                hold(model, name, value, given.low, given.high)
            if boots and model.name in BOOTED:
                given = summary.result(draws=boots, rng=seed).estimates["share"]
                hold(model, BOOTSTRAP, known["share"][0, :CHANNELS], given.low, given.high)
        after = [shares(summary) for summary in counted]
        if seed % 2:
            # Two samples from one world: the true difference of every share is 0.
            for model, (one, left), (two, right) in zip(models, before, after, strict=True):
                found = paired_difference(one, two, left, right, np.ones(64, bool))
                hold(model, DIFFERENCE, 0.0, found.low[:CHANNELS], found.high[:CHANNELS])
        before = after
        if seed % 50 == 0:
            say(f"coverage {world}, {customers:,} customers: {seed} of {draws}")
    rows = []
    for (model, name), held in hits.items():
        number = "share" if name in {BOOTSTRAP, DIFFERENCE} else name
        value = next(t for m, t in zip(models, true, strict=True) if m.name == model)[number][0]
        # A share that is nothing lies at the end of its interval: that always holds.
        inner = value[:CHANNELS] != 0
        by_label = np.array(held)[:, inner].mean(axis=0)
        rows.append(
            {
                "model": model,
                "quantity": name,
                "samples": len(held),
                "labels": int(inner.sum()),
                "held": round(float(by_label.mean()), 4),
                "lowest": round(float(by_label.min()), 4),
                "highest": round(float(by_label.max()), 4),
            }
        )
    return {
        "customers": customers,
        "draws": draws,
        "channels": CHANNELS,
        "conversions": round(conversions),
        "rows": rows,
    }


def sample(world, customers, seed):
    """Customers from one world, cut into paths."""
    drawn = cx.simulate.decisions(
        customers, world, channels=CHANNELS, rng=np.random.default_rng([1, seed]), effects_rng=7
    )
    return JourneyPaths(drawn.journeys, attribution.PathRule("purchase", goal_is_touch=False))


def large_sample(world, models):
    """What each model says of three million customers, counted in parts and added up."""
    whole = None
    for part in range(PARTS):
        found = sample(world, LARGE // PARTS, 1_000_000 + part)
        counted = [model.count(found) for model in models]
        whole = counted if whole is None else [a + b for a, b in zip(whole, counted, strict=True)]
    return [summary.quantities(None) for summary in whole]


def shares(summary):
    """The shares, and those without each shard."""
    every = np.ones(64, bool)
    return summary.quantities(None)["share"][0], summary.without_each_shard(every)["share"]


def main(arguments=None):
    """Run the study and write its figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worlds", type=int, default=50)
    parser.add_argument("--customers", type=int, default=50_000)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--sample", type=int, default=60_000)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    asked = parser.parse_args(arguments)
    began = time.monotonic()

    def say(line):
        print(f"{time.monotonic() - began:6.0f} s  {line}", file=sys.stderr)

    figures = {
        "made": dt.datetime.now(dt.UTC).date().isoformat(),
        "command": "python benchmarks/against_truth.py",
        "cxkit": cx.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "seeds": f"0 to {asked.worlds - 1}",
        "customers": asked.customers,
        "worlds": study(asked.worlds, asked.customers, say),
        "coverage": {
            world: coverage(world, asked.draws, asked.sample, say)
            for world in ("positive", "mixed")
        },
        "coverage_by_size": [
            coverage("mixed", asked.draws // 2, size, say, models=MODELS[-2:], boots=0)
            for size in SIZES
        ],
    }
    asked.output.parent.mkdir(parents=True, exist_ok=True)
    asked.output.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    say(f"written to {asked.output}")


if __name__ == "__main__":
    main()
