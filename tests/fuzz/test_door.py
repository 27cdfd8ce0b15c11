"""The door under fire, for seconds; ``python benchmarks/fuzz_door.py`` does it for minutes."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from tests.fuzz.door import (
    ROLES,
    SEEDS,
    TABLE,
    check_file,
    check_table,
    damaged,
    from_bytes,
    parquet_seed,
    some_roles,
)

SAME_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("ending", SEEDS)
def test_damaged_files_are_read_or_refused_by_name(tmp_path: Path, ending: str) -> None:
    rng = random.Random(ending)
    read = 0
    for trial in range(150):
        data = damaged(rng.choice(SEEDS[ending]), rng, most=trial % 5)
        read += check_file(
            tmp_path, ending, data, some_roles(ending, rng), rng.choice(["", "", ".gz"])
        )
    assert read


def test_damaged_parquet_is_read_or_refused_by_name(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    rng = random.Random(3)
    seed = parquet_seed()
    results = {
        check_file(tmp_path, ".parquet", damaged(seed, rng, trial % 3), some_roles("", rng), "")
        for trial in range(120)
    }
    assert results == {True, False}


@SAME_FOLDER
@given(st.binary(max_size=200))
def test_any_bytes_at_all(tmp_path: Path, data: bytes) -> None:
    from_bytes(data, tmp_path)


@given(TABLE, st.sampled_from(ROLES))
def test_tables_of_anything(table: dict[str, Any], roles: dict[str, Any]) -> None:
    check_table(table, roles)
    if all(len(column) == 3 for column in table.values()):
        rows = [
            dict(zip(table, row, strict=True))
            for row in zip(*map(list, table.values()), strict=True)
        ]
        check_table(rows, roles)


@given(TABLE, st.sampled_from(ROLES), st.integers(0, 2), st.integers(0, 3))
def test_slices_of_arrow_tables_of_anything(
    table: dict[str, Any], roles: dict[str, Any], begin: int, size: int
) -> None:
    pa = pytest.importorskip("pyarrow")
    columns = {}
    for name, column in table.items():
        try:
            columns[name] = pa.array(column)
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            columns[name] = pa.array([1, 2, 3])
    check_table(pa.table(columns).slice(begin, size), roles)
