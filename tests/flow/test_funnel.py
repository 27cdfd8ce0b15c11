import json
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, strategies as st

import cxkit.flow.funnels.reaching as room
from cxkit import DataError, DefinitionError, Goal, Journey, Journeys, Touchpoint, UnknownLabelError
from cxkit.core.codes import Codes
from cxkit.core.spans import span_us
from cxkit.flow import Funnel, FunnelCounts
from tests.strategies import CHANNELS, EVENTS, grouped, journeys_of, touchpoint_rows

MINUTE = 60_000_000

STEPS = st.lists(
    st.one_of(
        st.sampled_from(EVENTS),
        st.builds(Goal, st.sampled_from(EVENTS), st.sampled_from(CHANNELS)),
        st.just("never"),
    ),
    min_size=1,
    max_size=4,
)
FUNNELS = st.builds(
    Funnel,
    STEPS,
    st.sampled_from([None, "1min", "20min", "2h"]),
    entry=st.sampled_from(["any", "first"]),
    ties=st.sampled_from(["order", "strict"]),
)


def matches(step, row):
    return row[2] == step.event and step.channel in {None, row[3]}


def slow_reached(funnel, rows):
    """Every choice of rows, tried out one after another."""
    limit = None if funnel.within is None else span_us(funnel.within, name="within")

    def from_row(i, entry, step):
        if step == len(funnel.steps):
            return step
        best = step
        for k in range(i + 1, len(rows)):
            if not matches(funnel.steps[step], rows[k]):
                continue
            if limit is not None and rows[k][1] - entry > limit:
                continue
            if funnel.ties == "strict" and rows[k][1] <= rows[i][1]:
                continue
            best = max(best, from_row(k, entry, step + 1))
        return best

    entries = [i for i, row in enumerate(rows) if matches(funnel.steps[0], row)]
    if funnel.entry == "first":
        entries = entries[:1]
    return max((from_row(i, rows[i][1], 1) for i in entries), default=0)


def made(*journeys):
    """Journeys from text such as "a0 b1 c1": event and minute."""
    rows = [
        (f"c{j}", int(word[1:]) * MINUTE, word[0], None, None, float("nan"))
        for j, text in enumerate(journeys)
        for word in text.split()
    ]
    return journeys_of(rows)


def reached(steps, *journeys, **options):
    return Funnel(list(steps), **options).reached(made(*journeys)).tolist()


@given(touchpoint_rows(max_rows=30, customers=3), FUNNELS)
def test_reached_is_that_of_every_choice_of_rows(rows, funnel):
    want = [slow_reached(funnel, part) for part in grouped(rows).values()]
    assert funnel.reached(journeys_of(rows)).tolist() == want


@given(touchpoint_rows(), FUNNELS)
def test_reached_does_not_depend_on_the_chunks(rows, funnel):
    journeys, usual = journeys_of(rows), room._CHUNK
    want = funnel.reached(journeys)
    try:
        room._CHUNK = 4
        assert funnel.reached(journeys).tolist() == want.tolist()
    finally:
        room._CHUNK = usual


@given(touchpoint_rows(min_rows=1), FUNNELS)
def test_one_journey_gives_the_number_that_many_give(rows, funnel):
    journeys = journeys_of(rows)
    many = funnel.reached(journeys)
    assert [funnel.reached(journey) for journey in journeys] == many.tolist()
    assert many[::-1].tolist() == funnel.reached(journeys[::-1]).tolist()


@given(touchpoint_rows(), FUNNELS)
def test_count_counts_the_journeys_that_reach_each_step(rows, funnel):
    journeys = journeys_of(rows)
    result = FunnelCounts.of(journeys, funnel=funnel).result()
    each = funnel.reached(journeys)
    want = [int((each > k).sum()) for k in range(len(funnel.steps))]
    assert result.reached.tolist() == want
    assert result.journeys == len(journeys)
    assert result.dropped.tolist() == [a - b for a, b in zip([want[0], *want], want, strict=False)]
    for k, count in enumerate(want):
        before = want[max(k - 1, 0)]
        assert result.share[k] == pytest.approx(count / want[0] if want[0] else np.nan, nan_ok=True)
        assert result.step_share[k] == pytest.approx(
            count / before if before else np.nan, nan_ok=True
        )


