"""The directly-follows graph and the variants of real logs, equal to those of pm4py.

The numbers were computed once with pm4py 2.7.23 (``read_xes``, or ``format_dataframe`` for the CSV
file; ``discover_dfg`` and ``get_variants``). Each digest is the first 16 characters of the SHA-256
of ``json.dumps(sorted(rows))``, the rows being ``[from, to, count]`` of the graph,
``[label, count]`` of starts and ends, and ``[[labels], count]`` of variants: so every count of
every edge and of every variant is the same, and nothing of pm4py is needed here.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

import cxkit as cx
from cxkit.flow import Contexts, Transitions, contexts, transitions, variants
from cxkit.interop import read_xes
from tests.shared import shared

KNOWN: dict[str, dict[str, Any]] = {
    "bpic2012": {
        "edges": 125,
        "steps": 249113,
        "top": ["W_Completeren aanvraag", "W_Completeren aanvraag", 38004],
        "graph": "d1c5e5ff85e52ee6",
        "starts": "26b1ee9a6928ee92",
        "ends": "e777c8a9c188aff4",
        "variants": 4366,
        "most": 3429,
        "paths": "8ae53ec707105c5a",
    },
    "helpdesk": {
        "edges": 55,
        "steps": 16768,
        "top": ["Resolve ticket", "Closed", 4558],
        "graph": "94de9026b83b9c6d",
        "starts": "60746d5112b20d43",
        "ends": "aefbb118fb035540",
        "variants": 226,
        "most": 2366,
        "paths": "f96d12f56b6d4776",
    },
    "receipt": {
        "edges": 99,
        "steps": 7143,
        "top": [
            "T04 Determine confirmation of receipt",
            "T05 Print and send confirmation of receipt",
            1177,
        ],
        "graph": "16c3c6153bc83b38",
        "starts": "281d4a2ea242a32b",
        "ends": "5222e2a0e42af22d",
        "variants": 116,
        "most": 713,
        "paths": "a003139a682f3198",
    },
    "sepsis": {
        "edges": 115,
        "steps": 14164,
        "top": ["Leucocytes", "CRP", 1778],
        "graph": "ac8f1d9be392bff2",
        "starts": "ca5adb58912e28fd",
        "ends": "ad903f251f497270",
        "variants": 846,
        "most": 35,
        "paths": "ef13c36ee8c45d26",
    },
    # Simulated logs, for the rest of the folder.
    "teleclaims": {
        "edges": 30,
        "steps": 42626,
        "top": ["end", "end", 3512],
        "graph": "9d3d0da41047d231",
        "starts": "d2485fad3583faa3",
        "ends": "48f36c4531748f77",
        "variants": 12,
        "most": 525,
        "paths": "a3945f393e781824",
    },
    "running-example": {
        "edges": 16,
        "steps": 36,
        "top": ["check ticket", "decide", 6],
        "graph": "3622a2fb6cb6918d",
        "starts": "b55a9f185745f7ff",
        "ends": "52f4525062eb3996",
        "variants": 6,
        "most": 1,
        "paths": "87f1258a580a3e64",
    },
}


def digest(rows: list[Any]) -> str:
    return hashlib.sha256(json.dumps(sorted(rows)).encode()).hexdigest()[:16]


@pytest.fixture(scope="module", params=KNOWN)
def log(request: pytest.FixtureRequest) -> tuple[dict[str, Any], cx.Journeys]:
    name: str = request.param
    if name == "sepsis":
        path = shared("data/process-logs/sepsis.csv.gz")
        got = cx.read_events(path, customer="case_id", time="timestamp", event="activity", tz="UTC")
    else:
        got = read_xes(shared(f"data/process-logs/{name}.xes.gz"))
    return KNOWN[name], got.journeys


def test_the_graph_is_the_same(log: tuple[dict[str, Any], cx.Journeys]) -> None:
    known, journeys = log
    table = transitions(journeys)
    rows = [[row["from"], row["to"], row["count"]] for row in table.to_dicts()]
    assert (len(rows), sum(row[2] for row in rows)) == (known["edges"], known["steps"])
    assert rows[0] == known["top"]
    assert digest(rows) == known["graph"]
    labels = list(table.labels)
    for end, key in ((table.first, "starts"), (table.last, "ends")):
        counted = [[label, n] for label, n in zip(labels, end.tolist(), strict=False) if n]
        assert digest(counted) == known[key]


def test_the_variants_are_the_same(log: tuple[dict[str, Any], cx.Journeys]) -> None:
    known, journeys = log
    table = variants(journeys, top=10_000)
    assert table.total_variants == known["variants"]
    assert int(table.journeys[0]) == known["most"]
    rows = [[list(p), n] for p, n in zip(table.paths, table.journeys.tolist(), strict=True)]
    assert digest(rows) == known["paths"]


def test_the_graph_in_parts_and_as_contexts_of_one(
    log: tuple[dict[str, Any], cx.Journeys],
) -> None:
    known, journeys = log
    parts = [Transitions.of(journeys[at::3]) for at in range(3)]
    rows = (parts[0] + parts[1] + parts[2]).result().to_dicts()
    assert digest([[row["from"], row["to"], row["count"]] for row in rows]) == known["graph"]
    ones = contexts(journeys, order=1).to_dicts()
    assert digest([[row["context"], row["to"], row["count"]] for row in ones]) == known["graph"]
    many = Contexts.of(journeys, order=3)
    assert int(many.count.sum()) == journeys.touchpoints
    assert int(many.ends.sum()) == len(journeys)
