"""The code of docs/how-to/spark-dask-daft.md, run with the engines that are installed."""

import re
from pathlib import Path

import numpy as np
import pytest

import cxkit as cx

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "spark-dask-daft.md"
ROLES = {"customer": "user", "time": "ts", "event": "action"}


# What engines say of the newest pandas is not ours.
pytestmark = pytest.mark.filterwarnings("ignore::Warning")


def code(heading):
    """What the blocks under a heading define."""
    text = PAGE.read_text(encoding="utf-8")
    section = re.search(rf"(?ms)^## {heading}$(.*?)(^## |\Z)", text)[1]
    found = {}
    for block in re.findall(r"(?ms)^```python\n(.*?)^```$", section):
        exec(compile(block, str(PAGE), "exec"), found)  # noqa: S102  # our own page
    return found


@pytest.fixture
def log():
    rng = np.random.default_rng(5)
    return {
        "user": [f"u{n}" for n in rng.integers(0, 50, 400)],
        "ts": (np.datetime64("2024-05-01", "us") + rng.permutation(400) * np.timedelta64(1, "m")),
        "action": rng.choice(["view", "cart", "purchase"], 400).tolist(),
        "source": rng.choice(["email", "search"], 400).tolist(),
        "event_id": np.arange(400),
    }


@pytest.fixture
def frame(log):
    pd = pytest.importorskip("pandas")
    return pd.DataFrame(log).assign(ts=lambda f: f.ts.dt.tz_localize("UTC"))


@pytest.fixture
def whole(log):
    return cx.Journeys.from_table(log, channel="source", tz="UTC", **ROLES)


def test_dask(frame, whole):
    pytest.importorskip("dask.dataframe", reason="Dask is not installed")
    import dask
    import dask.dataframe as dd

    with dask.config.set(scheduler="threads"):
        counted = code("Dask")["count_dask"](dd.from_pandas(frame, npartitions=6))
    assert counted == cx.flow.Transitions.of(whole)


def test_daft(frame, whole):
    daft = pytest.importorskip("daft", reason="Daft is not installed")
    folded = code("Daft")["count_daft"](daft.from_pandas(frame))
    assert folded.summary == cx.flow.Transitions.of(whole)


@pytest.mark.spark
def test_spark(spark, frame, whole):
    found = code("Spark")
    events = spark.createDataFrame(frame)
    folded = found["count"](events)
    assert folded["steps"] == cx.flow.Transitions.of(whole)
    assert folded["chain"] == cx.attribution.ChainCounts.of(whole, goal="purchase")
    assert len(found["scores"](events).collect()) == len(whole)
