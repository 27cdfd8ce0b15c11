"""Journeys as runs of touches: the kernels, at sizes that random logs do not reach."""

from __future__ import annotations

import numpy as np
import pytest

from cxkit.attribution import JourneyPaths, PathRule, Paths
from cxkit.attribution.touchpaths.runs import gather
from cxkit.core.codes import Codes
from cxkit.core.counting import count_codes
from cxkit.core.ragged import CHUNK
from cxkit.model.journeys import Journeys


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int64])
@pytest.mark.parametrize("size", [0, 1, CHUNK, CHUNK + 1, 4 * CHUNK + 3])
@pytest.mark.parametrize("shift", [0, 1])
def test_codes_are_counted(dtype, size, shift):
    codes = np.random.default_rng(size).integers(0, 21, size + shift).astype(dtype)[shift:]
    codes.flags.writeable = False
    assert count_codes(codes, 23).tolist() == np.bincount(codes, minlength=23).tolist()
    assert count_codes(codes[::2], 23).tolist() == np.bincount(codes[::2], minlength=23).tolist()


def test_members_of_long_runs():
    rng = np.random.default_rng(1)
    begin = rng.integers(0, 10**6, 3_000)
    end = begin + rng.integers(1, 300, 3_000)
    members, offsets = gather(begin, end)
    assert members.tolist() == [i for b, e in zip(begin, end, strict=True) for i in range(b, e)]
    assert np.diff(offsets).tolist() == (end - begin).tolist()


@pytest.fixture(scope="module")
def log():
    rng = np.random.default_rng(2)
    E = 40_000
    return Journeys.from_codes(
        customer=rng.integers(0, 900, E),
        time=rng.integers(0, 10**11, E),
        columns={
            "channel": Codes.from_codes(rng.integers(0, 5, E), ["a", "b", "c", "d", "e"]),
            "event": rng.integers(0, 40, E),
        },
    )


@pytest.mark.parametrize("restart", [True, False])
@pytest.mark.parametrize("lookback", [None, "2h", "20h"])
@pytest.mark.parametrize("most", [None, 3])
@pytest.mark.parametrize("goal_is_touch", [True, False])
def test_runs_of_long_journeys_equal_plain_python(log, restart, lookback, most, goal_is_touch):
    rule = PathRule(
        3, restart=restart, lookback=lookback, most_touches=most, goal_is_touch=goal_is_touch
    )
    found = JourneyPaths(log, rule)
    goals = (log["event"].codes == log["event"].vocabulary.index(3)).tolist()
    ticks = log.time.view(np.int64).tolist()
    span = {None: 10**18, "2h": 2 * 3_600_000_000, "20h": 20 * 3_600_000_000}[lookback]
    expected = {}
    for j in range(len(log)):
        begin, end = int(log.offsets[j]), int(log.offsets[j + 1])
        start = begin
        for row in range(begin, end):
            if goals[row] or row == end - 1:
                touches = [
                    r
                    for r in range(start, row + 1)
                    if ticks[row] - ticks[r] <= span and (goal_is_touch or not goals[r])
                ]
                expected[row] = (j, touches if most is None else touches[-most:])
                start = row + 1 if restart else begin
    runs = found.runs
    assert sorted(expected) == sorted(runs.last.tolist())
    for begin, end, last, journey in zip(
        runs.begin, runs.end, runs.last, runs.journey, strict=True
    ):
        j, touches = expected[int(last)]
        assert journey == j
        assert found.rows(np.arange(begin, end)).tolist() == touches
    assert runs.conversions == sum(goals)
    few = found.converting_runs
    assert few.begin.tolist() == runs.begin[: runs.conversions].tolist()
    assert few.end.tolist() == runs.end[: runs.conversions].tolist()
    strip = found.strip
    laid = [tuple(strip.take(np.arange(log.touchpoints))[i:e].tolist())
            for i, e in zip(strip.offsets[:-1], strip.offsets[1:], strict=True)]  # fmt: skip
    assert sorted(laid) == sorted(tuple(t) for _, t in expected.values() if t)
    bare = sum(not t and not goals[row] for row, (_, t) in expected.items())
    assert strip.untouched_nulls.sum() == bare


def test_all_that_is_found_is_found_once(log):
    found = JourneyPaths(log, PathRule(3))
    assert found.strip is found.strip
    assert found.converting is found.converting
    assert found.paths == Paths.of(log, goal=PathRule(3))
