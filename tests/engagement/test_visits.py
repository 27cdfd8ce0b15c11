import math
import pickle
import statistics
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from cxkit.core.codes import Codes
from cxkit.core.summary import merge_all
from cxkit.engagement import EngagementScale, PointRule, VisitValue, shrink, value_per_visit
from cxkit.errors import CxWarning, DefinitionError, MergeError, SchemaError
from cxkit.model.journeys import Journeys
from tests.engagement.scales import MINUTE, scales, slow_points
from tests.examples import some
from tests.strategies import grouped, journeys_of, touchpoint_rows

PLACES = {"channel": 3, "campaign": 4, "event": 2}


def slow_visits(rows, scale, by, gap):
    """The label and the points of each visit."""
    found = []
    for journey in grouped(rows).values():
        points = slow_points(scale, journey)
        cuts = [0, *(k for k in range(1, len(journey)) if journey[k][1] - journey[k - 1][1] > gap)]
        for first, last in zip(cuts, [*cuts[1:], len(journey)], strict=True):
            labels = [row[PLACES[by]] for row in journey[first:last]]
            label = next((x for x in labels if x is not None), None)
            found.append((label, math.fsum(points[first:last])))
    return found


def close(left, right):
    return np.allclose(left, right, rtol=1e-10, atol=1e-9, equal_nan=True)


@settings(max_examples=some(60))
@given(
    touchpoint_rows(), scales(), st.sampled_from(sorted(PLACES)), st.sampled_from([None, "10min"])
)
def test_the_table_is_that_of_the_slow_count(rows, scale, by, gap):
    pause = scale.session_gap_us if gap is None else 10 * MINUTE
    visits = slow_visits(rows, scale, by, pause)
    table = VisitValue.of(journeys_of(rows), scale=scale, by=by, gap=gap).result()
    labels = {label for label, _ in visits}
    expected = sorted(labels - {None}) + [None] * (None in labels)
    assert list(table.labels) == expected
    assert table.site_visits == len(visits)
    for row, label in zip(table.to_dicts(), expected, strict=True):
        values = [value for name, value in visits if name == label]
        assert row["visits"] == len(values)
        assert close(row["value"], math.fsum(values))
        assert close(row["value_per_visit"], statistics.fmean(values))
        error = statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.nan
        assert close(row["standard_error"], error)
    every = [value for _, value in visits]
    if len(every) > 1:
        assert close(table.site_standard_error, statistics.stdev(every) / math.sqrt(len(every)))
    else:
        assert math.isnan(table.site_standard_error)


@given(touchpoint_rows(), scales(), st.integers(0, 5), st.sampled_from(sorted(PLACES)))
def test_parts_add_up(rows, scale, cut, by):
    journeys = journeys_of(rows)
    whole = VisitValue.of(journeys, scale=scale, by=by)
    parts = [VisitValue.of(journeys.take(slice(j, j + 1)), scale=scale, by=by) for j in range(5)]
    zero = VisitValue.zero(scale=scale, by=by)
    for together in (
        merge_all(parts),
        merge_all(parts[::-1]),
        merge_all([*parts[:cut], zero]) + merge_all([*parts[cut:], zero]),
    ):
        assert together.labels == whole.labels
        assert np.array_equal(together.visits, whole.visits)
        assert close(together.value, whole.value)
        assert close(together.spread, whole.spread)
    assert whole + zero == zero + whole == whole
    assert VisitValue.from_bytes(whole.to_bytes()) == whole


@given(
    touchpoint_rows(), touchpoint_rows(), scales(counts=("every", "once_per_session"), simple=True)
)
def test_parts_with_other_labels_of_the_same_customers_add_up(left, right, scale):
    one, two = journeys_of(left), journeys_of(right)
    together = VisitValue.of(one, scale=scale) + VisitValue.of(two, scale=scale)
    whole = VisitValue.of(Journeys.concat([one, two]), scale=scale)
    assert np.array_equal(together.visits, whole.visits)
    assert close(together.value, whole.value)
    assert close(together.spread, whole.spread)


def journeys_with(events, channel=None, **columns):
    """One visit of one touchpoint for each event, by customers of their own."""
    rows = len(events)
    return Journeys.from_codes(
        customer=np.arange(rows),
        time=np.zeros(rows, np.int64),
        columns={"event": Codes.of(events), "channel": Codes.of(channel or ["web"] * rows)}
        | {name: Codes.of(values) for name, values in columns.items()},
    )


