"""What type checkers make of the public names. Checked, never run."""

from __future__ import annotations

from typing import assert_type

import numpy as np
from numpy.typing import NDArray

import cxkit as cx


def data(journeys: cx.Journeys) -> None:
    assert_type(len(journeys), int)
    assert_type(journeys[0], cx.Journey)
    assert_type(journeys[1:], cx.Journeys)
    assert_type(journeys.offsets, NDArray[np.int64])
    assert_type(journeys.sessions(gap="30min"), cx.Journeys)
    for touchpoint in journeys[0]:
        assert_type(touchpoint, cx.Touchpoint)


def doors(table: dict[str, list[str]]) -> None:
    ingested = cx.ingest(table, customer="customer", time="time", tz="UTC")
    assert_type(ingested, cx.Ingested)
    assert_type(ingested.journeys, cx.Journeys)


def errors(error: cx.SchemaError) -> ValueError:
    return error


def misspelt() -> None:
    cx.atribution  # type: ignore[attr-defined]  # noqa: B018 - lazy names must not hide this
