"""62,483 real touchpoints: every way in gives the same journeys, and every broken row is named."""

from __future__ import annotations

import csv
import gzip
import json
import random
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cxkit as cx
from tests.shared import shared

ROLES: dict[str, Any] = {
    "customer": "customer_id",
    "time": "time",
    "event": "interaction",
    "channel": "channel",
    "value": "conversion_value",
}


@pytest.fixture(scope="module")
def path() -> Path:
    return shared("data/attribution-touchpoints/attribution_data.csv.gz")


@pytest.fixture(scope="module")
def facts() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        shared("data/attribution-touchpoints/facts.json").read_text()
    )
    return found


@pytest.fixture(scope="module")
def rows(path: Path) -> list[list[str]]:
    with gzip.open(path, "rt", newline="") as text:
        return list(csv.reader(text))


@pytest.fixture(scope="module")
def got(path: Path) -> cx.Ingested:
    return cx.read_events(path, **ROLES)


def test_the_facts_of_the_file(got: cx.Ingested, facts: dict[str, Any]) -> None:
    journeys = got.journeys
    assert (got.rows, len(got.rejected), got.duplicates) == (facts["rows"], 0, 0)
    assert journeys.customers == len(journeys) == facts["customers"]
    assert Counter(journeys.channel.to_list()) == facts["touches_by_channel"]
    assert str(journeys.time.min()) == facts["first"].replace("Z", ".000000")
    assert str(journeys.time.max()) == facts["last"].replace("Z", ".000000")
    assert journeys.value.sum() == facts["conversion_value"]
    conversion = journeys.event.codes == journeys.event.vocabulary.index("conversion")
    assert int(conversion.sum()) == facts["conversions"]
    channels = Counter(journeys.channel.take(np.flatnonzero(conversion)).to_list())
    assert channels == facts["conversions_by_channel_of_conversion_row"]


def by_csv(path: Path, monkeypatch: pytest.MonkeyPatch) -> cx.Ingested:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    return cx.read_events(path, **ROLES)


def by_pandas(path: Path, _: pytest.MonkeyPatch) -> cx.Ingested:
    pd = pytest.importorskip("pandas")
    return cx.ingest(pd.read_csv(path, parse_dates=["time"]), **ROLES)


def by_polars(path: Path, _: pytest.MonkeyPatch) -> cx.Ingested:
    pl = pytest.importorskip("polars")
    return cx.ingest(pl.read_csv(path, schema_overrides={"channel": pl.Categorical}), **ROLES)


def by_pyarrow(path: Path, _: pytest.MonkeyPatch) -> cx.Ingested:
    arrow_csv = pytest.importorskip("pyarrow.csv")
    return cx.ingest(arrow_csv.read_csv(path), **ROLES)


def by_parquet(path: Path, monkeypatch: pytest.MonkeyPatch) -> cx.Ingested:
    parquet = pytest.importorskip("pyarrow.parquet")
    arrow_csv = pytest.importorskip("pyarrow.csv")
    monkeypatch.chdir(monkeypatch.tmp)  # type: ignore[attr-defined]
    parquet.write_table(arrow_csv.read_csv(path), "log.parquet")
    return cx.read_events("log.parquet", **ROLES)


def by_dicts(path: Path, _: pytest.MonkeyPatch) -> cx.Ingested:
    with gzip.open(path, "rt", newline="") as text:
        return cx.ingest(csv.DictReader(text), **ROLES)