def test_a_tiny_variance_beside_a_large_mean():
    # Squares of 1e9 leave no digit for a difference of 1e-3; differences from a mean do.
    low, high = 1e9, 1e9 + 1e-3
    scale = EngagementScale([PointRule("low", low), PointRule("high", high)])
    rng = np.random.default_rng(1)
    events = rng.choice(["low", "high"], 3000).tolist()
    exact = [Fraction(low if event == "low" else high) for event in events]
    error = math.sqrt(statistics.variance(exact) / len(exact))
    journeys = journeys_with(events)
    whole = value_per_visit(journeys, scale)
    assert whole.standard_error[0] == pytest.approx(error, rel=1e-4)
    parts = [VisitValue.of(journeys[k : k + 7], scale=scale) for k in range(0, 3000, 7)]
    for order in (parts, parts[::-1]):
        assert merge_all(order).result().standard_error[0] == pytest.approx(error, rel=1e-4)


def test_a_mean_that_is_rounded_badly():
    # In a sum of 1e14 the thousandths are lost, each time to the same side.
    low, high = 1e9, 1e9 + 1e-3
    scale = EngagementScale([PointRule("low", low), PointRule("high", high)])
    events = np.random.default_rng(1).choice(["low", "high"], 200_000).tolist()
    journeys = Journeys.from_codes(
        customer=np.zeros(len(events), np.int64),
        time=np.arange(len(events)) * 60 * MINUTE,
        columns={"event": Codes.of(events)},
    )
    share = events.count("high") / len(events)
    error = (high - low) * math.sqrt(share * (1 - share) / (len(events) - 1))
    assert value_per_visit(journeys, scale).standard_error[0] == pytest.approx(error, rel=1e-4)


def test_equal_visits_have_no_spread_at_all():
    scale = EngagementScale([PointRule("a", 0.1)])
    table = value_per_visit(journeys_with(["a"] * 1000), scale)
    assert table.standard_error[0] == pytest.approx(0, abs=1e-15)
    assert table.quadrant == ("protect",)


def test_the_four_quadrants():
    events = ["big"] * 10 + ["none"] * 10 + ["big"] + ["none"]
    channel = ["A"] * 10 + ["B"] * 10 + ["C", "D"]
    table = value_per_visit(journeys_with(events, channel), EngagementScale([PointRule("big", 22)]))
    assert table.labels == ("A", "B", "C", "D")
    assert table.quadrant == ("protect", "fix", "scale", "stop")
    assert table.relative_value.tolist() == [2, 0, 2, 0]
    assert (table.site_visits, table.site_value, table.site_value_per_visit) == (22, 242, 11)
    assert table.mean_visits == 5.5
    assert "site: 22 visits, value 242.0, 11.000 per visit" in repr(table)
    assert next(iter(table.columns())) == "channel"


def test_what_equals_the_site_within_rounding_is_not_below_it():
    # 0.2 + 0.1 is more than 0.3, so the site comes out above the 0.1 of every visit.
    assert (0.2 + 0.1) / 3 > 0.1
    scale = EngagementScale([PointRule("a", 0.1)])
    table = value_per_visit(journeys_with(["a"] * 3, ["x", "x", "y"]), scale)
    assert table.quadrant == ("protect", "scale")


def test_visits_without_a_label_count_for_the_site_and_not_for_the_mean():
    table = value_per_visit(
        journeys_with(["a", "a", None], ["web", None, None]), EngagementScale([PointRule("a", 3)])
    )
    assert table.labels == ("web", None)
    assert table.visits.tolist() == [1, 2]
    assert table.quadrant == ("protect", None)
    assert table.mean_visits == 1
    assert table.site_value_per_visit == 2
    assert math.isnan(table.standard_error[0])


def test_the_label_of_a_visit_is_its_first():
    time = np.array([0, 1, 2, 100, 101]) * MINUTE
    journeys = Journeys.from_codes(
        customer=np.zeros(5, np.int64),
        time=time,
        columns={
            "event": Codes.of(["a"] * 5),
            "campaign": Codes.of([None, "x", "y", None, None]),
        },
    )
    scale = EngagementScale([PointRule("a", 1), PointRule("a", 10, count="once_per_customer")])
    table = value_per_visit(journeys, scale, by="campaign")
    assert table.labels == ("x", None)
    assert table.value.tolist() == [13, 2]
    assert value_per_visit(journeys, scale, by="campaign", gap="2h").visits.tolist() == [1]
    assert value_per_visit(journeys[0], scale, by="campaign").value.tolist() == [13, 2]


