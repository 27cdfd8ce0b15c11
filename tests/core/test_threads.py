import threading

import numpy as np
import pytest

import cxkit as cx
from cxkit.core import threads
from cxkit.errors import DefinitionError


@pytest.fixture
def any_size_is_worth_it(monkeypatch):
    monkeypatch.setattr(threads, "FEWEST_ROWS", 1)


def test_the_environment_says_how_many(monkeypatch):
    monkeypatch.delenv("CXKIT_THREADS", raising=False)
    assert 1 <= threads.threads() <= 2
    monkeypatch.setenv("CXKIT_THREADS", "3")
    assert threads.threads() == 3
    for odd in ("0", "-1", "two", ""):
        monkeypatch.setenv("CXKIT_THREADS", odd)
        with pytest.raises(DefinitionError, match="CXKIT_THREADS must be a whole number"):
            threads.threads()


@pytest.mark.usefixtures("any_size_is_worth_it")
def test_parts_cover_every_journey_once(monkeypatch):
    for count in range(1, 7):
        monkeypatch.setenv("CXKIT_THREADS", str(count))
        for sizes in ([1], [1, 1], [5, 1, 1, 9, 2, 2], [100, 1]):
            offsets = np.append(0, np.cumsum(sizes))
            parts = threads.in_parts(lambda a, b: list(range(a, b)), offsets)
            assert [j for part in parts for j in part] == list(range(len(sizes)))
            assert len(parts) <= count


@pytest.mark.usefixtures("any_size_is_worth_it")
def test_work_is_done_side_by_side_and_errors_come_out(monkeypatch):
    monkeypatch.setenv("CXKIT_THREADS", "2")
    both = threading.Barrier(2, timeout=30)
    assert threads.side_by_side([both.wait, both.wait], rows=9) in ([0, 1], [1, 0])

    def fail():
        raise KeyError("x")

    with pytest.raises(KeyError):
        threads.side_by_side([fail, lambda: 1], rows=9)


def test_few_rows_get_no_thread(monkeypatch):
    monkeypatch.setenv("CXKIT_THREADS", "2")
    seen = threads.side_by_side([threading.get_ident, threading.get_ident], rows=9)
    assert set(seen) == {threading.get_ident()}


@pytest.mark.usefixtures("any_size_is_worth_it")
def test_every_answer_has_the_same_bits_for_any_number_of_threads(monkeypatch):
    rng = np.random.default_rng(0)
    rows = 5000
    given = {
        "customer": rng.integers(0, 400, rows),
        "time": rng.integers(0, 10**12, rows),
        "columns": {
            "channel": rng.integers(0, 5, rows),
            "event": rng.integers(0, 6, rows),
            "value": rng.random(rows),
        },
    }
    scale = cx.EngagementScale([cx.PointRule(e, 1.1 * e + 1) for e in range(6)], half_life="3d")
    funnel = cx.flow.Funnel([1, 2, 3], within="5d")

    def answers():
        journeys = cx.Journeys.from_codes(**given)
        return (
            journeys,
            np.asarray(scale.score(journeys, at="1970-01-13")).tobytes(),
            cx.flow.Transitions.of(journeys).to_bytes(),
            cx.flow.FunnelCounts.of(journeys, funnel=funnel).to_bytes(),
            cx.attribution.ChainCounts.of(journeys, goal=4).to_bytes(),
        )

    monkeypatch.setenv("CXKIT_THREADS", "1")
    alone = answers()
    for count in (2, 3, 7):
        monkeypatch.setenv("CXKIT_THREADS", str(count))
        assert answers() == alone
