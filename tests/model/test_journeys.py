import pickle

import numpy as np
import pytest
from hypothesis import given, strategies as st

import cxkit as cx
from cxkit.core.codes import Codes
from cxkit.model.journeys import as_journeys
from tests.strategies import grouped, journeys_of, touchpoint_rows

MINUTE = 60_000_000


def rows_of(journeys):
    """Journeys as plain Python: [(customer, [(time, event, channel, campaign, value)])]."""
    names = ("event", "channel", "campaign")
    columns = [journeys.time.view(np.int64).tolist()]
    columns += [journeys.codes(name).to_list() for name in names if name in journeys.columns]
    columns.append([repr(v) for v in journeys.value.tolist()])
    rows = list(zip(*columns, strict=True))
    bounds = zip(journeys.offsets[:-1], journeys.offsets[1:], strict=True)
    return [
        (who, rows[a:b]) for who, (a, b) in zip(journeys.customer.to_list(), bounds, strict=True)
    ]


def plain(rows):
    return [
        (who, [(t, e, c, g, repr(v)) for _, t, e, c, g, v in journey])
        for who, journey in grouped(rows).items()
    ]


@given(touchpoint_rows())
def test_journeys_hold_what_went_in_sorted_and_stable(rows):
    journeys = journeys_of(rows)
    assert rows_of(journeys) == plain(rows)
    assert len(journeys) == journeys.customers == len({r[0] for r in rows})
    assert journeys.touchpoints == len(rows)


@given(touchpoint_rows(), st.data())
def test_take_by_positions_mask_and_slice(rows, data):
    journeys, expected = journeys_of(rows), plain(rows)
    if not expected:
        return
    which = data.draw(st.lists(st.integers(0, len(expected) - 1)))
    assert rows_of(journeys.take(which)) == [expected[w] for w in which]
    mask = np.array(
        data.draw(st.lists(st.booleans(), min_size=len(expected), max_size=len(expected)))
    )
    assert rows_of(journeys[mask]) == [e for e, m in zip(expected, mask, strict=True) if m]
    a, b = data.draw(st.integers(-7, 7)), data.draw(st.integers(-7, 7))
    step = data.draw(st.sampled_from([None, 1, 2, -1]))
    assert rows_of(journeys[a:b:step]) == expected[a:b:step]


@given(touchpoint_rows(), st.data())
def test_where_keeps_some_touchpoints(rows, data):
    journeys = journeys_of(rows)
    keep = data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
    kept, at = [], 0
    for who, journey in plain(rows):
        part = [row for i, row in enumerate(journey) if keep[at + i]]
        at += len(journey)
        if part:
            kept.append((who, part))
    assert rows_of(journeys.where(np.array(keep, bool))) == kept


def test_masks_of_another_length_and_positions_are_refused():
    rows = [("c1", 0, "view", "web", 1, 2.0), ("c1", 1, "buy", "web", 1, 2.0)]
    journeys = journeys_of([*rows, ("c2", 0, "view", "app", 1, 2.0)])
    for mask, message in [
        (np.array([True, False]), "has 2 entries, the journeys have 3 touchpoints; .* with take"),
        (np.array([True] * 4), "has 4 entries, the journeys have 3 touchpoints; make it from"),
        (np.array([]), "has 0 entries, the journeys have 3 touchpoints"),
        (np.array([[True], [False], [True]]), "has 3 x 1 entries, the journeys have 3 touchp"),
        (np.array([0, 2, 1]), "found dtype int64; compare a column"),
        ([True, None, False], "found dtype object"),
    ]:
        with pytest.raises(cx.SchemaError, match=message):
            journeys.where(mask)
    for mask, message in [
        (np.array([True] * 3), "has 3 entries, there are 2 journeys; .* touchpoints with where"),
        (np.zeros(0, bool), "has 0 entries, there are 2 journeys"),
        ([True], "has 1 entries, there are 2 journeys; make it from"),
        (np.array([[True, False]]), "has 1 x 2 entries, there are 2 journeys"),
        ([0.0, 1.0], "found 1 dimensions of dtype float64"),
        ([[0, 1]], "found 2 dimensions of dtype int64"),
    ]:
        for choose in (journeys.take, journeys.__getitem__):
            with pytest.raises(cx.SchemaError, match=message):
                choose(mask)
    assert journeys.where([True, False, True]) == journeys_of(
        [rows[0], ("c2", 0, "view", "app", 1, 2.0)]
    )
    assert cx.Journeys.empty().where([]) == cx.Journeys.empty()
    assert len(journeys.take([])) == 0


