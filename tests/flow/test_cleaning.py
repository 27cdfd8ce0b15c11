"""Cleaning: every step against a plain loop, and no row unaccounted for."""

import json
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import cxkit as cx
from cxkit import DataError, DefinitionError, Journeys, MergeError, SchemaError
from cxkit.flow import (
    Cleaning,
    CollapseRepeats,
    DropDuplicates,
    DropFast,
    DropLabels,
    KeepLength,
    MarkLost,
    Rename,
    Truncate,
)
from tests.examples import some
from tests.strategies import grouped, journeys_of, reordered, touchpoint_rows

MINUTE = 60_000_000
few = settings(max_examples=some(25))
STEPS = [
    DropFast(3, "10min"),
    DropLabels("channel", ["app"], whole="journey"),
    DropLabels("event", containing=["AI"], whole="customer"),
    DropLabels("campaign", [2]),
    DropDuplicates(["event"], within="10min"),
    DropDuplicates(["event", "channel", "value"], within="1s"),
    CollapseRepeats("event"),
    CollapseRepeats("channel", within="1h"),
    Truncate(start="view"),
    Truncate(end="buy"),
    Truncate("view", "buy", without="keep"),
    KeepLength(2),
    KeepLength(1, 3),
    Rename("event", {"view": "look", "cart": "look"}),
    Rename("campaign", {1: "one"}, other="rest"),
    MarkLost("3h", "1970-01-01T05:00Z"),
]
EVERYTHING = st.lists(st.sampled_from(STEPS), max_size=5)


def kept(journeys):
    """Rows as plain tuples, customer by customer."""
    return {
        journey.customer: [(t.time.timestamp() * 1e6, t.event, t.channel) for t in journey]
        for journey in journeys
    }


def slow(rows, step):
    """What each customer keeps, by a loop; rows of one customer are one journey."""
    out = {}
    for who, part in grouped(rows).items():
        keep = list(part)
        if isinstance(step, DropFast):
            span = 10 * MINUTE
            windows = (
                sum(r[1] - span < o[1] <= r[1] for o in part[: i + 1]) for i, r in enumerate(part)
            )
            keep = [] if any(n > step.touches for n in windows) else keep
        elif isinstance(step, DropLabels):
            column = {"event": 2, "channel": 3, "campaign": 4}[step.column]
            bad = [
                r[column] is not None
                and (
                    r[column] in step.labels
                    or any(t.lower() in str(r[column]).lower() for t in step.containing)
                )
                for r in part
            ]
            if step.whole == "touchpoint":
                keep = [r for r, b in zip(part, bad, strict=True) if not b]
            else:
                keep = [] if any(bad) else keep
        elif isinstance(step, DropDuplicates):
            places = [{"event": 2, "channel": 3, "value": 5}[c] for c in step.columns]
            span, last, keep = {"10min": 10 * MINUTE, "1s": 10**6}[step.within], {}, []
            for r in part:
                key = tuple("nan" if r[p] != r[p] else r[p] for p in places)
                if key not in last or r[1] - last[key] >= span:
                    last[key] = r[1]
                    keep.append(r)
        elif isinstance(step, CollapseRepeats):
            column = {"event": 2, "channel": 3}[step.by]
            keep = [
                r
                for i, r in enumerate(part)
                if i == 0
                or r[column] is None
                or r[column] != part[i - 1][column]
                or (step.within and r[1] - part[i - 1][1] > 60 * MINUTE)
            ]
        elif isinstance(step, Truncate):
            begin = next(
                (i for i, r in enumerate(part) if step.start and r[2] == step.start.event), None
            )
            if step.start is None:
                begin = 0
            if begin is None:
                keep = keep if step.without == "keep" else []
            else:
                end = next(
                    (
                        i
                        for i in range(begin, len(part))
                        if step.end and part[i][2] == step.end.event
                    ),
                    len(part) - 1,
                )
                keep = part[begin : end + 1]
        elif isinstance(step, KeepLength):
            keep = keep if step.least <= len(part) <= (step.most or 10**9) else []
        if keep:
            out[who] = [(r[1], r[2], r[3]) for r in keep]
    return out


@pytest.mark.parametrize(
    "step",
    [s for s in STEPS if not isinstance(s, (Rename, MarkLost))],
    ids=lambda step: step.what(),
)
@settings(max_examples=some(15))
@given(rows=touchpoint_rows(customers=6))
def test_each_step_drops_what_a_loop_drops(step, rows):
    cleaned = Cleaning([step]).apply(journeys_of(rows))
    assert kept(cleaned.journeys) == slow(rows, step)


@few
@given(touchpoint_rows(customers=6), EVERYTHING)
def test_rows_are_conserved_and_a_replay_gives_the_same(rows, steps):
    journeys = journeys_of(rows)
    cleaning = Cleaning(steps)
    done = cleaning.apply(journeys)
    log = done.log
    assert (log.touchpoints_before == log.dropped + log.touchpoints_after).all()
    if steps:
        assert log.touchpoints_before[0] == journeys.touchpoints
        assert log.touchpoints_before[1:].tolist() == log.touchpoints_after[:-1].tolist()
        assert log.touchpoints_after[-1] == done.journeys.touchpoints
        assert log.journeys_after[-1] == len(done.journeys)
        assert log.customers_after[-1] == done.journeys.customers
        assert (log.journeys_touched >= log.journeys_before - log.journeys_after).all()
        assert (log.customers_touched <= log.journeys_touched).all()
        assert ((log.dropped + log.changed == 0) == (log.journeys_touched == 0)).all()
    again = Cleaning.from_dict(json.loads(json.dumps(cleaning.to_dict())))
    assert again == cleaning
    assert again.apply(journeys) == done
    assert journeys == journeys_of(rows)  # the input stays as it is