def test_caps_and_the_floor_are_not_those_of_visits():
    time = np.arange(6) * MINUTE
    journeys = Journeys.from_codes(
        customer=np.zeros(6, np.int64),
        time=time,
        columns={"event": Codes.of(list("aaaabb")), "channel": Codes.of(["web"] * 6)},
    )
    rules = [PointRule("a", 10, cap=15, group="g"), PointRule("b", -100)]
    scale = EngagementScale(rules, group_caps={"g": 12}, cap=5, floor=0)
    assert value_per_visit(journeys, scale).value.tolist() == [-160]


def test_a_worthless_or_negative_site_has_no_relative_values():
    for points in (0, -5):
        table = value_per_visit(journeys_with(["a"]), EngagementScale([PointRule("a", points)]))
        assert math.isnan(table.relative_value[0])
        assert table.quadrant == ("protect",)


def test_no_visits():
    table = VisitValue.zero(scale=EngagementScale([PointRule("a", 1)]), by="campaign").result()
    assert len(table) == 0
    assert table.site_visits == 0
    assert math.isnan(table.site_value_per_visit)
    assert "site: 0 visits" in repr(table)


def test_bad_arguments():
    journeys = journeys_with(["a"])
    scale = EngagementScale([PointRule("a", 1)])
    with pytest.raises(SchemaError, match="no column 'campain'"):
        value_per_visit(journeys, scale, by="campain")
    with pytest.raises(DefinitionError, match="gap"):
        value_per_visit(journeys, scale, gap="long")
    with pytest.raises(MergeError, match="different gap"):
        VisitValue.of(journeys, scale=scale) + VisitValue.of(journeys, scale=scale, gap="1h")
    with pytest.raises(TypeError):
        VisitValue.of(journeys, scale=scale) + 1
    with pytest.warns(CxWarning, match="not one event"):
        value_per_visit(journeys, EngagementScale([PointRule("b", 1)]))


def test_results_stay_read_only_when_pickled():
    scale = EngagementScale([PointRule("a", 1)])
    table = value_per_visit(journeys_with(["a", "b"]), scale)
    again = pickle.loads(pickle.dumps(table))
    assert repr(again) == repr(table)
    assert not again.value.flags.writeable
    summary = VisitValue.of(journeys_with(["a", "b"]), scale=scale)
    assert pickle.loads(pickle.dumps(summary)) == summary
    assert "VisitValue" in repr(summary)


# ---------------------------------------------------------------- what opens a visit


@settings(max_examples=some(60))
@given(touchpoint_rows(), scales(simple=True), st.sampled_from([["view"], ["cart", "buy"], ["x"]]))
def test_visits_that_something_opens(rows, scale, opens):
    visits, outside, lost = [], 0, 0.0
    for journey in grouped(rows).values():
        points = slow_points(scale, journey)
        cuts = [0, *(k for k in range(1, len(journey)) if journey[k][1] - journey[k - 1][1] > GAP)]
        for first, last in zip(cuts, [*cuts[1:], len(journey)], strict=True):
            begin = next((k for k in range(first, last) if journey[k][2] in opens), None)
            if begin is None:
                outside += 1
                lost += math.fsum(points[first:last])
                continue
            lost += math.fsum(points[first:begin])
            labels = [row[3] for row in journey[begin:last] if row[3] is not None]
            visits.append(((labels or [None])[0], math.fsum(points[begin:last])))
    table = VisitValue.of(journeys_of(rows), scale=scale, gap="20min", opens=opens).result()
    assert table.site_visits == len(visits)
    assert table.outside_sessions == outside
    assert close(table.outside_value, lost)
    for row in table.to_dicts():
        values = [value for label, value in visits if label == row["channel"]]
        assert row["visits"] == len(values)
        assert close(row["value"], math.fsum(values))


GAP = 20 * MINUTE