def test_the_window_holds_its_own_end():
    assert reached("ab", "a0 b20", "a0 b21", within="20min") == [2, 1]


def test_a_journey_may_enter_again():
    # From the first entry b is too late, from the second it is not.
    assert reached("ab", "a0 a9 b12", within="10min") == [2]
    assert reached("ab", "a0 a9 b12", within="10min", entry="first") == [1]
    # Without a window nothing is gained by entering again.
    assert reached("ab", "a0 a9 b12", entry="first") == [2]


def test_the_deepest_entry_counts_although_a_later_one_gets_less_far():
    assert reached("abc", "a0 b1 c2 a8 b9", within="5min") == [3]


def test_ties_count_in_the_order_of_the_input_or_not_at_all():
    assert reached("ab", "a5 b5", "b5 a5") == [2, 1]
    assert reached("ab", "a5 b5", "b5 a5", "a4 b5", ties="strict") == [1, 1, 2]
    # Many of one instant, and an earlier one behind them that is far enough back.
    assert reached("ab", "a4 a5 a5 a5 b5", ties="strict") == [2]
    assert reached("ab", "a4 a5 a5 b5", ties="strict", within="1min") == [2]
    # The instant of the journey before is not this journey's.
    assert reached("ab", "a5", "b5 a5 b6", ties="strict") == [1, 2]


def test_a_step_may_come_back_and_needs_a_touchpoint_of_its_own():
    assert reached("aa", "a1", "a1 a2") == [1, 2]
    assert reached("aba", "a1 b2", "a1 b2 a3", "b1 a2 a3") == [2, 3, 1]


def test_a_step_can_be_a_goal_in_a_channel():
    journeys = Journeys.from_codes(
        customer=np.array([1, 1, 2, 2]),
        time=np.arange(4),
        columns={
            "event": Codes.of(["view", "buy", "view", "buy"]),
            "channel": Codes.of(["web", "store", "web", "web"]),
        },
    )
    funnel = Funnel(["view", Goal("buy", channel="store")])
    assert funnel.reached(journeys).tolist() == [2, 1]
    assert funnel.count(journeys).to_dicts()[1]["step"] == "buy in store"


def test_an_unknown_step_is_refused_with_a_hint_but_not_by_the_summary():
    journeys = made("a0 b1")
    with pytest.raises(UnknownLabelError, match=r"no event 'bb'.*Did you mean 'b'\?"):
        Funnel(["a", "bb"]).count(journeys)
    assert FunnelCounts.of(journeys, funnel=Funnel(["a", "bb"])).reached.sum(axis=0).tolist() == [
        1,
        0,
    ]


def test_a_journey_of_its_own_need_not_know_all_steps():
    journey = Journey.of([Touchpoint("ann", "2024-01-01", event="a")])
    steps = Funnel(["a", "b"]).reached(journey)
    assert steps == 1
    assert type(steps) is int


def test_no_journeys_give_zeros():
    result = Funnel(["a", "b"], "1d").count(Journeys.empty())
    assert result.reached.tolist() == [0, 0]
    assert np.isnan(result.share).all()
    assert "0 of 0 journeys entered" in repr(result)
    assert Funnel(["a"]).reached(Journeys.empty()).tolist() == []


