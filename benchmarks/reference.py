"""The right answers, computed slowly and plainly, and the comparison with what a contender says.

Every contender's answer is a mapping of names to arrays; the names of each row of the benchmark are
those of the function here. Nothing of this is timed. ``self_check`` holds these answers against
loops in plain Python on a sample of journeys.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray
from workload import (
    AT_US,
    CHANNELS,
    EVENTS,
    FUNNEL_STEPS,
    FUNNEL_WITHIN_US,
    GOAL,
    HALF_LIFE_US,
    POINTS,
    Log,
)

Answer = dict[str, NDArray]

START = CHANNELS  # the row of the chain that paths come from
CONVERSION, NULL = CHANNELS, CHANNELS + 1  # the columns of the chain that paths end in

# What an answer may leave out: DuckDB's sorted table has no offsets, and the attribution tools,
# cxkit among them, show removal effects but not how often a step was counted.
OPTIONAL = {
    "append": {"offsets"},
    "build": {"offsets"},
    "build_packed": {"offsets"},
    "markov": {"counts"},
}


class Reference:
    """The answers for one log."""

    def __init__(self, log: Log) -> None:
        order = np.lexsort((log.time, log.customer))  # stable: equal times keep input order
        self.customer = log.customer[order]
        self.time = log.time[order]
        self.channel = log.channel[order]
        self.event = log.event[order]
        self.value = log.value[order]
        starts = np.flatnonzero(np.diff(self.customer, prepend=-1))
        self.offsets = np.append(starts, len(log)).astype(np.int64)

    def answer(self, row: str) -> Answer:
        """The right answer for a row of the benchmark."""
        return getattr(self, row)()

    def build(self) -> Answer:
        """Sorted columns, and where each journey begins."""
        names = ("customer", "time", "channel", "event", "value", "offsets")
        return {name: getattr(self, name) for name in names}

    build_packed = build

    def score(self) -> Answer:
        """Decayed points per customer as of the end of the year."""
        earned = POINTS[self.event] * np.exp2((self.time - AT_US) / HALF_LIFE_US)
        starts = self.offsets[:-1]
        return {"customer": self.customer[starts], "score": np.add.reduceat(earned, starts)}

    def transitions(self) -> Answer:
        """How often an event follows another within a journey: from row to column."""
        counts = np.zeros((EVENTS, EVENTS), np.int64)
        inside = self.customer[1:] == self.customer[:-1]
        np.add.at(counts, (self.event[:-1][inside], self.event[1:][inside]), 1)
        return {"counts": counts}

    def markov(self) -> Answer:
        """The chain of order 1, and what removing each channel costs.

        A path runs from the start of a journey, or from the last conversion, to the next conversion
        (whose own touchpoint is the last of the path), or else to the end of the journey: null.
        """
        counts = np.zeros((CHANNELS + 1, CHANNELS + 2), np.int64)
        goal = self.event == GOAL
        begins = np.zeros(len(goal), bool)
        begins[self.offsets[:-1]] = True
        begins[1:] |= goal[:-1]
        last = np.zeros(len(goal), bool)
        last[self.offsets[1:] - 1] = True
        np.add.at(counts, (START, self.channel[begins]), 1)
        inside = ~begins[1:]
        np.add.at(counts, (self.channel[:-1][inside], self.channel[1:][inside]), 1)
        np.add.at(counts, (self.channel[goal], CONVERSION), 1)
        np.add.at(counts, (self.channel[last & ~goal], NULL), 1)
        return {"counts": counts, "removal": removal_by_deletion(counts)}

    def funnel(self) -> Answer:
        """Journeys that reach each step, in order, within the window of some first step."""
        return {"journeys": self._funnel(FUNNEL_WITHIN_US)}

    def funnel_without_window(self) -> Answer:
        """The same for tools that have no window."""
        return {"journeys": self._funnel(np.iinfo(np.int64).max)}

    def _funnel(self, within: int) -> NDArray[np.int64]:
        rows = np.arange(len(self.time))
        first = np.repeat(self.offsets[:-1], np.diff(self.offsets))
        reached = self.event == FUNNEL_STEPS[0]
        start = self.time.copy()  # of the latest first step that leads here, where reached
        counts = [np.unique(self.customer[reached]).size]
        for step in FUNNEL_STEPS[1:]:
            latest = np.maximum.accumulate(np.where(reached, rows, -1))
            # A later match of the step before never has an earlier start, so the last one decides.
            begun = np.where(latest >= first, start[latest], np.iinfo(np.int64).min // 2)
            reached = (self.event == step) & (latest >= first) & (self.time - begun <= within)
            start = begun
            counts.append(np.unique(self.customer[reached]).size)
        return np.array(counts)

    @functools.cached_property
    def tied(self) -> NDArray[np.intp]:
        """Rows that share customer and time with a neighbour."""
        same = (np.diff(self.customer) == 0) & (np.diff(self.time) == 0)
        return np.flatnonzero(np.append(same, False) | np.append(False, same))

    def self_check(self, journeys: int = 3000) -> None:
        """Hold the answers for the first journeys against loops in plain Python.

        Raises:
            AssertionError: The two differ.
        """
        stop = self.offsets[min(journeys, len(self.offsets) - 1)]
        part = Reference(
            Log(
                **{
                    k: getattr(self, k)[:stop]
                    for k in ("customer", "time", "channel", "event", "value")
                }
            )
        )
        events, channels, times = part.event.tolist(), part.channel.tolist(), part.time.tolist()
        bigrams = np.zeros((EVENTS, EVENTS), np.int64)
        chain = np.zeros((CHANNELS + 1, CHANNELS + 2), np.int64)
        reached = np.zeros(len(FUNNEL_STEPS), np.int64)
        scores = []
        for begin, end in zip(part.offsets[:-1].tolist(), part.offsets[1:].tolist(), strict=True):
            state = START
            score = 0.0
            for i in range(begin, end):
                if i > begin:
                    bigrams[events[i - 1], events[i]] += 1
                chain[state, channels[i]] += 1
                state = channels[i]
                if events[i] == GOAL:
                    chain[state, CONVERSION] += 1
                    state = START
                score += float(POINTS[events[i]]) * 2.0 ** ((times[i] - AT_US) / HALF_LIFE_US)
            if state != START:
                chain[state, NULL] += 1
            scores.append(score)
            deepest = max((_depth(events, times, i, end) for i in range(begin, end)), default=0)
            reached[:deepest] += 1
        assert np.array_equal(part.transitions()["counts"], bigrams)
        assert np.array_equal(part.markov()["counts"], chain)
        assert np.array_equal(part.funnel()["journeys"], reached)
        assert np.allclose(part.score()["score"], scores, rtol=1e-12)


def _depth(events: list[int], times: list[int], start: int, end: int) -> int:
    """How many steps are reached in time by an attempt that begins at row ``start``."""
    depth = 0
    for i in range(start, end):
        if times[i] - times[start] > FUNNEL_WITHIN_US:
            break
        if events[i] == FUNNEL_STEPS[depth]:
            depth += 1
            if depth == len(FUNNEL_STEPS):
                break
        elif i == start:
            return 0
    return depth


def removal_by_deletion(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Removal effects (K,) by what they mean: one chain solved per channel that is taken away.

    Whoever would have moved to the removed channel goes to null instead (Anderl et al. 2016).
    """
    total = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    step = counts / total

    def converting(kept: NDArray[np.bool_]) -> float:
        moves = np.where(kept, step[:CHANNELS, :CHANNELS], 0.0)
        reach = np.linalg.solve(np.eye(CHANNELS) - moves, step[:CHANNELS, CONVERSION])
        return float(np.where(kept, step[START, :CHANNELS], 0.0) @ reach)

    everything = converting(np.ones(CHANNELS, bool))
    if everything == 0.0:
        return np.zeros(CHANNELS)
    return np.array(
        [1 - converting(np.arange(CHANNELS) != k) / everything for k in range(CHANNELS)]
    )


