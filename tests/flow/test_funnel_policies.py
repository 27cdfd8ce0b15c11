import json
import pickle
import random
import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import cxkit.flow.funnels.reaching as room
from cxkit import DataError, DefinitionError, Goal, Journeys, SchemaError, UnknownLabelError
from cxkit.core.codes import Codes
from cxkit.flow import Funnel, Without
from cxkit.flow.funnels.scene import _held
from tests.examples import some
from tests.flow.funnels import dense_case, funnels, rows_of_ties, slow_passage
from tests.strategies import grouped, journeys_of

MINUTE = 60_000_000
FEW = settings(max_examples=some(25))


def slow_passages(funnel, rows):
    """Those of all journeys, as rows of the touchpoint columns."""
    found, start = [], 0
    for part in grouped(rows).values():
        found.append([i if i < 0 else start + i for i in slow_passage(funnel, part)])
        start += len(part)
    return found


def made(*journeys):
    """Journeys from text such as "a0 b1/x c1": event, minute and campaign."""
    rows = []
    for j, text in enumerate(journeys):
        for word in text.split():
            head, _, campaign = word.partition("/")
            rows.append(
                (f"c{j}", int(head[1:]) * MINUTE, head[0], None, campaign or None, float("nan"))
            )
    return journeys_of(rows)


def reached(steps, *journeys, **options):
    return Funnel(list(steps), **options).reached(made(*journeys)).tolist()


@given(rows_of_ties(), funnels())
@settings(max_examples=some(60))
def test_every_policy_equals_trying_out_every_choice(rows, funnel):
    journeys, want = journeys_of(rows), slow_passages(funnel, rows)
    assert funnel.passages(journeys).tolist() == want
    assert funnel.reached(journeys).tolist() == [sum(i >= 0 for i in way) for way in want]


def test_so_do_those_that_hypothesis_rarely_tries():
    rng, seen = random.Random(4), Counter()
    for _ in range(700):
        rows, funnel = dense_case(rng)
        want = slow_passages(funnel, rows)
        assert funnel.passages(journeys_of(rows)).tolist() == want, (funnel, rows)
        deepest = max(sum(i >= 0 for i in way) for way in want)
        seen[funnel.ties if funnel.order == "given" else "any order"] += deepest >= 3
        seen["without"] += bool(funnel.without) and deepest >= 2
        seen["hold"] += funnel.hold is not None and deepest >= 2
        seen["adjacent"] += funnel.adjacent and deepest >= 2
    kinds = ("order", "strict", "any", "any order", "without", "hold", "adjacent")
    assert min(seen[kind] for kind in kinds) >= 5, seen


@given(rows_of_ties(customers=4), funnels())
@FEW
def test_passages_do_not_depend_on_the_chunks_nor_on_the_other_journeys(rows, funnel):
    journeys, usual = journeys_of(rows), room._CHUNK
    whole = funnel.passages(journeys)
    try:
        room._CHUNK = 4
        assert funnel.passages(journeys).tolist() == whole.tolist()
    finally:
        room._CHUNK = usual
    for j, journey in enumerate(journeys):
        start = int(journeys.offsets[j])
        alone = funnel.passages(journey)
        assert np.where(alone < 0, alone, alone + start).tolist() == whole[j : j + 1].tolist()
        assert funnel.reached(journey) == (whole[j] >= 0).sum()


@given(funnels())
@FEW
def test_every_policy_survives_json_and_pickle_and_is_told(funnel):
    assert Funnel.from_dict(json.loads(json.dumps(funnel.to_dict()))) == funnel
    assert pickle.loads(pickle.dumps(funnel)) == funnel
    assert "unit: journeys" in funnel.told()
    assert repr(funnel).startswith("Funnel([")


