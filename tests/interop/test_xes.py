"""XES: every event is read or rejected, and what could harm is refused."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

import cxkit as cx
from cxkit.errors import DataError, DefinitionError, SchemaError
from cxkit.interop import read_table, read_xes, write_xes

TIME = '<date key="time:timestamp" value="2024-03-01T10:00:00.5+01:00"/>'
NAME = '<string key="concept:name" value="call"/>'


def log(*traces: str, head: str = "") -> str:
    return f'<?xml version="1.0"?>{head}<log xes.version="1.0">{"".join(traces)}</log>'


def trace(name: str, *events: str, more: str = "") -> str:
    inside = "".join(f"<event>{event}</event>" for event in events)
    return f'<trace><string key="concept:name" value="{name}"/>{more}{inside}</trace>'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.xes"


def read(path: Path, text: str, **options: Any) -> cx.Ingested:
    path.write_text(text, encoding="utf-8")
    got = read_xes(path, **options)
    assert got.journeys.touchpoints + len(got.rejected) == got.rows
    return got


def test_events_without_time_or_case_are_rejected(path: Path) -> None:
    loose = f"<event>{NAME}{TIME}</event>"
    unnamed = f"<trace><event>{NAME}{TIME}</event></trace>"
    got = read(path, log(trace("a", NAME + TIME, NAME), unnamed, loose, trace("b", TIME)))
    assert got.rejected.to_dicts() == [
        {"row": 1, "column": "time:timestamp", "found": "", "reason": "no time"},
        {"row": 2, "column": "case:concept:name", "found": "", "reason": "no customer"},
        {"row": 3, "column": "case:concept:name", "found": "", "reason": "no customer"},
    ]
    assert got.journeys.customer.to_list() == ["a", "b"]
    assert got.journeys.event.to_list() == ["call", None]
    assert got.journeys.time.tolist()[0].isoformat() == "2024-03-01T09:00:00.500000"


def test_attributes_have_the_kind_that_their_element_says(path: Path) -> None:
    def event(tag: str, value: str) -> str:
        return f'{TIME}<{tag} key="x" value="{value}"/>'

    for tag, values, expected in (
        ("float", ("1.5", "2"), [1.5, 2.0]),
        ("int", ("12", "-3"), [12, -3]),
        ("boolean", ("true", "false"), ["True", "False"]),
        ("string", ("12", "1.5"), ["12", "1.5"]),
        ("id", ("7", "8"), ["7", "8"]),
        ("float", ("1.5", "many"), ["1.5", "many"]),
        ("int", ("1", "1.5"), ["1", "1.5"]),
        ("int", ("1", str(2**70)), ["1", str(2**70)]),
        ("boolean", ("true", "perhaps"), ["true", "perhaps"]),
    ):
        got = read(path, log(trace("a", *(event(tag, v) for v in values))), columns=["x"])
        column = got.journeys["x"]
        found = column.tolist() if isinstance(column, np.ndarray) else column.to_list()
        assert found == expected
    mixed = log(trace("a", event("int", "1"), event("string", "b"), TIME))
    assert read(path, mixed, columns=["x"]).journeys.codes("x").to_list() == ["1", "b", None]
    values = log(trace("a", event("float", "1.5"), TIME))
    assert read(path, values, value="x").journeys.value.tolist()[0] == 1.5


def test_attributes_of_cases_also_when_they_come_last(path: Path) -> None:
    late = f'<trace><event>{TIME}</event><string key="concept:name" value="z"/></trace>'
    text = log(
        trace("a", TIME, TIME, more='<string key="channel" value="web"/>'),
        late,
        trace("none"),
    )
    got = read(path, text, channel="case:channel")
    assert got.journeys.customer.to_list() == ["a", "z"]
    assert got.journeys.channel.to_list() == ["web", "web", None]


def test_nested_attributes_defaults_and_attributes_of_the_log_are_left_out(path: Path) -> None:
    nested = f'{TIME}<string key="a" value="1"><string key="b" value="2"/></string>'
    listed = '<list key="l"><values><string key="c" value="3"/></values></list>'
    head = '<string key="origin" value="x"/><global scope="event"><string key="d" value="4"/>'
    text = log(f"{head}</global>", trace("u", nested + listed))
    path.write_text(text)
    assert sorted(read_table(path)) == ["a", "case:concept:name", "time:timestamp"]
    with pytest.raises(
        SchemaError, match=r"no column 'b' for columns \('b'\); the table has \['a', 'case"
    ):
        read_xes(path, columns=["b"])


def test_another_column_may_be_the_customer(path: Path) -> None:
    who = '<string key="who" value="ann"/>'
    text = log(trace("a", TIME + who), trace("b", TIME + who, TIME))
    got = read(path, text, customer="who", columns={"case": "case:concept:name"})
    assert len(got.journeys) == 1
    assert got.journeys["case"].to_list() == ["a", "b"]
    assert got.rejected.reason == ("no customer",)


def test_traces_of_one_name_are_one_journey(path: Path) -> None:
    assert len(read(path, log(trace("a", TIME), trace("a", TIME))).journeys) == 1


def test_namespaces_and_prefixes(path: Path) -> None:
    text = log(trace("a", NAME + TIME))
    plain = read(path, text)
    assert read(path, text.replace("<log", '<log xmlns="http://www.xes-standard.org/"')) is not None
    prefixed = text.replace("</", "</x:").replace("<", "<x:").replace("<x:/x:", "</x:")
    prefixed = prefixed.replace("<x:?", "<?").replace("<x:log", '<x:log xmlns:x="urn:xes"')
    assert read(path, prefixed).journeys == plain.journeys


def test_steps_of_one_activity_are_noted(path: Path) -> None:
    def step(name: str) -> str:
        return f'{TIME}<string key="lifecycle:transition" value="{name}"/>'

    both = read(path, log(trace("a", step("start"), step("complete"))))
    assert "(complete, start)" in both.notes[-1]
    assert both.journeys["status"].to_list() == ["start", "complete"]
    assert read(path, log(trace("a", step("complete")))).notes == ()


def test_packed_logs_and_folders(tmp_path: Path) -> None:
    (tmp_path / "b.xes.gz").write_bytes(gzip.compress(log(trace("b", NAME + TIME)).encode()))
    one = read_xes(tmp_path / "b.xes.gz")
    assert one.journeys.customer.to_list() == ["b"]
    resource = '<string key="org:resource" value="r"/>'
    (tmp_path / "a.xes.gz").write_bytes(gzip.compress(log(trace("a", TIME + resource)).encode()))
    both = read_xes(tmp_path)
    assert both.journeys.customer.to_list() == ["a", "b"]
    assert both.journeys["resource"].to_list() == ["r", None]
    assert both.journeys.event.to_list() == [None, "call"]


BOMB = (
    '<!DOCTYPE log [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>'
)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (log(trace("&c;", TIME), head=BOMB), "declares a document type"),
        (log(head='<!DOCTYPE log SYSTEM "file:///etc/passwd">'), "declares a document type"),
        (log(trace("a", TIME))[:-9], r"no well-formed XML: .* at line 1, column \d+"),
        ("<log><trace></log>", "mismatched tag"),
        ("<notes/>", "the outermost element is <notes>"),
        ("<html><body>log in</body></html>", "web page"),
        ("who,at\n1,2\n", "is no XML"),
        ('<?xml version="1.0" encoding="klingon"?><log/>', "klingon|unknown encoding"),
    ],
)
def test_what_is_no_xes(path: Path, content: str, message: str) -> None:
    path.write_text(content)
    with pytest.raises(DataError, match=message):
        read_xes(path)


def test_a_log_that_is_cut_off_in_its_packing(tmp_path: Path) -> None:
    path = tmp_path / "log.xes.gz"
    path.write_bytes(gzip.compress(log(*[trace(str(i), TIME) for i in range(900)]).encode())[:-40])
    with pytest.raises(DataError, match="cannot be read to its end"):
        read_xes(path)


def test_other_encodings_that_xml_declares(path: Path) -> None:
    text = log(trace("café", TIME)).replace("?>", ' encoding="ISO-8859-1"?>', 1)
    path.write_bytes(text.encode("latin-1"))
    assert read_xes(path).journeys.customer.to_list() == ["café"]
    path.write_bytes(
        log(trace("café", TIME)).replace("?>", ' encoding="UTF-16"?>', 1).encode("utf-16")
    )
    assert read_xes(path).journeys.customer.to_list() == ["café"]


def test_an_empty_log(path: Path) -> None:
    path.write_text(log())
    with pytest.raises(SchemaError, match="no column 'case:concept:name' for customer"):
        read_xes(path)


def test_progress_counts_the_bytes_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "log.xes.gz"
    path.write_bytes(gzip.compress(log(*[trace(str(i), TIME) for i in range(9000)]).encode()))
    seen: list[tuple[int, int]] = []
    read_xes(path, progress=lambda done, total: seen.append((done, total)))
    assert (path.stat().st_size,) * 2 in seen


TEXT = st.text(
    st.characters(
        codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"
    ),
    min_size=1,
    max_size=5,
).filter(lambda text: not text.isspace())


@given(
    st.lists(
        st.tuples(
            TEXT,
            st.integers(-(10**15), 10**15),
            st.none() | TEXT,
            st.floats(allow_infinity=False) | st.none(),
            st.integers(-5, 5) | st.none(),
        ),
        max_size=9,
    )
)
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[Any, ...]]
) -> None:
    path = tmp_path_factory.mktemp("xes") / "log.xes.gz"
    names = ("customer", "time", "event", "value", "level")
    columns = {n: [row[at] for row in rows] for at, n in enumerate(names)}
    columns["value"] = np.array([np.nan if v is None else v for v in columns["value"]], float)
    journeys = cx.Journeys.from_table(
        columns,
        customer="customer",
        time="time",
        event="event",
        value="value",
        columns=["level"],
        time_unit="us",
    )
    write_xes(journeys, path)
    if not rows:
        return
    again = read_xes(path, value="cost:total?", columns={"level": "level?"}).journeys
    assert again == journeys


def test_labels_that_xml_cannot_hold(tmp_path: Path) -> None:
    table = {"c": ["a"], "t": [0], "e": ["x\x00y"]}
    journeys = cx.Journeys.from_table(table, customer="c", time="t", event="e", time_unit="s")
    with pytest.raises(DefinitionError, match="a character that XML cannot hold"):
        write_xes(journeys, tmp_path / "log.xes")
    with pytest.raises(DefinitionError, match=r"must end in .xes"):
        write_xes(journeys, tmp_path / "log.xml")
