"""Random scales, and what they mean written out slowly."""

import math
import warnings
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from cxkit.engagement import (
    EngagementScale,
    HalfLife,
    Inactivity,
    LinearDecay,
    PointRule,
    RollingWindow,
)
from cxkit.errors import CxWarning
from cxkit.model.goal import Goal
from tests.strategies import CHANNELS, EVENTS

MINUTE = 60_000_000
COUNTS = ("every", "once_per_session", "once_per_customer", "cooldown", "debounce", "calendar_day")
AGEINGS = (
    None,
    HalfLife("1min"),
    HalfLife("45min"),
    HalfLife("7d"),
    LinearDecay("90min"),
    RollingWindow("1h"),
    Inactivity({"20min": 3, "2h": 40}),
    Inactivity({"30min": 5}, events=["buy", "view"]),
)
# Midnight in the second of these is at minute 180 of the random rows.
ZONES = ("UTC", "America/Sao_Paulo")


def goals():
    conditions = st.one_of(
        st.just({}),
        st.just({}),
        st.sampled_from(
            [
                {"value": (0, None)},
                {"value": (None, 4)},
                {"value": (1, 5)},
                {"where": {"campaign": [1, 3]}},
                {"where": {"campaign": 2}, "value": (-1, 9)},
            ]
        ),
    )
    return st.builds(
        lambda event, channel, more: Goal(event, channel, **more),
        st.sampled_from([*EVENTS, "never"]),
        st.one_of(st.none(), st.sampled_from(CHANNELS)),
        conditions,
    )


@st.composite
def rules(draw, counts=COUNTS, *, simple=False):
    count = draw(st.sampled_from(counts))
    points = draw(st.one_of(st.integers(-20, 100), st.floats(-10, 10)))
    more = {}
    if count in {"cooldown", "debounce"}:
        more["within"] = draw(st.sampled_from(["10min", "40min"]))
    if not simple:
        more["points_from"] = draw(st.sampled_from([None, None, "value", "campaign"]))
        more["cap"] = draw(st.sampled_from([None, None, 0, 15, 60.5]))
        more["group"] = draw(st.sampled_from([None, "g", "h"]))
        if counts != ("every",):
            more["per_day"] = draw(st.sampled_from([None, None, 1, 2]))
    return PointRule(draw(goals()), points, count, **more)


@st.composite
def scales(draw, counts=COUNTS, ageings=AGEINGS, *, simple=False):
    some = draw(
        st.lists(
            rules(counts, simple=simple),
            min_size=1,
            max_size=6,
            unique_by=lambda r: (r.goal.same, r.count, r.within),
        )
    )
    groups = sorted({rule.group for rule in some if rule.group})
    capped = [] if simple or not groups else draw(st.lists(st.sampled_from(groups), unique=True))
    return EngagementScale(
        some,
        session_gap=draw(st.sampled_from(["5min", "30min"])),
        ageing=draw(st.sampled_from(ageings)),
        group_caps={name: draw(st.sampled_from([0, 20, 90.25])) for name in capped},
        cap=None if simple else draw(st.sampled_from([None, 30, 120])),
        floor=None if simple else draw(st.sampled_from([None, 0, -7.5])),
        zone=draw(st.sampled_from(ZONES)),
    )


def plain_scales():
    """Scales of which the order of touchpoints does not matter."""
    return scales(counts=("every",), ageings=AGEINGS[:4])


