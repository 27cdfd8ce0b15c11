"""The laws of the design, for everything that a scale does with journeys."""

import numpy as np
from hypothesis import given, settings, strategies as st

from cxkit.engagement import VisitValue
from cxkit.model.journeys import Journeys
from tests.engagement.scales import AGEINGS, MINUTE, quiet, scales
from tests.examples import some
from tests.strategies import journeys_of, touchpoint_rows

ATS = st.integers(-10, 400).map(lambda minute: np.datetime64(minute * MINUTE, "us"))


@settings(max_examples=some(50))
@given(touchpoint_rows(), scales(), ATS)
def test_duality(rows, scale, at):
    journeys = journeys_of(rows)
    scores, points = quiet(scale, journeys, at), scale.points(journeys)
    for j in range(len(journeys)):
        assert scale.score(journeys[j], at=at) == scores.values[j]
        first, last = journeys.offsets[j : j + 2]
        assert np.array_equal(scale.points(journeys[j]), points[first:last])


@settings(max_examples=some(50))
@given(touchpoint_rows(), scales(), ATS, st.data())
def test_subset(rows, scale, at, data):
    journeys = journeys_of(rows)
    some = data.draw(st.permutations(range(len(journeys)))) if len(journeys) else []
    some = some[: data.draw(st.integers(0, len(journeys)))]
    scores, part = quiet(scale, journeys, at), quiet(scale, journeys.take(some), at)
    assert np.array_equal(part.values, scores.values[some])
    assert np.array_equal(part.excluded, scores.excluded[some])


@settings(max_examples=some(50))
@given(touchpoint_rows(), scales(), ATS, st.data())
def test_order_of_the_input_rows(rows, scale, at, data):
    rows = list({(row[0], row[1]): row for row in rows}.values())  # no two at the same instant
    mixed = data.draw(st.permutations(rows))
    one, two = journeys_of(rows), journeys_of(mixed)
    assert np.array_equal(quiet(scale, one, at).values, quiet(scale, two, at).values)
    assert np.array_equal(scale.points(one), scale.points(two))
    left, right = VisitValue.of(one, scale=scale), VisitValue.of(two, scale=scale)
    assert left == right


@settings(max_examples=some(50))
@given(touchpoint_rows(), scales(), ATS)
def test_what_comes_later_changes_nothing(rows, scale, at):
    journeys = journeys_of(rows)
    known = journeys.time <= at
    scores = quiet(scale, journeys, at)
    seen = quiet(scale, journeys.where(known), at)
    some = np.flatnonzero(np.diff(journeys.offsets) > scores.excluded)
    assert np.array_equal(seen.values, scores.values[some])
    assert not scores.values[np.setdiff1d(np.arange(len(journeys)), some)].any()


@settings(max_examples=some(50))
@given(touchpoint_rows(), scales(("every",), AGEINGS[:6], simple=True), ATS, st.data())
def test_without_repeats_a_journey_may_be_cut_anywhere(rows, scale, at, data):
    journeys = journeys_of(rows)
    starts = np.array(
        data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows))), bool
    )
    parts = [journeys.where(starts), journeys.where(~starts)]
    both = Journeys.concat([part for part in parts if len(part)])
    total = {}
    rounding = 1e-12 * (np.abs(scale.points(journeys)).sum() + 1e-300)
    for row in quiet(scale, both, at).to_dicts():
        total[row["customer"]] = total.get(row["customer"], 0) + row["score"]
    whole = {row["customer"]: row["score"] for row in quiet(scale, journeys, at).to_dicts()}
    assert total.keys() == whole.keys()
    assert all(abs(total[who] - whole[who]) <= rounding for who in whole)


@settings(max_examples=some(50))
@given(touchpoint_rows(min_rows=1), scales(), ATS)
def test_inputs_are_not_changed_and_outputs_are_read_only(rows, scale, at):
    journeys, same = journeys_of(rows), journeys_of(rows)
    saved = scale.to_dict()
    scores = quiet(scale, journeys, at)
    VisitValue.of(journeys, scale=scale).result()
    assert journeys == same
    assert scale.to_dict() == saved
    for array in (scores.values, scores.excluded, scores.positions, scale.points(journeys)):
        assert not array.flags.writeable