def test_intervals_hold_the_share_and_narrow_with_more_customers():
    def counted(customers):
        rng = np.random.default_rng(3)
        bought = rng.random(customers) < 0.3
        text = ["a0 b1" if yes else "a0" for yes in bought]
        return Funnel(["a", "b"]).count(made(*text))

    small, large = counted(300), counted(3000)
    for result in (small, large):
        assert result.share_low[1] < result.share[1] < result.share_high[1]
        assert result.share_low[1] < 0.3 < result.share_high[1]
    width = [r.share_high[1] - r.share_low[1] for r in (small, large)]
    assert 2 < width[0] / width[1] < 5  # sqrt(10), roughly
    # A share of the customers themselves: the binomial error is right.
    binomial = 1.96 * np.sqrt(0.3 * 0.7 / 3000)
    assert width[1] / 2 == pytest.approx(binomial, rel=0.3)
    wider = FunnelCounts.of(made("a0 b1"), funnel=Funnel(["a", "b"])).result(level=0.5)
    assert np.isnan(wider.share_low).all()  # one customer


def test_level_must_be_a_share():
    with pytest.raises(DefinitionError, match="level must lie between 0 and 1"):
        Funnel(["a"]).count(made("a0"), level=95)


def test_spans_that_mean_the_same_make_equal_funnels():
    assert Funnel(["a"], "7d") == Funnel(["a"], timedelta(days=7)) == Funnel(["a"], "168h")
    assert hash(Funnel(["a"], "7d")) == hash(Funnel(["a"], "1w"))


@given(FUNNELS)
def test_a_funnel_survives_json(funnel):
    assert Funnel.from_dict(json.loads(json.dumps(funnel.to_dict()))) == funnel


def test_repr_is_how_it_would_be_written():
    assert repr(Funnel(["a", 7], "120min")) == "Funnel(['a', 7], within='2h')"
    told = repr(Funnel([Goal("a", "web")], entry="first", ties="strict"))
    assert told.startswith("Funnel([Goal(event='a', channel='web'")
    assert told.endswith("entry='first', ties='strict')")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"steps": []}, "1 to 255 steps; found 0"),
        ({"steps": ["a"] * 256}, "found 256"),
        ({"steps": "view"}, "a list of steps.*found 'view'"),
        ({"steps": 5}, "a list of steps"),
        ({"steps": {"a", "b"}}, "a list of steps"),  # a set has no order
        ({"steps": ["a", None]}, "a goal is the name of an event"),
        ({"steps": ["a"], "within": "7 days"}, "within='7 days'"),
        ({"steps": ["a"], "within": timedelta(0)}, "longer than zero"),
        ({"steps": ["a"], "entry": "latest"}, r"entry of a funnel is one of .*found 'latest'"),
        ({"steps": ["a"], "ties": None}, "ties of a funnel is one of"),
    ],
)
def test_a_funnel_that_makes_no_sense_is_refused(arguments, message):
    with pytest.raises(DefinitionError, match=message):
        Funnel(**arguments)


def test_as_many_steps_as_a_byte_counts():
    funnel = Funnel(["a"] * 255)
    assert funnel.reached(made(" ".join(f"a{i}" for i in range(300)))).tolist() == [255]


@pytest.mark.parametrize("data", [{}, {"schema": "cxkit/goal/1"}, {"schema": "cxkit/funnel/1"}])
def test_other_data_is_no_funnel(data):
    with pytest.raises(DataError, match=r"no funnel|field 'steps' is missing"):
        Funnel.from_dict(data)


def test_steps_may_be_written_as_names_in_json():
    data = {"schema": "cxkit/funnel/1", "steps": ["a", "b"]}
    assert Funnel.from_dict(data) == Funnel(["a", "b"])


def test_the_notes_say_the_policy_in_words():
    shown = repr(Funnel(["a"], "2h", entry="first", ties="strict").count(made("a0")))
    assert "at most 2h after the first entry" in shown
    assert "strictly later" in shown
    assert "journeys" in shown
    shown = repr(Funnel(["a"]).count(made("a0")))
    assert "any time after any entry" in shown
    assert "order of the input" in shown
