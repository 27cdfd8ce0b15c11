"""Real logs through the public door: the published facts of each, and no row unaccounted for."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from typing import Any

import numpy as np
import pytest

import cxkit as cx
from cxkit.interop import read, read_ocel, read_table, read_xes
from tests.shared import shared


@cache
def facts(name: str) -> Any:
    return json.loads(shared(f"data/{name}/facts.json").read_text())


def door(path: str, **roles: Any) -> cx.Ingested:
    got = cx.read_events(shared(f"data/{path}"), **roles)
    assert got.journeys.touchpoints + len(got.rejected) == got.rows
    return got


def variants(journeys: cx.Journeys) -> int:
    codes = journeys.event.codes
    parts = np.split(codes, journeys.offsets[1:-1])
    return len({part.tobytes() for part in parts})


def check_instants(journeys: cx.Journeys, known: dict[str, Any], **options: Any) -> None:
    """``first`` and ``last`` as instants, whatever offset they are written with."""
    written = cx.ingest(
        {"c": [1, 1], "t": [known["first"], known["last"]]}, customer="c", time="t", **options
    ).journeys.time
    assert [journeys.time.min(), journeys.time.max()] == list(written)


XES = {
    "bpic2012": "variants_by_activity",
    "helpdesk": "variants",
    "receipt": "variants",
    "teleclaims": "variants_by_activity",
    "running-example": "variants",
}


@pytest.mark.parametrize("name", XES)
def test_process_logs(name: str) -> None:
    known = facts("process-logs")[name.replace("-", "_")]
    path = shared(f"data/process-logs/{name}.xes.gz")
    got = read_xes(path)
    journeys = got.journeys
    assert (got.rows, len(got.rejected)) == (known["events"], 0)
    assert len(journeys) == known["cases"]
    assert len(journeys.event.vocabulary) == known["activities"]
    assert variants(journeys) == known[XES[name]]
    if "resources" in known:
        assert len(journeys.codes("resource").vocabulary) == known["resources"]
    if "first" in known:
        check_instants(journeys, known)
    if "lifecycle" in known:
        assert Counter(journeys.codes("status").to_list()) == known["lifecycle"]
        assert (
            int(journeys.codes("resource").is_missing().sum()) == known["events_without_resource"]
        )
    if "most_frequent" in known:
        counts = Counter(journeys.event.to_list())
        assert {label: counts[label] for label in known["most_frequent"]} == known["most_frequent"]
    if name == "teleclaims":
        assert set(journeys.time.astype("M8[D]").astype(str)) == {"1970-01-01"}
    if got.rows < 10_000:
        again = read(path, schema="xes", value=None, carry=["resource", "status"])
        assert again.journeys == journeys


def test_two_offsets_in_one_file_are_one_clock() -> None:
    """An hour that offsets say differently lies where UTC says."""
    path = shared("data/process-logs/bpic2012.xes.gz")
    written = read_table(path)["time:timestamp"]
    assert {text[-6:] for text in written} == {"+01:00", "+02:00"}
    local = np.array([text[:-6] for text in written], "M8[ms]")
    hours = np.array([int(text[-5:-3]) for text in written])
    expected = np.sort(local - hours.astype("m8[h]"))
    found = np.sort(read_xes(path).journeys.time)
    np.testing.assert_array_equal(found.astype("M8[ms]"), expected)


def test_the_case_columns_of_receipt() -> None:
    got = read_xes(shared("data/process-logs/receipt.xes.gz"), channel="case:channel")
    by_case = got.journeys.channel.codes[got.journeys.offsets[:-1]]
    counts = np.bincount(by_case, minlength=got.journeys.channel.slots)
    assert {"Internet", "Desk", "Post", "e-mail"} <= set(got.journeys.channel.vocabulary)
    assert counts.sum() == 1434


def test_sepsis_keeps_the_case_called_na() -> None:
    known = facts("process-logs")["sepsis"]
    got = door(
        "process-logs/sepsis.csv.gz",
        customer="case_id",
        time="timestamp",
        event="activity",
        tz="UTC",
    )
    assert (got.rows, len(got.rejected)) == (known["events"], 0)
    assert len(got.journeys) == known["cases"]
    assert len(got.journeys.event.vocabulary) == known["activities"]
    sizes = dict(zip(got.journeys.customer.to_list(), np.diff(got.journeys.offsets), strict=True))
    assert sizes["NA"] == known["events_of_the_case_called_NA"]
    assert "customer 'NA' (rows: 24) is taken for a customer of that name" in got.notes[0]
    seconds = got.journeys.time.astype("M8[s]")
    assert str(seconds.min()).replace("T", " ") == known["first"]
    assert str(seconds.max()).replace("T", " ") == known["last"]


def test_the_same_log_as_csv_and_as_xes() -> None:
    roles = {"customer": "case:concept:name", "time": "time:timestamp", "event": "concept:name"}
    plain = door("process-logs/running-example.csv.gz", **roles)
    assert plain.journeys == door("process-logs/running-example.xes.gz", **roles).journeys


def test_logs_of_objects() -> None:
    packed = shared("data/process-logs/example_log.jsonocel.gz")
    for kind, journeys in (("order", 3), ("element", 9), ("delivery", 3)):
        found = [
            read_ocel(path, kind, tz="UTC")
            for path in (packed, packed.with_name("example_log.xmlocel.gz"))
        ]
        assert found[0].journeys == found[1].journeys
        assert len(found[0].journeys) == journeys
        assert found[0].rows == found[0].journeys.touchpoints + len(found[0].rejected)
    second = shared("data/process-logs/ocel20_example.jsonocel.gz")
    for kind, objects, events in (
        ("Invoice", 3, 9),
        ("Payment", 3, 3),
        ("Purchase Order", 2, 5),
        ("Purchase Requisition", 1, 3),
    ):
        got = read_ocel(second, kind)
        assert (len(got.journeys), got.journeys.touchpoints) == (objects, events)
        assert got.rows == 13  # none touches two of one type, so rows are events


def test_objects_in_a_csv() -> None:
    known = facts("process-logs")["ocel_order_simulated"]
    table = read_table(shared("data/process-logs/ocel_order_simulated.csv.gz"))
    assert list(table) == known["columns"]
    got = door(
        "process-logs/ocel_order_simulated.csv.gz",
        customer="ocel:eid",
        time="ocel:timestamp",
        event="ocel:activity",
        value="price",
    )
    assert (got.rows, len(got.rejected)) == (known["rows"], 0)
    lists = [
        json.loads(text.replace("'", '"')) for text in table["ocel:type:orders"] if text != " "
    ]
    at = [row for row, text in enumerate(table["ocel:type:orders"]) if text != " "]
    orders = cx.interop.unfold(
        {
            "order": lists,
            "time": [table["ocel:timestamp"][row] for row in at],
            "event": [table["ocel:activity"][row] for row in at],
        },
        "order",
    )
    journeys = cx.ingest(orders, customer="order", time="time", event="event").journeys
    assert journeys.touchpoints == sum(map(len, lists))
    assert len(journeys) == len({order for found in lists for order in found})


RETAIL = "online-retail-2009-2010/online_retail_2009_2010.parquet"


def test_online_retail_accounts_for_every_row_without_a_customer() -> None:
    pytest.importorskip("pyarrow")
    known = facts("online-retail-2009-2010")
    got = door(
        RETAIL,
        customer="Customer ID",
        time="InvoiceDate",
        value="Price",
        tz="Europe/London",
        columns={"country": "Country"},
    )
    assert got.rows == known["rows"]
    assert got.rejected.counts() == {("Customer ID", "no customer"): known["null_customer_rows"]}
    assert got.journeys.touchpoints == known["rows"] - known["null_customer_rows"]
    assert len(got.journeys) == known["customers"]
    assert got.journeys.customer.vocabulary.labels.dtype.kind == "i"


def test_online_retail_by_invoice() -> None:
    pytest.importorskip("pyarrow")
    known = facts("online-retail-2009-2010")
    names = ("StockCode", "Description", "Quantity", "Customer ID", "Country")
    got = door(
        RETAIL,
        customer="Invoice",
        time="InvoiceDate",
        value="Price",
        tz="UTC",
        columns={name: name for name in names if name != "Customer ID"} | {"who": "Customer ID"},
    )
    journeys = got.journeys
    assert len(got.rejected) == 0
    assert len(journeys) == known["invoices"]
    assert got.duplicates == known["duplicates"]
    assert len(journeys.codes("Country").vocabulary) == known["countries"]
    assert int(journeys.codes("Description").is_missing().sum()) == known["null_description"]
    check_instants(journeys, known, tz="UTC")
    quantity = np.array(journeys.codes("Quantity").to_list())
    assert int((quantity < 0).sum()) == known["negative_quantity_rows"]
    assert int((journeys.value < 0).sum()) == known["negative_price_rows"]
    assert int((journeys.value == 0).sum()) == known["zero_price_rows"]
    assert round(float(quantity @ journeys.value), 2) == known["gross"]
    invoices = np.array(journeys.customer.to_list())
    cancelled = np.char.startswith(invoices, "C")
    assert int(np.diff(journeys.offsets)[cancelled].sum()) == known["cancellation_rows"]
    assert int(np.isnan(journeys["who"]).sum()) == known["null_customer_rows"]  # type: ignore[arg-type]


def test_complete_journey_purchases() -> None:
    known = facts("complete-journey")
    got = door(
        "complete-journey/transactions_sample.csv.gz",
        customer="household_id",
        time="transaction_timestamp",
        value="sales_value",
        tz="UTC",
        columns=["basket_id", "quantity"],
    )
    journeys = got.journeys
    assert (got.rows, len(got.rejected)) == (known["transactions"], 0)
    assert len(journeys) == known["households_in_sample"]
    assert len(journeys.codes("basket_id").vocabulary) == known["baskets"]
    assert round(float(journeys.value.sum()), 2) == known["sales_value"]
    assert Counter(journeys.codes("quantity").to_list())["0.0"] == known["zero_quantity_rows"]
    check_instants(journeys, known, tz="UTC")


def test_complete_journey_campaigns_and_coupons() -> None:
    known = facts("complete-journey")
    table = {
        name: read_table(shared(f"data/complete-journey/{name}.csv.gz"))
        for name in (
            "campaigns",
            "campaign_descriptions",
            "coupons",
            "demographics",
            "products",
            "promotions_sample",
        )
    }
    pairs = set(zip(*table["campaigns"].values(), strict=True))
    assert len(pairs) == len(table["campaigns"]["campaign_id"]) == known["campaign_household_pairs"]
    assert len(set(table["campaigns"]["campaign_id"])) == known["campaigns"]
    assert len(set(table["campaigns"]["household_id"])) == known["households_in_a_campaign"]
    assert Counter(table["campaign_descriptions"]["campaign_type"]) == known["campaign_types"]
    coupons = list(zip(*table["coupons"].values(), strict=True))
    assert len(coupons) == known["coupons"]
    assert len(coupons) - len(set(coupons)) == known["coupon_duplicates"]
    people = table["demographics"]
    assert len(people["household_id"]) == known["demographics"]
    assert {n: c.count("") for n, c in people.items() if "" in c} == known["demographics_nulls"]
    assert len(table["products"]["product_id"]) == known["products"]
    assert len(table["promotions_sample"]["week"]) == known["promotions"]
    got = door(
        "complete-journey/coupon_redemptions.csv.gz",
        customer="household_id",
        time="redemption_date",
        event="campaign_id",
        tz="UTC",
    )
    assert (got.rows, len(got.rejected)) == (known["redemptions"], 0)
    assert len(got.journeys) == known["households_redeeming"]
    outside = [
        touch
        for journey in got.journeys
        for touch in journey
        if (touch.event, touch.customer) not in pairs
    ]
    assert len(outside) == known["redemptions_by_households_not_in_that_campaign"]


def test_upworthy_numbers_with_commas_are_not_guessed() -> None:
    known = facts("upworthy-ga-daily")
    roles = {"customer": "Day Index", "time": "Day Index", "time_format": "%m/%d/%y", "tz": "UTC"}
    got = door("upworthy-ga-daily/daily-pageviews.csv.gz", value="Pageviews", **roles)
    assert got.rows == known["days"]
    assert set(got.rejected.reason) == {"not a number"}  # "92,812" is 92.812 in half of Europe
    users = read_table(shared("data/upworthy-ga-daily/daily-users-info.csv.gz"))
    views = read_table(shared("data/upworthy-ga-daily/daily-pageviews.csv.gz"))

    def number(text: str) -> str:
        return text.replace(",", "")

    site = {
        "site": ["upworthy"] * len(users["Users"]),
        "day": users["Day Index"],
        "users": [number(text) for text in users["Users"]],
        "sessions": users["Sessions"],
    }
    read_site = cx.ingest(
        site,
        customer="site",
        time="day",
        time_format="%m/%d/%y",
        tz="UTC",
        value="users",
        columns=["sessions"],
        null_values=["N/A"],
    )
    assert (read_site.rows, len(read_site.rejected)) == (known["days"], 0)
    assert float(read_site.journeys.value.sum()) == known["users_sum"]
    assert int(read_site.journeys.codes("sessions").is_missing().sum()) == known["null_sessions"]
    days = read_site.journeys.time.astype("M8[D]").astype(str)
    assert (min(days), max(days)) == (known["first"], known["last"])
    counts = [int(number(text)) for text in views["Pageviews"] if text]
    assert sum(counts) == known["pageviews_sum_file1"]
    assert users["Day Index"] == views["Day Index"]
    both = list(zip(users["Pageviews"], views["Pageviews"], strict=True))
    assert sum(a not in {b, "N/A"} for a, b in both) == known["days_where_files_disagree"]


@pytest.mark.parametrize("batch", ["turk_2017_09_29", "turk_2017_11_05"])
def test_miniwob_actions(batch: str) -> None:
    known = facts("miniwob-actions")[batch]
    got = door(
        f"miniwob-actions/{batch}_events.csv.gz",
        customer="demo_id",
        time="time_ms",
        time_unit="ms",
        event="type",
        columns=["timing", "seq"],
    )
    journeys = got.journeys
    assert (got.rows, len(got.rejected)) == (known["events"], 0)
    assert Counter(journeys.event.to_list()) == known["types"]
    capture = journeys.codes("timing").equals("1")
    assert int(capture.sum()) == known["capture_phase_events"]
    assert int((~capture).sum()) == known["bubble_phase_events"]
    assert int((capture & journeys.event.equals("click")).sum()) == known["clicks_capture"]
    demos = read_table(shared(f"data/miniwob-actions/{batch}_demos.csv.gz"))
    assert len(demos["demo_id"]) == known["demos"]
    assert set(journeys.customer.to_list()) <= set(demos["demo_id"])
    assert Counter(demos["task"]) == known["tasks"]
    assert len(set(demos["assignment_id"])) == known["assignments"]
    # Rows are sorted by time and stable, so numbers out of order are times that ran backwards.
    seq = np.array(journeys.codes("seq").to_list(), np.int64)
    back = np.diff(seq) < 0
    back[journeys.offsets[1:-1] - 1] = False
    of = np.searchsorted(journeys.offsets, np.flatnonzero(back), side="right")
    assert len(np.unique(of)) == known["demos_with_backward_time"]
    durations = np.array([float(text or "nan") for text in demos["duration_ms"]])
    assert int(np.isnan(durations).sum()) == known["null_duration"]
    assert int((durations < 0).sum()) == known["negative_duration_demos"]
    assert float(np.nanmedian(durations)) == known["median_duration_ms"]
    rewards = Counter(demos["raw_reward"])
    assert rewards["1"] == known["success_raw_reward_1"]
    assert sum(rewards.values()) - rewards["1"] == known["failed"]