@pytest.mark.parametrize("way", [by_csv, by_pandas, by_polars, by_pyarrow, by_parquet, by_dicts])
def test_every_way_in_gives_the_same_journeys(
    way: Callable[[Path, pytest.MonkeyPatch], cx.Ingested],
    path: Path,
    got: cx.Ingested,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.tmp = tmp_path  # type: ignore[attr-defined]
    other = way(path, monkeypatch)
    assert other.journeys == got.journeys
    assert (other.rows, other.duplicates, len(other.rejected)) == (got.rows, got.duplicates, 0)


# Columns: customer_id, time, interaction, conversion, conversion_value, channel
CORRUPTIONS: dict[str, Callable[[list[str]], list[str]]] = {
    "no customer": lambda r: ["", *r[1:]],
    "blank customer": lambda r: ["   ", *r[1:]],
    "no time": lambda r: [r[0], "", *r[2:]],
    "a word for a time": lambda r: [r[0], "yesterday", *r[2:]],
    "no such day": lambda r: [r[0], "2018-02-30T10:00:00Z", *r[2:]],
    "no such hour": lambda r: [
        r[0],
        r[1].replace("T", "T2").replace("T22", "T24")[:11] + "24:00:00Z",
        *r[2:],
    ],
    "day first": lambda r: [r[0], "22/07/2018 20:40", *r[2:]],
    "a placeholder": lambda r: [r[0], "0001-01-01T00:00:00Z", *r[2:]],
    "a typing error in the year": lambda r: [r[0], "3018" + r[1][4:], *r[2:]],
    "cut off": lambda r: [r[0], r[1][:13], *r[2:]],
    "a word for a value": lambda r: [*r[:4], "n/a", r[5]],
    "a comma in a value": lambda r: [*r[:4], "1,5", r[5]],
    "a currency": lambda r: [*r[:4], "€5", r[5]],
    "an infinite value": lambda r: [*r[:4], "inf", r[5]],
}
BROKEN_ROWS: dict[str, Callable[[list[str]], list[str]]] = {
    "a field too few": lambda r: r[:5],
    "a field too many": lambda r: [*r, "x"],
}


def corrupted(
    rows: list[list[str]], kinds: dict[str, Callable[[list[str]], list[str]]], seed: int
) -> tuple[list[list[str]], list[int]]:
    rng = random.Random(seed)  # a sample, not a secret
    bad = sorted(rng.sample(range(len(rows) - 1), len(rows) // 100))
    dirty = [list(row) for row in rows[1:]]
    for row in bad:
        dirty[row] = kinds[rng.choice(sorted(kinds))](dirty[row])
    return dirty, bad


@pytest.mark.parametrize("seed", [1, 2])
def test_every_corrupted_row_of_a_table_is_named(rows: list[list[str]], seed: int) -> None:
    dirty, bad = corrupted(rows, CORRUPTIONS, seed)
    table = dict(zip(rows[0], map(list, zip(*dirty, strict=True)), strict=True))
    found = cx.ingest(table, **ROLES)
    assert found.rejected.row.tolist() == bad
    assert found.journeys.touchpoints + len(found.rejected) == found.rows == len(rows) - 1
    assert all(found.rejected.reason)
    clean = [row for at, row in enumerate(rows[1:]) if at not in set(bad)]
    kept = cx.ingest(dict(zip(rows[0], map(list, zip(*clean, strict=True)), strict=True)), **ROLES)
    assert kept.journeys == found.journeys
    for library, frame in (("pandas", "DataFrame"), ("polars", "DataFrame"), ("pyarrow", "table")):
        module = pytest.importorskip(library)
        other = cx.ingest(getattr(module, frame)(table), **ROLES)
        assert other.journeys == found.journeys
        assert other.rejected.to_dicts() == found.rejected.to_dicts()


@pytest.mark.parametrize(
    "kinds", [CORRUPTIONS, CORRUPTIONS | BROKEN_ROWS], ids=["cells", "rows too"]
)
def test_every_corrupted_row_of_a_file_is_named(
    rows: list[list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kinds: dict[str, Callable[[list[str]], list[str]]],
) -> None:
    dirty, bad = corrupted(rows, kinds, 3)
    path = tmp_path / "dirty.csv"
    with path.open("w", newline="", encoding="utf-8") as text:
        csv.writer(text).writerows([rows[0], *dirty])
    found = cx.read_events(path, **ROLES)
    assert found.rejected.row.tolist() == bad
    assert found.journeys.touchpoints + len(found.rejected) == found.rows == len(rows) - 1
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    slow = cx.read_events(path, **ROLES)
    assert slow.journeys == found.journeys
    assert slow.rejected.to_dicts() == found.rejected.to_dicts()
