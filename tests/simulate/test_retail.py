from __future__ import annotations

import itertools
import math
import pickle
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import cxkit as cx
from cxkit import Journeys
from cxkit.errors import DataError, DefinitionError
from cxkit.simulate import CHANNELS, EFFECTS, retail
from cxkit.simulate.outcomes import reached_by_channel
from cxkit.simulate.rows import Calendar, Rows
from cxkit.simulate.visits import Visits
from cxkit.simulate.world import KINDS
from tests.examples import some

DAY = np.timedelta64(1, "D")
OUTCOMES = {"add_to_cart", "checkout", "purchase"}


@pytest.fixture(scope="module")
def world():
    return retail(1500, rng=1)


def rows_of(simulation):
    table = simulation.table
    return [
        dict(zip(table, row, strict=True))
        for row in zip(*(column.tolist() for column in table.values()), strict=True)
    ]


def expected_purchases(rows, simulation, effects):
    """The slow reference: scan the log for each decision, and add the probabilities up."""
    contacts = {}
    for row in rows:
        if row["intent"] != "transact":
            contacts.setdefault(row["customer"], []).append(row)
    total = []
    decisions = simulation.opportunities
    for customer, time, base in zip(
        decisions["customer"].tolist(),
        decisions["time"].tolist(),
        decisions["base_log_odds"].tolist(),
        strict=True,
    ):
        reached = {
            row["channel"]
            for row in contacts.get(customer, [])
            if 0 < (time - row["time"]).total_seconds() <= 14 * 86_400
        }
        total.append(1 / (1 + math.exp(-base - math.fsum(effects[c] for c in reached))))
    return total


# ------------------------------------------------------------------------------- the truth


@pytest.mark.parametrize("effects", ["positive", "mixed", {"web": 1.5, "email": -2.0}])
def test_the_truth_is_what_is_lost_when_the_contacts_are_deleted_from_the_log(effects):
    simulation = retail(150, days=60, effects=effects, rng=5)
    truth = simulation.truth
    given_effects = dict(zip(CHANNELS, truth.effect.tolist(), strict=True))
    rows = rows_of(simulation)

    factual = expected_purchases(rows, simulation, given_effects)
    assert simulation.opportunities["probability"] == pytest.approx(factual, rel=1e-12)
    assert truth.expected == pytest.approx(math.fsum(factual), rel=1e-12)
    for channel in CHANNELS:
        without = [row for row in rows if row["channel"] != channel]
        lost = truth.expected - math.fsum(expected_purchases(without, simulation, given_effects))
        assert truth.caused_by(channel) == pytest.approx(lost, rel=1e-9, abs=1e-9)
    nothing = math.fsum(expected_purchases([], simulation, given_effects))
    assert truth.baseline == pytest.approx(nothing, rel=1e-12)


def test_purchases_come_at_the_stated_probability():
    happened, expected, variance = 0, 0.0, 0.0
    for seed in range(5):
        simulation = retail(2000, rng=seed)
        p = simulation.opportunities["probability"]
        happened += simulation.truth.conversions
        expected += p.sum()
        variance += (p * (1 - p)).sum()
    assert abs(happened - expected) < 4 * math.sqrt(variance)


def test_the_likelier_visits_end_in_a_purchase_more_often(world):
    decisions = world.opportunities
    rank = np.argsort(decisions["probability"])
    bought = decisions["purchased"][rank]
    third = len(bought) // 3
    assert bought[:third].mean() < bought[third:-third].mean() < bought[-third:].mean()


def test_worlds_differ_in_outcomes_alone(world):
    other = retail(1500, effects="mixed", rng=1)
    for one, two in zip(contact_columns(world), contact_columns(other), strict=True):
        assert np.array_equal(one, two)
    assert np.array_equal(
        world.opportunities["base_log_odds"], other.opportunities["base_log_odds"]
    )
    assert np.array_equal(world.truth.touchpoints, other.truth.touchpoints)
    assert world.truth.baseline == other.truth.baseline
    assert world.truth.conversions > other.truth.conversions


