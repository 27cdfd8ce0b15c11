"""Random patterns, a slow and obvious oracle, and random arrival."""

import numpy as np
from hypothesis import strategies as st

from cxkit.model.goal import Goal
from cxkit.patterns import Pattern

MINUTE = 60_000_000
GOALS = [*("view", "cart", "buy", "mail", "gone"), Goal("view", channel="web"), Goal("cart", "app")]
SPANS = [None, "1min", "20min", "1h", "3h"]


@st.composite
def busy_rows(draw):
    """Rows as ``touchpoint_rows`` gives them, but crowded: many, few customers, many ties."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    step = draw(st.sampled_from([1, 10, 60]))
    return [
        (
            f"c{rng.integers(2)}",
            int(rng.integers(25)) * step * MINUTE,
            ["view", "cart", "buy", "mail", None][rng.integers(5)],
            ["web", "app"][rng.integers(2)],
            None,
            float(rng.integers(9)),
        )
        for _ in range(draw(st.integers(20, 60)))
    ]


@st.composite
def patterns(draw, report=("first", "every", "overlapping")):
    """Patterns over the events of the random touchpoints, of every kind."""
    goal, span = st.sampled_from(GOALS), st.sampled_from(SPANS)
    steps = draw(st.lists(goal, min_size=1, max_size=4))
    then_no = draw(st.lists(goal, max_size=2))
    gaps = len(steps) - 1 + bool(then_no)
    within, step_within = draw(span), draw(st.lists(span, min_size=gaps, max_size=gaps))
    if then_no and within is None and step_within[-1] is None:
        within = "40min"
    return Pattern(
        steps,
        within,
        without=draw(st.lists(goal, max_size=2)),
        then_no=then_no,
        step_within=step_within,
        report=draw(st.sampled_from(report)),
    )


def fits(goal, row):
    """Whether a row (customer, time, event, channel, ...) reaches the goal."""
    return row[2] == goal.event and (goal.channel is None or row[3] == goal.channel)


def any_fits(goals, row):
    return any(fits(goal, row) for goal in goals)


def starts_of(journey, pattern, last):
    """Every row that begins a match of the steps that ends with row ``last``: by trying all."""
    limit, gaps = pattern.within_us, pattern.step_within_us

    def back(step, row):
        """The first rows of all ways to have ``step`` at ``row``."""
        if not fits(pattern.steps[step], journey[row]):
            return set()
        if step == 0:
            return {row}
        found = set()
        for before in range(row):
            gap = gaps[step - 1]
            if gap is not None and journey[row][1] - journey[before][1] > gap:
                continue
            if any(any_fits(pattern.without, journey[r]) for r in range(before + 1, row)):
                continue
            found |= back(step - 1, before)
        return found

    began = back(len(pattern.steps) - 1, last)
    if limit is None:
        return began
    return {row for row in began if journey[last][1] - journey[row][1] <= limit}


def slow_matches(journey, pattern, at=None):
    """The reported matches of one journey of rows: (start row, last row, end), by definition."""
    found = []
    for last in range(len(journey)):
        began = starts_of(journey, pattern, last)
        if not began:
            continue
        start, end = max(began), journey[last][1]
        if pattern.then_no:
            ends = []
            if pattern.within_us is not None:
                ends.append(journey[start][1] + pattern.within_us)
            if pattern.step_within_us[-1] is not None:
                ends.append(journey[last][1] + pattern.step_within_us[-1])
            end = min(ends)
            after = journey[last + 1 :]
            if any(any_fits(pattern.then_no, row) and row[1] <= end for row in after):
                continue
        if at is None or end <= at:
            found.append((start, last, end))
    if pattern.report == "first":
        return found[:1]
    if pattern.report == "overlapping":
        return found
    kept = []
    for start, last, end in found:
        if kept and pattern.then_no and journey[start][1] <= kept[-1][2]:
            continue
        if kept and not pattern.then_no and start <= kept[-1][1]:
            continue
        kept.append((start, last, end))
    return kept


@st.composite
def late_arrival(draw, rows, tolerance_us):
    """The rows in an order in which none comes later than the tolerance after a newer one.

    Rows of one customer and instant keep their order, for that order is part of the data.
    """
    delays = draw(st.lists(st.integers(0, tolerance_us), min_size=len(rows), max_size=len(rows)))
    return arrival(rows, delays)


def arrival(rows, delays):
    keyed = {}
    for row, delay in zip(rows, delays, strict=True):
        # Equal instants of a customer share one delay, so that a stable sort keeps their order.
        keyed.setdefault((row[0], row[1]), row[1] + delay)
    return sorted(rows, key=lambda row: keyed[row[0], row[1]])