def test_the_way_through_is_the_quickest_of_those_that_get_there_first():
    funnel = Funnel(["a", "b", "c"])
    # Not the first a, nor the b after the first c.
    assert funnel.passages(made("a0 a1 b2 b3 c4 b5 c6")).tolist() == [[1, 3, 4]]
    assert funnel.passages(made("a0 a1", "b0")).tolist() == [[0, -1, -1], [-1, -1, -1]]
    with pytest.raises(ValueError, match="read-only"):
        funnel.passages(made("a0"))[0] = 1


def test_last_entry():
    assert reached("ab", "a0 b1 a2", "a0 a1 b2", entry="last") == [1, 2]


def test_steps_of_one_instant_in_whatever_order_serves_best():
    assert reached("ab", "b5 a5", ties="any") == [2]
    assert reached("ab", "b5 a5", ties="strict") == [1]
    # Each touchpoint serves once: two of the same step need two touchpoints.
    assert reached("aa", "a5", "a5 a5", ties="any") == [1, 2]
    assert reached("aba", "b5 a5", "b5 a5 a5", "b5 a5 a6", ties="any") == [2, 3, 3]


def test_one_touchpoint_that_could_be_either_step_is_not_both():
    web, rich = Goal("a", "web"), Goal("a", value=(5, None))
    row = ("c", 0, "a", "web", None, 9.0)
    assert Funnel([web, rich], ties="any").reached(journeys_of([row])).tolist() == [1]
    other = ("c", 0, "a", "app", None, 9.0)
    assert Funnel([web, rich], ties="any").reached(journeys_of([row, other])).tolist() == [2]


def test_shortest_and_longest_time_of_a_step():
    assert reached("ab", "a0 b5", "a0 b6", "a0 b4 b6", step_after="5min") == [2, 2, 2]
    assert reached("ab", "a0 b4", step_after="5min") == [1]
    assert reached("ab", "a0 b5", "a0 b6", "a0 a2 b6", step_within="5min") == [2, 1, 2]
    # The last of the step before is too near, an earlier one is not.
    assert reached("abc", "a0 b1 b8 c10", step_after=[None, "5min"]) == [3]
    assert reached("abc", "a0 b1 b8 c10", step_within=[None, "5min"]) == [3]
    assert reached("abc", "a0 b1 c10", step_within=[None, "5min"]) == [2]


def test_neighbours():
    assert reached("ab", "a0 b1", "a0 x1 b2", "a0 a1 b2", adjacent=True) == [2, 1, 2]
    assert reached("ab", "a0 b0", adjacent=True, ties="strict") == [1]


def test_what_must_not_come_between():
    assert reached("abc", "a0 x1 b2 c3", "a0 b1 x2 c3", "x0 a1 b2 c3 x4", without=["x"]) == [
        1,
        2,
        3,
    ]
    assert reached("abc", "a0 x1 b2 c3", without=[Without("x", after=2)]) == [3]
    assert reached("abc", "a0 b1 x2 c3", without=[Without("x", after=1, before=2)]) == [3]
    # Another entry after it is as good as any.
    assert reached("ab", "a0 x1 a2 b3", without=["x"]) == [2]
    # A step that must not come between: no other of its kind.
    assert reached("ab", "a0 b1", "a0 a1 b2", without=["a"]) == [2, 2]
    # Of the instant of a step it is not between, where instants have no order.
    assert reached("ab", "a0 x0 b1", without=["x"]) == [1]
    assert reached("ab", "a0 x0 b1", without=["x"], ties="strict") == [2]


def test_any_order():
    assert reached("abc", "c0 a1 b2", "b0 b1 a2", "x0", order="any") == [3, 2, 0]
    assert reached("abc", "c0 a1 b9", "c0 a1 b9 c9", order="any", within="8min") == [2, 3]
    assert reached("aab", "a0 b1", "a0 b1 a2", order="any") == [2, 3]
    assert reached("ab", "a0 x1 b2", "a0 x1 b2 a3", order="any", without=["x"]) == [1, 2]
    found = Funnel(["a", "b"], order="any").count(made("b0", "a1 b2"))
    assert [row["step"] for row in found.to_dicts()] == ["any 1 of 2", "any 2 of 2"]
    assert "in any order" in found.notes()[0]


