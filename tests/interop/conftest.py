"""The Spark session of the tests that are marked ``spark``."""

import os
import shutil
import sys
import warnings
from pathlib import Path

import pytest

import cxkit as cx


def pytest_configure(config):
    config.addinivalue_line("markers", "spark: starts a Spark session, which takes ten seconds")


@pytest.fixture(scope="session")
def spark():
    """One session for all tests: it takes ten seconds to start."""
    pytest.importorskip("pyarrow", reason="Spark hands out Arrow by pyarrow")
    sql = pytest.importorskip("pyspark.sql", reason="pyspark is not installed")
    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        pytest.skip("Spark needs Java, which is not installed")
    # Workers import cxkit, and the counters that these tests send them.
    root, source = Path(__file__).parents[2], Path(cx.__file__).parents[1]
    before = {name: os.environ.get(name) for name in ("PYSPARK_PYTHON", "PYTHONPATH")}
    # Without it, workers take whatever python comes first on PATH.
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["PYTHONPATH"] = os.pathsep.join(
        filter(None, [str(root), str(source), before["PYTHONPATH"]])
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Spark says of pandas 3
        session = (
            sql.SparkSession.builder.master("local[2]")
            .appName("cxkit tests")
            .config("spark.ui.enabled", "false")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.driver.memory", "1g")
            .config("spark.sql.shuffle.partitions", "7")
            .config("spark.sql.adaptive.enabled", "false")  # so that empty partitions stay
            .config("spark.sql.session.timeZone", "America/New_York")
            .getOrCreate()
        )
        session.sparkContext.setLogLevel("OFF")
        yield session
        session.stop()
    for name, value in before.items():
        if value is None:
            del os.environ[name]
        else:
            os.environ[name] = value