def contact_columns(simulation):
    table = simulation.table
    contact = table["intent"] != "transact"
    return [table[name][contact] for name in ("customer", "time", "event", "channel", "campaign")]


def test_named_worlds_have_the_signs_that_their_names_say(world):
    assert (world.truth.caused > 0).all()
    mixed = retail(1500, effects="mixed", rng=1).truth
    assert mixed.caused_by("email") < 0
    assert mixed.caused_by("call_centre") < 0
    assert mixed.caused_by("paid_search") == 0
    assert mixed.caused_by("store") > 0
    assert (mixed.caused > 0).sum() == 5


def test_search_ads_reach_those_who_buy_anyway(world):
    # In the mixed world the channel does nothing, and still its customers buy more.
    mixed = retail(4000, effects="mixed", rng=1)
    table, decisions = mixed.table, mixed.opportunities
    clicked = set(table["customer"][table["channel"] == "paid_search"].tolist())
    reached = np.array([c in clicked for c in decisions["customer"].tolist()])
    assert decisions["purchased"][reached].mean() > 1.1 * decisions["purchased"][~reached].mean()
    base = decisions["base_log_odds"]
    assert base[reached].mean() > base[~reached].mean() + 0.1


def test_without_effects_nothing_is_caused():
    truth = retail(300, effects={}).truth
    assert not truth.caused.any()
    assert truth.baseline == truth.expected
    assert np.isnan(truth.share).all()
    assert math.isnan(truth.compare({"m": {"web": 1.0}}).misallocated[0])
    assert math.isnan(truth.compare({"m": {"web": 1.0}}).rank_correlation[0])


def test_a_lone_channel_causes_all_that_is_above_the_baseline():
    truth = retail(300, effects={"store": 0.7}).truth
    assert truth.caused_by("store") == pytest.approx(truth.expected - truth.baseline)
    assert truth.share.tolist() == [float(c == "store") for c in CHANNELS]


def test_truth_prints_and_leaves(world):
    assert len(world.truth) == len(CHANNELS)
    first = world.truth.to_dicts()[0]
    assert list(first) == ["channel", "touchpoints", "effect", "caused", "share"]
    assert f"{world.truth.conversions:,} conversions" in repr(world.truth)
    assert world.truth.share.sum() == pytest.approx(1)


LOOKBACK_S = 14 * 86_400
SECONDS = st.sampled_from([0, 1, 2, LOOKBACK_S - 1, LOOKBACK_S, LOOKBACK_S + 1, 19 * 86_400])


@given(
    contacts=st.lists(st.tuples(st.integers(0, 2), SECONDS, st.integers(0, len(KINDS) - 1))),
    decisions=st.lists(st.tuples(st.integers(0, 2), SECONDS), min_size=1),
)
def test_a_contact_reaches_who_had_it_up_to_14_days_before_and_not_in_the_same_second(
    contacts, decisions
):
    who, second, kinds = np.array(contacts, np.int64).reshape(-1, 3).T
    customer, end = np.array(decisions, np.int64).T
    rows = Rows.of(who, second, kinds.astype(np.uint8))
    none = np.zeros(len(customer), np.uint8)
    visits = Visits(customer, none, none, none.astype(float), end, end, rows)
    found = reached_by_channel(rows, visits, Calendar(20, 0))
    for at, (c, t) in enumerate(decisions):
        reached = {KINDS[k].channel for w, s, k in contacts if w == c and 0 < t - s <= LOOKBACK_S}
        assert {CHANNELS[i] for i in np.flatnonzero(found[:, at])} == reached


# -------------------------------------------------------------------------- the comparison


def test_compare_by_hand():
    truth = retail(500, effects={"web": 0.5, "store": 0.5, "email": -0.5}, rng=2).truth
    web, store, mail = (truth.caused_by(c) for c in ("web", "store", "email"))
    rows = truth.compare(
        {
            "exact": {"web": web, "store": store, "email": mail},
            "all to mail": {"email": 100},
            "halves": {"web": 1, "store": 1, None: 0.0},
        }
    ).to_dicts()
    assert [row["model"] for row in rows] == ["exact", "all to mail", "halves"]
    assert rows[0]["rank_correlation"] == 1
    assert rows[0]["misallocated"] == rows[0]["error"] == 0
    assert rows[1]["misallocated"] == pytest.approx(1)
    assert rows[1]["error"] == pytest.approx(web + store + 100 - mail)
    assert rows[1]["credited"] == 100
    assert rows[2]["misallocated"] == pytest.approx(abs(web / (web + store) - 0.5))