@few
@given(touchpoint_rows(customers=6), EVERYTHING, st.integers(0, 6), st.data())
def test_parts_may_be_cleaned_apart(rows, steps, cut, data):
    cleaning, split = Cleaning(steps), f"c{cut}"
    whole = cleaning.apply(journeys_of(rows))
    parts = [[r for r in rows if r[0] < split], [r for r in rows if r[0] >= split]]
    a, b = (cleaning.apply(journeys_of(part)) for part in parts)
    assert a.log + b.log == whole.log
    both = {**kept(a.journeys), **kept(b.journeys)}
    assert both == kept(whole.journeys)
    assert cleaning.apply(journeys_of(data.draw(reordered(rows)))) == whole


def test_labels_are_renamed_and_grouped():
    rows = [
        ("c", at, x, None, n, 0.0)
        for at, (x, n) in enumerate([("view", 1), ("cart", 2), (None, None), ("buy", 1)])
    ]
    cleaned = Cleaning([Rename("event", {"view": "look", "cart": "look", "none": "x"})]).apply(
        journeys_of(rows)
    )
    assert cleaned.journeys.event.to_list() == ["look", "look", None, "buy"]
    assert cleaned.log.changed.tolist() == [2]
    mixed = Cleaning([Rename("campaign", {1: "one"})]).apply(journeys_of(rows)).journeys
    assert mixed.codes("campaign").to_list() == ["one", "2", None, "one"]
    rest = Cleaning([Rename("event", {"buy": "buy"}, other="else")]).apply(journeys_of(rows))
    assert rest.journeys.event.to_list() == ["else", "else", None, "buy"]
    assert rest.log.changed.tolist() == [2]


def test_lost_customers_are_marked_over_all_their_journeys():
    day = 86_400_000_000
    rows = [
        ("a", 0, "view", None, 1, 0.0),
        ("a", 40 * day, "view", None, 1, 0.0),
        ("b", day, "view", None, 1, 0.0),
    ]
    sessions = journeys_of(rows).sessions("1d")
    step = MarkLost(timedelta(days=30), "1970-02-15")
    cleaned = Cleaning([step]).apply(sessions)
    assert cleaned.journeys.codes("state").to_list() == ["active", "active", "lost"]
    assert (cleaned.log.changed.tolist(), cleaned.log.customers_touched.tolist()) == ([1], [1])
    edge = Cleaning([MarkLost("30d", "1970-02-01")]).apply(journeys_of(rows[2:]))
    assert edge.journeys.codes("state").to_list() == ["active"]  # 30 days are not more than 30
    assert Cleaning.from_dict(Cleaning([step]).to_dict()).steps == (step,)


def test_the_log_prints_and_leaves():
    journeys = cx.simulate.retail(100, rng=1).journeys
    cleaned = Cleaning([DropFast(), CollapseRepeats(), KeepLength(2)]).apply(journeys)
    shown = repr(cleaned)
    assert "cleaning: " in shown
    assert "repeats of event" in shown
    assert [row["step"] for row in cleaned.log.to_dicts()] == [
        "drop_fast",
        "collapse_repeats",
        "keep_length",
    ]
    nothing = Cleaning([]).apply(journeys)
    assert nothing.journeys == journeys
    assert repr(nothing.log).startswith("cleaning: no steps")
    empty = Cleaning(STEPS).apply(Journeys.empty())
    assert len(empty.journeys) == 0
    assert empty.log.dropped.sum() == 0
    with pytest.raises(MergeError, match="two different cleanings"):
        cleaned.log + nothing.log
    one = Cleaning([KeepLength(1)]).apply(journeys[0])
    assert one.journeys == journeys[:1]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DropFast(0), "touches must be a whole number from 1 up"),
        (lambda: DropFast(5, "soon"), "not a span of time"),
        (lambda: DropLabels("event"), "must name some"),
        (lambda: DropLabels("event", ["x"], whole="visit"), "whole must be one of"),
        (Truncate, "a truncation needs an event"),
        (lambda: Truncate("a", without="maybe"), "without must be one of"),
        (lambda: KeepLength(0), "least must be a whole number from 1 up"),
        (lambda: KeepLength(1, 0), "most must be a whole number from 1 up"),
        (lambda: MarkLost("30d", "2024-01-01T10:00"), "has no zone"),
        (lambda: Cleaning(["bots"]), "a cleaning is a list of steps"),
    ],
)
def test_a_step_makes_sense(make, message):
    with pytest.raises(DefinitionError, match=message):
        make()


def test_what_cannot_be_read_is_refused():
    with pytest.raises(SchemaError, match="no column 'agent'"):
        Cleaning([DropLabels("agent", ["bot"])]).apply(journeys_of([("c", 0, "a", None, 1, 0.0)]))
    with pytest.raises(
        DataError, match=r"no step of cleaning 'drop_fst'.*Did you mean 'drop_fast'\?"
    ):
        Cleaning.from_dict({"schema": "cxkit/cleaning/1", "steps": [{"step": "drop_fst"}]})
    with pytest.raises(DataError, match="unknown field 'touch'"):
        Cleaning.from_dict(
            {"schema": "cxkit/cleaning/1", "steps": [{"step": "drop_fast", "touch": 5}]}
        )
    with pytest.raises(DataError, match="schema is 'x'"):
        Cleaning.from_dict({"schema": "x", "steps": []})
    assert np.array_equal(Cleaning([]).apply(Journeys.empty()).log.dropped, [])


def test_lengths_that_no_journey_has_are_refused():
    with pytest.raises(DefinitionError, match="least=5 and most=2: no journey"):
        KeepLength(5, 2)
