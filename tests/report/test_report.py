"""The report as a whole: its numbers are those of the data, and all of them are there."""

from __future__ import annotations

import csv
import gzip
import json
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import assume, given, settings

import cxkit as cx
from cxkit.core.codes import Codes
from cxkit.flow import DisconnectRule, Friction, JourneyPlan
from cxkit.model.journeys import Journeys
from cxkit.report import report
from cxkit.report.defaults import Leads, default_funnel, default_scale
from cxkit.report.document import Figure
from cxkit.report.show import width_of
from tests.examples import some
from tests.report.pages import check_page
from tests.shared import shared
from tests.strategies import grouped, journeys_of, touchpoint_rows

ROLES = {"customer": "who", "time": "when", "event": "what", "channel": "where"}


def ingested(rows, **more):
    """Rows of (who, when, what, where) as read at the door."""
    table = {name: [row[i] for row in rows] for i, name in enumerate(ROLES.values())}
    return cx.ingest(table, **ROLES, tz="UTC", **more)


def small():
    return ingested(
        [
            ("ann", "2024-03-01", "look", "mail"),
            ("ann", "2024-03-02", "buy", "web"),
            ("bob", "2024-03-02", "look", "web"),
            ("bob", "2024-03-02", "look", "web"),
            ("", "2024-03-02", "look", "web"),
            ("cat", "soon", "look", "web"),
        ]
    )


@pytest.fixture(scope="module")
def world():
    return cx.simulate.retail(400, rng=3).journeys


@pytest.fixture(scope="module")
def told(world):
    return report(world, goal="purchase").to_dict()


def test_what_was_read_adds_up_and_every_reason_is_named():
    made = report(small(), goal="buy")
    read = made.to_dict()["sections"]["read"]
    assert read["facts"] == {"rows": 6, "accepted": 4, "rejected": 2, "duplicates": 1}
    assert sum(reason["rows"] for reason in read["tables"]["reasons"]) == 2
    assert [row["row"] for row in read["tables"]["rejected"]] == [4, 5]
    assert read["tables"]["rejected"][1]["found"] == "soon"
    assert "soon" in made.text()
    assert "1 rows repeat an earlier row" in made.text()


def test_labels_that_were_taken_out_are_not_counted(world):
    kept = world.where(world.channel.equals("web") & ~world.event.equals("page_view"))
    facts = report(kept, goal="purchase").to_dict()["sections"]["overview"]["facts"]
    assert facts["channels"] == 1
    assert facts["events"] == len(set(kept.event.to_list()) - {None})


def test_notes_of_the_reader_are_told():
    got = ingested([("NA", "2024-03-01", "buy", "web"), ("b", "2024-03-01", "look", "web")])
    assert got.notes
    assert "null_values" in report(got, goal="buy").text()


def test_journeys_know_nothing_of_rejects():
    read = report(small().journeys, goal="buy").to_dict()["sections"]["read"]
    assert read["facts"] == {"accepted": 4}


def test_a_single_journey_is_enough(world):
    one = next(j for j in world if "purchase" in {t.event for t in j})
    assert report(one, goal="purchase").to_dict()["sections"]["overview"]["facts"]["customers"] == 1


@pytest.mark.filterwarnings("ignore:every path ends")
@settings(max_examples=some(40))
@given(touchpoint_rows(min_rows=1))
def test_totals_are_those_of_the_rows(rows):
    assume(any(row[2] == "buy" for row in rows))
    journeys = journeys_of(rows)
    made = report(journeys, goal="buy")
    sections = made.to_dict()["sections"]
    facts = sections["overview"]["facts"]
    bought = [row for row in rows if row[2] == "buy"]
    assert facts["touchpoints"] == len(rows)
    assert facts["customers"] == len({row[0] for row in rows})
    assert facts["conversions"] == len(bought)
    assert facts["converted"] == len({row[0] for row in bought})
    assert facts["value"] == pytest.approx(math.fsum(r[5] for r in bought if r[5] == r[5]))
    channels = {
        row["channel"]: row["touchpoints"]
        for row in sections["overview"]["tables"].get("channels", [])
    }
    if channels:
        assert channels == Counter(row[3] for row in rows)
        for model, amount in _sums(sections["attribution"]["tables"]["conversions"]).items():
            assert amount == pytest.approx(len(bought)), model
        visits = sections["visits"]["tables"]["visits_channel"]
        assert sum(row["visits"] for row in visits) == len(journeys.sessions("30min"))
    scores = sections["people"]["people"]
    assert len(scores) == min(20, len({row[0] for row in rows if row[2] is not None}))
    for person in scores:
        assert math.fsum(r["points"] for r in person["reasons"]) == pytest.approx(person["score"])
        shown = math.fsum(row["earned"] for row in person["touchpoints_shown"])
        assert shown == pytest.approx(person["score"])
    check_page(made.html())