@given(touchpoint_rows(), st.integers(1, 100))
def test_sessions_begin_after_a_pause_longer_than_the_gap(rows, minutes):
    expected = []
    for who, journey in plain(rows):
        for i, row in enumerate(journey):
            if i == 0 or row[0] - journey[i - 1][0] > minutes * MINUTE:
                expected.append((who, []))
            expected[-1][1].append(row)
    journeys = journeys_of(rows)
    sessions = journeys.sessions(f"{minutes}min")
    assert rows_of(sessions) == expected
    assert len(rows) == 0 or np.shares_memory(sessions.time, journeys.time)


@given(touchpoint_rows(), st.one_of(st.none(), st.integers(1, 200)))
def test_until_cuts_after_each_conversion(rows, lookback):
    expected = []
    for who, journey in plain(rows):
        fresh = True
        for row in journey:
            if fresh:
                expected.append((who, []))
            expected[-1][1].append(row)
            fresh = row[1] == "buy"
    if lookback is not None:
        expected = [
            (who, [r for r in path if path[-1][0] - r[0] <= lookback * MINUTE])
            for who, path in expected
        ]
    paths = journeys_of(rows).until("buy", None if lookback is None else f"{lookback}min")
    assert rows_of(paths) == expected


@given(touchpoint_rows(), st.integers(0, 6))
def test_concat_puts_parts_together(rows, cut):
    journeys = journeys_of(rows)
    assert cx.Journeys.concat([journeys[:cut], journeys[cut:]]) == journeys


def test_concat_of_nothing_and_of_different_columns():
    assert cx.Journeys.concat([]) == cx.Journeys.empty()
    a = cx.Journeys.from_codes(
        customer=np.array([1]), time=np.array([0]), columns={"channel": Codes.of(["web"])}
    )
    b = cx.Journeys.from_codes(
        customer=np.array([2]), time=np.array([0]), columns={"value": np.array([1.0])}
    )
    both = cx.Journeys.concat([a, b])
    assert both.channel.to_list() == ["web", None]
    assert np.isnan(both.value[0])
    assert both.value[1] == 1.0
    assert both.customer.to_list() == [1, 2]


def test_concat_refuses_labels_beside_numbers():
    one = {"customer": np.array([1]), "time": np.array([0])}
    a = cx.Journeys.from_codes(**one, columns={"x": np.array([1.0])})
    b = cx.Journeys.from_codes(**one, columns={"x": np.array([1])})
    with pytest.raises(cx.SchemaError, match="labels in one part and numbers in another"):
        cx.Journeys.concat([a, b])


def test_concat_takes_a_column_without_a_single_cell_for_any_kind():
    one = {"customer": np.array([1]), "time": np.array([0])}
    empty, numbers, labels = (
        cx.Journeys.from_codes(**one, columns={"x": column})
        for column in (Codes.of([None]), np.array([1.5]), Codes.of(["a"]))
    )
    for parts in ([empty, numbers], [numbers, empty]):
        found = cx.Journeys.concat(parts)["x"]
        assert np.nansum(found) == 1.5
        assert np.isnan(found).sum() == 1
    assert cx.Journeys.concat([empty, labels, empty]).codes("x").to_list() == [None, "a", None]
    assert cx.Journeys.concat([empty, empty]).codes("x").to_list() == [None, None]
    assert cx.Journeys.concat([empty, empty]).column_names == ["time", "x"]


@given(touchpoint_rows(), touchpoint_rows())
def test_equality_is_that_of_the_rows(a, b):
    assert (journeys_of(a) == journeys_of(b)) == (plain(a) == plain(b)) or not (a and b)


def test_equality_is_by_label_and_column():
    journeys = journeys_of([("c1", 0, "view", "web", 1, 2.0), ("c2", 0, "buy", "app", 2, 3.0)])
    assert journeys[1:] == journeys_of([("c2", 0, "buy", "app", 2, 3.0)])
    other = journeys_of([("c2", 0, "buy", "app", 2, 4.0)])
    assert journeys[1:] != other
    assert journeys != 1
    bare = cx.Journeys.from_codes(customer=np.array([1]), time=np.array([0]))
    assert bare != cx.Journeys.from_codes(
        customer=np.array([1]), time=np.array([0]), columns={"value": np.array([np.nan])}
    )


