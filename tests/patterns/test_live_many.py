"""Many touchpoints at once are as many updates, to the last bit."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from cxkit.core.codes import Codes
from cxkit.errors import DataError
from cxkit.patterns import LiveSessions, LiveSliding, LiveTumbling, Pattern
from tests.examples import some
from tests.patterns.patterns import busy_rows
from tests.strategies import touchpoint_rows

ROWS = st.one_of(touchpoint_rows(customers=3), busy_rows())
TOLERANCES = st.sampled_from([None, "1us", "5min", "2h"])
ORIGIN = "1970-01-01T00:10Z"
few = settings(max_examples=some(60))


def in_batches(rows, cuts, many):
    """Rows in any order, in batches; what the batches gave, put together."""
    bounds = [0, *sorted(cuts), len(rows)]
    found = []
    for a, b in pairwise(bounds):
        columns = list(zip(*rows[a:b], strict=True)) if a < b else [[]] * 6
        found += many(*columns)
    return found


def equal(one, other, found, expected):
    assert found == expected
    assert one.to_bytes() == other.to_bytes()
    assert [one.too_late, one.dropped] == [other.too_late, other.dropped]


CUTS = st.lists(st.integers(0, 40), max_size=3)


@few
@given(st.data(), ROWS, TOLERANCES, CUTS, st.booleans())
def test_patterns(data, rows, tolerance, cuts, by_channel):
    rows = data.draw(st.permutations(rows))
    pattern = Pattern(["view", "buy"], within="2h", without=["mail"], report="overlapping")
    one, other = (pattern.live(tolerance=tolerance, most_waiting=3) for _ in range(2))
    expected = []
    for row in rows:
        expected += other.update_raw(row[0], row[2], row[1], row[3] if by_channel else None)
    found = in_batches(
        rows,
        [min(cut, len(rows)) for cut in cuts],
        lambda who, t, what, where, *_: one.update_many(
            who, what, np.array(t, np.int64), Codes.of(list(where)) if by_channel else None
        ),
    )
    equal(one, other, found, expected)


@few
@given(st.data(), ROWS, TOLERANCES, CUTS, st.booleans())
def test_sliding(data, rows, tolerance, cuts, values):
    rows = data.draw(st.permutations(rows))
    one, other = (
        LiveSliding("1h", goal="view", values=values, tolerance=tolerance, most_waiting=3)
        for _ in range(2)
    )
    expected = []
    for row in rows:
        expected += other.update_raw(row[0], row[2], row[1], row[3], row[5])
    found = in_batches(
        rows,
        [min(cut, len(rows)) for cut in cuts],
        lambda who, t, what, where, _, worth: one.update_many(who, what, t, where, worth),
    )
    equal(one, other, found, expected)


@few
@given(st.data(), ROWS, TOLERANCES, CUTS)
def test_sessions(data, rows, tolerance, cuts):
    rows = data.draw(st.permutations(rows))
    one, other = (LiveSessions("10min", tolerance=tolerance, most_waiting=3) for _ in range(2))
    expected = []
    for row in rows:
        expected += other.update_raw(row[0], row[1], row[5])
    found = in_batches(
        rows,
        [min(cut, len(rows)) for cut in cuts],
        lambda who, t, _, __, ___, worth: one.update_many(Codes.of(list(who)), t, worth),
    )
    equal(one, other, found, expected)


@few
@given(st.data(), ROWS, TOLERANCES, CUTS, st.sampled_from([2, 5, 1000]), st.booleans())
def test_tumbling(data, rows, tolerance, cuts, most_cells, divided):
    rows = data.draw(st.permutations(rows))
    if divided:  # sums whose last bits depend on the order
        rows = [(*row[:5], row[5] / 3) for row in rows]
    one, other = (
        LiveTumbling(
            "30min", origin="1970-01-01T00:10Z", tolerance=tolerance, most_cells=most_cells
        )
        for _ in range(2)
    )
    expected = []
    for row in rows:
        expected += other.update_raw(row[3], row[1], row[5])
    found = in_batches(
        rows,
        [min(cut, len(rows)) for cut in cuts],
        lambda _, t, __, where, ___, worth: one.update_many(where, t, worth),
    )
    equal(one, other, found, expected)
    assert len(one) == len(other)


@pytest.mark.parametrize(
    ("make", "columns"),
    [
        (lambda: Pattern(["a"]).live(), (["x"], ["a"])),
        (lambda: LiveSliding("1h"), (["x"], ["a"])),
        (LiveSessions, (["x"],)),
        (LiveTumbling, (["x"],)),
    ],
)
def test_bad_columns_change_nothing(make, columns):
    live = make()
    before = live.to_bytes()
    for times in ([1, 2], [1.5], [-(2**62)], [np.datetime64("NaT", "us")], [[1]]):
        with pytest.raises(DataError, match="time_us"):
            live.update_many(*columns, times)
    if not isinstance(live, LiveTumbling | LiveSessions | LiveSliding):
        return
    with pytest.raises(DataError, match="numbers"):
        live.update_many(*columns, [1], value=["a lot"])
    assert live.to_bytes() == before
    assert live.update_many(*([] for _ in columns), []) == []
    live.update_many(*columns, np.array(["2024-01-01"], "datetime64[D]"), value=[2])
    assert len(live) == 1


@pytest.mark.parametrize("wrong", [True, None, " ", 1.5, ["ann"]])
@pytest.mark.parametrize(
    "make",
    [LiveSessions, lambda: LiveSliding("1h"), lambda: Pattern(["a"]).live()],
    ids=["sessions", "sliding", "pattern"],
)
def test_a_batch_with_what_is_no_customer_changes_nothing(make, wrong):
    live = make()
    rest = [] if isinstance(live, LiveSessions) else [["a"] * 3]
    live.update_many(["ann"], *(column[:1] for column in rest), [5])
    before = live.to_bytes()
    day = 86_400_000_000  # what was before is certain then, and is not to be lost
    with pytest.raises(DataError, match=r"customer.*in row 1"):
        live.update_many(["ann", wrong, "bob"], *rest, [day, day, day])
    assert live.to_bytes() == before
    found = live.update_many(["ann", "bob", "bob"], *rest, [day, day, day + 1])
    again = make()
    expected = again.update_many(["ann"], *(column[:1] for column in rest), [5])
    expected = again.update_many(["ann", "bob", "bob"], *rest, [day, day, day + 1])
    assert found == expected != []


def test_what_is_no_label():
    windows = LiveTumbling()
    with pytest.raises(DataError, match="a label is text or a whole number; found True"):
        windows.update_many([1, True], [5, 6])
    assert len(windows) == 0
