"""What the door is fuzzed with: damaged files and tables of anything, and what must hold of both.

Used by tests/fuzz/test_door.py for seconds and by benchmarks/fuzz_door.py for as long as wanted.
"""

from __future__ import annotations

import gzip
import io
import json
import random
import sqlite3
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

import cxkit as cx
from cxkit.errors import CxError
from cxkit.interop import SCHEMAS, read_ocel, schema

CSV = b'c,t,h,v\nann,2024-03-01T10:00:00Z,web,1.5\n"b,\nob",2024-03-01 11:00+01:00,,\n,x,"q""q",9\n'
JSONL = b"\n".join(
    json.dumps(row).encode()
    for row in (
        {"c": "ann", "t": "2024-03-01T10:00:00Z", "h": "web", "v": 1.5, "n": {"a": [1, {"b": 2}]}},
        {"c": "bob", "t": "2024-03-01T11:00:00Z", "h": None, "v": 2, "n": {"a": []}},
        {"c": 7, "t": 1709287200, "v": "3"},
    )
)
XES = (
    b'<?xml version="1.0" encoding="UTF-8"?><log xmlns="http://www.xes-standard.org/"><trace>'
    b'<string key="concept:name" value="a&amp;b"/><event><string key="concept:name" value="e"/>'
    b'<date key="time:timestamp" value="2024-03-01T10:00:00+01:00"/><float key="v" value="1.5"/>'
    b'<list key="l"><values><int key="i" value="2"/></values></list></event><event/></trace></log>'
)
OCEL = json.dumps(
    {
        "events": [
            {
                "id": "e1", "type": "pay", "time": "2024-03-01T10:00Z",
                "attributes": [{"name": "v", "value": 1}],
                "relationships": [{"objectId": "o1", "qualifier": "q"}, {"objectId": "o2"}],
            },
            {"id": "e2", "type": "end", "time": "2024-03-02T10:00Z"},
        ],
        "objects": [{"id": "o1", "type": "order"}, {"id": "o2", "type": "item"}],
    }
).encode()  # fmt: skip
OCEL_XML = (
    b'<log><events><event><string key="id" value="e1"/><string key="activity" value="pay"/>'
    b'<date key="timestamp" value="2024-03-01T10:00Z"/><list key="omap"><string key="object-id" '
    b'value="o1"/></list><list key="vmap"><float key="v" value="1"/></list></event></events>'
    b'<objects><object><string key="id" value="o1"/><string key="type" value="order"/>'
    b"</object></objects></log>"
)
OCEL_XML_2 = (
    b'<log><event-types><event-type name="pay"><attributes><attribute name="v" type="float"/>'
    b'</attributes></event-type></event-types><objects><object id="o1" type="order"/></objects>'
    b'<events><event id="e1" type="pay" time="2024-03-01T10:00:00Z"><attributes>'
    b'<attribute name="v">1.5</attribute></attributes><objects><relationship object-id="o1" '
    b'qualifier="q"/></objects></event></events></log>'
)


def ocel_sqlite() -> bytes:
    """A small log of objects in SQLite."""
    database = sqlite3.connect(":memory:")
    database.executescript(
        """
        CREATE TABLE event (ocel_id TEXT, ocel_type TEXT);
        CREATE TABLE object (ocel_id TEXT, ocel_type TEXT);
        CREATE TABLE event_object (ocel_event_id TEXT, ocel_object_id TEXT, ocel_qualifier TEXT);
        CREATE TABLE event_map_type (ocel_type TEXT, ocel_type_map TEXT);
        CREATE TABLE event_Pay (ocel_id TEXT, ocel_time TIMESTAMP, v REAL);
        INSERT INTO event VALUES ('e1', 'pay');
        INSERT INTO object VALUES ('o1', 'order');
        INSERT INTO event_object VALUES ('e1', 'o1', 'q');
        INSERT INTO event_map_type VALUES ('pay', 'Pay');
        INSERT INTO event_Pay VALUES ('e1', '2024-03-01T10:00:00Z', 1.5);
        """
    )
    data = database.serialize()
    database.close()
    return data