def quiet(scale, journeys, at):
    """scale.score, where it does not matter that the data has none of the events."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CxWarning)
        return scale.score(journeys, at=at)


def reaches(goal, row):
    _, _, event, channel, campaign, value = row
    if event != goal.event or goal.channel not in {None, channel}:
        return False
    if goal.value is not None:
        low, high = goal.value
        if math.isnan(value) or (low is not None and value < low):
            return False
        if high is not None and value > high:
            return False
    return all(campaign in labels for _, labels in goal.where)


def worth(rule, row):
    if rule.points_from == "value" and not math.isnan(row[5]):
        return row[5]
    if rule.points_from == "campaign" and row[4] is not None:
        return float(row[4])
    return rule.points


def day_of(us, zone):
    local = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)
    return local.astimezone(ZoneInfo(zone)).date()


def sessions_of(scale, rows):
    session, found = 0, []
    for k, row in enumerate(rows):
        if k and row[1] - rows[k - 1][1] > scale.session_gap_us:
            session += 1
        found.append(session)
    return found


def slow_counts(scale, rows):
    """For each rule, which rows of one journey match it, and which of these count."""
    sessions = sessions_of(scale, rows)
    found = []
    for rule in scale.rules:
        seen, last, before, days, matched, counted = set(), None, None, {}, [], []
        for k, row in enumerate(rows):
            if not reaches(rule.goal, row):
                continue
            matched.append(k)
            day = day_of(row[1], scale.zone)
            if rule.count == "cooldown":
                fits = last is None or row[1] - last >= rule.within_us
                last = row[1] if fits else last
            elif rule.count == "debounce":
                fits = before is None or row[1] - before >= rule.within_us
                before = row[1]
            else:
                key = {
                    "every": k,
                    "once_per_session": sessions[k],
                    "once_per_customer": 0,
                    "calendar_day": day,
                }[rule.count]
                fits = key not in seen
                seen.add(key)
            if fits and rule.per_day is not None:
                days[day] = days.get(day, 0) + 1
                fits = days[day] <= rule.per_day
            if fits:
                counted.append(k)
        found.append((matched, counted))
    return found


def slow_points(scale, rows):
    """The points of the rows of one journey, in order of time."""
    earned = [0.0] * len(rows)
    for rule, (_, counted) in zip(scale.rules, slow_counts(scale, rows), strict=True):
        for k in counted:
            earned[k] += worth(rule, rows[k])
    return earned


def left_of(scale, age):
    ageing = scale.ageing
    if isinstance(ageing, HalfLife):
        return 2.0 ** (-age / ageing.us)
    if isinstance(ageing, LinearDecay):
        return max(0.0, 1 - age / ageing.us)
    if isinstance(ageing, RollingWindow):
        return float(age < ageing.us)
    return 1.0


def slow_score(scale, rows, at_us):
    """The score, and by how much its terms can differ by rounding."""
    by_rule, size = [], 0.0
    for rule, (_, counted) in zip(scale.rules, slow_counts(scale, rows), strict=True):
        terms = [
            worth(rule, rows[k]) * left_of(scale, at_us - rows[k][1])
            for k in counted
            if rows[k][1] <= at_us
        ]
        by_rule.append(math.fsum(terms))
        size += math.fsum(map(abs, (worth(rule, rows[k]) for k in counted)))
    return capped(scale, by_rule, rows, at_us), 1e-12 * (size + 1e-290)


def capped(scale, by_rule, rows, at_us):
    sums = [
        total if rule.cap is None else min(total, rule.cap)
        for rule, total in zip(scale.rules, by_rule, strict=True)
    ]
    caps = dict(scale.group_caps)
    groups = dict.fromkeys(caps, 0.0)
    total = 0.0
    for rule, one in zip(scale.rules, sums, strict=True):
        if rule.group in caps:
            groups[rule.group] += one
        else:
            total += one
    total += sum(min(one, caps[name]) for name, one in groups.items())
    if scale.cap is not None:
        total = min(total, scale.cap)
    if total > 0:
        total = max(total - slow_due(scale, rows, at_us), 0.0)
    return total if scale.floor is None else max(total, scale.floor)


def slow_due(scale, rows, at_us):
    """What inactivity would take of enough points; 0 for a customer who was not idle."""
    if not isinstance(scale.ageing, Inactivity):
        return 0.0
    events = scale.ageing.events
    known = [row for row in rows if row[1] <= at_us]
    active = [row[1] for row in known if events is None or row[2] in events]
    since = max(active) if active else min((row[1] for row in known), default=at_us)
    return sum(
        points
        for span, points in scale.ageing.steps
        if at_us - since >= {"20min": 20, "30min": 30, "2h": 120}[span] * MINUTE
    )