@given(touchpoint_rows(min_rows=1))
def test_arrays_are_read_only_also_after_pickling(rows):
    for journeys in (journeys_of(rows), pickle.loads(pickle.dumps(journeys_of(rows)))):
        assert journeys == journeys_of(rows)
        arrays = [journeys.offsets, journeys.time, journeys.value, journeys.customer.codes]
        arrays += [journeys.channel.codes, journeys.shards, journeys["customer"].codes]
        for array in arrays:
            with pytest.raises(ValueError, match="read-only"):
                array[:] = array[:]


def test_columns_that_were_not_given_are_missing():
    journeys = cx.Journeys.from_codes(customer=np.array([5, 5]), time=np.array([0, 1]))
    assert journeys.channel.to_list() == [None, None]
    assert journeys.codes("event").to_list() == [None, None]
    assert np.isnan(journeys.value).all()
    assert journeys.column_names == ["time"]


def test_unknown_columns_and_journeys():
    journeys = journeys_of([("c1", 0, "view", "web", 1, 2.0)])
    with pytest.raises(cx.SchemaError, match=r"no column 'chanel'.* Did you mean 'channel'"):
        journeys["chanel"]
    with pytest.raises(cx.SchemaError, match="'value' holds numbers, not labels"):
        journeys.codes("value")
    with pytest.raises(IndexError, match="journey 1 of 1"):
        journeys[1]
    assert journeys[-1] == journeys[0]
    assert journeys["time"] is journeys.time
    assert journeys["customer"].to_list() == ["c1"]
    assert [j.customer for j in journeys] == ["c1"]


def test_as_journeys_takes_one_or_many():
    journeys = journeys_of([("c1", 0, "view", "web", 1, 2.0)])
    assert as_journeys(journeys) is journeys
    assert as_journeys(journeys[0]) == journeys
    with pytest.raises(cx.SchemaError, match="expected Journeys or a Journey, found dict"):
        as_journeys({})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"time": np.array([0])}, "has 1 rows, customer has 2"),
        ({"time": np.array(["2024-01-01", "NaT"], "M8[D]")}, "row 1 has no time"),
        ({"time": np.array([0, 2**62])}, "row 1: time .* outside the years 1900 to 2200"),
        ({"time": np.array([0.5, 1])}, "time has dtype float64"),
        ({"customer": np.array(["a", "b"])}, "'customer' has dtype <U1"),
        ({"customer": Codes.of(["a", None])}, "row 1 has no customer; 1 of 2 rows"),
        ({"columns": {"time": np.array([0, 1])}}, "'time' is an argument of its own"),
        ({"columns": {"channel": np.array([0.0, 1])}}, "'channel' must hold labels"),
        ({"columns": {"value": np.array([0, 1])}}, "'value' must hold floats"),
        ({"columns": {"value": np.array([0, np.inf])}}, "row 1 has an infinite value"),
        ({"columns": {"x": np.array([b"a", b"b"])}}, "'x' has dtype"),
    ],
)
def test_from_codes_refuses(change, message):
    good = {"customer": np.array([1, 2]), "time": np.array([0, 1])}
    with pytest.raises(cx.CxError, match=message):
        cx.Journeys.from_codes(**{**good, **change})


def test_repr_says_what_there_is():
    journeys = journeys_of([("c1", 0, "view", "web", 1, 2.0), ("c1", 9, "buy", "web", 1, 2.0)])
    assert repr(journeys) == (
        "<Journeys: 1 journeys of 1 customers, 2 touchpoints, 1970-01-01 to 1970-01-01; "
        "channel (1), event (2), value, campaign (1)>"
    )
    assert repr(cx.Journeys.empty()) == "<Journeys: 0 journeys of 0 customers, 0 touchpoints>"


def test_shards_follow_the_customer_not_the_batch():
    rows = [(f"c{i}", i, "view", "web", 1, 0.0) for i in range(500)]
    journeys = journeys_of(rows)
    assert journeys[100:].shards.tolist() == journeys.shards[100:].tolist()
    assert (
        journeys_of(rows[7:8]).shards[0]
        == dict(zip(journeys.customer.to_list(), journeys.shards.tolist(), strict=True))["c7"]
    )
    assert len(set(journeys.shards.tolist())) == 64


def test_empty_journeys_can_be_cut():
    empty = cx.Journeys.empty()
    for cut in (empty.sessions(), empty.until("buy", "1d"), empty[:3], empty.take([])):
        assert cut == empty
    assert len(empty.shards) == 0