def _sums(rows):
    models = [name for name in rows[0] if name != "label"]
    return {name: math.fsum(row[name] for row in rows) for name in models}


def test_attribution_is_that_of_the_area(world, told):
    found = cx.attribution.compare(world, "purchase")
    rows = {row["label"]: row for row in told["sections"]["attribution"]["tables"]["conversions"]}
    for each in found.attributions:
        for label, amount in zip(each.labels, each.conversions.tolist(), strict=True):
            assert rows[label][each.model.name] == amount


def test_options_reach_the_areas(world):
    made = report(
        world,
        goal="purchase",
        by="device",
        campaign=None,
        lookback="10min",
        goal_is_touch=False,
        funnel=["page_view", "purchase"],
        session_gap="10min",
        at="2024-02-01",
        scale=cx.EngagementScale([cx.PointRule("purchase", 7)], name="mine"),
        title="mine",
    )
    plan = made.to_dict()["definition"]
    sections = made.to_dict()["sections"]
    assert made.title == "mine"
    assert (plan["by"], plan["campaign"], plan["lookback"]) == ("device", None, "10min")
    assert plan["scale"]["name"] == "mine"
    assert plan["at"].startswith("2024-02-01T00:00:00")
    expected = cx.attribution.compare(
        world, "purchase", by="device", lookback="10min", goal_is_touch=False
    )
    first = expected.attributions[0]
    rows = sections["attribution"]["tables"]["conversions"]
    assert {r["label"]: r["first_touch"] for r in rows} == dict(
        zip(first.labels, first.conversions.tolist(), strict=True)
    )
    assert first.unattributed_conversions
    assert f"{first.unattributed_conversions:,} conversions have no touch" in made.text(width=500)
    assert [row["step"] for row in sections["funnel"]["tables"]["funnel"]] == [
        "page_view",
        "purchase",
    ]
    visits = sum(row["visits"] for row in sections["visits"]["tables"]["visits_device"])
    assert visits == len(world.sessions("10min"))
    assert sections["people"]["people"][0]["score"] % 7 == 0
    assert "visits_campaign" not in sections["visits"]["tables"]


def test_a_funnel_may_be_given_whole(world):
    funnel = cx.flow.Funnel(["page_view", "purchase"], within="1d")
    made = report(world, goal="purchase", funnel=funnel)
    assert "steps count within 1d of entering" in made.text(width=500)


def test_the_definition_makes_the_same_report_again(world, told):
    plan = told["definition"]
    again = report(
        world,
        goal=cx.Goal.from_dict(plan["goal"]),
        scale=cx.EngagementScale.from_dict(plan["scale"]),
        funnel=cx.flow.Funnel.from_dict(plan["funnel"]),
        at=plan["at"],
    ).to_dict()
    for key in ("people", "visits", "funnel"):
        for part in ("tables", "facts", "people"):
            assert again["sections"][key].get(part) == told["sections"][key].get(part)


def test_the_same_input_gives_the_same_bytes(world):
    one, two = (report(world, goal="purchase") for _ in range(2))
    assert one.html() == two.html()
    assert one.to_json() == two.to_json()
    assert one.text() == two.text()


def test_the_order_of_rows_changes_nothing():
    rows = [
        (f"c{i % 7}", f"2024-03-{1 + i:02d}", "buy" if i % 5 == 0 else "look", f"ch{i % 3}")
        for i in range(28)
    ]
    assert (
        report(ingested(rows), goal="buy").html() == report(ingested(rows[::-1]), goal="buy").html()
    )


def test_json_is_plain_and_holds_no_nan(world):
    made = report(world, goal="purchase")
    assert json.loads(made.to_json()) == made.to_dict()
    assert made.to_json().isascii()


def many_channels():
    rng = np.random.default_rng(1)
    size = 3000
    names = [f"channel {i:03d}" for i in range(100)]
    channel = [names[k] for k in (100 * rng.random(size) ** 2).astype(int)]
    event = np.where(rng.random(size) < 0.1, "buy", "look").tolist()
    rows = [
        (f"c{c}", f"2024-03-{d:02d}T{h:02d}:00", e, name)
        for c, d, h, e, name in zip(
            rng.integers(0, 300, size).tolist(),
            rng.integers(1, 29, size).tolist(),
            rng.integers(0, 24, size).tolist(),
            event,
            channel,
            strict=True,
        )
    ]
    return ingested(rows)