SEEDS: dict[str, list[bytes]] = {
    ".csv": [CSV, CSV.replace(b",", b";"), b"\xef\xbb\xbf" + CSV, CSV.decode().encode("utf-16")],
    ".tsv": [CSV.replace(b",", b"\t")],
    ".jsonl": [JSONL, JSONL.replace(b"\n", b"\r\n"), b'{"c": "a", "t": "2024-01-01Z"}\n' * 3],
    ".xes": [XES, XES.replace(b"<log", b"<!DOCTYPE log><log")],
    ".jsonocel": [OCEL],
    ".xmlocel": [OCEL_XML, OCEL_XML_2],
    ".sqlite": [ocel_sqlite()],
}
TOKENS = [
    b"", b"\0", b"\n", b"\r", b"\r\n", b'"', b'""', b",", b";", b"\t", b"{", b"}", b"[", b"]", b"<",
    b">", b"/>", b"&x;", b"&#0;", b"\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\\ud800", b"NaN",
    b"1e999", b"-1", b"9" * 30, b"null", b"true", b"0000-00-00", b"2024-02-30T25:61Z",
    b"9999-12-31T23:59:59Z", b"1700-01-01", b"\xf0\x9f\x98\x80", b"c", b"t", b'"c": "x"',
    b'"t":', b"<event>", b"</event>", b"<trace>", b"</trace>", b"</log>", b"<![CDATA[", b"<!--",
]  # fmt: skip
ROLES: list[dict[str, Any]] = [
    {"customer": "c", "time": "t"},
    {"customer": "c", "time": "t", "channel": "h", "value": "v", "tz": "UTC"},
    {"customer": "c", "time": "t", "event": "h", "columns": ["v", "h"], "tz": "Europe/Paris"},
    {"customer": "c", "time": "t", "time_unit": "s", "null_values": ["ann", "x"]},
    {"customer": "h?", "time": "t", "time_format": "%Y-%m-%dT%H:%M:%SZ", "tz": "UTC"},
    {"customer": "n.a.1.b|c", "time": "t|n.a.0", "columns": {"z": "n.a.0?"}, "tz": "UTC"},
    {"customer": "case:concept:name", "time": "time:timestamp", "value": "v?"},
    *(schema(name) for name in SCHEMAS if name != "ocel"),
]


def some_roles(ending: str, rng: random.Random) -> dict[str, Any]:
    """Roles that mostly fit a seed of this ending."""
    fitting = [ROLES[6], schema("xes")] if ending == ".xes" else ROLES[:6]
    return rng.choice(fitting if rng.random() < 0.7 else ROLES)


def check_rows(got: cx.Ingested) -> None:
    """No row is lost, and the journeys are what journeys are."""
    journeys = got.journeys
    assert got.rows == journeys.touchpoints + len(got.rejected)
    assert len(np.unique(got.rejected.row)) == len(got.rejected)
    assert not journeys.customer.is_missing().any()
    assert bool((np.diff(journeys.offsets) > 0).all())
    steps = np.diff(journeys.time.view(np.int64))
    steps[journeys.offsets[1:-1] - 1] = 0
    assert not (steps < 0).any()
    for column in journeys.columns.values():
        assert len(column) == journeys.touchpoints
    assert repr(got)


def check_file(folder: Path, ending: str, data: bytes, roles: dict[str, Any], packed: str) -> bool:
    """Read a file; true if it was read, false if it was refused by name."""
    path = folder / f"log{ending}{packed}"
    path.write_bytes(gzip.compress(data, 1) if packed == ".gz" else data)
    try:
        if "ocel" in ending or ending == ".sqlite":
            check_rows(read_ocel(path, "order", tz="UTC", columns=["v?"]))
        else:
            check_rows(cx.read_events(path, **roles))
    except CxError:
        return False
    return True


