"""Kaplan-Meier curves, their intervals and the log-rank test, equal to those of lifelines.

The numbers were computed with lifelines 0.30.3 (KaplanMeierFitter, logrank_test and
multivariate_logrank_test with their defaults); for the journeys, from waits that a few lines of
plain Python read off the file.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import cxkit as cx
from cxkit.core.codes import Codes
from cxkit.flow import Churn, SurvivalCounts, SurvivalTable, TimeTo, survival
from tests.shared import shared

DAY = 86_400_000_000
UNTIL = "1990-01-01"
UNTIL_US = 20 * 365 * DAY + 5 * DAY

# Weeks of remission of 42 patients with leukemia (Freireich et al. 1963, Blood 21, as in Cox 1972);
# a minus marks those who were still in remission when last seen.
TREATED = [6, 6, 6, -6, 7, -9, 10, -10, -11, 13, 16, -17, -19, -20, 22, 23, -25, -32, -32, -34, -35]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
CURVES = {
    "6-MP": [
        (6, 0.8571428571, 0.6197179553, 0.9515517476),
        (7, 0.8067226891, 0.5631465646, 0.9228090192),
        (9, 0.8067226891, 0.5631465646, 0.9228090192),
        (10, 0.7529411765, 0.5031995108, 0.8893618352),
        (13, 0.6901960784, 0.4316102225, 0.8490659633),
        (16, 0.6274509804, 0.3675108560, 0.8049121895),
        (22, 0.5378151261, 0.2677789368, 0.7467907176),
        (23, 0.4481792717, 0.1880520060, 0.6801426285),
        (35, 0.4481792717, 0.1880520060, 0.6801426285),
    ],
    "placebo": [
        (1, 0.9047619048, 0.6700458822, 0.9752941490),
        (2, 0.8095238095, 0.5689050599, 0.9238888286),
        (5, 0.5714285714, 0.3379769539, 0.7492407099),
        (8, 0.3809523810, 0.1830665488, 0.5777886777),
        (22, 0.0476190476, 0.0033244630, 0.1970449057),
    ],
}


def waits(groups: dict[str, list[int]]) -> cx.Journeys:
    """Journeys that begin, and after so many days reach their end or are seen no longer."""
    rows = [(g, days) for g, every in groups.items() for days in every]
    customer, time, event, channel = [], [], [], []
    for number, (group, days) in enumerate(rows):
        begin = UNTIL_US - abs(days) * DAY if days < 0 else 0
        customer += [number] * (1 + (days > 0))
        time += [begin, days * DAY][: 1 + (days > 0)]
        event += ["begin", "end"][: 1 + (days > 0)]
        channel += [group] * (1 + (days > 0))
    return cx.Journeys.from_codes(
        customer=np.array(customer),
        time=np.array(time),
        columns={"event": Codes.of(event), "channel": Codes.of(channel)},
    )


def row_of(table: SurvivalTable, group: int, time: int) -> tuple[Any, ...]:
    first, end = table.offsets[group : group + 2].tolist()
    at = first + int(np.searchsorted(table.time[first:end], time))
    assert table.time[at] == time
    return (
        time,
        float(table.survival[at]),
        float(table.survival_low[at]),
        float(table.survival_high[at]),
    )


def test_remission_of_leukemia() -> None:
    journeys = waits({"6-MP": TREATED, "placebo": PLACEBO})
    counts = SurvivalCounts.of(journeys, wait=TimeTo("end"), until=UNTIL, by="channel")
    table = counts.result()
    assert table.groups.to_list() == ["6-MP", "placebo"]
    for group, name in enumerate(CURVES):
        for told in CURVES[name]:
            assert row_of(table, group, int(told[0])) == pytest.approx(told, abs=1e-9)
    median, low, high = table.quantile(0.5)
    assert median.tolist() == [23, 8]
    assert low.tolist() == [13, 4]
    assert math.isnan(high[0])
    assert high[1] == 11
    test = counts.log_rank()
    assert test.statistic == pytest.approx(16.792940989216547, rel=1e-12)
    assert test.p == pytest.approx(4.168809109334511e-05, rel=1e-10)
    assert test.expected.sum() == pytest.approx(test.observed.sum())


@pytest.fixture(scope="module")
def touchpoints() -> cx.Journeys:
    path = shared("data/attribution-touchpoints/attribution_data.csv.gz")
    got = cx.read_events(
        path, customer="customer_id", time="time", event="interaction", channel="channel"
    )
    return got.journeys


@pytest.mark.parametrize(
    ("wait", "unit", "events", "median", "curve", "test"),
    [
        (
            TimeTo("conversion"),
            "1d",
            1642,
            math.nan,
            [
                (1, 0.954533941236, 0.949705120803, 0.958909228534),
                (3, 0.940982776089, 0.935557304009, 0.945964761887),
                (15, 0.852289409992, 0.844262878957, 0.859937330890),
                (30, 0.781857529258, 0.772199368171, 0.791163510528),
            ],
            (0.9970498877985574, 0.910242992536029),
        ),
        (
            TimeTo("conversion"),
            "1h",
            1642,
            math.nan,
            [
                (1, 0.968971631206, 0.964905866295, 0.972573080615),
                (372, 0.855448370443, 0.847490073819, 0.863025664722),
                (730, 0.778807823788, 0.768856721964, 0.788391550370),
            ],
            (0.9498157812653231, 0.9173076655843663),
        ),
        (
            Churn("7d"),
            "1d",
            5953,
            16.0,
            [
                (16, 0.481833951555, 0.470732589638, 0.492841600324),
                (29, 0.196665457914, 0.186635031267, 0.206896906171),
                (30, 0.191695572696, 0.181287370757, 0.202331752324),
            ],
            (1.17007894944453, 0.8829999257066576),
        ),
    ],
)
def test_real_touchpoints(
    touchpoints: cx.Journeys,
    wait: Any,
    unit: str,
    events: int,
    median: float,
    curve: list[tuple[float, ...]],
    test: tuple[float, float],
) -> None:
    table = survival(touchpoints, wait, until="2018-08-01", unit=unit)
    assert int(table.events.sum()) == events
    assert int((table.events + table.censored).sum()) == 7896
    for told in curve:
        assert row_of(table, 0, int(told[0])) == pytest.approx(told, abs=1e-11)
    assert table.quantile(0.5)[0].tolist() == pytest.approx([median], nan_ok=True)
    counts = SurvivalCounts.of(touchpoints, wait=wait, until="2018-08-01", unit=unit, by="channel")
    found = counts.log_rank()
    assert found.freedom == 4
    assert (found.statistic, found.p) == pytest.approx(test, rel=1e-9)
