"""The verbs: what they refuse, how results print, one journey and many."""

from __future__ import annotations

import math
import pickle

import attrs
import numpy as np
import pytest

from cxkit.attribution import (
    AttributionModel,
    FirstTouch,
    LastTouch,
    Linear,
    Markov,
    PathRule,
    TimeDecay,
    attribute,
    compare,
    credit,
    tally,
)
from cxkit.core.codes import Codes
from cxkit.errors import DefinitionError, SchemaError, UnknownLabelError
from cxkit.model.goal import Goal
from cxkit.model.journeys import Journeys
from tests.attribution.brute import Row, to_journeys

LOG = [
    Row(1, 0, "ad", "view", math.nan),
    Row(1, 1, "mail", "click", math.nan),
    Row(1, 2, "shop", "buy", 30.0),
    Row(2, 0, "ad", "view", math.nan),
    Row(3, 0, "shop", "buy", math.nan),
]


@pytest.fixture
def journeys():
    return to_journeys(LOG)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"goal": "bui"}, UnknownLabelError, "no event 'bui'.*Did you mean 'buy'"),
        ({"goal": Goal("buy", channel="sop")}, UnknownLabelError, "Did you mean 'shop'"),
        ({"goal": "buy", "touches": ["veiw"]}, UnknownLabelError, "Did you mean 'view'"),
        ({"goal": "buy", "by": "chanel"}, SchemaError, "Did you mean 'channel'"),
        ({"goal": "buy", "by": "value"}, SchemaError, "column 'value' holds numbers"),
        ({"goal": "buy", "by": "time"}, SchemaError, "column 'time' holds"),
        (
            {"goal": "buy", "level": 95},
            DefinitionError,
            "level must lie between 0 and 1, .*found 95",
        ),
        ({"goal": "buy", "model": "linear"}, DefinitionError, "found 'linear'"),
        ({"goal": 1.5}, DefinitionError, "a goal is the name of an event"),
    ],
)
def test_what_cannot_be_answered_is_refused(journeys, arguments, error, message):
    with pytest.raises(error, match=message):
        attribute(journeys, **arguments)


def test_a_table_is_no_journeys():
    with pytest.raises(SchemaError, match="expected Journeys or a Journey, found dict"):
        attribute({}, "buy")


def test_a_channel_that_was_not_given_is_no_column():
    bare = Journeys.from_codes(
        customer=np.array([1]), time=np.array([1]), columns={"event": Codes.of(["buy"])}
    )
    with pytest.raises(SchemaError, match="no column 'channel'"):
        attribute(bare, "buy", Linear())
    assert attribute(bare, "buy", Linear(), by="event").labels == ("buy",)
    assert attribute(bare, "buy", Linear(), by="event").total_value == 0.0


def test_credit_by_any_column(journeys):
    by_customer = attribute(journeys, "buy", Linear(), by="customer")
    assert by_customer.labels == (1, 2, 3)
    assert by_customer.conversions.tolist() == [pytest.approx(1), 0.0, 1.0]
    by_event = attribute(journeys, "buy", FirstTouch(), by="event")
    assert dict(zip(by_event.labels, by_event.conversions, strict=True)) == {
        "buy": 1.0,
        "click": 0.0,
        "view": 1.0,
    }


def test_one_journey_is_attributed_as_many_are(journeys):
    for model in (FirstTouch(), LastTouch(), Linear(), TimeDecay("1s")):
        whole = credit(journeys, "buy", model)
        for j in range(len(journeys)):
            rows = slice(journeys.offsets[j], journeys.offsets[j + 1])
            one = credit(journeys[j], "buy", model)
            assert one.credit.tolist() == whole.credit[rows].tolist()
        parts = [attribute(journeys[j], "buy", model).conversions for j in range(len(journeys))]
        np.testing.assert_allclose(
            np.sum(parts, axis=0), attribute(journeys, "buy", model).conversions, atol=1e-12
        )


def test_models_side_by_side(journeys):
    table = compare(journeys, "buy", lookback="2s")
    assert list(table.columns()) == [
        "channel",
        "first_touch",
        "last_touch",
        "linear",
        "position_based",
        "time_decay",
        "markov",
    ]
    assert table.labels == ("ad", "mail", "shop")
    for answer in table.attributions:
        alone = attribute(journeys, "buy", answer.model, lookback="2s")
        assert alone.conversions.tolist() == answer.conversions.tolist()
        assert table.columns()[answer.model.name].tolist() == answer.conversions.tolist()
        assert answer.conversions.sum() == pytest.approx(2)
    text = repr(table)
    assert text.startswith("6 models: buy by channel, 2 conversions worth 30.0")
    assert "touches at most 2s before the end of their path" in text
    assert "which markov counts; first_touch, last_touch" in text


def test_models_side_by_side_with_intervals(journeys):
    table = compare(journeys, "buy", [FirstTouch(), Markov()])
    shares = table.intervals()
    assert list(shares.columns()) == [
        "channel",
        *("first_touch", "first_touch low", "first_touch high"),
        *("markov", "markov low", "markov high"),
    ]
    assert repr(shares).startswith("share by channel, 95% intervals: buy")
    assert "first_touch cannot see them" in repr(shares)
    value = table.intervals("value").to_dicts()
    assert sum(row["markov"] for row in value) == pytest.approx(30.0)
    with pytest.raises(DefinitionError, match="first_touch has no 'removal_effect'"):
        table.intervals("removal_effect")


