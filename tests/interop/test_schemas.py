"""Presets read what the tools write, and name the fields that the mapping names."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import cxkit as cx
from cxkit.errors import DefinitionError, SchemaError
from cxkit.interop import SCHEMAS, read, schema, unfold
from tests.shared import shared

SEGMENT: list[dict[str, Any]] = [
    {
        "type": "track",
        "event": "Order Completed",
        "userId": "ann",
        "anonymousId": "a-1",
        "messageId": "m1",
        "channel": "server",
        "timestamp": "2024-03-01T10:00:00.250Z",
        "originalTimestamp": "2001-01-01T00:00:00Z",
        "context": {
            "campaign": {"name": "spring", "source": "news", "medium": "email"},
            "sessionId": 17,
        },
        "properties": {"revenue": 25.5, "value": 999, "currency": "EUR"},
    },
    {
        "type": "page",
        "name": "Home",
        "userId": None,
        "anonymousId": "a-1",
        "messageId": "m2",
        "channel": "client",
        "timestamp": "2024-03-01T09:00:00Z",
        "context": {"library": {"name": "x"}},
        "properties": {},
    },
    {
        "type": "track",
        "event": "Deposit",
        "userId": "bob",
        "anonymousId": "a-2",
        "timestamp": "2024-03-01T11:00:00Z",
        "properties": {"value": 3},
    },
]
GA4: list[dict[str, Any]] = [
    {
        "event_timestamp": "1709287200000001",  # BigQuery writes 64-bit numbers as text in JSON
        "event_name": "purchase",
        "user_id": "ann",
        "user_pseudo_id": "111.222",
        "event_value_in_usd": 12.5,
        "event_params": [
            {"key": "ga_session_id", "value": {"int_value": "1709287199"}},
            {"key": "value", "value": {"double_value": 11.0}},
            {"key": "currency", "value": {"string_value": "EUR"}},
        ],
        "collected_traffic_source": {"manual_medium": "email", "manual_campaign_name": "spring"},
        "traffic_source": {"medium": "organic", "name": "(first)", "source": "google"},
        "platform": "WEB",
    },
    {
        "event_timestamp": "1709283600000000",
        "event_name": "page_view",
        "user_pseudo_id": "111.222",
        "event_params": [{"key": "ga_session_id", "value": {"int_value": "1709283600"}}],
        "traffic_source": {"medium": "organic", "name": "(first)", "source": "google"},
        "platform": "WEB",
    },
]
XDM: list[dict[str, Any]] = [
    {
        "_id": "x1",
        "timestamp": "2024-03-01T10:00:00Z",
        "eventType": "commerce.purchases",
        "identityMap": {
            "ECID": [{"id": "e1", "primary": False}],
            "Email": [{"id": "ann@example.org", "primary": True}],
        },
        "channel": {"@type": "https://ns.adobe.com/xdm/channel-types/email"},
        "commerce": {"order": {"priceTotal": 40.0, "currencyCode": "EUR"}},
        "marketing": {"trackingCode": "tc"},
    },
    {
        "_id": "x2",
        "timestamp": "2024-03-01T11:00:00Z",
        "eventType": "web.webpagedetails.pageViews",
        "identityMap": {"ECID": [{"id": "e1", "primary": True}]},
    },
]
XCONNECT: list[dict[str, Any]] = [
    {
        "Id": "i1",
        "Contact": {"Id": "c1"},
        "ChannelId": "ch1",
        "Initiator": "Contact",
        "Events": [
            {"DefinitionId": "g1", "Timestamp": "2024-03-01T10:00:00Z", "EngagementValue": 10},
            {
                "DefinitionId": "o1",
                "Timestamp": "2024-03-01T10:01:00Z",
                "EngagementValue": 0,
                "MonetaryValue": 99.5,
                "CurrencyCode": "EUR",
            },
        ],
    },
    {"Id": "i2", "Contact": {"Id": "c2"}, "ChannelId": "ch2", "Events": []},
]


def lines(folder: Path, rows: list[dict[str, Any]]) -> Path:
    path = folder / "log.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def arrow(rows: list[dict[str, Any]]) -> Any:
    return pytest.importorskip("pyarrow").Table.from_pylist(rows)


def touch(got: cx.Ingested) -> list[tuple[Any, ...]]:
    assert got.rows == got.journeys.touchpoints + len(got.rejected)
    return [
        (t.customer, t.event, t.channel, None if t.value != t.value else t.value)
        for journey in got.journeys
        for t in journey
    ]


def test_segment(tmp_path: Path) -> None:
    got = read(lines(tmp_path, SEGMENT), schema="segment")
    assert touch(got) == [
        ("ann", "Order Completed", "email", 25.5),
        ("bob", "Deposit", None, 3.0),
    ]
    assert got.rejected.reason == ("no customer",)
    assert got.journeys.codes("session_id").to_list() == [17, None]
    assert str(got.journeys.time[0]) == "2024-03-01T10:00:00.250000"
    for same in (SEGMENT, arrow(SEGMENT)):
        assert cx.ingest(same, **schema("rudderstack")).journeys == got.journeys
    unknown = read(lines(tmp_path, SEGMENT), schema="segment", anonymous=True, carry="account_id")
    assert [found[:2] for found in touch(unknown)] == [
        ("a-1", "page"),
        ("a-1", "Order Completed"),
        ("a-2", "Deposit"),
    ]
    assert unknown.journeys.column_names[-1] == "account_id"


def test_segment_in_a_warehouse(tmp_path: Path) -> None:
    path = tmp_path / "tracks.csv"
    path.write_text(
        "id,user_id,anonymous_id,event,timestamp,context_campaign_medium,revenue\n"
        "1,ann,a1,order_completed,2024-03-01 10:00:00+00,email,5\n"
        "2,,a1,viewed,2024-03-01 09:00:00+00,,\n"
    )
    got = read(path, schema="segment")
    assert touch(got) == [("ann", "order_completed", "email", 5.0)]


def test_ga4(tmp_path: Path) -> None:
    known = read(lines(tmp_path, GA4), schema="ga4")
    assert touch(known) == [("ann", "purchase", "email", 12.5)]
    assert str(known.journeys.time[0]) == "2024-03-01T10:00:00.000001"
    every = read(lines(tmp_path, GA4), schema="ga4", anonymous=True)
    assert touch(every) == [
        ("111.222", "page_view", "organic", None),
        ("111.222", "purchase", "email", 12.5),
    ]
    assert every.journeys.codes("session_id").to_list() == ["1709283600", "1709287199"]
    assert every.journeys.codes("campaign").to_list() == ["(first)", "spring"]
    assert cx.ingest(arrow(GA4), **schema("ga4", anonymous=True)).journeys == every.journeys
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(arrow(GA4), tmp_path / "events.parquet")
    stored = read(tmp_path / "events.parquet", schema="ga4", anonymous=True)
    assert stored.journeys == every.journeys


def test_ga4_where_the_currency_was_never_converted() -> None:
    rows = [{k: v for k, v in GA4[0].items() if k != "event_value_in_usd"}]
    assert cx.ingest(rows, **schema("ga4")).journeys.value.tolist() == [11.0]


@pytest.mark.parametrize("times", [[1, "2"], ["1", "2"], [1, 2]], ids=repr)
def test_ga4_with_whole_numbers_as_text(tmp_path: Path, times: list[Any]) -> None:
    """BigQuery's own JSON writes INT64 as text."""
    rows = [{"user_id": "u", "event_timestamp": at, "event_name": "open"} for at in times]
    roles = schema("ga4")
    for got in (cx.ingest(rows, **roles), read(lines(tmp_path, rows), schema="ga4")):
        assert len(got.rejected) == 0
        assert got.journeys.time.astype(int).tolist() == [1, 2]