@given(st.lists(st.integers(-4, 4), min_size=8, max_size=8))
def test_rank_correlation_is_spearmans(amounts):
    stats = pytest.importorskip("scipy.stats")
    truth = WORLDS["mixed"].truth
    given_credit = dict(zip(CHANNELS, amounts, strict=True))
    found = truth.compare({"m": given_credit}).rank_correlation[0]
    if len(set(amounts)) == 1:
        assert math.isnan(found)
    else:
        assert found == pytest.approx(stats.spearmanr(amounts, truth.caused).statistic)


WORLDS = {name: retail(200, effects=name) for name in EFFECTS}


def test_compare_refuses_what_it_cannot_place():
    truth = WORLDS["positive"].truth
    with pytest.raises(DefinitionError, match="Did you mean 'email'"):
        truth.compare({"m": {"emial": 1.0}})
    with pytest.raises(DefinitionError, match="no channel None"):
        truth.compare({"m": {None: 1.0}})
    with pytest.raises(DataError, match="'web' by 'm' must be a finite number; found nan"):
        truth.compare({"m": {"web": math.nan}})
    with pytest.raises(DefinitionError, match="no channel 'shop'"):
        truth.caused_by("shop")
    assert len(truth.compare({})) == 0


# --------------------------------------------------------------------------------- the log


def test_what_there_is(world):
    table = world.table
    assert set(table["channel"]) == set(CHANNELS)
    assert set(table["environment"]) == {"digital", "hybrid", "physical"}
    assert set(table["initiator"]) == {"brand", "customer", "system"}
    assert set(table["intent"]) == {"sell", "inform", "support", "relate", "transact"}
    assert set(table["event"]) > OUTCOMES | {"impression", "click", "open", "support_call"}
    assert set(table["device"]) == {"desktop", "mobile", None}
    campaigns = {c: set(table["campaign"][table["channel"] == c]) - {None} for c in CHANNELS}
    for channel in ("display", "email", "paid_search", "social", "app"):
        assert len(campaigns[channel]) >= 2
    assert None in set(table["campaign"])
    assert 14 < len(table["time"]) / world.customers < 22


def test_value_is_money_on_purchases_and_nowhere_else(world):
    table = world.table
    purchase = table["event"] == "purchase"
    value = table["value"]
    assert np.array_equal(~np.isnan(value), purchase)
    assert (value[purchase] > 0).all()
    assert np.array_equal(value[purchase], value[purchase].round(2))
    assert np.median(value[purchase]) < value[purchase].mean()
    assert set(table["channel"][purchase]) == {"app", "store", "web"}


def test_purchases_in_the_log_are_those_of_the_opportunities(world):
    table, decisions = world.table, world.opportunities
    purchase, bought = table["event"] == "purchase", decisions["purchased"]
    logged = zip(
        *(table[n][purchase].tolist() for n in ("customer", "time", "channel")), strict=True
    )
    drawn = zip(
        *(decisions[n][bought].tolist() for n in ("customer", "time", "channel")), strict=True
    )
    assert sorted(logged) == sorted(drawn)
    assert world.truth.conversions == purchase.sum() == bought.sum()
    contacts = table["intent"] != "transact"
    for channel, count in zip(CHANNELS, world.truth.touchpoints.tolist(), strict=True):
        assert count == (contacts & (table["channel"] == channel)).sum()


def test_the_log_is_sorted_and_within_the_period(world):
    table = world.table
    key = list(zip(table["customer"].tolist(), table["time"].tolist(), strict=True))
    assert key == sorted(key)
    assert table["time"].min() >= np.datetime64("2024-01-01")
    assert table["time"].max() < np.datetime64("2024-01-01") + 90 * DAY
    assert table["customer"].min() >= 1
    assert table["customer"].max() <= world.customers