def check_table(table: object, roles: dict[str, Any]) -> bool:
    """Ingest a table; true if it was read, false if it was refused by name."""
    try:
        check_rows(cx.ingest(table, **roles))
    except CxError:
        return False
    return True


def damaged(data: bytes, rng: random.Random, most: int = 4) -> bytes:
    """Bytes with a few places cut, doubled, swapped, or overwritten."""
    for _ in range(rng.randrange(most + 1)):
        a, b = sorted(rng.randrange(len(data) + 1) for _ in range(2))
        b = min(b, a + rng.choice([0, 1, 2, 5, 40, 10**6]))
        part = rng.choice([rng.choice(TOKENS), data[a:b] * 2, b"", rng.randbytes(3)])
        data = data[:a] + part + data[b:]
    return data


def from_bytes(data: bytes, folder: Path) -> bool:
    """A file out of bytes that a fuzzer guides: two choose what it is, the others are in it."""
    head, body = data[:2].ljust(2, b"\0"), data[2:]
    endings = [*sorted(SEEDS), ".parquet"]
    packed = ".gz" if head[0] & 128 else ""
    ending = endings[head[0] % len(endings)]
    return check_file(
        folder, ending, body, ROLES[head[1] % len(ROLES)], "" if ending == ".parquet" else packed
    )


def parquet_seed() -> bytes:
    """A small Parquet file, if pyarrow is there."""
    import pyarrow as pa
    from pyarrow import parquet

    table = pa.table(
        {
            "c": ["ann", "bob", None],
            "t": pa.array([0, 1, 2], pa.timestamp("us", "UTC")),
            "h": pa.array(["web", "web", None]).dictionary_encode(),
            "v": [1.5, None, 2.0],
            "n": [{"a": [1]}, None, {"a": []}],
        }
    )
    out = io.BytesIO()
    parquet.write_table(table, out, write_page_checksum=True)
    return out.getvalue()


CELLS: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(0, 2_000_000_000),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["", " ", "2024-03-01T10:00Z", "2024-03-31 02:30", "1e3", "NaN", "\ud800"]),
    st.datetimes(),
    st.datetimes(timezones=st.just(UTC)),
    st.dates(),
    st.decimals(),
    st.binary(max_size=3),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.sampled_from("ab"), st.integers() | st.text(max_size=2), max_size=2),
    st.sampled_from([np.datetime64("NaT", "us"), np.float32(1.5), np.int8(3), np.str_("x")]),
    st.sampled_from([Decimal("1E+400"), date(1, 1, 1), datetime(9999, 12, 31), 10**400, object()]),
)
COLUMN = st.one_of(
    st.lists(CELLS, min_size=3, max_size=3),
    st.lists(st.text(max_size=3), min_size=3, max_size=3),
    st.lists(st.sampled_from(["2024-03-01T10:00Z", "2024-03-02", None]), min_size=3, max_size=3),
    st.lists(st.integers(-5, 2**40), min_size=3, max_size=3),
    st.sampled_from(
        [
            np.array([1, 2, 3], "u8") << np.uint64(62),
            np.array([1.0, np.nan, np.inf]),
            np.array(["2024-03-01", "NaT", "1700-01-01"], "M8[s]"),
            np.array(["a", "", "b\0"]),
            np.array(["a", "", "b\0"], np.dtypes.StringDType()),
            np.array([b"a", b"", b"b"]),
            np.array([1, 2, 3], "m8[s]"),
            np.array([[1, 2], [3, 4], [5, 6]]),
            np.array([1j, 2, 3]),
            np.ma.MaskedArray([1, 2, 3], mask=[True, False, False]),
        ]
    ),
)
TABLE = st.fixed_dictionaries(
    {"c": COLUMN, "t": COLUMN}, optional={"h": COLUMN, "v": COLUMN, "n": COLUMN}
)