def test_xdm_with_and_without_its_prefix(tmp_path: Path) -> None:
    got = read(lines(tmp_path, XDM), schema="xdm")
    assert [found[:2] for found in touch(got)] == [
        ("ann@example.org", "commerce.purchases"),
        ("e1", "web.webpagedetails.pageViews"),
    ]
    assert got.journeys.value.tolist()[0] == 40.0
    assert got.journeys.channel.to_list()[0] == "https://ns.adobe.com/xdm/channel-types/email"
    assert got.journeys.codes("campaign").to_list() == ["tc", None]
    prefixed = [
        {
            f"xdm:{name}" if name in {"timestamp", "eventType", "identityMap"} else name: value
            for name, value in row.items()
        }
        for row in XDM
    ]
    assert cx.ingest(prefixed, **schema("adobe")).journeys == got.journeys
    device = cx.ingest(XDM, **schema("xdm", anonymous=True))
    assert device.journeys.customer.to_list() == ["e1"]
    mail = schema("xdm", customer="identityMap.Email.0.id")
    assert cx.ingest(XDM, **mail).journeys.customer.to_list() == ["ann@example.org"]
    assert cx.ingest(arrow(XDM), **schema("xdm")).journeys == got.journeys


def test_snowplow_times_are_utc_without_saying_so(tmp_path: Path) -> None:
    path = tmp_path / "events.tsv"
    path.write_text(
        "event_id\tuser_id\tdomain_userid\tderived_tstamp\tcollector_tstamp\tevent_name\t"
        "mkt_medium\ttr_total\tdomain_sessionid\n"
        "e1\tann\td1\t2024-03-01 10:00:00.5\t2024-03-02 00:00:00\ttransaction\temail\t9\ts1\n"
        "e2\t\td1\t2024-03-01 09:00:00\t2024-03-02 00:00:00\tpage_view\t\t\ts1\n"
    )
    got = read(path, schema="snowplow")
    assert touch(got) == [("ann", "transaction", "email", 9.0)]
    assert str(got.journeys.time[0]) == "2024-03-01T10:00:00.500000"
    every = read(path, schema="snowplow", anonymous=True)
    assert [found[1] for found in touch(every)] == ["page_view", "transaction"]
    assert every.journeys.codes("session_id").to_list() == ["s1", "s1"]