def compare(row: str, got: Answer, reference: Reference, *, loose: float = 0.0) -> str:
    """What is wrong with an answer, or an empty string.

    Args:
        row: the row of the benchmark.
        got: the contender's answer.
        reference: the right answers.
        loose: how far each number may be off, for contenders that simulate what others solve.
    """
    right = reference.answer(row)
    missing = right.keys() - got.keys() - OPTIONAL.get(row, set())
    if missing:
        return f"no {', '.join(sorted(missing))} in the answer"
    for name, array in got.items():
        if array.shape != right[name].shape:
            return f"{name} has shape {array.shape}, not {right[name].shape}"
    if row == "build_packed":  # equal times may come in any order there
        got, right = _settle(got, reference), _settle(right, reference)
    for name, array in got.items():
        wanted = right[name]
        if name in {"score", "removal"}:
            if not np.allclose(array, wanted, rtol=1e-9, atol=max(loose, 1e-12)):
                return f"{name} is off by up to {np.max(np.abs(array - wanted)):.3g}"
        elif not np.array_equal(array, wanted, equal_nan=array.dtype.kind == "f"):
            return f"{name} differs in {np.count_nonzero(array != wanted):,} places"
    return ""


def _settle(answer: Answer, reference: Reference) -> Answer:
    """Put the tied rows of a sorted log into one order, whichever order they came in."""
    rows = reference.tied
    settled = dict(answer)
    keys = ("value", "event", "channel", "time", "customer")
    order = np.lexsort([answer[key][rows] for key in keys])
    for key in ("channel", "event", "value"):
        settled[key] = answer[key].copy()
        settled[key][rows] = answer[key][rows[order]]
    return settled