def test_a_property_that_stays_the_same():
    assert reached("ab", "a0/x b1/y", "a0/x b1/y b2/x", hold="campaign") == [1, 2]
    # Without a label a touchpoint is no step; two of them are not the same.
    assert reached("ab", "a0 b1", hold="campaign") == [0]
    # What must not come between has the label too, and neighbours are those with it.
    assert reached("ab", "a0/x c1/y b2/x", hold="campaign", without=["c"]) == [2]
    assert reached("ab", "a0/x c1/x b2/x", hold="campaign", without=["c"]) == [1]
    assert reached("ab", "a0/x c1/y b2/x", "a0/x c1/x b2/x", hold="campaign", adjacent=True) == [
        2,
        1,
    ]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"adjacent": True, "ties": "any"}, "adjacent=True and ties='any'"),
        ({"adjacent": True, "without": ["x"]}, "adjacent=True and without"),
        ({"order": "any", "adjacent": True}, "order='any' and adjacent=True"),
        ({"order": "any", "ties": "strict"}, "order='any' and ties='strict'"),
        ({"order": "any", "step_within": "1h"}, "order='any' and step_within"),
        ({"order": "any", "step_after": "1h"}, "order='any' and step_after"),
        ({"order": "any", "entry": "last"}, "order='any' and entry='last'"),
        ({"order": "any", "without": ["a"]}, "order='any' and without='a'"),
        ({"order": "any", "without": [Without("x", 2)]}, "order='any' and without between certain"),
        ({"step_within": "1h", "step_after": "2h"}, "step_after='2h' is longer than step_within"),
        ({"within": "1h", "step_after": "40min"}, "adds up to '80min', more than within='1h'"),
        ({"step_within": ["1h"]}, "a list of 2 .one for each step after the first.; found 1"),
        ({"step_after": "0s"}, "longer than zero"),
        ({"within": "-7d"}, "is not a span of time"),
        ({"without": "x"}, "without is a list of goals"),
        ({"without": [Without("x", 3)]}, "is not between steps of a funnel that has 3"),
        ({"hold": ""}, "hold of a funnel is the name of a column"),
        ({"hold": 5}, "hold of a funnel is the name of a column"),
        ({"adjacent": 1}, "adjacent of a funnel is one of"),
        ({"order": "random"}, "order of a funnel is one of"),
    ],
)
def test_options_that_mean_nothing_together_are_refused(options, told):
    with pytest.raises(DefinitionError, match=told):
        Funnel(["a", "b", "c"], **options)


@pytest.mark.parametrize(
    ("a", "b", "overlap"),
    [
        (Goal("a"), Goal("a", "web"), True),
        (Goal("a", "app"), Goal("a", "web"), False),
        (Goal("a"), Goal("b"), False),
        (Goal("a", value=(5, None)), Goal("a", value=(None, 4)), False),
        (Goal("a", value=(5, None)), Goal("a", value=(None, 5)), True),
        (Goal("a", value=(5, None)), Goal("a", where={"plan": "x"}), True),
        (Goal("a", where={"plan": "x"}), Goal("a", where={"plan": ["y", "z"]}), False),
        (Goal("a", where={"plan": "x"}), Goal("a", where={"plan": ["x", "z"]}), True),
    ],
)
def test_in_any_order_steps_must_not_overlap(a, b, overlap):
    if not overlap:
        assert Funnel([a, b], order="any").steps == (a, b)
        return
    with pytest.raises(DefinitionError, match="steps that overlap"):
        Funnel([a, b], order="any")


def test_too_many_steps_for_ties_in_any_order_are_refused():
    many = [Goal("a", f"channel {i}") for i in range(9)]
    with pytest.raises(DefinitionError, match="ties='any' and so many steps"):
        Funnel(many, ties="any")
    with pytest.raises(DefinitionError, match="ties='any' and so many steps"):
        Funnel([f"event {i}" for i in range(65)], ties="any")
    assert Funnel(many[:8], ties="any").reached(made("a0")).tolist() == [0]


