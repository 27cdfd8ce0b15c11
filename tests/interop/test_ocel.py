"""Logs of objects: an event is a touchpoint of each object of the chosen type."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import cxkit as cx
from cxkit.errors import DataError, DefinitionError, SchemaError
from cxkit.interop import read_ocel

T = "2024-03-01T10:00:0{}Z"
EVENTS: list[tuple[str, str, str, list[str], dict[str, Any]]] = [
    ("e1", "place", T.format(1), ["o1", "i1", "i2"], {"price": 2.5, "channel": "web"}),
    ("e2", "pack", T.format(2), ["i1"], {}),
    ("e3", "merge", T.format(3), ["o2", "o1"], {}),
    ("e4", "audit", T.format(4), [], {}),
    ("e5", "ghost", T.format(5), ["x9", "o2"], {"price": 1.0}),
]
TYPES = {"o1": "order", "o2": "order", "i1": "item", "i2": "item"}


def first_json() -> dict[str, Any]:
    return {
        "ocel:events": {
            name: {"ocel:activity": what, "ocel:timestamp": at, "ocel:omap": of, "ocel:vmap": more}
            for name, what, at, of, more in EVENTS
        },
        "ocel:objects": {name: {"ocel:type": kind} for name, kind in TYPES.items()},
    }


def second_json() -> dict[str, Any]:
    return {
        "events": [
            {
                "id": name,
                "type": what,
                "time": at,
                "relationships": [{"objectId": one, "qualifier": "of"} for one in of],
                "attributes": [{"name": key, "value": value} for key, value in more.items()],
            }
            for name, what, at, of, more in EVENTS
        ],
        "objects": [{"id": name, "type": kind} for name, kind in TYPES.items()],
        "objectTypes": [],
        "eventTypes": [],
    }


def first_xml() -> str:
    def cell(key: str, value: Any) -> str:
        tag = "float" if isinstance(value, float) else "string"
        return f'<{tag} key="{key}" value="{value}"/>'

    def event(name: str, what: str, at: str, of: list[str], more: dict[str, Any]) -> str:
        objects = "".join(f'<string key="object-id" value="{one}"/>' for one in of)
        values = "".join(cell(key, value) for key, value in more.items())
        return (
            f'<event><string key="id" value="{name}"/><date key="timestamp" value="{at}"/>'
            f'<string key="activity" value="{what}"/><list key="omap">{objects}</list>'
            f'<list key="vmap">{values}</list></event>'
        )

    objects = "".join(
        f'<object><string key="id" value="{name}"/><string key="type" value="{kind}"/>'
        '<list key="ovmap"><string key="id" value="a trap"/></list></object>'
        for name, kind in TYPES.items()
    )
    head = '<global scope="event"><string key="activity" value="__INVALID__"/></global>'
    events = "".join(event(*found) for found in EVENTS)
    return f"<log>{head}<events>{events}</events><objects>{objects}</objects></log>"


def second_xml(related: str = "relationship") -> str:
    def event(name: str, what: str, at: str, of: list[str], more: dict[str, Any]) -> str:
        objects = "".join(f'<{related} object-id="{one}" qualifier="of"/>' for one in of)
        values = "".join(f'<attribute name="{k}">{v}</attribute>' for k, v in more.items())
        return (
            f'<event id="{name}" type="{what}" time="{at}"><attributes>{values}</attributes>'
            f"<objects>{objects}</objects></event>"
        )

    things = "".join(
        f'<object id="{name}" type="{kind}"><attributes><attribute name="id" time="{T.format(0)}">'
        f'a trap</attribute></attributes><objects><{related} object-id="i1" qualifier="a trap"/>'
        "</objects></object>"
        for name, kind in TYPES.items()
    )
    kinds = "".join(
        f'<event-type name="{what}"><attributes><attribute name="price" type="float"/>'
        "</attributes></event-type>"
        for what in ("place", "ghost")
    )
    events = "".join(event(*found) for found in EVENTS)
    return (
        '<log><object-types><object-type name="order"><attributes><attribute name="price" '
        f'type="boolean"/></attributes></object-type></object-types><event-types>{kinds}'
        f"</event-types><objects>{things}</objects><events>{events}</events></log>"
    )


def write_sqlite(path: Path, change: str = "") -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.executescript(
            """
            CREATE TABLE event (ocel_id TEXT, ocel_type TEXT);
            CREATE TABLE object (ocel_id TEXT, ocel_type TEXT);
            CREATE TABLE event_object (
                ocel_event_id TEXT, ocel_object_id TEXT, ocel_qualifier TEXT
            );
            CREATE TABLE event_map_type (ocel_type TEXT, ocel_type_map TEXT);
            """
        )
        database.executemany("INSERT INTO object VALUES (?, ?)", TYPES.items())
        for name, what, at, of, more in EVENTS[::-1]:
            database.execute("INSERT INTO event VALUES (?, ?)", (name, what))
            database.execute("INSERT INTO event_map_type VALUES (?, ?)", (what, what.title()))
            database.execute(
                f'CREATE TABLE "event_{what.title()}" '
                "(ocel_id TEXT, ocel_time TEXT, price REAL, channel TEXT)"
            )
            database.execute(
                f'INSERT INTO "event_{what.title()}" VALUES (?, ?, ?, ?)',  # noqa: S608  # ours
                (name, at, more.get("price"), more.get("channel")),
            )
            database.executemany(
                "INSERT INTO event_object VALUES (?, ?, 'of')", [(name, one) for one in of]
            )
        database.executescript(change)


FORMS = {
    "log.jsonocel": lambda: json.dumps(first_json()),
    "log.json": lambda: json.dumps(second_json()),
    "log.xmlocel": first_xml,
    "log.xml": second_xml,
    "schema.xml": lambda: second_xml("object"),
}


def write(path: Path) -> None:
    if path.suffix == ".sqlite":
        write_sqlite(path)
    else:
        path.write_text(FORMS[path.name]())


@pytest.mark.parametrize("name", [*FORMS, "log.sqlite"])
def test_one_journey_per_object_of_the_type(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    write(path)
    got = read_ocel(path, "order", value="price", channel="channel?", columns={"id": "ocel:eid"})
    assert [
        (touch.customer, touch.event, touch.properties["id"])
        for journey in got.journeys
        for touch in journey
    ] == [
        ("o1", "place", "e1"),
        ("o1", "merge", "e3"),
        ("o2", "merge", "e3"),
        ("o2", "ghost", "e5"),
    ]
    assert got.journeys.value.tolist()[0] == 2.5
    assert got.journeys.channel.to_list() == ["web", None, None, None]
    assert got.rows == got.journeys.touchpoints + len(got.rejected) == 6
    assert [(r["found"], r["reason"]) for r in got.rejected.to_dicts()] == [
        (event, "an event without any object of type 'order'") for event in ("e2", "e4")
    ]
    assert got.notes == (
        (
            "events that touch several objects of type 'order' are in the journey of each: "
            "3 events, 4 touchpoints"
        ),
        "objects that events name and the log does not describe, left out: 1",
    )
    assert len(read_ocel(path, "item").journeys) == 2


def test_an_object_named_twice_counts_once(tmp_path: Path) -> None:
    data = second_json()
    data["events"][1]["relationships"] *= 2
    path = tmp_path / "log.jsonocel"
    path.write_text(json.dumps(data))
    got = read_ocel(path, "item", columns={"as": "ocel:qualifier"})
    assert got.journeys.touchpoints == 3
    assert got.journeys["as"].to_list() == ["of"] * 3


def test_times_without_a_zone_need_one(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonocel"
    path.write_text(json.dumps(first_json()).replace('Z"', '"'))
    with pytest.raises(SchemaError, match="naive times"):
        read_ocel(path, "order")
    assert read_ocel(path, "order", tz="UTC").journeys.touchpoints == 4


@pytest.mark.parametrize(
    ("name", "content", "error", "message"),
    [
        ("a.jsonocel", "{}", DataError, "neither 'ocel:events'"),
        ("a.json", '{"events": 5}', DataError, "neither 'ocel:events'"),
        ("a.json", '{"events": [1]}', DataError, "not built as OCEL"),
        ("a.json", '{"events": [{"relationships": [{}]}]}', DataError, "not built as OCEL"),
        ("a.json", '{"events": [{"relationships": [{"objectId": []}]}]}', DataError, "not built"),
        ("a.jsonocel", '{"ocel:events": []}', DataError, "not built as OCEL"),
        ("a.jsonocel", '{"ocel:events"', DataError, "is no JSON"),
        ("a.jsonocel", '{"a":' * 9999, DataError, "is no JSON"),
        ("a.jsonocel", "[1]", DataError, "is no JSON object"),
        ("a.xmlocel", "<log/>", DataError, "has no <events>"),
        (
            "a.xml",
            "<log><events><event><objects><relationship/></objects></event></events></log>",
            DataError,
            "not built as OCEL is: <relationship> of event None has no object-id",
        ),
        ("a.sqlite", "SQLite format 3\0", DataError, "cannot be read by SQLite"),
        ("a.sqlite", "PAR1", DataError, "is no SQLite.*seems to be a parquet file"),
        ("a.sqlite.gz", "", DataError, "all but SQLite also as .gz"),
        ("a.xmlocel", "<!DOCTYPE log><log/>", DataError, "document type"),
        ("a.xmlocel", "<log><events>", DataError, "no well-formed XML"),
        ("a.csv", "a,b\n", DataError, "read_ocel takes .jsonocel"),
        (
            "a.json",
            '{"events": [], "objects": [{"id": 1, "type": "order"}]}',
            DefinitionError,
            r"no object of type 'orders'; 'a.json' has \['order'\]. Did you mean 'order'\?",
        ),
    ],
)
def test_what_is_no_log_of_objects(
    tmp_path: Path, name: str, content: str, error: type[Exception], message: str
) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(error, match=message):
        read_ocel(path, "orders")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("DROP TABLE event_object", "has no table 'event_object'; it has"),
        ('DROP TABLE "event_Pack"', "has no table 'event_Pack'"),
        ("ALTER TABLE event RENAME ocel_type TO kind", "'event' has no column 'ocel_type'; it has"),
    ],
)
def test_a_database_that_is_no_log_of_objects(tmp_path: Path, change: str, message: str) -> None:
    path = tmp_path / "log.sqlite"
    write_sqlite(path, change)
    before = path.read_bytes()
    with pytest.raises(DataError, match=f"not built as OCEL is.*{message}"):
        read_ocel(path, "order")
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_database_with_rows_that_belong_to_nothing(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    write_sqlite(
        path,
        "INSERT INTO event_object VALUES ('e99', 'o1', NULL);"
        "INSERT INTO \"event_Pack\" VALUES ('e98', '2024-03-01', NULL, NULL);",
    )
    got = read_ocel(path, "order", value="price", columns={"as": "ocel:qualifier"})
    assert (got.rows, got.journeys.touchpoints) == (6, 4)
    assert set(got.journeys["as"].to_list()) == {"of"}


def test_attributes_of_the_second_xml_have_their_kinds(tmp_path: Path) -> None:
    path = tmp_path / "log.xml"
    path.write_text(
        '<log><event-types><event-type name="e"><attributes><attribute name="n" type="integer"/>'
        '<attribute name="b" type="boolean"/></attributes></event-type></event-types><objects>'
        '<object id="o" type="order"/></objects><events><event id="1" type="e" '
        'time="2024-01-01T00:00Z"><attributes><attribute name="n">7</attribute>'
        '<attribute name="b">true</attribute><attribute name="x">a&amp;<!-- -->b</attribute>'
        '</attributes><objects><relationship object-id="o"/></objects></event>'
        '<event id="2" type="e" time="2024-01-02T00:00Z"><attributes>'
        '<attribute name="n">8</attribute></attributes><objects>'
        '<relationship object-id="o" qualifier="q"/></objects></event></events></log>'
    )
    got = read_ocel(path, "order", columns=["n", "b", "x", "ocel:qualifier"]).journeys
    assert got["n"].to_list() == [7, 8]
    assert got["b"].to_list() == ["True", None]
    assert got["x"].to_list() == ["a&b", None]
    assert got["ocel:qualifier"].to_list() == [None, "q"]
    path.write_text(path.read_text().replace(">8<", ">many<"))
    assert read_ocel(path, "order", columns=["n"]).journeys["n"].to_list() == ["7", "many"]


def test_a_log_without_events(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"events": [], "objects": [{"id": 1, "type": "order"}]}')
    got = read_ocel(path, "order")
    assert (got.rows, len(got.journeys)) == (0, 0)


def test_ids_are_read_as_any_other_column(tmp_path: Path) -> None:
    data = second_json()
    data["objects"].append({"id": 5, "type": "order"})
    data["events"][0]["relationships"].append({"objectId": 5})
    path = tmp_path / "a.json"
    path.write_text(json.dumps(data))
    assert "5" in read_ocel(path, "order").journeys.customer.to_list()


def test_read_events_says_who_reads_such_logs(tmp_path: Path) -> None:
    path = tmp_path / "log.xmlocel"
    path.write_text(first_xml())
    with pytest.raises(DataError, match=r"read_ocel reads .jsonocel and .xmlocel"):
        cx.read_events(path, customer="a", time="b")
