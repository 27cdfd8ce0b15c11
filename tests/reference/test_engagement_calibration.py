"""Points from the first part of real data, tested on the last part."""

import csv
import gzip

import numpy as np
import pytest

import cxkit as cx
from cxkit.core.codes import Codes
from cxkit.engagement import (
    EngagementScale,
    PointRule,
    Validation,
    calibrate,
    geometric_points,
    validate,
)
from tests.shared import shared

MONTHS = ("Feb", "Mar", "May", "June", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
PAGES = {
    "Administrative": "account_page",
    "Informational": "info_page",
    "ProductRelated": "product_page",
}
# From the least telling to the most, as one would order them without the data.
GOALS = [
    cx.Goal("info_page", name="information"),
    cx.Goal("account_page", name="account"),
    cx.Goal("visit", where={"visitor": "New_Visitor"}, name="new visitor"),
    cx.Goal("product_page", value=(10, None), name="10 products"),
    cx.Goal("leave", value=(None, 0.02), name="few exits"),
    cx.Goal("product_page", value=(40, None), name="40 products"),
]


@pytest.fixture(scope="module")
def shop():
    """Sessions of a shop over a year, each of another customer: the first and the last part."""
    path = shared("data/online-shoppers-intention/online_shoppers_intention.csv.gz")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    found = []
    for who, row in enumerate(rows):
        found.append((who, 0, "visit", np.nan, row["VisitorType"]))
        found += [
            (who, 1, event, float(row[column]), row["VisitorType"])
            for column, event in PAGES.items()
            if float(row[column]) > 0
        ]
        found.append((who, 2, "leave", float(row["ExitRates"]), row["VisitorType"]))
        if row["Revenue"] == "1":
            found.append((who, 3, "purchase", np.nan, row["VisitorType"]))
    who, step, event, value, visitor = zip(*found, strict=True)
    journeys = cx.Journeys.from_codes(
        customer=np.array(who),
        time=np.array(step, np.int64),
        columns={
            "event": Codes.of(list(event)),
            "value": np.array(value),
            "visitor": Codes.of(list(visitor)),
        },
    )
    early = np.array([MONTHS.index(row["Month"]) <= MONTHS.index("Oct") for row in rows])
    bought = np.array([row["Revenue"] == "1" for row in rows])
    assert (len(rows), bought.sum()) == (12_330, 1_908)
    late = journeys[~early]
    return journeys[early], late.where(~late.event.equals("purchase")), bought[~early]


def area(scale, late, bought):
    return Validation.of(scale.score(late, at="2000-01-01"), bought).auc


def geometric(goals):
    points = geometric_points([*(goal.name for goal in goals), "purchase"])
    rules = [PointRule(goal, points[goal.name], "once_per_customer") for goal in goals]
    return EngagementScale([*rules, PointRule("purchase", 100)])


def test_points_of_february_to_october_tell_november_and_december(shop):
    early, late, bought = shop
    assert (len(early), len(late), int(bought.sum())) == (7_605, 4_725, 976)
    found = {}
    for method in ("conditional", "uplift", "shrunk", "logistic"):
        calibration = calibrate(early, GOALS, "purchase", method, draws=100, rng=1)
        found[method] = area(calibration.scale(), late, bought)
        assert (calibration.low <= calibration.points).all()
        assert (calibration.points <= calibration.high).all()
    print({method: tuple(round(x, 3) for x in one[:3]) for method, one in found.items()})
    for one in found.values():
        assert one.low > 0.68
    # The figures of docs/concepts/engagement-value.md.
    assert found["uplift"][:3] == pytest.approx((0.710, 0.692, 0.726), abs=0.001)
    assert found["logistic"][:3] == pytest.approx((0.705, 0.687, 0.722), abs=0.001)
    ordered = area(geometric(GOALS), late, bought)
    assert ordered[:3] == pytest.approx((0.700, 0.683, 0.717), abs=0.001)
    assert found["uplift"].auc > ordered.auc
    clicks = area(geometric([GOALS[0], GOALS[1], GOALS[3], GOALS[5]]), late, bought)
    assert clicks.auc == pytest.approx(0.677, abs=0.001)


def test_the_bands_rise_and_the_trend_is_plain(shop):
    early, late, bought = shop
    scale = calibrate(early, GOALS, "purchase", "uplift", draws=20).scale()
    found = Validation.of(scale.score(late, at="2000-01-01"), bought)
    assert found.monotone
    assert found.rate[-1] > 5 * found.rate[0]
    assert found.trend.z > 15


def test_advertisements_seen_do_not_tell_who_converts():
    """Real, too: impressions say nothing of the next ten days, and the interval says so."""
    path = shared("data/attribution-touchpoints/attribution_data.csv.gz")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    journeys = cx.Journeys.from_table(
        {
            name: [row[name] for row in rows]
            for name in ("customer_id", "time", "interaction", "channel")
        },
        customer="customer_id",
        time="time",
        channel="channel",
        event="interaction",
    )
    goals = [cx.Goal("impression", channel) for channel in journeys.channel.vocabulary]
    calibration = calibrate(
        journeys, goals, "conversion", "uplift", at="2018-07-11", until="2018-07-21", draws=50
    )
    found = validate(calibration.scale(half_life="7d"), journeys, "conversion", at="2018-07-21")
    assert found.auc.low < 0.5 < found.auc.high
    assert found.auc.auc == pytest.approx(0.492, abs=0.002)
