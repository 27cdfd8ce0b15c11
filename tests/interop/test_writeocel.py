import gzip
import json

import numpy as np
import pytest
from hypothesis import given, settings

from cxkit import DefinitionError, Journeys
from cxkit.core.codes import Codes
from cxkit.interop import read_ocel, write_ocel
from tests.examples import some
from tests.strategies import TEXTS, journeys_of, touchpoint_rows


def again(journeys, path, **options):
    write_ocel(journeys, path)
    return read_ocel(
        path,
        "customer",
        channel="channel",
        value="value",
        columns=["campaign"],
        null_values=[""],
        **options,
    )


@settings(max_examples=some(30))
@given(rows=touchpoint_rows(min_rows=1))
def test_what_is_written_is_read_back(rows, tmp_path_factory):
    # A column without a single value leaves no attribute to read.
    rows = [*rows, ("z", 0, "view", "web", 1, 1.0)]
    journeys = journeys_of(rows)
    got = again(journeys, tmp_path_factory.mktemp("ocel") / "log.json")
    assert (got.rows, len(got.rejected)) == (len(rows), 0)
    assert got.journeys == journeys


@settings(max_examples=some(30))
@given(label=TEXTS)
def test_any_text_is_a_name(label, tmp_path_factory):
    journeys = Journeys.from_codes(
        customer=Codes.of(["x" + label]),
        time=np.array([1]),
        columns={"event": Codes.of(["e" + label]), label + "?": Codes.of(["v" + label])},
    )
    path = tmp_path_factory.mktemp("ocel") / "log.jsonocel.gz"
    write_ocel(journeys, path)
    got = read_ocel(path, "customer", columns=[label + "?"])
    assert got.journeys == journeys


def test_it_is_built_as_the_standard_says(tmp_path):
    journeys = journeys_of(
        [("a", 0, "view", "web", 3, 2.5), ("a", 60_000_000, None, None, None, np.nan)]
    )
    path = tmp_path / "log.jsonocel"
    write_ocel(journeys, path)
    data = json.loads(path.read_text(encoding="utf-8"))
    assert sorted(data) == ["eventTypes", "events", "objectTypes", "objects"]
    assert data["objectTypes"] == [{"name": "customer", "attributes": []}]
    assert data["objects"] == [{"id": "a", "type": "customer", "attributes": []}]
    kinds = [
        {"name": "channel", "type": "string"},
        {"name": "value", "type": "float"},
        {"name": "campaign", "type": "integer"},
    ]
    assert data["eventTypes"] == [
        {"name": "view", "attributes": kinds},
        {"name": "", "attributes": kinds},
    ]
    related = [{"objectId": "a", "qualifier": "customer"}]
    assert data["events"] == [
        {
            "id": "e0",
            "type": "view",
            "time": "1970-01-01T00:00:00.000000Z",
            "attributes": [
                {"name": "channel", "value": "web"},
                {"name": "value", "value": 2.5},
                {"name": "campaign", "value": 3},
            ],
            "relationships": related,
        },
        {
            "id": "e1",
            "type": "",
            "time": "1970-01-01T00:01:00.000000Z",
            "attributes": [],
            "relationships": related,
        },
    ]


def test_journeys_can_be_objects_too(tmp_path):
    rows = [("a", minute * 60_000_000, "view", "web", 1, 0.0) for minute in (0, 1, 90)]
    sessions = journeys_of(rows).sessions("30min")
    assert len(sessions) == 2
    path = tmp_path / "log.json"
    write_ocel(sessions, path, object_type="person", journey_type="session")
    cut = read_ocel(path, "session").journeys
    assert np.diff(cut.offsets).tolist() == [2, 1]
    assert cut.customer.to_list() == ["session 0", "session 1"]
    assert np.diff(read_ocel(path, "person").journeys.offsets).tolist() == [3]


def test_names_that_would_meet_are_refused(tmp_path):
    journeys = journeys_of([("session 0", 0, "view", "web", 1, 0.0)])
    with pytest.raises(DefinitionError, match="a customer is called 'session 0'"):
        write_ocel(journeys, tmp_path / "log.json", journey_type="session")
    with pytest.raises(DefinitionError, match="cannot both be of type 'customer'"):
        write_ocel(journeys, tmp_path / "log.json", journey_type="customer")
    with pytest.raises(DefinitionError, match="must end in one of"):
        write_ocel(journeys, tmp_path / "log.xml")


def test_no_journeys_are_a_log_without_events(tmp_path):
    path = tmp_path / "log.json.gz"
    write_ocel(Journeys.empty(), path)
    with gzip.open(path, "rt") as file:
        data = json.load(file)
    assert data["events"] == data["objects"] == data["eventTypes"] == []