def test_of_many_channels_the_first_are_shown_and_totals_match():
    made = report(many_channels(), goal="buy")
    tables = {
        (section.key, block.key): block
        for section in made.document.sections
        for block in section.blocks
        if hasattr(block, "visible")
    }
    for key in (
        ("overview", "channels"),
        ("attribution", "conversions"),
        ("visits", "visits_channel"),
    ):
        table = tables[key]
        assert len(table.rows) > 80
        assert len(table.visible) == 13
        assert str(table.visible[-1][0]).startswith("other (")
        assert "put together" in table.note
        for place, column in enumerate(table.columns):
            if column.key in {"touchpoints", "visits", "value"} or "_touch" in column.key:
                whole = math.fsum(row[place] for row in table.rows)
                assert math.fsum(row[place] for row in table.visible) == pytest.approx(whole)
    page = made.html()
    check_page(page)
    assert len(page) < 500_000
    assert "channel 090" not in made.text()


def test_without_a_channel_there_are_fewer_sections():
    got = cx.ingest(
        {"c": [1, 1, 2], "t": ["2024-03-01"] * 3, "e": ["look", "buy", "look"]},
        customer="c",
        time="t",
        event="e",
        tz="UTC",
    )
    made = report(got, goal="buy")
    assert "attribution" not in made.to_dict()["sections"]
    assert "No touchpoint has a channel" in made.text()
    check_page(made.html())


def test_one_row_is_enough():
    with pytest.warns(cx.CxWarning, match="every path ends in 'buy'"):
        made = report(ingested([("ann", "2024-03-01", "buy", "web")]), goal="buy")
    facts = made.to_dict()["sections"]["overview"]["facts"]
    assert facts["conversions"] == facts["converted"] == 1
    assert "Every path ends with a conversion" in made.text(width=500)
    check_page(made.html())


def test_a_million_touchpoints_of_one_customer():
    size = 1_000_000
    journeys = Journeys.from_codes(
        customer=np.zeros(size, np.int64),
        time=np.arange(size) * 60_000_000,
        columns={
            "event": Codes.from_codes(np.arange(size) % 3, ["look", "buy", "mail"]),
            "channel": Codes.from_codes(np.arange(size) % 2, ["web", "app"]),
        },
    )
    made = report(journeys, goal="buy")
    assert len(made.to_json()) < 1_000_000
    assert made.to_dict()["sections"]["people"]["people"][0]["touchpoints"] >= size // 3


def test_nothing_to_report_on_is_told():
    with pytest.raises(cx.DataError, match="no touchpoint"):
        report(Journeys.empty(), goal="buy")
    with pytest.raises(cx.DataError, match="all 1 rows were rejected: 1 x column 'who'"):
        report(ingested([("", "2024-03-01", "buy", "web")]), goal="buy")


def test_what_is_not_in_the_data_is_told(world):
    with pytest.raises(cx.UnknownLabelError, match="Did you mean 'purchase'"):
        report(world, goal="purchas")
    with pytest.raises(cx.SchemaError, match="Did you mean 'device'"):
        report(world, goal="purchase", by="devise")
    with pytest.raises(cx.SchemaError, match="numbers"):
        report(world, goal="purchase", by="value")
    with pytest.raises(cx.UnknownLabelError, match="cart"):
        report(world, goal="purchase", funnel=["add_to_card", "purchase"])
    with pytest.raises(cx.SchemaError, match="expected Journeys"):
        report({"a": [1]}, goal="purchase")


def test_progress_counts_the_sections(world):
    seen = []
    made = report(world, goal="purchase", progress=lambda done, total: seen.append((done, total)))
    count = len(made.document.sections)
    assert seen == [(i, count) for i in range(1, count + 1)]


def test_a_report_prints_and_shows_itself(world):
    made = report(world, goal="purchase")
    assert repr(made).startswith("<Report: Customer journeys to purchase; ")
    assert "\n" not in repr(made)
    frame = made._repr_html_()
    assert frame.startswith('<iframe sandbox=""')
    assert "<section" not in frame


