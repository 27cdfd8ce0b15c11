"""How hypothesis runs, in every test, and the session of those that are marked ``spark``."""

from __future__ import annotations

import os
import shutil
import sys
import warnings
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import cxkit as cx

# A loaded machine must not fail a law: no deadline. In CI the examples are the same every time.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile(
    "ci", settings.get_profile("default"), derandomize=True, database=None, max_examples=25
)
# On other versions of what they need, a few random examples of each law will do.
settings.register_profile("versions", settings.get_profile("ci"), max_examples=4)
settings.load_profile(
    os.environ.get("CXKIT_TEST_PROFILE") or ("ci" if os.environ.get("CI") else "default")
)


# What pyspark says of the newest pandas, and the sockets that it leaves open.
_NOT_OURS = (
    "ignore:PySpark does not yet fully support pandas:FutureWarning",
    "ignore:unclosed.*socket:ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)


def pytest_configure(config):
    config.addinivalue_line("markers", "spark: starts a Spark session, which takes ten seconds")


def pytest_collection_modifyitems(items):
    for item in items:
        if item.get_closest_marker("spark"):
            for warning in _NOT_OURS:
                item.add_marker(pytest.mark.filterwarnings(warning))


@pytest.fixture(scope="session")
def spark():
    """One session for all tests: it takes ten seconds to start."""
    pytest.importorskip("pyarrow", reason="Spark hands out Arrow by pyarrow")
    sql = pytest.importorskip("pyspark.sql", reason="pyspark is not installed")
    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        pytest.skip("Spark needs Java, which is not installed")
    # Workers import cxkit, and the counters that these tests send them.
    root, source = Path(__file__).parents[1], Path(cx.__file__).parents[1]
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