def test_visits_are_bursts_that_end_in_a_checkout(world):
    visits = world.journeys.sessions("30min")
    events, offsets = visits.event.to_list(), visits.offsets.tolist()
    channels = visits.channel.to_list()
    purchases = 0
    for begin, end in itertools.pairwise(offsets):
        for row in range(begin, end):
            if events[row] == "purchase":
                purchases += 1
                before = events[begin:row]
                if channels[row] == "store":
                    assert "store_visit" in before
                else:
                    assert before.index("page_view") < before.index("add_to_cart")
                    assert before[-1] == "checkout"
    assert purchases == world.truth.conversions
    assert 5 < len(visits) / world.customers < 16
    # A visit is several touchpoints within minutes; the ads and mails between them come alone.
    sizes = np.diff(visits.offsets)
    shopping = np.add.reduceat(np.isin(events, ["page_view", "store_visit"]), offsets[:-1])
    assert sizes[shopping > 0].mean() > 2.5
    assert sizes[shopping == 0].mean() < 1.1
    assert 2 < (shopping > 0).sum() / world.customers < 3


def test_time_of_day_and_week(world):
    table = world.table
    hour = (table["time"].astype("datetime64[h]").astype(int)) % 24
    weekday = (table["time"].astype("datetime64[D]").astype(int) + 3) % 7  # 0 is Monday
    shop = table["event"] == "store_visit"
    assert hour[shop].min() >= 9
    assert hour[shop].max() <= 20
    evening, night = (hour >= 18) & (hour < 22), hour < 4
    browse = table["event"] == "page_view"
    assert (browse & evening).sum() > 5 * (browse & night).sum()
    calls = table["channel"] == "call_centre"
    assert not (weekday[calls] == 6).any()
    mails = weekday[(table["event"] == "open")]
    assert (mails == 1).sum() > 1.3 * (mails == 2).sum()


def test_customers_differ(world):
    counts = np.bincount(world.table["customer"], minlength=world.customers + 1)[1:]
    assert counts.var() > 3 * counts.mean()  # far from all alike


def test_journeys_are_the_table(world):
    journeys = world.journeys
    extra = ("environment", "initiator", "intent", "campaign", "device")
    table = world.table
    again = Journeys.from_table(
        table,
        customer="customer",
        time="time",
        event="event",
        channel="channel",
        value="value",
        columns=extra,
        tz="UTC",
    )
    assert journeys == again
    assert journeys is world.journeys
    assert np.array_equal(journeys.time, table["time"])
    assert journeys.codes("campaign").to_list() == table["campaign"].tolist()
    assert journeys["customer"].to_list() == table["customer"].tolist()


def test_nothing_handed_out_can_be_changed(world):
    for table in (world.table, world.opportunities):
        for column in table.values():
            with pytest.raises(ValueError, match="read-only"):
                column[:1] = column[:1]
    world.table.clear()
    assert world.table
    with pytest.raises(ValueError, match="read-only"):
        world.truth.caused[0] = 1


# --------------------------------------------------------------------------- the arguments


def test_the_same_seed_gives_the_same_world(world):
    again = retail(1500, rng=np.random.default_rng(1))
    assert again.journeys == world.journeys
    assert np.array_equal(again.truth.caused, world.truth.caused)
    other = retail(1500, rng=2)
    assert other.journeys != world.journeys
    assert retail(20).journeys == retail(20, rng=0).journeys


GOLDEN = (8429, 163, 32_448_139_945)  # touchpoints, purchases, sum of seconds


def test_a_seed_gives_the_same_world_in_every_release():
    # Changing these numbers changes the examples of everybody: say so in the changelog.
    # Seen to be the same with numpy 2.1 and 2.4.
    simulation = retail(500, rng=7)
    seconds = (simulation.table["time"] - simulation.start) // np.timedelta64(1, "s")
    assert (len(seconds), simulation.truth.conversions, int(seconds.sum())) == GOLDEN