@pytest.mark.parametrize("width", [40, 80, 200])
def test_text_keeps_to_its_width(world, width):
    assert max(map(width_of, report(world, goal="purchase").text(width=width).split("\n"))) <= width


def test_the_worst_names_as_data():
    bad = ["<script>alert(1)</script>", '"><b>', "nul\x00", "\u202eevil", "x" * 300, " ", "متجر"]
    rows = [
        (f"{name}{i}", f"2024-03-{1 + i % 28:02d}", "buy" if i % 4 == 0 else bad[i % 3], name)
        for i, name in enumerate(bad * 20)
    ]
    table = {name: [row[i] for row in rows] for i, name in enumerate(ROLES.values())}
    table["<i>camp"] = [row[3] for row in rows]
    got = cx.ingest(table, **ROLES, tz="UTC", columns=["<i>camp"])
    made = report(got, goal="buy", campaign="<i>camp", title="<b>title</b>\x00")
    read = check_page(made.html())
    assert not {tag for tag, _ in read.tags} & {"script", "b", "i"}
    assert "\x00" not in made.html()
    assert "\x00" not in made.text()
    assert "<script>alert(1)</script>" in "".join(read.texts)


# ---------------------------------------------------------------------- defaults


@given(touchpoint_rows(min_rows=1))
def test_leads_count_paths_that_hold_an_event(rows):
    journeys = journeys_of(rows)
    leads = Leads.of(journeys, cx.Goal("buy"))
    paths = []
    for own in grouped(rows).values():
        paths.append([])
        for row in own:
            paths[-1].append(row[2])
            if row[2] == "buy":
                paths.append([])
    paths = [path for path in paths if path]
    assert leads.won == sum(path[-1] == "buy" for path in paths)
    assert leads.lost == len(paths) - leads.won
    for k, event in enumerate(leads.events):
        holding = [path for path in paths if event in path and event != "buy"]
        assert leads.in_won[k] == sum(path[-1] == "buy" for path in holding)
        assert leads.in_lost[k] == sum(path[-1] != "buy" for path in holding)
        places = [path.index(event) / len(path) for path in holding if path[-1] == "buy"]
        assert leads.place[k] == pytest.approx(sum(places) / max(len(places), 1))


def test_the_default_scale_gives_the_goal_most():
    world = cx.simulate.retail(600, rng=2).journeys
    scale, told = default_scale(world, cx.Goal("purchase"))
    points = {rule.goal.event: rule.points for rule in scale.rules}
    assert points["purchase"] == 100
    assert all(1 <= p <= 50 and p == int(p) for e, p in points.items() if e != "purchase")
    assert points["checkout"] > points["impression"] == 1
    assert "100 points" in told


def test_rare_events_earn_no_more_than_one_point():
    rows = [(f"c{i}", "2024-03-01T10:00", "rare" if i < 29 else "look", "web") for i in range(200)]
    rows += [(f"c{i}", "2024-03-01T11:00", "buy", "web") for i in range(29)]
    scale, _ = default_scale(ingested(rows).journeys, cx.Goal("buy"))
    assert {rule.goal.event: rule.points for rule in scale.rules}["rare"] == 1
    rows.append(("c200", "2024-03-01T10:00", "rare", "web"))
    scale, _ = default_scale(ingested(rows).journeys, cx.Goal("buy"))
    assert {rule.goal.event: rule.points for rule in scale.rules}["rare"] == 50


def test_a_goal_in_one_channel_does_not_count_its_event_elsewhere():
    world = cx.simulate.retail(600, rng=2).journeys
    goal = cx.Goal("purchase", channel="store")
    scale, _ = default_scale(world, goal)
    assert [rule.goal for rule in scale.rules if rule.goal.event == "purchase"] == [goal]
    funnel, _ = default_funnel(world, goal)
    assert [step.event for step in funnel.steps].count("purchase") == 1
    check_page(report(world, goal=goal).html())


def test_the_default_funnel_of_a_shop_is_its_checkout():
    funnel, told = default_funnel(cx.simulate.retail(1000, rng=2).journeys, cx.Goal("purchase"))
    assert [s.event for s in funnel.steps] == ["page_view", "add_to_cart", "checkout", "purchase"]
    assert "come from the data" in told


def test_a_funnel_of_the_goal_alone_is_told():
    funnel, told = default_funnel(
        ingested([("a", "2024-03-01", "buy", "web")]).journeys, cx.Goal("buy")
    )
    assert len(funnel.steps) == 1
    assert told.startswith("No event comes before buy")


