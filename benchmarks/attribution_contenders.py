"""What takes part in the attribution benchmark, each from its own native object.

A contender is a function of the log and of the number of threads; it returns, for every row that it
can do, a function to time and one that turns what came out into arrays.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from typing import Any

import flow_contenders
import numpy as np
from attribution_workload import CHANNELS, FEW, LABELS, PathLog
from numpy.typing import NDArray

Answer = dict[str, NDArray]
Rows = dict[str, tuple[Callable[[], Any], Callable[[Any], Answer]]]


def cxkit(log: PathLog, threads: int) -> Rows:
    """Through its public face; every answer comes with intervals."""
    del threads  # it decides for itself
    import cxkit as cx
    from cxkit.core.codes import Codes

    A = cx.attribution
    event = np.zeros(len(log.channel), np.uint8)
    event[log.offsets[1:] - 1] = log.converts
    value = np.full(len(log.channel), np.nan)
    value[log.offsets[1:] - 1] = np.where(log.converts, log.value, np.nan)
    journeys = cx.Journeys.from_codes(
        customer=log.journey,
        time=log.time,
        columns={
            "channel": Codes.from_codes(log.channel, LABELS),
            "few": Codes.from_codes(log.channel % FEW, LABELS[:FEW]),
            "event": Codes.from_codes(event, ["view", "buy"]),
            "value": value,
        },
    )
    _ = journeys.row_shards  # found once per Journeys, whatever is asked of them
    _ = journeys.shard_journeys, journeys.channel.counts, journeys.codes("few").counts
    three = [A.FirstTouch(), A.LastTouch(), A.Linear()]

    def three_rules() -> Any:
        return A.compare(journeys, "buy", three)

    def read_rules(found: Any) -> Answer:
        return {
            name: np.stack([getattr(a, name) for a in found.attributions])
            for name in ("conversions", "value")
        }

    def read_chain(found: Any) -> Answer:
        names = ("removal_effect", "value_removal_effect")
        return {"removal": np.stack([found.estimates[name].estimate for name in names])}

    def shapley(by: str) -> Any:
        return A.attribute(journeys, "buy", A.ShapleyRate(), by=by)

    def read_shapley(found: Any) -> Answer:
        return {"credit": found.conversions}

    def game(by: str) -> Any:
        return A.tally(journeys, "buy", A.ShapleyRate(), by=by).quantities(None)

    def read_logistic(found: Any) -> Answer:
        return {n: found.estimates[n].estimate for n in ("coefficient", "incremental")}

    chain = A.ChainCounts.of(journeys, goal="buy")
    rows: Rows = {
        "heuristics": (three_rules, read_rules),
        "bootstrap": (lambda: chain.result(draws=500), read_chain),
        "game_few": (lambda: game("few"), lambda q: {"credit": q["conversions"][0, :-1]}),
        "game_all": (lambda: game("channel"), lambda q: {"credit": q["conversions"][0, :-1]}),
        "shapley_few": (lambda: shapley("few"), read_shapley),
        "shapley_all": (lambda: shapley("channel"), read_shapley),
        "logistic": (
            lambda: A.attribute(journeys, "buy", A.LogisticCounterfactual()),
            read_logistic,
        ),
    }
    for order in (1, 2, 3):
        model = A.Markov(order)
        rows[f"markov_{order}"] = (lambda m=model: A.attribute(journeys, "buy", m), read_chain)
    return rows | flow_contenders.cxkit(log)


def polars(log: PathLog, threads: int) -> Rows:
    """By hand: a row per journey with its list of channels for rules, one per touch for chains."""
    del threads  # set before it is imported
    import polars as pl

    touches = pl.DataFrame(
        {
            "journey": log.journey,
            "channel": log.channel,
            "goal": np.zeros(len(log.channel), bool),
            "value": np.zeros(len(log.channel)),
        }
    )
    goal, value = np.zeros(len(log.channel), bool), np.zeros(len(log.channel))
    goal[log.offsets[1:] - 1] = log.converts
    value[log.offsets[1:] - 1] = log.value
    touches = touches.with_columns(goal=pl.Series(goal), value=pl.Series(value))
    paths = touches.group_by("journey", maintain_order=True).agg(
        path="channel", converts=pl.col("goal").last(), value=pl.col("value").last()
    )

    def rules() -> list[pl.DataFrame]:
        won = paths.lazy().filter("converts")
        size = pl.col("path").list.len()
        each = (
            won.select("path", one=1 / size, worth=pl.col("value") / size)
            .explode("path")
            .group_by("path")
            .agg(pl.col("one").sum(), pl.col("worth").sum())
        )
        ends = [
            won.group_by(path=end).agg(one=pl.len().cast(pl.Float64), worth=pl.col("value").sum())
            for end in (pl.col("path").list.first(), pl.col("path").list.last())
        ]
        return pl.collect_all([*ends, each])

    def read_rules(found: list[pl.DataFrame]) -> Answer:
        out = np.zeros((2, 3, CHANNELS))
        for i, table in enumerate(found):
            out[:, i, table["path"].to_numpy()] = table.select("one", "worth").to_numpy().T
        return {"conversions": out[0], "value": out[1]}

    def chain() -> NDArray:
        first = pl.col("journey") != pl.col("journey").shift(1)
        before = pl.when(first.fill_null(True)).then(CHANNELS).otherwise(pl.col("channel").shift(1))
        code = (before.cast(pl.UInt16) * CHANNELS + pl.col("channel")) * 2 + pl.col("goal")
        found = (
            touches.lazy()
            .select(code=code, value="value")
            .group_by("code")
            .agg(pl.len(), pl.col("value").sum())
            .collect()
        )
        return _solve(*(found[c].to_numpy() for c in ("code", "len", "value")))

    rows: Rows = {"heuristics": (rules, read_rules)}
    rows["markov_1"] = chain, lambda effects: {"removal": effects}
    return rows | flow_contenders.polars(log)


def duckdb(log: PathLog, threads: int) -> Rows:
    """By hand, from a table with one row per touch."""
    import duckdb as engine
    import pyarrow as pa

    goal, value = np.zeros(len(log.channel), bool), np.zeros(len(log.channel))
    goal[log.offsets[1:] - 1] = log.converts
    value[log.offsets[1:] - 1] = log.value
    table = pa.table({"journey": log.journey, "channel": log.channel, "goal": goal, "value": value})
    con = engine.connect(config={"threads": threads})
    con.register("arrow", table)
    con.sql("CREATE TABLE touches AS SELECT row_number() OVER () AS place, * FROM arrow")
    con.sql("CREATE TABLE won AS SELECT journey, value FROM touches WHERE goal")
    rules_query = """
        WITH mine AS (
            SELECT channel, won.value AS worth, place,
                   min(place) OVER path AS first, max(place) OVER path AS last,
                   count(*) OVER path AS size
            FROM touches JOIN won USING (journey) WINDOW path AS (PARTITION BY journey)
        )
        SELECT channel,
               sum((place = first)::INT), sum((place = last)::INT), sum(1 / size),
               sum(if(place = first, worth, 0)), sum(if(place = last, worth, 0)), sum(worth / size)
        FROM mine GROUP BY channel
    """
    chain_query = f"""
        SELECT (CASE WHEN fresh THEN {CHANNELS} ELSE before END * {CHANNELS} + channel) * 2
               + goal::INT AS code, count(*), sum(value)
        FROM (
            SELECT channel::INT AS channel, goal, value,
                   journey IS DISTINCT FROM lag(journey) OVER (ORDER BY place) AS fresh,
                   lag(channel::INT) OVER (ORDER BY place) AS before
            FROM touches
        ) GROUP BY code
    """

    def read_rules(found: list[tuple[float, ...]]) -> Answer:
        out = np.zeros((2, 3, CHANNELS))
        for channel, *amounts in found:
            out[:, :, channel] = np.array(amounts, float).reshape(2, 3)
        return {"conversions": out[0], "value": out[1]}

    return {
        "heuristics": (lambda: con.sql(rules_query).fetchall(), read_rules),
        "markov_1": (
            lambda: _solve(*np.array(con.sql(chain_query).fetchall()).T),
            lambda effects: {"removal": effects},
        ),
    } | flow_contenders.duckdb(log, threads)


def channel_attribution(log: PathLog, threads: int) -> Rows:
    """ChannelAttribution, from paths of text that are counted already."""
    import ChannelAttribution
    import pandas as pd

    table = pd.DataFrame(
        {
            "path": log.texts(),
            "conversions": log.converts.astype(int),
            "nulls": 1 - log.converts.astype(int),
            "value": log.value,
        }
    )
    table = table.groupby("path", as_index=False).sum()

    def rules() -> Any:
        return ChannelAttribution.heuristic_models(
            table, "path", "conversions", var_value="value", flg_pro=False
        )

    def read_rules(found: Any) -> Answer:
        found = found.set_index("channel_name").loc[LABELS]
        names = ("first_touch", "last_touch", "linear_touch")
        return {
            "conversions": np.stack([found[f"{n}_conversions"].to_numpy(float) for n in names]),
            "value": np.stack([found[f"{n}_value"].to_numpy(float) for n in names]),
        }

    def read_chain(found: Any) -> Answer:
        effects = found["removal_effects"].set_index("channel_name").loc[LABELS]
        return {"removal": effects.iloc[:, :2].to_numpy(float).T}

    rows: Rows = {"heuristics": (rules, read_rules)}
    for order in (1, 2, 3):

        def chain(order: int = order) -> Any:
            return ChannelAttribution.markov_model(
                table,
                "path",
                "conversions",
                var_value="value",
                var_null="nulls",
                order=order,
                out_more=True,
                ncore=threads,
                verbose=False,
                flg_pro=False,
            )

        rows[f"markov_{order}"] = (chain, read_chain)
    return rows


def mam(log: PathLog, threads: int) -> Rows:
    """marketing-attribution-models 2; its removal effects are of conversions only."""
    del threads
    import pandas as pd
    from mam import MAM

    table = pd.DataFrame(
        {"path": log.texts(), "converts": log.converts, "value": log.value, "often": 1}
    )
    made = MAM(
        table,
        format_type="grouped_journey",
        channels_colname="path",
        journey_with_conv_colname="converts",
        occurrences_colname="often",
        conversion_value_colname="value",
    )

    def rules() -> Any:
        return [made.run_first_click(), made.run_last_click(), made.run_linear()]

    def read_rules(found: Any) -> Answer:
        out = np.zeros((3, CHANNELS))
        for i, result in enumerate(found):
            table = result.to_pandas()
            name = table.columns[0]
            amounts = table.set_index(table[name].astype(str)).iloc[:, 1]
            out[i] = amounts.reindex(LABELS).fillna(0.0).to_numpy(float)
        return {"value": out}

    def read_chain(found: Any) -> Answer:
        effect = found.metadata["removal_effect"].iloc[:, 0]
        return {"removal": effect.reindex(LABELS).to_numpy(float)[None]}

    return {
        "heuristics": (rules, read_rules),
        "markov_1": (made.run_markov, read_chain),
    }


def _solve(code: NDArray, often: NDArray, value: NDArray) -> NDArray:
    """(2, K) removal effects from counts by ``(before * K + channel) * 2 + conversion``."""
    code = code.astype(np.int64)
    before, channel, goal = code // 2 // CHANNELS, code // 2 % CHANNELS, code % 2 == 1
    moves = np.zeros((CHANNELS + 1, CHANNELS))
    np.add.at(moves, (before, channel), often)
    visits = np.maximum(moves.sum(axis=0), 1)
    won = np.bincount(channel[goal], often[goal].astype(float), CHANNELS)
    worth = np.bincount(channel, value.astype(float), CHANNELS)
    fundamental = np.linalg.inv(np.eye(CHANNELS) - moves[:CHANNELS] / visits[:, None])
    arrive = visits / np.diagonal(fundamental)
    return np.stack([arrive * (fundamental @ (w / visits)) / w.sum() for w in (won, worth)])


# Name in the table: function, threads, whether it is a peer with an environment of its own, and
# what it stands on.
CONTENDERS = {
    "cxkit": (cxkit, 2, False, ("cxkit", "numpy")),
    "Polars 2T": (polars, 2, False, ("polars",)),
    "DuckDB 2T": (duckdb, 2, False, ("duckdb",)),
    "ChannelAttribution": (channel_attribution, 2, True, ("ChannelAttribution",)),
    "marketing-attribution-models": (mam, 2, True, ("marketing_attribution_models", "polars")),
    "retentioneering": (flow_contenders.retentioneering, 2, True, ("retentioneering",)),
    "pm4py": (flow_contenders.pm4py, 2, True, ("pm4py",)),
}


def versions(names: tuple[str, ...]) -> dict[str, str]:
    """Of what a contender stands on."""
    found = {}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "from a checkout"
    return found
