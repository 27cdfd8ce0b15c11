"""The numbers of the reference file of microinteractions, all of them."""

import json

import attrs
import numpy as np
import pytest

import cxkit as cx
from cxkit.core.codes import Codes
from cxkit.core.timebins import RELATIVE_ERROR
from cxkit.microinteraction import Microinteraction, ReplayCounts
from tests.shared import shared

ORACLES = {
    o["id"]: o
    for o in json.loads(shared("oracles/domain/microinteraction.json").read_text())["oracles"]
}
CLEAN = Microinteraction.from_dict(ORACLES["MIC-01"]["inputs"])
STREAMS = ORACLES["MIC-03"]["inputs"]["streams"]
UNTIL = "1970-01-01T00:03:20Z"


def journeys():
    rows = [(name, event, at) for name, stream in STREAMS.items() for event, at in stream]
    who, event, at = zip(*rows, strict=True)
    return cx.Journeys.from_codes(
        customer=Codes.of(who),
        time=np.array(at, np.int64) * 1000,
        columns={"event": Codes.of(event)},
    )


@pytest.mark.parametrize("name", ["MIC-01", "MIC-02"])
def test_lints(name):
    oracle = ORACLES[name]
    found = Microinteraction.from_dict(oracle["inputs"]).lint()
    assert [list(pair) for pair in found.pairs()] == oracle["expected"]["lints"]


@pytest.mark.parametrize("name", STREAMS)
def test_live_and_replayed(name):
    expected = ORACLES["MIC-03"]["expected"][name]
    until = ORACLES["MIC-03"]["inputs"]["as_of_ms"]
    now = CLEAN.run()
    moments = [now.send(event, at) for event, at in STREAMS[name]]
    assert [m.state for m in moments] == expected["states_after"]
    assert [m.handled for m in moments] == expected["handled"]
    assert [len(m.fired) for m in moments] == expected["timers_before"]
    now.tick(until)
    assert now.state == expected["state_as_of"]
    found = CLEAN.replay(STREAMS[name], until=UNTIL)
    assert found.states_after() == expected["states_after"]
    assert found.handled.tolist() == expected["handled"]
    assert found.fired.tolist() == expected["timers_before"]
    assert found.state == [expected["state_as_of"]]


def test_measures():
    oracle = ORACLES["MIC-04"]
    want = oracle["expected"]
    counts = ReplayCounts.of(journeys(), spec=CLEAN, until=UNTIL, success=["liked"])
    table = counts.result()
    rates = dict(zip(table.columns()["measure"], table.rate.tolist(), strict=True))
    told = table.totals
    assert told["instances"] == want["instances"]
    assert told["ended"] == want["ended"]
    assert told["success"] == want["success"]
    assert told["failed"] == want["instances_entering_error"]
    assert told["undoable"] == want["reached_undoable"]
    assert told["undone"] == want["undone"]
    assert told["events"] == want["events"]
    assert told["unhandled"] == want["unhandled"]
    assert told["repeats"] == want["repeat_triggers_within_1s"]
    for ours, theirs in (
        ("ended", "ended_rate"),
        ("success", "success_rate"),
        ("error", "error_rate"),
        ("undo", "undo_rate"),
        ("unhandled", "unhandled_rate"),
    ):
        assert rates[ours] == pytest.approx(want[theirs], abs=oracle["tolerance"])
    first = CLEAN.replay(journeys(), until=UNTIL).instances().first_ms
    median = want["median_ms_trigger_to_first_system_feedback_observed"]
    assert np.median(first) == median
    assert counts.times([0.5]).ms[0, 0] == pytest.approx(median, rel=RELATIVE_ERROR)


def test_a_failed_end_may_be_said_in_the_specification():
    failed = attrs.evolve(CLEAN.states["gave_up"], failure=True)
    spec = attrs.evolve(CLEAN, states={**CLEAN.states, "gave_up": failed})
    told = ReplayCounts.of(journeys(), spec=spec, until=UNTIL).result().totals
    assert told["success"] == ORACLES["MIC-04"]["expected"]["success"]
