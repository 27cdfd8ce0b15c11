"""Packages that people use for the same jobs, each from its own native object.

They live in an environment of their own (see README), because together they bring about a hundred
packages. Making their native object out of the log is timed in the build row only.
"""

from __future__ import annotations

import functools
import importlib.metadata
import os
from typing import Any

import numpy as np
import pandas as pd
from workload import CHANNEL_LABELS, CHANNELS, EVENT_LABELS, EVENTS, FUNNEL_STEPS, GOAL, Log

from contenders import Answer, Contender, Row


def contender(name: str, log: Log, threads: int) -> Contender:
    """A peer with the log as it would come to it: a pandas frame with categories."""
    open_peer = {
        "ChannelAttribution": _channel_attribution,
        "retentioneering": _retentioneering,
        "pm4py": _pm4py,
    }[name]
    rows = open_peer(log, threads)
    names = (name, "pandas", "numpy")
    return Contender({each: importlib.metadata.version(each) for each in names}, rows)


def _frame(log: Log) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer": log.customer,
            "time": pd.to_datetime(log.time, unit="us", utc=True),
            "channel": pd.Categorical.from_codes(log.channel, CHANNEL_LABELS),
            "event": pd.Categorical.from_codes(log.event, EVENT_LABELS),
            "value": log.value,
        }
    )


def _read_sorted(frame: pd.DataFrame, customer: str, time: str, event: str) -> Answer:
    frame = frame.assign(customer=frame[customer].astype(np.int32))
    # Customers may be in the order of their names as text; their touchpoints stay in order.
    frame = frame.sort_values("customer", kind="stable")
    labels = frame[event].astype(str).str[-2:].astype(np.uint8)
    return {
        "customer": frame["customer"].to_numpy(),
        "time": frame[time].astype("datetime64[us, UTC]").astype(np.int64).to_numpy(),
        "channel": frame["channel"].cat.codes.to_numpy().astype(np.uint8),
        "event": labels.to_numpy(),
        "value": frame["value"].to_numpy(),
    }


# --- retentioneering ----------------------------------------------------------------------------


def _retentioneering(log: Log, threads: int) -> Any:
    os.environ["RETENTIONEERING_NO_TRACK"] = "1"  # before the import: it reports use by default
    import duckdb
    from retentioneering import Eventstream

    duckdb.execute(f"SET threads = {threads}")
    frame = _frame(log)
    schema = {
        "path_cols": ["customer"],
        "event_col": "event",
        "timestamp_col": "time",
        "custom_cols": ["channel", "value"],
    }

    @functools.cache
    def stream() -> Any:
        return Eventstream(frame, schema)

    def build() -> Row:
        return Row(
            lambda: Eventstream(frame, schema),
            lambda made: _read_sorted(made.to_dataframe(), "customer", "time", "event"),
        )

    def transitions() -> Row:
        made = stream()
        return Row(
            lambda: made.transition_graph_data("count"),
            lambda table: {"counts": table.loc[EVENT_LABELS, EVENT_LABELS].to_numpy()},
        )

    def funnel() -> Row:
        made = stream()
        steps = [EVENT_LABELS[step] for step in FUNNEL_STEPS]
        return Row(
            lambda: made.funnel_data(steps),
            lambda result: {
                "journeys": np.array([step["unique_paths"] for step in result["steps"]])
            },
            answers="funnel_without_window",
            note="its funnel has no time window: an easier question",
        )

    return {"build": build, "transitions": transitions, "funnel": funnel}


# --- pm4py --------------------------------------------------------------------------------------


def _pm4py(log: Log, threads: int) -> Any:
    del threads  # pandas decides
    import pm4py

    frame = _frame(log)
    names = {"case_id": "customer", "activity_key": "event", "timestamp_key": "time"}

    @functools.cache
    def formatted() -> Any:
        return pm4py.format_dataframe(frame.copy(), **names)

    def build() -> Row:
        return Row(
            # It changes the frame that it is given.
            lambda: pm4py.format_dataframe(frame.copy(), **names),
            lambda made: _read_sorted(made, "case:concept:name", "time:timestamp", "concept:name"),
        )

    def transitions() -> Row:
        made = formatted()

        def read(result: Any) -> Answer:
            counts = np.zeros((EVENTS, EVENTS), np.int64)
            for (before, after), found in result[0].items():
                counts[EVENT_LABELS.index(before), EVENT_LABELS.index(after)] = found
            return {"counts": counts}

        return Row(lambda: pm4py.discover_dfg(made), read)

    return {"build": build, "transitions": transitions}


# --- ChannelAttribution -------------------------------------------------------------------------


def _channel_attribution(log: Log, threads: int) -> Any:
    import ChannelAttribution

    def markov() -> Row:
        paths = _paths(log)

        def run() -> Any:
            return ChannelAttribution.markov_model(
                paths,
                "path",
                "conversions",
                var_null="nulls",
                out_more=True,
                ncore=threads,
                verbose=False,
                flg_pro=False,
            )

        def read(result: Any) -> Answer:
            effects = result["removal_effects"].set_index("channel_name")
            removal = effects.loc[CHANNEL_LABELS].iloc[:, 0].to_numpy(float)
            assert removal.shape == (CHANNELS,)
            return {"removal": removal}

        return Row(
            run,
            read,
            loose=0.05,
            note="simulates the removal effects; accepted when within 0.05 of the exact ones",
        )

    return {"markov": markov}


def _paths(log: Log) -> pd.DataFrame:
    """One text per path ("a > b > c"), and whether it ended in a conversion."""
    order = np.lexsort((log.time, log.customer))
    customer, channel = log.customer[order], log.channel[order]
    goal = log.event[order] == GOAL
    begins = np.diff(customer, prepend=-1) != 0
    begins[1:] |= goal[:-1]
    starts = np.flatnonzero(begins)
    stops = np.append(starts[1:], len(order))
    labels = np.array(CHANNEL_LABELS, object)[channel]
    texts = [" > ".join(labels[start:stop]) for start, stop in zip(starts, stops, strict=True)]
    converted = goal[stops - 1].astype(np.int64)
    return pd.DataFrame({"path": texts, "conversions": converted, "nulls": 1 - converted})
