"""127 charts of another project, each with a script of events and the states that they lead to.

Every chart is either imported, and then passes its script, or refused with the feature named.
"""

import collections
import json
import tarfile

import pytest

from cxkit.errors import DefinitionError
from cxkit.microinteraction import from_scxml
from tests.shared import shared

# Why a chart may be refused: features that a microinteraction does not have.
FEATURES = {
    "<parallel>": 56,
    "<datamodel>": 29,
    "<raise>": 10,
    "<history>": 3,
    "<script>": 2,
    "a chart without events, which nothing can trigger,": 1,
    "a transition without an event but with a condition": 1,
}


def archive():
    with tarfile.open(shared("data/scxml-scion/scion-tests.tar.gz")) as tar:
        return {
            member.name: tar.extractfile(member).read().decode()
            for member in tar.getmembers()
            if member.isfile()
        }


FILES = archive()
CHARTS = sorted(name.removesuffix(".scxml") for name in FILES if name.endswith(".scxml"))


def imported(name):
    script = json.loads(FILES[f"{name}.json"])
    events = [step["event"]["name"] for step in script["events"]]
    return from_scxml(FILES[f"{name}.scxml"], events=events), script


def outcome(name):
    """The feature for which a chart is refused, or None."""
    try:
        imported(name)
    except DefinitionError as error:
        place, feature = str(error).split(" is not modelled")[0].split(": ", 1)
        assert place.startswith("<")
        return feature
    return None


OUTCOMES = {name: outcome(name) for name in CHARTS}
INSIDE = [name for name in CHARTS if OUTCOMES[name] is None]


def test_every_chart_is_imported_or_refused_by_name():
    refused = collections.Counter(feature for feature in OUTCOMES.values() if feature)
    print(f"{len(INSIDE)} imported, {sum(refused.values())} refused: {dict(refused)}")
    assert len(CHARTS) == 127
    assert len(INSIDE) == 25
    assert refused == FEATURES


@pytest.mark.parametrize("name", INSIDE)
def test_its_script(name):
    machine, script = imported(name)
    now = machine.run()
    now.tick(0)
    assert [now.state] == script["initialConfiguration"]
    at = 0
    for step in script["events"]:
        at += step.get("after", 0)
        assert [now.send(step["event"]["name"], at).state] == step["nextConfiguration"]
    stream, at = [], 0
    for step in script["events"]:
        at += step.get("after", 0)
        stream.append((step["event"]["name"], at))
    assert not stream or machine.replay(stream).states_after() == [
        step["nextConfiguration"][0] for step in script["events"]
    ]