@pytest.mark.parametrize("given", [(0, None), (2, 2), (2, 1), (True, None), (1, 2.5), ("1", None)])
def test_what_is_not_between_steps_is_refused(given):
    with pytest.raises(DefinitionError, match="after a step from 1 up and before a later one"):
        Without("x", *given)


def test_what_must_not_come_between_is_read_from_json():
    one = Without(Goal("x", "web"), 2, 4)
    assert Without.from_dict(json.loads(json.dumps(one.to_dict()))) == one
    with pytest.raises(DataError, match="no exclusion of a funnel"):
        Without.from_dict({"schema": "cxkit/goal/1"})
    data = Funnel(["a", "b"], without=["x"]).to_dict() | {"without": ["x"]}
    assert Funnel.from_dict(data) == Funnel(["a", "b"], without=["x"])


def test_columns_and_labels_that_are_not_there_are_refused():
    journeys = made("a0/x b1/x")
    with pytest.raises(SchemaError, match="no column 'campain'"):
        Funnel(["a", "b"], hold="campain").count(journeys)
    with pytest.raises(SchemaError, match="holds numbers"):
        Funnel(["a", "b"], hold="value").count(journeys)
    with pytest.raises(UnknownLabelError, match="no event 'lgout'"):
        Funnel(["a", "b"], without=["lgout"]).count(journeys)
    none = Funnel(["a", "b"], hold="campaign", without=["x"], ties="any").count(Journeys.empty())
    assert none.reached.tolist() == [0, 0]
    assert "no journey entered" in none.notes()[1]


def test_notes_say_why_a_share_is_missing():
    found = Funnel(["a", "b", "c"]).count(
        Journeys.from_codes(
            customer=np.arange(2),
            time=np.zeros(2, np.int64),
            columns={"event": Codes.of(["a", "a"])},
        ).append(made("c0 b0"))
    )
    assert found.reached.tolist() == [2, 0, 0]
    assert "no journey reached the last steps" in found.notes()[1]


def test_the_policy_is_told_in_words():
    funnel = Funnel(
        ["a", "b", "c"],
        "1d",
        entry="last",
        ties="any",
        step_within="12h",
        step_after=[None, "1h"],
        without=["x", Without("y", 2)],
        hold="campaign",
    )
    for words in (
        "at most 1d after the last entry",
        "each step at most 12h after the one before",
        "step 3 at least 1h after the one before",
        "whatever order serves best",
        "without x, y (steps 2 to the last) between",
        "all with the same campaign",
    ):
        assert re.search(re.escape(words), funnel.told()), words
    assert "without=['x', Without(" in repr(funnel)
    assert "no others between" in Funnel(["a", "b"], adjacent=True).told()


def test_many_touchpoints_of_one_instant():
    text = " ".join(["b5"] * 300 + ["a5"] * 300)
    assert reached("abab", text, ties="any") == [4]
    assert reached("ab", text, ties="strict") == [1]


@given(st.integers(1, 4), st.integers(1, 8))
@FEW
def test_a_bot_that_does_everything_at_once_reaches_everything(steps, times):
    row = [("c", 0, "a", None, None, 1.0)] * times
    found = Funnel(["a"] * steps, ties="any").reached(journeys_of(row)).tolist()
    assert found == [min(steps, times)]


def test_labels_too_many_to_sort_with_their_places_in_one_number():
    rng = np.random.default_rng(0)
    offsets, codes = np.array([0, 30, 64]), rng.integers(0, 3, 64)
    found = {Goal("a"): np.flatnonzero(rng.random(64) < 0.5)}
    few, many = (_held(offsets, codes, top, dict(found), every=True) for top in (3, 2**58))
    for one, other in zip(few[:3], many[:3], strict=True):
        assert one.tolist() == other.tolist()
    assert few[3][Goal("a")].tolist() == many[3][Goal("a")].tolist()
