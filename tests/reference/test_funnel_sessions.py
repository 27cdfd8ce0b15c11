"""Numbers of a brute-force program that was written apart from this library, in plain Python."""

import json
from collections import Counter

import numpy as np
import pytest

from cxkit import Journeys
from cxkit.core.codes import Codes
from cxkit.flow import Funnel, transitions
from tests.shared import shared

MINUTE = 60_000_000


@pytest.fixture(scope="module")
def oracle():
    path = shared("oracles/attribution/funnel_sessions_bruteforce.json")
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def journeys(oracle):
    users, minutes, events = zip(*oracle["events"], strict=True)
    return Journeys.from_codes(
        customer=Codes.of(list(users)),
        time=np.array(minutes, np.int64) * MINUTE,
        columns={"event": Codes.of(list(events))},
    )


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("any_entry_index_order", {"within": "24h"}),
        ("any_entry_strictly_increasing_time", {"within": "24h", "ties": "strict"}),
        ("first_entry_only_index_order", {"within": "24h", "entry": "first"}),
        ("no_window", {}),
        ("exclude_x_between_steps", {"within": "24h", "without": ["x"]}),
        ("consecutive_events_only", {"within": "24h", "adjacent": True}),
        ("per_step_window_60", {"step_within": "60min"}),
        ("unordered_within_window_any_start", {"within": "24h", "order": "any"}),
    ],
)
def test_funnel(oracle, journeys, name, options):
    assert oracle["window_minutes"] == 24 * 60
    result = Funnel(oracle["steps"], **options).count(journeys)
    assert result.reached.tolist() == oracle["expected_users_reaching_step"][name]


def test_sessions(oracle, journeys):
    # A pause of exactly the gap does not end a session; of one microsecond more it does.
    assert len(journeys.sessions("30min")) == oracle["sessions"]["gap30_new_if_gap_gt_30"]
    just_below = np.timedelta64(30 * MINUTE - 1, "us")
    assert len(journeys.sessions(just_below)) == oracle["sessions"]["gap30_new_if_gap_ge_30"]


def test_transitions(oracle, journeys):
    labels, counts = transitions(journeys).matrix()
    got = {
        f"{a}{b}": int(counts[i, k])
        for i, a in enumerate(labels[:-1])
        for k, b in enumerate(labels[:-1])
    }
    assert got == oracle["dfg"]
    assert counts.sum() == sum(oracle["dfg"].values())
    sizes = Counter(user for user, _, _ in oracle["events"])
    assert counts.sum() == sum(n - 1 for n in sizes.values())
