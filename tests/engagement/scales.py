"""Random scales, and what they mean written out slowly."""

import math
import warnings

from hypothesis import strategies as st

from cxkit.engagement import EngagementScale, PointRule
from cxkit.errors import CxWarning
from cxkit.model.goal import Goal
from tests.strategies import CHANNELS, EVENTS

MINUTE = 60_000_000
COUNTS = ("every", "once_per_session", "once_per_customer")


def rules(counts=COUNTS):
    goal = st.builds(
        Goal,
        st.sampled_from([*EVENTS, "never"]),
        st.one_of(st.none(), st.sampled_from(CHANNELS)),
    )
    points = st.one_of(st.integers(-20, 100), st.floats(-10, 10))
    return st.builds(PointRule, goal, points, st.sampled_from(counts))


def scales(counts=COUNTS):
    return st.builds(
        EngagementScale,
        st.lists(
            rules(counts),
            min_size=1,
            max_size=6,
            unique_by=lambda r: (r.goal.event, r.goal.channel, r.count),
        ),
        half_life=st.sampled_from([None, "1min", "45min", "7d"]),
        session_gap=st.sampled_from(["5min", "30min"]),
    )


def quiet(scale, journeys, at):
    """scale.score, where it does not matter that the data has none of the events."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CxWarning)
        return scale.score(journeys, at=at)


def slow_points(scale, rows):
    """The points of the rows of one journey, in order of time."""
    gap = scale.session_gap_us
    session, sessions = 0, []
    for k, row in enumerate(rows):
        if k and row[1] - rows[k - 1][1] > gap:
            session += 1
        sessions.append(session)
    earned = [0.0] * len(rows)
    for rule in scale.rules:
        seen = set()
        for k, row in enumerate(rows):
            if row[2] != rule.goal.event or rule.goal.channel not in (None, row[3]):
                continue
            key = {"every": k, "once_per_session": sessions[k], "once_per_customer": 0}[rule.count]
            if key not in seen:
                earned[k] += rule.points
            seen.add(key)
    return earned


def slow_score(scale, rows, at_us):
    """The score, and by how much its terms can differ by rounding."""
    terms = []
    for row, points in zip(rows, slow_points(scale, rows), strict=True):
        if row[1] <= at_us:
            age = at_us - row[1]
            half_life = scale.half_life_us
            terms.append(points if half_life is None else points * 2.0 ** (-age / half_life))
    return math.fsum(terms), 1e-12 * (math.fsum(map(abs, terms)) + 1e-290)
