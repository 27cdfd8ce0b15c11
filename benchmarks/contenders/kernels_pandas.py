"""The kernels in pandas, as one would write them on a sorted frame."""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd
from kernel_workload import CAP, DENSE_DAYS, GAP_US, sparse_ids
from text_workload import TEXTS, arrow_text, codes_of, labels_of
from workload import DAY_US, EVENTS, POINTS, Log

from contenders import Contender, Row


def contender(name: str, log: Log, threads: int) -> Contender:
    """The log as a frame."""
    del name, threads

    @functools.cache
    def frame() -> pd.DataFrame:
        order = np.lexsort((log.time, log.customer))
        columns = {k: getattr(log, k)[order] for k in ("customer", "time", "event")}
        made = pd.DataFrame(columns)
        made["points"] = POINTS[made["event"].to_numpy()]
        made["whole"] = made["event"].astype(np.int64)
        made["day"] = made["time"] // DAY_US
        made["days"] = made["time"] // (DENSE_DAYS * DAY_US)
        return made

    def groups() -> pd.api.typing.DataFrameGroupBy:
        return frame().groupby("customer", sort=False)

    def row(answer: str, run: object) -> Row:
        frame()
        return Row(run, lambda found: {answer: np.asarray(found)})  # type: ignore[arg-type]

    def first() -> pd.Series:
        return frame()["customer"] != frame()["customer"].shift(1)

    def caps(days: str) -> Row:
        keys = ["customer", days, "event"]
        return row("counts", lambda: ~frame().duplicated(keys) if CAP == 1 else None)

    return Contender(
        versions={"pandas": pd.__version__},
        rows={
            "factorize": lambda: _factorize(log),
            **{row: functools.partial(_texts, row, log) for row in TEXTS},
            "sessions": lambda: Row(
                lambda: frame()["customer"][first() | (frame()["time"].diff() > GAP_US)],
                lambda found: {"starts": found.index.to_numpy(), "customer": found.to_numpy()},
            ),
            "lag": lambda: row(
                "lag", lambda: frame()["event"].shift(1, fill_value=EVENTS).mask(first(), EVENTS)
            ),
            # The groups are found anew each time: a GroupBy remembers them.
            "segment_sum": lambda: row("score", lambda: np.asarray(groups()["points"].sum())),
            "running_sum": lambda: row("sum", lambda: np.asarray(groups()["whole"].cumsum())),
            "distinct": lambda: row("distinct", lambda: np.asarray(groups()["event"].nunique())),
            "caps": lambda: caps("day"),
            "caps_dense": lambda: caps("days"),
        },
    )


def _factorize(log: Log) -> Row:
    ids = sparse_ids(log)
    return Row(
        lambda: pd.factorize(ids, sort=True), lambda found: {"codes": found[0], "labels": found[1]}
    )


def _texts(row: str, log: Log) -> Row:
    texts = pd.Series(arrow_text(labels_of(row, log), codes_of(row, log)), dtype="str")
    return Row(
        lambda: pd.factorize(texts, sort=True),
        lambda found: {"codes": found[0], "labels": np.asarray(found[1]).astype("S")},
    )