def test_an_impression_opens_no_visit():
    journeys = journeys_with(["impression", "view", "impression"], ["display", "web", "display"])
    scale = EngagementScale([PointRule("view", 8), PointRule("impression", 1)])
    every = value_per_visit(journeys, scale)
    assert dict(zip(every.labels, every.visits.tolist(), strict=True)) == {"display": 2, "web": 1}
    opened = value_per_visit(journeys, scale, opens=["view", "app_start"])
    assert opened.labels == ("web",)
    assert (opened.outside_sessions, opened.outside_value) == (2, 2.0)
    assert "no visits: 2 sessions that nothing opens; 2.0 points belong to no visit" in repr(opened)
    for wrong in ([], [1.5], [True]):
        with pytest.raises(DefinitionError, match="opens"):
            value_per_visit(journeys, scale, opens=wrong)
    with pytest.raises(MergeError, match="different opens"):
        VisitValue.of(journeys, scale=scale) + VisitValue.of(journeys, scale=scale, opens="view")


# ---------------------------------------------------------------- small labels, and costs


def test_small_labels_are_drawn_to_the_site():
    rng = np.random.default_rng(0)
    truth = rng.normal(10, 2, 200)
    sizes = rng.integers(2, 30, 200)
    values = [rng.normal(mean, 6, size) for mean, size in zip(truth, sizes, strict=True)]
    sums = np.array([v.sum() for v in values])
    spread = np.array([np.square(v - v.mean()).sum() for v in values])
    found = shrink(sizes, sums, spread)
    own = sums / sizes
    assert found.between == pytest.approx(4, rel=0.35)
    # Never further from the truth on the whole, and much nearer for the small ones.
    small = sizes < 8
    assert np.square(found.mean - truth).mean() < 0.7 * np.square(own - truth).mean()
    assert np.square(found.mean - truth)[small].mean() < 0.5 * np.square(own - truth)[small].mean()
    assert (np.diff(found.weight[np.argsort(sizes)]) >= -1e-12).all()
    site = sums.sum() / sizes.sum()
    assert (np.abs(found.mean - site) <= np.abs(own - site)).all()


def test_shrinkage_where_there_is_nothing_to_learn_from():
    none = np.zeros(2)
    assert np.isnan(shrink(np.array([5]), np.array([1.0]), none[:1]).mean).all()
    assert np.isnan(shrink(np.array([1, 1]), np.array([1.0, 2.0]), none).mean).all()
    same = shrink(np.array([4, 2]), np.array([8.0, 4.0]), np.array([9.0, 1.0]))
    assert (same.mean.tolist(), same.between) == ([2.0, 2.0], 0.0)
    exact = shrink(np.array([4, 2]), np.array([8.0, 2.0]), none)
    assert exact.mean.tolist() == [2.0, 1.0]


def test_what_a_point_costs():
    journeys = journeys_with(["a", "a", "b"], ["web", "web", "mail"])
    scale = EngagementScale([PointRule("a", 10), PointRule("b", -1)])
    costs = {"web": 40, "mail": 5, "tv": 700.5}
    table = value_per_visit(journeys, scale, costs=costs)
    rows = {row["channel"]: row for row in table.to_dicts()}
    assert rows["web"]["cost_per_value"] == 2.0
    assert math.isnan(rows["mail"]["cost_per_value"])
    assert table.idle_cost == 700.5
    assert "spent on labels without a visit: 700.50" in repr(table)
    assert "cost" not in value_per_visit(journeys, scale).columns()
    assert np.isnan(value_per_visit(journeys, scale).cost_per_value).all()
    with pytest.raises(DefinitionError, match="the cost of 'web'"):
        value_per_visit(journeys, scale, costs={"web": -1})


def test_busy_customers_widen_the_error():
    """Visits of one customer are alike, so that customers, not visits, are independent."""
    rng = np.random.default_rng(4)
    customers = 600
    likes = rng.random(customers) < 0.5
    who = np.repeat(np.arange(customers), 20)
    events = np.where(likes[who], "a", "b").tolist()
    time = np.tile(np.arange(20) * 120 * MINUTE, customers)
    journeys = Journeys.from_codes(
        customer=who,
        time=time,
        columns={"event": Codes.of(events), "channel": Codes.of(["web"] * len(who))},
    )
    table = value_per_visit(journeys, EngagementScale([PointRule("a", 1)]))
    right = math.sqrt(0.25 / customers)
    assert table.customer_error[0] == pytest.approx(right, rel=0.3)
    assert table.standard_error[0] < 0.3 * right