def test_answers_pickle_read_only(journeys):
    for answer in (attribute(journeys, "buy"), attribute(journeys, "buy").intervals()):
        again = pickle.loads(pickle.dumps(answer))
        assert repr(again) == repr(answer)
    again = pickle.loads(pickle.dumps(attribute(journeys, "buy")))
    for found in again.estimates.values():
        assert not found.estimate.flags.writeable
    with pytest.raises(TypeError):
        again.estimates["share"] = None


def test_a_model_of_ones_own_needs_no_verb_of_its_own(journeys):
    @attrs.frozen
    class Evenly(AttributionModel):
        kind = "evenly"
        signed = True

        def count(self, found):
            return Markov().count(found)

        def count_paths(self, paths):
            return Markov().count_paths(paths)

    table = compare(journeys, "buy", [Evenly(), LastTouch()])
    assert list(table.columns()) == ["channel", "markov", "last_touch"]  # whose summary it borrows
    assert tally(journeys, "buy", Evenly()).result().conversions.sum() == pytest.approx(2)


def test_a_rule_says_it_all(journeys):
    rule = PathRule("buy", lookback="2s", touches=["view", "click"])
    one = attribute(journeys, rule, Linear())
    other = attribute(journeys, "buy", Linear(), lookback="2s", touches=["view", "click"])
    assert repr(one) == repr(other)
    assert credit(journeys, rule, Linear()).rule is rule
    with pytest.raises(DefinitionError, match=r"\['lookback'\] beside a path rule"):
        attribute(journeys, rule, Linear(), lookback="1s")
    with pytest.raises(DefinitionError, match="most_touches must be a whole number from 1 up"):
        attribute(journeys, "buy", Linear(), most_touches=0)
    assert PathRule.from_dict(rule.to_dict()) == rule
    assert "the last 2 touches" in repr(attribute(journeys, "buy", Linear(), most_touches=2))
    assert "reach back" in repr(attribute(journeys, "buy", Linear(), restart=False))


def test_comparisons_need_different_names(journeys):
    with pytest.raises(DefinitionError, match="of different names"):
        compare(journeys, "buy", [Linear(), Linear()])
    with pytest.raises(DefinitionError, match="at least one"):
        compare(journeys, "buy", [])
    two = compare(journeys, "buy", [TimeDecay(), TimeDecay("1s")])
    assert list(two.columns())[1:] == ["time_decay", "time_decay(half_life=1s)"]


def test_an_answer_says_what_it_is(journeys):
    text = repr(
        attribute(journeys, "buy", Markov(), touches=["view", "click"], goal_is_touch=False)
    )
    assert text.startswith("markov: buy by channel, 2 conversions worth 30.0")
    assert "touches are click, view; the conversion's own touchpoint is no touch" in text
    assert "1 conversions worth 0.0 have no touch and are nobody's credit" in text
    assert "paths without conversion: 1, which markov counts" in text
    blind = attribute(journeys, "buy", Linear())
    assert blind.notes() == ["paths without conversion: 1, which this model cannot see"]
    assert blind.removal_effect is None
    assert "removal_effect" not in blind.columns()
    assert (blind.goal, blind.by) == (Goal("buy"), "channel")


def test_a_column_named_as_a_number_of_the_table_is_shown_as_label():
    odd = Journeys.from_codes(
        customer=np.array([1, 2]),
        time=np.array([1, 1]),
        columns={"event": Codes.of(["buy", "view"]), "share": Codes.of(["x", "y"])},
    )
    assert next(iter(attribute(odd, "buy", by="share").columns())) == "label"
    assert next(iter(compare(odd, "buy", [Linear()], by="share").columns())) == "share"


def test_customers_enough_give_intervals_that_hold_the_share():
    rng = np.random.default_rng(1)
    E = 5_000
    many = Journeys.from_codes(
        customer=rng.integers(0, 800, E),
        time=rng.integers(0, 10**9, E),
        columns={"channel": rng.integers(0, 4, E), "event": rng.integers(0, 8, E)},
    )
    for answer in compare(many, 3).attributions:
        assert (answer.share_low > 0).all()
        assert (answer.share_low < answer.share).all()
        assert (answer.share < answer.share_high).all()
        assert (answer.share_high - answer.share_low < 0.3).all()
        wide = attribute(many, 3, answer.model, level=0.999)
        assert (wide.share_low < answer.share_low).all()


def test_intervals_cover_the_truth():
    # A world in which each of four channels is the last touch in a quarter of the conversions.
    rng = np.random.default_rng(2)
    inside = []
    for _ in range(60):
        n = 600
        log = Journeys.from_codes(
            customer=np.arange(n) + int(rng.integers(0, 10**6)) * n,
            time=np.zeros(n, np.int64),
            columns={"channel": rng.integers(0, 4, n), "event": rng.integers(0, 2, n)},
        )
        got = attribute(log, 1, LastTouch())
        inside.append((got.share_low <= 0.25) & (got.share_high >= 0.25))
    assert 0.88 <= np.mean(inside) <= 0.99