def test_xconnect_is_unfolded_to_its_events(tmp_path: Path) -> None:
    path = lines(tmp_path, XCONNECT)
    path.write_text(path.read_text() + "\nbroken\n")
    got = read(path, schema="xconnect")
    assert touch(got) == [("c1", "g1", "ch1", None), ("c1", "o1", "ch1", 99.5)]
    assert got.journeys.codes("session_id").to_list() == ["i1", "i1"]
    assert got.journeys.codes("engagement_value").to_list() == [10, 0]
    assert [(r["row"], r["reason"]) for r in got.rejected.to_dicts()] == [
        (2, "no time"),
        (3, "not JSON"),
    ]
    for same in (XCONNECT, arrow(XCONNECT)):
        again = cx.ingest(unfold(same, "Events"), **schema("sitecore"))
        assert again.journeys == got.journeys
        assert again.rejected.reason == ("no time",)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"x": [1]}, r"no column 'y' for unfolding"),
        ({"y": [[1], 5]}, r"column 'y' for unfolding holds 5 \(int\), not lists"),
        ({"y": ["ab"]}, r"holds 'ab' \(str\), not lists"),
    ],
)
def test_what_cannot_be_unfolded(table: dict[str, Any], message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        unfold(table, "y")


def test_unfolding_loses_no_row() -> None:
    table = unfold({"y": [[], None, [1, 2], (3,)], "x": list("abcd")}, "y")
    assert table.column("y", "y").to_list() == [None, None, 1, 2, 3]
    assert table.column("x", "x").to_list() == list("abccd")
    empty = unfold({"y": [None, None], "x": [1, 2]}, "y")
    assert empty.column("y", "y").to_list() == [None, None]
    assert unfold({"y": [], "x": []}, "y").rows == 0


def test_what_there_is_not() -> None:
    with pytest.raises(DefinitionError, match=r"no schema 'segmen'.*Did you mean 'segment'\?"):
        schema("segmen")
    with pytest.raises(DefinitionError, match=r"no column 'sesion_id' to carry.*'session_id'"):
        schema("ga4", carry=["sesion_id"])
    with pytest.raises(DefinitionError, match="'xes' knows no anonymous customer"):
        schema("xes", anonymous=True)
    with pytest.raises(DefinitionError, match="needs object_type="):
        read("log.jsonocel", schema="ocel")
    with pytest.raises(SchemaError, match=r"no column 'user_id' for customer"):
        cx.ingest([{"event_name": "x"}], **schema("ga4"))


def test_changes_take_the_place_of_the_preset() -> None:
    roles = schema("snowplow", tz="Europe/Paris", customer="network_userid", event=None)
    assert (roles["tz"], roles["customer"], roles["event"]) == (
        "Europe/Paris",
        "network_userid",
        None,
    )


TOOLS = {
    "segment": "Segment / RudderStack",
    "ga4": "GA4 export",
    "xdm": "Adobe XDM ExperienceEvent",
    "snowplow": "Snowplow",
    "xconnect": "Sitecore xConnect",
}
THINGS = {
    "customer": "customer_id",
    "anonymous_id": "anonymous_id",
    "time": "timestamp",
    "event": "event_type",
    "value": "value, currency",
    "session_id": "session_id",
    "channel": "channel",
}


@pytest.mark.parametrize("name", TOOLS)
def test_the_fields_are_those_of_the_mapping(name: str) -> None:
    """The last step of one alternative at least is a word of the mapping's cell."""
    mapping = json.loads(shared("oracles/domain/field_mapping.json").read_text())
    cells = {row["cxkit"]: row[TOOLS[name]] for row in mapping}
    for field, thing in THINGS.items():
        path = SCHEMAS[name].fields.get(field)
        if path is None:
            continue
        words = set(re.findall(r"\w+", cells[thing]))
        steps = {step for one in path.rstrip("?").split("|") for step in re.findall(r"\w+", one)}
        assert steps & words, (field, path, cells[thing])


def test_every_preset_is_complete() -> None:
    for name, preset in SCHEMAS.items():
        assert preset.name == name
        assert preset.traps
        assert {"customer", "time", "event"} <= set(preset.fields)
        assert schema(name)["customer"] == preset.fields["customer"]