def test_start_is_an_instant():
    at_noon = retail(50, days=3, start=datetime(2023, 6, 1, 12, tzinfo=UTC)).table["time"]
    assert at_noon.min() >= np.datetime64("2023-06-01T12:00")
    assert at_noon.max() < np.datetime64("2023-06-04T12:00")


def test_pickles(world):
    copy = pickle.loads(pickle.dumps(world))  # our own bytes
    assert copy.journeys == world.journeys
    assert repr(copy) == repr(world)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"customers": 0}, "customers must be a whole number, 1 or more; found 0"),
        ({"customers": 2.5}, "customers must be a whole number"),
        ({"customers": True}, "customers must be a whole number"),
        ({"customers": "10"}, "customers must be a whole number"),
        ({"days": 0}, "days must be a whole number, 1 or more; found 0"),
        ({"days": 10**6}, "would end after the year 2200; from that start there is room for 64648"),
        ({"start": "2200-12-31", "days": 2}, "there is room for 1"),
        ({"start": "yesterday"}, "start='yesterday' is not a date"),
        ({"start": "1850-01-01"}, "outside the years"),
        ({"effects": "postive"}, "no world 'postive'.* Did you mean 'positive'"),
        ({"effects": None}, "effects must be one of"),
        ({"effects": {"emial": 0.1}}, "no channel 'emial' .* Did you mean 'email'"),
        ({"effects": {"email": math.nan}}, "the effect of 'email' must be a number"),
        ({"effects": {"email": 21}}, "from -20 to 20; found 21"),
        ({"effects": {"email": "0.1"}}, "found '0.1'"),
        ({"effects": {"email": None}}, "found None"),
        ({"effects": {"email": True}}, "found True"),
        ({"rng": -1}, "rng must be a seed"),
        ({"rng": "x"}, "rng must be a seed"),
    ],
)
def test_bad_arguments(options, message):
    with pytest.raises(DefinitionError, match=message):
        retail(**options)


@settings(max_examples=some(60))
@given(
    customers=st.integers(1, 40),
    days=st.one_of(st.integers(1, 60), st.just(400)),
    effects=st.one_of(
        st.sampled_from(sorted(EFFECTS)),
        st.dictionaries(st.sampled_from(CHANNELS), st.floats(-20, 20)),
    ),
    start=st.sampled_from(["1900-01-01", "2024-02-29", "2024-06-02", "2199-01-01"]),
    rng=st.integers(0, 2**64),
)
def test_every_world_adds_up(customers, days, effects, start, rng):
    simulation = retail(customers, days=days, effects=effects, start=start, rng=rng)
    table, truth, decisions = simulation.table, simulation.truth, simulation.opportunities
    assert {len(column) for column in table.values()} == {len(table["time"])}
    assert simulation.journeys.touchpoints == len(table["time"])
    assert np.array_equal(simulation.journeys.time, table["time"])
    assert len(simulation.journeys) <= customers
    outcomes = np.isin(table["event"].astype(str), list(OUTCOMES)).sum()
    assert truth.touchpoints.sum() + outcomes == len(table["time"])
    assert truth.conversions == (table["event"] == "purchase").sum()
    assert truth.expected == pytest.approx(decisions["probability"].sum())
    assert 0 <= truth.baseline <= len(decisions["time"])
    assert (truth.caused * np.sign(truth.effect) >= 0).all()
    assert not truth.caused[truth.effect == 0].any()
    begin = np.datetime64(start)
    for times in (table["time"], decisions["time"]):
        assert ((times >= begin) & (times < begin + days * DAY)).all()
    again = retail(customers, days=days, effects=effects, start=start, rng=rng)
    assert again.journeys == simulation.journeys


def test_an_attribution_is_compared_as_it_is(world):
    models = [cx.attribution.Linear(), cx.attribution.Markov()]
    table = cx.attribution.compare(world.journeys, "purchase", models)
    by_hand = {
        a.model.name: dict(zip(a.labels, a.conversions, strict=True)) for a in table.attributions
    }
    assert world.truth.compare(table).to_dicts() == world.truth.compare(by_hand).to_dicts()