# ---------------------------------------------------------------------- real data


@pytest.fixture(scope="module")
def touchpoints():
    """The file of touchpoints, read without cxkit: (customer, time, event, value, channel)."""
    path = shared("data/attribution-touchpoints/attribution_data.csv.gz")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return path, rows


def test_real_touchpoints(touchpoints):
    path, rows = touchpoints
    got = cx.read_events(
        path,
        customer="customer_id",
        time="time",
        event="interaction",
        channel="channel",
        value="conversion_value",
    )
    sections = report(got, goal="conversion").to_dict()["sections"]
    assert sections["read"]["facts"] == {
        "rows": 62_483,
        "accepted": 62_483,
        "rejected": 0,
        "duplicates": 0,
    }
    facts = sections["overview"]["facts"]
    assert facts["customers"] == 7896 == len({row["customer_id"] for row in rows})
    assert facts["channels"] == 5
    assert facts["conversions"] == 1838
    assert facts["value"] == 11423.5
    last = Counter(row["channel"] for row in rows if row["interaction"] == "conversion")
    told = {r["label"]: r["last_touch"] for r in sections["attribution"]["tables"]["conversions"]}
    assert told == last
    assert told == {
        "Facebook": 561,
        "Paid Search": 457,
        "Online Video": 350,
        "Instagram": 237,
        "Online Display": 233,
    }
    attribution = sections["attribution"]["tables"]
    for model, amount in _sums(attribution["conversions"]).items():
        assert amount == pytest.approx(1838, rel=1e-12), model
    for model, amount in _sums(attribution["value"]).items():
        assert amount == pytest.approx(11423.5, rel=1e-12), model
    shares = attribution["intervals"]
    models = {row["model"] for row in shares}
    assert models >= {"linear", "markov", "shapley_rate", "logistic_counterfactual"}
    assert len(shares) == 5 * len(models)
    for row in shares:
        assert row["share_low"] <= row["share"] <= row["share_high"], row


@pytest.mark.parametrize("by", ["channel", "event"])
def test_every_picture_has_its_numbers_in_a_table(world, by):
    made = report(
        world,
        goal="purchase",
        by=by,
        plan=JourneyPlan({"look": ["page_view"], "buy": ["add_to_cart", "purchase"]}),
        friction=Friction({"steps": 1, "errors": 5}, errors="support_call"),
        disconnect=DisconnectRule("campaign", "support_call", "2d"),
    )
    figures = {
        block.key: (section.key, block.scene)
        for section in made.document.sections
        for block in section.blocks
        if isinstance(block, Figure)
    }
    assert {"attribution-bars", "sankey-event", "plan-picture", "switches-picture"} < set(figures)
    page = check_page(made.html())
    drawn = [attrs for attrs in page.all("svg") if attrs.get("class") == "chart"]
    assert len(drawn) >= len(figures)
    told = made.to_dict()["sections"]
    assert all(told[section]["tables"] for section, _ in figures.values())
    assert told["plan"]["facts"]["journeys"] == len(world.until("purchase"))
    effort = told["friction"]["tables"]["effort"]
    assert [row["part"] for row in effort][-1] == "effort"
    assert effort[0]["total"] == world.touchpoints
    switches = told["friction"]["tables"]["switches"]
    assert sum(row["switches"] for row in switches) == told["friction"]["facts"]["switches"]


def test_what_was_not_given_is_not_told(told):
    assert "plan" not in told["sections"]
    friction = told["sections"]["friction"]
    assert "switches" not in friction["tables"]
    assert "No weights were given" in friction["notes"][0]


def test_models_may_be_named(world):
    models = [cx.attribution.Linear(), cx.attribution.Participation()]
    made = report(world, goal="purchase", models=models)
    tables = made.to_dict()["sections"]["attribution"]["tables"]
    assert set(tables["conversions"][0]) == {"label", "linear", "participation"}
    notes = made.to_dict()["sections"]["attribution"]["notes"]
    assert "The credits of participation do not sum to the conversions." in notes[0]
    models = made.to_dict()["definition"]["models"]
    assert [model["model"] for model in models] == ["linear", "participation"]


def test_tables_for_data_are_not_shown_and_those_for_people_not_in_json(world):
    made = report(world, goal="purchase")
    tables = made.to_dict()["sections"]["attribution"]["tables"]
    assert "intervals" in tables
    assert "ranges" not in tables
    assert "Shares of conversions by channel and model" in made.html()
    assert ">removal" not in made.html()
